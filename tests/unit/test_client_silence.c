/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client in a group it does not hear: what it waits for and how long, how it makes
 * the server leave it out, and the moments that a server announces. "The draft" is
 * draft-ietf-core-observe-multicast-notifications.
 */
#include "watch.h"

/* The next datagram is a registration, and gets this informative response. */
static void
offer(struct inform *in, uint32_t observe, const char *value)
{
	struct msg q;
	struct token t = watch_registration(&q);

	watch_inform_of(&t, in, observe, value);
}

static void
offer_again(void)
{
	struct inform in = {.generations = INFORM_BOTH};

	offer(&in, 9, "a");
}

/* Two Max-Ages without a notification, though the broker answers. */
static void
hear_nothing(void)
{
	watch_move(INFORM_BOTH, 9, "a");
	bed_wait(&watch_bed, 60000 + SOON_MS);
	watch_get("a", NULL);
	bed_wait(&watch_bed, 60000 + SOON_MS);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i9:a (initial); leave 7; ");
}

/* product.md: registering twice within a minute of a 5.03 keeps one traditional. */
START_TEST(what_is_not_heard_is_left)
{
	struct token t;

	hear_nothing();
	offer_again();
	ck_assert_str_eq(watch_said(), "! ");
	bed_wait(&watch_bed, SOON_MS);
	offer_again();
	bed_wait(&watch_bed, SOON_MS);
	ck_assert_str_eq(watch_said(), "");
	t = watch_register(10, "a");
	watch_notify(&t, TYPE_NON, 11, "b");
	ck_assert_str_eq(watch_said(), "u11:b; ");
	ck_assert_uint_lt(watch_bed.now_ms, 130000);
}
END_TEST

/* A publish and the refresh unheard: that is not waited for twice. */
START_TEST(a_value_that_changed_unheard_is_evidence)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	bed_wait(&watch_bed, 60000 + SOON_MS);
	watch_get("b", NULL);
	ck_assert_str_eq(watch_said(), "u:b; ");
	bed_wait(&watch_bed, SOON_MS);
	offer_again();
	ck_assert_str_eq(watch_said(), "leave 7; ! ");
}
END_TEST

/* Another group observation than that which was not heard: the broker started anew. */
START_TEST(another_token_is_another_chance)
{
	struct inform in = {.generations = INFORM_BOTH, .token = {.n = 1, .b = {5}}};

	watch_any_token = true;
	hear_nothing();
	offer(&in, 1, "a");
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
	watch_any_token = false;
}
END_TEST

/* Silence of a server that does not answer either says nothing of multicast. */
START_TEST(a_server_that_was_away_is_no_evidence)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	/* The GET is never answered: 93 s, and then another Max-Age. */
	bed_wait(&watch_bed, 60000 + SOON_MS);
	bed_wait(&watch_bed, 94000 + 60000 + SOON_MS);
	watch_bed.read = watch_bed.n - 1;
	offer_again();
	ck_assert_str_eq(watch_said(), "leave 7; join " GROUP " from " SERVER "; ");
}
END_TEST

/* What was heard once and then no more is registered for again, and joined again. */
START_TEST(silence_after_a_notification_is_no_deafness)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_multicast_tagged(10, "b", NULL, 2);
	watch_said();
	bed_wait(&watch_bed, 2000 + SOON_MS);
	watch_get("b", NULL);
	bed_wait(&watch_bed, 2000 + SOON_MS);
	offer_again();
	ck_assert_str_eq(watch_said(), "leave 7; join " GROUP " from " SERVER "; i9:a; ");
}
END_TEST

/* A broker that leaves nobody out: the value is asked for, at a bounded rate. */
START_TEST(where_insisting_does_not_help_it_asks)
{
	unsigned n_gets = 0, n_registrations = 0;

	watch_move(INFORM_SEED, 9, "a");
	while (watch_bed.now_ms < 3600000) {
		struct inform in = {.generations = INFORM_SEED};
		struct msg q;

		bed_wait(&watch_bed, 100);
		if (bed_unread(&watch_bed) == 0)
			continue;
		bed_read(&watch_bed, &q);
		watch_bed.read--;
		if (msg_has(&q, OPT_OBSERVE)) {
			offer(&in, 9, "a");
			n_registrations++;
		} else {
			watch_get("a", NULL);
			n_gets++;
		}
	}
	/* A minute each; three to insist, one each time that is tried again. */
	ck_assert_uint_ge(n_gets, 50);
	ck_assert_uint_le(n_gets, 60);
	ck_assert_uint_ge(n_registrations, 4 + 2);
	ck_assert_uint_le(n_registrations, 4 + 4);
	watch_said();
	watch_multicast(10, "b");
	ck_assert_str_eq(watch_said(), "m10:b; ");
}
END_TEST

