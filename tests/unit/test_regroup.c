/* SPDX-License-Identifier: BSD-2-Clause */
/* Another configuration for a running broker: groups, and limits. */
#include <errno.h>

#include "broker/regroup.h"
#include "broker_world.h"
#include "wire/option.h"

static struct broker_group fresh[BW_GROUPS];
static const char *const everything[] = {"*"}, *const attic[] = {"attic"};

/* A group for `patterns` that nobody had before is at index 1. */
static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 2)->patterns = everything;
	(void)bw_group("239.255.17.5:61616", 2);
	bw.conf.n_groups = 1;
	bw_start();
	bw_topic("hall", "0");
	memcpy(fresh, bw.groups, sizeof(fresh));
	bw.conf.groups = fresh;
}

static void
run_group(void)
{
	bw_subs(1, 2);
	bw_acks(1, 2);
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	(void)bw_said();
}

static const struct broker_group *
first(void *ctx, const struct broker_group *old)
{
	(void)ctx;
	ck_assert_ptr_eq(old, bw.groups);
	return &fresh[0];
}

static const struct broker_group *
none(void *ctx, const struct broker_group *old)
{
	(void)ctx;
	(void)old;
	return NULL;
}

START_TEST(a_group_that_is_the_same_goes_on)
{
	struct token t;
	struct msg m;

	run_group();
	bw_pub("a");
	t = bw_last_to_group(0).token;
	fresh[0].max_age_s = 33;
	fresh[0].hops = 5;
	regroup_broker(bw.broker, &bw.conf, first, NULL);
	/* Nobody reads what was until now. */
	memset(bw.groups, 0xa5, sizeof(bw.groups[0]));
	bw.groups[0].address = fresh[0].address;
	bw_go(100);
	bw_expect("*:a ");
	bw_pub("b");
	bw_expect("*:b ");
	m = bw_last_to_group(0);
	ck_assert(token_equal(&m.token, &t));
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 33);
	ck_assert_uint_eq(bw_datagram_to_group(0)->group_way.hops, 5);
	bw_sub(3);
	bw_expect("a3 i3 ");
}

START_TEST(a_group_that_is_gone_is_cancelled)
{
	run_group();
	bw.conf.n_groups = 0;
	regroup_broker(bw.broker, &bw.conf, none, NULL);
	bw_expect("*x ");
	bw_subs(1, 3);
	bw_pub("a");
	bw_expect("1+0 2+0 3+0 1:a 2:a 3:a ");
}

START_TEST(one_at_another_address_starts_anew)
{
	run_group();
	fresh[0] = bw.groups[1];
	regroup_broker(bw.broker, &bw.conf, none, NULL);
	bw_expect("*x ");
	bw_subs(1, 2);
	bw_acks(1, 2);
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	(void)bw_said();
	bw_pub("a");
	bw_expect("#:a ");
}

START_TEST(one_that_no_longer_serves_the_topic_is_cancelled)
{
	run_group();
	fresh[0].patterns = attic;
	regroup_broker(bw.broker, &bw.conf, first, NULL);
	bw_expect("*x ");
}

START_TEST(who_is_being_moved_then_is_told_that_it_is_over)
{
	bw_subs(1, 2);
	(void)bw_said();
	bw.conf.n_groups = 0;
	regroup_broker(bw.broker, &bw.conf, none, NULL);
	bw_flush();
	bw_expect("*x 1!5.03 2!5.03 ");
	bw_acks(1, 2);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(a_new_group_takes_those_who_are_enough)
{
	bw_stop();
	bw_init();
	(void)bw_group("239.255.17.4:61616", 2);
	bw.conf.n_groups = 0;
	bw_start();
	bw_topic("hall", "0");
	bw_subs(1, 3);
	/* It asked for something else: it stays as it is. */
	bw_in(4, "GET /ps/data/hall o=0 b2=0/16");
	(void)bw_said();
	memcpy(fresh, bw.groups, sizeof(fresh));
	bw.conf.groups = fresh;
	bw.conf.n_groups = 1;
	regroup_broker(bw.broker, &bw.conf, none, NULL);
	bw_flush();
	bw_expect("i1 i2 i3 ");
	bw_acks(1, 3);
	bw_pub("a");
	bw_expect("*:a 4:a ");
}

START_TEST(a_lower_threshold_starts_it)
{
	bw_sub(1);
	(void)bw_said();
	regroup_broker(bw.broker, &bw.conf, first, NULL);
	bw_flush();
	bw_expect("");
	memcpy(bw.groups, fresh, sizeof(fresh));
	bw_stop();
	setup();
	bw_sub(1);
	(void)bw_said();
	fresh[0].threshold = 1;
	regroup_broker(bw.broker, &bw.conf, first, NULL);
	bw_flush();
	bw_expect("i1 ");
}

START_TEST(who_is_no_member_any_more_stays_traditional)
{
	static const struct prefix elsewhere = {
		.base = {.family = AF_INET, .ip = {203, 0, 113, 0}}, .bits = 24};

	bw_sub(1);
	(void)bw_said();
	fresh[0].members = &elsewhere;
	fresh[0].n_members = 1;
	regroup_broker(bw.broker, &bw.conf, first, NULL);
	bw_sub(2);
	bw_pub("a");
	bw_expect("2+0 1:a 2:a ");
}

START_TEST(what_is_past_a_lower_limit_stays_and_nothing_new_comes)
{
	run_group();
	bw_topic("attic", "x");
	bw.conf.limits.topics = 1;
	bw.conf.limits.observers = 1;
	bw.conf.n_groups = 0;
	regroup_broker(bw.broker, &bw.conf, none, NULL);
	(void)bw_said();
	bw_in(1, "GET /ps/data/attic");
	bw_expect("1=2.05:x ");
	ck_assert_int_eq(
		broker_create_topic(bw.broker, BYTES_LIT("third"), BROKER_NO_FORMAT, BYTES_NONE),
		-ENOSPC);
	bw_subs(1, 2);
	bw_expect("1+0 2=2.05:0 ");
	bw.conf.limits.observers = 2;
	regroup_broker(bw.broker, &bw.conf, none, NULL);
	bw_sub(2);
	bw_expect("2+0 ");
}

static Suite *
suite(void)
{
	Suite *s = suite_create("regroup");
	TCase *t = tcase_create("regroup");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, a_group_that_is_the_same_goes_on);
	tcase_add_test(t, a_group_that_is_gone_is_cancelled);
	tcase_add_test(t, one_at_another_address_starts_anew);
	tcase_add_test(t, one_that_no_longer_serves_the_topic_is_cancelled);
	tcase_add_test(t, who_is_being_moved_then_is_told_that_it_is_over);
	tcase_add_test(t, a_new_group_takes_those_who_are_enough);
	tcase_add_test(t, a_lower_threshold_starts_it);
	tcase_add_test(t, who_is_no_member_any_more_stays_traditional);
	tcase_add_test(t, what_is_past_a_lower_limit_stays_and_nothing_new_comes);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
