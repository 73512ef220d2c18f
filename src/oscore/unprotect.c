/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/unprotect.h"

#include <errno.h>

#include "base/mem.h"
#include "oscore/frame.h"
#include "oscore/protect.h"
#include "wire/option.h"

/* A message being opened. */
struct job {
	struct frame frame;
	struct oscore_option option;
	struct context *context;
	struct recipient *from; /* who protected it */
	const uint8_t *key;
	bool peek; /* messages of our own are opened too, nothing is changed */
};

static const struct unprotect_error errors[] = {
	[UNPROTECT_OK] = {.name = "ok"},
	[UNPROTECT_MALFORMED] = {CODE_BAD_OPTION, "Failed to decode COSE", "malformed"},
	[UNPROTECT_NO_CONTEXT] = {CODE_UNAUTHORIZED, "Security context not found", "no context"},
	[UNPROTECT_REPLAY] = {CODE_UNAUTHORIZED, "Replay detected", "replay"},
	[UNPROTECT_FAILED] = {CODE_BAD_REQUEST, "Decryption failed", "decryption failed"},
	[UNPROTECT_UNCERTAIN] = {.name = "freshness not known"},
	[UNPROTECT_UNKNOWN_CREDENTIAL] = {CODE_UNAVAILABLE, NULL, "credential not known"},
	[UNPROTECT_OWN] = {.name = "our own id"},
};

const struct unprotect_error *
unprotect_error(enum unprotect_verdict v)
{
	return &errors[v];
}

/* The OSCORE option of a message, of which there is one, with a payload to decrypt. */
static bool
read_option(const struct msg *m, struct job *j)
{
	const struct opt *o = msg_find(m, OPT_OSCORE);

	if (o == NULL || m->payload.n == 0 || m->payload.n > PROTECT_MAX_PLAIN + PROTECT_OVERHEAD)
		return false;
	if (o + 1 < m->opts + m->n_opts && o[1].number == OPT_OSCORE)
		return false;
	if (oscore_option_decode(o->value, &j->option) < 0)
		return false;
	j->frame.option = o->value;
	return true;
}

/* The mode a message of this context is in, which the context must have. */
static bool
choose_mode(struct job *j, struct context *c)
{
	j->context = c;
	j->frame.context = c;
	if (!c->group) {
		j->frame.mode = OSCORE_PLAIN;
		return !j->option.group;
	}
	j->frame.mode = j->option.group ? OSCORE_GROUP : OSCORE_PAIRWISE;
	return j->option.group ? context_has_group_mode(c) : context_has_pairwise_mode(c);
}

/*
 * The key that `from` encrypted this with. `other` is its peer in pairwise mode when that
 * is not us: only for messages of our own in a capture.
 */
static enum unprotect_verdict
choose_key(struct job *j, struct recipient *from, struct recipient *other)
{
	struct recipient *peer = context_is_self(from) ? other : from;

	j->from = from;
	j->frame.sender = from;
	j->key = from->key;
	if (j->frame.mode != OSCORE_PAIRWISE)
		return UNPROTECT_OK;
	if (peer == NULL || context_need_pairwise(j->context, peer) < 0)
		return UNPROTECT_FAILED;
	j->key = context_is_self(from) ? peer->pairwise_out : peer->pairwise_in;
	return UNPROTECT_OK;
}

/* Verifies the countersignature and cuts it off. */
static bool
verify(const struct job *j, struct bytes array, struct bytes *sealed)
{
	size_t n_tag = frame_cipher(&j->frame)->tag;
	uint8_t signature[SUITE_SIGNATURE];
	struct bytes tbs, text;

	if (sealed->n <= n_tag + SUITE_SIGNATURE)
		return false;
	text = bytes_head(*sealed, sealed->n - SUITE_SIGNATURE);
	memcpy(signature, sealed->p + text.n, SUITE_SIGNATURE);
	if (frame_mask(&j->frame, signature) < 0 || frame_tbs(array, text, &tbs) < 0 ||
		crypto_verify(j->from->pub, tbs, signature) < 0)
		return false;
	*sealed = text;
	return true;
}

