/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gather on real sockets: a client's UDP endpoint towards one group on one interface of
 * a libuv loop, which asks, and asks again while its time lasts. What is said is gather.h's.
 */
#ifndef COAPCAST_CLIENT_MEETING_H
#define COAPCAST_CLIENT_MEETING_H

#include <uv.h>

#include "base/error.h"
#include "client/gather.h"

struct meeting;

struct meeting_ops {
	/* A server answered: once each. */
	void (*on_answer)(void *ctx, struct meeting *m, const struct gather_server *s);
};

/*
 * Asks the group from an address of the interface (0: what the routing table gives), at
 * once, and every GATHER_ROUND_MS again until wait_ms are almost over; it ends nothing
 * then. 0, or negative errno with e filled: -EADDRNOTAVAIL when the interface has no
 * address to ask the group from. `armor`: how requests are protected, or NULL.
 */
int meeting_open(uv_loop_t *loop, const struct addr *group, uint32_t ifindex,
	const struct target *target, const struct armor *armor, uint32_t wait_ms,
	const struct meeting_ops *ops, void *ctx, struct error *e, struct meeting **ret);
/* Closes it; the memory goes in a later turn of the loop. NULL is fine. */
void meeting_close(struct meeting *m);

const struct gather *meeting_gather(const struct meeting *m);
uint32_t meeting_interface(const struct meeting *m);

#endif
