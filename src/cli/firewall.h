/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which chains of nftables look at what comes in (nf_tables over netlink, so iptables-nft as
 * well): what they let through only trying shows. Needs CAP_NET_ADMIN.
 */
#ifndef COAPCAST_CLI_FIREWALL_H
#define COAPCAST_CLI_FIREWALL_H

#include "base/bytes.h"

#define FIREWALL_NAME 40

/* A chain at input or prerouting that may drop. */
struct firewall_chain {
	char family[8]; /* "inet", "ip", "ip6" */
	char table[FIREWALL_NAME];
	char chain[FIREWALL_NAME]; /* cut when it is longer */
	bool drops; /* its policy: what no rule accepts */
};

struct firewall {
	unsigned n; /* chains there are for the family */
	struct firewall_chain first; /* the first of them that drops, else the first */
};

/* 0; -EPERM: not allowed to look; -ENOTSUP: the kernel has no nftables. */
int firewall_read(uint8_t family, struct firewall *ret);

/* What a datagram of netlink adds to it; true at the end of the dump. */
bool firewall_take(struct firewall *f, uint8_t family, struct bytes datagram, int *ret_error);

#endif
