/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the servers of a group, and others, can answer to a group request, on a
 * virtual clock; answers are read as lists of links, as `coapcast discover` does.
 * The input is a list of steps: a byte that says what happens and who answers, a
 * byte of length, and that many bytes: code, options and payload of an answer
 * under the token of the request, or a whole datagram. What is kept is bounded and
 * can be read; a request to one server alone is never repeated without end.
 */
#include <assert.h>
#include <stdlib.h>

#include "client/gather.h"
#include "client/transfer.h"
#include "wire/link.h"

#define DATAGRAM_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The low bits of a step's first byte. */
enum kind {
	KIND_RAW,
	KIND_ANSWER,
	KIND_ASK,
	KIND_TIME,
};

#define FLAG_CON 0x04
#define FLAG_MULTICAST 0x08 /* it came to a group, which no answer may */
#define FLAG_CLOSED 0x10 /* no room to send */
#define FLAG_ACK 0x20 /* with the message id of the last request */
#define SERVER_SHIFT 6 /* who answers: the two upper bits */

static struct {
	struct gather *gather;
	struct buf out;
	uint64_t now_ms;
	uint32_t rng;
	uint16_t mid, last_mid;
	struct token token; /* of the last request */
	bool is_open, closed, to_group;
	unsigned n_alone; /* requests to one server since the last to the group */
	unsigned n_answers;
	uint8_t room[DATAGRAM_MAX];
} fz;

static struct buf *
open_any(bool to_group)
{
	assert(!fz.is_open);
	if (fz.closed)
		return NULL;
	fz.is_open = true;
	fz.to_group = to_group;
	fz.out = BUF_OF(fz.room);
	return &fz.out;
}

static struct buf *
on_open_group(void *ctx)
{
	(void)ctx;
	return open_any(true);
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	(void)ctx;
	assert(!way->multicast);
	return open_any(false);
}

static void
on_commit(void *ctx)
{
	static struct msg m;

	(void)ctx;
	assert(fz.is_open && !fz.out.full);
	fz.is_open = false;
	assert(msg_decode(buf_bytes(&fz.out), &m) == MSG_OK);
	if (m.code != CODE_GET) {
		/* Who asks us gets an error, such as 5.05. */
		assert(!fz.to_group &&
			(m.type == TYPE_ACK || m.type == TYPE_RST || MSG_CLASS(m.code) >= 4));
		return;
	}
	/* RFC 7252 8.1: a group is asked by NON. */
	assert(m.type == (fz.to_group ? TYPE_NON : TYPE_CON));
	fz.n_alone = fz.to_group ? 0 : fz.n_alone + 1;
	fz.token = m.token;
	fz.last_mid = m.mid;
}

static void
on_random(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		fz.rng = fz.rng * 1664525u + 1013904223u;
		at[i] = (uint8_t)(fz.rng >> 24);
	}
}

static void
read_links(struct bytes body)
{
	static uint8_t room[DATAGRAM_MAX];
	struct link_reader r = {body};
	struct link_value v;
	struct link_param p;

	while (link_next(&r, &v)) {
		struct buf out = BUF_OF(room);

		link_put_decoded(&out, v.target);
		assert(out.full || out.n <= v.target.n);
		if (link_find_param(&v, "rt", &p))
			(void)link_param_lists(&p, "core.ps.data");
	}
}

static void
on_answer(void *ctx, const struct gather_server *s, bool first)
{
	static struct msg m;

	(void)ctx;
	(void)first;
	assert(s->heard && s->datagram != NULL);
	gather_message(s, &m);
	assert(m.code == s->code && m.code != CODE_VALID && MSG_CLASS(m.code) >= 2);
	(void)transfer_max_age_s(&m);
	(void)transfer_has_more(&m);
	read_links(m.payload);
	fz.n_answers++;
}

static const struct gather_ops ops = {
	.open_group = on_open_group,
	.on_answer = on_answer,
};

