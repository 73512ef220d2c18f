/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/group.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/announce.h"
#include "broker/broker_impl.h"
#include "wire/option.h"

#define MULTICAST_MID 0x8000u /* the upper half of the space: architecture, "Message IDs" */
#define SEQ_MASK 0xffffffu
#define TOKEN_TRIES 16
#define MOVES_AT_ONCE 256 /* informative responses queued when a group observation starts */
/*
 * Header, token, Observe, Content-Format, ETag, Max-Age, Feedback-Divider, Block2, Size2 and
 * marker at their longest.
 */
#define NOTIFICATION_OVERHEAD (4 + GROUP_TOKEN_LEN + 4 + 3 + 9 + 5 + 4 + 4 + 5 + 1)

bool
pattern_matches(const char *pattern, struct bytes name)
{
	const char *star = NULL;
	size_t at = 0, mark = 0;

	/* Iterative: on a mismatch the last star takes one character more. */
	while (at < name.n) {
		if (*pattern == '*') {
			star = ++pattern;
			mark = at;
		} else if ((uint8_t)*pattern == name.p[at] && *pattern) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star;
			at = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool
serves(const struct broker_group *g, const struct topic *t)
{
	for (size_t i = 0; i < g->n_patterns; i++) {
		if (pattern_matches(g->patterns[i], bytes_str(t->name)))
			return true;
	}
	return false;
}

static bool
admits(const struct broker_group *g, const struct path *way)
{
	if (g->source.family != AF_UNSPEC &&
		(!addr_same_host(&g->source, &way->local) ||
			(g->source.port != 0 && g->source.port != way->local.port)))
		return false;
	if (!g->members)
		return true;
	for (size_t i = 0; i < g->n_members; i++) {
		if (prefix_holds(&g->members[i], &way->remote))
			return true;
	}
	return false;
}

/* fec0::/10: deprecated, and still not to be told to others. */
static bool
is_site_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0xc0;
}

const struct broker_group *
group_for(const struct broker *b, const struct topic *t, const struct path *way)
{
	/* Section 4.2: never with link-local source or destination addresses, nor site-local inside. */
	if (addr_is_link_local(&way->remote) || addr_is_link_local(&way->local) ||
		is_site_local(&way->local))
		return NULL;
	/* Who is in a session is served in it. */
	if (way->transport != PATH_UDP)
		return NULL;
	for (size_t i = 0; i < b->conf.n_groups; i++) {
		const struct broker_group *g = &b->conf.groups[i];

		if (g->address.family == way->remote.family && serves(g, t))
			return g->ifindex != 0 && admits(g, way) ? g : NULL;
	}
	return NULL;
}

size_t
group_datagram(const struct broker_group *g)
{
	return g->datagram < GROUP_DATAGRAM_MAX ? g->datagram : GROUP_DATAGRAM_MAX;
}

static bool
fits_whole(const struct broker_group *g, const struct value *v)
{
	return v->n + NOTIFICATION_OVERHEAD <= group_datagram(g);
}

/* The block size a value is sent in when it does not fit whole; -1: not even in the smallest. */
static int
datagram_szx(const struct broker_group *g)
{
	int szx = BLOCK_SZX_MAX;

	while (szx >= 0 && BLOCK_SIZE(szx) + NOTIFICATION_OVERHEAD > group_datagram(g))
		szx--;
	return szx;
}

bool
group_fits(const struct broker_group *g, const struct value *v)
{
	return fits_whole(g, v) || (!g->whole_only && datagram_szx(g) >= 0);
}

/* Options that do not make a registration differ from the phantom: wire.md, step 5. */
static bool
is_immaterial(const struct opt *o)
{
	static const uint16_t numbers[] = {OPT_URI_HOST, OPT_URI_PORT, OPT_URI_PATH, OPT_OBSERVE,
		OPT_ETAG, OPT_HOP_LIMIT, OPT_SIZE2, OPT_ECHO, OPT_NO_RESPONSE, OPT_REQUEST_TAG};
	struct block block;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (o->number == numbers[i])
			return true;
	}
	if (o->number == option_feedback_divider())
		return true;
	/* The largest block size is what it would get anyway. */
	return o->number == OPT_BLOCK2 && block_decode(o, &block) == 0 && block.num == 0 &&
	       block.szx == BLOCK_SZX_MAX;
}

bool
group_request_matches(const struct msg *request)
{
	for (uint8_t i = 0; i < request->n_opts; i++) {
		if (!is_immaterial(&request->opts[i]))
			return false;
	}
	return request->payload.n == 0;
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
	if ((rc = msg_add_path(&m, OPT_URI_PATH, buf_bytes(&path), &scratch)) < 0)
		return rc;
	if ((rc = msg_encode(&m, &out)) < 0)
		return rc;
	g->phantom = mem_dup(buf_bytes(&out));
	g->n_phantom = (uint32_t)out.n;
	return 0;
}

