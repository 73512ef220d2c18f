/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport/udp with real sockets on loopback: receiving, answering, the
 * outbox, and errors. Groups are in test_udpgroup.c.
 */
#include <errno.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "host.h"
#include "peer.h"
#include "transport/sock.h"
#include "../unit/unit.h"

/* --- receiving and answering -------------------------------------------------- */

static const struct {
	const char *listen, *peer, *asked;
} echoes[] = {
	{"127.0.0.1", "127.0.0.1", "127.0.0.1"},
	{"0.0.0.0", "127.0.0.1", "127.0.0.1"},
	{"0.0.0.0", "127.0.0.9", "127.0.0.7"},
	{"[::1]", "[::1]", "::1"},
	{"[::]", "[::1]", "::1"},
	{"[::]", "127.0.0.9", "127.0.0.1"},
	{"[::]", "127.0.0.1", "127.0.0.7"},
};

/* RFC 7252 5.2: a response comes from the endpoint the request went to. */
START_TEST(rfc7252_5_2_answers_leave_from_the_address_that_was_asked)
{
	uint16_t s;
	struct addr asked, from, me;
	char text[8];
	int fd;

	if (strchr(echoes[_i].listen, ':') && !peer_has_ipv6())
		return;
	s = host_listen(&host, echoes[_i].listen);
	host.echo = true;
	fd = peer_open(echoes[_i].peer);
	me = peer_address(fd);
	asked = peer_addr_at(echoes[_i].asked, udp_address(host.u, s));
	peer_send(fd, &asked, "ping", 4);
	host_wait(&host, 1);
	peer_check(&host.seen[0].path.remote, &me);
	peer_check(&host.seen[0].path.local, &asked);
	ck_assert_uint_eq(host.seen[0].path.socket, s);
	ck_assert_uint_eq(host.seen[0].path.ifindex, 0);
	ck_assert(!host.seen[0].path.multicast);
	ck_assert_int_eq(peer_receive(fd, &from, text, sizeof(text)), 4);
	peer_check(&from, &asked);
	ck_assert_uint_eq(host_stats(&host).sent, 1);
	close(fd);
}
END_TEST

START_TEST(an_unspecified_local_address_is_the_kernels_choice)
{
	uint16_t s = host_listen(&host, "0.0.0.0");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct addr from, wanted = peer_addr_at("127.0.0.1", udp_address(host.u, s));
	char c;

	buf_put_str(udp_open(host.u, &to), "x");
	udp_commit(host.u);
	udp_flush(host.u);
	ck_assert_int_eq(peer_receive(fd, &from, &c, 1), 1);
	peer_check(&from, &wanted);
	close(fd);
}
END_TEST

static void
send_byte(struct host *h, const struct path *to, uint8_t c)
{
	struct buf *b = udp_open(h->u, to);

	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(b->cap, UDP_SEND_MAX);
	ck_assert_uint_eq(b->n, 0);
	buf_put_u8(b, c);
	udp_commit(h->u);
}

/* A broadcast is not a request to us alone: it must look like multicast. */
START_TEST(a_broadcast_counts_as_multicast)
{
	static const char *const at[] = {"0.0.0.0", "[::]"};
	int fd = peer_open("127.0.0.1"), yes = 1;
	struct addr to, from;
	char c;
	uint16_t s;

	if (_i == 1 && !peer_has_ipv6())
		return;
	s = host_listen(&host, at[_i]);
	to = peer_addr_at("127.255.255.255", udp_address(host.u, s));
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
	peer_send(fd, &to, "x", 1);
	host_wait(&host, 1);
	ck_assert(host.seen[0].path.multicast);
	/* A dual-stack socket is not told which of ours that was. */
	to = peer_addr_at(_i == 1 ? "0.0.0.0" : "127.0.0.1", &to);
	peer_check(&host.seen[0].path.local, &to);
	ck_assert_uint_ne(host.seen[0].path.ifindex, 0);
	/* Either way there is a way back, and it is unicast. */
	to = peer_addr_at("127.0.0.1", &to);
	send_byte(&host, &host.seen[0].path, 'b');
	udp_flush(host.u);
	ck_assert_int_eq(peer_receive(fd, &from, &c, 1), 1);
	peer_check(&from, &to);
	close(fd);
}
END_TEST

