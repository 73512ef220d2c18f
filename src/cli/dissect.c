/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dissect.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "cli/describe.h"
#include "oscore/context_impl.h"
#include "oscore/protect.h"

#define PORT_COAP 5683
#define INDENT "    "
#define SUMMARY 96 /* bytes of what a request was */

/* A request, or the phantom request of a group observation, that responses belong to. */
struct dissect_exchange {
	struct map_node node;
	struct dissect_exchange *newer, *older;
	struct addr client, server; /* of a phantom: the group, and its server */
	struct token token;
	struct oscore_binding binding; /* context NULL: not protected */
	char asked[SUMMARY]; /* "GET /ps/data/hall"; empty: not known */
};

/* The datagram being told about. */
struct job {
	struct dissect *d;
	const struct datagram *g;
	struct buf *out;
	struct buf plain; /* where plaintext goes */
	uint8_t room[PROTECT_MAX_PLAIN];
	uint8_t room_last[PROTECT_MAX_PLAIN]; /* for messages inside of messages */
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
	free(x);
}

void
dissect_fini(struct dissect *d)
{
	while (d->oldest)
		drop_exchange(d, d->oldest);
	map_fini(&d->exchanges);
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

/* What was asked, for those who read the response. */
static void
summarize(const struct msg *m, char ret[SUMMARY])
{
	struct buf out = buf_of(ret, SUMMARY - 1);
	struct msg path;
	char code[16];

	buf_put_str(&out, msg_code_name(m->code, code));
	msg_init(&path, TYPE_NON, (enum msg_code)m->code);
	for (size_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == OPT_URI_PATH || m->opts[i].number == OPT_URI_QUERY)
			(void)msg_add(&path, m->opts[i].number, m->opts[i].value);
	}
	describe_content(&path, 0, &out);
	if (out.full)
		out = buf_of(ret, 0); /* too long to be repeated */
	ret[out.n] = '\0';
}

static void
put_when(int64_t when_us, struct buf *out)
{
	time_t s = (time_t)(when_us / 1000000);
	char text[16];
	struct tm tm;

	if (gmtime_r(&s, &tm) && strftime(text, sizeof(text), "%H:%M:%S", &tm) > 0)
		buf_printf(out, "%s.%06d", text, (int)(when_us % 1000000));
	else
		buf_put_str(out, "?");
}

static void
put_head(const struct datagram *g, int64_t when_us, struct buf *out)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN];

	put_when(when_us, out);
	buf_printf(out, " %s > %s ", addr_format(&g->from, from), addr_format(&g->to, to));
}

/* "OSCORE panel-1: verified", "Group OSCORE hall, lamp-25: signature verified". */
static void
put_opened(struct job *j, const struct unprotect_info *info, struct buf *out)
{
	const struct context *c = info->from->context;
	const char *sender = keyring_sender(j->d->keys, info->from);

	buf_printf(out, " {%s %s", context_is_group(c) ? "Group OSCORE" : "OSCORE",
		keyring_name(j->d->keys, c));
	if (sender) {
		buf_printf(out, ", from %s", sender);
	} else if (context_is_group(c)) {
		buf_put_str(out, ", from ");
		buf_put_hex(out, context_recipient_id(info->from));
	}
	buf_printf(out, ": %s}",
		info->mode == OSCORE_GROUP      ? "signature verified"
		: info->mode == OSCORE_PAIRWISE ? "verified, pairwise"
						: "verified");
}

static void
put_closed(struct job *j, enum unprotect_verdict v)
{
	static const char *const words[] = {
		[UNPROTECT_MALFORMED] = "malformed",
		[UNPROTECT_NO_CONTEXT] = "no key for it",
		[UNPROTECT_FAILED] = "NOT VERIFIED: signature or decryption failed",
		[UNPROTECT_UNKNOWN_CREDENTIAL] = "NOT VERIFIED: no credential of the sender",
	};
	const char *what = v < sizeof(words) / sizeof(words[0]) ? words[v] : NULL;

	j->d->n_closed++;
	buf_printf(j->out, " {%s}", what ? what : unprotect_error(v)->name);
}

/* A message that was inside: of the same exchange, so without type, id and token. */
static void
put_inner(struct job *j, const struct msg *m)
{
	char code[16];

	buf_printf(j->out, " %s", msg_code_name(m->code, code));
	describe_content(m, j->d->inform_format, j->out);
}

