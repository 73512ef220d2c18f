/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's observation as in RFC 7641, and when a value becomes too old. */
#include "watch.h"

#include "broker/topic.h"
#include "client/latest.h"

#include <stdio.h>

/* --- traditional ---------------------------------------------------------------------- */

START_TEST(rfc7641_3_1_registers)
{
	struct token t = watch_register(5, "a");

	ck_assert_str_eq(watch_said(), "u5:a (initial); ");
	watch_notify(&t, TYPE_NON, 6, "b");
	ck_assert_str_eq(watch_said(), "u6:b; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

START_TEST(rfc7641_3_1_not_observed)
{
	struct msg q, r;

	watch_registration(&q);
	bed_respond(&r, &q, CODE_CONTENT, "a");
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "u:a (initial); end: not observable 2.05; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

START_TEST(rfc7641_3_2_confirmable_is_acknowledged)
{
	struct token t = watch_register(5, "a");
	struct msg ack;

	watch_said();
	watch_notify(&t, TYPE_CON, 6, "b");
	bed_read(&watch_bed, &ack);
	ck_assert_int_eq(ack.type, TYPE_ACK);
	ck_assert_str_eq(watch_said(), "u6:b; ");
}
END_TEST

/* RFC 7641 3.2: equal bytes are a publish too. */
START_TEST(traditional_equal_values_are_told)
{
	struct token t = watch_register(5, "a");

	watch_notify(&t, TYPE_NON, 6, "a");
	ck_assert_str_eq(watch_said(), "u5:a (initial); u6:a; ");
}
END_TEST

/* coap-pubsub 2.2.1, observer-check: the ETag says that it is the value we have. */
START_TEST(a_check_with_the_same_etag_is_acknowledged_and_not_told)
{
	static const char *const etags[] = {"\1", "\1", "\2"};
	struct token t = watch_register(5, "a");
	struct msg m, ack;

	for (uint32_t i = 0; i < 3; i++) {
		bed_separate(&watch_bed, &m, TYPE_CON, &t, CODE_CONTENT, BYTES_LIT("a"));
		(void)msg_add(&m, OPT_ETAG, bytes_str(etags[i]));
		ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 6 + i), 0);
		bed_receive(&watch_bed, &watch_bed.way, &m);
		bed_read(&watch_bed, &ack);
		ck_assert_int_eq(ack.type, TYPE_ACK);
	}
	/* The registration's value had none: by its bytes it is the first one's. */
	ck_assert_str_eq(watch_said(), "u5:a (initial); u8:a; ");
}
END_TEST

START_TEST(rfc7641_3_4_order)
{
	static const struct {
		uint32_t seq;
		uint32_t after_ms;
		bool newer;
		uint32_t gap;
		bool anew;
	} steps[] = {
		{0xfffffe, 0, true, 0, false},
		{0xfffffe, 0, false, 0, false}, /* the same */
		{0xfffffd, 0, false, 0, false},
		{0xffffff, 0, true, 0, false},
		{3, 0, true, 3, false}, /* around the end */
		{0, 0, false, 0, false},
		{2, 0, false, 0, false},
		{4, 0, true, 0, false},
		{1, 128000, false, 0, false},
		{1, 1, true, 0, true}, /* more than 128 s after the last: another sequence */
		{1, 128001, true, 0, true}, /* the same number */
		{LATEST_LIFE, 0, true, LATEST_LIFE - 2, false},
		{2 * LATEST_LIFE, 0, true, 0, true}, /* another life */
		{0x800000, 0, true, 0, true},
		{0x800002, 0, true, 1, false},
		{2, 0, false, 0, false}, /* half the space away: neither */
		{1, 0, true, 0, true},
	};
	struct latest l = {0};
	uint64_t now_ms = 5;
	uint32_t gap;
	bool anew;

	_Static_assert(LATEST_LIFE <= TOPIC_SEQ_AHEAD, "what the broker leaves free after a kill");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		now_ms += steps[i].after_ms;
		ck_assert_int_eq(
			latest_take(&l, steps[i].seq, now_ms, &gap, &anew), steps[i].newer);
		if (!steps[i].newer)
			continue;
		ck_assert_uint_eq(gap, steps[i].gap);
		ck_assert_int_eq(anew, steps[i].anew);
	}
}
END_TEST

