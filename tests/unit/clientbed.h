/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client session on a recorder instead of a network: a virtual clock, randomness
 * that counts, everything that was sent, and a server played by the test.
 */
#ifndef COAPCAST_CLIENTBED_H
#define COAPCAST_CLIENTBED_H

#include "client/session.h"
#include "wire/option.h"
#include "unit.h"

#define BED_SENT 256
#define BED_GROUP_SOCKET 7

struct bed {
	struct session *session;
	struct path way;
	uint64_t now_ms;
	uint8_t counter; /* of the randomness */
	uint8_t space[2048];
	struct buf out;
	uint8_t sent[BED_SENT][2048];
	size_t n_sent[BED_SENT]; /* bytes */
	unsigned sent_at[BED_SENT]; /* ms since the start */
	unsigned n, read; /* datagrams, and those looked at */
	uint16_t mid; /* of the server's messages */
};

static struct buf *
bed_open(void *ctx, const struct path *way)
{
	struct bed *b = ctx;

	ck_assert(addr_equal(&way->remote, &b->way.remote));
	b->out = BUF_OF(b->space);
	return &b->out;
}

static void
bed_commit(void *ctx)
{
	struct bed *b = ctx;

	ck_assert_uint_lt(b->n, BED_SENT);
	memcpy(b->sent[b->n], b->out.p, b->out.n);
	b->sent_at[b->n] = (unsigned)(b->now_ms - 1000);
	b->n_sent[b->n++] = b->out.n;
}

/* Small numbers: whatever is a random part of something is a few ms. */
static void
bed_random(void *ctx, void *p, size_t n)
{
	struct bed *b = ctx;

	memset(p, 0, n);
	if (n > 0)
		*(uint8_t *)p = ++b->counter;
}

static const struct machine_ops bed_ops = {
	.open = bed_open, .commit = bed_commit, .random = bed_random};

static inline struct addr
bed_addr(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, 5683, &a), 0);
	return a;
}

static inline void
bed_init_at(struct bed *b, const char *server, const char *local)
{
	memset(b, 0, sizeof(*b));
	b->now_ms = 1000;
	b->way.remote = bed_addr(server);
	b->way.local = bed_addr(local);
	b->mid = 0x100;
	b->session = session_new(&bed_ops, b, &b->way, b->now_ms);
}

static inline void
bed_init(struct bed *b)
{
	bed_init_at(b, "10.0.0.1", "10.0.0.2:40000");
}

static inline void
bed_fini(struct bed *b)
{
	session_free(b->session);
}

/* Lets the time go by, in steps, as a loop would. */
static inline void
bed_wait(struct bed *b, uint64_t ms)
{
	uint64_t end = b->now_ms + ms;

	for (;;) {
		uint64_t next = machine_next(session_machine(b->session));

		if (next > end)
			break;
		if (next > b->now_ms)
			b->now_ms = next;
		machine_advance(session_machine(b->session), b->now_ms);
	}
	b->now_ms = end;
	machine_advance(session_machine(b->session), b->now_ms);
}

/* The next datagram that was sent; the test fails when there is none. */
static inline void
bed_read(struct bed *b, struct msg *ret)
{
	machine_advance(session_machine(b->session), b->now_ms);
	ck_assert_msg(b->read < b->n, "nothing was sent");
	ck_assert_int_eq(msg_decode(bytes_of(b->sent[b->read], b->n_sent[b->read]), ret), MSG_OK);
	b->read++;
}

/* How many there are that nobody looked at. */
static inline unsigned
bed_unread(struct bed *b)
{
	machine_advance(session_machine(b->session), b->now_ms);
	return b->n - b->read;
}

static inline void
bed_receive_bytes(struct bed *b, const struct path *from, struct bytes datagram)
{
	machine_receive(session_machine(b->session), from, datagram, b->now_ms);
}

static inline void
bed_receive(struct bed *b, const struct path *from, const struct msg *m)
{
	uint8_t space[2048];
	struct buf out = BUF_OF(space);

	ck_assert_int_eq(msg_encode(m, &out), 0);
	bed_receive_bytes(b, from, buf_bytes(&out));
}

/* A response of the server's to `request`, piggybacked; the test fills in the rest. */
static inline void
bed_respond(struct msg *m, const struct msg *request, enum msg_code code, const char *payload)
{
	msg_init(m, TYPE_ACK, code);
	m->mid = request->mid;
	m->token = request->token;
	m->payload = bytes_str(payload);
}

/* The same in a message of its own. */
static inline void
bed_separate(struct bed *b, struct msg *m, enum msg_type type, const struct token *t,
	enum msg_code code, struct bytes payload)
{
	msg_init(m, type, code);
	m->mid = b->mid++;
	m->token = *t;
	m->payload = payload;
}

#endif
