/* SPDX-License-Identifier: BSD-2-Clause */
/* Topics: names and paths (product.md, "Names"), the collection, properties (coap-pubsub). */
#include "broker_world.h"

#include <errno.h>
#include <stdio.h>

#include "hex.h"
#include "wire/option.h"
#include "wire/props.h"

static void
setup(void)
{
	bw_init();
	bw_start();
}

static void
anew(void)
{
	bw_stop();
	bw_init();
}

/* The path of a topic below the collection, by FETCH of its name; static, "" when there is none. */
static const char *
path_of(struct bytes name)
{
	static char text[4096];
	uint8_t bytes[2048];
	struct buf body = BUF_OF(bytes), out;
	struct props filter = {.has = PROPS_BIT(PROPS_NAME), .name = name};
	char word[4096];
	struct msg m;
	size_t n;

	ck_assert_int_eq(props_encode(&filter, PROPS_ALL, &body), 0);
	out = buf_of(word, sizeof(word));
	buf_put_hex(&out, buf_bytes(&body));
	bw_in(99, "FETCH /ps ct=606 x=%s", buf_str(&out));
	m = bw_last(99);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	n = m.payload.n;
	if (n > 0) {
		ck_assert(m.payload.p[0] == '<' && m.payload.p[n - 1] == '>');
		memcpy(text, m.payload.p + 1 + strlen("/ps"), n - 2 - strlen("/ps"));
		n -= 2 + strlen("/ps");
	}
	text[n] = '\0';
	(void)bw_said();
	return text;
}

/* --- names ---------------------------------------------------------------------------- */

#define LONG_255                                                                 \
	"0123456789012345678901234567890123456789012345678901234567890123456789" \
	"0123456789012345678901234567890123456789012345678901234567890123456789" \
	"0123456789012345678901234567890123456789012345678901234567890123456789" \
	"012345678901234567890123456789012345678901234"

#define SEGMENTS_8 "1/2/3/4/5/6/7/8"
#define SEGMENTS_32 SEGMENTS_8 "/" SEGMENTS_8 "/" SEGMENTS_8 "/" SEGMENTS_8

