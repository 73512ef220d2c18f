/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Rough Counting of Clients in the Group Observation" of the current draft, the
 * server's side: the arithmetic, and what the broker asks, hears and does about it.
 */
#include "broker_world.h"

#include <math.h>

#include "broker/count.h"
#include "wire/option.h"

/* --- the arithmetic ------------------------------------------------------------------- */

static const struct count_conf conf = {
	.every = 3, .confirmations = 8, .wait_ms = 7000, .dampener = 1, .cancel_below = 1};

/* "Request for Feedback": Q = max(ceil(log2(N / M)), 0), N = max(COUNT, 1). */
static const struct {
	double n;
	uint32_t m;
	uint8_t q;
} dividers[] = {
	{0, 8, 0},
	{0.2, 1, 0},
	{1, 1, 0},
	{8, 8, 0},
	{8.5, 8, 1},
	{9, 8, 1},
	{16, 8, 1},
	{17, 8, 2},
	{32, 8, 2},
	{33, 8, 3},
	{100000, 8, 14},
	{1000, 65535, 0},
	{3, 1, 2},
	{3, 0, 2},
	{COUNT_MAX, 1, 30},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(omn_8_3_1_divider)
{
	struct count c = {.n = dividers[_i].n};
	struct count_conf asks = conf;

	asks.confirmations = dividers[_i].m;
	ck_assert_uint_eq(count_ask(&c, &asks), dividers[_i].q);
	ck_assert(c.is_open && c.n == (dividers[_i].n < 1 ? 1 : dividers[_i].n));
}
END_TEST

/* "Processing of Feedback": COUNT = COUNT' + (E - N) / D. */
static const struct {
	double n;
	uint32_t r, joined, left, d;
	double after;
	bool again; /* "if R == 0 or max(E/N, N/E) > 4" */
} rounds[] = {
	{32, 4, 0, 0, 1, 16, false}, /* the draft's example */
	{32, 8, 0, 0, 1, 32, false},
	{32, 4, 3, 0, 1, 19, false},
	{32, 4, 3, 1, 1, 18, false},
	{32, 4, 0, 0, 4, 28, false},
	{32, 4, 0, 0, 3, 32 - 16 / 3.0, false},
	{32, 2, 0, 0, 1, 8, false},
	{32, 1, 0, 0, 1, 4, true},
	{32, 0, 0, 0, 1, 0, true},
	{32, 0, 0, 0, 4, 24, true},
	{1, 5, 0, 0, 1, 5, true},
	{1, 4, 0, 0, 1, 4, false},
	{0, 1, 0, 0, 1, 1, false}, /* "rounded up to 1": COUNT too, or E = N would mean nobody */
	{0, 0, 2, 0, 1, 2, true},
	{1e9, 0xffffffff, 0, 0, 1, 1e9, true},
};

START_TEST(omn_8_3_3_processing_of_feedback)
{
	struct count c = {.n = rounds[_i].n};
	struct count_conf with = conf;

	with.dampener = rounds[_i].d;
	with.cancel_below = 0;
	(void)count_ask(&c, &with);
	c.n_confirmed = rounds[_i].r;
	for (uint32_t i = 0; i < rounds[_i].joined; i++)
		(void)count_join(&c);
	for (uint32_t i = 0; i < rounds[_i].left; i++)
		count_leave(&c, c.round);
	ck_assert(!count_close(&c, &with));
	ck_assert_msg(fabs(c.n - rounds[_i].after) < 1e-6, "%f", c.n);
	ck_assert(!c.is_open);
	ck_assert_int_eq(c.again, rounds[_i].again);
}
END_TEST

/* Nobody is left: the next notification asks, however few there were since the last. */
START_TEST(omn_8_3_1_asks_at_once_when_nobody_seems_to_be_left)
{
	struct count c = {0};
	uint8_t one, two;

	one = count_join(&c);
	two = count_join(&c);
	ck_assert(!count_is_due(&c, &conf));
	count_leave(&c, one);
	ck_assert(!count_is_due(&c, &conf));
	count_leave(&c, two);
	ck_assert(count_is_due(&c, &conf));
	for (int i = 0; i < 2; i++) {
		ck_assert(count_is_due(&c, &conf));
		ck_assert_uint_eq(count_ask(&c, &conf), 0);
		ck_assert_int_eq(count_close(&c, &conf), i == 1);
	}
}
END_TEST

/* Who was counted when the round began, and turned out not to be there, is in neither E nor N. */
START_TEST(omn_8_3_3_who_leaves_is_subtracted_once)
{
	struct count c = {0};
	uint8_t early, late;

	for (int i = 0; i < 9; i++)
		(void)count_join(&c);
	early = count_join(&c);
	ck_assert_uint_eq(count_ask(&c, &conf), 1);
	late = count_join(&c);
	ck_assert(c.n == 11);
	for (int i = 0; i < 5; i++)
		count_confirm(&c);
	count_leave(&c, early);
	count_leave(&c, late);
	ck_assert(!count_close(&c, &conf));
	/* Nine were asked, and five times two is an estimate of ten. */
	ck_assert(c.n == 10);
	count_confirm(&c);
	ck_assert_uint_eq(c.n_confirmed, 5);
}
END_TEST

START_TEST(every_so_many_notifications)
{
	struct count c = {.n = 4};

	ck_assert(!count_is_due(&c, &conf) && !count_is_due(&c, &conf));
	ck_assert(count_is_due(&c, &conf));
	(void)count_ask(&c, &conf);
	/* Not while it collects. */
	for (int i = 0; i < 10; i++)
		ck_assert(!count_is_due(&c, &conf));
	for (int i = 0; i < 4; i++)
		count_confirm(&c);
	ck_assert(!count_close(&c, &conf));
	ck_assert(count_is_due(&c, &conf));
	(void)count_ask(&c, &conf);
	count_confirm(&c);
	ck_assert(!count_close(&c, &conf));
	ck_assert(!count_is_due(&c, &conf) && !count_is_due(&c, &conf));
	ck_assert(count_is_due(&c, &conf));
	(void)count_ask(&c, &conf);
	/* Nobody: the next one asks at once. */
	ck_assert(!count_close(&c, &conf));
	ck_assert(count_is_due(&c, &conf));
}
END_TEST

START_TEST(cancelled_when_nobody_answers_twice)
{
	struct count c = {.n = 100};

	/* Not from 4 to 0 at once. */
	ck_assert_uint_eq(count_ask(&c, &conf), 4);
	ck_assert(!count_close(&c, &conf));
	ck_assert(c.n == 0);
	ck_assert_uint_eq(count_ask(&c, &conf), 1);
	ck_assert(!count_close(&c, &conf));
	ck_assert_uint_eq(count_ask(&c, &conf), 0);
	ck_assert(!count_close(&c, &conf));
	/* A newcomer is somebody. */
	(void)count_ask(&c, &conf);
	(void)count_join(&c);
	ck_assert(!count_close(&c, &conf));
	(void)count_ask(&c, &conf);
	ck_assert(!count_close(&c, &conf));
	(void)count_ask(&c, &conf);
	ck_assert(count_close(&c, &conf));
}
END_TEST

/* A silent round of very many does not make all of them answer the next one. */
START_TEST(bad_luck_among_very_many)
{
	struct count c = {.n = 100000};

	ck_assert_uint_eq(count_ask(&c, &conf), 14);
	ck_assert(!count_close(&c, &conf));
	ck_assert(count_is_due(&c, &conf));
	ck_assert_uint_eq(count_ask(&c, &conf), 11);
	for (int i = 0; i < 49; i++)
		count_confirm(&c);
	ck_assert(!count_close(&c, &conf));
	ck_assert(c.n == 49 * 2048);
	ck_assert_uint_eq(count_ask(&c, &conf), 14);
}
END_TEST

/* COUNT is no whole number; with a dampener it takes longer to go down. */
START_TEST(cancelled_below_a_number)
{
	struct count_conf with = conf;
	struct count c = {.n = 6};

	with.cancel_below = 3;
	with.dampener = 2;
	(void)count_ask(&c, &with);
	count_confirm(&c);
	ck_assert(!count_close(&c, &with));
	ck_assert(c.n == 3.5);
	(void)count_ask(&c, &with);
	count_confirm(&c);
	ck_assert(count_close(&c, &with));
	ck_assert(c.n == 2.25);
}
END_TEST

/* On average the estimate is the truth, and what is lost is missing twice: question, answer. */
START_TEST(estimates_are_right_on_average)
{
	const unsigned n_clients = 1000, n_rounds = 400;
	unsigned loss = (unsigned)_i;
	double sum = 0, there = (1 - loss / 100.0) * (1 - loss / 100.0);
	uint32_t state = 12345;

	for (unsigned round = 0; round < n_rounds; round++) {
		struct count c = {.n = n_clients};
		uint8_t q = count_ask(&c, &conf);

		for (unsigned i = 0; i < n_clients; i++) {
			state = state * 1664525u + 1013904223u;
			if ((state >> 8) % 10000 >= there * 10000)
				continue;
			state = state * 1664525u + 1013904223u;
			if (state >> (32 - q) == 0)
				count_confirm(&c);
		}
		(void)count_close(&c, &conf);
		sum += c.n;
	}
	ck_assert_msg(fabs(sum / n_rounds / (n_clients * there) - 1) < 0.1, "%f", sum / n_rounds);
}
END_TEST

/* --- the broker ------------------------------------------------------------------------- */

static void
start_with(uint32_t every, uint32_t m, uint32_t cancel_below)
{
	struct broker_group *g;

	bw_init();
	g = bw_group("239.255.17.4:61616", 3);
	g->count.every = every;
	g->count.confirmations = m;
	g->count.cancel_below = cancel_below;
	bw_start();
	bw_topic("hall", "0");
}

/* n clients in the group. */
static void
begin(unsigned n, uint32_t every, uint32_t m)
{
	start_with(every, m, 1);
	bw_subs(1, n);
	bw_acks(1, n);
	ck_assert_uint_eq(bw_stats().moved, n);
	(void)bw_said();
}

static int64_t
divider(void)
{
	struct msg m = bw_last_to_group(0);

	return bw_option(&m, option_feedback_divider());
}

static void
confirm(unsigned first, unsigned last)
{
	for (unsigned peer = first; peer <= last; peer++)
		bw_in(peer, "NON GET /ps/data/hall o=0 fd=0 nr=26");
}

static void
setup(void)
{
	begin(5, 2, 2);
}

static void
anew(unsigned n, uint32_t every, uint32_t m)
{
	bw_stop();
	begin(n, every, m);
}

START_TEST(omn_8_3_1_the_second_notification_asks)
{
	ck_assert(bw_count() == 5);
	bw_pub("a");
	ck_assert_int_eq(divider(), -1);
	bw_pub("b");
	ck_assert_int_eq(divider(), 2);
	/* "RECOMMENDED to include the Feedback-Divider Option only in the first of a burst". */
	bw_pub("c");
	bw_pub("d");
	ck_assert_int_eq(divider(), -1);
	(void)bw_said();
	/* "Collection of Feedback": counted, not answered, and nobody's observation. */
	confirm(1, 1);
	bw_go(6999);
	confirm(4, 4);
	bw_expect("");
	ck_assert(bw_count() == 5);
	bw_go(1);
	ck_assert(bw_count() == 8);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().group_counts, 1);
	ck_assert_uint_eq(bw_stats().group_confirmations, 2);
	bw_pub("e");
	ck_assert_int_eq(divider(), 2);
}
END_TEST

