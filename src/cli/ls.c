/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/ls.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cli/survey.h"
#include "cli/text.h"
#include "cli/topics.h"

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

/* A link of the collection has no name in it: the topic has. */
static void
print_topic(struct ls *l, const char *path)
{
	enum connection_written written;
	struct props p;

	switch (survey_topic(&l->c, path, &p)) {
	case SURVEY_FOUND:
		written = l->c.args->json ? topics_print_json(path, &p, LISTED) : print_plain(&p);
		if (written != CONNECTION_WRITTEN)
			fail(l, connection_wrote(written), true);
		break;
	case SURVEY_GONE:
		break;
	case SURVEY_FAILED:
		fail(l, CLI_OTHER, false);
		break;
	case SURVEY_SILENT:
		fail(l, CLI_TIMEOUT, true);
		break;
	}
}

static void
list(struct ls *l)
{
	const struct uri *u = &l->c.uri;
	struct survey_paths p = {.n = 0};
	enum cli_exit rc;
	struct error e;

	if (uri_check_path(u->path, &e) < 0) {
		connection_complain("%s", e.text);
		fail(l, CLI_USAGE, true);
		return;
	}
	rc = survey_list(&l->c, u->path[0] ? u->path : NULL, u->query, &p);
	if (rc != CLI_OK)
		fail(l, rc, rc == CLI_TIMEOUT);
	for (size_t i = 0; !l->over && i < p.n; i++)
		print_topic(l, p.path[i]);
	survey_free_list(&p);
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
