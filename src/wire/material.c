/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/material.h"

#include <errno.h>
#include <stddef.h>

#include "wire/cborbuf.h"
#include "wire/cborget.h"

/* The parameters by their numbers in the registry. */
static const struct parameter {
	int64_t key;
	enum { KIND_BYTES, KIND_VALUE, KIND_RAW } kind;
	size_t at;
} parameters[] = {
	{2, KIND_BYTES, offsetof(struct material, ms)},
	{3, KIND_VALUE, offsetof(struct material, hkdf)},
	{5, KIND_BYTES, offsetof(struct material, salt)},
	{6, KIND_BYTES, offsetof(struct material, context_id)},
	{8, KIND_VALUE, offsetof(struct material, cred_fmt)},
	{9, KIND_VALUE, offsetof(struct material, gp_enc_alg)},
	{10, KIND_VALUE, offsetof(struct material, sign_alg)},
	{11, KIND_RAW, offsetof(struct material, sign_params)},
};

#define N_PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

static bool
is_there(const struct parameter *p, const void *field)
{
	if (p->kind == KIND_VALUE)
		return ((const struct inform_value *)field)->present;
	return ((const struct bytes *)field)->p != NULL;
}

static void
put(const struct parameter *p, const void *field, struct buf *out)
{
	const struct inform_value *v = field;
	const struct bytes *b = field;

	cborbuf_put_int(out, p->key);
	if (p->kind == KIND_RAW)
		buf_put(out, *b);
	else if (p->kind == KIND_BYTES)
		cborbuf_put_bstr(out, *b);
	else if (v->text.p)
		cborbuf_put_tstr(out, v->text);
	else
		cborbuf_put_int(out, v->number);
}

int
material_encode(const struct material *m, struct buf *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < N_PARAMETERS; i++)
		n += is_there(&parameters[i], (const char *)m + parameters[i].at);
	cborbuf_put_map(out, n);
	for (size_t i = 0; i < N_PARAMETERS; i++) {
		const void *field = (const char *)m + parameters[i].at;

		if (is_there(&parameters[i], field))
			put(&parameters[i], field, out);
	}
	return out->full ? -ENOBUFS : 0;
}

/* An integer or a text, as COSE identifiers are. */
static int
take_value(struct cborget *in, struct inform_value *v)
{
	v->present = true;
	return cborget_int(in, &v->number) < 0 ? cborget_tstr(in, &v->text) : 0;
}

static int
take(struct cborget *in, const struct parameter *p, void *field)
{
	/* Not twice. */
	if (is_there(p, field))
		return -EBADMSG;
	switch (p->kind) {
	case KIND_BYTES:
		return cborget_bstr(in, field);
	case KIND_VALUE:
		return take_value(in, field);
	case KIND_RAW:
		break;
	}
	return cborget_raw(in, field);
}

/* A key and what belongs to it. */
static int
take_pair(struct cborget *in, struct material *m)
{
	int64_t key;

	if (cborget_int(in, &key) < 0)
		return cborget_skip(in) < 0 ? -EBADMSG : cborget_skip(in);
	for (size_t i = 0; i < N_PARAMETERS; i++)
		if (parameters[i].key == key)
			return take(in, &parameters[i], (char *)m + parameters[i].at);
	return cborget_skip(in);
}

int
material_decode(struct bytes map, struct material *ret)
{
	struct cborget in = cborget_of(map);
	struct material m = {.ms = BYTES_NONE};
	uint64_t n;

	if (cborget_map(&in, &n) < 0)
		return -EBADMSG;
	for (; n > 0; n--)
		if (take_pair(&in, &m) < 0)
			return -EBADMSG;
	if (!cborget_at_end(&in))
		return -EBADMSG;
	*ret = m;
	return 0;
}
