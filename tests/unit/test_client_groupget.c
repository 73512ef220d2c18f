/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A protected GET to a group, of which two members are servers: client/gather.c under Group
 * OSCORE (oscore-groupcomm 5.3, 7, 8 and 9; RFC 9175 2.3).
 */
#include "client/gather.h"
#include "mutate.h"
#include "oscore_talk.h"
#include "unit.h"

#include <stdio.h>

#define SENT 16

static struct {
	struct gather *gather;
	struct groups groups;
	uint64_t now_ms;
	uint8_t counter;
	uint8_t space[OUT];
	struct buf out;
	struct path to; /* where the datagram being written goes; no address: the group */
	struct path way[SENT]; /* of what was sent */
	uint8_t sent[SENT][OUT];
	size_t n_sent[SENT];
	unsigned n;
	unsigned n_notes; /* that something was dropped */
	uint16_t mid;
	char room[2048];
	struct buf said;
} bed;

static struct end c; /* the other server */

static struct buf *
on_open(void *ctx, const struct path *way)
{
	(void)ctx;
	bed.to = *way;
	bed.out = BUF_OF(bed.space);
	return &bed.out;
}

static struct buf *
on_open_group(void *ctx)
{
	static const struct path everybody = {.socket = 0};

	return on_open(ctx, &everybody);
}

static void
on_commit(void *ctx)
{
	(void)ctx;
	ck_assert_uint_lt(bed.n, SENT);
	memcpy(bed.sent[bed.n], bed.out.p, bed.out.n);
	bed.way[bed.n] = bed.to;
	bed.n_sent[bed.n++] = bed.out.n;
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, 0, n);
	*(uint8_t *)p = ++bed.counter;
}

static void
on_answer(void *ctx, const struct gather_server *s, bool first)
{
	struct msg m;

	(void)ctx;
	gather_message(s, &m);
	ck_assert(s->verified);
	buf_printf(&bed.said, "%s%02x at %u: %.*s; ", first ? "" : "again ", s->kid[0],
		(unsigned)s->way.remote.ip[3], (int)m.payload.n,
		m.payload.n ? (const char *)m.payload.p : "");
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	(void)ctx;
	ck_assert(loud);
	ck_assert_str_eq(text, "an answer could not be verified and was dropped");
	bed.n_notes++;
}

static const struct machine_ops machine_ops = {
	.open = on_open, .commit = on_commit, .random = on_random};
static const struct gather_ops ops = {.open_group = on_open_group, .on_answer = on_answer};

/* The first group of the vectors has pairwise mode, and a second server; this one does not. */
#define SIGNED_ONLY 7

static void
begin(unsigned which)
{
	static const struct target t = {.path = BYTES_LIT("/r"), .accept = TARGET_NO_FORMAT};
	struct armor armor = {.note = on_note};

	memset(&bed, 0, sizeof(bed));
	v = vectors_open("group-oscore.json");
	group = vectors_first(&v, vectors_find(&v, 0, "groups"));
	for (unsigned i = 0; i < which; i++)
		group = vectors_next(&v, vectors_find(&v, 0, "groups"), group);
	end_init(&a, bed_group(&v, group, "A", 100));
	end_init(&b, bed_group(&v, group, "B", 200));
	if (which != SIGNED_ONLY)
		end_init(&c, bed_group(&v, group, "C", 300));
	bed.said = buf_of(bed.room, sizeof(bed.room));
	bed.gather = gather_new(&machine_ops, NULL, &ops, NULL, &t, 1000);
	armor.context = a.c;
	gather_protect(bed.gather, &armor);
	ck_assert(gather_ask(bed.gather, 0));
}

static void
end(void)
{
	gather_free(bed.gather);
	end_fini(&a);
	end_fini(&b);
	if (c.c)
		end_fini(&c);
	c.c = NULL;
	vectors_close(&v);
	crypto_stop();
}

static const char *
said(void)
{
	static char text[sizeof(bed.room)];

	(void)snprintf(text, sizeof(text), "%s", buf_str(&bed.said));
	buf_clear(&bed.said);
	return text;
}

/* The i-th datagram that left. */
static struct msg
sent(unsigned i)
{
	struct msg m;

	ck_assert_uint_lt(i, bed.n);
	ck_assert_int_eq(msg_decode(bytes_of(bed.sent[i], bed.n_sent[i]), &m), MSG_OK);
	return m;
}

/* What `at` makes of it; its answers are bound to *ret. */
static enum unprotect_verdict
take(struct end *at, unsigned i, struct oscore_binding *ret)
{
	struct msg m = sent(i);

	return open_request(at, &m, ret);
}

