/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <check.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const types[] = {"CON", "NON", "ACK", "RST"};
static const char *const ends[] = {"acked", "reset", "timeout", "cancelled"};

void
world_say(struct world *w, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w->said.n > 0)
		buf_put_str(&w->said, "; ");
	buf_put_str(&w->said, text);
	ck_assert(!w->said.full);
}

const char *
world_said(struct world *w)
{
	const char *text = buf_str(&w->said);

	buf_clear(&w->said);
	return text;
}

/* Text as it is, in quotes when it is a payload; anything else in hex. */
static void
put_value(struct buf *b, struct bytes v, const char *quote)
{
	bool printable = v.n > 0;

	for (size_t i = 0; i < v.n; i++)
		printable = printable && (*quote ? isprint(v.p[i]) : isgraph(v.p[i]));
	if (v.n > 60) {
		buf_printf(b, "%zu bytes", v.n);
	} else if (printable) {
		buf_put_str(b, quote);
		buf_put(b, v);
		buf_put_str(b, quote);
	} else {
		buf_put_hex(b, v);
	}
}

static void
describe(const struct msg *m, struct buf *b)
{
	char code[16];

	buf_printf(b, "%s %s #%u", types[m->type], msg_code_name(m->code, code), m->mid);
	if (m->token.n) {
		buf_put_str(b, " t=");
		buf_put_hex(b, bytes_of(m->token.b, m->token.n));
	}
	for (uint8_t i = 0; i < m->n_opts; i++) {
		buf_printf(b, " %u=", m->opts[i].number);
		put_value(b, m->opts[i].value, "");
	}
	if (m->payload.n) {
		buf_put_str(b, " ");
		put_value(b, m->payload, "'");
	}
}

static struct buf *
open_datagram(void *ctx, const struct path *way)
{
	struct world *w = ctx;

	ck_assert_msg(!w->open, "opened twice without a commit");
	ck_assert(!way->multicast || way->local.port == 5683);
	if (w->closed)
		return NULL;
	w->open = true;
	w->out_way = *way;
	buf_clear(&w->out);
	return &w->out;
}

static void
commit(void *ctx)
{
	struct world *w = ctx;
	uint8_t room[512];
	struct buf text = BUF_OF(room);
	struct msg m;

	ck_assert(w->open);
	w->open = false;
	if (w->out.full) {
		world_say(w, "too large");
		return;
	}
	ck_assert_int_eq(msg_decode(buf_bytes(&w->out), &m), MSG_OK);
	if (w->out_way.remote.ip[3] != 1)
		buf_printf(&text, ">%u ", w->out_way.remote.ip[3]);
	if (w->out_way.local.ip[3] != 1)
		buf_printf(&text, "<%u ", w->out_way.local.ip[3]);
	describe(&m, &text);
	world_say(w, "%s", buf_str(&text));
}

static void
random_bytes(void *ctx, void *p, size_t n)
{
	struct world *w = ctx;

	memset(p, 0, n);
	memcpy(p, &w->random, n < sizeof(w->random) ? n : sizeof(w->random));
}

static void
reply(struct request *r, enum msg_code code, struct bytes payload)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, code);
	m.payload = payload;
	request_reply(r, &m);
}

/* What is done is the first segment of the path. */
static void
serve(struct world *w, struct request *r)
{
	static const uint8_t huge[3000];
	const struct opt *path = msg_find(r->msg, OPT_URI_PATH);
	char text[16];
	char c = path && path->value.n ? (char)path->value.p[0] : '\0';

	(void)snprintf(text, sizeof(text), "%u", w->n_runs);
	switch (c) {
	case 'r':
		reply(r, r->msg->code == CODE_GET ? CODE_CONTENT : CODE_CHANGED, bytes_str(text));
		break;
	case 'a':
		request_accept(r);
		break;
	case 'i':
		request_ignore(r);
		break;
	case 'n':
		request_reply_code(r, CODE_NOT_FOUND);
		break;
	case 'x':
		request_reply_code(r, CODE_INTERNAL);
		break;
	case 'h':
		reply(r, CODE_CONTENT, BYTES_OF(huge));
		break;
	default:
		break;
	}
}

