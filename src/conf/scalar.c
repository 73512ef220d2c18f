/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/scalar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/addr.h"
#include "conf/lookup.h"
#include "conf/unit.h"

#define DEFAULT_LENGTH 255 /* longest string whose key gives no max */

struct scalar_type {
	const char *name;
	size_t size; /* of the field */
	uint64_t max; /* of the number or length, unless the key has one */
	int (*parse)(struct scalar *s, void *field, struct error *why);
	bool (*is_set)(const struct schema_key *key, const void *field);
	void (*format)(const struct schema_key *key, const void *field, FILE *out);
	void (*format_bound)(uint64_t v, FILE *out); /* NULL: bounds are not said */
	const char *bound_unit; /* after the bounds */
};

static const struct scalar_type types[SCHEMA_MAP + 1];

static uint64_t
max_of(const struct schema_key *key)
{
	return key->max ? key->max : types[key->type].max;
}

const char *
scalar_quote(struct bytes text, char out[SCALAR_QUOTED])
{
	size_t n = text.n;
	bool cut = n > SCALAR_QUOTED - 4;

	if (cut) {
		n = SCALAR_QUOTED - 4;
		while (n > 0 && (text.p[n] & 0xc0) == 0x80)
			n--; /* not in the middle of a character */
	}
	for (size_t i = 0; i < n; i++) {
		bool control = text.p[i] < 0x20 || text.p[i] == 0x7f ||
			       (text.p[i] == 0xc2 && i + 1 < n && text.p[i + 1] < 0xa0);

		out[i] = control ? '?' : (char)text.p[i];
	}
	memcpy(out + n, "...", 4);
	if (!cut)
		out[n] = '\0';
	return out;
}

static bool
has_control(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] == 0x7f ||
			(text.p[i] == 0xc2 && i + 1 < text.n && text.p[i + 1] < 0xa0))
			return true;
	return false;
}

/* "must be 1 to 255 bytes long" for whatever has a length. */
static int
check_length(const struct schema_key *key, size_t n, uint64_t min, struct error *why)
{
	uint64_t max = max_of(key);

	if (n >= min && n <= max)
		return 0;
	if (min == max)
		error_set(why, "must be %" PRIu64 " bytes long, has %zu", min, n);
	else
		error_set(
			why, "must be %" PRIu64 " to %" PRIu64 " bytes long, has %zu", min, max, n);
	return -EINVAL;
}

static int
parse_bool(struct scalar *s, void *field, struct error *why)
{
	static const char *const yes[] = {"true", "yes", "on"};
	static const char *const no[] = {"false", "no", "off"};
	bool *v = field;

	for (size_t i = 0; i < 3; i++) {
		if (bytes_is(s->text, yes[i]) || bytes_is(s->text, no[i])) {
			*v = bytes_is(s->text, yes[i]);
			return 0;
		}
	}
	error_set(why, "must be true or false");
	return -EINVAL;
}

static void
format_bool(const struct schema_key *key, const void *field, FILE *out)
{
	const bool *v = field;

	(void)key;
	fputs(*v ? "true" : "false", out);
}

/* The three number types differ in their units alone. */
static int
parse_number(struct scalar *s, const struct unit *units, uint64_t *ret, struct error *why)
{
	const struct schema_key *key = s->key;
	char low[UNIT_STRLEN], high[UNIT_STRLEN];
	uint64_t v;

	if (unit_parse(s->text, units, &v) == 0 && v >= key->min && v <= max_of(key)) {
		*ret = v;
		return 0;
	}
	error_set(why, "must be %s from %s to %s", unit_name(units),
		unit_format(key->min, units, low), unit_format(max_of(key), units, high));
	return -EINVAL;
}

static int
parse_uint(struct scalar *s, void *field, struct error *why)
{
	uint32_t *ret = field;
	uint64_t v;
	int rc = parse_number(s, unit_none, &v, why);

	if (rc == 0)
		*ret = (uint32_t)v;
	return rc;
}

static bool
is_set_uint(const struct schema_key *key, const void *field)
{
	const uint32_t *v = field;

	return key->dflt || *v != UINT32_MAX;
}

