/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files on libcrypto share: the algorithms fetched once. Not for anybody else in
 * the room.
 */
#ifndef COAPCAST_OSCORE_CRYPTO_IMPL_H
#define COAPCAST_OSCORE_CRYPTO_IMPL_H

#include <openssl/evp.h>

struct crypto_engine {
	EVP_MD *sha256;
	EVP_MD *sha512;
	EVP_MD_CTX *verify; /* every verification's, initialised for each */
	EVP_MAC_CTX *hmac; /* HMAC-SHA-256 */
	EVP_KDF_CTX *hkdf256;
	EVP_KDF_CTX *hkdf512;
};

/* NULL when libcrypto cannot give one of them. */
struct crypto_engine *crypto_engine(void);

/* What a pointer of an empty value is to be for libcrypto, to which NULL means "keep". */
#define CRYPTO_PTR(b) ((b).n > 0 ? (b).p : (const uint8_t *)"")

#endif
