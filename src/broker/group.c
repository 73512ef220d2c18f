/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/group.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/announce.h"
#include "broker/broker_impl.h"
#include "broker/qualify.h"
#include "broker/rekey.h"
#include "broker/settings.h"
#include "wire/option.h"

#define MULTICAST_MID 0x8000u /* the upper half of the space: architecture, "Message IDs" */
#define TOKEN_TRIES 16
#define MOVES_AT_ONCE 256 /* informative responses queued when a group observation starts */
/*
 * Header, token, Observe, Content-Format, ETag, Max-Age, Feedback-Divider, Block2, Size2 and
 * marker at their longest.
 */
#define NOTIFICATION_OVERHEAD (4 + GROUP_TOKEN_LEN + 4 + 3 + 9 + 5 + 4 + 4 + 5 + 1)

size_t
group_datagram(const struct broker_group *g)
{
	return g->datagram < GROUP_DATAGRAM_MAX ? g->datagram : GROUP_DATAGRAM_MAX;
}

static bool
fits_whole(const struct broker_group *g, const struct value *v)
{
	return v->n + NOTIFICATION_OVERHEAD + g->overhead <= group_datagram(g);
}

/* The block size a value is sent in when it does not fit whole; -1: not even in the smallest. */
static int
datagram_szx(const struct broker_group *g)
{
	int szx = BLOCK_SZX_MAX;

	while (szx >= 0 &&
		BLOCK_SIZE(szx) + NOTIFICATION_OVERHEAD + g->overhead > group_datagram(g))
		szx--;
	return szx;
}

bool
group_fits(const struct broker_group *g, const struct value *v)
{
	return fits_whole(g, v) || (!g->whole_only && datagram_szx(g) >= 0);
}

static uint16_t
next_mid(struct broker *b)
{
	b->group_mid = (uint16_t)((b->group_mid + 1) | MULTICAST_MID);
	return b->group_mid;
}

/* Whether T is taken towards the same group and server endpoint. */
static bool
token_is_live(const struct broker *b, const struct group_observation *g, uint32_t hash)
{
	for (struct map_node *n = map_first(&b->group_tokens, hash); n; n = map_next(n)) {
		struct group_observation *other = MAP_OBJECT(n, struct group_observation, by_token);

		if (token_equal(&other->token, &g->token) &&
			addr_equal(&other->way.group, &g->way.group) &&
			addr_equal(&other->way.source, &g->way.source))
			return true;
	}
	return false;
}

/* Section 4.1, step 2: an available value of the token space that is ours alone. */
static int
take_token(struct broker *b, struct group_observation *g)
{
	uint32_t hash;

	for (int i = 0; i < TOKEN_TRIES; i++) {
		g->token = (struct token){.n = GROUP_TOKEN_LEN};
		b->ops->random(b->ctx, g->token.b, GROUP_TOKEN_LEN);
		hash = map_hash(bytes_of(g->token.b, GROUP_TOKEN_LEN), b->topics.seed);
		if (!token_is_live(b, g, hash)) {
			map_put(&b->group_tokens, &g->by_token, hash);
			return 0;
		}
	}
	return -EBUSY;
}

/*
 * Steps 3 and 4: the phantom goes the way of every request, as one that came
 * from the group; what becomes of it is group_register's.
 */
static int
process_phantom(struct broker *b, struct group_observation *g, struct msg *m)
{
	const struct path way = {
		.remote = g->way.group, .local = g->way.source, .socket = g->way.socket};

	if (!qualify_request(m))
		return -EBADMSG;
	broker_request_phantom(b, &way, m, g);
	return g->bunch->observation == g ? 0 : -ENOENT;
}

/* As it would arrive. */
static int
encode_phantom(struct broker *b, struct group_observation *g, const struct msg *m, struct buf *out)
{
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf inner = BUF_OF(bytes);

	if (!g->bunch->group->security)
		return msg_encode(m, out);
	g->shield = b->ops->group_phantom(b->ctx, g->bunch->group, m, &inner);
	if (!g->shield || inner.n == 0)
		return -EACCES;
	msg_put_header(out, (enum msg_type)m->type, inner.p[0], m->mid, &m->token);
	buf_put(out, bytes_from(buf_bytes(&inner), 1));
	return inner.full || out->full ? -ENOBUFS : 0;
}

