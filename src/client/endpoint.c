/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/endpoint.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"
#include "transport/udp.h"

struct endpoint {
	uv_loop_t *loop;
	struct udp *udp;
	struct session *session;
	uint32_t ifindex; /* 0: as the routing table says */
	uv_timer_t timer; /* the session's next moment */
	uv_prepare_t before_wait; /* what was started gets sent, and the timer set */
	unsigned n_handles; /* of these two and the udp, still open */
	bool open; /* a datagram was opened and neither committed nor cancelled */

	/* endpoint_request() */
	struct transfer transfer;
	bool over;
	struct transfer_result result;
	uint8_t *body; /* owned */
	uint8_t etag[8];
};

static uint64_t
now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	struct endpoint *ep = ctx;
	struct buf *out;

	/* What did not fit is simply opened over. */
	if (ep->open)
		udp_cancel(ep->udp);
	out = udp_open(ep->udp, way);
	ep->open = out != NULL;
	return out;
}

static void
on_commit(void *ctx)
{
	struct endpoint *ep = ctx;

	ep->open = false;
	udp_commit(ep->udp);
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	/* Up to 256 bytes never come short once the kernel's pool is ready, see getrandom(2). */
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort();
}

static const struct session_ops session_ops = {
	.open = on_open, .commit = on_commit, .random = on_random};

static void
on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	struct endpoint *ep = ctx;

	session_receive(ep->session, from, datagram, now_ms());
}

static const struct udp_ops udp_ops = {.on_datagram = on_datagram};

static void
on_timer(uv_timer_t *t)
{
	/* The time alone matters: before the loop waits again, all that is due is done. */
	(void)t;
}

static void
on_before_wait(uv_prepare_t *h)
{
	struct endpoint *ep = h->data;
	uint64_t now = now_ms(), next;

	session_advance(ep->session, now);
	if (ep->open)
		udp_cancel(ep->udp);
	ep->open = false;
	udp_flush(ep->udp);
	next = session_next(ep->session);
	if (next == WHEEL_NEVER) {
		uv_timer_stop(&ep->timer);
		return;
	}
	uv_update_time(ep->loop);
	uv_timer_start(&ep->timer, on_timer, next > now ? next - now : 1, 0);
}

/* An address of that interface, of the server's family; a link-local one only towards such. */
static int
address_on(uint32_t ifindex, const struct addr *server, struct addr *ret)
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
			!addr_from_sockaddr(i->ifa_addr, &a) || a.family != server->family ||
			addr_is_link_local(&a) != addr_is_link_local(server))
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
choose_local(uint32_t ifindex, const struct addr *server, struct error *e, struct addr *ret)
{
	char text[ADDR_STRLEN];
	int rc;

	rc = ifindex ? address_on(ifindex, server, ret) : udp_local_for(server, ret);
	if (rc < 0)
		error_set(e, "no way to %s%s: %s", addr_format(server, text),
			ifindex ? " from that interface" : "", strerror(-rc));
	return rc;
}

static void
forget_handle(struct endpoint *ep)
{
	if (--ep->n_handles > 0)
		return;
	session_free(ep->session);
	free(ep->body);
	free(ep);
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

static void
start_handles(struct endpoint *ep)
{
	/* None of these can fail. */
	uv_timer_init(ep->loop, &ep->timer);
	uv_prepare_init(ep->loop, &ep->before_wait);
	ep->timer.data = ep->before_wait.data = ep;
	uv_prepare_start(&ep->before_wait, on_before_wait);
	ep->n_handles = 3;
}

int
endpoint_open(uv_loop_t *loop, const struct addr *server, uint32_t ifindex, struct error *e,
	struct endpoint **ret)
{
	struct endpoint *ep;
	struct path way = {.remote = *server, .ifindex = ifindex};
	struct addr local;
	int rc;

	if (addr_is_link_local(server) && server->scope == 0 && server->family == AF_INET6)
		way.remote.scope = ifindex;
	if ((rc = choose_local(ifindex, &way.remote, e, &local)) < 0)
		return rc;
	ep = mem_alloc(sizeof(*ep));
	ep->loop = loop;
	ep->ifindex = ifindex;
	ep->udp = udp_new(loop, &udp_ops, ep);
	start_handles(ep);
	if ((rc = udp_listen(ep->udp, &local, e, &way.socket)) < 0) {
		endpoint_close(ep);
		return rc;
	}
	way.local = *udp_address(ep->udp, way.socket);
	ep->session = session_new(&session_ops, ep, &way, now_ms());
	*ret = ep;
	return 0;
}

void
endpoint_close(struct endpoint *ep)
{
	if (!ep)
		return;
	transfer_stop(&ep->transfer);
	/* What was said last still leaves. */
	if (ep->session)
		session_advance(ep->session, now_ms());
	if (ep->open)
		udp_cancel(ep->udp);
	udp_close(ep->udp, on_udp_closed);
	uv_close((uv_handle_t *)&ep->timer, on_handle_closed);
	uv_close((uv_handle_t *)&ep->before_wait, on_handle_closed);
}

struct session *
endpoint_session(struct endpoint *ep)
{
	return ep->session;
}

int
endpoint_join(struct endpoint *ep, const struct addr *group, const struct addr *server,
	struct error *e, uint16_t *ret_socket)
{
	return udp_join(ep->udp, group, server, ep->ifindex, e, ret_socket);
}

void
endpoint_leave(struct endpoint *ep, uint16_t socket)
{
	udp_leave(ep->udp, socket);
}

static void
on_done(void *owner, const struct transfer_result *r)
{
	struct endpoint *ep = owner;

	ep->result = *r;
	free(ep->body);
	ep->body = mem_dup(r->body);
	ep->result.body.p = ep->body;
	if (r->etag.n > 0)
		memcpy(ep->etag, r->etag.p, r->etag.n);
	ep->result.etag.p = r->etag.n > 0 ? ep->etag : NULL;
	ep->over = true;
	/* It may come from before_wait, after which the loop would wait in vain. */
	uv_stop(ep->loop);
}

static void
wait_for_result(struct endpoint *ep, struct transfer_result *ret)
{
	while (!ep->over)
		uv_run(ep->loop, UV_RUN_ONCE);
	*ret = ep->result;
}

void
endpoint_request(struct endpoint *ep, const struct transfer_request *r, struct transfer_result *ret)
{
	ep->over = false;
	transfer_start(&ep->transfer, ep->session, r, on_done, ep);
	wait_for_result(ep, ret);
}

void
endpoint_resume(struct endpoint *ep, const struct transfer_request *r, const struct msg *first,
	struct transfer_result *ret)
{
	ep->over = false;
	transfer_resume(&ep->transfer, ep->session, r, first, on_done, ep);
	wait_for_result(ep, ret);
}
