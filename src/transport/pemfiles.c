/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/pemfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/mem.h"

#define FILE_MAX_BYTES (4u << 20) /* the authorities of a whole system are 256 kB */

static int
fail(struct error *e, int rc, const char *name, const char *what)
{
	error_set(e, "%s %s", name, what);
	return rc;
}

/* The whole of an open file, in memory of its own. */
static int
read_open(FILE *f, const char *name, struct error *e, struct bytes *ret)
{
	size_t cap = 4096, n = 0;
	uint8_t *p = mem_alloc(cap);
	int rc = 0;

	while (rc == 0 && !feof(f) && !ferror(f)) {
		if (n + 1 == cap) {
			uint8_t *more = mem_alloc(2 * cap);

			memcpy(more, p, n);
			mem_wipe(p, cap);
			free(p);
			p = more;
			cap *= 2;
		}
		n += fread(p + n, 1, cap - n - 1, f);
		if (n > FILE_MAX_BYTES)
			rc = fail(e, -EFBIG, name, "is too large");
	}
	if (rc == 0 && ferror(f))
		rc = fail(e, -EIO, name, "cannot be read");
	if (rc == 0) {
		p[n] = '\0';
		*ret = bytes_of(p, n);
	} else {
		mem_wipe(p, cap);
		free(p);
	}
	return rc;
}

static int
read_file(const char *name, struct error *e, struct bytes *ret)
{
	FILE *f = fopen(name, "re");
	int rc;

	if (!f)
		return fail(e, -errno, name, "cannot be read");
	/* No copy of a key in a buffer of the library. */
	(void)setvbuf(f, NULL, _IONBF, 0);
	rc = read_open(f, name, e, ret);
	(void)fclose(f);
	return rc;
}

static X509 *
next_certificate(BIO *in)
{
	return in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
}

/* The first certificate; and those after it, which lead to an authority. */
static X509 *
parse_chain(struct pemfiles *f)
{
	BIO *in = BIO_new_mem_buf(f->file.p, (int)f->file.n);
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *first = next_certificate(in), *x;

	while (first && chain && (x = next_certificate(in)) != NULL) {
		if (sk_X509_push(chain, x) == 0)
			X509_free(x);
	}
	BIO_free(in);
	f->chain = chain;
	return first;
}

/* A passphrase that there is not. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

/* They may have changed since they were checked. */
static int
parse(struct pemfiles *f, const struct coapd_certificate *from, struct error *e)
{
	BIO *in = BIO_new_mem_buf(f->key.p, (int)f->key.n);
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
	X509 *own = parse_chain(f);
	int rc = 0;

	if (!own)
		rc = fail(e, -EINVAL, from->file, "has no certificate in PEM format");
	else if (!key || X509_check_private_key(own, key) != 1)
		rc = fail(e, -EINVAL, from->key, "is not the key of the certificate");
	X509_free(own);
	EVP_PKEY_free(key);
	BIO_free(in);
	ERR_clear_error();
	return rc;
}

int
pemfiles_read(const struct coapd_certificate *from, struct error *e, struct pemfiles **ret)
{
	struct pemfiles *f = mem_alloc(sizeof(*f));
	int rc;

	if ((rc = read_file(from->file, e, &f->file)) < 0 ||
		(rc = read_file(from->key, e, &f->key)) < 0 ||
		(from->ca && (rc = read_file(from->ca, e, &f->ca)) < 0) ||
		(rc = parse(f, from, e)) < 0) {
		pemfiles_free(f);
		return rc;
	}
	*ret = f;
	return 0;
}

static void
free_bytes(struct bytes b)
{
	if (b.p)
		mem_wipe((void *)(uintptr_t)b.p, b.n);
	free((void *)(uintptr_t)b.p);
}

void
pemfiles_free(struct pemfiles *f)
{
	if (!f)
		return;
	free_bytes(f->file);
	free_bytes(f->key);
	free_bytes(f->ca);
	sk_X509_pop_free(f->chain, X509_free);
	free(f);
}

bool
pemfiles_equal(const struct pemfiles *a, const struct pemfiles *b)
{
	return bytes_equal(a->file, b->file) && bytes_equal(a->key, b->key) &&
	       bytes_equal(a->ca, b->ca);
}
