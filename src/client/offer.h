/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An informative response as an offer to move into a group observation: whether
 * a 5.03 is one, and whether it may be taken up
 * (draft-ietf-core-observe-multicast-notifications, "Client-Side Requirements",
 * "Informative Response"; draft-tiloca-core-observe-multicast-notifications-01,
 * section 3). Pure: joining is observation.c's.
 */
#ifndef COAPCAST_CLIENT_OFFER_H
#define COAPCAST_CLIENT_OFFER_H

#include "base/error.h"
#include "client/groups.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"
#include "wire/inform.h"

#define OFFER_FORMAT 65001 /* informative-response+cbor until a number is assigned */

enum offer_verdict {
	OFFER_GOOD,
	OFFER_NONE, /* just an error response */
	OFFER_BAD, /* fields missing, malformed, or not acceptable */
	OFFER_OTHER, /* its phantom request asks for something else than we did */
	OFFER_DECLINED, /* it is not for us: we want to go on by unicast */
	OFFER_UNSAFE, /* its keys were for everybody to read, or do not verify it */
};

/* What it is judged by. */
struct offer_trust {
	bool is_protected; /* what the server says reaches nobody else */
	bool any_port; /* we did not ask by UDP: notifications come from another port */
	const struct groups *groups; /* whose keys we have; NULL: none */
	const struct oscore_binding *current; /* what binds notifications so far, or NULL */
	int64_t now_s; /* since 1970, UTC; below 0: nobody knows */
};

struct offer {
	struct addr group; /* where notifications go to */
	struct addr server; /* where they come from */
	struct token token; /* T */
	bool has_notification; /* `notification` is one */
	struct msg notification; /* the latest; borrows from the response's payload */
	struct bytes res; /* the seed's current representation, without the former; p NULL: none */
	bool has_next_not_before;
	uint64_t next_not_before_s;
	bool has_ending;
	int64_t ending_s; /* NumericDate of the end that is planned */
	struct oscore_binding binding; /* of notifications; its context NULL: unprotected */
	bool keys_expire; /* in keys_left_s */
	uint64_t keys_left_s;
	int64_t keys_until_s; /* that moment by the clock, UTC; 0: it is not known */
	bool is_known; /* the latest notification is none that is newer than what we have */
	uint8_t plain[PROTECT_MAX_PLAIN]; /* where the latest one borrows from */
};

/*
 * Reads a response to `request`, a registration with `server`. *ret is written on
 * OFFER_GOOD (offer_fini), *e on all others; it says nothing with OFFER_NONE. What is
 * protected is only followed into a protected group, and the reverse ("Protection of
 * Multicast Notifications with Group OSCORE").
 */
enum offer_verdict offer_read(const struct msg *response, const struct msg *request,
	const struct addr *server, const struct offer_trust *t, struct error *e, struct offer *ret);
/*
 * The same of new keys that were announced to the group: where it is and its token stay as they
 * were and are not written. OFFER_NONE: it announces nothing.
 */
enum offer_verdict offer_read_rekeying(const struct msg *announced, const struct msg *request,
	const struct offer_trust *t, struct error *e, struct offer *ret);
void offer_fini(struct offer *f);

/*
 * Whether a phantom request asks for what a registration asks for: the same but for
 * token, ETag, No-Response, Feedback-Divider, and Uri-Host and Uri-Port, which a
 * request to an address may spell out. Both register.
 */
bool offer_same_request(const struct msg *phantom, const struct msg *request);

#endif
