/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/layer.h"

#include <errno.h>
#include <stdlib.h>

#include "msg/later.h"
#include "msg/layer_impl.h"
#include "msg/leisure.h"
#include "msg/verify.h"
#include "wire/option.h"

#define RETRY_AFTER_S 5 /* Max-Age of a 5.03 for want of room, or of sequence numbers */
#define DATAGRAM_MAX 2048 /* of a response that is kept without being sent */

struct layer *
layer_new(
	const struct layer_ops *ops, void *ctx, const struct layer_limits *limits, uint64_t now_ms)
{
	struct layer *l = mem_alloc(sizeof(*l));
	uint32_t seeds[2];

	l->ops = ops;
	l->ctx = ctx;
	l->limits = *limits;
	ops->random(ctx, seeds, sizeof(seeds));
	peer_table_init(&l->peers, limits->peers, seeds[0]);
	l->dedup = dedup_new(limits->exchanges, seeds[1]);
	wheel_init(&l->wheel, now_ms, l);
	pool_init(&l->exchanges, sizeof(struct exchange));
	map_init(&l->laters);
	return l;
}

void
layer_free(struct layer *l)
{
	if (!l)
		return;
	layer_cancel_all(l);
	leisure_drop_all(l);
	map_fini(&l->laters);
	dedup_free(l->dedup);
	peer_table_fini(&l->peers);
	pool_fini(&l->exchanges);
	free(l);
}

void
layer_advance(struct layer *l, uint64_t now_ms)
{
	wheel_advance(&l->wheel, now_ms);
	layer_flush(l);
}

void
layer_set_limits(struct layer *l, const struct layer_limits *limits)
{
	l->limits = *limits;
	l->peers.max = limits->peers;
	dedup_set_max(l->dedup, limits->exchanges);
}

uint64_t
layer_now(const struct layer *l)
{
	return l->wheel.now_ms;
}

uint64_t
layer_next(const struct layer *l)
{
	uint64_t timer = wheel_next(&l->wheel), ready = exchange_next(l);

	return ready < timer ? ready : timer;
}

struct wheel *
layer_wheel(struct layer *l)
{
	return &l->wheel;
}

static uint32_t
now_s(const struct layer *l)
{
	return (uint32_t)(l->wheel.now_ms / 1000);
}

bool
layer_commit(struct layer *l, const struct buf *out)
{
	bool whole = !out->full;

	l->ops->commit(l->ctx);
	return whole;
}

/* An empty message or a bare code back the way a datagram came. */
static void
send_bare(struct layer *l, const struct path *way, enum msg_type type, uint16_t mid)
{
	static const struct token none = {0};
	struct buf *out = l->ops->open(l->ctx, way);

	if (!out)
		return;
	msg_put_header(out, type, CODE_EMPTY, mid, &none);
	(void)layer_commit(l, out);
}

/* A whole message back the way a datagram came. */
static void
send_response(struct layer *l, const struct path *way, const struct msg *m)
{
	struct buf *out = l->ops->open(l->ctx, way);

	if (!out)
		return;
	(void)msg_encode(m, out);
	(void)layer_commit(l, out);
}

/* RFC 7252 4.2, 4.3: a CON that cannot be processed is rejected, the rest ignored. */
static void
reject(struct layer *l, const struct path *way, const struct msg *m)
{
	if (m->type == TYPE_CON && !way->multicast)
		send_bare(l, way, TYPE_RST, m->mid);
}

struct peer *
layer_peer(struct layer *l, const struct path *way)
{
	struct peer *p = peer_find(&l->peers, way);
	uint16_t first;

	if (p)
		return p;
	l->ops->random(l->ctx, &first, sizeof(first));
	p = peer_get(&l->peers, way, first);
	l->stats.evicted_peers = l->peers.n_evicted;
	if (!p)
		l->stats.refused_peers++;
	return p;
}

void
layer_pin(struct layer *l, struct peer *p)
{
	peer_pin(&l->peers, p);
}

void
layer_unpin(struct layer *l, struct peer *p)
{
	peer_unpin(&l->peers, p);
}

/* Whether object security is to be undone first. */
static bool
is_shielded(const struct layer *l, const struct msg *m)
{
	return l->ops->shields && msg_has(m, OPT_OSCORE);
}

