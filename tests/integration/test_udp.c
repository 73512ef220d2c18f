/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport/udp with real sockets on loopback. Every case ends with the loop
 * closed and empty. What the kernel does not do on demand (refuse a datagram
 * in the middle of a batch, have no room) a sendmmsg() of our own does.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "transport/udp.h"
#include "../unit/unit.h"

#define DEADLINE_MS 10000 /* nothing here takes a second; then a case fails */
#define SEEN_MAX 4096

/* --- a kernel that refuses ------------------------------------------------- */

static struct {
	int full_after; /* datagrams until EAGAIN; -1: never */
	unsigned char refuse[8]; /* first payload bytes it will not send ... */
	unsigned n_refuse; /* ... so many of them */
	unsigned n_calls;
} kernel = {.full_after = -1};

static bool
refused(const struct mmsghdr *m)
{
	const unsigned char *p = m->msg_hdr.msg_iov->iov_base;

	for (unsigned i = 0; i < kernel.n_refuse; i++)
		if (*p == kernel.refuse[i])
			return true;
	return false;
}

/* Takes the place of the C library's: stops where Linux would, with its results. */
int
sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned most = n, upto = 0;
	long sent;

	kernel.n_calls++;
	if (kernel.full_after >= 0 && most > (unsigned)kernel.full_after)
		most = (unsigned)kernel.full_after;
	if (most == 0) {
		errno = EAGAIN;
		return -1;
	}
	while (upto < most && !refused(&m[upto]))
		upto++;
	if (upto == 0) {
		errno = EPERM;
		return -1;
	}
	sent = syscall(SYS_sendmmsg, fd, m, upto, flags);
	if (sent > 0 && kernel.full_after >= 0)
		kernel.full_after -= (int)sent;
	return (int)sent;
}

/* --- one of ours ------------------------------------------------------------ */

struct seen {
	struct path path;
	uint16_t n;
	uint8_t first; /* byte of the payload */
};

static struct host {
	uv_loop_t loop;
	uv_timer_t deadline;
	struct udp *u;
	struct seen seen[SEEN_MAX];
	unsigned n_seen, n_batches, wanted;
	bool echo; /* answer everything with itself */
	bool leaves; /* leave `leave` at the first datagram */
	bool closes; /* close everything at the first datagram */
	uint16_t leave;
	bool closed, late;
} host;

static void
on_closed(void *ctx)
{
	struct host *h = ctx;

	h->closed = true;
	uv_close((uv_handle_t *)&h->deadline, NULL);
}

static void
on_datagram(void *ctx, const struct path *from, struct bytes d)
{
	struct host *h = ctx;
	struct seen *s = &h->seen[h->n_seen++ % SEEN_MAX];

	*s = (struct seen){*from, (uint16_t)d.n, d.n ? d.p[0] : 0};
	if (h->echo) {
		struct buf *b = udp_open(h->u, from);

		ck_assert_ptr_nonnull(b);
		buf_put(b, d);
		udp_commit(h->u);
	}
	if (h->leaves)
		udp_leave(h->u, h->leave);
	if (h->closes) {
		udp_close(h->u, on_closed);
		h->u = NULL;
	}
	if (h->n_seen == h->wanted)
		uv_stop(&h->loop);
}

static void
on_batch(void *ctx)
{
	struct host *h = ctx;

	h->n_batches++;
}

static const struct udp_ops ops = {.on_datagram = on_datagram, .on_batch = on_batch};

static void
on_deadline(uv_timer_t *t)
{
	struct host *h = t->data;

	h->late = true;
	uv_stop(&h->loop);
}

static void
host_start(struct host *h)
{
	memset(h, 0, sizeof(*h));
	kernel.full_after = -1;
	kernel.n_refuse = 0;
	kernel.n_calls = 0;
	uv_loop_init(&h->loop);
	uv_timer_init(&h->loop, &h->deadline);
	h->deadline.data = h;
	uv_timer_start(&h->deadline, on_deadline, DEADLINE_MS, 0);
	h->u = udp_new(&h->loop, &ops, h);
}

/* Closing is part of every case: nothing may stay behind in the loop. */
static void
host_stop(struct host *h)
{
	if (h->u) {
		udp_close(h->u, on_closed);
		ck_assert(!h->closed);
	}
	uv_run(&h->loop, UV_RUN_DEFAULT);
	ck_assert(h->closed);
	ck_assert(!h->late);
	ck_assert_int_eq(uv_loop_close(&h->loop), 0);
}

