/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/locate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "wire/cborget.h"
#include "wire/link.h"
#include "wire/props.h"

#define FORMAT_TOPIC 606 /* application/core-pubsub+cbor; not assigned yet */
#define FILTER_MAX (8 * URI_PART_MAX)

static const char data_part[] = "/data";
static const char core_prefix[] = "/.well-known/"; /* of what every server has: no topics */

bool
locate_path(const struct connection *c, struct bytes reference, char *ret, size_t cap)
{
	char text[2 * URI_PART_MAX + 1];
	struct uri u;
	struct error e;
	size_t n;

	if (reference.n == 0 || reference.n >= sizeof(text) ||
		memchr(reference.p, '\0', reference.n))
		return false;
	memcpy(text, reference.p, reference.n);
	text[reference.n] = '\0';
	if (strstr(text, "://")) {
		if (uri_parse(text, &u, &e) < 0 || strcasecmp(u.host, c->uri.host) != 0 ||
			u.port != c->uri.port)
			return false;
		memcpy(text, u.path, sizeof(u.path));
	} else {
		text[strcspn(text, "?")] = '\0';
	}
	n = (size_t)snprintf(ret, cap, "%s%s", text[0] == '/' ? "" : "/", text);
	return n < cap;
}

/* The name of a topic from a path: its escapes undone, when that gives text. */
static void
read_name(const char *path, char *ret)
{
	struct buf out = buf_of(ret, URI_PART_MAX);

	if (target_unescape(bytes_str(path), &out) == 0 && cborget_is_utf8(buf_bytes(&out)) &&
		!memchr(ret, '\0', out.n)) {
		ret[out.n] = '\0';
		return;
	}
	(void)snprintf(ret, URI_PART_MAX + 1, "%s", path);
}

/* Whether the URI is below this collection's data: then it is what is meant. */
static bool
is_data_of(const struct connection *c, const char *collection, struct place *ret)
{
	char prefix[URI_PART_MAX + sizeof(data_part) + 1];
	size_t n = (size_t)snprintf(prefix, sizeof(prefix), "%s%s/", collection, data_part);

	if (strncmp(c->uri.path, prefix, n) != 0 || c->uri.path[n] == '\0')
		return false;
	read_name(c->uri.path + n, ret->name);
	ret->topic[0] = '\0';
	return true;
}

