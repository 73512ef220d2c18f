/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/looptest.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/rnd.h"
#include "transport/sock.h"

#define PATIENCE_MS 500
#define FIRST_PORT 49152 /* RFC 6335 6: of the dynamic ones */
#define N_PORTS 16384
#define PROOF 16 /* bytes that nobody else sends */

static int
set(int fd, bool in6, int in4_name, int in6_name, int value)
{
	return setsockopt(fd, in6 ? IPPROTO_IPV6 : IPPROTO_IP, in6 ? in6_name : in4_name, &value,
		sizeof(value));
}

/* A socket that sends from that address of the interface, and no further than this host. */
static int
open_sender(const struct addr *own, uint32_t ifindex)
{
	struct ip_mreqn on = {.imr_ifindex = (int)ifindex};
	bool in6 = own->family == AF_INET6;
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(own, &ss);
	int fd = socket(own->family, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = bind(fd, (struct sockaddr *)&ss, n);
	if (rc == 0 && !in6)
		rc = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof(on));
	if (rc == 0 && in6)
		rc = set(fd, true, 0, IPV6_MULTICAST_IF, (int)ifindex);
	if (rc == 0)
		rc = set(fd, in6, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, 1);
	if (rc == 0)
		rc = set(fd, in6, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, 0);
	if (rc == 0)
		return fd;
	rc = -errno;
	(void)close(fd);
	return rc;
}

static int
send_proof(const struct addr *own, uint32_t ifindex, const struct addr *group, struct bytes proof)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(group, &ss);
	int fd = open_sender(own, ifindex), rc = 0;

	if (fd < 0)
		return fd;
	if (sendto(fd, proof.p, proof.n, 0, (struct sockaddr *)&ss, n) < 0)
		rc = -errno;
	(void)close(fd);
	return rc;
}

/* What others send to the port is read and forgotten: a few times only. */
static bool
hears(const struct sock *s, struct bytes proof)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	uint8_t got[PROOF + 1];
	ssize_t n;

	for (int i = 0; i < 8 && poll(&p, 1, PATIENCE_MS) > 0; i++) {
		n = recv(s->fd, got, sizeof(got), 0);
		if (n >= 0 && bytes_equal(bytes_of(got, (size_t)n), proof))
			return true;
	}
	return false;
}

enum looptest_end
looptest_run(const struct addr *own, uint32_t ifindex, struct error *e)
{
	uint8_t proof[PROOF];
	struct sock s = {.fd = -1};
	struct addr group;
	uint16_t port;
	bool heard;
	int rc;

	rnd_fill(&port, sizeof(port));
	rnd_fill(proof, sizeof(proof));
	if (addr_parse(own->family == AF_INET6 ? "ff15::6c6f:6f70" : "239.255.108.111",
		    (uint16_t)(FIRST_PORT + port % N_PORTS), &group) < 0 ||
		sock_join(&group, own, ifindex, e, &s) < 0)
		return LOOPTEST_NOT_JOINED;
	if ((rc = send_proof(own, ifindex, &group, BYTES_OF(proof))) < 0) {
		sock_close(&s);
		error_set(e, "%s", strerror(-rc));
		return LOOPTEST_NOT_SENT;
	}
	heard = hears(&s, BYTES_OF(proof));
	sock_close(&s);
	if (heard)
		return LOOPTEST_HEARD;
	error_set(e, "nothing came back within %d ms", PATIENCE_MS);
	return LOOPTEST_NOT_HEARD;
}
