/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message layer over transports with sessions: RFC 8323 3, and DTLS through a
 * library that acknowledges and retransmits by itself. The transport itself:
 * tests/integration/transports.sh.
 */
#include "unit.h"

#include <stdio.h>

#include "msg/carrier.h"
#include "world.h"

static struct world w;
static struct sender s[3];

static void
setup(void)
{
	world_init(&w, 100, 100);
	memset(s, 0, sizeof(s));
	for (unsigned i = 0; i < 3; i++) {
		s[i].world = &w;
		s[i].name = i == 0 ? "s0" : i == 1 ? "s1" : "s2";
	}
}

static void
teardown(void)
{
	world_fini(&w);
}

/* Datagrams come from peer 1 by that transport, in that session, from here on. */
static void
by(enum path_transport transport, uint16_t number)
{
	w.way.transport = (uint8_t)transport;
	w.way.socket = number;
}

static void
send_by_session(struct sender *from)
{
	struct peer *p = layer_peer(w.layer, &w.way);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(world_send_to(from, p));
}

/* RFC 8323 3.1: nothing is acknowledged, nothing is sent twice. */
START_TEST(rfc8323_3_1_a_con_is_sent_once)
{
	by(_i == 0 ? PATH_TCP : _i == 1 ? PATH_TLS : PATH_DTLS, 0x100);
	send_by_session(&s[0]);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's0'; s0 acked");
	world_go(&w, 300000);
	ck_assert_str_eq(world_said(&w), "");
	ck_assert_uint_eq(layer_stats(w.layer)->retransmitted, 0);
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 0);
	ck_assert(!carrier_is_needed(w.layer, &w.way));
}

START_TEST(several_do_not_wait_for_each_other)
{
	by(PATH_DTLS, 0x100);
	for (unsigned i = 0; i < 3; i++)
		send_by_session(&s[i]);
	ck_assert_str_eq(world_said(&w),
		"CON 2.05 #1 t=0a 's0'; s0 acked; CON 2.05 #2 t=0a 's1'; s1 acked; "
		"CON 2.05 #3 t=0a 's2'; s2 acked");
}

START_TEST(a_session_without_room_is_tried_again)
{
	by(PATH_TCP, 0x100);
	w.closed = true;
	send_by_session(&s[0]);
	ck_assert_str_eq(world_said(&w), "");
	w.closed = false;
	world_go(&w, 3000);
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 's0'; s0 acked");
}

START_TEST(a_nack_is_a_reset)
{
	by(PATH_DTLS, 0x100);
	send_by_session(&s[0]);
	(void)world_said(&w);
	carrier_nack(w.layer, &w.way, 1);
	ck_assert_str_eq(world_said(&w), "reset of #1 by 1");
	ck_assert_uint_eq(layer_stats(w.layer)->resets, 1);
	/* Of nobody we know. */
	by(PATH_DTLS, 0x101);
	carrier_nack(w.layer, &w.way, 1);
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(what_waits_for_a_lost_session_ends)
{
	by(PATH_DTLS, 0x100);
	w.closed = true;
	for (unsigned i = 0; i < 3; i++)
		send_by_session(&s[i]);
	ck_assert(carrier_is_needed(w.layer, &w.way));
	carrier_lost(w.layer, &w.way);
	ck_assert_str_eq(world_said(&w), "s1 timeout; s2 timeout; s0 timeout; lost 1");
	ck_assert_uint_eq(layer_n_exchanges(w.layer), 0);
	ck_assert(!carrier_is_needed(w.layer, &w.way));
	world_go(&w, 300000);
	ck_assert_str_eq(world_said(&w), "");
	/* Of nobody we know. */
	by(PATH_DTLS, 0x101);
	carrier_lost(w.layer, &w.way);
	ck_assert_str_eq(world_said(&w), "");
}

/* The same addresses by another transport, or in another session, are another peer. */
START_TEST(peers_are_told_apart_by_transport_and_session)
{
	static const struct {
		enum path_transport transport;
		uint16_t number;
	} ways[] = {{PATH_UDP, 0}, {PATH_DTLS, 0x100}, {PATH_DTLS, 0x101}, {PATH_TCP, 0x102},
		{PATH_TLS, 0x102}};
	struct peer *p[5];
	struct path way;

	for (unsigned i = 0; i < 5; i++) {
		by(ways[i].transport, ways[i].number);
		p[i] = layer_peer(w.layer, &w.way);
		for (unsigned j = 0; j < i; j++)
			ck_assert_ptr_ne(p[i], p[j]);
		ck_assert_ptr_eq(layer_peer(w.layer, &w.way), p[i]);
		peer_path(p[i], &way);
		ck_assert_uint_eq(way.transport, ways[i].transport);
		ck_assert_uint_eq(way.socket, ways[i].number);
	}
	/* A UDP peer that moves to another socket of the same address is the same one. */
	by(PATH_UDP, 1);
	ck_assert_ptr_eq(layer_peer(w.layer, &w.way), p[0]);
}

/* RFC 7252 4.5 by DTLS: by session. RFC 8323 3.1: by TCP there are no duplicates. */
START_TEST(duplicates)
{
	static const char *const requests[] = {
		"CON POST #7 t=aa 'x'", "CON PUT #7 t=aa 'x'", "CON PUT #7 t=aa 1=r 'x'"};
	const char *request = requests[_i];

	by(PATH_DTLS, 0x100);
	world_in(&w, request);
	world_in(&w, request);
	ck_assert_uint_eq(w.n_runs, 1);
	by(PATH_DTLS, 0x101);
	world_in(&w, request);
	ck_assert_uint_eq(w.n_runs, 2);
	by(PATH_TCP, 0x102);
	world_in(&w, request);
	world_in(&w, request);
	ck_assert_uint_eq(w.n_runs, 4);
	by(PATH_UDP, 0);
	world_in(&w, request);
	world_in(&w, request);
	ck_assert_uint_eq(w.n_runs, 5);
	ck_assert_uint_eq(layer_stats(w.layer)->duplicates, 2);
}

int
main(void)
{
	Suite *suite = suite_create("sessions");
	TCase *t = tcase_create("layer");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, rfc8323_3_1_a_con_is_sent_once, 0, 3);
	tcase_add_test(t, several_do_not_wait_for_each_other);
	tcase_add_test(t, a_session_without_room_is_tried_again);
	tcase_add_test(t, a_nack_is_a_reset);
	tcase_add_test(t, what_waits_for_a_lost_session_ends);
	tcase_add_test(t, peers_are_told_apart_by_transport_and_session);
	tcase_add_loop_test(t, duplicates, 0, 3);
	suite_add_tcase(suite, t);
	return unit_run(suite);
}
