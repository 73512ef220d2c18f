/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/cborget.h"

#include <errno.h>

bool
cborget_at_end(const struct cborget *c)
{
	return c->in.n == 0;
}

enum item_kind
cborget_peek(const struct cborget *c)
{
	struct bytes in = c->in;
	struct item it;

	if (in.n == 0)
		return ITEM_END;
	return cborbuf_take(&in, &it) == 0 ? it.kind : ITEM_BAD;
}

/* The next item, when it is of this kind. */
static int
take(struct cborget *c, enum item_kind kind, struct item *ret)
{
	struct bytes in = c->in;
	struct item it;

	if (cborbuf_take(&in, &it) != 0 || it.kind != kind)
		return -EBADMSG;
	c->in = in;
	*ret = it;
	return 0;
}

int
cborget_uint(struct cborget *c, uint64_t *ret)
{
	struct item it;

	if (take(c, ITEM_UINT, &it) != 0)
		return -EBADMSG;
	*ret = it.number;
	return 0;
}

/* The value of an integer item; false when it is none, or has more than 64 bits. */
static bool
item_int(const struct item *it, int64_t *ret)
{
	if ((it->kind != ITEM_UINT && it->kind != ITEM_NINT) || it->number > INT64_MAX)
		return false;
	*ret = it->kind == ITEM_UINT ? (int64_t)it->number : -1 - (int64_t)it->number;
	return true;
}

int
cborget_int(struct cborget *c, int64_t *ret)
{
	struct bytes in = c->in;
	struct item it;

	if (cborbuf_take(&in, &it) != 0 || !item_int(&it, ret))
		return -EBADMSG;
	c->in = in;
	return 0;
}

int
cborget_bstr(struct cborget *c, struct bytes *ret)
{
	struct item it;

	if (take(c, ITEM_BSTR, &it) != 0)
		return -EBADMSG;
	*ret = it.string;
	return 0;
}

int
cborget_tstr(struct cborget *c, struct bytes *ret)
{
	struct cborget ahead = *c;
	struct item it;

	if (take(&ahead, ITEM_TSTR, &it) != 0 || !cborget_is_utf8(it.string))
		return -EBADMSG;
	*c = ahead;
	*ret = it.string;
	return 0;
}

int
cborget_tag(struct cborget *c, uint64_t *ret)
{
	struct item it;

	if (take(c, ITEM_TAG, &it) != 0)
		return -EBADMSG;
	*ret = it.number;
	return 0;
}

int
cborget_bool(struct cborget *c, bool *ret)
{
	struct item it;

	if (take(c, ITEM_BOOL, &it) != 0)
		return -EBADMSG;
	*ret = it.number != 0;
	return 0;
}

int
cborget_null(struct cborget *c)
{
	struct item it;

	return take(c, ITEM_NULL, &it);
}

/* The head of an array or map whose n times `each` items need at least a byte each. */
static int
take_count(struct cborget *c, enum item_kind kind, unsigned each, uint64_t *ret_n)
{
	struct cborget ahead = *c;
	struct item it;

	if (take(&ahead, kind, &it) != 0 || it.number > ahead.in.n / each)
		return -EBADMSG;
	*c = ahead;
	*ret_n = it.number;
	return 0;
}

int
cborget_array(struct cborget *c, uint64_t *ret_n)
{
	return take_count(c, ITEM_ARRAY, 1, ret_n);
}

int
cborget_map(struct cborget *c, uint64_t *ret_n)
{
	return take_count(c, ITEM_MAP, 2, ret_n);
}

int
cborget_number(struct cborget *c, int64_t *ret)
{
	const double limit = 9223372036854775808.0; /* 2^63: the first that does not fit */
	struct bytes in = c->in;
	struct item it;

	if (cborbuf_take(&in, &it) != 0)
		return -EBADMSG;
	if (it.kind == ITEM_FLOAT) {
		/* NaN compares false, too. */
		if (!(it.real >= -limit && it.real < limit))
			return -EBADMSG;
		*ret = (int64_t)it.real;
	} else if (!item_int(&it, ret)) {
		return -EBADMSG;
	}
	c->in = in;
	return 0;
}

/* What is open around the item that is being skipped. */
struct nest {
	unsigned depth;
	struct {
		enum item_kind kind;
		uint64_t left; /* items to come; of an open map, the items so far */
	} level[CBORGET_DEPTH];
};

