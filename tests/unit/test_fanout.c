/* SPDX-License-Identifier: BSD-2-Clause */
/* The fan-out to many traditional observers: bounded turns, each told the newest once. */
#include "broker_world.h"

#include <stdio.h>

#define MANY 1000

static void
setup(void)
{
	bw_init();
	bw_start();
	bw_topic("hall", "0");
	bw.mute = true;
	bw_subs(1, MANY);
	/* Everybody's next notifications are NONs and each is counted. */
	for (unsigned i = 1; i <= MANY; i++)
		bw.peers[i].n_values = 0;
}

START_TEST(a_turn_notifies_some_and_all_turns_everybody)
{
	unsigned turns = 1, before;

	bw.batch = true;
	bw_pub("a");
	before = bw.n_sent;
	ck_assert(broker_flush(bw.broker));
	ck_assert_uint_le(bw.n_sent - before, 256);
	while (broker_flush(bw.broker))
		turns++;
	ck_assert_uint_ge(turns, MANY / 256);
	for (unsigned i = 1; i <= MANY; i++)
		ck_assert_uint_eq(bw.peers[i].n_values, 1);
	ck_assert(!broker_flush(bw.broker));
}

START_TEST(a_publish_amid_a_fan_out_reaches_everybody_last)
{
	bw.batch = true;
	bw_pub("a");
	ck_assert(broker_flush(bw.broker));
	bw_pub("b");
	bw_acks(1, MANY);
	bw_flush();
	bw_acks(1, MANY);
	for (unsigned i = 1; i <= MANY; i++) {
		/* Who was told before the second publish was told twice. */
		ck_assert_uint_le(bw.peers[i].n_values, 2);
		ck_assert_uint_ge(bw.peers[i].n_values, 1);
	}
	ck_assert_uint_eq(bw_stats().notifications, MANY + 256);
}

START_TEST(who_leaves_amid_a_fan_out_costs_nobody_else_a_notification)
{
	bw.batch = true;
	bw_pub("a");
	ck_assert(broker_flush(bw.broker));
	/* Told ones, the next in turn, later ones, the last. */
	for (unsigned i = 200; i <= 300; i++)
		bw_unsub(i);
	bw_unsub(MANY);
	bw_unsub(1);
	/* As many new ones, who take the places of those in memory. */
	bw_subs(MANY + 1, MANY + 103);
	bw_flush();
	for (unsigned i = 2; i < MANY; i++) {
		bool left = i >= 200 && i <= 300;

		ck_assert_uint_eq(bw.peers[i].n_values, left && i > 256 ? 0 : 1);
	}
	/* Their registrations were answered with the newest. */
	for (unsigned i = MANY + 1; i <= MANY + 103; i++)
		ck_assert_uint_eq(bw.peers[i].n_values, 1);
}

START_TEST(all_leave_amid_a_fan_out)
{
	bw.batch = true;
	bw_pub("a");
	ck_assert(broker_flush(bw.broker));
	for (unsigned i = 1; i <= MANY; i++)
		bw_unsub(i);
	ck_assert(!broker_flush(bw.broker));
	bw_sub(1);
	bw_pub("b");
	bw_flush();
	ck_assert_uint_eq(bw_stats().observers, 1);
}

START_TEST(a_topic_deleted_amid_its_fan_out)
{
	bw_topic("attic", "a");
	bw_in(MANY + 1, "GET /ps/data/attic o=0");
	bw.batch = true;
	bw_pub("a");
	ck_assert(broker_flush(bw.broker));
	bw_in(BW_PUBLISHER, "PUT /ps/data/attic 'b'");
	bw_in(BW_PUBLISHER, "DELETE /ps/hall");
	bw_flush();
	ck_assert_uint_eq(bw.peers[MANY + 1].n_values, 2);
	for (int i = 0; i < 100; i++) {
		bw_acks(1, MANY);
		bw_go(100);
	}
	ck_assert_uint_eq(bw_stats().observers, 1);
}

