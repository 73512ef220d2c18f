/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the daemon serves: the addresses of `listen`, each on its transport, and a
 * lock on each against a second daemon.
 */
#ifndef COAPCAST_NET_LISTEN_H
#define COAPCAST_NET_LISTEN_H

#include "conf/conf.h"
#include "transport/coapd.h"
#include "transport/udp.h"

struct listen {
	int locks[UDP_SOCKETS_MAX];
	size_t n_locks;
};

/* Whether an address wants a transport with sessions. */
bool listen_needs_sessions(const struct conf *conf);

/* `coapd` may be NULL where none is needed. 0, or negative errno with e filled. */
int listen_start(struct listen *l, const struct conf *conf, struct udp *udp, struct coapd *coapd,
	struct error *e);
/* The endpoint that serves UDP at the address of a session; false: none does. */
bool listen_udp_of(const struct conf *conf, const struct udp *udp, const struct addr *at,
	struct addr *ret_local, uint16_t *ret_socket);
/* Gives the locks back. */
void listen_end(struct listen *l);

/* "coap://[::]:5683" */
void listen_describe(const struct conf_listen *l, struct buf *out);

#endif
