/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/outbox.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/mem.h"

/* An odd number of cache lines, so that the heads of all datagrams do not
 * compete for the same few places in the cache. */
#define STRIDE (UDP_SEND_MAX + 64)
/* Source and interface, then hops. */
#define CONTROL_MAX (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)))
#define GONE (-2) /* the socket of a slot was closed; -1 is outbox_flush()'s "all sent" */

/* What the kernel reads beside the payload. */
struct slot {
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} to;
	union {
		size_t align; /* that of struct cmsghdr */
		uint8_t bytes[CONTROL_MAX];
	} control;
	struct iovec iov;
	int fd; /* leaves by this socket, or GONE */
};

struct outbox {
	size_t first; /* slot of the oldest that waits; 0 whenever none does, so that
	                * the usual small batch stays in the same few cache lines */
	size_t n; /* slots that wait, from `first` on, around the end */
	unsigned new; /* committed since outbox_commit() last asked for a flush */
	bool open; /* the slot after those is being written */
	struct buf buf; /* its payload, and where the owner writes it */
	uint64_t sent, dropped, failed;
	struct mmsghdr head[UDP_BACKLOG];
	struct slot slot[UDP_BACKLOG];
	uint8_t data[UDP_BACKLOG * STRIDE];
};

struct outbox *
outbox_new(void)
{
	struct outbox *o = mem_alloc(sizeof(*o));

	/* A batch of payloads; pages beyond, which few ever reach, cost nothing till then. */
	mem_touch(o->data, UDP_BATCH * STRIDE);
	for (size_t i = 0; i < UDP_BACKLOG; i++) {
		struct msghdr *h = &o->head[i].msg_hdr;

		o->slot[i].iov.iov_base = &o->data[i * STRIDE];
		h->msg_name = &o->slot[i].to;
		h->msg_iov = &o->slot[i].iov;
		h->msg_iovlen = 1;
		h->msg_control = &o->slot[i].control;
	}
	return o;
}

void
outbox_free(struct outbox *o)
{
	free(o);
}

static void
put_destination(struct msghdr *h, bool in6, const struct addr *to)
{
	if (in6) {
		struct sockaddr_in6 *s = h->msg_name;

		*s = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(to->port)};
		h->msg_namelen = sizeof(*s);
		if (to->family == AF_INET) {
			s->sin6_addr.s6_addr[10] = s->sin6_addr.s6_addr[11] = 0xff;
			memcpy(&s->sin6_addr.s6_addr[12], to->ip, 4);
		} else {
			s->sin6_scope_id = to->scope;
			memcpy(&s->sin6_addr, to->ip, 16);
		}
	} else {
		struct sockaddr_in *s = h->msg_name;

		/* An IPv6 address here keeps its family and is refused by the kernel. */
		*s = (struct sockaddr_in){.sin_family = to->family, .sin_port = htons(to->port)};
		h->msg_namelen = sizeof(*s);
		memcpy(&s->sin_addr, to->ip, 4);
	}
}

static void
put_control(struct msghdr *h, int level, int type, const void *what, size_t n)
{
	size_t at = CMSG_ALIGN(h->msg_controllen);
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)h->msg_control + at);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), what, n);
	/* Without padding after the last one: so one in6_pktinfo fits in what the
	 * kernel has ready, and it allocates nothing. */
	h->msg_controllen = at + CMSG_LEN(n);
}

/* By the family of the addresses, not of the socket: mapped IPv4 obeys IPv4's. */
static void
put_source(struct msghdr *h, uint8_t family, const struct addr *source, uint32_t ifindex)
{
	if (source->family == AF_UNSPEC && ifindex == 0)
		return;
	if (family == AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)ifindex};

		memcpy(&info.ipi_spec_dst, source->ip, 4);
		put_control(h, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = ifindex};

		memcpy(&info.ipi6_addr, source->ip, 16);
		put_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static void
