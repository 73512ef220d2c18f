/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/hostfacts.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "transport/route.h"

/* Any group that routers leave alone, just to ask for the way there. */
static const char *const some_group[] = {"239.255.17.4", "ff18::17:4"};

bool
hostfacts_number(struct bytes text, long *ret)
{
	bool negative = text.n > 0 && text.p[0] == '-';
	long v = 0;

	text = bytes_from(text, negative);
	if (text.n == 0 || text.p[0] < '0' || text.p[0] > '9')
		return false;
	for (; text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9'; text = bytes_from(text, 1)) {
		if (v > (LONG_MAX - 9) / 10)
			return false;
		v = v * 10 + (text.p[0] - '0');
	}
	if (text.n > 0 && !bytes_is(text, "\n"))
		return false;
	*ret = negative ? -v : v;
	return true;
}

static long
read_setting(const char *proc, const char *area, const char *interface, const char *name)
{
	char path[512], text[64];
	ssize_t n;
	long v = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s%s%s/%s", proc, area, interface ? "/" : "",
		interface ? interface : "", name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	n = read(fd, text, sizeof(text));
	(void)close(fd);
	return n > 0 && hostfacts_number(bytes_of(text, (size_t)n), &v) ? v : -1;
}

static void
read_settings(const char *proc, struct hostfacts *f)
{
	long all, one;

	f->option_memory = read_setting(proc, "core", NULL, "optmem_max");
	f->rp_filter = f->memberships = f->disabled = -1;
	if (f->family == AF_INET6) {
		f->disabled = read_setting(proc, "ipv6/conf", f->name, "disable_ipv6");
		return;
	}
	f->memberships = read_setting(proc, "ipv4", NULL, "igmp_max_memberships");
	all = read_setting(proc, "ipv4/conf", "all", "rp_filter");
	one = read_setting(proc, "ipv4/conf", f->name, "rp_filter");
	/* "The max value from conf/{all,interface}/rp_filter is used": ip-sysctl. */
	f->rp_filter = all > one ? all : one;
}

static void
read_addresses(struct hostfacts *f)
{
	struct ifaddrs *list, *i;
	struct addr a;

	if (getifaddrs(&list) < 0)
		return;
	for (i = list; i; i = i->ifa_next) {
		bool is_it = strcmp(i->ifa_name, f->name) == 0;

		if (is_it)
			f->flags = i->ifa_flags;
		if (!i->ifa_addr || !addr_from_sockaddr(i->ifa_addr, &a) || a.family != f->family)
			continue;
		/* One that others can send to from far away is the better one. */
		if (is_it && (f->own.family == AF_UNSPEC || addr_is_link_local(&f->own)))
			f->own = a;
		if (!is_it && !(i->ifa_flags & IFF_LOOPBACK) && (i->ifa_flags & IFF_UP))
			f->has_other = true;
	}
	freeifaddrs(list);
	f->own.port = 0;
}

void
hostfacts_read(uint32_t ifindex, uint8_t family, const char *proc, struct hostfacts *ret)
{
	struct hostfacts f = {.ifindex = ifindex, .family = family};
	struct addr group;

	if (!if_indextoname(ifindex, f.name))
		f.name[0] = '\0';
	read_addresses(&f);
	read_settings(proc, &f);
	if (addr_parse(some_group[family == AF_INET6], 0, &group) == 0)
		(void)route_local_for(&group, &f.leaves_by);
	*ret = f;
}

uint32_t
hostfacts_way_to(const struct addr *host)
{
	uint32_t index;
	struct addr own;

	if (host->scope != 0)
		return host->scope;
	if (route_local_for(host, &own) < 0 || route_interface_of(&own, &index) < 0)
		return 0;
	return index;
}

/* 0: but for the loopback one, none is up. */
static uint32_t
first_up(uint8_t family)
{
	struct ifaddrs *list, *i;
	uint32_t index = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (i = list; i && index == 0; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == family && (i->ifa_flags & IFF_UP) &&
			!(i->ifa_flags & IFF_LOOPBACK))
			index = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(list);
	return index;
}

uint32_t
hostfacts_interface(uint8_t family)
{
	struct addr group;
	uint32_t index;

	if (addr_parse(some_group[family == AF_INET6], 0, &group) == 0 &&
		(index = hostfacts_way_to(&group)) != 0)
		return index;
	return first_up(family);
}
