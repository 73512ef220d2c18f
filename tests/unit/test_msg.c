/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "hex.h"
#include "wire/codec.h"
#include "wire/msg.h"

/* Messages and their bytes (RFC 7252 3 and appendix A; options of every size of head). */
static const struct {
	const char *hex;
	uint8_t type, code;
	uint16_t mid;
	uint8_t n_token, n_opts;
	uint16_t numbers[4];
	const char *payload;
} good[] = {
	{"40017d34bb74656d7065726174757265", TYPE_CON, CODE_GET, 0x7d34, 0, 1, {11}, NULL},
	{"60457d34ff32322e332043", TYPE_ACK, CODE_CONTENT, 0x7d34, 0, 0, {0}, "22.3 C"},
	{"41017d3520bb74656d7065726174757265", TYPE_CON, CODE_GET, 0x7d35, 1, 1, {11}, NULL},
	{"60000001", TYPE_ACK, CODE_EMPTY, 1, 0, 0, {0}, NULL},
	{"70000001", TYPE_RST, CODE_EMPTY, 1, 0, 0, {0}, NULL},
	{"5845ffff0102030405060708", TYPE_NON, CODE_CONTENT, 0xffff, 8, 0, {0}, NULL},
	/* 60, 258, 292: one more byte of delta; 65535: two */
	{"40010001d12f01d1b900d11500", TYPE_CON, CODE_GET, 1, 0, 3, {60, 258, 292}, NULL},
	{"40010001e0fef2", TYPE_CON, CODE_GET, 1, 0, 1, {65535}, NULL},
	/* the same number again, an empty value, an option of number 0 */
	{"400100010000b00161ff00", TYPE_CON, CODE_GET, 1, 0, 4, {0, 0, 11, 11}, ""},
};

START_TEST(decode_and_encode)
{
	uint8_t raw[HEX_MAX], room[HEX_MAX];
	struct bytes in = hex_bytes(good[_i].hex, raw);
	struct buf out = BUF_OF(room);
	struct msg m;

	ck_assert_int_eq(msg_decode(in, &m), MSG_OK);
	ck_assert_uint_eq(m.type, good[_i].type);
	ck_assert_uint_eq(m.code, good[_i].code);
	ck_assert_uint_eq(m.mid, good[_i].mid);
	ck_assert_uint_eq(m.token.n, good[_i].n_token);
	ck_assert_uint_eq(m.n_opts, good[_i].n_opts);
	for (uint8_t i = 0; i < m.n_opts; i++)
		ck_assert_uint_eq(m.opts[i].number, good[_i].numbers[i]);
	if (!good[_i].payload)
		ck_assert_ptr_null(m.payload.p);
	else if (*good[_i].payload)
		ck_assert(bytes_is(m.payload, good[_i].payload));
	ck_assert_int_eq(msg_encode(&m, &out), 0);
	hex_expect(buf_bytes(&out), good[_i].hex);
	for (size_t cap = 0; cap < in.n; cap++) {
		out = buf_of(room, cap);
		ck_assert_int_eq(msg_encode(&m, &out), -ENOBUFS);
	}
}

START_TEST(every_truncation_is_judged_without_reading_past_it)
{
	uint8_t raw[HEX_MAX];
	struct bytes in = hex_bytes(good[_i].hex, raw);
	struct msg m;

	for (size_t n = 0; n < in.n; n++) {
		uint8_t *cut = malloc(n ? n : 1);
		enum msg_verdict v;

		memcpy(cut, raw, n);
		v = msg_decode(bytes_of(cut, n), &m);
		ck_assert_int_eq(v == MSG_IGNORE, n < 4);
		if (v == MSG_OK)
			for (uint8_t i = 0; i < m.n_opts; i++)
				ck_assert(m.opts[i].value.p + m.opts[i].value.n <= cut + n);
		free(cut);
	}
}

