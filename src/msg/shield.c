/* SPDX-License-Identifier: BSD-2-Clause */
/* How a layer comes at the shields of its owner. */
#include "msg/shield.h"

#include "msg/layer_impl.h"

bool
request_is_protected(const struct request *r)
{
	return r->shield || r->way->transport == PATH_DTLS || r->way->transport == PATH_TLS;
}

int
layer_protect(struct layer *l, struct shield *s, const struct msg *plain, struct buf *tail,
	uint8_t *ret_code)
{
	return l->ops->shields->protect(l->ctx, s, plain, tail, ret_code);
}

void
layer_shield_hold(struct layer *l, struct shield *s)
{
	if (s)
		l->ops->shields->hold(l->ctx, s);
}

void
layer_shield_release(struct layer *l, struct shield *s)
{
	if (s)
		l->ops->shields->release(l->ctx, s);
}
