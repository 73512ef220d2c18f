/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The topic resource and its properties: coap-pubsub "Topic Properties" and "Topic
 * Interactions". What is sent to whom when a property takes effect: test_deadlines.c.
 */
#include "broker_world.h"

#include <stdio.h>

#include "hex.h"
#include "wire/option.h"
#include "wire/props.h"

#define RT "026c636f72652e70732e64617461" /* 2: "core.ps.data" */
#define NAME "006174" /* 0: "t" */

static void
setup(void)
{
	bw_init();
	bw_start();
	/* {0: "t", 2: .., 3: 60, 4: "temp", 5: 1(1680393599), 6: 100, 7: 600, 8: h'80'} */
	bw_in(1, "POST /ps ct=606 x=a8" NAME RT "03183c"
		 "046474656d70"
		 "05c11a6428c57f"
		 "061864"
		 "07190258"
		 "084180");
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	(void)bw_said();
}

/* What GET tells of the topic. */
static struct props
properties(void)
{
	static uint8_t copy[2048];
	struct props p;
	struct msg m;

	bw_in(99, "GET /ps/t");
	m = bw_last(99);
	(void)bw_said();
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_uint_le(m.payload.n, sizeof(copy));
	memcpy(copy, m.payload.p, m.payload.n);
	ck_assert_int_eq(props_decode(bytes_of(copy, m.payload.n), &p), 0);
	return p;
}

static const char *
etag(void)
{
	static char text[17];
	struct buf out = buf_of(text, sizeof(text));
	struct msg m;

	bw_in(99, "GET /ps/t");
	m = bw_last(99);
	buf_put_hex(&out, bw_etag(&m));
	(void)bw_said();
	return buf_str(&out);
}

START_TEST(pubsub_2_4_3_create_takes_every_property)
{
	struct props p = properties();

	ck_assert_uint_eq(p.has, PROPS_ALL);
	ck_assert(bytes_is(p.name, "t"));
	ck_assert(bytes_is(p.data, "/ps/data/t"));
	ck_assert(bytes_is(p.resource_type, "core.ps.data"));
	ck_assert_uint_eq(p.content_format, 60);
	ck_assert(bytes_is(p.type, "temp"));
	ck_assert_int_eq(p.expiration_s, 1680393599);
	ck_assert_uint_eq(p.max_subscribers, 100);
	ck_assert_uint_eq(p.observer_check_s, 600);
	hex_expect(p.initialize, "80");
	bw_in(1, "GET /ps/data/t");
	ck_assert_int_eq(bw_last(1).code, CODE_CONTENT);
}

START_TEST(pubsub_2_4_3_create_takes_the_topic_data_it_would_choose)
{
	/* {0: "u", 1: "/ps/data/u", 2: ..}, and "/ps/data/x" */
	bw_in(1, "POST /ps ct=606 x=a3006176016a2f70732f646174612f78" RT);
	bw_expect("1=4.00 ");
	ck_assert_uint_eq(bw_stats().created, 1);
	bw_in(1, "POST /ps ct=606 x=a3006175016a2f70732f646174612f75" RT);
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	ck_assert_uint_eq(bw_stats().topics, 2);
}

/* "Updating the topic": what is left out is reset. */
START_TEST(pubsub_2_5_3_post_replaces)
{
	struct props p;
	struct msg m;

	bw_in(1, "POST /ps/t ct=606 x=a2046178"
		 "0605");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CHANGED);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 606);
	hex_expect(m.payload, "a5" NAME "016a2f70732f646174612f74" RT "046178"
			      "0605");
	p = properties();
	ck_assert_uint_eq(p.has, PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_DATA) |
					 PROPS_BIT(PROPS_RESOURCE_TYPE) | PROPS_BIT(PROPS_TYPE) |
					 PROPS_BIT(PROPS_MAX_SUBSCRIBERS));
	bw_in(1, "POST /ps/t ct=606 x=a0");
	m = bw_last(1);
	hex_expect(m.payload, "a3" NAME "016a2f70732f646174612f74" RT);
	/* The value is another resource's. */
	bw_in(1, "GET /ps/data/t");
	m = bw_last(1);
	hex_expect(m.payload, "80");
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
}

