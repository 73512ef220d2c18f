/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/crypto_key.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "oscore/crypto_impl.h"

#define COORDINATE 32 /* bytes of one, on both curves */
#define MAX_DER 80 /* a signature of P-256 in DER has 72 at most */
#define MAX_PEM 65536

struct crypto_key {
	EVP_PKEY *pkey;
	EVP_MD_CTX *sign; /* Ed25519 with a private half; kept, initialised for each */
	EVP_PKEY_CTX *ecdsa; /* P-256: kept for what it is used for, signing or verifying */
	enum suite_curve curve;
	bool is_private;
	uint8_t pub[CRYPTO_MAX_PUBLIC];
	uint8_t secret[CRYPTO_SECRET];
};

static size_t
public_len(enum suite_curve curve)
{
	return curve == SUITE_P256 ? 2 * COORDINATE : COORDINATE;
}

void
crypto_key_free(struct crypto_key *k)
{
	if (k == NULL)
		return;
	EVP_MD_CTX_free(k->sign);
	EVP_PKEY_CTX_free(k->ecdsa);
	EVP_PKEY_free(k->pkey);
	mem_wipe(k, sizeof(*k));
	free(k);
}

/* A P-256 key from its public half, and its private half unless that is NULL. */
static EVP_PKEY *
make_p256(const uint8_t *pub, const BIGNUM *secret)
{
	uint8_t point[1 + 2 * COORDINATE] = {4}; /* SEC 1: uncompressed */
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	memcpy(point + 1, pub, 2 * COORDINATE);
	if (bld != NULL && ctx != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(
			bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1 &&
		(secret == NULL ||
			OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1))
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &pkey,
			secret != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* The public half of a P-256 scalar; false when it is not one. */
static bool
p256_public(const BIGNUM *secret, uint8_t *ret)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	uint8_t out[1 + 2 * COORDINATE];
	bool ok = point != NULL && !BN_is_zero(secret) &&
		  BN_cmp(secret, EC_GROUP_get0_order(group)) < 0 &&
		  EC_POINT_mul(group, point, secret, NULL, NULL, NULL) == 1 &&
		  EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, sizeof(out),
			  NULL) == sizeof(out);

	if (ok)
		memcpy(ret, out + 1, 2 * COORDINATE);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return ok;
}

static EVP_PKEY *
p256_private(const uint8_t *raw, uint8_t *ret_pub)
{
	BIGNUM *secret = BN_secure_new();
	EVP_PKEY *pkey = NULL;

	if (secret != NULL && BN_bin2bn(raw, CRYPTO_SECRET, secret) != NULL) {
		BN_set_flags(secret, BN_FLG_CONSTTIME);
		if (p256_public(secret, ret_pub))
			pkey = make_p256(ret_pub, secret);
	}
	BN_clear_free(secret);
	return pkey;
}

static EVP_PKEY *
ed25519_private(const uint8_t *raw, uint8_t *ret_pub)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, CRYPTO_SECRET);
	size_t n = COORDINATE;

	if (pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, ret_pub, &n) == 1)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

static int
private_from_raw(enum suite_curve curve, const uint8_t *raw, struct crypto_key **ret)
{
	struct crypto_key *k = mem_alloc(sizeof(*k));

	k->curve = curve;
	k->is_private = true;
	memcpy(k->secret, raw, CRYPTO_SECRET);
	if (curve == SUITE_P256) {
		k->pkey = p256_private(raw, k->pub);
		k->ecdsa = k->pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL) : NULL;
		if (k->ecdsa == NULL || EVP_PKEY_sign_init(k->ecdsa) != 1)
			goto fail;
	} else {
		k->pkey = ed25519_private(raw, k->pub);
		k->sign = EVP_MD_CTX_new();
		if (k->pkey == NULL || k->sign == NULL)
			goto fail;
	}
	*ret = k;
	return 0;
fail:
	ERR_clear_error();
	crypto_key_free(k);
	return -EINVAL;
}

/* No key is ever asked for at a terminal: an encrypted one is refused. */
static int
no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag, (void)ctx;
	return -1;
}

/* The private half of a key of libcrypto's, and its curve. */
static bool
extract_private(const EVP_PKEY *pkey, enum suite_curve *ret_curve, uint8_t *ret)
{
	char group[32] = "";
	size_t n = CRYPTO_SECRET;
	BIGNUM *secret = NULL;
	bool ok;

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		*ret_curve = SUITE_ED25519;
		return EVP_PKEY_get_raw_private_key(pkey, ret, &n) == 1 && n == CRYPTO_SECRET;
	}
	*ret_curve = SUITE_P256;
	ok = EVP_PKEY_is_a(pkey, "EC") &&
	     EVP_PKEY_get_utf8_string_param(
		     pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) == 1 &&
	     (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0) &&
	     EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1 &&
	     BN_bn2binpad(secret, ret, CRYPTO_SECRET) == CRYPTO_SECRET;
	BN_clear_free(secret);
	return ok;
}

