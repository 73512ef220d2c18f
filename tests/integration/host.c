/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <errno.h>
#include <sys/syscall.h>

#include "peer.h"
#include "../unit/unit.h"

#define DEADLINE_MS 10000 /* nothing here takes a second; then a case fails */

/* --- a kernel that refuses ------------------------------------------------- */

struct host_kernel host_kernel = {.full_after = -1};

static bool
refused(const struct mmsghdr *m)
{
	const unsigned char *p = m->msg_hdr.msg_iov->iov_base;

	for (unsigned i = 0; i < host_kernel.n_refuse; i++)
		if (*p == host_kernel.refuse[i])
			return true;
	return false;
}

/* Takes the place of the C library's: stops where Linux would, with its results. */
int
sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned most = n, upto = 0;
	long sent;

	host_kernel.n_calls++;
	if (host_kernel.n_full > 0) {
		host_kernel.n_full--;
		most = 0;
	}
	if (host_kernel.full_after >= 0 && most > (unsigned)host_kernel.full_after)
		most = (unsigned)host_kernel.full_after;
	if (most == 0) {
		errno = EAGAIN;
		return -1;
	}
	while (upto < most && !refused(&m[upto]))
		upto++;
	if (upto == 0) {
		errno = EPERM;
		return -1;
	}
	sent = syscall(SYS_sendmmsg, fd, m, upto, flags);
	if (sent > 0 && host_kernel.full_after >= 0)
		host_kernel.full_after -= (int)sent;
	return (int)sent;
}

int
socket(int family, int type, int protocol)
{
	if (family == AF_INET6 && host_kernel.no_ipv6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return (int)syscall(SYS_socket, family, type, protocol);
}

/* --- one of ours ------------------------------------------------------------ */

struct host host;

static void
on_closed(void *ctx)
{
	struct host *h = ctx;

	h->closed = true;
	uv_close((uv_handle_t *)&h->deadline, NULL);
}

static void
on_datagram(void *ctx, const struct path *from, struct bytes d)
{
	struct host *h = ctx;
	struct seen *s = &h->seen[h->n_seen++ % SEEN_MAX];

	*s = (struct seen){*from, (uint16_t)d.n, d.n ? d.p[0] : 0};
	if (h->echo) {
		struct buf *b = udp_open(h->u, from);

		ck_assert_ptr_nonnull(b);
		buf_put(b, d);
		udp_commit(h->u);
	}
	if (h->leaves)
		udp_leave(h->u, h->leave);
	if (h->closes) {
		udp_close(h->u, on_closed);
		h->u = NULL;
	}
	if (h->n_seen == h->wanted)
		uv_stop(&h->loop);
}

static void
on_batch(void *ctx)
{
	struct host *h = ctx;

	h->n_batches++;
}

static const struct udp_ops ops = {.on_datagram = on_datagram, .on_batch = on_batch};

static void
on_deadline(uv_timer_t *t)
{
	struct host *h = t->data;

	h->late = true;
	uv_stop(&h->loop);
}

void
host_start(struct host *h)
{
	memset(h, 0, sizeof(*h));
	host_kernel = (struct host_kernel){.full_after = -1};
	uv_loop_init(&h->loop);
	uv_timer_init(&h->loop, &h->deadline);
	h->deadline.data = h;
	uv_timer_start(&h->deadline, on_deadline, DEADLINE_MS, 0);
	h->u = udp_new(&h->loop, &ops, h);
}

/* Closing is part of every case: nothing may stay behind in the loop. */
void
host_stop(struct host *h)
{
	if (h->u) {
		udp_close(h->u, on_closed);
		ck_assert(!h->closed);
	}
	uv_run(&h->loop, UV_RUN_DEFAULT);
	ck_assert(h->closed);
	ck_assert(!h->late);
	ck_assert_int_eq(uv_loop_close(&h->loop), 0);
}

void
host_setup(void)
{
	host_start(&host);
}

void
host_teardown(void)
{
	host_stop(&host);
}

void
host_wait(struct host *h, unsigned n)
{
	h->wanted = n;
	if (h->n_seen < n)
		uv_run(&h->loop, UV_RUN_DEFAULT);
	ck_assert_msg(!h->late, "%u of %u datagrams came", h->n_seen, n);
	ck_assert_uint_eq(h->n_seen, n);
}

void
host_turn(struct host *h)
{
	for (int i = 0; i < 3; i++)
		uv_run(&h->loop, UV_RUN_NOWAIT);
}

uint16_t
host_listen(struct host *h, const char *at)
{
	struct addr a = peer_addr(at);
	struct error e;
	uint16_t s;

	ck_assert_msg(udp_listen(h->u, &a, &e, &s) == 0, "%s", e.text);
	ck_assert_uint_ne(udp_address(h->u, s)->port, 0);
	return s;
}

struct udp_stats
host_stats(struct host *h)
{
	struct udp_stats st;

	udp_stats(h->u, &st);
	return st;
}
