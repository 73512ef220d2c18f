/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/unaware.h"

#include "broker/broker_impl.h"

void
unaware_init(struct unawares *u)
{
	map_init(&u->known);
	pool_init(&u->pool, sizeof(struct unaware));
}

void
unaware_fini(struct unawares *u)
{
	map_fini(&u->known);
	pool_fini(&u->pool);
}

static uint32_t
hash_of(const struct broker *b, const struct group_observation *g, const struct peer *p)
{
	uint32_t seed = map_hash(bytes_of(g->token.b, g->token.n), b->topics.seed);

	return addr_hash(&p->remote, addr_hash(&p->local->addr, seed));
}

static struct suspect *
suspect_slot(struct broker *b, const struct group_observation *g, const struct peer *p,
	uint32_t *ret_tag)
{
	uint32_t hash = hash_of(b, g, p);

	*ret_tag = addr_hash(&p->remote, hash);
	return &b->unawares.suspects[hash % UNAWARE_SUSPECTS];
}

static bool
is_suspect(const struct broker *b, const struct suspect *s, uint32_t tag)
{
	return s->tag == tag && layer_now(b->layer) < s->until_ms;
}

void
unaware_suspect(struct broker *b, struct group_observation *g, const struct peer *p)
{
	uint32_t tag;
	struct suspect *s = suspect_slot(b, g, p, &tag);

	/* The minute counts from the first. */
	if (is_suspect(b, s, tag))
		return;
	*s = (struct suspect){.until_ms = layer_now(b->layer) + UNAWARE_WITHIN_MS,
		.tag = tag,
		.round = g->count.round};
}

static struct unaware *
find(const struct broker *b, const struct group_observation *g, const struct peer *p)
{
	const struct map *known = &b->unawares.known;

	for (struct map_node *n = map_first(known, hash_of(b, g, p)); n; n = map_next(n)) {
		struct unaware *u = MAP_OBJECT(n, struct unaware, node);

		if (u->g == g && addr_equal(&u->remote, &p->remote) &&
			addr_equal(&u->local, &p->local->addr))
			return u;
	}
	return NULL;
}

bool
unaware_is(const struct broker *b, const struct group_observation *g, const struct peer *p)
{
	return b->unawares.known.n > 0 && find(b, g, p) != NULL;
}

static void
know(struct broker *b, struct group_observation *g, const struct peer *p)
{
	struct unaware *u = pool_get(&b->unawares.pool);

	u->g = g;
	u->remote = p->remote;
	u->local = p->local->addr;
	u->next = g->unaware;
	g->unaware = u;
	map_put(&b->unawares.known, &u->node, hash_of(b, g, p));
	b->stats.unaware++;
	if (b->ops->on_unaware)
		b->ops->on_unaware(b->ctx, g, &p->remote);
}

bool
unaware_again(struct broker *b, struct group_observation *g, const struct peer *p)
{
	uint32_t tag;
	struct suspect *s = suspect_slot(b, g, p, &tag);

	if (!is_suspect(b, s, tag) || ++s->n < UNAWARE_TWICE)
		return false;
	s->until_ms = 0;
	/* It was counted each time it was told, and never took part. */
	for (int i = 0; i < UNAWARE_TWICE; i++)
		count_leave(&g->count, s->round);
	if (b->unawares.known.n >= UNAWARE_MAX)
		return false;
	know(b, g, p);
	return true;
}

static void
take_out(struct broker *b, struct unaware *u)
{
	struct unaware **at = &u->g->unaware;

	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	map_remove(&b->unawares.known, &u->node);
	pool_put(&b->unawares.pool, u);
}

void
unaware_forget(struct broker *b, struct group_observation *g, const struct peer *p)
{
	struct unaware *u = b->unawares.known.n > 0 ? find(b, g, p) : NULL;

	if (u)
		take_out(b, u);
}

void
unaware_end(struct broker *b, struct group_observation *g)
{
	while (g->unaware)
		take_out(b, g->unaware);
}
