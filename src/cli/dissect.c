/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dissect.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "cli/describe.h"

#define PORT_COAP 5683
#define SUMMARY_MAX 1024 /* bytes of a summary before it is cut */

/* A request, or the phantom request of a group observation, that responses belong to. */
struct dissect_exchange {
	struct map_node node;
	struct dissect_exchange *newer, *older;
	struct addr client, server; /* of a phantom: the group, and its server */
	struct token token;
	struct oscore_binding binding; /* context NULL: not protected */
	struct oscore_binding before; /* of a phantom: that before new keys, which are told again */
	char asked[TELLING_ASKED]; /* "GET /ps/data/hall"; empty: not known */
};

void
dissect_init(struct dissect *d, struct keyring *keys, uint16_t inform_format)
{
	*d = (struct dissect){.keys = keys, .inform_format = inform_format};
	map_init(&d->exchanges);
	rnd_fill(&d->seed, sizeof(d->seed));
}

static void
unlink_exchange(struct dissect *d, struct dissect_exchange *x)
{
	*(x->newer ? &x->newer->older : &d->newest) = x->older;
	*(x->older ? &x->older->newer : &d->oldest) = x->newer;
	x->newer = x->older = NULL;
}

static void
link_exchange(struct dissect *d, struct dissect_exchange *x)
{
	x->older = d->newest;
	*(d->newest ? &d->newest->newer : &d->oldest) = x;
	d->newest = x;
}

static void
drop_exchange(struct dissect *d, struct dissect_exchange *x)
{
	unlink_exchange(d, x);
	map_remove(&d->exchanges, &x->node);
	binding_fini(&x->binding);
	binding_fini(&x->before);
	free(x);
}

void
dissect_fini(struct dissect *d)
{
	while (d->oldest)
		drop_exchange(d, d->oldest);
	map_fini(&d->exchanges);
	pieces_fini(&d->pieces);
}

static uint32_t
hash_of(const struct dissect *d, const struct addr *client, const struct token *token)
{
	return addr_hash(client, d->seed) ^ map_hash(bytes_of(token->b, token->n), d->seed);
}

/* Tokens are the client's: the server tells them apart only when it is the one asked. */
static struct dissect_exchange *
find_exchange(struct dissect *d, const struct addr *client, const struct addr *server,
	const struct token *token)
{
	struct map_node *n = map_first(&d->exchanges, hash_of(d, client, token));
	struct dissect_exchange *to_group = NULL;

	for (; n; n = map_next(n)) {
		struct dissect_exchange *x = MAP_OBJECT(n, struct dissect_exchange, node);

		if (!addr_equal(&x->client, client) || !token_equal(&x->token, token))
			continue;
		if (addr_equal(&x->server, server))
			return x;
		if (addr_is_multicast(&x->server))
			to_group = x;
	}
	return to_group;
}

static struct dissect_exchange *
take_exchange(struct dissect *d, const struct addr *client, const struct addr *server,
	const struct token *token)
{
	struct dissect_exchange *x = find_exchange(d, client, server, token);

	if (x && addr_equal(&x->server, server)) {
		unlink_exchange(d, x);
		link_exchange(d, x);
		return x;
	}
	if (d->exchanges.n >= DISSECT_MAX_EXCHANGES)
		drop_exchange(d, d->oldest);
	x = mem_alloc(sizeof(*x));
	x->client = *client;
	x->server = *server;
	x->token = *token;
	map_put(&d->exchanges, &x->node, hash_of(d, client, token));
	link_exchange(d, x);
	return x;
}

