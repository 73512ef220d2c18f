/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/protect.h"

#include <errno.h>

#include "oscore/frame.h"
#include "wire/option.h"

#define PAYLOAD_MARKER 0xff

/* A message on its way: what is decided before anything is encrypted. */
struct job {
	struct frame frame;
	struct oscore_option option;
	const uint8_t *key; /* of the frame's cipher */
	struct msg inner;
	struct msg outer; /* options only */
	uint8_t piv[OSCORE_MAX_PIV]; /* our own, when there is one */
	uint8_t option_bytes[OSCORE_OPTION_MAX];
};

static uint8_t plain_bytes[PROTECT_MAX_PLAIN];

/* Options keep their order, so each goes behind what is there already. */
static void
append(struct msg *m, uint16_t number, struct bytes value)
{
	m->opts[m->n_opts++] = (struct opt){.number = number, .value = value};
}

/* Distributes code, options and payload to the inside and the outside (RFC 8613 4.1, 4.2). */
static int
split(struct job *j, const struct msg *plain, bool max_age_0)
{
	bool response = !j->frame.is_request;

	msg_init(&j->inner, TYPE_NON, plain->code);
	msg_init(&j->outer, TYPE_NON, CODE_EMPTY);
	j->inner.payload = plain->payload;
	for (size_t i = 0; i < plain->n_opts; i++) {
		const struct opt *o = &plain->opts[i];
		unsigned class = option_class(o->number);

		if (o->number == OPT_OSCORE)
			return -EINVAL;
		if (o->number == OPT_OBSERVE) {
			/* RFC 8613 4.1.3.5: what orders notifications is the Partial IV. */
			append(&j->inner, OPT_OBSERVE, response ? bytes_of("", 0) : o->value);
			append(&j->outer, OPT_OBSERVE, o->value);
		} else if ((class & OPTION_CLASS_E) != 0) {
			append(&j->inner, o->number, o->value);
		} else {
			append(&j->outer, o->number, o->value);
		}
	}
	if (j->outer.n_opts + 2 > MSG_MAX_OPTIONS)
		return -EINVAL;
	/* RFC 8613 4.1.3.1: nobody on the way is to keep a 2.05 to a FETCH. */
	return max_age_0 ? msg_add(&j->outer, OPT_MAX_AGE, bytes_of("", 0)) : 0;
}

/* The next sequence number as Partial IV of this message. */
static int
take_piv(struct job *j, const struct context *c)
{
	uint64_t number;
	int rc = c->ssn != NULL ? ssn_take(c->ssn, &number) : -EPERM;

	if (rc < 0)
		return rc;
	j->option.piv = bytes_of(j->piv, oscore_option_put_piv(number, j->piv));
	j->frame.piv = j->option.piv;
	j->frame.piv_id = context_sender_id(c);
	return 0;
}

/* The key our end encrypts with in that mode; `peer` is used in pairwise mode. */
static int
choose_key(struct job *j, struct context *c, enum oscore_mode mode, struct recipient *peer)
{
	int rc;

	if (c->silent || (mode == OSCORE_PLAIN) == c->group)
		return -EPERM;
	j->frame.context = c;
	j->frame.sender = &c->self;
	j->frame.mode = mode;
	j->option.group = mode == OSCORE_GROUP;
	j->key = c->self.key;
	if (mode == OSCORE_GROUP && !context_has_group_mode(c))
		return -EPERM;
	if (mode != OSCORE_PAIRWISE)
		return 0;
	if (peer == NULL)
		return -EINVAL;
	rc = context_need_pairwise(c, peer);
	j->key = peer->pairwise_out;
	return rc;
}

/* Encrypts into out, and adds the countersignature of group mode. */
static int
seal(const struct job *j, struct bytes plain, struct buf *out)
{
	const struct frame *f = &j->frame;
	uint8_t nonce[SUITE_MAX_NONCE];
	uint8_t signature[SUITE_SIGNATURE];
	size_t start = out->n;
	struct bytes array, aad, tbs;
	int rc;

	if ((rc = frame_nonce(f, nonce)) < 0 || (rc = frame_aad(f, &array, &aad)) < 0)
		return rc;
	rc = crypto_seal(frame_cipher(f), j->key, nonce, aad, plain, out);
	if (rc < 0 || f->mode != OSCORE_GROUP)
		return rc;
	rc = frame_tbs(array, bytes_of(out->p + start, out->n - start), &tbs);
	if (rc == 0)
		rc = crypto_sign(f->context->secret, tbs, signature);
	if (rc == 0)
		rc = frame_mask(f, signature);
	if (rc == 0)
		buf_put(out, BYTES_OF(signature));
	return rc;
}

/* Writes everything: the option, which the AAD needs, the outer options, the ciphertext. */
static int
finish(struct job *j, struct buf *tail)
{
	struct buf option = BUF_OF(j->option_bytes);
	struct buf plain = BUF_OF(plain_bytes);
	size_t before = tail->n;
	int rc = oscore_option_encode(&j->option, &option);

	if (rc < 0)
		return rc;
	j->frame.option = buf_bytes(&option);
	if (msg_encode_inner(&j->inner, &plain) < 0)
		return -ENOBUFS;
	if ((rc = msg_add(&j->outer, OPT_OSCORE, j->frame.option)) < 0)
		return rc;
	msg_put_tail(&j->outer, tail);
	buf_put_u8(tail, PAYLOAD_MARKER);
	rc = seal(j, buf_bytes(&plain), tail);
	if (rc == 0 && tail->full)
		rc = -ENOBUFS;
	if (rc < 0)
		tail->n = before; /* nothing half done leaves */
	return rc;
}

