/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client in a group observation under Group OSCORE, and out of those it must not be in:
 * draft-ietf-core-observe-multicast-notifications, "Protection of Multicast Notifications with
 * Group OSCORE" and what it says of a self-managed group.
 */
#include "client_hall.h"

/* Registers again, protected as before. */
static void
expect_registration(void)
{
	uint32_t observe;

	bed_wait(&watch_bed, 2 * OBSERVATION_AGAIN_MS);
	ck_assert_int_eq(co_read(&hall_server, &watch_bed), UNPROTECT_OK);
	ck_assert(msg_uint(&hall_server.inner, OPT_OBSERVE, &observe) && observe == 0);
}

START_TEST(omn_9_notifications_are_verified)
{
	hall_move();
	hall_notify(&hall, 10, "next");
	ck_assert_str_eq(watch_said(), "m+10:next; ");
	hall_notify(&hall, 12, "later");
	ck_assert_str_eq(watch_said(), "m+12:later; ");
	ck_assert_uint_eq(watch_missed, 1);
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}

START_TEST(omn_9_what_cannot_be_verified_is_dropped)
{
	uint8_t space[512];
	struct msg m;
	size_t n;

	hall_move();
	watch_multicast(10, "plain");
	watch_cancel();
	ck_assert_str_eq(watch_said(), "! ");
	co_plain_response(&m, CODE_CONTENT, "next", 10);
	n = hall_protect(&hall, &m, space, sizeof(space));
	space[n - 1] ^= 1;
	hall_send_raw(bytes_of(space, n));
	ck_assert_str_eq(watch_said(), "");
	space[n - 1] ^= 1;
	hall_send_raw(bytes_of(space, n));
	ck_assert_str_eq(watch_said(), "m+10:next; ");
	/* Once is enough. */
	hall_send_raw(bytes_of(space, n));
	hall_send_raw(bytes_of(hall.latest, hall.n_latest));
	ck_assert_str_eq(watch_said(), "");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
}

START_TEST(omn_9_the_outer_number_changes_no_order)
{
	hall_move();
	/* Anybody on the way can write it; the Partial IV is what counts. */
	hall_notify(&hall, 3, "older by its number only");
	ck_assert_str_eq(watch_said(), "m+3:older by its number only; ");
}

START_TEST(omn_9_the_cancellation_is_verified)
{
	hall_move();
	hall_send(&hall, CODE_UNAVAILABLE, BYTES_NONE, -1);
	ck_assert_str_eq(watch_said(), "leave 7; ");
	expect_registration();
}

START_TEST(omn_9_a_latest_notification_that_fails_is_not_fatal)
{
	struct inform in;

	hall_make_latest(&hall, 9, "now");
	hall.latest[hall.n_latest - 1] ^= 1;
	in = hall_describe(&hall, true);
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
	ck_assert_int_eq(co_read(&hall_server, &watch_bed), UNPROTECT_OK);
	ck_assert(!msg_has(&hall_server.inner, OPT_OBSERVE));
	co_answer(&hall_server, &watch_bed, CODE_CONTENT, "asked", -1);
	ck_assert_str_eq(watch_said(), "u+:asked (initial); ");
	hall_notify(&hall, 10, "next");
	ck_assert_str_eq(watch_said(), "m+10:next; ");
}

START_TEST(omn_9_a_phantom_request_that_fails_is)
{
	struct inform in = hall_describe(&hall, true);

	hall.ph[hall.n_ph - 1] ^= 1;
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "end: protected 5.03; ");
	/* It withdraws. */
	ck_assert_int_eq(co_read(&hall_server, &watch_bed), UNPROTECT_OK);
}

START_TEST(omn_9_a_phantom_request_for_something_else)
{
	struct inform in;

	hall_make_phantom(&hall, "/ps/data/other");
	in = hall_describe(&hall, true);
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "end: broken 5.03; ");
}

START_TEST(omn_9_what_is_protected_does_not_go_to_an_unprotected_group)
{
	struct inform in = hall_describe(&hall, false);
	struct phantom p;

	watch_make_phantom(&p, "/ps/data/t");
	in.ph_req = buf_bytes(&p.inner);
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "! ");
	expect_registration();
	co_answer(&hall_server, &watch_bed, CODE_CONTENT, "here", 4);
	ck_assert_str_eq(watch_said(), "u+4:here (initial); ");
}