START_TEST(too_long_datagrams_are_counted_and_dropped)
{
	static const struct {
		size_t n;
		bool comes;
	} lengths[] = {{0, true}, {1, true}, {1500, true}, {UDP_RECEIVE_MAX, true},
		{UDP_RECEIVE_MAX + 1, false}, {60000, false}, {3, true}};
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	char *text = mem_alloc(60000);
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		peer_send(fd, udp_address(host.u, s), text, lengths[i].n);
	host_wait(&host, 5);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		if (lengths[i].comes)
			ck_assert_uint_eq(host.seen[n++].n, lengths[i].n);
	ck_assert_uint_eq(host_stats(&host).truncated, 2);
	ck_assert_uint_eq(host_stats(&host).received, 5);
	free(text);
	close(fd);
}
END_TEST

START_TEST(datagrams_come_in_batches_and_leave_time_for_others)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");

	ck_assert_uint_ge(udp_receive_buffer(host.u, s), 200 << 10);
	for (unsigned i = 0; i < 130; i++)
		peer_send(fd, udp_address(host.u, s), "x", 1);
	host_wait(&host, 130);
	host_turn(&host);
	ck_assert_uint_eq(host.n_batches, 3);
	/* 1,000 at once need more than the default of an unprivileged process. */
	if (udp_receive_buffer(host.u, s) >= 4 << 20) {
		for (unsigned i = 0; i < 1000; i++)
			peer_send(fd, udp_address(host.u, s), "x", 1);
		uv_run(&host.loop, UV_RUN_NOWAIT);
		ck_assert_uint_lt(host.n_seen, 1130);
		host_wait(&host, 1130);
	}
	close(fd);
}
END_TEST

START_TEST(held_it_sends_and_what_comes_waits)
{
	uint16_t s = host_listen(&host, "127.0.0.1"), late;
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct addr from;
	char c;

	udp_hold(host.u, true);
	late = host_listen(&host, "127.0.0.1");
	peer_send(fd, udp_address(host.u, s), "1", 1);
	peer_send(fd, udp_address(host.u, late), "2", 1);
	send_byte(&host, &to, 'x');
	host_turn(&host);
	ck_assert_uint_eq(host.n_seen, 0);
	ck_assert_int_eq(peer_receive(fd, &from, &c, 1), 1);
	udp_hold(host.u, false);
	host_wait(&host, 2);
	ck_assert_uint_eq(host_stats(&host).received, 2);
	close(fd);
}
END_TEST

START_TEST(what_overflows_the_receive_buffer_is_counted)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	unsigned n = (unsigned)(udp_receive_buffer(host.u, s) / 256);

	/* A packet takes at least 512 bytes of what the kernel doubled. */
	for (unsigned i = 0; i < n + 100; i++)
		peer_send(fd, udp_address(host.u, s), "x", 1);
	ck_assert_uint_gt(host_stats(&host).overflowed, 0);
	host_wait(&host, n + 100 - (unsigned)host_stats(&host).overflowed);
	udp_leave(host.u, s);
	ck_assert_uint_gt(host_stats(&host).overflowed, 0);
	close(fd);
}
END_TEST

/* --- sending -------------------------------------------------------------------- */

static void
check_bytes(int fd, unsigned from, unsigned n)
{
	struct addr a;

	for (unsigned i = 0; i < n; i++) {
		uint8_t c = 0;

		ck_assert_int_eq(peer_receive(fd, &a, &c, 1), 1);
		ck_assert_uint_eq(c, (uint8_t)(from + i));
	}
	ck_assert(peer_is_idle(fd));
}

START_TEST(the_sixty_fourth_sends_all)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};

	for (unsigned i = 0; i < UDP_BATCH - 1; i++)
		send_byte(&host, &to, (uint8_t)i);
	ck_assert_uint_eq(host_kernel.n_calls, 0);
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG - UDP_BATCH + 1);
	send_byte(&host, &to, UDP_BATCH - 1);
	ck_assert_uint_eq(host_kernel.n_calls, 1);
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG);
	check_bytes(fd, 0, UDP_BATCH);
	/* Fewer go at the latest before the loop waits. */
	send_byte(&host, &to, 77);
	uv_run(&host.loop, UV_RUN_NOWAIT);
	check_bytes(fd, 77, 1);
	close(fd);
}
END_TEST

