/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* One server, and whoever else sends something to our port. */
#define PEERS_MAX 16
#define EXCHANGES_MAX 16
#define TOKEN_LEN 4
#define ECHOES_MAX 3 /* times a request is repeated because of an Echo: RFC 9175 2.3 */

struct session {
	struct outlet out;
	struct layer *layer;
	struct path way; /* to the server */
	struct peer *server; /* pinned */
	struct call *calls;
	struct listener *listeners;
};

/* We serve nothing. */
static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	if (r->way->multicast)
		request_ignore(r);
	else
		request_reply_code(r, CODE_NOT_FOUND);
}

static const struct exchange_ops exchange_ops;

static struct call *
find_call(const struct session *s, const struct token *t)
{
	struct call *c = s->calls;

	while (c && !token_equal(&c->token, t))
		c = c->next;
	return c;
}

/* RFC 9175 2.3: the request again, with what its server wants to hear back. */
static bool
echo(struct call *c, const struct msg *response)
{
	const struct opt *asked = msg_find(response, OPT_ECHO);
	uint8_t bytes[1 + SESSION_TAIL_MAX];
	struct buf inner = BUF_OF(bytes), tail = BUF_OF(c->tail);
	struct msg m;

	if (response->code != CODE_UNAUTHORIZED || !asked || c->n_echoed >= ECHOES_MAX)
		return false;
	buf_put_u8(&inner, c->code);
	buf_put(&inner, bytes_of(c->tail, c->n_tail));
	if (msg_decode_inner(buf_bytes(&inner), &m) < 0)
		return false;
	msg_remove(&m, OPT_ECHO);
	if (msg_add(&m, OPT_ECHO, asked->value) < 0)
		return false;
	/* Written over what it is read from no longer: m borrows from `bytes`. */
	msg_put_tail(&m, &tail);
	if (tail.full)
		return false;
	c->n_tail = (uint16_t)tail.n;
	c->n_echoed++;
	c->exchange = layer_send_con(c->session->layer, c->session->server, &exchange_ops, c);
	return c->exchange != NULL;
}

static enum layer_answer
deliver(struct call *c, const struct arrival *a)
{
	/* RFC 7252 5.2.2: a response is as good as the acknowledgement that was lost. */
	if (c->exchange)
		layer_cancel(c->session->layer, c->exchange);
	wheel_stop(layer_wheel(c->session->layer), &c->wait);
	if (echo(c, a->msg))
		return LAYER_TAKEN;
	if (!c->keep)
		call_stop(c);
	return c->ops->on_response(c->owner, a) ? LAYER_TAKEN : LAYER_UNKNOWN;
}

/* A multicast is for whoever joined there; nothing is ever sent in return. */
static void
deliver_multicast(struct session *s, const struct arrival *a)
{
	for (struct listener *l = s->listeners; l; l = l->next) {
		if (l->socket != a->way->socket)
			continue;
		l->on_multicast(l->owner, a);
		return;
	}
}

static enum layer_answer
on_response(void *ctx, struct peer *p, const struct path *way, const struct msg *m)
{
	struct session *s = ctx;
	struct arrival a = {.way = way, .msg = m};
	struct call *c;

	if (way->multicast) {
		deliver_multicast(s, &a);
		return LAYER_TAKEN;
	}
	/* RFC 7252 5.3.2: the response comes from where the request went. */
	if (p != s->server || (c = find_call(s, &m->token)) == NULL)
		return LAYER_UNKNOWN;
	return deliver(c, &a);
}

static const struct layer_ops layer_ops = {
	.open = outlet_open,
	.commit = outlet_commit,
	.random = outlet_random,
	.on_request = on_request,
	.on_response = on_response,
};

struct session *
session_new(const struct outlet_ops *ops, void *ctx, const struct path *server, uint64_t now_ms)
{
	static const struct layer_limits limits = {.peers = PEERS_MAX, .exchanges = EXCHANGES_MAX};
	struct session *s = mem_alloc(sizeof(*s));

	s->out = (struct outlet){.ops = ops, .ctx = ctx};
	s->way = *server;
	s->layer = layer_new(&layer_ops, s, &limits, now_ms);
	s->server = layer_peer(s->layer, server);
	layer_pin(s->layer, s->server);
	return s;
}

void
session_free(struct session *s)
{
	if (!s)
		return;
	assert(!s->calls && !s->listeners);
	layer_unpin(s->layer, s->server);
	layer_free(s->layer);
	free(s);
}

void
session_receive(struct session *s, const struct path *from, struct bytes datagram, uint64_t now_ms)
{
	layer_advance(s->layer, now_ms);
	layer_receive(s->layer, from, datagram);
	layer_flush(s->layer);
}

