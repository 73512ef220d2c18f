/* SPDX-License-Identifier: BSD-2-Clause */
/* How descriptors are shared out: net/descriptors.c. */
#include "net/descriptors.h"

#include "unit.h"

static const struct {
	uint64_t allowed;
	uint32_t wanted, sessions, opening;
} rows[] = {
	{1u << 20, 500, 500, COAPD_OPENING_MAX},
	{500 + COAPD_OPENING_MAX + DESCRIPTORS_RESERVED, 500, 500, 189},
	{5000, 60000, 5000 - COAPD_OPENING_MAX - DESCRIPTORS_RESERVED, COAPD_OPENING_MAX},
	{200, 500, 54, 18},
	{200, 10, 10, 18},
	{DESCRIPTORS_RESERVED + 4, 500, 3, 1},
	{DESCRIPTORS_RESERVED + 1, 500, 1, 1},
	{DESCRIPTORS_RESERVED, 500, 1, 1},
	{0, 500, 1, 1},
};

START_TEST(there_are_some_left_for_all_else)
{
	struct coapd_limits l = {.sessions = rows[_i].wanted, .opening = COAPD_OPENING_MAX};

	descriptors_share(rows[_i].allowed, &l);
	ck_assert_uint_eq(l.sessions, rows[_i].sessions);
	ck_assert_uint_eq(l.opening, rows[_i].opening);
}
END_TEST

START_TEST(of_handshakes_no_more_than_wanted)
{
	struct coapd_limits l = {.sessions = 500, .opening = 7};

	descriptors_share(DESCRIPTORS_RESERVED + 507, &l);
	ck_assert_uint_eq(l.opening, 7);
	ck_assert_uint_eq(l.sessions, 500);
	descriptors_share(DESCRIPTORS_RESERVED + 506, &l);
	ck_assert_uint_eq(l.opening, 7);
	ck_assert_uint_eq(l.sessions, 499);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("descriptors");
	TCase *tc = tcase_create("descriptors");

	tcase_add_loop_test(
		tc, there_are_some_left_for_all_else, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, of_handshakes_no_more_than_wanted);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