START_TEST(cancelled_and_overflowing_ones_do_not_leave)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct path nowhere = {.remote = to.remote, .socket = 9};
	struct buf *b;
	uint8_t *text = mem_alloc(UDP_SEND_MAX + 1);

	send_byte(&host, &to, 1);
	b = udp_open(host.u, &to);
	buf_put_u8(b, 100);
	udp_cancel(host.u);
	b = udp_open(host.u, &to);
	buf_put(b, bytes_of(text, UDP_SEND_MAX + 1));
	udp_commit(host.u);
	ck_assert_ptr_null(udp_open(host.u, &nowhere));
	send_byte(&host, &to, 2);
	udp_flush(host.u);
	check_bytes(fd, 1, 2);
	ck_assert_uint_eq(host_stats(&host).sent, 2);
	ck_assert_uint_eq(host_stats(&host).dropped, 1);
	free(text);
	close(fd);
}
END_TEST

/* sendmmsg() stops at an error and tells of it only in the next call. */
START_TEST(one_that_is_refused_does_not_take_others_with_it)
{
	static const struct {
		unsigned char refuse[4];
		unsigned n;
	} cases[] = {{{0}, 1}, {{3}, 1}, {{9}, 1}, {{0, 1}, 2}, {{4, 5, 7}, 3}, {{8, 9}, 2}};
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};

	memcpy(host_kernel.refuse, cases[_i].refuse, 4);
	host_kernel.n_refuse = cases[_i].n;
	for (unsigned i = 0; i < 10; i++)
		send_byte(&host, &to, (uint8_t)i);
	udp_flush(host.u);
	for (unsigned i = 0; i < 10; i++) {
		struct addr a;
		uint8_t c;

		if (memchr(cases[_i].refuse, (int)i, cases[_i].n))
			continue;
		ck_assert_int_eq(peer_receive(fd, &a, &c, 1), 1);
		ck_assert_uint_eq(c, i);
	}
	ck_assert(peer_is_idle(fd));
	ck_assert_uint_eq(host_stats(&host).sent, 10 - cases[_i].n);
	ck_assert_uint_eq(host_stats(&host).failed, cases[_i].n);
	close(fd);
}
END_TEST

/* The real thing: these the kernel itself refuses. */
START_TEST(unsendable_destinations_are_counted)
{
	static const char *const to[] = {"240.0.0.1:9", "[2001:db8::1]:9", "255.255.255.255:9"};
	uint16_t s = host_listen(&host, "0.0.0.0");
	int fd = peer_open("127.0.0.1");
	struct path good = {.remote = peer_address(fd), .socket = s};
	struct path bad = {
		.remote = peer_addr(to[_i]), .local = peer_addr("127.0.0.1"), .socket = s};

	send_byte(&host, &good, 1);
	send_byte(&host, &bad, 99);
	send_byte(&host, &good, 2);
	udp_flush(host.u);
	check_bytes(fd, 1, 2);
	ck_assert_uint_eq(host_stats(&host).failed, 1);
	close(fd);
}
END_TEST

START_TEST(a_full_socket_is_waited_for)
{
	uint16_t s = host_listen(&host, "127.0.0.1"), other = host_listen(&host, "127.0.0.2");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct path to2 = {.remote = to.remote, .socket = other};

	host_kernel.full_after = 5;
	for (unsigned i = 0; i < 10; i++)
		send_byte(&host, i & 1 ? &to2 : &to, (uint8_t)i);
	udp_flush(host.u);
	ck_assert_uint_eq(host_stats(&host).sent, 5);
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG - 5);
	check_bytes(fd, 0, 5);
	/* Still full before the loop waits; then it is woken by the room there is. */
	host_kernel.full_after = -1;
	host_kernel.n_full = 1;
	uv_run(&host.loop, UV_RUN_ONCE);
	ck_assert(!host.late);
	ck_assert_uint_eq(host_stats(&host).sent, 10);
	check_bytes(fd, 5, 5);
	close(fd);
}
END_TEST

static void
count_turn(uv_check_t *c)
{
	++*(unsigned *)c->data;
}

static void
stop(uv_timer_t *t)
{
	uv_stop(t->loop);
}

