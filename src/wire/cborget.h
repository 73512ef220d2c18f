/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over CBOR from the network (RFC 8949): the caller pulls the items
 * it expects, one by one. Nothing is allocated, nothing recurses, strings are
 * borrowed, and what a header claims costs nothing until the bytes are there.
 * Indefinite lengths are well-formed and can be skipped, but the formats we
 * read have no use for them: getting one is an error. Not here: maps with
 * keys in any order, which is a loop in the caller.
 */
#ifndef COAPCAST_WIRE_CBORGET_H
#define COAPCAST_WIRE_CBORGET_H

#include "wire/cborbuf.h"

#define CBORGET_DEPTH 16 /* levels of nesting that cborget_skip follows, tags included */

struct cborget {
	struct bytes in; /* what is left; borrowed */
};

static inline struct cborget
cborget_of(struct bytes in)
{
	return (struct cborget){in};
}

/* Whether everything has been read. */
bool cborget_at_end(const struct cborget *c);
/* What comes next; ITEM_END at the end, ITEM_BAD when it is not an item. */
enum item_kind cborget_peek(const struct cborget *c);

/*
 * Each takes one item of its type: 0, or -EBADMSG when what comes is another
 * type, out of range, truncated or not well-formed; the cursor then stays
 * where it was, so that another type can be tried.
 */
int cborget_uint(struct cborget *c, uint64_t *ret);
int cborget_int(struct cborget *c, int64_t *ret);
int cborget_bstr(struct cborget *c, struct bytes *ret);
int cborget_tstr(struct cborget *c, struct bytes *ret); /* valid UTF-8 (RFC 8949 5.3.1) */
int cborget_tag(struct cborget *c, uint64_t *ret);
int cborget_bool(struct cborget *c, bool *ret);
int cborget_null(struct cborget *c);

/* n items, or pairs, follow; a count that cannot fit into what is left is -EBADMSG. */
int cborget_array(struct cborget *c, uint64_t *ret_n);
int cborget_map(struct cborget *c, uint64_t *ret_n);

/* An integer, or a float cut to one: NumericDate (RFC 7519 2), #6.1's content. */
int cborget_number(struct cborget *c, int64_t *ret);

/* One item of any type with all it contains, passed over or as its bytes. */
int cborget_skip(struct cborget *c);
int cborget_raw(struct cborget *c, struct bytes *ret);

/* Whether these are UTF-8 (RFC 3629): shortest forms, no surrogates. */
bool cborget_is_utf8(struct bytes text);

#endif
