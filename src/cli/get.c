/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/get.h"

#include <unistd.h>

#include "cli/getgroup.h"
#include "cli/json.h"
#include "cli/locate.h"

static enum connection_written
print_json(const struct place *p, const struct transfer_result *r)
{
	struct json j = {0};

	json_open(&j);
	json_put_str(&j, "topic", p->name);
	json_put_payload(&j, "payload", r->body);
	if (r->content_format != TARGET_NO_FORMAT)
		json_put_uint(&j, "content_format", (uint64_t)r->content_format);
	json_put_str(&j, "via", "unicast");
	json_put_bool(&j, "verified", r->verified);
	return connection_write_json(&j);
}

/* As it is; a terminal gets the newline that a file must not. */
static enum connection_written
print_plain(const struct transfer_result *r)
{
	bool open_line = r->body.n > 0 && r->body.p[r->body.n - 1] != '\n';
	enum connection_written w = connection_write(r->body);

	if (w == CONNECTION_WRITTEN && open_line && isatty(STDOUT_FILENO))
		w = connection_write(BYTES_LIT("\n"));
	return w;
}

static enum cli_exit
get(struct connection *c)
{
	struct place place;
	struct transfer_result r;
	enum cli_exit rc;

	if ((rc = locate_topic(c, false, &place)) != CLI_OK)
		return rc;
	connection_get(c, place.path, c->uri.query, &r);
	if ((rc = connection_judge(&r, c->text)) != CLI_OK)
		return rc;
	return connection_wrote(c->args->json ? print_json(&place, &r) : print_plain(&r));
}

enum cli_exit
get_run(const struct args *a)
{
	struct connection c;
	struct addr group;
	struct uri uri;
	enum cli_exit rc;

	if (getgroup_is_meant(a->uri, &uri, &group))
		return getgroup_run(a, &uri, &group);
	if (a->count > 0) {
		connection_complain("-C counts the servers of a group: %s is none", a->uri);
		return CLI_USAGE;
	}
	if ((rc = connection_open(&c, a)) != CLI_OK)
		return rc;
	rc = get(&c);
	connection_close(&c);
	return rc;
}