/* RFC 7252 3, 3.1, 12.1: format errors. */
static const struct {
	const char *hex;
	enum msg_verdict verdict;
} bad[] = {
	{"00010001", MSG_IGNORE},
	{"80010001", MSG_IGNORE},
	{"c0010001", MSG_IGNORE},
	{"490100010102030405060708 09", MSG_MALFORMED},
	{"4f0100010102030405060708090a0b0c0d0e0f", MSG_MALFORMED},
	{"4401000101", MSG_MALFORMED},
	{"4100000101", MSG_MALFORMED},
	{"40000001ff00", MSG_MALFORMED},
	{"4000000100", MSG_MALFORMED},
	{"40200001", MSG_MALFORMED},
	{"403f0001", MSG_MALFORMED},
	{"40c00001", MSG_MALFORMED},
	{"40ff0001", MSG_MALFORMED},
	{"40010001ff", MSG_MALFORMED},
	{"40010001f0", MSG_MALFORMED},
	{"400100010f", MSG_MALFORMED},
	{"40010001fe00", MSG_MALFORMED},
	{"4001000101", MSG_MALFORMED},
	{"40010001d0", MSG_MALFORMED},
	{"40010001e000", MSG_MALFORMED},
	{"400100010d", MSG_MALFORMED},
	{"400100010e00", MSG_MALFORMED},
	{"400100010dff", MSG_MALFORMED},
	{"400100010effff00", MSG_MALFORMED},
	{"40010001e0fef3", MSG_MALFORMED},
	{"40010001e0ffff", MSG_MALFORMED},
	{"40010001e0fef210", MSG_MALFORMED},
	{"40010001e0fef0 20", MSG_OK},
	{"40010001e0fef0 30", MSG_MALFORMED},
};

START_TEST(rfc7252_3_format_errors)
{
	uint8_t raw[HEX_MAX];
	struct msg m;

	ck_assert_msg(
		msg_decode(hex_bytes(bad[_i].hex, raw), &m) == bad[_i].verdict, "%s", bad[_i].hex);
	if (bad[_i].verdict == MSG_MALFORMED) {
		ck_assert_uint_eq(m.type, TYPE_CON);
		ck_assert_uint_eq(m.mid, 1);
	}
}

START_TEST(too_many_options)
{
	uint8_t raw[4 + MSG_MAX_OPTIONS + 1] = {0x40, 1, 0, 1};
	struct msg m;

	ck_assert_int_eq(msg_decode(bytes_of(raw, 4 + MSG_MAX_OPTIONS), &m), MSG_OK);
	ck_assert_uint_eq(m.n_opts, MSG_MAX_OPTIONS);
	ck_assert_int_eq(msg_add(&m, 1, BYTES_NONE), -ENOSPC);
	ck_assert_int_eq(msg_add_uint(&m, 1, 1), -ENOSPC);
	ck_assert_uint_eq(m.n_scratch, 0);
	ck_assert_int_eq(msg_decode(BYTES_OF(raw), &m), MSG_MALFORMED);
}

START_TEST(options_of_every_length)
{
	static const size_t lengths[] = {0, 1, 12, 13, 14, 268, 269, 270, 1034, 1500};
	static const uint16_t deltas[] = {0, 1, 12, 13, 268, 269, 270, 65535};
	static uint8_t value[1500], room[2048];

	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)i;
	for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		for (size_t d = 0; d < sizeof(deltas) / sizeof(deltas[0]); d++) {
			struct buf out = BUF_OF(room);
			struct bytes rest, got;
			uint16_t number = 0;

			codec_put_option(&out, deltas[d], bytes_of(value, lengths[l]));
			ck_assert(!out.full);
			rest = buf_bytes(&out);
			ck_assert_int_eq(codec_get_option(&rest, &number, &got), 0);
			ck_assert_uint_eq(rest.n, 0);
			ck_assert_uint_eq(number, deltas[d]);
			ck_assert(bytes_equal(got, bytes_of(value, lengths[l])));
			for (size_t cap = 0; cap < out.n; cap += 1 + cap / 3) {
				struct buf small = buf_of(room, cap);

				codec_put_option(&small, deltas[d], bytes_of(value, lengths[l]));
				ck_assert(small.full && small.n == 0);
			}
		}
	}
}

START_TEST(an_option_too_long_to_be_written)
{
	static uint8_t room[80000], value[65536 + 269];
	struct buf out = BUF_OF(room);

	codec_put_option(&out, 1, bytes_of(value, 65535));
	ck_assert(!out.full);
	buf_clear(&out);
	codec_put_option(&out, 1, BYTES_OF(value));
	ck_assert(out.full);
}

