/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/park.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "broker/settings.h"
#include "msg/later.h"
#include "wire/option.h"

struct parked;

/* What is to happen: when it is kept, and to what was asked for otherwise. */
struct parked_kind {
	void (*happen)(struct broker *b, struct parked *p, struct topic *t);
	bool is_publish;
};

/* In the order of their coming, which is that of their tickets. */
struct parked {
	struct parked *next;
	uint64_t ticket;
	const struct parked_kind *kind;
	struct topic *topic; /* NULL: it is gone */
	struct value *value; /* owned */
	struct settings *settings; /* owned; with `format` */
	uint32_t format;
	struct later *later;
	struct {
		bool has;
		uint32_t value;
	} block1, block2; /* of the request */
};

bool
park_is_busy(const struct topic *t)
{
	return t->n_parked > 0;
}

bool
park_is_wanted(const struct broker *b)
{
	return b->ops->promise && b->ops->must_promise(b->ctx);
}

/* What comes after one that waits does too, whatever commit-interval is by now. */
static bool
has_to_wait(const struct call *c)
{
	return c->b->ops->promise && (park_is_wanted(c->b) || park_is_busy(c->topic));
}

/* --- answers --------------------------------------------------------------------- */

static void
reply(struct parked *p, enum msg_code code)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, code);
	if (code == CODE_UNAVAILABLE)
		(void)msg_add_uint(&m, OPT_MAX_AGE, BROKER_RETRY_AFTER_S);
	else if (p->block1.has && MSG_CLASS(code) == 2)
		(void)msg_add_uint(&m, OPT_BLOCK1, p->block1.value);
	if (p->later)
		later_reply(p->later, &m);
}

static void
answer_later(void *ctx, struct msg *m)
{
	struct parked *p = ctx;

	later_reply(p->later, m);
}

/* With the topic's representation, in the block that the request asked for. */
static void
reply_topic(struct broker *b, struct parked *p, struct topic *t,
	void (*tell)(struct call *c, const struct answer *to))
{
	struct call c = {.b = b, .topic = t};
	struct msg asked;
	const struct answer to = {.asked = &asked, .send = answer_later, .ctx = p};

	msg_init(&asked, TYPE_CON, CODE_POST);
	if (p->block2.has)
		(void)msg_add_uint(&asked, OPT_BLOCK2, p->block2.value);
	if (p->block1.has)
		(void)msg_add_uint(&asked, OPT_BLOCK1, p->block1.value);
	tell(&c, &to);
}

/* --- what happens when it is kept --------------------------------------------------- */

static void
arrive(struct broker *b, struct topic *t)
{
	if (t->coming == TOPIC_HERE)
		return;
	topic_arrive(&b->topics, t);
	b->stats.created++;
}

static void
publish(struct broker *b, struct parked *p, struct topic *t)
{
	bool created = !t->value;

	arrive(b, t);
	/* RFC 7641 4.2: data.c, data_put. */
	if (!created && t->value->content_format != p->value->content_format)
		observe_end_all(b, t, CODE_NOT_ACCEPTABLE);
	topic_take_value(&b->topics, t, value_hold(p->value));
	broker_keep_seq(b, t);
	b->stats.publishes++;
	reply(p, created ? CODE_CREATED : CODE_CHANGED);
	broker_published(b, t);
}

static void
take_away(struct broker *b, struct parked *p, struct topic *t)
{
	reply(p, CODE_DELETED);
	observe_end_all(b, t, CODE_NOT_FOUND);
	topic_take_value(&b->topics, t, NULL);
}

static void
create(struct broker *b, struct parked *p, struct topic *t)
{
	arrive(b, t);
	reply_topic(b, p, t, collection_tell_created);
}

static void
configure(struct broker *b, struct parked *p, struct topic *t)
{
	struct settings *new = p->settings;

	p->settings = NULL;
	settings_take(b, t, p->format, new);
	reply_topic(b, p, t, topic_tell_changed);
}

static void
erase(struct broker *b, struct parked *p, struct topic *t)
{
	reply(p, CODE_DELETED);
	b->stats.deleted++;
	broker_drop_topic(b, t);
}