static void
setup(void)
{
	host_start(&host);
}

static void
teardown(void)
{
	host_stop(&host);
}

/* Runs until n datagrams came, all in all. */
static void
host_wait(struct host *h, unsigned n)
{
	h->wanted = n;
	if (h->n_seen < n)
		uv_run(&h->loop, UV_RUN_DEFAULT);
	ck_assert_msg(!h->late, "%u of %u datagrams came", h->n_seen, n);
	ck_assert_uint_eq(h->n_seen, n);
}

/* A few turns without waiting: what has come comes. On loopback a datagram is
 * in the receive buffer when sending returns, so this proves an absence. */
static void
host_turn(struct host *h)
{
	for (int i = 0; i < 3; i++)
		uv_run(&h->loop, UV_RUN_NOWAIT);
}

static struct addr
addr_of(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, 0, &a) == 0, "%s", text);
	return a;
}

static uint16_t
host_listen(struct host *h, const char *at)
{
	struct addr a = addr_of(at);
	struct error e;
	uint16_t s;

	ck_assert_msg(udp_listen(h->u, &a, &e, &s) == 0, "%s", e.text);
	ck_assert_uint_ne(udp_address(h->u, s)->port, 0);
	return s;
}

static struct udp_stats
host_stats(struct host *h)
{
	struct udp_stats st;

	udp_stats(h->u, &st);
	return st;
}

/* --- and a plain socket on the other side ------------------------------------ */

static int
peer_open(const char *at)
{
	struct addr a = addr_of(at);
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&a, &ss);
	struct timeval wait = {.tv_sec = DEADLINE_MS / 1000};
	int fd = socket(a.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, n), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	return fd;
}

static struct addr
peer_address(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct addr a;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, &a));
	return a;
}

static void
peer_send(int fd, const struct addr *to, const void *what, size_t n)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(to, &ss);

	ck_assert_int_eq(sendto(fd, what, n, 0, (struct sockaddr *)&ss, len), (ssize_t)n);
}

static ssize_t
peer_receive(int fd, struct addr *ret_from, void *what, size_t n)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	ssize_t got = recvfrom(fd, what, n, 0, (struct sockaddr *)&ss, &len);

	ck_assert_msg(got >= 0, "nothing came: %s", strerror(errno));
	ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, ret_from));
	return got;
}

static bool
peer_idle(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* `ip` with the port of `of`. */
static struct addr
at_port(const char *ip, const struct addr *of)
{
	struct addr a = addr_of(ip);

	a.port = of->port;
	return a;
}

static void
check_addr(const struct addr *got, const struct addr *wanted)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	ck_assert_str_eq(addr_format(got, a), addr_format(wanted, b));
	ck_assert(addr_equal(got, wanted));
}

/* A port nobody has at the moment: bound shared by others afterwards. */
static uint16_t
free_port(void)
{
	int fd = peer_open("0.0.0.0");
	uint16_t port = peer_address(fd).port;

	close(fd);
	return port;
}

static bool
have_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 one = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool yes = fd >= 0 && bind(fd, (struct sockaddr *)&one, sizeof(one)) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

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

	if (strchr(echoes[_i].listen, ':') && !have_ipv6())
		return;
	s = host_listen(&host, echoes[_i].listen);
	host.echo = true;
	fd = peer_open(echoes[_i].peer);
	me = peer_address(fd);
	asked = at_port(echoes[_i].asked, udp_address(host.u, s));
	peer_send(fd, &asked, "ping", 4);
	host_wait(&host, 1);
	check_addr(&host.seen[0].path.remote, &me);
	check_addr(&host.seen[0].path.local, &asked);
	ck_assert_uint_eq(host.seen[0].path.socket, s);
	ck_assert_uint_eq(host.seen[0].path.ifindex, 0);
	ck_assert(!host.seen[0].path.multicast);
	ck_assert_int_eq(peer_receive(fd, &from, text, sizeof(text)), 4);
	check_addr(&from, &asked);
	ck_assert_uint_eq(host_stats(&host).sent, 1);
	close(fd);
}
END_TEST

