/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Different Sources for Group Observation Data", appendix A of the current draft:
 * introspection at the sender, topic discovery, and the end that is promised with them.
 */
#include "broker_world.h"

#include <stdio.h>

#include "broker/group.h"
#include "wire/option.h"

#define MC_SENDER "/.well-known/core/mc-sender"
#define DAY_MS (GROUP_OFFERED_S * 1000ull)

static struct token live; /* T of the group observation */

static void
begin(void)
{
	bw.wall_s = 1800000000;
	bw_start();
	bw_topic("hall", "0");
	bw_sub(1);
	live = bw_inform(1).token;
	bw_ack(1);
	(void)bw_said();
}

static void
setup(void)
{
	struct broker_group *g;

	bw_init();
	g = bw_group("239.255.17.4:61616", 1);
	g->count.every = 1;
	begin();
}

static const char *
hex(const struct token *t)
{
	static char text[17];
	struct buf out = buf_of(text, sizeof(text));

	buf_put_hex(&out, bytes_of(t->b, t->n));
	return buf_str(&out);
}

/* The answer to peer 5, which is a map for it. */
static struct inform
offered(void)
{
	struct msg m = bw_last(5), ph_req, notification;
	struct inform in;

	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 65001);
	ck_assert_int_eq(bw_option(&m, OPT_OBSERVE), -1);
	ck_assert_int_eq(inform_decode(m.payload, &in), 0);
	ck_assert_uint_eq(in.generations, INFORM_CURRENT);
	ck_assert(addr_equal(&in.client, &bw.groups[0].address));
	ck_assert(in.server.family == AF_INET && in.server.port == 5683);
	ck_assert(token_equal(&in.token, &live));
	ck_assert_int_eq(msg_decode_inner(in.ph_req, &ph_req), 0);
	ck_assert_int_eq(bw_option(&ph_req, OPT_OBSERVE), 0);
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &notification), 0);
	/* Never keys. */
	ck_assert_ptr_null(in.keys.gp_material.p);
	ck_assert_ptr_null(in.keys.srv_cred.p);
	ck_assert_ptr_null(in.join.sec_gp.p);
	ck_assert(!in.keys.has_exi && !in.keys.has_exp);
	return in;
}

static struct inform
ask_sender(void)
{
	bw_in(5, "GET " MC_SENDER "?token=%s", hex(&live));
	return offered();
}

static struct inform
ask_topic(void)
{
	bw_in(5, "GET /ps/hall ac=65001");
	return offered();
}

/* A.2: by the token of intercepted notifications; tp_info, ph_req, last_notif, ending. */
START_TEST(omn_a_2_introspection_at_the_sender)
{
	struct inform in;
	struct msg n;

	bw_pub("a");
	in = ask_sender();
	ck_assert(in.has_ending);
	ck_assert_int_eq(in.ending_s, bw.wall_s + (int64_t)(bw.now_ms / 1000) + GROUP_OFFERED_S);
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &n), 0);
	ck_assert(bytes_is(n.payload, "a"));
	/* Nobody registered by that. */
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().informed, 1);
}
END_TEST

static const struct {
	const char *request, *said;
} bad[] = {
	{"GET " MC_SENDER, "5=4.00 "},
	{"GET " MC_SENDER "?", "5=4.00 "},
	{"GET " MC_SENDER "?token", "5=4.00 "},
	{"GET " MC_SENDER "?token=", "5=4.00 "},
	{"GET " MC_SENDER "?token=7", "5=4.00 "},
	{"GET " MC_SENDER "?token=7b3", "5=4.00 "},
	{"GET " MC_SENDER "?token=7g", "5=4.00 "},
	{"GET " MC_SENDER "?token=g7", "5=4.00 "},
	{"GET " MC_SENDER "?token=010203040506070809", "5=4.00 "},
	{"GET " MC_SENDER "?t=7b", "5=4.00 "},
	{"GET " MC_SENDER "?token=7b&token=7b", "5=4.00 "},
	{"GET " MC_SENDER "?token=7b", "5=4.04 "},
	{"GET " MC_SENDER "?token=0102030405060708", "5=4.04 "},
	{"GET " MC_SENDER "?token=7b ac=60", "5=4.06 "},
	{"POST " MC_SENDER "?token=7b", "5=4.05 "},
	{"GET " MC_SENDER "/x?token=7b", "5=4.04 "},
	{"GET /ps/room ac=65001", "5=4.04 "},
	{"GET /ps/hall ac=65002", "5=4.06 "},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(omn_a_2_what_is_not_answered)
{
	bw_in(5, "%s", bad[_i].request);
	bw_expect(bad[_i].said);
	/* Nothing was offered, nothing is promised. */
	bw_sub(2);
	ck_assert(!bw_inform(2).has_ending);
	bw_ack(2);
}
END_TEST

/* Both cases of the digits are the same token. */
START_TEST(omn_a_2_digits_of_either_case)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%s", hex(&live));
	for (char *at = text; *at; at++)
		*at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
	bw_in(5, "GET " MC_SENDER "?token=%s", text);
	(void)offered();
}
END_TEST