START_TEST(who_is_told_again_and_again_gives_up)
{
	struct inform in = hall_describe(&hall, false);
	struct phantom p;

	watch_make_phantom(&p, "/ps/data/t");
	in.ph_req = buf_bytes(&p.inner);
	for (int i = 0; i < OBSERVATION_INSIST; i++) {
		hall_answer_with(&in);
		bed_wait(&watch_bed, 2 * OBSERVATION_AGAIN_MS);
	}
	ck_assert_str_eq(watch_said(), "! ");
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "end: protected 5.03; ");
}

/* One who registers unprotected is told so. */
static void
answer_in_clear(const struct inform *in)
{
	uint8_t space[1500];
	struct buf out = BUF_OF(space);
	struct token t;
	struct msg q;

	watch_teardown();
	watch_armor = NULL;
	watch_setup();
	t = watch_registration(&q);
	ck_assert_int_eq(inform_encode(in, &out), 0);
	watch_send_informative(&t, buf_bytes(&out));
}

START_TEST(omn_4_2_keys_that_came_without_protection_are_refused)
{
	struct inform in = hall_describe(&hall, true);

	answer_in_clear(&in);
	ck_assert_str_eq(watch_said(), "end: protected 5.03; ");
}

START_TEST(omn_9_an_unprotected_registration_does_not_go_to_a_protected_group)
{
	struct inform in = hall_describe(&hall, false);
	struct msg q;

	in.join.join_uri = BYTES_LIT("coap://gm.example/hall");
	in.join.sec_gp = BYTES_LIT("hall");
	answer_in_clear(&in);
	ck_assert_str_eq(watch_said(), "! ");
	bed_wait(&watch_bed, 2 * OBSERVATION_AGAIN_MS);
	(void)watch_registration(&q);
}

/* The group as a member sees it that only listens. */
static struct context *
make_member(const struct hall *h)
{
	struct inform in = hall_describe(h, true);
	struct context *c;
	struct error e;

	ck_assert_msg(groups_make_offered(&in.keys, &e, &c) == 0, "%s", e.text);
	return c;
}

START_TEST(omn_9_keys_of_a_group_manager_are_found_by_its_name)
{
	struct context *c = make_member(&hall);
	struct inform in;

	ck_assert_int_eq(groups_add(&hall_groups, "hall", c), 0);
	context_release(c);
	hall_make_latest(&hall, 9, "now");
	in = hall_describe(&hall, false);
	in.join.join_uri = BYTES_LIT("coap://gm.example/hall");
	in.join.sec_gp = BYTES_LIT("hall");
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i+9:now (initial); ");
	hall_notify(&hall, 10, "next");
	ck_assert_str_eq(watch_said(), "m+10:next; ");
}

START_TEST(omn_9_and_by_its_gid)
{
	struct context *c = make_member(&hall);
	struct inform in;

	ck_assert_int_eq(groups_add(&hall_groups, "another name", c), 0);
	context_release(c);
	in = hall_describe(&hall, false);
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
}

START_TEST(the_seed_has_the_value_beside_the_phantom_request)
{
	struct context *c = make_member(&hall);
	struct inform in = hall_describe(&hall, false);
	uint8_t space[512];
	struct buf registr = BUF_OF(space);
	struct msg m;

	ck_assert_int_eq(groups_add(&hall_groups, "hall", c), 0);
	context_release(c);
	ck_assert_int_eq(msg_decode_inner(in.ph_req, &m), 0);
	m.token = watch_token;
	ck_assert_int_eq(msg_encode(&m, &registr), 0);
	in.generations = INFORM_SEED;
	in.ph_req = BYTES_NONE;
	in.registr = buf_bytes(&registr);
	in.res = BYTES_LIT("1234");
	in.join.join_uri = BYTES_LIT("coap://gm.example/hall");
	in.join.sec_gp = BYTES_LIT("hall");
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i+:1234 (initial); ");
	hall_notify(&hall, 10, "next");
	ck_assert_str_eq(watch_said(), "m+10:next; ");
}

START_TEST(omn_9_without_keys_one_goes_on_by_unicast)
{
	struct inform in = hall_describe(&hall, false);

	in.join.join_uri = BYTES_LIT("coap://gm.example/hall");
	in.join.sec_gp = BYTES_LIT("hall");
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "! ");
	expect_registration();
}

