/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to the interfaces of the host and their addresses (rtnetlink(7)): that
 * something changed is said on a libuv loop, what it is has to be looked at. It opens
 * no other socket and changes nothing.
 */
#ifndef COAPCAST_TRANSPORT_NETLINK_H
#define COAPCAST_TRANSPORT_NETLINK_H

#include <uv.h>

#include "base/addr.h"

#define NETLINK_SETTLE_MS 50 /* changes come in bursts: so long after the first of one it is said */

struct netlink;

/*
 * Calls on_change from now on when a link or an address came, went or changed.
 * 0, or negative errno with e filled: then nothing is ever said.
 */
int netlink_open(uv_loop_t *loop, void (*on_change)(void *ctx), void *ctx, struct error *e,
	struct netlink **ret);
/* Closes it; the memory goes in a later turn of the loop. NULL is fine. */
void netlink_close(struct netlink *n);

/*
 * Whether an interface with that number was deleted since on_change was called last; one
 * may have its number again by then, but nothing that was joined. To be asked in on_change.
 */
bool netlink_has_lost(const struct netlink *n, uint32_t ifindex);

struct netif {
	uint32_t ifindex; /* 0: there is none of that name */
	bool up; /* it is up, and has a carrier */
};

/* How the interface of that name is. */
struct netif netlink_interface(const char *name);
/* Whether a unicast address (its port does not matter) is one that can be sent from. */
bool netlink_is_ours(const struct addr *a);

#endif
