/* SPDX-License-Identifier: BSD-2-Clause */
/* Group observations when the network below them changes. */
#include "broker/broker_impl.h"

#define REPEAT_APART_MS 5 /* many at once would overrun receivers */

struct reroute {
	struct broker *b;
	const struct broker_group *group;
	bool again;
	uint32_t n;
};

static void
reroute_one(void *ctx, struct map_node *node)
{
	struct group_observation *g = MAP_OBJECT(node, struct group_observation, by_token);
	struct reroute *r = ctx;

	if (g->bunch->group != r->group)
		return;
	g->way.ifindex = r->group->ifindex;
	if (r->again && r->group->ifindex != 0)
		group_repeat(r->b, g, r->n++ * REPEAT_APART_MS);
}

void
broker_reroute(struct broker *b, const struct broker_group *group, bool again)
{
	struct reroute r = {.b = b, .group = group, .again = again};

	map_each(&b->group_tokens, reroute_one, &r);
}

struct cancel {
	struct broker *b;
	bool (*which)(void *ctx, const struct group_observation *g);
	void *ctx;
	unsigned n;
};

static void
cancel_of_topic(void *ctx, struct map_node *node)
{
	struct bunch *bunch = MAP_OBJECT(node, struct topic, by_path)->bunches, *next;
	struct cancel *c = ctx;

	for (; bunch; bunch = next) {
		next = bunch->next;
		if (!bunch->observation || !c->which(c->ctx, bunch->observation))
			continue;
		group_cancel(c->b, bunch->observation);
		c->n++;
	}
}

unsigned
broker_cancel_groups(
	struct broker *b, bool (*which)(void *ctx, const struct group_observation *g), void *ctx)
{
	struct cancel c = {.b = b, .which = which, .ctx = ctx};

	map_each(&b->topics.by_path, cancel_of_topic, &c);
	return c.n;
}

const struct addr *
group_source(const struct group_observation *g)
{
	return &g->way.source;
}
