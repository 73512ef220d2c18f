/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/option.h"

#include <errno.h>

#define N_LOW 64 /* numbers below are looked up by index */

#define E OPTION_CLASS_E
#define U OPTION_CLASS_U
#define R OPTION_REPEATABLE
#define KNOWN OPTION_RECOGNIZED

#define ROW(opt, title, fmt, lo, hi, what)                                             \
	{                                                                              \
		.number = (opt), .name = (title), .format = OPTION_##fmt, .min = (lo), \
		.max = (hi), .flags = (what)                                           \
	}

static const struct option_info low[N_LOW] = {
	[OPT_IF_MATCH] = ROW(OPT_IF_MATCH, "If-Match", OPAQUE, 0, 8, KNOWN | R | E),
	[OPT_URI_HOST] = ROW(OPT_URI_HOST, "Uri-Host", STRING, 1, 255, KNOWN | U),
	[OPT_ETAG] = ROW(OPT_ETAG, "ETag", OPAQUE, 1, 8, KNOWN | R | E),
	[OPT_IF_NONE_MATCH] = ROW(OPT_IF_NONE_MATCH, "If-None-Match", EMPTY, 0, 0, KNOWN | E),
	[OPT_OBSERVE] = ROW(OPT_OBSERVE, "Observe", UINT, 0, 3, KNOWN | E | U),
	[OPT_URI_PORT] = ROW(OPT_URI_PORT, "Uri-Port", UINT, 0, 2, KNOWN | U),
	[OPT_LOCATION_PATH] =
		ROW(OPT_LOCATION_PATH, "Location-Path", STRING, 0, 255, KNOWN | R | E),
	[OPT_OSCORE] = ROW(OPT_OSCORE, "OSCORE", OPAQUE, 0, 255, U),
	[OPT_URI_PATH] = ROW(OPT_URI_PATH, "Uri-Path", STRING, 0, 255, KNOWN | R | E),
	[OPT_CONTENT_FORMAT] = ROW(OPT_CONTENT_FORMAT, "Content-Format", UINT, 0, 2, KNOWN | E),
	[OPT_MAX_AGE] = ROW(OPT_MAX_AGE, "Max-Age", UINT, 0, 4, KNOWN | E | U),
	[OPT_URI_QUERY] = ROW(OPT_URI_QUERY, "Uri-Query", STRING, 0, 255, KNOWN | R | E),
	[OPT_HOP_LIMIT] = ROW(OPT_HOP_LIMIT, "Hop-Limit", UINT, 1, 1, KNOWN | E),
	[OPT_ACCEPT] = ROW(OPT_ACCEPT, "Accept", UINT, 0, 2, KNOWN | E),
	[OPT_Q_BLOCK1] = ROW(OPT_Q_BLOCK1, "Q-Block1", UINT, 0, 3, E | U),
	[OPT_LOCATION_QUERY] =
		ROW(OPT_LOCATION_QUERY, "Location-Query", STRING, 0, 255, KNOWN | R | E),
	[OPT_BLOCK2] = ROW(OPT_BLOCK2, "Block2", UINT, 0, 3, KNOWN | E | U),
	[OPT_BLOCK1] = ROW(OPT_BLOCK1, "Block1", UINT, 0, 3, KNOWN | E | U),
	[OPT_SIZE2] = ROW(OPT_SIZE2, "Size2", UINT, 0, 4, KNOWN | E | U),
	[OPT_Q_BLOCK2] = ROW(OPT_Q_BLOCK2, "Q-Block2", UINT, 0, 3, R | E | U),
	[OPT_PROXY_URI] = ROW(OPT_PROXY_URI, "Proxy-Uri", STRING, 1, 1034, KNOWN | U),
	[OPT_PROXY_SCHEME] = ROW(OPT_PROXY_SCHEME, "Proxy-Scheme", STRING, 1, 255, KNOWN | U),
	[OPT_SIZE1] = ROW(OPT_SIZE1, "Size1", UINT, 0, 4, KNOWN | E | U),
};

static const struct option_info high[] = {
	ROW(OPT_ECHO, "Echo", OPAQUE, 1, 40, KNOWN | E | U),
	ROW(OPT_NO_RESPONSE, "No-Response", UINT, 0, 1, KNOWN | E),
	ROW(OPT_REQUEST_TAG, "Request-Tag", OPAQUE, 0, 8, KNOWN | R | E),
};

/* The one number that a configuration may change. */
static struct option_info feedback_divider =
	ROW(OPT_FEEDBACK_DIVIDER, "Feedback-Divider", UINT, 0, 1, KNOWN | E);

uint16_t
option_feedback_divider(void)
{
	return feedback_divider.number;
}

void
option_set_feedback_divider(uint16_t number)
{
	feedback_divider.number = number;
}

const struct option_info *
option_info(uint16_t number)
{
	if (number == feedback_divider.number)
		return &feedback_divider;
	if (number < N_LOW)
		return low[number].name != NULL ? &low[number] : NULL;
	for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++)
		if (high[i].number == number)
			return &high[i];
	return NULL;
}

bool
option_is_critical(uint16_t number)
{
	return (number & 1) != 0;
}

unsigned
option_class(uint16_t number)
{
	const struct option_info *info = option_info(number);

	return info != NULL ? info->flags & (E | U) : E;
}

/* What is wrong with option i of m, by the table alone; options are sorted by number. */
static enum option_verdict
judge(const struct msg *m, size_t i, uint16_t before)
{
	const struct opt *o = &m->opts[i];
	const struct option_info *info = option_info(o->number);

	if (info == NULL || !(info->flags & OPTION_RECOGNIZED))
		return OPTION_UNRECOGNIZED; /* RFC 7252 5.4.1 */
	if (o->value.n < info->min || o->value.n > info->max)
		return OPTION_BAD_LENGTH; /* RFC 7252 5.4.3 */
	if (o->number == before && !(info->flags & OPTION_REPEATABLE))
		return OPTION_SUPERNUMERARY; /* RFC 7252 5.4.5 */
	return OPTION_FINE;
}

enum option_verdict
option_sift(struct msg *m, uint16_t *ret_critical)
{
	enum option_verdict first = OPTION_FINE;
	uint16_t before = 0; /* number of the previous occurrence; 0 is reserved */
	uint8_t n = 0;

	for (uint8_t i = 0; i < m->n_opts; i++) {
		enum option_verdict v = judge(m, i, before);
		bool critical = option_is_critical(m->opts[i].number);

		before = m->opts[i].number;
		if (v != OPTION_FINE && !critical)
			continue;
		if (v != OPTION_FINE && first == OPTION_FINE) {
			first = v;
			*ret_critical = m->opts[i].number;
		}
		m->opts[n++] = m->opts[i];
	}
	m->n_opts = n;
	return first;
}

int
block_decode(const struct opt *o, struct block *ret)
{
	uint32_t v = 0;

	if (o->value.n > 3)
		return -EBADMSG;
	for (size_t i = 0; i < o->value.n; i++)
		v = v << 8 | o->value.p[i];
	if ((v & 7) > BLOCK_MAX_SZX) /* RFC 7959 2.2: 7 is reserved */
		return -EBADMSG;
	ret->num = v >> 4;
	ret->more = (v & 8) != 0;
	ret->szx = v & 7;
	return 0;
}

uint32_t
block_value(const struct block *b)
{
	return b->num << 4 | (b->more ? 8U : 0U) | b->szx;
}

size_t
block_size(const struct block *b)
{
	return (size_t)16 << b->szx;
}

size_t
block_offset(const struct block *b)
{
	return (size_t)b->num << (b->szx + 4);
}
