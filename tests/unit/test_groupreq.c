/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the broker answers to requests by multicast (draft-ietf-core-groupcomm-bis):
 * suppression, validation, block-wise transfer and Observe. Leisure and what is
 * ignored altogether: test_leisure.c.
 */
#include "broker_world.h"

#include <stdio.h>

#include "wire/option.h"

static void
begin(uint32_t threshold)
{
	bw_init();
	(void)bw_group("239.255.17.4:61616", threshold);
	bw_start();
	bw_topic("hall", "0");
	bw_topic("attic", NULL);
	bw.multicast = true;
}

static void
setup(void)
{
	begin(3);
}

/* All that is said until the leisure is over. */
static const char *
said_at_leisure(void)
{
	bw_go(LAYER_LEISURE_MS);
	return bw_said();
}

/* groupcomm-bis "Response Suppression": errors, and nothing useful to say. */
START_TEST(groupcomm_3_1_2_errors_and_empty_results_are_suppressed)
{
	static const char *const requests[] = {"NON GET /none", "NON GET /ps/data/none",
		"NON GET /ps/data/attic", "NON GET /ps/none", "NON GET /ps/data/hall ac=60",
		"NON GET /ps/data/hall b2=9/64", "NON GET /ps/data/attic o=0",
		"NON PUT /ps/data/none 'x'", "NON PUT /ps/data/hall m=aa 'x'", "NON PUT /ps 'x'",
		"NON DELETE /ps/data/attic", "NON GET /.well-known/core?rt=none",
		"NON GET /ps?rt=none", "NON GET /none nr=0", "NON POST /ps 'junk'"};

	bw_in(1, "NON PUT /ps/data/hall ct=0 'v'");
	ck_assert_str_eq(said_at_leisure(), "1~2.04 ");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		bw_in(1, "%s", requests[i]);
		ck_assert_msg(said_at_leisure()[0] == '\0', "%s", requests[i]);
	}
}

START_TEST(groupcomm_3_1_1_an_answer_is_unicast_and_non)
{
	struct msg m;

	bw_in(1, "NON GET /ps/data/hall");
	bw_expect("");
	ck_assert_str_eq(said_at_leisure(), "1~2.05:0 ");
	m = bw_last(1);
	ck_assert_int_eq(m.type, TYPE_NON);
	ck_assert_uint_lt(m.mid, 0x8000);
	ck_assert_int_eq(bw_datagram(1)->group, -1);
}

/* groupcomm-bis "ETag Option in a Group Request/Response": as in a unicast request. */
START_TEST(groupcomm_3_2_2_1_etag_is_processed)
{
	char text[40];
	struct buf hex = buf_of(text, sizeof(text));
	uint8_t first[8];
	struct msg m;

	bw_in(1, "NON GET /ps/data/hall");
	(void)said_at_leisure();
	m = bw_last(1);
	ck_assert_uint_eq(bw_etag(&m).n, sizeof(first));
	memcpy(first, bw_etag(&m).p, sizeof(first));
	buf_put_hex(&hex, bw_etag(&m));
	bw_in(1, "NON GET /ps/data/hall e=aabb e=%s", buf_str(&hex));
	ck_assert_str_eq(said_at_leisure(), "1~2.03 ");
	m = bw_last(1);
	ck_assert(bytes_equal(bw_etag(&m), BYTES_OF(first)));
	bw_in(1, "NON GET /ps/data/hall o=0 e=%s", buf_str(&hex));
	ck_assert_str_eq(said_at_leisure(), "1~2.03+ ");
	/* An empty list is known by its ETag as well, a list too. */
	bw_in(1, "NON GET /.well-known/core?rt=core.ps");
	ck_assert_str_eq(said_at_leisure(), "1~2.05:</>;rt=\"core.ps\" ");
	m = bw_last(1);
	buf_clear(&hex);
	buf_put_hex(&hex, bw_etag(&m));
	bw_in(1, "NON GET /.well-known/core?rt=core.ps e=%s", buf_str(&hex));
	ck_assert_str_eq(said_at_leisure(), "1~2.03 ");
}