/* A.1: "together with the topic metadata", for who accepts it as that. */
START_TEST(omn_a_1_topic_discovery)
{
	struct msg m;

	(void)ask_topic();
	bw_in(5, "GET /ps/hall");
	m = bw_last(5);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 606);
	bw_in(5, "GET /ps/hall ac=606");
	m = bw_last(5);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 606);
}
END_TEST

/* "the server has to first start the group observation" */
START_TEST(omn_a_1_only_when_it_runs)
{
	bw_topic("room", "0");
	bw_in(5, "GET /ps/room ac=65001");
	bw_expect("5=4.06 ");
	bw_in(9, "DELETE /ps/data/hall");
	(void)bw_said();
	bw_in(5, "GET /ps/hall ac=65001");
	bw_expect("5=4.06 ");
	bw_in(5, "GET " MC_SENDER "?token=%s", hex(&live));
	bw_expect("5=4.04 ");
}
END_TEST

/* "the server commits to keeping the group observation ongoing until the scheduled
 * cancellation time is reached", and then cancels it. */
START_TEST(omn_a_kept_until_ending)
{
	int64_t first = ask_topic().ending_s;
	struct token again;

	bw_go(1000 * 1000);
	bw.mute = true;
	/* Nobody ever answers a count; the same end is told all the time. */
	for (uint64_t s = 1000; s + 60 < GROUP_OFFERED_S; s += 60) {
		bw_go(60 * 1000);
		ck_assert_uint_eq(bw_stats().group_observations, 1);
	}
	ck_assert_int_eq(ask_sender().ending_s, first);
	bw_sub(2);
	ck_assert(bw_inform(2).has_ending && bw_inform(2).ending_s == first);
	bw_ack(2);
	bw.mute = false;
	(void)bw_said();
	bw_go(DAY_MS - 1000 * 1000 - (GROUP_OFFERED_S - 1000) / 60 * 60 * 1000ull + 60 * 1000);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw_stats().group_cancelled, 1);
	/* Who wants to go on registers again; nothing is promised about the new one. */
	bw_sub(2);
	again = bw_inform(2).token;
	ck_assert(!token_equal(&again, &live));
	ck_assert(!bw_inform(2).has_ending);
	bw_ack(2);
}
END_TEST

/* Without the promise the same ends it soon. */
START_TEST(omn_a_not_kept_without)
{
	bw_go(300 * 1000);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
}
END_TEST

/* Clients of each family get the group they can hear. */
START_TEST(omn_a_two_groups_of_a_topic)
{
	struct inform in;
	struct msg m;

	bw_stop();
	bw_init();
	(void)bw_group("239.255.17.4:61616", 1);
	(void)bw_group("[ff35::17]:61616", 1);
	begin();
	bw.family = AF_INET6;
	bw_sub(2);
	bw_ack(2);
	bw_in(5, "GET /ps/hall ac=65001");
	m = bw_last(5);
	ck_assert_int_eq(inform_decode(m.payload, &in), 0);
	ck_assert(addr_equal(&in.client, &bw.groups[1].address));
	bw.family = AF_INET;
	bw_in(5, "GET /ps/hall ac=65001");
	m = bw_last(5);
	ck_assert_int_eq(inform_decode(m.payload, &in), 0);
	ck_assert(addr_equal(&in.client, &bw.groups[0].address));
}
END_TEST

/* A large latest notification comes in blocks. */
START_TEST(omn_a_in_blocks)
{
	char value[901];
	struct msg m;
	struct block b;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	bw_in(BW_PUBLISHER, "PUT /ps/data/hall '%s'", value);
	bw_in(5, "GET /ps/hall ac=65001 b2=0/512");
	m = bw_last(5);
	ck_assert_ptr_nonnull(msg_find(&m, OPT_BLOCK2));
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(b.more && m.payload.n == 512);
	bw_in(5, "GET /ps/hall ac=65001 b2=1/512");
	m = bw_last(5);
	ck_assert_ptr_nonnull(msg_find(&m, OPT_BLOCK2));
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(!b.more && m.payload.n > 0);
	(void)bw_said();
	bw_in(5, "GET /ps/hall ac=65001 b2=9/512");
	bw_expect("5=4.00 ");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("introspect");
	TCase *t = tcase_create("introspect");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, omn_a_2_introspection_at_the_sender);
	tcase_add_loop_test(t, omn_a_2_what_is_not_answered, 0, N(bad));
	tcase_add_test(t, omn_a_2_digits_of_either_case);
	tcase_add_test(t, omn_a_1_topic_discovery);
	tcase_add_test(t, omn_a_1_only_when_it_runs);
	tcase_add_test(t, omn_a_kept_until_ending);
	tcase_add_test(t, omn_a_not_kept_without);
	tcase_add_test(t, omn_a_two_groups_of_a_topic);
	tcase_add_test(t, omn_a_in_blocks);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
