/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/carrier.h"

#include "msg/layer_impl.h"

void
carrier_nack(struct layer *l, const struct path *way, uint16_t mid)
{
	struct peer *p = peer_find(&l->peers, way);

	l->stats.resets++;
	if (p && l->ops->on_reset)
		l->ops->on_reset(l->ctx, p, mid);
}

void
carrier_lost(struct layer *l, const struct path *way)
{
	struct peer *p = peer_find(&l->peers, way);

	if (!p)
		return;
	peer_pin(&l->peers, p);
	if (p->active)
		exchange_give_up(l, p);
	if (l->ops->on_lost)
		l->ops->on_lost(l->ctx, p);
	peer_unpin(&l->peers, p);
}

bool
carrier_is_needed(struct layer *l, const struct path *way)
{
	const struct peer *p = peer_find(&l->peers, way);

	return p && p->n_pins > 0;
}