enum cli_exit
locate_collections(struct connection *c, struct collections *ret)
{
	struct transfer_result r;
	struct link_reader links;
	struct link_value l;
	enum cli_exit rc;

	ret->n = 0;
	connection_get(c, "/.well-known/core", "rt=core.ps.coll", &r);
	if (r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		return CLI_OK;
	if ((rc = connection_judge(&r, "cannot discover the topic collections")) != CLI_OK)
		return rc;
	links.in = r.body;
	while (ret->n < LOCATE_COLLECTIONS_MAX && link_next(&links, &l)) {
		struct link_param rt;

		/* A server that does not filter lists everything. */
		if (link_find_param(&l, "rt", &rt) && link_param_lists(&rt, "core.ps.coll") &&
			locate_path(c, l.target, ret->path[ret->n], sizeof(ret->path[0])))
			ret->n++;
	}
	return CLI_OK;
}

/* FETCH {0: name}, or with other properties: the result of asking a collection. */
static void
fetch_topic(struct connection *c, const char *collection, const struct props *p,
	struct transfer_result *ret)
{
	uint8_t space[FILTER_MAX];
	struct buf filter = BUF_OF(space);
	struct transfer_request r = {
		.code = CODE_FETCH,
		.target = {.path = bytes_str(collection), .accept = TARGET_NO_FORMAT},
		.content_format = FORMAT_TOPIC,
	};

	(void)props_encode(p, PROPS_ALL, &filter);
	r.payload = buf_bytes(&filter);
	connection_ask(c, &r, ret);
}

/* The first link of a FETCH, a topic resource, leads to its data. */
static enum cli_exit
read_topic(struct connection *c, struct bytes target, struct place *ret)
{
	char path[URI_PART_MAX + 1], what[2 * URI_PART_MAX + 64];
	struct transfer_result r;
	enum cli_exit rc;
	struct props p;

	if (!locate_path(c, target, path, sizeof(path))) {
		connection_complain("topic %s is at another server: %.*s", ret->name, (int)target.n,
			(const char *)target.p);
		return CLI_OTHER;
	}
	(void)snprintf(what, sizeof(what), "cannot read topic %s at %s", ret->name, path);
	connection_get(c, path, "", &r);
	if ((rc = connection_judge(&r, what)) != CLI_OK)
		return rc;
	if (props_decode(r.body, &p) < 0 || !props_has(&p, PROPS_DATA)) {
		connection_complain("%s: not the properties of a topic", what);
		return CLI_OTHER;
	}
	if (!locate_path(c, p.data, ret->path, sizeof(ret->path))) {
		connection_complain("the data of topic %s are at another server: %.*s", ret->name,
			(int)p.data.n, (const char *)p.data.p);
		return CLI_OTHER;
	}
	(void)snprintf(ret->topic, sizeof(ret->topic), "%s", path);
	connection_note(c, "topic %s has its data at %s", ret->name, ret->path);
	if (c->uri.query[0] == '\0')
		return CLI_OK;
	connection_complain("the name of a topic has no query: %s", c->text);
	return CLI_USAGE;
}

/* The path of the URI is what is meant, and has to be one that can be asked for. */
static enum cli_exit
use_path(const struct connection *c, struct place *ret)
{
	struct error e;

	if (uri_check_path(c->uri.path, &e) < 0) {
		connection_complain("%s", e.text);
		return CLI_USAGE;
	}
	(void)snprintf(ret->path, sizeof(ret->path), "%s", c->uri.path);
	return CLI_OK;
}

enum asked { ASKED_FOUND, ASKED_NONE, ASKED_NO_COLLECTION, ASKED_FAILED };

/* Asks one collection; what failed is in *ret_exit. */
static enum asked
ask_collection(
	struct connection *c, const char *collection, struct place *place, enum cli_exit *ret_exit)
{
	const struct props by_name = {.has = PROPS_BIT(PROPS_NAME), .name = bytes_str(place->name)};
	struct transfer_result r;
	struct link_reader links;
	struct link_value l;
	char what[URI_PART_MAX + 128];

	fetch_topic(c, collection, &by_name, &r);
	if (r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		return ASKED_NO_COLLECTION;
	(void)snprintf(
		what, sizeof(what), "cannot look for topic %s in %s", place->name, collection);
	if ((*ret_exit = connection_judge(&r, what)) != CLI_OK)
		return ASKED_FAILED;
	links.in = r.body;
	if (!link_next(&links, &l))
		return ASKED_NONE;
	*ret_exit = read_topic(c, l.target, place);
	return *ret_exit == CLI_OK ? ASKED_FOUND : ASKED_FAILED;
}

/* Whether a request can ask for it: the size and the number of its segments. */
static bool
makes_path(const char *path)
{
	struct target t = {.path = bytes_str(path), .accept = TARGET_NO_FORMAT};
	uint8_t space[2 * URI_PART_MAX + 16];
	struct buf scratch = BUF_OF(space);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_PUT);
	return target_put(&t, &m, &scratch) == 0;
}

static enum cli_exit
no_topic(struct connection *c, const char *collection, bool create, struct place *ret)
{
	(void)snprintf(ret->path, sizeof(ret->path), "%s%s%s", collection, data_part, c->uri.path);
	/* A name that makes no path is not created by a publish. */
	if (!create || !makes_path(ret->path)) {
		connection_complain("there is no topic %s", ret->name);
		return CLI_REFUSED;
	}
	ret->absent = true;
	connection_note(c, "there is no topic %s; publishing may create it", ret->name);
	return CLI_OK;
}

/* Not in the usual place: discovered collections, or no broker at all. */
static enum cli_exit
look_further(struct connection *c, bool create, struct place *ret)
{
	struct collections all;
	enum cli_exit rc;

	if ((rc = locate_collections(c, &all)) != CLI_OK)
		return rc;
	for (unsigned i = 0; i < all.n; i++) {
		if (is_data_of(c, all.path[i], ret))
			return use_path(c, ret);
		if (ask_collection(c, all.path[i], ret, &rc) != ASKED_FOUND && rc == CLI_OK)
			continue;
		return rc;
	}
	if (all.n > 0)
		return no_topic(c, all.path[0], create, ret);
	connection_note(c, "no topic collection there: using %s as it is", c->uri.path);
	return use_path(c, ret);
}

enum cli_exit
locate_topic(struct connection *c, bool create, struct place *ret)
{
	enum cli_exit rc = CLI_OK;

	if (c->uri.path[0] == '\0') {
		connection_complain("the URI names no topic");
		return CLI_USAGE;
	}
	ret->absent = false;
	if (is_data_of(c, LOCATE_COLLECTION, ret))
		return use_path(c, ret);
	read_name(c->uri.path + 1, ret->name);
	if (strncmp(c->uri.path, core_prefix, strlen(core_prefix)) == 0)
		return use_path(c, ret);
	switch (ask_collection(c, LOCATE_COLLECTION, ret, &rc)) {
	case ASKED_NONE:
		return no_topic(c, LOCATE_COLLECTION, create, ret);
	case ASKED_NO_COLLECTION:
		return look_further(c, create, ret);
	default:
		return rc;
	}
}

/* The topic that has its data at place->path, which is below the data of a collection. */
static enum cli_exit
find_by_data(struct connection *c, struct place *place)
{
	char collection[URI_PART_MAX + 1];
	const char *end = strstr(place->path, "/data/");
	uint8_t space[3 * sizeof(place->path)];
	struct buf data = BUF_OF(space);
	struct props by_data = {.has = PROPS_BIT(PROPS_DATA)};
	struct transfer_result r;
	struct link_reader links;
	struct link_value l;
	enum cli_exit rc;

	(void)snprintf(
		collection, sizeof(collection), "%.*s", (int)(end - place->path), place->path);
	/* The property is a URI reference: what was left as it is in ours is escaped there. */
	link_put_path(&data, bytes_str(place->path));
	by_data.data = buf_bytes(&data);
	fetch_topic(c, collection, &by_data, &r);
	if ((rc = connection_judge(&r, c->text)) != CLI_OK)
		return rc;
	links.in = r.body;
	if (link_next(&links, &l) && locate_path(c, l.target, place->topic, sizeof(place->topic)))
		return CLI_OK;
	/* Its escapes may be written otherwise there; most often the name leads to it, too. */
	if (ask_collection(c, collection, place, &rc) == ASKED_NONE)
		return no_topic(c, collection, false, place);
	return rc;
}

enum cli_exit
locate_properties(struct connection *c, struct place *ret)
{
	enum cli_exit rc;

	ret->topic[0] = '\0';
	if (c->uri.query[0] != '\0') {
		connection_complain("the URI of a topic has no query: %s", c->text);
		return CLI_USAGE;
	}
	if ((rc = locate_topic(c, false, ret)) != CLI_OK || ret->topic[0] != '\0')
		return rc;
	if (strstr(ret->path, "/data/"))
		return find_by_data(c, ret);
	connection_complain("%s: there is no topic collection", c->text);
	return CLI_REFUSED;
}

enum cli_exit
locate_new(struct connection *c, struct place *ret)
{
	struct collections all;
	struct transfer_result r;
	enum cli_exit rc;

	if (c->uri.path[0] == '\0') {
		connection_complain("the URI names no topic");
		return CLI_USAGE;
	}
	if (c->uri.query[0] != '\0') {
		connection_complain("the URI of a topic has no query: %s", c->text);
		return CLI_USAGE;
	}
	read_name(c->uri.path + 1, ret->name);
	connection_get(c, LOCATE_COLLECTION, "rt=core.ps.none", &r);
	if (r.end != TRANSFER_ANSWERED)
		return connection_judge(&r, c->text);
	if (r.code == CODE_NOT_FOUND) {
		if ((rc = locate_collections(c, &all)) != CLI_OK)
			return rc;
	} else {
		all.n = 1;
		(void)snprintf(all.path[0], sizeof(all.path[0]), "%s", LOCATE_COLLECTION);
	}
	if (all.n == 0) {
		connection_complain("%s: there is no topic collection", c->text);
		return CLI_REFUSED;
	}
	for (unsigned i = all.n; i-- > 0;) {
		if (is_data_of(c, all.path[i], ret) || i == 0) {
			memcpy(ret->topic, all.path[i], sizeof(ret->topic));
			break;
		}
	}
	return CLI_OK;
}
