/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes that are kept before anybody sees them: commit-interval 0. */
#include <errno.h>

#include "broker/topic.h"
#include "broker_world.h"
#include "msg/later.h"
#include "wire/option.h"
#include "wire/props.h"

static uint64_t ticket; /* of what comes next */
static bool refuses; /* the store */
static bool lazy; /* the configuration */
static struct broker_promise asked; /* what the store was asked for last */
static struct props asked_props;

/* The topic "t" as CBOR: its name, its type. */
#define NAME "006174"
#define RT "026c636f72652e70732e64617461"

static bool
must_promise(void *ctx)
{
	(void)ctx;
	return !lazy;
}

static int
on_promise(void *ctx, const struct broker_promise *p, uint64_t *ret_ticket)
{
	(void)ctx;
	ck_assert_ptr_nonnull(p->topic);
	asked = *p;
	if (p->props)
		asked_props = *p->props;
	if (refuses)
		return -EIO;
	*ret_ticket = ticket;
	return 0;
}

static unsigned n_facts;

static void
on_fact(void *ctx, enum broker_keep what, const struct topic *t)
{
	(void)ctx;
	(void)what;
	(void)t;
	n_facts++;
}

static void
setup(void)
{
	bw_init();
	bw.conf.create_on_publish = true;
	bw.must_promise = must_promise;
	bw.promise = on_promise;
	bw.keep = on_fact;
	ticket = 1;
	refuses = lazy = false;
	bw_start();
	bw_topic("hall", "0");
}

static void
teardown(void)
{
	bw_stop();
}

static void
is_kept(bool kept)
{
	broker_promise_is_kept(bw.broker, ticket++, kept);
	bw_flush();
}

START_TEST(nothing_is_seen_before_it_is_kept)
{
	bw_sub(1);
	bw_expect("1+0 ");
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_expect("");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	is_kept(true);
	bw_expect("2=2.04 1:a ");
	ck_assert_uint_eq(bw_stats().publishes, 1);
}
END_TEST

START_TEST(what_is_not_kept_has_changed_nothing)
{
	struct msg m;

	bw_sub(1);
	(void)bw_said();
	bw_in(2, "PUT /ps/data/hall 'a'");
	is_kept(false);
	bw_expect("2=5.03 ");
	m = bw_last(2);
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 10);
	bw_in(2, "DELETE /ps/data/hall");
	is_kept(false);
	bw_expect("2=5.03 ");
	bw_in(2, "PUT /ps/data/new 'a'");
	is_kept(false);
	bw_expect("2=5.03 ");
	bw_in(2, "GET /ps/new");
	bw_expect("2=4.04 ");
	refuses = true;
	bw_in(2, "PUT /ps/data/hall 'b'");
	bw_expect("2=5.03 ");
	bw_in(2, "PUT /ps/data/new 'b'");
	bw_expect("2=5.03 ");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	ck_assert_uint_eq(bw_stats().publishes, 0);
	ck_assert_uint_eq(bw_stats().topics, 1);
	ck_assert_uint_eq(bw_stats().value_bytes, 1);
}
END_TEST

START_TEST(rfc7252_5_2_2_past_a_second_the_answer_is_separate)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_go(LATER_ACK_MS - 10);
	bw_expect("");
	bw_go(20);
	bw_expect("a2 ");
	is_kept(true);
	bw_expect("2!2.04 ");
	/* Retransmitted until it is acknowledged. */
	bw_go(3100);
	bw_expect("2!2.04 ");
	bw_ack(2);
	bw_go(60000);
	bw_expect("");
}
END_TEST

START_TEST(rfc7252_4_5_a_duplicate_gets_the_empty_ack)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_again();
	bw_expect("a2 ");
	is_kept(true);
	bw_expect("2!2.04 ");
	bw_ack(2);
	bw_again();
	bw_expect("a2 ");
	/* One whose answer is remembered with its bytes. */
	bw_in(2, "PUT /ps/data/hall m= 'b'");
	bw_again();
	bw_expect("a2 ");
	is_kept(true);
	bw_expect("2!2.04 ");
	bw_ack(2);
	ck_assert_uint_eq(bw_stats().publishes, 2);
}
END_TEST

START_TEST(a_duplicate_of_one_that_was_answered_at_once_gets_that)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	is_kept(true);
	bw_expect("2=2.04 ");
	bw_again();
	bw_expect("2=2.04 ");
	ck_assert_uint_eq(bw_stats().publishes, 1);
}
END_TEST

