/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/gather.h"

#include <assert.h>
#include <stdlib.h>

#include "client/transfer.h"

#define TOKEN_LEN 6 /* four bytes nobody can guess, and a count: groupcomm-bis 3.1.5 */
#define TAIL_MAX 1400 /* options of the request */
#define DATAGRAM_MAX 4096

struct gather {
	struct outlet out;
	struct layer *layer;
	const struct gather_ops *ops;
	void *ctx;
	struct gather_server *servers;
	uint32_t n_servers;
	struct token token;
	uint16_t n_asked; /* requests so far */
	uint16_t mid; /* of the last request to the group */
	uint16_t n_tail; /* of the request without ETags */
	uint8_t tail[TAIL_MAX];
	uint8_t scratch[2 * TARGET_MAX]; /* what the request's options borrow */
	struct msg request; /* without ETags */
};

/* --- sending ------------------------------------------------------------------------ */

/* We serve nothing. */
static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	request_ignore(r);
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	const struct gather_server *s = owner;

	(void)x;
	ret->code = s->gather->request.code;
	ret->token = s->gather->token;
	ret->tail = bytes_of(s->gather->tail, s->gather->n_tail);
	return true;
}

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	struct gather_server *s = owner;

	(void)x;
	(void)end;
	s->exchange = NULL;
}

/* groupcomm-bis 3.2.2.1: without the ETag that was another server's. */
static void
ask_alone(struct gather *g, struct gather_server *s)
{
	static const struct exchange_ops ops = {.compose = compose, .on_end = on_end};
	struct peer *p;

	if (s->exchange || s->n_alone >= GATHER_ALONE_MAX ||
		(p = layer_peer(g->layer, &s->way)) == NULL)
		return;
	s->n_alone++;
	s->exchange = layer_send_con(g->layer, p, &ops, s);
}

/* ETags of what is kept, to be confirmed: not of those whose value says nothing. */
static void
add_etags(const struct gather *g, struct msg *m)
{
	unsigned n = 0;

	for (const struct gather_server *s = g->servers; s && n < GATHER_ETAGS_MAX; s = s->next) {
		if (s->n_etag == 0 || s->shared || MSG_CLASS(s->code) != 2)
			continue;
		(void)msg_add(m, OPT_ETAG, bytes_of(s->etag, s->n_etag));
		n++;
	}
}

static void
send_to_group(struct gather *g)
{
	struct buf *out = g->ops->open_group(g->ctx);
	struct msg m = g->request;

	if (!out)
		return;
	add_etags(g, &m);
	m.token = g->token;
	m.mid = ++g->mid;
	(void)msg_encode(&m, out);
	outlet_commit(&g->out);
}

static uint64_t
now_ms(const struct gather *g)
{
	return layer_now(g->layer);
}

bool
gather_is_fresh(const struct gather_server *s)
{
	return s->datagram && now_ms(s->gather) < s->fresh_until_ms;
}

bool
gather_ask(struct gather *g, uint32_t members)
{
	uint32_t n_fresh = 0;

	/* groupcomm-bis 3.1.5: what is counted is not used again before MIN_TOKEN_REUSE_TIME. */
	g->n_asked++;
	g->token.n = TOKEN_LEN;
	outlet_random(&g->out, g->token.b, TOKEN_LEN);
	g->token.b[4] = (uint8_t)(g->n_asked >> 8);
	g->token.b[5] = (uint8_t)g->n_asked;
	for (struct gather_server *s = g->servers; s; s = s->next) {
		s->heard = false;
		s->n_alone = 0;
		n_fresh += gather_is_fresh(s);
	}
	if (members > 0 && n_fresh >= members)
		return false;
	send_to_group(g);
	return true;
}

void
gather_repeat(struct gather *g)
{
	send_to_group(g);
}

/* --- receiving ---------------------------------------------------------------------- */

static struct gather_server *
server_of(struct gather *g, const struct path *way)
{
	struct gather_server *s = g->servers;

	/* groupcomm-bis 3.1.4: servers are told apart by their addresses. */
	while (s && !addr_equal(&s->way.remote, &way->remote))
		s = s->next;
	if (s || g->n_servers >= GATHER_SERVERS_MAX)
		return s;
	s = mem_alloc(sizeof(*s));
	s->gather = g;
	s->way = *way;
	s->next = g->servers;
	g->servers = s;
	g->n_servers++;
	return s;
}

static bool
has_etag(const struct gather_server *s, struct bytes etag)
{
	return s->n_etag > 0 && bytes_equal(bytes_of(s->etag, s->n_etag), etag);
}

/* groupcomm-bis 3.2.2.1: "duplicated - not to be used for revalidation". */
static void
mark_shared(struct gather *g, struct gather_server *s)
{
	s->shared = false;
	for (struct gather_server *other = g->servers; other; other = other->next) {
		if (other == s || !has_etag(other, bytes_of(s->etag, s->n_etag)))
			continue;
		s->shared = other->shared = true;
	}
}

static void
tell(struct gather *g, struct gather_server *s, bool changed)
{
	bool first = !s->heard;

	s->heard = true;
	if (first || changed)
		g->ops->on_answer(g->ctx, s, first);
}

