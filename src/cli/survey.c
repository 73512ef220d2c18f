/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/survey.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/offer.h"
#include "wire/link.h"

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The links of a collection: the type of one that has none is implied, a topic. */
static void
add_links(struct connection *c, struct bytes body, struct survey_paths *p)
{
	struct link_reader links = {.in = body};
	char path[URI_PART_MAX + 1];
	size_t first = p->n, cap = p->n;
	struct link_value v;

	while (link_next(&links, &v)) {
		struct link_param rt;

		if (v.target.n == 0 ||
			(link_find_param(&v, "rt", &rt) && !link_param_lists(&rt, "core.ps.conf")))
			continue;
		if (!locate_path(c, v.target, path, sizeof(path))) {
			connection_note(
				c, "passed over: %.*s", (int)v.target.n, (const char *)v.target.p);
			continue;
		}
		if (p->n == cap) {
			cap = cap ? 2 * cap : 64;
			p->path = mem_realloc(p->path, cap * sizeof(*p->path));
		}
		p->path[p->n++] = mem_strdup(path);
	}
	if (p->n > first)
		qsort(p->path + first, p->n - first, sizeof(*p->path), compare_paths);
}

/* One collection, `said` when it is complained about. */
static enum cli_exit
add_collection(struct connection *c, const char *path, const struct transfer_result *r,
	const char *said, struct survey_paths *p)
{
	enum cli_exit rc = connection_judge(r, said);
	unsigned i = p->collections.n;
	size_t before = p->n;

	if (rc != CLI_OK)
		return rc;
	add_links(c, r->body, p);
	(void)snprintf(p->collections.path[i], sizeof(p->collections.path[i]), "%s", path);
	p->n_of[i] = p->n - before;
	p->collections.n++;
	return CLI_OK;
}

static enum cli_exit
list_discovered(struct connection *c, struct survey_paths *p)
{
	struct collections all;
	struct transfer_result r;
	enum cli_exit rc = locate_collections(c, &all), first = CLI_OK;

	if (rc == CLI_OK && all.n == 0) {
		connection_complain("%s: there is no topic collection", c->text);
		rc = CLI_REFUSED;
	}
	if (rc != CLI_OK)
		return rc;
	for (unsigned i = 0; i < all.n; i++) {
		connection_get(c, all.path[i], "", &r);
		rc = add_collection(c, all.path[i], &r, all.path[i], p);
		if (first == CLI_OK)
			first = rc;
		if (r.end == TRANSFER_TIMEOUT)
			break;
	}
	return first;
}

enum cli_exit
survey_list(
	struct connection *c, const char *collection, const char *query, struct survey_paths *ret)
{
	const char *path = collection ? collection : LOCATE_COLLECTION;
	struct transfer_result r;

	connection_get(c, path, query, &r);
	if (!collection && r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		return list_discovered(c, ret);
	return add_collection(c, path, &r, c->text, ret);
}

enum cli_exit
survey_meant(struct connection *c, struct survey_paths *ret)
{
	struct place place;
	enum cli_exit rc;

	if (c->uri.path[0] == '\0')
		return survey_list(c, NULL, "", ret);
	if ((rc = locate_properties(c, &place)) != CLI_OK)
		return rc;
	ret->path = mem_alloc(sizeof(*ret->path));
	ret->path[ret->n++] = mem_strdup(place.topic);
	return CLI_OK;
}

void
survey_free_list(struct survey_paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->path[i]);
	free(p->path);
	*p = (struct survey_paths){.n = 0};
}

