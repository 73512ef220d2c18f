/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving and answering: RFC 7252 4.2-4.5, 5.2, 5.4, 8.1, RFC 7967. Exchanges: test_exchange.c. */
#include "unit.h"

#include <stdio.h>

#include "world.h"

static struct world w;

static void
setup(void)
{
	world_init(&w, 16, 16);
}

static void
teardown(void)
{
	world_fini(&w);
}

/* What comes and what is said to it, in order, in one world. */
struct step {
	const char *in;
	const char *said;
};

static void
play(const struct step *steps)
{
	for (; steps->in; steps++) {
		world_in(&w, steps->in);
		ck_assert_str_eq(world_said(&w), steps->said);
	}
}

START_TEST(rfc7252_5_2_1_piggybacked)
{
	world_in(&w, "CON GET #7 t=0102 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; ACK 2.05 #7 t=0102 '1'");
}

START_TEST(rfc7252_5_2_2_accepted_then_answered_separately)
{
	struct sender s = {.world = &w, .name = "later"};

	world_in(&w, "CON GET #7 t=01 11=a");
	ck_assert_str_eq(world_said(&w), "run GET; ACK EMPTY #7");
	ck_assert_ptr_nonnull(world_send(&s, 1));
	ck_assert_str_eq(world_said(&w), "CON 2.05 #1 t=0a 'later'");
	world_in(&w, "ACK EMPTY #1");
	ck_assert_str_eq(world_said(&w), "later acked");
}

START_TEST(rfc7252_5_2_2_unanswered_is_acknowledged)
{
	world_in(&w, "CON GET #7 t=01 11=l");
	ck_assert_str_eq(world_said(&w), "run GET; ACK EMPTY #7");
	world_in(&w, "NON GET #8 t=01 11=l");
	ck_assert_str_eq(world_said(&w), "run GET");
	world_in(&w, "CON GET #9 t=01 11=i");
	ck_assert_str_eq(world_said(&w), "run GET");
}

START_TEST(rfc7252_5_2_3_non_is_answered_by_non)
{
	world_in(&w, "NON GET #7 t=01 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; NON 2.05 #1 t=01 '1'");
}

START_TEST(message_ids_stay_in_the_lower_half)
{
	w.random = 0x7ffe;
	world_in(&w, "NON GET #7 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; NON 2.05 #32767 '1'");
	world_in(&w, "NON GET #8 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; NON 2.05 #0 '2'");
	w.random = 0xffff;
	world_from(&w, 2, 1, false);
	world_in(&w, "NON GET #7 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; >2 NON 2.05 #0 '3'");
}

/* RFC 7252 4.5: which requests run again when they come again. */
START_TEST(rfc7252_4_5_duplicates)
{
	static const struct step steps[] = {
		{"CON POST #1 t=01 11=r", "run POST; ACK 2.04 #1 t=01 '1'"},
		{"CON POST #1 t=01 11=r", "ACK 2.04 #1 t=01 '1'"},
		{"NON POST #2 11=r", "run POST; NON 2.04 #1 '2'"},
		{"NON POST #2 11=r", ""},
		{"CON iPATCH #3 11=r", "run iPATCH; ACK 2.04 #3 '3'"},
		{"CON iPATCH #3 11=r", "ACK 2.04 #3 '3'"},
		{"CON PATCH #4 11=r", "run PATCH; ACK 2.04 #4 '4'"},
		{"CON PATCH #4 11=r", "ACK 2.04 #4 '4'"},
		{"CON PUT #5 1=aa 11=r", "run PUT; ACK 2.04 #5 '5'"},
		{"CON PUT #5 1=aa 11=r", "ACK 2.04 #5 '5'"},
		{"CON PUT #6 5= 11=r", "run PUT; ACK 2.04 #6 '6'"},
		{"CON PUT #6 5= 11=r", "ACK 2.04 #6 '6'"},
		/* Idempotent: the code is what is kept. */
		{"CON PUT #7 t=07 11=r", "run PUT; ACK 2.04 #7 t=07 '7'"},
		{"CON PUT #7 t=07 11=r", "ACK 2.04 #7 t=07"},
		{"CON DELETE #8 11=n", "run DELETE; ACK 4.04 #8"},
		{"CON DELETE #8 11=n", "ACK 4.04 #8"},
		{"NON PUT #9 11=r", "run PUT; NON 2.04 #2 '9'"},
		{"NON PUT #9 11=r", ""},
		/* Safe: they run again. */
		{"CON GET #10 11=r", "run GET; ACK 2.05 #10 '10'"},
		{"CON GET #10 11=r", "run GET; ACK 2.05 #10 '11'"},
		{"CON FETCH #11 11=r", "run FETCH; ACK 2.04 #11 '12'"},
		{"CON FETCH #11 11=r", "run FETCH; ACK 2.04 #11 '13'"},
		/* A FETCH with a body in blocks: the body is gone when it comes again. */
		{"CON FETCH #12 11=r 27=10", "run FETCH; ACK 2.04 #12 '14'"},
		{"CON FETCH #12 11=r 27=10", "ACK 2.04 #12 '14'"},
		{.in = NULL},
	};

	play(steps);
	ck_assert_uint_eq(layer_stats(w.layer)->duplicates, 10);
}

