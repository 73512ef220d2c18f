/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/dedup.h"

#include <stdlib.h>

#include "base/mem.h"
#include "msg/layer.h"

#define LIFETIME_MS (LAYER_EXCHANGE_LIFETIME_S * 1000ull)

struct entry {
	struct map_node node;
	struct entry *younger; /* in order of age */
	struct addr remote, local;
	uint64_t since_ms;
	uint8_t *response; /* owned; NULL: in progress */
	uint32_t n_response;
	uint32_t id;
	uint16_t session; /* 0: none */
};

struct dedup {
	struct map map;
	struct pool pool;
	struct entry *oldest, *youngest;
	uint32_t max, seed;
	uint64_t n_evicted;
};

struct dedup *
dedup_new(uint32_t max, uint32_t seed)
{
	struct dedup *d = mem_alloc(sizeof(*d));

	d->max = max;
	d->seed = seed;
	map_init(&d->map);
	pool_init(&d->pool, sizeof(struct entry));
	return d;
}

void
dedup_set_max(struct dedup *d, uint32_t max)
{
	d->max = max;
}

static void
drop_oldest(struct dedup *d)
{
	struct entry *e = d->oldest;

	d->oldest = e->younger;
	if (!d->oldest)
		d->youngest = NULL;
	map_remove(&d->map, &e->node);
	free(e->response);
	pool_put(&d->pool, e);
}

void
dedup_free(struct dedup *d)
{
	if (!d)
		return;
	while (d->oldest)
		drop_oldest(d);
	map_fini(&d->map);
	pool_fini(&d->pool);
	free(d);
}

static uint32_t
hash_of(const struct dedup *d, const struct path *way, uint32_t id)
{
	return addr_hash(&way->remote, addr_hash(&way->local, d->seed ^ id));
}

/* Those of another transport, or of another session, are other requests. */
static uint16_t
session_of(const struct path *way)
{
	return way->transport == PATH_UDP ? 0 : way->socket;
}

static struct entry *
lookup(const struct dedup *d, const struct path *way, uint32_t id)
{
	for (struct map_node *n = map_first(&d->map, hash_of(d, way, id)); n; n = map_next(n)) {
		struct entry *e = MAP_OBJECT(n, struct entry, node);

		if (e->id == id && e->session == session_of(way) &&
			addr_equal(&e->remote, &way->remote) && addr_equal(&e->local, &way->local))
			return e;
	}
	return NULL;
}

void
dedup_add(struct dedup *d, const struct path *way, uint32_t id, uint64_t now_ms)
{
	struct entry *e;

	if (d->max == 0)
		return;
	while (d->oldest && now_ms - d->oldest->since_ms >= LIFETIME_MS)
		drop_oldest(d);
	for (; d->map.n >= d->max; d->n_evicted++)
		drop_oldest(d);
	e = pool_get(&d->pool);
	e->remote = way->remote;
	e->local = way->local;
	e->id = id;
	e->session = session_of(way);
	e->since_ms = now_ms;
	*(d->youngest ? &d->youngest->younger : &d->oldest) = e;
	d->youngest = e;
	map_put(&d->map, &e->node, hash_of(d, way, id));
}

void
dedup_answer(struct dedup *d, const struct path *way, uint32_t id, struct bytes response)
{
	struct entry *e = lookup(d, way, id);

	if (!e)
		return;
	free(e->response);
	e->response = mem_dup(response);
	e->n_response = (uint32_t)response.n;
}

bool
dedup_find(struct dedup *d, const struct path *way, uint32_t id, uint64_t now_ms,
	struct bytes *ret_response)
{
	struct entry *e = lookup(d, way, id);

	if (!e || now_ms - e->since_ms >= LIFETIME_MS)
		return false;
	*ret_response = bytes_of(e->response, e->n_response);
	return true;
}

size_t
dedup_count(const struct dedup *d)
{
	return d->map.n;
}

uint64_t
dedup_evicted(const struct dedup *d)
{
	return d->n_evicted;
}
