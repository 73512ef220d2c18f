/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a capture holds, a line for each UDP datagram; -r: with its bytes, raw=HEX, at the end:
 *
 *	packets [-r] FILE.pcap
 *	12.345678 10.77.0.1:5683 > 239.255.17.4:5683 ttl=1 non 2.05 mid=8001 token=... "5678"
 *
 * and what bytes in hexadecimal say:
 *
 *	packets -x HEX		a CoAP datagram
 *	packets -c HEX		a CBOR item
 *
 * Reads Ethernet captures in the byte order of this machine; fragments are not put
 * together.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "show.h"

#define FRAME_MAX 65536
#define LINE_SIZE (4 * FRAME_MAX)
#define PCAP_MAGIC 0xa1b2c3d4u
#define LINK_ETHERNET 1
#define PROTO_UDP 17

struct record {
	uint32_t s, us, n, n_wire;
};

/* A UDP datagram and what its IP header says. */
struct packet {
	struct addr from, to;
	unsigned hops;
	struct bytes udp; /* header included */
};

static uint16_t
u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool
read_ip4(struct bytes ip, struct packet *ret)
{
	size_t head = ip.n ? (ip.p[0] & 15u) * 4u : 0;

	if (head < 20 || ip.n < head || u16(ip.p + 2) > ip.n || ip.p[9] != PROTO_UDP)
		return false;
	memcpy(ret->from.ip, ip.p + 12, 4);
	memcpy(ret->to.ip, ip.p + 16, 4);
	ret->from.family = ret->to.family = AF_INET;
	ret->hops = ip.p[8];
	ret->udp = bytes_from(bytes_head(ip, u16(ip.p + 2)), head);
	return true;
}

static bool
read_ip6(struct bytes ip, struct packet *ret)
{
	if (ip.n < 40 || ip.p[6] != PROTO_UDP || 40u + u16(ip.p + 4) > ip.n)
		return false;
	memcpy(ret->from.ip, ip.p + 8, 16);
	memcpy(ret->to.ip, ip.p + 24, 16);
	ret->from.family = ret->to.family = AF_INET6;
	ret->hops = ip.p[7];
	ret->udp = bytes_from(bytes_head(ip, 40u + u16(ip.p + 4)), 40);
	return true;
}

static bool
read_frame(struct bytes frame, struct packet *ret)
{
	bool known = false;

	*ret = (struct packet){.hops = 0};
	if (frame.n < 14)
		return false;
	if (u16(frame.p + 12) == 0x0800)
		known = read_ip4(bytes_from(frame, 14), ret);
	if (u16(frame.p + 12) == 0x86dd)
		known = read_ip6(bytes_from(frame, 14), ret);
	if (!known || ret->udp.n < 8)
		return false;
	ret->from.port = u16(ret->udp.p);
	ret->to.port = u16(ret->udp.p + 2);
	return true;
}

static void
print_packet(const struct record *r, const struct packet *p, bool raw)
{
	static uint8_t line[LINE_SIZE];
	struct buf out = buf_of(line, sizeof(line) - 1);
	char from[ADDR_STRLEN], to[ADDR_STRLEN];

	show_message(bytes_from(p->udp, 8), &out);
	if (raw) {
		buf_put_str(&out, " raw=");
		buf_put_hex(&out, bytes_from(p->udp, 8));
	}
	printf("%u.%06u %s > %s ttl=%u %s\n", r->s, r->us, addr_format(&p->from, from),
		addr_format(&p->to, to), p->hops, buf_str(&out));
}

static void
print_file(const char *path, bool raw)
{
	static uint8_t frame[FRAME_MAX];
	uint32_t head[6];
	struct record r;
	struct packet p;
	FILE *f = fopen(path, "rb");

	if (!f)
		err(1, "%s", path);
	if (fread(head, sizeof(head), 1, f) != 1 || head[0] != PCAP_MAGIC ||
		head[5] != LINK_ETHERNET)
		errx(1, "%s: not an Ethernet capture of this machine", path);
	while (fread(&r, sizeof(r), 1, f) == 1) {
		if (r.n > sizeof(frame) || fread(frame, 1, r.n, f) != r.n)
			errx(1, "%s: ends too early", path);
		if (read_frame(bytes_of(frame, r.n), &p))
			print_packet(&r, &p, raw);
	}
	fclose(f);
}

static void
print_hex(const char *hex, void (*show)(struct bytes what, struct buf *out))
{
	static uint8_t bytes[FRAME_MAX], line[LINE_SIZE];
	struct buf in = BUF_OF(bytes), out = buf_of(line, sizeof(line) - 1);

	if (!show_unhex(hex, &in) || in.full)
		errx(1, "not hexadecimal: %s", hex);
	show(buf_bytes(&in), &out);
	puts(buf_str(&out));
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-x") == 0)
		print_hex(argv[2], show_message);
	else if (argc == 3 && strcmp(argv[1], "-c") == 0)
		print_hex(argv[2], show_cbor);
	else if (argc == 3 && strcmp(argv[1], "-r") == 0)
		print_file(argv[2], true);
	else if (argc == 2)
		print_file(argv[1], false);
	else
		errx(2, "usage: packets [-r] FILE | -x HEX | -c HEX");
	return 0;
}