/* A response or last_notif, whichever way it came. True when *ret is what it says. */
static bool
open_response(struct job *j, const struct dissect_exchange *x, const struct msg *m,
	struct buf *plain, struct msg *ret)
{
	struct unprotect_info info;
	enum unprotect_verdict v;

	if (!x || !x->binding.context) {
		j->d->n_closed++;
		buf_put_str(j->out, " {its request is not in the capture, or could not be read}");
		return false;
	}
	v = unprotect_peek_response(&x->binding, &j->d->keys->table, m, plain, ret, &info);
	if (v != UNPROTECT_OK) {
		put_closed(j, v);
		return false;
	}
	j->d->n_opened++;
	put_opened(j, &info, j->out);
	put_inner(j, ret);
	return true;
}

/* The requests's own values stay; a repetition has the same. */
static void
bind_to(struct dissect_exchange *x, struct oscore_binding *b)
{
	binding_fini(&x->binding);
	x->binding = *b;
}

static void
tell_phantom(struct job *j, const struct inform *in, struct dissect_exchange *x)
{
	struct oscore_binding b;
	struct unprotect_info info;
	enum unprotect_verdict v;
	struct msg m, inner;
	bool sound = in->ph_req.p ? msg_decode_inner(in->ph_req, &m) == 0
				  : msg_decode(in->registr, &m) == MSG_OK;

	buf_printf(j->out, INDENT "%s:", in->ph_req.p ? "ph_req" : "registr");
	if (!sound) {
		buf_put_str(j->out, " malformed\n");
		return;
	}
	put_inner(j, &m);
	if (!msg_has(&m, OPT_OSCORE)) {
		summarize(&m, x->asked);
	} else {
		j->plain = BUF_OF(j->room_last);
		v = unprotect_peek_request(&j->d->keys->table, &m, &j->plain, &inner, &info, &b);
		if (v == UNPROTECT_OK) {
			put_opened(j, &info, j->out);
			put_inner(j, &inner);
			summarize(&inner, x->asked);
			bind_to(x, &b);
		} else {
			put_closed(j, v);
		}
	}
	buf_put_str(j->out, "\n");
}

static void
tell_last(struct job *j, const struct inform *in, const struct dissect_exchange *x)
{
	struct msg m, inner;

	buf_put_str(j->out, INDENT "last_notif:");
	if (msg_decode_inner(in->last_notif, &m) < 0) {
		buf_put_str(j->out, " malformed\n");
		return;
	}
	put_inner(j, &m);
	if (msg_has(&m, OPT_OSCORE)) {
		j->plain = BUF_OF(j->room_last);
		(void)open_response(j, x, &m, &j->plain, &inner);
	}
	buf_put_str(j->out, "\n");
}

static void
tell_keys(struct job *j, const struct inform *in)
{
	int rc;

	if (!in->keys.gp_material.p)
		return;
	rc = keyring_add_offered(j->d->keys, &in->keys);
	if (rc == -ENOSPC)
		buf_put_str(j->out, INDENT "too many groups: these keys are not used\n");
	else if (rc < 0)
		buf_put_str(j->out, INDENT "these keys cannot be used\n");
}

/* What an informative response says, and what follows from it for later datagrams. */
static void
tell_informative(struct job *j, const struct msg *m)
{
	const struct datagram *g = j->g;
	struct dissect_exchange *x;
	struct inform in;

	if (msg_has(m, OPT_BLOCK2) || inform_decode(m->payload, &in) < 0) {
		buf_printf(j->out, INDENT "informative response: %s\n",
			msg_has(m, OPT_BLOCK2) ? "a block of it" : "malformed");
		return;
	}
	describe_inform(&in, INDENT, j->out);
	tell_keys(j, &in);
	/* New keys of a running group observation come without addresses, to the group. */
	if (in.client.family == AF_UNSPEC) {
		in.client = g->to;
		in.token = m->token;
	}
	x = take_exchange(
		j->d, &in.client, in.server.family != AF_UNSPEC ? &in.server : &g->from, &in.token);
	if (in.ph_req.p || in.registr.p)
		tell_phantom(j, &in, x);
	if (in.last_notif.p)
		tell_last(j, &in, x);
}

