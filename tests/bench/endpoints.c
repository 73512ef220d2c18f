/* SPDX-License-Identifier: BSD-2-Clause */
#include "endpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define FIRST_PEER 0x7f010000u /* 127.1.0.0: clear of 127.0.0.1, where servers listen */

void
endpoints_widen(int fd)
{
	/* FORCE needs CAP_NET_ADMIN; without it the system's maximum is what we get. */
	int size = 16 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void
endpoints_narrow(struct endpoints *e)
{
	/* The kernel doubles what it is told. */
	int size = e->default_room / 2;

	(void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static void
prepare_batch(struct endpoints_batch *b, bool out)
{
	for (unsigned i = 0; i < ENDPOINTS_BATCH; i++) {
		struct msghdr *h = &b->head[i].msg_hdr;

		b->vec[i] = (struct iovec){b->data[i], ENDPOINTS_IN};
		h->msg_iov = &b->vec[i];
		h->msg_iovlen = 1;
		h->msg_control = &b->control[i];
		h->msg_controllen = sizeof(b->control[i]);
		h->msg_name = &b->name[i];
		h->msg_namelen = sizeof(b->name[i]);
		if (out) {
			struct cmsghdr *c = CMSG_FIRSTHDR(h);

			c->cmsg_level = IPPROTO_IP;
			c->cmsg_type = IP_PKTINFO;
			c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
		}
	}
}

int
endpoints_new(const struct sockaddr_in *server, struct error *err, struct endpoints **ret)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct endpoints *e;
	socklen_t room_size = sizeof(e->default_room);
	int on = 1, off = 0, rc;

	e = mem_alloc(sizeof(*e));
	e->server = *server;
	prepare_batch(&e->in, false);
	prepare_batch(&e->out, true);
	e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (e->fd < 0 || setsockopt(e->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
		setsockopt(e->fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) != 0 ||
		bind(e->fd, (struct sockaddr *)&any, sizeof(any)) != 0) {
		rc = -errno;
		error_set(err, "cannot open the clients' socket: %s", strerror(errno));
		endpoints_free(e);
		return rc;
	}
	(void)getsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &e->default_room, &room_size);
	endpoints_widen(e->fd);
	*ret = e;
	return 0;
}

void
endpoints_free(struct endpoints *e)
{
	if (e == NULL)
		return;
	if (e->fd >= 0)
		close(e->fd);
	free(e);
}

struct buf
endpoints_claim(struct endpoints *e)
{
	if (e->n_out == ENDPOINTS_BATCH)
		endpoints_flush(e);
	return buf_of(e->out.data[e->n_out], ENDPOINTS_OUT);
}

void
endpoints_push(struct endpoints *e, uint32_t peer, const struct buf *what)
{
	struct in_pktinfo *info;
	unsigned i = e->n_out++;

	e->out.vec[i].iov_len = what->n;
	e->n_bytes += what->n + ENDPOINTS_HEADERS;
	e->out.name[i] = e->server;
	info = (struct in_pktinfo *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&e->out.head[i].msg_hdr));
	*info = (struct in_pktinfo){.ipi_spec_dst.s_addr = htonl(FIRST_PEER + peer)};
}

void
endpoints_flush(struct endpoints *e)
{
	unsigned done = 0;

	while (done < e->n_out) {
		int n = sendmmsg(e->fd, e->out.head + done, e->n_out - done, 0);

		if (n > 0) {
			done += (unsigned)n;
			e->n_sent += (unsigned)n;
		} else if (errno != EINTR) {
			/* Such as the ECONNREFUSED of an earlier datagram: count, go on. */
			e->n_send_errors++;
			done++;
		}
	}
	e->n_out = 0;
}

/* Whose address the datagram was sent to, or false for one that is not ours. */
static bool
read_peer(struct endpoints *e, unsigned i, uint32_t *ret)
{
	struct msghdr *h = &e->in.head[i].msg_hdr;
	const struct sockaddr_in *from = &e->in.name[i];
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	const struct in_pktinfo *info;
	uint32_t at;

	if (from->sin_addr.s_addr != e->server.sin_addr.s_addr ||
		from->sin_port != e->server.sin_port || c == NULL || c->cmsg_type != IP_PKTINFO)
		return false;
	info = (const struct in_pktinfo *)(const void *)CMSG_DATA(c);
	at = ntohl(info->ipi_addr.s_addr) - FIRST_PEER;
	if (at >= ENDPOINTS_MAX)
		return false;
	*ret = at;
	return true;
}

unsigned
endpoints_pull(struct endpoints *e, struct endpoints_arrival ret[ENDPOINTS_BATCH])
{
	unsigned n_ret = 0;
	int n;

	for (unsigned i = 0; i < ENDPOINTS_BATCH; i++) {
		e->in.head[i].msg_hdr.msg_controllen = sizeof(e->in.control[i]);
		e->in.head[i].msg_hdr.msg_namelen = sizeof(e->in.name[i]);
	}
	n = recvmmsg(e->fd, e->in.head, ENDPOINTS_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct endpoints_arrival *a = &ret[n_ret];

		a->data = bytes_of(e->in.data[i], e->in.head[i].msg_len);
		e->n_bytes += a->data.n + ENDPOINTS_HEADERS;
		if (read_peer(e, (unsigned)i, &a->peer))
			n_ret++;
		else
			e->n_foreign++;
	}
	e->n_received += n_ret;
	return n_ret;
}

int
endpoints_join(const struct sockaddr_in *group, struct error *err)
{
	struct ip_mreqn join = {
		.imr_multiaddr = group->sin_addr,
		.imr_address.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1, off = 0, rc;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) != 0 ||
		bind(fd, (const struct sockaddr *)group, sizeof(*group)) != 0 ||
		setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) != 0) {
		rc = -errno;
		error_set(err, "cannot join the group on loopback: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	endpoints_widen(fd);
	return fd;
}
