/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/observe.h"

#include <stdlib.h>

#include "broker/broker_impl.h"
#include "wire/option.h"

#define OBSERVER_CHECK_S 86400 /* RFC 7641 4.5: a CON at least every 24 hours */
#define CON_EVERY 100 /* and one among so many notifications */
#define FLUSH_BUDGET 256 /* observers notified before the next look at the network */

static void
list_append(struct observers *list, struct observer *o)
{
	o->prev = list->last;
	o->next = NULL;
	*(list->last ? &list->last->next : &list->first) = o;
	list->last = o;
	list->n++;
}

static void
list_remove(struct observers *list, struct observer *o)
{
	*(o->prev ? &o->prev->next : &list->first) = o->next;
	*(o->next ? &o->next->prev : &list->last) = o->prev;
	list->n--;
}

struct bunch *
bunch_get(struct broker *b, struct topic *t, const struct broker_group *group,
	const struct local *local)
{
	struct bunch *bunch;

	for (bunch = t->bunches; bunch; bunch = bunch->next) {
		if (bunch->group == group && (!group || addr_equal(&bunch->local, &local->addr)))
			return bunch;
	}
	bunch = pool_get(&b->bunches);
	bunch->topic = t;
	bunch->group = group;
	if (group) {
		bunch->local = local->addr;
		bunch->socket = local->socket;
	}
	bunch->next = t->bunches;
	t->bunches = bunch;
	return bunch;
}

static void
dirty_remove(struct broker *b, struct bunch *bunch)
{
	struct bunch **at = &b->dirty_first, *before = NULL;

	if (!bunch->dirty)
		return;
	while (*at && *at != bunch) {
		before = *at;
		at = &(*at)->next_dirty;
	}
	if (*at)
		*at = bunch->next_dirty;
	if (b->dirty_last == bunch)
		b->dirty_last = before;
	bunch->dirty = false;
}

void
bunch_settle(struct broker *b, struct bunch *bunch)
{
	struct bunch **at = &bunch->topic->bunches;

	if (bunch->traditional.n > 0 || bunch->moving.n > 0 || bunch->observation)
		return;
	dirty_remove(b, bunch);
	while (*at != bunch)
		at = &(*at)->next;
	*at = bunch->next;
	pool_put(&b->bunches, bunch);
}

struct observer *
observer_find(const struct peer *p, const struct token *token)
{
	for (struct observer *o = p->user; o; o = o->next_of_peer) {
		if (token_equal(&o->token, token))
			return o;
	}
	return NULL;
}

static uint32_t
now_s(const struct broker *b)
{
	return (uint32_t)(layer_now(b->layer) / 1000);
}

struct observer *
observer_add(struct broker *b, struct bunch *bunch, struct peer *p, const struct token *token,
	uint8_t szx)
{
	struct observer **tail = (struct observer **)&p->user, *o;
	uint32_t n = 0;

	for (; *tail; tail = &(*tail)->next_of_peer)
		n++;
	if (n >= b->conf.limits.observers_per_peer ||
		b->observers.n_used >= b->conf.limits.observers)
		return NULL;
	o = pool_get(&b->observers);
	o->bunch = bunch;
	o->peer = p;
	o->token = *token;
	o->szx = szx;
	o->con_s = now_s(b);
	/* Spread, so that those who came together are not checked together. */
	o->since_con = (uint8_t)(b->stats.registrations % CON_EVERY);
	o->seq = bunch->topic->seq;
	layer_pin(b->layer, p);
	*tail = o;
	list_append(&bunch->traditional, o);
	return o;
}

static void
leave_bunch(struct observer *o)
{
	struct bunch *bunch = o->bunch;

	if (!bunch)
		return;
	if (bunch->cursor == o)
		bunch->cursor = o->next;
	list_remove(o->state == OBSERVER_MOVING ? &bunch->moving : &bunch->traditional, o);
	o->bunch = NULL;
}

/* Off every list and freed; its exchange is over. */
static void
dispose(struct broker *b, struct observer *o)
{
	struct observer **at = (struct observer **)&o->peer->user;
	struct bunch *bunch = o->bunch;
	struct peer *p = o->peer;

	leave_bunch(o);
	while (*at != o)
		at = &(*at)->next_of_peer;
	*at = o->next_of_peer;
	pool_put(&b->observers, o);
	layer_unpin(b->layer, p);
	if (bunch)
		bunch_settle(b, bunch);
}

void
observer_remove(struct broker *b, struct observer *o)
{
	if (o->exchange)
		layer_cancel(b->layer, o->exchange);
	dispose(b, o);
}

/* All of a peer that no longer answers: RFC 7641 4.5. */
static void
drop_peer(struct broker *b, struct peer *p)
{
	layer_pin(b->layer, p);
	while (p->user) {
		b->stats.observers_dropped++;
		observer_remove(b, p->user);
	}
	layer_unpin(b->layer, p);
}