/* A 2.03 is about what this server said, or about what another one did. */
static void
validate(struct gather *g, struct gather_server *s, const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);

	if (o && s->datagram && has_etag(s, o->value)) {
		s->fresh_until_ms = now_ms(g) + transfer_max_age_s(m) * 1000ull;
		tell(g, s, false);
		return;
	}
	for (struct gather_server *other = g->servers; o && other; other = other->next) {
		if (has_etag(other, o->value))
			other->shared = true;
	}
	ask_alone(g, s);
}

static bool
keep(struct gather_server *s, const struct msg *m)
{
	uint8_t bytes[DATAGRAM_MAX];
	struct buf out = BUF_OF(bytes);
	struct msg plain = *m;
	bool changed;

	/* What differs from one message to the next is no part of the answer. */
	plain.mid = 0;
	plain.type = TYPE_NON;
	plain.token.n = 0;
	if (msg_encode(&plain, &out) < 0)
		return false;
	changed = !bytes_equal(bytes_of(s->datagram, s->n_datagram), buf_bytes(&out));
	free(s->datagram);
	s->datagram = mem_dup(buf_bytes(&out));
	s->n_datagram = out.n;
	return changed;
}

static void
take(struct gather *g, struct gather_server *s, const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);
	bool changed = keep(s, m);

	if (!s->datagram)
		return;
	s->code = m->code;
	s->fresh_until_ms = now_ms(g) + transfer_max_age_s(m) * 1000ull;
	s->n_etag = o && o->value.n <= sizeof(s->etag) ? (uint8_t)o->value.n : 0;
	if (s->n_etag > 0)
		memcpy(s->etag, o->value.p, s->n_etag);
	mark_shared(g, s);
	tell(g, s, changed);
}

static enum layer_answer
on_response(void *ctx, struct peer *p, const struct path *way, const struct msg *m)
{
	struct gather *g = ctx;
	struct gather_server *s;

	(void)p;
	/* RFC 7252 8.2: by the token alone, whoever it comes from. */
	if (way->multicast || !token_equal(&m->token, &g->token) || (s = server_of(g, way)) == NULL)
		return LAYER_UNKNOWN;
	if (s->exchange)
		layer_cancel(g->layer, s->exchange);
	if (m->code == CODE_VALID)
		validate(g, s, m);
	else
		take(g, s, m);
	return LAYER_TAKEN;
}

/* --- life --------------------------------------------------------------------------- */

static const struct layer_ops layer_ops = {
	.open = outlet_open,
	.commit = outlet_commit,
	.random = outlet_random,
	.on_request = on_request,
	.on_response = on_response,
};

static bool
prepare(struct gather *g, const struct target *t)
{
	struct buf scratch = BUF_OF(g->scratch), tail = BUF_OF(g->tail);

	msg_init(&g->request, TYPE_NON, CODE_GET);
	if (target_put(t, &g->request, &scratch) < 0)
		return false;
	msg_put_tail(&g->request, &tail);
	g->n_tail = (uint16_t)tail.n;
	return !tail.full;
}

struct gather *
gather_new(const struct outlet_ops *out, void *out_ctx, const struct gather_ops *ops, void *ctx,
	const struct target *t, uint64_t now_ms)
{
	static const struct layer_limits limits = {
		.peers = GATHER_SERVERS_MAX, .exchanges = GATHER_SERVERS_MAX};
	struct gather *g = mem_alloc(sizeof(*g));

	g->out = (struct outlet){.ops = out, .ctx = out_ctx};
	g->ops = ops;
	g->ctx = ctx;
	if (!prepare(g, t)) {
		free(g);
		return NULL;
	}
	outlet_random(&g->out, &g->mid, sizeof(g->mid));
	g->layer = layer_new(&layer_ops, g, &limits, now_ms);
	return g;
}

void
gather_free(struct gather *g)
{
	struct gather_server *s, *next;

	if (!g)
		return;
	/* Exchanges end with it, and tell their servers. */
	layer_free(g->layer);
	for (s = g->servers; s; s = next) {
		next = s->next;
		free(s->datagram);
		free(s);
	}
	free(g);
}

void
gather_receive(struct gather *g, const struct path *from, struct bytes datagram, uint64_t now_ms)
{
	layer_advance(g->layer, now_ms);
	layer_receive(g->layer, from, datagram);
	layer_flush(g->layer);
}

void
gather_advance(struct gather *g, uint64_t now_ms)
{
	layer_advance(g->layer, now_ms);
}

uint64_t
gather_next(const struct gather *g)
{
	return layer_next(g->layer);
}

const struct gather_server *
gather_first(const struct gather *g)
{
	return g->servers;
}

uint32_t
gather_n_heard(const struct gather *g)
{
	uint32_t n = 0;

	for (const struct gather_server *s = g->servers; s; s = s->next)
		n += s->heard;
	return n;
}

void
gather_message(const struct gather_server *s, struct msg *ret)
{
	enum msg_verdict verdict = msg_decode(bytes_of(s->datagram, s->n_datagram), ret);

	assert(verdict == MSG_OK); /* it was encoded here */
	(void)verdict;
}
