/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What topic properties do by themselves (coap-pubsub "Topic Properties"): the end
 * at expiration-date, max-subscribers, observer-check, and what becomes of
 * observers when topic-content-format changes.
 */
#include "broker_world.h"

#include "wire/option.h"

#define RT "026c636f72652e70732e64617461" /* 2: "core.ps.data" */
#define NAME "006468616c6c" /* 0: "hall" */

/* The topic "hall" of value "0" without a format, and a group for everything, of threshold 3. */
static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4", 3);
	bw_start();
	bw_topic("hall", "0");
}

/* Sets properties, in hex; nothing is said of it. */
static void
patch(const char *hex)
{
	bw_in(99, "iPATCH /ps/hall ct=606 x=%s", hex);
	ck_assert_int_eq(bw_last(99).code, CODE_CHANGED);
}

/* Forgets what was answered to it. */
static void
patch_silently(const char *hex)
{
	patch(hex);
	(void)bw_said();
}

/* --- expiration-date --------------------------------------------------------------- */

/* The clocks start at 1000 s; this date is 3600 s later. */
#define IN_AN_HOUR "a105c11911f8"

START_TEST(pubsub_2_2_1_expiration_date_deletes_the_topic)
{
	bw_subs(1, 2);
	patch_silently(IN_AN_HOUR);
	bw_go(3599 * 1000);
	bw_expect("");
	ck_assert_uint_eq(bw_stats().topics, 1);
	bw_go(1000);
	/* "Deleting a topic": a final 4.04 to each. */
	bw_expect("x1 x2 ");
	bw_in(3, "GET /ps/hall");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=4.04 3=4.04 ");
	bw_acks(1, 2);
	ck_assert_uint_eq(bw_stats().topics, 0);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
	ck_assert_uint_eq(bw_stats().expired, 1);
}

START_TEST(pubsub_2_2_1_expiration_date_cancels_the_group_observation)
{
	bw_subs(1, 3);
	bw_acks(1, 3);
	patch_silently(IN_AN_HOUR);
	bw.mute = true;
	bw_go(3599 * 1000);
	bw.mute = false;
	bw_go(1000);
	bw_expect("*x ");
	ck_assert_uint_eq(bw_stats().topics, 0);
}

START_TEST(pubsub_2_2_1_expiration_date_is_what_it_was_set_to_last)
{
	patch(IN_AN_HOUR);
	patch("a105c1191388"); /* 5000: 400 s later */
	bw_go(3900 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 1);
	bw_go(100 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 0);
}

START_TEST(pubsub_2_2_1_expiration_date_that_is_reset_never_comes)
{
	patch(IN_AN_HOUR);
	bw_in(99, "POST /ps/hall ct=606 x=a0");
	bw_go(100000 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 1);
}

START_TEST(pubsub_2_2_1_expiration_date_of_a_deleted_topic_is_nobody_elses)
{
	patch(IN_AN_HOUR);
	bw_in(99, "DELETE /ps/hall");
	bw_topic("hall", "again");
	bw_go(100000 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 1);
	ck_assert_uint_eq(bw_stats().expired, 0);
}

START_TEST(pubsub_2_2_1_expiration_date_given_at_creation)
{
	bw_in(99, "POST /ps ct=606 x=a3006174" RT "05c11911f8");
	ck_assert_int_eq(bw_last(99).code, CODE_CREATED);
	bw_go(3600 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 1);
}

/* The wall clock is set: a step of it neither deletes early nor keeps for ever. */
START_TEST(pubsub_2_2_1_expiration_date_follows_steps_of_the_clock)
{
	patch(IN_AN_HOUR);
	bw_go(3000 * 1000);
	bw.wall_s = -3000;
	bw_go(600 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 1);
	/* An hour ahead of where it was: it has passed, which is seen within a minute. */
	bw.wall_s = 3000;
	bw_go(60 * 1000);
	ck_assert_uint_eq(bw_stats().topics, 0);
}

START_TEST(pubsub_2_2_1_expiration_date_and_extreme_clocks)
{
	static const int64_t steps[] = {-1000000, INT64_MAX / 2, -INT64_MAX / 2};

	patch("a105c11b7fffffffffffffff");
	for (int i = 0; i < 3; i++) {
		bw.wall_s = steps[i];
		bw_go(120 * 1000);
	}
	ck_assert_uint_eq(bw_stats().topics, 1);
}

/* --- max-subscribers ---------------------------------------------------------------- */

