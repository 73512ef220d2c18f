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

/* Whether that group (NULL: any) is joined on the interface already. */
static bool
is_joined(const struct udp *u, const struct addr *group, uint32_t ifindex)
{
	for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++) {
		const struct addr *at = udp_address(u, (uint16_t)i);

		if (at && udp_interface(u, (uint16_t)i) == ifindex &&
			(!group || bytes_equal(addr_ip(at), addr_ip(group))))
			return true;
	}
	return false;
}

/* Joins what can be and is not yet; how many, or negative errno with e filled. */
static int
join_missing(struct udp *u, uint32_t ifindex, struct error *e)
{
	int joined = 0, rc;
	uint16_t socket;

	for (size_t i = 0; i < N_ALL_NODES; i++) {
		struct addr group;

		if (addr_parse(all_nodes[i], COAP_PORT, &group) < 0 ||
			!is_served(u, group.family) || is_joined(u, &group, ifindex))
			continue;
		if ((rc = udp_join(u, &group, NULL, ifindex, e, &socket)) == 0)
			joined++;
		else if (!is_absence(rc))
			return rc;
	}
	return joined;
}

static int
join_all(struct udp *u, const char *interface, struct error *e)
{
	uint32_t ifindex = if_nametoindex(interface);
	int joined;

	if (ifindex == 0) {
		error_set(e, "discovery: no interface %s", interface);
		return -ENODEV;
	}
	error_set(e, "discovery: nothing listens at port %d, from which answers would leave",
		COAP_PORT);
	joined = join_missing(u, ifindex, e);
	if (joined < 0)
		return joined;
	if (!is_joined(u, NULL, ifindex))
		return -EADDRNOTAVAIL;
	log_info("discovery: All-CoAP-Nodes joined interface=%s groups=%d", interface, joined);
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

void
discovery_forget(struct udp *u, uint32_t ifindex)
{
	for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++) {
		if (udp_interface(u, (uint16_t)i) == ifindex)
			udp_leave(u, (uint16_t)i);
	}
}

/* Leaves what was joined on an interface that is none of these any more. */
static void
leave_others(struct udp *u, const char *const *interfaces, size_t n)
{
	for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++) {
		uint32_t ifindex = udp_interface(u, (uint16_t)i);
		bool wanted = ifindex == 0;

		for (size_t j = 0; j < n && !wanted; j++)
			wanted = if_nametoindex(interfaces[j]) == ifindex;
		if (!wanted)
			udp_leave(u, (uint16_t)i);
	}
}

void
discovery_follow(struct udp *u, const char *const *interfaces, size_t n)
{
	struct error e;

	leave_others(u, interfaces, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t ifindex = if_nametoindex(interfaces[i]);
		int joined = ifindex ? join_missing(u, ifindex, &e) : 0;

		if (joined < 0)
			log_warning("discovery: interface=%s: %s", interfaces[i], e.text);
		else if (joined > 0)
			log_notice("discovery: All-CoAP-Nodes joined again interface=%s groups=%d",
				interfaces[i], joined);
	}
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
