/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams into a message layer with a small server and client behind it, on a
 * virtual clock. The input is a list of steps: a byte that says what happens
 * and from whom, a byte of length, and a datagram. What leaves must be a
 * message that decodes; nothing may outgrow its limit.
 */
#include <assert.h>
#include <stdlib.h>

#include "msg/block.h"
#include "msg/layer.h"

#define N_PEERS 3 /* fewer than there are endpoints, so that some give way */
#define N_EXCHANGES 4
#define N_BODIES 2
#define PAYLOAD_MAX 3000
#define DATAGRAM_MAX 1400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct layer *layer;
	struct bodies *bodies;
	struct buf out;
	uint64_t now_ms;
	uint32_t rng;
	bool is_open;
	bool closed; /* no room to send */
	unsigned n_ends; /* exchanges that ended */
	unsigned n_sent; /* and were begun */
	uint8_t room[DATAGRAM_MAX];
} fz;

static struct buf *
open_datagram(void *ctx, const struct path *way)
{
	(void)ctx;
	assert(!fz.is_open && way->local.family == AF_INET);
	if (fz.closed)
		return NULL;
	fz.is_open = true;
	fz.out = BUF_OF(fz.room);
	return &fz.out;
}

static void
commit(void *ctx)
{
	static struct msg m;

	(void)ctx;
	assert(fz.is_open);
	fz.is_open = false;
	if (fz.out.full)
		return;
	assert(msg_decode(buf_bytes(&fz.out), &m) == MSG_OK);
	assert(m.mid <= 0x7fff || m.type == TYPE_ACK || m.type == TYPE_RST);
}

static void
random_bytes(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		fz.rng = fz.rng * 1664525u + 1013904223u;
		at[i] = (uint8_t)(fz.rng >> 24);
	}
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	(void)owner;
	if (x->n_sent == 3)
		return false;
	ret->code = CODE_CONTENT;
	ret->tail = BYTES_LIT("\xffhi");
	ret->renewed = x->n_sent == 1;
	return true;
}

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	(void)owner;
	(void)x;
	assert(end <= EXCHANGE_CANCELLED);
	fz.n_ends++;
}

static const struct exchange_ops exchange_ops = {.compose = compose, .on_end = on_end};

static void
send_con(struct peer *p)
{
	if (p && layer_send_con(fz.layer, p, &exchange_ops, NULL))
		fz.n_sent++;
}

static void
answer_get(struct request *r)
{
	static const uint8_t whole[2500];
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	(void)msg_add(&m, OPT_ETAG, BYTES_LIT("etag"));
	if (!block2_slice(r->msg, BYTES_OF(whole), &m)) {
		request_reply_code(r, CODE_BAD_REQUEST);
		return;
	}
	request_reply(r, &m);
}

static void
answer_write(struct request *r, struct bytes path)
{
	struct bytes body;
	struct msg m;
	uint8_t sum = 0;

	if (bodies_take(fz.bodies, r, path, PAYLOAD_MAX, &body) != BODY_WHOLE) {
		assert(r->answered);
		return;
	}
	assert(body.n <= PAYLOAD_MAX);
	for (size_t i = 0; i < body.n; i++)
		sum = (uint8_t)(sum + body.p[i]);
	msg_init(&m, TYPE_ACK, sum & 1 ? CODE_CHANGED : CODE_CREATED);
	block1_echo(r->msg, &m);
	/* Back from where it came: an answer as large as the request. */
	m.payload = body;
	request_reply(r, &m);
	bodies_done(fz.bodies);
}

static void
on_request(void *ctx, struct request *r)
{
	uint8_t room[512];
	struct buf path = BUF_OF(room);

	(void)ctx;
	for (uint8_t i = 1; i < r->msg->n_opts; i++)
		assert(r->msg->opts[i - 1].number <= r->msg->opts[i].number);
	if (msg_path(r->msg, &path) < 0) {
		request_reply_code(r, CODE_NOT_FOUND);
		return;
	}
	switch (path.p[path.n - 1] & 7) {
	case 0:
		request_accept(r);
		send_con(r->peer);
		break;
	case 1:
		request_accept(r);
		request_ignore(r);
		break;
	case 2:
		request_ignore(r);
		break;
	default:
		if (r->msg->code == CODE_GET)
			answer_get(r);
		else
			answer_write(r, buf_bytes(&path));
	}
}

static enum layer_answer
on_response(void *ctx, struct peer *p, const struct path *way, const struct msg *m)
{
	(void)ctx;
	(void)p;
	assert(MSG_CLASS(m->code) >= 2 && !(way->multicast && m->type != TYPE_NON));
	return m->token.n & 1 ? LAYER_UNKNOWN : LAYER_TAKEN;
}

static void
on_reset(void *ctx, struct peer *p, uint16_t mid)
{
	(void)ctx;
	(void)mid;
	assert(p);
}

static const struct layer_ops ops = {
	.open = open_datagram,
	.commit = commit,
	.random = random_bytes,
	.on_request = on_request,
	.on_response = on_response,
	.on_reset = on_reset,
};

static struct path
way_of(uint8_t what)
{
	struct path way = {.multicast = (what & 0x40) != 0};

	way.remote = (struct addr){.family = AF_INET, .port = 5683, .ip = {10, 0, 0, what & 3}};
	way.local =
		(struct addr){.family = AF_INET, .port = 5683, .ip = {192, 0, 2, (what >> 2) & 1}};
	return way;
}

/* From nothing to two hours: retransmissions, lifetimes, bodies given up. */
static void
let_time_pass(uint8_t how_long)
{
	fz.now_ms += 1ull << (how_long % 23);
	layer_advance(fz.layer, fz.now_ms);
	assert(layer_next(fz.layer) > fz.now_ms);
}

/* Takes one step off the front of the input. */
static void
step(struct bytes *rest)
{
	uint8_t what = rest->p[0], n = rest->n > 1 ? rest->p[1] : 0;
	struct path way = way_of(what);
	struct bytes datagram = bytes_head(bytes_from(*rest, 2), n);
	uint8_t *copy;

	*rest = bytes_from(*rest, 2 + datagram.n);
	fz.closed = (what & 0x20) != 0;
	if ((what & 0x98) == 0x88)
		send_con(layer_peer(fz.layer, &way));
	if (what & 0x80)
		let_time_pass(n);
	/* A block of its own, so that a sanitizer sees the first byte past it. */
	if ((copy = malloc(datagram.n + 1)) == NULL)
		abort();
	if (datagram.n)
		memcpy(copy, datagram.p, datagram.n);
	layer_receive(fz.layer, &way, bytes_of(copy, datagram.n));
	free(copy);
	if (what & 0x10)
		layer_flush(fz.layer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct layer_limits limits = {
		.peers = N_PEERS, .exchanges = N_EXCHANGES, .held = N_EXCHANGES};
	static const struct bodies_limits bodies_limits = {.bodies = N_BODIES};
	struct bytes rest = bytes_of(data, size);

	memset(&fz, 0, sizeof(fz));
	fz.layer = layer_new(&ops, NULL, &limits, 0);
	fz.bodies = bodies_new(layer_wheel(fz.layer), &bodies_limits, 1);
	while (rest.n > 0) {
		step(&rest);
		assert(layer_n_peers(fz.layer) <= N_PEERS);
		assert(layer_n_exchanges(fz.layer) <= N_EXCHANGES);
		assert(bodies_count(fz.bodies) <= N_BODIES);
	}
	bodies_free(fz.bodies);
	layer_free(fz.layer);
	assert(fz.n_ends == fz.n_sent);
	return 0;
}
