/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/schema.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <yaml.h>

#include "base/mem.h"
#include "conf/scalar.h"
#include "conf/suggest.h"

#define PATH_SIZE 256 /* longest path the tables can make, with a foreign key at its end */

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	bool has_event;
	const struct schema_source *src;
	const char *file; /* its name, in the arena */
	struct bytes text;
	struct schema_doc *doc;
	struct error *e;
	char path[PATH_SIZE]; /* of the value being read; "" at the top */
	size_t n_path;
};

static int read_map(struct reader *r, const struct schema_key *keys, void *base, bool is_item);

static void *
field_of(void *base, size_t at)
{
	return (char *)base + at;
}

/* Paths are made of the tables' names and of indexes, so they fit. */
static size_t __attribute__((format(printf, 2, 3)))
path_push(struct reader *r, const char *fmt, ...)
{
	size_t was = r->n_path;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->path + was, PATH_SIZE - was, fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < PATH_SIZE - was);
	r->n_path = was + (size_t)n;
	return was;
}

static size_t
path_push_key(struct reader *r, const char *name)
{
	size_t was = r->n_path, n = strlen(name);

	assert(n + 2 <= PATH_SIZE - was);
	if (was)
		r->path[r->n_path++] = '.';
	memcpy(r->path + r->n_path, name, n + 1);
	r->n_path += n;
	return was;
}

static void
path_pop(struct reader *r, size_t was)
{
	r->n_path = was;
	r->path[was] = '\0';
}

static struct schema_place
place_of(const struct reader *r, yaml_mark_t at)
{
	return (struct schema_place){
		.file = r->file, .line = (uint32_t)at.line + 1, .column = (uint32_t)at.column + 1};
}

static int
fail(struct reader *r, yaml_mark_t at, const char *why)
{
	struct schema_place place = place_of(r, at);

	schema_error(r->e, &place, r->path, why);
	return -EINVAL;
}

static int
fail_here(struct reader *r, const char *why)
{
	return fail(r, r->event.start_mark, why);
}

static void
drop_event(struct reader *r)
{
	if (!r->has_event)
		return;
	if (r->event.type == YAML_SCALAR_EVENT)
		mem_wipe(r->event.data.scalar.value, r->event.data.scalar.length);
	yaml_event_delete(&r->event);
	r->has_event = false;
}

