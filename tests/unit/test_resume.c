/* SPDX-License-Identifier: BSD-2-Clause */
/* Who watches a topic, over a restart: what the store is told, and what comes back of it. */
#include <errno.h>

#include "broker/broker_impl.h"
#include "broker/restore.h"
#include "broker_world.h"
#include "wire/option.h"

static unsigned n_kept[BROKER_GROUP_GOES + 1]; /* what the store was told of groups */
static const struct group_observation *last; /* of which one */
static bool refuses; /* it cannot keep any */
static bool known[16]; /* observers, by the last byte of their token */
static uint32_t flags[16]; /* and what is kept of them */

static bool
on_keep_group(void *ctx, enum broker_keep_group what, const struct group_observation *g)
{
	(void)ctx;
	n_kept[what]++;
	last = g;
	return !refuses;
}

static void
on_keep_observer(void *ctx, const struct observer *o, bool stays)
{
	(void)ctx;
	ck_assert_ptr_nonnull(o->peer);
	known[o->token.b[o->token.n - 1] % 16] = stays;
	if (stays)
		flags[o->token.b[o->token.n - 1] % 16] = restore_observer_flags(o);
}

static int
n_known(void)
{
	int n = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		n += known[i];
	return n;
}

static void
start(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 2);
	bw.keep_group = on_keep_group;
	bw.keep_observer = on_keep_observer;
	bw_start();
}

static void
setup(void)
{
	memset(n_kept, 0, sizeof(n_kept));
	last = NULL;
	refuses = false;
	memset(known, 0, sizeof(known));
	start();
	bw_topic("hall", "0");
}

static void
teardown(void)
{
	bw_stop();
}

static void
expect_kept(unsigned begins, unsigned counts, unsigned goes)
{
	ck_assert_uint_eq(n_kept[BROKER_GROUP_BEGINS], begins);
	ck_assert_uint_eq(n_kept[BROKER_GROUP_COUNTS], counts);
	ck_assert_uint_eq(n_kept[BROKER_GROUP_GOES], goes);
}

/* Architecture, "Store": durable before it is used. */
START_TEST(nobody_hears_of_a_group_before_it_is_kept)
{
	bw_sub(1);
	bw_expect("1+0 ");
	bw_sub(2);
	bw_expect("a2 ");
	expect_kept(1, 0, 0);
	bw_sub(3);
	bw_expect("a3 ");
	/* A duplicate too. */
	bw_again();
	bw_expect("a3 ");
	expect_kept(1, 0, 0);
	ck_assert_uint_eq(bw_stats().group_started, 0);
	broker_group_is_kept(bw.broker, last->id, true);
	bw_flush();
	bw_expect("i1 i2 i3 ");
	ck_assert_uint_eq(bw_stats().group_started, 1);
	bw_acks(1, 3);
	bw_pub("a");
	bw_expect("*:a ");
	ck_assert_int_eq(n_known(), 0);
}
END_TEST

START_TEST(what_is_published_meanwhile_is_in_it)
{
	bw_subs(1, 2);
	bw_expect("1+0 a2 ");
	bw_pub("a");
	bw_expect("1:a 2:a ");
	broker_group_is_kept(bw.broker, last->id, true);
	bw_flush();
	bw_expect("i1 i2 ");
	bw_acks(1, 2);
	ck_assert(bytes_is(bw_inform(2).res, "a"));
}
END_TEST

/* It is answered as if there were no group: by a notification. */
START_TEST(one_that_is_not_kept_leaves_traditional_observers)
{
	bw_subs(1, 2);
	bw_expect("1+0 a2 ");
	broker_group_is_kept(bw.broker, last->id, false);
	bw_flush();
	bw_expect("2:0 ");
	bw_pub("a");
	bw_expect("1:a 2:a ");
	ck_assert_int_eq(n_known(), 2);
	expect_kept(1, 0, 0);
	/* And the next registration tries again. */
	refuses = true;
	bw_sub(3);
	bw_expect("3+a ");
	expect_kept(2, 0, 0);
}
END_TEST