/* From host 10.0.0.`host`: a NON, or the ACK of a request. */
static void
arrive(unsigned host, struct sent *s, const struct msg *request)
{
	struct path way = {
		.remote = {.family = AF_INET, .port = 5683, .ip = {10, 0, 0, (uint8_t)host}}};
	uint8_t bytes[OUT];
	struct buf out = BUF_OF(bytes);

	s->m.type = request->type == TYPE_CON ? TYPE_ACK : TYPE_NON;
	s->m.mid = request->type == TYPE_CON ? request->mid : ++bed.mid;
	s->m.token = request->token;
	ck_assert_int_eq(msg_encode(&s->m, &out), 0);
	bed.now_ms += 10;
	machine_receive(gather_machine(bed.gather), &way, buf_bytes(&out), 1000 + bed.now_ms);
}

/* The server's answer to what was sent i-th. */
static void
answer(struct sent *ret, struct end *at, unsigned i, unsigned flags, enum msg_code code,
	const char *value)
{
	struct oscore_binding bound;
	struct buf tail = buf_of(ret->raw + 1, OUT - 1);
	enum unprotect_verdict verdict = take(at, i, &bound);
	uint8_t outer;
	struct msg m;

	ck_assert(verdict == UNPROTECT_OK || verdict == UNPROTECT_UNCERTAIN);
	msg_init(&m, TYPE_NON, code);
	if (code == CODE_UNAUTHORIZED)
		ck_assert_int_eq(msg_add(&m, OPT_ECHO, bytes_str(value)), 0);
	else
		m.payload = bytes_str(value);
	ck_assert_int_eq(protect_response(&bound, &m, flags, &tail, &outer), 0);
	binding_fini(&bound);
	wire(ret, outer, &tail);
}

/* The mode in which the i-th was sent. */
static bool
is_signed(unsigned i)
{
	struct msg m = sent(i);
	struct oscore_option option;

	ck_assert_int_eq(oscore_option_decode(msg_find(&m, OPT_OSCORE)->value, &option), 0);
	return option.group;
}

/* As a server that has just begun: no request but one that echoes is taken. */
static void
forget(struct end *at)
{
	window_init(&context_find_recipient(at->c, context_sender_id(a.c))->window, false);
}

START_TEST(groupcomm_5_1_servers_are_told_apart_by_kid)
{
	struct msg request;
	struct sent s;

	begin(0);
	ck_assert(is_signed(0));
	request = sent(0);
	answer(&s, &b, 0, 0, CODE_CONTENT, "bee");
	forget(&c);
	arrive(2, &s, &request);
	answer(&s, &c, 0, PROTECT_OWN_PIV, CODE_CONTENT, "sea");
	arrive(3, &s, &request);
	ck_assert_str_eq(said(), "05 at 2: bee; 52 at 3: sea; ");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 2);
	/* From elsewhere, it is the same answer and nobody else's. */
	arrive(9, &s, &request);
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 2);
	end();
}
END_TEST

START_TEST(groupcomm_5_3_1_an_answer_counts_once)
{
	struct sent without, with, older;
	struct msg request;

	begin(0);
	request = sent(0);
	answer(&without, &b, 0, 0, CODE_CONTENT, "first");
	forget(&b);
	answer(&older, &b, 0, PROTECT_OWN_PIV, CODE_CONTENT, "second");
	answer(&with, &b, 0, PROTECT_OWN_PIV, CODE_CONTENT, "third");
	arrive(2, &with, &request);
	ck_assert_str_eq(said(), "05 at 2: third; ");
	arrive(2, &with, &request);
	arrive(2, &older, &request);
	/* "treat it as the oldest response from that server". */
	arrive(2, &without, &request);
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(bed.n_notes, 0);
	answer(&with, &b, 0, PROTECT_OWN_PIV, CODE_CONTENT, "fourth");
	arrive(2, &with, &request);
	ck_assert_str_eq(said(), "again 05 at 2: fourth; ");
	/* To the request when it is repeated, another one without. */
	gather_repeat(bed.gather);
	request = sent(1);
	answer(&without, &b, 1, 0, CODE_CONTENT, "fifth");
	arrive(2, &without, &request);
	ck_assert_str_eq(said(), "again 05 at 2: fifth; ");
	end();
}
END_TEST

