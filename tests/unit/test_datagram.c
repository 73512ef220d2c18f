/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of every link type that decode reads; what is in them is cut at every place. */
#include <pcap/dlt.h>

#include "cli/datagram.h"
#include "hex.h"
#include "unit.h"

#define IP4 "4500 0021 0001 0000 4011 0000 0a000001 efff1104 "
#define UDP "9c40 1633 000d 0000 "
#define DATA "4001 0203 ff"
#define IP6                                                            \
	"6000 0000 000d 1140 fd00 0000 0000 0000 0000 0000 0000 0001 " \
	"ff35 0030 fd00 0000 0000 0000 0000 0001 "
#define MACS "01005e7f1104 020000000001 "

static const struct {
	int link;
	const char *hex;
	const char *to;
} good[] = {
	{DLT_EN10MB, MACS "0800 " IP4 UDP DATA, "239.255.17.4:5683"},
	{DLT_EN10MB, MACS "0800 " IP4 UDP DATA "00000000 0000", "239.255.17.4:5683"}, /* padded */
	{DLT_EN10MB, MACS "8100 0005 0800 " IP4 UDP DATA, "239.255.17.4:5683"},
	{DLT_EN10MB, MACS "88a8 0005 8100 0007 86dd " IP6 UDP DATA, "[ff35:30:fd00::1]:5683"},
	{DLT_LINUX_SLL, "0000 0001 0006 020000000001 0000 0800 " IP4 UDP DATA, "239.255.17.4:5683"},
	{DLT_LINUX_SLL2, "86dd 0000 00000002 0001 00 06 0200000000010000 " IP6 UDP DATA,
		"[ff35:30:fd00::1]:5683"},
	{DLT_NULL, "02000000 " IP4 UDP DATA, "239.255.17.4:5683"},
	{DLT_LOOP, "0000001c " IP6 UDP DATA, "[ff35:30:fd00::1]:5683"},
	{DLT_RAW, IP4 UDP DATA, "239.255.17.4:5683"},
	{DLT_RAW, IP6 UDP DATA, "[ff35:30:fd00::1]:5683"},
	{DLT_IPV4, "4600 0025 0001 0000 4011 0000 0a000001 efff1104 94040000 " UDP DATA,
		"239.255.17.4:5683"}, /* router alert */
	{DLT_IPV6,
		"6000 0000 0015 0040 fd00 0000 0000 0000 0000 0000 0000 0001 "
		"ff35 0030 fd00 0000 0000 0000 0000 0001 1100 0502 0000 0100 " UDP DATA,
		"[ff35:30:fd00::1]:5683"}, /* hop-by-hop options */
	{DLT_IPV6,
		"6000 0000 0015 2c40 fd00 0000 0000 0000 0000 0000 0000 0001 "
		"ff35 0030 fd00 0000 0000 0000 0000 0001 1100 0000 0000 0001 " UDP DATA,
		"[ff35:30:fd00::1]:5683"}, /* RFC 6946: an atomic fragment */
};

START_TEST(each_link_type)
{
	uint8_t raw[HEX_MAX];
	struct bytes frame = hex_bytes(good[_i].hex, raw);
	char text[ADDR_STRLEN];
	struct datagram d;

	ck_assert(datagram_can_read(good[_i].link));
	ck_assert_int_eq(datagram_parse(good[_i].link, frame, &d), DATAGRAM_UDP);
	ck_assert_str_eq(addr_format(&d.to, text), good[_i].to);
	ck_assert_uint_eq(d.from.port, 40000);
	ck_assert_uint_eq(d.payload.n, 5);
	ck_assert_uint_eq(d.payload.p[4], 0xff);
}
END_TEST

