/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/discover.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>

#include "cli/collect.h"
#include "cli/json.h"
#include "wire/link.h"

/* RFC 7252 12.8. Site-local where there is an address that routers know, else link-local. */
#define ALL_NODES_4 "224.0.1.187"
#define ALL_NODES_SITE "ff05::fd"
#define ALL_NODES_LINK "ff02::fd"

static enum connection_written
print_plain(const char *uri)
{
	enum connection_written w = connection_write(bytes_str(uri));

	return w == CONNECTION_WRITTEN ? connection_write(BYTES_LIT("\n")) : w;
}

static enum connection_written
print_json(const char *uri, const struct answer *a)
{
	char at[ADDR_STRLEN];
	struct json j = {0};

	json_open(&j);
	json_put_payload(&j, "uri", bytes_str(uri));
	json_put_str(&j, "server", addr_format(a->server, at));
	json_put_str(&j, "via", "unicast");
	json_put_bool(&j, "verified", a->verified);
	return connection_write_json(&j);
}

/* What the link of a broker leads to: it is relative to whoever answered. */
static bool
resolve(const struct addr *server, struct bytes target, char *ret, size_t cap)
{
	char base[COLLECT_URI_MAX];
	bool whole = target.n > 7 && memcmp(target.p, "coap://", 7) == 0;
	bool root = target.n == 0 || bytes_is(target, "/");
	size_t n;

	for (size_t i = 0; i < target.n; i++) {
		if (target.p[i] <= 0x20 || target.p[i] >= 0x7f)
			return false;
	}
	n = (size_t)snprintf(ret, cap, "%s%s%.*s", whole ? "" : collect_uri(server, base),
		whole || root || target.p[0] == '/' ? "" : "/", root ? 0 : (int)target.n,
		root ? "" : (const char *)target.p);
	return n < cap;
}

static enum connection_written
show(struct collect *all, const struct answer *a)
{
	struct link_reader links = {.in = a->body};
	struct link_param rt;
	struct link_value l;
	char uri[URI_PART_MAX + COLLECT_URI_MAX];
	enum connection_written w = CONNECTION_WRITTEN;
	bool found = false;

	while (w == CONNECTION_WRITTEN && link_next(&links, &l)) {
		/* A server that does not filter lists everything. */
		if (!link_find_param(&l, "rt", &rt) || !link_param_lists(&rt, "core.ps") ||
			!resolve(a->server, l.target, uri, sizeof(uri)))
			continue;
		found = true;
		w = all->c.args->json ? print_json(uri, a) : print_plain(uri);
	}
	all->n_shown += found;
	return w;
}

static bool
ask(struct collect *all, const char *group, uint32_t ifindex, struct error *e)
{
	struct addr a;

	return addr_parse(group, URI_PORT, &a) == 0 && collect_add(all, &a, ifindex, e) == 0;
}

/* Both families; what an interface has no address for is left out. */
static void
ask_on(struct collect *all, uint32_t ifindex, struct error *e)
{
	(void)ask(all, ALL_NODES_4, ifindex, e);
	if (!ask(all, ALL_NODES_SITE, ifindex, e))
		(void)ask(all, ALL_NODES_LINK, ifindex, e);
}

/* Every interface that is up and can multicast, but for the host's own. */
static void
ask_everywhere(struct collect *all, struct error *e)
{
	const unsigned wanted = IFF_UP | IFF_MULTICAST;
	struct if_nameindex *list = if_nameindex();
	struct ifaddrs *found, *i;

	if (!list || getifaddrs(&found) < 0) {
		error_set(e, "cannot list the interfaces: %s", strerror(errno));
		if (list)
			if_freenameindex(list);
		return;
	}
	for (struct if_nameindex *n = list; n->if_index != 0; n++) {
		for (i = found; i; i = i->ifa_next) {
			if (strcmp(i->ifa_name, n->if_name) != 0)
				continue;
			if ((i->ifa_flags & (wanted | IFF_LOOPBACK)) == wanted)
				ask_on(all, n->if_index, e);
			break;
		}
	}
	freeifaddrs(found);
	if_freenameindex(list);
}

enum cli_exit
discover_run(const struct args *a)
{
	static const struct target core = {.path = BYTES_LIT("/.well-known/core"),
		.query = BYTES_LIT("rt=core.ps"),
		.accept = TARGET_NO_FORMAT};
	struct error e = {.text = "no interface to ask on: name one with -i"};
	struct collect all;
	enum cli_exit rc;

	if ((rc = collect_open(&all, a, &core, show)) != CLI_OK)
		return rc;
	if ((rc = collect_protect(&all)) != CLI_OK) {
		(void)collect_run(&all);
		return rc;
	}
	if (a->ifindex)
		ask_on(&all, a->ifindex, &e);
	else
		ask_everywhere(&all, &e);
	if (all.n_meetings == 0)
		connection_complain("%s", e.text);
	return collect_run(&all);
}
