/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#define SLAB_OBJECTS 128
#define SLABS_BURST 16 /* so many at once are given back to the kernel, not only to malloc */

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
mem_trim(void)
{
#ifdef HAVE_MALLOC_TRIM
	(void)malloc_trim(0);
#endif
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

/* Frees the slabs up to `end`. */
static void
free_slabs(struct pool *p, const void *end)
{
	while (p->slabs != end) {
		void *next = *(void **)p->slabs;

		free(p->slabs);
		p->slabs = next;
	}
}

void
pool_fini(struct pool *p)
{
	free_slabs(p, NULL);
	*p = (struct pool){.size = p->size};
}

/* All objects of a slab join the free ones. */
static void
offer(struct pool *p, char *slab)
{
	char *first = slab + sizeof(void *);

	/* Linked from the back, so that objects leave in order of address. */
	for (size_t i = SLAB_OBJECTS; i-- > 0;) {
		void *object = first + i * p->size;

		*(void **)object = p->free_list;
		p->free_list = object;
	}
}

static void
grow(struct pool *p)
{
	char *slab = checked(malloc(sizeof(void *) + SLAB_OBJECTS * p->size));

	*(void **)slab = p->slabs;
	p->slabs = slab;
	p->n_slabs++;
	offer(p, slab);
}

/* Nothing is in use: the slab to go on with is the oldest, below which nothing gets free. */
static void
shrink(struct pool *p)
{
	size_t n_slabs = p->n_slabs;
	void *oldest = p->slabs;

	while (*(void **)oldest)
		oldest = *(void **)oldest;
	free_slabs(p, oldest);
	p->n_slabs = 1;
	p->free_list = NULL;
	offer(p, oldest);
	if (n_slabs > SLABS_BURST)
		mem_trim();
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
	if (--p->n_used == 0 && p->n_slabs > 1)
		shrink(p);
}

size_t
pool_bytes(const struct pool *p)
{
	return p->n_slabs * (sizeof(void *) + SLAB_OBJECTS * p->size);
}
