/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a captured frame to the UDP datagram in it: Ethernet with VLAN tags, Linux cooked
 * captures of both kinds, loopback and bare IP; IPv4 and IPv6 with extension headers.
 * Fragments are told, not put together; checksums are not looked at, as network cards
 * fill them in behind a capture's back.
 */
#ifndef COAPCAST_CLI_DATAGRAM_H
#define COAPCAST_CLI_DATAGRAM_H

#include "base/addr.h"

struct datagram {
	struct addr from, to; /* without a scope; port 0 in a fragment that has none */
	struct bytes payload; /* of UDP; borrowed */
};

enum datagram_verdict {
	DATAGRAM_UDP,
	DATAGRAM_CUT, /* UDP whose end was not captured; the payload is what is there */
	DATAGRAM_FRAGMENT, /* of an IP packet with UDP in it: only the addresses are set */
	DATAGRAM_OTHER, /* not UDP, or not understood; nothing is set */
};

/* Whether frames of this link type (of libpcap) can be read. */
bool datagram_can_read(int link);

enum datagram_verdict datagram_parse(int link, struct bytes frame, struct datagram *ret);

#endif