/* "Subscribe": a 2.05 without Observe; RFC 7641 4.1. */
START_TEST(pubsub_3_2_2_max_subscribers_is_enforced)
{
	patch_silently("a10602");
	bw_subs(1, 3);
	bw_expect("1+0 2+0 3=2.05:0 ");
	ck_assert_uint_eq(bw_stats().registrations_refused, 1);
	/* Who registers again is no other. */
	bw_sub(1);
	bw_expect("1+0 ");
	bw_in(1, "GET /ps/data/hall o=0 t=0b");
	bw_expect("1=2.05:0 ");
	bw_unsub(2);
	bw_sub(3);
	bw_expect("2=2.05:0 3+0 ");
	/* Half created: 4.04 as ever. */
	bw_in(99, "DELETE /ps/data/hall");
	bw_acks(1, 3);
	(void)bw_said();
	bw_sub(1);
	bw_expect("1=4.04 ");
}

START_TEST(pubsub_2_2_1_max_subscribers_of_none)
{
	patch_silently("a10600");
	bw_sub(1);
	bw_expect("1=2.05:0 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* wire.md: topics with max-subscribers stay traditional. */
START_TEST(pubsub_2_2_1_max_subscribers_keeps_the_topic_traditional)
{
	patch_silently("a1060a");
	bw_subs(1, 5);
	bw_expect("1+0 2+0 3+0 4+0 5+0 ");
	bw_pub("a");
	bw_expect("1:a 2:a 3:a 4:a 5:a ");
	/* Once there is no such limit the next ones may be moved. */
	bw_in(99, "POST /ps/hall ct=606 x=a0");
	(void)bw_said();
	bw_subs(11, 13);
	bw_expect("11+a 12+a a13 i11 i12 i13 ");
}

/* "Updating the topic": the newest subscriptions end with a final 4.04. */
START_TEST(pubsub_2_5_3_max_subscribers_lowered_ends_the_newest)
{
	struct msg m;

	patch_silently("a10605");
	bw_subs(1, 5);
	bw_sub(2);
	(void)bw_said();
	bw_in(99, "iPATCH /ps/hall ct=606 x=a10603");
	bw_flush();
	m = bw_last(4);
	ck_assert_int_eq(m.code, CODE_NOT_FOUND);
	ck_assert(!msg_has(&m, OPT_OBSERVE));
	ck_assert_int_eq(bw_last(5).code, CODE_NOT_FOUND);
	bw_acks(4, 5);
	ck_assert_uint_eq(bw_stats().observers, 3);
	(void)bw_said();
	bw_pub("a");
	bw_expect("1:a 2:a 3:a ");
	bw_in(99, "iPATCH /ps/hall ct=606 x=a10600");
	bw_acks(1, 3);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(pubsub_2_2_1_max_subscribers_set_below_the_threshold)
{
	bw_subs(1, 2);
	patch_silently("a10602");
	bw_sub(1);
	bw_sub(3);
	bw_expect("1+0 3=2.05:0 ");
	bw_pub("a");
	bw_expect("1:a 2:a ");
	/* The first registered again, which did not make it the newest. */
	bw_in(99, "iPATCH /ps/hall ct=606 x=a10601");
	bw_ack(2);
	(void)bw_said();
	bw_pub("b");
	bw_expect("1:b ");
}

/* A group observation ends, and only so many are taken when they register again. */
START_TEST(pubsub_2_2_1_max_subscribers_ends_the_group_observation)
{
	bw_subs(1, 4);
	bw_acks(1, 3);
	(void)bw_said();
	bw_in(99, "iPATCH /ps/hall ct=606 x=a10602");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw.n_groups_ended, 1);
	bw_ack(4);
	(void)bw_said();
	bw_subs(1, 4);
	bw_expect("1+0 2+0 3=2.05:0 4=2.05:0 ");
	bw_pub("a");
	bw_expect("1:a 2:a ");
}

START_TEST(pubsub_2_2_1_max_subscribers_amid_a_fan_out)
{
	bw_in(1, "GET /ps/data/hall o=0 b2=0/64");
	bw_subs(2, 3);
	bw.batch = true;
	bw_pub("a");
	patch("a10602");
	(void)bw_said();
	bw_flush();
	bw.batch = false;
	bw_expect("1:a 2:a x3 ");
	ck_assert_int_eq(bw_last(3).code, CODE_NOT_FOUND);
}

/* --- observer-check ------------------------------------------------------------------- */

/* "Unsubscribe": a CON at least so often, whether anybody publishes or not. */
START_TEST(pubsub_3_2_3_observer_check_without_publishes)
{
	struct msg first, m;

	patch_silently("a10718"
		       "50"); /* 80 s */
	bw_sub(1);
	first = bw_last(1);
	bw_expect("1+0 ");
	bw_go(69 * 1000);
	bw_expect("");
	bw_go(1000);
	bw_expect("1!0 ");
	m = bw_last(1);
	/* RFC 7641 4.4: a number of its own. */
	ck_assert_int_eq(
		bw_option(&m, OPT_OBSERVE), (bw_option(&first, OPT_OBSERVE) + 1) & 0xffffff);
	bw_ack(1);
	for (int i = 0; i < 800; i++) {
		bw_go(1000);
		bw_ack(1);
	}
	ck_assert_uint_ge(bw.peers[1].n_con, 10);
	ck_assert_uint_le(bw.peers[1].n_con, 13);
	ck_assert_uint_eq(bw_stats().observers, 1);
}

START_TEST(pubsub_3_2_3_observer_check_drops_who_is_gone)
{
	patch_silently("a1071850");
	bw_subs(1, 2);
	bw_go(80 * 1000);
	bw_ack(1);
	bw_go(50 * 1000);
	bw_ack(1);
	bw_go(50 * 1000);
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_go(80 * 1000);
	bw_rst(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* A publish in the last quarter is the check; who was not due hears nothing. */
START_TEST(pubsub_3_2_3_observer_check_and_publishes)
{
	patch_silently("a1071850");
	bw_sub(1);
	bw_go(50 * 1000);
	bw_sub(2);
	(void)bw_said();
	bw_pub("a");
	bw_expect("1:a 2:a ");
	bw_go(12 * 1000);
	bw_pub("b");
	bw_expect("2:b 1!b ");
	bw_ack(1);
	bw_go(58 * 1000);
	bw_expect("2!b ");
	bw_ack(2);
	bw_expect("");
}

START_TEST(pubsub_3_2_3_observer_check_of_a_second)
{
	patch_silently("a10701");
	bw_sub(1);
	bw_expect("1+0 ");
	bw.mute = true;
	for (int i = 0; i < 20; i++) {
		bw_go(1000);
		bw_ack(1);
	}
	ck_assert_uint_ge(bw.peers[1].n_con, 19);
	ck_assert_uint_eq(bw_stats().observers, 1);
}

/* While a CON is under way there is no other: RFC 7641 4.5.1. */
START_TEST(pubsub_3_2_3_observer_check_while_a_con_is_under_way)
{
	patch_silently("a10701");
	bw_sub(1);
	bw_go(1000);
	bw_expect("1+0 1!0 ");
	bw_go(1500);
	bw_expect("");
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 1);
}

START_TEST(pubsub_3_2_3_observer_check_of_a_day_is_the_default)
{
	bw_sub(1);
	bw_expect("1+0 ");
	bw_go(64000ull * 1000);
	bw_expect("");
	bw_go(22400ull * 1000);
	ck_assert_uint_ge(bw.peers[1].n_con, 1);
}

/* A changed observer-check counts from the last CON. */
START_TEST(pubsub_3_2_3_observer_check_changed)
{
	bw_sub(1);
	bw_go(1000 * 1000);
	(void)bw_said();
	patch_silently("a1071850");
	bw_go(10 * 1000);
	bw_expect("1!0 ");
	bw_ack(1);
	bw_in(99, "POST /ps/hall ct=606 x=a0");
	(void)bw_said();
	bw_go(1000 * 1000);
	bw_expect("");
}

START_TEST(pubsub_3_2_3_observer_check_is_not_for_the_group)
{
	bw_subs(1, 3);
	bw_acks(1, 3);
	patch_silently("a10705");
	bw_go(30 * 1000);
	bw_expect("");
}

START_TEST(pubsub_3_2_3_observer_check_of_half_created_topics)
{
	patch("a10705");
	bw_sub(1);
	bw_in(99, "DELETE /ps/data/hall");
	bw_ack(1);
	(void)bw_said();
	bw_go(60 * 1000);
	bw_expect("");
}

/* --- topic-content-format ---------------------------------------------------------------- */

/* RFC 7641 4.2: what cannot go on in its format ends, with 4.06. */
START_TEST(rfc7641_4_2_another_format_ends_observations)
{
	bw_in(9, "PUT /ps/data/hall ct=0 'a'");
	bw_subs(1, 2);
	(void)bw_said();
	/* Without topic-content-format a change while somebody observes is refused. */
	bw_in(9, "PUT /ps/data/hall ct=60 'b'");
	bw_expect("9=4.15 ");
	patch_silently("a103183c");
	/* Now the old one is refused, and the first of the new one ends them. */
	bw_in(9, "PUT /ps/data/hall ct=0 'b'");
	bw_expect("9=4.15 ");
	bw_in(9, "PUT /ps/data/hall ct=60 'b'");
	bw_expect("9=2.04 1!4.06 2!4.06 ");
	bw_acks(1, 2);
	ck_assert_uint_eq(bw_stats().observers, 0);
	bw_sub(1);
	bw_in(9, "PUT /ps/data/hall 'c'");
	bw_expect("1+b 9=2.04 1:c ");
}

START_TEST(rfc7641_4_2_another_format_ends_the_group_observation)
{
	bw_in(9, "PUT /ps/data/hall ct=0 'a'");
	bw_subs(1, 3);
	bw_acks(1, 3);
	patch_silently("a103183c");
	bw_in(9, "PUT /ps/data/hall ct=60 'b'");
	bw_expect("*x 9=2.04 ");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
}

START_TEST(the_same_format_ends_nothing)
{
	bw_in(9, "PUT /ps/data/hall ct=60 'a'");
	bw_sub(1);
	(void)bw_said();
	patch_silently("a103183c");
	bw_in(9, "PUT /ps/data/hall ct=60 'b'");
	bw_in(9, "PUT /ps/data/hall 'c'");
	bw_expect("9=2.04 1:b 9=2.04 1:c ");
	/* Nor does a topic that has none any more. */
	bw_in(99, "POST /ps/hall ct=606 x=a0");
	(void)bw_said();
	bw_in(9, "PUT /ps/data/hall 'd'");
	bw_in(9, "PUT /ps/data/hall ct=0 'e'");
	bw_expect("9=2.04 1:d 9=4.15 ");
}

static void
add_expiration(TCase *t)
{
	tcase_add_test(t, pubsub_2_2_1_expiration_date_deletes_the_topic);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_cancels_the_group_observation);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_is_what_it_was_set_to_last);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_that_is_reset_never_comes);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_of_a_deleted_topic_is_nobody_elses);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_given_at_creation);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_follows_steps_of_the_clock);
	tcase_add_test(t, pubsub_2_2_1_expiration_date_and_extreme_clocks);
}

