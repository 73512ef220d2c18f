/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/msg.h"

#include <errno.h>
#include <stdio.h>

#include "wire/codec.h"

#define HEADER_LEN 4
#define VERSION 1
#define PAYLOAD_MARKER 0xff

/* Options and payload of what follows the token, into *ret. */
static bool
decode_tail(struct bytes rest, struct msg *ret)
{
	uint16_t number = 0;

	ret->n_opts = 0;
	ret->n_scratch = 0;
	ret->payload = BYTES_NONE;
	while (rest.n > 0 && rest.p[0] != PAYLOAD_MARKER) {
		struct opt *o = &ret->opts[ret->n_opts];

		if (ret->n_opts == MSG_MAX_OPTIONS)
			return false;
		if (codec_get_option(&rest, &number, &o->value) < 0)
			return false;
		o->number = number;
		ret->n_opts++;
	}
	if (rest.n == 0)
		return true;
	/* RFC 7252 3: a marker followed by a zero-length payload is a format error. */
	ret->payload = bytes_from(rest, 1);
	return ret->payload.n > 0;
}

/* RFC 7252 3 and 12.1: classes 1, 6 and 7 are reserved; 0.00 stands alone. */
static bool
code_is_sound(uint8_t code, size_t n_token, size_t n_rest)
{
	if (code == CODE_EMPTY)
		return n_token == 0 && n_rest == 0;
	return MSG_CLASS(code) != 1 && MSG_CLASS(code) < 6;
}

/* Header and token; *ret_rest is what follows them. */
static enum msg_verdict
decode_head(struct bytes datagram, struct msg *ret, struct bytes *ret_rest)
{
	const uint8_t *p = datagram.p;
	size_t n_token;
	struct bytes rest;

	if (datagram.n < HEADER_LEN || p[0] >> 6 != VERSION)
		return MSG_IGNORE;
	ret->type = (p[0] >> 4) & 3;
	ret->code = p[1];
	ret->mid = (uint16_t)(p[2] << 8 | p[3]);
	n_token = p[0] & 15;
	rest = bytes_from(datagram, HEADER_LEN);
	/* RFC 7252 3: token lengths of 9 to 15 are a format error. */
	if (n_token > sizeof(ret->token.b) || n_token > rest.n)
		return MSG_MALFORMED;
	ret->token = token_of(bytes_head(rest, n_token));
	*ret_rest = bytes_from(rest, n_token);
	return code_is_sound(ret->code, n_token, ret_rest->n) ? MSG_OK : MSG_MALFORMED;
}

enum msg_verdict
msg_decode(struct bytes datagram, struct msg *ret)
{
	struct bytes rest;
	enum msg_verdict verdict = decode_head(datagram, ret, &rest);

	if (verdict != MSG_OK)
		return verdict;
	return decode_tail(rest, ret) ? MSG_OK : MSG_MALFORMED;
}

enum msg_verdict
msg_decode_head(struct bytes datagram, struct msg *ret)
{
	struct bytes rest;

	msg_init(ret, TYPE_CON, CODE_EMPTY);
	return decode_head(datagram, ret, &rest);
}

int
msg_decode_inner(struct bytes data, struct msg *ret)
{
	if (data.n == 0)
		return -EBADMSG;
	ret->type = TYPE_NON;
	ret->code = data.p[0];
	ret->mid = 0;
	ret->token = (struct token){0};
	if (ret->code == CODE_EMPTY || !code_is_sound(ret->code, 0, data.n - 1))
		return -EBADMSG;
	return decode_tail(bytes_from(data, 1), ret) ? 0 : -EBADMSG;
}

void
msg_init(struct msg *m, enum msg_type type, enum msg_code code)
{
	m->type = (uint8_t)type;
	m->code = (uint8_t)code;
	m->mid = 0;
	m->token = (struct token){0};
	m->n_opts = 0;
	m->n_scratch = 0;
	m->payload = BYTES_NONE;
}

int
msg_add(struct msg *m, uint16_t number, struct bytes value)
{
	size_t at = m->n_opts;

	if (m->n_opts == MSG_MAX_OPTIONS)
		return -ENOSPC;
	while (at > 0 && m->opts[at - 1].number > number)
		at--;
	memmove(&m->opts[at + 1], &m->opts[at], (m->n_opts - at) * sizeof(m->opts[0]));
	m->opts[at] = (struct opt){.value = value, .number = number};
	m->n_opts++;
	return 0;
}

int
msg_add_uint(struct msg *m, uint16_t number, uint32_t value)
{
	uint8_t *at = m->scratch + m->n_scratch;
	unsigned n = value > 0xffffff ? 4 : value > 0xffff ? 3 : value > 0xff ? 2 : value > 0;
	int rc;

	if (m->n_scratch + n > MSG_SCRATCH)
		return -ENOSPC;
	for (unsigned i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
	if ((rc = msg_add(m, number, bytes_of(at, n))) == 0)
		m->n_scratch = (uint8_t)(m->n_scratch + n);
	return rc;
}

void
msg_remove(struct msg *m, uint16_t number)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number != number)
			m->opts[kept++] = m->opts[i];
	}
	m->n_opts = kept;
}

