/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct arena_block {
	struct arena_block *next;
	size_t n; /* bytes of data, to be overwritten at the end */
	_Alignas(max_align_t) unsigned char data[];
};

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = mem_alloc(sizeof(*b) + (n ? n : 1));

	b->n = n;
	b->next = a->blocks;
	a->blocks = b;
	return b->data;
}

char *
arena_str(struct arena *a, struct bytes s)
{
	char *copy = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

struct bytes
arena_bytes(struct arena *a, struct bytes b)
{
	void *copy = arena_alloc(a, b.n);

	if (b.n)
		memcpy(copy, b.p, b.n);
	return bytes_of(copy, b.n);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
	if (n >= 0)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

/*
 * Frees one block early. The search takes no longer than allocating what lies before it
 * did, and a list that doubles makes it that rarely.
 */
static void
drop(struct arena *a, const void *data)
{
	struct arena_block **at = &a->blocks, *b;

	while (*at && (*at)->data != data)
		at = &(*at)->next;
	if ((b = *at) == NULL)
		return;
	*at = b->next;
	mem_wipe(b->data, b->n);
	free(b);
}

void *
arena_grow(struct arena *a, void *list, size_t n, size_t size)
{
	void *bigger;

	/* Full at 0, 4, 8, 16, ...: n is no less than 4 and a power of two. */
	if (list && (n < 4 || (n & (n - 1)) != 0))
		return list;
	bigger = arena_alloc(a, (n ? 2 * n : 4) * size);
	if (n)
		memcpy(bigger, list, n * size);
	if (list)
		drop(a, list);
	return bigger;
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->blocks; b; b = next) {
		next = b->next;
		mem_wipe(b->data, b->n);
		free(b);
	}
	a->blocks = NULL;
}