START_TEST(rfc7641_3_2_error_ends_it)
{
	static const enum msg_code codes[] = {
		CODE_NOT_FOUND, CODE_UNAUTHORIZED, CODE_INTERNAL, CODE_CHANGED};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		char wanted[64], name[16];
		struct token t;
		struct msg m;

		if (i > 0)
			watch_setup();
		t = watch_register(5, "a");
		watch_said();
		bed_separate(&watch_bed, &m, TYPE_NON, &t, codes[i], BYTES_LIT("gone"));
		bed_receive(&watch_bed, &watch_bed.way, &m);
		(void)snprintf(wanted, sizeof(wanted), "end: refused %s; ",
			msg_code_name((uint8_t)codes[i], name));
		ck_assert_str_eq(watch_said(), wanted);
		/* It is forgotten: another one is not wanted any more. */
		watch_notify(&t, TYPE_CON, 6, "b");
		bed_read(&watch_bed, &m);
		ck_assert_int_eq(m.type, TYPE_RST);
		ck_assert_str_eq(watch_said(), "");
		if (i + 1 < sizeof(codes) / sizeof(codes[0]))
			watch_teardown();
	}
}
END_TEST

/* RFC 7252 5.9.3.4, coap-pubsub "Rate Limiting": not before Max-Age is over. */
START_TEST(rfc7252_5_9_3_4_refused_for_now_is_asked_again_after_max_age)
{
	static const enum msg_code codes[] = {CODE_UNAVAILABLE, CODE_TOO_MANY_REQUESTS};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct msg q, m;

		if (i > 0)
			watch_setup();
		watch_register(5, "a");
		watch_said();
		bed_wait(&watch_bed, 64999 + SOON_MS);
		ck_assert(bed_unread(&watch_bed) > 0);
		(void)watch_registration(&q);
		bed_respond(&m, &q, codes[i], "");
		ck_assert_int_eq(msg_add_uint(&m, OPT_MAX_AGE, 30), 0);
		bed_receive(&watch_bed, &watch_bed.way, &m);
		ck_assert_str_eq(watch_said(), "! ");
		ck_assert_uint_eq(observation_retry_s(watch_observation), 30);
		bed_wait(&watch_bed, 29999);
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
		bed_wait(&watch_bed, OBSERVATION_AGAIN_MS + SOON_MS);
		(void)watch_registration(&q);
		if (i == 0)
			watch_teardown();
	}
}
END_TEST

/* RFC 7641 3.1: the answer to a registration is a representation. */
START_TEST(an_answer_that_is_no_value)
{
	struct msg q, r;

	watch_registration(&q);
	bed_respond(&r, &q, CODE_CHANGED, "");
	ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, 6), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "end: refused 2.04; ");
}
END_TEST

/* By ICMP, which anybody may forge who sees the port and the message id. */
START_TEST(a_closed_port)
{
	struct msg q, r;
	struct token t;

	t = watch_registration(&q);
	session_refused(watch_bed.session, (uint16_t)(q.mid + 1));
	ck_assert_str_eq(watch_said(), "");
	session_refused(watch_bed.session, q.mid);
	ck_assert_str_eq(watch_said(), "end: closed EMPTY; ");
	watch_teardown();

	/* Nothing ends what is under way: what was acknowledged was there. */
	watch_setup();
	t = watch_registration(&q);
	bed_respond(&r, &q, CODE_CONTENT, "a");
	ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, 5), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
	watch_said();
	session_refused(watch_bed.session, q.mid);
	watch_notify(&t, TYPE_NON, 6, "b");
	ck_assert_str_eq(watch_said(), "u6:b; ");
	/* One that is renewed is tried again. */
	bed_wait(&watch_bed, 64999 + SOON_MS);
	(void)watch_registration(&q);
	session_refused(watch_bed.session, q.mid);
	ck_assert_str_eq(watch_said(), "! ");
	bed_wait(&watch_bed, 10000 + SOON_MS);
	(void)watch_registration(&q);
}
END_TEST

START_TEST(refused_at_once)
{
	struct msg q, r;

	watch_registration(&q);
	bed_respond(&r, &q, CODE_NOT_FOUND, "");
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "end: refused 4.04; ");
}
END_TEST