START_TEST(a_non_is_answered_when_it_is_kept)
{
	bw_in(2, "NON PUT /ps/data/hall 'a'");
	bw_go(2000);
	bw_expect("");
	is_kept(true);
	bw_expect("2~2.04 ");
	bw_in(2, "NON PUT /ps/data/hall nr=2 'b'");
	is_kept(true);
	bw_expect("");
	bw_in(2, "PUT /ps/data/hall nr=2 'c'");
	is_kept(true);
	bw_expect("a2 ");
	bw_in(2, "PUT /ps/data/hall nr=2 'd'");
	bw_go(1100);
	is_kept(true);
	bw_expect("a2 ");
}
END_TEST

START_TEST(all_of_one_commit_in_their_order)
{
	bw_sub(1);
	(void)bw_said();
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(3, "PUT /ps/data/hall 'b'");
	bw_in(4, "PUT /ps/data/new 'c'");
	ticket = 2;
	bw_in(5, "PUT /ps/data/hall 'd'");
	ticket = 1;
	is_kept(true);
	bw_expect("2=2.04 3=2.04 4=2.01 1:b ");
	is_kept(true);
	bw_expect("5=2.04 1:d ");
}
END_TEST

START_TEST(what_would_be_held_against_what_may_not_come_waits_for_its_turn)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(3, "PUT /ps/data/hall m= 'b'");
	bw_expect("3=5.03 ");
	bw_in(3, "DELETE /ps/data/hall m=");
	bw_expect("3=5.03 ");
	is_kept(true);
	bw_expect("2=2.04 ");
}
END_TEST

START_TEST(the_topic_goes_meanwhile)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(3, "DELETE /ps/hall");
	bw_in(4, "PUT /ps/data/hall 'b'");
	is_kept(true);
	bw_expect("2=2.04 3=2.02 4=4.04 ");
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
}
END_TEST

START_TEST(data_are_deleted_when_that_is_kept)
{
	bw_sub(1);
	(void)bw_said();
	bw_in(2, "DELETE /ps/data/hall");
	bw_expect("");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	is_kept(true);
	bw_expect("2=2.02 x1 ");
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=4.04 ");
}
END_TEST

START_TEST(as_many_wait_as_there_is_room_for)
{
	bw_stop();
	bw_init();
	bw.layer_limits.exchanges = 2;
	bw.must_promise = must_promise;
	bw.promise = on_promise;
	bw_start();
	bw_topic("hall", "0");
	bw_in(1, "PUT /ps/data/hall 'a'");
	bw_in(2, "PUT /ps/data/hall 'b'");
	bw_expect("");
	bw_in(3, "PUT /ps/data/hall 'c'");
	bw_expect("3=5.03 ");
	is_kept(true);
	bw_expect("1=2.04 2=2.04 ");
	bw_in(3, "PUT /ps/data/hall 'c'");
	is_kept(true);
	bw_expect("3=2.04 ");
}
END_TEST

START_TEST(lazily_nothing_waits)
{
	lazy = true;
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_expect("2=2.04 ");
}
END_TEST

START_TEST(a_reload_that_makes_it_lazy_overtakes_nothing)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	lazy = true;
	bw_in(3, "PUT /ps/data/hall 'b'");
	bw_expect("");
	is_kept(true);
	bw_expect("2=2.04 3=2.04 ");
	bw_in(4, "GET /ps/data/hall");
	bw_expect("4=2.05:b ");
	bw_in(2, "PUT /ps/data/hall 'c'");
	bw_expect("2=2.04 ");
}
END_TEST

START_TEST(the_broker_goes_meanwhile)
{
	bw_in(2, "PUT /ps/data/hall 'a'");
	bw_in(4, "PUT /ps/data/hall s=3 'a'");
	bw_in(3, "DELETE /ps/data/hall");
	bw_go(1500);
	bw_expect("a2 a4 a3 ");
}
END_TEST

/* --- topics ------------------------------------------------------------------------- */

/* Peer 2 gets this, with a representation. */
static void
expect_code(int code)
{
	ck_assert_int_eq(strncmp(bw_said(), "2=", 2), 0);
	ck_assert_int_eq(bw_last(2).code, code);
}

