/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests from addresses that are not verified (RFC 9175 2.4, RFC 7252 11.3): which are
 * challenged before they run, and which run although, as long as their answer is small.
 * The layer's own; others see layer_verify.
 */
#ifndef COAPCAST_MSG_VERIFY_H
#define COAPCAST_MSG_VERIFY_H

#include "msg/layer.h"

#define VERIFY_FACTOR 3 /* an answer may be so many times as large as its request */

enum verify_verdict {
	VERIFY_RUN, /* as every request; r->peer is set when there is one */
	VERIFY_TRUST, /* the same, of an address that was seen to receive what is sent there */
	VERIFY_BRIEFLY, /* without a peer of its own: it reads */
	VERIFY_DONE, /* it was answered here */
};

/* For a request of `n` bytes whose peer, if there is one in r->peer, is not verified. */
enum verify_verdict verify_request(struct request *r, size_t n);

/* The challenge in place of an answer that is too large, but for type, message id and token. */
void verify_fill(struct layer *l, const struct path *way, struct msg *m, struct buf *echo);

#endif
