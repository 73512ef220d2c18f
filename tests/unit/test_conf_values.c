/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small parts below the schema: units, suggestions, the arena, quoting.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/arena.h"
#include "conf/scalar.h"
#include "conf/suggest.h"
#include "conf/unit.h"
#include "unit.h"

static const struct {
	const struct unit *units;
	const char *text;
	int rc;
	uint64_t v;
	const char *back; /* NULL: as text */
} numbers[] = {
	{unit_none, "0", 0, 0, NULL},
	{unit_none, "18446744073709551615", 0, UINT64_MAX, NULL},
	{unit_none, "18446744073709551616", -EINVAL, 0, NULL},
	{unit_none, "184467440737095516150", -EINVAL, 0, NULL},
	{unit_none, "007", 0, 7, "7"},
	{unit_none, "", -EINVAL, 0, NULL},
	{unit_none, "x", -EINVAL, 0, NULL},
	{unit_none, "+1", -EINVAL, 0, NULL},
	{unit_none, " 1", -EINVAL, 0, NULL},
	{unit_none, "1 ", -EINVAL, 0, NULL},
	{unit_none, "1K", -EINVAL, 0, NULL},
	{unit_size, "1023", 0, 1023, NULL},
	{unit_size, "1024", 0, 1024, "1K"},
	{unit_size, "1025", 0, 1025, NULL},
	{unit_size, "64K", 0, 65536, NULL},
	{unit_size, "1536M", 0, 1536ULL << 20, NULL},
	{unit_size, "2048M", 0, 2ULL << 30, "2G"},
	{unit_size, "1T", 0, 1ULL << 40, NULL},
	{unit_size, "16777216T", -EINVAL, 0, NULL},
	{unit_size, "1k", -EINVAL, 0, NULL},
	{unit_size, "K", -EINVAL, 0, NULL},
	{unit_duration, "0", 0, 0, "0s"},
	{unit_duration, "0d", 0, 0, "0s"},
	{unit_duration, "1", -EINVAL, 0, NULL},
	{unit_duration, "999ms", 0, 999, NULL},
	{unit_duration, "1000ms", 0, 1000, "1s"},
	{unit_duration, "90s", 0, 90000, NULL},
	{unit_duration, "60m", 0, 3600000, "1h"},
	{unit_duration, "30d", 0, 2592000000, NULL},
	{unit_duration, "213503982335d", -EINVAL, 0, NULL},
	{unit_duration, "1w", -EINVAL, 0, NULL},
	{unit_duration, "1.5s", -EINVAL, 0, NULL},
};

START_TEST(number)
{
	char back[UNIT_STRLEN];
	uint64_t v = 42;

	ck_assert_int_eq(
		unit_parse(bytes_str(numbers[_i].text), numbers[_i].units, &v), numbers[_i].rc);
	if (numbers[_i].rc != 0) {
		ck_assert_uint_eq(v, 42); /* written only on success */
		return;
	}
	ck_assert_uint_eq(v, numbers[_i].v);
	ck_assert_str_eq(unit_format(v, numbers[_i].units, back),
		numbers[_i].back ? numbers[_i].back : numbers[_i].text);
}
END_TEST

static const struct {
	const char *text, *word;
	size_t distance;
} words[] = {
	{"topics", "topics", 0},
	{"TOPICS", "topics", 0},
	{"create_on_publish", "create-on-publish", 0},
	{"topcis", "topics", 1},
	{"topic", "topics", 1},
	{"ttopics", "topics", 1},
	{"tobics", "topics", 1},
	{"tpcs", "topics", 2},
	{"tps", "topics", SUGGEST_NEVER},
	{"", "topics", SUGGEST_NEVER},
	{"x", "ca", SUGGEST_NEVER},
	{"a", "ca", 1},
	{"hkfd", "hkdf", 1},
	{"pairwise-key-agreement-algorithms", "pairwise-key-agreement-algorithm", 1},
	{"a123456789a123456789a123456789a123456789a123456789", "a123456789a123456789a123456789a1",
		SUGGEST_NEVER},
};

START_TEST(distance)
{
	ck_assert_uint_eq(
		suggest_distance(bytes_str(words[_i].text), words[_i].word), words[_i].distance);
}
END_TEST

START_TEST(arena_grows)
{
	struct arena a = {NULL};
	uint32_t *list = NULL;

	for (uint32_t i = 0; i < 1000; i++) {
		list = arena_grow(&a, list, i, sizeof(*list));
		ck_assert_uint_eq(list[i], 0);
		list[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(list[i], i);
	ck_assert_ptr_nonnull(arena_alloc(&a, 0));
	ck_assert_ptr_nonnull(arena_bytes(&a, BYTES_NONE).p);
	ck_assert_str_eq(arena_str(&a, BYTES_LIT("ab")), "ab");
	ck_assert_str_eq(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	arena_fini(&a);
	ck_assert_ptr_null(a.blocks);
}
END_TEST

static const struct {
	const char *text, *quoted;
} quotes[] = {
	{"", ""},
	{"plain", "plain"},
	{"a\x1b[2Jb\x7f\n", "a?[2Jb??"},
	{"\xc2\x9b", "?\x9b"},
	{"\xc3\xa4", "\xc3\xa4"},
	{"01234567890123456789012345678901234567890123",
		"01234567890123456789012345678901234567890123"},
	{"012345678901234567890123456789012345678901234",
		"01234567890123456789012345678901234567890123..."},
	{"0123456789012345678901234567890123456789012\xc3\xa4x",
		"0123456789012345678901234567890123456789012..."},
};

START_TEST(quote)
{
	char out[SCALAR_QUOTED];

	ck_assert_str_eq(scalar_quote(bytes_str(quotes[_i].text), out), quotes[_i].quoted);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("conf_values");
	TCase *t = tcase_create("conf_values");

	tcase_add_loop_test(t, number, 0, (int)(sizeof(numbers) / sizeof(numbers[0])));
	tcase_add_loop_test(t, distance, 0, (int)(sizeof(words) / sizeof(words[0])));
	tcase_add_test(t, arena_grows);
	tcase_add_loop_test(t, quote, 0, (int)(sizeof(quotes) / sizeof(quotes[0])));
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
