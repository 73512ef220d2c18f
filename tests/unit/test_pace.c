/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much a client is sent that answers nothing: RFC 7641 4.5.1, at most one outstanding
 * notification, NONs at one per round trip on average; RFC 7252 4.7, little to an endpoint
 * that does not respond.
 */
#include "broker_world.h"

#include "msg/peer.h"

static void
setup(void)
{
	bw_init();
	bw_start();
	bw_topic("hall", "0");
	bw_sub(1);
	bw.mute = true;
}

/* Publishes every `every_ms`; acknowledges what is confirmable after `rtt_ms`. */
static void
publish(unsigned n, uint32_t every_ms, uint32_t rtt_ms)
{
	uint32_t n_con = bw.peers[1].n_con;
	uint64_t acked_at = 0;
	bool due = false;

	for (unsigned i = 0; i < n; i++) {
		bw_pub("x");
		for (uint32_t ms = 0; ms <= every_ms; ms++) {
			if (!due && bw.peers[1].n_con != n_con) {
				due = true;
				acked_at = bw.now_ms + rtt_ms;
				n_con = bw.peers[1].n_con;
			}
			if (due && bw.now_ms >= acked_at) {
				due = false;
				bw_ack(1);
			}
			if (ms < every_ms)
				bw_go(1);
		}
	}
}

/* "If the server cannot maintain an RTT estimate": one every 3 s, and a few at once. */
START_TEST(rfc7641_4_5_1_one_in_3_seconds_while_the_round_trip_is_not_known)
{
	for (int i = 0; i < PEER_BURST; i++)
		bw_pub("x");
	ck_assert_uint_eq(bw.peers[1].n_con, 0);
	ck_assert_uint_eq(bw.peers[1].n_values, 1 + PEER_BURST);
	/* The next one asks how long a round trip is; nothing else is outstanding then. */
	for (int i = 0; i < 50; i++)
		bw_pub("y");
	ck_assert_uint_eq(bw.peers[1].n_con, 1);
	ck_assert_uint_eq(bw.peers[1].n_values, 2 + PEER_BURST);
}

START_TEST(rfc7641_4_5_1_slower_ones_are_as_they_were)
{
	for (int i = 0; i < 90; i++) {
		bw_pub("x");
		bw_go(3000);
	}
	ck_assert_uint_eq(bw.peers[1].n_con, 0);
	ck_assert_uint_eq(bw.peers[1].n_values, 91);
}

static uint32_t
n_non(void)
{
	return bw.peers[1].n_values - bw.peers[1].n_con;
}

/* Half a second there and back, ten publishes a second for a minute. */
START_TEST(rfc7641_4_5_1_one_per_round_trip_on_average)
{
	uint32_t before;

	publish(30, 100, 500);
	ck_assert_uint_ge(bw.peers[1].n_con, 1);
	before = n_non();
	publish(600, 100, 500);
	ck_assert_uint_le(n_non() - before, 60000 / 500 + PEER_BURST);
	/* And not much less: a CON waits for its turn and for its acknowledgement. */
	ck_assert_uint_ge(n_non() - before, 60000 / 500 / 3);
	/* Who is quiet for a while may say a few at once again. */
	bw_go(60000);
	bw_ack(1);
	before = n_non();
	for (int i = 0; i < 8; i++)
		bw_pub("z");
	ck_assert_uint_eq(n_non() - before, 8);
}

/* On a LAN a round trip takes less than can be measured, and nothing is held up. */
START_TEST(rfc7641_4_5_1_a_short_round_trip_holds_nothing_up)
{
	uint32_t n_con;

	for (int i = 0; i <= PEER_BURST; i++)
		bw_pub("x");
	bw_ack(1);
	n_con = bw.peers[1].n_con;
	for (int i = 0; i < 99; i++)
		bw_pub("x");
	ck_assert_uint_eq(bw.peers[1].n_con, n_con);
	ck_assert_uint_eq(bw.peers[1].n_values, 1 + PEER_BURST + 1 + 99);
}

/* The last value arrives, whatever was left out before it. */
START_TEST(the_newest_value_arrives)
{
	struct msg m;

	publish(100, 10, 300);
	bw_pub("last");
	for (int i = 0; i < 20; i++) {
		bw_go(400);
		bw_ack(1);
	}
	m = bw_last(1);
	ck_assert(bytes_is(m.payload, "last"));
}

/*
 * "an endpoint does not exceed an average data rate of PROBING_RATE in sending to another
 * endpoint that does not respond": a few NONs, one CON and its retransmissions, and then
 * nothing more, ever.
 */
START_TEST(rfc7252_4_7_probing_rate_who_does_not_respond_is_left_alone)
{
	for (int i = 0; i < 36000; i++) {
		bw_pub("x");
		bw_go(100);
	}
	ck_assert_uint_le(bw.peers[1].n_values, 1 + PEER_BURST + 1 + 1 + 4);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().observers_dropped, 1);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("pace");
	TCase *t = tcase_create("pace");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, rfc7641_4_5_1_one_in_3_seconds_while_the_round_trip_is_not_known);
	tcase_add_test(t, rfc7641_4_5_1_slower_ones_are_as_they_were);
	tcase_add_test(t, rfc7641_4_5_1_one_per_round_trip_on_average);
	tcase_add_test(t, rfc7641_4_5_1_a_short_round_trip_holds_nothing_up);
	tcase_add_test(t, the_newest_value_arrives);
	tcase_add_test(t, rfc7252_4_7_probing_rate_who_does_not_respond_is_left_alone);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
