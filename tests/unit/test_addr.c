/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/addr.h"

static const struct {
	const char *text, *formatted, *host;
} good[] = {
	{"1.2.3.4", "1.2.3.4:5683", "1.2.3.4"},
	{"1.2.3.4:1", "1.2.3.4:1", "1.2.3.4"},
	{"1.2.3.4:0", "1.2.3.4:0", "1.2.3.4"},
	{"255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255"},
	{"::", "[::]:5683", "::"},
	{"::1", "[::1]:5683", "::1"},
	{"[::1]", "[::1]:5683", "::1"},
	{"[::1]:61616", "[::1]:61616", "::1"},
	{"2001:DB8::a", "[2001:db8::a]:5683", "2001:db8::a"},
	{"[ff35:30:2001:db8::23]:5684", "[ff35:30:2001:db8::23]:5684", "ff35:30:2001:db8::23"},
	{"fe80::1", "[fe80::1]:5683", "fe80::1"},
	{"fe80::1%99999", "[fe80::1%99999]:5683", "fe80::1%99999"},
	{"[ff02::fd%99999]:7", "[ff02::fd%99999]:7", "ff02::fd%99999"},
	/* IPv4 is IPv4 in whatever dress. */
	{"::ffff:1.2.3.4", "1.2.3.4:5683", "1.2.3.4"},
	{"[::ffff:1.2.3.4]:7", "1.2.3.4:7", "1.2.3.4"},
};

static const char *const bad[] = {
	"",
	" ",
	"x",
	"1.2.3",
	"1.2.3.4.5",
	"1.2.3.256",
	"1.2.3.4:",
	"1.2.3.4:65536",
	"1.2.3.4:-1",
	"1.2.3.4: 1",
	"1.2.3.4:1x",
	"1.2.3.4:99999999999999999999",
	"[1.2.3.4]",
	"[1.2.3.4]:1",
	"1.2.3.4%1",
	"::1%1",
	"2001:db8::1%1",
	"[::1",
	"::1]",
	"[::1]x",
	"[::1]:",
	"[::1]:65536",
	"[]",
	"[]:1",
	":1",
	":",
	"fe80::1%",
	"fe80::1%no-such-interface",
	"fe80::1%0",
	"fe80::1%1x",
	"1:2:3:4:5:6:7:8:9",
	":::",
	"%1",
	"[%1]:2",
	"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
};

START_TEST(parse_and_format)
{
	struct addr a, b;
	char text[ADDR_STRLEN];

	ck_assert_int_eq(addr_parse(good[_i].text, 5683, &a), 0);
	ck_assert_str_eq(addr_format(&a, text), good[_i].formatted);
	/* The text is the address. */
	ck_assert_int_eq(addr_parse(text, 1, &b), 0);
	ck_assert(addr_equal(&a, &b));
	ck_assert_uint_eq(addr_hash(&a, 5), addr_hash(&b, 5));
	ck_assert_str_eq(addr_format_host(&a, text), good[_i].host);
}

START_TEST(parse_refuses)
{
	struct addr a = {.port = 77};

	ck_assert_msg(addr_parse(bad[_i], 5683, &a) == -EINVAL, "%s", bad[_i]);
	ck_assert_uint_eq(a.port, 77);
}

START_TEST(scope_by_name)
{
	char name[IF_NAMESIZE], text[ADDR_STRLEN], expected[ADDR_STRLEN];
	struct addr a;

	/* Interface 1 is the loopback of any network namespace. */
	if (!if_indextoname(1, name))
		return;
	(void)snprintf(text, sizeof(text), "[fe80::1%%%s]:5", name);
	(void)snprintf(expected, sizeof(expected), "%s", text);
	ck_assert_int_eq(addr_parse(text, 0, &a), 0);
	ck_assert_uint_eq(a.scope, 1);
	ck_assert_str_eq(addr_format(&a, text), expected);
}

START_TEST(longest_text_fits)
{
	struct addr a = {.family = AF_INET6, .port = 65535, .scope = UINT32_MAX};
	char text[ADDR_STRLEN];

	memset(a.ip, 0xfe, sizeof(a.ip));
	ck_assert_str_eq(addr_format(&a, text),
		"[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe%4294967295]:65535");
	a.family = AF_UNSPEC;
	ck_assert_str_eq(addr_format_host(&a, text), "-");
	ck_assert_uint_eq(addr_ip(&a).n, 0);
}