/* After a full socket had room again, the loop sleeps: it does not spin. */
START_TEST(room_is_not_waited_for_without_need)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	unsigned turns = 0;
	uv_check_t check;
	uv_timer_t timer;

	uv_check_init(&host.loop, &check);
	uv_timer_init(&host.loop, &timer);
	check.data = &turns;
	host_kernel.n_full = 2;
	send_byte(&host, &to, 1);
	udp_flush(host.u);
	uv_check_start(&check, count_turn);
	uv_timer_start(&timer, stop, 30, 0);
	uv_run(&host.loop, UV_RUN_DEFAULT);
	check_bytes(fd, 1, 1);
	uv_close((uv_handle_t *)&check, NULL);
	uv_close((uv_handle_t *)&timer, NULL);
	host_turn(&host); /* they are gone after this */
	ck_assert_uint_lt(turns, 10);
	close(fd);
}
END_TEST

START_TEST(past_the_backlog_new_ones_are_dropped)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};

	/* Started in the middle, so that the ring goes around its end. */
	host_kernel.full_after = 30;
	for (unsigned i = 0; i < 60; i++)
		send_byte(&host, &to, (uint8_t)i);
	udp_flush(host.u);
	check_bytes(fd, 0, 30);
	for (unsigned i = 60; i < 30 + UDP_BACKLOG; i++)
		send_byte(&host, &to, (uint8_t)i);
	ck_assert_uint_eq(udp_room(host.u), 0);
	ck_assert_ptr_null(udp_open(host.u, &to));
	ck_assert_ptr_null(udp_open(host.u, &to));
	ck_assert_uint_eq(host_stats(&host).dropped, 2);
	/* In pieces that a receive buffer of the default size holds. */
	for (unsigned i = 30; i < 30 + UDP_BACKLOG; i += 128) {
		host_kernel.full_after = 128;
		udp_flush(host.u);
		check_bytes(fd, i, 128);
	}
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG);
	ck_assert_uint_eq(host_stats(&host).failed, 0);
	close(fd);
}
END_TEST

START_TEST(what_waits_for_a_closed_socket_goes_with_it)
{
	uint16_t s = host_listen(&host, "127.0.0.1"), other = host_listen(&host, "127.0.0.2");
	int fd = peer_open("127.0.0.1"), other_fd;
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct path to2 = {.remote = to.remote, .socket = other};

	host_kernel.full_after = 0;
	send_byte(&host, &to, 50);
	send_byte(&host, &to2, 1);
	udp_flush(host.u);
	udp_leave(host.u, s);
	/* The next socket gets its descriptor, but not its datagrams. */
	other_fd = peer_open("127.0.0.1");
	host_kernel.full_after = -1;
	udp_flush(host.u);
	check_bytes(fd, 1, 1);
	close(other_fd);
	ck_assert_uint_eq(host_stats(&host).failed, 1);
	ck_assert_ptr_null(udp_address(host.u, s));
	ck_assert_ptr_null(udp_open(host.u, &to));
	close(fd);
}
END_TEST

/* --- errors that must not stop anything ------------------------------------------ */

/* Our own descriptor that is bound to a port. */
static int
find_fd(uint16_t port)
{
	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_storage ss;
		socklen_t n = sizeof(ss);
		struct addr a;

		if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0 &&
			addr_from_sockaddr((struct sockaddr *)&ss, &a) && a.port == port)
			return fd;
	}
	return -1;
}

/* libuv stops polling a socket with a pending error: it must start again. */
START_TEST(an_icmp_error_stops_nothing)
{
	struct addr at = peer_addr_at("127.0.0.1", &(struct addr){.port = peer_free_port()});
	struct sockaddr_in none = {.sin_family = AF_INET, .sin_port = htons(peer_free_port())};
	struct sockaddr off = {.sa_family = AF_UNSPEC};
	int fd = peer_open("127.0.0.1"), ours;
	struct error e;
	uint16_t s;

	ck_assert_int_eq(udp_listen(host.u, &at, &e, &s), 0);
	ours = find_fd(at.port);
	/* Only a connected socket is told of them. */
	none.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(ours, (struct sockaddr *)&none, sizeof(none)), 0);
	ck_assert_int_eq(send(ours, "x", 1, 0), 1);
	ck_assert_int_eq(connect(ours, &off, sizeof(off)), 0);
	host_turn(&host);
	ck_assert_uint_ge(host_stats(&host).receive_errors, 1);
	peer_send(fd, udp_address(host.u, s), "y", 1);
	host_wait(&host, 1);
	close(fd);
}
END_TEST