/* What is missing is cut, or it is nothing at all; never more than there is. */
START_TEST(cut_anywhere)
{
	uint8_t raw[HEX_MAX];
	struct bytes frame = hex_bytes(good[_i].hex, raw);
	size_t n_padding = _i == 1 ? 6 : 0;

	for (size_t n = 0; n + n_padding < frame.n; n++) {
		uint8_t *exact = malloc(n + 1); /* for the sanitizer */
		struct datagram d = {.payload = BYTES_NONE};
		enum datagram_verdict v;

		memcpy(exact, frame.p, n);
		v = datagram_parse(good[_i].link, bytes_of(exact, n), &d);
		ck_assert(v == DATAGRAM_OTHER || v == DATAGRAM_CUT);
		if (v == DATAGRAM_CUT) {
			ck_assert_uint_lt(d.payload.n, 5);
			ck_assert(d.payload.n == 0 || d.payload.p + d.payload.n <= exact + n);
		}
		free(exact);
	}
}
END_TEST

static const struct {
	int link;
	const char *hex;
	enum datagram_verdict wanted;
} others[] = {
	/* first, middle and last fragment */
	{DLT_RAW, "4500 0021 0001 2000 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_FRAGMENT},
	{DLT_RAW, "4500 0021 0001 2010 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_FRAGMENT},
	{DLT_RAW, "4500 0021 0001 0010 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_FRAGMENT},
	{DLT_RAW,
		"6000 0000 0015 2c40 fd00 0000 0000 0000 0000 0000 0000 0001 "
		"ff35 0030 fd00 0000 0000 0000 0000 0001 1100 0001 0000 0001 " UDP DATA,
		DATAGRAM_FRAGMENT},
	/* TCP, and a fragment of it */
	{DLT_RAW, "4500 0021 0001 0000 4006 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_OTHER},
	{DLT_RAW,
		"6000 0000 0015 2c40 fd00 0000 0000 0000 0000 0000 0000 0001 "
		"ff35 0030 fd00 0000 0000 0000 0000 0001 0600 0001 0000 0001 " UDP DATA,
		DATAGRAM_OTHER},
	/* lengths that cannot be: of the header, of the packet, of UDP */
	{DLT_RAW, "4400 0021 0001 0000 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_OTHER},
	{DLT_RAW, "4f00 0021 0001 0000 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_OTHER},
	{DLT_RAW, "4500 0013 0001 0000 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_OTHER},
	{DLT_RAW, IP4 "9c40 1633 0007 0000 " DATA, DATAGRAM_OTHER},
	{DLT_RAW, IP4 "9c40 1633 0010 0000 " DATA, DATAGRAM_OTHER},
	/* neither IPv4 nor IPv6 */
	{DLT_RAW, "5500 0021 0001 0000 4011 0000 0a000001 efff1104 " UDP DATA, DATAGRAM_OTHER},
	{DLT_EN10MB, MACS "0806 " IP4 UDP DATA, DATAGRAM_OTHER},
	{DLT_EN10MB, MACS "8100 0001 8100 0001 8100 0001 0800 " IP4 UDP DATA, DATAGRAM_OTHER},
	{DLT_EN10MB, MACS "0800 " IP6 UDP DATA, DATAGRAM_OTHER},
	{DLT_PPP, IP4 UDP DATA, DATAGRAM_OTHER},
};

START_TEST(what_is_not_udp)
{
	uint8_t raw[HEX_MAX];
	struct bytes frame = hex_bytes(others[_i].hex, raw);
	struct datagram d;

	ck_assert_int_eq(datagram_parse(others[_i].link, frame, &d), others[_i].wanted);
}
END_TEST

/* Headers without end. */
START_TEST(extension_headers_are_bounded)
{
	uint8_t raw[40 + 8 * 20] = {0x60, 0, 0, 0, 0, 8 * 20};
	struct datagram d;

	ck_assert_int_eq(datagram_parse(DLT_RAW, BYTES_OF(raw), &d), DATAGRAM_OTHER);
	ck_assert(!datagram_can_read(DLT_PPP));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("datagram");
	TCase *t = tcase_create("datagram");
	int n_good = (int)(sizeof(good) / sizeof(good[0]));

	tcase_add_loop_test(t, each_link_type, 0, n_good);
	tcase_add_loop_test(t, cut_anywhere, 0, n_good);
	tcase_add_loop_test(t, what_is_not_udp, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_test(t, extension_headers_are_bounded);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
