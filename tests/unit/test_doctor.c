/* SPDX-License-Identifier: BSD-2-Clause */
/* What coapcast doctor reads of a host, and what it makes of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "cli/diagnosis.h"
#include "unit.h"

/* --- findings ----------------------------------------------------------------------- */

/* "fail limits; ", and the last hint. */
struct heard {
	char said[512];
	char hint[FINDING_TEXT];
	struct findings all;
};

static void
hear(void *ctx, const struct finding *f)
{
	static const char *const verdicts[] = {"ok", "warn", "fail"};
	struct heard *h = ctx;
	size_t n = strlen(h->said);

	(void)snprintf(h->said + n, sizeof(h->said) - n, "%s%s %s", n ? "; " : "",
		verdicts[f->verdict], f->check);
	if (f->hint)
		(void)snprintf(h->hint, sizeof(h->hint), "%s", f->hint);
	ck_assert_uint_gt(strlen(f->text), 0);
	ck_assert(f->verdict == FINDING_OK || f->hint);
}

static struct heard
listening(void)
{
	return (struct heard){.all = {.tell = hear}};
}

START_TEST(multicast_comes_before_other_failures)
{
	struct heard h = listening();

	h.all.ctx = &h;
	finding_ok(&h.all, "a", "%d", 1);
	ck_assert_int_eq(h.all.exit, CLI_OK);
	finding_warn(&h.all, "b", "x", "%d", 1);
	ck_assert_int_eq(h.all.exit, CLI_OK);
	finding_fail(&h.all, CLI_TIMEOUT, "c", "x", "%d", 1);
	ck_assert_int_eq(h.all.exit, CLI_TIMEOUT);
	finding_fail(&h.all, CLI_REFUSED, "d", "x", "%d", 1);
	ck_assert_int_eq(h.all.exit, CLI_TIMEOUT);
	finding_fail(&h.all, CLI_NO_MULTICAST, "e", "x", "%d", 1);
	ck_assert_int_eq(h.all.exit, CLI_NO_MULTICAST);
	finding_fail(&h.all, CLI_REFUSED, "f", "x", "%d", 1);
	ck_assert_int_eq(h.all.exit, CLI_NO_MULTICAST);
	ck_assert_str_eq(h.said, "ok a; warn b; fail c; fail d; fail e; fail f");
}
END_TEST

#define WELL (IFF_UP | IFF_RUNNING | IFF_MULTICAST)

/* A host where all is well. */
static struct hostfacts
well(uint8_t family)
{
	struct hostfacts f = {.name = "eth0",
		.ifindex = 2,
		.flags = WELL,
		.family = family,
		.rp_filter = 0,
		.memberships = 20,
		.option_memory = 20480,
		.disabled = -1};

	ck_assert_int_eq(addr_parse(family == AF_INET6 ? "fd77::2" : "10.77.0.2", 0, &f.own), 0);
	f.leaves_by = f.own;
	return f;
}

