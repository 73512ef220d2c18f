/* SPDX-License-Identifier: BSD-2-Clause */
/* Mangles messages, the same way every time. */
#ifndef COAPCAST_UNIT_MUTATE_H
#define COAPCAST_UNIT_MUTATE_H

#include <string.h>

#include "wire/msg.h"

#define MUTATE_ROOM 4 /* bytes that one may grow by */

static inline uint32_t
mutate_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* One to four changes: bytes set, inserted, taken out, the end cut off. */
static inline size_t
mutate(uint8_t *raw, size_t n, uint32_t *state)
{
	for (uint32_t changes = 1 + mutate_random(state) % 4; changes > 0 && n > 1; changes--) {
		size_t at = mutate_random(state) % n;
		uint8_t byte = (uint8_t)mutate_random(state);

		switch (mutate_random(state) % 8) {
		case 0:
			memmove(raw + at, raw + at + 1, n - at - 1);
			n--;
			break;
		case 1:
			memmove(raw + at + 1, raw + at, n - at);
			raw[at] = byte;
			n++;
			break;
		case 2:
			n = at + 1;
			break;
		default:
			raw[at] = byte;
		}
	}
	return n;
}

/*
 * Whether what object security makes of a message is still the same: its option and its payload.
 * Header, token and the other options are nobody's secret and may change on the way.
 */
static inline bool
mutate_is_same(const struct msg *was, const struct msg *is)
{
	const struct opt *a = msg_find(was, OPT_OSCORE), *b = msg_find(is, OPT_OSCORE);

	return a && b && bytes_equal(a->value, b->value) && bytes_equal(was->payload, is->payload);
}

#endif