START_TEST(nobody_there)
{
	bed_wait(&watch_bed, 100000);
	ck_assert_str_eq(watch_said(), "end: timeout EMPTY; ");
}
END_TEST

/* RFC 7641 3.3.1: 5 to 15 s after Max-Age, with the same token. */
START_TEST(rfc7641_3_3_1_registers_again)
{
	struct token t = watch_register(5, "a"), again;
	struct msg q, r;

	watch_said();
	bed_wait(&watch_bed, 64999);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	bed_wait(&watch_bed, SOON_MS);
	again = watch_registration(&q);
	ck_assert(token_equal(&again, &t));
	bed_respond(&r, &q, CODE_CONTENT, "a");
	ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, 6), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), ""); /* equal: a refresh */
	watch_notify(&t, TYPE_NON, 7, "b");
	ck_assert_str_eq(watch_said(), "u7:b; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

START_TEST(server_that_went_away_is_tried_again)
{
	struct msg q;
	unsigned n;

	watch_register(5, "a");
	watch_said();
	bed_wait(&watch_bed, 75000 + 100000 + 10000);
	ck_assert_str_eq(watch_said(), "! ");
	n = bed_unread(&watch_bed);
	ck_assert_uint_gt(n, LAYER_MAX_RETRANSMIT + 1);
	watch_bed.read = watch_bed.n - 1;
	watch_registration(&q);
}
END_TEST

/* Over DTLS one that was started again drops what it cannot decrypt, without a word. */
START_TEST(a_silent_server_gets_a_new_connection_once)
{
	struct msg q, r;

	watch_can_renew = true;
	watch_register(5, "a");
	watch_said();
	for (int i = 0; i < 2; i++) {
		bed_wait(&watch_bed, 64999 + SOON_MS);
		watch_registration(&q);
		bed_wait(&watch_bed, 7000);
		ck_assert_str_eq(watch_said(), "");
		bed_wait(&watch_bed, 1000);
		ck_assert_str_eq(watch_said(), "renew; ");
		session_lost(watch_bed.session, CALL_LOST);
		watch_bed.read = watch_bed.n;
		bed_wait(&watch_bed, 1000);
		watch_registration(&q);
		/* It is silent there, too: then it is waited for as ever. */
		if (i == 0) {
			bed_wait(&watch_bed, 20000);
			ck_assert_str_eq(watch_said(), "");
		}
		bed_respond(&r, &q, CODE_CONTENT, i == 0 ? "b" : "c");
		ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, 6 + (uint32_t)i), 0);
		bed_receive(&watch_bed, &watch_bed.way, &r);
		ck_assert_str_eq(watch_said(), i == 0 ? "u6:b; " : "u7:c; ");
		watch_bed.read = watch_bed.n;
	}
}
END_TEST

START_TEST(a_silent_server_of_a_group_gets_a_new_connection)
{
	struct msg q;

	watch_can_renew = true;
	watch_move(INFORM_BOTH, 9, "a");
	watch_multicast_tagged(10, "b", NULL, 5);
	watch_said();
	bed_wait(&watch_bed, 5000 + SOON_MS);
	bed_read(&watch_bed, &q);
	ck_assert(!msg_has(&q, OPT_OBSERVE));
	bed_wait(&watch_bed, 8000);
	ck_assert_str_eq(watch_said(), "renew; ");
	session_lost(watch_bed.session, CALL_LOST);
	ck_assert_str_eq(watch_said(), "");
	watch_bed.read = watch_bed.n;
	bed_wait(&watch_bed, 1000);
	watch_get("c", NULL);
	ck_assert_str_eq(watch_said(), "u:c; ");
	/* Whether there is a connection or not is nothing to the group. */
	session_lost(watch_bed.session, CALL_LOST);
	watch_multicast_tagged(11, "d", NULL, 5);
	ck_assert_str_eq(watch_said(), "m11:d; ");
	/* Nobody is told twice that it is left when it is. */
	observation_stop(watch_observation);
	ck_assert_str_eq(watch_said(), "leave 7; ");
}
END_TEST

