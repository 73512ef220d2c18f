/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request to a group and the answers of its servers, played by the test:
 * client/gather.c, draft-ietf-core-groupcomm-bis 3.1 and 3.2, RFC 7252 8.2.
 */
#include "client/gather.h"
#include "unit.h"

#include <stdio.h>

#include "client/transfer.h"

static struct {
	struct gather *gather;
	uint64_t now_ms;
	uint8_t counter;
	uint8_t space[2048];
	struct buf out;
	bool to_group; /* where the datagram being written goes */
	bool closed; /* no room to send */
	struct path to;
	uint8_t sent[64][2048];
	size_t n_sent[64];
	bool is_group[64];
	unsigned n;
	struct buf said;
	char said_room[4096];
} bed;

static struct buf *
open_any(bool to_group)
{
	bed.to_group = to_group;
	bed.out = BUF_OF(bed.space);
	return bed.closed ? NULL : &bed.out;
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
	bed.to = *way;
	return open_any(false);
}

static void
on_commit(void *ctx)
{
	(void)ctx;
	ck_assert(!bed.out.full);
	ck_assert_uint_lt(bed.n, 64);
	memcpy(bed.sent[bed.n], bed.out.p, bed.out.n);
	bed.is_group[bed.n] = bed.to_group;
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
	char text[ADDR_STRLEN];
	struct msg m;

	(void)ctx;
	gather_message(s, &m);
	buf_printf(&bed.said, "%s%s %s '%.*s'; ", first ? "" : "again ",
		addr_format(&s->way.remote, text), s->shared ? "shared" : "own", (int)m.payload.n,
		m.payload.n ? (const char *)m.payload.p : "");
}

static const struct machine_ops machine_ops = {
	.open = on_open, .commit = on_commit, .random = on_random};
static const struct gather_ops ops = {.open_group = on_open_group, .on_answer = on_answer};

static void
setup(void)
{
	static const struct target t = {.path = BYTES_LIT("/ps/data/t"),
		.query = BYTES_LIT("a=1"),
		.accept = TARGET_NO_FORMAT};

	memset(&bed, 0, sizeof(bed));
	bed.now_ms = 1000;
	bed.said = buf_of(bed.said_room, sizeof(bed.said_room));
	bed.gather = gather_new(&machine_ops, NULL, &ops, NULL, &t, bed.now_ms);
	ck_assert_ptr_nonnull(bed.gather);
}

static void
teardown(void)
{
	gather_free(bed.gather);
}

static const char *
said(void)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text), "%s", buf_str(&bed.said));
	buf_clear(&bed.said);
	return text;
}

/* The i-th datagram that left, from the last one on. */
static struct msg
last_sent(unsigned i)
{
	struct msg m;

	ck_assert_uint_lt(i, bed.n);
	i = bed.n - 1 - i;
	ck_assert_int_eq(msg_decode(bytes_of(bed.sent[i], bed.n_sent[i]), &m), MSG_OK);
	return m;
}

/* The token of the request under way. */
static struct token
token(void)
{
	for (unsigned i = 0; i < bed.n; i++) {
		struct msg m = last_sent(i);

		if (bed.is_group[bed.n - 1 - i])
			return m.token;
	}
	ck_abort_msg("nothing was asked");
	return (struct token){0};
}

static void
arrive(unsigned server, const struct msg *m)
{
	struct path way = {
		.remote = {.family = AF_INET, .port = 5683, .ip = {10, 0, 0, (uint8_t)server}}};
	uint8_t bytes[2048];
	struct buf out = BUF_OF(bytes);

	ck_assert_int_eq(msg_encode(m, &out), 0);
	machine_receive(gather_machine(bed.gather), &way, buf_bytes(&out), bed.now_ms);
}

/* A response of a server: code, ETag, Max-Age (-1: none) and payload. */
static void
respond(unsigned server, enum msg_code code, const char *etag, int max_age, const char *payload)
{
	static uint16_t mid;
	struct msg m;

	msg_init(&m, TYPE_NON, code);
	m.mid = ++mid;
	m.token = token();
	if (etag)
		ck_assert_int_eq(msg_add(&m, OPT_ETAG, bytes_str(etag)), 0);
	if (max_age >= 0)
		ck_assert_int_eq(msg_add_uint(&m, OPT_MAX_AGE, (uint32_t)max_age), 0);
	m.payload = payload ? bytes_str(payload) : BYTES_NONE;
	arrive(server, &m);
}

static void
go(uint64_t ms)
{
	bed.now_ms += ms;
	machine_advance(gather_machine(bed.gather), bed.now_ms);
}

static unsigned
n_etags(const struct msg *m)
{
	unsigned n = 0;

	for (uint8_t i = 0; i < m->n_opts; i++)
		n += m->opts[i].number == OPT_ETAG;
	return n;
}