/* "Updating the topic with iPATCH": what is left out stays. */
START_TEST(pubsub_2_5_4_ipatch_keeps_the_rest)
{
	struct props p;

	bw_in(1, "iPATCH /ps/t ct=606 x=a2046178"
		 "0605");
	ck_assert_int_eq(bw_last(1).code, CODE_CHANGED);
	p = properties();
	ck_assert_uint_eq(p.has, PROPS_ALL);
	ck_assert(bytes_is(p.type, "x"));
	ck_assert_uint_eq(p.max_subscribers, 5);
	ck_assert_uint_eq(p.content_format, 60);
	ck_assert_int_eq(p.expiration_s, 1680393599);
	ck_assert_uint_eq(p.observer_check_s, 600);
	hex_expect(p.initialize, "80");
	/* Each of the others alone, and nothing at all. */
	bw_in(1, "iPATCH /ps/t ct=606 x=a10300");
	bw_in(1, "iPATCH /ps/t ct=606 x=a105c11b000000ffffffffff");
	bw_in(1, "iPATCH /ps/t ct=606 x=a10701");
	bw_in(1, "iPATCH /ps/t ct=606 x=a10843616263");
	bw_in(1, "iPATCH /ps/t ct=606 x=a0");
	p = properties();
	ck_assert_uint_eq(p.has, PROPS_ALL);
	ck_assert_uint_eq(p.content_format, 0);
	ck_assert_int_eq(p.expiration_s, 0xffffffffff);
	ck_assert_uint_eq(p.observer_check_s, 1);
	ck_assert(bytes_is(p.initialize, "abc"));
	ck_assert(bytes_is(p.type, "x"));
}

static const char *const methods[] = {"POST", "iPATCH"};

/* The immutable ones "may be included with their current values". */
START_TEST(pubsub_2_5_3_update_tells_immutable_properties_as_they_are)
{
	bw_in(1, "%s /ps/t ct=606 x=a5" NAME "016a2f70732f646174612f74" RT "03183c046178",
		methods[_i]);
	ck_assert_int_eq(bw_last(1).code, CODE_CHANGED);
	ck_assert(bytes_is(properties().type, "x"));
}