static void
format_uint(const struct schema_key *key, const void *field, FILE *out)
{
	const uint32_t *v = field;

	(void)key;
	fprintf(out, "%" PRIu32, *v);
}

static int
parse_size(struct scalar *s, void *field, struct error *why)
{
	return parse_number(s, unit_size, field, why);
}

static int
parse_duration(struct scalar *s, void *field, struct error *why)
{
	return parse_number(s, unit_duration, field, why);
}

static void
bound_number(uint64_t v, FILE *out)
{
	fprintf(out, "%" PRIu64, v);
}

static void
bound_size(uint64_t v, FILE *out)
{
	char text[UNIT_STRLEN];

	fputs(unit_format(v, unit_size, text), out);
}

static void
bound_duration(uint64_t v, FILE *out)
{
	char text[UNIT_STRLEN];

	fputs(unit_format(v, unit_duration, text), out);
}

static void
format_size(const struct schema_key *key, const void *field, FILE *out)
{
	const uint64_t *v = field;

	(void)key;
	bound_size(*v, out);
}

static void
format_duration(const struct schema_key *key, const void *field, FILE *out)
{
	const uint64_t *v = field;

	(void)key;
	bound_duration(*v, out);
}

static int
parse_string(struct scalar *s, void *field, struct error *why)
{
	const char **ret = field;
	int rc = check_length(s->key, s->text.n, s->key->min ? s->key->min : 1, why);

	if (rc != 0)
		return rc;
	if (has_control(s->text)) {
		error_set(why, "must not contain control characters");
		return -EINVAL;
	}
	if (s->key->is_valid && !s->key->is_valid((const char *)s->text.p, why))
		return -EINVAL;
	*ret = arena_str(s->arena, s->text);
	return 0;
}

static bool
is_set_string(const struct schema_key *key, const void *field)
{
	const char *const *v = field;

	(void)key;
	return *v != NULL;
}

/* What cannot stand in a double-quoted YAML scalar as it is: not printable
 * there, or taken for the end of a line (U+0085, U+2028, U+2029). */
static bool
needs_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       c == 0xfffe || c == 0xffff;
}

/* One character of valid UTF-8, and how many bytes it has. */
static uint32_t
utf8_get(struct bytes text, size_t *ret_n)
{
	uint8_t first = text.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? first : first & (0x7fU >> n);

	if (n > text.n)
		n = text.n;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (text.p[i] & 0x3fU);
	*ret_n = n;
	return c;
}

static void
put_quoted(struct bytes text, FILE *out)
{
	size_t n;

	fputc('"', out);
	for (; text.n; text = bytes_from(text, n)) {
		uint32_t c = utf8_get(text, &n);

		if (needs_escape(c))
			fprintf(out, "\\U%08" PRIX32, c);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (char)c);
		else
			fwrite(text.p, 1, n, out);
	}
	fputc('"', out);
}

static void
format_string(const struct schema_key *key, const void *field, FILE *out)
{
	const char *const *v = field;

	(void)key;
	put_quoted(bytes_str(*v), out);
}

static int
parse_text(struct scalar *s, void *field, struct error *why)
{
	struct bytes *ret = field;
	int rc = check_length(s->key, s->text.n, s->key->min, why);

	if (rc == 0)
		*ret = arena_bytes(s->arena, s->text);
	return rc;
}

static bool
is_set_bytes(const struct schema_key *key, const void *field)
{
	const struct bytes *v = field;

	(void)key;
	return v->p != NULL;
}

static void
format_text(const struct schema_key *key, const void *field, FILE *out)
{
	const struct bytes *v = field;

	(void)key;
	put_quoted(*v, out);
}

static int
bytes_hex(struct scalar *s, struct bytes digits, struct bytes *ret, struct error *why)
{
	uint8_t *p = arena_alloc(s->arena, digits.n / 2);

	for (size_t i = 0; i < digits.n; i++) {
		int d = bytes_hex_digit(digits.p[i]);

		if (d < 0 || digits.n % 2 != 0) {
			error_set(why, "must have pairs of hex digits after hex:");
			return -EINVAL;
		}
		p[i / 2] = (uint8_t)(p[i / 2] << 4 | d);
	}
	*ret = bytes_of(p, digits.n / 2);
	return 0;
}

