/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a host decides whether multicast gets to its programs, for one interface and one
 * address family: read from the kernel, judged by diagnosis.c. Changes nothing.
 */
#ifndef COAPCAST_CLI_HOSTFACTS_H
#define COAPCAST_CLI_HOSTFACTS_H

#include <net/if.h>

#include "base/addr.h"

#define HOSTFACTS_PROC "/proc/sys/net"

struct hostfacts {
	char name[IF_NAMESIZE]; /* of the interface; empty: there is none */
	uint32_t ifindex;
	unsigned flags; /* IFF_UP and so on */
	uint8_t family;
	struct addr own; /* of that family, on the interface; AF_UNSPEC: it has none */
	bool has_other; /* another interface, not the loopback one, has one too */
	struct addr leaves_by; /* whence a datagram to a group would go; AF_UNSPEC: no route */
	/* Settings of the kernel; -1: not there. Those of the other family are. */
	long rp_filter; /* 0 off, 1 strict, 2 loose */
	long memberships; /* of a socket */
	long option_memory; /* bytes a socket may take for these */
	long disabled; /* IPv6 */
};

/* `proc` is HOSTFACTS_PROC but for tests. Of what cannot be read nothing is said. */
void hostfacts_read(uint32_t ifindex, uint8_t family, const char *proc, struct hostfacts *ret);

/* The interface that a datagram to a group leaves by, else the first that is up; 0: none. */
uint32_t hostfacts_interface(uint8_t family);

/* The interface that the way back to that host goes by; 0: there is none. */
uint32_t hostfacts_way_to(const struct addr *host);

/* Parses a setting: one number and a newline. False when it is none. */
bool hostfacts_number(struct bytes text, long *ret);

#endif
