/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group observations: when one starts, and how observers are moved into it
 * ("Request", "Informative Response"). Who qualifies: test_qualify.c; what it
 * then sends: test_multicast.c.
 */
#include "broker_world.h"

static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 3);
	bw_start();
	bw_topic("hall", "0");
}

/* The same with another threshold. */
static struct broker_group *
anew(uint32_t threshold)
{
	bw_stop();
	bw_init();
	return bw_group("239.255.17.4:61616", threshold);
}

static void
begin(void)
{
	bw_start();
	bw_topic("hall", "0");
}

/* Three observers, moved. */
static void
start_group(void)
{
	bw_subs(1, 3);
	bw_acks(1, 3);
	(void)bw_said();
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().moved, 3);
}

/* --- the start --------------------------------------------------------------------- */

START_TEST(third_observer_makes_a_group)
{
	bw_subs(1, 2);
	bw_pub("hi");
	bw_expect("1+0 2+0 1:hi 2:hi ");
	bw_sub(3);
	bw_expect("a3 i1 i2 i3 ");
	bw_acks(1, 3);
	bw_pub("ho");
	bw_expect("*:ho ");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().informed, 3);
	ck_assert_uint_eq(bw_stats().moved, 3);
	ck_assert_uint_eq(bw.n_groups_began, 1);
}

START_TEST(the_first_observer_makes_a_group)
{
	anew(1);
	begin();
	bw_sub(1);
	bw_expect("a1 i1 ");
	bw_ack(1);
	bw_pub("hi");
	bw_expect("*:hi ");
}

START_TEST(registered_again_counts_once)
{
	bw_sub(1);
	bw_sub(1);
	bw_sub(1);
	bw_sub(2);
	bw_expect("1+0 1+0 1+0 2+0 ");
	bw_unsub(1);
	bw_sub(3);
	bw_expect("1=2.05:0 3+0 ");
	bw_sub(1);
	bw_expect("a1 i2 i3 i1 ");
}

/* "Informative Response": a later registration gets the same answer. */
START_TEST(omn_4_2_later_registrations_get_the_same_answer)
{
	struct inform a, b;

	start_group();
	a = bw_inform(3);
	bw_sub(4);
	bw_expect("a4 i4 ");
	b = bw_inform(4);
	ck_assert(token_equal(&a.token, &b.token));
	ck_assert(bytes_equal(a.ph_req, b.ph_req));
	ck_assert(bytes_equal(a.last_notif, b.last_notif));
	bw_ack(4);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* RFC 7252 5.2.2: the empty ACK belongs to a CON. */
START_TEST(rfc7252_5_2_2_a_non_registration_gets_the_503_only)
{
	bw_subs(1, 2);
	bw_in(3, "NON GET /ps/data/hall o=0");
	bw_expect("1+0 2+0 i1 i2 i3 ");
	bw_in(4, "NON GET /ps/data/hall o=0");
	bw_expect("i4 ");
	bw_again();
	bw_expect("");
	bw_ack(4);
	bw_again();
	bw_expect("");
}

START_TEST(duplicates_cause_no_second_503)
{
	bw_subs(1, 3);
	(void)bw_said();
	/* Of the one that reached the threshold. */
	bw_again();
	bw_expect("a3 ");
	bw_acks(1, 3);
	bw_again();
	bw_expect("a3 ");
	bw_sub(4);
	bw_again();
	bw_expect("a4 i4 a4 ");
	bw_ack(4);
	bw_again();
	bw_expect("a4 ");
	bw_go(100000);
	bw_expect("*:0 ");
	ck_assert_uint_eq(bw_stats().informed, 4);
}

START_TEST(a_registration_while_its_503_is_under_way)
{
	start_group();
	bw_sub(4);
	bw_sub(4);
	bw_expect("a4 i4 a4 ");
	/* Under another token it is another one; one CON at a time (RFC 7252 4.7). */
	bw_in(4, "GET /ps/data/hall o=0 t=0b");
	bw_expect("a4 ");
	bw_ack(4);
	bw_expect("i4 ");
	bw_ack(4);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().moved, 5);
}

