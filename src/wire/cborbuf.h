/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CBOR data items (RFC 8949) at the lowest level: a writer of preferred,
 * definite-length items on the sticky buffer, and the head of one item read
 * from borrowed bytes. The only module that knows the CBOR library, of which
 * it uses what neither allocates nor nests. What a sequence of heads means,
 * and limits on nesting, are cborget's; maps and their keys are the caller's.
 */
#ifndef COAPCAST_WIRE_CBORBUF_H
#define COAPCAST_WIRE_CBORBUF_H

#include "base/buf.h"

/* Integers and lengths take the shortest form (RFC 8949 4.1). */
void cborbuf_put_uint(struct buf *out, uint64_t v);
void cborbuf_put_int(struct buf *out, int64_t v);
void cborbuf_put_bstr(struct buf *out, struct bytes v);
void cborbuf_put_tstr(struct buf *out, struct bytes v); /* v must be UTF-8 */
void cborbuf_put_str(struct buf *out, const char *v); /* the same of a C string */
void cborbuf_put_array(struct buf *out, uint64_t n); /* n items follow */
void cborbuf_put_map(struct buf *out, uint64_t n); /* n pairs follow */
void cborbuf_put_tag(struct buf *out, uint64_t tag); /* one item follows */
void cborbuf_put_bool(struct buf *out, bool v);
void cborbuf_put_null(struct buf *out);

enum item_kind {
	ITEM_UINT, /* number */
	ITEM_NINT, /* -1 - number */
	ITEM_BSTR, /* string: complete */
	ITEM_TSTR, /* string: complete, not checked to be UTF-8 */
	ITEM_ARRAY, /* number: items that follow */
	ITEM_MAP, /* number: pairs that follow */
	ITEM_TAG, /* number: the tag; one item follows */
	ITEM_BOOL, /* number: 0 or 1 */
	ITEM_NULL,
	ITEM_FLOAT, /* real */
	ITEM_SIMPLE, /* undefined, or a simple value nobody has assigned; number */
	ITEM_BSTR_PARTS, /* indefinite: definite ITEM_BSTR follow, up to ITEM_BREAK */
	ITEM_TSTR_PARTS, /* the same of ITEM_TSTR */
	ITEM_ARRAY_OPEN, /* indefinite: items follow, up to ITEM_BREAK */
	ITEM_MAP_OPEN, /* indefinite: pairs follow, up to ITEM_BREAK */
	ITEM_BREAK,
	ITEM_END, /* of the input; only cborget_peek says this and the next */
	ITEM_BAD, /* not well-formed, or truncated */
};

/* One item without what it contains: strings are whole, the rest follows it. */
struct item {
	enum item_kind kind;
	uint64_t number;
	double real;
	struct bytes string; /* borrowed */
};

/*
 * Reads the item `in` starts with and moves `in` behind what was read: behind
 * the string, or behind the head of what holds other items. -EBADMSG when it
 * is truncated or not well-formed; `in` is then where it was. A count is what
 * the sender claims: nothing is allocated or looped over here because of it.
 */
int cborbuf_take(struct bytes *in, struct item *ret);

#endif
