/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "hex.h"
#include "wire/cborget.h"

/* RFC 8949 Appendix A, and the integers OSCORE's structures are made of. */
static const struct {
	int64_t value;
	const char *hex;
} ints[] = {
	{0, "00"},
	{1, "01"},
	{10, "0a"}, /* and not 1a0000000a */
	{23, "17"},
	{24, "1818"},
	{25, "1819"},
	{100, "1864"},
	{255, "18ff"},
	{256, "190100"},
	{1000, "1903e8"},
	{65535, "19ffff"},
	{65536, "1a00010000"},
	{1000000, "1a000f4240"},
	{4294967295, "1affffffff"},
	{4294967296, "1b0000000100000000"},
	{1000000000000, "1b000000e8d4a51000"},
	{INT64_MAX, "1b7fffffffffffffff"},
	{-1, "20"},
	{-8, "27"},
	{-10, "29"},
	{-24, "37"},
	{-25, "3818"},
	{-27, "381a"},
	{-100, "3863"},
	{-256, "38ff"},
	{-257, "390100"},
	{-1000, "3903e7"},
	{-65534, "39fffd"},
	{-65537, "3a00010000"},
	{-4294967297, "3b0000000100000000"},
	{INT64_MIN, "3b7fffffffffffffff"},
};

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

START_TEST(rfc8949_4_1_integers_take_the_shortest_form)
{
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);
	struct cborget c;
	int64_t v = 77;

	cborbuf_put_int(&b, ints[_i].value);
	hex_expect(buf_bytes(&b), ints[_i].hex);
	c = cborget_of(buf_bytes(&b));
	ck_assert_int_eq(cborget_int(&c, &v), 0);
	ck_assert_int_eq(v, ints[_i].value);
	ck_assert(cborget_at_end(&c));
}
END_TEST

START_TEST(rfc8949_4_1_uint_of_64_bits)
{
	uint8_t out[16];
	struct buf b = BUF_OF(out);
	struct cborget c;
	uint64_t u = 0;
	int64_t i = 5;

	cborbuf_put_uint(&b, UINT64_MAX);
	hex_expect(buf_bytes(&b), "1bffffffffffffffff");
	c = cborget_of(buf_bytes(&b));
	ck_assert_int_eq(cborget_int(&c, &i), -EBADMSG); /* does not fit */
	ck_assert_int_eq(i, 5);
	ck_assert_int_eq(cborget_uint(&c, &u), 0);
	ck_assert_uint_eq(u, UINT64_MAX);
	c = cborget_of(bytes_of("\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9)); /* -2^64 */
	ck_assert_int_eq(cborget_int(&c, &i), -EBADMSG);
	ck_assert_int_eq(cborget_number(&c, &i), -EBADMSG);
}
END_TEST

/* A structure that has one of everything the writer knows. */
/* clang-format off */
static const char everything[] =
	"88"
	"01"            /* 1 */
	"20"            /* -1 */
	"4401020304"    /* h'01020304' */
	"6449455446"    /* "IETF" */
	"a1 00 62c3bc"  /* {0: "ue"} */
	"c1 1a514b67b0" /* 1(1363896240) */
	"f5"            /* true */
	"83 f4 f6 40";  /* [false, null, h''] */
/* clang-format on */

static void
put_everything(struct buf *b)
{
	cborbuf_put_array(b, 8);
	cborbuf_put_uint(b, 1);
	cborbuf_put_int(b, -1);
	cborbuf_put_bstr(b, BYTES_LIT("\x01\x02\x03\x04"));
	cborbuf_put_tstr(b, BYTES_LIT("IETF"));
	cborbuf_put_map(b, 1);
	cborbuf_put_uint(b, 0);
	cborbuf_put_str(b, "\xc3\xbc");
	cborbuf_put_tag(b, 1);
	cborbuf_put_uint(b, 1363896240);
	cborbuf_put_bool(b, true);
	cborbuf_put_array(b, 3);
	cborbuf_put_bool(b, false);
	cborbuf_put_null(b);
	cborbuf_put_bstr(b, BYTES_NONE);
}

START_TEST(writer_writes_everything)
{
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);

	put_everything(&b);
	ck_assert(!b.full);
	hex_expect(buf_bytes(&b), everything);
}
END_TEST

START_TEST(writer_says_full_in_every_shorter_buffer)
{
	uint8_t raw[HEX_MAX];
	size_t n = hex_bytes(everything, raw).n;

	for (size_t cap = 0; cap < n; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);
		struct buf b = buf_of(exact, cap);

		put_everything(&b);
		ck_assert_msg(b.full, "cap %zu", cap);
		free(exact);
	}
}
END_TEST