enum { MULTICAST = 1, LINK = 2, LOOP = 4, ANY = 8 };

static const struct {
	const char *text;
	unsigned kind;
} kinds[] = {
	{"0.0.0.0", ANY},
	{"::", ANY},
	{"127.0.0.1", LOOP},
	{"127.255.0.1", LOOP},
	{"::1", LOOP},
	{"10.0.0.1", 0},
	{"223.255.255.255", 0},
	{"224.0.0.1", MULTICAST | LINK},
	{"224.0.0.255", MULTICAST | LINK},
	{"224.0.1.187", MULTICAST},
	{"239.255.255.255", MULTICAST},
	{"240.0.0.1", 0},
	{"169.254.0.1", LINK},
	{"169.253.0.1", 0},
	{"fe80::1", LINK},
	{"febf::1", LINK},
	{"fec0::1", 0},
	{"fe7f::1", 0},
	{"ff01::fd", MULTICAST | LINK},
	{"ff02::fd", MULTICAST | LINK},
	{"ff12::fd", MULTICAST | LINK},
	{"ff03::fd", MULTICAST},
	{"ff05::fd", MULTICAST},
	{"ff3e:30::1", MULTICAST},
	{"2001:db8::1", 0},
	{"::ffff:224.0.0.1", MULTICAST | LINK},
};

START_TEST(kinds_of_addresses)
{
	struct addr a;
	unsigned kind;

	ck_assert_int_eq(addr_parse(kinds[_i].text, 1, &a), 0);
	kind = (addr_is_multicast(&a) ? MULTICAST : 0) | (addr_is_link_local(&a) ? LINK : 0) |
	       (addr_is_loopback(&a) ? LOOP : 0) | (addr_is_any(&a) ? ANY : 0);
	ck_assert_msg(kind == kinds[_i].kind, "%s: %u", kinds[_i].text, kind);
}

START_TEST(equality_and_hash_see_every_field)
{
	struct addr a, b[6];

	ck_assert_int_eq(addr_parse("[fe80::1%3]:5", 0, &a), 0);
	for (unsigned i = 0; i < 6; i++)
		b[i] = a;
	b[1].port = 6;
	b[2].scope = 4;
	b[3].ip[15] = 2;
	b[4].ip[0] = 1;
	b[5].family = AF_INET;
	ck_assert(addr_equal(&a, &b[0]) && addr_same_host(&a, &b[0]));
	ck_assert(addr_same_host(&a, &b[1]));
	for (unsigned i = 1; i < 6; i++) {
		ck_assert(!addr_equal(&a, &b[i]));
		ck_assert_uint_ne(addr_hash(&a, 1), addr_hash(&b[i], 1));
		if (i > 1)
			ck_assert(!addr_same_host(&a, &b[i]));
	}
	ck_assert_uint_ne(addr_hash(&a, 1), addr_hash(&a, 2));
}

START_TEST(hash_spreads_neighbours)
{
	unsigned buckets[256] = {0}, most = 0;
	struct addr a;

	/* 100 hosts of a network with 256 ports each. */
	ck_assert_int_eq(addr_parse("10.0.0.0", 0, &a), 0);
	for (unsigned i = 0; i < 25600; i++) {
		a.ip[3] = (uint8_t)(i % 100);
		a.port = (uint16_t)(40000 + i / 100);
		buckets[addr_hash(&a, 1) & 255]++;
	}
	for (unsigned i = 0; i < 256; i++)
		most = buckets[i] > most ? buckets[i] : most;
	ck_assert_uint_lt(most, 160);
}

START_TEST(socket_addresses)
{
	static const char *const texts[] = {
		"1.2.3.4:5", "[2001:db8::1]:5", "[fe80::1%7]:5", "[ff02::fd%7]:5"};
	struct sockaddr_storage ss;
	struct addr a, b;

	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(addr_parse(texts[i], 0, &a), 0);
		ck_assert_uint_eq(addr_to_sockaddr(&a, &ss),
			i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		ck_assert(addr_from_sockaddr((struct sockaddr *)&ss, &b));
		ck_assert(memcmp(&a, &b, sizeof(a)) == 0);
	}
	a.family = AF_UNSPEC;
	ck_assert_uint_eq(addr_to_sockaddr(&a, &ss), 0);
	ss.ss_family = AF_UNIX;
	ck_assert(!addr_from_sockaddr((struct sockaddr *)&ss, &b));
}

