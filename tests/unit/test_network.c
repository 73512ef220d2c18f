/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two message layers, a client's and a server's, over a network that loses,
 * repeats and reorders datagrams by a table of numbers. RFC 7252 4.2, 4.5: a
 * request runs once, and its response arrives or the client hears of a timeout.
 */
#include "unit.h"

#include "msg/layer.h"

#define N_REQUESTS 400
#define N_CLIENTS 5
#define N_FLYING 4096

enum side { CLIENT, SERVER };

struct flying {
	uint64_t at_ms; /* when it arrives */
	uint64_t order; /* of what arrives at the same ms, the one sent first */
	struct path way; /* as its receiver sees it */
	enum side to;
	uint16_t n;
	uint8_t data[64];
};

/* One request of a client. */
struct asked {
	struct exchange *exchange;
	uint16_t number; /* token and payload */
	unsigned n_runs; /* at the server */
	unsigned n_responses;
	bool timed_out;
	bool separate; /* the server accepts it and answers later, by a CON */
	bool answering; /* the server's CON is under way */
	enum exchange_end answer_end;
};

/* How bad the network is; permille. */
struct weather {
	const char *name;
	unsigned loss, copies, late;
};

static const struct weather weathers[] = {
	{"calm", 0, 0, 0},
	{"10 % loss", 100, 0, 0},
	{"30 % loss, 20 % twice", 300, 200, 0},
	{"50 % loss", 500, 0, 0},
	{"all twice", 0, 1000, 0},
	{"30 % late", 0, 0, 300},
	{"10 % loss, 30 % twice, 30 % late", 100, 300, 300},
	{"50 % loss, 30 % twice, 50 % late", 500, 300, 500},
	{"nothing arrives", 1000, 0, 0},
};

static struct {
	const struct weather *weather;
	struct layer *layer[2];
	struct flying flying[N_FLYING];
	struct asked asked[N_REQUESTS];
	struct path out_way;
	struct buf out;
	size_t n_flying;
	uint64_t now_ms, n_sent;
	uint32_t rng;
	uint8_t room[64];
	enum msg_code method;
} net;

/* The table of numbers: the same in every run. */
static uint32_t
next_random(void)
{
	net.rng = net.rng * 1664525u + 1013904223u;
	return net.rng >> 8;
}

static bool
happens(unsigned permille)
{
	return next_random() % 1000 < permille;
}

static void
random_bytes(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)next_random();
}

static struct buf *
open_datagram(void *ctx, const struct path *way)
{
	(void)ctx;
	net.out_way = *way;
	net.out = BUF_OF(net.room);
	return &net.out;
}

static void
launch(enum side to, uint64_t delay_ms)
{
	struct flying *f = &net.flying[net.n_flying++];

	ck_assert_uint_lt(net.n_flying, N_FLYING);
	*f = (struct flying){.at_ms = net.now_ms + delay_ms, .order = net.n_sent++, .to = to};
	f->way.remote = net.out_way.local;
	f->way.local = net.out_way.remote;
	f->n = (uint16_t)net.out.n;
	memcpy(f->data, net.room, net.out.n);
}

static void
commit(void *ctx)
{
	/* Its context is which of the two layers sends. */
	enum side to = ctx == &net.layer[CLIENT] ? SERVER : CLIENT;

	ck_assert(!net.out.full);
	if (happens(net.weather->loss))
		return;
	launch(to, happens(net.weather->late) ? next_random() % 5000 : 5);
	if (happens(net.weather->copies))
		launch(to, next_random() % 10000);
}

static struct asked *
asked_of(const struct token *t)
{
	unsigned number = (unsigned)(t->b[0] << 8 | t->b[1]);

	ck_assert_uint_eq(t->n, 2);
	ck_assert_uint_lt(number, N_REQUESTS);
	return &net.asked[number];
}

static void
compose_message(const struct asked *a, uint8_t code, struct outmsg *ret)
{
	static uint8_t tail[3];
	uint8_t token[2] = {(uint8_t)(a->number >> 8), (uint8_t)a->number};

	tail[0] = 0xff;
	memcpy(tail + 1, token, 2);
	ret->code = code;
	ret->token = token_of(BYTES_OF(token));
	ret->tail = BYTES_OF(tail);
}

