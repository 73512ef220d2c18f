/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protects messages: RFC 8613 8.1 and 8.3, oscore-groupcomm 7.1, 7.3, 8.3 and 8.5.
 * The plain message goes in, what follows the token of the protected one comes out, so that
 * sender, message id and token stay the message layer's. A message is protected once and
 * its bytes kept: protecting it again takes another Partial IV.
 *
 * Errors of all: -EAGAIN (no sequence number durable yet), -EOVERFLOW (numbers used up),
 * -EPERM (the context cannot protect, or not in this mode), -EINVAL (an OSCORE option in
 * the plain message, no known peer), -ENOBUFS (tail too small, or more than
 * PROTECT_MAX_PLAIN), -EIO (libcrypto).
 */
#ifndef COAPCAST_OSCORE_PROTECT_H
#define COAPCAST_OSCORE_PROTECT_H

#include "oscore/binding.h"
#include "wire/msg.h"

#define PROTECT_MAX_PLAIN 4096 /* bytes of code, inner options and payload of one message */
/* What protection adds at most: option, marker, tag, signature, outer Observe and Max-Age. */
#define PROTECT_OVERHEAD (2 + OSCORE_OPTION_MAX + 1 + SUITE_MAX_TAG + SUITE_SIGNATURE + 16)

enum protect_flag { /* bits */
	/* A Partial IV of our own although the request's nonce is unused. */
	PROTECT_OWN_PIV = 1 << 0,
	/* The request's nonce although this is a notification: the very first response to a
	 * registration (RFC 8613 4.1.3.5.2). Ignored where it would repeat a nonce. */
	PROTECT_REUSE_NONCE = 1 << 1,
	/* No outer Max-Age of 0 in what answers a FETCH (RFC 8613 4.1.3.1). */
	PROTECT_NO_MAX_AGE = 1 << 2,
};

/*
 * A request. `peer` is whom it is for: needed in pairwise mode; in group mode it may be given, and
 * then nobody else may answer; BYTES_NONE otherwise. Writes the outer options, marker and ciphertext to tail, the outer code (POST, or FETCH with Observe) to
 * *ret_code, and initialises *ret, against which unprotect_response checks the responses.
 */
int protect_request(struct context *c, enum oscore_mode mode, struct bytes peer,
	const struct msg *plain, struct buf *tail, uint8_t *ret_code, struct oscore_binding *ret);

/*
 * The phantom request of a group observation: a request of the server itself, in group
 * mode, which is stored and never sent. *ret binds all notifications, the 5.03s and the
 * cancellation (observe-multicast-notifications, "Protection of the Phantom Request").
 */
int protect_phantom(struct context *c, const struct msg *plain, struct buf *tail, uint8_t *ret_code,
	struct oscore_binding *ret);

/*
 * A response or notification to the request of the binding, in the mode of the request. It
 * carries its own Partial IV when it must: not the first response, with Observe, to a phantom,
 * after a rekeying, or to a request that was not proved fresh. The inner Observe is empty, the
 * outer one has the value of `plain`.
 */
int protect_response(struct oscore_binding *b, const struct msg *plain, unsigned flags,
	struct buf *tail, uint8_t *ret_code);
/* The same in another mode than the request's: pairwise to a group request. */
int protect_response_in(struct oscore_binding *b, enum oscore_mode mode, const struct msg *plain,
	unsigned flags, struct buf *tail, uint8_t *ret_code);

#endif