START_TEST(rfc7252_8_1_a_group_request_is_non)
{
	uint8_t text[64];
	struct buf path = BUF_OF(text);
	struct msg m;

	ck_assert(gather_ask(bed.gather, 0));
	ck_assert_uint_eq(bed.n, 1);
	ck_assert(bed.is_group[0]);
	m = last_sent(0);
	ck_assert_int_eq(m.type, TYPE_NON);
	ck_assert_int_eq(m.code, CODE_GET);
	ck_assert_int_eq(msg_path(&m, &path), 0);
	ck_assert_str_eq(buf_str(&path), "/ps/data/t");
	ck_assert(msg_has(&m, OPT_URI_QUERY));
	ck_assert_uint_eq(n_etags(&m), 0);
}

/* groupcomm-bis "Repeating a Request", "Token Reuse". */
START_TEST(groupcomm_3_1_3_repeated_with_a_new_message_id)
{
	struct msg first, again, next;

	(void)gather_ask(bed.gather, 0);
	first = last_sent(0);
	gather_repeat(bed.gather);
	again = last_sent(0);
	ck_assert(token_equal(&first.token, &again.token));
	ck_assert_uint_ne(first.mid, again.mid);
	/* 3.1.5: another request, another token. */
	(void)gather_ask(bed.gather, 0);
	next = last_sent(0);
	ck_assert(!token_equal(&first.token, &next.token));
}

START_TEST(groupcomm_3_1_4_servers_are_told_apart_by_source)
{
	struct msg stray;

	(void)gather_ask(bed.gather, 0);
	respond(2, CODE_CONTENT, "e2", -1, "two");
	respond(3, CODE_CONTENT, "e3", -1, "three");
	respond(4, CODE_NOT_FOUND, NULL, -1, NULL);
	ck_assert_str_eq(said(), "10.0.0.2:5683 own 'two'; 10.0.0.3:5683 own 'three'; "
				 "10.0.0.4:5683 own ''; ");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 3);
	/* Another token is another request's. */
	msg_init(&stray, TYPE_NON, CODE_CONTENT);
	stray.token = (struct token){.n = 1, .b = {9}};
	arrive(5, &stray);
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 3);
}

/* groupcomm-bis 3.1.6: one server may answer twice. */
START_TEST(groupcomm_3_1_6_a_server_that_answers_twice)
{
	(void)gather_ask(bed.gather, 0);
	respond(2, CODE_CONTENT, NULL, -1, "a");
	respond(2, CODE_CONTENT, NULL, -1, "a");
	ck_assert_str_eq(said(), "10.0.0.2:5683 own 'a'; ");
	respond(2, CODE_CONTENT, NULL, -1, "b");
	ck_assert_str_eq(said(), "again 10.0.0.2:5683 own 'b'; ");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 1);
}

/* groupcomm-bis 3.1.1: "clients must be prepared to receive Confirmable responses". */
START_TEST(groupcomm_3_1_1_a_confirmable_response_is_acknowledged)
{
	struct msg m;

	(void)gather_ask(bed.gather, 0);
	msg_init(&m, TYPE_CON, CODE_CONTENT);
	m.mid = 77;
	m.token = token();
	arrive(2, &m);
	m = last_sent(0);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, CODE_EMPTY);
	ck_assert_uint_eq(m.mid, 77);
	ck_assert_uint_eq(gather_n_heard(bed.gather), 1);
}

START_TEST(groupcomm_3_2_2_1_etags_are_sent_and_confirmed)
{
	struct msg m;

	(void)gather_ask(bed.gather, 0);
	respond(2, CODE_CONTENT, "e2", 5, "two");
	respond(3, CODE_CONTENT, "e3", 5, "three");
	respond(4, CODE_CONTENT, NULL, 5, "four");
	(void)said();
	go(10000);
	ck_assert(!gather_is_fresh(gather_first(bed.gather)));
	(void)gather_ask(bed.gather, 0);
	m = last_sent(0);
	ck_assert_uint_eq(n_etags(&m), 2);
	/* RFC 7252 5.9.1.3: a 2.03 makes what is kept fresh again. */
	respond(2, CODE_VALID, "e2", 30, NULL);
	ck_assert_str_eq(said(), "10.0.0.2:5683 own 'two'; ");
	respond(3, CODE_CONTENT, "e3b", 5, "three b");
	ck_assert_str_eq(said(), "10.0.0.3:5683 own 'three b'; ");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 2);
	go(20000);
	for (const struct gather_server *s = gather_first(bed.gather); s; s = s->next)
		ck_assert_int_eq(gather_is_fresh(s), s->way.remote.ip[3] == 2);
}