/* Signature first, then decryption (oscore-groupcomm 7.2): both fail alike. */
static enum unprotect_verdict
open_sealed(const struct job *j, struct bytes sealed, struct buf *plain, struct bytes *ret)
{
	const struct frame *f = &j->frame;
	uint8_t nonce[SUITE_MAX_NONCE];
	struct bytes array, aad;
	size_t before = plain->n;

	if (frame_nonce(f, nonce) < 0 || frame_aad(f, &array, &aad) < 0)
		return UNPROTECT_FAILED;
	if (f->mode == OSCORE_GROUP && !verify(j, array, &sealed))
		return UNPROTECT_FAILED;
	if (crypto_open(frame_cipher(f), j->key, nonce, aad, sealed, plain) < 0)
		return UNPROTECT_FAILED;
	*ret = bytes_of(plain->p + before, plain->n - before);
	return UNPROTECT_OK;
}

/* Whether an option of the outside is also one of the protected message (RFC 8613 8.2, 8.4). */
static bool
outside_counts(uint16_t number)
{
	return option_class(number) == OPTION_CLASS_U && number != OPT_OSCORE;
}

/*
 * Puts the message together again: -EBADMSG when the plaintext is none, holds an OSCORE
 * option, or has a code that does not go with the outer one.
 */
static int
compose(const struct msg *outer, struct bytes plain, struct msg *ret)
{
	struct msg inner;
	int rc = msg_decode_inner(plain, &inner);

	if (rc < 0)
		return rc;
	if ((MSG_CLASS(inner.code) == 0) != (MSG_CLASS(outer->code) == 0) ||
		inner.code == CODE_EMPTY || msg_has(&inner, OPT_OSCORE))
		return -EBADMSG;
	msg_init(ret, (enum msg_type)outer->type, (enum msg_code)inner.code);
	ret->mid = outer->mid;
	ret->token = outer->token;
	ret->payload = inner.payload;
	for (size_t i = 0; i < inner.n_opts; i++)
		if ((option_class(inner.opts[i].number) & OPTION_CLASS_E) != 0)
			ret->opts[ret->n_opts++] = inner.opts[i];
	for (size_t i = 0; i < outer->n_opts; i++)
		if (outside_counts(outer->opts[i].number) &&
			msg_add(ret, outer->opts[i].number, outer->opts[i].value) < 0)
			return -EBADMSG;
	return 0;
}

/* What is known of it, for the caller. */
static void
tell(const struct job *j, struct unprotect_info *ret)
{
	*ret = (struct unprotect_info){.from = j->from,
		.mode = j->frame.mode,
		.has_piv = j->option.piv.n > 0,
		.piv = oscore_option_number(j->option.piv)};
}

static void
bind_request(const struct job *j, const struct msg *outer, struct oscore_binding *ret)
{
	*ret = (struct oscore_binding){.context = context_hold(j->context),
		.origin = context_id_hold(j->context->id),
		.n_kid = j->from->n_id,
		.n_piv = (uint8_t)j->option.piv.n,
		.mode = (uint8_t)j->frame.mode,
		.observe = outer->code == CODE_FETCH,
		.own = context_is_self(j->from)};
	memcpy(ret->kid, j->from->id, j->from->n_id);
	memcpy(ret->piv, j->option.piv.p, j->option.piv.n);
}

/* Opens a request whose context and sender are known, up to the decoded message. */
static enum unprotect_verdict
open_request(struct job *j, struct recipient *from, const struct msg *outer, struct buf *plain,
	struct bytes *ret)
{
	enum unprotect_verdict v;

	j->frame.is_request = true;
	j->frame.request_kid = j->option.kid;
	j->frame.request_piv = j->option.piv;
	j->frame.request_kid_context = j->option.kid_context;
	j->frame.piv = j->option.piv;
	j->frame.piv_id = j->option.kid;
	v = choose_key(j, from, NULL);
	return v == UNPROTECT_OK ? open_sealed(j, outer->payload, plain, ret) : v;
}

