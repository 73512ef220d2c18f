/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DTLS, TLS and TCP (RFC 7252 9, RFC 8323) for daemon and client, by libcoap on a
 * libuv loop: sessions instead of datagrams. Messages come in and go out in the
 * form of UDP datagrams, so that those above take all transports the same way;
 * over TCP and TLS, type and message id are made up here. libcoap acknowledges,
 * retransmits and encrypts; what a message means is not its business here:
 * block-wise transfer, observers and resources of its own are not used. Who is
 * behind a session is asked of the owner.
 */
#ifndef COAPCAST_TRANSPORT_COAPD_H
#define COAPCAST_TRANSPORT_COAPD_H

#include <uv.h>

#include "base/buf.h"
#include "base/error.h"
#include "msg/path.h"

#define COAPD_MESSAGE_MAX 2048 /* bytes of one that leaves, as a datagram */
#define COAPD_STREAM_MAX 1152 /* of one that comes by TCP or TLS: no BERT blocks */
/*
 * What a TCP or TLS peer may leave unread for longer than COAPD_UNREAD_MS; in a burst it may be
 * 16 times as much, while it is not more than 128 times with all of them. In bytes.
 */
#define COAPD_UNREAD_MAX (256u * 1024)
#define COAPD_UNREAD_BURST (16 * COAPD_UNREAD_MAX)
#define COAPD_UNREAD_ALL (128 * COAPD_UNREAD_MAX)
#define COAPD_UNREAD_MS 10000u
#define COAPD_IDLE_MS 300000u /* a session nobody needs is closed after so long a silence */
#define COAPD_PONG_MS 60000u /* one that is needed and does not answer a Ping then is closed */
#define COAPD_LEAVE_MS 1000u
#define COAPD_OPENING_MS 30000u /* one that is not set up by then is dropped */
#define COAPD_OPENING_MAX 256 /* TCP and TLS connections that are not set up: the oldest goes */
#define COAPD_HANDSHAKES_MAX 2000 /* of DTLS, under way */
#define COAPD_OPENING_SHARE \
	4 /* one address may have a quarter of these, an IPv6 /64 half of them */
/*
 * A DTLS server that is silent for so long after it was shown a key does not believe it:
 * RFC 6347 4.1.2.7 lets it drop what it cannot decrypt without a word.
 */
#define COAPD_PROOF_MS 7000u

struct coapd;
struct pemfiles;

/* Why a session of ours (coapd_connect) is over. */
enum coapd_end {
	COAPD_CLOSED, /* by the other side, or the network */
	COAPD_UNREACHED, /* it was never there */
	COAPD_INSECURE, /* the handshake failed */
};

/* All of these may send, and close c: then none of them is called again. */
struct coapd_ops {
	/*
	 * One message; both arguments are borrowed for the call. `from` is also the way of
	 * the answer: coapd_open(c, from).
	 */
	void (*on_datagram)(void *ctx, const struct path *from, struct bytes datagram);
	/* Some messages were handed over: the moment to fan out. May be NULL. */
	void (*on_batch)(void *ctx);
	/* The CON with that message id was rejected. */
	void (*on_nack)(void *ctx, const struct path *way, uint16_t mid);
	/* The session is over: that way leads nowhere any more. */
	void (*on_lost)(void *ctx, const struct path *way, enum coapd_end why);
	/* A client did not get in: its certificate or key, in words. NULL: nobody wants to know. */
	void (*on_refused)(void *ctx, const struct addr *peer, const char *why);
	/* Whether a silent session is needed, or of ours, heard from; NULL: every one is. */
	bool (*is_needed)(void *ctx, const struct path *way);
	/*
	 * Who says to be `identity`, and the key that proves it; false: nobody. The key is
	 * borrowed until the next call. NULL: there are no keys.
	 */
	bool (*subject_psk)(
		void *ctx, struct bytes identity, uint32_t *ret_who, struct bytes *ret_key);
	/* Who has the certificate of that name; false: nobody. NULL: nobody is asked for one. */
	bool (*subject_cn)(void *ctx, struct bytes cn, uint32_t *ret_who);
};

struct coapd_limits {
	uint32_t sessions; /* that are set up */
	uint32_t opening; /* streams that are not; 0, and at most: COAPD_OPENING_MAX */
	uint32_t handshakes; /* of DTLS that are not; 0: COAPD_HANDSHAKES_MAX */
	uint32_t unread; /* 0: COAPD_UNREAD_MAX; bursts and all together follow from it */
	/* 0: as above. What coapd_new() was given, for good. */
	uint32_t idle_ms, pong_ms, opening_ms, unread_ms;
	/*
	 * A DTLS server that was silent for so long is asked whether it is there, and half as long
	 * later the session is over (COAPD_CLOSED): one that was started again knows nothing of it
	 * and says nothing (RFC 6347 4.1.2.7). 0: never; also for good.
	 */
	uint32_t check_ms;
};

