/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds one input to the reader of the OSCORE option, and to that of credentials. An option
 * that can be read is written and read again: it has one form only.
 */
#include <stdlib.h>

#include "oscore/cred.h"
#include "oscore/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
fuzz_option(struct bytes in)
{
	uint8_t raw[OSCORE_OPTION_MAX];
	struct buf b = BUF_OF(raw);
	struct oscore_option o;

	if (oscore_option_decode(in, &o) < 0)
		return;
	require(oscore_option_encode(&o, &b) == 0);
	require(bytes_equal(buf_bytes(&b), in));
}

static void
fuzz_cred(enum cred_format format, struct bytes in)
{
	struct crypto_key *k = NULL;
	struct error e;

	if (cred_key(format, in, &e, &k) == 0)
		require(crypto_key_secret(k).p == NULL && crypto_key_bytes(k).n >= 32);
	crypto_key_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	fuzz_option(in);
	fuzz_cred(CRED_KCCS, in);
	fuzz_cred(CRED_KCWT, in);
	fuzz_cred(CRED_X5CHAIN, in);
	return 0;
}
