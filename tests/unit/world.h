/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message layer alone in the world: no network, no clock. What happens to it
 * and what it does are short texts, so that a test reads like a ladder diagram:
 *
 *	world_in(w, "CON PUT #7 t=aa 11=r 'hi'");
 *	ck_assert_str_eq(world_said(w), "run PUT; ACK 2.04 #7 t=aa");
 *
 * A message is type, code, #message id, t=token, option=hex or option=text, and
 * 'payload'. What leaves towards another than peer 1, or from another than our
 * address 1, has ">peer" or "<address" before it.
 */
#ifndef COAPCAST_UNIT_WORLD_H
#define COAPCAST_UNIT_WORLD_H

#include "msg/layer.h"

struct world {
	struct layer *layer;
	struct path way; /* how world_in's datagrams come */
	struct buf out; /* the datagram being written */
	struct path out_way;
	struct buf said;
	uint64_t now_ms;
	uint32_t random; /* what the next random number is */
	bool closed; /* no room to send */
	bool open; /* a datagram was opened and not committed */
	bool wants_responses; /* what on_response says */
	size_t n_crowd; /* what on_crowd said last */
	unsigned n_runs; /* requests that reached on_request */
	void (*on_request)(struct world *w, struct request *r); /* instead of the built-in one */
	uint8_t out_room[2048];
	uint8_t said_room[262144];
};

/* An owner of confirmable messages. Its name is their payload. */
struct sender {
	struct world *world;
	const char *name;
	struct exchange *exchange; /* NULL when it is over */
	unsigned n_composed;
	bool stops; /* compose ends the exchange */
	bool renews; /* each transmission has other content */
	void (*on_end)(struct sender *s, enum exchange_end end); /* besides the text */
};

void world_init(struct world *w, uint32_t n_peers, uint32_t n_exchanges);
void world_fini(struct world *w);

/* Where the next datagrams come from and to. */
void world_from(struct world *w, unsigned peer, unsigned address, bool multicast);
struct peer *world_peer(struct world *w, unsigned peer);

/* The datagram of such a text arrives. */
void world_in(struct world *w, const char *text);
void world_in_hex(struct world *w, const char *hex);
void world_in_bytes(struct world *w, struct bytes datagram);

/* What happened since the last call, "; " between the events. Valid until then. */
const char *world_said(struct world *w);
void world_say(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Lets time pass, stopping wherever the layer wants to do something. */
void world_go(struct world *w, uint64_t ms);

/* Queues a CON of s for a peer, and flushes, which may be its end already. */
struct exchange *world_send_to(struct sender *s, struct peer *p);
struct exchange *world_send(struct sender *s, unsigned peer);

#endif