START_TEST(reader_reads_everything)
{
	uint8_t raw[HEX_MAX];
	struct cborget c = cborget_of(hex_bytes(everything, raw));
	struct bytes s;
	uint64_t n;
	int64_t i;
	bool v = false;

	ck_assert_int_eq(cborget_peek(&c), ITEM_ARRAY);
	ck_assert_int_eq(cborget_array(&c, &n), 0);
	ck_assert_uint_eq(n, 8);
	ck_assert_int_eq(cborget_uint(&c, &n), 0);
	ck_assert_int_eq(cborget_int(&c, &i), 0);
	ck_assert_int_eq(i, -1);
	ck_assert_int_eq(cborget_bstr(&c, &s), 0);
	hex_expect(s, "01020304");
	ck_assert_int_eq(cborget_tstr(&c, &s), 0);
	ck_assert(bytes_is(s, "IETF"));
	ck_assert_int_eq(cborget_map(&c, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(cborget_uint(&c, &n), 0);
	ck_assert_int_eq(cborget_tstr(&c, &s), 0);
	ck_assert_int_eq(cborget_tag(&c, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(cborget_number(&c, &i), 0);
	ck_assert_int_eq(i, 1363896240);
	ck_assert_int_eq(cborget_bool(&c, &v), 0);
	ck_assert(v);
	ck_assert_int_eq(cborget_array(&c, &n), 0);
	ck_assert_int_eq(cborget_bool(&c, &v), 0);
	ck_assert(!v);
	ck_assert_int_eq(cborget_null(&c), 0);
	ck_assert_int_eq(cborget_bstr(&c, &s), 0);
	ck_assert_uint_eq(s.n, 0);
	ck_assert_ptr_nonnull(s.p); /* empty is not absent */
	ck_assert(cborget_at_end(&c));
	ck_assert_int_eq(cborget_peek(&c), ITEM_END);
}
END_TEST

START_TEST(reader_stays_where_it_was_on_another_type)
{
	static const uint8_t is_text[] = {0x61, 'a'};
	struct cborget c = cborget_of(BYTES_OF(is_text));
	struct bytes s = BYTES_LIT("kept");
	uint64_t n = 9;
	int64_t i = 9;
	bool v = true;

	ck_assert_int_eq(cborget_uint(&c, &n), -EBADMSG);
	ck_assert_int_eq(cborget_int(&c, &i), -EBADMSG);
	ck_assert_int_eq(cborget_number(&c, &i), -EBADMSG);
	ck_assert_int_eq(cborget_bstr(&c, &s), -EBADMSG);
	ck_assert_int_eq(cborget_array(&c, &n), -EBADMSG);
	ck_assert_int_eq(cborget_map(&c, &n), -EBADMSG);
	ck_assert_int_eq(cborget_tag(&c, &n), -EBADMSG);
	ck_assert_int_eq(cborget_bool(&c, &v), -EBADMSG);
	ck_assert_int_eq(cborget_null(&c), -EBADMSG);
	ck_assert(n == 9 && i == 9 && v && bytes_is(s, "kept"));
	ck_assert_int_eq(cborget_tstr(&c, &s), 0);
	ck_assert(bytes_is(s, "a"));
}
END_TEST

/* RFC 7519 2, RFC 8949 Appendix A: a date may be a float; the fraction is cut. */
static const struct {
	const char *hex;
	int rc;
	int64_t value;
} numbers[] = {
	{"1a514b67b0", 0, 1363896240},
	{"20", 0, -1},
	{"f93e00", 0, 1}, /* 1.5 */
	{"f9c400", 0, -4}, /* -4.0 */
	{"f97bff", 0, 65504},
	{"f90001", 0, 0}, /* 5.96e-8 */
	{"fa47c35000", 0, 100000},
	{"fb41d452d9ec200000", 0, 1363896240}, /* 1363896240.5 */
	{"fbc010666666666666", 0, -4}, /* -4.1 */
	{"fbc3e0000000000000", 0, INT64_MIN},
	{"fb43e0000000000000", -EBADMSG, 0}, /* 2^63 */
	{"fb7e37e43c8800759c", -EBADMSG, 0}, /* 1e300 */
	{"f97c00", -EBADMSG, 0}, /* infinity */
	{"f9fc00", -EBADMSG, 0},
	{"f97e00", -EBADMSG, 0}, /* NaN */
	{"fb7ff8000000000000", -EBADMSG, 0},
	{"f5", -EBADMSG, 0},
	{"6130", -EBADMSG, 0},
	{"fb41d452d9ec2000", -EBADMSG, 0},
	{"", -EBADMSG, 0},
};

START_TEST(rfc8949_numbers)
{
	uint8_t raw[HEX_MAX];
	struct cborget c = cborget_of(hex_bytes(numbers[_i].hex, raw));
	int64_t v = 42;

	ck_assert_int_eq(cborget_number(&c, &v), numbers[_i].rc);
	ck_assert_int_eq(v, numbers[_i].rc == 0 ? numbers[_i].value : 42);
	ck_assert(cborget_at_end(&c) == (numbers[_i].rc == 0 || numbers[_i].hex[0] == '\0'));
}
END_TEST

/* Well-formed items of every kind: skipped whole, and no prefix of them is. */
static const char *const well_formed[] = {
	"00", "1818", "1b000000e8d4a51000", "3bffffffffffffffff", "40", "4401020304", "6161",
	"62ffff", /* not UTF-8, but well-formed: what is skipped need not be valid */
	"5f42010243030405ff", "7f657374726561646d696e67ff", "5fff", "80", "83010203",
	"8301820203820405", "9fff", "9f018202039f0405ffff", "a0", "a201020304",
	"a26161016162820203", "bfff", "bf61610161629f0203ffff", "c11a514b67b0", "d818456449455446",
	"c1c2c3c4c500", "e0", /* simple(0) */
	"f3", /* simple(19) */
	"f4", "f6", "f7", "f8ff", /* simple(255) */
	"f820", /* simple(32) */
	"f90000", "fa47c35000", "fbc010666666666666", "83e0f7f8ff",
	"8181818181818181818181818181818100", /* 16 levels */
};

START_TEST(skip_passes_what_is_well_formed)
{
	uint8_t raw[HEX_MAX];
	struct bytes all = hex_bytes(well_formed[_i], raw);
	struct bytes got;
	struct cborget c;

	raw[all.n] = 0xf6;
	c = cborget_of(bytes_of(raw, all.n + 1));
	ck_assert_int_eq(cborget_raw(&c, &got), 0);
	ck_assert(bytes_equal(got, all));
	ck_assert_int_eq(cborget_null(&c), 0);
	for (size_t n = 0; n < all.n; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, raw, n);
		c = cborget_of(bytes_of(exact, n));
		ck_assert_int_eq(cborget_skip(&c), -EBADMSG);
		ck_assert_uint_eq(c.in.n, n);
		free(exact);
	}
}
END_TEST

/* RFC 8949 Appendix F, and what is beyond our limits. */
static const char *const ill_formed[] = {
	"1c",
	"1d",
	"1e",
	"3c",
	"5c",
	"7e",
	"9d",
	"bc",
	"de",
	"fc",
	"fd",
	"fe", /* reserved */
	"f800",
	"f801",
	"f818",
	"f81f", /* simple values below 32 in two bytes */
	"ff", /* break outside */
	"81ff",
	"8200ff",
	"a1ff",
	"a100ff", /* break within a definite length */
	"a1ff00",
	"a10000ff00",
	"9f",
	"9f01",
	"bf",
	"bf01",
	"5f",
	"7f",
	"bf00ff", /* a key without its value */
	"5f00ff",
	"5f6161ff",
	"7f4161ff", /* parts of another type */
	"5f5f4100ffff",
	"7f7f6161ffff", /* parts that are indefinite themselves */
	"5fc24100ff",
	"c1",
	"c1ff",
	"9fc1ff",
	"1f",
	"3f",
	"df",
	"9b1000000000000000", /* 2^60 items, and nothing there */
	"bb1000000000000000",
	"9bffffffffffffffff",
	"bb8000000000000000",
	"bbffffffffffffffff",
	"9b100000000000000000000000",
	"5b1000000000000000",
	"7bffffffffffffffff",
	"5bffffffffffffffff41",
	"818181818181818181818181818181818100", /* 17 levels */
	"9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f",
	"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c100",
};

START_TEST(rfc8949_F_skip_refuses_what_is_not)
{
	uint8_t raw[HEX_MAX];
	struct bytes all = hex_bytes(ill_formed[_i], raw);
	struct cborget c = cborget_of(all);
	/* "a10000ff00" begins with a well-formed map. */
	bool starts_well = strcmp(ill_formed[_i], "a10000ff00") == 0;

	if (starts_well)
		ck_assert_int_eq(cborget_skip(&c), 0);
	ck_assert_int_eq(cborget_skip(&c), -EBADMSG);
	ck_assert_uint_eq(c.in.n, starts_well ? 2 : all.n);
}
END_TEST

/* Counts are checked against what is there before anybody loops over them. */
START_TEST(counts_that_cannot_be_true)
{
	static const struct {
		const char *hex;
		bool map;
		int rc;
	} t[] = {
		{"9b1000000000000000", false, -EBADMSG},
		{"bb1000000000000000", true, -EBADMSG},
		{"bbffffffffffffffff", true, -EBADMSG},
		{"820000", false, 0},
		{"8200", false, -EBADMSG},
		{"a10000", true, 0},
		{"a100", true, -EBADMSG},
		{"a2000000", true, -EBADMSG},
		{"9f00ff", false, -EBADMSG}, /* indefinite is for skipping only */
		{"bf0000ff", true, -EBADMSG},
		{"80", false, 0},
		{"a0", true, 0},
	};
	uint8_t raw[HEX_MAX];

	for (int i = 0; i < N_OF(t); i++) {
		struct cborget c = cborget_of(hex_bytes(t[i].hex, raw));
		uint64_t n = 7;
		int rc = t[i].map ? cborget_map(&c, &n) : cborget_array(&c, &n);

		ck_assert_msg(rc == t[i].rc, "%s: %d", t[i].hex, rc);
		ck_assert(rc == 0 || n == 7);
	}
}
END_TEST

START_TEST(strings_of_indefinite_length_are_not_got)
{
	struct cborget c = cborget_of(BYTES_LIT("\x5f\x41\x00\xff"));
	struct bytes s;

	ck_assert_int_eq(cborget_peek(&c), ITEM_BSTR_PARTS);
	ck_assert_int_eq(cborget_bstr(&c, &s), -EBADMSG);
	c = cborget_of(BYTES_LIT("\x7f\x61\x61\xff"));
	ck_assert_int_eq(cborget_tstr(&c, &s), -EBADMSG);
	ck_assert_int_eq(cborget_skip(&c), 0);
	ck_assert(cborget_at_end(&c));
}
END_TEST

START_TEST(rfc3629_utf8)
{
	static const struct {
		const char *hex;
		bool valid;
	} t[] = {
		{"", true},
		{"00", true},
		{"6162", true},
		{"c3bc", true},
		{"e282ac", true},
		{"ee8080", true},
		{"efbfbf", true},
		{"f09f9880", true},
		{"f48fbfbf", true},
		{"80", false}, /* a continuation alone */
		{"c3", false},
		{"c328", false},
		{"c080", false}, /* not the shortest form */
		{"c1bf", false},
		{"e0809f", false},
		{"e28228", false},
		{"e282", false},
		{"eda080", false}, /* a surrogate */
		{"f08080af", false},
		{"f0288cbc", false},
		{"f09f98", false},
		{"f4908080", false}, /* past U+10FFFF */
		{"f5808080", false},
		{"ff", false},
		{"61ff", false},
	};
	uint8_t raw[HEX_MAX];
	uint8_t item[HEX_MAX];

	for (int i = 0; i < N_OF(t); i++) {
		struct bytes text = hex_bytes(t[i].hex, raw);
		struct buf b = BUF_OF(item);
		struct cborget c;
		struct bytes s;

		ck_assert_msg(cborget_is_utf8(text) == t[i].valid, "%s", t[i].hex);
		/* RFC 8949 5.3.1: a text string is UTF-8, or the item is invalid. */
		cborbuf_put_tstr(&b, text);
		c = cborget_of(buf_bytes(&b));
		ck_assert_int_eq(cborget_tstr(&c, &s), t[i].valid ? 0 : -EBADMSG);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("cbor");
	TCase *tc = tcase_create("cbor");

	tcase_add_loop_test(tc, rfc8949_4_1_integers_take_the_shortest_form, 0, N_OF(ints));
	tcase_add_test(tc, rfc8949_4_1_uint_of_64_bits);
	tcase_add_test(tc, writer_writes_everything);
	tcase_add_test(tc, writer_says_full_in_every_shorter_buffer);
	tcase_add_test(tc, reader_reads_everything);
	tcase_add_test(tc, reader_stays_where_it_was_on_another_type);
	tcase_add_loop_test(tc, rfc8949_numbers, 0, N_OF(numbers));
	tcase_add_loop_test(tc, skip_passes_what_is_well_formed, 0, N_OF(well_formed));
	tcase_add_loop_test(tc, rfc8949_F_skip_refuses_what_is_not, 0, N_OF(ill_formed));
	tcase_add_test(tc, counts_that_cannot_be_true);
	tcase_add_test(tc, strings_of_indefinite_length_are_not_got);
	tcase_add_test(tc, rfc3629_utf8);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
