/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/meeting.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/random.h>

#include "transport/udp.h"

#define LAST_CALL_MS 1000 /* before the end: no more requests */

struct meeting {
	uv_loop_t *loop;
	const struct meeting_ops *ops;
	void *ctx;
	struct udp *udp;
	struct udp_group to;
	struct gather *gather; /* NULL until it is asked */
	uv_timer_t again; /* the next repetition */
	uv_timer_t timer; /* the gather's next moment */
	uv_prepare_t before_wait;
	uint64_t until_ms; /* nobody listens after that */
	unsigned n_handles; /* of these three and the udp, still open */
	bool open; /* a datagram was opened and not committed */
};

static uint64_t
now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* What did not fit is simply opened over. */
static struct buf *
opened(struct meeting *m, struct buf *out)
{
	m->open = out != NULL;
	return out;
}

static void
cancel_open(struct meeting *m)
{
	if (m->open)
		udp_cancel(m->udp);
	m->open = false;
}

static struct buf *
on_open_group(void *ctx)
{
	struct meeting *m = ctx;

	cancel_open(m);
	return opened(m, udp_open_group(m->udp, &m->to));
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	struct meeting *m = ctx;

	cancel_open(m);
	return opened(m, udp_open(m->udp, way));
}

static void
on_commit(void *ctx)
{
	struct meeting *m = ctx;

	m->open = false;
	udp_commit(m->udp);
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	/* Up to 256 bytes never come short once the kernel's pool is ready, see getrandom(2). */
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort();
}

static void
on_answer(void *ctx, const struct gather_server *s, bool first)
{
	struct meeting *m = ctx;

	if (first)
		m->ops->on_answer(m->ctx, m, s);
}

static const struct gather_ops gather_ops = {
	.open_group = on_open_group,
	.open = on_open,
	.commit = on_commit,
	.random = on_random,
	.on_answer = on_answer,
};

static void
on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	struct meeting *m = ctx;

	gather_receive(m->gather, from, datagram, now_ms());
}

static const struct udp_ops udp_ops = {.on_datagram = on_datagram};

static void
on_timer(uv_timer_t *t)
{
	/* The time alone matters: before the loop waits again, all that is due is done. */
	(void)t;
}

static void
on_again(uv_timer_t *t)
{
	struct meeting *m = t->data;

	/* An answer takes a while. */
	if (now_ms() + LAST_CALL_MS <= m->until_ms)
		gather_repeat(m->gather);
}

static void
on_before_wait(uv_prepare_t *h)
{
	struct meeting *m = h->data;
	uint64_t now = now_ms(), next;

	gather_advance(m->gather, now);
	cancel_open(m);
	udp_flush(m->udp);
	next = gather_next(m->gather);
	if (next == WHEEL_NEVER) {
		uv_timer_stop(&m->timer);
		return;
	}
	uv_update_time(m->loop);
	uv_timer_start(&m->timer, on_timer, next > now ? next - now : 1, 0);
}

/* An address of that interface to ask this group from: link-local where the group is. */
static int
address_on(uint32_t ifindex, const struct addr *group, struct addr *ret)
{
	struct ifaddrs *list, *i;
	char name[IF_NAMESIZE];
	struct addr a;
	int rc = -EADDRNOTAVAIL;

	if (!if_indextoname(ifindex, name))
		return -ENODEV;
	if (getifaddrs(&list) < 0)
		return -errno;
	for (i = list; i && rc < 0; i = i->ifa_next) {
		if (!i->ifa_addr || strcmp(i->ifa_name, name) != 0 ||
			!addr_from_sockaddr(i->ifa_addr, &a) || a.family != group->family)
			continue;
		if (a.family == AF_INET6 && addr_is_link_local(&a) != addr_is_link_local(group))
			continue;
		a.port = 0;
		*ret = a;
		rc = 0;
	}
	freeifaddrs(list);
	return rc;
}

static void
forget_handle(struct meeting *m)
{
	if (--m->n_handles > 0)
		return;
	gather_free(m->gather);
	free(m);
}

static void
on_handle_closed(uv_handle_t *h)
{
	forget_handle(h->data);
}

static void
on_udp_closed(void *ctx)
{
	forget_handle(ctx);
}

static struct meeting *
make(uv_loop_t *loop, uint32_t wait_ms, const struct meeting_ops *ops, void *ctx)
{
	struct meeting *m = mem_alloc(sizeof(*m));

	m->loop = loop;
	m->until_ms = now_ms() + wait_ms;
	m->ops = ops;
	m->ctx = ctx;
	m->udp = udp_new(loop, &udp_ops, m);
	/* None of these can fail. */
	uv_timer_init(loop, &m->again);
	uv_timer_init(loop, &m->timer);
	uv_prepare_init(loop, &m->before_wait);
	m->again.data = m->timer.data = m->before_wait.data = m;
	m->n_handles = 4;
	return m;
}

int
meeting_open(uv_loop_t *loop, const struct addr *group, uint32_t ifindex,
	const struct target *target, uint32_t wait_ms, const struct meeting_ops *ops, void *ctx,
	struct error *e, struct meeting **ret)
{
	char text[ADDR_STRLEN];
	struct meeting *m;
	struct addr local;
	int rc;

	if (ifindex == 0)
		ifindex = group->scope;
	rc = ifindex ? address_on(ifindex, group, &local) : udp_local_for(group, &local);
	if (rc < 0) {
		error_set(e, "no way to %s%s: %s", addr_format(group, text),
			ifindex ? " from that interface" : "; which interface?", strerror(-rc));
		return rc;
	}
	m = make(loop, wait_ms, ops, ctx);
	m->to = (struct udp_group){.group = *group, .ifindex = ifindex};
	if ((rc = udp_listen(m->udp, &local, e, &m->to.socket)) < 0) {
		meeting_close(m);
		return rc;
	}
	m->to.source = *udp_address(m->udp, m->to.socket);
	m->gather = gather_new(&gather_ops, m, target, now_ms());
	if (!m->gather) {
		error_set(e, "the URI does not fit a request");
		meeting_close(m);
		return -EINVAL;
	}
	uv_prepare_start(&m->before_wait, on_before_wait);
	uv_timer_start(&m->again, on_again, GATHER_ROUND_MS, GATHER_ROUND_MS);
	(void)gather_ask(m->gather, 0);
	*ret = m;
	return 0;
}

void
meeting_close(struct meeting *m)
{
	if (!m)
		return;
	cancel_open(m);
	udp_close(m->udp, on_udp_closed);
	uv_close((uv_handle_t *)&m->again, on_handle_closed);
	uv_close((uv_handle_t *)&m->timer, on_handle_closed);
	uv_close((uv_handle_t *)&m->before_wait, on_handle_closed);
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
