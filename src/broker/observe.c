/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/observe.h"

#include <assert.h>
#include <errno.h>

#include "broker/announce.h"
#include "broker/broker_impl.h"
#include "broker/qualify.h"
#include "broker/settings.h"
#include "wire/option.h"

#define OBSERVER_CHECK_S 86400 /* RFC 7641 4.5: a CON at least every 24 hours */
#define CON_EVERY 100 /* and one among so many notifications */
#define NUMBERS_MS 250 /* until there may be sequence numbers again to protect it with */
#define FLUSH_BUDGET 256 /* observers looked at before the next look at the network */

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

static void on_leisure(struct timer *t, void *ctx);

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
	bunch->broker = b;
	bunch->leisure.fire = on_leisure;
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

void
bunch_mark_dirty(struct broker *b, struct bunch *bunch, uint32_t n)
{
	if (bunch->left < n)
		bunch->left = n;
	if (bunch->dirty || bunch->left == 0)
		return;
	bunch->dirty = true;
	bunch->cursor = NULL;
	bunch->next_dirty = NULL;
	bunch->prev_dirty = b->dirty_last;
	*(b->dirty_last ? &b->dirty_last->next_dirty : &b->dirty_first) = bunch;
	b->dirty_last = bunch;
}

static void
mark_clean(struct broker *b, struct bunch *bunch)
{
	if (!bunch->dirty)
		return;
	*(bunch->prev_dirty ? &bunch->prev_dirty->next_dirty : &b->dirty_first) = bunch->next_dirty;
	*(bunch->next_dirty ? &bunch->next_dirty->prev_dirty : &b->dirty_last) = bunch->prev_dirty;
	bunch->dirty = false;
	bunch->at_leisure = false;
	bunch->left = 0;
}

void
bunch_settle(struct broker *b, struct bunch *bunch)
{
	struct bunch **at = &bunch->topic->bunches;

	if (bunch->traditional.n > 0 || bunch->moving.n > 0 || bunch->observation)
		return;
	if (bunch->starting)
		group_forget_start(b, bunch->starting);
	mark_clean(b, bunch);
	wheel_stop(layer_wheel(b->layer), &bunch->leisure);
	while (*at != bunch)
		at = &(*at)->next;
	*at = bunch->next;
	pool_put(&b->bunches, bunch);
}

struct observer *
observer_find(const struct request *r)
{
	for (struct observer *o = peer_user(r->peer); o; o = o->next_of_peer) {
		if (token_equal(&o->token, &r->msg->token) && cover_matches(o->cover, r))
			return o;
	}
	return NULL;
}

static uint32_t
now_s(const struct broker *b)
{
	return (uint32_t)(layer_now(b->layer) / 1000);
}

static void
keep(struct broker *b, const struct observer *o, bool stays)
{
	if (b->ops->keep_observer)
		b->ops->keep_observer(b->ctx, o, stays);
}

/* What its registration, which may be a later one, says of it. */
static void
take_registration(struct broker *b, struct observer *o, const struct request *r, uint8_t szx)
{
	o->cover = cover_new(b->layer, r);
	o->szx = szx;
	o->con_s = now_s(b);
	o->leisurely = r->way->multicast;
	o->movable = qualify_observer(r);
}

/* Past all limits. */
static struct observer *
add(struct broker *b, struct bunch *bunch, const struct request *r, uint8_t szx)
{
	struct peer *p = r->peer;
	struct observer *o = pool_get(&b->observers);

	o->bunch = bunch;
	o->peer = p;
	o->token = r->msg->token;
	o->mid = OBSERVER_NO_MID;
	take_registration(b, o, r, szx);
	/* Spread, so that those who came together are not checked together. */
	o->since_con = (uint8_t)(b->stats.registrations % CON_EVERY);
	o->seq = (bunch->topic->seq - 1) & OBSERVE_MASK;
	layer_pin(b->layer, p);
	o->next_of_peer = p->user;
	p->user = o;
	list_append(&bunch->traditional, o);
	return o;
}

struct observer *
observer_add(struct broker *b, struct bunch *bunch, const struct request *r, uint8_t szx)
{
	struct observer *o;
	uint32_t n = 0;

	for (o = peer_user(r->peer); o; o = o->next_of_peer)
		n++;
	if (n >= b->conf.limits.observers_per_peer) {
		b->stats.refused_observers_per_peer++;
		return NULL;
	}
	if (b->observers.n_used >= b->conf.limits.observers) {
		b->stats.refused_observers++;
		return NULL;
	}
	o = add(b, bunch, r, szx);
	keep(b, o, true);
	return o;
}

