/* SPDX-License-Identifier: BSD-2-Clause */
/* Confirmable messages: RFC 7252 4.2, 4.7, 4.8, 5.2. Requests: test_layer.c. */
#include "unit.h"

#include <stdio.h>

#include "world.h"

#define N_SENDERS 200

static struct world w;
static struct sender s[N_SENDERS];
static char names[N_SENDERS][8];

static void
setup(void)
{
	world_init(&w, 400, 300);
	memset(s, 0, sizeof(s));
	for (unsigned i = 0; i < N_SENDERS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "s%u", i);
		s[i].world = &w;
		s[i].name = names[i];
	}
}

static void
teardown(void)
{
	world_fini(&w);
}

/* What happened, each event with the ms since `start` before it. */
static void
timeline(uint64_t ms, char *out, size_t cap)
{
	struct buf b = buf_of(out, cap);
	uint64_t start = w.now_ms, next;

	while ((next = layer_next(w.layer)) <= start + ms) {
		const char *said;

		world_go(&w, next - w.now_ms);
		said = world_said(&w);
		if (*said)
			buf_printf(&b, "%llu %s\n", (unsigned long long)(w.now_ms - start), said);
	}
	world_go(&w, start + ms - w.now_ms);
	(void)buf_str(&b);
}

START_TEST(rfc7252_4_2_retransmission)
{
	char text[1024] = "";

	world_send(&s[0], 1);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's0'");
	timeline(200000, text, sizeof(text));
	/* Doubled each time, four times, then as long again. */
	ck_assert_str_eq(text, "2000 CON 2.05 #1 t=0a 's0'\n"
			       "6000 CON 2.05 #1 t=0a 's0'\n"
			       "14000 CON 2.05 #1 t=0a 's0'\n"
			       "30000 CON 2.05 #1 t=0a 's0'\n"
			       "62000 s0 timeout\n");
	ck_assert_uint_eq(s[0].n_composed, 5);
	ck_assert_uint_eq(layer_stats(w.layer)->retransmitted, 4);
	ck_assert_uint_eq(layer_stats(w.layer)->con_sent, 1);
	ck_assert_uint_eq(layer_stats(w.layer)->timeouts, 1);
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 0);
}

START_TEST(rfc7252_4_8_first_timeout_is_between_2_and_3_seconds)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t start = w.now_ms;

		w.random = i * 2654435761u;
		world_send(&s[0], 1 + i % 100);
		(void)world_said(&w);
		while (s[0].n_composed % 2 == 1)
			world_go(&w, layer_next(w.layer) - w.now_ms);
		if (w.now_ms - start < least)
			least = w.now_ms - start;
		if (w.now_ms - start > most)
			most = w.now_ms - start;
		layer_cancel(w.layer, s[0].exchange);
		(void)world_said(&w);
	}
	ck_assert_uint_ge(least, 2000);
	ck_assert_uint_lt(least, 2010);
	ck_assert_uint_gt(most, 2990);
	ck_assert_uint_le(most, 3000);
}

START_TEST(rfc7252_4_2_acknowledged)
{
	world_send(&s[0], 1);
	world_go(&w, 7000);
	(void)world_said(&w);
	world_in(&w, "ACK EMPTY #1");
	ck_assert_str_eq(world_said(&w), "s0 acked");
	/* Again, and after that: nothing. */
	world_in(&w, "ACK EMPTY #1");
	world_go(&w, 100000);
	ck_assert_str_eq(world_said(&w), "");
	ck_assert_uint_eq(layer_stats(w.layer)->acked, 1);
	ck_assert_uint_eq(layer_stats(w.layer)->stray_acks, 1);
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
}

START_TEST(rfc7252_4_2_reset)
{
	world_send(&s[0], 1);
	world_in(&w, "RST EMPTY #1");
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's0'; s0 reset");
	ck_assert_uint_eq(layer_stats(w.layer)->resets, 1);
	world_in(&w, "RST EMPTY #1");
	ck_assert_str_eq(world_said(&w), "reset of #1 by 1");
}

