/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/outlet.h"

struct buf *
outlet_open(void *outlet, const struct path *way)
{
	const struct outlet *o = outlet;

	return o->ops->open(o->ctx, way);
}

void
outlet_commit(void *outlet)
{
	const struct outlet *o = outlet;

	o->ops->commit(o->ctx);
}

void
outlet_random(void *outlet, void *p, size_t n)
{
	const struct outlet *o = outlet;

	o->ops->random(o->ctx, p, n);
}
