/* SPDX-License-Identifier: BSD-2-Clause */
/* Publishes that are kept before anybody sees them: commit-interval 0. */
#include <errno.h>

#include "broker/topic.h"
#include "broker_world.h"
#include "msg/later.h"
#include "wire/option.h"

static uint64_t ticket; /* of what comes next */
static bool refuses; /* the store */
static bool lazy; /* the configuration */

static bool
must_promise(void *ctx)
{
	(void)ctx;
	return !lazy;
}

static int
on_promise(void *ctx, const struct topic *t, const struct value *v, uint64_t *ret_ticket)
{
	(void)ctx;
	(void)v;
	ck_assert_ptr_nonnull(t);
	if (refuses)
		return -EIO;
	*ret_ticket = ticket;
	return 0;
}

static void
setup(void)
{
	bw_init();
	bw.conf.create_on_publish = true;
	bw.must_promise = must_promise;
	bw.promise = on_promise;
	ticket = 1;
	refuses = lazy = false;
	bw_start();
	bw_topic("hall", "0");
}

static void
teardown(void)
{
	bw_stop();
}

static void
is_kept(bool kept)
{
	broker_promise_is_kept(bw.broker, ticket++, kept);
	bw_flush();
}

START_TEST(nothing_is_seen_before_it_is_kept)
{
	bw_sub(1);
	bw_expect("1+0 ");
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_expect("");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	is_kept(true);
	bw_expect("2=2.04 1:a ");
	ck_assert_uint_eq(bw_stats().publishes, 1);
}
END_TEST

START_TEST(what_is_not_kept_has_changed_nothing)
{
	struct msg m;

	bw_sub(1);
	(void)bw_said();
	bw_in(2, "PUT /ps/data/hall 'a'");
	is_kept(false);
	bw_expect("2=5.03 ");
	m = bw_last(2);
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 10);
	bw_in(2, "DELETE /ps/data/hall");
	is_kept(false);
	bw_expect("2=5.03 ");
	bw_in(2, "PUT /ps/data/new 'a'");
	is_kept(false);
	bw_expect("2=5.03 ");
	bw_in(2, "GET /ps/new");
	bw_expect("2=4.04 ");
	refuses = true;
	bw_in(2, "PUT /ps/data/hall 'b'");
	bw_expect("2=5.03 ");
	bw_in(2, "PUT /ps/data/new 'b'");
	bw_expect("2=5.03 ");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	ck_assert_uint_eq(bw_stats().publishes, 0);
	ck_assert_uint_eq(bw_stats().topics, 1);
	ck_assert_uint_eq(bw_stats().value_bytes, 1);
}
END_TEST

START_TEST(rfc7252_5_2_2_past_a_second_the_answer_is_separate)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_go(LATER_ACK_MS - 10);
	bw_expect("");
	bw_go(20);
	bw_expect("a2 ");
	is_kept(true);
	bw_expect("2!2.04 ");
	/* Retransmitted until it is acknowledged. */
	bw_go(3100);
	bw_expect("2!2.04 ");
	bw_ack(2);
	bw_go(60000);
	bw_expect("");
}
END_TEST

START_TEST(rfc7252_4_5_a_duplicate_gets_the_empty_ack)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_again();
	bw_expect("a2 ");
	is_kept(true);
	bw_expect("2!2.04 ");
	bw_ack(2);
	bw_again();
	bw_expect("a2 ");
	/* One whose answer is remembered with its bytes. */
	bw_in(2, "PUT /ps/data/hall m= 'b'");
	bw_again();
	bw_expect("a2 ");
	is_kept(true);
	bw_expect("2!2.04 ");
	bw_ack(2);
	ck_assert_uint_eq(bw_stats().publishes, 2);
}
END_TEST

START_TEST(a_duplicate_of_one_that_was_answered_at_once_gets_that)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	is_kept(true);
	bw_expect("2=2.04 ");
	bw_again();
	bw_expect("2=2.04 ");
	ck_assert_uint_eq(bw_stats().publishes, 1);
}
END_TEST

START_TEST(a_non_is_answered_when_it_is_kept)
{
	bw_in(2, "NON PUT /ps/data/hall 'a'");
	bw_go(2000);
	bw_expect("");
	is_kept(true);
	bw_expect("2~2.04 ");
	bw_in(2, "NON PUT /ps/data/hall nr=2 'b'");
	is_kept(true);
	bw_expect("");
	bw_in(2, "PUT /ps/data/hall nr=2 'c'");
	is_kept(true);
	bw_expect("a2 ");
	bw_in(2, "PUT /ps/data/hall nr=2 'd'");
	bw_go(1100);
	is_kept(true);
	bw_expect("a2 ");
}
END_TEST