/* Which context and which of its members a request is from. */
static enum unprotect_verdict
find_sender(const struct context_table *t, struct job *j, struct recipient **ret)
{
	struct context *c = context_table_find(t, j->option.kid_context, j->option.kid);

	if (c == NULL && j->peek)
		c = context_table_find_own(t, j->option.kid_context, j->option.kid);
	if (c == NULL || !choose_mode(j, c))
		return UNPROTECT_NO_CONTEXT;
	*ret = context_find_recipient(c, j->option.kid);
	if (*ret != NULL)
		return UNPROTECT_OK;
	if (c->silent || !bytes_equal(j->option.kid, context_sender_id(c)))
		return UNPROTECT_UNKNOWN_CREDENTIAL;
	*ret = &c->self;
	return j->peek ? UNPROTECT_OK : UNPROTECT_OWN;
}

/* A request is recorded as seen; until the window is known to be complete, only with Echo. */
static enum unprotect_verdict
record(struct job *j, const struct msg *m, void (*random)(void *p, size_t n),
	struct unprotect_info *info)
{
	struct window *w = &j->from->window;
	uint64_t piv = oscore_option_number(j->option.piv);
	const struct opt *echo = msg_find(m, OPT_ECHO);

	if (w->valid) {
		window_update(w, piv);
		return UNPROTECT_OK;
	}
	if (window_answer(w, piv, echo != NULL ? echo->value : BYTES_NONE))
		return UNPROTECT_OK;
	info->echo = window_challenge(w, random);
	return UNPROTECT_UNCERTAIN;
}

/* RFC 8613 4.1.3.5.1: without the outer Observe nobody on the way forwards notifications. */
static void
settle_observe(struct msg *m, const struct msg *outer)
{
	if (!msg_has(outer, OPT_OBSERVE))
		msg_remove(m, OPT_OBSERVE);
}

/* A request says whose it is, and has a number of its own (RFC 8613 5.4). */
static bool
read_request_option(const struct msg *outer, struct job *j)
{
	return read_option(outer, j) && j->option.kid.p != NULL && j->option.piv.n > 0;
}

enum unprotect_verdict
unprotect_request(const struct context_table *t, const struct msg *outer,
	void (*random)(void *p, size_t n), struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info, struct oscore_binding *ret_binding)
{
	struct job j = {.peek = false};
	struct unprotect_info info;
	struct recipient *from;
	enum unprotect_verdict v;
	struct bytes text;

	if (!read_request_option(outer, &j))
		return UNPROTECT_MALFORMED;
	if ((v = find_sender(t, &j, &from)) != UNPROTECT_OK)
		return v;
	if (window_check(&from->window, oscore_option_number(j.option.piv)) == WINDOW_REPLAY)
		return UNPROTECT_REPLAY;
	if ((v = open_request(&j, from, outer, plain, &text)) != UNPROTECT_OK)
		return v;
	if (compose(outer, text, ret) < 0) {
		if (from->window.valid)
			window_update(&from->window, oscore_option_number(j.option.piv));
		return UNPROTECT_MALFORMED;
	}
	settle_observe(ret, outer);
	tell(&j, &info);
	v = record(&j, ret, random, &info);
	*ret_info = info;
	bind_request(&j, outer, ret_binding);
	/* RFC 8613 B.1.2: it may be a replay, whose response had that nonce. */
	ret_binding->nonce_used = v == UNPROTECT_UNCERTAIN;
	return v;
}

enum unprotect_verdict
unprotect_peek_request(const struct context_table *t, const struct msg *outer, struct buf *plain,
	struct msg *ret, struct unprotect_info *ret_info, struct oscore_binding *ret_binding)
{
	struct job j = {.peek = true};
	struct recipient *from;
	enum unprotect_verdict v;
	struct bytes text;

	if (!read_request_option(outer, &j))
		return UNPROTECT_MALFORMED;
	if ((v = find_sender(t, &j, &from)) != UNPROTECT_OK)
		return v;
	if ((v = open_request(&j, from, outer, plain, &text)) != UNPROTECT_OK)
		return v;
	if (compose(outer, text, ret) < 0)
		return UNPROTECT_MALFORMED;
	tell(&j, ret_info);
	bind_request(&j, outer, ret_binding);
	return UNPROTECT_OK;
}