/* --- opening ------------------------------------------------------------------------ */

START_TEST(addresses_that_cannot_be_listened_at)
{
	static const struct {
		const char *at, *why;
	} cases[] = {
		{"224.0.1.187:5683", "not a unicast address"},
		{"[ff02::fd]:5683", "not a unicast address"},
		{"192.0.2.1:5683", "no interface has this address"},
		{"127.0.0.1:0", "another program holds the port and does not share it"},
		{"0.0.0.0:0", "another program holds the port and does not share it"},
	};
	struct addr at = peer_addr(cases[_i].at);
	int fd = peer_open("127.0.0.1");
	struct error e = {""};
	uint16_t s = 99;

	if (at.port == 0)
		at.port = peer_address(fd).port;
	ck_assert_int_lt(udp_listen(host.u, &at, &e, &s), 0);
	ck_assert_msg(strstr(e.text, cases[_i].why) != NULL, "%s", e.text);
	ck_assert_uint_eq(s, 99);
	ck_assert_ptr_null(udp_address(host.u, 0));
	close(fd);
}
END_TEST

START_TEST(without_ipv6_every_address_is_every_ipv4_address)
{
	struct addr at = peer_addr("[::1]"), wanted;
	struct error e;
	uint16_t s;

	host_kernel.no_ipv6 = true;
	ck_assert_int_eq(udp_listen(host.u, &at, &e, &s), -EAFNOSUPPORT);
	s = host_listen(&host, "[::]");
	wanted = peer_addr_at("0.0.0.0", udp_address(host.u, s));
	peer_check(udp_address(host.u, s), &wanted);
	at = peer_addr_at("127.0.0.1", &wanted);
	ck_assert_int_eq(udp_find_socket(host.u, &at), s);
	at = peer_addr_at("::1", &wanted);
	ck_assert_int_eq(udp_find_socket(host.u, &at), -ENOENT);
}
END_TEST

START_TEST(no_address_twice)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	struct addr at = *udp_address(host.u, s);
	struct error e;

	ck_assert_int_eq(udp_listen(host.u, &at, &e, &s), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.text, "twice"));
}
END_TEST

/* Sockets that share before they are bound may get the same free port: with
 * 700 of 28,000 that would be seen all but once in 5,000 runs. */
START_TEST(free_ports_differ)
{
	struct sock socks[700];
	struct addr at = peer_addr("127.0.0.1");
	static bool seen[65536];
	struct error e;

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 700; i++) {
		ck_assert_msg(sock_listen(&at, &e, &socks[i]) == 0, "%s", e.text);
		ck_assert(!seen[socks[i].at.port]);
		seen[socks[i].at.port] = true;
	}
	for (unsigned i = 0; i < 700; i++)
		sock_close(&socks[i]);
}
END_TEST

START_TEST(sockets_are_limited)
{
	struct addr at = peer_addr("127.0.0.1");
	struct error e;
	uint16_t s;

	for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++)
		host_listen(&host, "127.0.0.1");
	ck_assert_int_eq(udp_listen(host.u, &at, &e, &s), -EMFILE);
	/* An index is free again when its handle is closed. */
	udp_leave(host.u, 17);
	host_turn(&host);
	ck_assert_uint_eq(host_listen(&host, "127.0.0.1"), 17);
}
END_TEST

START_TEST(the_socket_that_serves_an_address)
{
	static const struct {
		const char *local;
		int socket;
	} cases[] = {{"127.0.0.1", 1}, {"127.0.0.2", 2}, {"10.1.2.3", 2}, {"::1", 0},
		{"2001:db8::1", 0}};
	uint16_t port = peer_free_port();
	struct addr a = peer_addr("[::]");
	struct error e;
	uint16_t s;

	if (!peer_has_ipv6())
		return;
	a.port = port;
	ck_assert_int_eq(udp_listen(host.u, &a, &e, &s), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct addr local = peer_addr_at(cases[i].local, &a);

		ck_assert_int_eq(udp_find_socket(host.u, &local), 0);
	}
	a = peer_addr_at("127.0.0.1", &a);
	ck_assert_int_eq(udp_listen(host.u, &a, &e, &s), 0);
	a = peer_addr_at("0.0.0.0", &a);
	ck_assert_int_eq(udp_listen(host.u, &a, &e, &s), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct addr local = peer_addr_at(cases[i].local, &a);

		ck_assert_int_eq(udp_find_socket(host.u, &local), cases[i].socket);
	}
	a.port++;
	ck_assert_int_eq(udp_find_socket(host.u, &a), -ENOENT);
}
END_TEST

