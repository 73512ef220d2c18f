/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's side of the message layer towards one server: confirmable requests
 * and their responses, piggybacked or separate (RFC 7252 5.2, 5.3), told apart by
 * token; and what comes to groups that were joined. Requests may be protected (armor.h). No I/O and no clock: datagrams
 * and the time come in by calls. Not here: block-wise bodies (transfer.h) and
 * observations (observation.h).
 */
#ifndef COAPCAST_CLIENT_SESSION_H
#define COAPCAST_CLIENT_SESSION_H

#include "client/armor.h"
#include "client/machine.h"

#define SESSION_TAIL_MAX 1800 /* options and payload of a request */
/* An acknowledged request is waited for so long: NON_LIFETIME and a little (RFC 7252 4.8.2). */
#define SESSION_ANSWER_MS 150000u

struct session;

/* A response as it arrived: what object security, when there is any, left of it. */
struct arrival {
	const struct path *way;
	const struct msg *msg;
	bool verified; /* it was protected, and the check was good */
};

enum call_failure {
	CALL_RESET,
	CALL_TIMEOUT,
	CALL_LOST, /* the connection was closed, or never came about */
	CALL_INSECURE, /* no secure connection came about */
	CALL_UNSAFE, /* object security failed: which way was told */
	CALL_REFUSED, /* nobody has that port there */
};

struct call;

/* Both may stop the call, any other, and start new ones; the call may be freed. */
struct call_ops {
	/* A response; without `keep` the call is over. False: it is not wanted, reject it. */
	bool (*on_response)(void *owner, const struct arrival *a);
	/* No response will come. Do not ask anew from within: start a timer. */
	void (*on_failure)(void *owner, enum call_failure why);
};

/* A request on its way, embedded in its owner; zeroed means idle. Read it, do not write it. */
struct call {
	struct call *next;
	struct session *session; /* NULL: idle */
	struct exchange *exchange; /* NULL: acknowledged */
	struct timer wait; /* for the answer after the acknowledgement */
	const struct call_ops *ops;
	void *owner;
	struct token token;
	bool keep; /* further responses come under the same token */
	bool rests; /* for now none is due: call_rest */
	uint8_t n_echoed; /* times it was repeated with an Echo option */
	bool renumbered; /* it was repeated, as its sequence number was overtaken */
	bool doomed; /* the connection is lost */
	uint8_t n_doubtful; /* answers so far that could not be verified */
	bool unsafe; /* it cannot be protected */
	struct armored armored; /* what is sent in place of the next three, if it is protected */
	uint16_t mid; /* of the request, when it is acknowledged */
	uint8_t code;
	uint16_t n_tail;
	uint8_t tail[SESSION_TAIL_MAX];
};

/* What listens to one joined group; embedded in its owner. */
struct listener {
	struct listener *next;
	uint16_t socket; /* of the group, in the transport */
	void (*on_multicast)(void *owner, const struct arrival *a);
	void *owner;
};

/* `ops` stays borrowed. `server` is the way there: our own address and port and the server's. */
struct session *session_new(
	const struct machine_ops *ops, void *ctx, const struct path *server, uint64_t now_ms);
/*
 * From now on every request is protected like this, and nothing that is not is accepted in
 * return. No call must be under way. What it points at stays borrowed.
 */
void session_protect(struct session *s, const struct armor *a);
/* Whether it is UDP, and what the server sends to groups comes from the same address and port. */
bool session_is_datagram(const struct session *s);
const struct armor *session_armor(const struct session *s);
/* Whether nobody else reads or writes what is said: by object security, or the transport's. */
bool session_is_protected(const struct session *s);
/* Every call and listener must have been stopped; NULL is fine. */
void session_free(struct session *s);

struct machine *session_machine(struct session *s); /* what drives it */
/*
 * For a transport with connections (msg/carrier.h): the request with that message id was
 * rejected; and nothing that was asked for will come. The next request connects anew.
 */
void session_nack(struct session *s, uint16_t mid);
void session_lost(struct session *s, enum call_failure why);
/* By ICMP: the server has no open port for the request with that message id. */
void session_refused(struct session *s, uint16_t mid);

uint64_t session_now(const struct session *s);
struct wheel *session_wheel(struct session *s);
const struct addr *session_server(const struct session *s);
/* How often its server wanted to hear from us once more that we are where we say: Echo. */
unsigned session_challenges(const struct session *s);
/* A number below `n`, which is over 0. */
uint32_t session_random(struct session *s, uint32_t n);
/* A token no call of the session has. */
struct token session_token(struct session *s);

/*
 * Starts an idle call: sends `m` as a CON, with its token when it has one and a new
 * one otherwise. The owner and its ops stay borrowed, `m` does not. -ENOBUFS when the
 * request does not fit SESSION_TAIL_MAX.
 */
int call_start(struct call *c, struct session *s, const struct msg *m, bool keep,
	const struct call_ops *ops, void *owner);
/* Forgets a call; an idle one is fine. Nothing is called back. */
void call_stop(struct call *c);
bool call_is_on(const struct call *c);
/* One that is kept, and of which nothing more is to come for now: it comes by another way. */
void call_rest(struct call *c);
/* Whether an answer or a further response may come to one of its calls. */
bool session_expects(const struct session *s);

/* Sends a request that nobody waits for, as a NON. */
void session_tell(struct session *s, const struct msg *m);

void session_listen(struct session *s, struct listener *l);
void session_unlisten(struct session *s, struct listener *l);

#endif