static int
private_from_pem(struct bytes pem, struct error *e, struct crypto_key **ret)
{
	BIO *bio = pem.n <= MAX_PEM ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	EVP_PKEY *pkey =
		bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	uint8_t raw[CRYPTO_SECRET];
	enum suite_curve curve;
	int rc = -EINVAL;

	if (pkey == NULL)
		error_set(e, "this PEM has no private key that can be read without a passphrase");
	else if (!extract_private(pkey, &curve, raw))
		error_set(e, "this PEM has a private key, but not of Ed25519 or P-256");
	else
		rc = private_from_raw(curve, raw, ret);
	ERR_clear_error();
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	mem_wipe(raw, sizeof(raw));
	return rc;
}

static bool
is_pem(struct bytes b)
{
	static const char mark[] = "-----BEGIN";

	return b.n > sizeof(mark) && memmem(b.p, b.n, mark, sizeof(mark) - 1) != NULL;
}

int
crypto_key_private(
	enum suite_curve curve, struct bytes raw_or_pem, struct error *e, struct crypto_key **ret)
{
	struct crypto_key *k;
	int rc;

	if (is_pem(raw_or_pem)) {
		rc = private_from_pem(raw_or_pem, e, &k);
		if (rc < 0)
			return rc;
		if (k->curve != curve) {
			error_set(
				e, "the private key is not one of the signature algorithm's curve");
			crypto_key_free(k);
			return -EINVAL;
		}
		*ret = k;
		return 0;
	}
	if (raw_or_pem.n != CRYPTO_SECRET) {
		error_set(e, "a private key is 32 bytes or PEM; this has %zu bytes", raw_or_pem.n);
		return -EINVAL;
	}
	rc = private_from_raw(curve, raw_or_pem.p, ret);
	if (rc < 0)
		error_set(e, "these 32 bytes are no private key of the curve");
	return rc;
}

int
crypto_key_public(enum suite_curve curve, struct bytes raw, struct crypto_key **ret)
{
	struct crypto_key *k;

	if (raw.n != public_len(curve))
		return -EINVAL;
	k = mem_alloc(sizeof(*k));
	k->curve = curve;
	memcpy(k->pub, raw.p, raw.n);
	if (curve == SUITE_P256) {
		k->pkey = make_p256(raw.p, NULL);
		k->ecdsa = k->pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL) : NULL;
		if (k->ecdsa == NULL || EVP_PKEY_verify_init(k->ecdsa) != 1)
			goto fail;
	} else {
		k->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.p, raw.n);
		if (k->pkey == NULL)
			goto fail;
	}
	*ret = k;
	return 0;
fail:
	ERR_clear_error();
	crypto_key_free(k);
	return -EINVAL;
}

int
crypto_key_generate(
	enum suite_curve curve, void (*random)(void *p, size_t n), struct crypto_key **ret)
{
	uint8_t raw[CRYPTO_SECRET];
	int rc = -EIO;

	/* A scalar of P-256 must be below the order of the group, which one try in 2^32 is not. */
	for (int i = 0; i < 4 && rc < 0; i++) {
		random(raw, sizeof(raw));
		rc = private_from_raw(curve, raw, ret);
	}
	mem_wipe(raw, sizeof(raw));
	return rc < 0 ? -EIO : 0;
}

enum suite_curve
crypto_key_curve(const struct crypto_key *k)
{
	return k->curve;
}

struct bytes
crypto_key_bytes(const struct crypto_key *k)
{
	return bytes_of(k->pub, public_len(k->curve));
}

struct bytes
crypto_key_secret(const struct crypto_key *k)
{
	return k->is_private ? BYTES_OF(k->secret) : BYTES_NONE;
}

bool
crypto_key_matches(const struct crypto_key *own, const struct crypto_key *pub)
{
	return own->is_private && own->curve == pub->curve &&
	       bytes_equal(crypto_key_bytes(own), crypto_key_bytes(pub));
}

/* The SHA-256 that ECDSA signs. */
static bool
digest(struct bytes tbs, uint8_t ret[COORDINATE])
{
	const struct crypto_engine *eng = crypto_engine();

	return eng != NULL && EVP_Digest(CRYPTO_PTR(tbs), tbs.n, ret, NULL, eng->sha256, NULL) == 1;
}

static int
sign_p256(const struct crypto_key *k, struct bytes tbs, uint8_t *ret)
{
	uint8_t hash[COORDINATE];
	uint8_t der[MAX_DER];
	const uint8_t *p = der;
	size_t n = sizeof(der);
	ECDSA_SIG *sig = NULL;
	int rc = -EIO;

	if (!digest(tbs, hash) || EVP_PKEY_sign(k->ecdsa, der, &n, hash, sizeof(hash)) != 1)
		return -EIO;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	/* RFC 9053 2.1: r and s, each filled up with zeros. */
	if (sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, COORDINATE) == COORDINATE &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + COORDINATE, COORDINATE) == COORDINATE)
		rc = 0;
	ECDSA_SIG_free(sig);
	return rc;
}

