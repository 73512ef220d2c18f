/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What draft-ietf-core-observe-multicast-notifications says a server MUST do, one by one:
 * the name of each case has the section. The ways to get there are in test_group.c,
 * test_multicast.c and test_count.c.
 */
#include "broker_world.h"

#include <stdio.h>

#include "wire/option.h"

static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 2);
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

/* "MUST include the current representation"; it is stored, and not sent. */
START_TEST(omn_4_1_initial_notification)
{
	struct inform in;
	struct msg m;

	bw_pub("now");
	start_group();
	ck_assert_uint_eq(bw.n_to_group[0], 0);
	in = bw_inform(2);
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &m), 0);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert(bytes_is(m.payload, "now"));
	ck_assert(msg_has(&m, OPT_OBSERVE));
}
END_TEST

/* "the server MUST use T as its own local Token value associated with that observation" */
START_TEST(omn_4_1_token_t)
{
	struct inform in;
	struct msg phantom, m;

	start_group();
	in = bw_inform(2);
	ck_assert_int_eq(msg_decode(in.registr, &phantom), MSG_OK);
	ck_assert(token_equal(&phantom.token, &in.token));
	bw_pub("a");
	m = bw_last_to_group(0);
	ck_assert(token_equal(&m.token, &in.token));
	bw_go(60000);
	m = bw_last_to_group(0);
	ck_assert(token_equal(&m.token, &in.token));
	bw_in(9, "DELETE /ps/data/hall");
	m = bw_last_to_group(0);
	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	ck_assert(token_equal(&m.token, &in.token));
}
END_TEST

/* "MUST be a Confirmable message sent as a separate response"; without Observe. */
START_TEST(omn_4_2_confirmable_and_separate)
{
	struct msg m;

	start_group();
	bw_in(3, "GET /ps/data/hall o=0 t=0102 #77");
	/* The empty ACK has the message id of the request, the response has its own. */
	bw_expect("a3 i3 ");
	m = bw_last(3);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	ck_assert_uint_ne(m.mid, 77);
	ck_assert(m.token.n == 2 && m.token.b[0] == 1 && m.token.b[1] == 2);
	ck_assert(!msg_has(&m, OPT_OBSERVE));
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 65001);
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 0);
	/* Traditional observers got the same, under their own tokens. */
	m = bw_last(1);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert(!msg_has(&m, OPT_OBSERVE));
	ck_assert(m.token.n == 2 && m.token.b[1] == 1);
	bw_ack(3);
}
END_TEST

/* "MUST NOT provide link-local or site-local addresses" (fec0::/10, RFC 3879). */
START_TEST(omn_4_2_site_local_addresses_stay_traditional)
{
	bw_stop();
	bw_init();
	bw_group("[ff35::17]:61616", 1);
	bw_start();
	bw_topic("hall", "0");
	bw.family = AF_INET6;
	bw.site_local_us = true;
	bw_sub(1);
	bw_expect("6.1+0 ");
	bw.site_local_us = false;
	bw_sub(2);
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	bw_ack(2);
}
END_TEST

/* 'tp_info' MUST be there; so MUST 'ph_req', as registrations may differ from the phantom. */
START_TEST(omn_4_2_tp_info_and_ph_req)
{
	static const char *const registrations[] = {"GET /ps/data/hall o=0",
		"GET /ps/data/hall o=0 e=00", "GET /ps/data/hall o=0 nr=2"};
	struct msg phantom;
	struct inform in;

	start_group();
	for (unsigned i = 0; i < 3; i++) {
		bw_in(i + 3, "%s", registrations[i]);
		in = bw_inform(i + 3);
		ck_assert(addr_equal(&in.client, &bw.groups[0].address));
		ck_assert_uint_eq(in.token.n, 4);
		ck_assert_int_eq(msg_decode_inner(in.ph_req, &phantom), 0);
		ck_assert_int_eq(phantom.code, CODE_GET);
		ck_assert_int_eq(bw_option(&phantom, OPT_OBSERVE), 0);
		/* Observe and three segments of the path: no ETag, no No-Response. */
		ck_assert_uint_eq(phantom.n_opts, 4);
		bw_ack(i + 3);
	}
}
END_TEST

