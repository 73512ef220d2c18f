/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/context_table.h"

#include <errno.h>

#include "oscore/context_impl.h"

#define GROUP_SEED 0x47u /* groups are found by another hash than peers */

/* Plain contexts hash by the peer's id alone: a request may leave its ID Context out. */
static uint32_t
hash_peer(const struct context_table *t, struct bytes kid)
{
	return map_hash(kid, t->seed);
}

static uint32_t
hash_group(const struct context_table *t, struct bytes gid)
{
	return map_hash(gid, t->seed ^ GROUP_SEED);
}

/* The one peer of a plain context. */
static struct bytes
peer_id(const struct context *c)
{
	return context_recipient_id(c->peer);
}

void
context_table_init(struct context_table *t, uint32_t seed)
{
	map_init(&t->map);
	t->seed = seed;
}

static void
drop(void *ctx, struct map_node *node)
{
	struct context_table *t = ctx;

	context_table_remove(t, MAP_OBJECT(node, struct context, node));
}

void
context_table_fini(struct context_table *t)
{
	map_each(&t->map, drop, t);
	map_fini(&t->map);
}

struct context *
context_table_find_group(const struct context_table *t, struct bytes gid)
{
	struct map_node *node = map_first(&t->map, hash_group(t, gid));

	for (; node != NULL; node = map_next(node)) {
		struct context *c = MAP_OBJECT(node, struct context, node);

		if (c->group && bytes_equal(context_gid(c), gid))
			return c;
	}
	return NULL;
}

/* Whether two ID Contexts are the same, none of both included. */
static bool
same_id(struct bytes a, struct bytes b)
{
	return (a.p == NULL) == (b.p == NULL) && bytes_equal(a, b);
}

static struct context *
find_plain(const struct context_table *t, struct bytes id_context, struct bytes kid)
{
	struct map_node *node = map_first(&t->map, hash_peer(t, kid));

	for (; node != NULL; node = map_next(node)) {
		struct context *c = MAP_OBJECT(node, struct context, node);

		if (!c->group && same_id(context_gid(c), id_context) &&
			bytes_equal(peer_id(c), kid))
			return c;
	}
	return NULL;
}

/* The plain context with this peer when there is just one, whatever its ID Context. */
static struct context *
find_only(const struct context_table *t, struct bytes kid)
{
	struct map_node *node = map_first(&t->map, hash_peer(t, kid));
	struct context *only = NULL;

	for (; node != NULL; node = map_next(node)) {
		struct context *c = MAP_OBJECT(node, struct context, node);

		if (c->group || !bytes_equal(peer_id(c), kid))
			continue;
		if (only != NULL)
			return NULL;
		only = c;
	}
	return only;
}

struct context *
context_table_find(const struct context_table *t, struct bytes kid_context, struct bytes kid)
{
	struct context *c = find_plain(t, kid_context, kid);

	if (c != NULL)
		return c;
	return kid_context.p != NULL ? context_table_find_group(t, kid_context) : find_only(t, kid);
}

struct context *
context_table_namesake(const struct context_table *t, const struct context *c)
{
	return c->group ? context_table_find_group(t, context_gid(c))
			: find_plain(t, context_gid(c), peer_id(c));
}

int
context_table_add(struct context_table *t, struct context *c)
{
	if (context_table_namesake(t, c) != NULL)
		return -EEXIST;
	map_put(&t->map, &c->node,
		c->group ? hash_group(t, context_gid(c)) : hash_peer(t, peer_id(c)));
	context_hold(c);
	return 0;
}

void
context_table_remove(struct context_table *t, struct context *c)
{
	map_remove(&t->map, &c->node);
	context_release(c);
}

struct search {
	struct bytes kid_context;
	struct bytes kid;
	struct context *found;
};

static void
match_own(void *ctx, struct map_node *node)
{
	struct search *s = ctx;
	struct context *c = MAP_OBJECT(node, struct context, node);

	if (!c->silent && bytes_equal(context_sender_id(c), s->kid) &&
		same_id(context_gid(c), s->kid_context))
		s->found = c;
}

struct context *
context_table_find_own(const struct context_table *t, struct bytes kid_context, struct bytes kid)
{
	struct search s = {.kid_context = kid_context, .kid = kid};
	struct map map = t->map; /* nothing is changed */

	map_each(&map, match_own, &s);
	return s.found;
}