START_TEST(all_leave_before_it_is_kept)
{
	uint64_t id;

	bw_subs(1, 2);
	id = last->id;
	bw_unsub(1);
	bw_unsub(2);
	expect_kept(1, 0, 1);
	broker_group_is_kept(bw.broker, id, true);
	(void)bw_said();
	bw_pub("a");
	bw_expect("");
}
END_TEST

START_TEST(the_topic_goes_before_it_is_kept)
{
	uint64_t id;

	bw_subs(1, 2);
	id = last->id;
	(void)bw_said();
	bw_in(3, "DELETE /ps/hall");
	bw_expect("3=2.02 x1 x2 ");
	expect_kept(1, 0, 1);
	broker_group_is_kept(bw.broker, id, true);
	bw_flush();
	bw_expect("");
}
END_TEST

START_TEST(the_broker_goes_before_it_is_kept)
{
	bw_subs(1, 2);
	bw_expect("1+0 a2 ");
}
END_TEST

/* The group observation of a broker that was, and the topic of the one that is. */
static struct group_kept
revive(struct topic **ret, bool value)
{
	static uint8_t phantom[256];
	static const uint8_t etag[ETAG_LEN] = {1};
	struct props p = {.has = PROPS_BIT(PROPS_NAME), .name = BYTES_LIT("hall")};
	const struct restore_topic topic = {.id = 7, .props = &p, .bound = 100, .exact = true};
	struct group_kept kept = {.id = 5, .seq = 4999, .bound = 5000, .refresh_ms = 7000, .n = 3};

	bw_subs(1, 2);
	broker_group_is_kept(bw.broker, last->id, true);
	memcpy(phantom, last->phantom, last->n_phantom);
	kept.phantom = bytes_of(phantom, last->n_phantom);
	kept.token = last->token;
	kept.source = last->way.source;
	kept.socket = last->way.socket;
	bw_stop();
	start();
	kept.group = &bw.groups[0];
	memset(n_kept, 0, sizeof(n_kept));
	ck_assert_int_eq(restore_topic(bw.broker, &topic, ret), 0);
	if (value)
		restore_value(bw.broker, *ret, BROKER_NO_FORMAT, BYTES_LIT("0"), etag, 1);
	return kept;
}

START_TEST(a_group_observation_goes_on_without_a_word)
{
	struct topic *t;
	struct group_kept kept = revive(&t, true);
	struct msg m;

	ck_assert_int_eq(group_resume(bw.broker, t, &kept), 0);
	bw_flush();
	bw_expect("");
	/* More numbers are reserved before one is used. */
	expect_kept(0, 1, 0);
	ck_assert_uint_eq(last->seq_bound, 5000 + TOPIC_SEQ_AHEAD);
	bw_pub("a");
	bw_expect("*:a ");
	m = bw_last_to_group(0);
	ck_assert_int_eq(bw_option(&m, OPT_OBSERVE), 5001);
	ck_assert(token_equal(&m.token, &kept.token));
	/* Whoever comes is moved at once, to the same phantom. */
	bw_sub(4);
	bw_expect("a4 i4 ");
	ck_assert(bytes_equal(bw_inform(4).registr, kept.phantom));
	/* The same once more is not possible. */
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), -ESTALE);
}
END_TEST

/* Nobody who heard the number before misses one: the value is that of that number. */
START_TEST(after_a_clean_stop_no_number_is_left_out)
{
	struct topic *t;
	struct group_kept kept = revive(&t, true);
	struct msg m;

	kept.told = true;
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), 0);
	/* It is reserved before it is used, all the same. */
	expect_kept(0, 1, 0);
	ck_assert_uint_eq(last->seq_bound, 4999 + TOPIC_SEQ_AHEAD);
	bw_sub(4);
	bw_expect("a4 i4 ");
	ck_assert_int_eq(msg_decode_inner(bw_inform(4).last_notif, &m), 0);
	ck_assert_int_eq(bw_option(&m, OPT_OBSERVE), 4999);
	bw_pub("a");
	bw_expect("*:a ");
	m = bw_last_to_group(0);
	ck_assert_int_eq(bw_option(&m, OPT_OBSERVE), 5000);
}
END_TEST

START_TEST(its_refresh_is_when_it_was_due)
{
	struct topic *t;
	struct group_kept kept = revive(&t, true);

	ck_assert_int_eq(group_resume(bw.broker, t, &kept), 0);
	bw_go(6900);
	bw_expect("");
	bw_go(200);
	bw_expect("*:0 ");
}
END_TEST

