/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a group observation sends: "Notifications", "Congestion Control" and
 * "Cancellation" of the current draft, RFC 7641 4.4. How it starts: test_group.c.
 */
#include "broker_world.h"

#include <stdio.h>

#include "wire/option.h"

/* A running group observation; `change` may alter its group before. */
static void
start_with(void (*change)(struct broker_group *g))
{
	struct broker_group *g;

	bw_init();
	g = bw_group("239.255.17.4:61616", 1);
	if (change)
		change(g);
	bw_start();
	bw_topic("hall", "0");
	bw_sub(1);
	bw_ack(1);
	(void)bw_said();
	ck_assert_uint_eq(bw_stats().group_observations, 1);
}

static void
setup(void)
{
	start_with(NULL);
}

static void
anew(void (*change)(struct broker_group *g))
{
	bw_stop();
	start_with(change);
}

/* n letters; static. */
static const char *
letters(size_t n)
{
	static char text[4096];

	ck_assert_uint_lt(n, sizeof(text));
	memset(text, 'l', n);
	text[n] = '\0';
	return text;
}

static void
pub_large(size_t n)
{
	bw_in(BW_PUBLISHER, "PUT /ps/data/hall '%s'", letters(n));
}

/* --- one datagram -------------------------------------------------------------------- */

START_TEST(one_datagram_per_publish_in_order)
{
	bw_pub("a");
	bw_pub("b");
	bw_pub("b");
	bw_expect("*:a *:b *:b ");
	bw.batch = true;
	bw_pub("c");
	bw_pub("d");
	bw_flush();
	/* Not coalesced: architecture, "Publish". */
	bw_expect("*:c *:d ");
	ck_assert_uint_eq(bw.n_to_group[0], 5);
}

START_TEST(omn_4_3_what_a_notification_is)
{
	const struct bw_sent *s;
	struct inform in = bw_inform(1);
	struct msg m;

	bw_in(9, "DELETE /ps/data/hall");
	bw_in(9, "PUT /ps/data/hall ct=60 'x'");
	bw_sub(1);
	in = bw_inform(1);
	bw_in(9, "PUT /ps/data/hall ct=60 'yy'");
	s = bw_datagram_to_group(0);
	m = bw_last_to_group(0);
	ck_assert(token_equal(&m.token, &in.token));
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 60);
	ck_assert_uint_eq(m.n_opts, 4);
	ck_assert(addr_equal(&s->group_way.source, &in.server));
	ck_assert(addr_equal(&s->group_way.group, &in.client));
	ck_assert(addr_equal(&s->group_way.source, &bw_datagram(1)->way.local));
	ck_assert_uint_eq(s->group_way.ifindex, 7);
	ck_assert_uint_eq(s->group_way.hops, 1);
}

START_TEST(the_etag_is_that_of_a_get)
{
	struct msg a, b;

	bw_pub("x");
	bw_in(2, "GET /ps/data/hall");
	a = bw_last(2);
	b = bw_last_to_group(0);
	ck_assert(bytes_equal(bw_etag(&a), bw_etag(&b)));
}

static int64_t
last_number(void)
{
	struct msg m = bw_last_to_group(0);

	return bw_option(&m, OPT_OBSERVE);
}

START_TEST(rfc7641_4_4_numbers_rise_and_wrap_around)
{
	int64_t last, seq;
	struct inform in;
	struct msg m;

	bw.random_bytes = BYTES_LIT("\xfb\xff\xff\xff");
	bw_topic("late", NULL);
	bw.random_bytes = BYTES_NONE;
	bw_in(9, "PUT /ps/data/late '0'");
	bw_in(2, "GET /ps/data/late o=0");
	in = bw_inform(2);
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &m), 0);
	last = bw_option(&m, OPT_OBSERVE);
	ck_assert_int_ge(last, 0);
	for (int i = 0; i < 5; i++) {
		bw_in(9, "PUT /ps/data/late 'x'");
		seq = last_number();
		ck_assert_int_lt(seq, 1 << 24);
		ck_assert_int_eq(seq, (last + 1) & 0xffffff);
		last = seq;
	}
	ck_assert_int_eq(last, 2);
}

