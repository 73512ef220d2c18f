/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that goes all at once: what is read from a configuration lives in one
 * arena, so that nothing in the result needs a free function of its own and
 * no secret is forgotten when it is overwritten at the end. Not for anything
 * that changes at run time.
 */
#ifndef COAPCAST_CONF_ARENA_H
#define COAPCAST_CONF_ARENA_H

#include "base/bytes.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
};

/* Zeroed, aligned for anything; never NULL, also for n == 0. */
void *arena_alloc(struct arena *a, size_t n);

/* A NUL-terminated copy. */
char *arena_str(struct arena *a, struct bytes s);

/* A copy whose p is not NULL even when it is empty. */
struct bytes arena_bytes(struct arena *a, struct bytes b);

char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The array `list` of n elements with room for one more: itself or, when it is
 * full, a copy of twice the size in place of it. Capacities are 4, 8, 16, ... and follow from
 * n, so only arrays grown here from NULL may be given.
 */
void *arena_grow(struct arena *a, void *list, size_t n, size_t size);

/* Overwrites and frees everything. */
void arena_fini(struct arena *a);

#endif
