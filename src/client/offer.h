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
#include "wire/inform.h"

#define OFFER_FORMAT 65001 /* informative-response+cbor until a number is assigned */

enum offer_verdict {
	OFFER_GOOD,
	OFFER_NONE, /* just an error response */
	OFFER_BAD, /* fields missing, malformed, or not acceptable */
	OFFER_OTHER, /* its phantom request asks for something else than we did */
	OFFER_PROTECTED, /* it needs keys of an OSCORE group */
};

struct offer {
	struct addr group; /* where notifications go to */
	struct token token; /* T */
	bool has_notification; /* `notification` is one */
	struct msg notification; /* the latest; borrows from the response's payload */
	struct bytes res; /* the seed's current representation, without the former; p NULL: none */
	bool has_next_not_before;
	uint64_t next_not_before_s;
	bool has_ending;
	int64_t ending_s; /* NumericDate of the end that is planned */
};

/*
 * Reads a response to `request`, a registration with `server`. *ret is written on
 * OFFER_GOOD, *e on all others; it says nothing with OFFER_NONE.
 */
enum offer_verdict offer_read(const struct msg *response, const struct msg *request,
	const struct addr *server, struct error *e, struct offer *ret);

/*
 * Whether a phantom request asks for what a registration asks for: the same but for
 * token, ETag, No-Response, Feedback-Divider, and Uri-Host and Uri-Port, which a
 * request to an address may spell out. Both register.
 */
bool offer_same_request(const struct msg *phantom, const struct msg *request);

#endif
