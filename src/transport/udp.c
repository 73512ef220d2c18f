/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "transport/inbox.h"
#include "transport/netlink.h"
#include "transport/outbox.h"
#include "transport/route.h"
#include "transport/sock.h"

/* Batches from one socket in one turn of the loop: timers and other sockets
 * wait for at most this many. */
#define ROUNDS_MAX 8

struct udp_socket {
	uv_poll_t poll;
	struct sock sock;
	struct udp *u;
	uint16_t index; /* of u->sockets */
	bool closing; /* nothing of it is handed over any more */
	bool keeps_errors; /* there may be refusals to read */
	bool sends_late; /* polled for room to send, too */
};

struct udp {
	uv_loop_t *loop;
	const struct udp_ops *ops;
	void *ctx;
	struct udp_socket *sockets[UDP_SOCKETS_MAX]; /* NULL: index not in use */
	unsigned n_indices; /* those in use are below */
	unsigned n_handles; /* open in the loop, closing ones too */
	uv_prepare_t before_wait; /* nothing is left unsent while the loop waits */
	struct inbox *in;
	struct outbox *out;
	struct netlink *netlink; /* NULL: nothing that has to follow its interface */
	struct udp_stats stats; /* of what came in; the outbox has the rest */
	void (*on_closed)(void *ctx);
	bool held; /* nothing is read */
	bool closing;
};

static void
forget_handle(struct udp *u)
{
	if (--u->n_handles > 0)
		return;
	/* The last of them: no callback can come any more. */
	inbox_free(u->in);
	outbox_free(u->out);
	if (u->on_closed)
		u->on_closed(u->ctx);
	free(u);
}

static void
on_prepare_closed(uv_handle_t *h)
{
	forget_handle(h->data);
}

static void
on_poll_closed(uv_handle_t *h)
{
	struct udp_socket *s = h->data;
	struct udp *u = s->u;

	u->sockets[s->index] = NULL;
	free(s);
	forget_handle(u);
}

static void
close_socket(struct udp_socket *s)
{
	struct udp *u = s->u;

	s->closing = true;
	u->stats.overflowed += sock_overflows(&s->sock);
	outbox_forget(u->out, s->sock.fd);
	uv_close((uv_handle_t *)&s->poll, on_poll_closed);
	sock_close(&s->sock);
}

static struct udp_socket *
socket_at(const struct udp *u, uint16_t index)
{
	struct udp_socket *s = index < UDP_SOCKETS_MAX ? u->sockets[index] : NULL;

	return s && !s->closing ? s : NULL;
}

/* One datagram of a batch: handed over, or counted and dropped. */
static void
hand_over(struct udp_socket *s, unsigned i)
{
	struct udp *u = s->u;
	struct path from;
	struct bytes datagram;

	switch (inbox_read(u->in, i, &s->sock, &from, &datagram)) {
	case INBOX_GOOD:
		from.socket = s->index;
		u->stats.received++;
		u->ops->on_datagram(u->ctx, &from, datagram);
		break;
	case INBOX_TRUNCATED:
		u->stats.truncated++;
		from.socket = s->index;
		if (u->ops->on_truncated)
			u->ops->on_truncated(u->ctx, &from, datagram);
		break;
	case INBOX_FOREIGN:
		u->stats.foreign++;
		break;
	}
}

static void
receive(struct udp_socket *s)
{
	struct udp *u = s->u;
	int n = UDP_BATCH;

	for (unsigned round = 0; round < ROUNDS_MAX && n == UDP_BATCH && !s->closing; round++) {
		n = inbox_receive(u->in, &s->sock);
		if (n < 0)
			u->stats.receive_errors++;
		if (n <= 0)
			return;
		for (int i = 0; i < n && !s->closing; i++)
			hand_over(s, (unsigned)i);
		if (!u->closing && u->ops->on_batch)
			u->ops->on_batch(u->ctx);
		if (!u->closing)
			udp_flush(u);
	}
}

static void on_poll(uv_poll_t *h, int status, int events);

static void
poll_socket(struct udp_socket *s, bool sends_late)
{
	int events = (s->u->held ? 0 : UV_READABLE) | (sends_late ? UV_WRITABLE : 0);
	int rc = events ? uv_poll_start(&s->poll, events, on_poll) : uv_poll_stop(&s->poll);

	assert(rc == 0);
	(void)rc;
	s->sends_late = sends_late;
}

static void
read_refusals(struct udp_socket *s)
{
	uint8_t bytes[64];
	struct buf head = BUF_OF(bytes);
	struct addr to;

	while (!s->closing && sock_refusal(&s->sock, &to, &head))
		s->u->ops->on_refused(s->u->ctx, &to, buf_bytes(&head));
}