START_TEST(rfc7252_4_5_duplicate_of_a_request_in_progress)
{
	static const struct step steps[] = {
		{"CON POST #1 11=a", "run POST; ACK EMPTY #1"},
		{"CON POST #1 11=a", "ACK EMPTY #1"},
		{"CON PUT #2 11=a", "run PUT; ACK EMPTY #2"},
		{"CON PUT #2 11=a", "ACK EMPTY #2"},
		{"CON PUT #3 11=l", "run PUT; ACK EMPTY #3"},
		{"CON PUT #3 11=l", "ACK EMPTY #3"},
		{.in = NULL},
	};

	play(steps);
}

START_TEST(rfc7252_4_5_block1_of_a_repeated_answer)
{
	static const struct step steps[] = {
		{"CON PUT #1 11=r 27=08", "run PUT; ACK 2.04 #1 '1'"},
		{"CON PUT #1 11=r 27=08", "ACK 2.04 #1 27=08"},
		{.in = NULL},
	};

	play(steps);
}

START_TEST(rfc7252_4_5_forgotten_after_exchange_lifetime)
{
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	(void)world_said(&w);
	world_go(&w, LAYER_EXCHANGE_LIFETIME_S * 1000 - 1);
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	ck_assert_str_eq(world_said(&w), "ACK 2.04 #1 '1'; ACK 2.04 #2");
	world_go(&w, 1);
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	ck_assert_str_eq(world_said(&w), "run POST; ACK 2.04 #1 '3'; run PUT; ACK 2.04 #2 '4'");
}

START_TEST(the_key_has_both_addresses)
{
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	world_from(&w, 1, 2, false);
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	world_from(&w, 2, 1, false);
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	ck_assert_uint_eq(w.n_runs, 6);
	ck_assert_uint_eq(layer_n_peers(w.layer), 3);
}

START_TEST(the_oldest_answer_gives_way)
{
	char text[64];

	/* 16 in the table: the answer to the first of 17 is gone. */
	for (unsigned i = 0; i <= 16; i++) {
		(void)snprintf(text, sizeof(text), "CON POST #%u 11=r", i);
		world_in(&w, text);
	}
	ck_assert_uint_eq(w.n_runs, 17);
	(void)world_said(&w);
	world_in(&w, "CON POST #1 11=r");
	ck_assert_str_eq(world_said(&w), "ACK 2.04 #1 '2'");
	world_in(&w, "CON POST #0 11=r");
	ck_assert_str_eq(world_said(&w), "run POST; ACK 2.04 #0 '18'");
}

