/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server, a group and strangers can send to a client with one observation,
 * on a virtual clock: anything at all, and what fits its state (the token, the
 * message id, the group that it joined), so that the search gets beyond the first
 * check. The input is a list of steps: a byte that says what happens, a byte of
 * length, and that many bytes. What leaves must be a message that decodes; nothing
 * leaves in return for a multicast; a group joined is left; what is over stays over.
 */
#include <assert.h>
#include <stdlib.h>

#include "client/observation.h"
#include "client/offer.h"
#include "wire/inform.h"

#define DATAGRAM_MAX 2048
#define SOCKET 7 /* of the group */
#define FAR_MS (36ull * 3600 * 1000)
#define SENT_MAX 4000 /* in one step, which is at most nine hours */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The low bits of a step's first byte. */
enum kind {
	KIND_RAW, /* the bytes are a datagram */
	KIND_RESPONSE, /* code, options, payload, as an answer to the last request */
	KIND_NOTIFICATION, /* the same under the token of the registration */
	KIND_MULTICAST, /* the same under T, to the group */
	KIND_MAP, /* a payload of a 5.03 under the registration's token */
	KIND_OFFER, /* an offer to move, with this latest notification */
	KIND_TIME, /* the first byte says how long */
	KIND_OTHER, /* the first byte says what */
};

#define FLAG_CON 0x08
#define FLAG_STRANGER 0x10 /* from somewhere else */
#define FLAG_MULTICAST 0x20 /* a raw datagram: to the group */
#define FLAG_SEED 0x40 /* an offer of that generation, or of both */
#define FLAG_CURRENT 0x80

static struct {
	struct session *session;
	struct observation *observation;
	struct path way;
	struct buf out;
	uint64_t now_ms;
	uint32_t rng;
	uint16_t mid;
	bool is_open;
	bool closed; /* no room to send */
	bool no_join;
	bool stopped, over;
	unsigned n_joined;
	unsigned n_sent;
	struct token registration; /* of the last one that was sent */
	struct token last; /* of the last request */
	uint16_t last_mid;
	uint8_t room[DATAGRAM_MAX];
} fz;

static const struct token token_t = {.n = 4, .b = {0x7b, 0x3c, 0x01, 0x02}};

static struct buf *
open_datagram(void *ctx, const struct path *way)
{
	(void)ctx;
	assert(!fz.is_open && !way->multicast);
	if (fz.closed)
		return NULL;
	fz.is_open = true;
	fz.out = BUF_OF(fz.room);
	return &fz.out;
}

static void
commit(void *ctx)
{
	static struct msg m;
	uint32_t observe;

	(void)ctx;
	assert(fz.is_open && !fz.out.full);
	fz.is_open = false;
	fz.n_sent++;
	assert(msg_decode(buf_bytes(&fz.out), &m) == MSG_OK);
	if (MSG_CLASS(m.code) != 0 || m.code == CODE_EMPTY)
		return;
	assert(m.code == CODE_GET);
	fz.last = m.token;
	fz.last_mid = m.mid;
	if (msg_uint(&m, OPT_OBSERVE, &observe) && observe == 0 && m.type == TYPE_CON)
		fz.registration = m.token;
}

static void
random_bytes(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		fz.rng = fz.rng * 1664525u + 1013904223u;
		at[i] = (uint8_t)(fz.rng >> 24);
	}
}

static const struct machine_ops machine_ops = {
	.open = open_datagram, .commit = commit, .random = random_bytes};

static int
on_join(void *ctx, const struct addr *group, const struct addr *server, struct error *e,
	uint16_t *ret_socket)
{
	(void)ctx;
	assert(addr_is_multicast(group) && addr_equal(server, &fz.way.remote));
	assert(fz.n_joined == 0 && !fz.over);
	if (fz.no_join) {
		error_set(e, "no");
		return -1;
	}
	fz.n_joined++;
	*ret_socket = SOCKET;
	return 0;
}

static void
on_leave(void *ctx, uint16_t socket)
{
	(void)ctx;
	assert(socket == SOCKET && fz.n_joined == 1);
	fz.n_joined--;
}