/* Step 1: GET, Observe 0, the path of the topic data, token T. */
static int
make_phantom(struct broker *b, struct group_observation *g)
{
	uint8_t text[TOPIC_PATH_MAX], segments[TOPIC_PATH_MAX], datagram[GROUP_DATAGRAM_MAX];
	struct buf path = BUF_OF(text), scratch = BUF_OF(segments), out = BUF_OF(datagram);
	struct msg m;
	int rc;

	msg_init(&m, TYPE_NON, CODE_GET);
	m.mid = next_mid(b);
	m.token = g->token;
	(void)msg_add_uint(&m, OPT_OBSERVE, 0);
	buf_put_str(&path, b->conf.collection);
	buf_put_str(&path, "/data");
	buf_put_str(&path, g->bunch->topic->path);
	if (path.full)
		return -ENOBUFS;
	if ((rc = msg_add_path(&m, OPT_URI_PATH, buf_bytes(&path), &scratch)) < 0 ||
		(rc = process_phantom(b, g, &m)) < 0 || (rc = encode_phantom(b, g, &m, &out)) < 0)
		return rc;
	g->phantom = mem_dup(buf_bytes(&out));
	g->n_phantom = (uint32_t)out.n;
	return 0;
}

/* Whether the store, if there is one, takes it. */
static bool
keep(const struct group_observation *g, enum broker_keep_group what)
{
	const struct broker_ops *ops = g->broker->ops;

	return !ops->keep_group || ops->keep_group(g->broker->ctx, what, g);
}

/* A message to the group as it leaves: code, options, marker and payload. */
static int
encode_inner(
	struct group_observation *g, struct shield *shield, const struct msg *m, struct buf *out)
{
	uint8_t bytes[GROUP_DATAGRAM_MAX], code;
	struct buf tail = BUF_OF(bytes);
	int rc;

	if (!shield)
		return msg_encode_inner(m, out);
	if ((rc = layer_protect(g->broker->layer, shield, m, &tail, &code)) < 0)
		return rc;
	buf_put_u8(out, code);
	buf_put(out, buf_bytes(&tail));
	return out->full ? -ENOBUFS : 0;
}

/* It has to be made anew. Keys may be in it. */
void
group_forget_inform(struct group_observation *g)
{
	if (g->inform)
		mem_wipe(g->inform, g->n_inform);
	free(g->inform);
	g->inform = NULL;
}

/*
 * Sections 4.3 and 4.1, step 6: composes the latest notification, without sending it.
 * divider: its Feedback-Divider, or GROUP_NO_DIVIDER.
 */
static int
compose(struct group_observation *g, int divider)
{
	const struct broker_group *conf = g->bunch->group;
	const struct value *v = g->bunch->topic->value;
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf out = BUF_OF(bytes);
	struct msg m;
	int rc;

	msg_init(&m, TYPE_NON, CODE_CONTENT);
	g->nth = v->nth;
	/* Kept long before they are used up; one that begins is kept with them. */
	if (topic_reserve_numbers(g->seq, &g->seq_bound) && g->bunch->observation == g)
		keep(g, BROKER_GROUP_COUNTS);
	(void)msg_add_uint(&m, OPT_OBSERVE, g->seq);
	(void)msg_add_uint(&m, OPT_MAX_AGE, conf->max_age_s);
	if (divider != GROUP_NO_DIVIDER)
		(void)msg_add_uint(&m, option_feedback_divider(), (uint32_t)divider);
	data_describe(v, &m);
	if (fits_whole(conf, v))
		m.payload = value_bytes(v);
	else
		block2_first(value_bytes(v), (uint8_t)datagram_szx(conf), &m);
	if ((rc = encode_inner(g, g->shield, &m, &out)) < 0)
		return rc;
	if (out.n > g->n_latest)
		g->latest = mem_realloc(g->latest, out.n);
	memcpy(g->latest, bytes, out.n);
	g->n_latest = (uint32_t)out.n;
	group_forget_inform(g);
	return 0;
}

int
group_compose(struct group_observation *g, int divider)
{
	g->seq = (g->seq + 1) & OBSERVE_MASK;
	return compose(g, divider);
}