static const char *const bad_updates[] = {
	/* another topic-name, topic-data, resource-type, with something that could be set */
	"a2006175046178",
	"a2016a2f70732f646174612f75046178",
	"a20261780461"
	"78",
	/* no map, unknown, twice, wrong types and ranges */
	"80",
	"01",
	"a10900",
	"a120"
	"00",
	"a161780a",
	"a2046178046178",
	"a1044178",
	"a10461ff",
	"a10500",
	"a105c000",
	"a105c16130",
	"a105c1f97e00",
	"a105c1f97c00",
	"a10620",
	"a106f6",
	"a10700",
	"a107617"
	"8",
	"a1031a00010000",
	"a1086178",
	"a1080a",
	/* a date that has passed, and one before 1970 */
	"a105c1190"
	"3e8",
	"a105c13b7fffffffffffffff",
	/* more than is there, and bytes after it */
	"a2046178",
	"a1047a7fffffff78",
	"a1045b7fffffffffffffff",
	"bb7fffffffffffffff046178",
	"a104617800",
	"bf046178ff",
	"a1047f6178ff",
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(pubsub_2_5_3_update_refused_changes_nothing)
{
	char before[17];

	(void)snprintf(before, sizeof(before), "%s", etag());
	for (int i = 0; i < N(methods); i++) {
		bw_in(1, "%s /ps/t ct=606 x=%s", methods[i], bad_updates[_i]);
		bw_expect("1=4.00 ");
	}
	ck_assert_str_eq(etag(), before);
}

START_TEST(pubsub_2_5_3_update_truncated_changes_nothing)
{
	static const char whole[] = "a7" NAME RT "03183c046474656d7005c11a7428c17f061864"
				    "0719025"
				    "8";
	char before[17];

	(void)snprintf(before, sizeof(before), "%s", etag());
	for (int n = 2; n < (int)strlen(whole); n += 2) {
		bw_in(1, "POST /ps/t ct=606 x=%.*s", n, whole);
		bw_in(1, "iPATCH /ps/t ct=606 x=%.*s", n, whole);
		bw_expect("1=4.00 1=4.00 ");
	}
	ck_assert_str_eq(etag(), before);
}

START_TEST(pubsub_2_5_3_update_has_its_format_and_its_topic)
{
	bw_in(1, "POST /ps/t x=a0");
	bw_in(1, "POST /ps/t ct=60 x=a0");
	bw_in(1, "iPATCH /ps/t ct=0 x=a0");
	bw_in(1, "POST /ps/none ct=606 x=a0");
	bw_in(1, "iPATCH /ps/none ct=606 x=a0");
	bw_in(1, "POST /ps/t ct=606 ac=60 x=a0");
	bw_in(1, "PUT /ps/t ct=606 x=a0");
	bw_in(1, "PATCH /ps/t ct=606 x=a0");
	bw_expect("1=4.15 1=4.15 1=4.15 1=4.04 1=4.04 1=4.06 1=4.05 1=4.05 ");
	ck_assert_uint_eq(properties().has, PROPS_ALL);
}

/* "initialize": it needs topic-content-format, in what results, too. */
START_TEST(pubsub_2_5_3_update_keeps_a_format_for_initialize)
{
	bw_in(1, "POST /ps/t ct=606 x=a1084180");
	bw_expect("1=4.00 ");
	bw_in(1, "POST /ps/t ct=606 x=a20300084180");
	ck_assert_int_eq(bw_last(1).code, CODE_CHANGED);
	bw_in(1, "POST /ps/t ct=606 x=a0");
	(void)bw_said();
	bw_in(1, "iPATCH /ps/t ct=606 x=a1084180");
	bw_expect("1=4.00 ");
}

/* "Delete topic-data": irrespective of initialize, the topic is half created then. */
START_TEST(pubsub_3_2_4_delete_initializes_nothing)
{
	bw_in(1, "DELETE /ps/data/t");
	bw_in(1, "GET /ps/data/t");
	bw_in(1, "iPATCH /ps/t ct=606 x=a1084181");
	bw_expect("1=2.02 1=4.04 1=2.04:(56) ");
	hex_expect(properties().initialize, "81");
	bw_in(1, "GET /ps/data/t");
	bw_in(1, "PUT /ps/data/t ct=60 'x'");
	bw_in(1, "GET /ps/data/t");
	bw_expect("1=4.04 1=2.01 1=2.05:x ");
}

START_TEST(a_topic_type_has_a_longest)
{
	char type[2 * 256 + 1];
	struct msg m;

	for (int i = 0; i < 2 * 256; i += 2)
		memcpy(type + i, "74", 2);
	type[2 * 256] = '\0';
	bw_in(1, "iPATCH /ps/t ct=606 x=a104790100%s", type);
	bw_expect("1=4.00 ");
	bw_in(1, "iPATCH /ps/t ct=606 x=a10478ff%.*s", 2 * 255, type);
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CHANGED);
	ck_assert_uint_eq(properties().type.n, 255);
	/* An empty one is one. */
	bw_in(1, "iPATCH /ps/t ct=606 x=a10460");
	ck_assert_uint_eq(properties().type.n, 0);
	ck_assert(props_has(&(struct props){.has = properties().has}, PROPS_TYPE));
}

/* limits.memory counts what properties keep, and a value only once. */
START_TEST(properties_are_counted)
{
	bw_stop();
	bw_init();
	bw.conf.limits.memory = 20;
	bw_start();
	/* "initialize" of 8 bytes is the first value itself, "topic-type" is 4 more. */
	bw_in(1, "POST /ps ct=606 x=a5" NAME RT "0300"
		 "046474656d70"
		 "08483031323334353637");
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	ck_assert_uint_eq(bw_stats().value_bytes, 12);
	(void)bw_said();
	bw_in(1, "PUT /ps/data/t 'another'");
	bw_expect("1=2.04 ");
	ck_assert_uint_eq(bw_stats().value_bytes, 19);
	bw_in(1, "iPATCH /ps/t ct=606 x=a10842"
		 "6262");
	bw_in(1, "POST /ps ct=606 x=a3006175" RT "046474656d70");
	bw_expect("1=5.03 1=5.03 ");
	ck_assert_uint_eq(bw_stats().value_bytes, 19);
	ck_assert_uint_eq(bw_stats().topics, 1);
	bw_in(1, "POST /ps/t ct=606 x=a0");
	ck_assert_int_eq(bw_last(1).code, CODE_CHANGED);
	ck_assert_uint_eq(bw_stats().value_bytes, 7);
	bw_in(1, "DELETE /ps/t");
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
}

