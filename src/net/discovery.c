/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/discovery.h"

#include <errno.h>
#include <net/if.h>

#include "base/log.h"

#define COAP_PORT 5683

/* RFC 7252 12.8: IPv4, then IPv6 with link-local, realm-local, admin-local and site-local scope. */
static const char *const all_nodes[] = {
	"224.0.1.187", "ff02::fd", "ff03::fd", "ff04::fd", "ff05::fd"};

#define N_ALL_NODES (sizeof(all_nodes) / sizeof(all_nodes[0]))

/* Whether anything listens for this family at the default port. */
static bool
is_served(const struct udp *u, uint8_t family)
{
	for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++) {
		const struct addr *at = udp_address(u, (uint16_t)i);

		if (!at || udp_interface(u, (uint16_t)i) != 0 || at->port != COAP_PORT)
			continue;
		/* [::] is dual stack. */
		if (at->family == family || (family == AF_INET && addr_is_any(at)))
			return true;
	}
	return false;
}

/* An interface may be without IPv4 or without IPv6. */
static bool
is_absence(int rc)
{
	return rc == -ENODEV || rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT || rc == -EINVAL;
}

static int
join_all(struct udp *u, const char *interface, struct error *e)
{
	uint32_t ifindex = if_nametoindex(interface);
	unsigned joined = 0;
	uint16_t socket;
	int rc;

	if (ifindex == 0) {
		error_set(e, "discovery: no interface %s", interface);
		return -ENODEV;
	}
	error_set(e, "discovery: nothing listens at port %d, from which answers would leave",
		COAP_PORT);
	for (size_t i = 0; i < N_ALL_NODES; i++) {
		struct addr group;

		if (addr_parse(all_nodes[i], COAP_PORT, &group) < 0 || !is_served(u, group.family))
			continue;
		if ((rc = udp_join(u, &group, NULL, ifindex, e, &socket)) == 0)
			joined++;
		else if (!is_absence(rc))
			return rc;
	}
	if (joined == 0)
		return -EADDRNOTAVAIL;
	log_info("discovery: All-CoAP-Nodes joined interface=%s groups=%u", interface, joined);
	return 0;
}

int
discovery_join(struct udp *u, const char *const *interfaces, size_t n, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = join_all(u, interfaces[i], e);
	return rc;
}

bool
discovery_redirect(const struct udp *u, struct path *way)
{
	uint32_t ifindex = udp_interface(u, way->socket);
	struct addr local;
	int socket;

	if (ifindex == 0)
		return true;
	/* IPv6 hands a datagram to the sockets of a group on all interfaces: one is meant. */
	if (way->ifindex != ifindex || udp_local_on(&way->remote, ifindex, &local) < 0)
		return false;
	local.port = COAP_PORT;
	if ((socket = udp_find_socket(u, &local)) < 0)
		return false;
	way->local = local;
	way->socket = (uint16_t)socket;
	/* As if it had come to that address: client and broker go on by unicast. */
	if (!addr_is_link_local(&way->remote))
		way->ifindex = 0;
	return true;
}