/* "as soon as another server responds with the same ETag value": used for neither. */
START_TEST(groupcomm_3_2_2_1_an_etag_of_two_servers_validates_nothing)
{
	struct msg m;

	(void)gather_ask(bed.gather, 0);
	respond(2, CODE_CONTENT, "same", -1, "two");
	respond(3, CODE_CONTENT, "same", -1, "three");
	ck_assert_str_eq(said(), "10.0.0.2:5683 own 'two'; 10.0.0.3:5683 shared 'three'; ");
	(void)gather_ask(bed.gather, 0);
	m = last_sent(0);
	ck_assert_uint_eq(n_etags(&m), 0);
	/* With other values they are good again. */
	respond(3, CODE_CONTENT, "other", -1, "three");
	respond(2, CODE_CONTENT, "same2", -1, "two");
	gather_repeat(bed.gather);
	m = last_sent(0);
	ck_assert_uint_eq(n_etags(&m), 2);
}

/*
 * "The client repeats a request if a particular server returned 2.03 (Valid) with an ETag
 * value that is not in the client's cache (for that server)": without it, to it alone.
 */
START_TEST(groupcomm_3_2_2_1_a_valid_that_is_another_servers)
{
	struct msg m, answer;

	(void)gather_ask(bed.gather, 0);
	respond(2, CODE_CONTENT, "e", -1, "two");
	(void)said();
	gather_repeat(bed.gather);
	respond(3, CODE_VALID, "e", -1, NULL);
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(gather_n_heard(bed.gather), 1);
	ck_assert(!bed.is_group[bed.n - 1]);
	ck_assert_int_eq(bed.to.remote.ip[3], 3);
	m = last_sent(0);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, CODE_GET);
	ck_assert_uint_eq(n_etags(&m), 0);
	ck_assert(msg_has(&m, OPT_URI_PATH));
	/* The value of the first is not used for validation any more. */
	msg_init(&answer, TYPE_ACK, CODE_CONTENT);
	answer.mid = m.mid;
	answer.token = m.token;
	(void)msg_add(&answer, OPT_ETAG, bytes_str("e"));
	answer.payload = bytes_str("three");
	arrive(3, &answer);
	ck_assert_str_eq(said(), "10.0.0.3:5683 shared 'three'; ");
	gather_repeat(bed.gather);
	m = last_sent(0);
	ck_assert_uint_eq(n_etags(&m), 0);
}

/* A server that confirms again and again what it was not asked is not asked for ever. */
START_TEST(a_server_is_asked_alone_a_few_times)
{
	unsigned n;

	(void)gather_ask(bed.gather, 0);
	/* More often than a count of a byte's width would notice. */
	for (int i = 0; i < 600; i++)
		respond(3, CODE_VALID, "x", -1, NULL);
	for (n = 0; n < bed.n && !bed.is_group[bed.n - 1 - n]; n++)
		;
	ck_assert_uint_eq(n, GATHER_ALONE_MAX);
	ck_assert_str_eq(said(), "");
}

/* A server that wants an Echo gets it, by unicast, and a new one when it wants another. */
START_TEST(rfc9175_2_3_who_wants_an_echo_is_asked_alone)
{
	static const char *const values[] = {"one", "two", "three"};
	struct msg m, answer;

	(void)gather_ask(bed.gather, 0);
	m = last_sent(0);
	for (int i = 0; i < 3; i++) {
		msg_init(&answer, i == 0 ? TYPE_NON : TYPE_ACK, CODE_UNAUTHORIZED);
		answer.mid = m.mid;
		answer.token = token();
		ck_assert_int_eq(msg_add(&answer, OPT_ECHO, bytes_str(values[i])), 0);
		arrive(3, &answer);
		if (i == 2)
			break;
		ck_assert(!bed.is_group[bed.n - 1]);
		m = last_sent(0);
		ck_assert_int_eq(m.type, TYPE_CON);
		ck_assert_int_eq(m.code, CODE_GET);
		ck_assert(msg_has(&m, OPT_URI_PATH));
		ck_assert(msg_find(&m, OPT_ECHO) != NULL);
		ck_assert(bytes_equal(msg_find(&m, OPT_ECHO)->value, bytes_str(values[i])));
		ck_assert_str_eq(said(), "");
	}
	/* Who is never satisfied has refused. */
	ck_assert_str_eq(said(), "10.0.0.3:5683 own ''; ");
}

/*
 * "the time between reuse of Token values for different group requests MUST be greater
 * than" 250 s and some: not even chance makes it shorter.
 */
START_TEST(groupcomm_3_1_5_no_token_is_used_again)
{
	struct token seen[20];

	for (unsigned i = 0; i < 20; i++) {
		bed.counter = 0; /* the same random numbers */
		(void)gather_ask(bed.gather, 0);
		seen[i] = token();
		for (unsigned j = 0; j < i; j++)
			ck_assert(!token_equal(&seen[i], &seen[j]));
	}
}