START_TEST(topics_take_turns)
{
	char name[16];

	for (unsigned i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		bw_topic(name, "0");
		bw_in(MANY + 1 + i, "GET /ps/data/%s o=0", name);
	}
	bw.batch = true;
	for (unsigned i = 0; i < 50; i++)
		bw_in(BW_PUBLISHER, "PUT /ps/data/t%u 'x'", i);
	/* Every other of them loses its observer while it waits. */
	for (unsigned i = 0; i < 50; i += 2)
		bw_in(MANY + 1 + i, "GET /ps/data/t%u o=1", i);
	/* New ones take the places of what they left in memory. */
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "u%u", i);
		bw_topic(name, "0");
		bw_in(MANY + 101 + i, "GET /ps/data/%s o=0", name);
	}
	bw_flush();
	for (unsigned i = 0; i < 50; i++)
		ck_assert_uint_eq(bw.peers[MANY + 1 + i].n_values, 1 + i % 2);
}

/* Whose fan-out never ends, there being a publish before it does, holds up no other topic. */
START_TEST(a_topic_published_to_all_the_time_takes_turns_too)
{
	bw_topic("small", "0");
	bw_in(MANY + 1, "GET /ps/data/small o=0");
	bw.batch = true;
	bw_pub("a");
	bw_in(BW_PUBLISHER, "PUT /ps/data/small 'x'");
	bw.peers[MANY + 1].n_values = 0;
	for (unsigned i = 0; i < 2; i++) {
		bw_pub("b");
		ck_assert(broker_flush(bw.broker));
	}
	ck_assert_uint_eq(bw.peers[MANY + 1].n_values, 1);
	bw_flush();
}

/* Tails are encoded once for all: never one topic's for another's. */
START_TEST(two_topics_with_the_same_numbers)
{
	bw.mute = false;
	bw.random_byte = 0x11;
	bw_topic("one", "0");
	bw_topic("two", "0");
	bw.random_byte = -1;
	for (unsigned i = 0; i < 3; i++) {
		bw_in(MANY + 1 + i, "GET /ps/data/one o=0");
		bw_in(MANY + 11 + i, "GET /ps/data/two o=0");
	}
	bw.batch = true;
	bw_in(BW_PUBLISHER, "PUT /ps/data/one 'a'");
	bw_in(BW_PUBLISHER, "PUT /ps/data/two 'b'");
	(void)bw_said();
	bw_flush();
	bw_expect("1001:a 1002:a 1003:a 1011:b 1012:b 1013:b ");
	bw_in(BW_PUBLISHER, "DELETE /ps/one");
	bw.random_byte = 0x11;
	bw_topic("one", "0");
	(void)bw_said();
	bw_in(MANY + 21, "GET /ps/data/one o=0");
	bw_in(BW_PUBLISHER, "PUT /ps/data/one 'c'");
	bw_flush();
	ck_assert_ptr_nonnull(strstr(bw_said(), "1021:c "));
}

/* Bytes per observer and steps per message do not grow with their number. */
START_TEST(ten_thousand_observers)
{
	bw_stop();
	bw_init();
	bw.mute = true;
	bw_start();
	bw_topic("hall", "0");
	bw_subs(1, 8000);
	bw_pub("a");
	bw_acks(1, 8000);
	bw_go(BW_CHECK_DUE_MS);
	bw_pub("b");
	for (int i = 0; i < 200 && layer_n_exchanges(bw.layer) > 0; i++) {
		bw_acks(1, 8000);
		bw_go(1);
	}
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
	ck_assert_uint_eq(bw_stats().observers, 8000);
	for (unsigned i = 1; i <= 8000; i++)
		ck_assert_uint_eq(bw.peers[i].n_values, 3);
	bw_rst_last(4000);
	bw_go(BW_CHECK_DUE_MS);
	bw_pub("c");
	bw_go(1000 * 1000);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("fanout");
	TCase *t = tcase_create("fanout");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, a_turn_notifies_some_and_all_turns_everybody);
	tcase_add_test(t, a_publish_amid_a_fan_out_reaches_everybody_last);
	tcase_add_test(t, who_leaves_amid_a_fan_out_costs_nobody_else_a_notification);
	tcase_add_test(t, all_leave_amid_a_fan_out);
	tcase_add_test(t, a_topic_deleted_amid_its_fan_out);
	tcase_add_test(t, topics_take_turns);
	tcase_add_test(t, a_topic_published_to_all_the_time_takes_turns_too);
	tcase_add_test(t, two_topics_with_the_same_numbers);
	tcase_add_test(t, ten_thousand_observers);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
