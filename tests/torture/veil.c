/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil.h"

#include <stdlib.h>

#include "base/mem.h"
#include "client/groups.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"
#include "wire/inform.h"

#define BOOK_SPAN (1u << 24) /* numbers of one key, which are left out and used */
#define TOKEN_MIX 2654435761u

/* --- beginning --------------------------------------------------------------------- */

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

static const struct ssn_ops ssn_ops = {.reserve = on_reserve};

struct veil *
veil_new(struct bytes secret, void (*fail)(void *ctx, const char *what, uint64_t number), void *ctx)
{
	static const uint8_t print[SSN_FINGERPRINT];
	static const uint8_t ours[] = {0x01}, theirs[] = {0x03};
	struct context_plain keys = {.master_secret = secret,
		.sender_id = BYTES_OF(ours),
		.recipient_id = BYTES_OF(theirs),
		.window_valid = true,
		.ssn = ssn_new(print, &ssn_ops, NULL)};
	struct veil *v = mem_alloc(sizeof(*v));
	struct error e;

	v->fail = fail;
	v->ctx = ctx;
	/* The keys are new with each run. */
	if (ssn_start_fresh(keys.ssn, &e) < 0 || context_new_plain(&keys, &e, &v->context) < 0) {
		free(v);
		v = NULL;
	}
	ssn_release(keys.ssn);
	return v;
}

void
veil_free(struct veil *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < VEIL_ASKED; i++)
		binding_fini(&v->asked[i].binding);
	for (unsigned i = 0; i < VEIL_OBSERVES; i++)
		binding_fini(&v->observes[i].binding);
	for (unsigned i = 0; i < v->n_members; i++)
		binding_fini(&v->members[i].binding);
	for (unsigned i = 0; i < v->n_groups; i++) {
		context_release(v->groups[i].context);
		free(v->groups[i].book.said);
	}
	free(v->book.said);
	context_release(v->context);
	free(v);
}

void
veil_begin(struct veil *v)
{
	for (unsigned i = 0; i < VEIL_ASKED; i++)
		v->asked[i].is_old = v->asked[i].used;
}

/* --- nonces ------------------------------------------------------------------------ */

/* FNV-1a. */
static uint32_t
hash_bytes(uint32_t hash, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		hash = (hash ^ b.p[i]) * 16777619u;
	return hash;
}

/* Never 0. */
static uint32_t
hash_message(const struct msg *m)
{
	return hash_bytes(hash_bytes(2166136261u, msg_find(m, OPT_OSCORE)->value), m->payload) | 1;
}

/* The same bytes again are no second use. */
static void
enter(struct veil *v, struct veil_book *b, const struct oscore_option *o, const struct msg *m)
{
	uint64_t number = oscore_option_number(o->piv);
	uint32_t hash = hash_message(m), *said;

	if (!b->said) {
		/* Those before it, of a phantom request for example, may come to light later. */
		b->base = number > BOOK_SPAN / 4 ? number - BOOK_SPAN / 4 : 0;
		b->said = calloc(BOOK_SPAN, sizeof(*b->said));
	}
	if (!b->said || number < b->base || number - b->base >= BOOK_SPAN) {
		v->fail(v->ctx, "there is no room for this Partial IV", number);
		return;
	}
	said = &b->said[number - b->base];
	if (*said == 0)
		v->n_nonces++;
	else if (*said == hash)
		v->n_repeated++;
	else
		v->fail(v->ctx, "this Partial IV is used twice", number);
	*said = hash;
}

static bool
decode(struct bytes datagram, struct msg *ret, struct oscore_option *ret_option)
{
	const struct opt *o;

	if (msg_decode(datagram, ret) != MSG_OK)
		return false;
	o = msg_find(ret, OPT_OSCORE);
	return o && oscore_option_decode(o->value, ret_option) == 0;
}

/* --- requests ---------------------------------------------------------------------- */

static uint32_t
token_number(const struct token *t)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < 4; i++)
		n = n << 8 | t->b[i];
	return n;
}