/* What a notification of a topic's value carries after its token. */
static struct bytes
notification_tail(struct broker *b, const struct topic *t, uint8_t szx)
{
	struct buf out = BUF_OF(b->tail.bytes);
	struct msg m;

	if (b->tail.topic == t && b->tail.seq == t->seq && b->tail.szx == szx)
		return bytes_of(b->tail.bytes, b->tail.n);
	msg_init(&m, TYPE_NON, CODE_CONTENT);
	(void)msg_add_uint(&m, OPT_OBSERVE, t->seq);
	data_describe(t->value, &m);
	block2_first(value_bytes(t->value), szx, &m);
	msg_put_tail(&m, &out);
	b->tail.n = out.n;
	b->tail.topic = t;
	b->tail.seq = t->seq;
	b->tail.szx = szx;
	return buf_bytes(&out);
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	struct observer *o = owner;
	struct broker *b = x->user;

	ret->token = o->token;
	if (o->state == OBSERVER_ENDING) {
		ret->code = CODE_NOT_FOUND;
		return true;
	}
	if (o->state == OBSERVER_MOVING) {
		ret->code = CODE_UNAVAILABLE;
		ret->tail = group_inform_tail(b, o->bunch->observation);
		return true;
	}
	/* RFC 7641 4.5.2: a retransmission carries the newer value, as a message of its own. */
	ret->renewed = o->seq != o->bunch->topic->seq;
	ret->code = CODE_CONTENT;
	ret->tail = notification_tail(b, o->bunch->topic, o->szx);
	o->seq = o->bunch->topic->seq;
	o->bunch->topic->unsent = false;
	return true;
}

static void notify_one(struct broker *b, struct observer *o);

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	struct observer *o = owner;
	struct broker *b = x->user;

	o->exchange = NULL;
	if (end == EXCHANGE_CANCELLED)
		return;
	if (end == EXCHANGE_TIMEOUT) {
		drop_peer(b, o->peer);
		return;
	}
	if (o->state == OBSERVER_TRADITIONAL && end == EXCHANGE_ACKED) {
		o->con_s = now_s(b);
		o->since_con = 0;
		notify_one(b, o);
		return;
	}
	if (o->state == OBSERVER_MOVING)
		b->stats.moved++;
	else if (o->state == OBSERVER_TRADITIONAL)
		b->stats.observers_dropped++;
	dispose(b, o);
}

static bool
send_con(struct broker *b, struct observer *o)
{
	static const struct exchange_ops ops = {.compose = compose, .on_end = on_end};

	if (o->exchange)
		layer_cancel(b->layer, o->exchange);
	o->exchange = layer_send_con(b->layer, o->peer, &ops, o);
	if (!o->exchange)
		return false;
	o->exchange->user = b;
	return true;
}

/* Brings one observer up to date, unless a CON is in flight whose end will do it. */
static void
notify_one(struct broker *b, struct observer *o)
{
	struct topic *t = o->bunch->topic;
	struct outmsg m = {.code = CODE_CONTENT, .token = o->token};

	if (o->exchange || o->seq == t->seq || !t->value)
		return;
	b->stats.notifications++;
	if (o->since_con + 1 >= CON_EVERY || now_s(b) - o->con_s >= OBSERVER_CHECK_S) {
		b->stats.notifications_con++;
		if (send_con(b, o))
			return;
	}
	m.tail = notification_tail(b, t, o->szx);
	(void)layer_send_non(b->layer, o->peer, &m, &o->mid);
	if (o->since_con < UINT8_MAX)
		o->since_con++;
	o->seq = t->seq;
	t->unsent = false;
}

void
observe_mark_dirty(struct broker *b, struct topic *t)
{
	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next) {
		bunch->left = bunch->traditional.n;
		if (bunch->dirty || bunch->left == 0)
			continue;
		bunch->dirty = true;
		bunch->cursor = NULL;
		bunch->next_dirty = NULL;
		*(b->dirty_last ? &b->dirty_last->next_dirty : &b->dirty_first) = bunch;
		b->dirty_last = bunch;
	}
}

bool
broker_flush(struct broker *b)
{
	unsigned budget = FLUSH_BUDGET;

	while (b->dirty_first && budget > 0) {
		struct bunch *bunch = b->dirty_first;

		for (; budget > 0 && bunch->left > 0; budget--, bunch->left--) {
			struct observer *o =
				bunch->cursor ? bunch->cursor : bunch->traditional.first;

			if (!o)
				break;
			bunch->cursor = o->next;
			notify_one(b, o);
		}
		if (bunch->left > 0 && bunch->traditional.n > 0)
			break;
		bunch->left = 0;
		dirty_remove(b, bunch);
	}
	layer_flush(b->layer);
	return b->dirty_first != NULL;
}