START_TEST(an_unspecified_local_address_is_the_kernels_choice)
{
	uint16_t s = host_listen(&host, "0.0.0.0");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct addr from, wanted = at_port("127.0.0.1", udp_address(host.u, s));
	char c;

	buf_put_str(udp_open(host.u, &to), "x");
	udp_commit(host.u);
	udp_flush(host.u);
	ck_assert_int_eq(peer_receive(fd, &from, &c, 1), 1);
	check_addr(&from, &wanted);
	close(fd);
}
END_TEST

/* A broadcast is not a request to us alone: it must look like multicast. */
START_TEST(a_broadcast_counts_as_multicast)
{
	static const char *const at[] = {"0.0.0.0", "[::]"};
	int fd = peer_open("127.0.0.1"), yes = 1;
	struct addr to;
	uint16_t s;

	if (_i == 1 && !have_ipv6())
		return;
	s = host_listen(&host, at[_i]);
	to = at_port("127.255.255.255", udp_address(host.u, s));
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
	peer_send(fd, &to, "x", 1);
	host_wait(&host, 1);
	ck_assert(host.seen[0].path.multicast);
	to = at_port("127.0.0.1", &to);
	check_addr(&host.seen[0].path.local, &to);
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
send_byte(struct host *h, const struct path *to, uint8_t c)
{
	struct buf *b = udp_open(h->u, to);

	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(b->cap, UDP_SEND_MAX);
	ck_assert_uint_eq(b->n, 0);
	buf_put_u8(b, c);
	udp_commit(h->u);
}

static void
check_bytes(int fd, unsigned from, unsigned n)
{
	struct addr a;

	for (unsigned i = 0; i < n; i++) {
		uint8_t c = 0;

		ck_assert_int_eq(peer_receive(fd, &a, &c, 1), 1);
		ck_assert_uint_eq(c, (uint8_t)(from + i));
	}
	ck_assert(peer_idle(fd));
}

START_TEST(the_sixty_fourth_sends_all)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};

	for (unsigned i = 0; i < UDP_BATCH - 1; i++)
		send_byte(&host, &to, (uint8_t)i);
	ck_assert_uint_eq(kernel.n_calls, 0);
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG - UDP_BATCH + 1);
	send_byte(&host, &to, UDP_BATCH - 1);
	ck_assert_uint_eq(kernel.n_calls, 1);
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

	memcpy(kernel.refuse, cases[_i].refuse, 4);
	kernel.n_refuse = cases[_i].n;
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
	ck_assert(peer_idle(fd));
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
	struct path bad = {.remote = addr_of(to[_i]), .local = addr_of("127.0.0.1"), .socket = s};

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

	kernel.full_after = 5;
	for (unsigned i = 0; i < 10; i++)
		send_byte(&host, i & 1 ? &to2 : &to, (uint8_t)i);
	udp_flush(host.u);
	ck_assert_uint_eq(host_stats(&host).sent, 5);
	ck_assert_uint_eq(udp_room(host.u), UDP_BACKLOG - 5);
	check_bytes(fd, 0, 5);
	/* The loop polls for room (there is some all the time), and sends then. */
	host_turn(&host);
	ck_assert_uint_eq(host_stats(&host).sent, 5);
	kernel.full_after = -1;
	host_turn(&host);
	ck_assert_uint_eq(host_stats(&host).sent, 10);
	check_bytes(fd, 5, 5);
	/* With nothing left to send, it does not spin: a turn makes no call. */
	host_turn(&host);
	kernel.n_calls = 0;
	host_turn(&host);
	ck_assert_uint_eq(kernel.n_calls, 0);
	close(fd);
}
END_TEST

START_TEST(past_the_backlog_new_ones_are_dropped)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};

	/* Started in the middle, so that the ring goes around its end. */
	kernel.full_after = 30;
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
		kernel.full_after = 128;
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
	int fd = peer_open("127.0.0.1");
	struct path to = {.remote = peer_address(fd), .socket = s};
	struct path to2 = {.remote = to.remote, .socket = other};

	kernel.full_after = 0;
	send_byte(&host, &to, 50);
	send_byte(&host, &to2, 1);
	udp_flush(host.u);
	udp_leave(host.u, s);
	kernel.full_after = -1;
	udp_flush(host.u);
	check_bytes(fd, 1, 1);
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
	struct addr at = at_port("127.0.0.1", &(struct addr){.port = free_port()});
	struct sockaddr_in none = {.sin_family = AF_INET, .sin_port = htons(free_port())};
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
	struct addr at = addr_of(cases[_i].at);
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

