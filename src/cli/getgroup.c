/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/getgroup.h"

#include <stdio.h>
#include <string.h>

#include "cli/collect.h"
#include "cli/json.h"
#include "cli/locate.h"

#define DTLS_PORT 5684 /* groupcomm-bis 3.4: not for groups */

static enum connection_written
print_json(const struct collect *all, const struct answer *a)
{
	char at[ADDR_STRLEN];
	struct json j = {0};

	json_open(&j);
	json_put_payload(&j, "path", all->target.path);
	json_put_payload(&j, "payload", a->body);
	if (a->content_format != TARGET_NO_FORMAT)
		json_put_uint(&j, "content_format", (uint64_t)a->content_format);
	json_put_str(&j, "server", addr_format(a->server, at));
	json_put_str(&j, "via", "unicast");
	json_put_bool(&j, "verified", a->verified);
	return connection_write_json(&j);
}

/* Whose it is, a tab, and the value as it is. */
static enum connection_written
print_plain(const struct answer *a)
{
	char from[COLLECT_URI_MAX];
	const struct bytes parts[] = {
		bytes_str(collect_uri(a->server, from)), BYTES_LIT("\t"), a->body, BYTES_LIT("\n")};
	enum connection_written w = CONNECTION_WRITTEN;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && w == CONNECTION_WRITTEN; i++)
		w = connection_write(parts[i]);
	return w;
}

static enum connection_written
show(struct collect *all, const struct answer *a)
{
	all->n_shown++;
	return all->c.args->json ? print_json(all, a) : print_plain(a);
}

bool
getgroup_is_meant(const char *text, struct uri *ret_uri, struct addr *ret_group)
{
	struct error e;
	struct uri u;
	struct addr a;

	if (uri_parse(text, &u, &e) < 0 || addr_parse(u.host, u.port, &a) < 0 ||
		!addr_is_multicast(&a))
		return false;
	a.port = u.port;
	*ret_uri = u;
	*ret_group = a;
	return true;
}

/* No group can be asked where its topics are: a name stands for the usual place. */
static void
find_path(const struct uri *u, char *ret, size_t cap)
{
	static const char *const as_they_are[] = {"/.well-known/", LOCATE_COLLECTION "/"};

	for (size_t i = 0; i < sizeof(as_they_are) / sizeof(as_they_are[0]); i++) {
		if (strncmp(u->path, as_they_are[i], strlen(as_they_are[i])) == 0) {
			(void)snprintf(ret, cap, "%s", u->path);
			return;
		}
	}
	(void)snprintf(ret, cap, LOCATE_COLLECTION "/data%s", u->path);
}

enum cli_exit
getgroup_run(const struct args *a, const struct uri *uri, const struct addr *group)
{
	char path[URI_PART_MAX + 32];
	struct target target = {.query = bytes_str(uri->query), .accept = TARGET_NO_FORMAT};
	struct collect all;
	enum cli_exit rc;
	struct error e;

	if (uri->scheme != URI_COAP) {
		connection_complain("a group is asked by coap:// only: nothing else is multicast");
		return CLI_USAGE;
	}
	if (group->port == DTLS_PORT) {
		connection_complain("no group is asked at port 5684, which is that of DTLS");
		return CLI_USAGE;
	}
	if (uri->path[0] == '\0') {
		connection_complain("the URI names no topic");
		return CLI_USAGE;
	}
	if (uri_check_path(uri->path, &e) < 0) {
		connection_complain("%s", e.text);
		return CLI_USAGE;
	}
	find_path(uri, path, sizeof(path));
	target.path = bytes_str(path);
	if ((rc = collect_open(&all, a, &target, show)) != CLI_OK)
		return rc;
	if ((rc = collect_protect(&all)) != CLI_OK) {
		(void)collect_run(&all);
		return rc;
	}
	if (collect_add(&all, group, a->ifindex, &e) < 0)
		connection_complain("%s", e.text);
	return collect_run(&all);
}