static bool
is_open(enum item_kind kind)
{
	return kind >= ITEM_BSTR_PARTS && kind <= ITEM_MAP_OPEN;
}

/* Whether this kind may come at this place. */
static bool
may_come(const struct nest *nest, enum item_kind kind)
{
	enum item_kind around;

	if (nest->depth == 0)
		return kind != ITEM_BREAK;
	around = nest->level[nest->depth - 1].kind;
	if (kind == ITEM_BREAK) /* a map ends after a value, not after a key */
		return is_open(around) &&
		       !(around == ITEM_MAP_OPEN && nest->level[nest->depth - 1].left % 2 != 0);
	/* RFC 8949 3.2.3: the parts of a string are definite strings of its type. */
	if (around == ITEM_BSTR_PARTS)
		return kind == ITEM_BSTR;
	if (around == ITEM_TSTR_PARTS)
		return kind == ITEM_TSTR;
	return true;
}

/* How many items follow the head; 0 for what is complete or open. */
static uint64_t
n_following(const struct item *it)
{
	if (it->kind == ITEM_ARRAY)
		return it->number;
	if (it->kind == ITEM_MAP)
		return it->number <= UINT64_MAX / 2 ? it->number * 2 : UINT64_MAX;
	return it->kind == ITEM_TAG;
}

/* An item is complete, and with it perhaps what is around it. */
static void
complete(struct nest *nest)
{
	while (nest->depth > 0) {
		unsigned top = nest->depth - 1;

		if (is_open(nest->level[top].kind)) {
			nest->level[top].left++;
			return;
		}
		if (--nest->level[top].left > 0)
			return;
		nest->depth--;
	}
}

int
cborget_skip(struct cborget *c)
{
	struct nest nest = {.depth = 0};
	struct bytes in = c->in;

	do {
		struct item it;
		uint64_t n;

		if (cborbuf_take(&in, &it) != 0 || !may_come(&nest, it.kind))
			return -EBADMSG;
		n = n_following(&it);
		if (n > in.n)
			return -EBADMSG;
		if (n > 0 || is_open(it.kind)) {
			if (nest.depth == CBORGET_DEPTH)
				return -EBADMSG;
			nest.level[nest.depth].kind = it.kind;
			nest.level[nest.depth].left = n;
			nest.depth++;
			continue;
		}
		if (it.kind == ITEM_BREAK)
			nest.depth--;
		complete(&nest);
	} while (nest.depth > 0);
	c->in = in;
	return 0;
}

int
cborget_raw(struct cborget *c, struct bytes *ret)
{
	struct bytes from = c->in;

	if (cborget_skip(c) != 0)
		return -EBADMSG;
	*ret = bytes_head(from, from.n - c->in.n);
	return 0;
}

/* The length of the UTF-8 sequence that starts here (RFC 3629 section 4), or 0. */
static size_t
utf8_length(struct bytes s)
{
	/* For each first byte: how many follow, and the range of the second. */
	static const struct {
		uint8_t first, last, n, low, high;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 0},
		{0xc2, 0xdf, 1, 0x80, 0xbf},
		{0xe0, 0xe0, 2, 0xa0, 0xbf},
		{0xe1, 0xec, 2, 0x80, 0xbf},
		{0xed, 0xed, 2, 0x80, 0x9f},
		{0xee, 0xef, 2, 0x80, 0xbf},
		{0xf0, 0xf0, 3, 0x90, 0xbf},
		{0xf1, 0xf3, 3, 0x80, 0xbf},
		{0xf4, 0xf4, 3, 0x80, 0x8f},
	};

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (s.p[0] < forms[f].first || s.p[0] > forms[f].last)
			continue;
		if (s.n <= forms[f].n)
			return 0;
		if (forms[f].n > 0 && (s.p[1] < forms[f].low || s.p[1] > forms[f].high))
			return 0;
		for (size_t i = 2; i <= forms[f].n; i++)
			if ((s.p[i] & 0xc0) != 0x80)
				return 0;
		return forms[f].n + 1;
	}
	return 0;
}

bool
cborget_is_utf8(struct bytes text)
{
	while (text.n > 0) {
		size_t n = utf8_length(text);

		if (n == 0)
			return false;
		text = bytes_from(text, n);
	}
	return true;
}