/* Where libyaml counts bytes only: outside UTF-8 and among control characters. */
static yaml_mark_t
mark_at_offset(const struct reader *r, size_t offset)
{
	yaml_mark_t at = {0, 0, 0};

	for (size_t i = 0; i < offset && i < r->text.n; i++) {
		if (r->text.p[i] == '\n') {
			at.line++;
			at.column = 0;
		} else if ((r->text.p[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

static int
fail_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "not understood";
	yaml_mark_t at = p->problem_mark;
	struct error why;

	if (p->error == YAML_READER_ERROR) {
		at = mark_at_offset(r, p->problem_offset);
		error_set(&why, "not UTF-8 text: %s", problem);
	} else {
		error_set(&why, "not YAML: %s%s%s", problem, p->context ? " " : "",
			p->context ? p->context : "");
	}
	return fail(r, at, why.text);
}

static int
refuse_decoration(struct reader *r)
{
	const yaml_event_t *ev = &r->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return fail_here(r, "aliases are refused");
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return fail_here(r, "anchors are refused");
	return tag ? fail_here(r, "tags are refused") : 0;
}

static int
next(struct reader *r)
{
	drop_event(r);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return fail_syntax(r);
	r->has_event = true;
	return refuse_decoration(r);
}

static struct bytes
event_text(const struct reader *r)
{
	return bytes_of(r->event.data.scalar.value, r->event.data.scalar.length);
}

/* "key:" with nothing behind it: always a slip, or something commented out. */
static bool
is_null(const struct reader *r)
{
	struct bytes text;

	if (r->event.type != YAML_SCALAR_EVENT ||
		r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	text = event_text(r);
	return text.n == 0 || bytes_is(text, "~") || bytes_is(text, "null");
}

/* FNV-1a. Nobody remote chooses these paths. */
static uint64_t
hash_path(const char *path)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *path; path++)
		h = (h ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
	return h;
}

static void
note_place(struct reader *r, bool masked)
{
	struct schema_doc *d = r->doc;
	struct schema_place *p;

	d->places = arena_grow(&d->places_arena, d->places, d->n_places, sizeof(*d->places));
	p = &d->places[d->n_places++];
	*p = place_of(r, r->event.start_mark);
	if (masked)
		p->masked = arena_str(&d->places_arena, bytes_of(r->path, r->n_path));
	p->hash = hash_path(r->path);
	p->older = d->newest[p->hash % SCHEMA_CHAINS];
	d->newest[p->hash % SCHEMA_CHAINS] = (uint32_t)d->n_places;
}

/* A single value, or one entry of a list of them. */
static int
read_scalar(struct reader *r, const struct schema_key *key, void *field, bool *ret_masked)
{
	struct scalar s = {.key = key, .src = r->src, .arena = &r->doc->arena};
	struct error why;

	if (is_null(r))
		return fail_here(r, "needs a value");
	if (r->event.type != YAML_SCALAR_EVENT)
		return fail_here(r, "must be a single value");
	s.text = event_text(r);
	if (scalar_parse(&s, field, &why) != 0)
		return fail_here(r, why.text);
	*ret_masked = s.masked;
	return 0;
}

static int
read_single(struct reader *r, const struct schema_key *key, void *field)
{
	bool masked = false;
	int rc = read_scalar(r, key, field, &masked);

	if (rc == 0)
		note_place(r, masked);
	return rc;
}

/* The number of entries is the caller's; *field takes the array's address. */
static void *
list_append(struct reader *r, const struct schema_key *key, void *base)
{
	void **list = field_of(base, key->at);
	size_t *n = field_of(base, key->at_n);

	*list = arena_grow(&r->doc->arena, *list, *n, key->size);
	return (char *)*list + (*n)++ * key->size;
}

static int
read_item(struct reader *r, const struct schema_key *key, void *base)
{
	const size_t *n = field_of(base, key->at_n);
	size_t was = path_push(r, "[%zu]", *n);
	void *item = list_append(r, key, base);
	int rc;

	if (key->type == SCHEMA_MAP) {
		schema_defaults(r->doc, key->keys, item);
		if (r->event.type != YAML_MAPPING_START_EVENT)
			return fail_here(r, "must be a map of keys");
		note_place(r, false);
		rc = read_map(r, key->keys, item, true);
	} else {
		rc = read_single(r, key, item);
	}
	path_pop(r, was);
	return rc;
}

/* Calls `one` at each entry, also for a single one where that is allowed. */
static int
read_entries(struct reader *r, const struct schema_key *key, void *base,
	int (*one)(struct reader *r, const struct schema_key *key, void *base))
{
	yaml_mark_t start = r->event.start_mark;
	uint64_t n = 0;
	int rc;

	if ((key->flags & SCHEMA_OR_ONE) && r->event.type == YAML_SCALAR_EVENT && !is_null(r)) {
		note_place(r, false);
		return one(r, key, base);
	}
	if (r->event.type != YAML_SEQUENCE_START_EVENT)
		return fail_here(r, "must be a list, [] when it is to be empty");
	note_place(r, false);
	while ((rc = next(r)) == 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
		rc = one(r, key, base);
		if (rc != 0)
			break;
		n++;
	}
	if (rc == 0 && n < key->list_min)
		return fail(r, start, "must have at least one entry");
	return rc;
}

static int
read_list(struct reader *r, const struct schema_key *key, void *base)
{
	void **list = field_of(base, key->at);

	/* An empty list is not an absent one: NULL is for that. */
	if (!*list)
		*list = arena_grow(&r->doc->arena, NULL, 0, key->size);
	return read_entries(r, key, base, read_item);
}

static int
read_flag(struct reader *r, const struct schema_key *key, void *base)
{
	bool masked;

	return read_scalar(r, key, field_of(base, key->at), &masked);
}

static int
read_flags(struct reader *r, const struct schema_key *key, void *base)
{
	memset(field_of(base, key->at), 0, sizeof(unsigned int));
	return read_entries(r, key, base, read_flag);
}

static int
read_submap(struct reader *r, const struct schema_key *key, void *base)
{
	void *sub = field_of(base, key->at);

	if (r->event.type != YAML_MAPPING_START_EVENT)
		return fail_here(r, "must be a map of keys");
	if (key->flags & SCHEMA_OPTIONAL) {
		void **at = sub;

		if (!*at) {
			*at = arena_alloc(&r->doc->arena, key->size);
			schema_defaults(r->doc, key->keys, *at);
		}
		sub = *at;
	}
	note_place(r, false);
	return read_map(r, key->keys, sub, false);
}

static int
read_value(struct reader *r, const struct schema_key *key, void *base)
{
	if (key->list)
		return read_list(r, key, base);
	if (key->type == SCHEMA_FLAGS)
		return read_flags(r, key, base);
	if (key->type == SCHEMA_MAP)
		return read_submap(r, key, base);
	return read_single(r, key, field_of(base, key->at));
}

static int
fail_unknown(struct reader *r, const struct schema_key *keys)
{
	struct bytes text = event_text(r);
	char quoted[SCALAR_QUOTED];
	struct error why;
	const char *best = NULL;
	size_t best_distance = SUGGEST_NEVER, was;
	int rc;

	for (; keys->name; keys++) {
		size_t d = suggest_distance(text, keys->name);

		if (d < best_distance) {
			best_distance = d;
			best = keys->name;
		}
	}
	if (best)
		error_set(&why, "unknown key, did you mean %s?", best);
	else
		error_set(&why, "unknown key");
	was = path_push_key(r, scalar_quote(text, quoted));
	rc = fail_here(r, why.text);
	path_pop(r, was);
	return rc;
}

/* The key at the current event; *seen has a bit for each that was there. */
static int
read_key(struct reader *r, const struct schema_key *keys, uint64_t *seen,
	const struct schema_key **ret)
{
	size_t i, was;
	int rc;

	if (r->event.type != YAML_SCALAR_EVENT)
		return fail_here(r, "keys must be plain words");
	for (i = 0; keys[i].name; i++)
		if (bytes_is(event_text(r), keys[i].name))
			break;
	if (!keys[i].name)
		return fail_unknown(r, keys);
	assert(i < 64);
	if (*seen & UINT64_C(1) << i) {
		was = path_push_key(r, keys[i].name);
		rc = fail_here(r, "is there twice");
		path_pop(r, was);
		return rc;
	}
	*seen |= UINT64_C(1) << i;
	*ret = &keys[i];
	return 0;
}

/* A map outside lists may have got the key from an earlier file. */
static int
check_required(struct reader *r, const struct schema_key *keys, uint64_t seen, bool is_item,
	yaml_mark_t start)
{
	for (size_t i = 0; keys[i].name; i++) {
		size_t was;
		int rc = 0;

		if (!(keys[i].flags & SCHEMA_REQUIRED) || (seen & UINT64_C(1) << i))
			continue;
		was = path_push_key(r, keys[i].name);
		if (is_item || !schema_place(r->doc, r->path))
			rc = fail(r, start, "is required");
		path_pop(r, was);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/*
 * At the start of a map, until its end. Calls itself for the maps below it
 * only where the table has one, so the tables bound the depth.
 */
static int
read_map(struct reader *r, const struct schema_key *keys, void *base, bool is_item)
{
	yaml_mark_t start = r->event.start_mark;
	const struct schema_key *key = NULL;
	uint64_t seen = 0;
	size_t was;
	int rc;

	while ((rc = next(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
		rc = read_key(r, keys, &seen, &key);
		if (rc != 0)
			return rc;
		was = path_push_key(r, key->name);
		rc = next(r);
		if (rc == 0)
			rc = read_value(r, key, base);
		if (rc != 0)
			return rc;
		path_pop(r, was);
	}
	return rc != 0 ? rc : check_required(r, keys, seen, is_item, start);
}

static int
read_document(struct reader *r, const struct schema_key *keys, void *base)
{
	int rc = next(r); /* the start of the stream */

	if (rc == 0)
		rc = next(r); /* of the document */
	if (rc != 0 || r->event.type == YAML_STREAM_END_EVENT)
		return rc;
	rc = next(r);
	if (rc != 0)
		return rc;
	if (r->event.type == YAML_MAPPING_START_EVENT)
		rc = read_map(r, keys, base, false);
	else if (!is_null(r))
		rc = fail_here(r, "must be a map of keys");
	if (rc == 0)
		rc = next(r); /* the end of the document */
	if (rc == 0)
		rc = next(r);
	if (rc == 0 && r->event.type != YAML_STREAM_END_EVENT)
		rc = fail_here(r, "a second document is refused");
	return rc;
}

/* libyaml keeps copies of the text, secrets in it included. */
static void
wipe_parser(yaml_parser_t *p)
{
	if (p->raw_buffer.start)
		mem_wipe(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
	if (p->buffer.start)
		mem_wipe(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
}

int
schema_parse(struct schema_doc *d, const struct schema_key *keys, void *base, struct bytes text,
	const struct schema_source *src, struct error *e)
{
	static const uint8_t nothing = 0;
	struct reader r = {.src = src, .text = text, .doc = d, .e = e};
	int rc;

	r.file = arena_str(&d->arena, bytes_str(src->name));
	if (!yaml_parser_initialize(&r.parser))
		abort(); /* only without memory */
	/* Said outright, or a byte order mark could make it UTF-16. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, text.p ? text.p : &nothing, text.n);
	rc = read_document(&r, keys, base);
	drop_event(&r);
	wipe_parser(&r.parser);
	yaml_parser_delete(&r.parser);
	return rc;
}

static void
set_default(struct schema_doc *d, const struct schema_key *key, void *field)
{
	static const struct schema_source none = {.name = "default"};
	struct scalar s = {.key = key, .src = &none, .arena = &d->arena};
	struct error why;
	int rc;

	s.text = bytes_str(key->dflt);
	rc = scalar_parse(&s, field, &why);
	assert(rc == 0);
	(void)rc;
}

void
schema_defaults(struct schema_doc *d, const struct schema_key *keys, void *base)
{
	for (; keys->name; keys++) {
		void *field = field_of(base, keys->at);

		if (keys->list)
			continue;
		if (keys->type == SCHEMA_MAP && !(keys->flags & SCHEMA_OPTIONAL))
			schema_defaults(d, keys->keys, field);
		else if (keys->dflt)
			set_default(d, keys, field);
		else if (keys->type == SCHEMA_UINT)
			memset(field, 0xff, sizeof(uint32_t));
	}
}

/* A list that was not written, or the lists below one that was. */
static void
finish_list(struct schema_doc *d, const struct schema_key *key, void *base)
{
	void **list = field_of(base, key->at);
	size_t *n = field_of(base, key->at_n);

	if (!*list && key->dflt) {
		*list = arena_grow(&d->arena, NULL, 0, key->size);
		set_default(d, key, *list);
		*n = 1;
	}
	if (key->type != SCHEMA_MAP)
		return;
	for (size_t i = 0; i < *n; i++)
		schema_finish(d, key->keys, (char *)*list + i * key->size);
}

void
schema_finish(struct schema_doc *d, const struct schema_key *keys, void *base)
{
	for (; keys->name; keys++) {
		void *field = field_of(base, keys->at);

		if (keys->list)
			finish_list(d, keys, base);
		else if (keys->type == SCHEMA_MAP && !(keys->flags & SCHEMA_OPTIONAL))
			schema_finish(d, keys->keys, field);
		else if (keys->type == SCHEMA_MAP && *(void **)field)
			schema_finish(d, keys->keys, *(void **)field);
	}
}

const struct schema_place *
schema_place(const struct schema_doc *d, const char *path)
{
	uint64_t h = hash_path(path);
	uint32_t i;

	for (i = d->newest[h % SCHEMA_CHAINS]; i; i = d->places[i - 1].older)
		if (d->places[i - 1].hash == h)
			return &d->places[i - 1];
	return NULL;
}

void
schema_forget_places(struct schema_doc *d)
{
	arena_fini(&d->places_arena);
	d->places = NULL;
	d->n_places = 0;
	memset(d->newest, 0, sizeof(d->newest));
}

void
schema_fini(struct schema_doc *d)
{
	schema_forget_places(d);
	arena_fini(&d->arena);
}

struct schema_place
schema_near(const struct schema_doc *d, const char *path)
{
	char part[PATH_SIZE];
	const struct schema_place *p;
	char *dot;

	snprintf(part, sizeof(part), "%s", path);
	while (!(p = schema_place(d, part))) {
		dot = strrchr(part, '.');
		if (!dot)
			return (struct schema_place){.file = NULL};
		*dot = '\0';
	}
	return *p;
}

void
schema_error(struct error *e, const struct schema_place *at, const char *path, const char *why)
{
	const char *sep = path[0] ? ": " : "";

	if (at->file)
		error_set(e, "%s:%u:%u: %s%s%s", at->file, at->line, at->column, path, sep, why);
	else
		error_set(e, "%s%s%s", path, sep, why);
}
