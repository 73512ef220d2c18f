/* SPDX-License-Identifier: BSD-2-Clause */
/* The client in a group observation: moved, notified, cancelled, and large values. "The draft"
 * is draft-ietf-core-observe-multicast-notifications. */
#include "watch.h"

#include "client/offer.h"

/* --- moved ---------------------------------------------------------------------------- */

START_TEST(omn_5_2_informative_response_of_each_generation)
{
	static const struct {
		unsigned generations;
		const char *said;
	} cases[] = {
		{INFORM_CURRENT, "join " GROUP " from " SERVER "; i9:now (initial); "},
		{INFORM_SEED, "join " GROUP " from " SERVER "; i:now (initial); "},
		{INFORM_BOTH, "join " GROUP " from " SERVER "; i9:now (initial); "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (i > 0)
			watch_setup();
		watch_move(cases[i].generations, 9, "now");
		ck_assert_str_eq(watch_said(), cases[i].said);
		watch_multicast(10, "next");
		ck_assert_str_eq(watch_said(), "m10:next; ");
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
		if (i + 1 < sizeof(cases) / sizeof(cases[0]))
			watch_teardown();
	}
}
END_TEST

/* The draft's figure shows the CRIs' authority flat, its CDDL nested. No ph_req: ours. */
START_TEST(flat_cri)
{
	static const uint8_t payload[] = {0xa2, 0x00, 0x83, 0x82, 0x20, 0x44, 10, 0, 0, 1, 0x83,
		0x20, 0x44, 239, 1, 2, 3, 0x19, 0x13, 0x88, 0x44, 0x7b, 0x3c, 0x01, 0x02, 0x02,
		0x45, 0x45, 0x61, 0x04, 0xff, 'x'};
	struct msg q;
	struct token t = watch_registration(&q);

	watch_send_informative(&t, BYTES_OF(payload));
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i4:x (initial); ");
}
END_TEST

/* A port that is not in the CRI is 5683, for the server and for the group. */
START_TEST(omn_5_2_default_ports)
{
	static const uint8_t payload[] = {0xa2, 0x00, 0x83, 0x82, 0x20, 0x81, 0x44, 10, 0, 0, 1,
		0x82, 0x20, 0x81, 0x44, 239, 1, 2, 3, 0x44, 0x7b, 0x3c, 0x01, 0x02, 0x02, 0x45,
		0x45, 0x61, 0x04, 0xff, 'x'};
	struct msg q;
	struct token t = watch_registration(&q);

	watch_send_informative(&t, BYTES_OF(payload));
	ck_assert_str_eq(watch_said(), "join 239.1.2.3:5683 from 10.0.0.1:5683; i4:x (initial); ");
}
END_TEST

/* A CRI with a host name is invalid: nothing says that it is one transport only. */
START_TEST(omn_5_2_a_host_name_is_invalid)
{
	static const uint8_t payload[] = {0xa1, 0x00, 0x83, 0x82, 0x20, 0x81, 0x61, 'h', 0x82, 0x20,
		0x81, 0x44, 239, 1, 2, 3, 0x44, 0x7b, 0x3c, 0x01, 0x02};
	struct msg q;
	struct token t = watch_registration(&q);

	watch_send_informative(&t, BYTES_OF(payload));
	ck_assert_str_eq(watch_said(), "end: broken 5.03; ");
}
END_TEST

/* "MUST NOT include it in any other request" */
START_TEST(omn_8_2_no_feedback_divider_in_a_registration)
{
	struct msg q;

	watch_registration(&q);
	ck_assert(!msg_has(&q, option_feedback_divider()));
	watch_bed.read--;
	watch_move(INFORM_CURRENT, 9, "a");
	watch_cancel();
	bed_wait(&watch_bed, SOON_MS);
	watch_registration(&q);
	ck_assert(!msg_has(&q, option_feedback_divider()));
}
END_TEST

START_TEST(informative_response_over_ipv6)
{
	uint8_t space[256];
	struct buf out = BUF_OF(space);
	struct target what = {BYTES_LIT("/ps/data/t"), BYTES_NONE, TARGET_NO_FORMAT};
	struct inform in = {.generations = INFORM_CURRENT, .token = watch_token};
	struct token t;
	struct error e;
	struct msg q;

	watch_teardown();
	bed_init_at(&watch_bed, "[fd00::1]:5683", "[fd00::2]:40000");
	watch_observation = observation_new(watch_bed.session, &what, &watch_ops, NULL, &e);
	in.server = bed_addr("[fd00::1]:5683");
	in.client = bed_addr("[ff35:30:2001:db8::23]:61616");
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	t = watch_registration(&q);
	watch_send_informative(&t, buf_bytes(&out));
	ck_assert_str_eq(watch_said(), "join [ff35:30:2001:db8::23]:61616 from [fd00::1]:5683; ");
	/* No latest notification in it: the value is asked for. */
	watch_get("v", NULL);
	ck_assert_str_eq(watch_said(), "u:v (initial); ");
}
END_TEST

/* "Moving": a traditional observer gets the 5.03 later, under its own token. */
START_TEST(traditional_observer_is_moved)
{
	struct token t = watch_register(5, "a");

	watch_said();
	watch_inform(&t, INFORM_BOTH, 100, "a");
	/* Equal to the last value told: not told again. */
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
	watch_multicast(101, "b");
	ck_assert_str_eq(watch_said(), "m101:b; ");
	/* What was sent before we were moved has numbers of another sequence. */
	watch_notify(&t, TYPE_NON, 6, "old");
	ck_assert_str_eq(watch_said(), "");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

/* A 5.03 sent again may have a new message id and a newer last_notif. */
START_TEST(informative_response_again)
{
	struct token t = watch_move(INFORM_BOTH, 9, "a");

	watch_said();
	watch_inform(&t, INFORM_BOTH, 10, "b");
	ck_assert_str_eq(watch_said(), "i10:b; ");
	watch_inform(&t, INFORM_BOTH, 9, "a");
	ck_assert_str_eq(watch_said(), "");
	watch_multicast(11, "c");
	ck_assert_str_eq(watch_said(), "m11:c; ");
}
END_TEST

START_TEST(rfc7641_3_4_order_in_the_group)
{
	watch_move(INFORM_BOTH, 0xfffffe, "a");
	watch_said();
	watch_multicast(0xfffffe, "x");
	watch_multicast(0xfffffd, "y");
	ck_assert_str_eq(watch_said(), "");
	watch_multicast(0xffffff, "b");
	ck_assert_str_eq(watch_said(), "m16777215:b; ");
	ck_assert_uint_eq(watch_missed, 0);
	watch_multicast(0, "c");
	ck_assert_str_eq(watch_said(), "m0:c; ");
	ck_assert_uint_eq(watch_missed, 0);
	watch_multicast(4, "d");
	ck_assert_str_eq(watch_said(), "m4:d; ");
	ck_assert_uint_eq(watch_missed, 3);
	watch_multicast(2, "late");
	ck_assert_str_eq(watch_said(), "");
	ck_assert_uint_eq(observation_missed(watch_observation), 3);
	/* A suppressed one carries its gap on to the next that is told. */
	watch_multicast(6, "d");
	watch_multicast(7, "e");
	ck_assert_str_eq(watch_said(), "m7:e; ");
	ck_assert_uint_eq(watch_missed, 1);
	ck_assert_uint_eq(observation_missed(watch_observation), 4);
}
END_TEST

/* "Notifications": from the server's address and port, to the group, with token T. */
START_TEST(omn_5_2_foreign_multicast_is_dropped)
{
	struct path from;
	struct msg m;

	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_CONTENT, BYTES_LIT("lie"));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 10), 0);
	from = watch_group_way();
	from.remote = bed_addr("10.0.0.66:5683");
	bed_receive(&watch_bed, &from, &m);
	from = watch_group_way();
	from.remote.port = 5684;
	bed_receive(&watch_bed, &from, &m);
	from = watch_group_way();
	from.socket++;
	bed_receive(&watch_bed, &from, &m);
	from = watch_group_way();
	m.token.b[3]++;
	bed_receive(&watch_bed, &from, &m);
	m.token = (struct token){.n = 3, .b = {0x7b, 0x3c, 0x01}};
	bed_receive(&watch_bed, &from, &m);
	/* Nor does T count in unicast. */
	from = watch_bed.way;
	m.token = watch_token;
	bed_receive(&watch_bed, &from, &m);
	ck_assert_str_eq(watch_said(), "");
	/* A 5.03 of another server cancels nothing. */
	from = watch_group_way();
	from.remote = bed_addr("10.0.0.66:5683");
	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_UNAVAILABLE, BYTES_NONE);
	bed_receive(&watch_bed, &from, &m);
	ck_assert_str_eq(watch_said(), "");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

