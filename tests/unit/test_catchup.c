/* SPDX-License-Identifier: BSD-2-Clause */
/* After a stop that was none: who may not have heard of the newest values is told. */
#include "broker/broker_impl.h"
#include "broker/restore.h"
#include "broker_world.h"
#include "wire/option.h"

static void
observe(unsigned peer, const char *topic)
{
	bw_in(peer, "GET /ps/data/%s o=0", topic);
	(void)bw_said();
}

static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 4);
	bw_start();
	bw_topic("a", "0");
	bw_topic("b", "0");
	bw_topic("c", "0");
	observe(1, "a");
	observe(2, "b");
	observe(3, "c");
	bw_in(9, "PUT /ps/data/b 'y'");
	bw_in(9, "PUT /ps/data/c 'z'");
	bw_in(9, "PUT /ps/data/a 'x'");
	(void)bw_said();
}

static void
teardown(void)
{
	bw_stop();
}

static void
unannounced(const char *topic)
{
	struct topic *t = topic_by_name(&bw.broker->topics, bytes_str(topic));

	ck_assert_ptr_nonnull(t);
	restore_unannounced(bw.broker, t);
}

START_TEST(rfc7641_4_4_the_newest_first_one_at_a_time)
{
	uint16_t announced;
	struct msg m;
	int64_t before;

	m = bw_last(1);
	before = bw_option(&m, OPT_OBSERVE);
	unannounced("a");
	unannounced("b");
	unannounced("c");
	ck_assert(!restore_is_announced(bw.broker, &announced));
	ck_assert_uint_eq(restore_announce(bw.broker), 3);
	bw_go(1);
	bw_expect("1:x ");
	m = bw_last(1);
	ck_assert_int_gt(bw_option(&m, OPT_OBSERVE), before);
	bw_go(CATCHUP_APART_MS);
	bw_expect("3:z ");
	ck_assert(!restore_is_announced(bw.broker, &announced));
	bw_go(2 * CATCHUP_APART_MS);
	bw_expect("2:y ");
	ck_assert(restore_is_announced(bw.broker, &announced));
	ck_assert_uint_eq(announced, bw.broker->topics.n_values);
	bw_go(60000);
	bw_expect("");
}
END_TEST

START_TEST(a_publish_tells_it_itself)
{
	unannounced("a");
	unannounced("b");
	ck_assert_uint_eq(restore_announce(bw.broker), 2);
	bw_in(9, "PUT /ps/data/b 'yy'");
	bw_expect("9=2.04 2:yy ");
	bw_go(CATCHUP_APART_MS * 3);
	bw_expect("1:x ");
}
END_TEST

START_TEST(what_is_gone_by_then_is_not_told)
{
	unannounced("a");
	unannounced("b");
	unannounced("c");
	ck_assert_uint_eq(restore_announce(bw.broker), 3);
	bw_in(9, "DELETE /ps/a");
	bw_expect("9=2.02 x1 ");
	bw_in(9, "DELETE /ps/data/b");
	bw_expect("9=2.02 x2 ");
	bw_go(1);
	bw_expect("3:z ");
}
END_TEST

/* One that was told by a publish meanwhile is not waited for, but it has its place. */
START_TEST(what_was_told_and_is_gone_has_no_place)
{
	const struct catchup *c = &bw.broker->catchup;
	const struct topic *t = topic_by_name(&bw.broker->topics, BYTES_LIT("b"));

	unannounced("a");
	unannounced("b");
	unannounced("c");
	ck_assert_uint_eq(restore_announce(bw.broker), 3);
	bw_in(9, "PUT /ps/data/b 'yy'");
	bw_expect("9=2.04 2:yy ");
	bw_in(9, "DELETE /ps/b");
	bw_expect("9=2.02 x2 ");
	ck_assert_uint_eq(c->n, 3);
	for (size_t i = 0; i < c->n; i++)
		ck_assert_ptr_ne(c->topics[i], t);
	bw_go(CATCHUP_APART_MS * 3);
	bw_expect("1:x 3:z ");
}
END_TEST

START_TEST(nobody_is_there_to_be_told)
{
	uint16_t announced;

	bw_topic("d", "0");
	unannounced("d");
	ck_assert_uint_eq(restore_announce(bw.broker), 0);
	ck_assert(restore_is_announced(bw.broker, &announced));
	ck_assert_uint_eq(announced, bw.broker->topics.n_values);
	bw_go(60000);
	bw_expect("");
}
END_TEST

START_TEST(a_group_is_told_once)
{
	bw_topic("hall", "0");
	bw_subs(4, 7);
	bw_acks(4, 7);
	(void)bw_said();
	bw_pub("v");
	bw_expect("*:v ");
	unannounced("hall");
	ck_assert_uint_eq(restore_announce(bw.broker), 1);
	bw_go(CATCHUP_APART_MS);
	bw_expect("*:v ");
	bw_go(1000);
	bw_expect("");
}
END_TEST

/* RFC 7641 4.5.1: past the pace a notification is confirmable, and the newest value waits for it. */
START_TEST(what_is_not_acknowledged_may_not_have_been_heard)
{
	const struct topic *b = topic_by_name(&bw.broker->topics, BYTES_LIT("b"));
	uint16_t told;

	ck_assert(restore_is_told(bw.broker, &told));
	for (int i = 0; i < 40; i++)
		bw_in(9, "PUT /ps/data/b '%d'", i);
	bw_in(9, "PUT /ps/data/a 'xx'");
	(void)bw_said();
	ck_assert(!restore_is_told(bw.broker, &told));
	ck_assert_uint_eq(told, (uint16_t)(b->value->nth - 1));
	bw_acks(2, 2);
	bw_go(10000);
	bw_acks(2, 2);
	ck_assert(restore_is_told(bw.broker, &told));
}
END_TEST

START_TEST(the_broker_goes_before_all_are_told)
{
	unannounced("a");
	unannounced("b");
	ck_assert_uint_eq(restore_announce(bw.broker), 2);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("catchup");
	TCase *tc = tcase_create("catchup");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rfc7641_4_4_the_newest_first_one_at_a_time);
	tcase_add_test(tc, a_publish_tells_it_itself);
	tcase_add_test(tc, what_is_gone_by_then_is_not_told);
	tcase_add_test(tc, what_was_told_and_is_gone_has_no_place);
	tcase_add_test(tc, nobody_is_there_to_be_told);
	tcase_add_test(tc, a_group_is_told_once);
	tcase_add_test(tc, what_is_not_acknowledged_may_not_have_been_heard);
	tcase_add_test(tc, the_broker_goes_before_all_are_told);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