static void
on_request(void *ctx, struct request *r)
{
	struct world *w = ctx;
	char code[16];

	w->n_runs++;
	world_say(w, "run %s", msg_code_name(r->msg->code, code));
	if (w->on_request)
		w->on_request(w, r);
	else
		serve(w, r);
}

static enum layer_answer
on_response(void *ctx, struct peer *p, const struct path *way, const struct msg *m)
{
	struct world *w = ctx;
	uint8_t room[512];
	struct buf text = BUF_OF(room);

	describe(m, &text);
	world_say(w, "got%s%s %s", way->multicast ? " multicast" : "", p ? "" : " strange",
		buf_str(&text));
	return w->wants_responses ? LAYER_TAKEN : LAYER_UNKNOWN;
}

static void
on_reset(void *ctx, struct peer *p, uint16_t mid)
{
	world_say(ctx, "reset of #%u by %u", mid, p->remote.ip[3]);
}

static void
on_lost(void *ctx, struct peer *p)
{
	world_say(ctx, "lost %u", p->remote.ip[3]);
}

static void
on_crowd(void *ctx, size_t n_waiting)
{
	((struct world *)ctx)->n_crowd = n_waiting;
}

static const struct layer_ops ops = {
	.open = open_datagram,
	.commit = commit,
	.random = random_bytes,
	.on_request = on_request,
	.on_response = on_response,
	.on_reset = on_reset,
	.on_lost = on_lost,
	.on_crowd = on_crowd,
};

static struct path
way_of(unsigned peer, unsigned address, bool multicast)
{
	struct path way = {.multicast = multicast};

	way.remote = (struct addr){.family = AF_INET, .port = 40000};
	way.remote.ip[0] = 10;
	way.remote.ip[2] = (uint8_t)(peer >> 8);
	way.remote.ip[3] = (uint8_t)peer;
	way.local = (struct addr){.family = AF_INET, .port = 5683};
	way.local.ip[0] = 192;
	way.local.ip[3] = (uint8_t)address;
	return way;
}

void
world_from(struct world *w, unsigned peer, unsigned address, bool multicast)
{
	w->way = way_of(peer, address, multicast);
}

void
world_init(struct world *w, uint32_t n_peers, uint32_t n_exchanges)
{
	struct layer_limits limits = {
		.peers = n_peers, .exchanges = n_exchanges, .held = 4, .payload = 1024};

	*w = (struct world){.now_ms = 1000000};
	w->out = BUF_OF(w->out_room);
	w->said = BUF_OF(w->said_room);
	world_from(w, 1, 1, false);
	w->layer = layer_new(&ops, w, &limits, w->now_ms);
}

void
world_fini(struct world *w)
{
	layer_free(w->layer);
	ck_assert(!w->open);
}

struct peer *
world_peer(struct world *w, unsigned peer)
{
	struct path way = way_of(peer, 1, false);

	return layer_peer(w->layer, &way);
}

static uint8_t
code_of(const char *word)
{
	char name[16];

	for (unsigned code = 0; code < 256; code++)
		if (strcmp(word, msg_code_name((uint8_t)code, name)) == 0)
			return (uint8_t)code;
	ck_abort_msg("no code %s", word);
	return 0;
}

static size_t
from_hex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = 0;
	unsigned byte;

	while (*hex) {
		if (isspace((unsigned char)*hex)) {
			hex++;
			continue;
		}
		ck_assert(n < cap && sscanf(hex, "%2x", &byte) == 1 && hex[1]);
		out[n++] = (uint8_t)byte;
		hex += 2;
	}
	return n;
}