/* "next_not_before": silence until then means nothing. */
START_TEST(omn_4_2_next_not_before_is_waited_for)
{
	struct inform in = {.generations = INFORM_CURRENT,
		.has_next_not_before = true,
		.next_not_before_s = 200};

	offer(&in, 9, "a");
	watch_said();
	bed_wait(&watch_bed, 199999);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	bed_wait(&watch_bed, SOON_MS);
	watch_get("a", NULL);
	ck_assert_str_eq(watch_said(), "");
	bed_wait(&watch_bed, 60000 + SOON_MS);
	ck_assert_str_eq(watch_said(), "leave 7; ");
}
END_TEST

/* "ending": the client does not listen to what was to be over, if it missed that. */
START_TEST(omn_4_2_registers_again_after_the_announced_end)
{
	struct inform in = {
		.generations = INFORM_CURRENT, .has_ending = true, .ending_s = WATCH_WALL_S + 30};
	struct msg q;

	offer(&in, 9, "a");
	watch_said();
	bed_wait(&watch_bed, 30000);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	bed_wait(&watch_bed, OBSERVATION_GRACE_MS + SOON_MS);
	ck_assert_str_eq(watch_said(), "leave 7; ");
	watch_registration(&q);
}
END_TEST

START_TEST(omn_4_2_the_cancellation_comes_before_the_announced_end)
{
	struct inform in = {
		.generations = INFORM_CURRENT, .has_ending = true, .ending_s = WATCH_WALL_S + 30};

	offer(&in, 9, "a");
	bed_wait(&watch_bed, 29000);
	watch_cancel();
	bed_wait(&watch_bed, SOON_MS);
	(void)watch_register(10, "a");
	watch_said();
	bed_wait(&watch_bed, 10000);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	ck_assert_str_eq(watch_said(), "");
}
END_TEST

/* Of two clocks one may be wrong: an end in the past is none, one far ahead neither. */
START_TEST(ends_that_cannot_be_are_ignored)
{
	static const int64_t ends[] = {0, WATCH_WALL_S - 1, INT64_MAX};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct inform in = {
			.generations = INFORM_CURRENT, .has_ending = true, .ending_s = ends[i]};

		if (i > 0)
			watch_setup();
		offer(&in, 9, "a");
		bed_wait(&watch_bed, 50000);
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
		if (i + 1 < sizeof(ends) / sizeof(ends[0]))
			watch_teardown();
	}
}
END_TEST

/* --- informative responses in blocks ------------------------------------------------- */

#define BLOCK 64

static uint8_t map[512];
static struct buf map_out;

/* A registration answered with the first block of an informative response. */
static struct token
offer_first(const char *etag)
{
	struct inform in = {.generations = INFORM_CURRENT,
		.server = bed_addr(SERVER),
		.client = bed_addr(GROUP)};
	struct msg q, m;
	struct token t = watch_registration(&q);
	struct phantom p;

	watch_make_phantom(&p, "/ps/data/t");
	in.token = watch_token;
	in.ph_req = buf_bytes(&p.inner);
	/* Larger than it need be: what nobody knows is passed over. */
	in.last_notif = BYTES_NONE;
	map_out = BUF_OF(map);
	ck_assert_int_eq(inform_encode(&in, &map_out), 0);
	/* The map has a field more: 99 => 150 bytes. */
	map[0]++;
	buf_put(&map_out, BYTES_LIT("\x18\x63\x58\x96"));
	for (int i = 0; i < 150; i++)
		buf_put_u8(&map_out, 'z');
	bed_separate(&watch_bed, &m, TYPE_CON, &t, CODE_UNAVAILABLE,
		bytes_head(buf_bytes(&map_out), BLOCK));
	ck_assert_int_eq(msg_add(&m, OPT_ETAG, bytes_str(etag)), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, 1 << 3 | 2), 0);
	bed_receive(&watch_bed, &watch_bed.way, &m);
	bed_read(&watch_bed, &q);
	ck_assert_int_eq(q.type, TYPE_ACK);
	return t;
}

