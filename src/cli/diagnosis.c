/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/diagnosis.h"

#include <stdio.h>
#include <string.h>

#define OPTION_MEMORY_MIN 2048 /* bytes; a membership with one source takes some hundred */

static const char *
family_name(const struct hostfacts *f)
{
	return f->family == AF_INET6 ? "IPv6" : "IPv4";
}

/* A hint about an interface. */
static void
mend(char hint[FINDING_TEXT], const char *fmt, const char *name)
{
	const char *at = strstr(fmt, "%s");

	(void)snprintf(hint, FINDING_TEXT, "%.*s%s%s", (int)(at - fmt), fmt, name, at + 2);
}

/* What an interface lacks: the first of these that applies. */
static const struct {
	unsigned flag; /* that it has not */
	bool ends; /* nothing else is worth looking at */
	const char *text, *hint;
} lacks[] = {
	{IFF_UP, true, "is down", "ip link set dev %s up"},
	{IFF_RUNNING, false, "has no carrier", "plug %s in, or look at its other end"},
};

bool
diagnosis_interface(struct findings *all, const struct hostfacts *f)
{
	static const char check[] = "interface";
	char hint[FINDING_TEXT], at[ADDR_STRLEN];
	bool well = true;

	if (f->name[0] == '\0') {
		finding_fail(all, CLI_NO_MULTICAST, check, "bring one up, or name one with -i",
			"no interface to receive %s multicast on", family_name(f));
		return false;
	}
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		if (f->flags & lacks[i].flag)
			continue;
		mend(hint, lacks[i].hint, f->name);
		finding_fail(all, CLI_NO_MULTICAST, check, hint, "%s %s", f->name, lacks[i].text);
		if (lacks[i].ends)
			return false;
		well = false;
	}
	if (f->own.family == AF_UNSPEC) {
		mend(hint,
			f->disabled > 0 ? "sysctl -w net.ipv6.conf.%s.disable_ipv6=0"
					: "ip address add ADDRESS/BITS dev %s",
			f->name);
		finding_fail(all, CLI_NO_MULTICAST, check, hint, "%s has no %s address", f->name,
			family_name(f));
		return false;
	}
	if (f->family == AF_INET6 && (f->flags & IFF_LOOPBACK)) {
		finding_fail(all, CLI_NO_MULTICAST, check, "use groups of IPv4 on this host alone",
			"IPv6 multicast is not delivered on %s", f->name);
		return false;
	}
	if (well)
		finding_ok(all, check, "%s is up, with %s", f->name, addr_format_host(&f->own, at));
	return true;
}

void
diagnosis_flag(struct findings *all, const struct hostfacts *f, bool proven)
{
	static const char check[] = "multicast";
	char hint[FINDING_TEXT];

	mend(hint, "ip link set dev %s multicast on", f->name);
	/* The kernel has its own way with the loopback one. */
	if (f->flags & (IFF_MULTICAST | IFF_LOOPBACK))
		finding_ok(all, check, "%s can multicast", f->name);
	else if (proven)
		finding_warn(all, check, hint,
			"%s does not say that it can multicast, though notifications come",
			f->name);
	else
		finding_fail(all, CLI_NO_MULTICAST, check, hint,
			"%s does not say that it can multicast", f->name);
}

void
diagnosis_limits(struct findings *all, const struct hostfacts *f)
{
	static const char check[] = "limits";

	/*
	 * Each group has a socket of its own, and one source: igmp_max_msf and mld_max_msf,
	 * which count from the second one on, are of no concern.
	 */
	if (f->memberships == 0)
		finding_fail(all, CLI_NO_MULTICAST, check,
			"sysctl -w net.ipv4.igmp_max_memberships=20",
			"igmp_max_memberships lets a socket join no group");
	else if (f->option_memory >= 0 && f->option_memory < OPTION_MEMORY_MIN)
		finding_warn(all, check, "sysctl -w net.core.optmem_max=20480",
			"optmem_max leaves %ld bytes for the groups of a socket", f->option_memory);
	else
		finding_ok(all, check, "the kernel lets groups be joined");
}

void
diagnosis_route(struct findings *all, const struct hostfacts *f)
{
	char hint[FINDING_TEXT], at[ADDR_STRLEN];

	if (f->leaves_by.family != AF_UNSPEC) {
		finding_ok(all, "route", "datagrams to %s groups leave from %s", family_name(f),
			addr_format_host(&f->leaves_by, at));
		return;
	}
	mend(hint,
		f->family == AF_INET6 ? "ip -6 route add ff00::/8 dev %s table local"
				      : "ip route add 224.0.0.0/4 dev %s",
		f->name);
	finding_warn(all, "route", hint,
		"no route for %s groups: who names no interface can neither join nor ask them",
		family_name(f));
}

