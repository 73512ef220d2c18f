/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds the message layer and the broker a sequence of events: datagrams from a
 * few peers, well-formed requests among them, ACKs and RSTs of what was sent, and
 * passing time. Limits are so small that everything runs out of room. What leaves
 * must be sound, no limit may be passed, and in the end all must be freed.
 */
#include <stdlib.h>

#include "broker/broker.h"
#include "wire/option.h"

#define N_PEERS 8
#define N_GROUPS 2
#define EVENTS_MAX 400
#define DATAGRAM 256 /* of the groups */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct layer_limits layer_limits = {.peers = 6, .exchanges = 5};
static const struct broker_limits limits = {.topics = 6,
	.observers = 10,
	.observers_per_peer = 3,
	.bodies = 2,
	.payload = 300,
	.memory = 600,
	.publish_rate = 20};

static struct {
	struct layer *layer;
	struct broker *broker;
	struct bytes in; /* what is left of the input */
	uint64_t now_ms;
	int64_t ahead_s; /* what the wall clock is ahead of it */
	uint64_t random;
	uint16_t mid; /* of the last request */
	bool closed; /* there is no room to send */
	bool open; /* a datagram is being written */
	int group; /* the group it is for, or -1 */
	unsigned to; /* or the peer */
	uint16_t con_mid[N_PEERS], non_mid[N_PEERS]; /* of the last message to each */
	struct token token[N_GROUPS]; /* of the last notification to each, and its number */
	uint32_t seq[N_GROUPS];
	struct broker_group groups[N_GROUPS];
	struct buf out;
	uint8_t out_room[2048];
} w;

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t
take(void)
{
	uint8_t v = w.in.n ? w.in.p[0] : 0;

	w.in = bytes_from(w.in, 1);
	return v;
}

static struct bytes
take_bytes(size_t n)
{
	struct bytes b = bytes_head(w.in, n);

	w.in = bytes_from(w.in, n);
	return b;
}

/* --- the network ------------------------------------------------------------------- */

/* Peers 0 to 5 are IPv4, 6 is IPv6, 7 is link-local. */
static struct path
way_of(unsigned peer, bool multicast)
{
	struct path way = {.multicast = multicast};

	way.remote = (struct addr){.family = peer < 6 ? AF_INET : AF_INET6, .port = 40000};
	way.local = (struct addr){.family = way.remote.family, .port = 5683};
	way.remote.ip[0] = peer < 6 ? 10 : peer == 6 ? 0xfd : 0xfe;
	way.remote.ip[1] = peer == 7 ? 0x80 : 0;
	way.remote.ip[3] = (uint8_t)peer;
	way.local.ip[0] = peer < 6 ? 192 : 0xfd;
	return way;
}

static struct buf *
open_one(int group, unsigned to)
{
	require(!w.open);
	if (w.closed)
		return NULL;
	w.open = true;
	w.group = group;
	w.to = to;
	buf_clear(&w.out);
	return &w.out;
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	(void)ctx;
	require(way->remote.ip[3] < N_PEERS);
	return open_one(-1, way->remote.ip[3]);
}

static struct buf *
on_open_group(void *ctx, const struct group_path *way)
{
	(void)ctx;
	require(!addr_is_link_local(&way->source));
	return open_one(way->group.family == AF_INET ? 0 : 1, 0);
}

/* "Notifications" and "Cancellation": what goes to a group. */
static void
check_group(const struct msg *m)
{
	uint32_t seq = 0;

	require(m->type == TYPE_NON && (m->mid & 0x8000) && m->token.n == 4);
	require(w.out.n <= DATAGRAM);
	if (m->code == CODE_UNAVAILABLE) {
		require(m->n_opts == 0 && m->payload.n == 0);
		w.token[w.group] = (struct token){0};
		return;
	}
	require(m->code == CODE_CONTENT && msg_uint(m, OPT_OBSERVE, &seq));
	/* RFC 7641 4.4, as far as one observation is followed. */
	if (token_equal(&m->token, &w.token[w.group]))
		require(observe_newer(w.seq[w.group], w.now_ms, seq, w.now_ms));
	w.token[w.group] = m->token;
	w.seq[w.group] = seq;
}

static void
check_unicast(const struct msg *m)
{
	if (m->type == TYPE_CON || m->type == TYPE_NON) {
		require(m->mid < 0x8000 && MSG_CLASS(m->code) >= 2);
		(m->type == TYPE_CON ? w.con_mid : w.non_mid)[w.to] = m->mid;
	}
	/* An informative response is a CON, with neither Observe nor link-local ends. */
	if (m->type == TYPE_CON && m->code == CODE_UNAVAILABLE && m->payload.n) {
		struct inform in;

		require(w.to != 7 && !msg_has(m, OPT_OBSERVE));
		require(inform_decode(m->payload, &in) == 0);
		require(w.out.n <= DATAGRAM);
	}
}

