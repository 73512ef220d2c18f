/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/route.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

/* Any port will do: connecting a datagram socket sends nothing. */
#define DISCARD_PORT 9

int
route_local_for(const struct addr *remote, struct addr *ret_local)
{
	return route_local_on(remote, 0, ret_local);
}

int
route_local_on(const struct addr *remote, uint32_t ifindex, struct addr *ret_local)
{
	int device = (int)ifindex;
	struct sockaddr_storage ss;
	struct addr to = *remote;
	socklen_t n;
	int fd, rc = 0;

	if (to.port == 0)
		to.port = DISCARD_PORT;
	if ((n = addr_to_sockaddr(&to, &ss)) == 0)
		return -EAFNOSUPPORT;
	if ((fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return -errno;
	if (ifindex != 0 &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)) < 0) {
		rc = -errno;
		goto out;
	}
	if (connect(fd, (struct sockaddr *)&ss, n) < 0) {
		rc = -errno;
		goto out;
	}
	n = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0) {
		rc = -errno;
		goto out;
	}
	if (!addr_from_sockaddr((struct sockaddr *)&ss, &to)) {
		rc = -EAFNOSUPPORT;
		goto out;
	}
	to.port = 0;
	*ret_local = to;
out:
	close(fd);
	return rc;
}

bool
route_is_broadcast(const struct addr *a)
{
	struct addr local;

	/* What a socket that did not ask for SO_BROADCAST is told. */
	return route_local_for(a, &local) == -EACCES;
}

int
route_interface_of(const struct addr *local, uint32_t *ret_ifindex)
{
	struct ifaddrs *list, *i;
	struct addr a;
	uint32_t index = 0;

	if (local->scope != 0) {
		*ret_ifindex = local->scope;
		return 0;
	}
	if (getifaddrs(&list) < 0)
		return -errno;
	for (i = list; i && index == 0; i = i->ifa_next)
		if (i->ifa_addr && addr_from_sockaddr(i->ifa_addr, &a) && addr_same_host(&a, local))
			index = if_nametoindex(i->ifa_name);
	freeifaddrs(list);
	if (index == 0)
		return -ENODEV;
	*ret_ifindex = index;
	return 0;
}