static void
bind(struct oscore_binding *b, const struct job *j, struct context *c, enum oscore_mode mode)
{
	*b = (struct oscore_binding){.context = context_hold(c),
		.origin = context_id_hold(c->id),
		.n_kid = c->self.n_id,
		.n_piv = (uint8_t)j->option.piv.n,
		.mode = (uint8_t)mode,
		.own = true};
	memcpy(b->kid, c->self.id, c->self.n_id);
	memcpy(b->piv, j->piv, j->option.piv.n);
}

static int
make_request(struct context *c, enum oscore_mode mode, struct bytes peer, const struct msg *plain,
	struct buf *tail, uint8_t *ret_code, struct oscore_binding *ret)
{
	struct job j;
	struct recipient *r = peer.p != NULL ? context_find_recipient(c, peer) : NULL;
	int rc;

	j.frame = (struct frame){.is_request = true};
	j.option = (struct oscore_option){.group = false};
	if ((rc = choose_key(&j, c, mode, r)) < 0 || (rc = split(&j, plain, false)) < 0 ||
		(rc = take_piv(&j, c)) < 0)
		return rc;
	j.option.kid = context_sender_id(c);
	j.option.kid_context = context_gid(c);
	j.frame.request_kid = j.option.kid;
	j.frame.request_piv = j.option.piv;
	j.frame.request_kid_context = j.option.kid_context;
	if ((rc = finish(&j, tail)) < 0)
		return rc;
	/* RFC 8613 4.2 */
	*ret_code = msg_has(plain, OPT_OBSERVE) ? CODE_FETCH : CODE_POST;
	bind(ret, &j, c, mode);
	ret->observe = *ret_code == CODE_FETCH;
	ret->for_peer = peer.p != NULL;
	if (r != NULL) {
		memcpy(ret->peer, r->id, r->n_id);
		ret->n_peer = r->n_id;
	}
	return 0;
}

int
protect_request(struct context *c, enum oscore_mode mode, struct bytes peer,
	const struct msg *plain, struct buf *tail, uint8_t *ret_code, struct oscore_binding *ret)
{
	return make_request(c, mode, peer, plain, tail, ret_code, ret);
}

int
protect_phantom(struct context *c, const struct msg *plain, struct buf *tail, uint8_t *ret_code,
	struct oscore_binding *ret)
{
	int rc = make_request(c, OSCORE_GROUP, BYTES_NONE, plain, tail, ret_code, ret);

	if (rc < 0)
		return rc;
	/* It is ours, but so are the responses: what comes in is no business of the server's. */
	ret->own = false;
	ret->phantom = true;
	return 0;
}

/*
 * Whether the response needs a number of its own. With the nonce of the request only the
 * first one is safe (RFC 8613 5.2); the request of a phantom used that nonce with the very
 * key the responses are encrypted with.
 */
static bool
needs_piv(const struct oscore_binding *b, const struct msg *plain, unsigned flags)
{
	if (b->phantom || b->nonce_used || (flags & PROTECT_OWN_PIV) != 0)
		return true;
	return msg_has(plain, OPT_OBSERVE) && (flags & PROTECT_REUSE_NONCE) == 0;
}

/* The option of a response (RFC 8613 5.4, oscore-groupcomm 4.1): as little as is needed. */
static void
fill_response(struct job *j, const struct oscore_binding *b, enum oscore_mode mode)
{
	const struct context *c = b->context;

	if (mode == OSCORE_GROUP || (mode == OSCORE_PAIRWISE && b->mode == OSCORE_GROUP))
		j->option.kid = context_sender_id(c);
	if (b->rekeyed) {
		j->option.kid = context_sender_id(c);
		j->option.kid_context = context_gid(c);
	}
	j->frame.request_kid = binding_kid(b);
	j->frame.request_piv = binding_piv(b);
	j->frame.request_kid_context = binding_kid_context(b);
	j->frame.class_i = b->class_i;
}

int
protect_response_in(struct oscore_binding *b, enum oscore_mode mode, const struct msg *plain,
	unsigned flags, struct buf *tail, uint8_t *ret_code)
{
	struct job j;
	struct recipient *peer =
		mode == OSCORE_PAIRWISE ? context_find_recipient(b->context, binding_kid(b)) : NULL;
	int rc;

	if (b->own)
		return -EPERM;
	j.frame = (struct frame){.is_request = false};
	j.option = (struct oscore_option){.group = false};
	if ((rc = choose_key(&j, b->context, mode, peer)) < 0 ||
		(rc = split(&j, plain, b->observe && (flags & PROTECT_NO_MAX_AGE) == 0)) < 0)
		return rc;
	fill_response(&j, b, mode);
	if (needs_piv(b, plain, flags)) {
		if ((rc = take_piv(&j, b->context)) < 0)
			return rc;
	} else {
		b->nonce_used = true; /* whatever becomes of this one */
		j.frame.piv = binding_piv(b);
		j.frame.piv_id = binding_kid(b);
	}
	if ((rc = finish(&j, tail)) < 0)
		return rc;
	b->rekeyed = false; /* the new Gid has been told */
	*ret_code = b->observe ? CODE_CONTENT : CODE_CHANGED;
	return 0;
}

int
protect_response(struct oscore_binding *b, const struct msg *plain, unsigned flags,
	struct buf *tail, uint8_t *ret_code)
{
	return protect_response_in(b, (enum oscore_mode)b->mode, plain, flags, tail, ret_code);
}
