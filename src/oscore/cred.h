/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Authentication credentials of Group OSCORE (oscore-groupcomm 2.4): the public key is
 * read out of one, and CWT Claims Sets can be made. A credential is opaque bytes to
 * everything else and goes into the AAD exactly as it was distributed: nothing here
 * re-encodes one. That a certificate or CWT is signed by whom one trusts is not checked:
 * credentials come from the configuration or from the Group Manager.
 */
#ifndef COAPCAST_OSCORE_CRED_H
#define COAPCAST_OSCORE_CRED_H

#include "base/buf.h"
#include "oscore/crypto_key.h"

enum cred_format { /* COSE header parameters */
	CRED_KCWT = 13, /* CWT: COSE_Sign1 or COSE_Mac0 around a claims set */
	CRED_KCCS = 14, /* CWT Claims Set, not signed (RFC 8392, RFC 8747) */
	CRED_X5CHAIN = 33, /* DER; or such as a CBOR byte string, or an array, end entity first */
};

#define CRED_MAX 4096 /* bytes of a credential; a longer one is refused */

/*
 * Makes a CCS: {2: subject, 8: {1: {1: kty, 3: alg, -1: crv, -2: x[, -3: y]}}} with the
 * public half of the key; without the subject when subject.p is NULL. -ENOBUFS.
 */
int cred_make(struct bytes subject, const struct crypto_key *k, struct buf *out);

/*
 * The credential of somebody in a group who was given none: a CCS of the private key, which is
 * the only one that can be made. -EINVAL with an error when the group has another format, or
 * the key is none of its signature algorithm.
 */
int cred_make_own(int signature, enum cred_format format, struct bytes private_key, struct buf *out,
	struct error *e);

/*
 * The public key in a credential: *ret is new, free it with crypto_key_free. Keys of maps
 * may come in any order; what is unknown is skipped. -EINVAL with an error when the format is
 * unknown, the credential is not well-formed or holds no Ed25519 or P-256 key.
 */
int cred_key(
	enum cred_format format, struct bytes credential, struct error *e, struct crypto_key **ret);

#endif