START_TEST(its_planned_end_comes)
{
	struct topic *t;
	struct group_kept kept = revive(&t, true);

	kept.ending_s = (int64_t)(bw.now_ms / 1000) + bw.wall_s + 5;
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), 0);
	bw_go(4000);
	bw_expect("");
	bw_go(2000);
	bw_expect("*x ");
}
END_TEST

START_TEST(what_is_not_as_it_was_does_not_go_on)
{
	struct topic *t;
	struct group_kept kept = revive(&t, true);

	bw.groups[0].source = kept.source;
	bw.groups[0].source.ip[3] ^= 1;
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), -ESTALE);
	bw.groups[0].source.family = AF_UNSPEC;
	bw.groups[0].datagram = 16;
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), -ESTALE);
	bw.groups[0].datagram = 1152;
	bw.groups[0].patterns = (const char *const[]){"other"};
	bw.groups[0].n_patterns = 1;
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), -ESTALE);
	bw_pub("a");
	bw_expect("");
}
END_TEST

START_TEST(a_topic_without_a_value_has_no_group_observation)
{
	struct topic *t;
	struct group_kept kept = revive(&t, false);

	ck_assert_int_eq(group_resume(bw.broker, t, &kept), -ESTALE);
}
END_TEST

/* As it comes from the store. */
static struct restore_observer
observer(unsigned peer)
{
	struct restore_observer kept = {.szx = BLOCK_SZX_MAX};

	bw_in(peer, "GET /ps/data/other");
	kept.way = bw_datagram(peer)->way;
	kept.token = (struct token){.n = 1, .b = {(uint8_t)peer}};
	(void)bw_said();
	return kept;
}

START_TEST(an_observer_goes_on_and_its_first_notification_is_a_con)
{
	struct topic *t = topic_by_name(&bw.broker->topics, BYTES_LIT("hall"));
	struct restore_observer kept = observer(1);

	ck_assert(restore_observer(bw.broker, t, &kept));
	/* The store knows. */
	ck_assert_int_eq(n_known(), 0);
	known[1] = true;
	ck_assert(!restore_observer(bw.broker, t, &kept));
	bw_flush();
	bw_expect("");
	bw_pub("a");
	bw_expect("1!a ");
	bw_ack(1);
	bw_pub("b");
	bw_expect("1:b ");
	ck_assert_int_eq(n_known(), 1);
	bw_in(1, "GET /ps/data/hall o=1 t=01");
	ck_assert_int_eq(n_known(), 0);
}
END_TEST

START_TEST(who_was_about_to_be_moved_is)
{
	struct topic *t;
	struct group_kept kept = revive(&t, true);
	struct restore_observer o = observer(1);

	o.flags = 1;
	ck_assert_int_eq(group_resume(bw.broker, t, &kept), 0);
	ck_assert(restore_observer(bw.broker, t, &o));
	bw_flush();
	bw_expect("i1 ");
}
END_TEST

/* As if it registered now: regroup.h does the same for another configuration. */
START_TEST(who_was_in_no_group_is_moved_into_a_new_one)
{
	struct topic *t = topic_by_name(&bw.broker->topics, BYTES_LIT("hall"));
	struct restore_observer kept[] = {observer(1), observer(2), observer(3)};

	/* The third one's registration was none that may be. */
	kept[0].flags = kept[1].flags = 1;
	for (size_t i = 0; i < 3; i++)
		ck_assert(restore_observer(bw.broker, t, &kept[i]));
	bw_flush();
	bw_expect("");
	restore_start_groups(bw.broker);
	expect_kept(1, 0, 0);
	broker_group_is_kept(bw.broker, last->id, true);
	bw_flush();
	bw_expect("i1 i2 ");
	bw_acks(1, 2);
	bw_pub("a");
	bw_expect("*:a 3!a ");
}
END_TEST

