/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>

#include "transport/route.h"

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* The kernel doubles what it is given, for its own bookkeeping: halved again here. */
static size_t
enlarge(int fd, int force, int name)
{
	int got = 0;
	socklen_t n = sizeof(got);

	if (set(fd, SOL_SOCKET, force, SOCK_BUFFER) < 0)
		(void)set(fd, SOL_SOCKET, name, SOCK_BUFFER);
	if (getsockopt(fd, SOL_SOCKET, name, &got, &n) < 0)
		return 0;
	return (size_t)got / 2;
}

/*
 * Without these a socket on the wildcard address gets the datagrams of every
 * group that any process of the host joined. On an IPv6 socket both are
 * needed: the first one governs mapped IPv4.
 */
static int
refuse_groups_of_others(const struct sock *s)
{
	int rc = set(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);

	if (rc == 0 && s->in6)
		rc = set(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	return rc;
}

/* On an IPv6 socket the second one tells of mapped IPv4 as well; both together
 * would make every datagram some 5 % dearer. */
static int
ask_for_destination(const struct sock *s)
{
	if (s->in6)
		return set(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	return set(s->fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static int
bind_to(struct sock *s)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&s->at, &ss);

	if (bind(s->fd, (struct sockaddr *)&ss, n) < 0)
		return -errno;
	n = sizeof(ss);
	if (getsockname(s->fd, (struct sockaddr *)&ss, &n) < 0)
		return -errno;
	/* Only the port is news: a bound wildcard or group is what was asked for. */
	s->at.port = ntohs(s->in6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
				  : ((struct sockaddr_in *)&ss)->sin_port);
	return 0;
}

/*
 * The port may be shared, so that server and subscribers of one host can all
 * have the group's port. But two sockets that share before they are bound to
 * port 0 may be given the same one: there it comes after.
 */
static int
bind_shared(struct sock *s)
{
	bool any_port = s->at.port == 0;
	int rc = 0;

	if (!any_port)
		rc = set(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0)
		rc = bind_to(s);
	if (rc == 0 && any_port)
		rc = set(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return rc;
}

/* Socket, options and bind, for an s whose address and kind are filled in. */
static int
open_bound(struct sock *s)
{
	int rc = 0;

	s->in6 = s->at.family == AF_INET6;
	s->fd = socket(s->at.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	if (s->in6)
		rc = set(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, !s->dual);
	if (rc == 0)
		rc = refuse_groups_of_others(s);
	if (rc == 0 && s->many)
		rc = ask_for_destination(s);
	if (rc == 0)
		rc = bind_shared(s);
	if (rc < 0) {
		sock_close(s);
		return rc;
	}
	s->n_buffer = enlarge(s->fd, SO_RCVBUFFORCE, SO_RCVBUF);
	(void)enlarge(s->fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return 0;
}

static int
complain(struct error *e, int rc, const char *what, const struct addr *at)
{
	char text[ADDR_STRLEN];

	addr_format(at, text);
	if (rc == -EADDRINUSE)
		error_set(e, "cannot %s %s: another program holds the port and does not share it",
			what, text);
	else if (rc == -EADDRNOTAVAIL)
		error_set(e, "cannot %s %s: no interface has this address", what, text);
	else
		error_set(e, "cannot %s %s: %s", what, text, strerror(-rc));
	return rc;
}

int
sock_listen(const struct addr *at, struct error *e, struct sock *ret)
{
	struct sock s = {.at = *at, .fd = -1};
	int rc;

	if (addr_ip_len(at) == 0 || addr_is_multicast(at)) {
		char text[ADDR_STRLEN];

		error_set(e, "cannot listen at %s: not a unicast address", addr_format(at, text));
		return -EINVAL;
	}
	s.many = addr_is_any(at);
	s.dual = s.many && at->family == AF_INET6;
	rc = open_bound(&s);
	if (rc == -EAFNOSUPPORT && s.dual) {
		/* A kernel without IPv6: "every address" then means every IPv4 one. */
		s.at = (struct addr){.family = AF_INET, .port = at->port};
		s.dual = false;
		rc = open_bound(&s);
	}
	if (rc < 0)
		return complain(e, rc, "listen at", at);
	*ret = s;
	return 0;
}

static int
join_group(const struct sock *s, bool from_one)
{
	struct group_source_req one = {.gsr_interface = s->ifindex};
	struct group_req all = {.gr_interface = s->ifindex};
	int level = s->in6 ? IPPROTO_IPV6 : IPPROTO_IP, rc;

	addr_to_sockaddr(&s->at, &one.gsr_group);
	all.gr_group = one.gsr_group;
	if (from_one) {
		addr_to_sockaddr(&s->only, &one.gsr_source);
		rc = setsockopt(s->fd, level, MCAST_JOIN_SOURCE_GROUP, &one, sizeof(one));
	} else {
		rc = setsockopt(s->fd, level, MCAST_JOIN_GROUP, &all, sizeof(all));
	}
	return rc < 0 ? -errno : 0;
}

/* The interface a source-specific join belongs on: the one towards its source. */
static int
find_interface(const struct addr *server, uint32_t *ret_ifindex)
{
	struct addr local;
	int rc;

	if (server->scope != 0) {
		*ret_ifindex = server->scope;
		return 0;
	}
	rc = route_local_for(server, &local);
	return rc < 0 ? rc : route_interface_of(&local, ret_ifindex);
}

/* Interfaces that are made anew keep their name, not their number. */
static void
note_name(struct sock *s)
{
	if (s->ifindex == 0 || !if_indextoname(s->ifindex, s->ifname))
		s->ifname[0] = '\0';
}

int
sock_join(const struct addr *group, const struct addr *server, uint32_t ifindex, struct error *e,
	struct sock *ret)
{
	struct sock s = {.at = *group, .ifindex = ifindex, .fd = -1, .joined = true, .many = true};
	char text[ADDR_STRLEN];
	int rc = 0;

	if (!addr_is_multicast(group) || group->port == 0 ||
		(server && server->family != group->family)) {
		error_set(e, "cannot join %s: not a group and port of the server's family",
			addr_format(group, text));
		return -EINVAL;
	}
	if (server)
		s.only = *server;
	if (ifindex == 0)
		s.ifindex = group->scope;
	if (s.ifindex == 0 && server)
		rc = find_interface(server, &s.ifindex);
	if (rc < 0) {
		error_set(e, "cannot join: no interface leads to %s: %s",
			addr_format_host(server, text), strerror(-rc));
		return rc;
	}
	/* A link-local group is one only on its link; bind() insists on it. */
	if (addr_is_link_local(group) && s.at.family == AF_INET6)
		s.at.scope = s.ifindex;
	if ((rc = open_bound(&s)) < 0)
		return complain(e, rc, "join", group);
	if ((rc = join_group(&s, server != NULL)) < 0) {
		sock_close(&s);
		return complain(e, rc, "join", group);
	}
	note_name(&s);
	*ret = s;
	return 0;
}

int
sock_rejoin(struct sock *s)
{
	struct group_req old = {.gr_interface = s->ifindex};
	uint32_t ifindex = s->ifname[0] ? if_nametoindex(s->ifname) : 0;

	if (ifindex == 0)
		return -ENODEV;
	/* The kernel keeps a place for it, though the interface is gone. */
	addr_to_sockaddr(&s->at, &old.gr_group);
	(void)setsockopt(
		s->fd, s->in6 ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_LEAVE_GROUP, &old, sizeof(old));
	s->ifindex = ifindex;
	return join_group(s, s->only.family != AF_UNSPEC);
}

void
sock_close(struct sock *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int
sock_keep_errors(struct sock *s)
{
	return s->in6 ? set(s->fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
		      : set(s->fd, IPPROTO_IP, IP_RECVERR, 1);
}

/* Whether what came with a datagram says that nobody has its port. */
static bool
is_refusal(struct msghdr *h)
{
	struct sock_extended_err e;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
		bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;

		if (!v4 && !v6)
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return e.ee_errno == ECONNREFUSED &&
		       (e.ee_origin == SO_EE_ORIGIN_ICMP || e.ee_origin == SO_EE_ORIGIN_ICMP6);
	}
	return false;
}

bool
sock_refusal(const struct sock *s, struct addr *ret_to, struct buf *room)
{
	struct sockaddr_storage to;
	union {
		struct cmsghdr align;
		uint8_t bytes[512];
	} control;
	struct iovec iov = {.iov_base = room->p, .iov_len = room->cap};

	for (;;) {
		struct msghdr h = {.msg_name = &to,
			.msg_namelen = sizeof(to),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(s->fd, &h, MSG_ERRQUEUE);

		if (n < 0)
			return false;
		if (!is_refusal(&h) || !addr_from_sockaddr((struct sockaddr *)&to, ret_to))
			continue;
		room->n = (size_t)n;
		return true;
	}
}

bool
sock_serves(const struct sock *s, const struct addr *local)
{
	if (s->joined || s->at.port != local->port)
		return false;
	if (!s->many)
		return addr_same_host(&s->at, local);
	return s->dual || s->at.family == local->family;
}

uint32_t
sock_overflows(const struct sock *s)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof(info);

	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &n) < 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}
