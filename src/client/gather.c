/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/gather.h"

#include <assert.h>
#include <stdlib.h>

#include "client/transfer.h"

#define TOKEN_LEN 6 /* four bytes nobody can guess, and a count: groupcomm-bis 3.1.5 */
#define TAIL_MAX 1400 /* options of the request */
#define ECHO_ROOM (GATHER_ECHO_MAX + 5)
#define DATAGRAM_MAX 4096

struct gather {
	struct machine machine;
	const struct gather_ops *ops;
	void *ctx;
	struct gather_server *servers;
	uint32_t n_servers;
	struct token token;
	uint16_t n_asked; /* requests so far */
	uint16_t mid; /* of the last request to the group */
	uint8_t scratch[2 * TARGET_MAX]; /* what the request's options borrow */
	struct msg request; /* without ETags */
	struct armor armor;
	struct armor_drops drops;
	struct oscore_binding sealed[GATHER_SEALED_MAX]; /* the latest, in turns */
	unsigned n_sealed;
	uint8_t alone[TAIL_MAX]; /* what is composed */
};

/* --- sending ------------------------------------------------------------------------ */

/* We serve nothing. */
static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	request_ignore(r);
}

/* The request to one server: what it wants to hear again is in it (RFC 9175 2.3). */
static struct msg
request_alone(const struct gather_server *s)
{
	struct msg m = s->gather->request;

	if (s->n_echo > 0)
		(void)msg_add(&m, OPT_ECHO, bytes_of(s->echo, s->n_echo));
	return m;
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	const struct gather_server *s = owner;
	struct gather *g = s->gather;
	struct buf tail = BUF_OF(g->alone);
	struct msg m;

	(void)x;
	ret->token = g->token;
	if (s->armored.tail) {
		ret->code = s->armored.code;
		ret->tail = bytes_of(s->armored.tail, s->armored.n_tail);
		return true;
	}
	m = request_alone(s);
	msg_put_tail(&m, &tail);
	ret->code = m.code;
	ret->tail = buf_bytes(&tail);
	return !tail.full;
}

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	struct gather_server *s = owner;

	(void)x;
	(void)end;
	s->exchange = NULL;
}

static void
complain(const struct gather *g, const char *text)
{
	if (g->armor.note)
		g->armor.note(g->armor.ctx, true, text);
}

static struct bytes
kid_of(const struct gather_server *s)
{
	return bytes_of(s->kid, s->n_kid);
}

static bool
seal_alone(struct gather *g, struct gather_server *s)
{
	struct armor a = armor_for(&g->armor, kid_of(s));
	struct msg m = request_alone(s);

	if (!a.context)
		return true;
	if (armor_seal(&a, &m, &s->armored) == 0)
		return true;
	complain(g, "the request cannot be protected");
	return false;
}