bool
observer_resume(struct broker *b, struct bunch *bunch, const struct request *r, uint8_t szx,
	bool movable, bool leisurely)
{
	struct observer *o = observer_find(r) ? NULL : add(b, bunch, r, szx);

	if (!o) {
		bunch_settle(b, bunch);
		return false;
	}
	o->movable = movable;
	o->leisurely = leisurely;
	/* Nobody knows whether it is still there: its first notification asks. */
	o->since_con = CON_EVERY;
	observer_is_told(o, OBSERVER_NO_MID);
	if (bunch->observation)
		bunch_mark_dirty(b, bunch, bunch->traditional.n);
	return true;
}

/* Off its bunch's list, and no longer who is next there. */
static void
leave_list(struct observer *o)
{
	struct bunch *bunch = o->bunch;

	if (!bunch)
		return;
	if (bunch->cursor == o)
		bunch->cursor = o->next;
	list_remove(o->state == OBSERVER_MOVING ? &bunch->moving : &bunch->traditional, o);
}

static void
leave_peer(struct observer *o)
{
	struct observer *before = o->peer->user;

	if (before == o) {
		o->peer->user = o->next_of_peer;
		return;
	}
	while (before->next_of_peer != o)
		before = before->next_of_peer;
	before->next_of_peer = o->next_of_peer;
}

/* Off every list and freed; its exchange is over. */
static void
dispose(struct broker *b, struct observer *o)
{
	struct bunch *bunch = o->bunch;
	struct peer *p = o->peer;

	keep(b, o, false);
	leave_list(o);
	leave_peer(o);
	cover_free(b->layer, &b->covers, o->cover);
	pool_put(&b->observers, o);
	layer_unpin(b->layer, p);
	if (bunch)
		bunch_settle(b, bunch);
}

static void
cancel_exchange(struct broker *b, struct observer *o)
{
	if (o->exchange)
		layer_cancel(b->layer, o->exchange);
}

/* Who was being moved does not take part after all. */
static void
uncount(struct observer *o)
{
	if (o->state == OBSERVER_MOVING && o->bunch->observation)
		count_leave(&o->bunch->observation->count, o->round);
}

void
observer_remove(struct broker *b, struct observer *o)
{
	uncount(o);
	cancel_exchange(b, o);
	dispose(b, o);
}

void
observer_renew(struct broker *b, struct observer *o, const struct request *r, uint8_t szx)
{
	cancel_exchange(b, o);
	/* RFC 8613 8.3: notifications answer the registration that came last. */
	cover_free(b->layer, &b->covers, o->cover);
	take_registration(b, o, r, szx);
	o->since_con = 0;
	keep(b, o, true);
}

void
observer_transfer(struct broker *b, struct observer *o, struct bunch *to)
{
	leave_list(o);
	o->bunch = to;
	list_append(&to->traditional, o);
	/* It may not have been told everything. */
	bunch_mark_dirty(b, to, to->traditional.n);
}

void
observer_is_told(struct observer *o, uint16_t mid)
{
	o->seq = o->bunch->topic->seq;
	o->bunch->topic->unsent = false;
	o->mid = mid;
}

/* Who is dropped is not there, and no longer one that stays traditional. */
static void
forget_unaware(struct broker *b, const struct observer *o)
{
	struct bunch *bunch = o->bunch ? o->bunch->topic->bunches : NULL;

	for (; bunch; bunch = bunch->next) {
		if (bunch->observation)
			unaware_forget(b, bunch->observation, o->peer);
	}
}

/* All of a peer that no longer answers: RFC 7641 4.5. */
static void
drop_peer(struct broker *b, struct peer *p)
{
	layer_pin(b->layer, p);
	while (p->user) {
		b->stats.observers_dropped++;
		forget_unaware(b, p->user);
		observer_remove(b, p->user);
	}
	layer_unpin(b->layer, p);
}

/* What a notification of a topic's value carries after its token. */
static struct bytes
notification_tail(struct broker *b, struct topic *t, uint8_t szx)
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
	/* Even if it does not leave: another value has another number. */
	t->unsent = false;
	return buf_bytes(&out);
}