START_TEST(all_of_one_commit_in_their_order)
{
	bw_sub(1);
	(void)bw_said();
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(3, "PUT /ps/data/hall 'b'");
	bw_in(4, "PUT /ps/data/new 'c'");
	ticket = 2;
	bw_in(5, "PUT /ps/data/hall 'd'");
	ticket = 1;
	is_kept(true);
	bw_expect("2=2.04 3=2.04 4=2.01 1:b ");
	is_kept(true);
	bw_expect("5=2.04 1:d ");
}
END_TEST

START_TEST(what_would_be_held_against_what_may_not_come_waits_for_its_turn)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(3, "PUT /ps/data/hall m= 'b'");
	bw_expect("3=5.03 ");
	bw_in(3, "DELETE /ps/data/hall m=");
	bw_expect("3=5.03 ");
	is_kept(true);
	bw_expect("2=2.04 ");
}
END_TEST

START_TEST(the_topic_goes_meanwhile)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(3, "DELETE /ps/hall");
	bw_expect("3=2.02 ");
	is_kept(true);
	bw_expect("2=4.04 ");
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
}
END_TEST

START_TEST(data_are_deleted_when_that_is_kept)
{
	bw_sub(1);
	(void)bw_said();
	bw_in(2, "DELETE /ps/data/hall");
	bw_expect("");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	is_kept(true);
	bw_expect("2=2.02 x1 ");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=4.04 ");
}
END_TEST

START_TEST(as_many_wait_as_there_is_room_for)
{
	bw_stop();
	bw_init();
	bw.layer_limits.exchanges = 2;
	bw.must_promise = must_promise;
	bw.promise = on_promise;
	bw_start();
	bw_topic("hall", "0");
	bw_in(1, "PUT /ps/data/hall 'a'");
	bw_in(2, "PUT /ps/data/hall 'b'");
	bw_expect("");
	bw_in(3, "PUT /ps/data/hall 'c'");
	bw_expect("3=5.03 ");
	is_kept(true);
	bw_expect("1=2.04 2=2.04 ");
	bw_in(3, "PUT /ps/data/hall 'c'");
	is_kept(true);
	bw_expect("3=2.04 ");
}
END_TEST

START_TEST(lazily_nothing_waits)
{
	lazy = true;
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_expect("2=2.04 ");
}
END_TEST

START_TEST(a_reload_that_makes_it_lazy_overtakes_nothing)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	lazy = true;
	bw_in(3, "PUT /ps/data/hall 'b'");
	bw_expect("");
	is_kept(true);
	bw_expect("2=2.04 3=2.04 ");
	bw_in(4, "GET /ps/data/hall");
	bw_expect("4=2.05:b ");
	bw_in(2, "PUT /ps/data/hall 'c'");
	bw_expect("2=2.04 ");
}
END_TEST

START_TEST(the_broker_goes_meanwhile)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(4, "PUT /ps/data/hall s=3 'a'");
	bw_in(3, "DELETE /ps/data/hall");
	bw_go(1500);
	bw_expect("a2 a4 a3 ");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("park");
	TCase *tc = tcase_create("park");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_seen_before_it_is_kept);
	tcase_add_test(tc, what_is_not_kept_has_changed_nothing);
	tcase_add_test(tc, rfc7252_5_2_2_past_a_second_the_answer_is_separate);
	tcase_add_test(tc, rfc7252_4_5_a_duplicate_gets_the_empty_ack);
	tcase_add_test(tc, a_duplicate_of_one_that_was_answered_at_once_gets_that);
	tcase_add_test(tc, a_non_is_answered_when_it_is_kept);
	tcase_add_test(tc, all_of_one_commit_in_their_order);
	tcase_add_test(tc, what_would_be_held_against_what_may_not_come_waits_for_its_turn);
	tcase_add_test(tc, the_topic_goes_meanwhile);
	tcase_add_test(tc, data_are_deleted_when_that_is_kept);
	tcase_add_test(tc, as_many_wait_as_there_is_room_for);
	tcase_add_test(tc, lazily_nothing_waits);
	tcase_add_test(tc, a_reload_that_makes_it_lazy_overtakes_nothing);
	tcase_add_test(tc, the_broker_goes_meanwhile);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