static void
add_max_subscribers(TCase *t)
{
	tcase_add_test(t, pubsub_3_2_2_max_subscribers_is_enforced);
	tcase_add_test(t, pubsub_2_2_1_max_subscribers_of_none);
	tcase_add_test(t, pubsub_2_2_1_max_subscribers_keeps_the_topic_traditional);
	tcase_add_test(t, pubsub_2_5_3_max_subscribers_lowered_ends_the_newest);
	tcase_add_test(t, pubsub_2_2_1_max_subscribers_set_below_the_threshold);
	tcase_add_test(t, pubsub_2_2_1_max_subscribers_ends_the_group_observation);
	tcase_add_test(t, pubsub_2_2_1_max_subscribers_amid_a_fan_out);
}

static void
add_observer_check(TCase *t)
{
	tcase_add_test(t, pubsub_3_2_3_observer_check_without_publishes);
	tcase_add_test(t, pubsub_3_2_3_observer_check_drops_who_is_gone);
	tcase_add_test(t, pubsub_3_2_3_observer_check_and_publishes);
	tcase_add_test(t, pubsub_3_2_3_observer_check_of_a_second);
	tcase_add_test(t, pubsub_3_2_3_observer_check_while_a_con_is_under_way);
	tcase_add_test(t, pubsub_3_2_3_observer_check_of_a_day_is_the_default);
	tcase_add_test(t, pubsub_3_2_3_observer_check_changed);
	tcase_add_test(t, pubsub_3_2_3_observer_check_is_not_for_the_group);
	tcase_add_test(t, pubsub_3_2_3_observer_check_of_half_created_topics);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("deadlines");
	TCase *t = tcase_create("deadlines");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_expiration(t);
	add_max_subscribers(t);
	add_observer_check(t);
	tcase_add_test(t, rfc7641_4_2_another_format_ends_observations);
	tcase_add_test(t, rfc7641_4_2_another_format_ends_the_group_observation);
	tcase_add_test(t, the_same_format_ends_nothing);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
