/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/map.h"

#include <stdlib.h>

#include "base/mem.h"

#define FIRST_BUCKETS 64

void
map_init(struct map *m)
{
	*m = (struct map){
		.n_buckets = FIRST_BUCKETS, .cap = FIRST_BUCKETS, .mask = FIRST_BUCKETS - 1};
	m->buckets = mem_alloc(FIRST_BUCKETS * sizeof(struct map_node *));
}

void
map_reserve(struct map *m, size_t n)
{
	size_t cap = m->cap;

	if (m->n > 0)
		return;
	while (cap < n && cap <= SIZE_MAX / 4 / sizeof(struct map_node *))
		cap *= 2;
	free(m->buckets);
	*m = (struct map){.n_buckets = cap, .cap = cap, .mask = cap - 1};
	m->buckets = mem_alloc(cap * sizeof(struct map_node *));
}

void
map_fini(struct map *m)
{
	free(m->buckets);
	*m = (struct map){0};
}

/*
 * Buckets from mask + 1 on were split off the first ones by one more bit of the
 * hash; those not split yet answer for both.
 */
static struct map_node **
bucket_of(const struct map *m, uint32_t hash)
{
	size_t i = hash & (2 * m->mask + 1);

	return &m->buckets[i < m->n_buckets ? i : hash & m->mask];
}

static void
chain(struct map_node **head, struct map_node *node)
{
	node->next = *head;
	*head = node;
}

static void
reserve(struct map *m)
{
	size_t n = m->cap * sizeof(struct map_node *);

	if (m->n_buckets < m->cap)
		return;
	m->buckets = mem_realloc(m->buckets, 2 * n);
	memset((char *)m->buckets + n, 0, n);
	m->cap *= 2;
}

/* One bucket more: it takes its part of the one that answered for it. */
static void
split(struct map *m)
{
	struct map_node **from, **to, *list;

	reserve(m);
	from = &m->buckets[m->n_buckets & m->mask];
	to = &m->buckets[m->n_buckets];
	list = *from;
	*from = NULL;
	while (list) {
		struct map_node *node = list;

		list = node->next;
		chain(node->hash & (m->mask + 1) ? to : from, node);
	}
	m->n_buckets++;
	if (m->n_buckets == 2 * (m->mask + 1))
		m->mask = m->n_buckets - 1;
}

void
map_put(struct map *m, struct map_node *node, uint32_t hash)
{
	if (m->n >= m->n_buckets)
		split(m);
	node->hash = hash;
	chain(bucket_of(m, hash), node);
	m->n++;
}

void
map_remove(struct map *m, struct map_node *node)
{
	struct map_node **at = bucket_of(m, node->hash);

	while (*at && *at != node)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = node->next;
	m->n--;
}

struct map_node *
map_first(const struct map *m, uint32_t hash)
{
	struct map_node *node = *bucket_of(m, hash);

	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct map_node *
map_next(const struct map_node *node)
{
	struct map_node *next = node->next;

	while (next && next->hash != node->hash)
		next = next->next;
	return next;
}

void
map_each(struct map *m, void (*visit)(void *ctx, struct map_node *node), void *ctx)
{
	for (size_t i = 0; i < m->n_buckets; i++) {
		struct map_node *node = m->buckets[i];

		while (node) {
			struct map_node *next = node->next;

			visit(ctx, node);
			node = next;
		}
	}
}

uint32_t
map_hash(struct bytes b, uint32_t seed)
{
	uint64_t h = seed ^ (b.n * 0x9e3779b97f4a7c15u), v;

	while (b.n >= 8) {
		memcpy(&v, b.p, 8);
		h = (h ^ v) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
		b = bytes_from(b, 8);
	}
	v = 0;
	if (b.n)
		memcpy(&v, b.p, b.n);
	h = (h ^ v) * 0xbf58476d1ce4e5b9u;
	h ^= h >> 32;
	return (uint32_t)h;
}
