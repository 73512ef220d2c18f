/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was drawn for the keys of a self-managed OSCORE group, as the store has it: that of the
 * keys in use, and of those before while members may have no others. Not here: the keys that
 * follow from it (net/groupkeys.h).
 */
#ifndef COAPCAST_NET_GROUPDRAWN_H
#define COAPCAST_NET_GROUPDRAWN_H

#include "base/buf.h"

#define GROUPDRAWN_RANDOM 32 /* bytes of a generation */
#define GROUPDRAWN_GID 8 /* bytes of a Gid that are drawn */

/* One generation. */
struct groupdrawn {
	uint8_t random[GROUPDRAWN_RANDOM];
	uint8_t gid[GROUPDRAWN_GID];
	int64_t exp_s; /* since 1970, UTC; 0: the clock was not set */
};

struct groupdrawn_kept {
	struct groupdrawn now, before;
	bool has_before;
	bool ended; /* the latter may protect the end of group observations, and nothing more */
};

void groupdrawn_put(const struct groupdrawn_kept *k, struct buf *out);
/* False: it is nothing of ours. */
bool groupdrawn_take(struct bytes in, struct groupdrawn_kept *ret);

#endif
