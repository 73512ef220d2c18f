/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport/udp on a command line, for the tests in network namespaces:
 *
 *	mcast_probe send LISTEN SOURCE GROUP INTERFACE HOPS N
 *		N datagrams from a socket at LISTEN to a group
 *	mcast_probe member GROUP SERVER N
 *		join as a subscriber does, print where N datagrams came from
 *	mcast_probe echo LISTEN [GROUP INTERFACE]
 *		answer unicast and group requests until SIGTERM
 *
 * Prints "ready" when its sockets are open. Exit status 0 when all of it worked
 * and nothing was left in the loop.
 */
#include <err.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "transport/udp.h"

static struct probe {
	uv_loop_t loop;
	uv_signal_t term;
	struct udp *u;
	long wanted; /* datagrams until the end */
	bool echo;
} probe;

static void
stop(struct probe *p)
{
	udp_close(p->u, NULL);
	uv_close((uv_handle_t *)&p->term, NULL);
}

static void
on_term(uv_signal_t *s, int signum)
{
	(void)signum;
	stop(s->data);
}

static void
on_datagram(void *ctx, const struct path *from, struct bytes d)
{
	struct probe *p = ctx;
	char remote[ADDR_STRLEN], local[ADDR_STRLEN], ifname[IF_NAMESIZE] = "-";

	if (from->ifindex)
		if_indextoname(from->ifindex, ifname);
	printf("%s %s %s %s\n", addr_format(&from->remote, remote),
		addr_format(&from->local, local), ifname, from->multicast ? "group" : "unicast");
	fflush(stdout);
	if (p->echo) {
		struct buf *b = udp_open(p->u, from);

		if (!b)
			errx(1, "no room to answer");
		buf_put(b, d);
		udp_commit(p->u);
	}
	if (--p->wanted == 0)
		stop(p);
}

static const struct udp_ops ops = {.on_datagram = on_datagram};

static struct addr
address(const char *text)
{
	struct addr a;

	if (addr_parse(text, 5683, &a) < 0)
		errx(1, "not an address: %s", text);
	return a;
}

static uint16_t
listen_at(struct probe *p, const char *text)
{
	struct addr a = address(text);
	struct error e;
	uint16_t s;

	if (udp_listen(p->u, &a, &e, &s) < 0)
		errx(1, "%s", e.text);
	return s;
}

static void
join(struct probe *p, const char *group, const char *server, const char *ifname)
{
	struct addr g = address(group), from;
	struct error e;
	uint16_t s;

	if (server)
		from = address(server);
	if (udp_join(p->u, &g, server ? &from : NULL, ifname ? if_nametoindex(ifname) : 0, &e, &s) <
		0)
		errx(1, "%s", e.text);
}

static void
send_group(struct probe *p, char **argv)
{
	struct udp_group g = {.socket = listen_at(p, argv[0]),
		.source = address(argv[1]),
		.group = address(argv[2]),
		.ifindex = if_nametoindex(argv[3]),
		.hops = (uint8_t)atoi(argv[4])};
	long n = atol(argv[5]);
	struct udp_stats st;

	for (long i = 0; i < n; i++) {
		struct buf *b = udp_open_group(p->u, &g);

		if (!b)
			errx(1, "no room to send");
		buf_printf(b, "value %ld", i);
		udp_commit(p->u);
	}
	udp_flush(p->u);
	udp_stats(p->u, &st);
	if (st.sent != (uint64_t)n)
		errx(1, "%lu of %ld sent, %lu refused", (unsigned long)st.sent, n,
			(unsigned long)st.failed);
	stop(p);
}

int
main(int argc, char **argv)
{
	struct probe *p = &probe;
	const char *mode = argc > 1 ? argv[1] : "";

	uv_loop_init(&p->loop);
	uv_signal_init(&p->loop, &p->term);
	p->term.data = p;
	uv_signal_start(&p->term, on_term, SIGTERM);
	p->u = udp_new(&p->loop, &ops, p);
	if (strcmp(mode, "send") == 0 && argc == 8) {
		send_group(p, argv + 2);
	} else if (strcmp(mode, "member") == 0 && argc == 5) {
		p->wanted = atol(argv[4]);
		join(p, argv[2], argv[3], NULL);
	} else if (strcmp(mode, "echo") == 0 && (argc == 3 || argc == 5)) {
		p->echo = true;
		listen_at(p, argv[2]);
		if (argc == 5)
			join(p, argv[3], NULL, argv[4]);
	} else {
		errx(2, "usage: see the source");
	}
	printf("ready\n");
	fflush(stdout);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return uv_loop_close(&p->loop) == 0 ? 0 : 1;
}