int
group_compose_again(struct group_observation *g)
{
	return compose(g, GROUP_NO_DIVIDER);
}

/*
 * When the next notification is due: a value that waits is, or the latest one reaches
 * its Max-Age (section 4.3, last paragraph).
 */
static void
schedule(struct broker *b, struct group_observation *g, uint64_t in_ms)
{
	wheel_start(layer_wheel(b->layer), &g->refresh, layer_now(b->layer) + in_ms);
}

void
group_send(struct broker *b, struct group_observation *g, uint8_t code, struct bytes tail)
{
	struct buf *out = b->ops->open_group(b->ctx, &g->way);

	if (!out) {
		b->stats.group_dropped++;
		return;
	}
	msg_put_header(out, TYPE_NON, code, next_mid(b), &g->token);
	buf_put(out, tail);
	if (out->full)
		b->stats.group_dropped++;
	/* Each open has its commit, which drops what did not fit. */
	b->ops->commit(b->ctx);
}

/* Section 8.3.1: the divider of the notification that leaves now. */
static int
ask(struct broker *b, struct group_observation *g)
{
	const struct count_conf *conf = &g->bunch->group->count;

	if (!count_is_due(&g->count, conf))
		return GROUP_NO_DIVIDER;
	wheel_start(layer_wheel(b->layer), &g->window, layer_now(b->layer) + conf->wait_ms);
	return count_ask(&g->count, conf);
}

static void
on_window(struct timer *t, void *ctx)
{
	struct group_observation *g = MAP_OBJECT(t, struct group_observation, window);

	(void)ctx;
	g->broker->stats.group_counts++;
	/* Appendix A: who was promised that it goes on is not counted. */
	if (count_close(&g->count, &g->bunch->group->count) && !timer_is_on(&g->end))
		group_cancel(g->broker, g);
	else
		keep(g, BROKER_GROUP_COUNTS);
}

void
group_confirm(struct broker *b, struct group_observation *g)
{
	b->stats.group_confirmations++;
	count_confirm(&g->count);
}

/* Composes a notification of the current value and sends it. */
static void
send_latest(struct broker *b, struct group_observation *g)
{
	if (group_compose(g, ask(b, g)) < 0) {
		/* It could not be protected. */
		b->stats.group_dropped++;
		g->pending = true;
		schedule(b, g, GROUP_UNHEARD_MS);
		return;
	}
	g->pending = false;
	g->sent_ms = layer_now(b->layer);
	group_send(b, g, g->latest[0], bytes_from(bytes_of(g->latest, g->n_latest), 1));
	schedule(b, g, g->bunch->group->max_age_s * 1000ull);
}

/* Who is being moved may have been sent an older one: it is repeated soon. */
static void
repeat_soon(struct broker *b, struct group_observation *g)
{
	uint32_t in_ms = g->bunch->group->min_interval_ms;

	if (in_ms < GROUP_UNHEARD_MS)
		in_ms = GROUP_UNHEARD_MS;
	if (g->bunch->moving.n > 0 && g->bunch->group->max_age_s * 1000ull > in_ms)
		schedule(b, g, in_ms);
}

static void
on_refresh(struct timer *t, void *ctx)
{
	struct group_observation *g = MAP_OBJECT(t, struct group_observation, refresh);
	struct broker *b = g->broker;

	(void)ctx;
	if (g->pending) {
		b->stats.group_notifications++;
		send_latest(b, g);
		repeat_soon(b, g);
	} else {
		b->stats.group_refreshes++;
		send_latest(b, g);
	}
	/* Those whom there was no room to move. */
	bunch_mark_dirty(b, g->bunch, g->bunch->traditional.n);
}

/* Section 4.4: how long it is until min-interval lets the next one leave. */
uint64_t
group_pace_ms(const struct broker *b, const struct group_observation *g)
{
	uint64_t passed_ms = layer_now(b->layer) - g->sent_ms;
	uint32_t least_ms = g->bunch->group->min_interval_ms;

	return g->sent_ms != 0 && passed_ms < least_ms ? least_ms - passed_ms : 0;
}