START_TEST(no_address_twice)
{
	uint16_t s = host_listen(&host, "127.0.0.1");
	struct addr at = *udp_address(host.u, s);
	struct error e;

	ck_assert_int_eq(udp_listen(host.u, &at, &e, &s), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.text, "twice"));
}
END_TEST

/* Two sockets that share may get the same free port from the kernel. */
START_TEST(free_ports_differ)
{
	uint16_t ports[200];

	for (unsigned i = 0; i < 200; i++) {
		ports[i] = udp_address(host.u, host_listen(&host, "127.0.0.1"))->port;
		for (unsigned j = 0; j < i; j++)
			ck_assert_uint_ne(ports[i], ports[j]);
	}
}
END_TEST

START_TEST(sockets_are_limited)
{
	struct addr at = addr_of("127.0.0.1");
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
	uint16_t port = free_port();
	struct addr a = addr_of("[::]");
	struct error e;
	uint16_t s;

	if (!have_ipv6())
		return;
	a.port = port;
	ck_assert_int_eq(udp_listen(host.u, &a, &e, &s), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct addr local = at_port(cases[i].local, &a);

		ck_assert_int_eq(udp_find_socket(host.u, &local), 0);
	}
	a = at_port("127.0.0.1", &a);
	ck_assert_int_eq(udp_listen(host.u, &a, &e, &s), 0);
	a = at_port("0.0.0.0", &a);
	ck_assert_int_eq(udp_listen(host.u, &a, &e, &s), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct addr local = at_port(cases[i].local, &a);

		ck_assert_int_eq(udp_find_socket(host.u, &local), cases[i].socket);
	}
	a.port++;
	ck_assert_int_eq(udp_find_socket(host.u, &a), -ENOENT);
}
END_TEST

START_TEST(local_addresses)
{
	struct addr remote = addr_of("127.0.0.1"), local, one = addr_of("::1");

	ck_assert_int_eq(udp_local_for(&remote, &local), 0);
	check_addr(&local, &remote);
	if (have_ipv6()) {
		ck_assert_int_eq(udp_local_for(&one, &local), 0);
		check_addr(&local, &one);
	}
	remote = addr_of("255.255.255.255");
	ck_assert_int_lt(udp_local_for(&remote, &local), 0);
	remote.family = AF_UNSPEC;
	ck_assert_int_eq(udp_local_for(&remote, &local), -EAFNOSUPPORT);
}
END_TEST

/* --- groups --------------------------------------------------------------------------- */

#define GROUP "239.255.41.42"

static uint16_t
host_join(struct host *h, const struct addr *group, const struct addr *server)
{
	struct error e;
	uint16_t s;

	ck_assert_msg(udp_join(h->u, group, server, server ? 0 : if_nametoindex("lo"), &e, &s) == 0,
		"%s", e.text);
	check_addr(udp_address(h->u, s), group);
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

	g.source = at_port("127.0.0.1", &g.source);
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
		struct addr local = at_port("127.0.0.1", &group);

		ck_assert_uint_eq(h->seen[i].first, 'a' + i);
		check_addr(&p->remote, &server);
		check_addr(&p->local, &local);
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
	struct addr group = addr_of(GROUP), server;
	int ready[2], status = 1;
	uint16_t s;
	char c;
	pid_t pid;

	if (_i == 2 && !have_ipv6())
		return;
	group.port = free_port();
	s = host_listen(&host, senders[_i]);
	server = at_port("127.0.0.1", udp_address(host.u, s));
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
	struct timeval wait = {.tv_sec = DEADLINE_MS / 1000};
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
	struct addr group = addr_of(GROUP), from, server;
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

	if (_i == 2 && !have_ipv6())
		return;
	group.port = free_port();
	fd = member_open(&group);
	s = host_listen(&host, senders[_i]);
	server = at_port("127.0.0.1", udp_address(host.u, s));
	send_to_group(&host, s, &group, 'x');
	ck_assert_int_eq(recvmsg(fd, &m, 0), 1);
	ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, &from));
	check_addr(&from, &server);
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
	struct addr group = addr_of(GROUP), at = addr_of(senders[_i]), server;
	int fd;
	uint16_t s;
	struct error e;

	if (_i == 2 && !have_ipv6())
		return;
	group.port = at.port = free_port();
	ck_assert_msg(udp_listen(host.u, &at, &e, &s) == 0, "%s", e.text);
	server = at_port("127.0.0.1", udp_address(host.u, s));
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
	struct addr group = addr_of(GROUP), server, any_port;
	uint16_t s = host_listen(&host, "127.0.0.1"), other = host_listen(&host, "127.0.0.1");
	uint16_t third = host_listen(&host, "127.0.0.3"), member;
	struct udp_group g = {.ifindex = if_nametoindex("lo"), .socket = third, .hops = 1};

	group.port = free_port();
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
	struct addr group = addr_of(GROUP), from, wanted;
	int fd = peer_open("127.0.0.1");
	struct ip_mreqn m = {.imr_ifindex = (int)if_nametoindex("lo")};
	char text[4];

	group.port = free_port();
	host_join(&host, &group, NULL);
	host.echo = true;
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)), 0);
	peer_send(fd, &group, "who", 3);
	host_wait(&host, 1);
	ck_assert(host.seen[0].path.multicast);
	wanted = at_port("127.0.0.1", &group);
	check_addr(&host.seen[0].path.local, &wanted);
	ck_assert_int_eq(peer_receive(fd, &from, text, sizeof(text)), 3);
	check_addr(&from, &wanted);
	close(fd);
}
END_TEST