static void
on_commit(void *ctx)
{
	struct msg m;

	(void)ctx;
	require(w.open && !w.out.full);
	w.open = false;
	require(msg_decode(buf_bytes(&w.out), &m) == MSG_OK);
	if (w.group >= 0)
		check_group(&m);
	else
		check_unicast(&m);
}

static void
on_random(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		w.random = w.random * 6364136223846793005u + 1442695040888963407u;
		at[i] = (uint8_t)(w.random >> 56);
	}
}

static int64_t
on_wall(void *ctx)
{
	(void)ctx;
	return w.ahead_s + (int64_t)(w.now_ms / 1000);
}

static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	broker_request(w.broker, r);
}

static void
on_reset(void *ctx, struct peer *p, uint16_t mid)
{
	(void)ctx;
	broker_reset(w.broker, p, mid);
}

static void
receive(unsigned peer, bool multicast, struct bytes datagram)
{
	struct path way = way_of(peer, multicast);
	/* A block of its own, so that a sanitizer sees a byte read past its end. */
	uint8_t *copy = malloc(datagram.n ? datagram.n : 1);

	require(copy != NULL);
	if (datagram.n)
		memcpy(copy, datagram.p, datagram.n);
	layer_receive(w.layer, &way, bytes_of(copy, datagram.n));
	free(copy);
}

/* --- events ------------------------------------------------------------------------- */

static const char *const paths[] = {"/ps/data/a", "/ps/data/b/c", "/ps/data/data", "/ps/a", "/ps",
	"/.well-known/core", "/ps/data/long-long-long-long-long-long-long-long", "/ps/data/a"};

/* Options whose presence is a bit and whose value is a byte; Block1 and 2 among them. */
static const uint16_t numbers[] = {OPT_OBSERVE, OPT_CONTENT_FORMAT, OPT_ACCEPT, OPT_BLOCK1,
	OPT_BLOCK2, OPT_NO_RESPONSE, OPT_IF_NONE_MATCH, OPT_REQUEST_TAG};

/* FLAGS (peer, NON, multicast, duplicate) WHAT (method, path) TOKEN OPTIONS [VALUES] LENGTH PAYLOAD */
static void
event_request(void)
{
	uint8_t flags = take(), what = take(), token = take(), options = take();
	uint8_t store[256], datagram[1024];
	struct buf scratch = BUF_OF(store), out = BUF_OF(datagram);
	struct msg m;

	msg_init(&m, flags & 8 ? TYPE_NON : TYPE_CON, (enum msg_code)(what & 7));
	w.mid = (uint16_t)(w.mid + !(flags & 32));
	m.mid = w.mid;
	m.token = (struct token){.n = 1, .b = {token & 3}};
	require(msg_add_path(&m, OPT_URI_PATH, bytes_str(paths[what >> 3 & 7]), &scratch) == 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!(options & 1 << i))
			continue;
		if (numbers[i] == OPT_IF_NONE_MATCH)
			(void)msg_add(&m, numbers[i], BYTES_NONE);
		else
			(void)msg_add_uint(&m, numbers[i], take());
	}
	/* The format of topic properties does not fit a byte. */
	if (what & 64) {
		msg_remove(&m, OPT_CONTENT_FORMAT);
		(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, 606);
	}
	m.payload = take_bytes(take());
	if (m.code != CODE_EMPTY && msg_encode(&m, &out) == 0)
		receive(flags & 7, flags & 16, buf_bytes(&out));
}

static void
event_raw(void)
{
	uint8_t flags = take();

	receive(flags & 7, flags & 16, take_bytes(take()));
}

/* The answer to the last CON, or the last NON, sent to a peer. */
static void
event_empty(void)
{
	static const struct token none = {0};
	uint8_t flags = take(), room[4];
	unsigned peer = flags & 7;
	struct buf out = BUF_OF(room);

	msg_put_header(&out, flags & 8 ? TYPE_RST : TYPE_ACK, CODE_EMPTY,
		flags & 16 ? w.non_mid[peer] : w.con_mid[peer], &none);
	receive(peer, false, buf_bytes(&out));
}

static void
event_time(void)
{
	static const uint32_t steps[] = {1, 100, 1000, 3000, 30000, 100000, 300000, 86400000};

	uint8_t how = take();

	/* Time passes, or the wall clock is set forward or back. */
	if (how & 8)
		w.ahead_s += (how & 16 ? -1 : 1) * (int64_t)steps[how & 7];
	else
		w.now_ms += steps[how & 7];
	layer_advance(w.layer, w.now_ms);
}