void
group_repeat(struct broker *b, struct group_observation *g, uint32_t in_ms)
{
	uint64_t wait_ms = group_pace_ms(b, g);

	/* A value that waits is sent anyway; one that begins has nothing to repeat. */
	if (!g->pending && g->bunch->observation == g)
		schedule(b, g, wait_ms > in_ms ? wait_ms : in_ms);
}

/* A second's budget of observe numbers: how long it is until there is one to spend. */
static uint64_t
spend_ms(struct broker *b, struct group_observation *g)
{
	uint64_t now_ms = layer_now(b->layer);

	if (now_ms - g->budget_ms >= 1000) {
		g->budget_ms = now_ms;
		g->n_spent = 0;
	}
	if (g->n_spent < GROUP_BUDGET) {
		g->n_spent++;
		return 0;
	}
	/* The counted second is over by then, and what is sent begins the next one. */
	return g->budget_ms + 1000 - now_ms;
}

void
group_notify(struct broker *b, struct group_observation *g)
{
	uint64_t wait_ms;

	if (!group_fits(g->bunch->group, g->bunch->topic->value)) {
		/* Nothing of it fits a datagram: its observers are to register again, as traditional ones. */
		group_cancel(b, g);
		return;
	}
	wait_ms = group_pace_ms(b, g);
	if (wait_ms == 0)
		wait_ms = spend_ms(b, g);
	if (wait_ms > 0) {
		/* The newest wins: what waited before is never sent. */
		b->stats.group_coalesced += g->pending;
		g->pending = true;
		schedule(b, g, wait_ms);
		return;
	}
	b->stats.group_notifications++;
	send_latest(b, g);
	repeat_soon(b, g);
}

static void
dispose(struct broker *b, struct group_observation *g)
{
	wheel_stop(layer_wheel(b->layer), &g->refresh);
	wheel_stop(layer_wheel(b->layer), &g->window);
	wheel_stop(layer_wheel(b->layer), &g->end);
	unaware_end(b, g);
	rekey_end(g);
	layer_shield_release(b->layer, g->before);
	map_remove(&b->group_tokens, &g->by_token);
	free(g->phantom);
	free(g->latest);
	group_forget_inform(g);
	layer_shield_release(b->layer, g->shield);
	free(g);
}

int
group_renew(struct group_observation *g, struct shield **ret_old)
{
	struct shield *old = g->shield;
	uint8_t *phantom = g->phantom;
	uint32_t n_phantom = g->n_phantom;
	int rc;

	g->shield = NULL;
	g->phantom = NULL;
	if ((rc = make_phantom(g->broker, g)) == 0 &&
		(rc = group_compose(g, GROUP_NO_DIVIDER)) == 0) {
		free(phantom);
		*ret_old = old;
		return 0;
	}
	layer_shield_release(g->broker->layer, g->shield);
	free(g->phantom);
	g->shield = old;
	g->phantom = phantom;
	g->n_phantom = n_phantom;
	return rc;
}

bool
group_register(struct group_observation *g, const struct topic *t)
{
	if (t != g->bunch->topic)
		return false;
	g->bunch->observation = g;
	return true;
}

static void
on_ending(struct timer *t, void *ctx)
{
	struct group_observation *g = MAP_OBJECT(t, struct group_observation, end);

	(void)ctx;
	group_cancel(g->broker, g);
}

/* Moves the observers there are, oldest first; more than a turn's worth wait for broker_flush. */
static void
move_all(struct broker *b, struct bunch *bunch)
{
	for (int n = 0; n < MOVES_AT_ONCE && bunch->traditional.first; n++) {
		struct observer *o = bunch->traditional.first;

		if (!observer_move(b, o, o->leisurely ? layer_leisure(b->layer) : 0))
			break;
	}
	bunch_mark_dirty(b, bunch, bunch->traditional.n);
}

/* Nobody has heard of it yet. */
static void
begin(struct broker *b, struct group_observation *g)
{
	struct bunch *bunch = g->bunch;

	bunch->observation = g;
	schedule(b, g, bunch->group->max_age_s * 1000ull);
	b->stats.group_started++;
	b->stats.group_observations++;
	if (b->ops->on_group)
		b->ops->on_group(b->ctx, g, true);
	move_all(b, bunch);
}

