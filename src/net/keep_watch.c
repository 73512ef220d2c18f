/* SPDX-License-Identifier: BSD-2-Clause */
/* Who watches, on the way to the store: group observations and traditional observers. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "broker/group.h"
#include "broker/rekey.h"
#include "broker/restore.h"
#include "net/keep_impl.h"
#include "wire/option.h"

struct bytes
keep_interface_of(const struct keep *k, const struct broker_group *group)
{
	const struct plan *p = k->view.plan;

	for (size_t i = 0; i < p->broker.n_groups; i++) {
		if (&p->groups[i] == group)
			return bytes_str(p->from[i].interface);
	}
	return BYTES_NONE;
}

static struct store_group
describe(const struct keep *k, const struct group_observation *g)
{
	uint64_t due = timer_is_on(&g->refresh) ? g->refresh.at_ms : 0;
	uint64_t now = layer_now(k->view.layer);

	return (struct store_group){.id = g->id,
		.topic = g->bunch->topic->id,
		.ending_s = g->ending_s,
		.count_milli = (uint64_t)(g->count.n * 1000),
		/* How long after the start its next notification is due. */
		.flags = due > now ? (uint32_t)(due - now) : 0,
		.address = g->way.group,
		.source = g->way.source,
		.group = bytes_str(g->bunch->group->name),
		.interface = keep_interface_of(k, g->bunch->group),
		.hops = g->way.hops,
		.token = bytes_of(g->token.b, g->token.n),
		.phantom = bytes_of(g->phantom, g->n_phantom)};
}

/* What a shield is bound to; empty: what it protects ends with us. */
static struct keep_binding
binding_of(const struct keep *k, const struct broker_group *group, struct shield *s)
{
	struct keep_binding binding = {.keys = BYTES_NONE};

	if (s && (!k->view.pack || !k->view.pack(k->view.ctx, group, s, &binding)))
		binding = (struct keep_binding){.keys = BYTES_LIT("")};
	return binding;
}

static void
wait_for(struct keep *k, uint64_t ticket, uint64_t group)
{
	struct waiting *w = mem_alloc(sizeof(*w));

	w->ticket = ticket;
	w->group = group;
	w->next = k->waiting;
	k->waiting = w;
}

#define BINDING_MAX 512

/* The mode, and the four of them, each with its length. */
static void
put_binding(const struct keep_binding *b, struct buf *out)
{
	const struct bytes parts[] = {b->keys, b->gid, b->kid, b->piv};

	buf_put_u8(out, b->mode);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buf_put_u16(out, (uint16_t)parts[i].n);
		buf_put(out, parts[i]);
	}
}

static int
put_group(struct keep *k, const struct group_observation *g, uint32_t bound, enum store_when when,
	uint64_t *ret_ticket)
{
	const struct keep_binding binding = binding_of(k, g->bunch->group, g->shield);
	struct shield *old = rekey_before(g);
	uint8_t bytes[BINDING_MAX];
	struct buf before = BUF_OF(bytes);
	union store_record group = {.group = describe(k, g)};
	const union store_record seq = {.seq = {.id = g->id, .bound = keep_bound(k, bound)}};
	const struct store_change changes[] = {
		{STORE_GROUP, false, &group}, {STORE_GROUP_SEQ, false, &seq}};

	group.group.keys = binding.keys;
	group.group.gid = binding.gid;
	group.group.kid = binding.kid;
	group.group.piv = binding.piv;
	if (old) {
		const struct keep_binding theirs = binding_of(k, g->bunch->group, old);

		put_binding(&theirs, &before);
		assert(!before.full);
		group.group.before = buf_bytes(&before);
	}
	return store_put_all(k->store, changes, 2, when, ret_ticket);
}

static void
remove_group(struct keep *k, uint64_t id)
{
	const union store_record group = {.group = {.id = id}}, seq = {.seq = {.id = id}};
	const struct store_change changes[] = {
		{STORE_GROUP_SEQ, true, &seq}, {STORE_GROUP, true, &group}};

	(void)store_put_all(k->store, changes, 2, STORE_NOW, NULL);
}

