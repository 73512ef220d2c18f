/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request on its way through message layer, object security and whoever answers it,
 * and how it is answered (RFC 7252 5.2). Part of the message layer, whose words hold here
 * too; include msg/layer.h.
 */
#ifndef COAPCAST_MSG_REQUEST_H
#define COAPCAST_MSG_REQUEST_H

#include "msg/path.h"
#include "msg/shield.h"

struct layer;
struct peer;

/* What is kept of a request, so that its duplicates run nothing (RFC 7252 4.5). */
enum memory {
	MEMORY_NONE, /* nothing: running it again does no harm */
	MEMORY_RECENT, /* its code, among the last few of its peer: idempotent */
	MEMORY_TABLE, /* its response, in msg/dedup.h */
};

/* A request on its way to its answer; lives for the call of on_request. */
struct request {
	struct layer *layer;
	struct peer *peer;
	const struct path *way;
	struct msg *msg; /* recognized options only (RFC 7252 5.4) */
	struct shield *shield; /* it came protected, and so is its answer; NULL: it did not.
	                        * Borrowed: request_unshield */
	uint32_t who; /* the subject that security made of its sender; 0: anonymous */
	enum memory memory; /* how its duplicates are known: by the message that came */
	uint32_t
		limit; /* bytes of a datagram in answer, from an address that is not verified; 0: any */
	bool brief; /* `peer` is forgotten after the call: request_unshield remembers it */
	bool answered; /* a reply or an empty ACK was sent, or none is due */
	bool challenged; /* its answer, a 4.01 with Echo, is due to a multicast request as well */
};

/*
 * Answers a request: piggybacked on the ACK of a CON, as a NON otherwise; the
 * response's type, message id and token are set here. Suppressed when the
 * request's No-Response asks for it (RFC 7967), or the answer to a multicast
 * request is an error (RFC 7252 8.2), but for a challenge to who is authentic; what is
 * left of those leaves after a random part of the leisure.
 */
void request_reply(struct request *r, struct msg *response);
/*
 * A protected request turned out to be `inner`: it takes the place of r->msg, with its type,
 * message id and token, and the answer is protected by `s`. Both stay borrowed until
 * on_request returns. Nothing of the request, nor its peer, is remembered before. False when it was answered
 * here: an option of `inner` is not understood, a proxy is asked for, or limits.peers is reached.
 */
bool request_unshield(struct request *r, struct msg *inner, struct shield *s, uint32_t who);
/* Whether object security or its transport protects this request. */
bool request_is_protected(const struct request *r);
/* Answers with a bare code. */
void request_reply_code(struct request *r, enum msg_code code);
/* Acknowledges now; the response follows as an exchange of its own (RFC 7252 5.2.2). */
void request_accept(struct request *r);
/* Sends nothing at all. */
void request_ignore(struct request *r);
/* Whether the request's No-Response option lets a response of this code through. */
bool request_wants(const struct request *r, uint8_t code);
/* How long an answer of the owner's own has to wait: 0, or for a multicast request a random time. */
uint32_t request_leisure(const struct request *r);

#endif