/* RFC 7252 8.1, RFC 7641 3.5: whatever comes to the group, nothing is said to it. */
START_TEST(rfc7252_8_1_nothing_answers_a_multicast)
{
	static const uint8_t bad[] = {0x49, 0x45, 1, 2, 3};
	static const uint8_t ping[] = {0x40, 0x00, 1, 2};
	struct path from;
	struct msg m;

	watch_move(INFORM_BOTH, 9, "a");
	from = watch_group_way();
	bed_receive_bytes(&watch_bed, &from, BYTES_OF(bad));
	bed_receive_bytes(&watch_bed, &from, BYTES_OF(ping));
	for (int type = TYPE_CON; type <= TYPE_RST; type++) {
		for (int i = 0; i < 2; i++) {
			bed_separate(&watch_bed, &m, (enum msg_type)type, &watch_token,
				CODE_CONTENT, BYTES_LIT("x"));
			m.token.b[0] = (uint8_t)(m.token.b[0] + i);
			bed_receive(&watch_bed, &from, &m);
			/* An unknown critical option. */
			ck_assert_int_eq(msg_add(&m, 9999, BYTES_LIT("?")), 0);
			bed_receive(&watch_bed, &from, &m);
			m.code = CODE_GET;
			bed_receive(&watch_bed, &from, &m);
			m.code = CODE_EMPTY;
			bed_receive(&watch_bed, &from, &m);
		}
	}
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

/* Message ids of multicast notifications say nothing to a client. */
START_TEST(multicast_is_not_deduplicated_by_message_id)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	watch_bed.mid = 0x8001;
	watch_multicast(10, "b");
	watch_bed.mid = 0x8001;
	watch_multicast(11, "c");
	ck_assert_str_eq(watch_said(), "m10:b; m11:c; ");
}
END_TEST