static const struct parked_kind publishing = {.happen = publish, .is_publish = true},
				taking_away = {.happen = take_away, .is_publish = true},
				creating = {.happen = create}, configuring = {.happen = configure},
				erasing = {.happen = erase};

/* --- waiting ----------------------------------------------------------------------- */

static void
free_parked(struct broker *b, struct parked *p)
{
	value_release(&b->topics, p->value);
	settings_free(b, p->settings);
	free(p);
}

/* It came to nothing; a topic that nothing else makes is not to be there. */
static void
refuse(struct broker *b, struct parked *p, struct topic *t)
{
	b->stats.publishes_refused += p->kind->is_publish;
	reply(p, CODE_UNAVAILABLE);
	if (t->coming != TOPIC_HERE && t->n_parked == 0)
		broker_drop_topic(b, t);
}

static struct parked *
parked_new(const struct call *c, const struct parked_kind *kind)
{
	struct parked *p = mem_alloc(sizeof(*p));

	p->kind = kind;
	p->topic = c->topic;
	p->block1.has = msg_uint(c->r->msg, OPT_BLOCK1, &p->block1.value);
	p->block2.has = msg_uint(c->r->msg, OPT_BLOCK2, &p->block2.value);
	return p;
}

/* Asks the store; false, and it is answered: it comes to nothing. */
static bool
park(struct call *c, struct parked *p, const struct broker_promise *what)
{
	struct broker *b = c->b;

	p->later = c->topic->n_parked < UINT16_MAX ? later_new(c->r) : NULL;
	if (!p->later || b->ops->promise(b->ctx, what, &p->ticket) < 0) {
		if (!p->later)
			reply_busy(c->r);
		refuse(b, p, c->topic);
		free_parked(b, p);
		return false;
	}
	c->topic->n_parked++;
	*(b->last_parked ? &b->last_parked->next : &b->parked) = p;
	b->last_parked = p;
	return true;
}

bool
park_value(struct call *c, struct value *v)
{
	bool comes = c->topic->coming != TOPIC_HERE;
	struct props props = {.has = 0};
	/* A topic that is not there yet may be kept with any of those that publish to it. */
	const struct broker_promise what = {.what = comes ? BROKER_KEEP_TOPIC : BROKER_KEEP_VALUE,
		.topic = c->topic,
		.value = v,
		.props = comes ? &props : NULL};
	struct parked *p;

	if (!has_to_wait(c))
		return false;
	settings_describe(c->topic, &props);
	p = parked_new(c, v ? &publishing : &taking_away);
	p->value = v;
	/* In the same commit. */
	if (park(c, p, &what))
		broker_keep_seq(c->b, c->topic);
	return true;
}

bool
park_settings(struct call *c, const struct props *props)
{
	const struct broker_promise what = {
		.what = BROKER_KEEP_TOPIC, .topic = c->topic, .props = props};
	struct parked *p;

	if (!has_to_wait(c))
		return false;
	p = parked_new(c, &configuring);
	p->format = settings_format(props);
	p->settings = settings_new(c->b, c->topic, props);
	c->topic->reshaping = park(c, p, &what);
	return true;
}

bool
park_removal(struct call *c)
{
	const struct broker_promise what = {.what = BROKER_KEEP_NOTHING, .topic = c->topic};

	if (!has_to_wait(c))
		return false;
	(void)park(c, parked_new(c, &erasing), &what);
	return true;
}

void
park_creation(struct call *c)
{
	struct props props = {.has = 0};
	const struct broker_promise what = {.what = BROKER_KEEP_TOPIC,
		.topic = c->topic,
		.value = c->topic->value,
		.props = &props};

	settings_describe(c->topic, &props);
	(void)park(c, parked_new(c, &creating), &what);
}

/* --- the end of waiting -------------------------------------------------------------- */

static void
finish(struct broker *b, struct parked *p, bool kept)
{
	struct topic *t = p->topic;

	if (!t) {
		/* Deleted meanwhile. */
		reply(p, CODE_NOT_FOUND);
		return;
	}
	t->n_parked--;
	if (p->kind == &configuring)
		t->reshaping = false;
	if (kept)
		p->kind->happen(b, p, t);
	else
		refuse(b, p, t);
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
		free_parked(b, p);
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
		later_drop(p->later);
		free_parked(b, p);
	}
	b->last_parked = NULL;
}
