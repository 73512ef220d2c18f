/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One UDP socket with every option it needs: to listen at an address of ours,
 * or to be a member of one group. It opens and closes; it neither sends nor
 * receives, and is in no loop.
 */
#ifndef COAPCAST_TRANSPORT_SOCK_H
#define COAPCAST_TRANSPORT_SOCK_H

#include <net/if.h>

#include "base/addr.h"

#define SOCK_BUFFER (4 << 20) /* bytes asked for in each direction */

struct sock {
	struct addr at; /* where it is bound, with the port it got */
	struct addr only; /* joined: the one endpoint to listen to; port 0: any of
	                     * it; AF_UNSPEC: everybody */
	size_t n_buffer; /* bytes of receive buffer it got */
	uint32_t ifindex; /* joined: on which interface; 0: the kernel chose */
	char ifname[IF_NAMESIZE]; /* the name of it; empty: unknown */
	int fd; /* non-blocking */
	bool in6; /* an AF_INET6 socket: IPv4 is mapped on it */
	bool dual; /* one that takes IPv4 as well */
	bool joined; /* member of the group it is bound to */
	bool many; /* its datagrams may come to different addresses */
};

/* See udp_listen() and udp_join(), whose arguments and results these are. */
int sock_listen(const struct addr *at, struct error *e, struct sock *ret);
int sock_join(const struct addr *group, const struct addr *server, uint32_t ifindex,
	struct error *e, struct sock *ret);
void sock_close(struct sock *s);

/*
 * Joins once more what was joined on an interface that was deleted, on the one that has
 * its name now. 0, or negative errno: -ENODEV while there is none.
 */
int sock_rejoin(struct sock *s);

/* Whether it was opened with sock_listen() and gets what is sent to `local`. */
bool sock_serves(const struct sock *s, const struct addr *local);

/*
 * Has the kernel keep what comes back by ICMP instead of forgetting it. sock_refusal reads
 * one port that is closed: whom it was sent to, and the beginning of that datagram, in
 * `room`. False when there is none left.
 */
int sock_keep_errors(struct sock *s);
bool sock_refusal(const struct sock *s, struct addr *ret_to, struct buf *room);

/* Datagrams the kernel dropped because the receive buffer was full. */
uint32_t sock_overflows(const struct sock *s);

#endif