/* A fresh one is newer than what it repeats, too. */
START_TEST(a_refresh_has_a_newer_number)
{
	int64_t last;

	bw_pub("a");
	last = last_number();
	bw_go(60000);
	ck_assert_int_eq(last_number(), (last + 1) & 0xffffff);
}

START_TEST(message_ids_are_of_the_upper_half)
{
	uint16_t last = 0;
	struct msg m;

	bw.mute = true;
	for (int i = 0; i < 40000; i++) {
		bw_go(1);
		bw_pub("a");
		m = bw_last_to_group(0);
		ck_assert(i == 0 || m.mid == (uint16_t)((last + 1) | 0x8000));
		last = m.mid;
	}
	ck_assert_uint_eq(bw.n_to_group[0], 40000);
}

START_TEST(a_datagram_without_room_is_counted)
{
	bw.batch = true;
	bw.closed = true;
	bw_in(9, "PUT /ps/data/hall 'a'");
	bw.closed = false;
	bw_flush();
	bw_expect("");
	ck_assert_uint_eq(bw_stats().group_dropped, 1);
	/* And repaired like any other loss. */
	bw_go(60000);
	bw_expect("*:a ");
}

/* --- Max-Age --------------------------------------------------------------------------- */

static void
max_age_5(struct broker_group *g)
{
	g->max_age_s = 5;
}

/* "Notifications", last paragraph: older than its Max-Age, it is sent afresh. */
START_TEST(omn_4_3_a_fresh_one_when_max_age_passes)
{
	anew(max_age_5);
	bw_go(4999);
	bw_expect("");
	/* The initial notification was never sent, but was the latest. */
	bw_go(1);
	bw_expect("*:0 ");
	bw_pub("a");
	bw_expect("*:a ");
	bw_go(4999);
	bw_expect("");
	bw_go(1);
	bw_expect("*:a ");
	bw_go(15000);
	bw_expect("*:a *:a *:a ");
	ck_assert_uint_eq(bw_stats().group_refreshes, 5);
	ck_assert_uint_eq(bw_stats().group_notifications, 1);
}

START_TEST(a_publish_starts_the_age_anew)
{
	anew(max_age_5);
	bw_go(4000);
	bw_pub("a");
	bw_go(4000);
	bw_pub("b");
	bw_go(4000);
	bw_expect("*:a *:b ");
	bw_go(1000);
	bw_expect("*:b ");
}

START_TEST(no_refresh_after_the_end)
{
	anew(max_age_5);
	bw_in(9, "DELETE /ps/data/hall");
	bw_expect("9=2.02 *x ");
	bw_go(3600 * 1000);
	bw_expect("");
	/* Nothing but the look at those whom no CON reached for long. */
	ck_assert_uint_gt(layer_next(bw.layer), bw.now_ms + 60 * 1000);
}

/* --- publishes while observers are being moved ---------------------------------------- */

/* architecture, "Moving": a publish before the ACK brings a refresh within 2 s. */
START_TEST(a_publish_while_moving_is_repeated_soon)
{
	bw_sub(2);
	bw_expect("a2 i2 ");
	bw_pub("a");
	bw_expect("*:a ");
	bw_ack(2);
	bw_go(2000);
	bw_expect("*:a ");
	bw_go(50000);
	bw_expect("");
}

START_TEST(a_publish_after_all_are_moved_is_not)
{
	bw_sub(2);
	bw_ack(2);
	(void)bw_said();
	bw_pub("a");
	bw_go(50000);
	bw_expect("*:a ");
}

START_TEST(a_retransmitted_503_carries_the_newest)
{
	struct inform first, second;
	struct msg a, b, n;

	bw_sub(2);
	first = bw_inform(2);
	a = bw_last(2);
	ck_assert(bytes_is(first.res, "0"));
	bw_pub("new");
	bw_go(3100);
	bw_expect("a2 i2 *:new *:new i2 ");
	second = bw_inform(2);
	b = bw_last(2);
	/* The same message id: its content is the state of the group observation. */
	ck_assert_uint_eq(a.mid, b.mid);
	ck_assert(bytes_is(second.res, "new"));
	ck_assert_int_eq(msg_decode_inner(second.last_notif, &n), 0);
	ck_assert(bytes_is(n.payload, "new"));
	ck_assert(bytes_equal(first.ph_req, second.ph_req));
	ck_assert_int_eq(bw_option(&n, OPT_OBSERVE), last_number());
}