#define NO_DIVIDER (-1)

/*
 * Sections 4.3 and 4.1, step 6: composes the latest notification, without sending it.
 * divider: its Feedback-Divider, or NO_DIVIDER.
 */
static void
compose_latest(struct group_observation *g, int divider)
{
	const struct broker_group *conf = g->bunch->group;
	const struct value *v = g->bunch->topic->value;
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf out = BUF_OF(bytes);
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_CONTENT);
	g->seq = (g->seq + 1) & SEQ_MASK;
	(void)msg_add_uint(&m, OPT_OBSERVE, g->seq);
	(void)msg_add_uint(&m, OPT_MAX_AGE, conf->max_age_s);
	if (divider != NO_DIVIDER)
		(void)msg_add_uint(&m, option_feedback_divider(), (uint32_t)divider);
	data_describe(v, &m);
	if (fits_whole(conf, v))
		m.payload = value_bytes(v);
	else
		block2_first(value_bytes(v), (uint8_t)datagram_szx(conf), &m);
	(void)msg_encode_inner(&m, &out);
	if (out.n > g->n_latest)
		g->latest = mem_realloc(g->latest, out.n);
	memcpy(g->latest, bytes, out.n);
	g->n_latest = (uint32_t)out.n;
	free(g->inform);
	g->inform = NULL;
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

static void
send_to_group(struct broker *b, struct group_observation *g, uint8_t code, struct bytes tail)
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
		return NO_DIVIDER;
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
	compose_latest(g, ask(b, g));
	g->pending = false;
	g->sent_ms = layer_now(b->layer);
	send_to_group(b, g, g->latest[0], bytes_from(bytes_of(g->latest, g->n_latest), 1));
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

	/* A value that waits is sent anyway. */
	if (!g->pending)
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
	map_remove(&b->group_tokens, &g->by_token);
	free(g->phantom);
	free(g->latest);
	free(g->inform);
	free(g);
}

bool
group_register(struct group_observation *g, const struct topic *t)
{
	if (t != g->bunch->topic)
		return false;
	g->bunch->observation = g;
	return true;
}

/*
 * Steps 3 and 4: the phantom goes the way of every request, as one that came
 * from the group; what becomes of it is group_register's.
 */
static int
process_phantom(struct broker *b, struct group_observation *g)
{
	const struct path way = {
		.remote = g->way.group, .local = g->way.source, .socket = g->way.socket};
	struct msg m;

	if (msg_decode(bytes_of(g->phantom, g->n_phantom), &m) != MSG_OK ||
		!group_request_matches(&m))
		return -EBADMSG;
	broker_request_phantom(b, &way, &m, g);
	return g->bunch->observation == g ? 0 : -ENOENT;
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
		if (!observer_move(b, bunch->traditional.first, 0))
			break;
	}
	bunch_mark_dirty(b, bunch, bunch->traditional.n);
}

int
group_start(struct broker *b, struct bunch *bunch)
{
	struct group_observation *g = mem_alloc(sizeof(*g));
	int rc;

	g->broker = b;
	g->bunch = bunch;
	g->refresh.fire = on_refresh;
	g->window.fire = on_window;
	g->end.fire = on_ending;
	g->seq = bunch->topic->seq;
	g->way = (struct group_path){.group = bunch->group->address,
		.source = bunch->local,
		.ifindex = bunch->group->ifindex,
		.socket = bunch->socket,
		.hops = bunch->group->hops};
	if ((rc = take_token(b, g)) < 0) {
		free(g);
		return rc;
	}
	if ((rc = make_phantom(b, g)) < 0 || (rc = process_phantom(b, g)) < 0)
		goto fail;
	compose_latest(g, NO_DIVIDER);
	if (announce_tail(b, g).n == 0) {
		rc = -EMSGSIZE;
		goto fail;
	}
	schedule(b, g, bunch->group->max_age_s * 1000ull);
	b->stats.group_started++;
	b->stats.group_observations++;
	if (b->ops->on_group)
		b->ops->on_group(b->ctx, g, true);
	move_all(b, bunch);
	return 0;
fail:
	bunch->observation = NULL;
	dispose(b, g);
	return rc;
}

void
group_drop(struct broker *b, struct group_observation *g)
{
	g->bunch->observation = NULL;
	b->stats.group_observations--;
	dispose(b, g);
}

void
group_cancel(struct broker *b, struct group_observation *g)
{
	struct bunch *bunch = g->bunch;

	/* "Cancellation": 5.03, Token T, no payload, no Observe. */
	send_to_group(b, g, CODE_UNAVAILABLE, BYTES_NONE);
	b->stats.group_cancelled++;
	if (b->ops->on_group)
		b->ops->on_group(b->ctx, g, false);
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
