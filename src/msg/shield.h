/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between messages and their object security (RFC 8613, Group OSCORE): a
 * `struct shield` is what binds the answers to one protected request, which is its
 * security context and its kid, Partial IV and kid context. Made, counted and used
 * by who unprotects (net/, tests); to message layer and broker it is opaque.
 */
#ifndef COAPCAST_MSG_SHIELD_H
#define COAPCAST_MSG_SHIELD_H

#include "wire/msg.h"

struct shield;

/* The owner's way to protect; `ctx` is that of the layer's operations. */
struct shield_ops {
	/*
	 * Protects a response of a request: *ret_code is its outer code, `tail` gets the outer
	 * options, marker and payload. Each call spends a Partial IV, but for the first answer
	 * to a request without Observe; one that does not fit spends it too. 0 or a negative
	 * errno: -ENOBUFS when it does not fit, anything else when nothing can be protected.
	 */
	int (*protect)(void *ctx, struct shield *s, const struct msg *plain, struct buf *tail,
		uint8_t *ret_code);
	void (*hold)(void *ctx, struct shield *s);
	void (*release)(void *ctx, struct shield *s);
};

#endif