/* --- pace ------------------------------------------------------------------------------- */

/* architecture, "Observe numbers": at most 30,000 in a second, then the newest. */
START_TEST(rfc7641_4_4_thirty_thousand_numbers_a_second)
{
	struct msg m;

	bw.mute = true;
	bw.batch = true;
	for (int i = 0; i < 30050; i++)
		bw_in(9, "PUT /ps/data/hall '%d'", i);
	ck_assert_uint_eq(bw.n_to_group[0], 30000);
	bw_go(999);
	ck_assert_uint_eq(bw.n_to_group[0], 30000);
	bw_go(1);
	ck_assert_uint_eq(bw.n_to_group[0], 30001);
	m = bw_last_to_group(0);
	ck_assert(bytes_is(m.payload, "30049"));
	bw_in(9, "PUT /ps/data/hall 'z'");
	ck_assert_uint_eq(bw.n_to_group[0], 30002);
	/* A 5.03 meanwhile tells what was sent last or is newer. */
	bw_go(59000);
	ck_assert_uint_eq(bw.n_to_group[0], 30002);
}

static void
pace_3s(struct broker_group *g)
{
	g->min_interval_ms = 3000;
}

/* "Congestion Control": not more than one every 3 seconds; the newest value wins. */
START_TEST(omn_4_4_min_interval_newest_wins)
{
	anew(pace_3s);
	/* The initial notification was not sent: the first one is at once. */
	bw_pub("a");
	bw_expect("*:a ");
	bw_pub("b");
	bw_go(1500);
	bw_pub("c");
	bw_expect("");
	bw_go(1499);
	bw_expect("");
	bw_go(1);
	bw_expect("*:c ");
	bw_go(3000);
	bw_expect("");
	bw_pub("d");
	bw_expect("*:d ");
	ck_assert_uint_eq(bw_stats().group_notifications, 3);
	ck_assert_uint_eq(bw_stats().group_coalesced, 1);
	ck_assert_uint_eq(bw_stats().group_refreshes, 0);
	/* Max-Age counts from what was sent last. */
	bw_go(59999);
	bw_expect("");
	bw_go(1);
	bw_expect("*:d ");
	ck_assert_uint_eq(bw_stats().group_refreshes, 1);
	bw_pub("e");
	bw_expect("");
	bw_go(3000);
	bw_expect("*:e ");
}

/* "next_not_before": seconds that will minimally elapse before the next notification. */
START_TEST(omn_4_2_min_interval_is_told_as_next_not_before)
{
	struct inform in;
	struct msg n;

	anew(pace_3s);
	bw_sub(2);
	bw_ack(2);
	ck_assert(!bw_inform(2).has_next_not_before);
	bw_pub("a");
	bw_go(900);
	bw_pub("b");
	bw_sub(3);
	in = bw_inform(3);
	ck_assert(in.has_next_not_before);
	ck_assert_uint_eq(in.next_not_before_s, 2);
	/* The latest one that was sent, not the one to come. */
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &n), 0);
	ck_assert(bytes_is(n.payload, "a"));
	bw_ack(3);
	bw_go(400);
	bw_sub(4);
	ck_assert_uint_eq(bw_inform(4).next_not_before_s, 1);
	bw_ack(4);
	bw_go(800);
	bw_sub(5);
	ck_assert(!bw_inform(5).has_next_not_before);
	bw_ack(5);
}

/* Traditional observers are not paced by it, and the end of the group is not either. */
START_TEST(omn_4_4_min_interval_is_the_groups_only)
{
	anew(pace_3s);
	bw_in(2, "GET /ps/data/hall o=0 ac=0");
	bw_pub("a");
	bw_pub("b");
	bw_expect("2+0 *:a 2:a 2:b ");
	bw_in(9, "DELETE /ps/data/hall");
	bw_expect("9=2.02 *x x2 ");
	bw_go(200000);
	ck_assert_uint_eq(bw.n_to_group[0], 2);
}