bool
keep_group(struct keep *k, enum broker_keep_group what, const struct group_observation *g)
{
	uint64_t ticket;

	if (!k->store)
		return false;
	if (what == BROKER_GROUP_GOES)
		remove_group(k, g->id);
	else if (what == BROKER_GROUP_COUNTS)
		(void)put_group(k, g, g->seq_bound, STORE_NOW, NULL);
	else if (put_group(k, g, g->seq_bound, STORE_PROMISE, &ticket) < 0)
		return false;
	else
		wait_for(k, ticket, g->id);
	return true;
}

void
keep_watch_done(struct keep *k, uint64_t ticket, int error)
{
	struct waiting **at = &k->waiting, *w;

	while ((w = *at) != NULL) {
		if (w->ticket != ticket) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		broker_group_is_kept(k->view.broker, w->group, error == 0);
		free(w);
		/* Whoever was told may have made others wait. */
		at = &k->waiting;
	}
}

void
keep_watch_free(struct keep *k)
{
	struct waiting *w;

	while ((w = k->waiting) != NULL) {
		k->waiting = w->next;
		free(w);
	}
}

/* --- observers ------------------------------------------------------------------- */

bool
keep_take_binding(struct bytes from, struct keep_binding *ret)
{
	struct bytes *const parts[] = {&ret->keys, &ret->gid, &ret->kid, &ret->piv};

	if (from.n == 0)
		return false;
	ret->mode = from.p[0];
	from = bytes_from(from, 1);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = from.n < 2 ? SIZE_MAX : (size_t)from.p[0] << 8 | from.p[1];

		if (n > from.n - 2 || from.n < 2)
			return false;
		*parts[i] = bytes_of(from.p + 2, n);
		from = bytes_from(from, 2 + n);
	}
	return from.n == 0;
}

void
keep_observer(struct keep *k, const struct observer *o, bool stays)
{
	uint8_t bytes[BINDING_MAX];
	struct buf out = BUF_OF(bytes);
	struct keep_binding binding;
	union store_record r = {.observer = {.remote = o->peer->remote,
					.local = o->peer->local->addr,
					.token = bytes_of(o->token.b, o->token.n)}};

	/* Those of sessions end with them. */
	if (!k->store || o->peer->local->transport != PATH_UDP)
		return;
	if (!stays) {
		(void)store_remove(k->store, STORE_OBSERVER, &r, STORE_NOW, NULL);
		return;
	}
	r.observer.topic = o->bunch->topic->id;
	r.observer.szx = o->szx;
	r.observer.flags = restore_observer_flags(o);
	if (o->cover && o->cover->shield) {
		binding = binding_of(k, NULL, o->cover->shield);
		/* It ends with us: nothing of it is to be found. */
		if (binding.keys.n == 0)
			return;
		put_binding(&binding, &out);
		assert(!out.full);
		r.observer.binding = buf_bytes(&out);
	}
	(void)store_put(k->store, STORE_OBSERVER, &r, STORE_NOW, NULL);
}

/* --- all of it --------------------------------------------------------------------- */

struct all {
	struct keep *k;
	bool exact;
};

/*
 * Where the numbers go on after a clean stop. The one before tells of the value there is, so
 * that nothing has to be composed under another one: what has not been sent yet takes one.
 */
static uint32_t
exact_bound(const struct group_observation *g)
{
	return (g->seq + 1 + g->pending) & OBSERVE_MASK;
}

static void
put_one_group(void *ctx, const struct group_observation *g)
{
	const struct all *all = ctx;

	/* One that is about to begin does when it is kept, which is told. */
	if (g->bunch->observation == g)
		(void)put_group(
			all->k, g, all->exact ? exact_bound(g) : g->seq_bound, STORE_NOW, NULL);
}

static void
put_one_observer(void *ctx, const struct observer *o)
{
	const struct all *all = ctx;

	if (o->state != OBSERVER_ENDING)
		keep_observer(all->k, o, true);
}

void
keep_watch_groups(struct keep *k, bool exact)
{
	struct all all = {.k = k, .exact = exact};

	if (k->store)
		broker_each_group(k->view.broker, put_one_group, &all);
}

void
keep_watch_all(struct keep *k, bool exact)
{
	struct all all = {.k = k, .exact = exact};

	keep_watch_groups(k, exact);
	/* At a stop they are there already. */
	if (!exact)
		restore_each_observer(k->view.broker, put_one_observer, &all);
}
