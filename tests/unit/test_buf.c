/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "unit.h"

#include "base/buf.h"

static void
put_all(struct buf *b)
{
	buf_put_u8(b, 1);
	buf_put_u16(b, 0x0203);
	buf_put(b, BYTES_LIT("\x04\x05"));
	buf_put(b, BYTES_NONE);
	buf_put_str(b, "ab");
	buf_put_hex(b, BYTES_LIT("\xde\x0f"));
	buf_printf(b, "%d", 42);
}

static const uint8_t all[] = {1, 2, 3, 4, 5, 'a', 'b', 'd', 'e', '0', 'f', '4', '2'};

START_TEST(unescaped_octets_or_nothing)
{
	static const struct {
		const char *text, *octets;
	} rows[] = {
		{"", ""},
		{"a", "a"},
		{"%41b", "Ab"},
		{"%2f%2F", "//"},
		{"%", NULL},
		{"%4", NULL},
		{"%4g", NULL},
		{"a%zz", NULL},
		{"%25", "%"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t room[8];
		struct buf b = BUF_OF(room);
		int rc = buf_put_unescaped(&b, bytes_str(rows[i].text));

		if (rows[i].octets) {
			ck_assert_int_eq(rc, 0);
			ck_assert(bytes_is(buf_bytes(&b), rows[i].octets));
		} else {
			ck_assert_int_eq(rc, -EINVAL);
		}
	}
}

START_TEST(what_is_put_is_there)
{
	uint8_t room[sizeof(all) + 1];
	struct buf b = BUF_OF(room);

	put_all(&b);
	ck_assert(!b.full);
	ck_assert(bytes_equal(buf_bytes(&b), BYTES_OF(all)));
	ck_assert_int_eq(buf_str(&b)[sizeof(all) - 1], '2');
	ck_assert_int_eq(buf_str(&b)[sizeof(all)], '\0');
	ck_assert_uint_eq(b.n, sizeof(all));
}

START_TEST(every_shorter_buffer_is_full_and_stays_so)
{
	/* A printf needs a byte more, for its NUL. */
	for (size_t cap = 0; cap <= sizeof(all); cap++) {
		uint8_t *room = malloc(cap + 1);
		struct buf b = buf_of(room, cap);
		size_t n;

		room[cap] = 0xa5;
		put_all(&b);
		ck_assert(b.full);
		ck_assert_uint_le(b.n, cap);
		n = b.n;
		buf_put_u8(&b, 9);
		buf_put(&b, BYTES_LIT("x"));
		buf_printf(&b, "x");
		ck_assert_ptr_null(buf_claim(&b, 0));
		ck_assert_uint_eq(b.n, n);
		ck_assert_uint_eq(room[cap], 0xa5);
		buf_clear(&b);
		ck_assert(!b.full && b.n == 0);
		free(room);
	}
}

START_TEST(claim)
{
	uint8_t room[4];
	struct buf b = BUF_OF(room);

	ck_assert_ptr_eq(buf_claim(&b, 3), room);
	ck_assert_ptr_eq(buf_claim(&b, 1), room + 3);
	ck_assert_ptr_eq(buf_claim(&b, 0), room + 4);
	ck_assert_ptr_null(buf_claim(&b, SIZE_MAX));
	ck_assert(b.full);
}

START_TEST(text_without_room_for_its_end_is_empty)
{
	char room[3];
	struct buf b = buf_of(room, sizeof(room));

	buf_put_str(&b, "ab");
	ck_assert_str_eq(buf_str(&b), "ab");
	buf_put_str(&b, "c");
	ck_assert(!b.full);
	ck_assert_str_eq(buf_str(&b), "");
}

START_TEST(bytes)
{
	struct bytes abc = BYTES_LIT("abc");

	ck_assert(bytes_equal(BYTES_NONE, bytes_of("x", 0)));
	ck_assert(!bytes_equal(abc, BYTES_LIT("abd")));
	ck_assert(!bytes_equal(abc, BYTES_LIT("ab")));
	ck_assert(bytes_is(abc, "abc") && !bytes_is(abc, "ab"));
	ck_assert_int_lt(bytes_compare(BYTES_LIT("ab"), abc), 0);
	ck_assert_int_gt(bytes_compare(BYTES_LIT("b"), abc), 0);
	ck_assert_int_eq(bytes_compare(abc, abc), 0);
	ck_assert_int_lt(bytes_compare(BYTES_NONE, abc), 0);
	ck_assert(bytes_is(bytes_from(abc, 1), "bc"));
	ck_assert_uint_eq(bytes_from(abc, 3).n, 0);
	ck_assert_uint_eq(bytes_from(abc, 99).n, 0);
	ck_assert(bytes_is(bytes_head(abc, 2), "ab") && bytes_is(bytes_head(abc, 9), "abc"));
}

static Suite *
suite(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");
	tcase_add_test(t, unescaped_octets_or_nothing);

	tcase_add_test(t, what_is_put_is_there);
	tcase_add_test(t, every_shorter_buffer_is_full_and_stays_so);
	tcase_add_test(t, claim);
	tcase_add_test(t, text_without_room_for_its_end_is_empty);
	tcase_add_test(t, bytes);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