static void
on_poll(uv_poll_t *h, int status, int events)
{
	struct udp_socket *s = h->data;

	if (status < 0) {
		/* The kernel reports an error of some earlier datagram (ICMP), and
		 * libuv stops polling over it. Reading the error clears it; the
		 * socket is as good as before. */
		int pending;
		socklen_t n = sizeof(pending);

		s->u->stats.receive_errors++;
		(void)getsockopt(s->sock.fd, SOL_SOCKET, SO_ERROR, &pending, &n);
		if (s->keeps_errors)
			read_refusals(s);
		if (s->closing)
			return;
		poll_socket(s, s->sends_late);
		events = UV_READABLE | (s->sends_late ? UV_WRITABLE : 0);
	}
	if (events & UV_WRITABLE) {
		poll_socket(s, false);
		udp_flush(s->u);
	}
	if ((events & UV_READABLE) && !s->u->held)
		receive(s);
}

static void
on_before_wait(uv_prepare_t *h)
{
	udp_flush(h->data);
}

struct udp *
udp_new(uv_loop_t *loop, const struct udp_ops *ops, void *ctx)
{
	struct udp *u = mem_alloc(sizeof(*u));

	u->loop = loop;
	u->ops = ops;
	u->ctx = ctx;
	u->in = inbox_new();
	u->out = outbox_new();
	/* Neither of these two can fail. */
	uv_prepare_init(loop, &u->before_wait);
	uv_prepare_start(&u->before_wait, on_before_wait);
	u->before_wait.data = u;
	u->n_handles = 1;
	/* It must not keep a loop running that waits for nothing else. */
	uv_unref((uv_handle_t *)&u->before_wait);
	return u;
}

void
udp_hold(struct udp *u, bool held)
{
	u->held = held;
	for (unsigned i = 0; i < u->n_indices; i++)
		if (u->sockets[i] && !u->sockets[i]->closing)
			poll_socket(u->sockets[i], u->sockets[i]->sends_late);
}

void
udp_close(struct udp *u, void (*on_closed)(void *ctx))
{
	assert(!u->closing);
	udp_flush(u);
	u->closing = true;
	u->on_closed = on_closed;
	netlink_close(u->netlink);
	for (unsigned i = 0; i < u->n_indices; i++)
		if (u->sockets[i] && !u->sockets[i]->closing)
			close_socket(u->sockets[i]);
	uv_close((uv_handle_t *)&u->before_wait, on_prepare_closed);
}

/* Takes an open sock into the loop, or closes it. */
static int
adopt(struct udp *u, struct sock *sock, struct error *e, uint16_t *ret_socket)
{
	struct udp_socket *s;
	unsigned i = 0;
	int rc;

	while (i < UDP_SOCKETS_MAX && u->sockets[i])
		i++;
	if (i == UDP_SOCKETS_MAX) {
		error_set(e, "cannot open another socket: %d are open", UDP_SOCKETS_MAX);
		sock_close(sock);
		return -EMFILE;
	}
	s = mem_alloc(sizeof(*s));
	if ((rc = uv_poll_init(u->loop, &s->poll, sock->fd)) < 0) {
		error_set(e, "cannot watch a socket: %s", uv_strerror(rc));
		sock_close(sock);
		free(s);
		return rc;
	}
	/* From here on a handle is in the loop: only on_poll_closed() may free. */
	u->n_handles++;
	s->poll.data = s;
	s->sock = *sock;
	s->u = u;
	s->index = (uint16_t)i;
	u->sockets[i] = s;
	if (u->n_indices <= i)
		u->n_indices = i + 1;
	poll_socket(s, false);
	*ret_socket = s->index;
	return 0;
}

int
udp_listen(struct udp *u, const struct addr *at, struct error *e, uint16_t *ret_socket)
{
	struct sock sock;
	char text[ADDR_STRLEN];
	int rc;

	/* Sockets share ports, so the kernel would not refuse the second one. */
	for (unsigned i = 0; i < u->n_indices && at->port != 0; i++) {
		const struct addr *other = udp_address(u, (uint16_t)i);

		if (!other || !addr_equal(other, at))
			continue;
		error_set(e, "cannot listen at %s twice", addr_format(at, text));
		return -EADDRINUSE;
	}
	if ((rc = sock_listen(at, e, &sock)) < 0)
		return rc;
	return adopt(u, &sock, e, ret_socket);
}

