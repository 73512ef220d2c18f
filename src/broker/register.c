/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a GET with Observe to an observer: RFC 7641 4.1, whom a group observation takes, and how
 * many there may be.
 */
#include "broker/announce.h"
#include "broker/permit.h"
#include "broker/qualify.h"
#include "broker/settings.h"
#include "wire/option.h"

/* The bunch whose group observation of the topic runs in that group. */
static struct bunch *
running_in(const struct topic *t, const struct broker_group *group)
{
	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next) {
		if (bunch->group == group && bunch->observation)
			return bunch;
	}
	return NULL;
}

/*
 * The group that this registration may be moved to, and the endpoint of ours that it is
 * moved from; NULL: it stays traditional.
 */
static const struct broker_group *
group_of(const struct call *c, struct local *ret)
{
	const struct broker_group *group;
	const struct bunch *running;

	/* Who may subscribe is counted one by one: wire.md, "Topics". */
	if (settings_has(c->topic, PROPS_MAX_SUBSCRIBERS))
		return NULL;
	if (!qualify_request(c->r->msg))
		return NULL;
	/* Asked by broadcast: the server address would be none. */
	if (addr_is_any(&c->r->way->local))
		return NULL;
	group = qualify_group(c->b, c->topic, c->r);
	if (!group || !group_fits(group, c->topic->value) || !qualify_local(c->b, c->r, ret))
		return NULL;
	running = running_in(c->topic, group);
	/* Its server address is that of those who were first. */
	if (running && !addr_equal(&running->local, &ret->addr))
		return NULL;
	/* It was told, and does not follow. */
	if (running && unaware_is(c->b, running->observation, c->r->peer))
		return NULL;
	/* Who wants no 5.03 cannot be moved, only counted. */
	if (!running && !request_wants(c->r, CODE_UNAVAILABLE))
		return NULL;
	return group;
}

static uint32_t
now_s(const struct call *c)
{
	return (uint32_t)(layer_now(c->b->layer) / 1000);
}

/* The place and the tag of a registration among those that were moved last. */
static struct moved *
moved_slot(const struct call *c, uint32_t *ret_tag)
{
	const struct path *way = c->r->way;
	uint32_t seed = c->b->topics.seed ^ c->r->msg->mid;
	uint32_t hash = addr_hash(&way->remote, addr_hash(&way->local, seed));

	*ret_tag = map_hash(bytes_of(c->r->msg->token.b, sizeof(c->r->msg->token.b)), hash);
	return &c->b->moved[hash % BROKER_MOVED];
}

/* RFC 7252 4.5: whether this very message was moved before, as far as that is known. */
static bool
was_moved(const struct call *c)
{
	uint32_t tag;
	const struct moved *m = moved_slot(c, &tag);

	return m->tag == tag && now_s(c) < m->until_s;
}

/*
 * The separate 5.03 is under way: what is left is the empty ACK, again for each
 * duplicate. They are known by a table of fixed size, since who takes part in a
 * group observation costs no memory; one that it forgot gets the 5.03 again.
 */
static bool
accept_moved(struct call *c)
{
	uint32_t tag;
	struct moved *m = moved_slot(c, &tag);

	m->tag = tag;
	m->until_s = now_s(c) + LAYER_EXCHANGE_LIFETIME_S;
	request_accept(c->r);
	return true;
}

/* Section 8.3.3: a request is an answer only with a Feedback-Divider of 0. */
static bool
is_confirmation(const struct msg *m)
{
	uint32_t divider;

	return msg_uint(m, option_feedback_divider(), &divider) && divider == 0;
}

/*
 * A registration to a bunch whose group observation runs; `confirms`: of one who takes
 * part already.
 */
static bool
register_group(struct call *c, struct bunch *bunch, bool confirms)
{
	struct observer *o = observer_find(c->r);

	if (was_moved(c) || (o && o->bunch == bunch && o->state == OBSERVER_MOVING))
		return accept_moved(c);
	if (confirms)
		group_confirm(c->b, bunch->observation);
	if (!request_wants(c->r, CODE_UNAVAILABLE)) {
		/* Section 5.1: it knows the rest, and only tells that it takes part. */
		if (!confirms)
			(void)count_join(&bunch->observation->count);
		return accept_moved(c);
	}
	if (o)
		observer_remove(c->b, o);
	o = observer_add(c->b, bunch, c->r, BLOCK_SZX_MAX);
	if (!o)
		return false;
	if (observer_move(c->b, o, request_leisure(c->r))) {
		/* It was counted before. */
		if (confirms)
			count_leave(&bunch->observation->count, o->round);
		return accept_moved(c);
	}
	observer_remove(c->b, o);
	return false;
}

/* An answer to a count is nothing else, and makes nobody a traditional observer. */
static bool
register_confirmation(struct call *c)
{
	struct local local;
	const struct broker_group *group = group_of(c, &local);
	struct bunch *bunch = group ? running_in(c->topic, group) : NULL;

	return bunch && register_group(c, bunch, true);
}

