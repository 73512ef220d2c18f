/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/target.h"

#include <errno.h>

#define OPTION_PART_MAX 255 /* bytes of one Uri-Path or Uri-Query (RFC 7252 5.10) */

int
target_unescape(struct bytes text, struct buf *out)
{
	if (buf_put_unescaped(out, text) < 0)
		return -EINVAL;
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