/* RFC 7252 4.5, 5.1: how much a second run of a request would differ from the first. */
static enum memory
memory_for(const struct layer *l, const struct msg *m, bool multicast)
{
	/* What is in it nobody knows, and a second run is a replay (RFC 8613 7.4). */
	if (is_shielded(l, m))
		return MEMORY_TABLE;
	switch (m->code) {
	case CODE_PUT:
		if (msg_has(m, OPT_IF_MATCH) || msg_has(m, OPT_IF_NONE_MATCH))
			return MEMORY_TABLE;
		return MEMORY_RECENT;
	case CODE_DELETE:
		return MEMORY_RECENT;
	case CODE_FETCH:
		/* The body of an earlier run is gone: its last block would find a gap. */
		if (msg_has(m, OPT_BLOCK1))
			return MEMORY_TABLE;
		return multicast ? MEMORY_RECENT : MEMORY_NONE;
	case CODE_POST:
	case CODE_PATCH:
	case CODE_IPATCH:
		return MEMORY_TABLE;
	default:
		/* groupcomm-bis "Repeating a Request": who was reached before has answered, and an
		 * answer to a whole group's question is worth not being sent twice. */
		return multicast ? MEMORY_RECENT : MEMORY_NONE;
	}
}

/*
 * What duplicates of a request have in common. Anybody can send one in somebody's name: what came
 * protected is no duplicate of it.
 */
static uint32_t
id_of(const struct request *r)
{
	return r->msg->mid | (r->shield || is_shielded(r->layer, r->msg) ? DEDUP_AUTHENTIC : 0);
}

/* Keeps what a duplicate of this request shall get. */
static void
remember_answer(struct request *r, uint8_t code, struct bytes datagram)
{
	if (r->memory == MEMORY_TABLE)
		dedup_answer(r->layer->dedup, r->way, id_of(r), datagram);
	else if (r->memory == MEMORY_RECENT)
		peer_remember(r->peer, r->msg->mid, code, now_s(r->layer));
}

void
request_accept(struct request *r)
{
	if (r->answered)
		return;
	r->answered = true;
	/* While it runs, and after: a duplicate gets the empty ACK too. */
	if (r->memory == MEMORY_RECENT)
		peer_remember(r->peer, r->msg->mid, CODE_EMPTY, now_s(r->layer));
	if (r->msg->type == TYPE_CON)
		send_bare(r->layer, r->way, TYPE_ACK, r->msg->mid);
}

static bool
is_suppressed(const struct request *r, uint8_t code)
{
	/* RFC 7252 8.2: a server should not answer a multicast request with an error. */
	bool fails = MSG_CLASS(code) != 2 && !(r->challenged && code == CODE_UNAUTHORIZED);

	return (r->way->multicast && fails) || !request_wants(r, code);
}

static int
encode_protected(const struct request *r, const struct msg *response, struct buf *out)
{
	uint8_t bytes[DATAGRAM_MAX], code;
	struct buf tail = BUF_OF(bytes);
	int rc;

	if ((rc = layer_protect(r->layer, r->shield, response, &tail, &code)) < 0)
		return rc;
	msg_put_header(out, (enum msg_type)response->type, code, response->mid, &response->token);
	buf_put(out, buf_bytes(&tail));
	return out->full ? -ENOBUFS : 0;
}

/* The response as it leaves: protected, when the request was. */
static int
encode(const struct request *r, const struct msg *response, struct buf *out)
{
	return r->shield ? encode_protected(r, response, out) : msg_encode(response, out);
}

/* A response too large for a datagram is a fault of ours that the peer hears of. */
static void
encode_response(const struct request *r, struct msg *response, struct buf *out)
{
	if (encode(r, response, out) == 0)
		return;
	buf_clear(out);
	response->code = CODE_INTERNAL;
	response->n_opts = 0;
	response->payload = BYTES_NONE;
	if (encode(r, response, out) == 0)
		return;
	/* Nothing can be protected right now: that it failed is all that may be said. */
	buf_clear(out);
	response->code = CODE_UNAVAILABLE;
	(void)msg_add_uint(response, OPT_MAX_AGE, RETRY_AFTER_S);
	(void)msg_encode(response, out);
}

