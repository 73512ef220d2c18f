/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/sections.h"

#include <stdlib.h>

#include "base/mem.h"

/* A section of a printed configuration: its name, and the lines down to the next. */
struct section {
	struct bytes name, lines;
};

static bool
starts_section(struct bytes text)
{
	return text.n > 0 && text.p[0] >= 'a' && text.p[0] <= 'z';
}

static struct bytes
after_line(struct bytes text)
{
	const uint8_t *end = text.n ? memchr(text.p, '\n', text.n) : NULL;

	return end ? bytes_from(text, (size_t)(end - text.p) + 1) : bytes_of(text.p, 0);
}

/* A section that is not there is printed as a comment, which is no part of the one before. */
static bool
ends_section(struct bytes text)
{
	return starts_section(text) || (text.n > 0 && text.p[0] == '#');
}

/* The next section of a text; false at its end. */
static bool
next_section(struct bytes *text, struct section *ret)
{
	struct bytes rest = *text, start;
	const uint8_t *colon;

	while (rest.n > 0 && !starts_section(rest))
		rest = after_line(rest);
	if (rest.n == 0 || (colon = memchr(rest.p, ':', rest.n)) == NULL)
		return false;
	start = rest;
	do
		rest = after_line(rest);
	while (rest.n > 0 && !ends_section(rest));
	ret->name = bytes_head(start, (size_t)(colon - start.p));
	ret->lines = bytes_head(start, start.n - rest.n);
	*text = rest;
	return true;
}

static struct bytes
find_section(struct bytes text, struct bytes name)
{
	struct section s;

	while (next_section(&text, &s)) {
		if (bytes_equal(s.name, name))
			return s.lines;
	}
	return BYTES_NONE;
}

/* What a reload takes up; of broker and state not everything, see differ_within. */
static bool
is_applied(struct bytes name)
{
	static const char *const names[] = {
		"log", "topics", "access", "groups", "broker", "state", "identities"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_is(name, names[i]))
			return true;
	}
	return false;
}

static void
append(struct buf *out, struct bytes name)
{
	if (out->n > 0)
		buf_put_str(out, ",");
	buf_put(out, name);
}

/* Sections of `these` that `those` has otherwise; with `missing`, only those it has not at all. */
static void
compare(struct bytes these, struct bytes those, bool missing, struct buf *out)
{
	struct section s;

	while (next_section(&these, &s)) {
		struct bytes other = find_section(those, s.name);

		if (is_applied(s.name) || (missing ? other.p != NULL : bytes_equal(other, s.lines)))
			continue;
		append(out, s.name);
	}
}

/* The configuration as text, to be freed; NULL without memory. */
static char *
print(const struct conf *conf, size_t *ret_n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_n);

	if (!f)
		return NULL;
	conf_print(conf, f);
	return fclose(f) == 0 ? text : NULL;
}

/* What a reload does not take up of sections that it takes up otherwise. */
static void
differ_within(const struct conf *running, const struct conf *fresh, struct buf *out)
{
	if (strcmp(running->broker.collection, fresh->broker.collection) != 0)
		append(out, BYTES_LIT("broker.collection"));
	if (strcmp(running->state.directory, fresh->state.directory) != 0)
		append(out, BYTES_LIT("state.directory"));
}

void
sections_compare(const struct conf *running, const struct conf *fresh, struct buf *out)
{
	size_t n_old = 0, n_new = 0;
	char *old = print(running, &n_old), *new = print(fresh, &n_new);

	if (old && new) {
		compare(bytes_of(new, n_new), bytes_of(old, n_old), false, out);
		compare(bytes_of(old, n_old), bytes_of(new, n_new), true, out);
	}
	free(old);
	free(new);
	differ_within(running, fresh, out);
}