void
observer_move(struct broker *b, struct observer *o)
{
	struct bunch *bunch = o->bunch;

	leave_bunch(o);
	o->bunch = bunch;
	o->state = OBSERVER_MOVING;
	list_append(&bunch->moving, o);
	if (send_con(b, o)) {
		b->stats.informed++;
		bunch->observation->count++;
		return;
	}
	/* No room for the exchange: it stays what it was, and is notified as before. */
	leave_bunch(o);
	o->bunch = bunch;
	o->state = OBSERVER_TRADITIONAL;
	list_append(&bunch->traditional, o);
}

void
observer_end(struct broker *b, struct observer *o)
{
	leave_bunch(o);
	o->state = OBSERVER_ENDING;
	if (!send_con(b, o))
		dispose(b, o);
}

void
observe_end_all(struct broker *b, struct topic *t)
{
	while (t->bunches) {
		struct bunch *bunch = t->bunches;

		while (bunch->traditional.first)
			observer_end(b, bunch->traditional.first);
		while (bunch->moving.first)
			observer_end(b, bunch->moving.first);
		if (bunch->observation)
			group_cancel(b, bunch->observation);
		else
			bunch_settle(b, bunch);
	}
}

/*
 * The bunch for a registration. Where a group observation of the topic runs for
 * another local address, those who came elsewhere stay traditional.
 */
static struct bunch *
bunch_for(struct call *c)
{
	const struct broker_group *group = NULL;
	const struct local *local = c->r->peer->local;

	if (!c->r->way->multicast && group_request_matches(c->r->msg))
		group = group_for(c->b, c->topic, c->r->way);
	if (group && !group_fits(group, c->topic->value))
		group = NULL;
	for (struct bunch *o = c->topic->bunches; group && o; o = o->next) {
		if (o->group == group && o->observation && !addr_equal(&o->local, &local->addr))
			group = NULL;
	}
	return bunch_get(c->b, c->topic, group, local);
}

/* An observation of the same peer under the same token gives way: RFC 7641 4.1. */
static bool
supersede(struct call *c, struct bunch *bunch)
{
	struct observer *o = observer_find(c->r->peer, &c->r->msg->token);

	if (!o)
		return false;
	if (o->bunch == bunch && o->state == OBSERVER_TRADITIONAL && !bunch->observation) {
		o->szx = block2_szx(c->r->msg);
		return true;
	}
	observer_remove(c->b, o);
	return false;
}

static void
inform(struct call *c, struct observer *o)
{
	/* Current draft 4.2: a separate response; a duplicate gets the empty ACK again. */
	request_remember(c->r);
	request_accept(c->r);
	observer_move(c->b, o);
}

/* A registration to a bunch whose group observation runs. */
static bool
register_group(struct call *c, struct bunch *bunch)
{
	struct observer *o = observer_find(c->r->peer, &c->r->msg->token);

	if (o && o->bunch == bunch && o->state == OBSERVER_MOVING) {
		request_accept(c->r);
		return true;
	}
	if (!request_wants(c->r, CODE_UNAVAILABLE)) {
		/* Current draft 5.1: the client only tells that it takes part. */
		bunch->observation->count++;
		request_accept(c->r);
		return true;
	}
	(void)supersede(c, bunch);
	o = observer_add(c->b, bunch, c->r->peer, &c->r->msg->token, BLOCK_SZX_MAX);
	if (!o)
		return false;
	inform(c, o);
	return true;
}

static bool
register_traditional(struct call *c, struct bunch *bunch)
{
	struct observer *o;

	if (supersede(c, bunch)) {
		o = observer_find(c->r->peer, &c->r->msg->token);
	} else {
		o = observer_add(c->b, bunch, c->r->peer, &c->r->msg->token, block2_szx(c->r->msg));
	}
	if (!o)
		return false;
	if (bunch->group && bunch->traditional.n >= bunch->group->threshold &&
		group_start(c->b, bunch) == 0) {
		request_remember(c->r);
		request_accept(c->r);
		return true;
	}
	o->seq = c->topic->seq;
	c->topic->unsent = false;
	data_reply(c, true);
	return true;
}

bool
observe_register(struct call *c)
{
	struct bunch *bunch = bunch_for(c);
	bool ok;

	ok = bunch->observation ? register_group(c, bunch) : register_traditional(c, bunch);
	if (ok)
		c->b->stats.registrations++;
	else
		c->b->stats.registrations_refused++;
	/* A bunch that was made for a registration that was refused. */
	if (!ok)
		bunch_settle(c->b, bunch);
	return ok;
}

void
observe_deregister(struct call *c)
{
	struct observer *o = observer_find(c->r->peer, &c->r->msg->token);

	if (!o || !o->bunch || o->bunch->topic != c->topic)
		return;
	c->b->stats.deregistrations++;
	observer_remove(c->b, o);
}

void
broker_reset(struct broker *b, struct peer *p, uint16_t mid)
{
	for (struct observer *o = p->user; o; o = o->next_of_peer) {
		if (o->state == OBSERVER_TRADITIONAL && o->mid == mid && o->since_con > 0) {
			b->stats.observers_dropped++;
			observer_remove(b, o);
			return;
		}
	}
}
