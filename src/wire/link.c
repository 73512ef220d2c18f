/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/link.h"

static const struct {
	const char *name;
	unsigned flag;
} flags[] = {
	{"obs", LINK_OBS},
	{"gp-obs", LINK_GP_OBS},
	{"osc", LINK_OSC},
	{"gosc", LINK_GOSC},
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* Whether the text starts with a percent-encoded octet. */
static bool
is_escape(struct bytes s)
{
	return s.n >= 3 && s.p[0] == '%' && bytes_hex_digit(s.p[1]) >= 0 &&
	       bytes_hex_digit(s.p[2]) >= 0;
}

/* Takes one octet off a text that is not empty, percent-decoded. */
static uint8_t
take_octet(struct bytes *s)
{
	uint8_t v = s->p[0];

	if (is_escape(*s)) {
		v = (uint8_t)(bytes_hex_digit(s->p[1]) << 4 | bytes_hex_digit(s->p[2]));
		*s = bytes_from(*s, 3);
	} else {
		*s = bytes_from(*s, 1);
	}
	return v;
}

/* Whether a path may hold this as it is: RFC 3986 3.3, pchar and '/'. */
static bool
is_path_char(uint8_t c)
{
	static const char marks[] = "-._~!$&'()*+,;=:@/";

	if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
		return true;
	return c != 0 && strchr(marks, c) != NULL;
}

void
link_put_path(struct buf *out, struct bytes path)
{
	static const char digit[] = "0123456789ABCDEF"; /* RFC 3986 2.1: upper case */

	for (size_t i = 0; i < path.n; i++) {
		uint8_t c = path.p[i];

		if (is_path_char(c) || is_escape(bytes_from(path, i))) {
			buf_put_u8(out, c);
			continue;
		}
		buf_put_u8(out, '%');
		buf_put_u8(out, (uint8_t)digit[c >> 4]);
		buf_put_u8(out, (uint8_t)digit[c & 15]);
	}
}

/* RFC 6690 section 2: quoted-string; a backslash before what would end it. */
static void
put_quoted(struct buf *out, struct bytes text)
{
	buf_put_u8(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_put_u8(out, '\\');
		buf_put_u8(out, text.p[i]);
	}
	buf_put_u8(out, '"');
}

void
link_put(struct buf *out, const struct link *l)
{
	if (out->n > 0)
		buf_put_u8(out, ',');
	buf_put_u8(out, '<');
	link_put_path(out, l->path);
	buf_put_u8(out, '>');
	if (l->rt.p != NULL) {
		buf_put_str(out, ";rt=");
		put_quoted(out, l->rt);
	}
	for (size_t i = 0; i < N_FLAGS; i++) {
		if (!(l->flags & flags[i].flag))
			continue;
		buf_put_u8(out, ';');
		buf_put_str(out, flags[i].name);
	}
	if (l->ct != LINK_NO_CT)
		buf_printf(out, ";ct=%d", l->ct);
}

/* A query-pattern of RFC 6690 4.1: a text, or the start of one. */
struct pattern {
	struct bytes text;
	bool prefix; /* it had a '*' at its end */
};

static bool
pattern_fits(const struct pattern *p, struct bytes value)
{
	return bytes_equal(p->text, p->prefix ? bytes_head(value, p->text.n) : value);
}

/* The pattern is what an URI's query holds once percent-decoded, so the path is decoded, too. */
static bool
path_fits(const struct pattern *p, struct bytes path)
{
	struct bytes text = p->text;

	while (text.n > 0) {
		if (path.n == 0 || take_octet(&path) != text.p[0])
			return false;
		text = bytes_from(text, 1);
	}
	return p->prefix || path.n == 0;
}

/* Takes the next word of a list separated by spaces; false when there is none. */
static bool
take_word(struct bytes *list, struct bytes *ret)
{
	size_t start = 0;
	size_t end;

	while (start < list->n && list->p[start] == ' ')
		start++;
	if (start == list->n)
		return false;
	end = start;
	while (end < list->n && list->p[end] != ' ')
		end++;
	*ret = bytes_of(list->p + start, end - start);
	*list = bytes_from(*list, end);
	return true;
}

static bool
list_fits(const struct pattern *p, struct bytes list)
{
	struct bytes word;

	if (pattern_fits(p, list)) /* the whole of it, and an empty one */
		return true;
	while (take_word(&list, &word))
		if (pattern_fits(p, word))
			return true;
	return false;
}

static bool
attribute_fits(const struct link *l, struct bytes name, const struct pattern *p)
{
	uint8_t digits[12];
	struct buf ct = BUF_OF(digits);

	if (bytes_is(name, "href"))
		return path_fits(p, l->path);
	if (bytes_is(name, "rt"))
		return l->rt.p != NULL && list_fits(p, l->rt);
	if (bytes_is(name, "ct")) {
		buf_printf(&ct, "%d", l->ct);
		return l->ct != LINK_NO_CT && pattern_fits(p, buf_bytes(&ct));
	}
	for (size_t i = 0; i < N_FLAGS; i++)
		if (bytes_is(name, flags[i].name))
			return (l->flags & flags[i].flag) && p->text.n == 0;
	return false;
}

bool
link_matches(const struct link *l, struct bytes query)
{
	const uint8_t *eq = query.n > 0 ? memchr(query.p, '=', query.n) : NULL;
	struct pattern p = {.text = BYTES_NONE, .prefix = true};
	struct bytes name = query;

	if (eq != NULL) {
		name = bytes_head(query, (size_t)(eq - query.p));
		p.text = bytes_from(query, name.n + 1);
		p.prefix = p.text.n > 0 && p.text.p[p.text.n - 1] == '*';
		if (p.prefix)
			p.text.n--;
	}
	return attribute_fits(l, name, &p);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes
trimmed(struct bytes s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = bytes_from(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The number of bytes before the first `stop` that is not in a quoted string. */
static size_t
run_before(struct bytes s, uint8_t stop)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++; /* what it escapes ends nothing */
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == stop)
			return i;
	}
	return s.n;
}

bool
link_next(struct link_reader *r, struct link_value *ret)
{
	const uint8_t *from = r->in.n > 0 ? memchr(r->in.p, '<', r->in.n) : NULL;
	const uint8_t *to;
	struct bytes in;
	size_t n;

	r->in = from != NULL ? bytes_from(r->in, (size_t)(from + 1 - r->in.p)) : BYTES_NONE;
	to = r->in.n > 0 ? memchr(r->in.p, '>', r->in.n) : NULL;
	if (to == NULL) {
		r->in = BYTES_NONE;
		return false;
	}
	in = r->in;
	n = (size_t)(to - in.p);
	ret->target = bytes_head(in, n);
	in = bytes_from(in, n + 1);
	n = run_before(in, ',');
	ret->params = bytes_head(in, n);
	r->in = bytes_from(in, n + 1);
	return true;
}

/* The inside of a quoted string; what follows its end is passed over. */
static struct bytes
unquoted(struct bytes s)
{
	if (s.n == 0 || s.p[0] != '"')
		return s;
	s = bytes_from(s, 1);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return bytes_head(s, i);
	}
	return s; /* never closed */
}