/* What the group is told when its keys change. */
static void
announce(struct hall *from, struct hall *to, const char *value)
{
	uint8_t space[1400];
	struct buf out = BUF_OF(space);
	struct inform in;

	hall_make_phantom(to, "/ps/data/t");
	hall_make_latest(to, 20, value);
	in = hall_describe(to, true);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	hall_send(from, CODE_UNAVAILABLE, buf_bytes(&out), -1);
}

START_TEST(new_keys_are_followed)
{
	struct hall next;

	hall_move();
	hall_init(&next, "another secret of it", "hall2");
	announce(&hall, &next, "first under them");
	ck_assert_str_eq(watch_said(), "i+20:first under them; ");
	/* Sent several times; and what was late. */
	hall_notify(&hall, 11, "late");
	ck_assert_str_eq(watch_said(), "");
	hall_notify(&next, 21, "next");
	ck_assert_str_eq(watch_said(), "m+21:next; ");
	ck_assert_uint_eq(bed_unread(&watch_bed), 0);
	hall_fini(&next);
}

START_TEST(new_keys_that_were_missed_are_asked_for)
{
	struct hall next;

	hall_move();
	hall_init(&next, "another secret of it", "hall2");
	hall_make_phantom(&next, "/ps/data/t");
	for (uint32_t i = 0; i < 3; i++)
		hall_notify(&next, 20 + i, "who knows");
	ck_assert_str_eq(watch_said(), "! ");
	bed_wait(&watch_bed, OBSERVATION_APART_MS + 2 * OBSERVATION_AGAIN_MS);
	/* Meanwhile its value grew old and was asked for, again and again. */
	while (co_read(&hall_server, &watch_bed) != UNPROTECT_OK ||
		!msg_has(&hall_server.inner, OPT_OBSERVE))
		;
	hall_fini(&next);
}

START_TEST(keys_that_expire_are_not_used_any_more)
{
	struct inform in;

	hall_make_latest(&hall, 9, "now");
	in = hall_describe(&hall, true);
	in.keys.has_exi = true;
	in.keys.exi_s = 10;
	hall_answer_with(&in);
	(void)watch_said();
	bed_wait(&watch_bed, 9900);
	ck_assert_str_eq(watch_said(), "");
	bed_wait(&watch_bed, 200);
	ck_assert_str_eq(watch_said(), "leave 7; ");
	expect_registration();
}

#define NEVER_S 0

/* exi and exp, and when the keys are not used any more. */
static const struct {
	bool is_set, has_exi, has_exp; /* the first: the clock */
	uint64_t exi_s;
	int64_t exp_s; /* from now on */
	uint64_t left_s;
} lives[] = {
	{true, true, true, 10, 20, 20},
	{true, true, true, 20, 10, 10},
	{true, false, true, 0, 10, 10},
	{true, true, false, 10, 0, 10},
	{true, true, true, 10, INT64_MAX - WATCH_WALL_S, NEVER_S},
	{true, false, false, 0, 0, NEVER_S},
	/* By a clock that is not set, or wrong, nothing can be dated. */
	{false, true, true, 10, 20, 10},
	{false, false, true, 0, 10, NEVER_S},
	{true, true, true, 10, -5, 10},
	{true, true, true, 10, INT64_MIN + WATCH_WALL_S, 10},
};

/* "then the client MUST use the 'exp' parameter value as expiration time". */
START_TEST(omn_c_exp_counts_for_who_knows_the_time)
{
	struct inform in;

	if (!lives[_i].is_set)
		watch_wall_s = -1;
	hall_make_latest(&hall, 9, "now");
	in = hall_describe(&hall, true);
	in.keys.has_exi = lives[_i].has_exi;
	in.keys.exi_s = lives[_i].exi_s;
	in.keys.has_exp = lives[_i].has_exp;
	in.keys.exp_s = WATCH_WALL_S + lives[_i].exp_s;
	hall_answer_with(&in);
	(void)watch_said();
	if (lives[_i].left_s == NEVER_S) {
		bed_wait(&watch_bed, 40000);
		ck_assert_str_eq(watch_said(), "");
		return;
	}
	bed_wait(&watch_bed, lives[_i].left_s * 1000 - 100);
	ck_assert_str_eq(watch_said(), "");
	bed_wait(&watch_bed, 200);
	ck_assert_str_eq(watch_said(), "leave 7; ");
	expect_registration();
}

