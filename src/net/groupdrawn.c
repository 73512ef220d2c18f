/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/groupdrawn.h"

#define VERSION_ONE 1 /* one generation */
#define VERSION_TWO 2 /* followed by flags, and the one before */
#define ONE_BYTES (GROUPDRAWN_RANDOM + GROUPDRAWN_GID + 8)
#define FLAG_ENDED 1u

static void
put_one(const struct groupdrawn *d, struct buf *out)
{
	buf_put(out, BYTES_OF(d->random));
	buf_put(out, BYTES_OF(d->gid));
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_put_u8(out, (uint8_t)((uint64_t)d->exp_s >> shift));
}

void
groupdrawn_put(const struct groupdrawn_kept *k, struct buf *out)
{
	buf_put_u8(out, k->has_before ? VERSION_TWO : VERSION_ONE);
	put_one(&k->now, out);
	if (!k->has_before)
		return;
	buf_put_u8(out, k->ended ? FLAG_ENDED : 0);
	put_one(&k->before, out);
}

static void
take_one(const uint8_t *p, struct groupdrawn *ret)
{
	uint64_t exp_s = 0;

	memcpy(ret->random, p, GROUPDRAWN_RANDOM);
	memcpy(ret->gid, p + GROUPDRAWN_RANDOM, GROUPDRAWN_GID);
	for (size_t i = GROUPDRAWN_RANDOM + GROUPDRAWN_GID; i < ONE_BYTES; i++)
		exp_s = exp_s << 8 | p[i];
	ret->exp_s = (int64_t)exp_s;
}

bool
groupdrawn_take(struct bytes in, struct groupdrawn_kept *ret)
{
	bool two = in.n == 2 * (1 + ONE_BYTES) && in.p[0] == VERSION_TWO;

	if (!two && (in.n != 1 + ONE_BYTES || in.p[0] != VERSION_ONE))
		return false;
	*ret = (struct groupdrawn_kept){.has_before = two};
	take_one(in.p + 1, &ret->now);
	if (two) {
		ret->ended = in.p[1 + ONE_BYTES] & FLAG_ENDED;
		take_one(in.p + 2 + ONE_BYTES, &ret->before);
	}
	return true;
}
