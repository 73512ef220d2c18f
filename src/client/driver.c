/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/driver.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/random.h>

struct driver {
	uv_loop_t *loop;
	const struct driver_ops *ops;
	void *ctx;
	struct machine *machine; /* borrowed */
	struct udp *udp;
	struct link *link; /* NULL: UDP */
	uv_timer_t timer; /* the machine's next moment */
	uv_prepare_t before_wait; /* what was started gets sent, and the timer set */
	void (*on_closed)(void *ctx);
	unsigned n_handles; /* of these two and the udp, still open */
	bool open; /* a datagram was opened and neither committed nor cancelled */
	bool to_link; /* that one */
	bool started;
};

uint64_t
driver_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

struct udp *
driver_udp(struct driver *d)
{
	return d->udp;
}

/* What did not fit is simply opened over. */
static void
cancel_open(struct driver *d)
{
	if (d->open && d->to_link)
		link_cancel(d->link);
	else if (d->open)
		udp_cancel(d->udp);
	d->open = false;
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	struct driver *d = ctx;
	struct buf *out;

	cancel_open(d);
	d->to_link = way->transport != PATH_UDP;
	out = d->to_link ? link_write(d->link) : udp_open(d->udp, way);
	d->open = out != NULL;
	return out;
}

struct buf *
driver_open_group(struct driver *d, const struct udp_group *to)
{
	struct buf *out;

	cancel_open(d);
	d->to_link = false;
	out = udp_open_group(d->udp, to);
	d->open = out != NULL;
	return out;
}

static void
on_commit(void *ctx)
{
	struct driver *d = ctx;

	d->open = false;
	if (d->to_link)
		link_commit(d->link);
	else
		udp_commit(d->udp);
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	/* Up to 256 bytes never come short once the kernel's pool is ready, see getrandom(2). */
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort();
}

const struct machine_ops driver_machine_ops = {
	.open = on_open, .commit = on_commit, .random = on_random};

static void
on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	struct driver *d = ctx;

	if (d->started)
		machine_receive(d->machine, from, datagram, driver_now_ms());
}

static void
on_nack(void *ctx, uint16_t mid)
{
	struct driver *d = ctx;

	if (d->started && d->ops->nack)
		d->ops->nack(d->ctx, mid);
}

static void
on_lost(void *ctx, enum coapd_end why)
{
	struct driver *d = ctx;

	if (d->started && d->ops->lost)
		d->ops->lost(d->ctx, why);
}

static bool
on_expects(void *ctx)
{
	const struct driver *d = ctx;

	return d->started && d->ops->expects && d->ops->expects(d->ctx);
}

static const struct link_ops link_ops = {
	.receive = on_datagram, .nack = on_nack, .lost = on_lost, .expects = on_expects};

/* It counts for nothing without the message id, which is harder to forge than ports. */
static void
on_refused(void *ctx, const struct addr *to, struct bytes head)
{
	struct driver *d = ctx;

	if (d->started && d->ops->refused && head.n >= 4)
		d->ops->refused(d->ctx, to, (uint16_t)(head.p[2] << 8 | head.p[3]));
}

static const struct udp_ops udp_ops = {.on_datagram = on_datagram, .on_refused = on_refused};

static void
on_timer(uv_timer_t *t)
{
	/* The time alone matters: before the loop waits again, all that is due is done. */
	(void)t;
}

static void
on_before_wait(uv_prepare_t *h)
{
	struct driver *d = h->data;
	uint64_t now = driver_now_ms(), next;

	machine_advance(d->machine, now);
	cancel_open(d);
	udp_flush(d->udp);
	next = machine_next(d->machine);
	if (next == WHEEL_NEVER) {
		uv_timer_stop(&d->timer);
		return;
	}
	uv_update_time(d->loop);
	uv_timer_start(&d->timer, on_timer, next > now ? next - now : 1, 0);
}

/* Whether `remote` may be reached from an address: a link-local one only where such are. */
static bool
suits(const struct addr *own, const struct addr *remote)
{
	if (own->family != remote->family)
		return false;
	/* The group of an IPv4 link is asked from whatever address there is. */
	if (own->family == AF_INET && addr_is_multicast(remote))
		return true;
	return addr_is_link_local(own) == addr_is_link_local(remote);
}

