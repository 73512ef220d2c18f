/* SPDX-License-Identifier: BSD-2-Clause */
/* Block-wise transfer: RFC 7959 2.2-2.5, 2.9, 4; RFC 9175 3. */
#include "unit.h"

#include <stdio.h>

#include "msg/block.h"
#include "wire/option.h"
#include "world.h"

#define PAYLOAD_MAX 5000
#define BODIES_MAX 3

static struct world w;
static struct bodies *b;
static uint8_t pattern[PAYLOAD_MAX + 1200];
static uint16_t mid;
static bool forgets; /* to call bodies_done */
static uint32_t max; /* bytes of a body */
static uint32_t who; /* sends the requests that come */

/* A server that takes bodies and tells how long they are, or what is in short ones. */
static void
take(struct world *world, struct request *r)
{
	uint8_t room[256];
	struct buf path = BUF_OF(room);
	struct bytes body = BYTES_LIT("untouched");
	enum body_verdict verdict;
	struct msg m;

	r->who = who;
	ck_assert_int_eq(msg_path(r->msg, &path), 0);
	verdict = bodies_take(b, r, buf_bytes(&path), max, &body);
	if (verdict != BODY_WHOLE) {
		ck_assert(r->answered);
		ck_assert(bytes_is(body, "untouched"));
		return;
	}
	ck_assert(!r->answered);
	if (body.n > 20)
		world_say(world, "body of %zu%s", body.n,
			memcmp(body.p, pattern, body.n) ? ", garbled" : "");
	else
		world_say(world, "body '%.*s'", (int)body.n, (const char *)body.p);
	msg_init(&m, TYPE_ACK, CODE_CHANGED);
	block1_echo(r->msg, &m);
	request_reply(r, &m);
	if (!forgets)
		bodies_done(b);
}

static void
setup(void)
{
	static const struct bodies_limits limits = {.bodies = BODIES_MAX};

	world_init(&w, 16, 64);
	w.on_request = take;
	b = bodies_new(layer_wheel(w.layer), &limits, 1);
	mid = 0;
	who = 0;
	forgets = false;
	max = PAYLOAD_MAX;
	/* Its period is no block size: a block in the wrong place shows. */
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 / 3 % 251);
}

static void
teardown(void)
{
	bodies_free(b);
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
	world_fini(&w);
}

static void
play(const char *in, const char *said)
{
	world_in(&w, in);
	ck_assert_str_eq(world_said(&w), said);
}

/* The block of a PUT of the pattern, of `n` bytes from where it starts. */
static const char *
put_block(uint32_t num, bool more, uint8_t szx, size_t n)
{
	struct block block = {.num = num, .more = more, .szx = szx};
	uint8_t room[1200];
	struct buf out = BUF_OF(room);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_PUT);
	m.mid = ++mid;
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, BYTES_LIT("p")), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK1, block_value(&block)), 0);
	m.payload = bytes_of(pattern + block_offset(&block), n);
	ck_assert_int_eq(msg_encode(&m, &out), 0);
	world_in_bytes(&w, buf_bytes(&out));
	return world_said(&w);
}

START_TEST(without_block1_the_payload_is_the_body)
{
	play("CON PUT #1 11=p 'hi'", "run PUT; body 'hi'; ACK 2.04 #1");
	play("CON PUT #2 11=p", "run PUT; body ''; ACK 2.04 #2");
}

START_TEST(rfc7959_2_5_a_body_in_blocks)
{
	play("CON PUT #1 t=01 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 t=01 27=08");
	ck_assert_uint_eq(bodies_count(b), 1);
	play("CON PUT #2 t=02 11=p 27=10 'gh'",
		"run PUT; body '0123456789abcdefgh'; ACK 2.04 #2 t=02 27=10");
	ck_assert_uint_eq(bodies_count(b), 0);
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
}

/*
 * RFC 7252 1.2: with security an endpoint is more than its address. Neither a forged block nor
 * one of somebody else behind the same proxy gets into a body.
 */