/* RFC 9175 2.4: no large answer to where nobody may have asked. */
static void
restrain(const struct request *r, const struct msg *response, struct buf *out)
{
	uint8_t bytes[64];
	struct buf echo = BUF_OF(bytes);
	struct msg m;

	buf_clear(out);
	if (r->msg->code == CODE_GET || r->msg->code == CODE_FETCH) {
		verify_fill(r->layer, r->way, &m, &echo);
	} else {
		/* It has run: what happened is all that is said. */
		msg_init(&m, TYPE_ACK, (enum msg_code)response->code);
	}
	m.type = response->type;
	m.mid = response->mid;
	m.token = response->token;
	(void)msg_encode(&m, out);
}

void
request_reply(struct request *r, struct msg *response)
{
	struct layer *l = r->layer;
	uint8_t unsent[DATAGRAM_MAX];
	struct buf lost = BUF_OF(unsent), *out;

	if (r->answered)
		return;
	if (is_suppressed(r, response->code)) {
		/* RFC 7967 2: a suppressed response to a CON leaves its empty ACK. */
		request_accept(r);
		return;
	}
	r->answered = true;
	response->token = r->msg->token;
	response->type = r->msg->type == TYPE_CON ? TYPE_ACK : TYPE_NON;
	response->mid = r->msg->type == TYPE_CON ? r->msg->mid : peer_next_mid(r->peer);
	/* RFC 7252 8.2: what a group was asked is answered at leisure. */
	out = r->way->multicast ? NULL : l->ops->open(l->ctx, r->way);
	/* With no room to send it is as lost on the way: a duplicate fetches it. */
	encode_response(r, response, out ? out : &lost);
	if (r->limit > 0 && (out ? out : &lost)->n > r->limit)
		restrain(r, response, out ? out : &lost);
	remember_answer(r, response->code, buf_bytes(out ? out : &lost));
	if (out)
		(void)layer_commit(l, out);
	else if (r->way->multicast && !is_suppressed(r, response->code))
		leisure_hold(l, r->way, buf_bytes(&lost));
}

uint32_t
layer_leisure(struct layer *l)
{
	uint32_t v;

	l->ops->random(l->ctx, &v, sizeof(v));
	return v % (LAYER_LEISURE_MS + 1);
}

/* The answer that an idempotent write had: rebuilt, its Block1 taken from the request. */
static void
repeat_code(struct layer *l, const struct path *way, const struct msg *m, uint8_t code)
{
	struct msg response;
	uint32_t block;

	if (m->type != TYPE_CON)
		return;
	if (code == CODE_EMPTY) {
		send_bare(l, way, TYPE_ACK, m->mid);
		return;
	}
	msg_init(&response, TYPE_ACK, (enum msg_code)code);
	response.mid = m->mid;
	response.token = m->token;
	if (MSG_CLASS(code) == 2 && msg_uint(m, OPT_BLOCK1, &block))
		(void)msg_add_uint(&response, OPT_BLOCK1, block);
	send_response(l, way, &response);
}

static void
repeat_bytes(struct layer *l, const struct path *way, const struct msg *m, struct bytes response)
{
	struct buf *out;

	/* RFC 7252 4.3: a duplicate NON is silently ignored. */
	if (m->type != TYPE_CON)
		return;
	if (response.n == 0) {
		send_bare(l, way, TYPE_ACK, m->mid);
		return;
	}
	if ((out = l->ops->open(l->ctx, way)) == NULL)
		return;
	buf_put(out, response);
	(void)layer_commit(l, out);
}

/* RFC 7252 4.5: whether this request ran before; if so, its answer is repeated. */
static bool
is_duplicate(struct request *r)
{
	struct layer *l = r->layer;
	uint16_t mid = r->msg->mid;
	struct bytes response;
	uint8_t code;

	/* RFC 8323 3.1: a reliable transport has no duplicates, and message ids of our making. */
	if (path_is_reliable(r->way))
		return false;
	if (r->memory == MEMORY_TABLE) {
		if (!dedup_find(l->dedup, r->way, id_of(r), l->wheel.now_ms, &response))
			return false;
		repeat_bytes(l, r->way, r->msg, response);
	} else {
		if (!r->peer ||
			!peer_recalls(r->peer, mid, now_s(l), LAYER_EXCHANGE_LIFETIME_S, &code))
			return false;
		repeat_code(l, r->way, r->msg, code);
	}
	later_repeated(l, r->way, mid);
	l->stats.duplicates++;
	return true;
}

