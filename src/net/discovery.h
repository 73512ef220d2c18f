/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Being found by multicast: joins the All-CoAP-Nodes groups (RFC 7252 12.8) on the
 * configured interfaces, and finds the unicast endpoint that answers what comes
 * there (RFC 7252 8.2: never from the group's address). What is asked is answered
 * as everything else; leisure and suppression are the message layer's.
 */
#ifndef COAPCAST_NET_DISCOVERY_H
#define COAPCAST_NET_DISCOVERY_H

#include "base/error.h"
#include "transport/udp.h"

/*
 * Joins on each interface the groups of those families that a listening socket with
 * CoAP's default port serves. 0, or negative errno with e filled: no such interface, no
 * such socket, or no group that could be joined.
 */
int discovery_join(struct udp *u, const char *const *interfaces, size_t n, struct error *e);

/* Leaves what was joined on an interface that was deleted; another one may have its number. */
void discovery_forget(struct udp *u, uint32_t ifindex);
/*
 * Joins what is missing on these interfaces as they are now, and leaves what was
 * joined on others, such as one that is gone. Says so in the log.
 */
void discovery_follow(struct udp *u, const char *const *interfaces, size_t n);

/*
 * Turns the way of a multicast request into that of its answer: the listening socket
 * and the address of the interface that the kernel would take towards the client. Ways
 * of other sockets stay as they are. False: nobody answers, drop it.
 */
bool discovery_redirect(const struct udp *u, struct path *way);

#endif