START_TEST(rfc7252_1_2_a_body_is_of_one_sender)
{
	who = 7;
	play("CON PUT #1 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	who = 0;
	play("CON PUT #2 11=p 27=18 'FORGED---FORGED-'", "run PUT; ACK 4.08 #2");
	play("CON PUT #3 11=p 27=08 'of-its-own------'", "run PUT; ACK 2.31 #3 27=08");
	who = 8;
	play("CON PUT #4 11=p 27=10 'gh'", "run PUT; ACK 4.08 #4");
	who = 7;
	play("CON PUT #5 11=p 27=10 'gh'", "run PUT; body '0123456789abcdefgh'; ACK 2.04 #5 27=10");
	who = 0;
	play("CON PUT #6 11=p 27=10 'too'",
		"run PUT; body 'of-its-own------too'; ACK 2.04 #6 27=10");
}

START_TEST(rfc7959_2_5_one_block_that_is_the_last)
{
	play("CON PUT #1 11=p 27= 'hi'", "run PUT; body 'hi'; ACK 2.04 #1 27=");
	play("NON PUT #2 11=p 27=06 'hi'", "run PUT; body 'hi'; NON 2.04 #1 27=06");
	ck_assert_uint_eq(bodies_count(b), 0);
}

START_TEST(bodies_of_every_size)
{
	char text[64];

	for (uint8_t szx = 0; szx <= BLOCK_SZX_MAX; szx++) {
		size_t size = BLOCK_SIZE(szx);

		for (size_t n = 1; n <= PAYLOAD_MAX; n += n < 70 ? 1 : 487) {
			uint32_t last = (uint32_t)((n - 1) / size);

			for (uint32_t num = 0; num < last; num++)
				ck_assert_ptr_nonnull(
					strstr(put_block(num, true, szx, size), "ACK 2.31"));
			(void)snprintf(text, sizeof(text), "body of %zu; ACK 2.04", n);
			if (n > 20)
				ck_assert_ptr_nonnull(
					strstr(put_block(last, false, szx, n - last * size), text));
			else
				ck_assert_ptr_nonnull(strstr(
					put_block(last, false, szx, n - last * size), "body '"));
		}
	}
	ck_assert_uint_eq(bodies_count(b), 0);
}

START_TEST(rfc7959_2_5_smaller_blocks_midway)
{
	ck_assert_ptr_nonnull(strstr(put_block(0, true, 6, 1024), "2.31"));
	/* 1024 bytes are 64 blocks of 16. */
	ck_assert_ptr_nonnull(strstr(put_block(64, true, 0, 16), "2.31"));
	ck_assert_ptr_nonnull(strstr(put_block(65, true, 0, 16), "2.31"));
	/* Block 33 of 32 begins at 1056. */
	ck_assert_ptr_nonnull(strstr(put_block(33, true, 1, 32), "2.31"));
	ck_assert_ptr_nonnull(strstr(put_block(68, false, 0, 3), "body of 1091; ACK 2.04"));
}

START_TEST(rfc7959_2_9_2_gaps)
{
	play("CON PUT #1 11=p 27=18 '0123456789abcdef'", "run PUT; ACK 4.08 #1");
	play("CON PUT #2 11=p 27=10 'x'", "run PUT; ACK 4.08 #2");
	play("CON PUT #3 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #3 27=08");
	play("CON PUT #4 11=p 27=28 '0123456789abcdef'", "run PUT; ACK 4.08 #4");
	play("CON PUT #5 11=p 27=20 'x'", "run PUT; ACK 4.08 #5");
	/* What was there is not lost by that. */
	play("CON PUT #6 11=p 27=10 'gh'", "run PUT; body '0123456789abcdefgh'; ACK 2.04 #6 27=10");
	/* The body is gone with its last block. */
	play("CON PUT #7 11=p 27=10 'gh'", "run PUT; ACK 4.08 #7");
}

START_TEST(rfc7959_2_5_the_last_block_taken_again)
{
	play("CON PUT #1 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	play("CON PUT #2 11=p 27=18 'ghijklmnopqrstuv'", "run PUT; ACK 2.31 #2 27=18");
	/* With another message id, so the message layer cannot know. */
	play("CON PUT #3 11=p 27=18 'ghijklmnopqrstuv'", "run PUT; ACK 2.31 #3 27=18");
	/* With the same: it does. */
	play("CON PUT #3 11=p 27=18 'ghijklmnopqrstuv'", "ACK 2.31 #3 27=18");
	play("CON PUT #4 11=p 27=20 'w'", "run PUT; body of 33, garbled; ACK 2.04 #4 27=20");
	/* The duplicate of the final one runs nothing. */
	play("CON PUT #4 11=p 27=20 'w'", "ACK 2.04 #4 27=20");
}

START_TEST(rfc7959_2_5_block_0_starts_anew)
{
	play("CON PUT #1 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	play("CON PUT #2 11=p 27=18 '0123456789abcdef'", "run PUT; ACK 2.31 #2 27=18");
	play("CON PUT #3 11=p 27=08 'ABCDEFGHIJKLMNOP'", "run PUT; ACK 2.31 #3 27=08");
	ck_assert_uint_eq(bodies_count(b), 1);
	play("CON PUT #4 11=p 27=10 'QR'", "run PUT; body 'ABCDEFGHIJKLMNOPQR'; ACK 2.04 #4 27=10");
	/* A single block ends a body in the making, too. */
	play("CON PUT #5 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #5 27=08");
	play("CON PUT #6 11=p 27= 'hi'", "run PUT; body 'hi'; ACK 2.04 #6 27=");
	ck_assert_uint_eq(bodies_count(b), 0);
}

START_TEST(rfc7959_2_2_blocks_of_a_wrong_size)
{
	play("CON PUT #1 11=p 27=08 '0123456789abcde'", "run PUT; ACK 4.00 #1");
	play("CON PUT #2 11=p 27=08 '0123456789abcdefg'", "run PUT; ACK 4.00 #2");
	play("CON PUT #3 11=p 27= '0123456789abcdefg'", "run PUT; ACK 4.00 #3");
	play("CON PUT #4 11=p 27=08", "run PUT; ACK 4.00 #4");
	/* The reserved size. */
	play("CON PUT #5 11=p 27=07 'x'", "run PUT; ACK 4.00 #5");
	play("CON PUT #6 11=p 27=0f 'x'", "run PUT; ACK 4.00 #6");
	/* Not even an option: RFC 7252 5.4.3. */
	play("CON PUT #7 11=p 27=00000008 'x'", "ACK 4.02 #7 'option 27 not understood'");
	ck_assert_uint_eq(bodies_count(b), 0);
}

START_TEST(rfc7959_2_9_3_too_large)
{
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "ACK 4.13 #%u 60=1388", 5);
	for (uint32_t num = 0; num < 4; num++)
		ck_assert_ptr_nonnull(strstr(put_block(num, true, 6, 1024), "2.31"));
	ck_assert_ptr_nonnull(strstr(put_block(4, true, 6, 1024), expected));
	/* It is over: nothing goes on from there. */
	ck_assert_uint_eq(bodies_count(b), 0);
	ck_assert_ptr_nonnull(strstr(put_block(5, false, 6, 1), "4.08"));
	/* The last byte that fits, and one more. */
	for (uint32_t num = 0; num < 4; num++)
		ck_assert_ptr_nonnull(strstr(put_block(num, true, 6, 1024), "2.31"));
	ck_assert_ptr_nonnull(strstr(put_block(4, false, 6, PAYLOAD_MAX - 4096), "body of 5000"));
	for (uint32_t num = 0; num < 4; num++)
		ck_assert_ptr_nonnull(strstr(put_block(num, true, 6, 1024), "2.31"));
	ck_assert_ptr_nonnull(strstr(put_block(4, false, 6, PAYLOAD_MAX - 4095), "4.13"));
	ck_assert_uint_eq(bodies_count(b), 0);
}

START_TEST(rfc7959_4_size1_tells_early)
{
	play("CON PUT #1 11=p 27=08 60=1389 '0123456789abcdef'", "run PUT; ACK 4.13 #1 60=1388");
	play("CON PUT #2 11=p 27=08 60=1388 '0123456789abcdef'", "run PUT; ACK 2.31 #2 27=08");
	/* Announcing much takes no memory; and Size1 without Block1 is only an estimate. */
	play("CON PUT #3 11=p 60=ffffffff 'hi'", "run PUT; body 'hi'; ACK 2.04 #3");
}

START_TEST(a_payload_limit_below_a_block)
{
	max = 20;
	play("CON PUT #1 11=p '0123456789abcdef01234'", "run PUT; ACK 4.13 #1 60=14");
	play("CON PUT #2 11=p 27=09 '0123456789abcdef0123456789abcdef'",
		"run PUT; ACK 4.13 #2 60=14");
	play("CON PUT #3 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #3 27=08");
	/* Lowered in the middle: what is there is too much already. */
	max = 3;
	play("CON PUT #4 11=p 27=10 'x'", "run PUT; ACK 4.13 #4 60=03");
	ck_assert_uint_eq(bodies_count(b), 0);
}

START_TEST(the_limit_of_bodies)
{
	char text[96];

	for (unsigned i = 1; i <= BODIES_MAX; i++) {
		(void)snprintf(
			text, sizeof(text), "CON PUT #%u 11=q%u 27=08 '0123456789abcdef'", i, i);
		world_in(&w, text);
	}
	(void)world_said(&w);
	play("CON PUT #11 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 5.03 #11 14=0a");
	/* Those that are there go on, also from their beginning; single blocks need no room. */
	play("CON PUT #12 11=q1 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #12 27=08");
	play("CON PUT #13 11=p 27= 'hi'", "run PUT; body 'hi'; ACK 2.04 #13 27=");
	play("CON PUT #14 11=q2 27=10 'gh'",
		"run PUT; body '0123456789abcdefgh'; ACK 2.04 #14 27=10");
	play("CON PUT #15 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #15 27=08");
	ck_assert_uint_eq(bodies_count(b), BODIES_MAX);
}

START_TEST(the_limit_of_memory)
{
	size_t others = 70;
	struct bodies_limits limits = {.bodies = 8, .memory = 120, .others = {&others}};
	struct bodies_stats stats;

	bodies_set_limits(b, &limits);
	play("CON PUT #1 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	play("CON PUT #2 11=q 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #2 27=08");
	play("CON PUT #3 11=p 27=18 '0123456789abcdef'", "run PUT; ACK 2.31 #3 27=18");
	bodies_stats(b, &stats);
	ck_assert_uint_eq(stats.bytes, 48);
	/* 118 of 120: two bytes more will do, three do not, and then that body is given up. */
	play("CON PUT #4 11=q 27=10 'xyz'", "run PUT; ACK 5.03 #4 14=0a");
	bodies_stats(b, &stats);
	ck_assert_uint_eq(stats.bytes, 32);
	ck_assert_uint_eq(stats.bodies, 1);
	ck_assert_uint_eq(stats.refused_memory, 1);
	others = 86;
	world_in(&w, "CON PUT #5 11=p 27=20 'xy'");
	ck_assert_ptr_nonnull(strstr(world_said(&w), "ACK 2.04 #5"));
	bodies_stats(b, &stats);
	ck_assert_uint_eq(stats.bytes, 0);
}

START_TEST(given_up_in_time)
{
	play("CON PUT #1 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	world_go(&w, BODIES_TIMEOUT_MS - 1);
	ck_assert_uint_eq(bodies_count(b), 1);
	play("CON PUT #2 11=p 27=18 '0123456789abcdef'", "run PUT; ACK 2.31 #2 27=18");
	world_go(&w, BODIES_TIMEOUT_MS - 1);
	ck_assert_uint_eq(bodies_count(b), 1);
	world_go(&w, 1);
	ck_assert_uint_eq(bodies_count(b), 0);
	play("CON PUT #3 11=p 27=20 'x'", "run PUT; ACK 4.08 #3");
}

/* What keeps two bodies apart; each line differs from the first in one thing. */
START_TEST(rfc9175_3_3_the_key)
{
	static const char *const others[] = {
		"CON POST #2 11=p 27=10 'x'",
		"CON PUT #3 11=p 11=p 27=10 'x'",
		"CON PUT #4 11=pp 27=10 'x'",
		"CON PUT #5 11=p 15=k 27=10 'x'",
		"CON PUT #6 11=p 27=10 292= 'x'",
		"CON PUT #7 11=p 27=10 292=01 'x'",
	};
	char said[32];

	play("CON PUT #1 11=p 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		world_in(&w, others[i]);
		(void)snprintf(
			said, sizeof(said), "run %s; ACK 4.08 #%u", i ? "PUT" : "POST", i + 2);
		ck_assert_msg(strcmp(world_said(&w), said) == 0, "%s", others[i]);
	}
	world_from(&w, 2, 1, false);
	play("CON PUT #20 11=p 27=10 'x'", "run PUT; >2 ACK 4.08 #20");
	world_from(&w, 1, 2, false);
	play("CON PUT #21 11=p 27=10 'x'", "run PUT; <2 ACK 4.08 #21");
	world_from(&w, 1, 1, false);
	play("CON PUT #22 11=p 27=10 'x'", "run PUT; body '0123456789abcdefx'; ACK 2.04 #22 27=10");
}

START_TEST(rfc9175_3_two_at_once_by_request_tag)
{
	play("CON PUT #1 11=p 27=08 292=01 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	play("CON PUT #2 11=p 27=08 292=02 'ABCDEFGHIJKLMNOP'", "run PUT; ACK 2.31 #2 27=08");
	play("CON PUT #3 11=p 27=10 292=01 'g'",
		"run PUT; body '0123456789abcdefg'; ACK 2.04 #3 27=10");
	play("CON PUT #4 11=p 27=10 292=02 'Q'",
		"run PUT; body 'ABCDEFGHIJKLMNOPQ'; ACK 2.04 #4 27=10");
}

START_TEST(rfc7959_2_3_another_content_format)
{
	play("CON PUT #1 11=p 12=32 27=08 '0123456789abcdef'", "run PUT; ACK 2.31 #1 27=08");
	play("CON PUT #2 11=p 12=33 27=10 'x'", "run PUT; ACK 4.08 #2");
	play("CON PUT #3 11=p 27=10 'x'", "run PUT; ACK 4.08 #3");
	play("CON PUT #4 11=p 12=32 27=10 'x'",
		"run PUT; body '0123456789abcdefx'; ACK 2.04 #4 27=10");
}

/* A leak checker is the judge: one in the table, two handed out and not given back. */
START_TEST(freed_with_bodies_in_the_making)
{
	forgets = true;
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_ptr_nonnull(strstr(put_block(0, true, 1, 32), "2.31"));
		ck_assert_ptr_nonnull(strstr(put_block(1, false, 1, 32), "body of 64; ACK 2.04"));
	}
	ck_assert_ptr_nonnull(strstr(put_block(0, true, 0, 16), "2.31"));
	ck_assert_uint_eq(bodies_count(b), 1);
	bodies_free(NULL);
}

/* --- Block2 --- */

static const struct {
	const char *request; /* Block2, or NULL */
	size_t n; /* bytes of the representation */
	const char *block2, *size2; /* in the response, or NULL */
	size_t at, n_payload;
	bool wrong;
} slices[] = {
	{NULL, 0, NULL, NULL, 0, 0, false},
	{NULL, 1024, NULL, NULL, 0, 1024, false},
	{NULL, 1025, "0e", "0401", 0, 1024, false},
	{"06", 1024, "06", "0400", 0, 1024, false},
	{"06", 1025, "0e", "0401", 0, 1024, false},
	{"", 1025, "08", "0401", 0, 16, false},
	{"02", 100, "0a", "64", 0, 64, false},
	{"12", 100, "12", NULL, 64, 36, false},
	/* RFC 7959 2.2: M is of no meaning in a request. */
	{"1a", 100, "12", NULL, 64, 36, false},
	{"12", 128, "12", NULL, 64, 64, false},
	{"12", 129, "1a", NULL, 64, 64, false},
	{"16", 1025, "16", NULL, 1024, 1, false},
	{"40", 100, "48", NULL, 64, 16, false},
	{"60", 100, "60", NULL, 96, 4, false},
	{"02", 3, "02", "03", 0, 3, false},
	{"", 0, "", "", 0, 0, false},
	/* Past the end, or no option at all. */
	{"70", 100, NULL, NULL, 0, 0, true},
	{"10", 16, NULL, NULL, 0, 0, true},
	{"10", 0, NULL, NULL, 0, 0, true},
	{"fffff6", 5000, NULL, NULL, 0, 0, true},
	{"07", 100, NULL, NULL, 0, 0, true},
	{"00000001", 100, NULL, NULL, 0, 0, true},
};

static void
expect_option(const struct msg *m, uint16_t number, const char *hex)
{
	char text[16];
	struct buf h = buf_of(text, sizeof(text));

	ck_assert_int_eq(msg_has(m, number), hex != NULL);
	if (!hex)
		return;
	buf_put_hex(&h, msg_find(m, number)->value);
	ck_assert_str_eq(buf_str(&h), hex);
}

START_TEST(rfc7959_2_4_slices)
{
	uint8_t value[8];
	struct msg request, response;
	size_t n = 0;
	unsigned byte;

	msg_init(&request, TYPE_CON, CODE_GET);
	msg_init(&response, TYPE_ACK, CODE_CONTENT);
	if (slices[_i].request) {
		for (const char *at = slices[_i].request; sscanf(at, "%2x", &byte) == 1; at += 2)
			value[n++] = (uint8_t)byte;
		ck_assert_int_eq(msg_add(&request, OPT_BLOCK2, bytes_of(value, n)), 0);
	}
	ck_assert_int_eq(block2_slice(&request, bytes_of(pattern, slices[_i].n), &response),
		!slices[_i].wrong);
	if (slices[_i].wrong) {
		ck_assert_uint_eq(response.n_opts, 0);
		return;
	}
	ck_assert(bytes_equal(
		response.payload, bytes_of(pattern + slices[_i].at, slices[_i].n_payload)));
	expect_option(&response, OPT_BLOCK2, slices[_i].block2);
	expect_option(&response, OPT_SIZE2, slices[_i].size2);
}

START_TEST(all_slices_make_the_whole)
{
	static uint8_t room[PAYLOAD_MAX];

	for (uint8_t szx = 0; szx <= BLOCK_SZX_MAX; szx++) {
		for (size_t n = 1; n <= PAYLOAD_MAX; n += 119) {
			struct block block = {.szx = szx, .more = true};
			struct buf whole = BUF_OF(room);

			for (block.num = 0; block.more; block.num++) {
				struct msg request, response;

				block.more = false;
				msg_init(&request, TYPE_CON, CODE_GET);
				msg_init(&response, TYPE_ACK, CODE_CONTENT);
				ck_assert_int_eq(
					msg_add_uint(&request, OPT_BLOCK2, block_value(&block)), 0);
				ck_assert(block2_slice(&request, bytes_of(pattern, n), &response));
				buf_put(&whole, response.payload);
				ck_assert_int_eq(
					block_decode(msg_find(&response, OPT_BLOCK2), &block), 0);
			}
			ck_assert(bytes_equal(buf_bytes(&whole), bytes_of(pattern, n)));
		}
	}
}

START_TEST(rfc7959_2_6_first_block_of_a_notification)
{
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_CONTENT);
	block2_first(bytes_of(pattern, 64), 2, &m);
	ck_assert_uint_eq(m.payload.n, 64);
	ck_assert_uint_eq(m.n_opts, 0);
	block2_first(bytes_of(pattern, 65), 2, &m);
	ck_assert_uint_eq(m.payload.n, 64);
	expect_option(&m, OPT_BLOCK2, "0a");
	expect_option(&m, OPT_SIZE2, "41");
}

START_TEST(size_asked_for)
{
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_uint_eq(block2_szx(&m), BLOCK_SZX_MAX);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, 7), 0);
	ck_assert_uint_eq(block2_szx(&m), BLOCK_SZX_MAX);
	msg_remove(&m, OPT_BLOCK2);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, 2), 0);
	ck_assert_uint_eq(block2_szx(&m), 2);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("block");
	TCase *t = tcase_create("block");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, without_block1_the_payload_is_the_body);
	tcase_add_test(t, rfc7959_2_5_a_body_in_blocks);
	tcase_add_test(t, rfc7252_1_2_a_body_is_of_one_sender);
	tcase_add_test(t, rfc7959_2_5_one_block_that_is_the_last);
	tcase_add_test(t, bodies_of_every_size);
	tcase_add_test(t, rfc7959_2_5_smaller_blocks_midway);
	tcase_add_test(t, rfc7959_2_9_2_gaps);
	tcase_add_test(t, rfc7959_2_5_the_last_block_taken_again);
	tcase_add_test(t, rfc7959_2_5_block_0_starts_anew);
	tcase_add_test(t, rfc7959_2_2_blocks_of_a_wrong_size);
	tcase_add_test(t, rfc7959_2_9_3_too_large);
	tcase_add_test(t, rfc7959_4_size1_tells_early);
	tcase_add_test(t, a_payload_limit_below_a_block);
	tcase_add_test(t, the_limit_of_bodies);
	tcase_add_test(t, the_limit_of_memory);
	tcase_add_test(t, given_up_in_time);
	tcase_add_test(t, rfc9175_3_3_the_key);
	tcase_add_test(t, rfc9175_3_two_at_once_by_request_tag);
	tcase_add_test(t, rfc7959_2_3_another_content_format);
	tcase_add_test(t, freed_with_bodies_in_the_making);
	tcase_add_loop_test(t, rfc7959_2_4_slices, 0, (int)(sizeof(slices) / sizeof(slices[0])));
	tcase_add_test(t, all_slices_make_the_whole);
	tcase_add_test(t, rfc7959_2_6_first_block_of_a_notification);
	tcase_add_test(t, size_asked_for);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