/* One word of a message's text after its code. Values are kept behind *store. */
static void
add_word(struct msg *m, char *word, uint8_t **store)
{
	char *value = strchr(word, '=');
	size_t n;

	if (word[0] == '#') {
		m->mid = (uint16_t)atoi(word + 1);
	} else if (word[0] == '\'') {
		n = strlen(word + 1) - 1;
		memcpy(*store, word + 1, n);
		m->payload = bytes_of(*store, n);
		*store += n;
	} else {
		ck_assert_ptr_nonnull(value);
		*value++ = '\0';
		/* Two digits or more, all hexadecimal: bytes; else text. */
		if (strlen(value) % 2 == 0 && strspn(value, "0123456789abcdef") == strlen(value)) {
			n = from_hex(value, *store, 64);
		} else {
			n = strlen(value);
			memcpy(*store, value, n);
		}
		if (strcmp(word, "t") == 0)
			m->token = token_of(bytes_of(*store, n));
		else
			ck_assert_int_eq(msg_add(m, (uint16_t)atoi(word), bytes_of(*store, n)), 0);
		*store += n;
	}
}

/* The datagram of such a text, in a static buffer. */
static struct bytes
encode(const char *text)
{
	static uint8_t room[2048];
	uint8_t values[2048], *store = values;
	char copy[2048], *word, *rest = copy;
	struct buf out = BUF_OF(room);
	struct msg m;

	ck_assert_uint_lt(strlen(text), sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	msg_init(&m, TYPE_CON, CODE_EMPTY);
	word = strsep(&rest, " ");
	while (strcmp(types[m.type], word) != 0)
		ck_assert(++m.type < 4);
	m.code = code_of(strsep(&rest, " "));
	while ((word = strsep(&rest, " ")) != NULL)
		add_word(&m, word, &store);
	ck_assert_int_eq(msg_encode(&m, &out), 0);
	return buf_bytes(&out);
}

void
world_in_bytes(struct world *w, struct bytes datagram)
{
	/* A block of its own, so that a sanitizer sees a byte read past its end. */
	uint8_t *copy = malloc(datagram.n ? datagram.n : 1);

	ck_assert_ptr_nonnull(copy);
	if (datagram.n)
		memcpy(copy, datagram.p, datagram.n);
	layer_receive(w->layer, &w->way, bytes_of(copy, datagram.n));
	free(copy);
}

void
world_in(struct world *w, const char *text)
{
	world_in_bytes(w, encode(text));
}

void
world_in_hex(struct world *w, const char *hex)
{
	uint8_t room[2048];

	world_in_bytes(w, bytes_of(room, from_hex(hex, room, sizeof(room))));
}

void
world_go(struct world *w, uint64_t ms)
{
	uint64_t until = w->now_ms + ms, next;

	while ((next = layer_next(w->layer)) <= until) {
		w->now_ms = next > w->now_ms ? next : w->now_ms;
		layer_advance(w->layer, w->now_ms);
		/* Whoever asks to be woken again at once would keep a loop busy. */
		ck_assert(layer_next(w->layer) > w->now_ms);
	}
	w->now_ms = until;
	layer_advance(w->layer, until);
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	static uint8_t tail[64];
	struct sender *s = owner;
	struct buf b = BUF_OF(tail);

	ck_assert_ptr_eq(x->owner, s);
	if (s->stops)
		return false;
	s->n_composed++;
	buf_put_u8(&b, 0xff);
	buf_put_str(&b, s->name);
	if (s->renews)
		buf_printf(&b, "%u", s->n_composed);
	ret->code = CODE_CONTENT;
	ret->token = token_of(BYTES_LIT("\x0a"));
	ret->tail = buf_bytes(&b);
	ret->renewed = s->renews;
	return true;
}

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	struct sender *s = owner;

	ck_assert(!s->exchange || s->exchange == x);
	s->exchange = NULL;
	world_say(s->world, "%s %s", s->name, ends[end]);
	if (s->on_end)
		s->on_end(s, end);
}

static const struct exchange_ops sender_ops = {.compose = compose, .on_end = on_end};

struct exchange *
world_send_to(struct sender *s, struct peer *p)
{
	struct exchange *x;

	x = layer_send_con(s->world->layer, p, &sender_ops, s);
	s->exchange = x;
	layer_flush(s->world->layer);
	return x;
}

struct exchange *
world_send(struct sender *s, unsigned peer)
{
	return world_send_to(s, world_peer(s->world, peer));
}
