/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys for signatures and Diffie-Hellman on Ed25519 and P-256, and what is done with
 * them: EdDSA and ES256 (RFC 8032, RFC 9053), static-static ECDH on P-256, and X25519 with
 * Ed25519 keys mapped to it (oscore-groupcomm 2.3). Who a key belongs to is not known here.
 */
#ifndef COAPCAST_OSCORE_CRYPTO_KEY_H
#define COAPCAST_OSCORE_CRYPTO_KEY_H

#include "base/bytes.h"
#include "base/error.h"
#include "oscore/suite.h"

#define CRYPTO_SECRET 32 /* bytes of a private key, and of a shared secret */
#define CRYPTO_MAX_PUBLIC 64 /* Ed25519: 32; P-256: x | y */

/* An Ed25519 or P-256 key, with its private half or without it. Opaque; wiped when freed. */
struct crypto_key;

/*
 * A private key from 32 raw bytes of the curve (Ed25519: the seed; P-256: the scalar), or
 * from PEM (unencrypted; it says its curve itself, which must be `curve`). -EINVAL with an error.
 */
int crypto_key_private(
	enum suite_curve curve, struct bytes raw_or_pem, struct error *e, struct crypto_key **ret);
/* A public key: Ed25519 32 bytes; P-256 x | y. -EINVAL: wrong length or not on the curve. */
int crypto_key_public(enum suite_curve curve, struct bytes raw, struct crypto_key **ret);
/* A new private key from random bytes: `random` is as rnd_fill. */
int crypto_key_generate(
	enum suite_curve curve, void (*random)(void *p, size_t n), struct crypto_key **ret);
void crypto_key_free(struct crypto_key *k); /* NULL is fine */

enum suite_curve crypto_key_curve(const struct crypto_key *k);
/* The public half as crypto_key_public takes it; borrowed from the key. */
struct bytes crypto_key_bytes(const struct crypto_key *k);
/* The private half as raw bytes; BYTES_NONE without one; borrowed: do not copy around. */
struct bytes crypto_key_secret(const struct crypto_key *k);
/* Whether `own` is the private key that belongs to `pub`. */
bool crypto_key_matches(const struct crypto_key *own, const struct crypto_key *pub);

/*
 * Signs with EdDSA (Ed25519, pure) or ES256 (SHA-256, r | s), whichever the curve is for.
 * -EINVAL without a private half, -EIO.
 */
int crypto_sign(const struct crypto_key *k, struct bytes tbs, uint8_t ret[SUITE_SIGNATURE]);
/* 0, or -EBADMSG when this is not the signature. */
int crypto_verify(
	const struct crypto_key *k, struct bytes tbs, const uint8_t signature[SUITE_SIGNATURE]);

/*
 * The static-static shared secret of two keys of one curve: ECDH with P-256 (the
 * x-coordinate), or X25519 with the Ed25519 keys mapped to it (oscore-groupcomm 2.3.1: fails
 * for y of 1 and -1). -EINVAL: different curves, no private half, or a point that gives nothing.
 */
int crypto_agree(
	const struct crypto_key *own, const struct crypto_key *peer, uint8_t ret[CRYPTO_SECRET]);

#endif
