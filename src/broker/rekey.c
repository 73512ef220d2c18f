/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/rekey.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/announce.h"
#include "broker/broker_impl.h"
#include "broker/qualify.h"
#include "broker/regroup.h"

#define FIRST_WAIT_MS 1000 /* from the first notice to the second; doubled to the third */
/* Of many group observations those after the first wait for theirs: others are to be sent, too. */
#define AT_ONCE 64
#define PACE_MS 10

struct rekey {
	struct timer timer; /* the next notice; the last time: the end */
	struct group_observation *g;
	struct shield *old; /* what the notices are protected with; held */
	uint32_t wait_ms;
	unsigned n_left;
	size_t n_notice;
	uint8_t notice[]; /* code, options, marker and payload: protected once */
};

void
rekey_end(struct group_observation *g)
{
	struct rekey *r = g->rekey;

	if (!r)
		return;
	wheel_stop(layer_wheel(g->broker->layer), &r->timer);
	layer_shield_release(g->broker->layer, r->old);
	free(r);
	g->rekey = NULL;
}

static void
send_notice(struct rekey *r)
{
	struct broker *b = r->g->broker;

	group_send(b, r->g, r->notice[0], bytes_from(bytes_of(r->notice, r->n_notice), 1));
	b->stats.group_notices++;
	wheel_start(layer_wheel(b->layer), &r->timer, layer_now(b->layer) + r->wait_ms);
	r->wait_ms *= 2;
	r->n_left--;
}

/* With what its members may have: the store is to know as long as they are told. */
static void
keep(struct group_observation *g)
{
	struct broker *b = g->broker;

	if (b->ops->keep_group)
		(void)b->ops->keep_group(b->ctx, BROKER_GROUP_COUNTS, g);
}

struct shield *
rekey_before(const struct group_observation *g)
{
	if (!g->rekey)
		return g->before;
	return g->rekey->n_left > 0 ? g->rekey->old : NULL;
}

static void
on_timer(struct timer *t, void *ctx)
{
	struct rekey *r = MAP_OBJECT(t, struct rekey, timer);
	struct group_observation *g = r->g;

	(void)ctx;
	if (r->n_left > 0) {
		send_notice(r);
		if (r->n_left == 0)
			keep(g);
		return;
	}
	rekey_end(g);
	/* Who heard only the last notice missed what was published since the first. */
	group_repeat(g->broker, g, 0);
}

/* The 5.03 with the new keys, under the old ones; without the latest notification if need be. */
static int
make_notice(struct group_observation *g, struct shield *old, struct buf *out)
{
	uint8_t plain[GROUP_DATAGRAM_MAX], sealed[GROUP_DATAGRAM_MAX], code;
	struct buf payload = BUF_OF(plain), tail = BUF_OF(sealed);
	size_t room = group_datagram(g->bunch->group) - 4 - GROUP_TOKEN_LEN;
	int rc = -EMSGSIZE;
	struct msg m;

	for (int latest = 1; latest >= 0 && rc == -EMSGSIZE; latest--) {
		buf_clear(&payload);
		if (announce_keys(g, latest, &payload) < 0 ||
			payload.n + g->bunch->group->overhead > room)
			continue;
		msg_init(&m, TYPE_NON, CODE_UNAVAILABLE);
		(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, g->broker->conf.informative_format);
		(void)msg_add_uint(&m, OPT_MAX_AGE, 0);
		m.payload = buf_bytes(&payload);
		rc = layer_protect(g->broker->layer, old, &m, &tail, &code);
	}
	mem_wipe(plain, sizeof(plain));
	if (rc < 0)
		return rc;
	buf_put_u8(out, code);
	buf_put(out, buf_bytes(&tail));
	return out->full ? -ENOBUFS : 0;
}

struct renewal {
	struct broker *b;
	const struct broker_security *security;
	uint32_t within_ms;
	unsigned n; /* that were begun */
};

/* Tells the keys that it has to who has those of `old`, which is taken over if it can. */
static int
tell(struct group_observation *g, struct shield *old, const struct renewal *how)
{
	struct wheel *w = layer_wheel(g->broker->layer);
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf notice = BUF_OF(bytes);
	struct rekey *r;
	int rc = make_notice(g, old, &notice);

	if (rc < 0)
		return rc;
	r = mem_alloc(sizeof(*r) + notice.n);
	r->timer.fire = on_timer;
	r->g = g;
	r->old = old;
	/* All of them, and what follows, in three quarters of the time there is. */
	r->wait_ms = how->within_ms / 10 < FIRST_WAIT_MS ? how->within_ms / 10 : FIRST_WAIT_MS;
	r->n_left = REKEY_NOTICES;
	r->n_notice = notice.n;
	memcpy(r->notice, bytes, notice.n);
	g->rekey = r;
	if (how->n < AT_ONCE)
		send_notice(r);
	else
		wheel_start(w, &r->timer, w->now_ms + how->n / AT_ONCE * PACE_MS);
	keep(g);
	return 0;
}