START_TEST(interfaces)
{
	static const struct {
		const char *name;
		unsigned flags;
		uint8_t family;
		bool has_address;
		bool goes_on;
		const char *said, *hint;
	} cases[] = {
		{"eth0", WELL, AF_INET, true, true, "ok interface", ""},
		{"eth0", WELL, AF_INET6, true, true, "ok interface", ""},
		{"", WELL, AF_INET, true, false, "fail interface",
			"bring one up, or name one with -i"},
		{"eth0", IFF_MULTICAST, AF_INET, true, false, "fail interface",
			"ip link set dev eth0 up"},
		{"eth0", IFF_UP | IFF_MULTICAST, AF_INET, true, true, "fail interface",
			"plug eth0 in, or look at its other end"},
		{"eth0", IFF_UP | IFF_RUNNING, AF_INET, true, true, "ok interface", ""},
		{"eth0", WELL, AF_INET, false, false, "fail interface",
			"ip address add ADDRESS/BITS dev eth0"},
		{"lo", IFF_UP | IFF_RUNNING | IFF_LOOPBACK, AF_INET, true, true, "ok interface",
			""},
		{"lo", IFF_UP | IFF_RUNNING | IFF_LOOPBACK, AF_INET6, true, false, "fail interface",
			"use groups of IPv4 on this host alone"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hostfacts f = well(cases[i].family);
		struct heard h = listening();

		h.all.ctx = &h;
		(void)snprintf(f.name, sizeof(f.name), "%s", cases[i].name);
		f.flags = cases[i].flags;
		if (!cases[i].has_address)
			f.own.family = AF_UNSPEC;
		ck_assert_int_eq(diagnosis_interface(&h.all, &f), cases[i].goes_on);
		ck_assert_str_eq(h.said, cases[i].said);
		ck_assert_str_eq(h.hint, cases[i].hint);
		ck_assert_int_eq(
			h.all.exit, strstr(cases[i].said, "fail") ? CLI_NO_MULTICAST : CLI_OK);
	}
}
END_TEST

START_TEST(flag_of_an_interface)
{
	static const struct {
		unsigned flags;
		bool proven;
		const char *said, *hint;
	} cases[] = {
		{WELL, false, "ok multicast", ""},
		{WELL, true, "ok multicast", ""},
		{IFF_UP | IFF_RUNNING | IFF_LOOPBACK, false, "ok multicast", ""},
		{IFF_UP | IFF_RUNNING, true, "warn multicast", "ip link set dev eth0 multicast on"},
		{IFF_UP | IFF_RUNNING, false, "fail multicast",
			"ip link set dev eth0 multicast on"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hostfacts f = well(AF_INET);
		struct heard h = listening();

		h.all.ctx = &h;
		f.flags = cases[i].flags;
		diagnosis_flag(&h.all, &f, cases[i].proven);
		ck_assert_str_eq(h.said, cases[i].said);
		ck_assert_str_eq(h.hint, cases[i].hint);
	}
}
END_TEST

START_TEST(no_ipv6_because_it_is_disabled)
{
	struct hostfacts f = well(AF_INET6);
	struct heard h = listening();

	h.all.ctx = &h;
	f.own.family = AF_UNSPEC;
	f.disabled = 1;
	ck_assert(!diagnosis_interface(&h.all, &f));
	ck_assert_str_eq(h.hint, "sysctl -w net.ipv6.conf.eth0.disable_ipv6=0");
}
END_TEST

START_TEST(limits)
{
	static const struct {
		long memberships, memory;
		const char *said, *hint;
	} cases[] = {
		{20, 20480, "ok limits", ""},
		{-1, -1, "ok limits", ""},
		{1, 2048, "ok limits", ""},
		{0, 20480, "fail limits", "sysctl -w net.ipv4.igmp_max_memberships=20"},
		{0, 0, "fail limits", "sysctl -w net.ipv4.igmp_max_memberships=20"},
		{20, 2047, "warn limits", "sysctl -w net.core.optmem_max=20480"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hostfacts f = well(AF_INET);
		struct heard h = listening();

		h.all.ctx = &h;
		f.memberships = cases[i].memberships;
		f.option_memory = cases[i].memory;
		diagnosis_limits(&h.all, &f);
		ck_assert_str_eq(h.said, cases[i].said);
		ck_assert_str_eq(h.hint, cases[i].hint);
	}
}
END_TEST

START_TEST(routes)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	static const char *const hints[] = {"ip route add 224.0.0.0/4 dev eth0",
		"ip -6 route add ff00::/8 dev eth0 table local"};

	for (size_t i = 0; i < 2; i++) {
		struct hostfacts f = well(families[i]);
		struct heard h = listening();

		h.all.ctx = &h;
		diagnosis_route(&h.all, &f);
		f.leaves_by.family = AF_UNSPEC;
		diagnosis_route(&h.all, &f);
		ck_assert_str_eq(h.said, "ok route; warn route");
		ck_assert_str_eq(h.hint, hints[i]);
		ck_assert_int_eq(h.all.exit, CLI_OK);
	}
}
END_TEST

/* Linux, ip-sysctl: 0 no check, 1 strict by RFC 3704, 2 loose. */
START_TEST(reverse_path_filter)
{
	static const struct {
		long rp_filter;
		bool has_other, from;
		uint32_t way_back;
		const char *said, *hint;
	} cases[] = {
		{0, true, false, 0, "ok rp_filter", ""},
		{-1, true, true, 0, "ok rp_filter", ""},
		{0, true, true, 0, "ok rp_filter", ""},
		{1, false, false, 0, "ok rp_filter", ""},
		{1, true, false, 0, "warn rp_filter", "sysctl -w net.ipv4.conf.eth0.rp_filter=2"},
		{2, true, false, 0, "ok rp_filter", ""},
		{1, true, true, 2, "ok rp_filter", ""},
		{1, true, true, 3, "fail rp_filter", "sysctl -w net.ipv4.conf.eth0.rp_filter=2"},
		{2, true, true, 3, "ok rp_filter", ""},
		{1, true, true, 0, "fail rp_filter",
			"add a route to the sender, or: sysctl -w net.ipv4.conf.all.rp_filter=0 "
			"net.ipv4.conf.eth0.rp_filter=0"},
		{2, false, true, 0, "fail rp_filter",
			"add a route to the sender, or: sysctl -w net.ipv4.conf.all.rp_filter=0 "
			"net.ipv4.conf.eth0.rp_filter=0"},
	};
	struct addr from;

	ck_assert_int_eq(addr_parse("10.99.0.1", 0, &from), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hostfacts f = well(AF_INET);
		struct heard h = listening();

		h.all.ctx = &h;
		f.rp_filter = cases[i].rp_filter;
		f.has_other = cases[i].has_other;
		diagnosis_rp_filter(&h.all, &f, cases[i].from ? &from : NULL, cases[i].way_back);
		ck_assert_str_eq(h.said, cases[i].said);
		ck_assert_str_eq(h.hint, cases[i].hint);
		/* There is none for IPv6. */
		f.family = AF_INET6;
		diagnosis_rp_filter(&h.all, &f, cases[i].from ? &from : NULL, cases[i].way_back);
		ck_assert_str_eq(h.said, cases[i].said);
	}
}
END_TEST

START_TEST(firewall_and_loop)
{
	struct firewall none = {.n = 0};
	struct firewall some = {
		.n = 2, .first = {.family = "inet", .table = "filter", .chain = "input"}};
	static const char rule[] = "nft insert rule inet filter input iifname eth0 ip daddr "
				   "224.0.0.0/4 meta l4proto udp accept";
	struct hostfacts f = well(AF_INET);
	struct heard h = listening();

	h.all.ctx = &h;
	diagnosis_firewall(&h.all, &f, &some, -EPERM);
	ck_assert_str_eq(h.said, "");
	diagnosis_firewall(&h.all, &f, &none, 0);
	diagnosis_firewall(&h.all, &f, &some, 0);
	ck_assert_str_eq(h.said, "ok firewall; ok firewall");
	some.first.drops = true;
	diagnosis_firewall(&h.all, &f, &some, 0);
	ck_assert_str_eq(h.hint, rule);
	ck_assert_int_eq(h.all.exit, CLI_OK);

	h = listening();
	h.all.ctx = &h;
	diagnosis_loop(&h.all, &f, &none, LOOPTEST_HEARD, "");
	diagnosis_loop(&h.all, &f, &none, LOOPTEST_NOT_SENT, "no");
	ck_assert_int_eq(h.all.exit, CLI_OK);
	ck_assert_str_eq(h.said, "ok join; ok loop; ok join; warn loop");
	diagnosis_loop(&h.all, &f, &some, LOOPTEST_NOT_HEARD, "no");
	ck_assert_str_eq(h.hint, rule);
	diagnosis_loop(&h.all, &f, &none, LOOPTEST_NOT_JOINED, "no");
	ck_assert_int_eq(h.all.exit, CLI_NO_MULTICAST);
	ck_assert_str_eq(
		h.said, "ok join; ok loop; ok join; warn loop; ok join; fail loop; fail join");
}
END_TEST

/* --- settings ----------------------------------------------------------------------- */

START_TEST(numbers_of_settings)
{
	static const struct {
		const char *text;
		bool is_one;
		long v;
	} cases[] = {
		{"0\n", true, 0},
		{"20\n", true, 20},
		{"20", true, 20},
		{"-1\n", true, -1},
		{"9223372036854775807\n", false, 0},
		{"99999999999999999999999999\n", false, 0},
		{"", false, 0},
		{"\n", false, 0},
		{"-\n", false, 0},
		{"x\n", false, 0},
		{"1x\n", false, 0},
		{"1 2\n", false, 0},
		{"1\n\n", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long v = 4711;

		ck_assert_msg(hostfacts_number(bytes_str(cases[i].text), &v) == cases[i].is_one,
			"%s", cases[i].text);
		ck_assert_int_eq(v, cases[i].is_one ? cases[i].v : 4711);
	}
}
END_TEST

static void
put_setting(const char *root, const char *path, const char *text)
{
	char folder[256];
	int fd;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		(void)snprintf(folder, sizeof(folder), "%s/%.*s", root, (int)(p - path), path);
		(void)mkdir(folder, 0700);
	}
	(void)snprintf(folder, sizeof(folder), "%s/%s", root, path);
	fd = open(folder, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

static void
remove_all(const char *root)
{
	static const char *const paths[] = {"core/optmem_max", "core", "ipv4/igmp_max_memberships",
		"ipv4/conf/all/rp_filter", "ipv4/conf/all", "ipv4/conf/lo/rp_filter",
		"ipv4/conf/lo", "ipv4/conf", "ipv4", ""};
	char path[256];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, paths[i]);
		ck_assert_msg(remove(path) == 0, "%s", path);
	}
}

START_TEST(settings_of_an_interface)
{
	char root[] = "/tmp/coapcast-doctor.XXXXXX";
	uint32_t lo = if_nametoindex("lo");
	struct hostfacts f;

	ck_assert_ptr_nonnull(mkdtemp(root));
	put_setting(root, "core/optmem_max", "131072\n");
	put_setting(root, "ipv4/igmp_max_memberships", "5\n");
	put_setting(root, "ipv4/conf/all/rp_filter", "2\n");
	put_setting(root, "ipv4/conf/lo/rp_filter", "1\n");
	hostfacts_read(lo, AF_INET, root, &f);
	ck_assert_str_eq(f.name, "lo");
	ck_assert_int_eq(f.memberships, 5);
	ck_assert_int_eq(f.option_memory, 131072);
	ck_assert_int_eq(f.rp_filter, 2);
	put_setting(root, "ipv4/conf/all/rp_filter", "0\n");
	hostfacts_read(lo, AF_INET, root, &f);
	ck_assert_int_eq(f.rp_filter, 1);
	put_setting(root, "ipv4/igmp_max_memberships", "junk\n");
	hostfacts_read(lo, AF_INET, root, &f);
	ck_assert_int_eq(f.memberships, -1);
	/* Nothing of the one family is the other's. */
	hostfacts_read(lo, AF_INET6, root, &f);
	ck_assert_int_eq(f.rp_filter, -1);
	ck_assert_int_eq(f.memberships, -1);
	ck_assert_int_eq(f.disabled, -1);
	hostfacts_read(UINT32_MAX, AF_INET, root, &f);
	ck_assert_str_eq(f.name, "");
	remove_all(root);
}
END_TEST

/* --- nftables ----------------------------------------------------------------------- */

struct dump {
	uint8_t b[4096];
	struct buf out;
};

static void
put_host(struct buf *out, const void *p, size_t n)
{
	buf_put(out, bytes_of(p, n));
	while (out->n % 4 != 0)
		buf_put_u8(out, 0);
}

static void
put_attribute(struct buf *out, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + n), .nla_type = type};

	buf_put(out, bytes_of((const uint8_t *)&a, sizeof(a)));
	put_host(out, p, n);
}

