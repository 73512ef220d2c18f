/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define SLAB_OBJECTS 128

static void *
checked(void *p)
{
	if (!p) {
		fputs("<2>mem: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
mem_alloc(size_t n)
{
	return checked(calloc(1, n ? n : 1));
}

void *
mem_realloc(void *p, size_t n)
{
	return checked(realloc(p, n ? n : 1));
}

char *
mem_strdup(const char *s)
{
	return mem_strndup(bytes_str(s));
}

char *
mem_strndup(struct bytes s)
{
	char *copy = mem_alloc(s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

uint8_t *
mem_dup(struct bytes b)
{
	uint8_t *copy;

	if (b.n == 0)
		return NULL;
	copy = mem_alloc(b.n);
	memcpy(copy, b.p, b.n);
	return copy;
}

void
mem_touch(void *p, size_t n)
{
	volatile uint8_t *at = p;

	for (size_t i = 0; i < n; i += 4096)
		at[i] = at[i];
}

void
mem_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void
pool_init(struct pool *p, size_t object_size)
{
	size_t align = sizeof(void *);

	*p = (struct pool){.size = (object_size + align - 1) / align * align};
}

void
pool_fini(struct pool *p)
{
	void *slab = p->slabs;

	while (slab) {
		void *next = *(void **)slab;

		free(slab);
		slab = next;
	}
	*p = (struct pool){.size = p->size};
}

static void
grow(struct pool *p)
{
	char *slab = checked(malloc(sizeof(void *) + SLAB_OBJECTS * p->size));
	char *first = slab + sizeof(void *);

	*(void **)slab = p->slabs;
	p->slabs = slab;
	p->n_slabs++;
	/* Linked from the back, so that objects leave in order of address. */
	for (size_t i = SLAB_OBJECTS; i-- > 0;) {
		void *object = first + i * p->size;

		*(void **)object = p->free_list;
		p->free_list = object;
	}
}

void *
pool_get(struct pool *p)
{
	void *object;

	if (!p->free_list)
		grow(p);
	object = p->free_list;
	p->free_list = *(void **)object;
	p->n_used++;
	memset(object, 0, p->size);
	return object;
}

void
pool_put(struct pool *p, void *object)
{
	if (!object)
		return;
	*(void **)object = p->free_list;
	p->free_list = object;
	p->n_used--;
}

size_t
pool_bytes(const struct pool *p)
{
	return p->n_slabs * (sizeof(void *) + SLAB_OBJECTS * p->size);
}