static const struct {
	const char *name;
	bool is_path;
} names[] = {
	{"a", true},
	{"hall/demo", true},
	{"hall/data", true},
	{"database", true},
	{"dat", true},
	{"data.", true},
	{"...", true},
	{".a", true},
	{"a..", true},
	{LONG_255, true},
	{"x/" LONG_255 "/y", true},
	{LONG_255 "/" LONG_255 "/", false},
	{LONG_255 "/" LONG_255 "/" LONG_255, true},
	{LONG_255 "/" LONG_255 "/" LONG_255 "/a", false}, /* 769 bytes */
	{SEGMENTS_32, true},
	{SEGMENTS_32 "/x", false},
	{SEGMENTS_32 "/" SEGMENTS_32, false}, /* more than a message has options */
	{"data", false},
	{"data/", false},
	{"data/x", false},
	{"/", false},
	{"/a", false},
	{"a/", false},
	{"a//b", false},
	{".", false},
	{"..", false},
	{"./a", false},
	{"a/.", false},
	{"a/../b", false},
	{LONG_255 "x", false},
	{"a/" LONG_255 "x", false},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(a_safe_name_is_its_path_and_another_gets_one)
{
	const char *name = names[_i].name, *path;

	bw_topic(name, "v");
	path = path_of(bytes_str(name));
	if (names[_i].is_path) {
		ck_assert_str_eq(path + 1, name);
	} else {
		ck_assert_uint_eq(strlen(path), 17);
		ck_assert_uint_eq(strspn(path + 1, "0123456789abcdef"), 16);
	}
	bw_in(1, "GET /ps/data%s", path);
	bw_expect("1=2.05:v ");
	bw_in(1, "DELETE /ps%s", path);
	bw_expect("1=2.02 ");
}

START_TEST(bytes_that_links_escape_are_fine_in_names)
{
	bw_topic("50%/a b>\xc3\xa4", "v");
	bw_in(1, "GET /ps/data/50%%/a\tb>\xc3\xa4");
	/* The path has the bytes, not the link's escapes; a blank is hard to write here. */
	bw_expect("1=4.04 ");
	bw_topic("50%/ab>\xc3\xa4", "w");
	bw_in(1, "GET /ps/data/50%%/ab>\xc3\xa4");
	bw_expect("1=2.05:w ");
	ck_assert_str_eq(path_of(BYTES_LIT("50%/ab>\xc3\xa4")), "/50%25/ab%3E%C3%A4");
}

/* coap-pubsub, "Topic Properties": topic-data is a URI reference, and so a text of ASCII. */
START_TEST(pubsub_topic_data_is_a_uri_reference)
{
	struct props p;
	struct msg m;

	bw_topic("50%/a\"<\xc3\xa4>b", "v");
	bw_in(1, "GET /ps/50%%/a\"<\xc3\xa4>b");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(props_decode(m.payload, &p), 0);
	ck_assert(bytes_is(p.name, "50%/a\"<\xc3\xa4>b"));
	ck_assert(bytes_is(p.data, "/ps/data/50%25/a%22%3C%C3%A4%3Eb"));
}

START_TEST(no_name_at_all_and_too_long_a_one)
{
	static char name[1026];

	memset(name, 'n', sizeof(name));
	ck_assert_int_eq(broker_create_topic(bw.broker, BYTES_NONE, 0, BYTES_NONE), -EINVAL);
	ck_assert_int_eq(broker_create_topic(bw.broker, BYTES_LIT("a\0b"), 0, BYTES_NONE), -EINVAL);
	ck_assert_int_eq(
		broker_create_topic(bw.broker, bytes_of(name, 1025), 0, BYTES_NONE), -EINVAL);
	ck_assert_int_eq(broker_create_topic(bw.broker, bytes_of(name, 1024), 0, BYTES_NONE), 0);
	ck_assert_int_eq(
		broker_create_topic(bw.broker, bytes_of(name, 1024), 0, BYTES_NONE), -EEXIST);
}

START_TEST(a_name_is_text)
{
	static const struct bytes bad[] = {BYTES_LIT("bad\xff"), BYTES_LIT("\xc3"),
		BYTES_LIT("a\nb"), BYTES_LIT("\x1b[m"), BYTES_LIT("a\x7f"),
		BYTES_LIT("\xed\xa0\x80")};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(broker_create_topic(bw.broker, bad[i], 0, BYTES_NONE), -EINVAL);
	ck_assert_uint_eq(bw_stats().topics, 0);
}

START_TEST(two_generated_paths_are_two)
{
	char first[32];

	bw_topic("data", "1");
	bw_topic(".", "2");
	(void)snprintf(first, sizeof(first), "%s", path_of(BYTES_LIT("data")));
	ck_assert_str_ne(first, path_of(BYTES_LIT(".")));
}

/* Whoever takes the path that a name would get does not keep the name from being. */
START_TEST(a_taken_path_leads_to_another)
{
	char taken[32];

	bw_topic("data", "1");
	(void)snprintf(taken, sizeof(taken), "%s", path_of(BYTES_LIT("data")));
	bw_topic(taken + 1, "2");
	ck_assert_str_ne(path_of(bytes_str(taken + 1)), taken);
	bw_in(1, "GET /ps/data%s", taken);
	bw_expect("1=2.05:1 ");
}

START_TEST(too_many_topics)
{
	anew();
	bw.conf.limits.topics = 2;
	bw.conf.create_on_publish = true;
	bw_start();
	bw_topic("a", "1");
	bw_in(1, "PUT /ps/data/b '2'");
	bw_in(1, "PUT /ps/data/c '3'");
	bw_expect("1=2.01 1=5.03 ");
	/* {0: "c", 2: "core.ps.data"} */
	bw_in(1, "POST /ps ct=606 x=a2006163026c636f72652e70732e64617461");
	bw_expect("1=5.03 ");
	ck_assert_int_gt((bw_last(1).n_opts), 0);
	bw_in(1, "DELETE /ps/a");
	bw_in(1, "PUT /ps/data/c '3'");
	bw_expect("1=2.02 1=2.01 ");
	ck_assert_int_eq(
		broker_create_topic(bw.broker, BYTES_LIT("d"), BROKER_NO_FORMAT, BYTES_NONE),
		-ENOSPC);
}

/* --- create-on-publish --------------------------------------------------------------------- */

START_TEST(a_publish_creates_when_it_may)
{
	bw_in(1, "PUT /ps/data/new/one 'x'");
	bw_expect("1=4.04 ");
	anew();
	bw.conf.create_on_publish = true;
	bw_start();
	bw_in(1, "PUT /ps/data/new/one 'x'");
	bw_in(1, "PUT /ps/data/new/one 'y'");
	bw_in(1, "GET /ps/data/new/one");
	bw_expect("1=2.01 1=2.04 1=2.05:y ");
	ck_assert_str_eq(path_of(BYTES_LIT("new/one")), "/new/one");
	ck_assert_uint_eq(bw_stats().created, 1);
}

START_TEST(only_a_name_that_leads_back_is_created)
{
	static const char *const paths[] = {"/ps/data/a//b", "/ps/data/a/", "/ps/data/.",
		"/ps/data/a/..", "/ps/data/data", "/ps/data/data/x"};
	uint8_t room[64];
	struct buf out = BUF_OF(room);
	struct msg m;

	anew();
	bw.conf.create_on_publish = true;
	bw_start();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		bw_in(1, "PUT %s 'x'", paths[i]);
		bw_expect("1=4.00 ");
	}
	/* A slash within a segment, a NUL, and what is no text. */
	for (int i = 0; i < 4; i++) {
		static const struct bytes bad[] = {BYTES_LIT("a/b"), BYTES_LIT("a\0b"),
			BYTES_LIT("bad\xff"), BYTES_LIT("ok\nnl")};

		msg_init(&m, TYPE_CON, CODE_PUT);
		m.mid = (uint16_t)(4000 + i);
		(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("ps"));
		(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("data"));
		(void)msg_add(&m, OPT_URI_PATH, bad[i]);
		buf_clear(&out);
		ck_assert_int_eq(msg_encode(&m, &out), 0);
		bw_in_bytes(1, buf_bytes(&out));
		bw_expect("1=4.00 ");
	}
	ck_assert_uint_eq(bw_stats().topics, 0);
}

