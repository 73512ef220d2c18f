/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message layer of RFC 7252 section 4, both roles, without I/O: datagrams
 * and the time come in by calls, datagrams leave through `struct layer_ops`.
 * It de-duplicates requests, answers pings, rejects what is malformed, and
 * retransmits confirmable messages, one in flight per peer. It keeps no copy
 * of what it retransmits: the owner composes every transmission anew, so that
 * a retransmission can carry newer content (RFC 7641 4.5.2). Not here: what a
 * request means (broker/, client/), block-wise transfer (msg/block.h).
 */
#ifndef COAPCAST_MSG_LAYER_H
#define COAPCAST_MSG_LAYER_H

#include "base/wheel.h"
#include "msg/peer.h"
#include "msg/request.h"
#include "msg/stats.h"

struct layer;

/* RFC 7252 4.8; the derived times of 4.8.2 in seconds. */
#define LAYER_ACK_TIMEOUT_MS 2000
#define LAYER_MAX_RETRANSMIT 4
#define LAYER_EXCHANGE_LIFETIME_S 247
/* Longest first timeout 3 s, doubled four times: 45 s from the first to the last, then 48 s more. */
#define LAYER_WINDOW 64 /* fresh CONs unacknowledged at once, over all peers of a lane */
#define LAYER_FRESH_MS 100 /* after that long a CON no longer counts in the window */
#define LAYER_PATIENCE_MS 1000 /* CONs to who is silent wait so long in order of arrival */
#define LAYER_LEISURE_MS 5000 /* DEFAULT_LEISURE */

/* What goes to one peer; the tail is options, marker and payload, encoded. */
struct outmsg {
	uint8_t code;
	struct token token;
	struct bytes tail; /* borrowed for the call */
	bool renewed; /* a retransmission whose content changed: it takes a new message id */
};

/* What a response was to the one it was offered to; DOUBTFUL: it may be forged, as if it was lost. */
enum layer_answer { LAYER_TAKEN, LAYER_UNKNOWN, LAYER_DOUBTFUL };

struct layer_ops {
	/*
	 * Room for one datagram that way (NULL: drop it), and sending what was written:
	 * each open is followed by a commit, which drops it when its buf is full.
	 */
	struct buf *(*open)(void *ctx, const struct path *way);
	void (*commit)(void *ctx);
	void (*random)(void *ctx, void *p, size_t n);
	/* A request: reply, accept or leave it (a CON then gets its empty ACK). */
	void (*on_request)(void *ctx, struct request *r);
	/* A response, `way->multicast` tells how; NULL: this endpoint is no client. `p` may be NULL. */
	enum layer_answer (*on_response)(
		void *ctx, struct peer *p, const struct path *way, const struct msg *m);
	/* A RST for a message that is no exchange: a non-confirmable one of ours, or carrier_nack. */
	void (*on_reset)(void *ctx, struct peer *p, uint16_t mid);
	/*
	 * Whether the sender's address needs no check, or this is what it was asked to echo
	 * (p NULL: it echoes nothing); and what it is to be asked (RFC 9175 2). For
	 * layer_verify.
	 */
	bool (*is_verified)(void *ctx, const struct path *way, struct bytes echo);
	void (*challenge)(void *ctx, const struct path *way, struct buf *echo);
	/*
	 * Object security; NULL: the OSCORE option is not recognized. With it requests and
	 * responses that carry one are handed over as they came.
	 */
	const struct shield_ops *shields;
	void (*on_lost)(void *ctx, struct peer *p); /* carrier_lost; may be NULL */
	/*
	 * So many CONs wait for longer than LAYER_PATIENCE_MS, since their peers and those
	 * before them acknowledge nothing. Again and again while it lasts; may be NULL.
	 */
	void (*on_crowd)(void *ctx, size_t n_waiting);
};

enum exchange_end { EXCHANGE_ACKED, EXCHANGE_RESET, EXCHANGE_TIMEOUT, EXCHANGE_CANCELLED };

/* Who sends a confirmable message. */
struct exchange_ops {
	/*
	 * What to transmit now; called again for each retransmission. False ends the
	 * exchange as cancelled.
	 */
	bool (*compose)(void *owner, struct exchange *x, struct outmsg *ret);
	/* The exchange is over and no longer valid after the call. */
	void (*on_end)(void *owner, struct exchange *x, enum exchange_end end);
};

