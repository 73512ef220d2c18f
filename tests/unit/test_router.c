/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests: paths and methods, publishing, reading, preconditions, blocks and limits. */
#include "broker_world.h"

#include <stdio.h>

#include "wire/option.h"

static void
setup(void)
{
	bw_init();
	bw_start();
	bw_topic("hall", "0");
}

static void
anew(void)
{
	bw_stop();
	bw_init();
}

static void
begin(void)
{
	bw_start();
	bw_topic("hall", "0");
}

/* A request and what is said to it. */
struct step {
	const char *request;
	const char *said;
};

static void
play(const struct step *steps)
{
	for (; steps->request; steps++) {
		bw_in(1, "%s", steps->request);
		ck_assert_msg(strcmp(bw_said(), steps->said) == 0, "%s", steps->request);
	}
}

/* --- paths and methods ----------------------------------------------------------------- */

START_TEST(rfc7252_5_8_methods_that_are_not_there)
{
	static const struct step steps[] = {
		{"POST /.well-known/core", "1=4.05 "},
		{"PUT /.well-known/core", "1=4.05 "},
		{"FETCH /.well-known/core", "1=4.05 "},
		{"PUT /ps 'x'", "1=4.05 "},
		{"DELETE /ps", "1=4.05 "},
		{"iPATCH /ps", "1=4.05 "},
		{"PUT /ps/hall 'x'", "1=4.05 "},
		{"PATCH /ps/hall", "1=4.05 "},
		{"POST /ps/data/hall 'x'", "1=4.05 "},
		{"FETCH /ps/data/hall", "1=4.05 "},
		{"iPATCH /ps/data/hall 'x'", "1=4.05 "},
		{"PATCH /ps/data/hall 'x'", "1=4.05 "},
		/* A method that nobody knows. */
		{"0.08 /ps/data/hall", "1=4.05 "},
		{"0.31 /ps", "1=4.05 "},
		{"GET /ps/data/hall", "1=2.05:0 "},
		{.request = NULL},
	};

	play(steps);
}

START_TEST(paths_that_lead_nowhere)
{
	static const struct step steps[] = {
		{"PUT / 'x'", "1=4.05 "},
		{"GET /p", "1=4.04 "},
		{"GET /pss", "1=4.04 "},
		{"GET /ps/", "1=4.04 "},
		{"GET /ps/data", "1=4.04 "},
		{"GET /ps/data/", "1=4.04 "},
		{"GET /ps/data/hall/", "1=4.04 "},
		{"GET /ps//data/hall", "1=4.04 "},
		{"GET /ps/data/Hall", "1=4.04 "},
		{"GET /ps/hall/x", "1=4.04 "},
		{"GET /.well-known", "1=4.04 "},
		{"GET /.well-known/core/x", "1=4.04 "},
		{"PUT /x 'y'", "1=4.04 "},
		{"DELETE /ps/data/x", "1=4.04 "},
		{"DELETE /ps/x", "1=4.04 "},
		{"NON GET /x", "1~4.04 "},
		{.request = NULL},
	};

	play(steps);
}

START_TEST(another_collection)
{
	anew();
	bw.conf.collection = "/a/b";
	bw_start();
	bw_topic("hall", "0");
	bw_in(1, "GET /a/b/data/hall");
	bw_in(1, "GET /ps/data/hall");
	bw_in(1, "GET /a/data/hall");
	bw_in(1, "GET /a");
	bw_expect("1=2.05:0 1=4.04 1=4.04 1=4.04 ");
}

START_TEST(a_path_of_very_many_bytes)
{
	static char path[8 + 7 * 256 + 1];
	char *at = path;

	/* Each byte of it becomes three as text. */
	at += sprintf(at, "/ps/data");
	for (int i = 0; i < 5; i++) {
		*at++ = '/';
		memset(at, '%', 255);
		at += 255;
	}
	*at = '\0';
	bw_in(1, "GET %s", path);
	bw_expect("1=4.04 ");
}

