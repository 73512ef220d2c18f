/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of transport/udp, with real sockets on loopback: RFC 7252 8, and that
 * nobody hears what is not meant for him.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "host.h"
#include "peer.h"
#include "../unit/unit.h"

#define GROUP "239.255.41.42"

static uint16_t
host_join(struct host *h, const struct addr *group, const struct addr *server)
{
	struct error e;
	uint16_t s;

	ck_assert_msg(udp_join(h->u, group, server, server ? 0 : if_nametoindex("lo"), &e, &s) == 0,
		"%s", e.text);
	peer_check(udp_address(h->u, s), group);
	ck_assert_uint_eq(udp_interface(h->u, s), if_nametoindex("lo"));
	return s;
}

static void
send_to_group(struct host *h, uint16_t socket, const struct addr *group, uint8_t c)
{
	struct udp_group g = {.group = *group,
		.source = *udp_address(h->u, socket),
		.ifindex = if_nametoindex("lo"),
		.socket = socket,
		.hops = 3};
	struct buf *b;

	g.source = peer_addr_at("127.0.0.1", &g.source);
	b = udp_open_group(h->u, &g);
	ck_assert_ptr_nonnull(b);
	buf_put_u8(b, c);
	udp_commit(h->u);
	udp_flush(h->u);
}

static const char *const senders[] = {"127.0.0.1", "0.0.0.0", "[::]"};

/* The subscriber of the next case, in a process of its own; its exit status. */
static int
subscribe(int ready, struct addr server, struct addr group)
{
	struct host *h = mem_alloc(sizeof(*h));
	uint16_t s;

	host_start(h);
	s = host_join(h, &group, &server);
	ck_assert_int_eq(write(ready, "r", 1), 1);
	host_wait(h, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct path *p = &h->seen[i].path;
		struct addr local = peer_addr_at("127.0.0.1", &group);

		ck_assert_uint_eq(h->seen[i].first, 'a' + i);
		peer_check(&p->remote, &server);
		peer_check(&p->local, &local);
		ck_assert(p->multicast);
		ck_assert_uint_eq(p->socket, s);
		ck_assert_uint_eq(p->ifindex, if_nametoindex("lo"));
	}
	host_stop(h);
	free(h);
	return 0;
}

START_TEST(a_group_on_loopback_between_processes)
{
	struct addr group = peer_addr(GROUP), server;
	int ready[2], status = 1;
	uint16_t s;
	char c;
	pid_t pid;

	if (_i == 2 && !peer_has_ipv6())
		return;
	group.port = peer_free_port();
	s = host_listen(&host, senders[_i]);
	server = peer_addr_at("127.0.0.1", udp_address(host.u, s));
	ck_assert_int_eq(pipe(ready), 0);
	fflush(NULL);
	if ((pid = fork()) == 0)
		_exit(subscribe(ready[1], server, group));
	close(ready[1]);
	/* A child that fails closes the pipe without a word. */
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	for (unsigned i = 0; i < 3; i++)
		send_to_group(&host, s, &group, (uint8_t)('a' + i));
	ck_assert_uint_eq(host_stats(&host).sent, 3);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(ready[0]);
}
END_TEST

/* A plain member of the group, to see what others see. */
static int
member_open(const struct addr *group)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1;
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(group, &ss);
	struct timeval wait = {.tv_sec = PEER_WAIT_S};
	struct ip_mreqn m = {.imr_ifindex = (int)if_nametoindex("lo")};

	memcpy(&m.imr_multiaddr, group->ip, 4);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, n), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	return fd;
}

START_TEST(a_group_datagram_has_our_source_and_the_wanted_hops)
{
	struct addr group = peer_addr(GROUP), from, server;
	char control[CMSG_SPACE(sizeof(int))], c;
	struct sockaddr_storage ss;
	struct iovec iov = {&c, 1};
	struct msghdr m = {.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int fd, ttl = 0;
	uint16_t s;

	if (_i == 2 && !peer_has_ipv6())
		return;
	group.port = peer_free_port();
	fd = member_open(&group);
	s = host_listen(&host, senders[_i]);
	server = peer_addr_at("127.0.0.1", udp_address(host.u, s));
	send_to_group(&host, s, &group, 'x');
	ck_assert_int_eq(recvmsg(fd, &m, 0), 1);
	ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, &from));
	peer_check(&from, &server);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&m));
	memcpy(&ttl, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(ttl));
	ck_assert_int_eq(ttl, 3);
	close(fd);
}
END_TEST

/* Our own wildcard socket on the group's port must not hear what another
 * socket of this host joined. */
START_TEST(wildcard_sockets_do_not_hear_groups)
{
	struct addr group = peer_addr(GROUP), at = peer_addr(senders[_i]), server;
	int fd;
	uint16_t s;
	struct error e;

	if (_i == 2 && !peer_has_ipv6())
		return;
	group.port = at.port = peer_free_port();
	ck_assert_msg(udp_listen(host.u, &at, &e, &s) == 0, "%s", e.text);
	server = peer_addr_at("127.0.0.1", udp_address(host.u, s));
	host_join(&host, &group, &server);
	fd = member_open(&group);
	send_to_group(&host, s, &group, 'x');
	host_wait(&host, 1);
	host_turn(&host);
	ck_assert_uint_eq(host.n_seen, 1);
	ck_assert_uint_ne(host.seen[0].path.socket, s);
	/* And unicast to the port does not go to the member. */
	peer_send(fd, &server, "u", 1);
	host_wait(&host, 2);
	ck_assert_uint_eq(host.seen[1].path.socket, s);
	ck_assert(!host.seen[1].path.multicast);
	close(fd);
}
END_TEST