static struct veil_asked *
slot_of(struct veil *v, const struct msg *request)
{
	if (msg_has(request, OPT_OBSERVE))
		return &v->observes[v->n_observes++ % VEIL_OBSERVES];
	return &v->asked[token_number(&request->token) * TOKEN_MIX >> 22];
}

bool
veil_seal(struct veil *v, struct bytes plain, struct buf *out)
{
	uint8_t space[VEIL_OUT], code;
	struct buf tail = BUF_OF(space);
	struct oscore_binding binding;
	struct veil_asked *a;
	struct msg m;

	if (msg_decode(plain, &m) != MSG_OK || protect_request(v->context, OSCORE_PLAIN, BYTES_NONE,
						       &m, &tail, &code, &binding) < 0)
		return false;
	a = slot_of(v, &m);
	binding_fini(&a->binding);
	*a = (struct veil_asked){.binding = binding, .token = token_number(&m.token), .used = true};
	msg_put_header(out, (enum msg_type)m.type, code, m.mid, &m.token);
	buf_put(out, buf_bytes(&tail));
	return !out->full;
}

/* --- answers ----------------------------------------------------------------------- */

static bool
is_opened_by(
	const struct veil_asked *a, const struct msg *outer, struct buf *space, struct msg *ret)
{
	struct unprotect_info info;

	if (!a->used || a->token != token_number(&outer->token))
		return false;
	buf_clear(space);
	return unprotect_peek_response(&a->binding, NULL, outer, space, ret, &info) == UNPROTECT_OK;
}

/* A registration is renewed under the same token: the newest first. */
static struct veil_asked *
find_asked(struct veil *v, const struct msg *outer, struct buf *space, struct msg *ret)
{
	struct veil_asked *a = &v->asked[token_number(&outer->token) * TOKEN_MIX >> 22];

	if (is_opened_by(a, outer, space, ret))
		return a;
	for (unsigned i = 1; i <= VEIL_OBSERVES && i <= v->n_observes; i++) {
		a = &v->observes[(v->n_observes - i) % VEIL_OBSERVES];
		if (is_opened_by(a, outer, space, ret))
			return a;
	}
	return NULL;
}

static void
check_answer(struct veil *v, struct veil_asked *a, const struct oscore_option *o,
	const struct msg *outer, const struct msg *inner)
{
	uint64_t asked = oscore_option_number(binding_piv(&a->binding));
	uint64_t number = oscore_option_number(o->piv);

	if (a->is_old && MSG_CLASS(inner->code) == 2)
		v->fail(v->ctx, "a request of another life is run", asked);
	if (o->piv.n == 0) {
		uint32_t hash = hash_message(outer);

		if (a->said != 0 && a->said != hash)
			v->fail(v->ctx, "the nonce of a request is used twice", asked);
		a->said = hash;
	} else if (msg_has(outer, OPT_OBSERVE)) {
		if (number < a->highest)
			v->fail(v->ctx, "the Partial IV of a notification falls", number);
		a->highest = number;
	}
}

static bool
put_opened(const struct msg *outer, struct msg *inner, struct buf *out)
{
	uint32_t observe;

	msg_remove(inner, OPT_OBSERVE);
	if (msg_uint(outer, OPT_OBSERVE, &observe))
		(void)msg_add_uint(inner, OPT_OBSERVE, observe);
	return msg_encode(inner, out) == 0;
}

bool
veil_open(struct veil *v, struct bytes datagram, struct buf *out)
{
	uint8_t room[PROTECT_MAX_PLAIN];
	struct buf space = BUF_OF(room);
	struct msg outer, inner;
	struct oscore_option o;
	struct veil_asked *a;

	if (!decode(datagram, &outer, &o))
		return false;
	if (o.piv.n > 0)
		enter(v, &v->book, &o, &outer);
	a = find_asked(v, &outer, &space, &inner);
	if (!a) {
		v->n_unopened++;
		return false;
	}
	v->n_opened++;
	check_answer(v, a, &o, &outer, &inner);
	return put_opened(&outer, &inner, out);
}