START_TEST(a_503_is_paced_and_retransmitted)
{
	anew(100);
	begin();
	bw_subs(1, 99);
	(void)bw_said();
	bw_sub(100);
	/* 64 in flight, the others when there is room. */
	ck_assert_uint_eq(bw_stats().informed, 100);
	ck_assert_uint_eq(layer_stats(bw.layer)->con_sent, 64);
	bw_acks(1, 10);
	ck_assert_uint_eq(layer_stats(bw.layer)->con_sent, 74);
	bw_go(100);
	ck_assert_uint_eq(layer_stats(bw.layer)->con_sent, 100);
	bw_acks(11, 99);
	(void)bw_said();
	bw_go(3100);
	bw_expect("i100 ");
	bw_ack(100);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* --- ends of moving ----------------------------------------------------------------- */

START_TEST(rfc7252_4_2_a_reset_of_the_503_ends_the_observation)
{
	bw_subs(1, 3);
	bw_rst(1);
	bw_acks(2, 3);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().moved, 2);
	ck_assert_uint_eq(bw_stats().observers_dropped, 1);
	ck_assert_uint_eq(bw_stats().group_observations, 1);
}

/* RFC 7641 3.6: to a notification that came before the 5.03. */
START_TEST(a_reset_of_an_earlier_notification_ends_the_move)
{
	uint16_t mid;

	bw_subs(1, 2);
	bw_pub("a");
	mid = bw.peers[1].mid;
	bw_sub(3);
	bw.peers[1].mid = mid;
	bw_rst_last(1);
	ck_assert_uint_eq(bw_stats().observers, 2);
	bw_acks(2, 3);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
}

START_TEST(the_final_timeout_of_the_503_ends_all_of_the_peer)
{
	bw_in(1, "GET /ps/data/hall?x o=0 t=0b");
	bw_subs(1, 3);
	bw_acks(2, 3);
	(void)bw_said();
	bw_go(50000);
	bw_expect("i1 i1 i1 i1 ");
	ck_assert_uint_eq(bw_stats().observers, 2);
	bw_go(60000);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().observers_dropped, 2);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
}

START_TEST(leaving_while_the_503_is_under_way)
{
	bw_subs(1, 3);
	(void)bw_said();
	bw_unsub(1);
	bw_expect("1=2.05:0 ");
	bw_acks(2, 3);
	ck_assert_uint_eq(bw_stats().observers, 0);
	bw_go(30000);
	bw_expect("");
}

/* A moved client that leaves: "A deregistration is answered as a plain GET". */
START_TEST(omn_5_2_leaving_after_being_moved_is_a_plain_get)
{
	start_group();
	bw_unsub(1);
	bw_expect("1=2.05:0 ");
	ck_assert_uint_eq(bw_stats().deregistrations, 0);
}

START_TEST(a_notification_under_way_gives_way_to_the_503)
{
	bw_subs(1, 2);
	bw_go(BW_CHECK_DUE_MS);
	bw_pub("a");
	bw_expect("1+0 2+0 1!a 2!a ");
	bw_sub(3);
	bw_expect("a3 i1 i2 i3 ");
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 3);
	bw_acks(1, 3);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(a_publish_not_yet_flushed_when_it_starts)
{
	bw_subs(1, 2);
	(void)bw_said();
	bw.batch = true;
	bw_pub("a");
	bw_sub(3);
	bw_flush();
	/* The 5.03 tells it; nobody needs a notification besides. */
	bw_expect("a3 i1 i2 i3 ");
	ck_assert(bytes_is(bw_inform(1).res, "a"));
}

START_TEST(deleted_data_while_moving)
{
	bw_subs(1, 3);
	bw_ack(1);
	(void)bw_said();
	bw_in(9, "DELETE /ps/data/hall");
	/* The group's cancellation, and a 4.04 for who has not acknowledged the 5.03. */
	bw_expect("9=2.02 *x x2 x3 ");
	bw_acks(2, 3);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw.n_groups_ended, 1);
}

START_TEST(the_broker_goes_while_moving)
{
	bw_in(4, "GET /ps/data/hall?x o=0");
	bw_subs(1, 3);
	bw_topic("attic", "a");
	bw_in(5, "GET /ps/data/attic o=0");
	bw_in(5, "DELETE /ps/attic");
	bw_pub("x");
	/* The teardown finds every leak. */
}

/* --- no room -------------------------------------------------------------------------- */