/* Q = 0 has an empty value: RFC 7252 3.2. */
START_TEST(omn_8_3_1_asking_everybody)
{
	struct msg m;

	anew(5, 1, 8);
	bw_pub("a");
	m = bw_last_to_group(0);
	ck_assert_ptr_nonnull(msg_find(&m, OPT_FEEDBACK_DIVIDER));
	ck_assert_uint_eq(msg_find(&m, OPT_FEEDBACK_DIVIDER)->value.n, 0);
	confirm(1, 3);
	bw_go(7000);
	ck_assert(bw_count() == 3);
}
END_TEST

/* What is retransmitted or late is no second answer; nor is what lacks the option an answer. */
START_TEST(omn_8_3_3_what_is_no_confirmation)
{
	anew(5, 1, 8);
	bw_pub("a");
	confirm(1, 1);
	bw_again();
	bw_in(2, "NON GET /ps/data/hall o=0 fd=1 nr=26");
	bw_in(3, "NON GET /ps/data/hall o=1 fd=0 nr=26");
	bw_in(4, "NON GET /ps/data/hall fd=0 nr=26");
	bw_go(7000);
	/* fd=1 is a registration that wants no answer: one more. */
	ck_assert(bw_count() == 2);
	confirm(5, 5);
	bw_go(7000);
	ck_assert(bw_count() == 2);
	ck_assert_uint_eq(bw_stats().group_confirmations, 2);
}
END_TEST