/* The ETags of two brokers with the same values: a compact id of the server is in them. */
START_TEST(groupcomm_3_2_2_1_etags_of_two_servers_differ)
{
	uint8_t first[8];
	struct msg m;

	bw_in(1, "NON GET /ps/data/hall");
	(void)said_at_leisure();
	m = bw_last(1);
	memcpy(first, bw_etag(&m).p, sizeof(first));
	bw_stop();
	bw_init();
	bw.random_state += 77;
	bw_start();
	bw_topic("hall", "0");
	bw.multicast = true;
	bw_in(1, "NON GET /ps/data/hall");
	(void)said_at_leisure();
	m = bw_last(1);
	ck_assert(!bytes_equal(bw_etag(&m), BYTES_OF(first)));
}

/* groupcomm-bis "Block-Wise Transfer": a small first block, the rest by unicast. */
START_TEST(groupcomm_3_8_the_first_block_by_multicast_and_the_rest_by_unicast)
{
	char all[4096], name[16];
	struct buf whole = buf_of(all, sizeof(all));
	struct block block = {.more = true};
	struct msg m;

	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "t%d", i);
		bw_topic(name, "x");
	}
	bw_in(1, "NON GET /.well-known/core");
	(void)said_at_leisure();
	m = bw_last(1);
	ck_assert_uint_eq(m.payload.n, 256);
	ck_assert_int_eq(bw_option(&m, OPT_BLOCK2), 0 << 4 | 8 | 4);
	buf_put(&whole, m.payload);
	bw.multicast = false;
	for (unsigned num = 1; block.more; num++) {
		bw_in(1, "GET /.well-known/core b2=%u/256", num);
		m = bw_last(1);
		ck_assert_int_eq(m.code, CODE_CONTENT);
		ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &block), 0);
		ck_assert_uint_eq(block.num, num);
		buf_put(&whole, m.payload);
	}
	(void)bw_said();
	bw_in(1, "GET /.well-known/core b2=0/1024");
	m = bw_last(1);
	ck_assert_uint_gt(whole.n, 1024);
	ck_assert(bytes_equal(bytes_head(buf_bytes(&whole), 1024), m.payload));
}

/* RFC 7959 2.8: a client may ask for smaller blocks, and for others than the first. */
START_TEST(rfc7959_2_8_blocks_that_a_group_is_asked_for)
{
	char value[1001];
	struct msg m;

	memset(value, 'v', sizeof(value));
	value[500] = 'w';
	value[1000] = '\0';
	bw_in(1, "NON PUT /ps/data/hall '%s'", value);
	bw_in(1, "NON GET /ps/data/hall b2=0/64");
	(void)said_at_leisure();
	m = bw_last(1);
	ck_assert_uint_eq(m.payload.n, 64);
	ck_assert_int_eq(bw_option(&m, OPT_BLOCK2), 8 | 2);
	/* A block that is larger than what a group is told: the first part of it. */
	bw_in(1, "NON GET /ps/data/hall b2=0/1024");
	(void)said_at_leisure();
	m = bw_last(1);
	ck_assert_uint_eq(m.payload.n, 256);
	bw_in(1, "NON GET /ps/data/hall b2=1/512");
	(void)said_at_leisure();
	m = bw_last(1);
	ck_assert_uint_eq(m.payload.n, 256);
	ck_assert_int_eq(bw_option(&m, OPT_BLOCK2), 2 << 4 | 8 | 4);
	ck_assert_int_eq(m.payload.p[0], 'v');
	bw_in(1, "NON GET /ps/data/hall b2=1048575/1024");
	ck_assert_str_eq(said_at_leisure(), "");
}

/* groupcomm-bis "Observing Resources": registered, answered, notified, cancelled. */
START_TEST(groupcomm_3_7_observe_in_a_group_get)
{
	bw_in(1, "NON GET /ps/data/hall o=0 t=0a");
	ck_assert_uint_eq(bw_stats().observers, 1);
	ck_assert_str_eq(said_at_leisure(), "1:0 ");
	/* Again with the same token: an update, no second observer. */
	bw_in(1, "NON GET /ps/data/hall o=0 t=0a");
	ck_assert_str_eq(said_at_leisure(), "1:0 ");
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw.multicast = false;
	/* At leisure, too, and of what is published meanwhile the newest. */
	bw.random_byte = 1;
	bw_pub("ho");
	bw_expect("");
	bw_pub("hi");
	bw_expect("");
	ck_assert_str_eq(said_at_leisure(), "1:hi ");
	ck_assert_str_eq(said_at_leisure(), "");
	bw.random_byte = -1;
	/* A unicast registration with its token is the same observation. */
	bw_in(1, "GET /ps/data/hall o=0 t=0a");
	bw_expect("1+hi ");
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_pub("hi");
	bw_expect("1:hi ");
	/* All servers at once. */
	bw.multicast = true;
	bw_in(1, "NON GET /ps/data/hall o=1 t=0a");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_str_eq(said_at_leisure(), "1~2.05:hi ");
}

