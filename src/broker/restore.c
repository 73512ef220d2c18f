/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/restore.h"

#include "broker/broker_impl.h"
#include "broker/qualify.h"
#include "broker/regroup.h"
#include "broker/settings.h"

#define NTH_APART 0x4000u /* publishes, that numbers of them are told apart by */

enum flags {
	IS_MOVABLE = 1 << 0, /* a group observation may take it, if there is a group for it */
	IS_LEISURELY = 1 << 1,
};

void
restore_server_id(struct broker *b, const uint8_t id[2])
{
	memcpy(b->topics.server_id, id, sizeof(b->topics.server_id));
}

void
restore_get_server_id(const struct broker *b, uint8_t ret[2])
{
	memcpy(ret, b->topics.server_id, sizeof(b->topics.server_id));
}

void
restore_reserve(struct broker *b, size_t n_topics)
{
	map_reserve(&b->topics.by_path, n_topics);
	map_reserve(&b->topics.by_name, n_topics);
}

int
restore_topic(struct broker *b, const struct restore_topic *kept, struct topic **ret)
{
	uint32_t first_seq = kept->bound + (kept->exact ? -1u : TOPIC_SEQ_AHEAD);
	const struct broker_ops *ops = b->ops;
	struct broker_ops quiet = *ops;
	struct topic *t;
	int rc = topic_create_kept(&b->topics, kept->props->name, kept->path, first_seq, &t);

	if (rc < 0)
		return rc;
	if (kept->id > b->topics.last_id)
		b->topics.last_id = kept->id;
	t->id = kept->id;
	/* Nothing is reserved yet: the first publish does that. */
	t->seq_bound = kept->bound;
	/* Nothing that the store has to be told. */
	quiet.keep = NULL;
	b->ops = &quiet;
	settings_replace(b, t, kept->props);
	b->ops = ops;
	*ret = t;
	return 0;
}

void
restore_value(struct broker *b, struct topic *t, uint32_t content_format, struct bytes data,
	const uint8_t etag[ETAG_LEN], uint16_t nth)
{
	uint32_t seq = t->seq;

	topic_set_value(&b->topics, t, content_format, data.p ? data : BYTES_LIT(""));
	memcpy(t->value->etag, etag, ETAG_LEN);
	t->value->nth = nth;
	/* Serial numbers: the newest of all is the last one that was given. */
	if ((int16_t)(nth - b->topics.n_values) > 0)
		b->topics.n_values = nth;
	t->seq = seq;
	/* It may have been, before the restart. */
	t->unsent = false;
}

void
restore_unannounced(struct broker *b, struct topic *t)
{
	catchup_add(b, t);
}

unsigned
restore_announce(struct broker *b)
{
	return catchup_begin(b);
}

bool
restore_is_announced(const struct broker *b, uint16_t *ret)
{
	/* What is still to be told is, after the next stop of that kind. */
	if (b->catchup.n > 0 || !b->catchup.broker)
		return false;
	*ret = b->catchup.announced;
	return true;
}

struct oldest {
	const struct broker *b;
	uint16_t age; /* publishes since */
	bool found;
};

static void
look_whether_told(void *ctx, const struct observer *o)
{
	const struct topic *t = o->bunch->topic;
	struct oldest *oldest = ctx;
	uint16_t age;

	if (o->state != OBSERVER_TRADITIONAL || !t->value || (!o->exchange && o->seq == t->seq))
		return;
	age = (uint16_t)(oldest->b->topics.n_values - t->value->nth);
	if (!oldest->found || age > oldest->age)
		oldest->age = age;
	oldest->found = true;
}

bool
restore_is_told(struct broker *b, uint16_t *ret)
{
	struct oldest oldest = {.b = b};

	restore_each_observer(b, look_whether_told, &oldest);
	/* Serial numbers: what is older than half of them is as if it was newer. */
	if (oldest.age > NTH_APART)
		oldest.age = NTH_APART;
	if (oldest.found)
		*ret = (uint16_t)(b->topics.n_values - oldest.age - 1);
	return !oldest.found;
}

/* It was told, and does not follow: unaware.h. */
static bool
is_unaware(const struct observer *o)
{
	for (const struct bunch *bunch = o->bunch->topic->bunches; bunch; bunch = bunch->next) {
		if (bunch->observation && unaware_is(bunch->broker, bunch->observation, o->peer))
			return true;
	}
	return false;
}

uint32_t
restore_observer_flags(const struct observer *o)
{
	return (o->movable && !is_unaware(o) ? IS_MOVABLE : 0) | (o->leisurely ? IS_LEISURELY : 0);
}

/* The bunch it belongs to now. */
static struct bunch *
bunch_of(struct broker *b, struct topic *t, const struct request *r, uint32_t flags)
{
	const struct broker_group *group =
		flags & IS_MOVABLE && !settings_has(t, PROPS_MAX_SUBSCRIBERS)
			? qualify_group(b, t, r)
			: NULL;

	if (group && !group_fits(group, t->value))
		group = NULL;
	/* One topic has one group observation in a group: its server address is another one. */
	for (const struct bunch *other = t->bunches; other && group; other = other->next) {
		if (other->group == group && other->observation &&
			!addr_equal(&other->local, &r->way->local))
			group = NULL;
	}
	return bunch_get(b, t, group, r->peer->local);
}

bool
restore_observer(struct broker *b, struct topic *t, const struct restore_observer *kept)
{
	struct msg m;
	struct request r = {.layer = b->layer,
		.way = &kept->way,
		.msg = &m,
		.shield = kept->shield,
		.who = kept->who};
	bool ok;

	if (!t->value || (r.peer = layer_peer(b->layer, &kept->way)) == NULL)
		return false;
	msg_init(&m, TYPE_CON, CODE_GET);
	m.token = kept->token;
	/* It was heard before. */
	r.peer->verified = true;
	layer_pin(b->layer, r.peer);
	ok = observer_resume(b, bunch_of(b, t, &r, kept->flags), &r, kept->szx,
		(kept->flags & IS_MOVABLE) != 0, (kept->flags & IS_LEISURELY) != 0);
	layer_unpin(b->layer, r.peer);
	return ok;
}

static void
start_groups(void *ctx, struct map_node *node)
{
	struct topic *t = MAP_OBJECT(node, struct topic, by_path);

	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next)
		regroup_start(ctx, bunch);
}

void
restore_start_groups(struct broker *b)
{
	map_each(&b->topics.by_path, start_groups, b);
}

struct each {
	void (*topic)(void *ctx, const struct topic *t);
	void (*observer)(void *ctx, const struct observer *o);
	void *ctx;
};

static void
visit(void *ctx, struct map_node *node)
{
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	const struct each *each = ctx;

	if (t->coming != TOPIC_HERE)
		return;
	if (each->topic)
		each->topic(each->ctx, t);
	for (const struct bunch *bunch = t->bunches; bunch && each->observer; bunch = bunch->next) {
		for (const struct observer *o = bunch->traditional.first; o; o = o->next)
			each->observer(each->ctx, o);
		for (const struct observer *o = bunch->moving.first; o; o = o->next)
			each->observer(each->ctx, o);
	}
}

void
restore_each_topic(struct broker *b, void (*topic)(void *ctx, const struct topic *t), void *ctx)
{
	struct each each = {.topic = topic, .ctx = ctx};

	map_each(&b->topics.by_path, visit, &each);
}

void
restore_each_observer(
	struct broker *b, void (*observer)(void *ctx, const struct observer *o), void *ctx)
{
	struct each each = {.observer = observer, .ctx = ctx};

	map_each(&b->topics.by_path, visit, &each);
}