START_TEST(local_addresses)
{
	struct addr remote = peer_addr("127.0.0.1"), local, one = peer_addr("::1");

	ck_assert_int_eq(udp_local_for(&remote, &local), 0);
	peer_check(&local, &remote);
	if (peer_has_ipv6()) {
		ck_assert_int_eq(udp_local_for(&one, &local), 0);
		peer_check(&local, &one);
	}
	remote = peer_addr("255.255.255.255");
	ck_assert_int_lt(udp_local_for(&remote, &local), 0);
	remote.family = AF_UNSPEC;
	ck_assert_int_eq(udp_local_for(&remote, &local), -EAFNOSUPPORT);
}
END_TEST

/* --- closing --------------------------------------------------------------------------- */

START_TEST(leaving_from_within_a_datagram)
{
	uint16_t s = host_listen(&host, "127.0.0.1"), other = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");

	host.leaves = true;
	host.leave = s;
	for (unsigned i = 0; i < 3; i++)
		peer_send(fd, udp_address(host.u, s), "x", 1);
	host_wait(&host, 1);
	host_turn(&host);
	ck_assert_uint_eq(host.n_seen, 1);
	peer_send(fd, udp_address(host.u, other), "x", 1);
	host_wait(&host, 2);
	close(fd);
}
END_TEST

START_TEST(closing_from_within_a_datagram)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");

	host.closes = true;
	host.echo = true;
	for (unsigned i = 0; i < 3; i++)
		peer_send(fd, udp_address(host.u, s), "x", 1);
	host_wait(&host, 1);
	/* The answer left before the socket was closed. */
	check_bytes(fd, 'x', 1);
	ck_assert_uint_eq(host.n_batches, 0);
	close(fd);
}
END_TEST

START_TEST(closing_without_a_socket)
{
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("udp");
	TCase *t = tcase_create("loopback");

	tcase_add_checked_fixture(t, host_setup, host_teardown);
	tcase_add_loop_test(t, rfc7252_5_2_answers_leave_from_the_address_that_was_asked, 0, 7);
	tcase_add_test(t, an_unspecified_local_address_is_the_kernels_choice);
	tcase_add_loop_test(t, a_broadcast_counts_as_multicast, 0, 2);
	tcase_add_test(t, too_long_datagrams_are_counted_and_dropped);
	tcase_add_test(t, datagrams_come_in_batches_and_leave_time_for_others);
	tcase_add_test(t, held_it_sends_and_what_comes_waits);
	tcase_add_test(t, what_overflows_the_receive_buffer_is_counted);
	tcase_add_test(t, the_sixty_fourth_sends_all);
	tcase_add_test(t, cancelled_and_overflowing_ones_do_not_leave);
	tcase_add_loop_test(t, one_that_is_refused_does_not_take_others_with_it, 0, 6);
	tcase_add_loop_test(t, unsendable_destinations_are_counted, 0, 3);
	tcase_add_test(t, a_full_socket_is_waited_for);
	tcase_add_test(t, room_is_not_waited_for_without_need);
	tcase_add_test(t, past_the_backlog_new_ones_are_dropped);
	tcase_add_test(t, what_waits_for_a_closed_socket_goes_with_it);
	tcase_add_test(t, an_icmp_error_stops_nothing);
	tcase_add_loop_test(t, addresses_that_cannot_be_listened_at, 0, 5);
	tcase_add_test(t, without_ipv6_every_address_is_every_ipv4_address);
	tcase_add_test(t, no_address_twice);
	tcase_add_test(t, free_ports_differ);
	tcase_add_test(t, sockets_are_limited);
	tcase_add_test(t, the_socket_that_serves_an_address);
	tcase_add_test(t, local_addresses);
	tcase_add_test(t, leaving_from_within_a_datagram);
	tcase_add_test(t, closing_from_within_a_datagram);
	tcase_add_test(t, closing_without_a_socket);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
