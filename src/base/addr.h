/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IP address with a port: one endpoint of an exchange. IPv4 seen through a
 * dual-stack socket is IPv4 here; only transport knows of mapped addresses.
 */
#ifndef COAPCAST_BASE_ADDR_H
#define COAPCAST_BASE_ADDR_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/error.h"

struct addr {
	uint8_t ip[16]; /* network order; IPv4 in the first 4, the rest zero */
	uint32_t scope; /* interface index of a link-local IPv6 address, else 0 */
	uint16_t port; /* host order */
	uint8_t family; /* AF_INET, AF_INET6, or AF_UNSPEC: no address */
	uint8_t pad; /* zero, so that memcmp and hashing see no noise */
};

#define ADDR_STRLEN 72 /* "[v6%scope]:port" and its NUL */

/* Bytes of the ip in use: 4, 16, or 0 without an address. */
size_t addr_ip_len(const struct addr *a);
struct bytes addr_ip(const struct addr *a);

bool addr_equal(const struct addr *a, const struct addr *b); /* with port */
bool addr_same_host(const struct addr *a, const struct addr *b); /* without */
uint32_t addr_hash(const struct addr *a, uint32_t seed);

bool addr_is_multicast(const struct addr *a);
bool addr_is_link_local(const struct addr *a); /* 169.254/16, fe80::/10, 224.0.0/24, ff01, ff02 */
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);

/*
 * Reads "1.2.3.4", "::1", "[::1]", "fe80::1%eth0", each with an optional
 * ":port" (IPv6 then in brackets); `port` is what a missing one becomes.
 * 0 or -EINVAL.
 */
int addr_parse(const char *text, uint16_t port, struct addr *ret);

/* "1.2.3.4:5683", "[::1]:5683"; into out (ADDR_STRLEN), which is returned. */
const char *addr_format(const struct addr *a, char out[ADDR_STRLEN]);
/* The same without port and brackets. */
const char *addr_format_host(const struct addr *a, char out[ADDR_STRLEN]);

/* To and from the socket interface; 0 bytes / false for another family. */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ret);
bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret);

/* An address block such as 10.0.0.0/8 or fd00::/8; a bare address is a block of one. */
struct prefix {
	struct addr base; /* host bits zero, port 0 */
	uint8_t bits;
};

int prefix_parse(const char *text, struct prefix *ret); /* 0 or -EINVAL */
bool prefix_holds(const struct prefix *p, const struct addr *a);
const char *prefix_format(const struct prefix *p, char out[ADDR_STRLEN]);

#endif