START_TEST(a_refused_publish_creates_nothing)
{
	anew();
	bw.conf.create_on_publish = true;
	bw.conf.limits.memory = 10;
	bw_start();
	bw_in(1, "PUT /ps/data/a '0123456789x'");
	bw_in(1, "PUT /ps/data/a m=aa 'x'");
	bw_expect("1=5.03 1=4.12 ");
	ck_assert_uint_eq(bw_stats().topics, 0);
	bw_in(1, "PUT /ps/data/a nm 'x'");
	bw_expect("1=2.01 ");
}

/* --- POST to the collection ---------------------------------------------------------------- */

/* "Creating a Topic": the draft's own example. */
START_TEST(a_topic_is_created)
{
	struct msg m;

	/* {0: "living-room-sensor", 2: "core.ps.data"} */
	bw_in(1, "POST /ps ct=606 "
		 "x=a200726c6976696e672d726f6f6d2d73656e736f72026c636f72652e70732e64617461");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CREATED);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 606);
	ck_assert_uint_eq(m.n_opts, 3);
	ck_assert(bytes_is(m.opts[0].value, "ps"));
	ck_assert(bytes_is(m.opts[1].value, "living-room-sensor"));
	ck_assert_uint_eq(m.opts[1].number, OPT_LOCATION_PATH);
	/* 1: where its data is */
	hex_expect(m.payload, "a3 00 72 6c6976696e672d726f6f6d2d73656e736f72"
			      "01 78 1b 2f70732f646174612f6c6976696e672d726f6f6d2d73656e736f72"
			      "02 6c 636f72652e70732e64617461");
	(void)bw_said();
	/* Half created. */
	bw_in(1, "GET /ps/data/living-room-sensor");
	bw_in(1, "GET /ps/data/living-room-sensor o=0");
	bw_in(1, "PUT /ps/data/living-room-sensor 'x'");
	bw_in(1, "PUT /ps/data/living-room-sensor 'y'");
	bw_expect("1=4.04 1=4.04 1=2.01 1=2.04 ");
}

