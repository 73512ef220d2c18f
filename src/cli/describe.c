/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/describe.h"

#include <ctype.h>
#include <time.h>

#include "cli/diag.h"
#include "cli/text.h"
#include "oscore/cred.h"
#include "oscore/option.h"
#include "wire/cborget.h"
#include "wire/material.h"
#include "wire/option.h"

#define SHORT_TEXT 64 /* bytes of a payload or value that are shown */
#define SHORT_HEX 32
#define FORMAT_CBOR 60
#define FORMAT_TOPIC 606 /* not assigned yet */

static void
put_hex(struct buf *out, struct bytes v)
{
	buf_put_str(out, "h'");
	buf_put_hex(out, bytes_head(v, SHORT_HEX));
	buf_put_str(out, "'");
	if (v.n > SHORT_HEX)
		buf_printf(out, "...(%zu bytes)", v.n);
}

static void
put_text(struct buf *out, struct bytes v)
{
	char line[TEXT_ESCAPED(SHORT_TEXT)];
	struct bytes head = bytes_head(v, SHORT_TEXT);

	/* Not in the middle of a character. */
	while (head.n < v.n && head.n > 0 && (v.p[head.n] & 0xc0) == 0x80)
		head.n--;
	if (!cborget_is_utf8(head)) {
		put_hex(out, v);
		return;
	}
	(void)text_escape(head, line);
	buf_put_str(out, line);
	if (head.n < v.n)
		buf_printf(out, "...(%zu bytes)", v.n);
}

void
describe_type(const struct msg *m, struct buf *out)
{
	static const char *const types[] = {"CON", "NON", "ACK", "RST"};
	char code[16];

	buf_printf(out, "%s %s", types[m->type & 3], msg_code_name(m->code, code));
}

void
describe_ids(const struct msg *m, struct buf *out)
{
	buf_printf(out, " mid=%04x", m->mid);
	if (m->token.n == 0)
		return;
	buf_put_str(out, " token=");
	buf_put_hex(out, bytes_of(m->token.b, m->token.n));
}

/* RFC 8613 6.1: what the value says. */
static void
put_oscore(struct bytes value, struct buf *out)
{
	struct oscore_option o;

	if (oscore_option_decode(value, &o) < 0) {
		buf_put_str(out, " oscore=malformed:");
		put_hex(out, value);
		return;
	}
	buf_put_str(out, o.group ? " oscore=[group" : " oscore=[");
	if (o.kid.p) {
		buf_put_str(out, o.group ? " kid=" : "kid=");
		buf_put_hex(out, o.kid);
	}
	if (o.piv.n > 0)
		buf_printf(out, "%spiv=%llu", o.group || o.kid.p ? " " : "",
			(unsigned long long)oscore_option_number(o.piv));
	if (o.kid_context.p) {
		buf_put_str(out, " kid-context=");
		buf_put_hex(out, o.kid_context);
	}
	buf_put_str(out, "]");
}

static void
put_name(const char *name, struct buf *out)
{
	for (; *name; name++)
		buf_put_u8(out, (uint8_t)tolower((unsigned char)*name));
}

static void
put_value(const struct opt *o, const struct option_info *info, struct buf *out)
{
	struct block b;

	if (o->number == OPT_BLOCK1 || o->number == OPT_BLOCK2) {
		if (block_decode(o, &b) == 0)
			buf_printf(out, "=%u/%u/%zu", b.num, b.more, block_size(&b));
		else
			buf_put_str(out, "=?");
		return;
	}
	if (info->format == OPTION_EMPTY)
		return;
	buf_put_str(out, "=");
	if (info->format == OPTION_STRING)
		put_text(out, o->value);
	else if (info->format == OPTION_UINT && o->value.n <= 4)
		buf_printf(out, "%u", opt_uint(o));
	else
		put_hex(out, o->value);
}

static void
put_option(const struct opt *o, uint16_t before, struct buf *out)
{
	const struct option_info *info = option_info(o->number);

	if (o->number == OPT_URI_PATH || o->number == OPT_LOCATION_PATH) {
		if (o->number != before)
			buf_put_str(out, o->number == OPT_URI_PATH ? " " : " location=");
		buf_put_str(out, "/");
		put_text(out, o->value);
	} else if (o->number == OPT_URI_QUERY) {
		buf_put_str(out, o->number == before ? "&" : " ?");
		put_text(out, o->value);
	} else if (o->number == OPT_OSCORE) {
		put_oscore(o->value, out);
	} else if (info) {
		buf_put_str(out, " ");
		put_name(info->name, out);
		put_value(o, info, out);
	} else {
		buf_printf(out, " %u=", o->number);
		put_hex(out, o->value);
	}
}