static void
put_number(struct buf *out, uint16_t type, uint32_t v)
{
	const uint8_t b[4] = {
		(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	put_attribute(out, type, b, sizeof(b));
}

static void
put_message(struct dump *d, uint16_t type, struct bytes body)
{
	struct nlmsghdr h = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + body.n), .nlmsg_type = type};

	put_host(&d->out, &h, sizeof(h));
	put_host(&d->out, body.p, body.n);
}

#define NEW_CHAIN (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN)

/* hook -1: a chain without. */
static void
put_chain(struct dump *d, uint8_t family, const char *name, int hook, const char *type,
	uint32_t policy)
{
	struct nfgenmsg g = {.nfgen_family = family};
	uint8_t bytes[512], inner[64];
	struct buf body = BUF_OF(bytes), nested = BUF_OF(inner);

	put_host(&body, &g, sizeof(g));
	put_attribute(&body, NFTA_CHAIN_TABLE, "tab", 4);
	put_attribute(&body, NFTA_CHAIN_NAME, name, strlen(name) + 1);
	if (hook >= 0) {
		put_number(&nested, NFTA_HOOK_HOOKNUM, (uint32_t)hook);
		put_number(&nested, NFTA_HOOK_PRIORITY, 0);
		put_attribute(&body, NFTA_CHAIN_HOOK | NLA_F_NESTED, inner, nested.n);
		put_attribute(&body, NFTA_CHAIN_TYPE, type, strlen(type) + 1);
		put_number(&body, NFTA_CHAIN_POLICY, policy);
	}
	put_message(d, NEW_CHAIN, buf_bytes(&body));
}