bool
link_next_param(struct link_reader *r, struct link_param *ret)
{
	while (r->in.n > 0) {
		size_t n = run_before(r->in, ';');
		struct bytes param = bytes_head(r->in, n);
		const uint8_t *eq = n > 0 ? memchr(param.p, '=', n) : NULL;
		struct bytes name = param;
		struct bytes value = BYTES_NONE;

		r->in = bytes_from(r->in, n + 1);
		if (eq != NULL) {
			name = bytes_head(param, (size_t)(eq - param.p));
			value = unquoted(trimmed(bytes_from(param, name.n + 1)));
		}
		name = trimmed(name);
		if (name.n == 0)
			continue;
		ret->name = name;
		ret->value = value;
		return true;
	}
	return false;
}

bool
link_find_param(const struct link_value *l, const char *name, struct link_param *ret)
{
	struct link_reader r = {l->params};
	struct link_param p;

	while (link_next_param(&r, &p)) {
		if (!bytes_is(p.name, name))
			continue;
		*ret = p;
		return true;
	}
	return false;
}

bool
link_param_lists(const struct link_param *p, const char *value)
{
	struct bytes list = p->value;
	struct bytes word;

	while (take_word(&list, &word))
		if (bytes_is(word, value))
			return true;
	return false;
}

void
link_put_decoded(struct buf *out, struct bytes text)
{
	while (text.n > 0)
		buf_put_u8(out, take_octet(&text));
}
