/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/emit.h"

#include "conf/scalar.h"

struct emitter {
	FILE *out;
	bool comment; /* the lines being written only say what there would be */
	bool dash; /* the next line is the first of a list's entry */
	size_t indent; /* in steps of two spaces */
};

static void emit_map(struct emitter *em, const struct schema_key *keys, const void *base);

static const void *
field_of(const void *base, size_t at)
{
	return (const char *)base + at;
}

static const void *
pointer_at(const void *field)
{
	return *(const void *const *)field;
}

static bool
is_absent(const struct schema_key *key, const void *base)
{
	const void *field = field_of(base, key->at);

	if (key->list)
		return !pointer_at(field);
	if (key->type == SCHEMA_MAP)
		return (key->flags & SCHEMA_OPTIONAL) && !pointer_at(field);
	return !scalar_is_set(key, field);
}

/* Whether anything of a map will be more than a comment. */
static bool
is_visible(const struct schema_key *key, const void *base)
{
	if (key->list || key->type != SCHEMA_MAP || (key->flags & SCHEMA_OPTIONAL))
		return true;
	base = field_of(base, key->at);
	for (const struct schema_key *k = key->keys; k->name; k++)
		if (!is_absent(k, base) && is_visible(k, base))
			return true;
	return false;
}

static void
begin_line(struct emitter *em)
{
	size_t n = em->indent;

	if (em->comment)
		fputc('#', em->out);
	if (em->dash && !em->comment)
		n--;
	while (n-- > 0)
		fputs("  ", em->out);
	if (em->dash && !em->comment) {
		fputs("- ", em->out);
		em->dash = false;
	}
}

static void
emit_scalars(struct emitter *em, const struct schema_key *key, const char *list, size_t n)
{
	fputs(n ? "[ " : "[]", em->out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", em->out);
		scalar_format(key, list + i * key->size, em->out);
	}
	fputs(n ? " ]\n" : "\n", em->out);
}

static void
emit_maps(struct emitter *em, const struct schema_key *key, const char *list, size_t n)
{
	if (n == 0) {
		fputs(" []\n", em->out);
		return;
	}
	fputc('\n', em->out);
	em->indent += 2;
	for (size_t i = 0; i < n; i++) {
		em->dash = true;
		emit_map(em, key->keys, list + i * key->size);
	}
	em->indent -= 2;
}

static void
emit_value(struct emitter *em, const struct schema_key *key, const void *base)
{
	const void *field = field_of(base, key->at);
	const size_t *n = field_of(base, key->at_n);

	if (key->type == SCHEMA_MAP && key->list) {
		emit_maps(em, key, pointer_at(field), *n);
	} else if (key->type == SCHEMA_MAP) {
		fputc('\n', em->out);
		em->indent++;
		emit_map(em, key->keys, key->flags & SCHEMA_OPTIONAL ? pointer_at(field) : field);
		em->indent--;
	} else if (key->list) {
		fputc(' ', em->out);
		emit_scalars(em, key, pointer_at(field), *n);
	} else {
		fputc(' ', em->out);
		scalar_format(key, field, em->out);
		fputc('\n', em->out);
	}
}

static void
emit_map(struct emitter *em, const struct schema_key *keys, const void *base)
{
	for (; keys->name; keys++) {
		bool was_comment = em->comment;

		if (is_absent(keys, base))
			continue;
		em->comment = em->comment || !is_visible(keys, base);
		begin_line(em);
		fprintf(em->out, "%s:", keys->name);
		emit_value(em, keys, base);
		em->comment = was_comment;
	}
}

void
emit_yaml(const struct schema_key *keys, const void *base, FILE *out)
{
	struct emitter em = {.out = out};

	emit_map(&em, keys, base);
}

static void
describe_names(const struct schema_key *key, FILE *out)
{
	const struct schema_name *n;

	for (n = key->names; n && n->name; n++)
		fprintf(out, "%s%s", n == key->names ? " " : ", ", n->name);
}

void
emit_description(const struct schema_key *key, FILE *out)
{
	fprintf(out, "%s%s%s", key->list ? "list of " : "", scalar_type(key), key->list ? "s" : "");
	describe_names(key, out);
	scalar_bounds(key, out);
	if (key->list_min)
		fputs(", not empty", out);
	if (key->dflt)
		fprintf(out, ", default %s", key->dflt);
	if (key->flags & SCHEMA_REQUIRED)
		fputs(", required", out);
	if (key->flags & SCHEMA_SECRET)
		fputs(", secret", out);
}
