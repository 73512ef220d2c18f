/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/crypto.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>

#include "base/mem.h"
#include "oscore/crypto_impl.h"

#define MAX_IV 16

/* How a cipher of suite.h is done by libcrypto, and the contexts kept for it. */
struct cipher {
	int number;
	const char *name; /* libcrypto's */
	EVP_CIPHER_CTX *seal; /* NULL: not used yet */
	EVP_CIPHER_CTX *open;
};

static struct cipher ciphers[] = {
	{.number = 10, .name = "AES-128-CCM"},
	{.number = 11, .name = "AES-256-CCM"},
	{.number = 12, .name = "AES-128-CCM"},
	{.number = 13, .name = "AES-256-CCM"},
	{.number = 30, .name = "AES-128-CCM"},
	{.number = 31, .name = "AES-256-CCM"},
	{.number = 32, .name = "AES-128-CCM"},
	{.number = 33, .name = "AES-256-CCM"},
	{.number = 1, .name = "AES-128-GCM"},
	{.number = 2, .name = "AES-192-GCM"},
	{.number = 3, .name = "AES-256-GCM"},
	{.number = 24, .name = "ChaCha20-Poly1305"},
	{.number = -65534, .name = "AES-128-CTR"},
	{.number = -65533, .name = "AES-192-CTR"},
	{.number = -65532, .name = "AES-256-CTR"},
};

#define N_CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static struct crypto_engine engine;
static bool started;

static EVP_KDF_CTX *
make_hkdf(const char *digest)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	char name[16];
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};

	EVP_KDF_free(kdf);
	if (ctx == NULL)
		return NULL;
	OPENSSL_strlcpy(name, digest, sizeof(name));
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
	if (EVP_KDF_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_KDF_CTX_free(ctx);
	return NULL;
}

static EVP_MAC_CTX *
make_hmac(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	char name[] = "SHA256";
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};

	EVP_MAC_free(mac);
	if (ctx == NULL)
		return NULL;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	if (EVP_MAC_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

/* Whether libcrypto has it all. */
static bool
start(void)
{
	started = (engine.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL &&
		  (engine.sha512 = EVP_MD_fetch(NULL, "SHA512", NULL)) != NULL &&
		  (engine.hmac = make_hmac()) != NULL &&
		  (engine.hkdf256 = make_hkdf("SHA256")) != NULL &&
		  (engine.hkdf512 = make_hkdf("SHA512")) != NULL &&
		  (engine.verify = EVP_MD_CTX_new()) != NULL;
	if (!started)
		crypto_stop();
	return started;
}

void
crypto_stop(void)
{
	for (size_t i = 0; i < N_CIPHERS; i++) {
		EVP_CIPHER_CTX_free(ciphers[i].seal);
		EVP_CIPHER_CTX_free(ciphers[i].open);
		ciphers[i].seal = NULL;
		ciphers[i].open = NULL;
	}
	EVP_KDF_CTX_free(engine.hkdf256);
	EVP_KDF_CTX_free(engine.hkdf512);
	EVP_MAC_CTX_free(engine.hmac);
	EVP_MD_CTX_free(engine.verify);
	EVP_MD_free(engine.sha256);
	EVP_MD_free(engine.sha512);
	memset(&engine, 0, sizeof(engine));
	started = false;
}

struct crypto_engine *
crypto_engine(void)
{
	return started || start() ? &engine : NULL;
}

static OSSL_PARAM
octets(const char *key, struct bytes value)
{
	return (OSSL_PARAM){.key = key,
		.data_type = OSSL_PARAM_OCTET_STRING,
		.data = (void *)(uintptr_t)CRYPTO_PTR(value),
		.data_size = value.n,
		.return_size = OSSL_PARAM_UNMODIFIED};
}

int
crypto_hkdf(
	int hkdf, struct bytes salt, struct bytes ikm, struct bytes info, uint8_t *ret, size_t n)
{
	static const uint8_t zero[1];
	struct crypto_engine *eng = crypto_engine();
	OSSL_PARAM params[4];

	if (eng == NULL || (hkdf != SUITE_HKDF_SHA256 && hkdf != SUITE_HKDF_SHA512))
		return -EIO;
	/* A context keeps its last salt when it is given an empty one. HMAC fills its key
	 * up with zeros, so one zero is the same as none (RFC 5869 2.2). */
	if (salt.n == 0)
		salt = BYTES_OF(zero);
	params[0] = octets(OSSL_KDF_PARAM_SALT, salt);
	params[1] = octets(OSSL_KDF_PARAM_KEY, ikm);
	params[2] = octets(OSSL_KDF_PARAM_INFO, info);
	params[3] = OSSL_PARAM_construct_end();
	if (EVP_KDF_derive(
		    hkdf == SUITE_HKDF_SHA256 ? eng->hkdf256 : eng->hkdf512, ret, n, params) != 1)
		return -EIO;
	return 0;
}

/* A context for a cipher in one direction, before its first key. */
static EVP_CIPHER_CTX *
make_cipher(const struct suite_cipher *c, const char *name, int encrypt)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = cipher != NULL && ctx != NULL &&
		  EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, encrypt) == 1;

	if (ok && c->tag > 0)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, c->nonce, NULL) == 1;
	/* CCM is another function with another length of tag: it is to be told before the key. */
	if (ok && EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CCM_MODE)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, c->tag, NULL) == 1;
	EVP_CIPHER_free(cipher);
	if (ok)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