/* Once may be what is left of a handshake with a server that was just stopped. */
START_TEST(keys_that_are_refused_twice_end_it)
{
	struct msg q, r;

	watch_register(5, "a");
	watch_said();
	for (int i = 0; i < 2; i++) {
		session_lost(watch_bed.session, CALL_LOST);
		ck_assert_str_eq(watch_said(), "! ");
		watch_bed.read = watch_bed.n;
		bed_wait(&watch_bed, 10000);
		watch_registration(&q);
		session_lost(watch_bed.session, CALL_INSECURE);
		ck_assert_str_eq(watch_said(), "! ");
		watch_bed.read = watch_bed.n;
		bed_wait(&watch_bed, 10000);
		watch_registration(&q);
		if (i == 1)
			break;
		bed_respond(&r, &q, CODE_CONTENT, "b");
		ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, 6), 0);
		bed_receive(&watch_bed, &watch_bed.way, &r);
		ck_assert_str_eq(watch_said(), "u6:b; ");
	}
	session_lost(watch_bed.session, CALL_INSECURE);
	ck_assert_str_eq(watch_said(), "end: insecure EMPTY; ");
}
END_TEST

START_TEST(rfc7641_3_6_deregisters)
{
	watch_register(5, "a");
	observation_stop(watch_observation);
	watch_withdrawal();
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	bed_wait(&watch_bed, 200000);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

/* --- too old -------------------------------------------------------------------------- */

START_TEST(one_get_when_max_age_ran_out)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	watch_multicast_tagged(10, "b", NULL, 5);
	bed_wait(&watch_bed, 4999);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	bed_wait(&watch_bed, SOON_MS);
	watch_get("c", NULL);
	ck_assert_str_eq(watch_said(), "m10:b; u:c; ");
	/* No further one: notifications go on, or it registers again. */
	bed_wait(&watch_bed, 4999);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	watch_multicast_tagged(11, "c", NULL, 60);
	bed_wait(&watch_bed, 59999);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}
END_TEST

START_TEST(notification_in_time_saves_the_get)
{
	watch_move(INFORM_BOTH, 9, "a");
	watch_multicast_tagged(10, "b", NULL, 5);
	bed_wait(&watch_bed, 4900);
	watch_multicast_tagged(11, "b", NULL, 5);
	bed_wait(&watch_bed, 4900);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	/* In the random part. */
	bed_wait(&watch_bed, 100);
	watch_multicast_tagged(12, "b", NULL, 5);
	bed_wait(&watch_bed, 4900);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i9:a (initial); m10:b; ");
}
END_TEST

/* The one that comes while the answer is on its way is newer than the question. */
START_TEST(notification_cancels_the_get)
{
	struct msg q, r;

	watch_move(INFORM_BOTH, 9, "a");
	watch_multicast_tagged(10, "b", NULL, 5);
	watch_said();
	bed_wait(&watch_bed, 5000 + SOON_MS);
	bed_read(&watch_bed, &q);
	watch_multicast_tagged(11, "c", NULL, 5);
	bed_respond(&r, &q, CODE_CONTENT, "b");
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "m11:c; ");
}
END_TEST

START_TEST(deleted_when_asked)
{
	struct msg q, r;

	watch_move(INFORM_BOTH, 9, "a");
	watch_said();
	bed_wait(&watch_bed, 60000 + SOON_MS);
	bed_read(&watch_bed, &q);
	bed_respond(&r, &q, CODE_NOT_FOUND, "");
	bed_receive(&watch_bed, &watch_bed.way, &r);
	ck_assert_str_eq(watch_said(), "leave 7; end: refused 4.04; ");
}
END_TEST

/* The server forgot us, or its cancellation was lost: what the group's last notification
 * says of its Max-Age counts, not the longer one of the answer to the GET. */
START_TEST(second_silence_makes_it_register_again)
{
	struct token first = watch_move(INFORM_BOTH, 9, "a"), second;
	struct msg q;

	watch_multicast_tagged(10, "b", NULL, 2);
	bed_wait(&watch_bed, 2000 + SOON_MS);
	watch_get("b", NULL);
	bed_wait(&watch_bed, 1500);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	watch_said();
	bed_wait(&watch_bed, 500 + SOON_MS);
	second = watch_registration(&q);
	ck_assert(!token_equal(&first, &second));
	ck_assert_str_eq(watch_said(), "leave 7; ");
	watch_bed.read--;
	watch_move(INFORM_BOTH, 3, "b");
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
	watch_multicast(4, "c");
	ck_assert_str_eq(watch_said(), "m4:c; ");
}
END_TEST