/* The next datagram asks for that block of it; the answer, to be completed. */
static void
answer_block(uint32_t num, enum msg_code code, const char *etag, struct msg *ret)
{
	const struct bytes whole = buf_bytes(&map_out);
	struct bytes rest = bytes_from(whole, (size_t)num * BLOCK);
	uint32_t block;
	struct msg q;

	bed_read(&watch_bed, &q);
	ck_assert_int_eq(q.code, CODE_GET);
	ck_assert(!msg_has(&q, OPT_OBSERVE));
	ck_assert(msg_uint(&q, OPT_BLOCK2, &block));
	ck_assert_uint_eq(block, num << 4 | 2);
	ck_assert(bytes_equal(msg_find(&q, OPT_ETAG)->value, BYTES_LIT("e1")));
	bed_respond(ret, &q, code, "");
	ck_assert_int_eq(msg_add(ret, OPT_ETAG, bytes_str(etag)), 0);
	ck_assert_int_eq(msg_add_uint(ret, OPT_BLOCK2, num << 4 | (rest.n > BLOCK) << 3 | 2), 0);
	ret->payload = bytes_head(rest, BLOCK);
	bed_receive(&watch_bed, &watch_bed.way, ret);
}

START_TEST(rfc7959_2_2_an_informative_response_in_blocks)
{
	struct msg r;

	(void)offer_first("e1");
	for (uint32_t num = 1; num * BLOCK < map_out.n; num++) {
		ck_assert_str_eq(watch_said(), "");
		answer_block(num, CODE_UNAVAILABLE, "e1", &r);
	}
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
	/* The value was left out of it. */
	watch_get("now", NULL);
	watch_multicast(10, "next");
	ck_assert_str_eq(watch_said(), "u:now (initial); m10:next; ");
}
END_TEST

/* Sent again because the acknowledgement was lost, it is read once. */
START_TEST(the_first_block_again_while_the_rest_is_read)
{
	struct token t = offer_first("e1");
	struct msg m, ack;

	bed_read(&watch_bed, &ack);
	watch_bed.read--;
	bed_separate(&watch_bed, &m, TYPE_CON, &t, CODE_UNAVAILABLE,
		bytes_head(buf_bytes(&map_out), BLOCK));
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, 1 << 3 | 2), 0);
	bed_receive(&watch_bed, &watch_bed.way, &m);
	answer_block(1, CODE_UNAVAILABLE, "e1", &m);
	bed_read(&watch_bed, &ack);
	ck_assert_int_eq(ack.type, TYPE_ACK);
	answer_block(2, CODE_UNAVAILABLE, "e1", &m);
	ck_assert_uint_le(bed_unread(&watch_bed), 1);
}
END_TEST

/* Another one by now, or a value in its place: registered for again, a few times. */
START_TEST(rfc7959_2_4_blocks_of_two_are_not_mixed)
{
	static const struct {
		enum msg_code code;
		const char *etag;
	} cases[] = {{CODE_UNAVAILABLE, "e2"}, {CODE_CONTENT, "e2"}, {CODE_CONTENT, "e1"}};
	struct msg r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)offer_first("e1");
		answer_block(1, cases[i].code, cases[i].etag, &r);
		ck_assert_str_eq(watch_said(), "");
		bed_wait(&watch_bed, SOON_MS);
	}
	(void)offer_first("e1");
	answer_block(1, CODE_UNAVAILABLE, "e2", &r);
	ck_assert_str_eq(watch_said(), "end: broken 5.03; ");
}
END_TEST

START_TEST(the_rest_is_refused)
{
	struct msg q, r;

	(void)offer_first("e1");
	bed_read(&watch_bed, &q);
	bed_respond(&r, &q, CODE_NOT_FOUND, "");
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "end: refused 4.04; ");
}
END_TEST

START_TEST(the_rest_never_comes)
{
	(void)offer_first("e1");
	bed_wait(&watch_bed, 100000);
	ck_assert_str_eq(watch_said(), "end: timeout 5.03; ");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client_silence");
	TCase *t = tcase_create("unheard");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, what_is_not_heard_is_left);
	tcase_add_test(t, a_value_that_changed_unheard_is_evidence);
	tcase_add_test(t, another_token_is_another_chance);
	tcase_add_test(t, a_server_that_was_away_is_no_evidence);
	tcase_add_test(t, silence_after_a_notification_is_no_deafness);
	tcase_add_test(t, where_insisting_does_not_help_it_asks);
	tcase_add_test(t, omn_4_2_next_not_before_is_waited_for);
	tcase_add_test(t, omn_4_2_registers_again_after_the_announced_end);
	tcase_add_test(t, omn_4_2_the_cancellation_comes_before_the_announced_end);
	tcase_add_test(t, ends_that_cannot_be_are_ignored);
	suite_add_tcase(s, t);
	t = tcase_create("blocks");
	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, rfc7959_2_2_an_informative_response_in_blocks);
	tcase_add_test(t, the_first_block_again_while_the_rest_is_read);
	tcase_add_test(t, rfc7959_2_4_blocks_of_two_are_not_mixed);
	tcase_add_test(t, the_rest_is_refused);
	tcase_add_test(t, the_rest_never_comes);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