/* groupcomm-bis "Observing Resources": servers MUST verify aliveness, also of these. */
START_TEST(groupcomm_3_7_observers_by_multicast_are_checked)
{
	bw_in(1, "NON GET /ps/data/hall o=0");
	(void)said_at_leisure();
	bw.multicast = false;
	for (int i = 0; i < 100 && bw.peers[1].n_con == 0; i++) {
		bw_pub("again");
		bw_go(LAYER_LEISURE_MS);
	}
	ck_assert_uint_gt(bw.peers[1].n_con, 0);
	bw_rst(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* "a server ... MUST strictly limit the number of notifications" between acknowledgements. */
START_TEST(groupcomm_6_3_few_notifications_between_acknowledgements)
{
	uint32_t n;

	bw_in(1, "NON GET /ps/data/hall o=0");
	(void)said_at_leisure();
	bw.multicast = false;
	bw.mute = true;
	n = bw.peers[1].n_values;
	for (int i = 0; i < 1000; i++) {
		bw_pub("again");
		bw_go(1000);
	}
	/* Non-confirmable ones, one Confirmable and its retransmissions. */
	ck_assert_uint_le(bw.peers[1].n_values - n, 100 + 4);
	ck_assert_uint_ge(bw.peers[1].n_con, 1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* Who registers by multicast counts, and is moved by a unicast 5.03 at leisure. */
START_TEST(groupcomm_3_7_a_group_observation_from_group_requests)
{
	for (unsigned peer = 1; peer <= 3; peer++)
		bw_in(peer, "NON GET /ps/data/hall o=0");
	ck_assert_uint_eq(bw_stats().group_started, 1);
	ck_assert_uint_eq(bw_stats().informed, 3);
	bw.multicast = false;
	(void)said_at_leisure();
	ck_assert_int_eq(bw_last(3).code, CODE_UNAVAILABLE);
	bw_acks(1, 3);
	ck_assert_uint_eq(bw_stats().moved, 3);
	/* Later ones too, each once, and not before a random time. */
	bw.multicast = true;
	bw.random_byte = 1;
	bw_in(4, "NON GET /ps/data/hall o=0 #77");
	bw_again();
	bw_expect("");
	ck_assert_str_eq(said_at_leisure(), "i4 ");
	bw.multicast = false;
	bw_ack(4);
	ck_assert_uint_eq(bw_stats().moved, 4);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(a_broadcast_starts_no_group_observation)
{
	bw_stop();
	begin(1);
	bw.nowhere = true;
	bw_in(1, "NON GET /ps/data/hall o=0");
	ck_assert_uint_eq(bw_stats().group_started, 0);
	ck_assert_str_eq(said_at_leisure(), "1:0 ");
}

int
main(void)
{
	Suite *s = suite_create("groupreq");
	TCase *t = tcase_create("groupreq");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, groupcomm_3_1_2_errors_and_empty_results_are_suppressed);
	tcase_add_test(t, groupcomm_3_1_1_an_answer_is_unicast_and_non);
	tcase_add_test(t, groupcomm_3_2_2_1_etag_is_processed);
	tcase_add_test(t, groupcomm_3_2_2_1_etags_of_two_servers_differ);
	tcase_add_test(t, groupcomm_3_8_the_first_block_by_multicast_and_the_rest_by_unicast);
	tcase_add_test(t, rfc7959_2_8_blocks_that_a_group_is_asked_for);
	tcase_add_test(t, groupcomm_3_7_observe_in_a_group_get);
	tcase_add_test(t, groupcomm_3_7_observers_by_multicast_are_checked);
	tcase_add_test(t, groupcomm_6_3_few_notifications_between_acknowledgements);
	tcase_add_test(t, groupcomm_3_7_a_group_observation_from_group_requests);
	tcase_add_test(t, a_broadcast_starts_no_group_observation);
	suite_add_tcase(s, t);
	return unit_run(s);
}