enum unprotect_verdict
unprotect_phantom(struct context *c, const struct msg *phantom, struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info, struct oscore_binding *ret_binding)
{
	struct job j = {.peek = false};
	struct recipient *from;
	enum unprotect_verdict v;
	struct bytes text;

	if (!read_request_option(phantom, &j))
		return UNPROTECT_MALFORMED;
	if (!choose_mode(&j, c) || j.frame.mode != OSCORE_GROUP ||
		!bytes_equal(j.option.kid_context, context_gid(c)))
		return UNPROTECT_NO_CONTEXT;
	if (!c->silent && bytes_equal(j.option.kid, context_sender_id(c)))
		return UNPROTECT_OWN;
	from = context_find_recipient(c, j.option.kid);
	if (from == NULL)
		return UNPROTECT_UNKNOWN_CREDENTIAL;
	if ((v = open_request(&j, from, phantom, plain, &text)) != UNPROTECT_OK)
		return v;
	if (compose(phantom, text, ret) < 0)
		return UNPROTECT_MALFORMED;
	settle_observe(ret, phantom);
	tell(&j, ret_info);
	bind_request(&j, phantom, ret_binding);
	/* Responses come to us, from the server alone, and always with a Partial IV. */
	ret_binding->own = true;
	ret_binding->phantom = true;
	ret_binding->for_peer = true;
	ret_binding->n_peer = from->n_id;
	memcpy(ret_binding->peer, from->id, from->n_id);
	return UNPROTECT_OK;
}

/* The context of a response: the binding's, or that of the Gid it names. */
static bool
response_context(const struct oscore_binding *b, const struct context_table *t, struct job *j)
{
	struct context *c = b->context;

	if (j->option.kid_context.p != NULL && c->group &&
		!bytes_equal(j->option.kid_context, context_gid(c)))
		c = t != NULL ? context_table_find_group(t, j->option.kid_context) : NULL;
	return c != NULL && choose_mode(j, c);
}

/* Plain responses need neither id; one that is there must be right, as no AAD has it. */
static bool
fits_plain(const struct job *j, const struct recipient *from)
{
	if (j->option.kid.p != NULL && !bytes_equal(j->option.kid, context_recipient_id(from)))
		return false;
	return j->option.kid_context.p == NULL ||
	       bytes_equal(j->option.kid_context, context_gid(j->context));
}

/* Whoever may have sent a response: kid says it, or the request did. */
static enum unprotect_verdict
response_sender(const struct oscore_binding *b, struct job *j, struct recipient **ret)
{
	struct context *c = j->context;
	struct bytes peer = bytes_of(b->peer, b->n_peer);

	if (!c->group) {
		*ret = b->own ? c->peer : &c->self;
		return fits_plain(j, *ret) ? UNPROTECT_OK : UNPROTECT_FAILED;
	}
	if (j->option.kid.p != NULL)
		peer = j->option.kid;
	else if (j->option.group || (!b->for_peer && b->own))
		return UNPROTECT_MALFORMED;
	else if (!b->own)
		peer = context_sender_id(c);
	if (b->for_peer && !bytes_equal(peer, bytes_of(b->peer, b->n_peer)))
		return UNPROTECT_FAILED;
	if (!c->silent && bytes_equal(peer, context_sender_id(c))) {
		*ret = &c->self;
		return j->peek ? UNPROTECT_OK : UNPROTECT_OWN;
	}
	*ret = context_find_recipient(c, peer);
	return *ret != NULL ? UNPROTECT_OK : UNPROTECT_UNKNOWN_CREDENTIAL;
}

/* Whether a response of an observation is newer than all before (RFC 8613 7.4.1, 8.4.2). */
static bool
is_newer(const struct oscore_binding *b, const struct job *j)
{
	if (j->context != b->context || !b->observe)
		return true;
	if (j->option.piv.n == 0)
		return !b->answered;
	return oscore_option_number(j->option.piv) >= b->next;
}