/* RFC 7252 8.2: no errors and no empty lists to a group. */
START_TEST(rfc7252_8_2_multicast_requests)
{
	bw.multicast = true;
	bw_in(1, "NON GET /ps/data/hall");
	bw_go(LAYER_LEISURE_MS);
	bw_expect("1~2.05:0 ");
	bw_in(1, "NON GET /ps/data/none");
	bw_in(1, "NON POST /ps/data/hall");
	bw_go(LAYER_LEISURE_MS);
	bw_expect("");
}

/* --- publishing ---------------------------------------------------------------------------- */

START_TEST(a_first_publish_is_201_and_then_204)
{
	static const struct step steps[] = {
		{"PUT /ps/data/half 'a'", "1=2.01 "},
		{"PUT /ps/data/half 'b'", "1=2.04 "},
		{"GET /ps/data/half", "1=2.05:b "},
		{"DELETE /ps/data/half", "1=2.02 "},
		{"GET /ps/data/half", "1=4.04 "},
		{"DELETE /ps/data/half", "1=4.04 "},
		{"PUT /ps/data/half", "1=2.01 "},
		{"GET /ps/data/half", "1=2.05 "},
		/* Initialized is as if published. */
		{"PUT /ps/data/hall 'x'", "1=2.04 "},
		{"NON PUT /ps/data/hall 'y'", "1~2.04 "},
		{"NON PUT /ps/data/hall nr=2 'z'", ""},
		{"PUT /ps/data/hall nr=2 'z'", "a1 "},
		{"GET /ps/data/hall", "1=2.05:z "},
		{.request = NULL},
	};

	bw_topic("half", NULL);
	play(steps);
	ck_assert_uint_eq(bw_stats().publishes, 7);
}

/* RFC 7252 4.5: a duplicate publishes nothing. */
START_TEST(rfc7252_4_5_a_repeated_publish)
{
	bw_in(2, "GET /ps/data/hall o=0");
	bw_in(1, "PUT /ps/data/hall 'x'");
	bw_again();
	bw_expect("2+0 1=2.04 2:x 1=2.04 ");
	bw_in(1, "NON PUT /ps/data/hall 'y'");
	bw_again();
	bw_expect("1~2.04 2:y ");
	ck_assert_uint_eq(bw_stats().publishes, 2);
}

/* wire.md, "Topics": of a topic with a Content-Format. */
START_TEST(a_topic_with_a_format_takes_no_other)
{
	static const struct step steps[] = {
		{"PUT /ps/data/t ct=50 'x'", "1=4.15 "},
		{"PUT /ps/data/t ct=60 'x'", "1=2.01 "},
		{"PUT /ps/data/t ct=0 'x'", "1=4.15 "},
		{"PUT /ps/data/t 'y'", "1=2.04 "},
		{.request = NULL},
	};
	struct msg m;

	ck_assert_int_eq(broker_create_topic(bw.broker, BYTES_LIT("t"), 60, BYTES_NONE), 0);
	play(steps);
	bw_in(1, "GET /ps/data/t");
	m = bw_last(1);
	/* Without one it takes the topic's. */
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
	ck_assert_uint_eq(bw_stats().publishes_refused, 2);
}

/* And of one without: it changes, but not under an observer. */
START_TEST(a_topic_without_a_format_changes_it_unobserved)
{
	static const struct step before[] = {
		{"PUT /ps/data/hall ct=50 'a'", "1=2.04 "},
		{"PUT /ps/data/hall 'b'", "1=2.04 "},
		{"GET /ps/data/hall ac=50", "1=2.05:b "},
		{"PUT /ps/data/hall ct=60 'c'", "1=2.04 "},
		{"GET /ps/data/hall o=0", "1+c "},
		{"PUT /ps/data/hall ct=50 'd'", "1=4.15 "},
		{"PUT /ps/data/hall ct=60 'e'", "1=2.04 1:e "},
		{"PUT /ps/data/hall 'f'", "1=2.04 1:f "},
		{"GET /ps/data/hall o=1", "1=2.05:f "},
		{"PUT /ps/data/hall ct=50 'd'", "1=2.04 "},
		/* After a deletion nobody observes it. */
		{"GET /ps/data/hall o=0", "1+d "},
		{"DELETE /ps/data/hall", "1=2.02 x1 "},
		{"PUT /ps/data/hall ct=42 'd'", "1=2.01 "},
		{.request = NULL},
	};
	struct msg m;

	play(before);
	bw_in(1, "GET /ps/data/hall");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 42);
}