/* RFC 7252 5.10.8.1, 5.9.1.3: no lost update. */
START_TEST(rfc7252_5_10_8_preconditions_of_a_topic)
{
	char old[17];

	(void)snprintf(old, sizeof(old), "%s", etag());
	bw_in(1, "GET /ps/t e=%s", old);
	bw_in(1, "iPATCH /ps/t ct=606 m=%s x=a10605", old);
	bw_expect("1=2.03 1=2.04:(55) ");
	bw_in(1, "iPATCH /ps/t ct=606 m=%s x=a10606", old);
	bw_in(1, "POST /ps/t ct=606 m=%s x=a0", old);
	bw_in(1, "DELETE /ps/t m=%s", old);
	bw_in(1, "DELETE /ps/t nm");
	bw_expect("1=4.12 1=4.12 1=4.12 1=4.12 ");
	ck_assert_uint_eq(properties().max_subscribers, 5);
	bw_in(1, "DELETE /ps/t m=%s", etag());
	bw_expect("1=2.02 ");
}

/* RFC 7959 2.4: a large representation in blocks with one ETag. */
START_TEST(rfc7959_2_4_a_large_initialize)
{
	static char hex[2 * 900 + 1];
	struct block b;
	struct msg m;
	uint8_t first[8];
	size_t n;

	memset(hex, '6', sizeof(hex) - 1);
	bw_in(1, "iPATCH /ps/t ct=606 b1=0+/1024 x=a1085904b0%s%.*s", hex, 2 * 119, hex);
	bw_in(1, "iPATCH /ps/t ct=606 b1=1/1024 x=%.*s", 2 * 181, hex);
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CHANGED);
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(b.num == 0 && b.more);
	bw_in(1, "GET /ps/t");
	m = bw_last(1);
	n = m.payload.n;
	memcpy(first, bw_etag(&m).p, 8);
	bw_in(1, "GET /ps/t b2=1/1024");
	m = bw_last(1);
	ck_assert(bytes_equal(bw_etag(&m), BYTES_OF(first)));
	ck_assert_uint_eq(n + m.payload.n, 56 - 2 + 3 + 1200);
}

/* RFC 7252 4.5: a duplicate changes nothing again. */
START_TEST(rfc7252_4_5_a_repeated_ipatch)
{
	bw_in(1, "iPATCH /ps/t ct=606 x=a10605");
	bw_again();
	bw_expect("1=2.04:(55) 1=2.04:(55) ");
	bw_in(1, "iPATCH /ps/t ct=606 x=a10606");
	ck_assert_uint_eq(properties().max_subscribers, 6);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("settings");
	TCase *t = tcase_create("settings");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, pubsub_2_4_3_create_takes_every_property);
	tcase_add_test(t, pubsub_2_4_3_create_takes_the_topic_data_it_would_choose);
	tcase_add_test(t, pubsub_2_5_3_post_replaces);
	tcase_add_test(t, pubsub_2_5_4_ipatch_keeps_the_rest);
	tcase_add_loop_test(
		t, pubsub_2_5_3_update_tells_immutable_properties_as_they_are, 0, N(methods));
	tcase_add_loop_test(t, pubsub_2_5_3_update_refused_changes_nothing, 0, N(bad_updates));
	tcase_add_test(t, pubsub_2_5_3_update_truncated_changes_nothing);
	tcase_add_test(t, pubsub_2_5_3_update_has_its_format_and_its_topic);
	tcase_add_test(t, pubsub_2_5_3_update_keeps_a_format_for_initialize);
	tcase_add_test(t, pubsub_3_2_4_delete_initializes_nothing);
	tcase_add_test(t, a_topic_type_has_a_longest);
	tcase_add_test(t, properties_are_counted);
	tcase_add_test(t, rfc7252_5_10_8_preconditions_of_a_topic);
	tcase_add_test(t, rfc7959_2_4_a_large_initialize);
	tcase_add_test(t, rfc7252_4_5_a_repeated_ipatch);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
