/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/cborbuf.h"

#include <cbor.h>
#include <errno.h>

/*
 * Of the library only cbor_encode_* and cbor_stream_decode: cbor_build_* picks
 * the width by the C type, so 10 may become 1a0000000a, and cbor_load allocates
 * whatever a nine-byte header claims.
 */

#define HEAD_MAX 9 /* longest head of an item: initial byte and a 64-bit argument */

void
cborbuf_put_uint(struct buf *out, uint64_t v)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_uint(v, head, sizeof(head))));
}

void
cborbuf_put_int(struct buf *out, int64_t v)
{
	uint8_t head[HEAD_MAX];

	if (v >= 0)
		cborbuf_put_uint(out, (uint64_t)v);
	else /* the argument of a negative integer is -1 - v, which never overflows */
		buf_put(out,
			bytes_of(head, cbor_encode_negint((uint64_t)(-1 - v), head, sizeof(head))));
}

void
cborbuf_put_bstr(struct buf *out, struct bytes v)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_bytestring_start(v.n, head, sizeof(head))));
	buf_put(out, v);
}

void
cborbuf_put_tstr(struct buf *out, struct bytes v)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_string_start(v.n, head, sizeof(head))));
	buf_put(out, v);
}

void
cborbuf_put_str(struct buf *out, const char *v)
{
	cborbuf_put_tstr(out, bytes_str(v));
}

void
cborbuf_put_array(struct buf *out, uint64_t n)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_array_start((size_t)n, head, sizeof(head))));
}

void
cborbuf_put_map(struct buf *out, uint64_t n)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_map_start((size_t)n, head, sizeof(head))));
}

void
cborbuf_put_tag(struct buf *out, uint64_t tag)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_tag(tag, head, sizeof(head))));
}

void
cborbuf_put_bool(struct buf *out, bool v)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_bool(v, head, sizeof(head))));
}

void
cborbuf_put_null(struct buf *out)
{
	uint8_t head[HEAD_MAX];

	buf_put(out, bytes_of(head, cbor_encode_null(head, sizeof(head))));
}

static void
set_number(void *ctx, enum item_kind kind, uint64_t number)
{
	struct item *it = ctx;

	it->kind = kind;
	it->number = number;
}

static void
set_string(void *ctx, enum item_kind kind, const uint8_t *p, size_t n)
{
	struct item *it = ctx;

	it->kind = kind;
	it->string = bytes_of(p, n);
}

static void
set_real(void *ctx, double v)
{
	struct item *it = ctx;

	it->kind = ITEM_FLOAT;
	it->real = v;
}

static void
on_uint8(void *ctx, uint8_t v)
{
	set_number(ctx, ITEM_UINT, v);
}

static void
on_uint16(void *ctx, uint16_t v)
{
	set_number(ctx, ITEM_UINT, v);
}

static void
on_uint32(void *ctx, uint32_t v)
{
	set_number(ctx, ITEM_UINT, v);
}

static void
on_uint64(void *ctx, uint64_t v)
{
	set_number(ctx, ITEM_UINT, v);
}

static void
on_negint8(void *ctx, uint8_t v)
{
	set_number(ctx, ITEM_NINT, v);
}

static void
on_negint16(void *ctx, uint16_t v)
{
	set_number(ctx, ITEM_NINT, v);
}

static void
on_negint32(void *ctx, uint32_t v)
{
	set_number(ctx, ITEM_NINT, v);
}

static void
on_negint64(void *ctx, uint64_t v)
{
	set_number(ctx, ITEM_NINT, v);
}

static void
on_byte_string(void *ctx, cbor_data p, size_t n)
{
	set_string(ctx, ITEM_BSTR, p, n);
}

static void
on_string(void *ctx, cbor_data p, size_t n)
{
	set_string(ctx, ITEM_TSTR, p, n);
}

static void
on_byte_string_start(void *ctx)
{
	set_number(ctx, ITEM_BSTR_PARTS, 0);
}

static void
on_string_start(void *ctx)
{
	set_number(ctx, ITEM_TSTR_PARTS, 0);
}

static void
on_array_start(void *ctx, size_t n)
{
	set_number(ctx, ITEM_ARRAY, n);
}

static void
on_indef_array_start(void *ctx)
{
	set_number(ctx, ITEM_ARRAY_OPEN, 0);
}

static void
on_map_start(void *ctx, size_t n)
{
	set_number(ctx, ITEM_MAP, n);
}

static void
on_indef_map_start(void *ctx)
{
	set_number(ctx, ITEM_MAP_OPEN, 0);
}

static void
on_tag(void *ctx, uint64_t tag)
{
	set_number(ctx, ITEM_TAG, tag);
}

static void
on_float(void *ctx, float v)
{
	set_real(ctx, (double)v);
}

static void
on_double(void *ctx, double v)
{
	set_real(ctx, v);
}

static void
on_bool(void *ctx, bool v)
{
	set_number(ctx, ITEM_BOOL, v);
}

static void
on_null(void *ctx)
{
	set_number(ctx, ITEM_NULL, 0);
}

static void
on_undefined(void *ctx)
{
	set_number(ctx, ITEM_SIMPLE, 23);
}

static void
on_break(void *ctx)
{
	set_number(ctx, ITEM_BREAK, 0);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string = on_byte_string,
	.byte_string_start = on_byte_string_start,
	.string = on_string,
	.string_start = on_string_start,
	.array_start = on_array_start,
	.indef_array_start = on_indef_array_start,
	.map_start = on_map_start,
	.indef_map_start = on_indef_map_start,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.boolean = on_bool,
	.null = on_null,
	.undefined = on_undefined,
	.indef_break = on_break,
};

/*
 * Simple values without a meaning are well-formed (RFC 8949 3.3) and may be the
 * value of a key that is skipped, but the library calls them an error. 24 to 31
 * do not exist, and below 32 the two-byte form is not well-formed. Returns the
 * bytes taken, 0 when it is not one of these.
 */
static size_t
take_simple(struct bytes in, struct item *ret)
{
	if (in.n >= 1 && in.p[0] >= 0xe0 && in.p[0] < 0xf4) {
		set_number(ret, ITEM_SIMPLE, in.p[0] & 31);
		return 1;
	}
	if (in.n >= 2 && in.p[0] == 0xf8 && in.p[1] >= 32) {
		set_number(ret, ITEM_SIMPLE, in.p[1]);
		return 2;
	}
	return 0;
}

int
cborbuf_take(struct bytes *in, struct item *ret)
{
	struct item it = {.kind = ITEM_BAD};
	size_t n = take_simple(*in, &it);

	if (n == 0) {
		struct cbor_decoder_result r = cbor_stream_decode(in->p, in->n, &callbacks, &it);

		if (r.status != CBOR_DECODER_FINISHED || it.kind == ITEM_BAD || r.read == 0)
			return -EBADMSG;
		n = r.read;
	}
	*in = bytes_from(*in, n);
	*ret = it;
	return 0;
}