/* "the server regularly increments the observer counter when adding a new client" meanwhile. */
START_TEST(omn_8_3_2_newcomers_during_a_round)
{
	anew(5, 1, 8);
	/* The 5.03 to this one is under way when it is asked. */
	bw_sub(6);
	bw_pub("a");
	bw_ack(6);
	confirm(1, 6);
	bw_sub(7);
	bw_ack(7);
	bw_sub(8);
	bw_rst(8);
	bw_in(9, "GET /ps/data/hall o=0 nr=16");
	bw_go(7000);
	ck_assert(bw_count() == 8);
}
END_TEST

/* Who never acknowledges its 5.03 was counted, and is not any more. */
START_TEST(who_is_not_there_is_uncounted)
{
	anew(5, 100000, 8);
	bw_sub(6);
	bw_sub(7);
	ck_assert(bw_count() == 7);
	bw_unsub(7);
	bw_go(200000);
	ck_assert(bw_count() == 5);
}
END_TEST

/* With a confirmable registration that wants its answer, it is that and an answer. */
START_TEST(omn_8_3_2_a_confirmation_that_wants_an_answer)
{
	anew(5, 1, 8);
	bw_pub("a");
	bw_expect("*:a ");
	bw_in(1, "GET /ps/data/hall o=0 fd=0");
	bw_expect("a1 i1 ");
	bw_ack(1);
	confirm(2, 5);
	bw_go(7000);
	ck_assert(bw_count() == 5);
}
END_TEST