static void
on_value(void *ctx, const struct observation_value *v)
{
	(void)ctx;
	assert(!fz.over && !fz.stopped);
	assert(v->via <= VIA_MULTICAST && v->observe <= 0xffffff && !v->verified);
	assert((v->group != NULL) == (v->via != VIA_UNICAST));
	assert(v->payload.n == 0 || v->payload.p != NULL);
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	(void)ctx;
	(void)loud;
	assert(text[0] != '\0');
}

static void
on_end(void *ctx, enum observation_end end, uint8_t code, const char *text)
{
	(void)ctx;
	(void)code;
	assert(!fz.over && !fz.stopped && end <= OBSERVATION_BROKEN && text != NULL);
	fz.over = true;
}

static const struct observation_ops observation_ops = {
	.join = on_join,
	.leave = on_leave,
	.on_value = on_value,
	.on_note = on_note,
	.on_end = on_end,
};

/* Gives a datagram, in a block of its own: a sanitizer sees the first byte past it. */
static void
give(const struct path *from, struct bytes datagram)
{
	uint8_t *copy = malloc(datagram.n + 1);
	unsigned n_before;

	assert(copy != NULL);
	if (datagram.n > 0)
		memcpy(copy, datagram.p, datagram.n);
	machine_advance(session_machine(fz.session), fz.now_ms);
	n_before = fz.n_sent;
	machine_receive(session_machine(fz.session), from, bytes_of(copy, datagram.n), fz.now_ms);
	/* RFC 7252 8.1 and 8.2: no acknowledgement, no reset, no answer. */
	assert(!from->multicast || fz.n_sent == n_before);
	free(copy);
}

static struct path
way_of(uint8_t what, bool multicast)
{
	struct path from = fz.way;

	from.multicast = multicast;
	if (multicast)
		from.socket = SOCKET;
	if (what & FLAG_STRANGER)
		from.remote.ip[3]++;
	return from;
}

/* Sends what the bytes say it is (code, options, payload) under a good header. */
static void
give_inner(uint8_t what, struct bytes inner, enum msg_type type, const struct token *t,
	uint16_t mid, bool multicast)
{
	static struct msg m;
	uint8_t space[DATAGRAM_MAX];
	struct buf out = BUF_OF(space);
	struct path from = way_of(what, multicast);

	if (msg_decode_inner(inner, &m) < 0)
		return;
	m.type = type;
	m.mid = mid;
	m.token = *t;
	if (msg_encode(&m, &out) == 0)
		give(&from, buf_bytes(&out));
}

/* An answer to the last request: on its acknowledgement, or a message of its own. */
static void
give_response(uint8_t what, struct bytes inner)
{
	if (what & FLAG_CON)
		give_inner(what, inner, TYPE_ACK, &fz.last, fz.last_mid, false);
	else
		give_inner(what, inner, TYPE_NON, &fz.last, fz.mid++, false);
}

static void
give_503(uint8_t what, struct bytes payload, uint32_t format)
{
	struct msg m;
	uint8_t space[DATAGRAM_MAX];
	struct buf out = BUF_OF(space);
	struct path from = way_of(what, false);

	msg_init(&m, what & FLAG_CON ? TYPE_NON : TYPE_CON, CODE_UNAVAILABLE);
	m.mid = fz.mid++;
	m.token = fz.registration;
	m.payload = payload;
	if (msg_add_uint(&m, OPT_CONTENT_FORMAT, format) == 0 &&
		msg_add_uint(&m, OPT_MAX_AGE, 0) == 0 && msg_encode(&m, &out) == 0)
		give(&from, buf_bytes(&out));
}