/* A value that waited is repeated for who is being moved, like any other. */
START_TEST(omn_4_4_min_interval_while_moving)
{
	anew(pace_3s);
	bw_pub("a");
	bw_pub("b");
	bw_go(1000);
	bw_sub(2);
	bw_expect("*:a a2 i2 ");
	bw_go(2000);
	bw_expect("*:b ");
	bw_ack(2);
	bw_go(3000);
	bw_expect("*:b ");
	bw_go(3000);
	bw_expect("");
}

/* --- large values ------------------------------------------------------------------------- */

static void
datagram_256(struct broker_group *g)
{
	g->datagram = 256;
}

START_TEST(a_value_that_just_fits_is_whole)
{
	struct msg m;

	anew(datagram_256);
	pub_large(213);
	m = bw_last_to_group(0);
	ck_assert(!msg_has(&m, OPT_BLOCK2));
	ck_assert_uint_eq(m.payload.n, 213);
	pub_large(214);
	m = bw_last_to_group(0);
	ck_assert(msg_has(&m, OPT_BLOCK2));
	ck_assert_uint_eq(m.payload.n, 128);
}

/* RFC 7959 2.6: the first block; the rest by unicast GET, held together by the ETag. */
START_TEST(rfc7959_2_6_a_large_value_is_sent_as_its_first_block)
{
	struct block b;
	struct msg m, rest;

	anew(datagram_256);
	pub_large(300);
	bw_expect("9000=2.04 *:(128) ");
	m = bw_last_to_group(0);
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(b.num == 0 && b.more && b.szx == 3);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE2), 300);
	bw_in(1, "GET /ps/data/hall b2=1/128 t=0b");
	bw_in(1, "GET /ps/data/hall b2=2/128 t=0b");
	bw_expect("1=2.05:(128) 1=2.05:(44) ");
	rest = bw_last(1);
	ck_assert(bytes_equal(bw_etag(&m), bw_etag(&rest)));
}

static void
whole_only(struct broker_group *g)
{
	g->datagram = 256;
	g->whole_only = true;
}

START_TEST(where_large_values_are_traditional_the_group_ends)
{
	anew(whole_only);
	bw_sub(2);
	bw_expect("a2 i2 ");
	pub_large(214);
	/* Who is being moved may not hear the group yet. */
	bw_expect("9000=2.04 *x 2!5.03 ");
	bw_ack(2);
	ck_assert_uint_eq(bw_stats().observers, 0);
	bw_subs(1, 2);
	bw_expect("1+(214) 2+(214) ");
	bw_pub("small");
	bw_expect("1:small 2:small ");
	/* Small values bring it back with the next registration. */
	bw_sub(3);
	bw_expect("a3 i3 ");
}

/* --- the informative response in the datagram ------------------------------------------- */

static unsigned
inform_after(size_t n, struct inform *ret)
{
	pub_large(n);
	bw_sub(2);
	*ret = bw_inform(2);
	ck_assert_uint_le(bw_datagram(2)->n, 256);
	bw_ack(2);
	/* A minute later it may register again without being taken for one that does not follow. */
	bw_go(60000);
	return ret->generations;
}

/* wire.md: without the seed's keys first, then without last_notif. */
START_TEST(a_large_503_shrinks)
{
	struct inform in;

	anew(datagram_256);
	ck_assert_uint_eq(inform_after(20, &in), INFORM_BOTH);
	ck_assert_ptr_nonnull(in.last_notif.p);
	ck_assert_ptr_nonnull(in.res.p);
	ck_assert_uint_eq(inform_after(100, &in), INFORM_CURRENT);
	ck_assert_ptr_nonnull(in.last_notif.p);
	ck_assert_uint_eq(inform_after(200, &in), INFORM_CURRENT);
	ck_assert_ptr_null(in.last_notif.p);
	ck_assert_ptr_nonnull(in.ph_req.p);
	ck_assert_uint_eq(inform_after(20, &in), INFORM_BOTH);
}

