/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of peers: what the message layer remembers of each remote endpoint
 * and local address it talks with. Bounded; when it is full, the peer that was
 * silent longest and that nobody holds on to gives way. Nothing here walks over
 * peers.
 */
#ifndef COAPCAST_MSG_PEER_H
#define COAPCAST_MSG_PEER_H

#include "base/map.h"
#include "base/mem.h"
#include "msg/path.h"

struct exchange;

#define PEER_BURST 16 /* NONs at once that the average of the pace allows for */
#define PEER_RECENT 8 /* message ids remembered per peer: architecture, "Own message layer" */

/* The message ids of the last requests or confirmable responses of a peer. */
struct recent {
	uint32_t seen_s[PEER_RECENT]; /* when, in seconds of the layer's clock */
	uint16_t mid[PEER_RECENT];
	uint8_t code[PEER_RECENT]; /* what was answered; CODE_EMPTY: an empty ACK */
	uint8_t n; /* entries in use */
	uint8_t at; /* where the next one goes */
	uint32_t spent_s; /* the running second of the publish rate */
	uint32_t n_spent; /* publishes in it */
};

/* A local address that peers talk to, shared by them; that of a session is its own. */
struct local {
	struct map_node node;
	struct addr addr;
	uint32_t n_peers; /* who share it */
	uint32_t ifindex;
	uint16_t socket;
	uint8_t transport;
};

struct peer {
	struct map_node node;
	struct addr remote;
	struct local *local;
	union {
		struct { /* while n_pins is 0 */
			struct peer *lru_prev, *lru_next; /* order of silence */
		};
		struct { /* while somebody holds on to it; NULL from the first hold on */
			void *user; /* the owner's: observers of this peer; read by peer_user */
			struct exchange *queue; /* CONs that wait for `active`, oldest first */
		};
	};
	struct exchange *active; /* NSTART 1 (RFC 7252 4.7): the one unacknowledged CON */
	struct recent *recent; /* NULL until there is something to remember */
	uint16_t mid; /* the last message id used towards it */
	uint16_t rtt_ms; /* round-trip time and 1; 0: not known */
	bool verified; /* it was seen to receive what is sent there: layer_verify */
	bool heard; /* it acknowledged the last CON, at the first attempt */
	uint32_t n_pins; /* who hold on to it; 0: may be evicted */
	uint32_t paced_ms; /* when all NONs to it so far would have left, one per round trip */
};

struct peer_table {
	struct map map;
	struct map locals;
	struct pool pool;
	struct peer *lru_first, *lru_last; /* first: silent longest */
	uint32_t seed; /* of the hashes */
	uint32_t max; /* most peers kept */
	uint64_t n_evicted;
};

/* `seed` must be unpredictable to peers. */
void peer_table_init(struct peer_table *t, uint32_t max, uint32_t seed);
void peer_table_fini(struct peer_table *t);

/* The peer of that way, or NULL. Counts as a sign of life. */
struct peer *peer_find(struct peer_table *t, const struct path *way);
/*
 * The same, made when missing. NULL when the table is full of peers that are
 * held on to. `first_mid` is where its message ids start.
 */
struct peer *peer_get(struct peer_table *t, const struct path *way, uint16_t first_mid);

/* What the owner left with a peer it holds on to; NULL for one that nobody holds. */
static inline void *
peer_user(const struct peer *p)
{
	return p->n_pins > 0 ? p->user : NULL;
}

/* Holding on to a peer keeps it in the table. */
void peer_pin(struct peer_table *t, struct peer *p);
void peer_unpin(struct peer_table *t, struct peer *p);

/* The way to it. */
void peer_path(const struct peer *p, struct path *ret);

/* The next message id towards it: the lower half of the space is unicast's. */
uint16_t peer_next_mid(struct peer *p);

/* A CON was acknowledged at the first attempt after so long. */
void peer_time(struct peer *p, uint64_t ms, uint64_t now_ms);
/*
 * NONs that nothing answers: on average one per round trip, or per 3 s when that is not
 * known (RFC 7641 4.5.1), PEER_BURST of them at once. How long the next one has to wait;
 * `ret_known`: whether that follows from a round-trip time.
 */
uint32_t peer_pace(const struct peer *p, uint64_t now_ms, bool *ret_known);
/* Counts a NON. */
void peer_paced(struct peer *p, uint64_t now_ms);

/* Remembers a message id and what was answered, in place of what was known of it. */
void peer_remember(struct peer *p, uint16_t mid, uint8_t code, uint32_t now_s);
/* Counts one publish; false when there were `rate` of them in this second already. */
bool peer_spend(struct peer *p, uint32_t now_s, uint32_t rate);
/* Whether this message id was remembered within the last `lifetime_s`. */
bool peer_recalls(
	const struct peer *p, uint16_t mid, uint32_t now_s, uint32_t lifetime_s, uint8_t *ret_code);

#endif