static void
tell_request(struct job *j, const struct msg *m)
{
	const struct datagram *g = j->g;
	struct unprotect_info info;
	struct oscore_binding b;
	enum unprotect_verdict v;
	struct msg inner;

	if (!msg_has(m, OPT_OSCORE)) {
		summarize(m, take_exchange(j->d, &g->from, &g->to, &m->token)->asked);
		buf_put_str(j->out, "\n");
		return;
	}
	v = unprotect_peek_request(&j->d->keys->table, m, &j->plain, &inner, &info, &b);
	if (v == UNPROTECT_OK) {
		struct dissect_exchange *x = take_exchange(j->d, &g->from, &g->to, &m->token);

		j->d->n_opened++;
		summarize(&inner, x->asked);
		bind_to(x, &b);
		put_opened(j, &info, j->out);
		put_inner(j, &inner);
	} else {
		/* It may be forged: what is known of this token stays. */
		put_closed(j, v);
	}
	buf_put_str(j->out, "\n");
}

static void
tell_response(struct job *j, const struct msg *m)
{
	const struct datagram *g = j->g;
	struct dissect_exchange *x = find_exchange(j->d, &g->to, &g->from, &m->token);
	const struct msg *says = m;
	struct msg inner;

	if (x) {
		unlink_exchange(j->d, x);
		link_exchange(j->d, x);
	}
	if (msg_has(m, OPT_OSCORE))
		says = open_response(j, x, m, &j->plain, &inner) ? &inner : NULL;
	if (x && x->asked[0] != '\0')
		buf_printf(j->out, " [%s%s]",
			addr_is_multicast(&g->to) ? "group observation of " : "to ", x->asked);
	buf_put_str(j->out, "\n");
	if (says && describe_is_informative(says, j->d->inform_format))
		tell_informative(j, says);
}

static void
tell_message(struct job *j, const struct msg *m, int64_t when_us)
{
	j->d->n_messages++;
	put_head(j->g, when_us, j->out);
	describe_type(m, j->out);
	describe_ids(m, j->out);
	describe_content(m, j->d->inform_format, j->out);
	if (m->code == CODE_EMPTY)
		buf_put_str(j->out, "\n");
	else if (MSG_CLASS(m->code) == 0)
		tell_request(j, m);
	else
		tell_response(j, m);
}

/* What is no message: told when its port says that it should be one. */
static void
tell_other(struct job *j, int64_t when_us)
{
	const struct datagram *g = j->g;
	struct bytes p = g->payload;

	j->d->n_others++;
	/* RFC 6347 4.1: the type of a record, and the version. */
	if (p.n >= 13 && p.p[0] >= 20 && p.p[0] <= 63 && p.p[1] == 0xfe) {
		put_head(g, when_us, j->out);
		buf_printf(j->out, "DTLS, %zu bytes\n", p.n);
	} else if (j->d->all || g->from.port == PORT_COAP || g->to.port == PORT_COAP) {
		put_head(g, when_us, j->out);
		buf_printf(j->out, "no CoAP message, %zu bytes\n", p.n);
	}
}

void
dissect_datagram(struct dissect *d, const struct datagram *g, int64_t when_us, struct buf *out)
{
	struct job *j = mem_alloc(sizeof(*j));
	struct msg m;

	*j = (struct job){.d = d, .g = g, .out = out};
	j->plain = BUF_OF(j->room);
	if (msg_decode(g->payload, &m) == MSG_OK)
		tell_message(j, &m, when_us);
	else
		tell_other(j, when_us);
	/* There may have been keys in it. */
	mem_wipe(j, sizeof(*j));
	free(j);
}

void
dissect_fragment(struct dissect *d, const struct datagram *g, int64_t when_us, struct buf *out)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN];

	d->n_others++;
	put_when(when_us, out);
	buf_printf(out, " %s > %s fragment, not put together\n", addr_format_host(&g->from, from),
		addr_format_host(&g->to, to));
}

void
dissect_cut(struct dissect *d, const struct datagram *g, int64_t when_us, struct buf *out)
{
	struct msg m;

	if (msg_decode_head(g->payload, &m) != MSG_OK) {
		d->n_others++;
		return;
	}
	d->n_messages++;
	put_head(g, when_us, out);
	describe_type(&m, out);
	describe_ids(&m, out);
	buf_put_str(out, " the rest was not captured\n");
}
