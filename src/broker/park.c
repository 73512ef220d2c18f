/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/park.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "msg/later.h"
#include "wire/option.h"

/* In the order of their coming, which is that of their tickets. */
struct parked {
	struct parked *next;
	uint64_t ticket;
	struct topic *topic; /* NULL: it is gone */
	struct value *value; /* owned; NULL: the data are deleted */
	struct later *later;
	bool fresh; /* the topic was made for this publish */
	bool has_block; /* Block1 to be echoed */
	uint32_t block;
};

bool
park_is_busy(const struct topic *t)
{
	return t->n_parked > 0;
}

static void
reply(struct parked *p, enum msg_code code)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, code);
	if (code == CODE_UNAVAILABLE)
		(void)msg_add_uint(&m, OPT_MAX_AGE, BROKER_RETRY_AFTER_S);
	else if (p->has_block && MSG_CLASS(code) == 2)
		(void)msg_add_uint(&m, OPT_BLOCK1, p->block);
	if (p->later)
		later_reply(p->later, &m);
}

/* It came to nothing. */
static void
refuse(struct broker *b, struct parked *p, struct topic *t)
{
	b->stats.publishes_refused++;
	value_release(&b->topics, p->value);
	reply(p, CODE_UNAVAILABLE);
	if (p->fresh && t->n_parked == 0 && !t->value)
		broker_drop_topic(b, t);
}

bool
park_value(struct call *c, struct value *v)
{
	const struct broker_ops *ops = c->b->ops;
	struct broker *b = c->b;
	struct parked *p;
	struct msg m;

	/* What comes after one that waits does too, whatever commit-interval is by now. */
	if (!ops->promise || (!ops->must_promise(b->ctx) && !park_is_busy(c->topic)))
		return false;
	p = mem_alloc(sizeof(*p));
	p->topic = c->topic;
	p->value = v;
	p->fresh = v && !c->topic->value && c->is_new;
	msg_init(&m, TYPE_ACK, CODE_CHANGED);
	block1_echo(c->r->msg, &m);
	p->has_block = msg_uint(&m, OPT_BLOCK1, &p->block);
	p->later = c->topic->n_parked < UINT16_MAX ? later_new(c->r) : NULL;
	if (!p->later || ops->promise(b->ctx, c->topic, v, &p->ticket) < 0) {
		reply_busy(c->r);
		refuse(b, p, c->topic);
		free(p);
		return true;
	}
	/* In the same commit. */
	if (topic_reserve(c->topic))
		broker_keep(b, BROKER_KEEP_SEQ, c->topic);
	c->topic->n_parked++;
	*(b->last_parked ? &b->last_parked->next : &b->parked) = p;
	b->last_parked = p;
	return true;
}

static void
publish(struct broker *b, struct parked *p, struct topic *t)
{
	bool created = !t->value;

	/* RFC 7641 4.2: data.c, data_put. */
	if (!created && t->value->content_format != p->value->content_format)
		observe_end_all(b, t, CODE_NOT_ACCEPTABLE);
	topic_take_value(&b->topics, t, p->value);
	if (topic_reserve(t))
		broker_keep(b, BROKER_KEEP_SEQ, t);
	b->stats.publishes++;
	reply(p, created ? CODE_CREATED : CODE_CHANGED);
	broker_published(b, t);
}

static void
finish(struct broker *b, struct parked *p, bool kept)
{
	struct topic *t = p->topic;

	if (!t) {
		/* Deleted meanwhile. */
		value_release(&b->topics, p->value);
		reply(p, CODE_NOT_FOUND);
		return;
	}
	t->n_parked--;
	if (!kept) {
		refuse(b, p, t);
	} else if (p->value) {
		publish(b, p, t);
	} else {
		reply(p, CODE_DELETED);
		observe_end_all(b, t, CODE_NOT_FOUND);
		topic_take_value(&b->topics, t, NULL);
	}
}

void
broker_promise_is_kept(struct broker *b, uint64_t ticket, bool kept)
{
	struct parked *p;

	while ((p = b->parked) != NULL && p->ticket <= ticket) {
		b->parked = p->next;
		if (!b->parked)
			b->last_parked = NULL;
		/* A ticket that was passed over was not kept. */
		finish(b, p, kept && p->ticket == ticket);
		free(p);
	}
}

void
park_forget(struct broker *b, const struct topic *t)
{
	for (struct parked *p = t->n_parked > 0 ? b->parked : NULL; p; p = p->next) {
		if (p->topic == t)
			p->topic = NULL;
	}
}

void
park_drop_all(struct broker *b)
{
	struct parked *p;

	while ((p = b->parked) != NULL) {
		b->parked = p->next;
		value_release(&b->topics, p->value);
		later_drop(p->later);
		free(p);
	}
	b->last_parked = NULL;
}