START_TEST(no_observe_in_a_multicast)
{
	struct path from;
	struct msg m;

	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	from = watch_group_way();
	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_CONTENT, BYTES_LIT("x"));
	bed_receive(&watch_bed, &from, &m);
	ck_assert_str_eq(watch_said(), "");
}
END_TEST

/* A fresh notification with the same value (by ETag, else by bytes) is a refresh. */
START_TEST(refresh_is_not_told)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	watch_multicast(10, "a");
	ck_assert_str_eq(watch_said(), "");
	watch_multicast_tagged(11, "b", "e1", 60);
	watch_multicast_tagged(12, "b", "e1", 60);
	ck_assert_str_eq(watch_said(), "m11:b; ");
	watch_multicast_tagged(13, "b", "e2", 60);
	ck_assert_str_eq(watch_said(), "m13:b; ");
	watch_multicast(14, "b");
	ck_assert_str_eq(watch_said(), "");
	watch_multicast(15, "c");
	ck_assert_str_eq(watch_said(), "m15:c; ");
}
END_TEST

/* --- cancelled ------------------------------------------------------------------------ */

/* The draft's "Cancellation": 5.03 to the group, token T, no payload, no Observe. */
START_TEST(omn_5_4_cancellation_makes_it_register_again)
{
	struct token first = watch_move(INFORM_BOTH, 9, "a"), second;
	struct msg q;

	watch_said();
	watch_cancel();
	ck_assert_str_eq(watch_said(), "leave 7; ");
	watch_multicast(10, "ghost");
	ck_assert_str_eq(watch_said(), "");
	bed_wait(&watch_bed, SOON_MS);
	second = watch_registration(&q);
	ck_assert(!token_equal(&first, &second));
	watch_bed.read--;
	watch_move(INFORM_BOTH, 20, "b");
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i20:b; ");
	watch_multicast(21, "c");
	ck_assert_str_eq(watch_said(), "m21:c; ");
}
END_TEST

START_TEST(cancellation_of_a_deleted_topic)
{
	struct msg q, r;

	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	watch_cancel();
	bed_wait(&watch_bed, SOON_MS);
	watch_registration(&q);
	bed_respond(&r, &q, CODE_NOT_FOUND, "");
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "leave 7; end: refused 4.04; ");
}
END_TEST

/* --- rough counting ------------------------------------------------------------------- */

/* The next random numbers are 0, 1, 2 and so on. */
static void
draw_zero(void)
{
	watch_bed.counter = 255;
}