/* Below the threshold of a server that started anew it is an observer like any other. */
START_TEST(silent_group_member_becomes_traditional)
{
	struct token t;

	watch_move(INFORM_BOTH, 9, "a");
	watch_multicast_tagged(10, "b", NULL, 2);
	bed_wait(&watch_bed, 2000 + SOON_MS);
	watch_get("b", NULL);
	bed_wait(&watch_bed, 2000 + SOON_MS);
	watch_said();
	t = watch_register(1, "b");
	watch_notify(&t, TYPE_NON, 2, "c");
	ck_assert_str_eq(watch_said(), "u2:c; ");
	watch_inform(&t, INFORM_BOTH, 20, "c");
	watch_multicast(21, "d");
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; m21:d; ");
}
END_TEST

/* The shorter Max-Age of a GET's answer holds too. */
START_TEST(answer_with_a_shorter_max_age)
{
	struct msg q, r;

	watch_move(INFORM_BOTH, 9, "a");
	bed_wait(&watch_bed, 60000 + SOON_MS);
	bed_read(&watch_bed, &q);
	bed_respond(&r, &q, CODE_CONTENT, "a");
	ck_assert_int_eq(msg_add_uint(&r, OPT_MAX_AGE, 10), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
	bed_wait(&watch_bed, 9500);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	bed_wait(&watch_bed, 500 + SOON_MS);
	watch_registration(&q);
}
END_TEST

/* An observer below the threshold renews once in a minute, however short Max-Age is. */
START_TEST(short_max_age_is_no_flood)
{
	unsigned n = 0;

	while (watch_bed.now_ms < 601000) {
		struct msg q, r;

		bed_wait(&watch_bed, 100);
		if (bed_unread(&watch_bed) == 0)
			continue;
		watch_registration(&q);
		bed_respond(&r, &q, CODE_CONTENT, "a");
		ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, ++n), 0);
		ck_assert_int_eq(msg_add_uint(&r, OPT_MAX_AGE, 2), 0);
		bed_receive(&watch_bed, &watch_bed.way, &r);
	}
	ck_assert_uint_ge(n, 8);
	ck_assert_uint_le(n, 11);
}
END_TEST

static void
add_traditional(Suite *s)
{
	TCase *t = tcase_create("traditional");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, rfc7641_3_1_registers);
	tcase_add_test(t, rfc7641_3_1_not_observed);
	tcase_add_test(t, rfc7641_3_2_confirmable_is_acknowledged);
	tcase_add_test(t, traditional_equal_values_are_told);
	tcase_add_test(t, a_check_with_the_same_etag_is_acknowledged_and_not_told);
	tcase_add_test(t, rfc7641_3_4_order);
	tcase_add_test(t, rfc7641_3_2_error_ends_it);
	tcase_add_test(t, rfc7252_5_9_3_4_refused_for_now_is_asked_again_after_max_age);
	tcase_add_test(t, an_answer_that_is_no_value);
	tcase_add_test(t, a_closed_port);
	tcase_add_test(t, refused_at_once);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, rfc7641_3_3_1_registers_again);
	tcase_add_test(t, server_that_went_away_is_tried_again);
	tcase_add_test(t, a_silent_server_gets_a_new_connection_once);
	tcase_add_test(t, a_silent_server_of_a_group_gets_a_new_connection);
	tcase_add_test(t, keys_that_are_refused_twice_end_it);
	tcase_add_test(t, rfc7641_3_6_deregisters);
	suite_add_tcase(s, t);
}

static void
add_stale(Suite *s)
{
	TCase *t = tcase_create("stale");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, one_get_when_max_age_ran_out);
	tcase_add_test(t, notification_in_time_saves_the_get);
	tcase_add_test(t, notification_cancels_the_get);
	tcase_add_test(t, deleted_when_asked);
	tcase_add_test(t, second_silence_makes_it_register_again);
	tcase_add_test(t, silent_group_member_becomes_traditional);
	tcase_add_test(t, answer_with_a_shorter_max_age);
	tcase_add_test(t, short_max_age_is_no_flood);
	suite_add_tcase(s, t);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("client_observation");

	add_traditional(s);
	add_stale(s);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