static struct group_observation *
make(struct broker *b, struct bunch *bunch, const struct addr *source, uint16_t socket)
{
	struct group_observation *g = mem_alloc(sizeof(*g));

	g->broker = b;
	g->bunch = bunch;
	g->refresh.fire = on_refresh;
	g->window.fire = on_window;
	g->end.fire = on_ending;
	g->way = (struct group_path){.group = bunch->group->address,
		.source = *source,
		.ifindex = bunch->group->ifindex,
		.socket = socket,
		.hops = bunch->group->hops};
	return g;
}

/* Begins when it is kept: until then the topic's registrations wait in its bunch. */
static int
begin_when_kept(struct broker *b, struct group_observation *g)
{
	g->bunch->observation = NULL;
	if (!keep(g, BROKER_GROUP_BEGINS))
		return -EIO;
	g->bunch->starting = g;
	g->next_starting = b->starting;
	b->starting = g;
	return 0;
}

int
group_start(struct broker *b, struct bunch *bunch)
{
	struct group_observation *g = make(b, bunch, &bunch->local, bunch->socket);
	int rc;

	g->seq = bunch->topic->seq;
	g->seq_bound = g->seq;
	g->id = ++b->last_group_id;
	if ((rc = take_token(b, g)) < 0) {
		free(g);
		return rc;
	}
	if ((rc = make_phantom(b, g)) < 0)
		goto fail;
	bunch->observation = NULL;
	if ((rc = group_compose(g, GROUP_NO_DIVIDER)) < 0)
		goto fail;
	if (announce_tail(b, g).n == 0) {
		rc = -EMSGSIZE;
		goto fail;
	}
	if (b->ops->keep_group && (rc = begin_when_kept(b, g)) < 0)
		goto fail;
	if (!b->ops->keep_group)
		begin(b, g);
	return 0;
fail:
	bunch->observation = NULL;
	dispose(b, g);
	return rc;
}

/* No longer one that is to be kept first. */
static void
leave_starting(struct broker *b, struct group_observation *g)
{
	struct group_observation **at = &b->starting;

	while (*at != g)
		at = &(*at)->next_starting;
	*at = g->next_starting;
	g->bunch->starting = NULL;
}

/* Whether what was made of the topic then can begin now: the value may be another one. */
static bool
is_still_fine(struct group_observation *g)
{
	const struct value *v = g->bunch->topic->value;

	if (!v || !group_fits(g->bunch->group, v))
		return false;
	return v->nth == g->nth || group_compose(g, GROUP_NO_DIVIDER) == 0;
}

void
broker_group_is_kept(struct broker *b, uint64_t id, bool kept)
{
	struct group_observation *g = b->starting;
	struct bunch *bunch;

	while (g && g->id != id)
		g = g->next_starting;
	/* Its topic may be gone. */
	if (!g)
		return;
	bunch = g->bunch;
	leave_starting(b, g);
	if (kept && is_still_fine(g)) {
		begin(b, g);
		return;
	}
	if (kept)
		keep(g, BROKER_GROUP_GOES);
	dispose(b, g);
	/* Those who wait for their answer get it as a notification. */
	bunch_mark_dirty(b, bunch, bunch->traditional.n);
	bunch_settle(b, bunch);
}

void
group_forget_start(struct broker *b, struct group_observation *g)
{
	leave_starting(b, g);
	keep(g, BROKER_GROUP_GOES);
	dispose(b, g);
}

/* The planned end, which may have come meanwhile. */
static void
resume_ending(struct broker *b, struct group_observation *g, int64_t ending_s)
{
	int64_t left_s = ending_s - b->ops->wall_s(b->ctx);

	if (ending_s == 0)
		return;
	g->ending_s = ending_s;
	/* However the clock was set, what was said of it is not longer than this. */
	if (left_s > GROUP_OFFERED_S)
		left_s = GROUP_OFFERED_S;
	wheel_start(layer_wheel(b->layer), &g->end,
		layer_now(b->layer) + (left_s > 0 ? (uint64_t)left_s * 1000 : 0));
}

static bool
may_resume(struct broker *b, const struct topic *t, const struct group_kept *kept)
{
	return t->value && group_fits(kept->group, t->value) &&
	       !settings_has(t, PROPS_MAX_SUBSCRIBERS) &&
	       qualify_topic(b, t, kept->group->address.family) == kept->group &&
	       qualify_source(kept->group, &kept->source) &&
	       !kept->group->security == !kept->shield;
}