/* "Rough Counting", client's side: NON, Observe 0, an empty Feedback-Divider, No-Response 26. */
static void
expect_answer(const struct token *registered)
{
	uint32_t observe, no_response;
	const struct opt *fd;
	struct msg m;
	char path[64];
	struct buf text = buf_of(path, sizeof(path));

	bed_read(&watch_bed, &m);
	ck_assert_int_eq(m.type, TYPE_NON);
	ck_assert_int_eq(m.code, CODE_GET);
	ck_assert(token_equal(&m.token, registered));
	ck_assert(msg_uint(&m, OPT_OBSERVE, &observe) && observe == 0);
	ck_assert(msg_uint(&m, OPT_NO_RESPONSE, &no_response) && no_response == 26);
	fd = msg_find(&m, option_feedback_divider());
	ck_assert_ptr_nonnull(fd);
	ck_assert_uint_eq(fd->value.n, 0);
	ck_assert_int_eq(msg_path(&m, &text), 0);
	ck_assert_str_eq(buf_str(&text), "/ps/data/t");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}

START_TEST(omn_8_2_one_in_2_to_the_q_answers)
{
	static const uint32_t dividers[] = {0, 1, 2, 8, 16, 17, 31, 32, 200, 255};
	struct token t = watch_move(INFORM_BOTH, 0, "a");
	unsigned n = (unsigned)(sizeof(dividers) / sizeof(dividers[0]));

	for (unsigned i = 0; i < n; i++) {
		/* A 1 is no 0, but there is no 1 below 2^0. */
		watch_bed.counter = 0;
		watch_ask(2 * i + 1, dividers[i]);
		bed_wait(&watch_bed, OBSERVATION_LEISURE_MS);
		if (dividers[i] == 0)
			expect_answer(&t);
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
		draw_zero();
		watch_ask(2 * i + 2, dividers[i]);
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
		bed_wait(&watch_bed, OBSERVATION_LEISURE_MS);
		/* Above 16 bits several numbers must be 0, and the next one is 1. */
		if (dividers[i] <= 16)
			expect_answer(&t);
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	}
	watch_said();
	/* "can keep processing further notifications on the same Token" */
	watch_multicast(100, "b");
	ck_assert_str_eq(watch_said(), "m100:b; ");
}
END_TEST

/* MUST be ignored in last_notif; and in what is no news. */
START_TEST(omn_8_2_what_is_not_answered)
{
	uint8_t space[256], latest_space[128];
	struct buf out = BUF_OF(space), latest = BUF_OF(latest_space);
	struct inform in = {.generations = INFORM_CURRENT,
		.server = bed_addr(SERVER),
		.client = bed_addr(GROUP),
		.token = watch_token};
	struct msg m, q;
	struct token t = watch_registration(&q);

	msg_init(&m, TYPE_NON, CODE_CONTENT);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 5), 0);
	ck_assert_int_eq(msg_add_uint(&m, option_feedback_divider(), 0), 0);
	ck_assert_int_eq(msg_encode_inner(&m, &latest), 0);
	in.last_notif = buf_bytes(&latest);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	watch_send_informative(&t, buf_bytes(&out));
	bed_wait(&watch_bed, OBSERVATION_LEISURE_MS);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	watch_ask(4, 0);
	bed_wait(&watch_bed, OBSERVATION_LEISURE_MS);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	watch_ask(6, 0);
	watch_ask(7, 0);
	bed_wait(&watch_bed, OBSERVATION_LEISURE_MS);
	/* One answer for two questions within the leisure. */
	expect_answer(&t);
}
END_TEST

START_TEST(omn_8_2_who_has_left_does_not_answer)
{
	watch_move(INFORM_BOTH, 1, "a");
	watch_ask(2, 0);
	observation_stop(watch_observation);
	bed_wait(&watch_bed, OBSERVATION_LEISURE_MS);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

/* The draft's "Cancellation", client's side: it simply forgets. */
START_TEST(omn_5_4_leaving_says_nothing)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	observation_stop(watch_observation);
	ck_assert_str_eq(watch_said(), "leave 7; ");
	bed_wait(&watch_bed, 200000);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

/* --- large values --------------------------------------------------------------------- */

static char large[2500];

static void
multicast_first_block(uint32_t observe, char fill, const char *etag)
{
	static const struct block b = {.num = 0, .more = true, .szx = 6};
	struct path from = watch_group_way();
	struct msg m;

	memset(large, fill, sizeof(large));
	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_CONTENT, bytes_of(large, 1024));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, observe), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, block_value(&b)), 0);
	ck_assert_int_eq(msg_add(&m, OPT_ETAG, bytes_str(etag)), 0);
	bed_receive(&watch_bed, &from, &m);
}

