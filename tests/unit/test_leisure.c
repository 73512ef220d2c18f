/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests by multicast at the message layer: RFC 7252 8.1, 8.2, RFC 7967, RFC 9177,
 * draft-ietf-core-groupcomm-bis. What the broker answers to them: test_groupreq.c.
 */
#include "unit.h"

#include <stdio.h>

#include "world.h"

static struct world w;

static void
setup(void)
{
	world_init(&w, 16, 16);
	world_from(&w, 1, 1, true);
}

static void
teardown(void)
{
	world_fini(&w);
}

/* RFC 7252 8.2: a random point in time within the leisure. */
START_TEST(rfc7252_8_2_an_answer_waits_for_a_random_part_of_the_leisure)
{
	static const uint32_t times[] = {0, 1, 1234, LAYER_LEISURE_MS};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		w.random = times[i];
		world_in(&w, "NON GET #1 t=01 11=r");
		ck_assert_str_eq(world_said(&w), "run GET");
		if (times[i] > 1) {
			world_go(&w, times[i] - 1);
			ck_assert_str_eq(world_said(&w), "");
		}
		world_go(&w, 1);
		ck_assert_str_ne(world_said(&w), "");
		/* Another request of another peer next time. */
		world_from(&w, (unsigned)i + 2, 1, true);
	}
	w.random = LAYER_LEISURE_MS + 1;
	world_in(&w, "NON GET #1 t=01 11=r");
	world_go(&w, 1);
	ck_assert_str_ne(world_said(&w), "run GET");
}

START_TEST(rfc7252_8_2_a_unicast_answer_does_not_wait)
{
	w.random = 1234;
	world_from(&w, 1, 1, false);
	world_in(&w, "NON GET #1 t=01 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; NON 2.05 #1235 t=01 '1'");
}

/* RFC 7252 8.1: in silence, also when they cannot be read. */
START_TEST(rfc7252_8_1_what_a_group_is_not_asked_is_ignored)
{
	static const char *const requests[] = {"CON GET #1 t=01 11=r", "CON EMPTY #2",
		"NON EMPTY #3", "CON GET #4 t=01 11=r 65001=aa", "NON GET #5 t=01 11=r 65001=aa",
		"CON 2.05 #6 t=01", "ACK 2.05 #7 t=01"};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		world_in(&w, requests[i]);
		world_go(&w, LAYER_LEISURE_MS);
	}
	world_in_hex(&w, "40 01 0001 ff");
	world_in_hex(&w, "50 01 0002 ff");
	world_go(&w, LAYER_LEISURE_MS);
	ck_assert_uint_eq(w.n_runs, 0);
	ck_assert_ptr_null(strstr(world_said(&w), "2.05 #0"));
	ck_assert_ptr_null(strstr(world_said(&w), "RST"));
	ck_assert_ptr_null(strstr(world_said(&w), "ACK"));
}

/* RFC 9177 4.4: "servers MUST ignore multicast requests that contain the Q-Block2 Option". */
START_TEST(rfc9177_multicast_q_block2_is_ignored)
{
	world_in(&w, "NON GET #1 t=01 11=r 31=06");
	world_go(&w, LAYER_LEISURE_MS);
	ck_assert_str_eq(world_said(&w), "");
	ck_assert_uint_eq(w.n_runs, 0);
}

/*
 * groupcomm-bis "Use of CoAP No-Response Option": it may suppress more than is suppressed
 * anyway, and, of somebody who is not authenticated, not less.
 */