static bool
compose_answer(void *owner, struct exchange *x, struct outmsg *ret)
{
	(void)x;
	compose_message(owner, CODE_CHANGED, ret);
	return true;
}

static void
answer_ended(void *owner, struct exchange *x, enum exchange_end end)
{
	struct asked *a = owner;

	(void)x;
	a->answering = false;
	a->answer_end = end;
}

static const struct exchange_ops answer_ops = {.compose = compose_answer, .on_end = answer_ended};

static void
on_request(void *ctx, struct request *r)
{
	struct asked *a = asked_of(&r->msg->token);
	struct msg m;

	(void)ctx;
	a->n_runs++;
	ck_assert_uint_eq(r->msg->payload.n, 2);
	if (a->separate) {
		request_accept(r);
		a->answering = true;
		ck_assert_ptr_nonnull(layer_send_con(r->layer, r->peer, &answer_ops, a));
		return;
	}
	msg_init(&m, TYPE_ACK, CODE_CHANGED);
	m.payload = r->msg->payload;
	request_reply(r, &m);
}

static enum layer_answer
on_response(void *ctx, struct peer *p, const struct path *way, const struct msg *m)
{
	struct asked *a = asked_of(&m->token);

	(void)ctx;
	(void)way;
	ck_assert_ptr_nonnull(p);
	a->n_responses++;
	return LAYER_TAKEN;
}

static bool
compose_request(void *owner, struct exchange *x, struct outmsg *ret)
{
	(void)x;
	compose_message(owner, (uint8_t)net.method, ret);
	return true;
}

static void
request_ended(void *owner, struct exchange *x, enum exchange_end end)
{
	struct asked *a = owner;

	ck_assert_ptr_eq(a->exchange, x);
	a->exchange = NULL;
	ck_assert(end == EXCHANGE_ACKED || end == EXCHANGE_TIMEOUT);
	a->timed_out = end == EXCHANGE_TIMEOUT;
}

static const struct exchange_ops request_ops = {
	.compose = compose_request, .on_end = request_ended};

static const struct layer_ops ops = {
	.open = open_datagram,
	.commit = commit,
	.random = random_bytes,
	.on_request = on_request,
	.on_response = on_response,
};

/* Hands over what arrives next, until `until`. */
static void
deliver(uint64_t until)
{
	struct flying f;
	size_t first = 0;

	for (size_t i = 1; i < net.n_flying; i++) {
		const struct flying *a = &net.flying[i], *b = &net.flying[first];

		if (a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order))
			first = i;
	}
	f = net.flying[first];
	ck_assert_uint_le(f.at_ms, until);
	net.flying[first] = net.flying[--net.n_flying];
	layer_receive(net.layer[f.to], &f.way, bytes_of(f.data, f.n));
}

static uint64_t
next_event(void)
{
	uint64_t next = layer_next(net.layer[CLIENT]), other = layer_next(net.layer[SERVER]);

	next = other < next ? other : next;
	for (size_t i = 0; i < net.n_flying; i++)
		if (net.flying[i].at_ms < next)
			next = net.flying[i].at_ms;
	return next;
}

static bool
something_arrives(void)
{
	for (size_t i = 0; i < net.n_flying; i++)
		if (net.flying[i].at_ms <= net.now_ms)
			return true;
	return false;
}

/* Runs the two until neither has anything left to do. */
static void
run_until_idle(void)
{
	uint64_t next;

	while ((next = next_event()) != WHEEL_NEVER) {
		net.now_ms = next > net.now_ms ? next : net.now_ms;
		layer_advance(net.layer[CLIENT], net.now_ms);
		layer_advance(net.layer[SERVER], net.now_ms);
		while (something_arrives())
			deliver(net.now_ms);
		layer_flush(net.layer[CLIENT]);
		layer_flush(net.layer[SERVER]);
	}
}

static void
open_network(const struct weather *weather, enum msg_code method)
{
	static const struct layer_limits limits = {.peers = 64, .exchanges = 2 * N_REQUESTS};

	memset(&net, 0, sizeof(net));
	net.weather = weather;
	net.method = method;
	net.rng = 7;
	for (unsigned i = 0; i < 2; i++)
		net.layer[i] = layer_new(&ops, &net.layer[i], &limits, 0);
}

