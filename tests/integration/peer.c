/* SPDX-License-Identifier: BSD-2-Clause */
#include "peer.h"

#include <errno.h>
#include <netinet/in.h>

#include "../unit/unit.h"

struct addr
peer_addr(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, 0, &a) == 0, "%s", text);
	return a;
}

int
peer_open(const char *at)
{
	struct addr a = peer_addr(at);
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&a, &ss);
	struct timeval wait = {.tv_sec = PEER_WAIT_S};
	int fd = socket(a.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, n), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	return fd;
}

struct addr
peer_address(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct addr a;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, &a));
	return a;
}

void
peer_send(int fd, const struct addr *to, const void *what, size_t n)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(to, &ss);

	ck_assert_int_eq(sendto(fd, what, n, 0, (struct sockaddr *)&ss, len), (ssize_t)n);
}

ssize_t
peer_receive(int fd, struct addr *ret_from, void *what, size_t n)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	ssize_t got = recvfrom(fd, what, n, 0, (struct sockaddr *)&ss, &len);

	ck_assert_msg(got >= 0, "nothing came: %s", strerror(errno));
	ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, ret_from));
	return got;
}

bool
peer_is_idle(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

struct addr
peer_addr_at(const char *ip, const struct addr *of)
{
	struct addr a = peer_addr(ip);

	a.port = of->port;
	return a;
}

void
peer_check(const struct addr *got, const struct addr *wanted)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	ck_assert_str_eq(addr_format(got, a), addr_format(wanted, b));
	ck_assert(addr_equal(got, wanted));
}

uint16_t
peer_free_port(void)
{
	int fd = peer_open("0.0.0.0");
	uint16_t port = peer_address(fd).port;

	close(fd);
	return port;
}

bool
peer_has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 one = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool yes = fd >= 0 && bind(fd, (struct sockaddr *)&one, sizeof(one)) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}
