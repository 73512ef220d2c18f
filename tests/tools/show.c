/* SPDX-License-Identifier: BSD-2-Clause */
#include "show.h"

#include <ctype.h>
#include <stdio.h>

#define DEPTH_MAX 8
#define TEXT_MAX 100 /* longer payloads are shown as their length */

enum kind { HEX, NUMBER, TEXT, BLOCK };

static const struct option_name {
	uint32_t number;
	const char *name; /* what is written before the value */
	enum kind kind;
} option_names[] = {
	{SHOW_IF_MATCH, "if-match=", HEX},
	{3, "host=", TEXT},
	{SHOW_ETAG, "etag=", HEX},
	{SHOW_IF_NONE_MATCH, "if-none-match", HEX},
	{SHOW_OBSERVE, "observe=", NUMBER},
	{7, "port=", NUMBER},
	{8, "location=/", TEXT},
	{SHOW_URI_PATH, "/", TEXT},
	{SHOW_FORMAT, "format=", NUMBER},
	{14, "max-age=", NUMBER},
	{SHOW_URI_QUERY, "?", TEXT},
	{SHOW_ACCEPT, "accept=", NUMBER},
	{23, "block2=", BLOCK},
	{27, "block1=", BLOCK},
	{28, "size2=", NUMBER},
	{60, "size1=", NUMBER},
	{258, "no-response=", NUMBER},
};

static const char *const methods[] = {
	"empty", "get", "post", "put", "delete", "fetch", "patch", "ipatch"};

static uint32_t
number_of(struct bytes v)
{
	uint32_t n = 0;

	for (size_t i = 0; i < v.n; i++)
		n = n << 8 | v.p[i];
	return n;
}

static void
put_text(struct buf *out, struct bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (isprint(v.p[i]))
			buf_put_u8(out, v.p[i]);
		else
			buf_printf(out, "\\x%02x", v.p[i]);
	}
}

static const struct option_name *
name_of(uint32_t number)
{
	for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]); i++) {
		if (option_names[i].number == number)
			return &option_names[i];
	}
	return NULL;
}

/* `before` is the number of the option before: segments of a path are one word. */
static void
put_option(struct buf *out, uint32_t number, uint32_t before, struct bytes v)
{
	const struct option_name *name = name_of(number);
	uint32_t n = number_of(v);

	if (number == before && (number == SHOW_URI_PATH || number == 8)) {
		buf_put_str(out, "/");
		put_text(out, v);
		return;
	}
	if (!name) {
		buf_printf(out, " %u=", number);
		buf_put_hex(out, v);
		return;
	}
	buf_printf(out, " %s", name->name);
	switch (name->kind) {
	case HEX:
		buf_put_hex(out, v);
		break;
	case NUMBER:
		buf_printf(out, "%u", n);
		break;
	case TEXT:
		put_text(out, v);
		break;
	case BLOCK:
		buf_printf(out, "%u/%u/%u", n >> 4, n >> 3 & 1, 16u << (n & 7));
		break;
	}
}

/* A nibble of an option's first byte with its extension: RFC 7252 3.1. */
static bool
take_extended(struct bytes *in, uint32_t nibble, uint32_t *ret)
{
	size_t more = nibble == 13 ? 1 : nibble == 14 ? 2 : 0;

	if (nibble == 15 || in->n < more)
		return false;
	*ret = nibble;
	if (more == 1)
		*ret = 13u + in->p[0];
	if (more == 2)
		*ret = 269u + number_of(bytes_head(*in, 2));
	*in = bytes_from(*in, more);
	return true;
}

/* All options; leaves the payload marker and what follows. *format: -1 without one. */
static bool
put_options(struct buf *out, struct bytes *in, int *format)
{
	uint32_t number = 0, before = 0, delta, length;

	while (in->n > 0 && in->p[0] != 0xff) {
		uint8_t head = in->p[0];

		*in = bytes_from(*in, 1);
		if (!take_extended(in, head >> 4, &delta) ||
			!take_extended(in, head & 15, &length) || in->n < length)
			return false;
		number += delta;
		if (number == SHOW_FORMAT)
			*format = (int)number_of(bytes_head(*in, length));
		put_option(out, number, before, bytes_head(*in, length));
		before = number;
		*in = bytes_from(*in, length);
	}
	return true;
}

static bool
is_printable(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (!isprint(v.p[i]))
			return false;
	}
	return true;
}

static void
put_payload(struct buf *out, struct bytes payload, int format)
{
	buf_put_str(out, " ");
	if (format == 60 || format == 606 || format == 65001) {
		show_cbor(payload, out);
	} else if (payload.n > TEXT_MAX) {
		buf_printf(out, "<%zu bytes>", payload.n);
	} else if (is_printable(payload)) {
		buf_put_str(out, "\"");
		buf_put(out, payload);
		buf_put_str(out, "\"");
	} else {
		buf_put_str(out, "h'");
		buf_put_hex(out, payload);
		buf_put_str(out, "'");
	}
}

