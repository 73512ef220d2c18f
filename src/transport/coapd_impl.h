/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the libcoap adapter share, and nobody else: coapd.c (the loop,
 * listening and connecting), coapd_session.c (sessions and what they may cost),
 * coapd_tls.c (keys and certificates), coapd_door.c (who may begin a DTLS handshake),
 * coapd_opening.c (what is not a session yet), coapd_pdu.c (messages).
 */
#ifndef COAPCAST_TRANSPORT_COAPD_IMPL_H
#define COAPCAST_TRANSPORT_COAPD_IMPL_H

#include <sys/epoll.h>

#include <coap3/coap.h>

#include "base/map.h"
#include "transport/coapd.h"
#include "transport/coapd_ssl.h"

struct coapd_session {
	struct map_node node; /* by number */
	struct coapd *c;
	coap_session_t *coap; /* referenced */
	struct path way;
	uint32_t who;
	uint64_t since_ms;
	uint64_t heard_ms;
	uint64_t asked_ms; /* ours: when it was asked whether the server is there */
	size_t n_unread; /* bytes sent since what the last Pong answered */
	size_t n_asked; /* of them, those that the Ping under way is behind */
	uint64_t behind_ms; /* since when it is more than COAPD_UNREAD_MAX; 0: it is not */
	struct coapd_session *next_doomed; /* or next in its grave */
	enum coapd_end end; /* what the doomed one's is */
	uint16_t mid; /* the last one made up for a message that came */
	uint16_t ping_mid; /* of the Ping under way */
	bool is_client;
	bool is_open; /* the handshake is done */
	bool answered; /* the other side took part in the handshake */
	bool pinged;
	bool doomed; /* to be closed when libcoap has returned */
	bool dismissed; /* nothing of it is heard any more, but it is told why: COAPD_LEAVE_MS */
};

/* The request that libcoap has us answer right now. */
struct coapd_asked {
	struct coapd_session *session; /* NULL: none */
	coap_pdu_t *response; /* NULL: a response is what came */
	uint16_t mid;
	bool rejected; /* the response */
};

#define COAPD_SUSPECTS 16 /* in one turn of libcoap, which reads once from each socket */

struct coapd_door;

/* What somebody began with us, and that is not a session yet. */
struct coapd_opening {
	coap_session_t *coap; /* borrowed: of a stream libcoap tells when it goes; else not used */
	struct addr from;
	uint64_t since_ms;
};

struct coapd_openings {
	struct coapd_opening *all; /* by age; owned */
	size_t n, cap, max;
};

struct coapd {
	uv_loop_t *loop;
	const struct coapd_ops *ops;
	void *ctx;
	struct coapd_limits limits;
	coap_context_t *coap;
	void *ssl[COAPD_SSL_CONTEXTS]; /* what of it is OpenSSL's; NULL with another library */
	struct map sessions;
	struct coapd_session *doomed; /* a list of them */
	struct coapd_session *graves; /* those that are over; libcoap may still be busy with them */
	size_t n_unread; /* of all sessions */
	struct coapd_openings streams, datagrams;
	uint16_t last_number; /* of a session */
	uv_poll_t poll; /* libcoap's epoll descriptor */
	uv_timer_t sweep;
	uv_timer_t soon; /* something is doomed, or an owner waits for its end */
	uv_timer_t leave; /* somebody is dismissed */
	uv_timer_t proof; /* a server of ours was shown our key: COAPD_PROOF_MS */
	struct coapd_door *doors; /* of the DTLS endpoints */
	unsigned n_handles; /* of these, still open */
	void (*on_closed)(void *ctx);
	bool held; /* nothing is read, and nobody let in */
	bool closing;
	bool within; /* libcoap is at work */
	uint32_t n_batch; /* messages handed over since the last on_batch */
	coap_dtls_cpsk_info_t psk; /* of a client's sessions */
	coap_bin_const_t key; /* what subject_psk gave */
	struct pemfiles *shown; /* as a server; owned; NULL: nothing */
	uint8_t no_key[32], cookie_key[32];
	bool is_proven; /* the address of the ClientHello that libcoap reads now */
	/* Who cannot decrypt what they say; referenced, see coapd_ssl.c. */
	coap_session_t *suspects[COAPD_SUSPECTS];
	size_t n_suspects;
	const char *why; /* the last session was not secure; NULL: nobody knows */
	struct coapd_asked asked;
	struct coapd_session *to; /* whom `out` is for */
	struct buf out;
	struct coapd_stats stats;
	uint8_t out_bytes[COAPD_MESSAGE_MAX];
	uint8_t in_bytes[COAPD_MESSAGE_MAX * 2];
};