static int
address_on(uint32_t ifindex, const struct addr *remote, struct addr *ret)
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
			!addr_from_sockaddr(i->ifa_addr, &a) || !suits(&a, remote))
			continue;
		a.port = 0;
		*ret = a;
		rc = 0;
	}
	freeifaddrs(list);
	return rc;
}

/* Which address of ours to send from: fixed, because peers are told apart by it. */
static int
choose_local(uint32_t ifindex, const struct addr *remote, struct error *e, struct addr *ret)
{
	char text[ADDR_STRLEN];
	int rc;

	rc = ifindex ? address_on(ifindex, remote, ret) : udp_local_for(remote, ret);
	if (rc < 0)
		error_set(e, "no way to %s%s: %s", addr_format(remote, text),
			ifindex                     ? " from that interface"
			: addr_is_multicast(remote) ? "; which interface?"
						    : "",
			strerror(-rc));
	return rc;
}

static void
forget_handle(struct driver *d)
{
	if (--d->n_handles > 0)
		return;
	if (d->on_closed)
		d->on_closed(d->ctx);
	free(d);
}

static void
on_handle_closed(uv_handle_t *h)
{
	forget_handle(h->data);
}

static void
on_part_closed(void *ctx)
{
	forget_handle(ctx);
}

static struct driver *
make(uv_loop_t *loop, const struct driver_ops *ops, void *ctx)
{
	struct driver *d = mem_alloc(sizeof(*d));

	d->loop = loop;
	d->ops = ops;
	d->ctx = ctx;
	d->udp = udp_new(loop, &udp_ops, d);
	/* None of these can fail. */
	uv_timer_init(loop, &d->timer);
	uv_prepare_init(loop, &d->before_wait);
	d->timer.data = d->before_wait.data = d;
	d->n_handles = 3;
	return d;
}

int
driver_open(uv_loop_t *loop, const struct addr *remote, uint32_t ifindex,
	const struct driver_ops *ops, void *ctx, struct error *e, struct driver **ret,
	struct path *ret_way)
{
	struct path way = {.remote = *remote, .ifindex = ifindex};
	struct driver *d;
	struct addr local;
	int rc;

	if (addr_is_link_local(remote) && remote->scope == 0 && remote->family == AF_INET6)
		way.remote.scope = ifindex;
	if ((rc = choose_local(ifindex, &way.remote, e, &local)) < 0)
		return rc;
	d = make(loop, ops, ctx);
	if ((rc = udp_listen(d->udp, &local, e, &way.socket)) < 0) {
		driver_close(d, NULL);
		return rc;
	}
	/* Without it a closed port is silence, which takes longer to notice. */
	(void)udp_keep_errors(d->udp, way.socket);
	way.local = *udp_address(d->udp, way.socket);
	*ret_way = way;
	*ret = d;
	return 0;
}

int
driver_connect(uv_loop_t *loop, const struct addr *server, const struct link_how *how,
	const struct driver_ops *ops, void *ctx, struct error *e, struct driver **ret,
	struct path *ret_way)
{
	struct driver *d = make(loop, ops, ctx);
	int rc = link_open(loop, how, server, &link_ops, d, e, &d->link, ret_way);

	if (rc < 0) {
		driver_close(d, NULL);
		return rc;
	}
	d->n_handles++;
	*ret = d;
	return 0;
}

bool
driver_is_unproven(const struct driver *d)
{
	return d->link && link_is_unproven(d->link);
}

bool
driver_renew(struct driver *d)
{
	return d->link && link_renew(d->link);
}

const char *
driver_why(const struct driver *d)
{
	return d->link ? link_why(d->link) : NULL;
}

void
driver_start(struct driver *d, struct machine *m)
{
	d->machine = m;
	d->started = true;
	uv_prepare_start(&d->before_wait, on_before_wait);
}

void
driver_close(struct driver *d, void (*on_closed)(void *ctx))
{
	d->started = false;
	d->on_closed = on_closed;
	cancel_open(d);
	udp_close(d->udp, on_part_closed);
	if (d->link)
		link_close(d->link, on_part_closed);
	uv_close((uv_handle_t *)&d->timer, on_handle_closed);
	uv_close((uv_handle_t *)&d->before_wait, on_handle_closed);
}
