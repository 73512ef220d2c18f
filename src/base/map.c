/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/map.h"

#include <stdlib.h>

#include "base/mem.h"

#define FIRST_BUCKETS 64

void
map_init_for(struct map *m, size_t n)
{
	size_t n_buckets = FIRST_BUCKETS;

	while (n_buckets < n)
		n_buckets *= 2;
	*m = (struct map){.mask = n_buckets - 1};
	m->buckets = mem_alloc(n_buckets * sizeof(struct map_node *));
}

void
map_init(struct map *m)
{
	map_init_for(m, FIRST_BUCKETS);
}

void
map_fini(struct map *m)
{
	free(m->buckets);
	*m = (struct map){0};
}

static void
chain(struct map *m, struct map_node *node)
{
	struct map_node **head = &m->buckets[node->hash & m->mask];

	node->next = *head;
	*head = node;
}

static void
grow(struct map *m)
{
	struct map_node **old = m->buckets;
	size_t n_old = m->mask + 1;

	m->buckets = mem_alloc(n_old * 2 * sizeof(struct map_node *));
	m->mask = n_old * 2 - 1;
	for (size_t i = 0; i < n_old; i++) {
		struct map_node *node = old[i];

		while (node) {
			struct map_node *next = node->next;

			chain(m, node);
			node = next;
		}
	}
	free(old);
}

void
map_put(struct map *m, struct map_node *node, uint32_t hash)
{
	if (m->n > m->mask)
		grow(m);
	node->hash = hash;
	chain(m, node);
	m->n++;
}

void
map_remove(struct map *m, struct map_node *node)
{
	struct map_node **at = &m->buckets[node->hash & m->mask];

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
	struct map_node *node = m->buckets[hash & m->mask];

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
	for (size_t i = 0; i <= m->mask; i++) {
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
