/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/datagram.h"

#include <pcap/dlt.h>

#define ETHER_IP4 0x0800
#define ETHER_IP6 0x86dd
#define ETHER_VLAN 0x8100
#define ETHER_QINQ 0x88a8
#define MAX_VLANS 2
#define PROTO_HOP 0
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_OPTIONS 60
#define MAX_EXTENSIONS 8
#define UDP_HEAD 8

static uint16_t
u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The payload behind the ports; `ip` ends where the packet was to, or earlier: cut. */
static enum datagram_verdict
parse_udp(struct bytes udp, bool cut, struct datagram *ret)
{
	size_t n;

	if (udp.n < UDP_HEAD)
		return DATAGRAM_OTHER;
	n = u16(udp.p + 4);
	if (n < UDP_HEAD || (n > udp.n && !cut))
		return DATAGRAM_OTHER;
	ret->from.port = u16(udp.p);
	ret->to.port = u16(udp.p + 2);
	ret->payload = bytes_from(bytes_head(udp, n), UDP_HEAD);
	return n > udp.n ? DATAGRAM_CUT : DATAGRAM_UDP;
}

static enum datagram_verdict
parse_ip4(struct bytes ip, struct datagram *ret)
{
	size_t head, total;

	if (ip.n < 20 || ip.p[0] >> 4 != 4)
		return DATAGRAM_OTHER;
	head = (ip.p[0] & 15u) * 4u;
	total = u16(ip.p + 2);
	/* 0: the network card would have cut it into segments. */
	if (total == 0)
		total = ip.n;
	if (head < 20 || total < head || ip.n < head || ip.p[9] != PROTO_UDP)
		return DATAGRAM_OTHER;
	ret->from.family = ret->to.family = AF_INET;
	memcpy(ret->from.ip, ip.p + 12, 4);
	memcpy(ret->to.ip, ip.p + 16, 4);
	/* More Fragments, or an offset (RFC 791 3.1). */
	if ((u16(ip.p + 6) & 0x3fff) != 0)
		return DATAGRAM_FRAGMENT;
	return parse_udp(bytes_from(bytes_head(ip, total), head), total > ip.n, ret);
}

/* RFC 8200 4: what may stand between the header and UDP. */
static enum datagram_verdict
parse_extensions(struct bytes rest, uint8_t next, bool cut, struct datagram *ret)
{
	for (unsigned i = 0; i < MAX_EXTENSIONS; i++) {
		if (next == PROTO_UDP)
			return parse_udp(rest, cut, ret);
		if (rest.n < 8)
			return DATAGRAM_OTHER;
		if (next == PROTO_FRAGMENT) {
			/* Not the "atomic" ones of RFC 6946. */
			if ((u16(rest.p + 2) & 0xfff9) != 0)
				return rest.p[0] == PROTO_UDP ? DATAGRAM_FRAGMENT : DATAGRAM_OTHER;
			next = rest.p[0];
			rest = bytes_from(rest, 8);
		} else if (next == PROTO_HOP || next == PROTO_ROUTING || next == PROTO_OPTIONS) {
			next = rest.p[0];
			rest = bytes_from(rest, (rest.p[1] + 1u) * 8u);
		} else {
			return DATAGRAM_OTHER;
		}
	}
	return DATAGRAM_OTHER;
}

static enum datagram_verdict
parse_ip6(struct bytes ip, struct datagram *ret)
{
	size_t total;

	if (ip.n < 40 || ip.p[0] >> 4 != 6)
		return DATAGRAM_OTHER;
	total = 40u + u16(ip.p + 4);
	ret->from.family = ret->to.family = AF_INET6;
	memcpy(ret->from.ip, ip.p + 8, 16);
	memcpy(ret->to.ip, ip.p + 24, 16);
	return parse_extensions(bytes_from(bytes_head(ip, total), 40), ip.p[6], total > ip.n, ret);
}

/* Which of the two the packet says itself that it is. */
static enum datagram_verdict
parse_ip(struct bytes ip, struct datagram *ret)
{
	return ip.n > 0 && ip.p[0] >> 4 == 6 ? parse_ip6(ip, ret) : parse_ip4(ip, ret);
}

static enum datagram_verdict
parse_ether_type(uint16_t type, struct bytes rest, struct datagram *ret)
{
	for (unsigned i = 0; i < MAX_VLANS && (type == ETHER_VLAN || type == ETHER_QINQ); i++) {
		if (rest.n < 4)
			return DATAGRAM_OTHER;
		type = u16(rest.p + 2);
		rest = bytes_from(rest, 4);
	}
	if (type == ETHER_IP4)
		return parse_ip4(rest, ret);
	return type == ETHER_IP6 ? parse_ip6(rest, ret) : DATAGRAM_OTHER;
}

/* The link types: how long the header is, and where in it is an EtherType. */
static const struct link {
	int link;
	size_t head;
	int at; /* -1: none, the packet says what it is */
} links[] = {
	{DLT_EN10MB, 14, 12},
	{DLT_LINUX_SLL, 16, 14},
	{DLT_LINUX_SLL2, 20, 0},
	{DLT_NULL, 4, -1},
	{DLT_LOOP, 4, -1},
	{DLT_RAW, 0, -1},
	{DLT_IPV4, 0, -1},
	{DLT_IPV6, 0, -1},
};

static const struct link *
find_link(int link)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (links[i].link == link)
			return &links[i];
	}
	return NULL;
}

bool
datagram_can_read(int link)
{
	return find_link(link) != NULL;
}

enum datagram_verdict
datagram_parse(int link, struct bytes frame, struct datagram *ret)
{
	const struct link *l = find_link(link);
	struct datagram d = {.payload = BYTES_NONE};
	enum datagram_verdict v;
	struct bytes rest;

	if (!l || frame.n < l->head)
		return DATAGRAM_OTHER;
	rest = bytes_from(frame, l->head);
	v = l->at < 0 ? parse_ip(rest, &d) : parse_ether_type(u16(frame.p + l->at), rest, &d);
	if (v != DATAGRAM_OTHER)
		*ret = d;
	return v;
}