/* What a CON says, and which version of it that is, among those of the observer's state. */
static uint32_t
compose_plain(struct broker *b, struct observer *o, struct outmsg *ret)
{
	if (o->state == OBSERVER_ENDING) {
		ret->code = o->end_code;
		return o->end_code;
	}
	if (o->state == OBSERVER_MOVING) {
		ret->code = CODE_UNAVAILABLE;
		ret->tail = announce_tail(b, o->bunch->observation);
		return o->bunch->observation->n_informs;
	}
	/* RFC 7641 4.5.2: a retransmission carries the newer value, as a message of its own. */
	ret->renewed = o->seq != o->bunch->topic->seq;
	ret->code = CODE_CONTENT;
	ret->tail = notification_tail(b, o->bunch->topic, o->szx);
	return o->bunch->topic->seq;
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	struct observer *o = owner;
	struct broker *b = x->user;
	uint32_t version = compose_plain(b, o, ret);

	ret->token = o->token;
	if (o->cover && o->cover->shield &&
		!cover_seal_con(b->layer, o->cover, (uint64_t)o->state << 32 | version, &b->covers,
			broker_room(b), ret))
		return false;
	if (o->state == OBSERVER_TRADITIONAL)
		observer_is_told(o, o->mid);
	return true;
}

static void notify_one(struct broker *b, struct observer *o);
static bool send_con(struct broker *b, struct observer *o, uint32_t delay_ms);

/* The 5.03 is over, and there is room for that of another whom there was none for. */
static void
is_moved(struct broker *b, struct observer *o, enum exchange_end end)
{
	struct bunch *bunch = o->bunch;

	if (end == EXCHANGE_ACKED) {
		b->stats.moved++;
		unaware_suspect(b, bunch->observation, o->peer);
	} else {
		uncount(o);
		b->stats.observers_dropped++;
	}
	dispose(b, o);
	if (bunch->traditional.n > 0)
		bunch_mark_dirty(b, bunch, 1);
}

/*
 * What cannot be protected is not sent: it ends as if the peer had rejected it. But numbers
 * that are not on the disk yet are before long.
 */
static enum exchange_end
end_cover(struct broker *b, struct observer *o, enum exchange_end end)
{
	int failed;

	if (!o->cover)
		return end;
	failed = o->cover->failed;
	cover_forget(&b->covers, o->cover);
	if (end != EXCHANGE_CANCELLED || failed == 0)
		return end;
	if (failed == -EAGAIN && (send_con(b, o, NUMBERS_MS) || o->state == OBSERVER_TRADITIONAL))
		return EXCHANGE_CANCELLED;
	return EXCHANGE_RESET;
}

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	struct observer *o = owner;
	struct broker *b = x->user;

	o->exchange = NULL;
	end = end_cover(b, o, end);
	if (end == EXCHANGE_CANCELLED)
		return;
	if (end == EXCHANGE_TIMEOUT) {
		drop_peer(b, o->peer);
	} else if (o->state == OBSERVER_MOVING) {
		is_moved(b, o, end);
	} else if (o->state == OBSERVER_TRADITIONAL && end == EXCHANGE_ACKED) {
		o->con_s = now_s(b);
		o->since_con = 0;
		/* A session tells later on that it was rejected: carrier_nack. */
		if (o->peer->local->transport != PATH_UDP)
			o->mid = x->mid;
		notify_one(b, o);
	} else {
		b->stats.observers_dropped += o->state == OBSERVER_TRADITIONAL;
		forget_unaware(b, o);
		dispose(b, o);
	}
}

/* A CON for this observer, instead of the one under way; false without room for it. */
static bool
send_con(struct broker *b, struct observer *o, uint32_t delay_ms)
{
	static const struct exchange_ops ops = {.compose = compose, .on_end = on_end};

	cancel_exchange(b, o);
	o->exchange = layer_send_con_after(b->layer, o->peer, &ops, o, delay_ms);
	if (!o->exchange)
		return false;
	o->exchange->user = b;
	return true;
}

static uint32_t
check_s(const struct topic *t)
{
	return settings_has(t, PROPS_OBSERVER_CHECK) ? t->settings->observer_check_s
						     : OBSERVER_CHECK_S;
}

