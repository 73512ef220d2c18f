/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of the daemon when the network changes under it. Groups and the
 * All-CoAP-Nodes addresses belong to interfaces by name: one that goes stays
 * known, and when it is there again, with whatever number, what was joined on it is
 * joined again, and what is sent there is sent again. Group observations
 * whose server address is gone for longer than a while are cancelled
 * (draft-ietf-core-observe-multicast-notifications: it is part of what clients know).
 */
#ifndef COAPCAST_NET_NETWORK_H
#define COAPCAST_NET_NETWORK_H

#include <uv.h>

#include "broker/broker.h"
#include "conf/conf.h"
#include "net/plan.h"
#include "transport/udp.h"

#define NETWORK_GRACE_MS 10000 /* how long an address may be gone while its interface is up */

struct network;

/* What is to be adapted; borrowed for a call. */
struct network_view {
	const struct conf *conf;
	const struct conf *boot; /* that of the start: discovery wants a restart */
	struct plan *plan; /* its groups are those of the broker */
	struct udp *udp;
	struct broker *broker;
};

/*
 * Watches the host; on_change is called when network_follow has something to do.
 * Where that cannot be watched the log says so, and it never is.
 */
struct network *network_new(uv_loop_t *loop, void (*on_change)(void *ctx), void *ctx);
/* Closes it; the memory goes in a later turn of the loop. NULL is fine. */
void network_close(struct network *n);

/*
 * Looks at the host and adapts to it; says in the log what changed since the last look.
 * To be called once at the start, and whenever it is asked for.
 */
void network_follow(struct network *n, const struct network_view *v);

#endif