static void
close_network(void)
{
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(layer_n_exchanges(net.layer[i]), 0);
		layer_free(net.layer[i]);
	}
}

static void
ask_all(bool separate)
{
	for (unsigned i = 0; i < N_REQUESTS; i++) {
		struct asked *a = &net.asked[i];
		struct path way = {
			.remote = {.family = AF_INET, .port = 5683, .ip = {192, 0, 2, 1}}};

		way.local = way.remote;
		way.local.port = (uint16_t)(40000 + i % N_CLIENTS);
		a->number = (uint16_t)i;
		a->separate = separate && i % 2;
		a->exchange = layer_send_con(
			net.layer[CLIENT], layer_peer(net.layer[CLIENT], &way), &request_ops, a);
		ck_assert_ptr_nonnull(a->exchange);
		/* Not all at once: one timeout would end all that wait behind it. */
		if (i % (2 * N_CLIENTS) == 0)
			run_until_idle();
	}
	run_until_idle();
}

static void
check_all(void)
{
	unsigned n_timeouts = 0;

	for (unsigned i = 0; i < N_REQUESTS; i++) {
		const struct asked *a = &net.asked[i];

		ck_assert_ptr_null(a->exchange);
		ck_assert_msg(a->n_runs <= 1, "request %u ran %u times", i, a->n_runs);
		n_timeouts += a->timed_out;
		if (a->separate) {
			/* Delivered once; or the server knows that it was not. */
			ck_assert_uint_le(a->n_responses, 1);
			ck_assert(!a->answering);
			if (a->n_runs && a->answer_end == EXCHANGE_ACKED)
				ck_assert_uint_eq(a->n_responses, 1);
			ck_assert(a->timed_out || a->n_runs == 1);
			continue;
		}
		/* The ACK and with it the exchange comes once. */
		ck_assert_uint_eq(a->n_responses, a->timed_out ? 0 : 1);
		ck_assert(a->timed_out || a->n_runs == 1);
	}
	if (net.weather->loss == 0)
		ck_assert_uint_eq(n_timeouts, 0);
	if (net.weather->loss == 1000)
		ck_assert_uint_eq(n_timeouts, N_REQUESTS);
	else
		ck_assert_uint_lt(n_timeouts, N_REQUESTS / 2);
}

START_TEST(rfc7252_4_5_each_post_runs_once)
{
	open_network(&weathers[_i], CODE_POST);
	ask_all(false);
	check_all();
	close_network();
}

START_TEST(rfc7252_4_5_each_put_runs_once)
{
	open_network(&weathers[_i], CODE_PUT);
	ask_all(false);
	check_all();
	close_network();
}

START_TEST(rfc7252_5_2_2_separate_responses_come_once)
{
	open_network(&weathers[_i], CODE_POST);
	ask_all(true);
	check_all();
	close_network();
}

START_TEST(the_weather_is_as_bad_as_it_says)
{
	const struct layer_stats *client, *server;

	open_network(&weathers[7], CODE_POST);
	ask_all(true);
	client = layer_stats(net.layer[CLIENT]);
	server = layer_stats(net.layer[SERVER]);
	ck_assert_uint_gt(client->retransmitted, N_REQUESTS / 2);
	ck_assert_uint_gt(server->retransmitted, N_REQUESTS / 4);
	ck_assert_uint_gt(server->duplicates, N_REQUESTS / 4);
	ck_assert_uint_gt(client->duplicates, N_REQUESTS / 20);
	ck_assert_uint_gt(client->timeouts, 0);
	close_network();
}

#define N_WEATHERS ((int)(sizeof(weathers) / sizeof(weathers[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("network");
	TCase *t = tcase_create("network");

	tcase_add_loop_test(t, rfc7252_4_5_each_post_runs_once, 0, N_WEATHERS);
	tcase_add_loop_test(t, rfc7252_4_5_each_put_runs_once, 0, N_WEATHERS);
	tcase_add_loop_test(t, rfc7252_5_2_2_separate_responses_come_once, 0, N_WEATHERS);
	tcase_add_test(t, the_weather_is_as_bad_as_it_says);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