/* Whether, but for slack_s seconds, no CON reached it for the time of observer-check. */
static bool
is_unchecked(const struct broker *b, const struct observer *o, uint32_t slack_s)
{
	return (uint64_t)(now_s(b) - o->con_s) + slack_s >= check_s(o->bunch->topic);
}

/* In the last quarter of that time a publish serves as the check, which saves a message. */
static bool
needs_con(const struct broker *b, const struct observer *o)
{
	uint32_t quarter = check_s(o->bunch->topic) / 4;

	return o->since_con + 1 >= CON_EVERY || is_unchecked(b, o, quarter > 1 ? quarter : 1);
}

/*
 * RFC 7641 4.5.1: who is sent NONs faster than one per round trip gets a CON in its turn,
 * with the value that is newest then, and the next when that is acknowledged. A CON at
 * once says how long a round trip is where that is not known: most often none at all.
 */
static bool
must_be_con(const struct broker *b, const struct observer *o, uint32_t *ret_wait_ms)
{
	bool known;
	uint32_t wait_ms = peer_pace(o->peer, layer_now(b->layer), &known);

	*ret_wait_ms = known ? wait_ms : 0;
	return wait_ms > 0 || needs_con(b, o);
}

/* As a NON; one that cannot be protected now is a CON a little later, or never. */
static void
send_non(struct broker *b, struct observer *o)
{
	uint8_t bytes[TAIL_MAX];
	struct buf room = BUF_OF(bytes);
	struct topic *t = o->bunch->topic;
	struct outmsg m = {
		.code = CODE_CONTENT, .token = o->token, .tail = notification_tail(b, t, o->szx)};
	uint16_t mid = o->mid;
	int rc;

	if (o->cover && o->cover->shield && (rc = cover_seal(b->layer, o->cover, &m, &room)) < 0) {
		if (rc == -EAGAIN)
			(void)send_con(b, o, NUMBERS_MS);
		return;
	}
	(void)layer_send_non(b->layer, o->peer, &m, &mid);
	if (o->since_con < UINT8_MAX)
		o->since_con++;
	observer_is_told(o, mid);
}

/* Brings one observer up to date, unless a CON is in flight whose end will do it. */
static void
notify_one(struct broker *b, struct observer *o)
{
	const struct topic *t = o->bunch->topic;
	uint32_t wait_ms = 0;

	if (o->exchange || o->seq == t->seq || !t->value)
		return;
	b->stats.notifications++;
	if (must_be_con(b, o, &wait_ms) && send_con(b, o, wait_ms)) {
		b->stats.notifications_con++;
		return;
	}
	send_non(b, o);
}

/*
 * groupcomm-bis 3.7: who registered by multicast is notified at leisure, as other servers
 * of the group may have news at the same time. Until then the newest value waits.
 */
static void
on_leisure(struct timer *t, void *ctx)
{
	struct bunch *bunch = MAP_OBJECT(t, struct bunch, leisure);

	(void)ctx;
	bunch->at_leisure = bunch->traditional.n > 0;
	bunch_mark_dirty(bunch->broker, bunch, bunch->traditional.n);
}

static bool
has_to_wait(struct broker *b, struct observer *o)
{
	struct bunch *bunch = o->bunch;

	if (!o->leisurely || bunch->at_leisure || o->seq == bunch->topic->seq)
		return false;
	if (!timer_is_on(&bunch->leisure))
		wheel_start(layer_wheel(b->layer), &bunch->leisure,
			layer_now(b->layer) + layer_leisure(b->layer));
	return true;
}

void
observe_mark_dirty(struct broker *b, struct topic *t)
{
	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next)
		bunch_mark_dirty(b, bunch, bunch->traditional.n);
}

/* It goes on when the others had their turn: who is published to all the time holds up nobody. */
static void
wait_for_turn(struct broker *b, struct bunch *bunch)
{
	if (b->dirty_last == bunch)
		return;
	b->dirty_first = bunch->next_dirty;
	b->dirty_first->prev_dirty = NULL;
	bunch->prev_dirty = b->dirty_last;
	bunch->next_dirty = NULL;
	b->dirty_last->next_dirty = bunch;
	b->dirty_last = bunch;
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
			/* Who is still here while a group observation runs found no room before. */
			if ((!bunch->observation || !observer_move(b, o, 0)) && !has_to_wait(b, o))
				notify_one(b, o);
		}
		if (bunch->left == 0 || bunch->traditional.n == 0)
			mark_clean(b, bunch);
		else
			wait_for_turn(b, bunch);
	}
	layer_flush(b->layer);
	return b->dirty_first != NULL;
}