START_TEST(options_sort_themselves)
{
	struct msg m;
	uint32_t v = 9;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, BYTES_LIT("a")), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, 0x123456), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 0), 0);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, BYTES_LIT("b")), 0);
	ck_assert_uint_eq(m.n_opts, 4);
	ck_assert_uint_eq(m.opts[0].number, OPT_OBSERVE);
	ck_assert_uint_eq(m.opts[0].value.n, 0);
	ck_assert(bytes_is(m.opts[1].value, "a") && bytes_is(m.opts[2].value, "b"));
	ck_assert(msg_uint(&m, OPT_BLOCK2, &v) && v == 0x123456);
	ck_assert(msg_uint(&m, OPT_OBSERVE, &v) && v == 0);
	ck_assert(msg_has(&m, OPT_URI_PATH) && !msg_has(&m, OPT_ETAG) && !msg_has(&m, OPT_SIZE1));
	v = 9;
	ck_assert(!msg_uint(&m, OPT_ETAG, &v) && v == 9);
	ck_assert(bytes_is(msg_find(&m, OPT_URI_PATH)->value, "a"));
	msg_remove(&m, OPT_URI_PATH);
	msg_remove(&m, OPT_ETAG);
	ck_assert_uint_eq(m.n_opts, 2);
	ck_assert_uint_eq(m.opts[1].number, OPT_BLOCK2);
	ck_assert_int_eq(msg_add(&m, OPT_ETAG, BYTES_LIT("12345")), 0);
	ck_assert(!msg_uint(&m, OPT_ETAG, &v));
}

START_TEST(rfc7252_3_2_uints_in_their_shortest_form)
{
	static const struct {
		uint32_t value;
		size_t n;
	} uints[] = {{0, 0}, {1, 1}, {255, 1}, {256, 2}, {65535, 2}, {65536, 3}, {0xffffff, 3},
		{0x1000000, 4}, {UINT32_MAX, 4}};
	struct msg m;
	uint32_t v = 0;

	msg_init(&m, TYPE_CON, CODE_GET);
	for (uint16_t i = 0; i < sizeof(uints) / sizeof(uints[0]); i++) {
		ck_assert_int_eq(msg_add_uint(&m, i, uints[i].value), 0);
		ck_assert_uint_eq(msg_find(&m, i)->value.n, uints[i].n);
		ck_assert(msg_uint(&m, i, &v) && v == uints[i].value);
	}
	/* The scratch is bounded. */
	for (uint16_t i = 0; i < 11; i++)
		ck_assert_int_eq(msg_add_uint(&m, 100, UINT32_MAX), 0);
	ck_assert_int_eq(msg_add_uint(&m, 100, UINT32_MAX), -ENOSPC);
	ck_assert_int_eq(msg_add_uint(&m, 100, 0), 0);
}

START_TEST(inner_messages)
{
	uint8_t raw[HEX_MAX], room[HEX_MAX];
	static const char hex[] = "45 6102 ff6869";
	static const char *const wrong[] = {"", "00", "20", "c5", "45ff", "45f1", "4561"};
	struct bytes in = hex_bytes(hex, raw);
	struct buf out = BUF_OF(room);
	struct msg m;

	ck_assert_int_eq(msg_decode_inner(in, &m), 0);
	ck_assert_uint_eq(m.code, CODE_CONTENT);
	ck_assert_uint_eq(m.type, TYPE_NON);
	ck_assert_uint_eq(m.token.n, 0);
	ck_assert(msg_has(&m, OPT_OBSERVE) && bytes_is(m.payload, "hi"));
	ck_assert_int_eq(msg_encode_inner(&m, &out), 0);
	hex_expect(buf_bytes(&out), hex);
	for (size_t cap = 0; cap < in.n; cap++) {
		out = buf_of(room, cap);
		ck_assert_int_eq(msg_encode_inner(&m, &out), -ENOBUFS);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(msg_decode_inner(hex_bytes(wrong[i], raw), &m), -EBADMSG);
}

/* Segments of a path (each ended by a '|') and its text. */
static const struct {
	const char *segments, *text;
} paths[] = {
	{"", "/"},
	{"a|", "/a"},
	{"ps|data|t|", "/ps/data/t"},
	{"a||", "/a/"},
	{"|a|", "//a"},
	{"a/b|", "/a%2fb"},
	{"a|b|", "/a/b"},
	{"100%|", "/100%25"},
	{"%2f|", "/%252f"},
	{"\xc3\xa9 ?|", "/\xc3\xa9 ?"},
	{"..|.|", "/../."},
};

static void
add_segments(struct msg *m, const char *segments)
{
	const char *end;

	for (; (end = strchr(segments, '|')) != NULL; segments = end + 1)
		ck_assert_int_eq(
			msg_add(m, OPT_URI_PATH, bytes_of(segments, (size_t)(end - segments))), 0);
}

START_TEST(path_and_its_text)
{
	uint8_t room[64], scratch_room[64], again[64];
	struct buf text = BUF_OF(room), scratch = BUF_OF(scratch_room), back = BUF_OF(again);
	struct msg m, other;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add(&m, OPT_ETAG, BYTES_LIT("e")), 0);
	ck_assert_int_eq(msg_add(&m, OPT_URI_QUERY, BYTES_LIT("q")), 0);
	add_segments(&m, paths[_i].segments);
	ck_assert_int_eq(msg_path(&m, &text), 0);
	ck_assert(bytes_is(buf_bytes(&text), paths[_i].text));
	msg_init(&other, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add_path(&other, OPT_URI_PATH, buf_bytes(&text), &scratch), 0);
	ck_assert_uint_eq(other.n_opts, m.n_opts - 2);
	ck_assert_int_eq(msg_path(&other, &back), 0);
	ck_assert(bytes_equal(buf_bytes(&text), buf_bytes(&back)));
	for (size_t cap = 0; cap < text.n; cap++) {
		struct buf small = buf_of(again, cap);

		ck_assert_int_eq(msg_path(&m, &small), -ENOBUFS);
	}
}