void
diagnosis_rp_filter(
	struct findings *all, const struct hostfacts *f, const struct addr *from, uint32_t way_back)
{
	static const char check[] = "rp_filter";
	bool strict = f->rp_filter == 1;
	char hint[FINDING_TEXT], at[ADDR_STRLEN];

	if (f->family != AF_INET)
		return;
	mend(hint, "sysctl -w net.ipv4.conf.%s.rp_filter=2", f->name);
	if (f->rp_filter <= 0) {
		finding_ok(all, check, "is off on %s", f->name);
	} else if (!from && strict && f->has_other) {
		finding_warn(all, check, hint,
			"is strict on %s: what others send is dropped unless the way back to them "
			"goes by %s, too",
			f->name, f->name);
	} else if (from && way_back == 0) {
		mend(hint,
			"add a route to the sender, or: sysctl -w net.ipv4.conf.all.rp_filter=0 "
			"net.ipv4.conf.%s.rp_filter=0",
			f->name);
		finding_fail(all, CLI_NO_MULTICAST, check, hint,
			"drops what %s sends: there is no way back there",
			addr_format_host(from, at));
	} else if (from && strict && way_back != f->ifindex) {
		finding_fail(all, CLI_NO_MULTICAST, check, hint,
			"is strict on %s and drops what %s sends: the way back goes by another "
			"interface",
			f->name, addr_format_host(from, at));
	} else {
		finding_ok(all, check, "is %s on %s, which is well here",
			strict ? "strict" : "loose", f->name);
	}
}

const char *
diagnosis_mend_firewall(const struct hostfacts *f, const struct firewall *fw, char *hint)
{
	const struct firewall_chain *c = &fw->first;
	bool in6 = f->family == AF_INET6;

	(void)snprintf(hint, FINDING_TEXT,
		"nft insert rule %s %s %s iifname %s %s daddr %s meta l4proto udp accept",
		c->family, c->table, c->chain, f->name, in6 ? "ip6" : "ip",
		in6 ? "ff00::/8" : "224.0.0.0/4");
	return hint;
}

void
diagnosis_firewall(
	struct findings *all, const struct hostfacts *f, const struct firewall *fw, int read)
{
	static const char check[] = "firewall";
	const struct firewall_chain *c = &fw->first;
	char hint[FINDING_TEXT];

	/* Who may not look is told nothing: the rest shows whether there is one. */
	if (read < 0)
		return;
	if (fw->n == 0)
		finding_ok(all, check, "no chain of nftables looks at what comes in");
	else if (c->drops)
		finding_warn(all, check, diagnosis_mend_firewall(f, fw, hint),
			"chain %s of table %s %s drops what no rule accepts", c->chain, c->family,
			c->table);
	else
		finding_ok(all, check, "chain %s of table %s %s accepts what no rule drops",
			c->chain, c->family, c->table);
}

void
diagnosis_loop(struct findings *all, const struct hostfacts *f, const struct firewall *fw,
	enum looptest_end end, const char *why)
{
	char hint[FINDING_TEXT];

	switch (end) {
	case LOOPTEST_HEARD:
		finding_ok(all, "join", "a group can be joined on %s", f->name);
		finding_ok(all, "loop", "what is sent to it on this host is received");
		return;
	case LOOPTEST_NOT_JOINED:
		finding_fail(all, CLI_NO_MULTICAST, "join",
			"look at the limits above, and whether a sandbox or container forbids it",
			"%s", why);
		return;
	case LOOPTEST_NOT_SENT:
		finding_ok(all, "join", "a group can be joined on %s", f->name);
		finding_warn(all, "loop", "look for a firewall at output",
			"nothing can be sent to a group: %s", why);
		return;
	case LOOPTEST_NOT_HEARD:
		break;
	}
	finding_ok(all, "join", "a group can be joined on %s", f->name);
	finding_fail(all, CLI_NO_MULTICAST, "loop",
		fw->n > 0 ? diagnosis_mend_firewall(f, fw, hint)
			  : "look for a firewall: nft list ruleset, iptables -S",
		"what is sent to a group on this host does not get to who joined it: %s", why);
}