START_TEST(rfc7252_4_4_only_the_right_peer_and_message_id)
{
	world_send(&s[0], 1);
	world_send(&s[1], 2);
	(void)world_said(&w);
	world_in(&w, "ACK EMPTY #2");
	world_in(&w, "RST EMPTY #2");
	ck_assert_str_eq(world_said(&w), "reset of #2 by 1");
	world_from(&w, 1, 2, false);
	world_in(&w, "ACK EMPTY #1");
	world_from(&w, 3, 1, false);
	world_in(&w, "ACK EMPTY #1");
	world_in(&w, "ACK 2.05 #1");
	world_from(&w, 1, 1, true);
	world_in(&w, "ACK EMPTY #1");
	world_in(&w, "RST EMPTY #1");
	world_in(&w, "ACK 2.05 #1");
	ck_assert_str_eq(world_said(&w), "");
	world_from(&w, 2, 1, false);
	world_in(&w, "ACK EMPTY #1");
	ck_assert_str_eq(world_said(&w), "s1 acked");
	world_from(&w, 1, 1, false);
	world_in(&w, "ACK EMPTY #1");
	ck_assert_str_eq(world_said(&w), "s0 acked");
}

START_TEST(a_waiting_exchange_has_no_message_id_to_match)
{
	world_send(&s[0], 1);
	world_send(&s[1], 1);
	(void)world_said(&w);
	world_in(&w, "ACK EMPTY #0");
	world_in(&w, "ACK EMPTY #2");
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(rfc7252_5_2_1_response_on_the_ack)
{
	w.wants_responses = true;
	world_send(&s[0], 1);
	(void)world_said(&w);
	/* RFC 7252 4.2: rejected in silence, so the CON goes on. */
	world_in(&w, "ACK 2.05 #1 t=0a 9999=aa");
	ck_assert_str_eq(world_said(&w), "");
	world_in(&w, "ACK 2.05 #1 t=0a 'hi'");
	ck_assert_str_eq(world_said(&w), "s0 acked; got ACK 2.05 #1 t=0a 'hi'");
	world_in(&w, "ACK 2.05 #1 t=0a 'hi'");
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(rfc7252_4_7_one_in_flight_per_peer_in_order)
{
	for (unsigned i = 0; i < 4; i++)
		world_send(&s[i], 1);
	world_send(&s[4], 2);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's0'; >2 CON 2.05 #1 t=0a 's4'");
	world_in(&w, "ACK EMPTY #1");
	ck_assert_uint_eq(layer_next(w.layer), w.now_ms);
	layer_flush(w.layer);
	ck_assert_str_eq(world_said(&w), "s0 acked; CON 2.05 #2 t=0a 's1'");
	world_in(&w, "RST EMPTY #2");
	layer_flush(w.layer);
	ck_assert_str_eq(world_said(&w), "s1 reset; CON 2.05 #3 t=0a 's2'");
	layer_cancel(w.layer, s[2].exchange);
	layer_flush(w.layer);
	ck_assert_str_eq(world_said(&w), "s2 cancelled; CON 2.05 #4 t=0a 's3'");
	world_in(&w, "ACK EMPTY #4");
	ck_assert_str_eq(world_said(&w), "s3 acked");
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 1);
}

/* First, middle and last of a queue leave it; the others keep their order. */
START_TEST(cancelled_while_it_waits)
{
	for (unsigned i = 0; i < 6; i++)
		world_send(&s[i], 1);
	(void)world_said(&w);
	layer_cancel(w.layer, s[1].exchange);
	layer_cancel(w.layer, s[3].exchange);
	layer_cancel(w.layer, s[5].exchange);
	ck_assert_str_eq(world_said(&w), "s1 cancelled; s3 cancelled; s5 cancelled");
	world_send(&s[6], 1);
	for (unsigned mid = 1; mid <= 4; mid++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "ACK EMPTY #%u", mid);
		world_in(&w, text);
		layer_flush(w.layer);
	}
	ck_assert_str_eq(world_said(&w),
		"s0 acked; CON 2.05 #2 t=0a 's2'; s2 acked; CON 2.05 #3 t=0a 's4'; "
		"s4 acked; CON 2.05 #4 t=0a 's6'; s6 acked");
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 0);
}

START_TEST(cancelled_before_it_started)
{
	/* The window is full: this one is ready and cannot start. */
	for (unsigned i = 0; i < LAYER_WINDOW; i++)
		world_send(&s[i], 1 + i);
	world_send(&s[100], 101);
	(void)world_said(&w);
	/* Nor has it a message id that anything could be for. */
	world_from(&w, 101, 1, false);
	world_in(&w, "ACK EMPTY #0");
	ck_assert_str_eq(world_said(&w), "");
	layer_cancel(w.layer, s[100].exchange);
	ck_assert_str_eq(world_said(&w), "s100 cancelled");
	world_go(&w, 1000);
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(a_timeout_ends_what_waits_for_the_same_peer)
{
	world_send(&s[0], 1);
	world_send(&s[1], 1);
	world_send(&s[2], 2);
	world_go(&w, 61999);
	(void)world_said(&w);
	world_in(&w, "ACK EMPTY #9");
	world_from(&w, 2, 1, false);
	world_in(&w, "ACK EMPTY #1");
	ck_assert_str_eq(world_said(&w), "s2 acked");
	world_go(&w, 1);
	ck_assert_str_eq(world_said(&w), "s1 timeout; s0 timeout");
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 0);
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
	/* Its next one starts afresh. */
	world_send(&s[3], 1);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #2 t=0a 's3'");
}