static int
bytes_text(struct scalar *s, struct bytes text, struct bytes *ret, struct error *why)
{
	(void)why;
	*ret = arena_bytes(s->arena, text);
	return 0;
}

static int
bytes_file(struct scalar *s, struct bytes name, struct bytes *ret, struct error *why)
{
	struct lookup l = {
		.name = (const char *)name.p,
		.folder = s->src->folder,
		.secret = (s->key->flags & SCHEMA_SECRET) != 0,
		.max = (size_t)max_of(s->key),
		.arena = s->arena,
	};

	if (name.n == 0) {
		error_set(why, "must have a file name after file:");
		return -EINVAL;
	}
	return lookup_read(&l, ret, why);
}

/* What --print-config writes: kept apart from every real value, so that nobody
 * runs with a secret that is a row of asterisks. */
static int
bytes_masked(struct scalar *s, struct bytes rest, struct bytes *ret, struct error *why)
{
	if (rest.n != 0 || !(s->key->flags & SCHEMA_SECRET)) {
		error_set(why, "must not be masked");
		return -EINVAL;
	}
	s->masked = true;
	*ret = arena_bytes(s->arena, rest);
	return 0;
}

static const struct {
	const char *prefix;
	bool is_inline; /* the secret stands in the configuration itself */
	int (*get)(struct scalar *s, struct bytes rest, struct bytes *ret, struct error *why);
} notations[] = {
	{"hex:", true, bytes_hex},
	{"text:", true, bytes_text},
	{"file:", false, bytes_file},
	{"masked:", false, bytes_masked},
};

static int
parse_bytes(struct scalar *s, void *field, struct error *why)
{
	struct bytes *ret = field, got = BYTES_NONE;
	size_t n_notations = sizeof(notations) / sizeof(notations[0]), n = 0, i;
	int rc;

	for (i = 0; i < n_notations; i++) {
		n = strlen(notations[i].prefix);
		if (bytes_is(bytes_head(s->text, n), notations[i].prefix))
			break;
	}
	if (i == n_notations) {
		error_set(why, "must start with hex:, text: or file:");
		return -EINVAL;
	}
	rc = notations[i].get(s, bytes_from(s->text, n), &got, why);
	if (rc == 0 && !s->masked)
		rc = check_length(s->key, got.n, s->key->min, why);
	if (rc != 0)
		return rc;
	if (notations[i].is_inline && s->src->shared && (s->key->flags & SCHEMA_SECRET)) {
		error_set(why, "is a secret in a file that others can read: chmod 600 %s",
			s->src->name);
		return -EINVAL;
	}
	*ret = got;
	return 0;
}

static void
format_bytes(const struct schema_key *key, const void *field, FILE *out)
{
	const struct bytes *v = field;

	if (key->flags & SCHEMA_SECRET) {
		fputs("\"masked:\"", out);
		return;
	}
	fputs("\"hex:", out);
	for (size_t i = 0; i < v->n; i++)
		fprintf(out, "%02x", v->p[i]);
	fputc('"', out);
}

static int
parse_enum(struct scalar *s, void *field, struct error *why)
{
	const struct schema_name *n;
	char all[160];
	struct buf list = buf_of(all, sizeof(all));

	for (n = s->key->names; n->name; n++) {
		if (bytes_is(s->text, n->name)) {
			memcpy(field, &n->value, sizeof(n->value));
			return 0;
		}
		buf_printf(&list, "%s%s", list.n ? ", " : "", n->name);
	}
	error_set(why, "must be one of %s", buf_str(&list));
	return -EINVAL;
}

static const char *
name_of(const struct schema_key *key, int value)
{
	for (const struct schema_name *n = key->names; n->name; n++)
		if (n->value == value)
			return n->name;
	return "?";
}

static void
format_enum(const struct schema_key *key, const void *field, FILE *out)
{
	int v;

	memcpy(&v, field, sizeof(v));
	fputs(name_of(key, v), out);
}