/* Whatever the size of the value and of the token. */
START_TEST(no_503_is_larger_than_the_datagram)
{
	char text[64];

	anew(datagram_256);
	bw.mute = true;
	for (unsigned n = 0; n < 256; n++) {
		pub_large(n);
		(void)snprintf(text, sizeof(text), "%016x", n);
		bw_in(n + 2, "GET /ps/data/hall o=0 t=%s", text);
		(void)bw_inform(n + 2);
		ck_assert_uint_le(bw_datagram(n + 2)->n, 256);
		bw_ack(n + 2);
	}
	ck_assert_uint_eq(bw_stats().moved, 257);
}

static void
seed_256(struct broker_group *g)
{
	g->datagram = 256;
	g->generations = INFORM_SEED;
}

START_TEST(seed_2_a_large_503_has_res_in_blocks)
{
	struct inform in;
	struct msg m;

	anew(seed_256);
	ck_assert_uint_eq(inform_after(100, &in), INFORM_SEED);
	ck_assert_ptr_nonnull(in.res.p);
	m = bw_last(2);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
	/* The value MUST be in it: test_announce.c reads the rest. */
	pub_large(250);
	bw_sub(3);
	m = bw_last(3);
	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
	ck_assert(bw_option(&m, OPT_BLOCK2) & 8);
}

START_TEST(omn_4_1_what_registers_by_the_phantom_is_what_registers)
{
	struct inform in = bw_inform(1);
	struct msg phantom, request;

	ck_assert_int_eq(msg_decode(in.registr, &phantom), MSG_OK);
	ck_assert_int_eq(msg_decode_inner(in.ph_req, &request), 0);
	ck_assert_int_eq(phantom.type, TYPE_NON);
	ck_assert(token_equal(&phantom.token, &in.token));
	ck_assert_int_eq(request.code, CODE_GET);
	ck_assert_int_eq(bw_option(&request, OPT_OBSERVE), 0);
	/* Sent by somebody, it is a registration like theirs. */
	bw_in_bytes(5, in.registr);
	bw_expect("i5 ");
}

/* --- ends ----------------------------------------------------------------------------------- */

START_TEST(omn_4_5_cancellation_by_deleting_the_data_or_the_topic)
{
	struct token first = bw_inform(1).token, second;
	struct msg m;

	bw_in(9, "DELETE /ps/data/hall");
	bw_expect("9=2.02 *x ");
	m = bw_last_to_group(0);
	ck_assert(token_equal(&m.token, &first));
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw_stats().group_cancelled, 1);
	ck_assert_uint_eq(bw.n_groups_ended, 1);
	/* It starts over. */
	bw_pub("b");
	bw_expect("");
	bw_sub(1);
	bw_expect("a1 i1 ");
	second = bw_inform(1).token;
	ck_assert(!token_equal(&first, &second));
	bw_in(9, "DELETE /ps/hall");
	bw_expect("9=2.02 *x x1 ");
	bw_sub(1);
	bw_expect("1=4.04 ");
}

/* The 5.03 to each group; RFC 7641 4.2: a 4.04 to each observer, until it is acknowledged. */
START_TEST(farewell_ends_every_one)
{
	bw_topic("attic", "a");
	bw_topic("cellar", "c");
	bw_in(2, "GET /ps/data/attic o=0");
	bw_in(3, "GET /ps/data/cellar?x o=0");
	(void)bw_said();
	broker_farewell(bw.broker);
	bw_flush();
	ck_assert_uint_eq(bw.n_to_group[0], 2);
	ck_assert_uint_eq(bw_last_to_group(0).code, CODE_UNAVAILABLE);
	ck_assert_uint_eq(bw_last(3).code, CODE_NOT_FOUND);
	ck_assert_uint_eq(bw_last(3).type, TYPE_CON);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw_stats().observers, 2);
	bw_ack(2);
	bw_ack(3);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
	/* And to who does not answer, for as long as a CON lasts. */
	bw_in(4, "GET /ps/data/cellar?x o=0");
	broker_farewell(bw.broker);
	bw_flush();
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_go(100 * 1000);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(a_broker_that_is_freed_says_nothing)
{
	bw_sub(2);
	(void)bw_said();
	bw_stop();
	bw_expect("");
	start_with(NULL);
}

