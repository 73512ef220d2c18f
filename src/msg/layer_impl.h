/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What layer.c (receiving, answering) and exchange.c (confirmable messages)
 * share, and nobody else: the layer's inside.
 */
#ifndef COAPCAST_MSG_LAYER_IMPL_H
#define COAPCAST_MSG_LAYER_IMPL_H

#include "msg/dedup.h"
#include "msg/layer.h"

/* Exchanges in order of arrival, linked through their *_in_line. */
struct line {
	struct exchange *first, *last;
	size_t n;
};

/*
 * Who acknowledges has a window of its own: it does not wait for those who do not. The
 * first CON to anybody is in the second lane.
 */
enum lane_of { LANE_HEARD, LANE_UNHEARD, N_LANES };

struct lane {
	struct line ready; /* the first of their peers: start when the window has room */
	struct line fresh; /* sent and not yet answered or aged: they fill the window */
};

struct layer {
	const struct layer_ops *ops;
	void *ctx;
	struct layer_limits limits;
	struct peer_table peers;
	struct dedup *dedup;
	struct wheel wheel;
	struct pool exchanges;
	struct lane lanes[N_LANES];
	struct line late; /* CONs whose leisure is not over: not in their peers' queues yet */
	struct map laters; /* requests that are answered later: msg/later.h */
	struct held *held; /* answers whose leisure is not over: msg/leisure.h */
	size_t n_held;
	struct layer_stats stats;
	enum layer_verify verify;
	uint16_t stray_mid; /* last message id to peers that nothing is kept of */
};

/* The datagram is written and leaves, or is dropped when it did not fit. */
bool layer_commit(struct layer *l, const struct buf *out);

/* Ends all exchanges of a peer that has an active one, as timed out. */
void exchange_give_up(struct layer *l, struct peer *p);

/* When what is ready may start, by time alone; WHEEL_NEVER when nothing is. */
uint64_t exchange_next(const struct layer *l);

/* Ends the exchange a peer's ACK or RST is for; false when there is none. */
bool exchange_settle(struct layer *l, struct peer *p, uint16_t mid, enum exchange_end end);

#endif