START_TEST(omn_c_keys_that_are_too_old_are_declined)
{
	struct inform in = hall_describe(&hall, true);

	in.keys.has_exp = true;
	in.keys.exp_s = _i ? INT64_MIN : WATCH_WALL_S;
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "! ");
	bed_wait(&watch_bed, 2 * OBSERVATION_AGAIN_MS);
	in.keys.exp_s = WATCH_WALL_S + 100;
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
}

/* While a machine sleeps its timers do. */
START_TEST(omn_c_no_message_is_opened_after_exp)
{
	struct inform in;

	hall_make_latest(&hall, 9, "now");
	in = hall_describe(&hall, true);
	in.keys.has_exp = true;
	in.keys.exp_s = WATCH_WALL_S + 100;
	hall_answer_with(&in);
	(void)watch_said();
	hall_notify(&hall, 10, "in time");
	ck_assert_str_eq(watch_said(), "m+10:in time; ");
	watch_wall_s += 100;
	hall_notify(&hall, 11, "too late");
	ck_assert_str_eq(watch_said(), "leave 7; ");
	expect_registration();
}

START_TEST(what_is_known_already_is_not_told_again)
{
	struct inform in;

	hall_move();
	hall_notify(&hall, 10, "next");
	ck_assert_str_eq(watch_said(), "m+10:next; ");
	/* Its latest notification was overtaken on the way. */
	hall_send(&hall, CODE_UNAVAILABLE, BYTES_NONE, -1);
	ck_assert_str_eq(watch_said(), "leave 7; ");
	bed_wait(&watch_bed, 2 * OBSERVATION_AGAIN_MS);
	in = hall_describe(&hall, true);
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; ");
}

START_TEST(key_material_that_makes_no_keys)
{
	struct inform in = hall_describe(&hall, true);

	in.keys.srv_cred = BYTES_LIT("no credential");
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "end: broken 5.03; ");
}

START_TEST(every_truncated_material_is_refused)
{
	struct inform in = hall_describe(&hall, true);
	struct context *c;
	struct error e;

	for (size_t n = 0; n < hall.n_material; n++) {
		in.keys.gp_material = bytes_of(hall.material, n);
		ck_assert_int_lt(groups_make_offered(&in.keys, &e, &c), 0);
	}
}

static Suite *
suite(void)
{
	Suite *s = suite_create("client_secgroup");
	TCase *t = tcase_create("client_secgroup");

	tcase_add_checked_fixture(t, hall_setup, hall_teardown);
	tcase_add_test(t, omn_9_notifications_are_verified);
	tcase_add_test(t, omn_9_what_cannot_be_verified_is_dropped);
	tcase_add_test(t, omn_9_the_outer_number_changes_no_order);
	tcase_add_test(t, omn_9_the_cancellation_is_verified);
	tcase_add_test(t, omn_9_a_latest_notification_that_fails_is_not_fatal);
	tcase_add_test(t, omn_9_a_phantom_request_that_fails_is);
	tcase_add_test(t, omn_9_a_phantom_request_for_something_else);
	tcase_add_test(t, omn_9_what_is_protected_does_not_go_to_an_unprotected_group);
	tcase_add_test(t, who_is_told_again_and_again_gives_up);
	tcase_add_test(t, omn_4_2_keys_that_came_without_protection_are_refused);
	tcase_add_test(t, omn_9_an_unprotected_registration_does_not_go_to_a_protected_group);
	tcase_add_test(t, omn_9_keys_of_a_group_manager_are_found_by_its_name);
	tcase_add_test(t, omn_9_and_by_its_gid);
	tcase_add_test(t, the_seed_has_the_value_beside_the_phantom_request);
	tcase_add_test(t, omn_9_without_keys_one_goes_on_by_unicast);
	tcase_add_test(t, new_keys_are_followed);
	tcase_add_test(t, new_keys_that_were_missed_are_asked_for);
	tcase_add_test(t, keys_that_expire_are_not_used_any_more);
	tcase_add_loop_test(t, omn_c_exp_counts_for_who_knows_the_time, 0,
		(int)(sizeof(lives) / sizeof(lives[0])));
	tcase_add_loop_test(t, omn_c_keys_that_are_too_old_are_declined, 0, 2);
	tcase_add_test(t, omn_c_no_message_is_opened_after_exp);
	tcase_add_test(t, what_is_known_already_is_not_told_again);
	tcase_add_test(t, key_material_that_makes_no_keys);
	tcase_add_test(t, every_truncated_material_is_refused);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
