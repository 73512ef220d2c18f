/* SPDX-License-Identifier: BSD-2-Clause */
/* What the broker tells its store, and what it makes of what comes back. */
#include "broker/restore.h"

#include <errno.h>

#include "broker/broker_impl.h"
#include "broker/settings.h"
#include "broker_world.h"
#include "wire/option.h"

static unsigned n_kept[BROKER_KEEP_NOTHING + 1]; /* what the store was told */
static bool cannot_keep; /* it is not well */

static void
on_keep(void *ctx, enum broker_keep what, const struct topic *t)
{
	(void)ctx;
	ck_assert_ptr_nonnull(t);
	n_kept[what]++;
}

static bool
can_keep(void *ctx)
{
	(void)ctx;
	return !cannot_keep;
}

static int
revive(uint64_t id, const struct props *p, uint32_t bound, struct topic **ret)
{
	const struct restore_topic kept = {.id = id, .props = p, .bound = bound};

	return restore_topic(bw.broker, &kept, ret);
}

static void
setup(void)
{
	bw_init();
	bw.conf.create_on_publish = true;
	bw.keep = on_keep;
	bw.can_keep = can_keep;
	memset(n_kept, 0, sizeof(n_kept));
	bw_start();
}

static void
teardown(void)
{
	bw_stop();
}

static void
expect_kept(unsigned topic, unsigned value, unsigned seq, unsigned nothing)
{
	ck_assert_uint_eq(n_kept[BROKER_KEEP_TOPIC], topic);
	ck_assert_uint_eq(n_kept[BROKER_KEEP_VALUE], value);
	ck_assert_uint_eq(n_kept[BROKER_KEEP_SEQ], seq);
	ck_assert_uint_eq(n_kept[BROKER_KEEP_NOTHING], nothing);
}

START_TEST(every_change_is_told)
{
	bw_topic("hall", NULL);
	expect_kept(1, 0, 0, 0);
	bw_in(1, "PUT /ps/data/hall 'a'");
	expect_kept(1, 1, 0, 0);
	bw_in(1, "GET /ps/data/hall o=0");
	expect_kept(1, 1, 0, 0);
	bw_in(1, "DELETE /ps/data/hall");
	expect_kept(1, 2, 0, 0);
	bw_in(1, "PUT /ps/data/new 'b'");
	expect_kept(2, 3, 0, 0);
	/* What is refused changes nothing. */
	bw_in(1, "PUT /ps/data/new nm 'c'");
	expect_kept(2, 3, 0, 0);
	bw_in(1, "DELETE /ps/hall");
	expect_kept(2, 3, 0, 1);
}
END_TEST

/* Architecture, "Observe numbers": a durable bound, so that they rise over kill -9. */
START_TEST(observe_numbers_are_reserved_before_they_are_used)
{
	struct topic *t;
	struct props p = {.has = PROPS_BIT(PROPS_NAME), .name = BYTES_LIT("hall")};
	unsigned told = 0;

	/* Just before the numbers begin anew. */
	ck_assert_int_eq(revive(1, &p, 0xfff000 - 100, &t), 0);
	bw.mute = true;
	bw_sub(1);
	for (unsigned i = 0; i < 3 * TOPIC_SEQ_AHEAD; i++) {
		bw_in(2, "NON PUT /ps/data/hall 'x'");
		/* Each publish is sent to an observer, or its number would serve the next. */
		t->unsent = false;
		told = n_kept[BROKER_KEEP_SEQ];
		ck_assert_uint_ge((t->seq_bound - t->seq) & 0xffffff, 1);
		ck_assert_uint_le((t->seq_bound - t->seq) & 0xffffff, TOPIC_SEQ_AHEAD);
	}
	ck_assert_uint_ge(told, 3);
	ck_assert_uint_le(told, 6);
}
END_TEST

START_TEST(while_nothing_can_be_kept_changes_are_refused)
{
	static const char *const changes[] = {"PUT /ps/data/hall 'b'", "DELETE /ps/data/hall",
		"DELETE /ps/hall", "PUT /ps/data/new 'c'"};
	struct msg m;

	/* Its first value is told with it. */
	bw_topic("hall", "a");
	cannot_keep = true;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		bw_in(1, "%s", changes[i]);
		bw_expect("1=5.03 ");
		m = bw_last(1);
		ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 10);
	}
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=2.05:a ");
	bw_sub(2);
	bw_expect("2+a ");
	expect_kept(1, 0, 0, 0);
	cannot_keep = false;
	bw_in(1, "PUT /ps/data/hall 'b'");
	bw_expect("1=2.04 2:b ");
}
END_TEST