/* option_sift of a message as it came; false for an option that is not understood. */
static bool
sift_outer(const struct layer *l, struct msg *m, uint16_t *ret_critical)
{
	/* Those behind the OSCORE option count for nothing outside: RFC 8613 4.1. */
	return option_sift(m, ret_critical) == OPTION_FINE ||
	       (*ret_critical == OPT_OSCORE && is_shielded(l, m));
}

/* A 5.03 for a peer the table has no room for: built without one. */
static void
refuse_peer(struct layer *l, const struct path *way, const struct msg *m)
{
	struct msg response;

	if (way->multicast || m->type != TYPE_CON)
		return;
	msg_init(&response, TYPE_ACK, CODE_UNAVAILABLE);
	response.mid = m->mid;
	response.token = m->token;
	(void)msg_add_uint(&response, OPT_MAX_AGE, RETRY_AFTER_S);
	send_response(l, way, &response);
}

/* RFC 7252 5.4.1: an unrecognized critical option. */
static void
refuse_option(struct request *r, uint16_t number)
{
	char text[40];
	struct buf diagnostic = buf_of(text, sizeof(text));
	struct msg m;

	r->layer->stats.bad_options++;
	if (r->msg->type == TYPE_NON) {
		/* RFC 7252 5.4.1: rejected (section 4.3); in silence after a multicast (8.1). */
		if (!r->way->multicast)
			send_bare(r->layer, r->way, TYPE_RST, r->msg->mid);
		return;
	}
	msg_init(&m, TYPE_ACK, CODE_BAD_OPTION);
	/* RFC 7252 5.5.2: a diagnostic payload says what is wrong. */
	buf_printf(&diagnostic, "option %u not understood", number);
	m.payload = buf_bytes(&diagnostic);
	request_reply(r, &m);
}

/* RFC 7252 5.10.2: whoever is no proxy refuses to be asked as one. */
static bool
asks_a_proxy(const struct msg *m)
{
	return msg_has(m, OPT_PROXY_URI) || msg_has(m, OPT_PROXY_SCHEME);
}

/* By its options; answered when it is not. */
static bool
is_understood(struct request *r)
{
	uint16_t critical;
	bool fine = r->shield ? option_sift(r->msg, &critical) == OPTION_FINE
			      : sift_outer(r->layer, r->msg, &critical);

	if (!fine) {
		refuse_option(r, critical);
		return false;
	}
	if (asks_a_proxy(r->msg)) {
		request_reply_code(r, CODE_PROXYING_NOT_SUPPORTED);
		return false;
	}
	return true;
}

/* A duplicate of it is known from here on. */
static void
note(struct request *r)
{
	struct layer *l = r->layer;

	if (r->memory == MEMORY_TABLE)
		dedup_add(l->dedup, r->way, id_of(r), l->wheel.now_ms);
	l->stats.evicted_duplicates = dedup_evicted(l->dedup);
}

/* What came protected is authentic: now it, and who sent it, are worth being remembered. */
static bool
believe(struct request *r)
{
	struct layer *l = r->layer;
	struct peer *p = r->peer;

	if (r->brief && (p = layer_peer(l, r->way)) == NULL) {
		refuse_peer(l, r->way, r->msg);
		request_ignore(r);
		return false;
	}
	if (r->brief)
		peer_pin(&l->peers, p);
	r->brief = false;
	r->peer = p;
	note(r);
	return true;
}

bool
request_unshield(struct request *r, struct msg *inner, struct shield *s, uint32_t who)
{
	if (!believe(r))
		return false;
	inner->type = r->msg->type;
	inner->mid = r->msg->mid;
	inner->token = r->msg->token;
	r->msg = inner;
	r->shield = s;
	r->who = who;
	return is_understood(r);
}

