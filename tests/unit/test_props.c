/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "hex.h"
#include "wire/props.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/*
 * The example of draft-ietf-core-coap-pubsub, "Getting a topic", and the two
 * properties it leaves out.
 */
/* clang-format off */
static const char whole_hex[] =
	"a9"
	"00 72 6c6976696e672d726f6f6d2d73656e736f72" /* topic-name: living-room-sensor */
	"01 70 2f70732f646174612f31626430643664"     /* topic-data: /ps/data/1bd0d6d */
	"02 6c 636f72652e70732e64617461"             /* resource-type: core.ps.data */
	"03 1870"                                    /* topic-content-format: 112 */
	"04 6b 74656d7065726174757265"               /* topic-type: temperature */
	"05 c1 1a6428c57f"                           /* expiration-date: 1(1680393599) */
	"06 1864"                                    /* max-subscribers: 100 */
	"07 1a00015180"                              /* observer-check: 86400 */
	"08 41 80";                                  /* initialize: h'80' */
/* clang-format on */

static struct props
whole(void)
{
	return (struct props){
		.has = PROPS_ALL,
		.name = BYTES_LIT("living-room-sensor"),
		.data = BYTES_LIT("/ps/data/1bd0d6d"),
		.resource_type = BYTES_LIT("core.ps.data"),
		.content_format = 112,
		.type = BYTES_LIT("temperature"),
		.expiration_s = 1680393599,
		.max_subscribers = 100,
		.observer_check_s = 86400,
		.initialize = BYTES_LIT("\x80"),
	};
}

static void
expect_equal(const struct props *a, const struct props *b)
{
	ck_assert_uint_eq(a->has, b->has);
	ck_assert(props_match(a, b) && props_match(b, a));
}

START_TEST(pubsub_4_every_property_there_and_back)
{
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);
	struct props want = whole();
	struct props got;

	ck_assert_int_eq(props_encode(&want, PROPS_ALL, &b), 0);
	hex_expect(buf_bytes(&b), whole_hex);
	ck_assert_int_eq(props_decode(buf_bytes(&b), &got), 0);
	expect_equal(&got, &want);
	ck_assert(bytes_is(got.name, "living-room-sensor"));
	ck_assert(bytes_is(got.data, "/ps/data/1bd0d6d"));
	ck_assert(bytes_is(got.resource_type, "core.ps.data"));
	ck_assert(bytes_is(got.type, "temperature"));
	ck_assert(bytes_is(got.initialize, "\x80"));
	ck_assert_uint_eq(got.content_format, 112);
	ck_assert_int_eq(got.expiration_s, 1680393599);
	ck_assert_uint_eq(got.max_subscribers, 100);
	ck_assert_uint_eq(got.observer_check_s, 86400);
}
END_TEST

START_TEST(every_shorter_buffer_and_every_truncated_input)
{
	uint8_t raw[HEX_MAX];
	struct bytes all = hex_bytes(whole_hex, raw);
	struct props p = whole();

	for (size_t n = 0; n < all.n; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct buf b = buf_of(exact, n);
		struct props got = {.has = 0};

		ck_assert_int_eq(props_encode(&p, PROPS_ALL, &b), -ENOBUFS);
		memcpy(exact, all.p, n);
		ck_assert_int_eq(props_decode(bytes_of(exact, n), &got), -EBADMSG);
		ck_assert_uint_eq(got.has, 0);
		free(exact);
	}
}
END_TEST

/* "Getting part of a topic": FETCH [1, 3]. */
START_TEST(part_of_a_topic)
{
	uint8_t raw[HEX_MAX];
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);
	struct props p = whole();
	unsigned keys = 0;

	ck_assert_int_eq(props_decode_keys(hex_bytes("820103", raw), &keys), 0);
	ck_assert_uint_eq(keys, PROPS_BIT(PROPS_DATA) | PROPS_BIT(PROPS_CONTENT_FORMAT));
	ck_assert_int_eq(props_encode(&p, keys, &b), 0);
	hex_expect(buf_bytes(&b), "a2 01 70 2f70732f646174612f31626430643664 03 1870");
	/* What the topic has not is not in the answer. */
	p.has &= ~PROPS_BIT(PROPS_CONTENT_FORMAT);
	buf_clear(&b);
	ck_assert_int_eq(props_encode(&p, keys, &b), 0);
	hex_expect(buf_bytes(&b), "a1 01 70 2f70732f646174612f31626430643664");
}
END_TEST

START_TEST(keys_asked_for)
{
	static const struct {
		const char *hex;
		int rc;
		unsigned keys;
	} t[] = {
		{"80", 0, 0},
		{"89000102030405060708", 0, PROPS_ALL},
		{"820800", 0, PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_INITIALIZE)},
		{"8109", -EBADMSG, 0},
		{"8120", -EBADMSG, 0},
		{"816100", -EBADMSG, 0},
		{"820101", -EBADMSG, 0},
		{"8101 00", -EBADMSG, 0},
		{"8201", -EBADMSG, 0},
		{"9f01ff", -EBADMSG, 0},
		{"a0", -EBADMSG, 0},
		{"", -EBADMSG, 0},
		{"9b1000000000000000", -EBADMSG, 0},
	};
	uint8_t raw[HEX_MAX];

	for (int i = 0; i < N_OF(t); i++) {
		unsigned keys = 99;

		ck_assert_msg(props_decode_keys(hex_bytes(t[i].hex, raw), &keys) == t[i].rc, "%s",
			t[i].hex);
		ck_assert_uint_eq(keys, t[i].rc == 0 ? t[i].keys : 99);
	}
}
END_TEST