static void
event_flush(void)
{
	(void)broker_flush(w.broker);
}

static void
event_close(void)
{
	w.closed = !w.closed;
}

static void
event_farewell(void)
{
	broker_farewell(w.broker);
}

static void
event_publish(void)
{
	/* Long enough not to fit a datagram when its byte is large. */
	static const uint8_t letters[255];
	uint8_t datagram[512], store[64];
	struct buf out = BUF_OF(datagram), scratch = BUF_OF(store);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_PUT);
	m.mid = ++w.mid;
	(void)msg_add_path(&m, OPT_URI_PATH, BYTES_LIT("/ps/data/a"), &scratch);
	m.payload = bytes_of(letters, take());
	require(msg_encode(&m, &out) == 0);
	receive(5, false, buf_bytes(&out));
}

static void (*const events[])(void) = {event_request, event_request, event_publish, event_raw,
	event_empty, event_empty, event_time, event_flush, event_close, event_farewell};

/* --- the world ------------------------------------------------------------------------ */

static void
check_limits(void)
{
	struct broker_stats s;

	broker_stats(w.broker, &s);
	require(!w.open);
	require(s.topics <= limits.topics && s.observers <= limits.observers);
	require(s.value_bytes <= limits.memory);
	require(layer_n_peers(w.layer) <= layer_limits.peers);
	require(layer_n_exchanges(w.layer) <= layer_limits.exchanges);
}

static void
start(struct bytes in)
{
	static const struct layer_ops layer_ops = {.open = on_open,
		.commit = on_commit,
		.random = on_random,
		.on_request = on_request,
		.on_reset = on_reset};
	static const struct broker_ops broker_ops = {.open_group = on_open_group,
		.commit = on_commit,
		.random = on_random,
		.wall_s = on_wall};
	static const char *const patterns[] = {"*"};
	struct broker_conf conf = {.collection = "/ps",
		.create_on_publish = true,
		.limits = limits,
		.informative_format = 65001,
		.topic_format = 606,
		.groups = w.groups,
		.n_groups = N_GROUPS};

	memset(&w, 0, sizeof(w));
	w.in = in;
	w.now_ms = 1000;
	w.out = BUF_OF(w.out_room);
	for (int i = 0; i < N_GROUPS; i++)
		w.groups[i] = (struct broker_group){.name = "g",
			.patterns = patterns,
			.n_patterns = 1,
			.threshold = i ? 1 : 2,
			.max_age_s = 5,
			.min_interval_ms = i ? 0 : 1000,
			.count = {.every = 2,
				.confirmations = 1,
				.wait_ms = 3000,
				.dampener = i ? 1 : 3,
				.cancel_below = i},
			.datagram = DATAGRAM,
			.whole_only = i,
			.generations = i ? INFORM_SEED : INFORM_BOTH};
	require(addr_parse("239.1.2.3", 5683, &w.groups[0].address) == 0);
	require(addr_parse("ff35::1", 5683, &w.groups[1].address) == 0);
	w.layer = layer_new(&layer_ops, NULL, &layer_limits, w.now_ms);
	w.broker = broker_new(&conf, &broker_ops, NULL, w.layer);
	require(broker_create_topic(w.broker, BYTES_LIT("a"), BROKER_NO_FORMAT, BYTES_LIT("0")) ==
		0);
	require(broker_create_topic(w.broker, BYTES_LIT("data"), 60, BYTES_NONE) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n_events = sizeof(events) / sizeof(events[0]);

	start(bytes_of(data, size));
	for (int i = 0; i < EVENTS_MAX && w.in.n > 0; i++) {
		uint8_t event = take();

		events[event % n_events]();
		if (event & 128)
			event_flush();
		check_limits();
	}
	/* Whatever is in flight comes to its end when nobody answers. */
	for (int i = 0; i < 100; i++) {
		(void)broker_flush(w.broker);
		w.now_ms += 30000;
		layer_advance(w.layer, w.now_ms);
	}
	/* Nor does anybody of those who were looked for only now: observer-check. */
	for (int i = 0; i < 100 && layer_n_exchanges(w.layer) > 0; i++) {
		(void)broker_flush(w.broker);
		w.now_ms += 1000;
		layer_advance(w.layer, w.now_ms);
	}
	require(w.closed || layer_n_exchanges(w.layer) == 0);
	check_limits();
	broker_free(w.broker);
	layer_free(w.layer);
	return 0;
}
