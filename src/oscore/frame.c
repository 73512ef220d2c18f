/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/frame.h"

#include <errno.h>

#include "base/mem.h"
#include "oscore/derive.h"
#include "oscore/protect.h"
#include "wire/cborbuf.h"

#define OSCORE_VERSION 1
#define N_ID_SPACE 6 /* bytes of a nonce that are not the id's: length and Partial IV */
#define MAX_CLASS_I 512
#define MAX_ARRAY (2 * CRED_MAX + 2 * OSCORE_OPTION_MAX + MAX_CLASS_I + 64)
#define MAX_AAD (MAX_ARRAY + 32)
#define MAX_TBS (MAX_AAD + PROTECT_MAX_PLAIN + SUITE_MAX_TAG + 32)
/* RFC 9338 read literally gives four elements for an abbreviated countersignature;
 * implementations and published vectors have five. */
#define N_COUNTERSIGN 5

static uint8_t array_bytes[MAX_ARRAY];
static uint8_t aad_bytes[MAX_AAD];
static uint8_t tbs_bytes[MAX_TBS];

const struct suite_cipher *
frame_cipher(const struct frame *f)
{
	return f->mode == OSCORE_GROUP ? f->context->group_encryption : f->context->aead;
}

int
frame_nonce(const struct frame *f, uint8_t ret[SUITE_MAX_NONCE])
{
	size_t n = frame_cipher(f)->nonce;

	if (f->piv_id.n > n - N_ID_SPACE || f->piv.n > OSCORE_MAX_PIV)
		return -EINVAL;
	memset(ret, 0, SUITE_MAX_NONCE);
	ret[0] = (uint8_t)f->piv_id.n;
	if (f->piv_id.n > 0)
		memcpy(ret + 1 + n - N_ID_SPACE - f->piv_id.n, f->piv_id.p, f->piv_id.n);
	memcpy(ret + n - f->piv.n, f->piv.p, f->piv.n);
	for (size_t i = 0; i < n; i++)
		ret[i] ^= f->context->common_iv[i];
	return 0;
}

/* An algorithm of the group, or null when it is not set. */
static void
put_algorithm(struct buf *out, int number)
{
	if (number == SUITE_NONE)
		cborbuf_put_null(out);
	else
		cborbuf_put_int(out, number);
}

static void
put_array(const struct frame *f, struct buf *out)
{
	const struct context *c = f->context;

	cborbuf_put_array(out, c->group ? 9 : 5);
	cborbuf_put_uint(out, OSCORE_VERSION);
	cborbuf_put_array(out, c->group ? 4 : 1);
	put_algorithm(out, c->aead != NULL ? c->aead->number : SUITE_NONE);
	if (c->group) {
		put_algorithm(out,
			c->group_encryption != NULL ? c->group_encryption->number : SUITE_NONE);
		put_algorithm(out, c->signature != NULL ? c->signature->number : SUITE_NONE);
		put_algorithm(out, c->pairwise);
	}
	cborbuf_put_bstr(out, f->request_kid);
	cborbuf_put_bstr(out, f->request_piv);
	cborbuf_put_bstr(out, f->class_i);
	if (!c->group)
		return;
	cborbuf_put_bstr(out, f->request_kid_context);
	cborbuf_put_bstr(out, f->option);
	cborbuf_put_bstr(out, context_recipient_cred(f->sender));
	cborbuf_put_bstr(out, bytes_of(c->gm_cred, c->n_gm_cred));
}

int
frame_aad(const struct frame *f, struct bytes *ret_array, struct bytes *ret_aad)
{
	struct buf array = BUF_OF(array_bytes);
	struct buf aad = BUF_OF(aad_bytes);

	put_array(f, &array);
	cborbuf_put_array(&aad, 3);
	cborbuf_put_str(&aad, "Encrypt0");
	cborbuf_put_bstr(&aad, bytes_of("", 0));
	cborbuf_put_bstr(&aad, buf_bytes(&array));
	if (array.full || aad.full)
		return -ENOBUFS;
	*ret_array = buf_bytes(&array);
	*ret_aad = buf_bytes(&aad);
	return 0;
}

int
frame_tbs(struct bytes aad_array, struct bytes ciphertext, struct bytes *ret)
{
	struct buf tbs = BUF_OF(tbs_bytes);

	cborbuf_put_array(&tbs, N_COUNTERSIGN);
	cborbuf_put_str(&tbs, "CounterSignature0");
	cborbuf_put_bstr(&tbs, bytes_of("", 0));
	cborbuf_put_bstr(&tbs, bytes_of("", 0));
	cborbuf_put_bstr(&tbs, aad_array);
	cborbuf_put_bstr(&tbs, ciphertext);
	if (tbs.full)
		return -ENOBUFS;
	*ret = buf_bytes(&tbs);
	return 0;
}

void
frame_put_mask_info(const struct frame *f, struct buf *out)
{
	cborbuf_put_array(out, 4);
	cborbuf_put_bstr(out, f->piv_id);
	cborbuf_put_bstr(out, context_id_bytes(f->context->id));
	cborbuf_put_bool(out, f->is_request);
	cborbuf_put_uint(out, SUITE_SIGNATURE);
}

int
frame_mask(const struct frame *f, uint8_t signature[SUITE_SIGNATURE])
{
	uint8_t raw[DERIVE_MAX_INFO];
	uint8_t stream[SUITE_SIGNATURE];
	struct buf info = BUF_OF(raw);
	int rc;

	frame_put_mask_info(f, &info);
	if (info.full)
		return -EIO;
	rc = crypto_hkdf(f->context->hkdf, f->piv,
		bytes_of(f->context->sek, f->context->group_encryption->key), buf_bytes(&info),
		stream, sizeof(stream));
	for (size_t i = 0; i < sizeof(stream) && rc == 0; i++)
		signature[i] ^= stream[i];
	mem_wipe(stream, sizeof(stream));
	return rc;
}