/* groupcomm-bis 3.2.1: from the cache alone only when all servers are known and fresh. */
START_TEST(groupcomm_3_2_1_freshness)
{
	(void)gather_ask(bed.gather, 2);
	respond(2, CODE_CONTENT, NULL, 10, "two");
	ck_assert(gather_ask(bed.gather, 2));
	respond(3, CODE_CONTENT, NULL, 20, "three");
	ck_assert(!gather_ask(bed.gather, 2));
	/* Nobody knows how many there are: asked (RFC 7252 8.2.1). */
	ck_assert(gather_ask(bed.gather, 0));
	go(10000);
	ck_assert(gather_ask(bed.gather, 2));
	/* RFC 7252 5.10.5: a minute without Max-Age. */
	respond(2, CODE_CONTENT, NULL, -1, "two");
	go(9999);
	ck_assert(!gather_ask(bed.gather, 2));
	go(1);
	ck_assert(gather_ask(bed.gather, 2));
}

START_TEST(servers_are_limited)
{
	static const uint8_t huge[1100];
	struct msg m;

	(void)gather_ask(bed.gather, 0);
	for (unsigned i = 0; i < GATHER_SERVERS_MAX + 50; i++) {
		struct path way = {.remote = {.family = AF_INET, .port = (uint16_t)(1000 + i)}};
		uint8_t bytes[2048];
		struct buf out = BUF_OF(bytes);

		msg_init(&m, TYPE_NON, CODE_CONTENT);
		m.token = token();
		(void)msg_add_uint(&m, OPT_ETAG, 1000 + i);
		m.payload = BYTES_OF(huge);
		(void)msg_encode(&m, &out);
		machine_receive(gather_machine(bed.gather), &way, buf_bytes(&out), bed.now_ms);
		buf_clear(&bed.said);
	}
	ck_assert_uint_eq(gather_n_heard(bed.gather), GATHER_SERVERS_MAX);
	gather_repeat(bed.gather);
	m = last_sent(0);
	ck_assert_uint_eq(n_etags(&m), GATHER_ETAGS_MAX);
}

/* A first block is kept as it came, for transfer_resume(). */
START_TEST(groupcomm_3_8_a_first_block_is_kept)
{
	static const uint8_t block[256];
	struct msg m;

	(void)gather_ask(bed.gather, 0);
	msg_init(&m, TYPE_NON, CODE_CONTENT);
	m.token = token();
	(void)msg_add(&m, OPT_ETAG, bytes_str("e"));
	(void)msg_add_uint(&m, OPT_BLOCK2, 8 | 4);
	m.payload = BYTES_OF(block);
	arrive(2, &m);
	gather_message(gather_first(bed.gather), &m);
	ck_assert(transfer_has_more(&m));
	ck_assert_uint_eq(m.payload.n, 256);
}

START_TEST(no_room_and_no_target)
{
	struct target bad = {.path = BYTES_LIT("/%zz"), .accept = TARGET_NO_FORMAT};

	ck_assert_ptr_null(gather_new(&machine_ops, NULL, &ops, NULL, &bad, 0));
	gather_free(NULL);
	bed.closed = true;
	ck_assert(gather_ask(bed.gather, 0));
	ck_assert_uint_eq(bed.n, 0);
}

int
main(void)
{
	Suite *s = suite_create("client_gather");
	TCase *t = tcase_create("client_gather");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc7252_8_1_a_group_request_is_non);
	tcase_add_test(t, groupcomm_3_1_3_repeated_with_a_new_message_id);
	tcase_add_test(t, groupcomm_3_1_4_servers_are_told_apart_by_source);
	tcase_add_test(t, groupcomm_3_1_6_a_server_that_answers_twice);
	tcase_add_test(t, groupcomm_3_1_1_a_confirmable_response_is_acknowledged);
	tcase_add_test(t, groupcomm_3_2_2_1_etags_are_sent_and_confirmed);
	tcase_add_test(t, groupcomm_3_2_2_1_an_etag_of_two_servers_validates_nothing);
	tcase_add_test(t, groupcomm_3_2_2_1_a_valid_that_is_another_servers);
	tcase_add_test(t, a_server_is_asked_alone_a_few_times);
	tcase_add_test(t, rfc9175_2_3_who_wants_an_echo_is_asked_alone);
	tcase_add_test(t, groupcomm_3_1_5_no_token_is_used_again);
	tcase_add_test(t, groupcomm_3_2_1_freshness);
	tcase_add_test(t, servers_are_limited);
	tcase_add_test(t, groupcomm_3_8_a_first_block_is_kept);
	tcase_add_test(t, no_room_and_no_target);
	suite_add_tcase(s, t);
	return unit_run(s);
}