int
group_resume(struct broker *b, struct topic *t, const struct group_kept *kept)
{
	const struct local local = {.addr = kept->source, .socket = kept->socket};
	struct group_observation *g;
	struct bunch *bunch;
	uint32_t hash;
	bool known;
	int rc = 0;

	if (!may_resume(b, t, kept))
		return -ESTALE;
	bunch = bunch_get(b, t, kept->group, &local);
	g = make(b, bunch, &kept->source, kept->socket);
	g->id = kept->id;
	g->token = kept->token;
	g->seq = kept->seq;
	g->seq_bound = kept->bound;
	g->phantom = mem_dup(kept->phantom);
	g->n_phantom = (uint32_t)kept->phantom.n;
	g->shield = kept->shield;
	g->before = kept->before;
	g->renewal = kept->renewal;
	g->count.n = kept->n;
	hash = map_hash(bytes_of(g->token.b, g->token.n), b->topics.seed);
	known = bunch->observation != NULL || token_is_live(b, g, hash);
	map_put(&b->group_tokens, &g->by_token, hash);
	if (!known)
		bunch->observation = g;
	if (!known)
		rc = kept->told ? group_compose_again(g) : group_compose(g, GROUP_NO_DIVIDER);
	/* Numbers that are not durable yet are when the first one is needed. */
	if (known || (rc < 0 && rc != -EAGAIN)) {
		g->shield = g->before = NULL;
		if (!known)
			bunch->observation = NULL;
		dispose(b, g);
		bunch_settle(b, bunch);
		return -ESTALE;
	}
	if (g->id > b->last_group_id)
		b->last_group_id = g->id;
	b->stats.group_observations++;
	schedule(b, g, kept->refresh_ms);
	resume_ending(b, g, kept->ending_s);
	return 0;
}

void
group_drop(struct broker *b, struct group_observation *g)
{
	g->bunch->observation = NULL;
	b->stats.group_observations--;
	dispose(b, g);
}

/* "Cancellation": 5.03, Token T, no payload, no Observe; protected by `shield`. */
static void
send_cancellation(struct broker *b, struct group_observation *g, struct shield *shield)
{
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf inner = BUF_OF(bytes);
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_UNAVAILABLE);
	if (encode_inner(g, shield, &m, &inner) == 0)
		group_send(b, g, bytes[0], bytes_from(buf_bytes(&inner), 1));
	else
		b->stats.group_dropped++;
}

void
group_cancel(struct broker *b, struct group_observation *g)
{
	struct bunch *bunch = g->bunch;

	send_cancellation(b, g, g->shield);
	/* Not everybody may have heard of the keys that it has now. */
	if (rekey_before(g))
		send_cancellation(b, g, rekey_before(g));
	b->stats.group_cancelled++;
	if (b->ops->on_group)
		b->ops->on_group(b->ctx, g, false);
	keep(g, BROKER_GROUP_GOES);
	/* They may not hear the group yet; the same 5.03 has them register anew. */
	while (bunch->moving.first)
		observer_end(b, bunch->moving.first, CODE_UNAVAILABLE);
	group_drop(b, g);
	bunch_settle(b, bunch);
}

const char *
group_topic_name(const struct group_observation *g)
{
	return g->bunch->topic->name;
}

const struct broker_group *
group_conf(const struct group_observation *g)
{
	return g->bunch->group;
}

void
group_token(const struct group_observation *g, struct token *ret)
{
	*ret = g->token;
}

double
group_count(const struct group_observation *g)
{
	return g->count.n;
}

struct each_group {
	void (*visit)(void *ctx, const struct group_observation *g);
	void *ctx;
};

static void
visit_group(void *ctx, struct map_node *node)
{
	const struct each_group *each = ctx;

	each->visit(each->ctx, MAP_OBJECT(node, struct group_observation, by_token));
}

void
broker_each_group(
	struct broker *b, void (*visit)(void *ctx, const struct group_observation *g), void *ctx)
{
	struct each_group each = {.visit = visit, .ctx = ctx};

	map_each(&b->group_tokens, visit_group, &each);
}