const struct opt *
msg_find(const struct msg *m, uint16_t number)
{
	for (uint8_t i = 0; i < m->n_opts && m->opts[i].number <= number; i++) {
		if (m->opts[i].number == number)
			return &m->opts[i];
	}
	return NULL;
}

bool
msg_has(const struct msg *m, uint16_t number)
{
	return msg_find(m, number) != NULL;
}

uint32_t
opt_uint(const struct opt *o)
{
	uint32_t v = 0;

	for (size_t i = 0; i < o->value.n; i++)
		v = v << 8 | o->value.p[i];
	return v;
}

bool
msg_uint(const struct msg *m, uint16_t number, uint32_t *ret)
{
	const struct opt *o = msg_find(m, number);

	if (!o || o->value.n > 4)
		return false;
	*ret = opt_uint(o);
	return true;
}

void
msg_put_header(
	struct buf *out, enum msg_type type, uint8_t code, uint16_t mid, const struct token *token)
{
	uint8_t *at = buf_claim(out, HEADER_LEN + (size_t)token->n);

	if (!at)
		return;
	at[0] = (uint8_t)(VERSION << 6 | (unsigned)type << 4 | token->n);
	at[1] = code;
	at[2] = (uint8_t)(mid >> 8);
	at[3] = (uint8_t)mid;
	memcpy(at + HEADER_LEN, token->b, token->n);
}

void
msg_put_tail(const struct msg *m, struct buf *out)
{
	uint16_t last = 0;

	for (uint8_t i = 0; i < m->n_opts; i++) {
		codec_put_option(out, (uint16_t)(m->opts[i].number - last), m->opts[i].value);
		last = m->opts[i].number;
	}
	if (m->payload.n > 0) {
		buf_put_u8(out, PAYLOAD_MARKER);
		buf_put(out, m->payload);
	}
}

int
msg_encode(const struct msg *m, struct buf *out)
{
	msg_put_header(out, m->type, m->code, m->mid, &m->token);
	msg_put_tail(m, out);
	return out->full ? -ENOBUFS : 0;
}

int
msg_encode_inner(const struct msg *m, struct buf *out)
{
	buf_put_u8(out, m->code);
	msg_put_tail(m, out);
	return out->full ? -ENOBUFS : 0;
}

bool
token_equal(const struct token *a, const struct token *b)
{
	return a->n == b->n && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

struct token
token_of(struct bytes b)
{
	struct token t = {.n = (uint8_t)(b.n < sizeof(t.b) ? b.n : sizeof(t.b))};

	for (uint8_t i = 0; i < t.n; i++)
		t.b[i] = b.p[i];
	return t;
}

/* What cannot stand for itself within a segment of a path text. */
static bool
must_escape(uint8_t c)
{
	return c == '/' || c == '%' || c == '\0';
}

static void
put_segment(struct buf *out, struct bytes segment)
{
	buf_put_u8(out, '/');
	for (size_t i = 0; i < segment.n; i++) {
		uint8_t c = segment.p[i];

		if (must_escape(c)) {
			buf_put_u8(out, '%');
			buf_put_hex(out, bytes_of(&c, 1));
		} else {
			buf_put_u8(out, c);
		}
	}
}

int
msg_path(const struct msg *m, struct buf *out)
{
	size_t before = out->n;

	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == OPT_URI_PATH)
			put_segment(out, m->opts[i].value);
	}
	if (out->n == before)
		buf_put_u8(out, '/');
	return out->full ? -ENOBUFS : 0;
}

/* Undoes percent-encoding into scratch; -EINVAL for a broken escape. */
static int
unescape(struct bytes text, struct buf *scratch, struct bytes *ret)
{
	size_t start = scratch->n;

	if (buf_put_unescaped(scratch, text) < 0)
		return -EINVAL;
	if (scratch->full)
		return -ENOSPC;
	*ret = bytes_of(scratch->p + start, scratch->n - start);
	return 0;
}

int
msg_add_path(struct msg *m, uint16_t number, struct bytes path, struct buf *scratch)
{
	size_t at = 0;

	if (path.n == 0 || path.p[0] != '/')
		return -EINVAL;
	if (path.n == 1)
		return 0;
	while (at < path.n) {
		struct bytes rest = bytes_from(path, at + 1), segment;
		const uint8_t *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
		size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
		int rc;

		if ((rc = unescape(bytes_head(rest, n), scratch, &segment)) < 0)
			return rc;
		if (segment.n > 255)
			return -EINVAL;
		if ((rc = msg_add(m, number, segment)) < 0)
			return rc;
		at += n + 1;
	}
	return 0;
}

const char *
msg_code_name(uint8_t code, char out[16])
{
	static const char *const methods[] = {
		"EMPTY", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};

	if (code < sizeof(methods) / sizeof(methods[0]))
		(void)snprintf(out, 16, "%s", methods[code]);
	else
		(void)snprintf(out, 16, "%d.%02d", MSG_CLASS(code), MSG_DETAIL(code));
	return out;
}

bool
observe_newer(uint32_t a, uint64_t a_ms, uint32_t b, uint64_t b_ms)
{
	const uint32_t half = 1u << 23;

	/* RFC 7641 3.4: fresher, wrapped around, or more than 128 seconds later. */
	return (a < b && b - a < half) || (a > b && a - b > half) || b_ms > a_ms + 128000;
}
