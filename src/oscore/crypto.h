/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cryptography OSCORE is made of, on libcrypto 3: AEAD and counter-mode ciphers,
 * and HKDF; signatures and Diffie-Hellman are crypto_key's. Algorithm objects are fetched
 * once and contexts are reused, hence one thread. Byte strings in and out; no knowledge
 * of messages or of COSE beyond the numbers of suite.h. What fails here for another reason
 * than a forgery is -EIO: libcrypto had no memory, or lacks an algorithm.
 */
#ifndef COAPCAST_OSCORE_CRYPTO_H
#define COAPCAST_OSCORE_CRYPTO_H

#include "base/buf.h"
#include "base/error.h"
#include "oscore/suite.h"

#define CRYPTO_MAX_KDF 64 /* bytes crypto_hkdf is asked for at most */

/* Frees what first use made, wiping keys; everything works again after it. */
void crypto_stop(void);

/* HKDF extract and expand (RFC 5869); `hkdf` is 5 or 7; fills all n bytes of ret. 0, -EIO. */
int crypto_hkdf(
	int hkdf, struct bytes salt, struct bytes ikm, struct bytes info, uint8_t *ret, size_t n);

/*
 * Encrypts: ciphertext and tag are appended to out. Key and nonce have the cipher's
 * lengths. Counter mode does not use aad. -ENOBUFS, -EIO.
 */
int crypto_seal(const struct suite_cipher *c, const uint8_t *key, const uint8_t *nonce,
	struct bytes aad, struct bytes plain, struct buf *out);

/* The reverse; -EBADMSG when the tag is wrong (out->n is then as before) or n < tag. */
int crypto_open(const struct suite_cipher *c, const uint8_t *key, const uint8_t *nonce,
	struct bytes aad, struct bytes sealed, struct buf *out);

/* Whether two secrets are equal, in a time that depends on their lengths alone. */
bool crypto_equal(struct bytes a, struct bytes b);

#endif
