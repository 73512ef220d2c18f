/* SPDX-License-Identifier: BSD-2-Clause */
/* Group observations whose interface goes and comes back, or whose address is gone. */
#include "broker_world.h"

static void
setup(void)
{
	bw_init();
	(void)bw_group("239.255.17.4:61616", 1);
	(void)bw_group("[ff18::17:4]:61616", 1);
	bw.groups[0].max_age_s = 60;
	bw_start();
	bw_topic("hall", "0");
	bw_topic("attic", "a");
	bw_sub(1);
	bw_ack(1);
	bw_in(1, "GET /ps/data/attic o=0 t=77");
	bw_ack(1);
	(void)bw_said();
	ck_assert_uint_eq(bw_stats().group_observations, 2);
}

static void
reroute(uint32_t ifindex, bool again)
{
	bw.groups[0].ifindex = ifindex;
	broker_reroute(bw.broker, &bw.groups[0], again);
}

START_TEST(another_number_of_the_interface)
{
	reroute(9, false);
	bw_expect("");
	bw_pub("x");
	bw_expect("*:x ");
	ck_assert_uint_eq(bw_datagram_to_group(0)->group_way.ifindex, 9);
}
END_TEST

START_TEST(what_may_have_been_lost_is_repeated)
{
	struct inform before = bw_inform(1);
	struct token t = before.token;
	struct msg m;

	bw_pub("x");
	(void)bw_said();
	reroute(9, true);
	bw_go(100);
	/* One each, not in the same moment. */
	ck_assert_uint_eq(bw_stats().group_refreshes, 2);
	ck_assert_uint_eq(bw_datagram_to_group(0)->group_way.ifindex, 9);
	ck_assert_ptr_nonnull(strstr(bw_said(), "*:x "));
	m = bw_last_to_group(0);
	ck_assert_uint_eq(m.token.n, t.n);
	/* And from then on at their Max-Age as always. */
	bw_go(59000);
	ck_assert_uint_eq(bw_stats().group_refreshes, 2);
	bw_go(2000);
	ck_assert_uint_eq(bw_stats().group_refreshes, 4);
}
END_TEST

START_TEST(a_repetition_keeps_the_pace)
{
	bw_stop();
	bw_init();
	bw_group("239.255.17.4:61616", 1)->min_interval_ms = 3000;
	bw_start();
	bw_topic("hall", "0");
	bw_sub(1);
	bw_ack(1);
	bw_pub("x");
	(void)bw_said();
	reroute(9, true);
	bw_go(2900);
	bw_expect("");
	bw_go(200);
	bw_expect("*:x ");
	/* A value that waits for its moment is the repetition. */
	bw_pub("y");
	reroute(9, true);
	bw_go(3100);
	bw_expect("*:y ");
}
END_TEST

/* The transport is told not to send (ifindex 0); the state stays for when it is back. */
START_TEST(while_the_interface_is_gone)
{
	reroute(0, false);
	bw_pub("x");
	ck_assert_uint_eq(bw_datagram_to_group(0)->group_way.ifindex, 0);
	ck_assert_uint_eq(bw_stats().group_observations, 2);
	(void)bw_said();
	/* Who comes now is not told to listen there. */
	bw_in(2, "GET /ps/data/hall o=0");
	bw_expect("2+x ");
	bw_pub("y");
	ck_assert_ptr_nonnull(strstr(bw_said(), "2:y "));
	reroute(7, true);
	bw_go(100);
	ck_assert_uint_eq(bw_datagram_to_group(0)->group_way.ifindex, 7);
}
END_TEST

START_TEST(the_other_group_is_left_alone)
{
	bw.groups[1].ifindex = 11;
	broker_reroute(bw.broker, &bw.groups[1], true);
	bw_go(100);
	bw_expect("");
	bw_pub("x");
	ck_assert_uint_eq(bw_datagram_to_group(0)->group_way.ifindex, 7);
}
END_TEST

static bool
is_of_topic(void *ctx, const struct group_observation *g)
{
	return strcmp(group_topic_name(g), ctx) == 0;
}

START_TEST(cancelled_are_those_that_are_meant)
{
	char attic[] = "attic", none[] = "none";

	ck_assert_uint_eq(broker_cancel_groups(bw.broker, is_of_topic, none), 0);
	bw_expect("");
	ck_assert_uint_eq(broker_cancel_groups(bw.broker, is_of_topic, attic), 1);
	bw_expect("*x ");
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	bw_pub("x");
	bw_expect("*:x ");
	/* It starts anew, with whoever registers. */
	bw_in(3, "GET /ps/data/attic o=0");
	bw_expect("a3 i3 ");
	ck_assert_uint_eq(bw_stats().group_observations, 2);
}
END_TEST

static void
keep_source(void *ctx, const struct group_observation *g)
{
	*(struct addr *)ctx = *group_source(g);
}

START_TEST(the_source_is_where_they_registered)
{
	struct addr source;

	broker_each_group(bw.broker, keep_source, &source);
	ck_assert(addr_equal(&source, &bw_datagram(1)->way.local));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("reroute");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, another_number_of_the_interface);
	tcase_add_test(t, what_may_have_been_lost_is_repeated);
	tcase_add_test(t, a_repetition_keeps_the_pace);
	tcase_add_test(t, while_the_interface_is_gone);
	tcase_add_test(t, the_other_group_is_left_alone);
	tcase_add_test(t, cancelled_are_those_that_are_meant);
	tcase_add_test(t, the_source_is_where_they_registered);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