/* Answers a GET for a block of `large`; the block's number. */
static uint32_t
serve_large(const char *etag)
{
	struct block b = {.szx = 6};
	const struct opt *o;
	struct msg q, r;

	bed_read(&watch_bed, &q);
	ck_assert(!msg_has(&q, OPT_OBSERVE));
	if ((o = msg_find(&q, OPT_BLOCK2)) != NULL)
		ck_assert_int_eq(block_decode(o, &b), 0);
	bed_respond(&r, &q, CODE_CONTENT, "");
	r.payload = bytes_head(
		bytes_from(bytes_of(large, sizeof(large)), block_offset(&b)), block_size(&b));
	b.more = block_offset(&b) + r.payload.n < sizeof(large);
	ck_assert_int_eq(msg_add_uint(&r, OPT_BLOCK2, block_value(&b)), 0);
	ck_assert_int_eq(msg_add(&r, OPT_ETAG, bytes_str(etag)), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
	return b.num;
}

START_TEST(rfc7959_2_6_rest_of_a_notification)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	multicast_first_block(10, 'x', "e1");
	ck_assert_str_eq(watch_said(), "");
	bed_wait(&watch_bed, SOON_MS);
	ck_assert_uint_eq(serve_large("e1"), 1);
	ck_assert_uint_eq(serve_large("e1"), 2);
	ck_assert_str_eq(watch_said(), "m10:2500 bytes; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

START_TEST(newest_wins_over_the_rest)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	multicast_first_block(10, 'x', "e1");
	bed_wait(&watch_bed, SOON_MS);
	ck_assert_uint_eq(serve_large("e1"), 1);
	watch_multicast(11, "small");
	ck_assert_str_eq(watch_said(), "m11:small; ");
	serve_large("e1"); /* its answer comes to nobody */
	ck_assert_str_eq(watch_said(), "");
	/* And while it waits for its moment. */
	multicast_first_block(12, 'y', "e2");
	multicast_first_block(13, 'z', "e3");
	bed_wait(&watch_bed, SOON_MS);
	serve_large("e3");
	serve_large("e3");
	ck_assert_str_eq(watch_said(), "m13:2500 bytes; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

START_TEST(rest_of_another_value_is_asked_for_once)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	multicast_first_block(10, 'x', "e1");
	bed_wait(&watch_bed, SOON_MS);
	ck_assert_uint_eq(serve_large("e2"), 1);
	ck_assert_str_eq(watch_said(), "");
	bed_wait(&watch_bed, SOON_MS);
	ck_assert_uint_eq(serve_large("e2"), 0);
	ck_assert_uint_eq(serve_large("e2"), 1);
	ck_assert_uint_eq(serve_large("e2"), 2);
	ck_assert_str_eq(watch_said(), "u:2500 bytes; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

static void
add_moved(Suite *s)
{
	TCase *t = tcase_create("moved");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, omn_5_2_informative_response_of_each_generation);
	tcase_add_test(t, flat_cri);
	tcase_add_test(t, omn_5_2_default_ports);
	tcase_add_test(t, omn_5_2_a_host_name_is_invalid);
	tcase_add_test(t, omn_8_2_no_feedback_divider_in_a_registration);
	tcase_add_test(t, informative_response_over_ipv6);
	tcase_add_test(t, traditional_observer_is_moved);
	tcase_add_test(t, informative_response_again);
	tcase_add_test(t, rfc7641_3_4_order_in_the_group);
	tcase_add_test(t, omn_5_2_foreign_multicast_is_dropped);
	tcase_add_test(t, rfc7252_8_1_nothing_answers_a_multicast);
	tcase_add_test(t, multicast_is_not_deduplicated_by_message_id);
	tcase_add_test(t, no_observe_in_a_multicast);
	tcase_add_test(t, refresh_is_not_told);
	suite_add_tcase(s, t);
}

static void
add_cancelled(Suite *s)
{
	TCase *t = tcase_create("cancelled");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, omn_5_4_cancellation_makes_it_register_again);
	tcase_add_test(t, cancellation_of_a_deleted_topic);
	tcase_add_test(t, omn_8_2_one_in_2_to_the_q_answers);
	tcase_add_test(t, omn_8_2_what_is_not_answered);
	tcase_add_test(t, omn_8_2_who_has_left_does_not_answer);
	tcase_add_test(t, omn_5_4_leaving_says_nothing);
	suite_add_tcase(s, t);
}

static void
add_large(Suite *s)
{
	TCase *t = tcase_create("large");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, rfc7959_2_6_rest_of_a_notification);
	tcase_add_test(t, newest_wins_over_the_rest);
	tcase_add_test(t, rest_of_another_value_is_asked_for_once);
	suite_add_tcase(s, t);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("client_group");

	add_moved(s);
	add_cancelled(s);
	add_large(s);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