START_TEST(those_without_room_are_moved_when_there_is_some)
{
	anew(5);
	bw.layer_limits.exchanges = 2;
	begin();
	bw_subs(1, 5);
	/* The one that reached the threshold stays what it wanted to be, for now. */
	bw_expect("1+0 2+0 3+0 4+0 5+0 i1 i2 ");
	bw_pub("a");
	bw_expect("*:a 3:a 4:a 5:a ");
	bw_ack(1);
	bw_expect("i3 ");
	bw_acks(2, 3);
	bw_expect("i4 i5 ");
	bw_pub("b");
	bw_expect("*:b ");
	bw_acks(4, 5);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().moved, 5);
}

START_TEST(those_without_room_hear_what_is_published)
{
	anew(5);
	bw.layer_limits.exchanges = 2;
	begin();
	bw_subs(1, 5);
	(void)bw_said();
	/* The ACK makes room for one, and the publish is for all that are left. */
	bw.batch = true;
	bw_pub("a");
	bw_ack(1);
	bw_flush();
	bw_expect("*:a 4:a 5:a i3 ");
}

START_TEST(a_refresh_moves_those_who_were_forgotten)
{
	anew(2);
	bw.layer_limits.exchanges = 1;
	begin();
	bw_topic("attic", "a");
	bw_in(9, "GET /ps/data/attic?x o=0");
	bw_go(BW_CHECK_DUE_MS);
	bw_in(8, "PUT /ps/data/attic 'b'");
	bw_subs(1, 2);
	bw_expect("9+a 8=2.04 9!b 1+0 2+0 ");
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	bw_ack(9);
	bw_expect("");
	bw_go(60000);
	bw_expect("*:0 i1 ");
	bw_ack(1);
	bw_expect("i2 ");
	bw_ack(2);
	ck_assert_uint_eq(bw_stats().moved, 2);
}

START_TEST(a_later_registration_without_room_is_refused)
{
	anew(1);
	bw.layer_limits.exchanges = 1;
	begin();
	bw_subs(1, 2);
	bw_expect("a1 i1 2=2.05:0 ");
	ck_assert_uint_eq(bw_stats().observers, 1);
	ck_assert_uint_eq(bw_stats().registrations_refused, 1);
	bw_ack(1);
	bw_sub(2);
	bw_expect("a2 i2 ");
}

START_TEST(too_many_observers_in_a_running_group)
{
	anew(1);
	bw.conf.limits.observers = 1;
	begin();
	bw_subs(1, 2);
	bw_expect("a1 i1 2=2.05:0 ");
	bw_ack(1);
	bw_sub(2);
	bw_expect("a2 i2 ");
}

/* A start with more of them than a turn moves. */
START_TEST(very_many_are_moved_in_turns)
{
	anew(1000);
	begin();
	bw.mute = true;
	bw_subs(1, 999);
	bw.batch = true;
	bw_sub(1000);
	/* The last one too: it waits for an answer. */
	ck_assert_uint_eq(bw_stats().informed, 257);
	bw.batch = false;
	bw_flush();
	ck_assert_uint_eq(bw_stats().informed, 1000);
	bw_pub("x");
	ck_assert_uint_eq(bw.n_to_group[0], 1);
	for (unsigned i = 1; i <= 999; i++)
		ck_assert_uint_eq(bw.peers[i].n_values, 1);
	for (int i = 0; i < 20; i++) {
		bw_acks(1, 1000);
		bw_go(100);
	}
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().moved, 1000);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
}

/* --- counting only ----------------------------------------------------------------------- */

/* "Processing on the Client Side": No-Response 26 or 16 wants no answer. */
START_TEST(who_wants_no_503_gets_none)
{
	start_group();
	bw_in(4, "GET /ps/data/hall o=0 nr=16");
	bw_expect("a4 ");
	bw_again();
	bw_expect("a4 ");
	bw_in(5, "NON GET /ps/data/hall o=0 nr=26");
	bw_expect("");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().informed, 3);
	/* The observer counter: those who acknowledged, and those who told. */
	bw_sub(6);
	bw_rst(6);
	bw_in(9, "DELETE /ps/hall");
	ck_assert_uint_eq(bw.count, 5);
}

/* --- tokens --------------------------------------------------------------------------- */

/* Whether a peer was told this token. */
static bool
has_token(unsigned peer, struct token token)
{
	struct inform in = bw_inform(peer);

	return token_equal(&in.token, &token);
}