START_TEST(mapped_addresses_and_needless_scopes)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(7), .sin6_scope_id = 3};
	struct addr a;
	char text[ADDR_STRLEN];

	memcpy(&in6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04", 16);
	ck_assert(addr_from_sockaddr((struct sockaddr *)&in6, &a));
	ck_assert_str_eq(addr_format(&a, text), "1.2.3.4:7");
	ck_assert_uint_eq(a.scope, 0);
	in6.sin6_addr.s6_addr[0] = 0x20;
	ck_assert(addr_from_sockaddr((struct sockaddr *)&in6, &a));
	ck_assert_uint_eq(a.scope, 0);
}

static const struct {
	const char *text, *formatted; /* NULL: refused */
	const char *holds, *not ;
} prefixes[] = {
	{"10.0.0.0/8", "10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
	{"10.1.2.3/8", "10.0.0.0/8", "10.255.1.2", "9.255.255.255"},
	{"192.0.2.128/25", "192.0.2.128/25", "192.0.2.255", "192.0.2.127"},
	{"192.0.2.129", "192.0.2.129/32", "192.0.2.129", "192.0.2.128"},
	{"0.0.0.0/0", "0.0.0.0/0", "255.1.2.3", "::1"},
	{"::/0", "::/0", "2001:db8::1", "1.2.3.4"},
	{"fd00::/8", "fd00::/8", "fdff::1", "fc00::1"},
	{"2001:db8::/33", "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
	{"::1", "::1/128", "::1", "::2"},
	{"10.0.0.0/33", NULL, NULL, NULL},
	{"::/129", NULL, NULL, NULL},
	{"10.0.0.0/", NULL, NULL, NULL},
	{"10.0.0.0/-1", NULL, NULL, NULL},
	{"10.0.0.0/8x", NULL, NULL, NULL},
	{"/8", NULL, NULL, NULL},
	{"", NULL, NULL, NULL},
	{"10.0.0.0:0/8", NULL, NULL, NULL},
	{"10.0.0.0:5/8", NULL, NULL, NULL},
	{"[::1]/8", NULL, NULL, NULL},
	{"[::1]:5", NULL, NULL, NULL},
	{"fe80::1%1/64", NULL, NULL, NULL},
	{"::ffff:1.2.3.4/128", NULL, NULL, NULL},
	{"10.0.0.0/8/8", NULL, NULL, NULL},
};

START_TEST(address_blocks)
{
	struct prefix p;
	struct addr a;
	char text[ADDR_STRLEN];

	if (!prefixes[_i].formatted) {
		ck_assert_int_eq(prefix_parse(prefixes[_i].text, &p), -EINVAL);
		return;
	}
	ck_assert_int_eq(prefix_parse(prefixes[_i].text, &p), 0);
	ck_assert_str_eq(prefix_format(&p, text), prefixes[_i].formatted);
	ck_assert_int_eq(addr_parse(prefixes[_i].holds, 9, &a), 0);
	ck_assert(prefix_holds(&p, &a));
	ck_assert_int_eq(addr_parse(prefixes[_i].not, 9, &a), 0);
	ck_assert(!prefix_holds(&p, &a));
}

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("addr");

	tcase_add_loop_test(t, parse_and_format, 0, N(good));
	tcase_add_loop_test(t, parse_refuses, 0, N(bad));
	tcase_add_test(t, scope_by_name);
	tcase_add_test(t, longest_text_fits);
	tcase_add_loop_test(t, kinds_of_addresses, 0, N(kinds));
	tcase_add_test(t, equality_and_hash_see_every_field);
	tcase_add_test(t, hash_spreads_neighbours);
	tcase_add_test(t, socket_addresses);
	tcase_add_test(t, mapped_addresses_and_needless_scopes);
	tcase_add_loop_test(t, address_blocks, 0, N(prefixes));
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
