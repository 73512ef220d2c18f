/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/inbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/mem.h"
#include "transport/route.h"
#include "transport/udp.h"

/* An odd number of cache lines, so that the heads of all datagrams do not
 * compete for the same few places in the cache. */
#define STRIDE (UDP_RECEIVE_MAX + 64)
#define CONTROL_MAX CMSG_SPACE(sizeof(struct in6_pktinfo)) /* the larger kind */
#define OURS_MAX 16 /* a power of two */

/* What the kernel fills in beside the payload. */
struct envelope {
	struct sockaddr_in6 from; /* or sockaddr_in, which is smaller */
	union {
		size_t align; /* that of struct cmsghdr */
		uint8_t bytes[CONTROL_MAX];
	} control;
};

struct inbox {
	struct mmsghdr head[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct envelope envelope[UDP_BATCH];
	unsigned n; /* heads that the last batch wrote to */
	/* IPv4 addresses known to be no broadcast ones, by their last byte. */
	uint8_t ours[OURS_MAX][4];
	uint8_t data[UDP_BATCH * STRIDE];
};

/* The kernel overwrites these three with what it used of them. */
static void
prepare(struct inbox *in, unsigned i)
{
	struct msghdr *h = &in->head[i].msg_hdr;

	h->msg_namelen = sizeof(in->envelope[i].from);
	h->msg_controllen = sizeof(in->envelope[i].control);
	h->msg_flags = 0;
}

struct inbox *
inbox_new(void)
{
	struct inbox *in = mem_alloc(sizeof(*in));

	mem_touch(in, sizeof(*in));
	for (unsigned i = 0; i < UDP_BATCH; i++) {
		struct msghdr *h = &in->head[i].msg_hdr;

		in->iov[i] = (struct iovec){&in->data[i * STRIDE], UDP_RECEIVE_MAX};
		h->msg_iov = &in->iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &in->envelope[i].from;
		h->msg_control = &in->envelope[i].control;
		prepare(in, i);
	}
	return in;
}

void
inbox_free(struct inbox *in)
{
	free(in);
}

int
inbox_receive(struct inbox *in, const struct sock *s)
{
	int n;

	for (unsigned i = 0; i < in->n; i++)
		prepare(in, i);
	in->n = 0;
	do
		n = recvmmsg(s->fd, in->head, UDP_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	in->n = (unsigned)n;
	return n;
}

/*
 * IPv4: `addr` is where the datagram went, `spec_dst` our unicast address for
 * that; they differ for multicast and for broadcast, which is treated alike.
 */
static void
read_pktinfo4(const struct cmsghdr *c, struct path *p)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	p->local.family = AF_INET;
	memcpy(p->local.ip, &info.ipi_spec_dst, 4);
	p->multicast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
	p->ifindex = (uint32_t)info.ipi_ifindex;
}

/*
 * Packet information of an IPv6 socket tells a mapped broadcast from unicast
 * only by its address: what the routing table says of it is kept. That a
 * broadcast address becomes one of ours is noticed, the reverse is not; it
 * would only mean that its requests are read, and the answers refused.
 */
static bool
is_broadcast(struct inbox *in, const struct addr *a)
{
	uint8_t *known = in->ours[a->ip[3] % OURS_MAX];

	if (memcmp(known, a->ip, 4) == 0)
		return false;
	if (route_is_broadcast(a))
		return true;
	memcpy(known, a->ip, 4);
	return false;
}

/*
 * IPv6, and mapped IPv4: to a group, the kernel names no address of ours. The
 * path leaves it unspecified, and the interface makes the kernel choose one
 * that fits.
 */
static void
read_pktinfo6(struct inbox *in, const struct cmsghdr *c, struct path *p)
{
	struct in6_pktinfo info;
	struct addr to = {.family = AF_INET6};

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	p->ifindex = info.ipi6_ifindex;
	if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr)) {
		to.family = AF_INET;
		memcpy(to.ip, &info.ipi6_addr.s6_addr[12], 4);
		p->multicast = addr_is_multicast(&to) || is_broadcast(in, &to);
	} else {
		memcpy(to.ip, &info.ipi6_addr, 16);
		p->multicast = addr_is_multicast(&to);
		if (addr_is_link_local(&to))
			to.scope = p->ifindex;
	}
	p->local = p->multicast ? (struct addr){.family = to.family} : to;
}

static void
read_destination(struct inbox *in, struct msghdr *h, struct path *p)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			read_pktinfo4(c, p);
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			read_pktinfo6(in, c, p);
	}
	/* Where the routing table decides, the interface must not. */
	if (!p->multicast && !addr_is_link_local(&p->remote))
		p->ifindex = 0;
}

static bool
listens_to(const struct sock *s, const struct addr *from)
{
	if (s->only.family == AF_UNSPEC)
		return true;
	return addr_same_host(&s->only, from) && (s->only.port == 0 || s->only.port == from->port);
}

enum inbox_verdict
inbox_read(struct inbox *in, unsigned i, const struct sock *s, struct path *ret_path,
	struct bytes *ret_datagram)
{
	struct msghdr *h = &in->head[i].msg_hdr;
	struct path p = {.multicast = s->joined};

	if (!addr_from_sockaddr((struct sockaddr *)&in->envelope[i].from, &p.remote))
		return INBOX_FOREIGN;
	if (s->joined && !listens_to(s, &p.remote))
		return INBOX_FOREIGN;
	if (s->many) {
		read_destination(in, h, &p);
		p.local.port = s->at.port;
	} else {
		p.local = s->at;
	}
	*ret_path = p;
	*ret_datagram = bytes_of(in->iov[i].iov_base, in->head[i].msg_len);
	return h->msg_flags & MSG_TRUNC ? INBOX_TRUNCATED : INBOX_GOOD;
}
