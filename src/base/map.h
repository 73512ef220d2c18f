/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash map of objects that embed a `struct map_node` and are owned by
 * somebody else. The map keeps the nodes chained by hash; equality is the
 * caller's, who walks the candidates of one hash. It grows with its content, a
 * bucket at a time (linear hashing): no insertion walks over all there is. It
 * never shrinks.
 */
#ifndef COAPCAST_BASE_MAP_H
#define COAPCAST_BASE_MAP_H

#include "base/bytes.h"

struct map_node {
	struct map_node *next; /* chain of one bucket */
	uint32_t hash;
};

struct map {
	struct map_node **buckets;
	size_t n_buckets; /* in use; those behind are empty */
	size_t cap; /* buckets there is memory for: a power of two */
	size_t mask; /* the largest power of two up to n_buckets, minus 1 */
	size_t n; /* nodes in the map */
};

void map_init(struct map *m);
/* Makes room for so many before the first one is put: they do not move then. */
void map_reserve(struct map *m, size_t n);
void map_fini(struct map *m); /* frees the buckets, not the objects */
void map_put(struct map *m, struct map_node *node, uint32_t hash);
void map_remove(struct map *m, struct map_node *node);

/* First and next candidate with this hash; NULL after the last. */
struct map_node *map_first(const struct map *m, uint32_t hash);
struct map_node *map_next(const struct map_node *node);

/* Visits every node; `visit` may remove the node it is given. */
void map_each(struct map *m, void (*visit)(void *ctx, struct map_node *node), void *ctx);

/* A keyed hash of bytes, good enough against made-up collisions when the seed is secret. */
uint32_t map_hash(struct bytes b, uint32_t seed);

#define MAP_OBJECT(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#endif