/* "MUST use the pairwise mode", where the group has it. */
START_TEST(groupcomm_9_a_challenge_is_answered_alone)
{
	struct oscore_binding bound;
	struct msg request;
	struct sent s, value;

	begin(_i ? SIGNED_ONLY : 0);
	request = sent(0);
	forget(&b);
	answer(&s, &b, 0, 0, CODE_UNAUTHORIZED, "echo me");
	arrive(2, &s, &request);
	ck_assert_uint_eq(bed.n, 2);
	ck_assert_uint_eq(bed.way[1].remote.ip[3], 2);
	ck_assert_int_eq(sent(1).type, TYPE_CON);
	ck_assert_int_eq(is_signed(1), _i != 0);
	ck_assert_int_eq(take(&b, 1, &bound), UNPROTECT_UNCERTAIN);
	binding_fini(&bound);
	ck_assert(bytes_equal(msg_find(&got, OPT_ECHO)->value, BYTES_LIT("echo me")));
	/* The challenge sent again, by whomever, makes it say nothing more. */
	arrive(2, &s, &request);
	arrive(9, &s, &request);
	ck_assert_uint_eq(bed.n, 2);
	ck_assert_str_eq(said(), "");
	request = sent(1);
	answer(&value, &b, 1, 0, CODE_CONTENT, "bee");
	arrive(2, &value, &request);
	ck_assert_str_eq(said(), "05 at 2: bee; ");
	end();
}
END_TEST

START_TEST(groupcomm_7_4_what_is_not_taken_for_an_answer)
{
	struct msg request;
	struct sent s;

	begin(0);
	request = sent(0);
	/* Not protected: an error is nobody's, a value neither. */
	s.m = content("plain", -1);
	arrive(2, &s, &request);
	msg_init(&s.m, TYPE_NON, CODE_UNAUTHORIZED);
	arrive(2, &s, &request);
	answer(&s, &b, 0, 0, CODE_CONTENT, "bee");
	for (size_t i = 1; i < s.n; i++) {
		struct sent forged = {.n = s.n};

		memcpy(forged.raw, s.raw, s.n);
		forged.raw[i] ^= 1;
		if (msg_decode_inner(bytes_of(forged.raw, s.n), &forged.m) == 0)
			arrive(2, &forged, &request);
	}
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 0);
	ck_assert_uint_eq(bed.n, 1);
	ck_assert_uint_ge(bed.n_notes, 1);
	ck_assert_uint_gt(gather_n_dropped(bed.gather), 50);
	arrive(2, &s, &request);
	ck_assert_str_eq(said(), "05 at 2: bee; ");
	end();
}
END_TEST

/* From header to signature, to each of two requests to the group and one to a server alone. */
START_TEST(nothing_mangled_is_an_answer)
{
	struct path way = {.remote = {.family = AF_INET, .port = 5683, .ip = {10, 0, 0, 2}}};
	uint8_t whole[OUT], raw[OUT + MUTATE_ROOM], *exact;
	struct buf out = BUF_OF(whole);
	uint32_t state = 0xb5297a4du;
	struct msg request, was, is;
	struct sent s;

	begin(0);
	request = sent(0);
	forget(&b);
	answer(&s, &b, 0, 0, CODE_UNAUTHORIZED, "echo me");
	arrive(2, &s, &request);
	gather_repeat(bed.gather);
	ck_assert_uint_eq(bed.n, 3);
	request = sent(2);
	answer(&s, &b, 2, PROTECT_OWN_PIV, CODE_CONTENT, "bee");
	s.m.type = TYPE_NON;
	s.m.mid = ++bed.mid;
	s.m.token = request.token;
	ck_assert_int_eq(msg_encode(&s.m, &out), 0);
	ck_assert_int_eq(msg_decode(buf_bytes(&out), &was), MSG_OK);
	for (int i = 0; i < 20000;) {
		size_t n = out.n;

		memcpy(raw, whole, n);
		n = mutate(raw, n, &state);
		if (msg_decode(bytes_of(raw, n), &is) == MSG_OK && mutate_is_same(&was, &is))
			continue;
		exact = mem_dup(bytes_of(raw, n));
		machine_receive(
			gather_machine(bed.gather), &way, bytes_of(exact, n), 1000 + bed.now_ms);
		free(exact);
		bed.n = 3; /* what was sent in return is of no interest */
		i++;
	}
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 0);
	machine_receive(gather_machine(bed.gather), &way, buf_bytes(&out), 1000 + bed.now_ms);
	ck_assert_str_eq(said(), "05 at 2: bee; ");
	end();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client_groupget");
	TCase *t = tcase_create("protected");

	tcase_add_test(t, groupcomm_5_1_servers_are_told_apart_by_kid);
	tcase_add_test(t, groupcomm_5_3_1_an_answer_counts_once);
	tcase_add_loop_test(t, groupcomm_9_a_challenge_is_answered_alone, 0, 2);
	tcase_add_test(t, groupcomm_7_4_what_is_not_taken_for_an_answer);
	tcase_add_test(t, nothing_mangled_is_an_answer);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