static inline struct coapd *
coapd_of(const coap_session_t *session)
{
	return coap_get_app_data(coap_session_get_context(session));
}

/*
 * coapd.c: lets libcoap do what it has to, one event of its epoll set or all of them, and then
 * what its callbacks left for later.
 */
void coapd_work(struct coapd *c, struct epoll_event *one);
/* One of its handles is closed; with the last one, c is freed. */
void coapd_handle_closed(struct coapd *c);
/* libcoap is done for now, see to what it left undone. */
void coapd_rouse(struct coapd *c);
/* Who is dismissed has COAPD_LEAVE_MS from now on. */
void coapd_await_leave(struct coapd *c);
/* A server has COAPD_PROOF_MS from now on. */
void coapd_await_proof(struct coapd *c);

/* coapd_session.c */
int coapd_session_handle_event(coap_session_t *session, coap_event_t event);
void coapd_session_handle_nack(
	coap_session_t *session, const coap_pdu_t *sent, coap_nack_reason_t reason, coap_mid_t mid);
void coapd_session_handle_pong(coap_session_t *session, const coap_pdu_t *received, coap_mid_t mid);
/* The one that is set up and not doomed, or NULL. */
struct coapd_session *coapd_session_of(const coap_session_t *session);
struct coapd_session *coapd_session_find(const struct coapd *c, const struct path *way);
/* Takes one in; it belongs to c. */
struct coapd_session *coapd_session_adopt(coap_session_t *session);
/* Charges it for n bytes that leave. */
void coapd_session_charge(struct coapd_session *s, size_t n);
void coapd_session_doom(struct coapd_session *s, enum coapd_end end);
/* Closes the doomed, and frees those that are over. */
void coapd_session_bury(struct coapd *c);
/* Closes those that were silent for too long. */
void coapd_session_sweep(struct coapd *c);
/* Ends those that were dismissed. */
void coapd_session_part(struct coapd *c);
/* Lets go of all of them, in silence. */
void coapd_session_release_all(struct coapd *c);

/* The server of this session of ours answers. */
void coapd_session_note_answer(const coap_session_t *session);
/* Those of them whose server answered and then fell silent are not secure. */
void coapd_session_give_up(struct coapd *c);

/* Who was found during a handshake, kept with libcoap's session until it is adopted. */
void coapd_session_note_who(coap_session_t *session, uint32_t who);

/* coapd_opening.c */
void coapd_opening_fini(struct coapd *c);
void coapd_opening_begin(struct coapd *c, coap_session_t *session);
/* It is a session now, or over. */
void coapd_opening_end(struct coapd *c, const coap_session_t *session);
/* Ends those that took too long. */
void coapd_opening_sweep(struct coapd *c);
/* Whether another DTLS handshake may begin from there; counted and told of when not. */
bool coapd_opening_admits(struct coapd *c, const struct addr *from);

/* coapd_tls.c */
void coapd_tls_accept_psk(struct coapd *c);
int coapd_tls_certify(struct coapd *c);
coap_session_t *coapd_tls_connect(struct coapd *c, coap_proto_t proto, const coap_address_t *local,
	const coap_address_t *server, const struct coapd_credentials *how);

/* coapd_alert.c: c->why is kept for all sessions that are made from now on. */
void coapd_alert_listen(struct coapd *c);
/* A handshake failed; of a client it is told why: for that reason or the one that was heard of. */
void coapd_alert_tell(struct coapd *c, const coap_session_t *session, const char *why);

/* coapd_door.c: the DTLS endpoint made last is read past it from now on. */
void coapd_door_open(struct coapd *c);
/* As c->held says, which is new. */
void coapd_door_hold_all(struct coapd *c);
void coapd_door_close_all(struct coapd *c);
/*
 * The kernel keeps more than five connections for the TCP endpoints: all come back at once.
 * And messages leave when they are sent: each is waited for, not the one after it (RFC 896).
 */
void coapd_door_widen(struct coapd *c);
/* The same for sessions of ours. */
void coapd_door_hasten(struct coapd *c);

/* coapd_pdu.c */
void coapd_pdu_register(struct coapd *c);
/* Sends what was written, c->out, to c->to. */
void coapd_pdu_send(struct coapd *c);

#endif