static void
start_dump(struct dump *d)
{
	d->out = BUF_OF(d->b);
}

START_TEST(chains_of_nftables)
{
	struct firewall v4 = {.n = 0}, v6 = {.n = 0};
	const uint32_t zero = 0;
	struct dump d;
	int error = 0;

	start_dump(&d);
	put_chain(&d, NFPROTO_INET, "jumped-to", -1, "", 0);
	put_chain(&d, NFPROTO_INET, "out", NF_INET_LOCAL_OUT, "filter", NF_DROP);
	put_chain(&d, NFPROTO_INET, "masquerade", NF_INET_PRE_ROUTING, "nat", NF_ACCEPT);
	put_chain(&d, NFPROTO_NETDEV, "ingress", 0, "filter", NF_DROP);
	ck_assert(!firewall_take(&v4, AF_INET, buf_bytes(&d.out), &error));
	ck_assert_uint_eq(v4.n, 0);
	start_dump(&d);
	put_chain(&d, NFPROTO_INET, "in", NF_INET_LOCAL_IN, "filter", NF_ACCEPT);
	put_chain(&d, NFPROTO_IPV6, "in6", NF_INET_PRE_ROUTING, "filter", NF_DROP);
	put_chain(&d, NFPROTO_IPV4, "in4", NF_INET_LOCAL_IN, "filter", NF_DROP);
	put_chain(&d, NFPROTO_INET, "more", NF_INET_LOCAL_IN, "filter", NF_DROP);
	put_message(&d, NLMSG_DONE, bytes_of((const uint8_t *)&zero, sizeof(zero)));
	ck_assert(firewall_take(&v4, AF_INET, buf_bytes(&d.out), &error));
	ck_assert(firewall_take(&v6, AF_INET6, buf_bytes(&d.out), &error));
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(v4.n, 3);
	ck_assert_uint_eq(v6.n, 3);
	ck_assert_str_eq(v4.first.chain, "in4");
	ck_assert_str_eq(v4.first.family, "ip");
	ck_assert_str_eq(v4.first.table, "tab");
	ck_assert(v4.first.drops);
	ck_assert_str_eq(v6.first.chain, "in6");
	ck_assert_str_eq(v6.first.family, "ip6");
}
END_TEST