START_TEST(groupcomm_3_1_2_no_response_suppresses_more_and_never_less)
{
	static const struct {
		const char *request, *said;
	} rows[] = {
		{"NON GET #1 t=01 11=r", "run GET; NON 2.05 #1 t=01 '1'"},
		{"NON GET #2 t=01 11=r 258=", "run GET; NON 2.05 #2 t=01 '2'"},
		{"NON GET #3 t=01 11=r 258=02", "run GET"},
		{"NON GET #4 t=01 11=r 258=18", "run GET; NON 2.05 #3 t=01 '4'"},
		{"NON GET #5 t=01 11=n", "run GET"},
		{"NON GET #6 t=01 11=n 258=", "run GET"},
		{"NON GET #7 t=01 11=n 258=02", "run GET"},
		{"NON GET #8 t=01 11=x 258=", "run GET"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_in(&w, rows[i].request);
		world_go(&w, LAYER_LEISURE_MS);
		ck_assert_str_eq(world_said(&w), rows[i].said);
	}
}

/* groupcomm-bis "Repeating a Request": the same message id runs nothing, another one does. */
START_TEST(groupcomm_3_1_3_a_repeated_request)
{
	world_in(&w, "NON GET #1 t=01 11=r");
	world_in(&w, "NON GET #1 t=01 11=r");
	world_go(&w, LAYER_LEISURE_MS);
	world_in(&w, "NON GET #1 t=01 11=r");
	world_in(&w, "NON FETCH #2 t=01 11=r");
	world_in(&w, "NON FETCH #2 t=01 11=r");
	world_in(&w, "NON GET #3 t=01 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; NON 2.05 #1 t=01 '1'; run FETCH; run GET");
	ck_assert_uint_eq(layer_stats(w.layer)->duplicates, 3);
}

/* Past the limit there is no answer; room comes back when answers leave. */
START_TEST(as_many_answers_wait_as_may)
{
	char request[64];

	w.random = LAYER_LEISURE_MS;
	for (int i = 1; i <= 6; i++) {
		(void)snprintf(request, sizeof(request), "NON GET #%d t=0%d 11=r", i, i);
		world_in(&w, request);
	}
	ck_assert_uint_eq(layer_stats(w.layer)->held, 4);
	ck_assert_uint_eq(layer_stats(w.layer)->refused_held, 2);
	(void)world_said(&w);
	world_go(&w, LAYER_LEISURE_MS);
	ck_assert_ptr_nonnull(strstr(world_said(&w), "t=04 '4'"));
	world_in(&w, "NON GET #7 t=07 11=r");
	ck_assert_uint_eq(layer_stats(w.layer)->refused_held, 2);
	/* What waits at the end is forgotten: world_fini. */
}

START_TEST(no_room_to_send_when_the_time_has_come)
{
	world_in(&w, "NON GET #1 t=01 11=r");
	w.closed = true;
	world_go(&w, LAYER_LEISURE_MS);
	w.closed = false;
	world_go(&w, LAYER_LEISURE_MS);
	ck_assert_ptr_null(strstr(world_said(&w), "NON"));
}

/* A CON that is part of an answer to a group waits, too; its retransmissions do not. */
START_TEST(groupcomm_3_6_1_a_separate_answer_waits)
{
	static struct sender s, t, gone; /* told of their end by teardown */
	const struct exchange_ops *ops;
	struct exchange *x;

	s = (struct sender){.world = &w, .name = "late"};
	t = (struct sender){.world = &w, .name = "soon"};
	gone = (struct sender){.world = &w, .name = "gone"};
	world_from(&w, 1, 1, false);
	x = world_send(&s, 1);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 'late'");
	ops = x->ops;
	layer_cancel(w.layer, x);
	(void)world_said(&w);
	s.exchange = layer_send_con_after(w.layer, world_peer(&w, 1), ops, &s, 700);
	gone.exchange = layer_send_con_after(w.layer, world_peer(&w, 1), ops, &gone, 600);
	ck_assert_ptr_nonnull(s.exchange);
	layer_flush(w.layer);
	ck_assert_str_eq(world_said(&w), "");
	/* Whoever is later queued may be earlier sent. */
	(void)world_send(&t, 1);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #2 t=0a 'soon'");
	world_in(&w, "ACK EMPTY #2");
	(void)world_said(&w);
	layer_cancel(w.layer, gone.exchange);
	ck_assert_str_eq(world_said(&w), "gone cancelled");
	world_go(&w, 699);
	ck_assert_str_eq(world_said(&w), "");
	world_go(&w, 1);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #3 t=0a 'late'");
	world_go(&w, 2000);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #3 t=0a 'late'");
	/* The end finds those that still wait. */
	t.exchange = layer_send_con_after(w.layer, world_peer(&w, 1), ops, &t, 700);
}

int
main(void)
{
	Suite *s = suite_create("leisure");
	TCase *t = tcase_create("leisure");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc7252_8_2_an_answer_waits_for_a_random_part_of_the_leisure);
	tcase_add_test(t, rfc7252_8_2_a_unicast_answer_does_not_wait);
	tcase_add_test(t, rfc7252_8_1_what_a_group_is_not_asked_is_ignored);
	tcase_add_test(t, rfc9177_multicast_q_block2_is_ignored);
	tcase_add_test(t, groupcomm_3_1_2_no_response_suppresses_more_and_never_less);
	tcase_add_test(t, groupcomm_3_1_3_a_repeated_request);
	tcase_add_test(t, as_many_answers_wait_as_may);
	tcase_add_test(t, no_room_to_send_when_the_time_has_come);
	tcase_add_test(t, groupcomm_3_6_1_a_separate_answer_waits);
	suite_add_tcase(s, t);
	return unit_run(s);
}