/* Whether enough are there for a group observation, and it starts or is about to. */
static bool
starts_group(struct broker *b, struct bunch *bunch)
{
	if (!bunch->group || bunch->traditional.n < bunch->group->threshold)
		return false;
	return bunch->starting || group_start(b, bunch) == 0;
}

static bool
register_traditional(struct call *c, struct bunch *bunch)
{
	struct observer *o = observer_find(c->r);
	uint8_t szx = block2_szx(c->r->msg);
	uint32_t leisure = request_leisure(c->r);

	/* RFC 7641 4.1: the same endpoint and token: the registration is updated. */
	if (o && o->bunch != bunch) {
		observer_remove(c->b, o);
		o = NULL;
	}
	if (o)
		observer_renew(c->b, o, c->r, szx);
	else
		o = observer_add(c->b, bunch, c->r, szx);
	if (!o)
		return false;
	if (starts_group(c->b, bunch)) {
		if (bunch->starting) {
			/* It is moved when that is kept; until then it is told nothing. */
			request_accept(c->r);
			return true;
		}
		if ((o->state == OBSERVER_MOVING && leisure == 0) ||
			observer_move(c->b, o, leisure))
			return accept_moved(c);
	}
	data_reply(c, o);
	return true;
}

/* coap-pubsub "Subscribe": past max-subscribers; not when it only registers again. */
static bool
is_full(const struct call *c)
{
	const struct observer *o;

	if (!settings_has(c->topic, PROPS_MAX_SUBSCRIBERS) ||
		observe_count(c->topic) < c->topic->settings->max_subscribers)
		return false;
	o = observer_find(c->r);
	return !o || !o->bunch || o->bunch->topic != c->topic;
}

/* Whether this registration shows that its client does not follow the 5.03. */
static bool
is_unaware(struct call *c, const struct bunch *bunch)
{
	const struct observer *o = observer_find(c->r);

	/* A copy of one that was moved, or whose 5.03 is under way, shows nothing. */
	return !was_moved(c) && (!o || o->state != OBSERVER_MOVING) &&
	       !msg_has(c->r->msg, OPT_NO_RESPONSE) &&
	       unaware_again(c->b, bunch->observation, c->r->peer);
}

bool
observe_register(struct call *c)
{
	const struct broker_group *group;
	struct bunch *bunch;
	struct local local;
	bool ok;

	if (c->phantom)
		return group_register(c->phantom, c->topic);
	if (is_confirmation(c->r->msg))
		return register_confirmation(c);
	if (is_full(c)) {
		c->b->stats.registrations_refused++;
		return false;
	}
	group = group_of(c, &local);
	bunch = bunch_get(c->b, c->topic, group, &local);
	if (bunch->observation && is_unaware(c, bunch))
		bunch = bunch_get(c->b, c->topic, NULL, &local);
	ok = bunch->observation ? register_group(c, bunch, false) : register_traditional(c, bunch);
	if (ok) {
		c->b->stats.registrations++;
		return true;
	}
	c->b->stats.registrations_refused++;
	/* It may have been made for the registration that was refused. */
	bunch_settle(c->b, bunch);
	return false;
}

void
observe_deregister(struct call *c)
{
	struct observer *o = observer_find(c->r);

	if (!o || !o->bunch || o->bunch->topic != c->topic)
		return;
	c->b->stats.deregistrations++;
	observer_remove(c->b, o);
}

bool
observe_announce(struct call *c)
{
	const struct broker_group *group;
	const struct bunch *bunch;

	/* Whoever may not be moved is told nothing. */
	if (!announce_is_asked(c) || !permit_call(c, BROKER_MAY_SUBSCRIBE) ||
		!(group = qualify_group(c->b, c->topic, c->r)))
		return false;
	bunch = running_in(c->topic, group);
	return bunch && announce_block(c, bunch->observation);
}

/* All of a bunch's observers into another one. */
static void
merge(struct broker *b, struct bunch *from, struct bunch *into)
{
	while (from->traditional.first)
		observer_transfer(b, from->traditional.first, into);
	bunch_settle(b, from);
}

void
observe_limit(struct broker *b, struct topic *t, uint32_t max)
{
	struct bunch *bunch, *next, *plain;
	bool has_some;

	if (!t->bunches)
		return;
	plain = bunch_get(b, t, NULL, NULL);
	for (bunch = t->bunches; bunch; bunch = next) {
		next = bunch->next;
		if (bunch == plain)
			continue;
		has_some = bunch->traditional.n > 0;
		if (bunch->starting)
			group_forget_start(b, bunch->starting);
		/* Of those whom it took nobody knows who they are: they register again. */
		if (bunch->observation)
			group_cancel(b, bunch->observation);
		if (has_some)
			merge(b, bunch, plain);
	}
	while (plain->traditional.n > max)
		observer_end(b, plain->traditional.last, CODE_NOT_FOUND);
	bunch_settle(b, plain);
}
