/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key derivation of a security context (RFC 8613 3.2.1; oscore-groupcomm 2.1.6, 2.2,
 * 2.5.1): HKDF over the master secret with the info structure of each key.
 */
#ifndef COAPCAST_OSCORE_DERIVE_H
#define COAPCAST_OSCORE_DERIVE_H

#include "oscore/context_impl.h"

#define DERIVE_MAX_INFO 300 /* bytes; a Gid has at most 255 */

/* The info structure: [id, id_context, alg, type, L]. */
void derive_put_info(struct buf *out, struct bytes id, struct bytes id_context, int alg,
	const char *type, size_t length);

/* Each fills its field of the context, or ret; 0 or -EIO. */
int derive_sender_key(const struct context *c, struct bytes id, uint8_t ret[SUITE_MAX_KEY]);
int derive_common_iv(struct context *c);
int derive_signature_key(struct context *c); /* nothing to do without group mode */
/* Both directions between us and r; -EINVAL when the keys agree on nothing. */
int derive_pairwise_keys(const struct context *c, struct recipient *r);

#endif
