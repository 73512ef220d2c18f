/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every example of draft-ietf-core-coap-pubsub, request by request, against the broker:
 * what it answers is what the draft shows, but for the paths, which are the broker's to
 * choose, numbers of notifications and properties that it need not tell.
 */
#include "broker_world.h"

#include "hex.h"
#include "wire/option.h"

/* The payloads, which the draft has in diagnostic notation. */
#define CREATE "a200726c6976696e672d726f6f6d2d73656e736f72026c636f72652e70732e64617461"
#define CREATED                                                                            \
	"a300726c6976696e672d726f6f6d2d73656e736f7201781b2f70732f646174612f6c6976696e672d" \
	"726f6f6d2d73656e736f72026c636f72652e70732e64617461"
#define FILTER "a2006b74656d7065726174757265026c636f72652e70732e64617461"
#define TOPIC                                                                              \
	"a700726c6976696e672d726f6f6d2d73656e736f7201781b2f70732f646174612f6c6976696e672d" \
	"726f6f6d2d73656e736f72026c636f72652e70732e64617461031870046b74656d70657261747572" \
	"6505c11a6428c57f061864"
#define SET "a4031870046b74656d706572617475726505c11a6428c57f061864"
#define KEYS "820103"
#define PART "a201781b2f70732f646174612f6c6976696e672d726f6f6d2d73656e736f72031870"
#define POST                                                                               \
	"a600726c6976696e672d726f6f6d2d73656e736f7201781b2f70732f646174612f6c6976696e672d" \
	"726f6f6d2d73656e736f72026c636f72652e70732e64617461031870046b74656d70657261747572" \
	"6505c11a644c41df"
#define PATCH "a205c11a65dfc8ff0605"
#define CHECK "a2061864071a00015180"
#define PATCHED                                                                            \
	"a800726c6976696e672d726f6f6d2d73656e736f7201781b2f70732f646174612f6c6976696e672d" \
	"726f6f6d2d73656e736f72026c636f72652e70732e64617461031870046b74656d70657261747572" \
	"6505c11a65dfc8ff0605071a00015180"
#define FIRST                                                                              \
	"a4616e7824636f6170733a2f2f646576312e6578616d706c652e636f6d2f74656d70657261747572" \
	"6561756343656c61741a60a5655a6176f94de0"
#define NEXT                                                                               \
	"a4616e7824636f6170733a2f2f646576312e6578616d706c652e636f6d2f74656d70657261747572" \
	"6561756343656c61741a60a565756176f94da0"
#define SEEN1                                                                              \
	"a4616e7775726e3a6465763a6f733a33323437332d31323334353661756343656c61741a651c1cbe" \
	"6176fb4033deb851eb851f"
#define SEEN2                                                                              \
	"a4616e7775726e3a6465763a6f733a33323437332d31323334353661756343656c61741a651c18d8" \
	"6176fb4035deb851eb851f"
#define INITIALIZED "a4006573656e6d6c026c636f72652e70732e6461746103183c084180"

#define TOPIC_PATH "/ps/living-room-sensor"
#define DATA_PATH "/ps/data/living-room-sensor"

/* In March 2023, before all dates of the examples. */
static void
setup(void)
{
	bw_init();
	bw.wall_s = 1680000000;
	bw_start();
}

/* The last answer to peer 1: its code, its Content-Format (-1: none), its payload in hex. */
static struct msg
answer(enum msg_code code, int format, const char *payload)
{
	struct msg m = bw_last(1);

	(void)bw_said();
	ck_assert_int_eq(m.code, code);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), format);
	hex_expect(m.payload, payload);
	return m;
}

static bool
is_observed(void)
{
	struct msg m = bw_last(1);

	return msg_has(&m, OPT_OBSERVE);
}

static void
answer_text(int format, const char *payload)
{
	struct msg m = bw_last(1);

	(void)bw_said();
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), format);
	ck_assert_msg(
		bytes_is(m.payload, payload), "%.*s", (int)m.payload.n, (const char *)m.payload.p);
}

static void
create(void)
{
	bw_in(1, "POST /ps ct=606 x=" CREATE);
	(void)answer(CODE_CREATED, 606, CREATED);
}

/* --- 2.3 Discovery ------------------------------------------------------------------- */

START_TEST(pubsub_2_3_1_broker_discovery)
{
	bw.multicast = true;
	bw_in(1, "NON GET /.well-known/core?rt=core.ps h=kdc.example.com");
	bw_go(LAYER_LEISURE_MS);
	answer_text(40, "</>;rt=\"core.ps\"");
}

START_TEST(pubsub_2_3_2_topic_collection_discovery)
{
	bw_in(1, "GET /.well-known/core?rt=core.ps.coll");
	answer_text(40, "</ps>;rt=\"core.ps.coll\"");
}

START_TEST(pubsub_2_3_3_topic_discovery)
{
	create();
	bw_in(1, "GET /.well-known/core?rt=core.ps.conf");
	answer_text(40, "<" TOPIC_PATH ">;rt=\"core.ps.conf\"");
}