static void
send_again(struct sender *x, enum exchange_end end)
{
	if (end == EXCHANGE_TIMEOUT)
		world_send(x, 1);
}

START_TEST(an_owner_may_try_again_when_a_peer_is_given_up)
{
	s[0].on_end = s[1].on_end = send_again;
	world_send(&s[0], 1);
	world_send(&s[1], 1);
	world_go(&w, 61999);
	(void)world_said(&w);
	world_go(&w, 1);
	ck_assert_str_eq(world_said(&w), "s1 timeout; s0 timeout; CON 2.05 #2 t=0a 's1'");
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 2);
}

static void
cancel_others(struct sender *x, enum exchange_end end)
{
	(void)x;
	(void)end;
	for (unsigned i = 0; i < 4; i++)
		if (s[i].exchange)
			layer_cancel(w.layer, s[i].exchange);
}

START_TEST(an_owner_may_cancel_all_when_a_peer_is_given_up)
{
	for (unsigned i = 0; i < 4; i++) {
		s[i].on_end = cancel_others;
		world_send(&s[i], 1);
	}
	world_go(&w, 61999);
	(void)world_said(&w);
	world_go(&w, 1);
	ck_assert_str_eq(world_said(&w), "s1 timeout; s0 cancelled; s2 cancelled; s3 cancelled");
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 0);
}

START_TEST(composed_anew_for_each_transmission)
{
	char text[1024] = "";

	/* RFC 7641 4.5.2: newer content in its place; RFC 7252 4.4: so, another message id. */
	s[0].renews = true;
	world_send(&s[0], 1);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's01'");
	timeline(10000, text, sizeof(text));
	ck_assert_str_eq(text, "2000 CON 2.05 #2 t=0a 's02'\n"
			       "6000 CON 2.05 #3 t=0a 's03'\n");
	world_in(&w, "ACK EMPTY #1");
	ck_assert_str_eq(world_said(&w), "");
	world_in(&w, "ACK EMPTY #3");
	ck_assert_str_eq(world_said(&w), "s0 acked");
}

START_TEST(compose_may_end_it)
{
	s[0].stops = true;
	world_send(&s[0], 1);
	world_send(&s[1], 1);
	ck_assert_str_eq(world_said(&w), "s0 cancelled; CON 2.05 #2 t=0a 's1'");
	s[1].stops = true;
	world_send(&s[2], 1);
	world_go(&w, 2000);
	ck_assert_str_eq(world_said(&w), "s1 cancelled; CON 2.05 #3 t=0a 's2'");
}

START_TEST(no_room_to_send_is_as_a_loss)
{
	w.closed = true;
	world_send(&s[0], 1);
	ck_assert_str_eq(world_said(&w), "");
	w.closed = false;
	world_go(&w, 2000);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's0'");
}

START_TEST(the_window)
{
	for (unsigned i = 0; i < N_SENDERS; i++)
		world_send(&s[i], 1 + i);
	(void)world_said(&w);
	ck_assert_uint_eq(layer_stats(w.layer)->con_sent, LAYER_WINDOW);
	/* An acknowledgement makes room for one. */
	world_in(&w, "ACK EMPTY #1");
	layer_flush(w.layer);
	ck_assert_uint_eq(layer_stats(w.layer)->con_sent, LAYER_WINDOW + 1);
	ck_assert_uint_eq(layer_next(w.layer), w.now_ms + LAYER_FRESH_MS);
	world_go(&w, LAYER_FRESH_MS - 1);
	ck_assert_uint_eq(layer_stats(w.layer)->con_sent, LAYER_WINDOW + 1);
	/* Those without an answer no longer hold the others up. */
	world_go(&w, 1);
	ck_assert_uint_eq(layer_stats(w.layer)->con_sent, 2 * LAYER_WINDOW + 1);
	world_go(&w, 3 * LAYER_FRESH_MS);
	ck_assert_uint_eq(layer_stats(w.layer)->con_sent, N_SENDERS);
	ck_assert_uint_eq(layer_stats(w.layer)->retransmitted, 0);
}