START_TEST(joins_that_fail_say_why)
{
	struct addr group = addr_of(GROUP), server = addr_of("127.0.0.1:5683"), wrong;
	int fd = peer_open("0.0.0.0");
	struct error e = {""};
	uint16_t s;

	group.port = peer_address(fd).port;
	ck_assert_int_eq(udp_join(host.u, &group, &server, 0, &e, &s), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.text, "another program holds the port"));
	close(fd);
	ck_assert_int_eq(udp_join(host.u, &group, &server, 9999, &e, &s), -ENODEV);
	wrong = addr_of("[::1]:5683");
	ck_assert_int_eq(udp_join(host.u, &group, &wrong, 0, &e, &s), -EINVAL);
	ck_assert_int_eq(udp_join(host.u, &server, NULL, 0, &e, &s), -EINVAL);
	wrong = addr_of("255.255.255.255:5683");
	ck_assert_int_lt(udp_join(host.u, &group, &wrong, 0, &e, &s), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "no interface leads to 255.255.255.255"));
	ck_assert_uint_eq(host_stats(&host).receive_errors, 0);
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

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, rfc7252_5_2_answers_leave_from_the_address_that_was_asked, 0, 7);
	tcase_add_test(t, an_unspecified_local_address_is_the_kernels_choice);
	tcase_add_loop_test(t, a_broadcast_counts_as_multicast, 0, 2);
	tcase_add_test(t, too_long_datagrams_are_counted_and_dropped);
	tcase_add_test(t, datagrams_come_in_batches_and_leave_time_for_others);
	tcase_add_test(t, what_overflows_the_receive_buffer_is_counted);
	tcase_add_test(t, the_sixty_fourth_sends_all);
	tcase_add_test(t, cancelled_and_overflowing_ones_do_not_leave);
	tcase_add_loop_test(t, one_that_is_refused_does_not_take_others_with_it, 0, 6);
	tcase_add_loop_test(t, unsendable_destinations_are_counted, 0, 3);
	tcase_add_test(t, a_full_socket_is_waited_for);
	tcase_add_test(t, past_the_backlog_new_ones_are_dropped);
	tcase_add_test(t, what_waits_for_a_closed_socket_goes_with_it);
	tcase_add_test(t, an_icmp_error_stops_nothing);
	tcase_add_loop_test(t, addresses_that_cannot_be_listened_at, 0, 5);
	tcase_add_test(t, no_address_twice);
	tcase_add_test(t, free_ports_differ);
	tcase_add_test(t, sockets_are_limited);
	tcase_add_test(t, the_socket_that_serves_an_address);
	tcase_add_test(t, local_addresses);
	tcase_add_loop_test(t, a_group_on_loopback_between_processes, 0, 3);
	tcase_add_loop_test(t, a_group_datagram_has_our_source_and_the_wanted_hops, 0, 3);
	tcase_add_loop_test(t, wildcard_sockets_do_not_hear_groups, 1, 3);
	tcase_add_test(t, a_member_hears_its_server_only);
	tcase_add_test(t, rfc7252_8_2_a_multicast_request_is_answered_from_a_unicast_address);
	tcase_add_test(t, joins_that_fail_say_why);
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