START_TEST(a_format_where_there_was_none_is_a_change_too)
{
	bw_sub(2);
	bw_in(1, "PUT /ps/data/hall ct=0 'x'");
	bw_expect("2+0 1=4.15 ");
}

/* RFC 7252 5.10.4 */
START_TEST(rfc7252_5_10_4_accept)
{
	static const struct step steps[] = {
		{"GET /ps/data/hall ac=60", "1=2.05:0 "},
		{"PUT /ps/data/hall ct=60 'x'", "1=2.04 "},
		{"GET /ps/data/hall ac=60", "1=2.05:x "},
		{"GET /ps/data/hall ac=0", "1=4.06 "},
		{"GET /ps/data/hall ac=0 o=0", "1=4.06 "},
		{"GET /ps/data/hall ac=60 o=0", "1+x "},
		{.request = NULL},
	};

	play(steps);
	ck_assert_uint_eq(bw_stats().observers, 1);
}

/* --- ETag and preconditions ------------------------------------------------------------------- */

/* The ETag of hall as hex; static. */
static const char *
etag(void)
{
	static char text[17];
	struct buf hex = buf_of(text, sizeof(text));
	struct msg m;

	bw_in(9, "GET /ps/data/hall");
	m = bw_last(9);
	buf_put_hex(&hex, bw_etag(&m));
	(void)bw_said();
	return buf_str(&hex);
}

START_TEST(rfc7252_5_10_6_2_a_known_etag_is_203)
{
	char zero[17];
	struct msg m;

	(void)strcpy(zero, etag());
	ck_assert_uint_eq(strlen(zero), 16);
	bw_in(1, "GET /ps/data/hall e=%s", zero);
	bw_expect("1=2.03 ");
	m = bw_last(1);
	ck_assert_uint_eq(m.n_opts, 1);
	ck_assert_uint_eq(bw_etag(&m).n, 8);
	bw_in(1, "GET /ps/data/hall e=00 e=%s e=11", zero);
	bw_in(1, "GET /ps/data/hall e=00");
	bw_expect("1=2.03 1=2.05:0 ");
	bw_in(1, "PUT /ps/data/hall 'x'");
	bw_in(1, "GET /ps/data/hall e=%s", zero);
	bw_expect("1=2.04 1=2.05:x ");
	/* Equal bytes published again are another publish: product, "equal bytes too". */
	bw_in(1, "PUT /ps/data/hall '0'");
	ck_assert_str_ne(etag(), zero);
	(void)strcpy(zero, etag());
	ck_assert_str_eq(etag(), zero);
	bw_in(1, "PUT /ps/data/hall ct=60 '0'");
	ck_assert_str_ne(etag(), zero);
}

START_TEST(rfc7252_5_10_8_if_match)
{
	char zero[17];

	(void)strcpy(zero, etag());
	bw_in(1, "PUT /ps/data/hall m=00 'a'");
	bw_expect("1=4.12 ");
	bw_in(1, "PUT /ps/data/hall m=00 m=%s 'a'", zero);
	bw_expect("1=2.04 ");
	bw_in(1, "PUT /ps/data/hall m=%s 'b'", zero);
	bw_expect("1=4.12 ");
	/* The empty one: anything that exists. */
	bw_in(1, "PUT /ps/data/hall m= 'c'");
	bw_in(1, "PUT /ps/data/hall m=00 m= 'd'");
	bw_expect("1=2.04 1=2.04 ");
	bw_in(1, "DELETE /ps/data/hall m=%s", zero);
	bw_expect("1=4.12 ");
	bw_in(1, "DELETE /ps/data/hall m=%s", etag());
	bw_in(1, "PUT /ps/data/hall m= 'c'");
	bw_expect("1=2.02 1=4.12 ");
}