enum survey_found
survey_topic(struct connection *c, const char *path, struct props *ret)
{
	struct transfer_result r;

	connection_get(c, path, "", &r);
	if (r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		return SURVEY_GONE;
	/* A topic that cannot be read says nothing of the next; silence does. */
	if (connection_judge(&r, path) != CLI_OK)
		return r.end == TRANSFER_TIMEOUT ? SURVEY_SILENT : SURVEY_FAILED;
	if (props_decode(r.body, ret) == 0 && props_has(ret, PROPS_NAME))
		return SURVEY_FOUND;
	connection_complain("%s: not the properties of a topic", path);
	return SURVEY_FAILED;
}

/* --- data --------------------------------------------------------------------------- */

static int
compare_data(const void *a, const void *b)
{
	const struct survey_datum *x = a, *y = b;

	return bytes_compare(x->target, y->target);
}

enum cli_exit
survey_data(struct connection *c, struct survey_data *ret)
{
	struct survey_data d = {.n = 0};
	struct link_reader links;
	struct transfer_result r;
	struct link_value v;
	struct link_param p;
	enum cli_exit rc;
	size_t cap = 0;

	connection_get(c, "/.well-known/core", "rt=core.ps.data", &r);
	if ((rc = connection_judge(&r, "cannot discover topic data")) != CLI_OK)
		return rc;
	d.body = mem_dup(r.body);
	links.in = bytes_of(d.body, r.body.n);
	while (link_next(&links, &v)) {
		/* A server that does not filter lists everything. */
		if (!link_find_param(&v, "rt", &p) || !link_param_lists(&p, "core.ps.data"))
			continue;
		if (d.n == cap) {
			cap = cap ? 2 * cap : 64;
			d.list = mem_realloc(d.list, cap * sizeof(*d.list));
		}
		d.list[d.n++] = (struct survey_datum){
			.target = v.target, .may_move = link_find_param(&v, "gp-obs", &p)};
	}
	if (d.n > 0)
		qsort(d.list, d.n, sizeof(*d.list), compare_data);
	*ret = d;
	return CLI_OK;
}

void
survey_free_data(struct survey_data *d)
{
	free(d->body);
	free(d->list);
	*d = (struct survey_data){.n = 0};
}

const struct survey_datum *
survey_find_data(const struct survey_data *d, struct bytes target)
{
	const struct survey_datum key = {.target = target};

	return d->n > 0 ? bsearch(&key, d->list, d->n, sizeof(*d->list), compare_data) : NULL;
}

/* --- group observations ------------------------------------------------------------- */

static bool
read_offer(struct bytes body, struct survey_group *ret)
{
	struct inform in;
	struct msg m;

	if (inform_decode(body, &in) < 0 || in.client.family == AF_UNSPEC ||
		in.server.family == AF_UNSPEC)
		return false;
	*ret = (struct survey_group){.group = in.client,
		.server = in.server,
		.token = in.token,
		.generations = in.generations,
		.has_ending = in.has_ending,
		.ending_s = in.ending_s};
	if (in.ph_req.p && msg_decode_inner(in.ph_req, &m) == 0)
		ret->is_protected = msg_has(&m, OPT_OSCORE);
	if (in.last_notif.p && msg_decode_inner(in.last_notif, &m) == 0)
		ret->has_observe = msg_uint(&m, OPT_OBSERVE, &ret->observe);
	return true;
}

enum survey_found
survey_group(struct connection *c, const char *path, struct survey_group *ret)
{
	struct transfer_request q = {
		.code = CODE_GET,
		.target = {.path = bytes_str(path), .accept = OFFER_FORMAT},
		.content_format = TARGET_NO_FORMAT,
	};
	struct transfer_result r;

	connection_ask(c, &q, &r);
	/* Who may not subscribe to it is told that there is none, or that it may not. */
	if (r.end == TRANSFER_ANSWERED && MSG_CLASS(r.code) == 4)
		return SURVEY_GONE;
	if (connection_judge(&r, path) != CLI_OK)
		return r.end == TRANSFER_TIMEOUT ? SURVEY_SILENT : SURVEY_FAILED;
	/* A server that knows no such format may answer in another. */
	if (r.content_format != OFFER_FORMAT)
		return SURVEY_GONE;
	if (read_offer(r.body, ret))
		return SURVEY_FOUND;
	connection_complain("%s: the data of its group observation make no sense", path);
	return SURVEY_FAILED;
}