static void
give_offer(uint8_t what, struct bytes latest)
{
	uint8_t space[DATAGRAM_MAX];
	struct buf out = BUF_OF(space);
	struct inform in = {
		.generations = INFORM_BOTH,
		.server = fz.way.remote,
		.client = {.family = AF_INET, .port = 61616, .ip = {239, 1, 2, 3}},
		.token = token_t,
		.last_notif = latest.n > 0 ? latest : BYTES_NONE,
		.res = what & FLAG_STRANGER ? latest : BYTES_NONE,
	};

	if (what & (FLAG_SEED | FLAG_CURRENT))
		in.generations = what & FLAG_CURRENT ? INFORM_CURRENT : INFORM_SEED;
	if (inform_encode(&in, &out) == 0)
		give_503((uint8_t)(what & ~FLAG_STRANGER), buf_bytes(&out),
			what & FLAG_SEED ? 60 : OFFER_FORMAT);
}

static void
let_time_pass(uint64_t ms)
{
	uint64_t end = fz.now_ms + ms;

	while (machine_next(session_machine(fz.session)) <= end) {
		if (machine_next(session_machine(fz.session)) > fz.now_ms)
			fz.now_ms = machine_next(session_machine(fz.session));
		machine_advance(session_machine(fz.session), fz.now_ms);
		assert(machine_next(session_machine(fz.session)) > fz.now_ms);
	}
	fz.now_ms = end;
	machine_advance(session_machine(fz.session), fz.now_ms);
}

static void
do_other(uint8_t what)
{
	switch (what >> 3) {
	case 0:
		fz.closed = !fz.closed;
		break;
	case 1:
		fz.no_join = !fz.no_join;
		break;
	case 2:
		fz.stopped = true;
		observation_stop(fz.observation);
		break;
	default:
		break;
	}
}

/* Takes one step off the front of the input. */
static void
step(struct bytes *rest)
{
	uint8_t what = rest->p[0], n = rest->n > 1 ? rest->p[1] : 0;
	struct bytes arg = bytes_head(bytes_from(*rest, 2), n);
	enum msg_type type = what & FLAG_CON ? TYPE_CON : TYPE_NON;
	struct path from = way_of(what, (what & FLAG_MULTICAST) != 0);

	*rest = bytes_from(*rest, 2 + arg.n);
	fz.n_sent = 0;
	switch ((enum kind)(what & 7)) {
	case KIND_RAW:
		give(&from, arg);
		break;
	case KIND_RESPONSE:
		give_response(what, arg);
		break;
	case KIND_NOTIFICATION:
		give_inner(what, arg, type, &fz.registration, fz.mid++, false);
		break;
	case KIND_MULTICAST:
		give_inner(what, arg, type, &token_t, fz.mid++, true);
		break;
	case KIND_MAP:
		give_503(what, arg, what & FLAG_SEED ? 60 : OFFER_FORMAT);
		break;
	case KIND_OFFER:
		give_offer(what, arg);
		break;
	case KIND_TIME:
		let_time_pass(1ull << ((what >> 3) % 25));
		break;
	case KIND_OTHER:
		do_other(what);
		break;
	}
	assert(fz.n_joined <= !fz.over);
	/* Silence, or nonsense, is no reason for a flood. */
	assert(fz.n_sent <= SENT_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct target what = {
		BYTES_LIT("/ps/data/t"), BYTES_LIT(""), TARGET_NO_FORMAT};
	struct bytes rest = bytes_of(data, size);
	struct error e;

	memset(&fz, 0, sizeof(fz));
	fz.now_ms = 1000;
	fz.way.remote = (struct addr){.family = AF_INET, .port = 5683, .ip = {10, 0, 0, 1}};
	fz.way.local = (struct addr){.family = AF_INET, .port = 40000, .ip = {10, 0, 0, 2}};
	fz.session = session_new(&machine_ops, NULL, &fz.way, fz.now_ms);
	fz.observation = observation_new(fz.session, &what, &observation_ops, NULL, &e);
	assert(fz.observation != NULL);
	machine_advance(session_machine(fz.session), fz.now_ms);
	while (rest.n > 0 && fz.now_ms < FAR_MS)
		step(&rest);
	fz.stopped = true;
	observation_free(fz.observation);
	assert(fz.n_joined == 0);
	session_free(fz.session);
	return 0;
}