/* --- groups ------------------------------------------------------------------------ */

/* Takes the reference; NULL when there is no room. */
static struct veil_group *
group_of(struct veil *v, struct context *c)
{
	for (unsigned i = 0; i < v->n_groups; i++) {
		if (bytes_equal(context_gid(v->groups[i].context), context_gid(c))) {
			context_release(c);
			return &v->groups[i];
		}
	}
	if (v->n_groups == VEIL_GROUPS) {
		context_release(c);
		return NULL;
	}
	v->groups[v->n_groups].context = c;
	return &v->groups[v->n_groups++];
}

static struct veil_member *
member_of(struct veil *v, uint32_t token)
{
	for (unsigned i = 0; i < v->n_members; i++) {
		if (v->members[i].token == token)
			return &v->members[i];
	}
	return NULL;
}

static void
take_up(struct veil *v, struct veil_group *g, const struct inform *in, uint32_t token)
{
	uint8_t room[PROTECT_MAX_PLAIN];
	struct buf space = BUF_OF(room);
	struct veil_member *m = member_of(v, token);
	struct unprotect_info info;
	struct oscore_binding binding;
	struct msg phantom, inner, last;
	struct oscore_option o;

	if (msg_decode_inner(in->ph_req, &phantom) < 0 || !msg_has(&phantom, OPT_OSCORE) ||
		oscore_option_decode(msg_find(&phantom, OPT_OSCORE)->value, &o) < 0 ||
		unprotect_phantom(g->context, &phantom, &space, &inner, &info, &binding) !=
			UNPROTECT_OK) {
		v->fail(v->ctx, "a phantom request cannot be verified; token", token);
		return;
	}
	enter(v, &g->book, &o, &phantom);
	if (in->last_notif.p && msg_decode_inner(in->last_notif, &last) == 0 &&
		msg_has(&last, OPT_OSCORE) &&
		oscore_option_decode(msg_find(&last, OPT_OSCORE)->value, &o) == 0)
		enter(v, &g->book, &o, &last);
	if (!m && v->n_members < VEIL_MEMBERS)
		m = &v->members[v->n_members++];
	if (!m) {
		binding_fini(&binding);
		return;
	}
	binding_fini(&m->binding);
	*m = (struct veil_member){.token = token, .binding = binding, .group = g};
}

/* `token` is that of a group observation whose keys are renewed; NULL: `payload` has it. */
static void
offer(struct veil *v, struct bytes payload, const struct token *token)
{
	struct veil_group *g;
	struct context *c;
	struct inform in;
	struct error e;

	if (inform_decode(payload, &in) < 0 || !in.keys.gp_material.p || !in.ph_req.p ||
		groups_make_offered(&in.keys, &e, &c) < 0) {
		v->fail(v->ctx, "an informative response without keys, of bytes", payload.n);
		return;
	}
	g = group_of(v, c);
	if (g)
		take_up(v, g, &in, token_number(token ? token : &in.token));
}

void
veil_offer(struct veil *v, struct bytes payload)
{
	offer(v, payload, NULL);
}

bool
veil_hear(struct veil *v, struct bytes datagram, struct buf *out)
{
	uint8_t room[PROTECT_MAX_PLAIN];
	struct buf space = BUF_OF(room);
	struct msg outer, inner;
	struct unprotect_info info;
	struct oscore_option o;
	struct veil_member *m;

	if (!decode(datagram, &outer, &o))
		return false;
	if (o.piv.n == 0)
		v->fail(v->ctx, "the group is told without a Partial IV; message", outer.mid);
	m = member_of(v, token_number(&outer.token));
	if (!m || unprotect_peek_response(&m->binding, NULL, &outer, &space, &inner, &info) !=
			  UNPROTECT_OK) {
		v->n_unopened++;
		return false;
	}
	v->n_opened++;
	enter(v, &m->group->book, &o, &outer);
	if (inner.code == CODE_UNAVAILABLE && inner.payload.n > 0) {
		offer(v, inner.payload, &outer.token);
		return false;
	}
	return put_opened(&outer, &inner, out);
}
