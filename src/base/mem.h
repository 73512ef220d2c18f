/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of our own: it aborts when there is none, so no caller checks. That
 * is right only because everything a remote peer can make us keep is counted
 * against a configured limit before it gets here.
 */
#ifndef COAPCAST_BASE_MEM_H
#define COAPCAST_BASE_MEM_H

#include "base/bytes.h"

void *mem_alloc(size_t n); /* zeroed; freed with free() */
void *mem_realloc(void *p, size_t n); /* what grows is not zeroed */
char *mem_strdup(const char *s);
char *mem_strndup(struct bytes s); /* a NUL-terminated copy */
uint8_t *mem_dup(struct bytes b); /* NULL for an empty one */

/*
 * Makes the kernel provide the pages of a zeroed block now: buffers that every
 * batch uses are not to be faulted in one by one during the first burst.
 */
void mem_touch(void *p, size_t n);

/* Gives the system back what is free, where it can be: after something large and rare. */
void mem_trim(void);

/* Overwrites memory in a way the compiler keeps: for keys. */
void mem_wipe(void *p, size_t n);

/*
 * A pool of objects of one size, in slabs: no per-object overhead of malloc,
 * and neighbours stay neighbours. Objects come zeroed. Slabs go back when no
 * object is in use, all but one: a burst is not to be paid for ever after.
 */
struct pool {
	size_t size; /* bytes per object */
	void *free_list; /* objects handed back, linked through their first word */
	void *slabs; /* every slab, linked through its first word */
	size_t n_used; /* objects handed out */
	size_t n_slabs;
};

void pool_init(struct pool *p, size_t object_size);
void pool_fini(struct pool *p); /* frees every object with it */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *object);
size_t pool_bytes(const struct pool *p); /* what the slabs occupy */

#endif