void
show_message(struct bytes datagram, struct buf *out)
{
	static const char *const types[] = {"con", "non", "ack", "rst"};
	struct bytes rest = bytes_from(datagram, 4);
	const uint8_t *p = datagram.p;
	size_t n_token = datagram.n ? p[0] & 15 : 0;
	int format = -1;

	if (datagram.n < 4 || p[0] >> 6 != 1 || n_token > 8 || rest.n < n_token) {
		buf_put_str(out, "? ");
		buf_put_hex(out, datagram);
		return;
	}
	buf_put_str(out, types[p[0] >> 4 & 3]);
	if (p[1] < sizeof(methods) / sizeof(methods[0]))
		buf_printf(out, " %s", methods[p[1]]);
	else
		buf_printf(out, " %u.%02u", p[1] >> 5, p[1] & 31);
	buf_printf(out, " mid=%02x%02x", p[2], p[3]);
	if (n_token) {
		buf_put_str(out, " token=");
		buf_put_hex(out, bytes_head(rest, n_token));
	}
	rest = bytes_from(rest, n_token);
	if (!put_options(out, &rest, &format))
		buf_put_str(out, " ?");
	else if (rest.n > 0)
		put_payload(out, bytes_from(rest, 1), format);
}

/* An array or map that is being shown. */
struct level {
	uint64_t left; /* items still to come; a map has two per entry */
	bool is_map;
	bool started;
};

/* The argument of an item's head: RFC 8949 3. Indefinite lengths are not understood. */
static bool
take_head(struct bytes *in, uint8_t *ret_major, uint64_t *ret_n)
{
	uint8_t info;
	size_t n;

	if (in->n == 0)
		return false;
	*ret_major = in->p[0] >> 5;
	info = in->p[0] & 31;
	*in = bytes_from(*in, 1);
	*ret_n = info;
	if (info < 24)
		return true;
	n = (size_t)1 << (info - 24);
	if (info > 27 || in->n < n)
		return false;
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		*ret_n = *ret_n << 8 | in->p[i];
	*in = bytes_from(*in, n);
	return true;
}

static bool
put_string(struct bytes *in, uint8_t major, uint64_t n, struct buf *out)
{
	if (n > in->n)
		return false;
	buf_put_str(out, major == 2 ? "h'" : "\"");
	if (major == 2)
		buf_put_hex(out, bytes_head(*in, n));
	else
		put_text(out, bytes_head(*in, n));
	buf_put_str(out, major == 2 ? "'" : "\"");
	*in = bytes_from(*in, n);
	return true;
}

/* One item but the content of a container, which becomes `inside`. */
static bool
put_item(struct bytes *in, struct level *inside, bool *opened, struct buf *out)
{
	static const char *const simple[] = {"false", "true", "null"};
	uint8_t major;
	uint64_t n;

	*opened = false;
	if (!take_head(in, &major, &n))
		return false;
	switch (major) {
	case 0:
		buf_printf(out, "%llu", (unsigned long long)n);
		return true;
	case 1:
		buf_printf(out, "-%llu", (unsigned long long)n + 1);
		return true;
	case 2:
	case 3:
		return put_string(in, major, n, out);
	case 4:
	case 5:
		*inside = (struct level){.left = major == 5 ? 2 * n : n, .is_map = major == 5};
		*opened = true;
		buf_put_str(out, major == 5 ? "{" : "[");
		return n <= in->n;
	default:
		if (major != 7 || n < 20 || n > 22)
			return false;
		buf_put_str(out, simple[n - 20]);
		return true;
	}
}

void
show_cbor(struct bytes item, struct buf *out)
{
	struct level levels[DEPTH_MAX + 1];
	size_t depth = 0;
	bool opened;

	do {
		struct level *l = &levels[depth];

		if (depth > 0) {
			if (l->started)
				buf_put_str(out, l->is_map && l->left % 2 ? ": " : ", ");
			l->started = true;
			l->left--;
		}
		if (depth == DEPTH_MAX || !put_item(&item, &levels[depth + 1], &opened, out)) {
			buf_put_str(out, "?");
			return;
		}
		if (opened)
			depth++;
		for (; depth > 0 && levels[depth].left == 0; depth--)
			buf_put_str(out, levels[depth].is_map ? "}" : "]");
	} while (depth > 0);
	if (item.n > 0)
		buf_put_str(out, "?");
}

bool
show_unhex(const char *hex, struct buf *out)
{
	for (; hex[0] && hex[1]; hex += 2) {
		unsigned byte;

		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
			sscanf(hex, "%2x", &byte) != 1)
			return false;
		buf_put_u8(out, (uint8_t)byte);
	}
	return hex[0] == '\0';
}

bool
show_method(const char *name, uint8_t *ret)
{
	for (uint8_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(name, methods[i]) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}
