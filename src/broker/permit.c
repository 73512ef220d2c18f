/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/permit.h"

bool
permit_allows_name(const struct call *c, unsigned verbs, struct bytes name)
{
	const struct broker_ops *ops = c->b->ops;

	/* A phantom request is the broker's own. */
	return !ops->may || c->phantom || ops->may(c->b->ctx, c->r->who, verbs, name);
}

bool
permit_allows(const struct call *c, unsigned verbs, const struct topic *t)
{
	return permit_allows_name(c, verbs, bytes_str(t->name));
}

/* Whose path it would be. */
static bool
allows_path(const struct call *c, unsigned verbs)
{
	uint8_t bytes[TOPIC_PATH_MAX];
	struct buf name = BUF_OF(bytes);

	if (topic_name_of_path(c->id, &name))
		return permit_allows_name(c, verbs, buf_bytes(&name));
	return permit_allows_name(c, verbs, bytes_from(c->id, 1));
}

bool
permit_call(const struct call *c, unsigned verbs)
{
	if (!c->b->ops->may)
		return true;
	return c->topic ? permit_allows(c, verbs, c->topic) : allows_path(c, verbs);
}

void
permit_refuse(struct call *c)
{
	c->b->stats.forbidden++;
	request_reply_code(c->r, CODE_FORBIDDEN);
}

bool
permit_check(struct call *c, unsigned verbs)
{
	if (permit_call(c, verbs))
		return true;
	permit_refuse(c);
	return false;
}

struct review {
	struct broker *b;
	bool (*takes_away)(void *ctx, const struct broker_group *group, struct bytes topic);
	void *ctx;
};

static bool
may_go_on(const struct broker *b, const struct observer *o)
{
	return b->ops->may(b->ctx, o->cover ? o->cover->who : 0, BROKER_MAY_SUBSCRIBE,
		bytes_str(o->bunch->topic->name));
}

static void
review_list(struct broker *b, struct observer *o)
{
	struct observer *next;

	for (; o; o = next) {
		next = o->next;
		if (!may_go_on(b, o))
			observer_end(b, o, CODE_FORBIDDEN);
	}
}

static void
review_topic(void *ctx, struct map_node *node)
{
	struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	const struct review *r = ctx;
	struct bunch *bunch = t->bunches, *next;

	for (; bunch; bunch = next) {
		next = bunch->next;
		review_list(r->b, bunch->traditional.first);
		review_list(r->b, bunch->moving.first);
		/* Who takes part nobody knows: they register again, those who may. */
		if (bunch->observation && r->takes_away(r->ctx, bunch->group, bytes_str(t->name)))
			group_cancel(r->b, bunch->observation);
		else
			bunch_settle(r->b, bunch);
	}
}

void
broker_review(struct broker *b,
	bool (*takes_away)(void *ctx, const struct broker_group *group, struct bytes topic),
	void *ctx)
{
	struct review r = {.b = b, .takes_away = takes_away, .ctx = ctx};

	if (!b->ops->may)
		return;
	/* Lists of links are others now, at once. */
	links_fini(&b->links);
	map_each(&b->topics.by_path, review_topic, &r);
}
