/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients that acknowledge the 5.03 and register again: product.md, "Who is moved". */
#include "broker_world.h"

#include "broker/unaware.h"

/* A running group observation. */
static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 1);
	bw_start();
	bw_topic("hall", "0");
	bw_sub(1);
	bw_ack(1);
	(void)bw_said();
}

/* Peer 2 registers and is moved so many times. */
static void
move(int times)
{
	for (int i = 0; i < times; i++) {
		bw_sub(2);
		bw_ack(2);
	}
	(void)bw_said();
}

START_TEST(twice_again_within_a_minute)
{
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
	bw_go(29000);
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
	bw_go(30000);
	ck_assert(bw_count() == 3);
	bw_sub(2);
	bw_expect("u2 2+0 ");
	ck_assert(bw_count() == 1);
	ck_assert_uint_eq(bw_stats().unaware, 1);
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	bw_pub("a");
	bw_expect("*:a 2:a ");
	/* It is said once, and stays so. */
	bw_sub(2);
	bw_expect("2+a ");
	bw_unsub(2);
	bw_sub(2);
	bw_expect("2=2.05:a 2+a ");
	bw_in(2, "GET /ps/data/hall o=0 t=99");
	bw_expect("2+a ");
	ck_assert_uint_eq(bw_stats().unaware, 1);
}
END_TEST

START_TEST(not_when_a_minute_has_passed)
{
	bw_sub(2);
	bw_ack(2);
	bw_sub(2);
	bw_ack(2);
	bw_go(60000);
	(void)bw_said();
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
	bw_sub(2);
	bw_expect("u2 2+0 ");
}
END_TEST

/* The 5.03 has to be acknowledged: until then it asks because it knows nothing. */
START_TEST(not_before_the_503_is_acknowledged)
{
	for (int i = 0; i < 5; i++) {
		bw_in(2, "GET /ps/data/hall o=0 t=0%d", i);
		bw_expect(i == 0 ? "a2 i2 " : "a2 ");
	}
	bw_ack(2);
}
END_TEST

/* Who is counted, or wants no answer, understands; copies of a message are one. */
START_TEST(what_does_not_count)
{
	move(2);
	bw_in(2, "NON GET /ps/data/hall o=0 fd=0 nr=26");
	bw_in(2, "NON GET /ps/data/hall o=0 fd=0 nr=26");
	bw_in(2, "NON GET /ps/data/hall o=0 nr=26");
	bw_in(2, "GET /ps/data/hall o=0 nr=2");
	bw_expect("a2 i2 ");
	bw_ack(2);
	bw_again();
	bw_again();
	bw_expect("a2 a2 ");
	bw_in(2, "GET /ps/data/hall");
	bw_unsub(2);
	bw_expect("2=2.05:0 2=2.05:0 ");
	bw_sub(2);
	bw_expect("u2 2+0 ");
}
END_TEST

START_TEST(another_peer_or_topic_counts_for_itself)
{
	bw_topic("room", "0");
	move(2);
	bw_sub(3);
	bw_in(2, "GET /ps/data/room o=0");
	bw_expect("a3 i3 a2 i2 ");
	bw_ack(2);
	bw_ack(3);
	bw_sub(2);
	bw_expect("u2 2+0 ");
	bw_in(2, "GET /ps/data/room o=0");
	bw_expect("a2 i2 ");
	bw_ack(2);
}
END_TEST

START_TEST(a_reset_takes_it_off_the_list)
{
	move(2);
	bw_sub(2);
	bw_pub("a");
	bw_rst_last(2);
	(void)bw_said();
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
}
END_TEST

START_TEST(a_timeout_takes_it_off_the_list)
{
	bw.mute = true;
	move(2);
	bw_sub(2);
	/* One of a hundred is confirmable. */
	for (int i = 0; i < 110; i++)
		bw_pub("a");
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_go(200000);
	ck_assert_uint_eq(bw_stats().observers, 0);
	bw.mute = false;
	(void)bw_said();
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
}
END_TEST

START_TEST(the_end_of_the_group_observation_takes_it_off_the_list)
{
	move(2);
	bw_sub(2);
	(void)bw_said();
	bw_in(9, "DELETE /ps/data/hall");
	bw_expect("9=2.02 *x x2 ");
	bw_ack(2);
	bw_in(9, "PUT /ps/data/hall 'b'");
	(void)bw_said();
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
	/* What was suspected in the last one is forgotten. */
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_ack(2);
	bw_sub(2);
	bw_expect("u2 2+b ");
}
END_TEST

START_TEST(the_list_is_bounded)
{
	unsigned last = 100 + UNAWARE_MAX;

	bw.mute = true;
	for (unsigned peer = 100; peer <= last; peer++) {
		for (int i = 0; i < 2; i++) {
			bw_sub(peer);
			bw_ack(peer);
		}
		bw_sub(peer);
	}
	/* The suspects are known by hash: some may have been forgotten. */
	ck_assert_uint_le(bw_stats().unaware, UNAWARE_MAX);
	ck_assert_uint_gt(bw_stats().unaware, UNAWARE_MAX - 200);
}
END_TEST

START_TEST(the_broker_goes_with_its_list)
{
	move(2);
	bw_sub(2);
	ck_assert_uint_eq(bw_stats().unaware, 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("unaware");
	TCase *t = tcase_create("unaware");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, twice_again_within_a_minute);
	tcase_add_test(t, not_when_a_minute_has_passed);
	tcase_add_test(t, not_before_the_503_is_acknowledged);
	tcase_add_test(t, what_does_not_count);
	tcase_add_test(t, another_peer_or_topic_counts_for_itself);
	tcase_add_test(t, a_reset_takes_it_off_the_list);
	tcase_add_test(t, a_timeout_takes_it_off_the_list);
	tcase_add_test(t, the_end_of_the_group_observation_takes_it_off_the_list);
	tcase_add_test(t, the_list_is_bounded);
	tcase_add_test(t, the_broker_goes_with_its_list);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