/* The seed gives it no Content-Format of its own: by its shape. */
static bool
is_seed_informative(const struct msg *m)
{
	struct inform in;
	uint32_t format = FORMAT_CBOR;
	bool is_told = msg_uint(m, OPT_CONTENT_FORMAT, &format);

	if (format != FORMAT_CBOR || m->payload.n == 0 || msg_has(m, OPT_OSCORE))
		return false;
	/* A block has no shape; but what else would there be so much of? */
	if (msg_has(m, OPT_BLOCK2))
		return is_told;
	return inform_decode(m->payload, &in) == 0 && in.generations != 0;
}

bool
describe_is_informative(const struct msg *m, uint16_t inform_format)
{
	uint32_t format;

	if (m->code != CODE_UNAVAILABLE)
		return false;
	return (msg_uint(m, OPT_CONTENT_FORMAT, &format) && format == inform_format) ||
	       is_seed_informative(m);
}

static bool
is_printable(struct bytes v)
{
	char line[TEXT_ESCAPED(SHORT_TEXT)];

	return cborget_is_utf8(v) && (v.n > SHORT_TEXT || text_escape(v, line) == v.n);
}

/* application/cbor and application/core-pubsub+cbor, when it is all there. */
static bool
is_cbor(const struct msg *m)
{
	uint32_t format;

	return msg_uint(m, OPT_CONTENT_FORMAT, &format) &&
	       (format == FORMAT_CBOR || format == FORMAT_TOPIC) && !msg_has(m, OPT_BLOCK1) &&
	       !msg_has(m, OPT_BLOCK2);
}

static void
put_cbor(struct bytes payload, struct buf *out)
{
	buf_put_str(out, " ");
	if (diag_put(payload, out) < 0)
		put_hex(out, payload);
}

static bool
has_inform(const struct msg *m, uint16_t inform_format)
{
	uint32_t format;

	return (msg_uint(m, OPT_CONTENT_FORMAT, &format) && format == inform_format) ||
	       describe_is_informative(m, inform_format);
}

/*
 * A later block of an informative response may come without its Content-Format: of a 5.03
 * only text is shown.
 */
bool
describe_may_show(const struct msg *m, uint16_t inform_format)
{
	if (has_inform(m, inform_format) || msg_has(m, OPT_OSCORE))
		return false;
	return m->code != CODE_UNAVAILABLE ||
	       (m->payload.n <= SHORT_TEXT && !msg_has(m, OPT_BLOCK2) && is_printable(m->payload));
}

static void
put_payload(const struct msg *m, uint16_t inform_format, struct buf *out)
{
	if (m->payload.n == 0)
		return;
	if (has_inform(m, inform_format)) {
		buf_printf(out, " <informative response, %zu bytes>", m->payload.n);
	} else if (msg_has(m, OPT_OSCORE)) {
		buf_printf(out, " <%zu bytes protected>", m->payload.n);
	} else if (!describe_may_show(m, inform_format)) {
		buf_printf(out, " <%zu bytes>", m->payload.n);
	} else if (is_cbor(m)) {
		put_cbor(m->payload, out);
	} else if (is_printable(m->payload)) {
		buf_put_str(out, " \"");
		put_text(out, m->payload);
		buf_put_str(out, "\"");
	} else {
		buf_put_str(out, " ");
		put_hex(out, m->payload);
	}
}

void
describe_content(const struct msg *m, uint16_t inform_format, struct buf *out)
{
	uint16_t before = 0;

	for (size_t i = 0; i < m->n_opts; i++) {
		put_option(&m->opts[i], before, out);
		before = m->opts[i].number;
	}
	put_payload(m, inform_format, out);
}

static void
put_addr(const char *what, const struct addr *a, struct buf *out)
{
	char text[ADDR_STRLEN];

	if (a->family != AF_UNSPEC)
		buf_printf(out, " %s=%s", what, addr_format(a, text));
}

static void
put_date(int64_t s, struct buf *out)
{
	char text[32];
	time_t t = (time_t)s;
	struct tm tm;

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		buf_put_str(out, text);
	else
		buf_printf(out, "%lld", (long long)s);
}

/* A number by its name, a text as it is. */
static void
put_named(const char *what, const struct inform_value *v, const char *(*name)(int number),
	struct buf *out)
{
	if (!v->present)
		return;
	buf_printf(out, " %s=", what);
	if (v->text.p) {
		put_text(out, v->text);
		return;
	}
	buf_printf(out, "%lld", (long long)v->number);
	if (name && v->number >= INT32_MIN && v->number <= INT32_MAX)
		buf_printf(out, " (%s)", name((int)v->number));
}

static const char *
format_name(int number)
{
	return number == CRED_KCCS      ? "CCS"
	       : number == CRED_KCWT    ? "CWT"
	       : number == CRED_X5CHAIN ? "x5chain"
					: "?";
}

