/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/derive.h"

#include <errno.h>

#include "base/mem.h"
#include "wire/cborbuf.h"

void
derive_put_info(struct buf *out, struct bytes id, struct bytes id_context, int alg,
	const char *type, size_t length)
{
	cborbuf_put_array(out, 5);
	cborbuf_put_bstr(out, id);
	if (id_context.p != NULL)
		cborbuf_put_bstr(out, id_context);
	else
		cborbuf_put_null(out);
	cborbuf_put_int(out, alg);
	cborbuf_put_str(out, type);
	cborbuf_put_uint(out, length);
}

/* The algorithm whose keys a context derives: oscore-groupcomm 2.1.6. */
static const struct suite_cipher *
main_cipher(const struct context *c)
{
	return c->group_encryption != NULL ? c->group_encryption : c->aead;
}

static int
expand(const struct context *c, struct bytes id, const char *type, size_t length, uint8_t *ret)
{
	uint8_t raw[DERIVE_MAX_INFO];
	struct buf info = BUF_OF(raw);

	derive_put_info(&info, id, context_id_bytes(c->id), main_cipher(c)->number, type, length);
	if (info.full)
		return -EIO;
	return crypto_hkdf(c->hkdf, bytes_of(c->master_salt, c->n_master_salt),
		bytes_of(c->master_secret, c->n_master_secret), buf_bytes(&info), ret, length);
}

int
derive_sender_key(const struct context *c, struct bytes id, uint8_t ret[SUITE_MAX_KEY])
{
	return expand(c, id, "Key", main_cipher(c)->key, ret);
}

int
derive_common_iv(struct context *c)
{
	size_t n = main_cipher(c)->nonce;

	/* One for both modes: as long as the longest nonce, cut for the other. */
	if (c->aead != NULL && c->aead->nonce > n)
		n = c->aead->nonce;
	return expand(c, bytes_of("", 0), "IV", n, c->common_iv);
}

int
derive_signature_key(struct context *c)
{
	if (c->group_encryption == NULL)
		return 0;
	return expand(c, bytes_of("", 0), "SEKey", c->group_encryption->key, c->sek);
}

/* The key of one direction: `from` is who sends with it. */
static int
pairwise_key(const struct context *c, const struct recipient *from, const struct recipient *to,
	const uint8_t *shared, uint8_t *ret)
{
	uint8_t raw_info[DERIVE_MAX_INFO];
	uint8_t raw_ikm[2 * CRED_MAX + CRYPTO_SECRET];
	struct buf info = BUF_OF(raw_info);
	struct buf ikm = BUF_OF(raw_ikm);
	int rc;

	derive_put_info(&info, context_recipient_id(from), context_id_bytes(c->id), c->aead->number,
		"Key", c->aead->key);
	buf_put(&ikm, context_recipient_cred(from));
	buf_put(&ikm, context_recipient_cred(to));
	buf_put(&ikm, bytes_of(shared, CRYPTO_SECRET));
	if (info.full || ikm.full)
		return -EIO;
	rc = crypto_hkdf(c->hkdf, bytes_of(from->key, main_cipher(c)->key), buf_bytes(&ikm),
		buf_bytes(&info), ret, c->aead->key);
	mem_wipe(raw_ikm, sizeof(raw_ikm));
	return rc;
}

int
derive_pairwise_keys(const struct context *c, struct recipient *r)
{
	uint8_t shared[CRYPTO_SECRET];
	int rc = crypto_agree(c->secret, r->pub, shared);

	if (rc == 0)
		rc = pairwise_key(c, &c->self, r, shared, r->pairwise_out);
	if (rc == 0)
		rc = pairwise_key(c, r, &c->self, shared, r->pairwise_in);
	mem_wipe(shared, sizeof(shared));
	return rc;
}