START_TEST(a_topic_is_there_when_it_is_kept)
{
	n_facts = 0;
	bw_in(2, "POST /ps ct=606 x=a4" NAME RT "03000841aa");
	bw_expect("");
	ck_assert_int_eq(asked.what, BROKER_KEEP_TOPIC);
	ck_assert_ptr_nonnull(asked.value);
	ck_assert_uint_eq(asked.value->n, 1);
	ck_assert(props_has(&asked_props, PROPS_INITIALIZE));
	bw_in(3, "GET /ps/t");
	bw_expect("3=4.04 ");
	bw_in(3, "GET /ps/data/t");
	bw_expect("3=4.04 ");
	bw_in(3, "GET /ps");
	bw_expect("3=2.05:</ps/hall> ");
	/* Another one of that name, and what is published to it, would be held against it. */
	bw_in(3, "POST /ps ct=606 x=a2" NAME RT);
	bw_expect("3=5.03 ");
	bw_in(3, "PUT /ps/data/t 'b'");
	bw_expect("3=5.03 ");
	ck_assert_uint_eq(bw_stats().topics, 1);
	is_kept(true);
	expect_code(CODE_CREATED);
	bw_in(3, "GET /ps/data/t");
	bw_expect("3=2.05:(1) ");
	ck_assert_uint_eq(bw_stats().topics, 2);
	/* All of it was promised. */
	ck_assert_uint_eq(n_facts, 0);
	bw_in(3, "POST /ps ct=606 x=a2" NAME RT);
	bw_expect("3=4.00 ");
}
END_TEST

START_TEST(a_topic_that_is_not_kept_was_never_there)
{
	uint64_t created = bw_stats().created;

	bw_in(2, "POST /ps ct=606 x=a4" NAME RT "03000841aa");
	is_kept(false);
	bw_expect("2=5.03 ");
	refuses = true;
	bw_in(2, "POST /ps ct=606 x=a4" NAME RT "03000841aa");
	bw_expect("2=5.03 ");
	refuses = false;
	bw_in(3, "GET /ps");
	bw_expect("3=2.05:</ps/hall> ");
	ck_assert_uint_eq(bw_stats().topics, 1);
	ck_assert_uint_eq(bw_stats().created, created);
	ck_assert_uint_eq(bw_stats().value_bytes, 1);
	bw_in(2, "POST /ps ct=606 x=a2" NAME RT);
	is_kept(true);
	expect_code(CODE_CREATED);
}
END_TEST