/* RFC 7641 4.2.3: one format as long as somebody observes. */
START_TEST(the_format_stays_while_a_group_observes)
{
	bw_in(9, "PUT /ps/data/hall ct=60 'x'");
	bw_expect("9=4.15 ");
	bw_in(9, "DELETE /ps/data/hall");
	bw_in(9, "PUT /ps/data/hall ct=60 'x'");
	bw_expect("9=2.02 *x 9=2.01 ");
}

/* architecture, "Message IDs": a RST to a multicast message id is not acted on. */
START_TEST(a_reset_of_a_multicast_changes_nothing)
{
	struct msg m;

	bw_sub(2);
	bw_in(3, "GET /ps/data/hall?x o=0");
	bw_pub("a");
	m = bw_last_to_group(0);
	bw.peers[3].mid = m.mid;
	bw.peers[2].mid = m.mid;
	bw_rst_last(3);
	bw_rst_last(2);
	ck_assert_uint_eq(bw_stats().observers, 2);
}

/* The cost of a publish does not depend on how many were moved. */
START_TEST(group_observers_cost_no_memory)
{
	size_t n_peers;

	bw.mute = true;
	for (unsigned i = 2; i < 3000; i++) {
		bw_sub(i);
		bw_ack(i);
	}
	n_peers = layer_n_peers(bw.layer);
	ck_assert_uint_eq(bw_stats().moved, 2999);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
	bw_pub("a");
	ck_assert_uint_eq(bw.n_to_group[0], 1);
	/* Nothing holds on to their peers either. */
	ck_assert_uint_le(layer_n_peers(bw.layer), n_peers + 1);
}

static void
add_notifications(TCase *t)
{
	tcase_add_test(t, one_datagram_per_publish_in_order);
	tcase_add_test(t, omn_4_3_what_a_notification_is);
	tcase_add_test(t, the_etag_is_that_of_a_get);
	tcase_add_test(t, rfc7641_4_4_numbers_rise_and_wrap_around);
	tcase_add_test(t, a_refresh_has_a_newer_number);
	tcase_add_test(t, message_ids_are_of_the_upper_half);
	tcase_add_test(t, a_datagram_without_room_is_counted);
	tcase_add_test(t, omn_4_3_a_fresh_one_when_max_age_passes);
	tcase_add_test(t, a_publish_starts_the_age_anew);
	tcase_add_test(t, no_refresh_after_the_end);
	tcase_add_test(t, a_publish_while_moving_is_repeated_soon);
	tcase_add_test(t, a_publish_after_all_are_moved_is_not);
	tcase_add_test(t, a_retransmitted_503_carries_the_newest);
	tcase_add_test(t, rfc7641_4_4_thirty_thousand_numbers_a_second);
	tcase_add_test(t, omn_4_4_min_interval_newest_wins);
	tcase_add_test(t, omn_4_2_min_interval_is_told_as_next_not_before);
	tcase_add_test(t, omn_4_4_min_interval_is_the_groups_only);
	tcase_add_test(t, omn_4_4_min_interval_while_moving);
}

static void
add_large(TCase *t)
{
	tcase_add_test(t, a_value_that_just_fits_is_whole);
	tcase_add_test(t, rfc7959_2_6_a_large_value_is_sent_as_its_first_block);
	tcase_add_test(t, where_large_values_are_traditional_the_group_ends);
	tcase_add_test(t, a_large_503_shrinks);
	tcase_add_test(t, no_503_is_larger_than_the_datagram);
	tcase_add_test(t, seed_2_a_large_503_has_res_in_blocks);
}

static void
add_ends(TCase *t)
{
	tcase_add_test(t, omn_4_1_what_registers_by_the_phantom_is_what_registers);
	tcase_add_test(t, omn_4_5_cancellation_by_deleting_the_data_or_the_topic);
	tcase_add_test(t, farewell_ends_every_one);
	tcase_add_test(t, a_broker_that_is_freed_says_nothing);
	tcase_add_test(t, the_format_stays_while_a_group_observes);
	tcase_add_test(t, a_reset_of_a_multicast_changes_nothing);
	tcase_add_test(t, group_observers_cost_no_memory);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("multicast");
	TCase *t = tcase_create("multicast");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_notifications(t);
	add_large(t);
	add_ends(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