/* A request that is new: refused for its options, or run. */
static void
run(struct request *r)
{
	struct layer *l = r->layer;
	struct msg *outer = r->msg;

	if (!is_understood(r))
		return;
	if (!is_shielded(l, outer))
		note(r);
	l->ops->on_request(l->ctx, r);
	/* What was in it is the owner's, and gone. */
	r->msg = outer;
	r->shield = NULL;
	/* RFC 7252 5.2.2: what is not answered at once is acknowledged. */
	request_accept(r);
}

/* A request of an address that nothing is kept of before it, or the request, is verified. */
static void
run_briefly(struct request *r)
{
	struct local local = {
		.addr = r->way->local, .socket = r->way->socket, .transport = r->way->transport};
	struct peer brief = {
		.remote = r->way->remote, .local = &local, .mid = r->layer->stray_mid, .n_pins = 1};

	if (brief.mid == 0)
		r->layer->ops->random(r->layer->ctx, &brief.mid, sizeof(brief.mid));
	r->peer = &brief;
	r->brief = true;
	run(r);
	r->layer->stray_mid = brief.mid;
	if (!r->brief)
		peer_unpin(&r->layer->peers, r->peer);
}

/* A request of a peer that is remembered, from now on if not before. */
static void
run_of_peer(struct request *r, bool is_verified)
{
	struct layer *l = r->layer;

	if (!r->peer && (r->peer = layer_peer(l, r->way)) == NULL) {
		refuse_peer(l, r->way, r->msg);
		return;
	}
	r->peer->verified |= is_verified;
	/* Whatever the request makes the owner do, its peer stays until the end. */
	peer_pin(&l->peers, r->peer);
	run(r);
	peer_unpin(&l->peers, r->peer);
}

static void
receive_request(struct layer *l, const struct path *way, struct msg *m, size_t n)
{
	enum verify_verdict verdict = VERIFY_RUN;
	struct request r = {.layer = l, .way = way, .msg = m};

	/* RFC 7252 8.1: a multicast request is a NON; RFC 7252 4.2: an ACK or RST is no request. */
	if (m->type == TYPE_ACK || m->type == TYPE_RST || (way->multicast && m->type == TYPE_CON)) {
		l->stats.ignored++;
		return;
	}
	l->stats.requests++;
	if (!path_is_reliable(way))
		r.memory = memory_for(l, m, way->multicast);
	r.peer = peer_find(&l->peers, way);
	if (l->verify != LAYER_VERIFY_NEVER && !(r.peer && r.peer->verified))
		verdict = verify_request(&r, n);
	if (verdict == VERIFY_BRIEFLY)
		run_briefly(&r);
	if (verdict == VERIFY_BRIEFLY || verdict == VERIFY_DONE)
		return;
	if (is_duplicate(&r))
		return;
	if (!r.peer && is_shielded(l, m))
		run_briefly(&r);
	else
		run_of_peer(&r, verdict == VERIFY_TRUST);
}

/* An ACK or a RST, for a message of ours. */
static void
receive_empty(struct layer *l, const struct path *way, const struct msg *m)
{
	struct peer *p;

	if (m->type == TYPE_CON) {
		/* RFC 7252 4.3: "CoAP ping". */
		l->stats.pings++;
		reject(l, way, m);
		return;
	}
	if (m->type == TYPE_NON || way->multicast || (p = peer_find(&l->peers, way)) == NULL) {
		l->stats.ignored++;
		return;
	}
	if (m->type == TYPE_RST)
		l->stats.resets++;
	if (exchange_settle(l, p, m->mid, m->type == TYPE_RST ? EXCHANGE_RESET : EXCHANGE_ACKED))
		return;
	if (m->type == TYPE_RST && l->ops->on_reset)
		l->ops->on_reset(l->ctx, p, m->mid);
	else
		l->stats.stray_acks++;
}