START_TEST(rfc7252_5_10_8_if_none_match)
{
	static const struct step steps[] = {
		{"PUT /ps/data/hall nm 'a'", "1=4.12 "},
		{"DELETE /ps/data/hall nm", "1=4.12 "},
		{"DELETE /ps/data/hall", "1=2.02 "},
		{"PUT /ps/data/hall nm 'a'", "1=2.01 "},
		{"PUT /ps/data/hall nm 'b'", "1=4.12 "},
		{"GET /ps/data/hall", "1=2.05:a "},
		{.request = NULL},
	};

	play(steps);
}

/* --- blocks --------------------------------------------------------------------------------- */

START_TEST(rfc7959_3_2_a_value_in_blocks)
{
	struct msg m;

	bw_sub(2);
	(void)bw_said();
	bw_in(1, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_in(1, "PUT /ps/data/hall b1=1+/16 '0123456789abcdef'");
	bw_expect("1=2.31 1=2.31 ");
	bw_in(1, "PUT /ps/data/hall b1=2/16 'end'");
	bw_expect("1=2.04 2:(35) ");
	m = bw_last(1);
	ck_assert(msg_has(&m, OPT_BLOCK1));
	bw_again();
	bw_expect("1=2.04 ");
	bw_in(1, "GET /ps/data/hall b2=2/16");
	bw_expect("1=2.05:end ");
	m = bw_last(1);
	bw_in(1, "GET /ps/data/hall b2=0/16");
	bw_expect("1=2.05:0123456789abcdef ");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE2), 35);
	bw_in(1, "GET /ps/data/hall b2=3/16");
	bw_in(1, "GET /ps/data/hall b2raw=7");
	bw_in(1, "PUT /ps/data/hall b1=1/16 'gap'");
	bw_expect("1=4.00 1=4.00 1=4.08 ");
}

START_TEST(two_publishers_in_blocks_do_not_mix)
{
	bw_in(1, "PUT /ps/data/hall b1=0+/16 '1111111111111111'");
	bw_in(2, "PUT /ps/data/hall b1=0+/16 '2222222222222222'");
	bw_in(1, "PUT /ps/data/hall b1=0+/16 rt=aa '3333333333333333'");
	bw_in(2, "PUT /ps/data/hall b1=1/16 'b'");
	bw_in(1, "GET /ps/data/hall");
	bw_in(1, "PUT /ps/data/hall b1=1/16 rt=aa 'c'");
	bw_in(1, "GET /ps/data/hall");
	bw_in(1, "PUT /ps/data/hall b1=1/16 'a'");
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=2.31 2=2.31 1=2.31 2=2.04 1=2.05:2222222222222222b 1=2.04 "
		  "1=2.05:3333333333333333c 1=2.04 1=2.05:1111111111111111a ");
}

/* --- limits ---------------------------------------------------------------------------------- */

START_TEST(rfc7959_2_9_3_a_value_too_large)
{
	struct msg m;

	anew();
	bw.conf.limits.payload = 20;
	begin();
	bw_in(1, "PUT /ps/data/hall '01234567890123456789'");
	bw_in(1, "PUT /ps/data/hall '012345678901234567890'");
	bw_expect("1=2.04 1=4.13 ");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE1), 20);
	bw_in(1, "PUT /ps/data/hall b1=0+/16 s1=21 '0123456789abcdef'");
	bw_in(1, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_in(1, "PUT /ps/data/hall b1=1/16 '01234'");
	bw_expect("1=4.13 1=2.31 1=4.13 ");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE1), 20);
	ck_assert_uint_eq(bw_stats().publishes_refused, 3);
}