/* A flood of those who never answer does not hold up one who does. */
START_TEST(who_answered_before_is_in_turn_with_strangers)
{
	world_send(&s[0], 1);
	world_in(&w, "ACK EMPTY #1");
	for (unsigned i = 1; i < N_SENDERS; i++)
		world_send(&s[i], 1 + i);
	world_send(&s[0], 1);
	ck_assert_uint_eq(s[0].n_composed, 1);
	/* The window is full of strangers: the next that has room in it is ours. */
	world_from(&w, 2, 1, false);
	world_in(&w, "ACK EMPTY #1");
	world_in(&w, "ACK EMPTY #1");
	layer_flush(w.layer);
	world_from(&w, 3, 1, false);
	world_in(&w, "ACK EMPTY #1");
	layer_flush(w.layer);
	ck_assert_uint_eq(s[0].n_composed, 2);
	world_go(&w, 5 * LAYER_FRESH_MS);
	for (unsigned i = 1; i < N_SENDERS; i++)
		ck_assert_uint_eq(s[i].n_composed, 1);
}

START_TEST(the_limit_of_exchanges)
{
	world_fini(&w);
	world_init(&w, 16, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(world_send(&s[i], 1 + i % 2));
	ck_assert_ptr_null(world_send(&s[3], 1));
	ck_assert_ptr_null(world_send(&s[3], 3));
	ck_assert_uint_eq(layer_stats(w.layer)->refused_exchanges, 2);
	world_in(&w, "ACK EMPTY #1");
	ck_assert_ptr_nonnull(world_send(&s[3], 1));
}

START_TEST(an_exchange_holds_its_peer)
{
	world_fini(&w);
	world_init(&w, 2, 8);
	world_send(&s[0], 1);
	world_send(&s[1], 2);
	ck_assert_ptr_null(world_peer(&w, 3));
	world_in(&w, "ACK EMPTY #1");
	ck_assert_ptr_nonnull(world_peer(&w, 3));
	world_in(&w, "ACK EMPTY #1");
	ck_assert_uint_eq(layer_n_peers(w.layer), 2);
}

static void
send_always(struct sender *x, enum exchange_end end)
{
	ck_assert_int_eq(end, EXCHANGE_CANCELLED);
	ck_assert_ptr_null(world_send(x, 1));
}

START_TEST(freeing_the_layer_ends_all)
{
	const char *at;
	unsigned n = 0;

	s[0].on_end = send_always;
	for (unsigned i = 0; i < 3; i++)
		world_send(&s[i], 1);
	world_send(&s[3], 2);
	(void)world_said(&w);
	layer_free(w.layer);
	w.layer = NULL;
	for (unsigned i = 0; i < 4; i++)
		ck_assert_ptr_null(s[i].exchange);
	for (at = world_said(&w); (at = strstr(at, "cancelled")) != NULL; at++)
		n++;
	ck_assert_uint_eq(n, 4);
}

static Suite *
suite(void)
{
	Suite *suite = suite_create("exchange");
	TCase *t = tcase_create("exchange");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc7252_4_2_retransmission);
	tcase_add_test(t, rfc7252_4_8_first_timeout_is_between_2_and_3_seconds);
	tcase_add_test(t, rfc7252_4_2_acknowledged);
	tcase_add_test(t, rfc7252_4_2_reset);
	tcase_add_test(t, rfc7252_4_4_only_the_right_peer_and_message_id);
	tcase_add_test(t, a_waiting_exchange_has_no_message_id_to_match);
	tcase_add_test(t, rfc7252_5_2_1_response_on_the_ack);
	tcase_add_test(t, rfc7252_4_7_one_in_flight_per_peer_in_order);
	tcase_add_test(t, cancelled_while_it_waits);
	tcase_add_test(t, cancelled_before_it_started);
	tcase_add_test(t, a_timeout_ends_what_waits_for_the_same_peer);
	tcase_add_test(t, an_owner_may_try_again_when_a_peer_is_given_up);
	tcase_add_test(t, an_owner_may_cancel_all_when_a_peer_is_given_up);
	tcase_add_test(t, composed_anew_for_each_transmission);
	tcase_add_test(t, compose_may_end_it);
	tcase_add_test(t, no_room_to_send_is_as_a_loss);
	tcase_add_test(t, the_window);
	tcase_add_test(t, who_answered_before_is_in_turn_with_strangers);
	tcase_add_test(t, the_limit_of_exchanges);
	tcase_add_test(t, an_exchange_holds_its_peer);
	tcase_add_test(t, freeing_the_layer_ends_all);
	suite_add_tcase(suite, t);
	return suite;
}

int
main(void)
{
	return unit_run(suite());
}