/* A CON response: acknowledged when it is wanted, rejected when it is not. */
static void
receive_con_response(struct layer *l, struct peer *p, const struct path *way, const struct msg *m)
{
	enum layer_answer answer = LAYER_UNKNOWN;
	uint8_t code;

	if (way->multicast)
		return;
	if (p && peer_recalls(p, m->mid, now_s(l), LAYER_EXCHANGE_LIFETIME_S, &code)) {
		l->stats.duplicates++;
		send_bare(l, way, TYPE_ACK, m->mid);
		return;
	}
	if (l->ops->on_response)
		answer = l->ops->on_response(l->ctx, p, way, m);
	if (answer == LAYER_DOUBTFUL)
		return;
	if (answer == LAYER_TAKEN) {
		send_bare(l, way, TYPE_ACK, m->mid);
		/* The owner may have let the peer go. */
		if ((p = peer_find(&l->peers, way)) != NULL)
			peer_remember(p, m->mid, CODE_EMPTY, now_s(l));
		return;
	}
	l->stats.stray_responses++;
	send_bare(l, way, TYPE_RST, m->mid);
}

static void
receive_response(struct layer *l, const struct path *way, struct msg *m)
{
	struct peer *p = peer_find(&l->peers, way);
	uint16_t critical;

	l->stats.responses++;
	/* RFC 7252 5.4.1: a response with an unrecognized critical option is rejected. */
	if (m->type == TYPE_RST || !sift_outer(l, m, &critical)) {
		l->stats.ignored++;
		reject(l, way, m);
		return;
	}
	if (m->type == TYPE_CON) {
		receive_con_response(l, p, way, m);
		return;
	}
	/* RFC 7252 5.2.1: a response on an ACK is for the exchange of that message id only. */
	if (m->type == TYPE_ACK &&
		(!p || way->multicast || !exchange_settle(l, p, m->mid, EXCHANGE_ACKED))) {
		l->stats.stray_acks++;
		return;
	}
	if (!l->ops->on_response || l->ops->on_response(l->ctx, p, way, m) != LAYER_TAKEN)
		l->stats.stray_responses++;
}

void
layer_receive(struct layer *l, const struct path *way, struct bytes datagram)
{
	struct msg m;

	l->stats.received++;
	switch (msg_decode(datagram, &m)) {
	case MSG_IGNORE:
		l->stats.ignored++;
		return;
	case MSG_MALFORMED:
		l->stats.malformed++;
		reject(l, way, &m);
		return;
	case MSG_OK:
		break;
	}
	if (m.code == CODE_EMPTY)
		receive_empty(l, way, &m);
	else if (MSG_CLASS(m.code) == 0)
		receive_request(l, way, &m, datagram.n);
	else
		receive_response(l, way, &m);
}

void
layer_receive_cut(struct layer *l, const struct path *way, struct bytes head)
{
	struct msg m, response;

	l->stats.received++;
	l->stats.malformed++;
	if (msg_decode_head(head, &m) != MSG_OK || way->multicast || m.type != TYPE_CON)
		return;
	if (MSG_CLASS(m.code) != 0) {
		reject(l, way, &m);
		return;
	}
	/* RFC 7959 2.9.3: how large it may be, and that blocks are the way. */
	msg_init(&response, TYPE_ACK, CODE_TOO_LARGE);
	response.mid = m.mid;
	response.token = m.token;
	(void)msg_add_uint(&response, OPT_BLOCK1, BLOCK_MAX_SZX);
	(void)msg_add_uint(&response, OPT_SIZE1, l->limits.payload);
	send_response(l, way, &response);
}

bool
layer_send_non(struct layer *l, struct peer *p, const struct outmsg *m, uint16_t *ret_mid)
{
	struct path way;
	struct buf *out;
	uint16_t mid = peer_next_mid(p);

	peer_path(p, &way);
	if ((out = l->ops->open(l->ctx, &way)) == NULL)
		return false;
	msg_put_header(out, TYPE_NON, m->code, mid, &m->token);
	buf_put(out, m->tail);
	if (!layer_commit(l, out))
		return false;
	peer_paced(p, l->wheel.now_ms);
	*ret_mid = mid;
	return true;
}

const struct layer_stats *
layer_stats(const struct layer *l)
{
	return &l->stats;
}

size_t
layer_n_peers(const struct layer *l)
{
	return l->peers.map.n;
}

size_t
layer_n_exchanges(const struct layer *l)
{
	return l->exchanges.n_used;
}
