/* SPDX-License-Identifier: BSD-2-Clause */
/* Traditional observations: RFC 7641, RFC 7959 2.6, limits. The fan-out: test_fanout.c. */
#include "broker_world.h"

#include "wire/option.h"

static void
setup(void)
{
	bw_init();
	bw_start();
	bw_topic("hall", "0");
}

/* --- registration ---------------------------------------------------------------- */

START_TEST(rfc7641_4_1_a_registration_is_answered_with_observe)
{
	bw_sub(1);
	bw_expect("1+0 ");
	bw_pub("hi");
	bw_expect("1:hi ");
	ck_assert_uint_eq(bw_stats().observers, 1);
}

START_TEST(a_non_registration_is_answered_by_non)
{
	bw_in(1, "NON GET /ps/data/hall o=0");
	bw_expect("1:0 ");
	bw_pub("hi");
	bw_expect("1:hi ");
}

/* RFC 7641 4.1: the token and the endpoint are what tells registrations apart. */
START_TEST(rfc7641_4_1_registered_again_under_the_same_token)
{
	bw_sub(1);
	bw_sub(1);
	bw_expect("1+0 1+0 ");
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_pub("hi");
	bw_expect("1:hi ");
}

START_TEST(another_token_is_another_observation)
{
	bw_sub(1);
	bw_in(1, "GET /ps/data/hall o=0 t=0b");
	(void)bw_said();
	bw_pub("hi");
	bw_expect("1:hi 1:hi ");
	ck_assert_uint_eq(bw_stats().observers, 2);
}

START_TEST(the_same_token_on_another_topic_replaces)
{
	bw_topic("attic", "a");
	bw_sub(1);
	bw_in(1, "GET /ps/data/attic o=0");
	bw_expect("1+0 1+a ");
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_pub("hi");
	bw_expect("");
	bw_in(2, "PUT /ps/data/attic 'b'");
	bw_expect("2=2.04 1:b ");
}

START_TEST(our_other_address_is_another_endpoint)
{
	bw_sub(1);
	bw.address = 2;
	bw_sub(1);
	ck_assert_uint_eq(bw_stats().observers, 2);
}

START_TEST(rfc7641_3_6_deregistration)
{
	bw_sub(1);
	bw_sub(2);
	bw_unsub(1);
	bw_expect("1+0 2+0 1=2.05:0 ");
	bw_pub("hi");
	bw_expect("2:hi ");
	ck_assert_uint_eq(bw_stats().deregistrations, 1);
}

START_TEST(deregistration_needs_the_token_and_the_topic)
{
	bw_topic("attic", "a");
	bw_sub(1);
	bw_in(1, "GET /ps/data/hall o=1 t=0b");
	bw_in(1, "GET /ps/data/attic o=1");
	bw_in(1, "GET /ps/data/hall");
	(void)bw_said();
	bw_pub("hi");
	bw_expect("1:hi ");
}