/* Opens a response, as far as it does not depend on its order. */
static enum unprotect_verdict
open_response(const struct oscore_binding *b, struct job *j, const struct msg *outer,
	struct buf *plain, struct bytes *ret)
{
	struct recipient *other = context_find_recipient(j->context, binding_kid(b));
	bool has_piv = j->option.piv.n > 0;
	enum unprotect_verdict v;

	j->frame.is_request = false;
	j->frame.request_kid = binding_kid(b);
	j->frame.request_piv = binding_piv(b);
	j->frame.request_kid_context = binding_kid_context(b);
	j->frame.class_i = b->class_i;
	j->frame.piv = has_piv ? j->option.piv : binding_piv(b);
	j->frame.piv_id = has_piv ? context_recipient_id(j->from) : binding_kid(b);
	/* Nothing bound to a phantom reuses its nonce, and nothing of it is pairwise. */
	if (b->phantom && (!has_piv || j->frame.mode != OSCORE_GROUP))
		return UNPROTECT_FAILED;
	v = choose_key(j, j->from, other);
	return v == UNPROTECT_OK ? open_sealed(j, outer->payload, plain, ret) : v;
}

/* RFC 8613 4.1.3.5.2: the Partial IV is what orders notifications. */
static void
number_observe(struct msg *m, const struct job *j)
{
	if (!msg_has(m, OPT_OBSERVE))
		return;
	msg_remove(m, OPT_OBSERVE);
	/* There is room: one was taken out, and scratch is empty in a message just made. */
	if (j->option.piv.n == 0)
		msg_add(m, OPT_OBSERVE, bytes_of("", 0));
	else
		msg_add_uint(m, OPT_OBSERVE,
			(uint32_t)(oscore_option_number(j->option.piv) & OBSERVE_MASK));
}

static enum unprotect_verdict
read_response(const struct oscore_binding *b, const struct context_table *t, struct job *j,
	const struct msg *outer, struct buf *plain, struct msg *ret)
{
	enum unprotect_verdict v;
	struct bytes text;

	if (!read_option(outer, j))
		return UNPROTECT_MALFORMED;
	if (!response_context(b, t, j))
		return UNPROTECT_NO_CONTEXT;
	if ((v = response_sender(b, j, &j->from)) != UNPROTECT_OK)
		return v;
	if (!j->peek && !is_newer(b, j))
		return UNPROTECT_REPLAY;
	if ((v = open_response(b, j, outer, plain, &text)) != UNPROTECT_OK)
		return v;
	if (compose(outer, text, ret) < 0)
		return UNPROTECT_MALFORMED;
	number_observe(ret, j);
	return UNPROTECT_OK;
}

enum unprotect_verdict
unprotect_response(struct oscore_binding *b, const struct context_table *t, const struct msg *outer,
	struct buf *plain, struct msg *ret, struct unprotect_info *ret_info)
{
	struct job j = {.peek = false};
	enum unprotect_verdict v;

	if (!b->own)
		return UNPROTECT_OWN;
	v = read_response(b, t, &j, outer, plain, ret);
	if (v != UNPROTECT_OK)
		return v;
	if (j.context != b->context) {
		/* oscore-groupcomm 3.2: the request's values stay, the keys are new. */
		context_hold(j.context);
		context_release(b->context);
		b->context = j.context;
		b->next = 0;
	}
	b->answered = true;
	if (j.option.piv.n > 0)
		b->next = oscore_option_number(j.option.piv) + 1;
	tell(&j, ret_info);
	return UNPROTECT_OK;
}

enum unprotect_verdict
unprotect_peek_response(const struct oscore_binding *b, const struct context_table *t,
	const struct msg *outer, struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info)
{
	struct job j = {.peek = true};
	enum unprotect_verdict v = read_response(b, t, &j, outer, plain, ret);

	if (v == UNPROTECT_OK)
		tell(&j, ret_info);
	return v;
}
