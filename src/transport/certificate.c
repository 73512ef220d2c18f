/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/certificate.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define CHAIN_MAX 16 /* certificates in a file of ours */

/* Keys with a passphrase are not asked for it: nobody is there to type it. */
static int
no_passphrase(char *out, int n, int is_writing, void *ctx)
{
	(void)out;
	(void)n;
	(void)is_writing;
	(void)ctx;
	return -1;
}

static int
fail(struct error *e, const char *file, const char *why)
{
	ERR_clear_error();
	error_set(e, "%s: %s", file, why);
	return -EINVAL;
}

static int
fail_expired(struct error *e, const char *file)
{
	(void)fail(e, file, "has expired");
	return -EKEYEXPIRED;
}

static bool
has_expired(const X509 *x)
{
	return X509_cmp_current_time(X509_get0_notAfter(x)) < 0;
}

/* Whether what PEM_read_bio said last is that the file has no more, and not that it is garbled. */
static bool
is_end_of_file(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

struct seen {
	X509 *first; /* owned */
	size_t n;
	size_t n_expired;
};

/* All certificates of a file, up to `max`. */
static int
read_all(const char *file, size_t max, struct error *e, struct seen *ret)
{
	BIO *in = BIO_new_file(file, "r");
	struct seen seen = {.n = 0};
	int rc = 0;
	X509 *x;

	if (!in)
		return fail(e, file, "cannot be read");
	while (seen.n < max && (x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)) != NULL) {
		seen.n++;
		seen.n_expired += has_expired(x);
		if (seen.first)
			X509_free(x);
		else
			seen.first = x;
	}
	if (seen.n == max)
		rc = fail(e, file, "has too many certificates");
	else if (!is_end_of_file())
		rc = fail(e, file, "is garbled");
	else if (seen.n == 0)
		rc = fail(e, file, "has no certificate in PEM format");
	ERR_clear_error();
	BIO_free(in);
	if (rc < 0)
		X509_free(seen.first);
	else
		*ret = seen;
	return rc;
}

static int
check_key(X509 *x, const char *file, struct error *e)
{
	BIO *in = BIO_new_file(file, "r");
	EVP_PKEY *key;
	int rc = 0;

	if (!in)
		return fail(e, file, "cannot be read");
	if ((key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL)) == NULL)
		rc = fail(e, file, "has no private key in PEM format without a passphrase");
	else if (X509_check_private_key(x, key) != 1)
		rc = fail(e, file, "is not the key of the certificate");
	EVP_PKEY_free(key);
	BIO_free(in);
	return rc;
}

static int
check_own(const struct coapd_certificate *files, struct error *e, enum certificate_part *ret_part)
{
	enum certificate_part part = CERTIFICATE_FILE;
	struct seen seen;
	int rc = read_all(files->file, CHAIN_MAX, e, &seen);

	if (rc == 0) {
		if ((rc = check_key(seen.first, files->key, e)) < 0)
			part = CERTIFICATE_KEY;
		else if (seen.n_expired > 0)
			rc = fail_expired(e, files->file);
		X509_free(seen.first);
	}
	if (rc < 0)
		*ret_part = part;
	return rc;
}

int
certificate_check(
	const struct coapd_certificate *files, struct error *e, enum certificate_part *ret_part)
{
	int rc = files->file ? check_own(files, e, ret_part) : 0;
	struct seen seen;

	if (rc < 0 || !files->ca)
		return rc;
	if ((rc = read_all(files->ca, SIZE_MAX, e, &seen)) == 0) {
		/* A bundle may well hold some that nobody has needed for years. */
		if (seen.n_expired == seen.n)
			rc = fail_expired(e, files->ca);
		X509_free(seen.first);
	}
	if (rc < 0)
		*ret_part = CERTIFICATE_CA;
	return rc;
}

static X509 *
decode(struct bytes der)
{
	const uint8_t *p = der.p;

	return d2i_X509(NULL, &p, (long)der.n);
}

static bool
put_cn(X509_NAME *name, struct buf *out)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), n;
	unsigned char *text;

	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return false;
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n < 0)
		return false;
	buf_put(out, bytes_of(text, (size_t)n));
	OPENSSL_free(text);
	return !out->full;
}

bool
certificate_cn(struct bytes der, struct buf *out)
{
	X509 *x = decode(der);
	bool found = x && put_cn(X509_get_subject_name(x), out);

	X509_free(x);
	ERR_clear_error();
	return found;
}

bool
certificate_is_for(struct bytes der, const char *host)
{
	X509 *x = decode(der);
	bool is_for = x && (X509_check_ip_asc(x, host, 0) == 1 ||
				   X509_check_host(x, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
					   NULL) == 1);

	X509_free(x);
	ERR_clear_error();
	return is_for;
}