int
udp_keep_errors(struct udp *u, uint16_t socket)
{
	struct udp_socket *s = socket_at(u, socket);
	int rc = s ? sock_keep_errors(&s->sock) : -ENOENT;

	if (rc == 0)
		s->keeps_errors = true;
	return rc;
}

/* An interface was deleted, or is there again under another number. */
static void
on_interfaces(void *ctx)
{
	struct udp *u = ctx;

	for (unsigned i = 0; i < u->n_indices; i++) {
		struct udp_socket *s = socket_at(u, (uint16_t)i);

		if (!s || !s->sock.joined || s->sock.only.family == AF_UNSPEC)
			continue;
		/* When it cannot be yet, the next change may make it possible. */
		if (netlink_has_lost(u->netlink, s->sock.ifindex) ||
			netlink_interface(s->sock.ifname).ifindex != s->sock.ifindex)
			(void)sock_rejoin(&s->sock);
	}
}

int
udp_join(struct udp *u, const struct addr *group, const struct addr *server, uint32_t ifindex,
	struct error *e, uint16_t *ret_socket)
{
	struct sock sock;
	struct error ignored;
	int rc = sock_join(group, server, ifindex, e, &sock);

	if (rc < 0)
		return rc;
	/* Without it one is a member for as long as the interface lasts. */
	if (server && !u->netlink)
		(void)netlink_open(u->loop, on_interfaces, u, &ignored, &u->netlink);
	return adopt(u, &sock, e, ret_socket);
}

void
udp_leave(struct udp *u, uint16_t socket)
{
	struct udp_socket *s = socket_at(u, socket);

	if (s)
		close_socket(s);
}

const struct addr *
udp_address(const struct udp *u, uint16_t socket)
{
	const struct udp_socket *s = socket_at(u, socket);

	return s ? &s->sock.at : NULL;
}

size_t
udp_receive_buffer(const struct udp *u, uint16_t socket)
{
	const struct udp_socket *s = socket_at(u, socket);

	return s ? s->sock.n_buffer : 0;
}

uint32_t
udp_interface(const struct udp *u, uint16_t socket)
{
	const struct udp_socket *s = socket_at(u, socket);

	return s ? s->sock.ifindex : 0;
}

int
udp_find_socket(const struct udp *u, const struct addr *local)
{
	int found = -ENOENT;

	for (unsigned i = 0; i < u->n_indices; i++) {
		const struct udp_socket *s = socket_at(u, (uint16_t)i);

		if (!s || !sock_serves(&s->sock, local))
			continue;
		/* As the kernel delivers: the socket of the very address, then the
		 * wildcard of its family, then the dual-stack one. */
		if (!s->sock.many)
			return (int)i;
		if (found < 0 || s->sock.at.family == local->family)
			found = (int)i;
	}
	return found;
}

struct buf *
udp_open(struct udp *u, const struct path *to)
{
	const struct udp_socket *s = socket_at(u, to->socket);

	return s ? outbox_open(u->out, &s->sock, to) : NULL;
}

struct buf *
udp_open_group(struct udp *u, const struct udp_group *g)
{
	const struct udp_socket *s = socket_at(u, g->socket);

	return s ? outbox_open_group(u->out, &s->sock, g) : NULL;
}

void
udp_commit(struct udp *u)
{
	if (outbox_commit(u->out))
		udp_flush(u);
}

void
udp_cancel(struct udp *u)
{
	outbox_cancel(u->out);
}

void
udp_flush(struct udp *u)
{
	int fd = outbox_flush(u->out);

	/* Full: whoever waits there blocks those behind it, for as long as a
	 * network card takes to send a few packets. */
	for (unsigned i = 0; fd >= 0 && i < u->n_indices; i++) {
		struct udp_socket *s = u->sockets[i];

		if (s && !s->closing && s->sock.fd == fd && !s->sends_late)
			poll_socket(s, true);
	}
}

size_t
udp_room(const struct udp *u)
{
	return outbox_room(u->out);
}

void
udp_stats(const struct udp *u, struct udp_stats *ret)
{
	*ret = u->stats;
	for (unsigned i = 0; i < u->n_indices; i++)
		if (u->sockets[i] && !u->sockets[i]->closing)
			ret->overflowed += sock_overflows(&u->sockets[i]->sock);
	outbox_stats(u->out, ret);
}

int
udp_local_for(const struct addr *remote, struct addr *ret_local)
{
	return route_local_for(remote, ret_local);
}

int
udp_local_on(const struct addr *remote, uint32_t ifindex, struct addr *ret_local)
{
	return route_local_on(remote, ifindex, ret_local);
}