/* groupcomm-bis 3.2.2.1: without the ETag that was another server's. */
static void
ask_alone(struct gather *g, struct gather_server *s)
{
	static const struct exchange_ops ops = {.compose = compose, .on_end = on_end};
	struct peer *p;

	if (s->exchange || s->n_alone >= GATHER_ALONE_MAX ||
		(p = layer_peer(g->machine.layer, &s->way)) == NULL)
		return;
	s->n_alone++;
	if (!seal_alone(g, s))
		return;
	s->exchange = layer_send_con(g->machine.layer, p, &ops, s);
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

/* Each one has a number of its own, which its answers are bound to. */
static bool
put_sealed(struct gather *g, const struct msg *m, struct buf *out)
{
	struct armored sealed = {.tail = NULL};
	unsigned place = g->n_sealed % GATHER_SEALED_MAX;

	if (armor_seal(&g->armor, m, &sealed) < 0) {
		complain(g, "the request cannot be protected");
		return false;
	}
	msg_put_header(out, TYPE_NON, sealed.code, m->mid, &m->token);
	buf_put(out, bytes_of(sealed.tail, sealed.n_tail));
	binding_fini(&g->sealed[place]);
	g->sealed[place] = sealed.binding;
	for (struct gather_server *s = g->servers; s; s = s->next)
		s->answers[place] = (struct gather_answers){.some = false};
	sealed.binding = (struct oscore_binding){.context = NULL};
	armor_drop(&sealed);
	g->n_sealed++;
	return true;
}

static void
send_to_group(struct gather *g)
{
	struct buf *out = g->ops->open_group(g->ctx);
	struct msg m = g->request;

	if (!out)
		return;
	m.token = g->token;
	m.mid = ++g->mid;
	if (g->armor.context) {
		/* Without ETags: what nobody else can read is not kept for validation. */
		if (!put_sealed(g, &m, out))
			return;
	} else {
		add_etags(g, &m);
		(void)msg_encode(&m, out);
	}
	machine_commit(&g->machine);
}

static uint64_t
now_ms(const struct gather *g)
{
	return layer_now(g->machine.layer);
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
	machine_random(&g->machine, g->token.b, TOKEN_LEN);
	g->token.b[4] = (uint8_t)(g->n_asked >> 8);
	g->token.b[5] = (uint8_t)g->n_asked;
	for (struct gather_server *s = g->servers; s; s = s->next) {
		s->heard = false;
		s->n_alone = s->n_echo = 0;
		armor_drop(&s->armored);
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

/*
 * groupcomm-bis 3.1.4: servers are told apart by their addresses; where nobody can speak for
 * another one, by who they are in the group: what is sent again from elsewhere is no second answer.
 */
static bool
is_server(const struct gather_server *s, const struct path *way, const struct recipient *from)
{
	return from ? bytes_equal(kid_of(s), context_recipient_id(from))
		    : addr_equal(&s->way.remote, &way->remote);
}

static struct gather_server *
server_of(struct gather *g, const struct path *way, const struct recipient *from)
{
	struct gather_server *s = g->servers;

	while (s && !is_server(s, way, from))
		s = s->next;
	if (s || g->n_servers >= GATHER_SERVERS_MAX)
		return s;
	s = mem_alloc(sizeof(*s));
	s->gather = g;
	if (from) {
		struct bytes kid = context_recipient_id(from);

		s->n_kid = (uint8_t)kid.n;
		if (kid.n > 0)
			memcpy(s->kid, kid.p, kid.n);
		s->verified = true;
	}
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

/* RFC 9175 2.3: a server that wants to hear something again gets it, alone. */
static bool
echo(struct gather *g, struct gather_server *s, const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ECHO);

	if (m->code != CODE_UNAUTHORIZED || !o || o->value.n == 0 || o->value.n > GATHER_ECHO_MAX ||
		s->n_alone >= GATHER_ALONE_MAX)
		return false;
	memcpy(s->echo, o->value.p, o->value.n);
	s->n_echo = (uint8_t)o->value.n;
	ask_alone(g, s);
	return true;
}

static enum layer_answer
handle(struct gather *g, struct gather_server *s, const struct path *way, const struct msg *m)
{
	if (s->exchange)
		layer_cancel(g->machine.layer, s->exchange);
	s->way = *way;
	if (echo(g, s, m))
		return LAYER_TAKEN;
	if (m->code == CODE_VALID)
		validate(g, s, m);
	else
		take(g, s, m);
	return LAYER_TAKEN;
}

/* --- receiving what is protected ---------------------------------------------------- */

/* The answer of a server that was asked alone, of which there is one. */
static bool
open_alone(struct gather *g, const struct path *way, const struct msg *outer, struct buf *space,
	struct msg *ret, struct unprotect_info *ret_info)
{
	for (struct gather_server *s = g->servers; s; s = s->next) {
		struct armored *a = &s->armored;

		if (!a->tail || a->opened || !is_server(s, way, NULL) ||
			unprotect_response(&a->binding, NULL, outer, space, ret, ret_info) !=
				UNPROTECT_OK)
			continue;
		a->opened = true;
		return true;
	}
	return false;
}

/* An answer to one of the latest requests to the group, by their places. */
static bool
open_shared(struct gather *g, const struct msg *outer, struct buf *space, struct msg *ret,
	struct unprotect_info *ret_info, unsigned *ret_place)
{
	for (unsigned i = 0; i < GATHER_SEALED_MAX; i++) {
		if (!g->sealed[i].context || unprotect_response(&g->sealed[i], NULL, outer, space,
						     ret, ret_info) != UNPROTECT_OK)
			continue;
		*ret_place = i;
		return true;
	}
	return false;
}

/*
 * oscore-groupcomm 5.3.1: one server may answer a request to the group more than once, each
 * time with a higher Partial IV; the one without any is the oldest. The rest are replays.
 */
static bool
is_news(struct gather_answers *seen, const struct unprotect_info *info)
{
	if (info->has_piv ? info->piv < seen->next : seen->some)
		return false;
	seen->some = true;
	if (info->has_piv)
		seen->next = info->piv + 1;
	return true;
}

static enum layer_answer
handle_sealed(struct gather *g, const struct path *way, const struct msg *outer)
{
	uint8_t space[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(space);
	struct unprotect_info info;
	struct gather_server *s;
	struct msg inner;
	unsigned place;
	bool alone = false;

	if (!msg_has(outer, OPT_OSCORE) ||
		(!(alone = open_alone(g, way, outer, &plain, &inner, &info)) &&
			!open_shared(g, outer, &plain, &inner, &info, &place))) {
		if (armor_count_drop(&g->drops, now_ms(g)))
			complain(g, "an answer could not be verified and was dropped");
		return LAYER_DOUBTFUL;
	}
	if ((s = server_of(g, way, info.from)) == NULL)
		return LAYER_UNKNOWN;
	if (!alone && !is_news(&s->answers[place], &info))
		return LAYER_TAKEN;
	return handle(g, s, way, &inner);
}

static enum layer_answer
handle_plain(struct gather *g, const struct path *way, const struct msg *m)
{
	struct gather_server *s = msg_has(m, OPT_OSCORE) ? NULL : server_of(g, way, NULL);

	return s ? handle(g, s, way, m) : LAYER_UNKNOWN;
}

static enum layer_answer
on_response(void *ctx, struct peer *p, const struct path *way, const struct msg *m)
{
	struct gather *g = ctx;

	(void)p;
	/* RFC 7252 8.2: by the token alone, whoever it comes from. */
	if (way->multicast || !token_equal(&m->token, &g->token))
		return LAYER_UNKNOWN;
	return g->armor.context ? handle_sealed(g, way, m) : handle_plain(g, way, m);
}

/* --- life --------------------------------------------------------------------------- */

/* It answers no requests. */
static const struct shield_ops shields = {.protect = NULL};

static const struct layer_ops layer_ops = {
	.shields = &shields,
	.open = machine_open,
	.commit = machine_commit,
	.random = machine_random,
	.on_request = on_request,
	.on_response = on_response,
};

static bool
prepare(struct gather *g, const struct target *t)
{
	struct buf scratch = BUF_OF(g->scratch), tail = BUF_OF(g->alone);

	msg_init(&g->request, TYPE_NON, CODE_GET);
	if (target_put(t, &g->request, &scratch) < 0)
		return false;
	msg_put_tail(&g->request, &tail);
	return tail.n + ECHO_ROOM <= TAIL_MAX && !tail.full;
}

struct gather *
gather_new(const struct machine_ops *out, void *out_ctx, const struct gather_ops *ops, void *ctx,
	const struct target *t, uint64_t now_ms)
{
	static const struct layer_limits limits = {
		.peers = GATHER_SERVERS_MAX, .exchanges = GATHER_SERVERS_MAX};
	struct gather *g = mem_alloc(sizeof(*g));

	g->machine = (struct machine){.ops = out, .ctx = out_ctx};
	g->ops = ops;
	g->ctx = ctx;
	if (!prepare(g, t)) {
		free(g);
		return NULL;
	}
	machine_random(&g->machine, &g->mid, sizeof(g->mid));
	g->machine.layer = layer_new(&layer_ops, g, &limits, now_ms);
	return g;
}

void
gather_protect(struct gather *g, const struct armor *a)
{
	assert(g->n_asked == 0);
	g->armor = *a;
	g->armor.mode = OSCORE_GROUP;
}

void
gather_free(struct gather *g)
{
	struct gather_server *s, *next;

	if (!g)
		return;
	/* Exchanges end with it, and tell their servers. */
	layer_free(g->machine.layer);
	for (s = g->servers; s; s = next) {
		next = s->next;
		armor_drop(&s->armored);
		free(s->datagram);
		free(s);
	}
	for (unsigned i = 0; i < GATHER_SEALED_MAX; i++)
		binding_fini(&g->sealed[i]);
	free(g);
}

struct machine *
gather_machine(struct gather *g)
{
	return &g->machine;
}

const struct gather_server *
gather_first(const struct gather *g)
{
	return g->servers;
}

uint64_t
gather_n_dropped(const struct gather *g)
{
	return g->drops.n;
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