/* It is only a side effect: nobody becomes an observer by it. */
START_TEST(omn_8_2_a_confirmation_where_no_group_is)
{
	bw_stop();
	start_with(1, 8, 1);
	confirm(1, 3);
	bw_expect("");
	bw_in(4, "GET /ps/data/hall o=0 fd=0");
	bw_expect("4=2.05:0 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
}
END_TEST

/* "Cancellation": 5.03, Token T, no payload, no Observe; then all begins anew. */
START_TEST(omn_4_5_nobody_left)
{
	struct token before, after;

	anew(3, 1, 8);
	before = bw_inform(3).token;
	bw_pub("a");
	bw_go(7000);
	bw_expect("*:a ");
	ck_assert(bw_count() == 0);
	bw_pub("b");
	bw_go(7000);
	bw_expect("*:b *x ");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw_stats().group_cancelled, 1);
	bw_go(600000);
	bw_expect("");
	/* A new group observation when enough come again, under another token. */
	bw_subs(1, 3);
	bw_expect("1+b 2+b a3 i1 i2 i3 ");
	bw_acks(1, 3);
	after = bw_inform(3).token;
	ck_assert(!token_equal(&before, &after));
	bw_pub("c");
	bw_expect("*:c ");
	ck_assert(bw_count() == 3);
}
END_TEST