/* What was asked, for those who read the response; cut when it is long. */
static void
summarize(const struct msg *m, char ret[TELLING_ASKED])
{
	static const char more[] = "...";
	char room[SUMMARY_MAX], code[16];
	struct buf out = buf_of(room, sizeof(room));
	struct msg path;
	size_t n;

	buf_put_str(&out, msg_code_name(m->code, code));
	msg_init(&path, TYPE_NON, (enum msg_code)m->code);
	for (size_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == OPT_URI_PATH || m->opts[i].number == OPT_URI_QUERY)
			(void)msg_add(&path, m->opts[i].number, m->opts[i].value);
	}
	describe_content(&path, 0, &out);
	n = out.n;
	if (n >= TELLING_ASKED) {
		n = TELLING_ASKED - sizeof(more);
		/* Not in the middle of a character. */
		while (((uint8_t)room[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(ret, room, n);
	memcpy(ret + n, more, n < out.n ? sizeof(more) : 0);
	if (n == out.n)
		ret[n] = '\0';
}

/* --- what is protected --------------------------------------------------------------- */

static void
note_opened(struct dissect *d, const struct unprotect_info *info, struct telling_part *p)
{
	const struct context *c = context_recipient_context(info->from);

	d->n_opened++;
	p->state = TELLING_OPENED;
	p->is_group = context_is_group(c);
	p->mode = info->mode;
	p->keys = keyring_name(d->keys, c);
	p->sender = keyring_sender(d->keys, info->from);
	p->kid = context_recipient_id(info->from);
}

static void
note_closed(struct dissect *d, enum unprotect_verdict v, struct telling_part *p)
{
	d->n_closed++;
	p->state = TELLING_CLOSED;
	p->verdict = v;
}

/* Opens a request, or a phantom request. True with what its responses are read by. */
static bool
open_request(
	struct dissect *d, struct telling_part *p, struct buf plain, struct oscore_binding *ret)
{
	struct unprotect_info info;
	enum unprotect_verdict v;

	v = unprotect_peek_request(&d->keys->table, &p->m, &plain, &p->inner, &info, ret);
	if (v == UNPROTECT_OK)
		note_opened(d, &info, p);
	else
		note_closed(d, v, p);
	return v == UNPROTECT_OK;
}

static enum unprotect_verdict
peek(struct dissect *d, const struct oscore_binding *b, struct telling_part *p, struct buf plain,
	struct unprotect_info *ret)
{
	return unprotect_peek_response(b, &d->keys->table, &p->m, &plain, &p->inner, ret);
}

/* A response or last_notif, whichever way it came. */
static void
open_response(struct dissect *d, const struct dissect_exchange *x, struct telling_part *p,
	struct buf plain)
{
	struct unprotect_info info;
	enum unprotect_verdict v;

	if (!x || !x->binding.context) {
		d->n_closed++;
		p->state = TELLING_UNASKED;
		return;
	}
	v = peek(d, &x->binding, p, plain, &info);
	if (v == UNPROTECT_OK ||
		(x->before.context && peek(d, &x->before, p, plain, &info) == UNPROTECT_OK))
		note_opened(d, &info, p);
	else
		note_closed(d, v, p);
}

/* The requests's own values stay; a repetition has the same. */
static void
bind_to(struct dissect_exchange *x, struct oscore_binding *b)
{
	binding_fini(&x->binding);
	x->binding = *b;
}

/* To another phantom request: under the keys of the one before it was told, and is again. */
static void
rebind_to(struct dissect_exchange *x, struct oscore_binding *b)
{
	if (x->binding.context && x->binding.context != b->context) {
		binding_fini(&x->before);
		x->before = x->binding;
		x->binding = (struct oscore_binding){.context = NULL};
	}
	bind_to(x, b);
}

/* --- informative responses ----------------------------------------------------------- */

static void
read_phantom(struct dissect *d, struct telling *t, struct dissect_exchange *x)
{
	const struct inform *in = &t->inform;
	struct telling_part *p = &t->phantom;
	struct oscore_binding b;

	p->is_there = true;
	p->is_sound = in->ph_req.p ? msg_decode_inner(in->ph_req, &p->m) == 0
				   : msg_decode(in->registr, &p->m) == MSG_OK;
	if (!p->is_sound)
		return;
	if (!msg_has(&p->m, OPT_OSCORE)) {
		summarize(&p->m, x->asked);
	} else if (open_request(d, p, BUF_OF(t->room[1]), &b)) {
		summarize(&p->inner, x->asked);
		rebind_to(x, &b);
	}
}

static void
read_last(struct dissect *d, struct telling *t, const struct dissect_exchange *x)
{
	struct telling_part *p = &t->last;

	p->is_there = true;
	p->is_sound = msg_decode_inner(t->inform.last_notif, &p->m) == 0;
	if (p->is_sound && msg_has(&p->m, OPT_OSCORE))
		open_response(d, x, p, BUF_OF(t->room[2]));
}

/* What an informative response says, and what follows from it for later datagrams. */
static void
read_inform(struct dissect *d, struct telling *t, const struct token *token, struct bytes payload)
{
	struct dissect_exchange *x;
	struct addr group, server;
	struct inform *in = &t->inform;

	if (inform_decode(payload, in) < 0) {
		t->inform_state = TELLING_MALFORMED;
		return;
	}
	t->inform_state = TELLING_INFORM;
	if (in->keys.gp_material.p)
		t->keys = keyring_add_offered(d->keys, &in->keys);
	/* New keys of a running group observation come without addresses, to the group. */
	group = in->client.family != AF_UNSPEC ? in->client : t->to;
	server = in->server.family != AF_UNSPEC ? in->server : t->from;
	x = take_exchange(d, &group, &server, in->client.family != AF_UNSPEC ? &in->token : token);
	if (in->ph_req.p || in->registr.p)
		read_phantom(d, t, x);
	if (in->last_notif.p)
		read_last(d, t, x);
}

/* A 5.03 that may be one, or a block of one. */
static void
take_inform(struct dissect *d, struct telling *t, const struct msg *m)
{
	bool known = describe_is_informative(m, d->inform_format);

	if (!msg_has(m, OPT_BLOCK2)) {
		if (known)
			read_inform(d, t, &m->token, m->payload);
		return;
	}
	/* A later one may come without the Content-Format. */
	if (m->code != CODE_UNAVAILABLE || (!known && !pieces_has(&d->pieces, &t->from, &t->to, m)))
		return;
	switch (pieces_take(&d->pieces, &t->from, &t->to, m, &t->body, &t->n_body)) {
	case PIECES_WHOLE:
		read_inform(d, t, &m->token, bytes_of(t->body, t->n_body));
		break;
	case PIECES_MORE:
		t->inform_state = TELLING_BLOCK;
		break;
	case PIECES_LOST:
		t->inform_state = TELLING_LOST_BLOCK;
		break;
	}
}

/* --- messages ------------------------------------------------------------------------ */

static void
read_request(struct dissect *d, struct telling *t)
{
	struct telling_part *p = &t->part;
	struct dissect_exchange *x;
	struct oscore_binding b;

	if (!msg_has(&p->m, OPT_OSCORE)) {
		summarize(&p->m, take_exchange(d, &t->from, &t->to, &p->m.token)->asked);
	} else if (open_request(d, p, BUF_OF(t->room[0]), &b)) {
		/* Others may be forged: what is known of their token stays. */
		x = take_exchange(d, &t->from, &t->to, &p->m.token);
		summarize(&p->inner, x->asked);
		bind_to(x, &b);
	}
}

static void
read_response(struct dissect *d, struct telling *t)
{
	struct telling_part *p = &t->part;
	struct dissect_exchange *x = find_exchange(d, &t->to, &t->from, &p->m.token);

	if (x) {
		unlink_exchange(d, x);
		link_exchange(d, x);
		memcpy(t->asked, x->asked, sizeof(t->asked));
	}
	if (msg_has(&p->m, OPT_OSCORE))
		open_response(d, x, p, BUF_OF(t->room[0]));
	if (p->state == TELLING_PLAIN)
		take_inform(d, t, &p->m);
	else if (p->state == TELLING_OPENED)
		take_inform(d, t, &p->inner);
}

/* What is no message: told when its port says that it should be one. */
static bool
read_other(struct dissect *d, struct telling *t, struct bytes p)
{
	d->n_others++;
	/* RFC 6347 4.1: the type of a record, and the version. */
	if (p.n >= 13 && p.p[0] >= 20 && p.p[0] <= 63 && p.p[1] == 0xfe)
		t->kind = TELLING_DTLS;
	else if (d->all || t->from.port == PORT_COAP || t->to.port == PORT_COAP)
		t->kind = TELLING_OTHER;
	else
		return false;
	return true;
}

static bool
read_datagram(struct dissect *d, struct telling *t, struct bytes payload)
{
	const struct msg *m = &t->part.m;

	if (msg_decode(payload, &t->part.m) != MSG_OK)
		return read_other(d, t, payload);
	d->n_messages++;
	t->kind = TELLING_MESSAGE;
	t->part.is_there = t->part.is_sound = true;
	if (m->code == CODE_EMPTY)
		return true;
	if (MSG_CLASS(m->code) == 0)
		read_request(d, t);
	else
		read_response(d, t);
	return true;
}

static bool
read_cut(struct dissect *d, struct telling *t, struct bytes payload)
{
	if (msg_decode_head(payload, &t->part.m) != MSG_OK) {
		d->n_others++;
		return false;
	}
	d->n_messages++;
	t->kind = TELLING_CUT;
	return true;
}

struct telling *
dissect_read(struct dissect *d, enum datagram_verdict v, const struct datagram *g, int64_t when_us)
{
	struct telling *t = mem_alloc(sizeof(*t));
	bool worth = false;

	t->when_us = when_us;
	t->from = g->from;
	t->to = g->to;
	t->inform_format = d->inform_format;
	t->n_datagram = g->payload.n;
	switch (v) {
	case DATAGRAM_UDP:
		worth = read_datagram(d, t, g->payload);
		break;
	case DATAGRAM_CUT:
		worth = read_cut(d, t, g->payload);
		break;
	case DATAGRAM_FRAGMENT:
		d->n_others++;
		t->kind = TELLING_FRAGMENT;
		worth = true;
		break;
	case DATAGRAM_OTHER:
		break;
	}
	if (worth)
		return t;
	telling_free(t);
	return NULL;
}
