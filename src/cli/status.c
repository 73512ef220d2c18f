/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/status.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/probe.h"
#include "cli/survey.h"
#include "cli/text.h"

/* A line of the table. */
struct line {
	char *path, *data, *name; /* owned */
	bool has_value; /* created; else half created */
	bool has_format;
	uint16_t content_format;
	bool is_grouped;
	struct survey_group group;
};

struct status {
	struct connection c;
	struct survey_paths paths;
	struct survey_data data;
	struct line *lines; /* owned */
	size_t n;
	struct probe probe;
	enum connection_written written;
	enum cli_exit exit; /* the first failure */
};

static char *
copy_text(struct bytes text)
{
	char *copy = mem_alloc(text.n + 1);

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	return copy;
}

/* False when nothing more is to be asked. */
static bool
note_found(struct status *s, enum survey_found found)
{
	if (s->exit == CLI_OK && found == SURVEY_FAILED)
		s->exit = CLI_OTHER;
	if (s->exit == CLI_OK && found == SURVEY_SILENT)
		s->exit = CLI_TIMEOUT;
	return found != SURVEY_SILENT;
}

static bool
read_topic(struct status *s, const char *path)
{
	const struct survey_datum *d;
	enum survey_found found;
	struct line l = {.path = NULL};
	struct props p;

	if ((found = survey_topic(&s->c, path, &p)) != SURVEY_FOUND)
		return note_found(s, found);
	d = survey_find_data(&s->data, p.data);
	l = (struct line){.path = copy_text(bytes_str(path)),
		.data = copy_text(p.data),
		.name = copy_text(p.name),
		.has_value = d != NULL,
		.has_format = props_has(&p, PROPS_CONTENT_FORMAT),
		.content_format = p.content_format};
	found = d && d->may_move ? survey_group(&s->c, path, &l.group) : SURVEY_GONE;
	l.is_grouped = found == SURVEY_FOUND;
	s->lines[s->n++] = l;
	return note_found(s, found);
}

static void
read_all(struct status *s)
{
	enum cli_exit rc;

	if ((s->exit = survey_meant(&s->c, &s->paths)) != CLI_OK && s->paths.n == 0)
		return;
	if ((rc = survey_data(&s->c, &s->data)) != CLI_OK) {
		s->exit = rc;
		return;
	}
	s->lines = mem_alloc((s->paths.n + 1) * sizeof(*s->lines));
	for (size_t i = 0; i < s->paths.n; i++)
		if (!read_topic(s, s->paths.path[i]))
			return;
}

static size_t
count(const struct status *s, bool (*is_so)(const struct line *l))
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += is_so(&s->lines[i]);
	return n;
}

static bool
is_half_created(const struct line *l)
{
	return !l->has_value;
}

static bool
is_grouped(const struct line *l)
{
	return l->is_grouped;
}

/* --- for people --------------------------------------------------------------------- */

static void
put(struct status *s, struct buf *out)
{
	if (s->written == CONNECTION_WRITTEN)
		s->written = connection_write(buf_bytes(out));
	buf_clear(out);
}

static void
print_head(struct status *s, struct buf *out)
{
	char at[ADDR_STRLEN], path[TEXT_ESCAPED(URI_PART_MAX)];
	const struct addr *server = session_server(endpoint_session(s->c.ep));

	buf_printf(out, "%s is at %s: answers in %u.%03u ms by %s, security %s\n", s->c.text,
		addr_format(server, at), (unsigned)(s->probe.rtt_us / 1000),
		(unsigned)(s->probe.rtt_us % 1000), s->probe.transport, s->probe.security);
	for (unsigned i = 0; i < s->paths.collections.n; i++) {
		(void)text_escape(bytes_str(s->paths.collections.path[i]), path);
		buf_printf(out, "collection %s: topics %zu\n", path, s->paths.n_of[i]);
	}
	buf_printf(out, "topics %zu, half created %zu, in a group observation %zu\n", s->n,
		count(s, is_half_created), count(s, is_grouped));
	put(s, out);
}