#define DATA "026c636f72652e70732e64617461"

START_TEST(a_topic_is_created_with_a_value)
{
	struct msg m;

	/* {0: "t", 2: .., 3: 60, 8: h'80'} */
	bw_in(1, "POST /ps ct=606 x=a4006174" DATA "03183c084180");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CREATED);
	bw_in(1, "GET /ps/data/t");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 60);
	hex_expect(m.payload, "80");
	(void)bw_said();
	bw_in(1, "PUT /ps/data/t ct=60 'x'");
	bw_expect("1=2.04 ");
	/* An empty one is a value, too. */
	bw_in(1, "POST /ps ct=606 x=a4006175" DATA "03000840");
	(void)bw_said();
	bw_in(1, "GET /ps/data/u");
	bw_expect("1=2.05 ");
}

static const struct {
	const char *body; /* hex */
	const char *said;
} refused[] = {
	{"80", "1=4.00 "},
	{"a0", "1=4.00 "},
	{"a1006174", "1=4.00 "},
	{"a1" DATA, "1=4.00 "},
	{"a20060" DATA, "1=4.00 "},
	{"a2006174" DATA "00", "1=4.00 "},
	{"a2006174026178", "1=4.00 "},
	/* twice, unknown, wrong type */
	{"a300617400617402"
	 "6c636f72652e70732e64617461",
		"1=4.00 "},
	{"a3006174" DATA "0900", "1=4.00 "},
	{"a3006174" DATA "636162630a", "1=4.00 "},
	{"a2000a" DATA, "1=4.00 "},
	/* in use */
	{"a200646861"
	 "6c6c" DATA,
		"1=4.00 "},
	/* initialize without topic-content-format */
	{"a3006174" DATA "084180", "1=4.00 "},
	/* topic-data elsewhere than where it will be */
	{"a3006174"
	 "01622f78" DATA,
		"1=4.00 "},
	/* topic-type no text, expiration-date without its tag and past, and the counts */
	{"a3006174" DATA "044178", "1=4.00 "},
	{"a3006174" DATA "051a7fffffff", "1=4.00 "},
	{"a3006174" DATA "05c100", "1=4.00 "},
	{"a3006174" DATA "05c13903e7", "1=4.00 "},
	{"a3006174" DATA "0620", "1=4.00 "},
	{"a3006174" DATA "066135", "1=4.00 "},
	{"a3006174" DATA "0700", "1=4.00 "},
	{"a3006174" DATA "0360", "1=4.00 "},
	{"a3006174" DATA "031a00010000", "1=4.00 "},
	/* lengths that cannot be */
	{"a3006174" DATA "047b7fffffffffffffff78", "1=4.00 "},
	{"bb7fffffffffffffff006174" DATA, "1=4.00 "},
};

START_TEST(a_fault_in_the_properties)
{
	bw_topic("hall", NULL);
	bw_in(1, "POST /ps ct=606 x=%s", refused[_i].body);
	bw_expect(refused[_i].said);
	ck_assert_uint_eq(bw_stats().topics, 1);
}

START_TEST(every_truncated_body_is_refused)
{
	const char *whole = "a4006174" DATA "03183c084180";
	char text[64];

	for (size_t n = 2; n < strlen(whole); n += 2) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)n, whole);
		bw_in(1, "POST /ps ct=606 x=%s", text);
		bw_expect("1=4.00 ");
	}
	bw_in(1, "POST /ps ct=606");
	bw_expect("1=4.00 ");
	ck_assert_uint_eq(bw_stats().topics, 0);
}

