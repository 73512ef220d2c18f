/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the making or running goes on where it can be what it was; group observations
 * whose group is another one now are cancelled, and observers are looked at as if they
 * registered now.
 */
#include "broker/regroup.h"

#include "broker/broker_impl.h"
#include "broker/qualify.h"
#include "broker/settings.h"

struct regroup {
	struct broker *b;
	const struct broker_group *(*successor)(void *ctx, const struct broker_group *old);
	void *ctx;
};

/* Where its group goes on, if that is still the one that serves the topic. */
static const struct broker_group *
successor_of(const struct regroup *r, const struct bunch *bunch)
{
	const struct broker_group *g = r->successor(r->ctx, bunch->group);

	return g && qualify_topic(r->b, bunch->topic, g->address.family) == g ? g : NULL;
}

static bool
is_left_over(const struct broker *b, const struct bunch *bunch)
{
	const struct broker_group *g = bunch->group;

	return g && (g < b->conf.groups || g >= b->conf.groups + b->conf.n_groups);
}

/* What is not kept yet nobody has heard of: it starts again below, if it still may. */
static void
start_over(struct broker *b, struct bunch *bunch)
{
	group_forget_start(b, bunch->starting);
	/* Those who wait for their answer get it as a notification. */
	bunch_mark_dirty(b, bunch, bunch->traditional.n);
}

static void
go_on(const struct regroup *r, struct bunch *bunch)
{
	const struct broker_group *g = successor_of(r, bunch);
	struct broker *b = r->b;
	bool same_hops;

	if (!g)
		return;
	bunch->group = g;
	if (!bunch->observation)
		return;
	same_hops = bunch->observation->way.hops == g->hops;
	bunch->observation->way.ifindex = g->ifindex;
	bunch->observation->way.hops = g->hops;
	if (!same_hops && b->ops->keep_group)
		(void)b->ops->keep_group(b->ctx, BROKER_GROUP_COUNTS, bunch->observation);
	/* The next to be moved is told what it is now. */
	group_forget_inform(bunch->observation);
}

static struct bunch *
running_in(const struct topic *t, const struct broker_group *g)
{
	struct bunch *bunch = t->bunches;

	while (bunch && (bunch->group != g || !bunch->observation))
		bunch = bunch->next;
	return bunch;
}

/*
 * The group that it may be moved to by what is known of its registration, and the endpoint
 * of ours that it is moved from; as register.c.
 */
static const struct broker_group *
group_for(const struct broker *b, struct observer *o, struct local *ret)
{
	struct topic *t = o->bunch->topic;
	const struct broker_group *g;
	const struct bunch *running;
	struct path way;
	const struct request r = {
		.way = &way, .peer = o->peer, .shield = o->cover ? o->cover->shield : NULL};

	*ret = *o->peer->local;

	if ((!o->movable && !o->bunch->group) || !t->value ||
		settings_has(t, PROPS_MAX_SUBSCRIBERS))
		return NULL;
	peer_path(o->peer, &way);
	g = qualify_group(b, t, &r);
	if (!g || !group_fits(g, t->value) || !qualify_local(b, &r, ret))
		return NULL;
	running = running_in(t, g);
	if (running && (!addr_equal(&running->local, &ret->addr) ||
			       unaware_is(b, running->observation, o->peer)))
		return NULL;
	return g;
}

static void
look_at_observers(struct broker *b, struct bunch *bunch)
{
	struct observer *o, *next;
	struct local local;

	for (o = bunch->traditional.first; o; o = next) {
		const struct broker_group *g = group_for(b, o, &local);

		next = o->next;
		if (g != bunch->group || (g && !addr_equal(&bunch->local, &local.addr)))
			observer_transfer(b, o, bunch_get(b, bunch->topic, g, &local));
	}
	if (!is_left_over(b, bunch))
		bunch_settle(b, bunch);
	else if (bunch->observation)
		group_cancel(b, bunch->observation);
	else
		bunch_settle(b, bunch);
}

void
regroup_start(struct broker *b, struct bunch *bunch)
{
	uint32_t n = bunch->traditional.n;

	if (!bunch->group || n == 0)
		return;
	if (bunch->observation)
		bunch_mark_dirty(b, bunch, n);
	else if (n >= bunch->group->threshold)
		(void)group_start(b, bunch);
}

static void
regroup_topic(void *ctx, struct map_node *node)
{
	struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	const struct regroup *r = ctx;
	struct bunch *bunch, *next;

	for (bunch = t->bunches; bunch; bunch = bunch->next) {
		if (bunch->starting)
			start_over(r->b, bunch);
		if (bunch->group)
			go_on(r, bunch);
	}
	for (bunch = t->bunches; bunch; bunch = next) {
		next = bunch->next;
		look_at_observers(r->b, bunch);
	}
	for (bunch = t->bunches; bunch; bunch = next) {
		next = bunch->next;
		regroup_start(r->b, bunch);
	}
}

void
regroup_broker(struct broker *b, const struct broker_conf *conf,
	const struct broker_group *(*successor)(void *ctx, const struct broker_group *old),
	void *ctx)
{
	const struct bodies_limits bodies = {.bodies = conf->limits.bodies,
		.memory = conf->limits.memory,
		.others = {&b->topics.value_bytes, &b->covers.bytes}};
	struct regroup r = {.b = b, .successor = successor, .ctx = ctx};

	b->conf = *conf;
	b->topics.max = conf->limits.topics;
	bodies_set_limits(b->bodies, &bodies);
	map_each(&b->topics.by_path, regroup_topic, &r);
}