static int
rekey_one(struct group_observation *g, const struct renewal *how)
{
	struct shield *old;
	int rc;

	rekey_end(g);
	if ((rc = group_renew(g, &old)) < 0)
		return rc;
	if ((rc = tell(g, old, how)) < 0) {
		/* Nobody can be told, but for the cancellation under the keys they have. */
		layer_shield_release(g->broker->layer, g->shield);
		g->shield = old;
	}
	return rc;
}

/* What was put back as it was, before anything could be protected. */
static void
forget_before(struct group_observation *g)
{
	layer_shield_release(g->broker->layer, g->before);
	g->before = NULL;
	g->renewal = GROUP_KEYS_STAY;
}

static bool
is_of(const struct group_observation *g, const struct renewal *r)
{
	return g->bunch->group->security == r->security && g->bunch->observation == g;
}

static void
renew(void *ctx, struct map_node *node)
{
	struct group_observation *g = MAP_OBJECT(node, struct group_observation, by_token);
	struct renewal *r = ctx;

	if (!is_of(g, r))
		return;
	forget_before(g);
	g->orphan = rekey_one(g, r) < 0;
	r->n += !g->orphan;
}

/* Those who may not have heard of its keys before the restart. */
static int
tell_again(struct group_observation *g, const struct renewal *r)
{
	int rc = g->n_latest > 0 ? 0 : group_compose(g, GROUP_NO_DIVIDER);

	if (rc == 0)
		rc = tell(g, g->before, r);
	if (rc == 0)
		g->before = NULL;
	return rc;
}

static void
renew_again(void *ctx, struct map_node *node)
{
	struct group_observation *g = MAP_OBJECT(node, struct group_observation, by_token);
	struct renewal *r = ctx;

	if (!is_of(g, r))
		return;
	if (g->renewal == GROUP_KEYS_END)
		g->orphan = true;
	else if (g->renewal == GROUP_KEYS_CHANGE)
		g->orphan = rekey_one(g, r) < 0;
	else if (g->before)
		g->orphan = tell_again(g, r) < 0;
	else
		return;
	r->n += !g->orphan;
	if (!g->orphan)
		forget_before(g);
}

static bool
is_orphan(void *ctx, const struct group_observation *g)
{
	(void)ctx;
	return g->orphan;
}

/* Nobody heard of them, and their phantom requests are of the old keys. */
static void
forget_starts(struct broker *b, const struct broker_security *security)
{
	struct group_observation *g, *next;

	for (g = b->starting; g; g = next) {
		struct bunch *bunch = g->bunch;

		next = g->next_starting;
		if (bunch->group->security != security)
			continue;
		group_forget_start(b, g);
		bunch_mark_dirty(b, bunch, bunch->traditional.n);
		bunch_settle(b, bunch);
	}
}

/* Those who are enough for a group observation, which could not begin without these keys. */
static void
start_waiting(void *ctx, struct map_node *node)
{
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	const struct renewal *r = ctx;

	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next) {
		if (bunch->group && bunch->group->security == r->security && !bunch->observation)
			regroup_start(r->b, bunch);
	}
}

unsigned
broker_rekey(struct broker *b, const struct broker_security *security, uint32_t within_ms)
{
	struct renewal r = {.b = b, .security = security, .within_ms = within_ms};

	forget_starts(b, security);
	map_each(&b->group_tokens, renew, &r);
	(void)broker_cancel_groups(b, is_orphan, NULL);
	map_each(&b->topics.by_path, start_waiting, &r);
	return r.n;
}

unsigned
broker_rekey_again(struct broker *b, const struct broker_security *security, uint32_t within_ms)
{
	struct renewal r = {.b = b, .security = security, .within_ms = within_ms};

	map_each(&b->group_tokens, renew_again, &r);
	(void)broker_cancel_groups(b, is_orphan, NULL);
	return r.n;
}

static bool
is_under(void *ctx, const struct group_observation *g)
{
	return g->bunch->group->security == ctx;
}

void
broker_unkey(struct broker *b, const struct broker_security *security)
{
	forget_starts(b, security);
	(void)broker_cancel_groups(b, is_under, (void *)(uintptr_t)security);
}

struct each_secured {
	struct broker *b;
	void (*visit)(void *ctx, const struct broker_security *security, struct bytes topic);
	void *ctx;
};

static void
visit_secured(void *ctx, struct map_node *node)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	const struct each_secured *each = ctx;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct broker_group *g = qualify_topic(each->b, t, families[i]);

		if (g && g->security)
			each->visit(each->ctx, g->security, bytes_str(t->name));
	}
}

void
broker_each_secured(struct broker *b,
	void (*visit)(void *ctx, const struct broker_security *security, struct bytes topic),
	void *ctx)
{
	struct each_secured each = {.b = b, .visit = visit, .ctx = ctx};

	map_each(&b->topics.by_path, visit_secured, &each);
}