START_TEST(other_values_of_observe_are_a_plain_get)
{
	bw_in(1, "GET /ps/data/hall o=2");
	bw_expect("1=2.05:0 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(nothing_is_observed_where_nothing_is)
{
	bw_topic("half", NULL);
	bw_in(1, "GET /ps/data/half o=0");
	bw_in(1, "GET /ps/data/none o=0");
	bw_in(1, "GET /ps/data/hall o=0 b2raw=7");
	bw_in(1, "GET /ps/data/hall o=0 b2=1/64");
	bw_expect("1=4.04 1=4.04 1=4.00 1=4.00 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(other_resources_do_not_observe)
{
	bw_in(1, "GET /ps/hall o=0");
	bw_in(1, "GET /ps o=0");
	bw_in(1, "GET /.well-known/core o=0");
	ck_assert_ptr_null(strchr(bw_said(), '+'));
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* RFC 7641 4.2.3: a 2.03 when the client has the value already. */
START_TEST(a_registration_with_the_etag_it_has)
{
	struct msg m;
	char etag[17];
	struct buf hex = buf_of(etag, sizeof(etag));

	bw_in(1, "GET /ps/data/hall");
	m = bw_last(1);
	buf_put_hex(&hex, bw_etag(&m));
	bw_in(1, "GET /ps/data/hall o=0 e=%s", buf_str(&hex));
	bw_expect("1=2.05:0 1=2.03+ ");
	bw_pub("hi");
	bw_expect("1:hi ");
}

START_TEST(a_registration_by_multicast_is_answered)
{
	bw.multicast = true;
	bw_in(1, "NON GET /ps/data/hall o=0");
	bw_go(LAYER_LEISURE_MS);
	bw_expect("1:0 ");
	bw.multicast = false;
	bw_pub("hi");
	bw_go(LAYER_LEISURE_MS);
	bw_expect("1:hi ");
}

/* --- limits ---------------------------------------------------------------------- */

START_TEST(too_many_observers_of_one_peer)
{
	for (unsigned i = 0; i < 8; i++)
		bw_in(1, "GET /ps/data/hall o=0 t=a%u", i);
	(void)bw_said();
	bw_in(1, "GET /ps/data/hall o=0 t=a8");
	bw_expect("1=2.05:0 ");
	bw_in(1, "GET /ps/data/hall o=0 t=a0");
	bw_expect("1+0 ");
	bw_in(2, "GET /ps/data/hall o=0 t=a8");
	bw_expect("2+0 ");
	ck_assert_uint_eq(bw_stats().observers, 9);
	ck_assert_uint_eq(bw_stats().registrations_refused, 1);
}

START_TEST(too_many_observers)
{
	bw_stop();
	bw_init();
	bw.conf.limits.observers = 3;
	bw_start();
	bw_topic("hall", "0");
	bw_subs(1, 4);
	bw_expect("1+0 2+0 3+0 4=2.05:0 ");
	bw_unsub(1);
	bw_sub(4);
	bw_expect("1=2.05:0 4+0 ");
	/* A refused one leaves nothing behind that would fix the format. */
	bw_topic("attic", "a");
	bw_in(5, "GET /ps/data/attic o=0");
	bw_in(5, "PUT /ps/data/attic ct=60 'b'");
	bw_expect("5=2.05:a 5=2.04 ");
}

START_TEST(the_peers_of_observers_stay)
{
	bw_stop();
	bw_init();
	bw.layer_limits.peers = 4;
	bw_start();
	bw_topic("hall", "0");
	bw_subs(1, 2);
	for (unsigned peer = 10; peer < 20; peer++)
		bw_in(peer, "GET /ps/data/none");
	(void)bw_said();
	bw_pub("a");
	bw_expect("1:a 2:a ");
	bw_unsub(1);
	bw_unsub(2);
	for (unsigned peer = 10; peer < 20; peer++)
		bw_in(peer, "GET /ps/data/none");
	ck_assert_uint_eq(layer_n_peers(bw.layer), 4);
	(void)bw_said();
	bw_pub("b");
	bw_expect("");
}

/* --- notifications ------------------------------------------------------------------ */

START_TEST(every_publish_is_notified_equal_ones_too)
{
	bw_sub(1);
	bw_pub("hi");
	bw_pub("hi");
	bw_pub("hi");
	bw_expect("1+0 1:hi 1:hi 1:hi ");
}

START_TEST(publishes_of_one_batch_are_one_notification)
{
	struct msg first, second;

	bw_subs(1, 2);
	first = bw_last(1);
	(void)bw_said();
	bw.batch = true;
	bw_pub("a");
	bw_pub("b");
	bw_pub("c");
	bw_flush();
	bw_expect("1:c 2:c ");
	/* And one number: it counts what is sent. */
	second = bw_last(1);
	ck_assert_int_eq(
		bw_option(&second, OPT_OBSERVE), (bw_option(&first, OPT_OBSERVE) + 1) & 0xffffff);
}

START_TEST(what_a_notification_carries)
{
	struct msg first, m;

	bw_in(2, "PUT /ps/data/hall ct=60 'x'");
	bw_in(1, "GET /ps/data/hall o=0 t=0102030405060708");
	first = bw_last(1);
	bw_in(2, "PUT /ps/data/hall ct=60 'yy'");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(m.type, TYPE_NON);
	ck_assert(token_equal(&m.token, &first.token));
	ck_assert_uint_eq(m.token.n, 8);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
	ck_assert(!bytes_equal(bw_etag(&m), bw_etag(&first)));
	ck_assert_int_eq(
		bw_option(&m, OPT_OBSERVE), (bw_option(&first, OPT_OBSERVE) + 1) & 0xffffff);
	ck_assert_uint_eq(m.n_opts, 3);
	ck_assert_uint_lt(m.mid, 0x8000);
}

/* RFC 7641 4.4: the sequence goes on from 2^24-1 with 0. */
START_TEST(rfc7641_4_4_numbers_rise_and_wrap_around)
{
	int64_t last, seq = 0;
	struct msg m;

	bw.random_bytes = BYTES_LIT("\xfc\xff\xff\xff");
	bw_topic("late", "0");
	bw.random_bytes = BYTES_NONE;
	bw_in(1, "GET /ps/data/late o=0");
	m = bw_last(1);
	last = bw_option(&m, OPT_OBSERVE);
	for (int i = 0; i < 5; i++) {
		bw_in(2, "PUT /ps/data/late '%d'", i);
		m = bw_last(1);
		seq = bw_option(&m, OPT_OBSERVE);
		ck_assert_int_ge(seq, 0);
		ck_assert_int_lt(seq, 1 << 24);
		ck_assert(observe_newer((uint32_t)last, 0, (uint32_t)seq, 0));
		last = seq;
	}
	ck_assert_int_eq(seq, 2);
}

START_TEST(the_number_of_a_value_is_the_same_for_all)
{
	struct msg a, b;

	bw_sub(1);
	bw_pub("x");
	bw_sub(2);
	a = bw_last(1);
	b = bw_last(2);
	ck_assert_int_eq(bw_option(&a, OPT_OBSERVE), bw_option(&b, OPT_OBSERVE));
}

/* RFC 7641 4.5: a CON now and then. */
START_TEST(rfc7641_4_5_one_notification_in_a_hundred_is_confirmable)
{
	bw_sub(1);
	bw.mute = true;
	for (int i = 0; i < 1000; i++) {
		bw_pub("x");
		bw_ack(1);
	}
	ck_assert_uint_eq(bw.peers[1].n_values, 1001);
	ck_assert_uint_eq(bw.peers[1].n_con, 10);
	ck_assert_uint_eq(bw_stats().notifications_con, 10);
}

START_TEST(confirmable_ones_are_spread_over_the_observers)
{
	unsigned n_con = 0;

	bw_subs(1, 200);
	bw.mute = true;
	for (unsigned i = 0; i < 50; i++) {
		bw_pub("x");
		ck_assert_uint_le(bw_stats().notifications_con - n_con, 4);
		n_con = (unsigned)bw_stats().notifications_con;
		bw_acks(1, 200);
		bw_go(3000);
	}
	ck_assert_uint_ge(n_con, 100);
}

START_TEST(rfc7641_4_5_a_confirmable_one_after_24_hours)
{
	bw_sub(1);
	bw_go(86400 * 750 - 1000);
	bw_pub("a");
	bw_go(1000);
	bw_pub("b");
	/* A publish in the last quarter of the day serves. */
	bw_expect("1+0 1:a 1!b ");
	bw_ack(1);
	bw_go(3600 * 1000);
	bw_pub("c");
	bw_expect("1:c ");
}

/* Makes the next notification to peer 1 a confirmable one. */
static void
make_due(void)
{
	bw_go(BW_CHECK_DUE_MS);
	(void)bw_said();
}

/* RFC 7641 4.5.1: one unacknowledged at most; then only the newest. */
START_TEST(rfc7641_4_5_1_newest_wins_while_a_con_is_unacknowledged)
{
	bw_sub(1);
	make_due();
	bw_pub("a");
	bw_expect("1!a ");
	bw_pub("b");
	bw_pub("c");
	bw_expect("");
	bw_ack(1);
	bw_expect("1:c ");
	bw_pub("d");
	bw_expect("1:d ");
}

START_TEST(nothing_follows_an_ack_when_nothing_is_newer)
{
	bw_sub(1);
	make_due();
	bw_pub("a");
	bw_ack(1);
	bw_expect("1!a ");
	bw_go(100000);
	bw_expect("");
}

/* RFC 7641 4.5.2: what is retransmitted is the newest, as a message of its own. */
START_TEST(rfc7641_4_5_2_a_retransmission_carries_the_newer_value)
{
	struct msg first, second;

	bw_sub(1);
	make_due();
	bw_pub("a");
	first = bw_last(1);
	bw_pub("b");
	bw_go(3100);
	bw_expect("1!a 1!b ");
	second = bw_last(1);
	ck_assert_uint_ne(first.mid, second.mid);
	ck_assert_int_eq(
		bw_option(&second, OPT_OBSERVE), (bw_option(&first, OPT_OBSERVE) + 1) & 0xffffff);
	bw_ack(1);
	bw_expect("");
	bw_pub("c");
	bw_expect("1:c ");
}

START_TEST(a_retransmission_of_the_same_value_is_the_same_message)
{
	struct msg first, second;

	bw_sub(1);
	make_due();
	bw_pub("a");
	first = bw_last(1);
	bw_go(3100);
	second = bw_last(1);
	bw_expect("1!a 1!a ");
	ck_assert_uint_eq(first.mid, second.mid);
}

/* RFC 7641 4.5: who does not answer is gone, with all of its observations. */
START_TEST(rfc7641_4_5_a_final_timeout_drops_all_of_the_peer)
{
	bw_topic("attic", "a");
	bw_sub(1);
	bw_in(1, "GET /ps/data/attic o=0 t=0b");
	bw_sub(2);
	make_due();
	bw_pub("x");
	bw_ack(2);
	bw_expect("1!x 2!x ");
	bw_in(3, "PUT /ps/data/attic 'b'");
	/* The CON for the second waits for the first one's: RFC 7252 4.7. */
	bw_expect("3=2.04 ");
	bw_go(100000);
	ck_assert_uint_eq(bw_stats().observers, 1);
	ck_assert_uint_eq(bw_stats().observers_dropped, 2);
	(void)bw_said();
	bw_pub("y");
	bw_in(3, "PUT /ps/data/attic 'c'");
	bw_expect("2:y 3=2.04 ");
}

/* RFC 7641 3.6, 4.5: a RST ends the observation it is for. */
START_TEST(rfc7641_4_5_reset_of_a_con)
{
	bw_sub(1);
	bw_in(1, "GET /ps/data/hall o=0 t=0b");
	make_due();
	bw_pub("a");
	bw_rst(1);
	ck_assert_uint_eq(bw_stats().observers, 1);
	ck_assert_uint_eq(bw_stats().observers_dropped, 1);
}

START_TEST(rfc7641_3_6_reset_of_a_non)
{
	bw_sub(1);
	bw_sub(2);
	bw_pub("a");
	bw_rst_last(1);
	(void)bw_said();
	bw_pub("b");
	bw_expect("2:b ");
	ck_assert_uint_eq(bw_stats().observers_dropped, 1);
}

START_TEST(reset_of_the_answer_to_a_non_registration)
{
	bw_in(1, "NON GET /ps/data/hall o=0");
	bw_rst_last(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(a_reset_of_anything_else_changes_nothing)
{
	bw_sub(1);
	bw_sub(2);
	bw_pub("a");
	bw.peers[1].mid = (uint16_t)(bw.peers[1].mid + 1);
	bw_rst_last(1);
	bw.peers[1].mid = 0;
	bw_rst_last(1);
	bw.peers[1].mid = 0xffff;
	bw_rst_last(1);
	/* One of ours, from whom it did not go to. */
	bw.peers[1].mid = bw.peers[2].mid;
	bw_rst_last(1);
	ck_assert_uint_eq(bw_stats().observers, 2);
}

/* RFC 7641 4.1: whoever registers again while a CON is unacknowledged is there. */
START_TEST(registering_again_ends_the_unacknowledged_con)
{
	bw_sub(1);
	make_due();
	bw_pub("a");
	bw_pub("b");
	bw_sub(1);
	bw_expect("1!a 1+b ");
	bw_go(200000);
	bw_expect("");
	bw_pub("c");
	bw_expect("1:c ");
}

START_TEST(leaving_ends_the_unacknowledged_con)
{
	bw_sub(1);
	make_due();
	bw_pub("a");
	bw_unsub(1);
	bw_expect("1!a 1=2.05:a ");
	bw_go(200000);
	bw_expect("");
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
}

START_TEST(without_room_for_a_con_it_is_a_non)
{
	bw_stop();
	bw_init();
	bw.layer_limits.exchanges = 1;
	bw_start();
	bw_topic("hall", "0");
	bw_subs(1, 2);
	make_due();
	bw_pub("a");
	bw_expect("2:a 1!a ");
	bw_ack(1);
	bw_pub("b");
	/* The first was checked now; the second still is to be. */
	bw_expect("1:b 2!b ");
}

START_TEST(a_notification_that_found_no_room_is_lost_like_any_other)
{
	bw_sub(1);
	(void)bw_said();
	bw.batch = true;
	bw_pub("a");
	bw.closed = true;
	bw_flush();
	bw.closed = false;
	bw.batch = false;
	bw_expect("");
	bw_pub("b");
	bw_expect("1:b ");
}

/* --- large values ---------------------------------------------------------------- */

static const char *
letters(size_t n)
{
	static char text[8192];

	ck_assert_uint_lt(n, sizeof(text));
	memset(text, 'l', n);
	text[n] = '\0';
	return text;
}

/* Publishes n bytes in blocks. */
static void
pub_large(size_t n)
{
	size_t at = 0;

	for (unsigned num = 0; at < n; num++) {
		size_t part = n - at < 1024 ? n - at : 1024;

		bw_in(BW_PUBLISHER, "PUT /ps/data/hall b1=%u%s/1024 '%s'", num,
			at + part < n ? "+" : "", letters(part));
		at += part;
	}
}

/* RFC 7959 2.6: the first block, by Block2 and ETag, and the rest by GET. */
START_TEST(rfc7959_2_6_a_large_notification)
{
	struct msg m, rest;
	struct block b;

	bw_sub(1);
	pub_large(3000);
	bw_expect("1+0 9000=2.31 9000=2.31 9000=2.04 1:(1024) ");
	m = bw_last(1);
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(b.num == 0 && b.more && b.szx == 6);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE2), 3000);
	bw_in(1, "GET /ps/data/hall b2=1/1024 t=0b");
	bw_in(1, "GET /ps/data/hall b2=2/1024 o=0 t=0b");
	bw_expect("1=2.05:(1024) 1=2.05:(952) ");
	rest = bw_last(1);
	ck_assert(bytes_equal(bw_etag(&m), bw_etag(&rest)));
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_in(1, "GET /ps/data/hall b2=3/1024 t=0b");
	bw_expect("1=4.00 ");
}

START_TEST(rfc7959_2_6_small_blocks_when_asked_for)
{
	struct msg m;
	struct block b;

	bw_in(1, "GET /ps/data/hall o=0 b2=0/64");
	bw_in(2, "GET /ps/data/hall o=0");
	(void)bw_said();
	bw_in(BW_PUBLISHER, "PUT /ps/data/hall '%s'", letters(100));
	bw_expect("9000=2.04 1:(64) 2:(100) ");
	m = bw_last(1);
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(b.num == 0 && b.more && b.szx == 2);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE2), 100);
	bw_in(1, "GET /ps/data/hall b2=1/64 t=0b");
	bw_expect("1=2.05:(36) ");
	/* Another size when it registers again. */
	bw_in(1, "GET /ps/data/hall o=0 b2=0/32");
	bw_expect("1+(32) ");
	bw_in(BW_PUBLISHER, "PUT /ps/data/hall '%s'", letters(99));
	bw_expect("9000=2.04 1:(32) 2:(99) ");
}

/* --- ends -------------------------------------------------------------------------- */

/* coap-pubsub "Delete topic-data": a final 4.04, RFC 7641 4.2. */
START_TEST(deleted_data_is_a_last_404)
{
	struct msg m;

	bw_subs(1, 2);
	(void)bw_said();
	bw_in(3, "DELETE /ps/data/hall");
	bw_expect("3=2.02 x1 x2 ");
	m = bw_last(1);
	ck_assert(!msg_has(&m, OPT_OBSERVE));
	ck_assert_uint_eq(m.token.b[1], 1);
	bw_acks(1, 2);
	ck_assert_uint_eq(bw_stats().observers, 0);
	bw_pub("new");
	bw_expect("");
	bw_sub(1);
	bw_expect("1+new ");
}

START_TEST(a_last_404_is_retransmitted_and_given_up)
{
	bw_sub(1);
	bw_sub(2);
	bw_in(3, "DELETE /ps/hall");
	bw_rst(2);
	(void)bw_said();
	bw_go(100000);
	bw_expect("x1 x1 x1 x1 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
}

START_TEST(the_last_404_replaces_an_unacknowledged_notification)
{
	bw_sub(1);
	make_due();
	bw_pub("a");
	bw_in(3, "DELETE /ps/hall");
	bw_expect("1!a 3=2.02 x1 ");
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 1);
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(registering_anew_while_the_404_is_under_way)
{
	bw_sub(1);
	bw_in(3, "DELETE /ps/data/hall");
	bw_pub("b");
	(void)bw_said();
	bw_sub(1);
	bw_expect("1+b ");
	bw_go(100000);
	bw_expect("");
	ck_assert_uint_eq(bw_stats().observers, 1);
}

START_TEST(leaving_while_the_404_is_under_way)
{
	bw_sub(1);
	bw_in(3, "DELETE /ps/data/hall");
	bw_pub("b");
	(void)bw_said();
	bw_unsub(1);
	bw_expect("1=2.05:b ");
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(without_room_for_a_404_the_observation_ends_all_the_same)
{
	bw_stop();
	bw_init();
	bw.layer_limits.exchanges = 1;
	bw_start();
	bw_topic("hall", "0");
	bw_subs(1, 3);
	bw_in(4, "DELETE /ps/data/hall");
	bw_expect("1+0 2+0 3+0 4=2.02 x1 ");
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(a_timeout_drops_those_who_are_being_ended_too)
{
	bw_topic("attic", "a");
	bw_sub(1);
	bw_in(1, "GET /ps/data/attic o=0 t=0b");
	make_due();
	bw_pub("x");
	bw_in(3, "DELETE /ps/data/attic");
	bw_go(100000);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
}

static void
add_registrations(TCase *t)
{
	tcase_add_test(t, rfc7641_4_1_a_registration_is_answered_with_observe);
	tcase_add_test(t, a_non_registration_is_answered_by_non);
	tcase_add_test(t, rfc7641_4_1_registered_again_under_the_same_token);
	tcase_add_test(t, another_token_is_another_observation);
	tcase_add_test(t, the_same_token_on_another_topic_replaces);
	tcase_add_test(t, our_other_address_is_another_endpoint);
	tcase_add_test(t, rfc7641_3_6_deregistration);
	tcase_add_test(t, deregistration_needs_the_token_and_the_topic);
	tcase_add_test(t, other_values_of_observe_are_a_plain_get);
	tcase_add_test(t, nothing_is_observed_where_nothing_is);
	tcase_add_test(t, other_resources_do_not_observe);
	tcase_add_test(t, a_registration_with_the_etag_it_has);
	tcase_add_test(t, a_registration_by_multicast_is_answered);
	tcase_add_test(t, too_many_observers_of_one_peer);
	tcase_add_test(t, too_many_observers);
	tcase_add_test(t, the_peers_of_observers_stay);
}

static void
add_notifications(TCase *t)
{
	tcase_add_test(t, every_publish_is_notified_equal_ones_too);
	tcase_add_test(t, publishes_of_one_batch_are_one_notification);
	tcase_add_test(t, what_a_notification_carries);
	tcase_add_test(t, rfc7641_4_4_numbers_rise_and_wrap_around);
	tcase_add_test(t, the_number_of_a_value_is_the_same_for_all);
	tcase_add_test(t, rfc7641_4_5_one_notification_in_a_hundred_is_confirmable);
	tcase_add_test(t, confirmable_ones_are_spread_over_the_observers);
	tcase_add_test(t, rfc7641_4_5_a_confirmable_one_after_24_hours);
	tcase_add_test(t, rfc7641_4_5_1_newest_wins_while_a_con_is_unacknowledged);
	tcase_add_test(t, nothing_follows_an_ack_when_nothing_is_newer);
	tcase_add_test(t, rfc7641_4_5_2_a_retransmission_carries_the_newer_value);
	tcase_add_test(t, a_retransmission_of_the_same_value_is_the_same_message);
	tcase_add_test(t, rfc7641_4_5_a_final_timeout_drops_all_of_the_peer);
	tcase_add_test(t, rfc7641_4_5_reset_of_a_con);
	tcase_add_test(t, rfc7641_3_6_reset_of_a_non);
	tcase_add_test(t, reset_of_the_answer_to_a_non_registration);
	tcase_add_test(t, a_reset_of_anything_else_changes_nothing);
	tcase_add_test(t, registering_again_ends_the_unacknowledged_con);
	tcase_add_test(t, leaving_ends_the_unacknowledged_con);
	tcase_add_test(t, without_room_for_a_con_it_is_a_non);
	tcase_add_test(t, a_notification_that_found_no_room_is_lost_like_any_other);
	tcase_add_test(t, rfc7959_2_6_a_large_notification);
	tcase_add_test(t, rfc7959_2_6_small_blocks_when_asked_for);
}

static void
add_ends(TCase *t)
{
	tcase_add_test(t, deleted_data_is_a_last_404);
	tcase_add_test(t, a_last_404_is_retransmitted_and_given_up);
	tcase_add_test(t, the_last_404_replaces_an_unacknowledged_notification);
	tcase_add_test(t, registering_anew_while_the_404_is_under_way);
	tcase_add_test(t, leaving_while_the_404_is_under_way);
	tcase_add_test(t, without_room_for_a_404_the_observation_ends_all_the_same);
	tcase_add_test(t, a_timeout_drops_those_who_are_being_ended_too);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("observe");
	TCase *t = tcase_create("observe");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_registrations(t);
	add_notifications(t);
	add_ends(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
