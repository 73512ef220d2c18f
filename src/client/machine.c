/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/machine.h"

void
machine_receive(struct machine *m, const struct path *from, struct bytes datagram, uint64_t now_ms)
{
	layer_advance(m->layer, now_ms);
	layer_receive(m->layer, from, datagram);
	layer_flush(m->layer);
}

void
machine_advance(struct machine *m, uint64_t now_ms)
{
	layer_advance(m->layer, now_ms);
}

uint64_t
machine_next(const struct machine *m)
{
	return layer_next(m->layer);
}

struct buf *
machine_open(void *machine, const struct path *way)
{
	const struct machine *m = machine;

	return m->ops->open(m->ctx, way);
}

void
machine_commit(void *machine)
{
	const struct machine *m = machine;

	m->ops->commit(m->ctx);
}

void
machine_random(void *machine, void *p, size_t n)
{
	const struct machine *m = machine;

	m->ops->random(m->ctx, p, n);
}