/* Refreshes ask too: a topic that nobody publishes to is found out. */
START_TEST(omn_4_5_nobody_left_and_nobody_publishes)
{
	anew(3, 1, 8);
	bw_go(60000 + 7000);
	bw_expect("*:0 ");
	bw_go(60000);
	bw_expect("*:0 *x ");
}
END_TEST

START_TEST(omn_4_5_too_few_left)
{
	bw_stop();
	start_with(1, 8, 3);
	bw_subs(1, 5);
	bw_acks(1, 5);
	(void)bw_said();
	bw_pub("a");
	confirm(1, 3);
	bw_go(7000);
	ck_assert(bw_count() == 3);
	bw_pub("b");
	confirm(1, 2);
	/* One whose 5.03 is under way is told by another. */
	bw_in(6, "GET /ps/data/hall o=0 fd=0");
	(void)bw_said();
	bw_go(7000 - 1);
	bw_in(1, "NON GET /ps/data/hall o=0 nr=26");
	bw_pub("c");
	bw_go(7000);
	bw_pub("d");
	confirm(1, 1);
	(void)bw_said();
	bw_go(7000);
	ck_assert_uint_eq(bw_stats().group_cancelled, 1);
	ck_assert(bw_count() == -1);
}
END_TEST

/* The configured number is the option's, and 18 is not any more. */
START_TEST(omn_8_1_another_option_number)
{
	struct msg m;

	anew(5, 1, 8);
	option_set_feedback_divider(65000);
	bw_pub("a");
	m = bw_last_to_group(0);
	ck_assert_int_eq(bw_option(&m, OPT_FEEDBACK_DIVIDER), -1);
	ck_assert_int_eq(bw_option(&m, 65000), 0);
	confirm(1, 2);
	bw_go(7000);
	option_set_feedback_divider(OPT_FEEDBACK_DIVIDER);
	ck_assert(bw_count() == 2);
}
END_TEST

static void
add_broker(Suite *s)
{
	TCase *t = tcase_create("broker");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, omn_8_3_1_asks_at_once_when_nobody_seems_to_be_left);
	tcase_add_test(t, omn_8_3_1_the_second_notification_asks);
	tcase_add_test(t, omn_8_3_1_asking_everybody);
	tcase_add_test(t, omn_8_3_3_what_is_no_confirmation);
	tcase_add_test(t, omn_8_3_2_newcomers_during_a_round);
	tcase_add_test(t, who_is_not_there_is_uncounted);
	tcase_add_test(t, omn_8_3_2_a_confirmation_that_wants_an_answer);
	tcase_add_test(t, omn_8_2_a_confirmation_where_no_group_is);
	tcase_add_test(t, omn_4_5_nobody_left);
	tcase_add_test(t, omn_4_5_nobody_left_and_nobody_publishes);
	tcase_add_test(t, omn_4_5_too_few_left);
	tcase_add_test(t, omn_8_1_another_option_number);
	suite_add_tcase(s, t);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("count");
	TCase *t = tcase_create("arithmetic");

	tcase_add_loop_test(t, omn_8_3_1_divider, 0, N(dividers));
	tcase_add_loop_test(t, omn_8_3_3_processing_of_feedback, 0, N(rounds));
	tcase_add_test(t, omn_8_3_3_who_leaves_is_subtracted_once);
	tcase_add_test(t, every_so_many_notifications);
	tcase_add_test(t, cancelled_when_nobody_answers_twice);
	tcase_add_test(t, bad_luck_among_very_many);
	tcase_add_test(t, cancelled_below_a_number);
	tcase_add_loop_test(t, estimates_are_right_on_average, 0, 31);
	suite_add_tcase(s, t);
	add_broker(s);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
