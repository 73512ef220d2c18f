/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/cred.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "wire/cborget.h"

#define CLAIM_SUB 2 /* RFC 8392 3.1.2 */
#define CLAIM_CNF 8 /* RFC 8747 3.1 */
#define CNF_COSE_KEY 1
#define KEY_KTY 1 /* RFC 9052 7.1, RFC 9053 7.1 and 7.2 */
#define KEY_CRV (-1)
#define KEY_X (-2)
#define KEY_Y (-3)
#define KTY_OKP 1
#define KTY_EC2 2
#define TAG_CWT 61
#define COORDINATE 32

int
cred_make(struct bytes subject, const struct crypto_key *k, struct buf *out)
{
	bool ec2 = crypto_key_curve(k) == SUITE_P256;
	struct bytes pub = crypto_key_bytes(k);

	cborbuf_put_map(out, subject.p != NULL ? 2 : 1);
	if (subject.p != NULL) {
		cborbuf_put_uint(out, CLAIM_SUB);
		cborbuf_put_tstr(out, subject);
	}
	cborbuf_put_uint(out, CLAIM_CNF);
	cborbuf_put_map(out, 1);
	cborbuf_put_uint(out, CNF_COSE_KEY);
	cborbuf_put_map(out, ec2 ? 5 : 4);
	cborbuf_put_uint(out, KEY_KTY);
	cborbuf_put_uint(out, ec2 ? KTY_EC2 : KTY_OKP);
	cborbuf_put_uint(out, 3); /* alg */
	cborbuf_put_int(out, ec2 ? SUITE_ES256 : SUITE_EDDSA);
	cborbuf_put_int(out, KEY_CRV);
	cborbuf_put_uint(out, ec2 ? SUITE_P256 : SUITE_ED25519);
	cborbuf_put_int(out, KEY_X);
	cborbuf_put_bstr(out, bytes_head(pub, COORDINATE));
	if (ec2) {
		cborbuf_put_int(out, KEY_Y);
		cborbuf_put_bstr(out, bytes_from(pub, COORDINATE));
	}
	return out->full ? -ENOBUFS : 0;
}

int
cred_make_own(int signature, enum cred_format format, struct bytes private_key, struct buf *out,
	struct error *e)
{
	const struct suite_signature *s = suite_signature(signature);
	struct crypto_key *key;
	int rc;

	if (!s) {
		error_set(e, "the signature algorithm is not known");
		return -EINVAL;
	}
	if (format != CRED_KCCS) {
		error_set(e, "a credential is needed, only a CCS can be made of the private key");
		return -EINVAL;
	}
	if ((rc = crypto_key_private(s->curve, private_key, e, &key)) < 0)
		return rc;
	if ((rc = cred_make(BYTES_NONE, key, out)) < 0)
		error_set(e, "no credential can be made");
	crypto_key_free(key);
	return rc;
}

/* The value of a key of a map, as the bytes of its item; false when it is not there. */
static bool
find_key(struct bytes map, int64_t wanted, struct bytes *ret)
{
	struct cborget c = cborget_of(map);
	uint64_t n;

	if (cborget_map(&c, &n) != 0)
		return false;
	for (; n > 0; n--) {
		struct bytes value;
		int64_t key;
		bool is_int = cborget_int(&c, &key) == 0;

		if ((!is_int && cborget_skip(&c) != 0) || cborget_raw(&c, &value) != 0)
			return false;
		if (!is_int || key != wanted)
			continue;
		*ret = value;
		return true;
	}
	return false;
}

static bool
find_int(struct bytes map, int64_t key, int64_t *ret)
{
	struct bytes value;
	struct cborget c;

	if (!find_key(map, key, &value))
		return false;
	c = cborget_of(value);
	return cborget_int(&c, ret) == 0;
}

static bool
find_coordinate(struct bytes map, int64_t key, struct bytes *ret)
{
	struct bytes value;
	struct cborget c;

	if (!find_key(map, key, &value))
		return false;
	c = cborget_of(value);
	return cborget_bstr(&c, ret) == 0 && ret->n == COORDINATE;
}

/* A COSE_Key (RFC 9052 7). */
static int
read_cose_key(struct bytes map, struct error *e, struct crypto_key **ret)
{
	uint8_t raw[2 * COORDINATE];
	struct buf b = BUF_OF(raw);
	struct bytes x, y;
	int64_t kty = 0, crv = 0;
	enum suite_curve curve = SUITE_ED25519;

	if (!find_int(map, KEY_KTY, &kty) || !find_int(map, KEY_CRV, &crv) ||
		!find_coordinate(map, KEY_X, &x)) {
		error_set(e, "the credential's key lacks its type, curve or x");
		return -EINVAL;
	}
	buf_put(&b, x);
	if (kty == KTY_EC2 && crv == SUITE_P256 && find_coordinate(map, KEY_Y, &y)) {
		curve = SUITE_P256;
		buf_put(&b, y);
	} else if (kty != KTY_OKP || crv != SUITE_ED25519) {
		error_set(e, "the credential's key is neither Ed25519 nor P-256 with x and y");
		return -EINVAL;
	}
	if (crypto_key_public(curve, buf_bytes(&b), ret) == 0)
		return 0;
	error_set(e, "the credential's key is not a point of its curve");
	return -EINVAL;
}