/* As regroup.h does: what is past a limit that is lower now stays, and nothing new is let in. */
START_TEST(topics_past_a_lower_limit_come_back)
{
	static const struct bytes names[] = {
		BYTES_LIT("hall"), BYTES_LIT("room"), BYTES_LIT("roof")};
	static const uint8_t etag[ETAG_LEN] = {1};
	struct props p = {.has = PROPS_BIT(PROPS_NAME)};
	struct topic *t;

	bw.broker->topics.max = 2;
	bw.broker->conf.limits.memory = 4;
	restore_reserve(bw.broker, 3);
	for (unsigned i = 0; i < 3; i++) {
		p.name = names[i];
		ck_assert_int_eq(revive(i + 1, &p, 0, &t), 0);
		restore_value(bw.broker, t, 0, names[i], etag, (uint16_t)(i + 1));
	}
	ck_assert_uint_eq(bw_stats().topics, 3);
	bw_in(1, "GET /ps/data/roof");
	bw_expect("1=2.05:roof ");
	bw_in(1, "PUT /ps/data/new 'b'");
	bw_expect("1=5.03 ");
	bw_in(1, "DELETE /ps/hall");
	bw_in(1, "DELETE /ps/room");
	(void)bw_said();
	bw_in(1, "PUT /ps/data/new ct=0 ''");
	bw_expect("1=2.01 ");
}
END_TEST

START_TEST(a_topic_comes_back_as_it_was)
{
	static const uint8_t etag[ETAG_LEN] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct props p = {.has = PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_CONTENT_FORMAT) |
				 PROPS_BIT(PROPS_TYPE) | PROPS_BIT(PROPS_MAX_SUBSCRIBERS),
		.name = BYTES_LIT("hall"),
		.type = BYTES_LIT("lamp"),
		.max_subscribers = 1};
	struct props now = {.has = 0};
	struct topic *t, *other;
	struct msg m;

	ck_assert_int_eq(revive(77, &p, 1000, &t), 0);
	restore_value(bw.broker, t, 0, BYTES_LIT("kept"), etag, 9);
	expect_kept(0, 0, 0, 0);
	settings_describe(t, &now);
	ck_assert_uint_eq(now.has | PROPS_BIT(PROPS_NAME), p.has);
	ck_assert(bytes_is(now.type, "lamp"));
	bw_sub(1);
	bw_expect("1+kept ");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_OBSERVE), 1000 + TOPIC_SEQ_AHEAD);
	ck_assert(bytes_equal(bw_etag(&m), BYTES_OF(etag)));
	/* A property that is in force again. */
	bw_sub(2);
	bw_expect("2=2.05:kept ");
	/* The first publish reserves numbers; a new topic has a number of its own. */
	bw_in(3, "PUT /ps/data/hall 'new'");
	expect_kept(0, 1, 1, 0);
	p.name = BYTES_LIT("other");
	bw_topic("other", NULL);
	ck_assert_int_eq(revive(78, &p, 0, &other), -EEXIST);
}
END_TEST

START_TEST(an_empty_value_is_a_value)
{
	static const uint8_t etag[ETAG_LEN] = {0};
	struct props p = {.has = PROPS_BIT(PROPS_NAME), .name = BYTES_LIT("hall")};
	struct topic *t;

	ck_assert_int_eq(revive(1, &p, 0, &t), 0);
	restore_value(bw.broker, t, BROKER_NO_FORMAT, bytes_of("", 0), etag, 1);
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=2.05 ");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("restore");
	TCase *tc = tcase_create("restore");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_change_is_told);
	tcase_add_test(tc, observe_numbers_are_reserved_before_they_are_used);
	tcase_add_test(tc, while_nothing_can_be_kept_changes_are_refused);
	tcase_add_test(tc, topics_past_a_lower_limit_come_back);
	tcase_add_test(tc, a_topic_comes_back_as_it_was);
	tcase_add_test(tc, an_empty_value_is_a_value);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