START_TEST(pubsub_2_3_4_topic_data_discovery)
{
	create();
	/* Before something was published there is no such resource. */
	bw_in(1, "GET /ps?rt=core.ps.data");
	answer_text(40, "");
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" FIRST);
	bw_in(1, "GET /ps?rt=core.ps.data");
	answer_text(40, "<" DATA_PATH ">");
}

/* --- 2.4 Topic Collection Interactions ---------------------------------------------------- */

START_TEST(pubsub_2_4_1_retrieving_all_topics)
{
	struct msg m;

	bw_topic("h9392", NULL);
	bw_topic("2e3570", NULL);
	bw_in(1, "GET /ps");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 40);
	/* In any order. */
	ck_assert(bytes_is(m.payload, "</ps/h9392>,</ps/2e3570>") ||
		  bytes_is(m.payload, "</ps/2e3570>,</ps/h9392>"));
}

START_TEST(pubsub_2_4_2_getting_topics_by_topic_properties)
{
	create();
	bw_topic("temperature", NULL);
	bw_in(1, "FETCH /ps ct=606 x=" FILTER);
	answer_text(40, "</ps/temperature>");
}

START_TEST(pubsub_2_4_3_creating_a_topic)
{
	struct msg m;

	bw_in(1, "POST /ps ct=606 x=" CREATE);
	m = answer(CODE_CREATED, 606, CREATED);
	ck_assert_uint_eq(m.opts[0].number, OPT_LOCATION_PATH);
	ck_assert(bytes_is(m.opts[0].value, "ps"));
	ck_assert_uint_eq(m.opts[1].number, OPT_LOCATION_PATH);
	ck_assert(bytes_is(m.opts[1].value, "living-room-sensor"));
	/* "if the topic-name is already in use" */
	bw_in(1, "POST /ps ct=606 x=" CREATE);
	bw_expect("1=4.00 ");
}

/* The empty CBOR array as initial representation: it can be subscribed to at once. */
START_TEST(pubsub_2_2_1_initialize)
{
	bw_in(1, "POST /ps ct=606 x=" INITIALIZED);
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	bw_in(1, "GET /ps/data/senml o=0");
	ck_assert(is_observed());
	(void)answer(CODE_CONTENT, 60, "80");
	/* "A follow-up publication should result in a 2.04" */
	bw_in(1, "PUT /ps/data/senml ct=60 x=8100");
	ck_assert_int_eq(bw_stats().notifications, 1);
}

/* --- 2.5 Topic Interactions ------------------------------------------------------------------ */

static void
create_whole(void)
{
	create();
	bw_in(1, "iPATCH " TOPIC_PATH " ct=606 x=" SET);
	(void)answer(CODE_CHANGED, 606, TOPIC);
}

START_TEST(pubsub_2_5_1_getting_a_topic)
{
	create_whole();
	bw_in(1, "GET " TOPIC_PATH);
	(void)answer(CODE_CONTENT, 606, TOPIC);
}

START_TEST(pubsub_2_5_2_getting_part_of_a_topic)
{
	create_whole();
	bw_in(1, "FETCH " TOPIC_PATH " ct=60 x=" KEYS);
	(void)answer(CODE_CONTENT, 606, PART);
}

/* max-subscribers and observer-check, left out, are back at their defaults. */
START_TEST(pubsub_2_5_3_updating_the_topic)
{
	create_whole();
	bw_in(1, "POST " TOPIC_PATH " ct=606 x=" POST);
	(void)answer(CODE_CHANGED, 606, POST);
	bw_in(1, "GET " TOPIC_PATH);
	(void)answer(CODE_CONTENT, 606, POST);
}

START_TEST(pubsub_2_5_4_updating_the_topic_with_ipatch)
{
	create_whole();
	bw_in(1, "iPATCH " TOPIC_PATH " ct=606 x=" CHECK);
	bw_in(1, "iPATCH " TOPIC_PATH " ct=606 x=" PATCH);
	(void)answer(CODE_CHANGED, 606, PATCHED);
}

START_TEST(pubsub_2_5_5_deleting_a_topic)
{
	create();
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" FIRST);
	bw_in(2, "GET " DATA_PATH " o=0");
	(void)bw_said();
	bw_in(1, "DELETE " TOPIC_PATH);
	/* "returning a final 4.04", and "an already-deleted topic may receive a 4.04" */
	bw_expect("1=2.02 x2 ");
	bw_in(1, "DELETE " TOPIC_PATH);
	bw_in(1, "GET " DATA_PATH);
	bw_expect("1=4.04 1=4.04 ");
}

/* --- 3 Publish and Subscribe -------------------------------------------------------------------- */

START_TEST(pubsub_3_2_1_publish)
{
	create();
	/* "Topic Lifecycle": half created, it can be neither read nor subscribed to. */
	bw_in(1, "GET " DATA_PATH);
	bw_in(1, "GET " DATA_PATH " o=0");
	bw_expect("1=4.04 1=4.04 ");
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" FIRST);
	(void)answer(CODE_CREATED, -1, "");
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" NEXT);
	(void)answer(CODE_CHANGED, -1, "");
	/* "If the request does not have an acceptable Content-format" */
	bw_in(1, "iPATCH " TOPIC_PATH " ct=606 x=" SET);
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" NEXT);
	(void)answer(CODE_UNSUPPORTED_FORMAT, -1, "");
}