int
crypto_sign(const struct crypto_key *k, struct bytes tbs, uint8_t ret[SUITE_SIGNATURE])
{
	size_t n = SUITE_SIGNATURE;

	if (!k->is_private)
		return -EINVAL;
	if (k->curve == SUITE_P256)
		return sign_p256(k, tbs, ret);
	if (EVP_DigestSignInit(k->sign, NULL, NULL, NULL, k->pkey) != 1 ||
		EVP_DigestSign(k->sign, ret, &n, tbs.p, tbs.n) != 1 || n != SUITE_SIGNATURE)
		return -EIO;
	return 0;
}

static int
verify_p256(const struct crypto_key *k, struct bytes tbs, const uint8_t *signature)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, COORDINATE, NULL);
	BIGNUM *s = BN_bin2bn(signature + COORDINATE, COORDINATE, NULL);
	uint8_t hash[COORDINATE];
	uint8_t der[MAX_DER];
	uint8_t *p = der;
	int n = 0;

	if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1)
		n = i2d_ECDSA_SIG(sig, &p);
	else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	if (n <= 0 || n > MAX_DER || !digest(tbs, hash) ||
		EVP_PKEY_verify(k->ecdsa, der, (size_t)n, hash, sizeof(hash)) != 1) {
		ERR_clear_error();
		return -EBADMSG;
	}
	return 0;
}

int
crypto_verify(
	const struct crypto_key *k, struct bytes tbs, const uint8_t signature[SUITE_SIGNATURE])
{
	const struct crypto_engine *eng = crypto_engine();

	if (k->curve == SUITE_P256)
		return k->is_private ? -EINVAL : verify_p256(k, tbs, signature);
	/* A context that was not reset would go on with the key it had before. */
	if (eng != NULL && EVP_MD_CTX_reset(eng->verify) == 1 &&
		EVP_DigestVerifyInit(eng->verify, NULL, NULL, NULL, k->pkey) == 1 &&
		EVP_DigestVerify(eng->verify, signature, SUITE_SIGNATURE, tbs.p, tbs.n) == 1)
		return 0;
	ERR_clear_error();
	return -EBADMSG;
}

static int
derive(EVP_PKEY *own, EVP_PKEY *peer, uint8_t ret[CRYPTO_SECRET])
{
	EVP_PKEY_CTX *ctx =
		own != NULL && peer != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
	size_t n = CRYPTO_SECRET;
	int rc = -EINVAL;

	if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
		EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, ret, &n) == 1 &&
		n == CRYPTO_SECRET)
		rc = 0;
	ERR_clear_error();
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* u = (1 + y) / (1 - y) mod 2^255 - 19 of an Ed25519 public key, both little-endian. */
static bool
montgomery(const uint8_t *ed, uint8_t ret[COORDINATE])
{
	uint8_t raw[COORDINATE];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = NULL, *y = BN_new(), *up = BN_new(), *down = BN_new();
	bool ok;

	memcpy(raw, ed, COORDINATE);
	raw[COORDINATE - 1] &= 0x7f; /* the sign of x */
	ok = ctx != NULL && y != NULL && up != NULL && down != NULL &&
	     BN_hex2bn(&p, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed") &&
	     BN_lebin2bn(raw, COORDINATE, y) != NULL && BN_add(up, BN_value_one(), y) == 1 &&
	     BN_mod_sub(down, BN_value_one(), y, p, ctx) == 1 && BN_nnmod(up, up, p, ctx) == 1 &&
	     /* y of 1 and -1: points of small order, of which no secret comes. */
	     !BN_is_zero(up) && !BN_is_zero(down) && BN_mod_inverse(down, down, p, ctx) != NULL &&
	     BN_mod_mul(y, up, down, p, ctx) == 1 &&
	     BN_bn2lebinpad(y, ret, COORDINATE) == COORDINATE;
	BN_free(p);
	BN_free(y);
	BN_free(up);
	BN_free(down);
	BN_CTX_free(ctx);
	return ok;
}

static int
agree_x25519(const struct crypto_key *own, const struct crypto_key *peer, uint8_t *ret)
{
	const struct crypto_engine *eng = crypto_engine();
	uint8_t u[COORDINATE];
	uint8_t hash[64];
	EVP_PKEY *a = NULL;
	EVP_PKEY *b = NULL;
	int rc = -EINVAL;

	/* RFC 8032 5.1.5: the scalar is the first half of the hash; X25519 clamps it. */
	if (eng != NULL && montgomery(peer->pub, u) &&
		EVP_Digest(own->secret, CRYPTO_SECRET, hash, NULL, eng->sha512, NULL) == 1) {
		a = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, hash, CRYPTO_SECRET);
		b = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, u, sizeof(u));
		rc = derive(a, b, ret);
	}
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	mem_wipe(hash, sizeof(hash));
	return rc;
}

int
crypto_agree(
	const struct crypto_key *own, const struct crypto_key *peer, uint8_t ret[CRYPTO_SECRET])
{
	if (!own->is_private || own->curve != peer->curve)
		return -EINVAL;
	if (own->curve == SUITE_P256)
		return derive(own->pkey, peer->pkey, ret);
	return agree_x25519(own, peer, ret);
}