/* The claims set in a CWT: tags, then an array [protected, unprotected, payload, ...]. */
static bool
open_cwt(struct bytes cwt, struct bytes *ret_claims)
{
	struct cborget c = cborget_of(cwt);
	uint64_t n;

	for (int tags = 0; tags < 2 && cborget_tag(&c, &n) == 0; tags++)
		;
	return cborget_array(&c, &n) == 0 && n == 4 && cborget_skip(&c) == 0 &&
	       cborget_skip(&c) == 0 && cborget_bstr(&c, ret_claims) == 0;
}

/* The claims set of a CCS or CWT, complete and with nothing behind it. */
static bool
open_claims(enum cred_format format, struct bytes credential, struct bytes *ret)
{
	struct cborget c = cborget_of(credential);

	if (credential.n > CRED_MAX || cborget_skip(&c) != 0 || !cborget_at_end(&c))
		return false;
	if (format == CRED_KCWT)
		return open_cwt(credential, ret);
	*ret = credential;
	return true;
}

static int
read_claims(
	enum cred_format format, struct bytes credential, struct error *e, struct crypto_key **ret)
{
	struct bytes claims, cnf, key;

	if (!open_claims(format, credential, &claims)) {
		error_set(e, "the credential is not well-formed CBOR of its format");
		return -EINVAL;
	}
	if (!find_key(claims, CLAIM_CNF, &cnf) || !find_key(cnf, CNF_COSE_KEY, &key)) {
		error_set(e, "the credential has no key (claim cnf with a COSE_Key)");
		return -EINVAL;
	}
	return read_cose_key(key, e, ret);
}

/* The end entity's certificate: as such, as a byte string, or the first of an array. */
static struct bytes
open_x5chain(struct bytes credential)
{
	struct cborget c = cborget_of(credential);
	struct bytes der = credential;
	uint64_t n;

	if (credential.n > 0 && credential.p[0] == 0x30) /* DER: SEQUENCE */
		return der;
	cborget_array(&c, &n);
	return cborget_bstr(&c, &der) == 0 ? der : BYTES_NONE;
}

/* Public half of a key of libcrypto's. */
static int
read_pkey(const EVP_PKEY *pkey, struct crypto_key **ret)
{
	uint8_t raw[1 + 2 * COORDINATE];
	char group[32] = "";
	size_t n = sizeof(raw);

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		if (EVP_PKEY_get_raw_public_key(pkey, raw, &n) != 1)
			return -EINVAL;
		return crypto_key_public(SUITE_ED25519, bytes_of(raw, n), ret);
	}
	if (!EVP_PKEY_is_a(pkey, "EC") ||
		EVP_PKEY_get_utf8_string_param(
			pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1 ||
		strcmp(group, "prime256v1") != 0 ||
		EVP_PKEY_get_octet_string_param(
			pkey, OSSL_PKEY_PARAM_PUB_KEY, raw, sizeof(raw), &n) != 1 ||
		n != sizeof(raw) || raw[0] != 4)
		return -EINVAL;
	return crypto_key_public(SUITE_P256, bytes_of(raw + 1, n - 1), ret);
}

static int
read_x5chain(struct bytes credential, struct error *e, struct crypto_key **ret)
{
	struct bytes der = open_x5chain(credential);
	const uint8_t *p = der.p;
	X509 *x = der.n > 0 && der.n <= CRED_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;
	const EVP_PKEY *pkey = x != NULL ? X509_get0_pubkey(x) : NULL;
	int rc = pkey != NULL ? read_pkey(pkey, ret) : -EINVAL;

	if (x == NULL)
		error_set(e, "the credential is not an X.509 certificate in DER");
	else if (rc < 0)
		error_set(e, "the certificate's key is neither Ed25519 nor P-256");
	ERR_clear_error();
	X509_free(x);
	return rc;
}

int
cred_key(enum cred_format format, struct bytes credential, struct error *e, struct crypto_key **ret)
{
	if (credential.n > CRED_MAX) {
		error_set(e, "the credential has more than %d bytes", CRED_MAX);
		return -EINVAL;
	}
	switch (format) {
	case CRED_KCCS:
	case CRED_KCWT:
		return read_claims(format, credential, e, ret);
	case CRED_X5CHAIN:
		return read_x5chain(credential, e, ret);
	}
	error_set(e, "unknown credential format %d", (int)format);
	return -EINVAL;
}
