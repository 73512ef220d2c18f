/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/ls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/locate.h"
#include "wire/cborget.h"
#include "wire/link.h"
#include "wire/props.h"

static bool
print_json(const char *path, const struct props *p)
{
	struct json j = {0};
	bool written;

	json_open(&j);
	json_put_text(&j, "topic", p->name);
	json_put_payload(&j, "path", bytes_str(path));
	json_put_text(&j, "data", p->data);
	if (props_has(p, PROPS_CONTENT_FORMAT))
		json_put_uint(&j, "content_format", p->content_format);
	if (props_has(p, PROPS_TYPE))
		json_put_text(&j, "type", p->type);
	if (props_has(p, PROPS_MAX_SUBSCRIBERS))
		json_put_uint(&j, "max_subscribers", p->max_subscribers);
	json_close(&j);
	written = connection_write(bytes_of(j.p, j.n));
	json_fini(&j);
	return written;
}

/* One line whatever the name is. */
static bool
print_plain(const struct props *p)
{
	char *line = mem_alloc(p->name.n + 1);
	bool written;

	for (size_t i = 0; i < p->name.n; i++)
		line[i] = p->name.p[i] < 0x20 ? '?' : (char)p->name.p[i];
	line[p->name.n] = '\n';
	written = connection_write(bytes_of(line, p->name.n + 1));
	free(line);
	return written;
}

/* A link of the collection has no name in it: the topic has. */
static enum cli_exit
print_topic(struct connection *c, struct bytes target)
{
	char path[URI_PART_MAX + 1];
	struct transfer_result r;
	enum cli_exit rc;
	struct props p;

	if (!locate_path(c, target, path, sizeof(path))) {
		connection_note(c, "passed over: %.*s", (int)target.n, (const char *)target.p);
		return CLI_OK;
	}
	connection_get(c, path, "", &r);
	/* Deleted since it was listed. */
	if (r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		return CLI_OK;
	if ((rc = connection_judge(&r, path)) != CLI_OK)
		return rc;
	if (props_decode(r.body, &p) < 0 || !props_has(&p, PROPS_NAME)) {
		connection_complain("%s: not the properties of a topic", path);
		return CLI_OTHER;
	}
	if (!(c->args->json ? print_json(path, &p) : print_plain(&p)))
		return CLI_OTHER;
	return CLI_OK;
}

/* The list is copied: each topic asked for takes its place in the connection. */
static enum cli_exit
print_links(struct connection *c, struct bytes body)
{
	uint8_t *copy = mem_dup(body);
	struct link_reader links = {.in = bytes_of(copy, body.n)};
	struct link_value l;
	enum cli_exit rc = CLI_OK;

	while (rc == CLI_OK && link_next(&links, &l)) {
		struct link_param rt;

		/* The type of a link that has none is implied: a topic. */
		if (!link_find_param(&l, "rt", &rt) || link_param_lists(&rt, "core.ps.conf"))
			rc = print_topic(c, l.target);
	}
	free(copy);
	return rc;
}

static enum cli_exit
list_discovered(struct connection *c)
{
	struct collections all;
	struct transfer_result r;
	enum cli_exit rc = locate_collections(c, &all);

	if (rc == CLI_OK && all.n == 0) {
		connection_complain("%s: there is no topic collection", c->args->uri);
		return CLI_REFUSED;
	}
	for (unsigned i = 0; rc == CLI_OK && i < all.n; i++) {
		connection_get(c, all.path[i], "", &r);
		if ((rc = connection_judge(&r, all.path[i])) == CLI_OK)
			rc = print_links(c, r.body);
	}
	return rc;
}

static enum cli_exit
list(struct connection *c)
{
	bool named = c->uri.path[0] != '\0';
	struct transfer_result r;
	enum cli_exit rc;

	connection_get(c, named ? c->uri.path : LOCATE_COLLECTION, c->uri.query, &r);
	if (!named && r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		return list_discovered(c);
	if ((rc = connection_judge(&r, c->args->uri)) != CLI_OK)
		return rc;
	return print_links(c, r.body);
}

enum cli_exit
ls_run(const struct args *a)
{
	struct connection c;
	enum cli_exit rc = connection_open(&c, a);

	if (rc != CLI_OK)
		return rc;
	rc = list(&c);
	connection_close(&c);
	return rc;
}