/* "namely: topic-name and resource-type", and what is neither is told so. */
START_TEST(pubsub_2_4_3_name_and_type_are_required)
{
	bw_in(1, "POST /ps ct=606 x=a1006174"); /* no resource-type */
	bw_in(1, "POST /ps ct=606 x=a1" DATA); /* no name */
	bw_in(1, "POST /ps ct=606 x=a200617402617a"); /* a resource-type of another kind */
	bw_expect("1=4.00 1=4.00 1=4.00 ");
	bw_in(1, "POST /ps ct=606 x=a2006174" DATA);
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	(void)bw_said();
	/* "if the topic-name is already in use", and an unrecognized parameter. */
	bw_in(1, "POST /ps ct=606 x=a2006174" DATA);
	bw_in(1, "POST /ps ct=606 x=a3006175" DATA "186300");
	bw_expect("1=4.00 1=4.00 ");
	ck_assert_uint_eq(bw_stats().topics, 1);
}

/* "When this field is present, topic-content-format MUST also be specified." */
START_TEST(pubsub_2_2_1_initialize_needs_a_format)
{
	bw_in(1, "POST /ps ct=606 x=a3006174" DATA "084180");
	bw_expect("1=4.00 ");
	bw_in(1, "POST /ps ct=606 x=a4006174" DATA "03183c084180");
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	(void)bw_said();
}

/* The media type "MUST be used when these topic properties are transported". */
START_TEST(pubsub_4_properties_have_their_format)
{
	bw_in(1, "POST /ps x=a2006174" DATA);
	bw_in(1, "POST /ps ct=60 x=a2006174" DATA);
	bw_in(1, "FETCH /ps x=a0");
	bw_in(1, "FETCH /ps ct=40 x=a0");
	bw_expect("1=4.15 1=4.15 1=4.15 1=4.15 ");
}

/* RFC 7252 4.5: a duplicate creates nothing and gets the same answer. */
START_TEST(rfc7252_4_5_a_repeated_post)
{
	bw_in(1, "POST /ps ct=606 x=a2006174" DATA);
	bw_again();
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	ck_assert_uint_eq(bw_stats().topics, 1);
	bw_in(1, "POST /ps ct=606 x=a2006174" DATA);
	ck_assert_int_eq(bw_last(1).code, CODE_BAD_REQUEST);
}

START_TEST(a_first_value_keeps_to_the_limits)
{
	struct msg m;

	anew();
	bw.conf.limits.payload = 4;
	bw_start();
	bw_in(1, "POST /ps ct=606 x=a4006174" DATA "03000845"
		 "3031323334");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_TOO_LARGE);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE1), 4);
	ck_assert_uint_eq(bw_stats().refused_payload, 1);
	ck_assert_uint_eq(bw_stats().topics, 0);
	bw_in(1, "POST /ps ct=606 x=a4006174" DATA "03000844"
		 "30313233");
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	(void)bw_said();
	/* Set anew, in part or as a whole. */
	bw_in(1, "iPATCH /ps/t ct=606 x=a10845"
		 "3031323334");
	bw_in(1, "POST /ps/t ct=606 x=a203000845"
		 "3031323334");
	bw_expect("1=4.13 1=4.13 ");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_SIZE1), 4);
	bw_in(1, "iPATCH /ps/t ct=606 x=a10844"
		 "34333231");
	ck_assert_int_eq(bw_last(1).code, CODE_CHANGED);
	(void)bw_said();
	anew();
	bw.conf.limits.payload = 40;
	bw.conf.limits.memory = 6;
	bw_start();
	bw_in(1, "POST /ps ct=606 x=a4006174" DATA "03000847"
		 "30313233343536");
	bw_expect("1=5.03 ");
	m = bw_last(1);
	ck_assert_int_gt(bw_option(&m, OPT_MAX_AGE), 0);
	bw_in(1, "POST /ps ct=606 x=a4006174" DATA "03000846"
		 "303132333435");
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	ck_assert_uint_eq(bw_stats().value_bytes, 6);
}