/* Characters, more or less: bytes that begin one. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((uint8_t)*text & 0xc0) != 0x80;
	return n;
}

static void
put_column(struct buf *out, const char *text, size_t width)
{
	size_t n = width_of(text);

	buf_put_str(out, text);
	for (n = n < width ? width - n : 0; n > 0; n--)
		buf_put_u8(out, ' ');
	buf_put_str(out, "  ");
}

static void
print_line(struct status *s, const struct line *l, const char *name, size_t width, struct buf *out)
{
	const struct survey_group *g = &l->group;
	char at[ADDR_STRLEN], hex[2 * sizeof(g->token.b) + 1];
	struct buf token = buf_of(hex, sizeof(hex) - 1);

	put_column(out, name, width);
	if (!l->is_grouped) {
		buf_put_str(out, l->has_value ? "created" : "half created");
		buf_put_u8(out, '\n');
		put(s, out);
		return;
	}
	buf_put_hex(&token, bytes_of(g->token.b, g->token.n));
	hex[token.n] = '\0';
	put_column(out, "created", strlen("half created"));
	put_column(out, addr_format(&g->group, at), strlen("255.255.255.255:65535"));
	put_column(out, hex, strlen("7b3c0102"));
	if (g->has_observe)
		buf_printf(out, "%u", (unsigned)g->observe);
	buf_printf(out, "%s\n", g->is_protected ? "  Group OSCORE" : "");
	put(s, out);
}

static void
print_table(struct status *s)
{
	static const char head[] = "TOPIC";
	size_t width = strlen(head), cap = 1024;
	struct buf out;
	char **names = mem_alloc((s->n + 1) * sizeof(*names));

	for (size_t i = 0; i < s->n; i++) {
		struct bytes name = bytes_str(s->lines[i].name);

		names[i] = mem_alloc(TEXT_ESCAPED(name.n));
		cap += 2 * text_escape(name, names[i]);
		if (width_of(names[i]) > width)
			width = width_of(names[i]);
	}
	cap += width + URI_PART_MAX + LOCATE_COLLECTIONS_MAX * (TEXT_ESCAPED(URI_PART_MAX) + 64);
	out = buf_of(mem_alloc(cap), cap);
	print_head(s, &out);
	if (s->n > 0) {
		put_column(&out, head, width);
		buf_put_str(&out, "STATE         GROUP                  TOKEN     OBSERVE\n");
		put(s, &out);
	}
	for (size_t i = 0; i < s->n; i++) {
		print_line(s, &s->lines[i], names[i], width, &out);
		free(names[i]);
	}
	free(out.p);
	free(names);
}

/* --- for programs ------------------------------------------------------------------- */

static void
put_json(struct status *s, struct json *j)
{
	json_close(j);
	if (s->written == CONNECTION_WRITTEN)
		s->written = connection_write(bytes_of(j->p, j->n));
}

static void
print_json_line(struct status *s, const struct line *l, struct json *j)
{
	const struct survey_group *g = &l->group;
	uint8_t hex[2 * sizeof(g->token.b)];
	struct buf token = BUF_OF(hex);
	char at[ADDR_STRLEN];

	json_open(j);
	json_put_str(j, "kind", "topic");
	json_put_payload(j, "topic", bytes_str(l->name));
	json_put_payload(j, "path", bytes_str(l->path));
	json_put_payload(j, "data", bytes_str(l->data));
	json_put_str(j, "state", l->has_value ? "created" : "half created");
	if (l->has_format)
		json_put_uint(j, "content_format", l->content_format);
	if (l->is_grouped) {
		buf_put_hex(&token, bytes_of(g->token.b, g->token.n));
		json_put_str(j, "group", addr_format(&g->group, at));
		json_put_str(j, "server", addr_format(&g->server, at));
		json_put_text(j, "token", buf_bytes(&token));
		json_put_str(j, "generation", g->generations & INFORM_CURRENT ? "current" : "seed");
		json_put_bool(j, "protected", g->is_protected);
		if (g->has_observe)
			json_put_uint(j, "observe", g->observe);
		if (g->has_ending && g->ending_s >= 0)
			json_put_uint(j, "ending", (uint64_t)g->ending_s);
	}
	put_json(s, j);
}

static void
print_json(struct status *s)
{
	const struct addr *server = session_server(endpoint_session(s->c.ep));
	char at[ADDR_STRLEN];
	struct json j = {0};

	json_open(&j);
	json_put_str(&j, "kind", "broker");
	json_put_payload(&j, "uri", bytes_str(s->c.text));
	json_put_str(&j, "server", addr_format(server, at));
	json_put_uint(&j, "rtt_us", s->probe.rtt_us);
	json_put_str(&j, "transport", s->probe.transport);
	json_put_payload(&j, "security", bytes_str(s->probe.security));
	json_put_uint(&j, "topics", s->n);
	json_put_uint(&j, "half_created", count(s, is_half_created));
	json_put_uint(&j, "grouped", count(s, is_grouped));
	put_json(s, &j);
	for (unsigned i = 0; i < s->paths.collections.n; i++) {
		json_open(&j);
		json_put_str(&j, "kind", "collection");
		json_put_payload(&j, "path", bytes_str(s->paths.collections.path[i]));
		json_put_uint(&j, "topics", s->paths.n_of[i]);
		put_json(s, &j);
	}
	for (size_t i = 0; i < s->n; i++)
		print_json_line(s, &s->lines[i], &j);
	json_fini(&j);
}

static enum cli_exit
run(struct status *s)
{
	enum cli_exit rc = probe_run(&s->c, &s->probe);

	if (rc != CLI_OK)
		return rc;
	read_all(s);
	/* What was found is shown, unless nothing was. */
	if (s->exit == CLI_OK || s->n > 0) {
		if (s->c.args->json)
			print_json(s);
		else
			print_table(s);
	}
	return s->exit == CLI_OK ? connection_wrote(s->written) : s->exit;
}

enum cli_exit
status_run(const struct args *a)
{
	struct status s = {.exit = CLI_OK};
	enum cli_exit rc = connection_open(&s.c, a);

	if (rc != CLI_OK)
		return rc;
	rc = run(&s);
	for (size_t i = 0; i < s.n; i++) {
		free(s.lines[i].path);
		free(s.lines[i].data);
		free(s.lines[i].name);
	}
	free(s.lines);
	survey_free_list(&s.paths);
	survey_free_data(&s.data);
	connection_close(&s.c);
	return rc;
}