void
session_advance(struct session *s, uint64_t now_ms)
{
	layer_advance(s->layer, now_ms);
}

uint64_t
session_next(const struct session *s)
{
	return layer_next(s->layer);
}

uint64_t
session_now(const struct session *s)
{
	return layer_now(s->layer);
}

struct wheel *
session_wheel(struct session *s)
{
	return layer_wheel(s->layer);
}

const struct addr *
session_server(const struct session *s)
{
	return &s->way.remote;
}

uint32_t
session_random(struct session *s, uint32_t n)
{
	uint32_t v;

	outlet_random(&s->out, &v, sizeof(v));
	return v % n;
}

struct token
session_token(struct session *s)
{
	struct token t = {.n = TOKEN_LEN};

	do
		outlet_random(&s->out, t.b, TOKEN_LEN);
	while (find_call(s, &t));
	return t;
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	const struct call *c = owner;

	(void)x;
	ret->code = c->code;
	ret->token = c->token;
	ret->tail = bytes_of(c->tail, c->n_tail);
	return true;
}

static void
fail(struct call *c, enum call_failure why)
{
	call_stop(c);
	c->ops->on_failure(c->owner, why);
}

static void
on_wait_over(struct timer *t, void *ctx)
{
	(void)ctx;
	fail(MAP_OBJECT(t, struct call, wait), CALL_TIMEOUT);
}

static void
on_exchange_end(void *owner, struct exchange *x, enum exchange_end end)
{
	struct call *c = owner;
	struct wheel *w = session_wheel(c->session);

	c->mid = x->mid;
	c->exchange = NULL;
	switch (end) {
	case EXCHANGE_ACKED:
		/* The response may be on the same message, or take its time. */
		wheel_start(w, &c->wait, w->now_ms + SESSION_ANSWER_MS);
		break;
	case EXCHANGE_RESET:
		fail(c, CALL_RESET);
		break;
	case EXCHANGE_TIMEOUT:
		fail(c, CALL_TIMEOUT);
		break;
	case EXCHANGE_CANCELLED:
		break;
	}
}

void
session_nack(struct session *s, uint16_t mid)
{
	struct call *c = s->calls;

	while (c && (c->exchange || c->mid != mid))
		c = c->next;
	if (c)
		fail(c, CALL_RESET);
}

static struct call *
find_doomed(const struct session *s)
{
	struct call *c = s->calls;

	while (c && !c->doomed)
		c = c->next;
	return c;
}

void
session_lost(struct session *s, enum call_failure why)
{
	struct call *c;

	/* Whoever hears of it may stop others: only those of now, each once. */
	for (c = s->calls; c; c = c->next)
		c->doomed = true;
	while ((c = find_doomed(s)) != NULL)
		fail(c, why);
}

static const struct exchange_ops exchange_ops = {.compose = compose, .on_end = on_exchange_end};

int
call_start(struct call *c, struct session *s, const struct msg *m, bool keep,
	const struct call_ops *ops, void *owner)
{
	struct buf tail = BUF_OF(c->tail);

	assert(!c->session);
	msg_put_tail(m, &tail);
	if (tail.full)
		return -ENOBUFS;
	c->n_tail = (uint16_t)tail.n;
	c->code = m->code;
	c->token = m->token.n > 0 ? m->token : session_token(s);
	c->keep = keep;
	c->n_echoed = 0;
	c->doomed = false;
	c->ops = ops;
	c->owner = owner;
	c->wait.fire = on_wait_over;
	c->exchange = layer_send_con(s->layer, s->server, &exchange_ops, c);
	if (!c->exchange)
		return -ENOBUFS;
	c->session = s;
	c->next = s->calls;
	s->calls = c;
	return 0;
}

void
call_stop(struct call *c)
{
	struct session *s = c->session;
	struct call **at;

	if (!s)
		return;
	if (c->exchange)
		layer_cancel(s->layer, c->exchange);
	wheel_stop(layer_wheel(s->layer), &c->wait);
	for (at = &s->calls; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	c->session = NULL;
}

bool
call_is_on(const struct call *c)
{
	return c->session != NULL;
}

void
session_tell(struct session *s, const struct msg *m)
{
	uint8_t space[SESSION_TAIL_MAX];
	struct buf tail = BUF_OF(space);
	struct outmsg out = {.code = m->code, .token = m->token};
	uint16_t mid;

	msg_put_tail(m, &tail);
	if (tail.full)
		return;
	out.tail = buf_bytes(&tail);
	(void)layer_send_non(s->layer, s->server, &out, &mid);
}

void
session_listen(struct session *s, struct listener *l)
{
	l->next = s->listeners;
	s->listeners = l;
}

void
session_unlisten(struct session *s, struct listener *l)
{
	struct listener **at = &s->listeners;

	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
}
