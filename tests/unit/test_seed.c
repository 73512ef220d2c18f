/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What draft-tiloca-core-observe-multicast-notifications-01 says a server MUST do, one by
 * one: the name of each case has the section. The client's side is in test_client_offer.c,
 * the example in test_figure.c.
 */
#include "broker_world.h"

static struct broker_group *hall;

static void
setup(void)
{
	bw_init();
	hall = bw_group("239.255.17.4:5683", 2);
	hall->generations = INFORM_SEED;
	bw_start();
	bw_topic("hall", "0");
}

/* Two observers, of which the second makes the group observation start. */
static void
start_group(void)
{
	bw_subs(1, 2);
	bw_acks(1, 2);
	(void)bw_said();
}

/* "the server MUST use T as its own local Token value associated to that observation" */
START_TEST(seed_2_token_t)
{
	struct msg phantom;

	start_group();
	ck_assert_int_eq(msg_decode(bw_inform(2).registr, &phantom), MSG_OK);
	ck_assert_uint_gt(phantom.token.n, 0);
	for (int i = 0; i < 3; i++) {
		struct msg m;

		bw_pub("b");
		m = bw_last_to_group(0);
		ck_assert(token_equal(&m.token, &phantom.token));
	}
	(void)bw_said();
}
END_TEST

/* "The response MUST be Confirmable"; "such a response does not include an Observe option". */
START_TEST(seed_2_the_response_is_confirmable)
{
	struct msg m;

	start_group();
	for (unsigned peer = 1; peer <= 2; peer++) {
		m = bw_last(peer);
		ck_assert_int_eq(m.type, TYPE_CON);
		ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
		ck_assert(!msg_has(&m, OPT_OBSERVE));
	}
}
END_TEST

/* "and MUST NOT encode link-local addresses": whom it would be told by one gets none. */
START_TEST(seed_2_no_link_local_addresses)
{
	bw.link_local_us = true;
	bw_subs(1, 3);
	bw.link_local_us = false;
	bw.link_local_peer = true;
	bw_subs(4, 6);
	bw_expect("1+0 2+0 3+0 4+0 5+0 6+0 ");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
}
END_TEST

/* "which MUST be Confirmable and MUST include the current representation" */
START_TEST(seed_2_a_later_registration_gets_the_current_representation)
{
	struct msg m;

	start_group();
	bw_pub("now");
	bw_sub(3);
	m = bw_last(3);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert(bytes_is(bw_inform(3).res, "now"));
	/* "this also applies" to the registration that starts the group observation. */
	ck_assert(bytes_is(bw_inform(2).res, "0"));
	bw_ack(3);
	(void)bw_said();
}
END_TEST

/* "MUST be sent to the IP multicast address indicated in the informative response message" */
START_TEST(seed_2_notifications_go_to_the_address_that_was_told)
{
	struct inform in;

	start_group();
	in = bw_inform(1);
	bw_pub("a");
	ck_assert(addr_equal(&bw_datagram_to_group(0)->group_way.group, &in.client));
	ck_assert(addr_is_multicast(&in.client));
	(void)bw_said();
}
END_TEST

/* "MUST include an Observe option", of rising numbers. */
START_TEST(seed_2_notifications_have_observe)
{
	int64_t last = -1;

	start_group();
	for (int i = 0; i < 5; i++) {
		struct msg m;
		int64_t observe;

		bw_pub("x");
		m = bw_last_to_group(0);
		observe = bw_option(&m, OPT_OBSERVE);
		ck_assert_int_ge(observe, 0);
		ck_assert(last < 0 || observe == ((last + 1) & 0xffffff));
		last = observe;
	}
	(void)bw_said();
}
END_TEST

/* "MUST have the same Token value T of the phantom registration request" */
START_TEST(seed_2_notifications_have_the_token_of_the_phantom)
{
	struct msg m, phantom;

	start_group();
	ck_assert_int_eq(msg_decode(bw_inform(1).registr, &phantom), MSG_OK);
	bw_pub("a");
	m = bw_last_to_group(0);
	ck_assert(token_equal(&m.token, &phantom.token));
	/* Not that of a client's registration. */
	phantom = bw_last(1);
	ck_assert(!token_equal(&m.token, &phantom.token));
	(void)bw_said();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("seed");
	TCase *t = tcase_create("server");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, seed_2_token_t);
	tcase_add_test(t, seed_2_the_response_is_confirmable);
	tcase_add_test(t, seed_2_no_link_local_addresses);
	tcase_add_test(t, seed_2_a_later_registration_gets_the_current_representation);
	tcase_add_test(t, seed_2_notifications_go_to_the_address_that_was_told);
	tcase_add_test(t, seed_2_notifications_have_observe);
	tcase_add_test(t, seed_2_notifications_have_the_token_of_the_phantom);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