START_TEST(too_many_bodies)
{
	struct msg m;

	anew();
	bw.conf.limits.bodies = 2;
	begin();
	bw_in(1, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_in(2, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_in(3, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_expect("1=2.31 2=2.31 3=5.03 ");
	m = bw_last(3);
	ck_assert_int_gt(bw_option(&m, OPT_MAX_AGE), 0);
	bw_in(1, "PUT /ps/data/hall b1=1/16 'x'");
	bw_in(3, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_expect("1=2.04 3=2.31 ");
	/* Those that never end make room in time. */
	bw_go(300 * 1000);
	bw_in(4, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_expect("4=2.31 ");
}

START_TEST(too_many_bytes_of_all_values)
{
	struct msg m;

	anew();
	bw.conf.limits.memory = 10;
	bw_start();
	bw_topic("a", "12345");
	bw_topic("b", "1234");
	bw_in(1, "PUT /ps/data/a '123456'");
	bw_in(1, "PUT /ps/data/a '1234567'");
	bw_expect("1=2.04 1=5.03 ");
	m = bw_last(1);
	ck_assert_int_gt(bw_option(&m, OPT_MAX_AGE), 0);
	/* In place of the old one there is room. */
	bw_in(1, "PUT /ps/data/a 'abcdef'");
	bw_in(1, "DELETE /ps/data/b");
	bw_in(1, "PUT /ps/data/a '1234567890'");
	bw_in(1, "PUT /ps/data/b 'x'");
	bw_in(1, "PUT /ps/data/b");
	bw_expect("1=2.04 1=2.02 1=2.04 1=5.03 1=2.01 ");
	ck_assert_uint_eq(bw_stats().value_bytes, 10);
}

/* coap-pubsub "Rate Limiting", RFC 8516 */
START_TEST(rfc8516_too_many_publishes)
{
	struct msg m;

	anew();
	bw.conf.limits.publish_rate = 2;
	begin();
	bw_sub(3);
	bw_in(1, "PUT /ps/data/hall 'a'");
	bw_in(1, "PUT /ps/data/hall 'b'");
	bw_in(1, "PUT /ps/data/hall 'c'");
	bw_in(2, "PUT /ps/data/hall 'd'");
	bw_expect("3+0 1=2.04 3:a 1=2.04 3:b 1=4.29 2=2.04 3:d ");
	bw_in(1, "PUT /ps/data/hall 'c'");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 1);
	/* Reading is no publishing. */
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=4.29 1=2.05:d ");
	bw_go(1000);
	bw_in(1, "PUT /ps/data/hall 'c'");
	bw_expect("1=2.04 3:c ");
	ck_assert_uint_eq(bw_stats().publishes_refused, 2);
}

START_TEST(deleting_data_needs_no_memory_and_no_rate)
{
	anew();
	bw.conf.limits.publish_rate = 1;
	bw.conf.limits.memory = 1;
	begin();
	bw_in(1, "PUT /ps/data/hall '1'");
	bw_in(1, "DELETE /ps/data/hall");
	bw_expect("1=2.04 1=2.02 ");
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
}

static void
add_requests(TCase *t)
{
	tcase_add_test(t, rfc7252_5_8_methods_that_are_not_there);
	tcase_add_test(t, paths_that_lead_nowhere);
	tcase_add_test(t, another_collection);
	tcase_add_test(t, a_path_of_very_many_bytes);
	tcase_add_test(t, rfc7252_8_2_multicast_requests);
}

static void
add_data(TCase *t)
{
	tcase_add_test(t, a_first_publish_is_201_and_then_204);
	tcase_add_test(t, rfc7252_4_5_a_repeated_publish);
	tcase_add_test(t, a_topic_with_a_format_takes_no_other);
	tcase_add_test(t, a_topic_without_a_format_changes_it_unobserved);
	tcase_add_test(t, a_format_where_there_was_none_is_a_change_too);
	tcase_add_test(t, rfc7252_5_10_4_accept);
	tcase_add_test(t, rfc7252_5_10_6_2_a_known_etag_is_203);
	tcase_add_test(t, rfc7252_5_10_8_if_match);
	tcase_add_test(t, rfc7252_5_10_8_if_none_match);
	tcase_add_test(t, rfc7959_3_2_a_value_in_blocks);
	tcase_add_test(t, two_publishers_in_blocks_do_not_mix);
}

static void
add_limits(TCase *t)
{
	tcase_add_test(t, rfc7959_2_9_3_a_value_too_large);
	tcase_add_test(t, too_many_bodies);
	tcase_add_test(t, too_many_bytes_of_all_values);
	tcase_add_test(t, rfc8516_too_many_publishes);
	tcase_add_test(t, deleting_data_needs_no_memory_and_no_rate);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("router");
	TCase *t = tcase_create("router");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_requests(t);
	add_data(t);
	add_limits(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
