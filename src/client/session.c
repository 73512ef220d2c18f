/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* One server, and whoever else sends something to our port. */
#define PEERS_MAX 16
#define EXCHANGES_MAX 16
#define TOKEN_LEN 4
#define DOUBTFUL_MAX 3 /* answers that cannot be verified, to a registration, until it fails */
#define ECHOES_MAX 3 /* times a request is repeated because of an Echo: RFC 9175 2.3 */

struct session {
	struct machine machine;
	struct path way; /* to the server */
	struct peer *server; /* pinned */
	struct call *calls;
	struct listener *listeners;
	struct armor armor;
	struct armor_drops drops; /* of protected calls */
	unsigned n_challenges;
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

/* The request that was started, to be sent again; it borrows from `space`. */
static int
recall(const struct call *c, struct buf *space, struct msg *ret)
{
	buf_put_u8(space, c->code);
	buf_put(space, bytes_of(c->tail, c->n_tail));
	return msg_decode_inner(buf_bytes(space), ret);
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
	if (recall(c, &inner, &m) < 0)
		return false;
	msg_remove(&m, OPT_ECHO);
	if (msg_add(&m, OPT_ECHO, asked->value) < 0)
		return false;
	/* Written over what it is read from no longer: m borrows from `bytes`. */
	msg_put_tail(&m, &tail);
	if (tail.full)
		return false;
	/* Another message: it has a number of its own (RFC 8613 B.1.2). */
	if (c->session->armor.context && armor_seal(&c->session->armor, &m, &c->armored) < 0)
		return false;
	c->n_tail = (uint16_t)tail.n;
	c->n_echoed++;
	c->session->n_challenges++;
	c->exchange =
		layer_send_con(c->session->machine.layer, c->session->server, &exchange_ops, c);
	return c->exchange != NULL;
}

static enum layer_answer
deliver(struct call *c, const struct arrival *a)
{
	/* RFC 7252 5.2.2: a response is as good as the acknowledgement that was lost. */
	if (c->exchange)
		layer_cancel(c->session->machine.layer, c->exchange);
	wheel_stop(layer_wheel(c->session->machine.layer), &c->wait);
	if (echo(c, a->msg))
		return LAYER_TAKEN;
	if (!c->keep)
		call_stop(c);
	return c->ops->on_response(c->owner, a) ? LAYER_TAKEN : LAYER_UNKNOWN;
}

static void fail(struct call *c, enum call_failure why);

static bool
is_idempotent(uint8_t code)
{
	static const uint8_t codes[] = {CODE_GET, CODE_FETCH, CODE_PUT, CODE_DELETE, CODE_IPATCH};

	return memchr(codes, code, sizeof(codes)) != NULL;
}

/*
 * RFC 8613 7.4: the number is one that the server saw, or too far below the newest: other
 * processes with these keys were faster. What it says was not run, and has another number
 * then; since nobody vouches for that, it is believed once, where running twice is no harm.
 */
static bool
renumber(struct call *c, const struct msg *outer)
{
	uint8_t bytes[1 + SESSION_TAIL_MAX];
	struct buf inner = BUF_OF(bytes);
	struct session *s = c->session;
	struct msg m;

	if (outer->code != CODE_UNAUTHORIZED || !bytes_is(outer->payload, "Replay detected") ||
		c->renumbered || c->armored.opened || !is_idempotent(c->code) ||
		recall(c, &inner, &m) < 0 || armor_seal(&s->armor, &m, &c->armored) < 0)
		return false;
	if (c->exchange)
		layer_cancel(s->machine.layer, c->exchange);
	wheel_stop(layer_wheel(s->machine.layer), &c->wait);
	c->renumbered = true;
	c->exchange = layer_send_con(s->machine.layer, s->server, &exchange_ops, c);
	return c->exchange != NULL;
}

/*
 * What is not what it should be ends a call that nothing good was heard of: the server has
 * other keys. Under the token of an observation it may be a notification to the registration
 * before. Afterwards it is dropped, or anybody could end an observation; and not acknowledged, or
 * what has its message id and is true would be taken for a duplicate.
 */
static enum layer_answer
drop(struct call *c, enum armor_verdict v, const struct msg *outer)
{
	struct session *s = c->session;

	if (v == ARMOR_STALE || (v == ARMOR_REFUSED && renumber(c, outer)))
		return LAYER_TAKEN;
	if (!c->armored.opened && c->keep && outer->type != TYPE_ACK &&
		c->n_doubtful < DOUBTFUL_MAX) {
		c->n_doubtful++;
	} else if (!c->armored.opened) {
		armor_explain(&s->armor, v, outer);
		fail(c, CALL_UNSAFE);
	} else if (armor_count_drop(&s->drops, session_now(s))) {
		armor_explain(&s->armor, ARMOR_FAILED, outer);
	}
	return LAYER_DOUBTFUL;
}

static enum layer_answer
deliver_armored(struct call *c, const struct arrival *outer)
{
	uint8_t space[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(space);
	struct msg inner;
	struct arrival a = {.way = outer->way, .msg = &inner, .verified = true};
	enum armor_verdict v = armor_open(&c->armored, outer->msg, &plain, &inner);
	enum layer_answer answer;

	answer = v == ARMOR_OPENED ? deliver(c, &a) : drop(c, v, outer->msg);
	mem_wipe(space, sizeof(space));
	return answer;
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
	if (c->armored.tail)
		return deliver_armored(c, &a);
	/* Nobody asked for protection: the answer is to something else. */
	return msg_has(m, OPT_OSCORE) ? LAYER_UNKNOWN : deliver(c, &a);
}

/* It answers requests with no more than an error, and none of them is protected. */
static const struct shield_ops shields = {.protect = NULL};

static const struct layer_ops layer_ops = {
	.shields = &shields,
	.open = machine_open,
	.commit = machine_commit,
	.random = machine_random,
	.on_request = on_request,
	.on_response = on_response,
};

struct session *
session_new(const struct machine_ops *ops, void *ctx, const struct path *server, uint64_t now_ms)
{
	static const struct layer_limits limits = {.peers = PEERS_MAX, .exchanges = EXCHANGES_MAX};
	struct session *s = mem_alloc(sizeof(*s));

	s->machine = (struct machine){.ops = ops, .ctx = ctx};
	s->way = *server;
	s->machine.layer = layer_new(&layer_ops, s, &limits, now_ms);
	s->server = layer_peer(s->machine.layer, server);
	layer_pin(s->machine.layer, s->server);
	return s;
}

void
session_protect(struct session *s, const struct armor *a)
{
	assert(!s->calls);
	s->armor = *a;
}

const struct armor *
session_armor(const struct session *s)
{
	return &s->armor;
}

bool
session_is_datagram(const struct session *s)
{
	return s->way.transport == PATH_UDP;
}

bool
session_is_protected(const struct session *s)
{
	return s->armor.context || s->way.transport == PATH_DTLS || s->way.transport == PATH_TLS;
}

void
session_free(struct session *s)
{
	if (!s)
		return;
	assert(!s->calls && !s->listeners);
	layer_unpin(s->machine.layer, s->server);
	layer_free(s->machine.layer);
	free(s);
}

struct machine *
session_machine(struct session *s)
{
	return &s->machine;
}

uint64_t
session_now(const struct session *s)
{
	return layer_now(s->machine.layer);
}

struct wheel *
session_wheel(struct session *s)
{
	return layer_wheel(s->machine.layer);
}

const struct addr *
session_server(const struct session *s)
{
	return &s->way.remote;
}

unsigned
session_challenges(const struct session *s)
{
	return s->n_challenges;
}

uint32_t
session_random(struct session *s, uint32_t n)
{
	uint32_t v;

	machine_random(&s->machine, &v, sizeof(v));
	return v % n;
}

struct token
session_token(struct session *s)
{
	struct token t = {.n = TOKEN_LEN};

	do
		machine_random(&s->machine, t.b, TOKEN_LEN);
	while (find_call(s, &t));
	return t;
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	const struct call *c = owner;

	(void)x;
	ret->token = c->token;
	ret->code = c->armored.tail ? c->armored.code : c->code;
	ret->tail = c->armored.tail ? bytes_of(c->armored.tail, c->armored.n_tail)
				    : bytes_of(c->tail, c->n_tail);
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
	struct call *c = MAP_OBJECT(t, struct call, wait);

	(void)ctx;
	fail(c, c->unsafe || c->n_doubtful > 0 ? CALL_UNSAFE : CALL_TIMEOUT);
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

void
session_refused(struct session *s, uint16_t mid)
{
	struct call *c = s->calls;

	/* Only what waits for its acknowledgement: anything else was heard there. */
	while (c && !(c->exchange && c->exchange->n_sent > 0 && c->exchange->mid == mid))
		c = c->next;
	if (c)
		fail(c, CALL_REFUSED);
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

/* No number to be had, or no more: told at once, and to the owner a little later. */
static void
give_up(struct call *c, int rc)
{
	const struct armor *a = &c->session->armor;
	struct wheel *w = session_wheel(c->session);

	if (a->note)
		a->note(a->ctx, true,
			rc == -EOVERFLOW ? "the sequence numbers of this key are used up"
					 : "the request cannot be protected");
	c->unsafe = true;
	wheel_start(w, &c->wait, w->now_ms);
}

/* 0 when the call is on its way, or will fail. */
static int
send_call(struct call *c, struct session *s, const struct msg *m)
{
	int rc = s->armor.context ? armor_seal(&s->armor, m, &c->armored) : 0;

	if (rc < 0 && rc != -ENOBUFS) {
		give_up(c, rc);
		return 0;
	}
	if (rc == 0)
		c->exchange = layer_send_con(s->machine.layer, s->server, &exchange_ops, c);
	return c->exchange ? 0 : -ENOBUFS;
}

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
	c->rests = false;
	c->n_echoed = c->n_doubtful = 0;
	c->doomed = c->unsafe = c->renumbered = false;
	c->ops = ops;
	c->owner = owner;
	c->wait.fire = on_wait_over;
	c->exchange = NULL;
	c->session = s;
	c->next = s->calls;
	s->calls = c;
	if (send_call(c, s, m) == 0)
		return 0;
	call_stop(c);
	return -ENOBUFS;
}

void
call_stop(struct call *c)
{
	struct session *s = c->session;
	struct call **at;

	if (!s)
		return;
	if (c->exchange)
		layer_cancel(s->machine.layer, c->exchange);
	wheel_stop(layer_wheel(s->machine.layer), &c->wait);
	for (at = &s->calls; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	armor_drop(&c->armored);
	c->session = NULL;
}

bool
call_is_on(const struct call *c)
{
	return c->session != NULL;
}

void
call_rest(struct call *c)
{
	c->rests = true;
}

bool
session_expects(const struct session *s)
{
	const struct call *c = s->calls;

	while (c && c->rests)
		c = c->next;
	return c != NULL;
}

void
session_tell(struct session *s, const struct msg *m)
{
	uint8_t space[SESSION_TAIL_MAX];
	struct buf tail = BUF_OF(space);
	struct outmsg out = {.code = m->code, .token = m->token};
	struct armored armored = {.tail = NULL};
	uint16_t mid;

	msg_put_tail(m, &tail);
	if (tail.full || (s->armor.context && armor_seal(&s->armor, m, &armored) < 0))
		return;
	out.tail = buf_bytes(&tail);
	if (armored.tail) {
		out.code = armored.code;
		out.tail = bytes_of(armored.tail, armored.n_tail);
	}
	(void)layer_send_non(s->machine.layer, s->server, &out, &mid);
	armor_drop(&armored);
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
