/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/leisure.h"

#include <stdlib.h>

#include "msg/layer_impl.h"

/* One answer that waits, in the layer's list. */
struct held {
	struct timer timer;
	struct held *prev, *next;
	struct path way;
	size_t n;
	uint8_t datagram[];
};

static void
forget(struct layer *l, struct held *h)
{
	*(h->prev ? &h->prev->next : &l->held) = h->next;
	if (h->next)
		h->next->prev = h->prev;
	l->n_held--;
	free(h);
}

static void
on_timer(struct timer *t, void *ctx)
{
	struct held *h = MAP_OBJECT(t, struct held, timer);
	struct layer *l = ctx;
	struct buf *out = l->ops->open(l->ctx, &h->way);

	if (out) {
		buf_put(out, bytes_of(h->datagram, h->n));
		(void)layer_commit(l, out);
	}
	forget(l, h);
}

void
leisure_hold(struct layer *l, const struct path *way, struct bytes datagram)
{
	struct held *h;

	if (l->n_held >= l->limits.held) {
		l->stats.refused_held++;
		return;
	}
	h = mem_alloc(sizeof(*h) + datagram.n);
	h->timer.fire = on_timer;
	h->way = *way;
	h->n = datagram.n;
	memcpy(h->datagram, datagram.p, datagram.n);
	h->next = l->held;
	if (h->next)
		h->next->prev = h;
	l->held = h;
	l->n_held++;
	l->stats.held++;
	wheel_start(&l->wheel, &h->timer, l->wheel.now_ms + layer_leisure(l));
}

void
leisure_drop_all(struct layer *l)
{
	while (l->held) {
		wheel_stop(&l->wheel, &l->held->timer);
		forget(l, l->held);
	}
}
