/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/meeting.h"

#include <errno.h>
#include <stdlib.h>

#include "client/driver.h"

#define LAST_CALL_MS 1000 /* before the end: no more requests */

struct meeting {
	const struct meeting_ops *ops;
	void *ctx;
	struct driver *driver;
	struct udp_group to;
	struct gather *gather;
	struct timer again; /* the next repetition */
	uint64_t until_ms; /* nobody listens after that */
};

static struct buf *
on_open_group(void *ctx)
{
	struct meeting *m = ctx;

	return driver_open_group(m->driver, &m->to);
}

static void
on_answer(void *ctx, const struct gather_server *s, bool first)
{
	struct meeting *m = ctx;

	if (first)
		m->ops->on_answer(m->ctx, m, s);
}

static const struct gather_ops gather_ops = {.open_group = on_open_group, .on_answer = on_answer};

/* The next repetition, unless it is too late for its answers. */
static void
plan_next(struct meeting *m)
{
	struct wheel *w = layer_wheel(gather_machine(m->gather)->layer);
	uint64_t at_ms = w->now_ms + GATHER_ROUND_MS;

	if (at_ms + LAST_CALL_MS <= m->until_ms)
		wheel_start(w, &m->again, at_ms);
}

static void
on_again(struct timer *t, void *ctx)
{
	struct meeting *m = MAP_OBJECT(t, struct meeting, again);

	(void)ctx;
	gather_repeat(m->gather);
	plan_next(m);
}

static const struct driver_ops driver_ops = {.nack = NULL};

static void
on_closed(void *ctx)
{
	struct meeting *m = ctx;

	gather_free(m->gather);
	free(m);
}

int
meeting_open(uv_loop_t *loop, const struct addr *group, uint32_t ifindex,
	const struct target *target, const struct armor *armor, uint32_t wait_ms,
	const struct meeting_ops *ops, void *ctx, struct error *e, struct meeting **ret)
{
	struct meeting *m = mem_alloc(sizeof(*m));
	uint64_t now_ms = driver_now_ms();
	struct path way;
	int rc;

	m->ops = ops;
	m->ctx = ctx;
	m->again.fire = on_again;
	m->until_ms = now_ms + wait_ms;
	if (ifindex == 0)
		ifindex = group->scope;
	rc = driver_open(loop, group, ifindex, &driver_ops, m, e, &m->driver, &way);
	if (rc < 0) {
		free(m);
		return rc;
	}
	m->to = (struct udp_group){
		.group = *group, .ifindex = ifindex, .source = way.local, .socket = way.socket};
	m->gather = gather_new(&driver_machine_ops, m->driver, &gather_ops, m, target, now_ms);
	if (!m->gather) {
		error_set(e, "the URI does not fit a request");
		meeting_close(m);
		return -EINVAL;
	}
	if (armor)
		gather_protect(m->gather, armor);
	driver_start(m->driver, gather_machine(m->gather));
	(void)gather_ask(m->gather, 0);
	plan_next(m);
	*ret = m;
	return 0;
}

void
meeting_close(struct meeting *m)
{
	if (m)
		driver_close(m->driver, on_closed);
}

const struct gather *
meeting_gather(const struct meeting *m)
{
	return m->gather;
}

uint32_t
meeting_interface(const struct meeting *m)
{
	return m->to.ifindex;
}