START_TEST(too_few_for_a_group_are_moved_when_there_are_enough)
{
	struct topic *t = topic_by_name(&bw.broker->topics, BYTES_LIT("hall"));
	struct restore_observer kept = observer(1);

	kept.flags = 1;
	ck_assert(restore_observer(bw.broker, t, &kept));
	restore_start_groups(bw.broker);
	expect_kept(0, 0, 0);
	bw_sub(2);
	expect_kept(1, 0, 0);
}
END_TEST

START_TEST(what_is_kept_of_an_observer)
{
	static const struct {
		const char *request;
		bool multicast;
		uint32_t flags;
	} rows[] = {
		{"GET /ps/data/hall o=0 t=01", false, 1},
		{"GET /ps/data/hall o=0 t=01 b2=0/64", false, 0},
		{"GET /ps/data/hall o=0 t=01 nr=16", false, 0},
		{"NON GET /ps/data/hall o=0 t=01", true, 3},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* From somebody else each time, and once more by the same. */
		for (int again = 0; again < 2; again++) {
			flags[1] = UINT32_MAX;
			bw.multicast = rows[i].multicast;
			bw_in(i + 1, "%s", rows[i].request);
			bw.multicast = false;
			ck_assert_uint_eq(flags[1], rows[i].flags);
		}
		bw_in(i + 1, "GET /ps/data/hall o=1 t=01");
	}
}
END_TEST

/* It would be told again after each restart: unaware.h. */
START_TEST(who_does_not_follow_is_none_who_may_be_moved)
{
	bw_subs(1, 2);
	broker_group_is_kept(bw.broker, last->id, true);
	bw_flush();
	bw_acks(1, 2);
	for (unsigned i = 0; i < UNAWARE_TWICE; i++) {
		bw_sub(4);
		ck_assert_uint_eq(flags[4], 1);
		bw_ack(4);
	}
	(void)bw_said();
	bw_sub(4);
	bw_expect("u4 4+0 ");
	ck_assert_uint_eq(flags[4], 0);
}
END_TEST

/* Limits that are lower now have nobody thrown out, as in regroup.h. */
START_TEST(who_is_past_a_lower_limit_goes_on)
{
	struct topic *t = topic_by_name(&bw.broker->topics, BYTES_LIT("hall"));
	struct restore_observer kept[] = {observer(1), observer(2), observer(1)};

	kept[2].token.b[0] = 9;
	bw.broker->conf.limits.observers = 1;
	bw.broker->conf.limits.observers_per_peer = 1;
	for (size_t i = 0; i < 3; i++)
		ck_assert(restore_observer(bw.broker, t, &kept[i]));
	ck_assert_uint_eq(bw_stats().observers, 3);
	bw_sub(3);
	ck_assert_uint_eq(bw_stats().observers, 3);
	ck_assert_uint_eq(bw_stats().refused_observers, 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("resume");
	TCase *tc = tcase_create("resume");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nobody_hears_of_a_group_before_it_is_kept);
	tcase_add_test(tc, what_is_published_meanwhile_is_in_it);
	tcase_add_test(tc, one_that_is_not_kept_leaves_traditional_observers);
	tcase_add_test(tc, all_leave_before_it_is_kept);
	tcase_add_test(tc, the_topic_goes_before_it_is_kept);
	tcase_add_test(tc, the_broker_goes_before_it_is_kept);
	tcase_add_test(tc, a_group_observation_goes_on_without_a_word);
	tcase_add_test(tc, after_a_clean_stop_no_number_is_left_out);
	tcase_add_test(tc, its_refresh_is_when_it_was_due);
	tcase_add_test(tc, its_planned_end_comes);
	tcase_add_test(tc, what_is_not_as_it_was_does_not_go_on);
	tcase_add_test(tc, a_topic_without_a_value_has_no_group_observation);
	tcase_add_test(tc, an_observer_goes_on_and_its_first_notification_is_a_con);
	tcase_add_test(tc, who_was_about_to_be_moved_is);
	tcase_add_test(tc, who_was_in_no_group_is_moved_into_a_new_one);
	tcase_add_test(tc, too_few_for_a_group_are_moved_when_there_are_enough);
	tcase_add_test(tc, what_is_kept_of_an_observer);
	tcase_add_test(tc, who_does_not_follow_is_none_who_may_be_moved);
	tcase_add_test(tc, who_is_past_a_lower_limit_goes_on);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
