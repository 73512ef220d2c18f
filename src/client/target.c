/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/target.h"

#include <errno.h>

#define OPTION_PART_MAX 255 /* bytes of one Uri-Path or Uri-Query (RFC 7252 5.10) */

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
target_unescape(struct bytes text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		int hi, lo;

		if (text.p[i] != '%') {
			buf_put_u8(out, text.p[i]);
			continue;
		}
		if (i + 2 >= text.n || (hi = hex_value(text.p[i + 1])) < 0 ||
			(lo = hex_value(text.p[i + 2])) < 0)
			return -EINVAL;
		buf_put_u8(out, (uint8_t)(hi << 4 | lo));
		i += 2;
	}
	return out->full ? -ENOSPC : 0;
}

/* RFC 7252 6.4, step 9: each argument is an option of its own. */
static int
put_query(struct bytes query, struct msg *m, struct buf *scratch)
{
	while (query.n > 0) {
		const uint8_t *amp = memchr(query.p, '&', query.n);
		size_t n = amp ? (size_t)(amp - query.p) : query.n, start = scratch->n;
		int rc = target_unescape(bytes_head(query, n), scratch);

		if (rc < 0)
			return rc;
		if (scratch->n - start > OPTION_PART_MAX)
			return -EINVAL;
		rc = msg_add(m, OPT_URI_QUERY, bytes_of(scratch->p + start, scratch->n - start));
		if (rc < 0)
			return rc;
		query = bytes_from(query, n + 1);
	}
	return 0;
}

int
target_put(const struct target *t, struct msg *m, struct buf *scratch)
{
	int rc = msg_add_path(m, OPT_URI_PATH, t->path, scratch);

	if (rc == 0)
		rc = put_query(t->query, m, scratch);
	if (rc == 0 && t->accept != TARGET_NO_FORMAT)
		rc = msg_add_uint(m, OPT_ACCEPT, (uint32_t)t->accept);
	return rc;
}
