/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of telling.h that writes JSON; coapcast(1) has its keys. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "cli/describe.h"
#include "cli/telling.h"
#include "oscore/option.h"
#include "wire/material.h"
#include "wire/option.h"

#define HEX_MAX 2048 /* bytes of what is written in hexadecimal */

static void
put_hex(struct json *j, const char *key, struct bytes v)
{
	uint8_t room[2 * HEX_MAX];
	struct buf hex = BUF_OF(room);

	buf_put_hex(&hex, bytes_head(v, HEX_MAX));
	json_put_text(j, key, buf_bytes(&hex));
}

static void
put_addr(struct json *j, const char *key, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (a->family != AF_UNSPEC)
		json_put_str(j, key, addr_format(a, text));
}

static void
put_time(struct json *j, const char *key, int64_t when_us)
{
	time_t s = (time_t)(when_us / 1000000);
	char text[48], date[24];
	struct tm tm;

	if (!gmtime_r(&s, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s.%06dZ", date, (int)(when_us % 1000000));
	json_put_str(j, key, text);
}

static void
put_block(struct json *j, const struct opt *o)
{
	struct block b;

	if (block_decode(o, &b) < 0) {
		put_hex(j, "value", o->value);
		return;
	}
	json_open_object(j, "value");
	json_put_uint(j, "num", b.num);
	json_put_bool(j, "more", b.more);
	json_put_uint(j, "size", block_size(&b));
	json_close_object(j);
}

static void
put_oscore(struct json *j, struct bytes value)
{
	struct oscore_option o;

	put_hex(j, "value", value);
	if (oscore_option_decode(value, &o) < 0)
		return;
	json_put_bool(j, "group", o.group);
	if (o.kid.p)
		put_hex(j, "kid", o.kid);
	if (o.piv.n > 0)
		json_put_uint(j, "piv", oscore_option_number(o.piv));
	if (o.kid_context.p)
		put_hex(j, "kid_context", o.kid_context);
}

static void
put_option(struct json *j, const struct opt *o)
{
	const struct option_info *info = option_info(o->number);

	json_open_object(j, NULL);
	json_put_uint(j, "number", o->number);
	if (info)
		json_put_str(j, "name", info->name);
	if (o->number == OPT_BLOCK1 || o->number == OPT_BLOCK2)
		put_block(j, o);
	else if (o->number == OPT_OSCORE)
		put_oscore(j, o->value);
	else if (info && info->format == OPTION_UINT && o->value.n <= 4)
		json_put_uint(j, "value", opt_uint(o));
	else if (info && info->format == OPTION_STRING)
		json_put_payload(j, "value", o->value);
	else if (!info || info->format != OPTION_EMPTY)
		put_hex(j, "value", o->value);
	json_close_object(j);
}

/* Code, options and payload. */
static void
put_content(const struct telling *t, const struct msg *m, struct json *j)
{
	char code[16];

	json_put_str(j, "code", msg_code_name(m->code, code));
	json_open_list(j, "options");
	for (size_t i = 0; i < m->n_opts; i++)
		put_option(j, &m->opts[i]);
	json_close_list(j);
	json_put_uint(j, "payload_size", m->payload.n);
	if (m->payload.n > 0 && describe_may_show(m, t->inform_format))
		json_put_payload(j, "payload", m->payload);
}

static void
put_protection(const struct telling *t, const struct telling_part *p, struct json *j)
{
	static const char *const modes[] = {
		[OSCORE_PLAIN] = "plain", [OSCORE_GROUP] = "group", [OSCORE_PAIRWISE] = "pairwise"};

	if (p->state == TELLING_PLAIN)
		return;
	json_open_object(j, "oscore");
	json_put_bool(j, "verified", p->state == TELLING_OPENED);
	if (p->state == TELLING_OPENED) {
		json_put_str(j, "mode", modes[p->mode]);
		json_put_payload(j, "keys", bytes_str(p->keys));
		if (p->sender)
			json_put_payload(j, "sender", bytes_str(p->sender));
		if (p->is_group)
			put_hex(j, "kid", p->kid);
		json_open_object(j, "message");
		put_content(t, &p->inner, j);
		json_close_object(j);
	} else {
		json_put_str(j, "why", telling_closed(p));
	}
	json_close_object(j);
}

static void
put_part(const struct telling *t, const char *key, const struct telling_part *p, struct json *j)
{
	if (!p->is_there)
		return;
	json_open_object(j, key);
	if (p->is_sound) {
		put_content(t, &p->m, j);
		put_protection(t, p, j);
	} else {
		json_put_str(j, "state", "malformed");
	}
	json_close_object(j);
}

/* Which keys there are; not what they are. */
static void
put_keys(const struct telling *t, struct json *j)
{
	const struct inform_keys *k = &t->inform.keys;
	struct material m;

	if (!k->gp_material.p)
		return;
	json_put_bool(j, "keys_used", t->keys >= 0);
	if (material_decode(k->gp_material, &m) == 0 && m.context_id.p)
		put_hex(j, "gid", m.context_id);
	if (k->srv_cred.p)
		put_hex(j, "srv_cred", k->srv_cred);
	if (k->srv_identifier.p)
		put_hex(j, "srv_identifier", k->srv_identifier);
	if (k->has_exi)
		json_put_uint(j, "exi", k->exi_s);
	if (k->has_exp && k->exp_s >= 0)
		json_put_uint(j, "exp", (uint64_t)k->exp_s);
}

static void
put_fields(const struct telling *t, struct json *j)
{
	static const char *const generations[] = {"none", "current", "seed", "both"};
	const struct inform *in = &t->inform;

	json_put_str(j, "generation", generations[in->generations & INFORM_BOTH]);
	put_addr(j, "server", &in->server);
	put_addr(j, "group", &in->client);
	put_hex(j, "token", bytes_of(in->token.b, in->token.n));
	if (in->has_next_not_before)
		json_put_uint(j, "next_not_before", in->next_not_before_s);
	if (in->has_ending && in->ending_s >= 0)
		json_put_uint(j, "ending", (uint64_t)in->ending_s);
	if (in->res.p)
		json_put_payload(j, "res", in->res);
	if (in->join.join_uri.p) {
		json_put_payload(j, "join_uri", in->join.join_uri);
		json_put_payload(j, "sec_gp", in->join.sec_gp);
	}
	if (in->join.as_uri.p)
		json_put_payload(j, "as_uri", in->join.as_uri);
	put_keys(t, j);
	put_part(t, in->ph_req.p ? "ph_req" : "registr", &t->phantom, j);
	put_part(t, "last_notif", &t->last, j);
}

static void
put_inform(const struct telling *t, struct json *j)
{
	static const char *const states[] = {
		[TELLING_BLOCK] = "block",
		[TELLING_LOST_BLOCK] = "block without those before",
		[TELLING_MALFORMED] = "malformed",
		[TELLING_INFORM] = "whole",
	};

	json_open_object(j, "informative");
	json_put_str(j, "state", states[t->inform_state]);
	if (t->n_body > 0)
		json_put_uint(j, "bytes", t->n_body);
	if (t->inform_state == TELLING_INFORM)
		put_fields(t, j);
	json_close_object(j);
}

static void
put_message(const struct telling *t, struct json *j)
{
	static const char *const types[] = {"CON", "NON", "ACK", "RST"};
	const struct msg *m = &t->part.m;
	char code[16];

	json_put_str(j, "type", types[m->type & 3]);
	json_put_uint(j, "mid", m->mid);
	put_hex(j, "token", bytes_of(m->token.b, m->token.n));
	if (t->kind == TELLING_CUT) {
		json_put_str(j, "code", msg_code_name(m->code, code));
		return;
	}
	put_content(t, m, j);
	put_protection(t, &t->part, j);
	if (t->asked[0] != '\0') {
		json_put_payload(j, "answers", bytes_str(t->asked));
		json_put_bool(j, "group_observation", addr_is_multicast(&t->to));
	}
	if (t->inform_state != TELLING_NO_INFORM)
		put_inform(t, j);
}

void
telling_put_json(const struct telling *t, struct json *j)
{
	static const char *const kinds[] = {
		[TELLING_MESSAGE] = "message",
		[TELLING_CUT] = "cut",
		[TELLING_FRAGMENT] = "fragment",
		[TELLING_DTLS] = "dtls",
		[TELLING_OTHER] = "other",
	};
	char text[ADDR_STRLEN];

	json_open(j);
	json_put_str(j, "kind", kinds[t->kind]);
	put_time(j, "time", t->when_us);
	if (t->kind == TELLING_FRAGMENT) {
		json_put_str(j, "from", addr_format_host(&t->from, text));
		json_put_str(j, "to", addr_format_host(&t->to, text));
	} else {
		put_addr(j, "from", &t->from);
		put_addr(j, "to", &t->to);
		json_put_uint(j, "datagram_size", t->n_datagram);
	}
	if (t->kind == TELLING_MESSAGE || t->kind == TELLING_CUT)
		put_message(t, j);
	json_close(j);
}
