/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/broker.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "broker/park.h"
#include "broker/settings.h"

struct broker *
broker_new(const struct broker_conf *conf, const struct broker_ops *ops, void *ctx,
	struct layer *layer)
{
	struct broker *b = mem_alloc(sizeof(*b));
	struct bodies_limits limits = {.bodies = conf->limits.bodies,
		.memory = conf->limits.memory,
		.others = {&b->topics.value_bytes, &b->covers.bytes}};
	struct {
		uint32_t topics, bodies;
		uint16_t mid;
		uint8_t id[2];
	} seed;

	b->conf = *conf;
	b->ops = ops;
	b->ctx = ctx;
	b->layer = layer;
	ops->random(ctx, &seed, sizeof(seed));
	b->group_mid = seed.mid;
	topic_table_init(&b->topics, conf->limits.topics, seed.topics, seed.id);
	b->bodies = bodies_new(layer_wheel(layer), &limits, seed.bodies);
	pool_init(&b->observers, sizeof(struct observer));
	pool_init(&b->bunches, sizeof(struct bunch));
	map_init(&b->group_tokens);
	observe_start_checks(b);
	unaware_init(&b->unawares);
	return b;
}

/* Ends the observations of a topic without a word: the broker goes away. */
static void
silence(void *ctx, struct map_node *node)
{
	struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	struct broker *b = ctx;

	while (t->bunches) {
		struct bunch *bunch = t->bunches;
		struct observer *o;

		if (bunch->observation)
			group_drop(b, bunch->observation);
		bunch->left = 0;
		o = bunch->traditional.first ? bunch->traditional.first : bunch->moving.first;
		if (o)
			observer_remove(b, o);
		else
			bunch_settle(b, bunch);
	}
	settings_drop(b, t);
}

void
broker_free(struct broker *b)
{
	if (!b)
		return;
	wheel_stop(layer_wheel(b->layer), &b->check);
	park_drop_all(b);
	catchup_fini(b);
	map_each(&b->topics.by_path, silence, b);
	topic_table_fini(&b->topics);
	bodies_free(b->bodies);
	/* Those that were ending have only their exchange left, which the layer ends. */
	layer_cancel_all(b->layer);
	map_fini(&b->group_tokens);
	unaware_fini(&b->unawares);
	pool_fini(&b->observers);
	pool_fini(&b->bunches);
	links_fini(&b->links);
	free(b);
}

static int
make(struct broker *b, struct bytes name, uint32_t content_format, struct bytes initialize,
	struct topic **ret)
{
	uint32_t first_seq;
	struct topic *t;
	int rc;

	/* RFC 7641 4.4: any first number will do; an unpredictable one is told from a former life's. */
	b->ops->random(b->ctx, &first_seq, sizeof(first_seq));
	if ((rc = topic_create(&b->topics, name, first_seq, &t)) < 0) {
		b->stats.refused_topics += rc == -ENOSPC;
		return rc;
	}
	t->content_format = content_format;
	if (initialize.p)
		topic_set_value(&b->topics, t, content_format, initialize);
	/* There is nobody to be told of it. */
	if (initialize.p && !b->parked)
		b->catchup.announced = t->value->nth;
	*ret = t;
	return 0;
}

int
broker_create_topic(
	struct broker *b, struct bytes name, uint32_t content_format, struct bytes initialize)
{
	struct topic *t;
	int rc = make(b, name, content_format, initialize, &t);

	if (rc < 0)
		return rc;
	broker_keep(b, BROKER_KEEP_TOPIC, t);
	b->stats.created++;
	return 0;
}

int
broker_make_topic(struct broker *b, struct bytes name, uint32_t content_format,
	struct bytes initialize, enum topic_coming how, struct topic **ret)
{
	int rc = make(b, name, content_format, initialize, ret);

	if (rc == 0)
		topic_announce(&b->topics, *ret, how);
	return rc;
}

void
broker_keep(struct broker *b, enum broker_keep what, const struct topic *t)
{
	/* One that is not there yet is a promise. */
	if (b->ops->keep && (t->coming == TOPIC_HERE || what == BROKER_KEEP_NOTHING))
		b->ops->keep(b->ctx, what, t);
}

void
broker_keep_seq(struct broker *b, struct topic *t)
{
	if (topic_reserve(t))
		broker_keep(b, BROKER_KEEP_SEQ, t);
}

static void
keep_all(void *ctx, struct map_node *node)
{
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);

	broker_keep(ctx, BROKER_KEEP_TOPIC, t);
	broker_keep(ctx, BROKER_KEEP_VALUE, t);
}

void
broker_keep_all(struct broker *b)
{
	map_each(&b->topics.by_path, keep_all, b);
}

uint64_t
broker_room(const struct broker *b)
{
	struct bodies_stats bodies;
	uint64_t used;

	bodies_stats(b->bodies, &bodies);
	used = b->topics.value_bytes + bodies.bytes + b->covers.bytes;
	return used < b->conf.limits.memory ? b->conf.limits.memory - used : 0;
}

bool
broker_has_room(struct broker *b, const struct value *old, size_t n)
{
	struct bodies_stats bodies;

	bodies_stats(b->bodies, &bodies);
	if (b->topics.value_bytes - (old ? old->n : 0) + bodies.bytes + b->covers.bytes + n <=
		b->conf.limits.memory)
		return true;
	b->stats.refused_memory++;
	return false;
}

void
broker_drop_topic(struct broker *b, struct topic *t)
{
	observe_end_all(b, t, CODE_NOT_FOUND);
	park_forget(b, t);
	catchup_forget(b, t);
	/* Of one that came to nothing the store has nothing. */
	if (t->coming == TOPIC_HERE || t->n_parked > 0)
		broker_keep(b, BROKER_KEEP_NOTHING, t);
	settings_drop(b, t);
	if (b->tail.topic == t)
		b->tail.topic = NULL;
	topic_remove(&b->topics, t);
}

void
broker_published(struct broker *b, struct topic *t)
{
	struct bunch *bunch = t->bunches, *next;

	catchup_published(b, t);
	for (; bunch; bunch = next) {
		next = bunch->next;
		if (bunch->observation)
			group_notify(b, bunch->observation);
	}
	observe_mark_dirty(b, t);
}

static void
farewell(void *ctx, struct map_node *node)
{
	observe_end_all(ctx, MAP_OBJECT(node, struct topic, by_path), CODE_NOT_FOUND);
}

void
broker_farewell(struct broker *b)
{
	map_each(&b->topics.by_path, farewell, b);
}

void
broker_stats(const struct broker *b, struct broker_stats *ret)
{
	struct bodies_stats bodies;

	bodies_stats(b->bodies, &bodies);
	*ret = b->stats;
	ret->refused_bodies = bodies.refused;
	ret->refused_payload += bodies.refused_payload;
	ret->refused_memory += bodies.refused_memory;
	ret->bodies = bodies.bodies;
	ret->body_bytes = bodies.bytes;
	ret->topics = b->topics.by_path.n - b->topics.n_coming;
	ret->observers = b->observers.n_used;
	ret->value_bytes = b->topics.value_bytes;
	ret->cover_bytes = b->covers.bytes;
	ret->unkept = b->covers.n_unkept;
}
