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
	uint64_t again_ms; /* the next repetition */
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

static void
receive(void *ctx, const struct path *from, struct bytes datagram, uint64_t now_ms)
{
	const struct meeting *m = ctx;

	gather_receive(m->gather, from, datagram, now_ms);
}

static void
advance(void *ctx, uint64_t now_ms)
{
	struct meeting *m = ctx;

	gather_advance(m->gather, now_ms);
	if (now_ms < m->again_ms)
		return;
	gather_repeat(m->gather);
	m->again_ms += GATHER_ROUND_MS;
	/* An answer takes a while. */
	if (m->again_ms + LAST_CALL_MS > m->until_ms)
		m->again_ms = WHEEL_NEVER;
}

static uint64_t
next(void *ctx)
{
	const struct meeting *m = ctx;
	uint64_t gather_ms = gather_next(m->gather);

	return gather_ms < m->again_ms ? gather_ms : m->again_ms;
}

static const struct driver_ops driver_ops = {.receive = receive, .advance = advance, .next = next};

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
	m->again_ms = now_ms + GATHER_ROUND_MS;
	m->until_ms = now_ms + wait_ms;
	if (m->again_ms + LAST_CALL_MS > m->until_ms)
		m->again_ms = WHEEL_NEVER;
	if (ifindex == 0)
		ifindex = group->scope;
	rc = driver_open(loop, group, ifindex, &driver_ops, m, e, &m->driver, &way);
	if (rc < 0) {
		free(m);
		return rc;
	}
	m->to = (struct udp_group){
		.group = *group, .ifindex = ifindex, .source = way.local, .socket = way.socket};
	m->gather = gather_new(&driver_outlet, m->driver, &gather_ops, m, target, now_ms);
	if (!m->gather) {
		error_set(e, "the URI does not fit a request");
		meeting_close(m);
		return -EINVAL;
	}
	if (armor)
		gather_protect(m->gather, armor);
	driver_start(m->driver);
	(void)gather_ask(m->gather, 0);
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