static const struct machine_ops machine = {
	.open = on_open, .commit = on_commit, .random = on_random};

static void
give(uint8_t what, struct bytes datagram)
{
	struct path from = {.multicast = (what & FLAG_MULTICAST) != 0};
	uint8_t *copy = malloc(datagram.n + 1);
	unsigned n_before = fz.n_answers;

	assert(copy != NULL);
	from.remote = (struct addr){.family = AF_INET,
		.port = 5683,
		.ip = {10, 0, 0, (uint8_t)(1 + (what >> SERVER_SHIFT))}};
	from.local = (struct addr){.family = AF_INET, .port = 40000, .ip = {10, 0, 0, 9}};
	if (datagram.n > 0)
		memcpy(copy, datagram.p, datagram.n);
	machine_receive(gather_machine(fz.gather), &from, bytes_of(copy, datagram.n), fz.now_ms);
	assert(fz.n_answers == n_before || !from.multicast);
	free(copy);
}

static void
give_answer(uint8_t what, struct bytes inner)
{
	static struct msg m;
	uint8_t space[DATAGRAM_MAX];
	struct buf out = BUF_OF(space);

	if (msg_decode_inner(inner, &m) < 0)
		return;
	m.type = what & FLAG_CON ? TYPE_CON : TYPE_NON;
	m.mid = fz.mid++;
	if (what & FLAG_ACK) {
		m.type = TYPE_ACK;
		m.mid = fz.last_mid;
	}
	m.token = fz.token;
	if (msg_encode(&m, &out) == 0)
		give(what, buf_bytes(&out));
}

/* From nothing to nine hours. */
static void
let_time_pass(uint8_t what)
{
	fz.now_ms += 1ull << ((what >> 2) % 26);
	machine_advance(gather_machine(fz.gather), fz.now_ms);
	assert(machine_next(gather_machine(fz.gather)) > fz.now_ms);
}

/* Takes one step off the front of the input. */
static void
step(struct bytes *rest)
{
	uint8_t what = rest->p[0], n = rest->n > 1 ? rest->p[1] : 0;
	struct bytes arg = bytes_head(bytes_from(*rest, 2), n);

	*rest = bytes_from(*rest, 2 + arg.n);
	fz.closed = (what & FLAG_CLOSED) != 0 && (what & 3) != KIND_TIME;
	switch ((enum kind)(what & 3)) {
	case KIND_RAW:
		give(what, arg);
		break;
	case KIND_ANSWER:
		give_answer(what, arg);
		break;
	case KIND_ASK:
		if (what & FLAG_CON)
			gather_repeat(fz.gather);
		else
			(void)gather_ask(fz.gather, n & 3);
		break;
	case KIND_TIME:
		let_time_pass(what);
		break;
	}
}

static void
check_servers(void)
{
	uint32_t n = 0, n_heard = 0;

	for (const struct gather_server *s = gather_first(fz.gather); s; s = s->next) {
		static struct msg m;

		n++;
		n_heard += s->heard;
		assert(s->n_alone <= GATHER_ALONE_MAX);
		if (s->datagram)
			gather_message(s, &m);
	}
	assert(n <= GATHER_SERVERS_MAX && n_heard == gather_n_heard(fz.gather));
	/* Four servers, each asked alone twice, each time five transmissions. */
	assert(fz.n_alone <= 4 * GATHER_ALONE_MAX * 5 * 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct target target = {
		BYTES_LIT("/.well-known/core"), BYTES_LIT("rt=core.ps.data"), TARGET_NO_FORMAT};
	struct bytes rest = bytes_of(data, size);

	memset(&fz, 0, sizeof(fz));
	fz.now_ms = 1000;
	fz.gather = gather_new(&machine, NULL, &ops, NULL, &target, fz.now_ms);
	assert(fz.gather != NULL);
	(void)gather_ask(fz.gather, 0);
	while (rest.n > 0) {
		step(&rest);
		check_servers();
	}
	gather_free(fz.gather);
	return 0;
}
