/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The algorithms of OSCORE and Group OSCORE by COSE number and by name: what they
 * are called in the configuration and how long their keys, nonces and tags are (the
 * IANA COSE registry; RFC 8613 3.2, draft-ietf-core-oscore-groupcomm 2.1). Tables
 * only; the computing is crypto's. 0 is the number of "none" everywhere.
 */
#ifndef COAPCAST_OSCORE_SUITE_H
#define COAPCAST_OSCORE_SUITE_H

#include "base/bytes.h"

enum suite_number {
	SUITE_NONE = 0,
	SUITE_A128GCM = 1,
	SUITE_CCM_16_64_128 = 10, /* mandatory, the default of both modes */
	SUITE_CHACHA20_POLY1305 = 24,
	SUITE_A128CTR = -65534,
	SUITE_EDDSA = -8,
	SUITE_ES256 = -7,
	SUITE_HKDF_SHA256 = 5, /* by the number of its HMAC */
	SUITE_HKDF_SHA512 = 7,
	SUITE_ECDH_SS_HKDF256 = -27,
	SUITE_ECDH_SS_HKDF512 = -28,
};

#define SUITE_MAX_KEY 32
#define SUITE_MAX_NONCE 13
#define SUITE_MIN_NONCE 7
#define SUITE_MAX_TAG 16
#define SUITE_SIGNATURE 64 /* bytes of a signature, of either algorithm */
#define SUITE_MAX_ID 7 /* bytes of a Sender ID: the longest nonce less 6 */

/* A content encryption algorithm. Without a tag it is no AEAD: group mode only. */
struct suite_cipher {
	const char *name; /* "AES-CCM-16-64-128" */
	int number;
	uint8_t key; /* bytes */
	uint8_t nonce; /* bytes, as OSCORE computes it */
	uint8_t tag; /* bytes; 0: counter mode */
};

enum suite_curve { SUITE_ED25519 = 6, SUITE_P256 = 1 }; /* COSE elliptic curves */

struct suite_signature {
	const char *name; /* "EdDSA", "ES256" */
	int number;
	enum suite_curve curve;
};

/* NULL for a number that is not in the table (SUITE_NONE too). */
const struct suite_cipher *suite_cipher(int number);
const struct suite_signature *suite_signature(int number);

/*
 * The number behind a name of the configuration ("EdDSA", "SHA-256",
 * "AES-CCM-16-64-128", "ECDH-SS + HKDF-256"; letter case, blanks and the way dashes and
 * slashes are put do not matter). "none" is SUITE_NONE. 0, or -ENOENT for a name nobody
 * knows.
 */
int suite_cipher_number(struct bytes name, int *ret);
int suite_signature_number(struct bytes name, int *ret);
int suite_hkdf_number(struct bytes name, int *ret);
int suite_pairwise_number(struct bytes name, int *ret);

/* What a number is called; "none" for SUITE_NONE, "?" for an unknown one. */
const char *suite_cipher_name(int number);
const char *suite_signature_name(int number);
const char *suite_hkdf_name(int number);

#endif
