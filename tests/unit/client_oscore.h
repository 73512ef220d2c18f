/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server with object security, for a client session on clientbed.h: it opens the client's
 * requests and protects its answers, with contexts made here.
 */
#ifndef COAPCAST_UNIT_CLIENT_OSCORE_H
#define COAPCAST_UNIT_CLIENT_OSCORE_H

#include "client/session.h"
#include "clientbed.h"
#include "oscore/crypto.h"

#define SECRET BYTES_LIT("sixteen bytes ok")
#define SALT BYTES_LIT("eight by")

static inline void
co_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	bool *broken = ctx;

	if (!broken || !*broken)
		ssn_reserved(s, upto);
}

static const struct ssn_ops co_ssn_ops = {.reserve = co_reserve};

static inline struct ssn *
co_ssn(uint64_t at, bool *broken)
{
	static const uint8_t fingerprint[SSN_FINGERPRINT];
	struct ssn *s = ssn_new(fingerprint, &co_ssn_ops, broken);
	struct error e;

	ck_assert_int_eq(ssn_start_stored(s, at, &e), 0);
	return s;
}

/* One end of a pair: the client is 01, the server 02. */
static inline struct context *
co_plain(bool is_client, const char *secret, uint64_t at, bool *broken)
{
	struct context_plain p = {.master_secret = bytes_str(secret),
		.master_salt = SALT,
		.sender_id = is_client ? BYTES_LIT("\x01") : BYTES_LIT("\x02"),
		.recipient_id = is_client ? BYTES_LIT("\x02") : BYTES_LIT("\x01"),
		.window_valid = true,
		.ssn = co_ssn(at, broken)};
	struct context *c;
	struct error e;

	ck_assert_msg(context_new_plain(&p, &e, &c) == 0, "%s", e.text);
	ssn_release(p.ssn);
	return c;
}

static inline void
co_random(void *p, size_t n)
{
	memset(p, 0x5a, n);
}

struct co_server {
	struct context_table table;
	struct oscore_binding bound; /* the last request */
	uint8_t space[PROTECT_MAX_PLAIN];
	struct msg inner; /* it, opened */
	struct msg outer; /* as it came */
	bool answered; /* every message after the first has a number of its own */
	uint8_t tail[2048];
};

static inline void
co_init(struct co_server *s, struct context *c)
{
	memset(s, 0, sizeof(*s));
	context_table_init(&s->table, 7);
	ck_assert_int_eq(context_table_add(&s->table, c), 0);
	context_release(c);
}

static inline void
co_fini(struct co_server *s)
{
	binding_fini(&s->bound);
	context_table_fini(&s->table);
}

/* Opens the next request that was sent. */
static inline enum unprotect_verdict
co_read(struct co_server *s, struct bed *b)
{
	struct buf plain = BUF_OF(s->space);
	struct unprotect_info info;

	bed_read(b, &s->outer);
	s->answered = false;
	binding_fini(&s->bound);
	return unprotect_request(
		&s->table, &s->outer, co_random, &plain, &s->inner, &info, &s->bound);
}

/* Protects a response to it, as a piggybacked one: `m` goes out of it. */
static inline void
co_protect(struct co_server *s, const struct msg *plain, struct msg *m)
{
	struct buf tail = buf_of(s->tail + 1, sizeof(s->tail) - 1);
	uint8_t code;

	ck_assert_int_eq(
		protect_response(&s->bound, plain, s->answered ? PROTECT_OWN_PIV : 0, &tail, &code),
		0);
	s->answered = true;
	s->tail[0] = code;
	ck_assert_int_eq(msg_decode_inner(bytes_of(s->tail, tail.n + 1), m), 0);
	m->type = TYPE_ACK;
	m->mid = s->outer.mid;
	m->token = s->outer.token;
}

static inline void
co_plain_response(struct msg *m, enum msg_code code, const char *payload, int observe)
{
	msg_init(m, TYPE_ACK, code);
	if (observe >= 0)
		ck_assert_int_eq(msg_add_uint(m, OPT_OBSERVE, (uint32_t)observe), 0);
	m->payload = bytes_str(payload);
}

/* Answers it on the acknowledgement; `observe` below 0: none. */
static inline void
co_answer(struct co_server *s, struct bed *b, enum msg_code code, const char *payload, int observe)
{
	struct msg plain, m;

	co_plain_response(&plain, code, payload, observe);
	co_protect(s, &plain, &m);
	bed_receive(b, &b->way, &m);
}

/* A notification, or a late answer, in a message of its own. */
static inline void
co_notify(struct co_server *s, struct bed *b, enum msg_code code, const char *payload, int observe)
{
	struct msg plain, m;

	co_plain_response(&plain, code, payload, observe);
	co_protect(s, &plain, &m);
	m.type = TYPE_NON;
	m.mid = b->mid++;
	bed_receive(b, &b->way, &m);
}

#endif