/* "an unrecognized, invalid or duplicate property": 4.00 in the broker. */
static const char *const bad[] = {
	"",
	"80", /* not a map */
	"bf006161ff", /* an indefinite one */
	"a1096161", /* an unknown key */
	"a12000",
	"a161306161",
	"a1181800",
	"a2006161006161", /* twice */
	"a10000",
	"a1004161", /* topic-name is a text */
	"a10061ff", /* and UTF-8 */
	"a1007f6161ff",
	"a10100",
	"a10200",
	"a10400",
	"a10320",
	"a1036130",
	"a1031a00010000", /* a Content-Format has 16 bits */
	"a10500",
	"a105c0613a", /* expiration-date has tag 1 */
	"a105c16130",
	"a105c1f97e00",
	"a105d81800",
	"a105c1c100",
	"a10620",
	"a106f93c00",
	"a10700", /* observer-check is greater than 0 */
	"a10720",
	"a1086180",
	"a10880",
	"a108f6",
	"a000", /* something after the map */
	"a2006161",
};

START_TEST(unrecognized_invalid_or_duplicate)
{
	uint8_t raw[HEX_MAX];
	struct props p = {.has = 99};

	ck_assert_msg(props_decode(hex_bytes(bad[_i], raw), &p) == -EBADMSG, "%s", bad[_i]);
	ck_assert_uint_eq(p.has, 99);
}
END_TEST

START_TEST(values_at_the_edges)
{
	uint8_t raw[HEX_MAX];
	struct props p;

	ck_assert_int_eq(props_decode(hex_bytes("a0", raw), &p), 0);
	ck_assert_uint_eq(p.has, 0);
	/* Any order, and longer forms than needed. */
	ck_assert_int_eq(props_decode(hex_bytes("a2 06 1900ff 1800 60", raw), &p), 0);
	ck_assert(props_has(&p, PROPS_NAME) && props_has(&p, PROPS_MAX_SUBSCRIBERS));
	ck_assert_uint_eq(p.name.n, 0);
	ck_assert_uint_eq(p.max_subscribers, 255);
	ck_assert_int_eq(props_decode(hex_bytes("a2 06 00 03 19ffff", raw), &p), 0);
	ck_assert_uint_eq(p.max_subscribers, 0);
	ck_assert_uint_eq(p.content_format, 65535);
	ck_assert_int_eq(
		props_decode(hex_bytes("a2 06 1bffffffffffffffff 07 1b0000000100000000", raw), &p),
		0);
	ck_assert_uint_eq(p.max_subscribers, UINT32_MAX);
	ck_assert_uint_eq(p.observer_check_s, UINT32_MAX);
	ck_assert_int_eq(props_decode(hex_bytes("a1 05 c1 fb41d452d9ec200000", raw), &p), 0);
	ck_assert_int_eq(p.expiration_s, 1363896240);
	ck_assert_int_eq(props_decode(hex_bytes("a1 05 c1 20", raw), &p), 0);
	ck_assert_int_eq(p.expiration_s, -1);
}
END_TEST

/* "each topic property in the request payload is present with the indicated value" */
START_TEST(filter_matches)
{
	static const struct {
		const char *hex;
		bool match;
	} t[] = {
		{"a0", true},
		{"a1 04 6b 74656d7065726174757265", true},
		{"a2 03 1870 06 1864", true},
		{"a1 03 1871", false},
		{"a1 04 64 74656d70", false},
		{"a2 03 1870 06 1865", false},
		{"a1 05 c1 1a6428c57f", true},
		{"a1 05 c1 00", false},
		{"a1 08 41 80", true},
		{"a1 08 40", false},
		{"a1 07 01", false},
	};
	uint8_t raw[HEX_MAX];
	struct props p = whole();
	struct props f;

	for (int i = 0; i < N_OF(t); i++) {
		ck_assert_int_eq(props_decode(hex_bytes(t[i].hex, raw), &f), 0);
		ck_assert_msg(props_match(&p, &f) == t[i].match, "%s", t[i].hex);
	}
	/* Not present is not equal, whatever the value would be. */
	ck_assert_int_eq(props_decode(hex_bytes("a1 06 00", raw), &f), 0);
	p = (struct props){.has = PROPS_BIT(PROPS_NAME)};
	ck_assert(!props_match(&p, &f));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("props");
	TCase *tc = tcase_create("props");

	tcase_add_test(tc, pubsub_4_every_property_there_and_back);
	tcase_add_test(tc, every_shorter_buffer_and_every_truncated_input);
	tcase_add_test(tc, part_of_a_topic);
	tcase_add_test(tc, keys_asked_for);
	tcase_add_loop_test(tc, unrecognized_invalid_or_duplicate, 0, N_OF(bad));
	tcase_add_test(tc, values_at_the_edges);
	tcase_add_test(tc, filter_matches);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