START_TEST(dumps_that_are_cut)
{
	struct dump d;
	int error = 0;

	start_dump(&d);
	put_chain(&d, NFPROTO_INET, "in", NF_INET_LOCAL_IN, "filter", NF_DROP);
	for (size_t n = 0; n < d.out.n; n++) {
		uint8_t *cut = n ? memcpy(malloc(n), d.b, n) : NULL;
		struct firewall f = {.n = 0};

		ck_assert(!firewall_take(&f, AF_INET, bytes_of(cut, n), &error));
		ck_assert_uint_eq(f.n, 0);
		free(cut);
	}
	/* Lengths within that are wrong. */
	for (size_t i = NLMSG_HDRLEN; i < d.out.n; i++) {
		uint8_t *bad = memcpy(malloc(d.out.n), d.b, d.out.n);
		struct firewall f = {.n = 0};

		bad[i] = 0xff;
		(void)firewall_take(&f, AF_INET, bytes_of(bad, d.out.n), &error);
		ck_assert_uint_le(f.n, 1);
		free(bad);
	}
}
END_TEST

START_TEST(errors_of_netlink)
{
	struct firewall f = {.n = 0};
	const int32_t refused = -EPERM;
	struct dump d;
	int error = 0;

	start_dump(&d);
	put_message(&d, NLMSG_ERROR, bytes_of((const uint8_t *)&refused, sizeof(refused)));
	ck_assert(firewall_take(&f, AF_INET, buf_bytes(&d.out), &error));
	ck_assert_int_eq(error, -EPERM);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("doctor");
	TCase *t = tcase_create("doctor");

	tcase_add_test(t, multicast_comes_before_other_failures);
	tcase_add_test(t, interfaces);
	tcase_add_test(t, flag_of_an_interface);
	tcase_add_test(t, no_ipv6_because_it_is_disabled);
	tcase_add_test(t, limits);
	tcase_add_test(t, routes);
	tcase_add_test(t, reverse_path_filter);
	tcase_add_test(t, firewall_and_loop);
	tcase_add_test(t, numbers_of_settings);
	tcase_add_test(t, settings_of_an_interface);
	tcase_add_test(t, chains_of_nftables);
	tcase_add_test(t, dumps_that_are_cut);
	tcase_add_test(t, errors_of_netlink);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