/* The limit of values is not that of names and properties, which have one of their own. */
START_TEST(a_small_payload_limit_hides_no_topic)
{
	struct msg m;
	unsigned max;

	anew();
	bw.conf.limits.payload = 1;
	bw_start();
	bw_in(1, "POST /ps ct=606 x=a2006174" DATA);
	ck_assert_int_eq(bw_last(1).code, CODE_CREATED);
	ck_assert_str_eq(path_of(BYTES_LIT("t")), "/t");
	bw_in(1, "FETCH /ps/t ct=60 x=820002");
	ck_assert_int_eq(bw_last(1).code, CODE_CONTENT);
	bw_in(1, "iPATCH /ps/t ct=606 x=a10461"
		 "54");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CHANGED);
	(void)bw_said();
	bw_in(1, "POST /ps ct=606 b1=0+/16 s1=1000000 '0123456789abcdef'");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_TOO_LARGE);
	max = (unsigned)bw_option(&m, OPT_SIZE1);
	ck_assert_uint_gt(max, 1024);
	ck_assert_uint_lt(max, 8192);
	bw_in(1, "POST /ps ct=606 b1=0+/16 s1=%u '0123456789abcdef'", max + 1);
	bw_in(1, "POST /ps ct=606 b1=0+/16 s1=%u '0123456789abcdef'", max);
	bw_in(1, "PUT /ps/data/t 'xy'");
	bw_in(1, "PUT /ps/data/t 'x'");
	bw_expect("1=4.13 1=4.13 1=2.31 1=4.13 1=2.01 ");
	ck_assert_uint_eq(bw_stats().refused_payload, 3);
	ck_assert_uint_eq(bw_stats().publishes_refused, 1);
}

/* Location-Path and representation of the longest names are one datagram. */
START_TEST(the_answer_for_a_very_long_name)
{
	char name[1025], hex[4096];
	struct buf out = buf_of(hex, sizeof(hex));
	struct msg m;
	struct block b;

	bw_stop();
	bw_init();
	bw_start();
	for (size_t i = 0; i < 1024; i++)
		name[i] = i % 250 == 249 ? '/' : 'n';
	name[1024] = '\0';
	buf_put_hex(&out, BYTES_LIT("\xa2\x00\x79\x04\x00"));
	buf_put_hex(&out, bytes_str(name));
	bw_in(1, "POST /ps ct=606 b1=0+/1024 x=%.*s", 2048, buf_str(&out));
	bw_expect("1=2.31 ");
	bw_in(1, "POST /ps ct=606 b1=1/1024 x=%s" DATA, buf_str(&out) + 2048);
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CREATED);
	ck_assert_uint_le(bw_datagram(1)->n, 1152);
	ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
	ck_assert(b.more);
	ck_assert(msg_has(&m, OPT_BLOCK1));
	bw_in(1, "GET /ps%s", path_of(bytes_str(name)));
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_uint_eq(m.payload.n, 1024);
}

/* --- a topic -------------------------------------------------------------------------------- */

START_TEST(a_topic_tells_its_properties)
{
	struct msg m;

	ck_assert_int_eq(broker_create_topic(bw.broker, BYTES_LIT("t"), 60, BYTES_LIT("\x80")), 0);
	bw_in(1, "GET /ps/t");
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 606);
	hex_expect(m.payload, "a4 006174 016a 2f70732f646174612f74" DATA "03183c");
	bw_in(1, "GET /ps/t ac=606");
	ck_assert_int_eq(bw_last(1).code, CODE_CONTENT);
	(void)bw_said();
	bw_in(1, "GET /ps/t ac=60");
	bw_in(1, "GET /ps/none");
	bw_expect("1=4.06 1=4.04 ");
	bw_in(1, "GET /ps/t b2=1/16");
	m = bw_last(1);
	ck_assert_uint_eq(m.payload.n, 16);
	bw_in(1, "GET /ps/t b2=9/16");
	ck_assert_int_eq(bw_last(1).code, CODE_BAD_REQUEST);
}

