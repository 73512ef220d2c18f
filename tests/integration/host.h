/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One struct udp in a loop of its own, that records what comes and ends with
 * the loop closed and empty. What the kernel does not do on demand (refuse a
 * datagram in the middle of a batch, have no room, no IPv6) a sendmmsg() and a
 * socket() do that take the place of the C library's.
 */
#ifndef COAPCAST_TESTS_HOST_H
#define COAPCAST_TESTS_HOST_H

#include "transport/udp.h"

#define SEEN_MAX 4096

/* What the kernel is made to do; host_start() makes it well-behaved. */
extern struct host_kernel {
	int full_after; /* datagrams until EAGAIN; -1: never */
	unsigned n_full; /* calls that say EAGAIN before that counts */
	unsigned char refuse[8]; /* first payload bytes it will not send ... */
	unsigned n_refuse; /* ... so many of them */
	unsigned n_calls;
	bool no_ipv6; /* it has no such sockets */
} host_kernel;

struct seen {
	struct path path;
	uint16_t n;
	uint8_t first; /* byte of the payload */
};

struct host {
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
};

/* The one of the case that runs; host_setup() and host_teardown() are its fixture. */
extern struct host host;

void host_setup(void);
void host_teardown(void);
void host_start(struct host *h);
void host_stop(struct host *h);

uint16_t host_listen(struct host *h, const char *at);
/* Runs until n datagrams came, all in all. */
void host_wait(struct host *h, unsigned n);
/*
 * A few turns without waiting: what has come comes. On loopback a datagram is
 * in the receive buffer when sending returns, so this proves an absence.
 */
void host_turn(struct host *h);
struct udp_stats host_stats(struct host *h);

#endif
