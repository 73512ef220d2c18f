/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/once.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

static int
set_options(int fd, const struct udp_group *g)
{
	const struct ip_mreqn on4 = {.imr_ifindex = (int)g->ifindex};
	const int on = 1, hops = g->hops ? g->hops : 1, ifindex = (int)g->ifindex;
	int rc = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

	if (rc < 0)
		return -errno;
	if (g->group.family == AF_INET)
		rc = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops)) < 0
			     ? -1
			     : setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &on4, sizeof(on4));
	else
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0
			     ? -1
			     : setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex,
				       sizeof(ifindex));
	return rc < 0 ? -errno : 0;
}

int
once_send(const struct udp_group *g, struct bytes datagram)
{
	struct sockaddr_storage from, to;
	socklen_t n_from = addr_to_sockaddr(&g->source, &from);
	socklen_t n_to = addr_to_sockaddr(&g->group, &to);
	int fd, rc;

	if (n_from == 0 || n_to == 0 || g->source.family != g->group.family)
		return -EAFNOSUPPORT;
	fd = socket(g->group.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = set_options(fd, g);
	/* Connected, it takes nothing that is meant for others at that address. */
	if (rc == 0 && (bind(fd, (struct sockaddr *)&from, n_from) < 0 ||
			       connect(fd, (struct sockaddr *)&to, n_to) < 0 ||
			       send(fd, datagram.p, datagram.n, 0) < 0))
		rc = -errno;
	(void)close(fd);
	return rc;
}