/* A confirmable message until its end. Read it, do not write it. */
struct exchange {
	struct timer timer; /* the next retransmission */
	/*
	 * In the layer's line of ready or fresh ones, or in the peer's queue: there the
	 * first one's prev_in_line is the last.
	 */
	struct exchange *prev_in_line, *next_in_line;
	struct peer *peer;
	const struct exchange_ops *ops;
	void *owner;
	void *user; /* the owner's second word; may be written */
	uint64_t sent_ms; /* first transmission; before it, since when it is ready */
	uint32_t timeout_ms; /* the next one is this long after the last */
	uint16_t mid;
	uint8_t n_sent; /* transmissions so far; 0: waiting */
	bool ready; /* in the line of those that may start */
	bool fresh; /* in the line of those that fill the window */
	bool doomed; /* its peer was given up */
	bool late; /* in the line of those whose leisure is not over */
	uint8_t lane; /* while it is ready or fresh: enum lane_of */
};

struct layer_limits {
	uint32_t peers; /* struct peer */
	uint32_t exchanges; /* CONs in flight or waiting, and as many remembered responses */
	uint32_t held; /* answers to multicast requests that wait for the end of their leisure */
	uint32_t payload; /* told to whom sends more in one datagram than fits (Size1) */
};

/* `ops` stays borrowed. now_ms is the caller's monotonic clock, as everywhere below. */
struct layer *layer_new(
	const struct layer_ops *ops, void *ctx, const struct layer_limits *limits, uint64_t now_ms);
void layer_set_limits(struct layer *l, const struct layer_limits *limits);
void layer_free(struct layer *l); /* NULL is fine; ends every exchange as cancelled */

enum layer_verify {
	LAYER_VERIFY_NEVER,
	/* Before an answer over three times as large as its request, and before what is kept for
	 * long: registrations, and requests that create and configure. */
	LAYER_VERIFY_AUTO,
	LAYER_VERIFY_ALWAYS, /* before a first request of any kind */
};

/*
 * When the sender of an unprotected unicast request over UDP has to show that it is
 * where it says: 4.01 with an Echo option (RFC 9175 2.4), which leaves nothing here.
 * Never, unless this is called.
 */
void layer_verify(struct layer *l, enum layer_verify when);

/* Tells the time: retransmits and sends what is due. */
void layer_advance(struct layer *l, uint64_t now_ms);
uint64_t layer_now(const struct layer *l);
/* When layer_advance has something to do next, in ms; WHEEL_NEVER when nothing. */
uint64_t layer_next(const struct layer *l);
/* The wheel, for timers of those above that live on the same clock. */
struct wheel *layer_wheel(struct layer *l);

/* Takes one datagram (RFC 7252 4.2-4.5, 5.4, 8.1). */
void layer_receive(struct layer *l, const struct path *way, struct bytes datagram);

/*
 * Takes the beginning of a datagram that was longer than can be received: a
 * confirmable request gets 4.13 with Size1 (RFC 7252 4.6), any other CON a RST.
 */
void layer_receive_cut(struct layer *l, const struct path *way, struct bytes head);

/* The peer that way, made when missing; NULL when the table is full. */
struct peer *layer_peer(struct layer *l, const struct path *way);
void layer_pin(struct layer *l, struct peer *p);
void layer_unpin(struct layer *l, struct peer *p);

/* A random part of the leisure, in ms, for what is sent later on. */
uint32_t layer_leisure(struct layer *l);

/* Sends a NON; *ret_mid is its message id. False when it was dropped. */
bool layer_send_non(struct layer *l, struct peer *p, const struct outmsg *m, uint16_t *ret_mid);

/*
 * Queues a CON for a peer: it leaves when the peer's others are acknowledged
 * and the window has room. NULL past limits.exchanges.
 */
struct exchange *layer_send_con(
	struct layer *l, struct peer *p, const struct exchange_ops *ops, void *owner);
/* The same, queued after delay_ms only: request_leisure. */
struct exchange *layer_send_con_after(struct layer *l, struct peer *p,
	const struct exchange_ops *ops, void *owner, uint32_t delay_ms);
/* Ends it early; on_end is called with EXCHANGE_CANCELLED. */
void layer_cancel(struct layer *l, struct exchange *x);

/* shield_ops for who keeps a shield beyond its request: notifications. */
int layer_protect(struct layer *l, struct shield *s, const struct msg *plain, struct buf *tail,
	uint8_t *ret_code);
void layer_shield_hold(struct layer *l, struct shield *s); /* NULL is fine, here and below */
void layer_shield_release(struct layer *l, struct shield *s);

/* Ends every exchange there is, as cancelled. */
void layer_cancel_all(struct layer *l);

/* Starts what waits and has room: call it after a batch of datagrams. */
void layer_flush(struct layer *l);

const struct layer_stats *layer_stats(const struct layer *l);
size_t layer_n_peers(const struct layer *l);
size_t layer_n_exchanges(const struct layer *l);

#endif