struct coapd_stats {
	uint64_t received, sent; /* messages */
	uint64_t dropped; /* messages for sessions that were gone */
	uint64_t opened, closed; /* sessions */
	uint64_t refused; /* sessions over the limit, or that had to make room */
	uint64_t crowded; /* what had too many of one address beside it, before it was a session */
	uint64_t failed; /* handshakes */
	uint64_t challenged; /* DTLS clients, to return a cookie */
	uint64_t unread; /* sessions closed for leaving too much unread */
	uint64_t idle; /* sessions closed for their silence */
	uint64_t sessions; /* now */
};

/* PEM files. */
struct coapd_certificate {
	const char *file; /* NULL: none; only a client may do without */
	const char *key;
	const char *ca; /* whose certificates are believed; NULL: peers are not asked for one */
};

/* What a client shows, and what it wants to see; at most one of the two. */
struct coapd_credentials {
	struct bytes psk_identity, psk_key; /* both or none */
	struct coapd_certificate certificate; /* with a `ca`: whose servers are believed */
	const char *server_name; /* that the server's certificate must have */
};

/* `ops` stays borrowed until coapd_close() calls back. NULL without memory. */
struct coapd *coapd_new(
	uv_loop_t *loop, const struct coapd_ops *ops, void *ctx, const struct coapd_limits *limits);

/*
 * Closes every session and, from a later turn of the loop, frees c and calls
 * on_closed(ctx) (may be NULL) with coapd_new()'s ctx. Nothing else is called back.
 */
void coapd_close(struct coapd *c, void (*on_closed)(void *ctx));

/* While it is held nothing is read, and nobody let in: what comes waits in the kernel. */
void coapd_hold(struct coapd *c, bool held);

/*
 * The server's certificate, taken over; before the first coapd_listen. And later, when there was
 * one: handshakes from then on have that, and believe no other authorities. False without memory.
 */
bool coapd_certify(struct coapd *c, struct pemfiles *files);
/* As it is; NULL: none. */
const struct pemfiles *coapd_certificate(const struct coapd *c);

/* Serves at that address: [::] takes IPv4 too. 0, or negative errno with e filled. */
int coapd_listen(
	struct coapd *c, enum path_transport transport, const struct addr *at, struct error *e);

/*
 * Starts a session with a server; what is sent meanwhile waits for it. `local` with
 * AF_UNSPEC leaves our address to the kernel; `how` is borrowed for as long as the
 * session lasts, NULL for TCP. 0, or negative errno with e filled.
 */
int coapd_connect(struct coapd *c, enum path_transport transport, const struct addr *server,
	const struct addr *local, const struct coapd_credentials *how, struct error *e,
	struct path *ret);

/* As udp_open() and its kin: room for one message, then commit or cancel. NULL: it is gone. */
struct buf *coapd_open(struct coapd *c, const struct path *way);
void coapd_commit(struct coapd *c);
void coapd_cancel(struct coapd *c);

/*
 * Whether the server of one of our sessions takes part in its handshake, but did not accept
 * what it was shown so far.
 */
bool coapd_is_unproven(const struct coapd *c, const struct path *way);

/*
 * Why the last of our sessions that ended with COAPD_INSECURE did, in words about the server's
 * or our certificate or key; NULL when nothing is known but that it did.
 */
const char *coapd_why(const struct coapd *c);

/* Ends a session that is of no use: ops.on_lost, in a later turn. False: it is over. */
bool coapd_end(struct coapd *c, const struct path *way);

/* Whom the owner found behind a session; 0 without one. */
uint32_t coapd_subject(const struct coapd *c, const struct path *way);

/*
 * Ends the sessions of those: nothing that comes by them is heard from now on, and ops.on_lost
 * follows after COAPD_LEAVE_MS, in which what is sent now can arrive.
 */
void coapd_expel(struct coapd *c, bool (*is_gone)(void *ctx, uint32_t who), void *ctx);
/* Those that are set up stay. */
void coapd_set_limits(struct coapd *c, const struct coapd_limits *limits);

void coapd_stats(const struct coapd *c, struct coapd_stats *ret);

#endif