/* "Getting part of a topic": an array of keys. */
START_TEST(a_topic_tells_some_properties)
{
	struct msg m;

	ck_assert_int_eq(broker_create_topic(bw.broker, BYTES_LIT("t"), 112, BYTES_NONE), 0);
	/* The draft's example: [1, 3] */
	bw_in(1, "FETCH /ps/t ct=60 x=820103");
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 606);
	hex_expect(m.payload, "a2 016a 2f70732f646174612f74 031870");
	/* What it has not is left out. */
	bw_in(1, "FETCH /ps/t ct=60 x=830007"
		 "08");
	m = bw_last(1);
	hex_expect(m.payload, "a1 006174");
	bw_in(1, "FETCH /ps/t ct=60 x=80");
	m = bw_last(1);
	hex_expect(m.payload, "a0");
	(void)bw_said();
	bw_in(1, "FETCH /ps/t x=80");
	bw_in(1, "FETCH /ps/t ct=606 x=80");
	bw_in(1, "FETCH /ps/t ct=60 x=a0");
	bw_in(1, "FETCH /ps/t ct=60 x=820101");
	bw_in(1, "FETCH /ps/t ct=60 x=8109");
	bw_in(1, "FETCH /ps/t ct=60");
	bw_in(1, "FETCH /ps/t ct=60 ac=60 x=80");
	bw_in(1, "FETCH /ps/none ct=60 x=80");
	bw_expect("1=4.15 1=4.15 1=4.00 1=4.00 1=4.00 1=4.00 1=4.06 1=4.04 ");
}

START_TEST(a_deleted_topic_is_gone_with_its_data)
{
	bw_topic("t", "v");
	bw_in(1, "DELETE /ps/t");
	bw_in(1, "GET /ps/t");
	bw_in(1, "GET /ps/data/t");
	bw_in(1, "PUT /ps/data/t 'x'");
	bw_in(1, "DELETE /ps/t");
	bw_expect("1=2.02 1=4.04 1=4.04 1=4.04 1=4.04 ");
	ck_assert_uint_eq(bw_stats().topics, 0);
	ck_assert_uint_eq(bw_stats().value_bytes, 0);
	bw_topic("t", "w");
	bw_in(1, "GET /ps/data/t");
	bw_expect("1=2.05:w ");
}

static void
add_names(TCase *t)
{
	tcase_add_loop_test(t, a_safe_name_is_its_path_and_another_gets_one, 0, N(names));
	tcase_add_test(t, bytes_that_links_escape_are_fine_in_names);
	tcase_add_test(t, pubsub_topic_data_is_a_uri_reference);
	tcase_add_test(t, no_name_at_all_and_too_long_a_one);
	tcase_add_test(t, a_name_is_text);
	tcase_add_test(t, two_generated_paths_are_two);
	tcase_add_test(t, a_taken_path_leads_to_another);
	tcase_add_test(t, too_many_topics);
	tcase_add_test(t, a_publish_creates_when_it_may);
	tcase_add_test(t, only_a_name_that_leads_back_is_created);
	tcase_add_test(t, a_refused_publish_creates_nothing);
}

static void
add_collection(TCase *t)
{
	tcase_add_test(t, a_topic_is_created);
	tcase_add_test(t, a_topic_is_created_with_a_value);
	tcase_add_loop_test(t, a_fault_in_the_properties, 0, N(refused));
	tcase_add_test(t, every_truncated_body_is_refused);
	tcase_add_test(t, pubsub_2_4_3_name_and_type_are_required);
	tcase_add_test(t, pubsub_2_2_1_initialize_needs_a_format);
	tcase_add_test(t, pubsub_4_properties_have_their_format);
	tcase_add_test(t, rfc7252_4_5_a_repeated_post);
	tcase_add_test(t, a_first_value_keeps_to_the_limits);
	tcase_add_test(t, a_small_payload_limit_hides_no_topic);
	tcase_add_test(t, the_answer_for_a_very_long_name);
	tcase_add_test(t, a_topic_tells_its_properties);
	tcase_add_test(t, a_topic_tells_some_properties);
	tcase_add_test(t, a_deleted_topic_is_gone_with_its_data);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("topic");
	TCase *t = tcase_create("topic");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_names(t);
	add_collection(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