static void
put_line_text(const char *indent, const char *what, struct bytes v, struct buf *out)
{
	if (!v.p)
		return;
	buf_printf(out, "%s%s: ", indent, what);
	put_text(out, v);
	buf_put_str(out, "\n");
}

static void
put_line_hex(const char *indent, const char *what, struct bytes v, struct buf *out)
{
	if (!v.p)
		return;
	buf_printf(out, "%s%s: ", indent, what);
	put_hex(out, v);
	buf_put_str(out, "\n");
}

static void
put_join(const struct inform_join *j, const char *indent, struct buf *out)
{
	put_line_text(indent, "join_uri", j->join_uri, out);
	put_line_text(indent, "sec_gp", j->sec_gp, out);
	put_line_text(indent, "as_uri", j->as_uri, out);
	put_line_hex(indent, "sign_params", j->sign_params, out);
	if (!j->join_uri.p)
		return;
	buf_printf(out, "%salgorithms:", indent);
	put_named("hkdf", &j->hkdf, suite_hkdf_name, out);
	put_named("cred_fmt", &j->cred_fmt, format_name, out);
	put_named("gp_enc_alg", &j->gp_enc_alg, suite_cipher_name, out);
	put_named("sign_alg", &j->sign_alg, suite_signature_name, out);
	put_named("cs_crv", &j->cs_crv, NULL, out);
	put_named("cs_kty", &j->cs_kty, NULL, out);
	put_named("cs_kenc", &j->cs_kenc, NULL, out);
	buf_put_str(out, "\n");
}

/* Which keys there are, and of what kind; not what they are. */
static void
put_material(struct bytes gp_material, const char *indent, struct buf *out)
{
	struct material m;

	if (!gp_material.p)
		return;
	buf_printf(out, "%sgp_material:", indent);
	if (material_decode(gp_material, &m) < 0) {
		buf_printf(out, " %zu bytes, not understood\n", gp_material.n);
		return;
	}
	if (m.ms.p)
		buf_printf(out, " ms=(secret, %zu bytes)", m.ms.n);
	put_named("hkdf", &m.hkdf, suite_hkdf_name, out);
	if (m.salt.p)
		buf_printf(out, " salt=(secret, %zu bytes)", m.salt.n);
	if (m.context_id.p) {
		buf_put_str(out, " contextId=");
		put_hex(out, m.context_id);
	}
	put_named("cred_fmt", &m.cred_fmt, format_name, out);
	put_named("gp_enc_alg", &m.gp_enc_alg, suite_cipher_name, out);
	put_named("sign_alg", &m.sign_alg, suite_signature_name, out);
	if (m.sign_params.p) {
		buf_put_str(out, " sign_params=");
		put_hex(out, m.sign_params);
	}
	buf_put_str(out, "\n");
}

static void
put_keys(const struct inform_keys *k, const char *indent, struct buf *out)
{
	put_material(k->gp_material, indent, out);
	put_line_hex(indent, "srv_cred", k->srv_cred, out);
	put_line_hex(indent, "srv_identifier", k->srv_identifier, out);
	if (k->has_exi)
		buf_printf(out, "%sexi: %llu s\n", indent, (unsigned long long)k->exi_s);
	if (k->has_exp) {
		buf_printf(out, "%sexp: ", indent);
		put_date(k->exp_s, out);
		buf_put_str(out, "\n");
	}
}

void
describe_inform(const struct inform *in, const char *indent, struct buf *out)
{
	static const char *const generations[] = {
		"nothing known in it", "integer keys", "text keys", "integer and text keys"};

	buf_printf(out, "%sinformative response: %s\n", indent,
		generations[in->generations & INFORM_BOTH]);
	if (in->client.family != AF_UNSPEC || in->server.family != AF_UNSPEC) {
		buf_printf(out, "%stp_info:", indent);
		put_addr("server", &in->server, out);
		put_addr("group", &in->client, out);
		buf_put_str(out, " token=");
		buf_put_hex(out, bytes_of(in->token.b, in->token.n));
		buf_put_str(out, "\n");
	}
	if (in->has_next_not_before)
		buf_printf(out, "%snext_not_before: %llu s\n", indent,
			(unsigned long long)in->next_not_before_s);
	if (in->has_ending) {
		buf_printf(out, "%sending: ", indent);
		put_date(in->ending_s, out);
		buf_put_str(out, "\n");
	}
	if (in->res.p && is_printable(in->res))
		put_line_text(indent, "res", in->res, out);
	else
		put_line_hex(indent, "res", in->res, out);
	put_join(&in->join, indent, out);
	if (in->join_dropped)
		buf_printf(out, "%sjoin_uri or sec_gp is missing: 5 to 12 do not count\n", indent);
	put_keys(&in->keys, indent, out);
}
