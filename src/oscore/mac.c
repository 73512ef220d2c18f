/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/mac.h"

#include <errno.h>

#include "oscore/crypto.h"
#include "oscore/crypto_impl.h"

int
mac_compute(struct bytes key, struct bytes data, uint8_t ret[MAC_LEN])
{
	struct crypto_engine *eng = crypto_engine();
	size_t n = 0;

	if (eng == NULL || EVP_MAC_init(eng->hmac, CRYPTO_PTR(key), key.n, NULL) != 1 ||
		EVP_MAC_update(eng->hmac, CRYPTO_PTR(data), data.n) != 1 ||
		EVP_MAC_final(eng->hmac, ret, &n, MAC_LEN) != 1 || n != MAC_LEN)
		return -EIO;
	return 0;
}

int
mac_digest(struct bytes data, uint8_t ret[MAC_LEN])
{
	struct crypto_engine *eng = crypto_engine();
	unsigned n = 0;

	if (eng == NULL || EVP_Digest(CRYPTO_PTR(data), data.n, ret, &n, eng->sha256, NULL) != 1 ||
		n != MAC_LEN)
		return -EIO;
	return 0;
}

bool
mac_equal(struct bytes a, struct bytes b)
{
	return crypto_equal(a, b);
}