START_TEST(omn_4_1_no_two_live_ones_share_a_token)
{
	struct token first;

	anew(1);
	begin();
	bw_topic("attic", "a");
	bw.random_byte = 0x55;
	bw_sub(1);
	first = bw_inform(1).token;
	ck_assert_uint_eq(first.n, 4);
	ck_assert_uint_eq(first.b[0], 0x55);
	/* No other to be had: it stays traditional. */
	bw_in(2, "GET /ps/data/attic o=0");
	bw_expect("a1 i1 2+a ");
	bw.random_byte = 0x56;
	bw_in(3, "GET /ps/data/attic o=0");
	bw_expect("a3 i2 i3 ");
	ck_assert(!has_token(3, first));
	/* Free again with the end. */
	bw_in(9, "DELETE /ps/data/hall");
	bw_in(9, "DELETE /ps/data/attic");
	bw_pub("b");
	bw.random_byte = 0x55;
	bw_sub(4);
	ck_assert(has_token(4, first));
}

START_TEST(omn_4_1_another_group_is_another_token_space)
{
	anew(1);
	bw_group("[ff35:30:2001:db8::23]", 1);
	begin();
	bw.random_byte = 0x55;
	bw_sub(1);
	bw.family = AF_INET6;
	bw_sub(2);
	bw_expect("a1 i1 a6.2 i6.2 ");
	ck_assert(has_token(2, bw_inform(1).token));
}

START_TEST(the_token_space_is_of_both_endpoints)
{
	static const char *const attic[] = {"attic"};
	struct broker_group *second;

	anew(1)->patterns = attic;
	second = bw_group("239.255.17.5:61616", 1);
	begin();
	bw_topic("attic", "a");
	bw_topic("cellar", "c");
	ck_assert_ptr_nonnull(second);
	bw.random_byte = 0x55;
	bw_in(1, "GET /ps/data/attic o=0");
	bw_in(2, "GET /ps/data/hall o=0");
	/* The second group and our first address have it already, not our second. */
	bw_in(3, "GET /ps/data/cellar o=0");
	bw_expect("a1 i1 a2 i2 3+c ");
	bw.address = 2;
	bw_in(4, "GET /ps/data/cellar o=0");
	bw_expect("a4 i4 ");
	ck_assert_uint_eq(bw_stats().group_observations, 3);
}

static void
add_start(TCase *t)
{
	tcase_add_test(t, third_observer_makes_a_group);
	tcase_add_test(t, the_first_observer_makes_a_group);
	tcase_add_test(t, registered_again_counts_once);
	tcase_add_test(t, omn_4_2_later_registrations_get_the_same_answer);
	tcase_add_test(t, rfc7252_5_2_2_a_non_registration_gets_the_503_only);
	tcase_add_test(t, duplicates_cause_no_second_503);
	tcase_add_test(t, a_registration_while_its_503_is_under_way);
	tcase_add_test(t, a_503_is_paced_and_retransmitted);
}

static void
add_ends(TCase *t)
{
	tcase_add_test(t, rfc7252_4_2_a_reset_of_the_503_ends_the_observation);
	tcase_add_test(t, a_reset_of_an_earlier_notification_ends_the_move);
	tcase_add_test(t, the_final_timeout_of_the_503_ends_all_of_the_peer);
	tcase_add_test(t, leaving_while_the_503_is_under_way);
	tcase_add_test(t, omn_5_2_leaving_after_being_moved_is_a_plain_get);
	tcase_add_test(t, a_notification_under_way_gives_way_to_the_503);
	tcase_add_test(t, a_publish_not_yet_flushed_when_it_starts);
	tcase_add_test(t, deleted_data_while_moving);
	tcase_add_test(t, the_broker_goes_while_moving);
}

static void
add_limits(TCase *t)
{
	tcase_add_test(t, those_without_room_are_moved_when_there_is_some);
	tcase_add_test(t, those_without_room_hear_what_is_published);
	tcase_add_test(t, a_refresh_moves_those_who_were_forgotten);
	tcase_add_test(t, a_later_registration_without_room_is_refused);
	tcase_add_test(t, too_many_observers_in_a_running_group);
	tcase_add_test(t, very_many_are_moved_in_turns);
	tcase_add_test(t, who_wants_no_503_gets_none);
	tcase_add_test(t, omn_4_1_no_two_live_ones_share_a_token);
	tcase_add_test(t, omn_4_1_another_group_is_another_token_space);
	tcase_add_test(t, the_token_space_is_of_both_endpoints);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("group");
	TCase *t = tcase_create("group");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_start(t);
	add_ends(t);
	add_limits(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
