/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/binding.h"

#include <errno.h>

#include "oscore/context_impl.h"

void
binding_fini(struct oscore_binding *b)
{
	context_release(b->context);
	context_id_release(b->origin);
	*b = (struct oscore_binding){.context = NULL};
}

void
binding_copy(struct oscore_binding *to, const struct oscore_binding *from)
{
	*to = *from;
	if (to->context != NULL)
		context_hold(to->context);
	context_id_hold(to->origin);
}

int
binding_rekey(struct oscore_binding *b, struct context *c)
{
	if (b->context == NULL || !b->context->group || !c->group)
		return -EINVAL;
	context_hold(c);
	context_release(b->context);
	b->context = c;
	b->rekeyed = true;
	b->nonce_used = true; /* it was made for other keys */
	b->next = 0;
	return 0;
}

int
binding_restore_phantom(
	struct oscore_binding *ret, struct context *c, struct bytes kid, struct bytes piv)
{
	if (!c->group || c->silent || !bytes_equal(kid, context_sender_id(c)) || piv.n == 0 ||
		piv.n > OSCORE_MAX_PIV)
		return -EINVAL;
	*ret = (struct oscore_binding){.context = context_hold(c),
		.origin = context_id_hold(c->id),
		.n_kid = (uint8_t)kid.n,
		.n_piv = (uint8_t)piv.n,
		.mode = OSCORE_GROUP,
		.phantom = true,
		.nonce_used = true,
		.observe = true};
	memcpy(ret->kid, kid.p, kid.n);
	memcpy(ret->piv, piv.p, piv.n);
	return 0;
}

int
binding_restore_request(struct oscore_binding *ret, struct context *c, enum oscore_mode mode,
	struct bytes kid, struct bytes piv)
{
	const struct recipient *from = context_find_recipient(c, kid);

	if (mode > OSCORE_PAIRWISE || c->silent || c->group != (mode != OSCORE_PLAIN) || !from ||
		context_is_self(from) || piv.n == 0 || piv.n > OSCORE_MAX_PIV)
		return -EINVAL;
	*ret = (struct oscore_binding){.context = context_hold(c),
		.origin = context_id_hold(c->id),
		.n_kid = from->n_id,
		.n_piv = (uint8_t)piv.n,
		.mode = (uint8_t)mode,
		.nonce_used = true,
		.observe = true};
	memcpy(ret->kid, from->id, from->n_id);
	memcpy(ret->piv, piv.p, piv.n);
	return 0;
}

struct bytes
binding_kid(const struct oscore_binding *b)
{
	return bytes_of(b->kid, b->n_kid);
}

struct bytes
binding_piv(const struct oscore_binding *b)
{
	return bytes_of(b->piv, b->n_piv);
}

struct bytes
binding_kid_context(const struct oscore_binding *b)
{
	return context_id_bytes(b->origin);
}

uint32_t
binding_who(const struct oscore_binding *b)
{
	const struct recipient *r;

	if (b->own || b->context == NULL)
		return 0;
	r = context_find_recipient(b->context, binding_kid(b));
	return r != NULL ? r->who : 0;
}