START_TEST(the_last_eight_writes_are_known)
{
	char text[64];

	for (unsigned i = 0; i <= PEER_RECENT; i++) {
		(void)snprintf(text, sizeof(text), "CON PUT #%u 11=r", i);
		world_in(&w, text);
	}
	(void)world_said(&w);
	world_in(&w, "CON PUT #1 11=r");
	ck_assert_str_eq(world_said(&w), "ACK 2.04 #1");
	world_in(&w, "CON PUT #0 11=r");
	ck_assert_str_eq(world_said(&w), "run PUT; ACK 2.04 #0 '10'");
}

START_TEST(an_answer_that_could_not_be_sent_is_fetched_by_the_duplicate)
{
	w.closed = true;
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	ck_assert_str_eq(world_said(&w), "run POST; run PUT");
	w.closed = false;
	world_in(&w, "CON POST #1 11=r");
	world_in(&w, "CON PUT #2 11=r");
	ck_assert_str_eq(world_said(&w), "ACK 2.04 #1 '1'; ACK 2.04 #2");
}

START_TEST(an_answer_too_large_for_a_datagram_is_an_error)
{
	world_in(&w, "CON GET #1 t=01 11=h");
	ck_assert_str_eq(world_said(&w), "run GET; ACK 5.00 #1 t=01");
	world_in(&w, "CON POST #2 t=01 11=h");
	world_in(&w, "CON POST #2 t=01 11=h");
	ck_assert_str_eq(world_said(&w), "run POST; ACK 5.00 #2 t=01; ACK 5.00 #2 t=01");
}

START_TEST(nothing_opens_without_room)
{
	w.closed = true;
	world_in(&w, "CON EMPTY #1");
	world_in_hex(&w, "4f010001");
	world_in(&w, "CON GET #2 11=r");
	world_in(&w, "CON GET #3 9999=aa 11=r");
	world_in(&w, "CON 2.05 #4");
	ck_assert_str_eq(world_said(&w), "run GET; got CON 2.05 #4");
}