/* 'tpi_server' "MUST be equal to the source addressing information of the informative response" */
START_TEST(omn_4_2_1_tpi_server_is_where_it_comes_from)
{
	struct inform in;

	bw.address = 7;
	start_group();
	in = bw_inform(2);
	ck_assert(addr_equal(&in.server, &bw_datagram(2)->way.local));
	bw_pub("a");
	/* "MUST be sent from the same IP address SRV_ADDR and port number SRV_PORT" */
	ck_assert(addr_equal(&in.server, &bw_datagram_to_group(0)->group_way.source));
}
END_TEST

/* "the server MUST store the latest multicast notification" */
START_TEST(omn_4_3_the_latest_is_stored)
{
	struct inform in;
	struct msg sent, stored;

	start_group();
	bw_pub("a");
	bw_pub("b");
	bw_sub(3);
	in = bw_inform(3);
	sent = bw_last_to_group(0);
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &stored), 0);
	ck_assert_int_eq(stored.code, sent.code);
	ck_assert_uint_eq(stored.n_opts, sent.n_opts);
	for (uint8_t i = 0; i < sent.n_opts; i++) {
		ck_assert_uint_eq(stored.opts[i].number, sent.opts[i].number);
		ck_assert(bytes_equal(stored.opts[i].value, sent.opts[i].value));
	}
	ck_assert(bytes_equal(stored.payload, sent.payload));
	bw_ack(3);
}
END_TEST

/* "MUST be Non-confirmable messages": nothing of what goes to the group is anything else. */
START_TEST(omn_4_4_non_confirmable)
{
	start_group();
	for (int i = 0; i < 300; i++) {
		struct msg m;

		bw_pub("x");
		m = bw_last_to_group(0);
		ck_assert_int_eq(m.type, TYPE_NON);
	}
	bw_go(100000000);
	ck_assert_int_eq(bw_last_to_group(0).type, TYPE_NON);
	(void)bw_said();
}
END_TEST

/* "it has no payload, and it does not include an Observe Option" */
START_TEST(omn_4_5_cancellation)
{
	struct msg m;

	start_group();
	bw_in(9, "DELETE /ps/hall");
	m = bw_last_to_group(0);
	ck_assert_int_eq(m.type, TYPE_NON);
	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	ck_assert_uint_eq(m.n_opts, 0);
	ck_assert_uint_eq(m.payload.n, 0);
	ck_assert(addr_equal(&bw_datagram_to_group(0)->group_way.group, &bw.groups[0].address));
}
END_TEST

/* "A value MUST NOT be given", and "MUST NOT appear more than once in a given link-value". */
START_TEST(omn_6_gp_obs_once_and_without_a_value)
{
	char text[1025];
	const char *first;
	struct msg m;

	bw_in(5, "GET /.well-known/core?rt=core.ps.data");
	m = bw_last(5);
	(void)snprintf(text, sizeof(text), "%.*s", (int)m.payload.n, (const char *)m.payload.p);
	first = strstr(text, ";gp-obs");
	ck_assert_ptr_nonnull(first);
	ck_assert_int_ne(first[7], '=');
	ck_assert_ptr_null(strstr(first + 7, "gp-obs"));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("omn");
	TCase *t = tcase_create("server");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, omn_4_1_initial_notification);
	tcase_add_test(t, omn_4_1_token_t);
	tcase_add_test(t, omn_4_2_confirmable_and_separate);
	tcase_add_test(t, omn_4_2_site_local_addresses_stay_traditional);
	tcase_add_test(t, omn_4_2_tp_info_and_ph_req);
	tcase_add_test(t, omn_4_2_1_tpi_server_is_where_it_comes_from);
	tcase_add_test(t, omn_4_3_the_latest_is_stored);
	tcase_add_test(t, omn_4_4_non_confirmable);
	tcase_add_test(t, omn_4_5_cancellation);
	tcase_add_test(t, omn_6_gp_obs_once_and_without_a_value);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
