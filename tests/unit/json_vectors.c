/* SPDX-License-Identifier: BSD-2-Clause */
#include "json_vectors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define DEPTH 16
#define ARENA (1U << 20)

static uint8_t arena[ARENA];
static size_t arena_used;

static char *
slurp(const char *name, size_t *ret_n)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	FILE *f;
	char *p;
	long n;

	snprintf(path, sizeof(path), "%s/tests/data/%s", srcdir != NULL ? srcdir : ".", name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	p = mem_alloc((size_t)n + 1);
	ck_assert_uint_eq(fread(p, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	*ret_n = (size_t)n;
	return p;
}

static size_t
skip_blanks(const char *s, size_t at)
{
	while (s[at] == ' ' || s[at] == '\n' || s[at] == '\t' || s[at] == '\r' || s[at] == ',' ||
		s[at] == ':')
		at++;
	return at;
}

/* A string without its quotes; escapes stay as they are. */
static struct bytes
take_string(const char *s, size_t *at)
{
	size_t start = ++*at;

	for (; s[*at] != '"'; ++*at) {
		ck_assert(s[*at] != '\0');
		if (s[*at] == '\\')
			++*at;
	}
	return bytes_of(s + start, (*at)++ - start);
}

static void
take_scalar(const char *s, size_t *at, struct node *n)
{
	size_t start = *at;

	if (s[*at] == '"') {
		n->kind = NODE_STRING;
		n->text = take_string(s, at);
		return;
	}
	*at += strcspn(s + *at, ",]} \n\r\t");
	ck_assert(*at > start);
	n->text = bytes_of(s + start, *at - start);
	n->kind = bytes_is(n->text, "null")            ? NODE_NULL
		  : s[start] == 't' || s[start] == 'f' ? NODE_BOOL
						       : NODE_NUMBER;
}

struct vectors
vectors_open(const char *name)
{
	size_t length;
	struct vectors v = {.file = slurp(name, &length)};
	const char *s = v.file;
	size_t open[DEPTH], depth = 0, at = skip_blanks(s, 0);

	v.nodes = mem_alloc((length + 1) * sizeof(*v.nodes));
	while (s[at] != '\0') {
		struct node *n = &v.nodes[v.n];

		if (s[at] == ']' || s[at] == '}') {
			ck_assert(depth > 0);
			v.nodes[open[--depth]].after = v.n;
			at = skip_blanks(s, at + 1);
			continue;
		}
		if (depth > 0 && v.nodes[open[depth - 1]].kind == NODE_OBJECT) {
			n->key = take_string(s, &at);
			at = skip_blanks(s, at);
		}
		if (s[at] == '[' || s[at] == '{') {
			ck_assert(depth < DEPTH);
			n->kind = s[at++] == '[' ? NODE_ARRAY : NODE_OBJECT;
			open[depth++] = v.n;
		} else {
			take_scalar(s, &at, n);
		}
		n->after = ++v.n;
		at = skip_blanks(s, at);
	}
	ck_assert(depth == 0);
	return v;
}

void
vectors_close(struct vectors *v)
{
	free(v->file);
	free(v->nodes);
	vectors_forget();
}

size_t
vectors_first(const struct vectors *v, size_t at)
{
	return v->nodes[at].after > at + 1 ? at + 1 : 0;
}

size_t
vectors_next(const struct vectors *v, size_t at, size_t member)
{
	size_t next = v->nodes[member].after;

	return next < v->nodes[at].after ? next : 0;
}

size_t
vectors_find(const struct vectors *v, size_t at, const char *name)
{
	for (size_t m = vectors_first(v, at); m != 0; m = vectors_next(v, at, m))
		if (bytes_is(v->nodes[m].key, name))
			return v->nodes[m].kind != NODE_NULL ? m : 0;
	return 0;
}

bool
vectors_has(const struct vectors *v, size_t at, const char *name)
{
	return vectors_find(v, at, name) != 0;
}

struct bytes
vectors_text(const struct vectors *v, size_t at, const char *name)
{
	size_t m = vectors_find(v, at, name);

	ck_assert_msg(m != 0, "no \"%s\" in the vector", name);
	return v->nodes[m].text;
}

long
vectors_number(const struct vectors *v, size_t at, const char *name, long absent)
{
	size_t m = vectors_find(v, at, name);

	if (m == 0)
		return absent;
	ck_assert_int_eq(v->nodes[m].kind, NODE_NUMBER);
	return strtol((const char *)v->nodes[m].text.p, NULL, 10);
}

struct bytes
vectors_unhex(struct bytes text)
{
	uint8_t *p = arena + arena_used;

	ck_assert_uint_eq(text.n % 2, 0);
	ck_assert_uint_lt(arena_used + text.n / 2, sizeof(arena));
	for (size_t i = 0; i < text.n; i += 2) {
		int high = bytes_hex_digit(text.p[i]);
		int low = bytes_hex_digit(text.p[i + 1]);

		ck_assert(high >= 0 && low >= 0);
		p[i / 2] = (uint8_t)(high << 4 | low);
	}
	arena_used += text.n / 2;
	return bytes_of(p, text.n / 2);
}

struct bytes
vectors_hex(const struct vectors *v, size_t at, const char *name)
{
	size_t m = vectors_find(v, at, name);

	return m != 0 ? vectors_unhex(v->nodes[m].text) : BYTES_NONE;
}

void
vectors_forget(void)
{
	arena_used = 0;
}