START_TEST(two_publishes_that_make_a_topic)
{
	static const struct {
		bool first, second;
		const char *said;
		unsigned topics;
	} cases[] = {{true, true, "2=2.01 3=2.04 ", 2}, {true, false, "2=2.01 3=5.03 ", 2},
		{false, true, "2=5.03 3=2.01 ", 2}, {false, false, "2=5.03 3=5.03 ", 1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bw_in(2, "PUT /ps/data/t 'a'");
		ck_assert_int_eq(asked.what, BROKER_KEEP_TOPIC);
		ticket++;
		bw_in(3, "PUT /ps/data/t 'b'");
		/* With the topic: the first may come to nothing. */
		ck_assert_int_eq(asked.what, BROKER_KEEP_TOPIC);
		ck_assert_int_eq(asked.value->data[0], 'b');
		ticket--;
		bw_in(4, "GET /ps/t");
		bw_expect("4=4.04 ");
		is_kept(cases[i].first);
		is_kept(cases[i].second);
		bw_expect(cases[i].said);
		ck_assert_uint_eq(bw_stats().topics, cases[i].topics);
		if (cases[i].topics == 2) {
			bw_in(4, "DELETE /ps/t");
			is_kept(true);
			bw_expect("4=2.02 ");
		}
		ck_assert_uint_eq(bw_stats().value_bytes, 1);
	}
}
END_TEST

START_TEST(one_commit_that_fails_two_publishes_leaves_no_topic)
{
	bw_in(2, "PUT /ps/data/t 'a'");
	bw_in(3, "PUT /ps/data/t 'b'");
	is_kept(false);
	bw_expect("2=5.03 3=5.03 ");
	bw_in(4, "GET /ps/t");
	bw_expect("4=4.04 ");
	ck_assert_uint_eq(bw_stats().topics, 1);
	ck_assert_uint_eq(bw_stats().created, 1);
}
END_TEST

START_TEST(a_publish_that_is_refused_leaves_another_ones_topic)
{
	bw_in(2, "PUT /ps/data/t 'a'");
	bw_in(3, "PUT /ps/data/t nm 'b'");
	bw_expect("3=5.03 ");
	is_kept(true);
	bw_expect("2=2.01 ");
}
END_TEST

START_TEST(properties_are_others_when_they_are_kept)
{
	bw_in(2, "POST /ps/hall ct=606 x=a10607");
	bw_expect("");
	ck_assert_int_eq(asked.what, BROKER_KEEP_TOPIC);
	ck_assert_uint_eq(asked_props.max_subscribers, 7);
	bw_in(3, "FETCH /ps ct=606 x=a10607");
	bw_expect("3=2.05 ");
	/* Those of another one would be added to these. */
	bw_in(3, "iPATCH /ps/hall ct=606 x=a10608");
	bw_expect("3=5.03 ");
	is_kept(true);
	expect_code(CODE_CHANGED);
	bw_in(3, "FETCH /ps ct=606 x=a10607");
	bw_expect("3=2.05:</ps/hall> ");
	bw_in(2, "iPATCH /ps/hall ct=606 x=a10608");
	is_kept(false);
	bw_expect("2=5.03 ");
	refuses = true;
	bw_in(2, "iPATCH /ps/hall ct=606 x=a10608");
	bw_expect("2=5.03 ");
	refuses = false;
	bw_in(3, "FETCH /ps ct=606 x=a10607");
	bw_expect("3=2.05:</ps/hall> ");
	bw_in(2, "iPATCH /ps/hall ct=606 x=a10608");
	bw_in(3, "DELETE /ps/hall");
	bw_expect("3=5.03 ");
	is_kept(true);
	expect_code(CODE_CHANGED);
}
END_TEST

START_TEST(rfc7959_2_4_a_late_answer_is_in_the_blocks_that_were_asked_for)
{
	struct msg m;

	bw_in(2, "POST /ps/hall ct=606 b2=0/0/0 x=a2046c6c6f6e672d6c6f6e672d6c6f0607");
	is_kept(true);
	m = bw_last(2);
	ck_assert_int_eq(m.code, CODE_CHANGED);
	ck_assert_int_eq(bw_option(&m, OPT_BLOCK2), 8);
	ck_assert_uint_eq(m.payload.n, 16);
}
END_TEST

START_TEST(a_topic_goes_when_that_is_kept)
{
	bw_sub(1);
	(void)bw_said();
	bw_in(2, "DELETE /ps/hall");
	bw_expect("");
	ck_assert_int_eq(asked.what, BROKER_KEEP_NOTHING);
	bw_in(3, "GET /ps/data/hall");
	bw_expect("3=2.05:0 ");
	is_kept(false);
	bw_expect("2=5.03 ");
	bw_in(2, "DELETE /ps/hall");
	bw_in(3, "DELETE /ps/hall");
	bw_in(4, "PUT /ps/data/hall 'a'");
	is_kept(true);
	bw_expect("2=2.02 3=4.04 4=4.04 x1 ");
	ck_assert_uint_eq(bw_stats().topics, 0);
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
}
END_TEST

START_TEST(the_broker_goes_while_topics_wait)
{
	bw_in(2, "POST /ps ct=606 x=a4" NAME RT "03000841aa");
	bw_in(3, "iPATCH /ps/hall ct=606 x=a104626c61");
	bw_in(4, "PUT /ps/data/made 'a'");
	bw_expect("");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("park");
	TCase *tc = tcase_create("park");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_seen_before_it_is_kept);
	tcase_add_test(tc, what_is_not_kept_has_changed_nothing);
	tcase_add_test(tc, rfc7252_5_2_2_past_a_second_the_answer_is_separate);
	tcase_add_test(tc, rfc7252_4_5_a_duplicate_gets_the_empty_ack);
	tcase_add_test(tc, a_duplicate_of_one_that_was_answered_at_once_gets_that);
	tcase_add_test(tc, a_non_is_answered_when_it_is_kept);
	tcase_add_test(tc, all_of_one_commit_in_their_order);
	tcase_add_test(tc, what_would_be_held_against_what_may_not_come_waits_for_its_turn);
	tcase_add_test(tc, the_topic_goes_meanwhile);
	tcase_add_test(tc, data_are_deleted_when_that_is_kept);
	tcase_add_test(tc, as_many_wait_as_there_is_room_for);
	tcase_add_test(tc, lazily_nothing_waits);
	tcase_add_test(tc, a_reload_that_makes_it_lazy_overtakes_nothing);
	tcase_add_test(tc, the_broker_goes_meanwhile);
	tcase_add_test(tc, a_topic_is_there_when_it_is_kept);
	tcase_add_test(tc, a_topic_that_is_not_kept_was_never_there);
	tcase_add_test(tc, two_publishes_that_make_a_topic);
	tcase_add_test(tc, one_commit_that_fails_two_publishes_leaves_no_topic);
	tcase_add_test(tc, a_publish_that_is_refused_leaves_another_ones_topic);
	tcase_add_test(tc, properties_are_others_when_they_are_kept);
	tcase_add_test(tc, rfc7959_2_4_a_late_answer_is_in_the_blocks_that_were_asked_for);
	tcase_add_test(tc, a_topic_goes_when_that_is_kept);
	tcase_add_test(tc, the_broker_goes_while_topics_wait);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
