/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way a datagram came, which is the way its answer goes: both endpoints,
 * and the transport, socket and interface between them.
 */
#ifndef COAPCAST_MSG_PATH_H
#define COAPCAST_MSG_PATH_H

#include "base/addr.h"

enum path_transport { PATH_UDP, PATH_DTLS, PATH_TCP, PATH_TLS };

struct path {
	struct addr remote; /* the peer's endpoint */
	struct addr local; /* our address that was asked; for a multicast request a unicast one of
	                    * ours, or the unspecified one where the kernel is to choose */
	uint32_t ifindex; /* interface it came by; 0: let the kernel route */
	uint16_t socket; /* index of the socket within the transport, or a session's number */
	bool multicast; /* it came to a multicast address */
	uint8_t transport; /* enum path_transport */
};

/* What `socket` is for all but UDP: the number of a session, not used again soon. */
#define PATH_FIRST_SESSION 0x100

/* Nothing is lost or doubled on it as long as the session lasts (RFC 8323 3.1). */
static inline bool
path_is_reliable(const struct path *way)
{
	return way->transport == PATH_TCP || way->transport == PATH_TLS;
}

/* The transport itself keeps others from reading and writing. */
static inline bool
path_is_secure(const struct path *way)
{
	return way->transport == PATH_DTLS || way->transport == PATH_TLS;
}

/* The way of a multicast notification: from our own endpoint to the group's. */
struct group_path {
	struct addr group;
	struct addr source;
	uint32_t ifindex;
	uint16_t socket;
	uint8_t hops;
};

#endif