/* One name: schema.c calls it for each of the list. */
static int
parse_flag(struct scalar *s, void *field, struct error *why)
{
	unsigned int *ret = field;
	int v, rc = parse_enum(s, &v, why);

	if (rc == 0)
		*ret |= (unsigned int)v;
	return rc;
}

static void
format_flags(const struct schema_key *key, const void *field, FILE *out)
{
	const unsigned int *v = field;
	const char *sep = "[ ";

	for (const struct schema_name *n = key->names; n->name; n++) {
		if (*v & (unsigned int)n->value) {
			fprintf(out, "%s%s", sep, n->name);
			sep = ", ";
		}
	}
	fputs(*v ? " ]" : "[]", out);
}

static int
parse_address(struct scalar *s, void *field, struct error *why)
{
	struct addr a;

	if (addr_parse((const char *)s->text.p, 0, &a) != 0 || a.port != 0) {
		error_set(why, "must be an IPv4 or IPv6 address");
		return -EINVAL;
	}
	memcpy(field, &a, sizeof(a));
	return 0;
}

static bool
is_set_address(const struct schema_key *key, const void *field)
{
	const struct addr *a = field;

	(void)key;
	return addr_ip_len(a) != 0;
}

static void
format_address(const struct schema_key *key, const void *field, FILE *out)
{
	char text[ADDR_STRLEN];

	(void)key;
	fprintf(out, "\"%s\"", addr_format_host(field, text));
}

static int
parse_endpoint(struct scalar *s, void *field, struct error *why)
{
	struct addr a;

	if (addr_parse((const char *)s->text.p, 0, &a) != 0 || a.port == 0) {
		error_set(why, "must be ADDRESS:PORT, IPv6 in brackets");
		return -EINVAL;
	}
	memcpy(field, &a, sizeof(a));
	return 0;
}

static void
format_endpoint(const struct schema_key *key, const void *field, FILE *out)
{
	char text[ADDR_STRLEN];

	(void)key;
	fprintf(out, "\"%s\"", addr_format(field, text));
}

static int
parse_prefix(struct scalar *s, void *field, struct error *why)
{
	struct prefix p;

	if (prefix_parse((const char *)s->text.p, &p) != 0) {
		error_set(why, "must be an address block such as 10.0.0.0/8 or fd00::/8");
		return -EINVAL;
	}
	memcpy(field, &p, sizeof(p));
	return 0;
}

static void
format_prefix(const struct schema_key *key, const void *field, FILE *out)
{
	char text[ADDR_STRLEN];

	(void)key;
	fprintf(out, "\"%s\"", prefix_format(field, text));
}

/* RFC 3986 3: a scheme, "://", and something of printable ASCII after it. */
static int
parse_uri(struct scalar *s, void *field, struct error *why)
{
	const char *text = (const char *)s->text.p;
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.");

	if (n == 0 || strncmp(text + n, "://", 3) != 0 || text[n + 3] == '\0' ||
		text[n + 3] == '/' || strpbrk(text, " \"<>\\^`{|}") != NULL) {
		error_set(why, "must be a URI such as coap://host/path");
		return -EINVAL;
	}
	for (size_t i = 0; i < s->text.n; i++) {
		if (s->text.p[i] >= 0x80) {
			error_set(why, "must be written in ASCII, %%-encoded");
			return -EINVAL;
		}
	}
	return parse_string(s, field, why);
}

static int
parse_path(struct scalar *s, void *field, struct error *why)
{
	const char **ret = field, *name = NULL;
	struct lookup l = {
		.folder = s->src->folder,
		.secret = (s->key->flags & SCHEMA_SECRET) != 0,
		.arena = s->arena,
	};
	int rc = parse_string(s, &name, why);

	if (rc != 0)
		return rc;
	l.name = name;
	/* From memory there is no folder to look in: it stays as written. */
	if ((s->key->flags & SCHEMA_FILE) && l.folder)
		return lookup_path(&l, ret, why);
	*ret = lookup_join(s->arena, l.folder, name);
	return 0;
}