START_TEST(pubsub_3_2_2_subscribe)
{
	int64_t first;
	struct msg m;

	create();
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" SEEN1);
	bw_in(1, "GET " DATA_PATH " o=0");
	m = answer(CODE_CONTENT, 110, SEEN1);
	first = bw_option(&m, OPT_OBSERVE);
	ck_assert_int_ge(first, 0);
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" SEEN2);
	m = answer(CODE_CONTENT, 110, SEEN2);
	ck_assert_int_eq(bw_option(&m, OPT_OBSERVE), (first + 1) & 0xffffff);
}

/* "MUST NOT include an Observe Option" */
START_TEST(pubsub_3_2_2_subscribe_past_max_subscribers)
{
	create();
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" SEEN1);
	bw_in(2, "iPATCH " TOPIC_PATH " ct=606 x=a10601");
	bw_in(2, "GET " DATA_PATH " o=0");
	bw_in(1, "GET " DATA_PATH " o=0");
	ck_assert(!is_observed());
	(void)answer(CODE_CONTENT, 110, SEEN1);
}

START_TEST(pubsub_3_2_3_unsubscribe)
{
	create();
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" SEEN1);
	bw_in(1, "GET " DATA_PATH " o=0");
	bw_in(1, "GET " DATA_PATH " o=1");
	ck_assert(!is_observed());
	(void)answer(CODE_CONTENT, 110, SEEN1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(pubsub_3_2_4_delete_topic_data)
{
	create();
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" SEEN1);
	bw_in(1, "GET " DATA_PATH " o=0");
	(void)bw_said();
	bw_in(2, "DELETE " DATA_PATH);
	bw_expect("2=2.02 x1 ");
	bw_in(2, "DELETE " DATA_PATH);
	bw_in(2, "GET " DATA_PATH " o=0");
	bw_expect("2=4.04 2=4.04 ");
	/* "The topic-data property remains unchanged" */
	bw_in(1, "GET " TOPIC_PATH);
	(void)answer(CODE_CONTENT, 606, CREATED);
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" SEEN2);
	(void)answer(CODE_CREATED, -1, "");
}

START_TEST(pubsub_3_3_read_the_latest_data)
{
	create();
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" FIRST);
	bw_in(1, "GET " DATA_PATH);
	(void)answer(CODE_CONTENT, 110, FIRST);
}

START_TEST(pubsub_3_4_rate_limiting)
{
	struct msg m;

	bw_stop();
	bw_init();
	bw.conf.limits.publish_rate = 1;
	bw_start();
	create();
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" FIRST);
	(void)answer(CODE_CREATED, -1, "");
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" NEXT);
	m = answer(CODE_TOO_MANY_REQUESTS, -1, "");
	ck_assert_int_gt(bw_option(&m, OPT_MAX_AGE), 0);
	/* Another publisher may, and after Max-Age the first one, too. */
	bw_in(2, "PUT " DATA_PATH " ct=110 x=" NEXT);
	bw_expect("2=2.04 ");
	bw_go(bw_option(&m, OPT_MAX_AGE) * 1000);
	bw_in(1, "PUT " DATA_PATH " ct=110 x=" NEXT);
	(void)answer(CODE_CHANGED, -1, "");
}

static void
add_configuration(TCase *t)
{
	tcase_add_test(t, pubsub_2_2_1_initialize);
	tcase_add_test(t, pubsub_2_3_1_broker_discovery);
	tcase_add_test(t, pubsub_2_3_2_topic_collection_discovery);
	tcase_add_test(t, pubsub_2_3_3_topic_discovery);
	tcase_add_test(t, pubsub_2_3_4_topic_data_discovery);
	tcase_add_test(t, pubsub_2_4_1_retrieving_all_topics);
	tcase_add_test(t, pubsub_2_4_2_getting_topics_by_topic_properties);
	tcase_add_test(t, pubsub_2_4_3_creating_a_topic);
	tcase_add_test(t, pubsub_2_5_1_getting_a_topic);
	tcase_add_test(t, pubsub_2_5_2_getting_part_of_a_topic);
	tcase_add_test(t, pubsub_2_5_3_updating_the_topic);
	tcase_add_test(t, pubsub_2_5_4_updating_the_topic_with_ipatch);
	tcase_add_test(t, pubsub_2_5_5_deleting_a_topic);
}

static void
add_data(TCase *t)
{
	tcase_add_test(t, pubsub_3_2_1_publish);
	tcase_add_test(t, pubsub_3_2_2_subscribe);
	tcase_add_test(t, pubsub_3_2_2_subscribe_past_max_subscribers);
	tcase_add_test(t, pubsub_3_2_3_unsubscribe);
	tcase_add_test(t, pubsub_3_2_4_delete_topic_data);
	tcase_add_test(t, pubsub_3_3_read_the_latest_data);
	tcase_add_test(t, pubsub_3_4_rate_limiting);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("pubsub_examples");
	TCase *t = tcase_create("pubsub_examples");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_configuration(t);
	add_data(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