put_hops(struct msghdr *h, uint8_t family, int hops)
{
	if (family == AF_INET)
		put_control(h, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
	else
		put_control(h, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
}

/* The next free slot, addressed to `to` and without control messages; NULL: none is free. */
static struct msghdr *
open_slot(struct outbox *o, const struct sock *s, const struct addr *to)
{
	size_t i;
	struct msghdr *h;

	assert(!o->open);
	if (o->n == UDP_BACKLOG)
		(void)outbox_flush(o);
	if (o->n == UDP_BACKLOG) {
		o->dropped++;
		return NULL;
	}
	i = (o->first + o->n) % UDP_BACKLOG;
	h = &o->head[i].msg_hdr;
	o->slot[i].fd = s->fd;
	put_destination(h, s->in6, to);
	h->msg_controllen = 0;
	o->buf = buf_of(o->slot[i].iov.iov_base, UDP_SEND_MAX);
	o->open = true;
	return h;
}

struct buf *
outbox_open(struct outbox *o, const struct sock *s, const struct path *to)
{
	struct msghdr *h = open_slot(o, s, &to->remote);
	uint32_t ifindex = to->ifindex;

	if (!h)
		return NULL;
	/* IPv4 takes an interface for proof that the peer is on its link. */
	if (to->remote.family == AF_INET && !addr_is_link_local(&to->remote))
		ifindex = 0;
	/* A socket with one address sends from it anyway. */
	if (s->many)
		put_source(h, to->remote.family, &to->local, ifindex);
	return &o->buf;
}

struct buf *
outbox_open_group(struct outbox *o, const struct sock *s, const struct udp_group *g)
{
	struct msghdr *h = open_slot(o, s, &g->group);

	if (!h)
		return NULL;
	put_source(h, g->group.family, &g->source, g->ifindex);
	if (g->hops)
		put_hops(h, g->group.family, g->hops);
	return &o->buf;
}

bool
outbox_commit(struct outbox *o)
{
	assert(o->open);
	o->open = false;
	if (o->buf.full) {
		o->dropped++;
		return false;
	}
	o->slot[(o->first + o->n) % UDP_BACKLOG].iov.iov_len = o->buf.n;
	o->n++;
	if (++o->new < UDP_BATCH)
		return false;
	o->new = 0;
	return true;
}

void
outbox_cancel(struct outbox *o)
{
	assert(o->open);
	o->open = false;
}

static void
drop_first(struct outbox *o, size_t n)
{
	o->n -= n;
	o->first = o->n == 0 ? 0 : (o->first + n) % UDP_BACKLOG;
}

/* How many from the first on leave by the same socket and lie in a row. */
static unsigned
run_length(const struct outbox *o)
{
	size_t i = o->first, end = o->first + o->n;

	if (end > UDP_BACKLOG)
		end = UDP_BACKLOG;
	while (++i < end && o->slot[i].fd == o->slot[o->first].fd)
		;
	return (unsigned)(i - o->first);
}

int
outbox_flush(struct outbox *o)
{
	assert(!o->open);
	while (o->n > 0) {
		int fd = o->slot[o->first].fd;
		int n = sendmmsg(fd, &o->head[o->first], run_length(o), MSG_DONTWAIT);

		if (n > 0) {
			o->sent += (unsigned)n;
			drop_first(o, (size_t)n);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return fd;
		} else if (errno != EINTR) {
			/* sendmmsg() fails only for the first of what it is given:
			 * an error further on ends the batch before it. */
			o->failed++;
			drop_first(o, 1);
		}
	}
	o->new = 0;
	return -1;
}

void
outbox_forget(struct outbox *o, int fd)
{
	for (size_t i = 0; i < o->n; i++) {
		struct slot *s = &o->slot[(o->first + i) % UDP_BACKLOG];

		if (s->fd == fd)
			s->fd = GONE;
	}
}

size_t
outbox_room(const struct outbox *o)
{
	return UDP_BACKLOG - o->n;
}

void
outbox_stats(const struct outbox *o, struct udp_stats *ret)
{
	ret->sent = o->sent;
	ret->dropped = o->dropped;
	ret->failed = o->failed;
}