static int
parse_custom(struct scalar *s, void *field, struct error *why)
{
	return s->key->custom->parse((const char *)s->text.p, field, why);
}

static void
format_custom(const struct schema_key *key, const void *field, FILE *out)
{
	key->custom->format(field, out);
}

static const struct scalar_type types[SCHEMA_MAP + 1] = {
	[SCHEMA_BOOL] = {"true or false", sizeof(bool), 0, parse_bool, NULL, format_bool, NULL,
		NULL},
	[SCHEMA_UINT] = {"number", sizeof(uint32_t), UINT32_MAX - 1, parse_uint, is_set_uint,
		format_uint, bound_number, ""},
	[SCHEMA_SIZE] = {"size", sizeof(uint64_t), INT64_MAX, parse_size, NULL, format_size,
		bound_size, ""},
	[SCHEMA_DURATION] = {"duration", sizeof(uint64_t), INT64_MAX, parse_duration, NULL,
		format_duration, bound_duration, ""},
	[SCHEMA_STRING] = {"string", sizeof(char *), DEFAULT_LENGTH, parse_string, is_set_string,
		format_string, NULL, NULL},
	[SCHEMA_TEXT] = {"text", sizeof(struct bytes), 65536, parse_text, is_set_bytes, format_text,
		NULL, NULL},
	[SCHEMA_BYTES] = {"bytes", sizeof(struct bytes), 65536, parse_bytes, is_set_bytes,
		format_bytes, bound_number, " long"},
	[SCHEMA_ENUM] = {"one of", sizeof(int), 0, parse_enum, NULL, format_enum, NULL, NULL},
	[SCHEMA_FLAGS] = {"list of", sizeof(unsigned int), 0, parse_flag, NULL, format_flags, NULL,
		NULL},
	[SCHEMA_ADDRESS] = {"address", sizeof(struct addr), 0, parse_address, is_set_address,
		format_address, NULL, NULL},
	[SCHEMA_ENDPOINT] = {"address:port", sizeof(struct addr), 0, parse_endpoint, is_set_address,
		format_endpoint, NULL, NULL},
	[SCHEMA_PREFIX] = {"address block", sizeof(struct prefix), 0, parse_prefix, NULL,
		format_prefix, NULL, NULL},
	[SCHEMA_URI] = {"URI", sizeof(char *), 1023, parse_uri, is_set_string, format_string, NULL,
		NULL},
	[SCHEMA_PATH] = {"path", sizeof(char *), 1023, parse_path, is_set_string, format_string,
		NULL, NULL},
	[SCHEMA_CUSTOM] = {NULL, 0, 0, parse_custom, NULL, format_custom, NULL, NULL},
	[SCHEMA_MAP] = {"map", 0, 0, NULL, NULL, NULL, NULL, NULL},
};

int
scalar_parse(struct scalar *s, void *field, struct error *why)
{
	bool may_have_nul = s->key->type == SCHEMA_TEXT || s->key->type == SCHEMA_BYTES;

	if (!may_have_nul && s->text.n && memchr(s->text.p, '\0', s->text.n)) {
		error_set(why, "must not contain control characters");
		return -EINVAL;
	}
	return types[s->key->type].parse(s, field, why);
}

bool
scalar_is_set(const struct schema_key *key, const void *field)
{
	const struct scalar_type *t = &types[key->type];

	return !t->is_set || t->is_set(key, field);
}

void
scalar_format(const struct schema_key *key, const void *field, FILE *out)
{
	types[key->type].format(key, field, out);
}

const char *
scalar_type(const struct schema_key *key)
{
	return key->custom ? key->custom->type : types[key->type].name;
}

void
scalar_bounds(const struct schema_key *key, FILE *out)
{
	const struct scalar_type *t = &types[key->type];

	if (!t->format_bound) {
		if (key->max)
			fprintf(out, ", up to %" PRIu64 " bytes", key->max);
		return;
	}
	fputs(", ", out);
	t->format_bound(key->min, out);
	if (max_of(key) != key->min) {
		fputs(" to ", out);
		t->format_bound(max_of(key), out);
	}
	fputs(t->bound_unit, out);
}
