/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client and a server, members A and B of the vectors' first group, that protect and open
 * each other's messages.
 */
#ifndef COAPCAST_UNIT_OSCORE_TALK_H
#define COAPCAST_UNIT_OSCORE_TALK_H

#include "oscore/crypto.h"
#include "oscore_bed.h"
#include "wire/option.h"

#define OUT 2048

static struct vectors v;
static size_t group; /* the first of the vectors: A 25, B 05, C 52 */

/* A member of the group with a table to be found in. */
struct end {
	struct context *c;
	struct context_table t;
};

static struct end a, b; /* client and server */

/* The last message that was opened. */
static uint8_t opened[PROTECT_MAX_PLAIN];
static struct msg got;
static struct unprotect_info info;

static inline void
end_init(struct end *e, struct context *c)
{
	e->c = c;
	context_table_init(&e->t, 42);
	ck_assert_int_eq(context_table_add(&e->t, c), 0);
}

static inline void
end_fini(struct end *e)
{
	context_table_fini(&e->t);
	context_release(e->c);
}

static inline void
setup(void)
{
	v = vectors_open("group-oscore.json");
	group = vectors_first(&v, vectors_find(&v, 0, "groups"));
	end_init(&a, bed_group(&v, group, "A", 100));
	end_init(&b, bed_group(&v, group, "B", 200));
}

static inline void
teardown(void)
{
	end_fini(&a);
	end_fini(&b);
	vectors_close(&v);
	crypto_stop();
}

/* A protected message as it goes over the wire. */
struct sent {
	uint8_t raw[OUT];
	size_t n;
	struct msg m;
};

static inline void
wire(struct sent *s, uint8_t code, const struct buf *tail)
{
	s->raw[0] = code;
	s->n = tail->n + 1;
	ck_assert_int_eq(msg_decode_inner(bytes_of(s->raw, s->n), &s->m), 0);
}

/* An option value that outlives the message, which is copied. */
static inline struct bytes
small_uint(int value)
{
	static uint8_t kept[256];

	ck_assert_int_lt(value, 256);
	kept[value] = (uint8_t)value;
	return bytes_of(&kept[value], value > 0);
}

static inline struct msg
get(const char *path, bool observe)
{
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	if (observe)
		ck_assert_int_eq(msg_add(&m, OPT_OBSERVE, small_uint(0)), 0);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, bytes_str(path)), 0);
	return m;
}

static inline struct msg
content(const char *payload, int observe)
{
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_CONTENT);
	if (observe >= 0)
		ck_assert_int_eq(msg_add(&m, OPT_OBSERVE, small_uint(observe)), 0);
	m.payload = bytes_str(payload);
	return m;
}

static inline struct oscore_binding
request(struct end *from, enum oscore_mode mode, struct bytes peer, bool observe, struct sent *s)
{
	struct buf tail = buf_of(s->raw + 1, OUT - 1);
	struct oscore_binding bound;
	struct msg m = get("r", observe);
	uint8_t code;

	ck_assert_int_eq(protect_request(from->c, mode, peer, &m, &tail, &code, &bound), 0);
	wire(s, code, &tail);
	return bound;
}

static inline void
respond(struct oscore_binding *bound, const char *payload, int observe, struct sent *s)
{
	struct buf tail = buf_of(s->raw + 1, OUT - 1);
	struct msg m = content(payload, observe);
	uint8_t code;

	ck_assert_int_eq(protect_response(bound, &m, 0, &tail, &code), 0);
	wire(s, code, &tail);
}

static inline enum unprotect_verdict
open_request(struct end *at, const struct msg *m, struct oscore_binding *ret)
{
	struct buf plain = BUF_OF(opened);

	return unprotect_request(&at->t, m, bed_random, &plain, &got, &info, ret);
}

static inline enum unprotect_verdict
open_response(struct oscore_binding *bound, const struct context_table *t, const struct msg *m)
{
	struct buf plain = BUF_OF(opened);

	return unprotect_response(bound, t, m, &plain, &got, &info);
}

static inline struct bytes
option_of(const struct sent *s, struct oscore_option *ret)
{
	const struct opt *o = msg_find(&s->m, OPT_OSCORE);

	ck_assert_int_eq(oscore_option_decode(o->value, ret), 0);
	return o->value;
}

#endif