START_TEST(a_member_hears_its_server_only)
{
	struct addr group = peer_addr(GROUP), server, any_port;
	uint16_t s = host_listen(&host, "127.0.0.1"), other = host_listen(&host, "127.0.0.1");
	uint16_t third = host_listen(&host, "127.0.0.3"), member;
	struct udp_group g = {.ifindex = if_nametoindex("lo"), .socket = third, .hops = 1};

	group.port = peer_free_port();
	server = *udp_address(host.u, s);
	member = host_join(&host, &group, &server);
	send_to_group(&host, other, &group, 'o');
	send_to_group(&host, s, &group, 's');
	/* Another address is kept away by the kernel: the join names the source. */
	g.group = group;
	g.source = *udp_address(host.u, third);
	buf_put_u8(udp_open_group(host.u, &g), 't');
	udp_commit(host.u);
	udp_flush(host.u);
	host_wait(&host, 1);
	host_turn(&host);
	ck_assert_uint_eq(host.n_seen, 1);
	ck_assert_uint_eq(host.seen[0].first, 's');
	ck_assert_uint_eq(host_stats(&host).foreign, 1);
	/* Port 0 of the server: any of that host. */
	udp_leave(host.u, member);
	any_port = server;
	any_port.port = 0;
	host_join(&host, &group, &any_port);
	send_to_group(&host, other, &group, 'o');
	host_wait(&host, 2);
	ck_assert_uint_eq(host.seen[1].first, 'o');
}
END_TEST

/* RFC 7252 8.2: the answer to a multicast request has a unicast source. */
START_TEST(rfc7252_8_2_a_multicast_request_is_answered_from_a_unicast_address)
{
	struct addr group = peer_addr(GROUP), from, wanted;
	int fd = peer_open("127.0.0.1");
	struct ip_mreqn m = {.imr_ifindex = (int)if_nametoindex("lo")};
	char text[4];

	group.port = peer_free_port();
	host_join(&host, &group, NULL);
	host.echo = true;
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)), 0);
	peer_send(fd, &group, "who", 3);
	host_wait(&host, 1);
	ck_assert(host.seen[0].path.multicast);
	wanted = peer_addr_at("127.0.0.1", &group);
	peer_check(&host.seen[0].path.local, &wanted);
	ck_assert_int_eq(peer_receive(fd, &from, text, sizeof(text)), 3);
	peer_check(&from, &wanted);
	close(fd);
}
END_TEST

/* Whatever port the kernel gave the server may be its group's as well. */
START_TEST(a_group_on_a_port_the_kernel_chose)
{
	uint16_t s = host_listen(&host, "0.0.0.0");
	struct addr group = peer_addr_at(GROUP, udp_address(host.u, s));
	struct addr server = peer_addr_at("127.0.0.1", &group);

	host_join(&host, &group, &server);
	send_to_group(&host, s, &group, 'x');
	host_wait(&host, 1);
}
END_TEST

START_TEST(joins_that_fail_say_why)
{
	struct addr group = peer_addr(GROUP), server = peer_addr("127.0.0.1:5683"), wrong;
	int fd = peer_open("0.0.0.0");
	struct error e = {""};
	uint16_t s;

	group.port = peer_address(fd).port;
	ck_assert_int_eq(udp_join(host.u, &group, &server, 0, &e, &s), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.text, "another program holds the port"));
	close(fd);
	ck_assert_int_eq(udp_join(host.u, &group, &server, 9999, &e, &s), -ENODEV);
	wrong = peer_addr("[::1]:5683");
	ck_assert_int_eq(udp_join(host.u, &group, &wrong, 0, &e, &s), -EINVAL);
	ck_assert_int_eq(udp_join(host.u, &server, NULL, 0, &e, &s), -EINVAL);
	wrong = peer_addr("255.255.255.255:5683");
	ck_assert_int_lt(udp_join(host.u, &group, &wrong, 0, &e, &s), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "no interface leads to 255.255.255.255"));
	ck_assert_uint_eq(host_stats(&host).receive_errors, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("udpgroup");
	TCase *t = tcase_create("loopback");

	tcase_add_checked_fixture(t, host_setup, host_teardown);
	tcase_add_loop_test(t, a_group_on_loopback_between_processes, 0, 3);
	tcase_add_loop_test(t, a_group_datagram_has_our_source_and_the_wanted_hops, 0, 3);
	tcase_add_loop_test(t, wildcard_sockets_do_not_hear_groups, 1, 3);
	tcase_add_test(t, a_member_hears_its_server_only);
	tcase_add_test(t, rfc7252_8_2_a_multicast_request_is_answered_from_a_unicast_address);
	tcase_add_test(t, a_group_on_a_port_the_kernel_chose);
	tcase_add_test(t, joins_that_fail_say_why);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
