/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/get.h"

#include <unistd.h>

#include "cli/json.h"
#include "cli/locate.h"

static bool
print_json(const struct place *p, const struct transfer_result *r)
{
	struct json j = {0};
	bool written;

	json_open(&j);
	json_put_str(&j, "topic", p->name);
	json_put_payload(&j, "payload", r->body);
	if (r->content_format != TARGET_NO_FORMAT)
		json_put_uint(&j, "content_format", (uint64_t)r->content_format);
	json_put_str(&j, "via", "unicast");
	json_put_bool(&j, "verified", r->verified);
	json_close(&j);
	written = connection_write(bytes_of(j.p, j.n));
	json_fini(&j);
	return written;
}

/* As it is; a terminal gets the newline that a file must not. */
static bool
print_plain(const struct transfer_result *r)
{
	bool open_line = r->body.n > 0 && r->body.p[r->body.n - 1] != '\n';

	return connection_write(r->body) &&
	       (!open_line || !isatty(STDOUT_FILENO) || connection_write(BYTES_LIT("\n")));
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
	if ((rc = connection_judge(&r, c->args->uri)) != CLI_OK)
		return rc;
	if (c->args->json)
		return print_json(&place, &r) ? CLI_OK : CLI_OTHER;
	return print_plain(&r) ? CLI_OK : CLI_OTHER;
}

enum cli_exit
get_run(const struct args *a)
{
	struct connection c;
	enum cli_exit rc = connection_open(&c, a);

	if (rc != CLI_OK)
		return rc;
	rc = get(&c);
	connection_close(&c);
	return rc;
}