START_TEST(nul_in_a_path)
{
	uint8_t room[16];
	struct buf text = BUF_OF(room);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, BYTES_LIT("\0x")), 0);
	ck_assert_int_eq(msg_path(&m, &text), 0);
	ck_assert_str_eq(buf_str(&text), "/%00x");
}

START_TEST(path_texts_that_are_none)
{
	static const char *const wrong[] = {"", "a", "a/b", "/%", "/%1", "/%g0", "/%0g", "/a/%2"};
	char longest[258], many[2 * MSG_MAX_OPTIONS + 3];
	uint8_t room[300], tiny[2];
	struct buf scratch = BUF_OF(room), small = BUF_OF(tiny);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(
			msg_add_path(&m, OPT_URI_PATH, bytes_str(wrong[i]), &scratch), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	buf_clear(&scratch);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, bytes_of(longest, 257), &scratch), -EINVAL);
	buf_clear(&scratch);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, bytes_of(longest, 256), &scratch), 0);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, BYTES_LIT("/abc"), &small), -ENOSPC);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? 'x' : '/';
	buf_clear(&scratch);
	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, bytes_of(many, sizeof(many) - 1), &scratch),
		-ENOSPC);
}

START_TEST(tokens)
{
	struct token a = token_of(BYTES_LIT("12345678")), b = token_of(BYTES_LIT("123456789"));
	struct token c = token_of(BYTES_LIT("\0")), d = token_of(BYTES_NONE);

	ck_assert(token_equal(&a, &b));
	ck_assert(!token_equal(&c, &d));
	ck_assert(!token_equal(&a, &d));
}

START_TEST(code_names)
{
	char out[16];

	ck_assert_str_eq(msg_code_name(CODE_GET, out), "GET");
	ck_assert_str_eq(msg_code_name(CODE_IPATCH, out), "iPATCH");
	ck_assert_str_eq(msg_code_name(8, out), "0.08");
	ck_assert_str_eq(msg_code_name(CODE_CONTENT, out), "2.05");
	ck_assert_str_eq(msg_code_name(0xff, out), "7.31");
}

START_TEST(rfc7641_3_4_order_of_notifications)
{
	const uint32_t half = 1u << 23, last = (1u << 24) - 1;

	ck_assert(observe_newer(1, 0, 2, 0));
	ck_assert(!observe_newer(2, 0, 1, 0));
	ck_assert(!observe_newer(2, 0, 2, 0));
	ck_assert(observe_newer(0, 0, half - 1, 0));
	ck_assert(!observe_newer(0, 0, half, 0));
	ck_assert(observe_newer(last, 0, 0, 0));
	ck_assert(!observe_newer(0, 0, last, 0));
	ck_assert(observe_newer(half + 1, 0, 0, 0));
	ck_assert(!observe_newer(half, 0, 0, 0));
	ck_assert(!observe_newer(5, 1000, 4, 129000));
	ck_assert(observe_newer(5, 1000, 4, 129001));
}

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("msg");
	TCase *t = tcase_create("msg");

	tcase_add_loop_test(t, decode_and_encode, 0, N(good));
	tcase_add_loop_test(t, every_truncation_is_judged_without_reading_past_it, 0, N(good));
	tcase_add_loop_test(t, rfc7252_3_format_errors, 0, N(bad));
	tcase_add_test(t, too_many_options);
	tcase_add_test(t, options_of_every_length);
	tcase_add_test(t, an_option_too_long_to_be_written);
	tcase_add_test(t, options_sort_themselves);
	tcase_add_test(t, rfc7252_3_2_uints_in_their_shortest_form);
	tcase_add_test(t, inner_messages);
	tcase_add_loop_test(t, path_and_its_text, 0, N(paths));
	tcase_add_test(t, nul_in_a_path);
	tcase_add_test(t, path_texts_that_are_none);
	tcase_add_test(t, tokens);
	tcase_add_test(t, code_names);
	tcase_add_test(t, rfc7641_3_4_order_of_notifications);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
