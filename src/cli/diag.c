/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/diag.h"

#include <errno.h>

#include "cli/text.h"
#include "wire/cborget.h"

#define SHORT_STRING 32 /* bytes of a string that are shown */
#define MAX_ITEMS 64 /* of all lists together; then it ends with "..." */

/* A list, map or tag that is open. */
struct level {
	uint64_t left; /* items to come; a pair is two */
	bool is_map;
	bool is_tag;
	bool started;
};

struct diag {
	struct level levels[CBORGET_DEPTH + 1];
	size_t depth;
	struct bytes in;
	struct buf *out;
};

static void
put_string(struct buf *out, const struct item *i)
{
	char line[TEXT_ESCAPED(SHORT_STRING)];
	struct bytes head = bytes_head(i->string, SHORT_STRING);
	bool text = i->kind == ITEM_TSTR && cborget_is_utf8(head);

	buf_put_str(out, text ? "\"" : "h'");
	if (text) {
		(void)text_escape(head, line);
		buf_put_str(out, line);
	} else {
		buf_put_hex(out, head);
	}
	buf_put_str(out, text ? "\"" : "'");
	if (head.n < i->string.n)
		buf_put_str(out, "...");
}

static void
put_simple(struct buf *out, const struct item *i)
{
	if (i->kind == ITEM_BOOL)
		buf_put_str(out, i->number ? "true" : "false");
	else if (i->kind == ITEM_NULL)
		buf_put_str(out, "null");
	else if (i->kind == ITEM_FLOAT)
		buf_printf(out, "%g", i->real);
	else
		buf_printf(out, "simple(%llu)", (unsigned long long)i->number);
}

/* What it holds becomes the next level. */
static void
open_level(struct diag *d, const struct item *i)
{
	struct level *l = &d->levels[++d->depth];

	*l = (struct level){.left = i->number, .is_map = i->kind == ITEM_MAP};
	if (i->kind == ITEM_TAG) {
		buf_printf(d->out, "%llu(", (unsigned long long)i->number);
		*l = (struct level){.left = 1, .is_tag = true};
	} else {
		buf_put_str(d->out, l->is_map ? "{" : "[");
		l->left *= l->is_map ? 2 : 1;
	}
}

static void
put_item(struct diag *d, const struct item *i)
{
	switch (i->kind) {
	case ITEM_UINT:
		buf_printf(d->out, "%llu", (unsigned long long)i->number);
		break;
	case ITEM_NINT:
		if (i->number == UINT64_MAX)
			buf_put_str(d->out, "-18446744073709551616");
		else
			buf_printf(d->out, "-%llu", (unsigned long long)i->number + 1);
		break;
	case ITEM_BSTR:
	case ITEM_TSTR:
		put_string(d->out, i);
		break;
	case ITEM_ARRAY:
	case ITEM_MAP:
	case ITEM_TAG:
		open_level(d, i);
		break;
	default:
		put_simple(d->out, i);
	}
}

static void
separate(struct diag *d)
{
	struct level *l = &d->levels[d->depth];

	if (d->depth == 0)
		return;
	if (l->started)
		buf_put_str(d->out, l->is_map && l->left % 2 ? ": " : ", ");
	l->started = true;
	l->left--;
}

static void
close_levels(struct diag *d)
{
	for (; d->depth > 0 && d->levels[d->depth].left == 0; d->depth--) {
		const struct level *l = &d->levels[d->depth];

		buf_put_str(d->out, l->is_tag ? ")" : l->is_map ? "}" : "]");
	}
}

/* One item, whole and definite: then there is nothing left to go wrong. */
static bool
is_sound(struct bytes cbor)
{
	struct cborget c = cborget_of(cbor);
	struct item i;

	if (cborget_skip(&c) < 0 || !cborget_at_end(&c))
		return false;
	while (cbor.n > 0) {
		if (cborbuf_take(&cbor, &i) < 0 || i.kind >= ITEM_BSTR_PARTS)
			return false;
	}
	return true;
}

int
diag_put(struct bytes cbor, struct buf *out)
{
	struct diag d = {.in = cbor, .out = out};
	unsigned n = 0;
	struct item i;

	if (!is_sound(cbor))
		return -EBADMSG;
	do {
		separate(&d);
		if (n++ == MAX_ITEMS) {
			buf_put_str(out, "...");
			return 0;
		}
		(void)cborbuf_take(&d.in, &i);
		put_item(&d, &i);
		close_levels(&d);
	} while (d.depth > 0);
	return 0;
}