START_TEST(rfc7252_4_6_a_datagram_that_was_cut)
{
	static const uint8_t con[] = {0x41, 0x03, 0x12, 0x34, 0x07, 0xb2},
			     bare[] = {0x41, 0x03, 0x12};
	static const uint8_t non[] = {0x51, 0x03, 0x12, 0x34, 0x07},
			     answer[] = {0x41, 0x45, 0x12, 0x34, 7};
	struct path way = w.way;

	layer_receive_cut(w.layer, &way, BYTES_OF(con));
	ck_assert_str_eq(world_said(&w), "ACK 4.13 #4660 t=07 27=06 60=0400");
	layer_receive_cut(w.layer, &way, BYTES_OF(answer));
	ck_assert_str_eq(world_said(&w), "RST EMPTY #4660");
	layer_receive_cut(w.layer, &way, BYTES_OF(bare));
	layer_receive_cut(w.layer, &way, BYTES_OF(non));
	way.multicast = true;
	layer_receive_cut(w.layer, &way, BYTES_OF(con));
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(rfc7252_4_3_ping)
{
	world_in(&w, "CON EMPTY #513");
	ck_assert_str_eq(world_said(&w), "RST EMPTY #513");
	ck_assert_uint_eq(layer_stats(w.layer)->pings, 1);
	world_from(&w, 1, 1, true);
	world_in(&w, "CON EMPTY #513");
	ck_assert_str_eq(world_said(&w), "");
}

/* RFC 7252 3, 4.2, 4.3, 12.1: format errors. */
static const struct {
	const char *what;
	const char *con; /* the same as a NON, ACK and RST are made from its first byte */
} malformed[] = {
	{"token length 9", "49010102 010203040506070809"},
	{"token length 15", "4f010102 0102030405060708090a0b0c0d0e0f"},
	{"token longer than the datagram", "44010102 010203"},
	{"code class 1", "40210102"},
	{"code class 6", "40c10102"},
	{"code class 7", "40e10102"},
	{"class 1 with a payload", "40220102 ff61"},
	{"payload marker without payload", "40010102 ff"},
	{"marker after an option", "40010102 b161 ff"},
	{"option delta 15", "40010102 f161"},
	{"option length 15", "40010102 1f61"},
	{"option longer than the datagram", "40010102 b261"},
	{"extended delta cut", "40010102 d1"},
	{"extended delta of two bytes cut", "40010102 e100"},
	{"extended length cut", "40010102 1d"},
	{"extended length of two bytes cut", "40010102 1e00"},
	{"option number past 65535", "40010102 e1ffff61"},
	{"sum of deltas past 65535", "40010102 e0fef2 e00001"},
	{"empty message with a token", "41000102 01"},
	{"empty message with an option", "40000102 b161"},
	{"empty message with a payload", "40000102 ff61"},
};

static void
receive_malformed(const char *hex, char type)
{
	char copy[128];

	(void)snprintf(copy, sizeof(copy), "%s", hex);
	copy[0] = type;
	world_in_hex(&w, copy);
}

START_TEST(rfc7252_4_2_malformed_con_is_rejected)
{
	receive_malformed(malformed[_i].con, '4');
	ck_assert_msg(strcmp(world_said(&w), "RST EMPTY #258") == 0, "%s", malformed[_i].what);
	ck_assert_uint_eq(layer_stats(w.layer)->malformed, 1);
	ck_assert_uint_eq(layer_n_peers(w.layer), 0);
}

START_TEST(rfc7252_4_3_malformed_others_are_ignored)
{
	for (char type = '5'; type <= '7'; type++)
		receive_malformed(malformed[_i].con, type);
	world_from(&w, 1, 1, true);
	for (char type = '4'; type <= '7'; type++)
		receive_malformed(malformed[_i].con, type);
	ck_assert_msg(strcmp(world_said(&w), "") == 0, "%s", malformed[_i].what);
	ck_assert_uint_eq(layer_stats(w.layer)->malformed, 7);
}

START_TEST(rfc7252_3_unknown_version_and_short_datagrams_are_ignored)
{
	static const char *const hex[] = {
		"", "40", "4001", "400101", "00010102", "80010102", "c0010102"};

	for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
		world_in_hex(&w, hex[i]);
		ck_assert_str_eq(world_said(&w), "");
	}
	ck_assert_uint_eq(layer_stats(w.layer)->ignored, 7);
}

START_TEST(rfc7252_5_4_1_unknown_critical_option)
{
	static const struct step steps[] = {
		{"CON GET #1 t=01 11=r 9999=aa", "ACK 4.02 #1 t=01 'option 9999 not understood'"},
		{"NON GET #2 11=r 9999=aa", "RST EMPTY #2"},
		/* Twice, and of a length that it cannot have: 5.4.5, 5.4.3 */
		{"CON GET #3 7=01 7=02 11=r", "ACK 4.02 #3 'option 7 not understood'"},
		{"CON GET #4 11=r 17=000001", "ACK 4.02 #4 'option 17 not understood'"},
		{"CON PUT #5 5=00 11=r", "ACK 4.02 #5 'option 5 not understood'"},
		{.in = NULL},
	};

	play(steps);
	world_from(&w, 1, 1, true);
	world_in(&w, "NON GET #9 11=r 9999=aa");
	ck_assert_str_eq(world_said(&w), "");
	ck_assert_uint_eq(layer_stats(w.layer)->bad_options, 6);
	ck_assert_uint_eq(w.n_runs, 0);
}

START_TEST(rfc7252_5_4_3_elective_options_are_dropped)
{
	static const struct step steps[] = {
		{"CON GET #1 11=r 9998=aa", "run GET; ACK 2.05 #1 '1'"},
		{"CON GET #2 6=01020304 11=r", "run GET; ACK 2.05 #2 '2'"},
		{"CON PUT #3 11=r 12=010203 'hi'", "run PUT; ACK 2.04 #3 '3'"},
		/* A No-Response of two bytes is none. */
		{"CON GET #4 11=r 258=001a", "run GET; ACK 2.05 #4 '4'"},
		{.in = NULL},
	};

	play(steps);
}