bool
observer_move(struct broker *b, struct observer *o, uint32_t delay_ms)
{
	/* Neither keys to the unprotected, nor the protected to where nothing is. */
	assert(!o->bunch->group->security == !(o->cover && o->cover->secure));
	if (!send_con(b, o, delay_ms))
		return false;
	if (o->state == OBSERVER_MOVING)
		return true;
	leave_list(o);
	o->state = OBSERVER_MOVING;
	list_append(&o->bunch->moving, o);
	/* Section 4.2: considered as taking part, and counted, from here on. */
	o->round = count_join(&o->bunch->observation->count);
	b->stats.informed++;
	return true;
}

void
observer_end(struct broker *b, struct observer *o, enum msg_code code)
{
	uncount(o);
	leave_list(o);
	o->bunch = NULL;
	o->state = OBSERVER_ENDING;
	o->end_code = (uint8_t)code;
	if (!send_con(b, o, 0))
		dispose(b, o);
}

void
observe_end_all(struct broker *b, struct topic *t, enum msg_code code)
{
	while (t->bunches) {
		struct bunch *bunch = t->bunches;

		while (bunch->traditional.first)
			observer_end(b, bunch->traditional.first, code);
		while (bunch->moving.first)
			observer_end(b, bunch->moving.first, code);
		if (bunch->observation)
			group_cancel(b, bunch->observation);
		else
			bunch_settle(b, bunch);
	}
}

uint32_t
observe_count(const struct topic *t)
{
	uint32_t n = 0;

	for (const struct bunch *bunch = t->bunches; bunch; bunch = bunch->next)
		n += bunch->traditional.n + bunch->moving.n;
	return n;
}

void
observe_renumber(struct broker *b, struct topic *t)
{
	topic_take_number(t);
	broker_keep_seq(b, t);
}

uint32_t
observe_check_every(uint32_t check_s)
{
	return check_s >= 16 ? check_s / 8 : 1;
}

void
observe_check(struct broker *b, struct topic *t)
{
	uint32_t before = t->seq, every = observe_check_every(check_s(t)), n = 0;

	for (const struct bunch *bunch = t->bunches; bunch; bunch = bunch->next) {
		for (const struct observer *o = bunch->traditional.first; o; o = o->next)
			n += !o->exchange && is_unchecked(b, o, every);
	}
	if (n == 0 || !t->value)
		return;
	/* The others need not see that number. */
	observe_renumber(b, t);
	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next) {
		for (struct observer *o = bunch->traditional.first; o; o = o->next) {
			if (o->seq == before && !o->exchange && !is_unchecked(b, o, every))
				o->seq = t->seq;
		}
		bunch_mark_dirty(b, bunch, bunch->traditional.n);
	}
}

static void
check_default(void *ctx, struct map_node *node)
{
	struct topic *t = MAP_OBJECT(node, struct topic, by_path);

	if (t->bunches && !settings_has(t, PROPS_OBSERVER_CHECK))
		observe_check(ctx, t);
}

static void
on_check(struct timer *timer, void *ctx)
{
	struct broker *b = MAP_OBJECT(timer, struct broker, check);

	(void)ctx;
	map_each(&b->topics.by_path, check_default, b);
	observe_start_checks(b);
}

void
observe_start_checks(struct broker *b)
{
	b->check.fire = on_check;
	wheel_start(layer_wheel(b->layer), &b->check,
		layer_now(b->layer) + observe_check_every(OBSERVER_CHECK_S) * 1000ull);
}

void
broker_reset(struct broker *b, struct peer *p, uint16_t mid)
{
	for (struct observer *o = peer_user(p); o; o = o->next_of_peer) {
		/* In whatever state: RFC 7641 3.6, it is no longer interested. */
		if (o->mid == mid) {
			b->stats.observers_dropped++;
			forget_unaware(b, o);
			observer_remove(b, o);
			return;
		}
	}
}

void
broker_lost(struct broker *b, struct peer *p)
{
	if (peer_user(p))
		drop_peer(b, p);
}
