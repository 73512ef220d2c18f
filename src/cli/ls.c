/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/ls.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cli/locate.h"
#include "cli/text.h"
#include "cli/topics.h"
#include "wire/cborget.h"
#include "wire/link.h"
#include "wire/props.h"

/* What a topic was created with tells nothing of what it has: for `topic show`. */
#define LISTED (PROPS_ALL & ~PROPS_BIT(PROPS_INITIALIZE))

struct ls {
	struct connection c;
	bool over; /* nobody reads on, or nobody answers */
	enum cli_exit exit; /* the first failure */
};

/* One line whatever the name is. */
static enum connection_written
print_plain(const struct props *p)
{
	char *line = mem_alloc(TEXT_ESCAPED(p->name.n));
	size_t n = text_escape(p->name, line);
	enum connection_written written;

	line[n++] = '\n';
	written = connection_write(bytes_of(line, n));
	free(line);
	return written;
}

static void
fail(struct ls *l, enum cli_exit how, bool over)
{
	if (l->exit == CLI_OK)
		l->exit = how;
	l->over = l->over || over;
}

/* Asks for one of the topics; false when there is nothing to print. */
static bool
read_topic(struct ls *l, const char *path, struct transfer_result *r, struct props *p)
{
	connection_get(&l->c, path, "", r);
	/* Deleted since it was listed. */
	if (r->end == TRANSFER_ANSWERED && r->code == CODE_NOT_FOUND)
		return false;
	if (connection_judge(r, path) != CLI_OK) {
		/* A topic that cannot be read says nothing of the next; silence does. */
		if (r->end == TRANSFER_TIMEOUT)
			fail(l, CLI_TIMEOUT, true);
		else
			fail(l, CLI_OTHER, false);
		return false;
	}
	if (props_decode(r->body, p) == 0 && props_has(p, PROPS_NAME))
		return true;
	connection_complain("%s: not the properties of a topic", path);
	fail(l, CLI_OTHER, false);
	return false;
}

/* A link of the collection has no name in it: the topic has. */
static void
print_topic(struct ls *l, struct bytes target)
{
	char path[URI_PART_MAX + 1];
	enum connection_written written;
	struct transfer_result r;
	struct props p;

	if (!locate_path(&l->c, target, path, sizeof(path))) {
		connection_note(&l->c, "passed over: %.*s", (int)target.n, (const char *)target.p);
		return;
	}
	if (!read_topic(l, path, &r, &p))
		return;
	written = l->c.args->json ? topics_print_json(path, &p, LISTED) : print_plain(&p);
	if (written != CONNECTION_WRITTEN)
		fail(l, connection_wrote(written), true);
}

static int
compare_targets(const void *a, const void *b)
{
	struct bytes x = *(const struct bytes *)a, y = *(const struct bytes *)b;
	int by = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return by ? by : (x.n > y.n) - (x.n < y.n);
}

/*
 * In the order of their paths, which most often are their names. The list is copied: each
 * topic asked for takes its place in the connection.
 */
static void
print_links(struct ls *l, struct bytes body)
{
	struct bytes *targets = NULL;
	size_t n = 0, cap = 0;
	uint8_t *copy = mem_dup(body);
	struct link_reader links = {.in = bytes_of(copy, body.n)};
	struct link_value v;

	while (link_next(&links, &v)) {
		struct link_param rt;

		/* The type of a link that has none is implied: a topic. */
		if (v.target.n == 0 ||
			(link_find_param(&v, "rt", &rt) && !link_param_lists(&rt, "core.ps.conf")))
			continue;
		if (n == cap) {
			cap = cap ? 2 * cap : 64;
			targets = mem_realloc(targets, cap * sizeof(*targets));
		}
		targets[n++] = v.target;
	}
	if (n > 0)
		qsort(targets, n, sizeof(*targets), compare_targets);
	for (size_t i = 0; !l->over && i < n; i++)
		print_topic(l, targets[i]);
	free(targets);
	free(copy);
}

static void
list_discovered(struct ls *l)
{
	struct collections all;
	struct transfer_result r;
	enum cli_exit rc = locate_collections(&l->c, &all);

	if (rc == CLI_OK && all.n == 0) {
		connection_complain("%s: there is no topic collection", l->c.text);
		rc = CLI_REFUSED;
	}
	if (rc != CLI_OK) {
		fail(l, rc, true);
		return;
	}
	for (unsigned i = 0; !l->over && i < all.n; i++) {
		connection_get(&l->c, all.path[i], "", &r);
		if ((rc = connection_judge(&r, all.path[i])) == CLI_OK)
			print_links(l, r.body);
		else
			fail(l, rc, r.end == TRANSFER_TIMEOUT);
	}
}

static void
list(struct ls *l)
{
	const struct uri *u = &l->c.uri;
	bool named = u->path[0] != '\0';
	struct transfer_result r;
	enum cli_exit rc;
	struct error e;

	if (uri_check_path(u->path, &e) < 0) {
		connection_complain("%s", e.text);
		fail(l, CLI_USAGE, true);
		return;
	}
	connection_get(&l->c, named ? u->path : LOCATE_COLLECTION, u->query, &r);
	if (!named && r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND)
		list_discovered(l);
	else if ((rc = connection_judge(&r, l->c.text)) == CLI_OK)
		print_links(l, r.body);
	else
		fail(l, rc, true);
}

enum cli_exit
ls_run(const struct args *a)
{
	struct ls l = {.exit = CLI_OK};
	enum cli_exit rc = connection_open(&l.c, a);

	if (rc != CLI_OK)
		return rc;
	list(&l);
	connection_close(&l.c);
	return l.exit;
}