static void
tell_options(struct world *world, struct request *r)
{
	for (uint8_t i = 0; i < r->msg->n_opts; i++)
		world_say(world, "%u", r->msg->opts[i].number);
	request_ignore(r);
}

START_TEST(rfc7252_5_4_the_owner_sees_recognized_options_only)
{
	w.on_request = tell_options;
	world_in(&w, "CON GET #1 4=aa 6=00 6=01 11=r 12=010203 60=0102030405 9998=aa");
	ck_assert_str_eq(world_said(&w), "run GET; 4; 6; 11");
}

START_TEST(rfc7252_5_10_2_no_proxy)
{
	static const struct step steps[] = {
		{"CON GET #1 t=01 35=coap://x/", "ACK 5.05 #1 t=01"},
		{"CON GET #2 3=host 11=r 39=http", "ACK 5.05 #2"},
		{"NON GET #3 35=coap://x/", "NON 5.05 #1"},
		/* Uri-Host and Uri-Port alone ask for no proxy. */
		{"CON GET #4 3=host 7=1633 11=r", "run GET; ACK 2.05 #4 '1'"},
		{.in = NULL},
	};

	play(steps);
	world_from(&w, 1, 1, true);
	world_in(&w, "NON GET #5 35=coap://x/");
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(rfc7967_2_no_response)
{
	static const struct step steps[] = {
		{"CON GET #1 11=r 258=02", "run GET; ACK EMPTY #1"},
		{"NON GET #2 11=r 258=02", "run GET"},
		{"CON GET #3 11=n 258=02", "run GET; ACK 4.04 #3"},
		{"CON GET #4 11=n 258=08", "run GET; ACK EMPTY #4"},
		{"CON GET #5 11=x 258=08", "run GET; ACK 5.00 #5"},
		{"CON GET #6 11=x 258=10", "run GET; ACK EMPTY #6"},
		{"CON GET #7 11=r 258=18", "run GET; ACK 2.05 #7 '7'"},
		{"NON GET #8 11=r 258=1a", "run GET"},
		{"NON GET #9 11=n 258=1a", "run GET"},
		{"NON GET #10 11=x 258=1a", "run GET"},
		{"CON GET #11 11=r 258=", "run GET; ACK 2.05 #11 '11'"},
		{"CON GET #12 11=r 258=00", "run GET; ACK 2.05 #12 '12'"},
		/* Its duplicate runs nothing either. */
		{"CON POST #13 11=r 258=02", "run POST; ACK EMPTY #13"},
		{"CON POST #13 11=r 258=02", "ACK EMPTY #13"},
		{"CON PUT #14 11=r 258=02", "run PUT; ACK EMPTY #14"},
		{"CON PUT #14 11=r 258=02", "ACK EMPTY #14"},
		{"NON POST #15 11=r 258=02", "run POST"},
		{"NON POST #15 11=r 258=02", ""},
		{.in = NULL},
	};

	play(steps);
}

START_TEST(rfc7252_8_1_multicast_requests)
{
	static const struct step steps[] = {
		{"CON GET #1 11=r", ""},
		{"CON POST #1 11=r", ""},
		{"ACK GET #1 11=r", ""},
		/* RFC 7252 8.2: errors are kept for oneself. */
		{"NON GET #2 t=01 11=r", "run GET"},
		{"NON GET #3 11=n", "run GET"},
		{"NON GET #4 11=x", "run GET"},
		{"NON GET #5 11=l", "run GET"},
		{"NON GET #6 11=r 258=02", "run GET"},
		{.in = NULL},
	};

	world_from(&w, 1, 1, true);
	play(steps);
	ck_assert_uint_eq(layer_stats(w.layer)->ignored, 3);
	/* The one answer that is left, at leisure: test_leisure.c. */
	world_go(&w, LAYER_LEISURE_MS);
	ck_assert_str_eq(world_said(&w), "NON 2.05 #1 t=01 '1'");
}

START_TEST(rfc7252_4_2_ack_and_rst_carry_no_request)
{
	world_in(&w, "ACK GET #1 11=r");
	world_in(&w, "RST GET #1 11=r");
	world_in(&w, "RST 2.05 #1");
	world_in(&w, "NON EMPTY #1");
	ck_assert_str_eq(world_said(&w), "");
	ck_assert_uint_eq(layer_stats(w.layer)->ignored, 4);
}

static void
answer_twice(struct world *world, struct request *r)
{
	(void)world;
	request_reply_code(r, CODE_CONTENT);
	request_reply_code(r, CODE_NOT_FOUND);
	request_accept(r);
	request_ignore(r);
}

START_TEST(only_the_first_answer_counts)
{
	w.on_request = answer_twice;
	world_in(&w, "CON GET #1 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; ACK 2.05 #1");
}

/* A request that makes the owner talk to more peers than the table has room for. */
static void
fill_the_table(struct world *world, struct request *r)
{
	/* Their message ids start elsewhere: it shows when one took the place. */
	world->random = 500;
	for (unsigned i = 100; i < 130; i++)
		ck_assert_ptr_nonnull(world_peer(world, i));
	request_reply_code(r, CODE_CONTENT);
}

START_TEST(the_peer_of_a_request_stays_while_it_runs)
{
	w.on_request = fill_the_table;
	world_in(&w, "NON GET #1 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; NON 2.05 #1");
	ck_assert_uint_eq(layer_n_peers(w.layer), 16);
}

START_TEST(the_silent_peer_gives_way)
{
	for (unsigned i = 1; i <= 16; i++) {
		world_from(&w, i, 1, false);
		world_in(&w, "CON PUT #1 11=r");
	}
	world_from(&w, 1, 1, false);
	world_in(&w, "CON PUT #2 11=r");
	world_from(&w, 17, 1, false);
	world_in(&w, "CON PUT #1 11=r");
	ck_assert_uint_eq(layer_n_peers(w.layer), 16);
	(void)world_said(&w);
	/* 1 spoke again, 2 is the one that was forgotten. */
	world_from(&w, 1, 1, false);
	world_in(&w, "CON PUT #1 11=r");
	ck_assert_str_eq(world_said(&w), "ACK 2.04 #1");
	world_from(&w, 2, 1, false);
	world_in(&w, "CON PUT #1 11=r");
	ck_assert_str_eq(world_said(&w), "run PUT; >2 ACK 2.04 #1 '19'");
}

START_TEST(a_table_full_of_pinned_peers_refuses)
{
	for (unsigned i = 1; i <= 16; i++)
		layer_pin(w.layer, world_peer(&w, i));
	world_from(&w, 17, 1, false);
	world_in(&w, "CON GET #1 t=01 11=r");
	ck_assert_str_eq(world_said(&w), ">17 ACK 5.03 #1 t=01 14=05");
	world_in(&w, "NON GET #2 t=01 11=r");
	ck_assert_str_eq(world_said(&w), "");
	ck_assert_ptr_null(world_peer(&w, 17));
	ck_assert_uint_eq(layer_stats(w.layer)->refused_peers, 3);
	/* Those in the table are served. */
	world_from(&w, 3, 1, false);
	world_in(&w, "CON GET #1 11=r");
	ck_assert_str_eq(world_said(&w), "run GET; >3 ACK 2.05 #1 '1'");
	layer_unpin(w.layer, world_peer(&w, 5));
	ck_assert_ptr_nonnull(world_peer(&w, 17));
	ck_assert_uint_eq(layer_n_peers(w.layer), 16);
}

START_TEST(rfc7252_4_2_con_response)
{
	static const struct step steps[] = {
		{"CON 2.05 #1 t=01 'x'", "got CON 2.05 #1 t=01 'x'; ACK EMPTY #1"},
		/* RFC 7252 4.5: acknowledged again, processed once. */
		{"CON 2.05 #1 t=01 'x'", "ACK EMPTY #1"},
		{"NON 2.05 #2 t=01", "got NON 2.05 #2 t=01"},
		/* An observer does not judge notifications by the message id alone. */
		{"NON 2.05 #2 t=01", "got NON 2.05 #2 t=01"},
		/* RFC 7252 5.4.1: critical options it does not know. */
		{"CON 2.05 #3 9999=aa", "RST EMPTY #3"},
		{"NON 2.05 #4 9999=aa", ""},
		{.in = NULL},
	};

	ck_assert_ptr_nonnull(world_peer(&w, 1));
	w.wants_responses = true;
	play(steps);
}

START_TEST(rfc7252_4_2_unwanted_response_is_reset)
{
	ck_assert_ptr_nonnull(world_peer(&w, 1));
	world_in(&w, "CON 2.05 #1 t=01");
	ck_assert_str_eq(world_said(&w), "got CON 2.05 #1 t=01; RST EMPTY #1");
	world_in(&w, "CON 2.05 #1 t=01");
	ck_assert_str_eq(world_said(&w), "got CON 2.05 #1 t=01; RST EMPTY #1");
	world_in(&w, "NON 2.05 #2 t=01");
	ck_assert_str_eq(world_said(&w), "got NON 2.05 #2 t=01");
	ck_assert_uint_eq(layer_stats(w.layer)->stray_responses, 3);
}

START_TEST(a_response_from_a_stranger_makes_no_peer)
{
	w.wants_responses = true;
	world_in(&w, "CON 2.05 #1");
	world_in(&w, "NON 2.05 #2");
	world_in(&w, "ACK 2.05 #3");
	world_in(&w, "RST EMPTY #4");
	ck_assert_str_eq(
		world_said(&w), "got strange CON 2.05 #1; ACK EMPTY #1; got strange NON 2.05 #2");
	ck_assert_uint_eq(layer_n_peers(w.layer), 0);
}

START_TEST(rfc7252_8_multicast_responses)
{
	w.wants_responses = true;
	world_from(&w, 1, 1, true);
	world_in(&w, "NON 2.05 #40000 t=01 6=05");
	ck_assert_str_eq(world_said(&w), "got multicast strange NON 2.05 #40000 t=01 6=05");
	world_in(&w, "CON 2.05 #40000 t=01 6=05");
	world_in(&w, "ACK 2.05 #40000 t=01 6=05");
	world_in(&w, "RST EMPTY #40000");
	ck_assert_str_eq(world_said(&w), "");
}

START_TEST(rfc7641_3_6_reset_of_a_non)
{
	struct outmsg m = {.code = CODE_CONTENT, .token = token_of(BYTES_LIT("\x01"))};
	uint16_t mid = 0;

	ck_assert(layer_send_non(w.layer, world_peer(&w, 1), &m, &mid));
	ck_assert_uint_eq(mid, 1);
	world_in(&w, "RST EMPTY #1");
	ck_assert_str_eq(world_said(&w), "NON 2.05 #1 t=01; reset of #1 by 1");
	/* A stranger has none. */
	world_from(&w, 2, 1, false);
	world_in(&w, "RST EMPTY #1");
	ck_assert_str_eq(world_said(&w), "");
	w.closed = true;
	ck_assert(!layer_send_non(w.layer, world_peer(&w, 1), &m, &mid));
}

START_TEST(a_non_too_large_is_dropped)
{
	static const uint8_t huge[2048];
	struct outmsg m = {.code = CODE_CONTENT, .tail = BYTES_OF(huge)};
	uint16_t mid = 77;

	ck_assert(!layer_send_non(w.layer, world_peer(&w, 1), &m, &mid));
	ck_assert_str_eq(world_said(&w), "too large");
	ck_assert_uint_eq(mid, 77);
}

START_TEST(a_multicast_request_and_a_unicast_one_share_their_peer)
{
	world_from(&w, 1, 1, true);
	world_in(&w, "NON POST #1 11=r");
	world_from(&w, 1, 1, false);
	world_in(&w, "NON POST #1 11=r");
	world_go(&w, LAYER_LEISURE_MS);
	ck_assert_str_eq(world_said(&w), "run POST; NON 2.04 #1 '1'");
	ck_assert_uint_eq(layer_n_peers(w.layer), 1);
}

START_TEST(an_idle_layer_sleeps)
{
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
	world_in(&w, "CON POST #1 11=r");
	ck_assert(layer_next(w.layer) == WHEEL_NEVER);
	ck_assert(layer_now(w.layer) == w.now_ms);
}

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static void
add_requests(TCase *t)
{
	tcase_add_test(t, rfc7252_5_2_1_piggybacked);
	tcase_add_test(t, rfc7252_5_2_2_accepted_then_answered_separately);
	tcase_add_test(t, rfc7252_5_2_2_unanswered_is_acknowledged);
	tcase_add_test(t, rfc7252_5_2_3_non_is_answered_by_non);
	tcase_add_test(t, message_ids_stay_in_the_lower_half);
	tcase_add_test(t, rfc7252_4_5_duplicates);
	tcase_add_test(t, rfc7252_4_5_duplicate_of_a_request_in_progress);
	tcase_add_test(t, rfc7252_4_5_block1_of_a_repeated_answer);
	tcase_add_test(t, rfc7252_4_5_forgotten_after_exchange_lifetime);
	tcase_add_test(t, the_key_has_both_addresses);
	tcase_add_test(t, the_oldest_answer_gives_way);
	tcase_add_test(t, the_last_eight_writes_are_known);
	tcase_add_test(t, an_answer_that_could_not_be_sent_is_fetched_by_the_duplicate);
	tcase_add_test(t, an_answer_too_large_for_a_datagram_is_an_error);
	tcase_add_test(t, only_the_first_answer_counts);
	tcase_add_test(t, rfc7967_2_no_response);
	tcase_add_test(t, rfc7252_8_1_multicast_requests);
	tcase_add_test(t, a_multicast_request_and_a_unicast_one_share_their_peer);
	tcase_add_test(t, an_idle_layer_sleeps);
}

static void
add_faults(TCase *t)
{
	tcase_add_test(t, nothing_opens_without_room);
	tcase_add_test(t, rfc7252_4_6_a_datagram_that_was_cut);
	tcase_add_test(t, rfc7252_4_3_ping);
	tcase_add_loop_test(t, rfc7252_4_2_malformed_con_is_rejected, 0, N(malformed));
	tcase_add_loop_test(t, rfc7252_4_3_malformed_others_are_ignored, 0, N(malformed));
	tcase_add_test(t, rfc7252_3_unknown_version_and_short_datagrams_are_ignored);
	tcase_add_test(t, rfc7252_5_4_1_unknown_critical_option);
	tcase_add_test(t, rfc7252_5_4_3_elective_options_are_dropped);
	tcase_add_test(t, rfc7252_5_4_the_owner_sees_recognized_options_only);
	tcase_add_test(t, rfc7252_5_10_2_no_proxy);
	tcase_add_test(t, rfc7252_4_2_ack_and_rst_carry_no_request);
}

static void
add_peers_and_responses(TCase *t)
{
	tcase_add_test(t, the_peer_of_a_request_stays_while_it_runs);
	tcase_add_test(t, the_silent_peer_gives_way);
	tcase_add_test(t, a_table_full_of_pinned_peers_refuses);
	tcase_add_test(t, rfc7252_4_2_con_response);
	tcase_add_test(t, rfc7252_4_2_unwanted_response_is_reset);
	tcase_add_test(t, a_response_from_a_stranger_makes_no_peer);
	tcase_add_test(t, rfc7252_8_multicast_responses);
	tcase_add_test(t, rfc7641_3_6_reset_of_a_non);
	tcase_add_test(t, a_non_too_large_is_dropped);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("layer");
	TCase *t = tcase_create("layer");

	tcase_add_checked_fixture(t, setup, teardown);
	add_requests(t);
	add_faults(t);
	add_peers_and_responses(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