/* The context kept for a cipher, given key and nonce; NULL: libcrypto cannot. */
static EVP_CIPHER_CTX *
begin(const struct suite_cipher *c, const uint8_t *key, const uint8_t *nonce, bool encrypt)
{
	uint8_t iv[MAX_IV] = {0}; /* counter mode: the nonce and a counter of 0 */
	EVP_CIPHER_CTX **ctx = NULL;

	for (size_t i = 0; i < N_CIPHERS; i++) {
		if (ciphers[i].number != c->number)
			continue;
		ctx = encrypt ? &ciphers[i].seal : &ciphers[i].open;
		if (*ctx == NULL)
			*ctx = make_cipher(c, ciphers[i].name, encrypt);
	}
	if (ctx == NULL || *ctx == NULL)
		return NULL;
	memcpy(iv, nonce, c->nonce);
	return EVP_CipherInit_ex(*ctx, NULL, NULL, key, iv, encrypt) == 1 ? *ctx : NULL;
}

/* Additional data and text go through the cipher; false when it fails. */
static bool
process(EVP_CIPHER_CTX *ctx, const struct suite_cipher *c, struct bytes aad, struct bytes in,
	uint8_t *out)
{
	bool ccm = EVP_CIPHER_CTX_get_mode(ctx) == EVP_CIPH_CCM_MODE;
	int n = 0;

	if (ccm && EVP_CipherUpdate(ctx, NULL, &n, NULL, (int)in.n) != 1)
		return false;
	if (c->tag > 0 && EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1)
		return false;
	if (EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) != 1 || (size_t)n != in.n)
		return false;
	/* When CCM decrypts, the update has checked the tag. */
	return (ccm && !EVP_CIPHER_CTX_is_encrypting(ctx)) ||
	       EVP_CipherFinal_ex(ctx, out + n, &n) == 1;
}

int
crypto_seal(const struct suite_cipher *c, const uint8_t *key, const uint8_t *nonce,
	struct bytes aad, struct bytes plain, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = begin(c, key, nonce, true);
	size_t before = out->n;
	uint8_t *p;

	if (ctx == NULL || plain.n == 0 || plain.n > INT32_MAX || aad.n > INT32_MAX)
		return -EIO;
	p = buf_claim(out, plain.n + c->tag);
	if (p == NULL)
		return -ENOBUFS;
	if (process(ctx, c, aad, plain, p) &&
		(c->tag == 0 ||
			EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, c->tag, p + plain.n) == 1))
		return 0;
	out->n = before;
	return -EIO;
}

int
crypto_open(const struct suite_cipher *c, const uint8_t *key, const uint8_t *nonce,
	struct bytes aad, struct bytes sealed, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = begin(c, key, nonce, false);
	size_t before = out->n;
	struct bytes text;
	uint8_t tag[SUITE_MAX_TAG];
	uint8_t *p;

	if (ctx == NULL || sealed.n > INT32_MAX || aad.n > INT32_MAX)
		return -EIO;
	if (sealed.n <= c->tag)
		return -EBADMSG;
	text = bytes_head(sealed, sealed.n - c->tag);
	memcpy(tag, sealed.p + text.n, c->tag);
	if (c->tag > 0 && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, c->tag, tag) != 1)
		return -EIO;
	p = buf_claim(out, text.n);
	if (p == NULL)
		return -ENOBUFS;
	if (process(ctx, c, aad, text, p))
		return 0;
	mem_wipe(p, text.n);
	out->n = before;
	return -EBADMSG;
}

bool
crypto_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
