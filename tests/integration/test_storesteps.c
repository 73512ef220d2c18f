/* SPDX-License-Identifier: BSD-2-Clause */
/* A database of version 1, tests/data/store-1.sql, on the way to that of today. */
#include "store/schema.h"

#include "oldbed.h"
#include "store/table.h"
#include "../unit/unit.h"

#define NEWEST 2
#define ADDED 9 /* a group observation that the old one does not have */

static struct bed bed;

static void
set_up(void)
{
	bed_init(&bed);
}

static void
tear_down(void)
{
	bed_fini(&bed);
}

START_TEST(nothing_of_version_1_is_lost)
{
	ck_assert_ptr_nonnull(schema_steps[NEWEST - 1]);
	ck_assert_ptr_null(schema_steps[NEWEST]);
	oldbed_make(&bed);
	oldbed_expect_everything(&bed);
	oldbed_expect_version(&bed, "state/coapcast.db", NEWEST);
	/* And another start is none of a version 1. */
	oldbed_expect_everything(&bed);
}
END_TEST

static int
see_added(void *ctx, const union store_record *r)
{
	union store_record *ret = ctx;

	if (r->group.id == ADDED) {
		ck_assert(bytes_is(r->group.interface, "eth7"));
		ret->group.id = r->group.id;
		ret->group.hops = r->group.hops;
	}
	return 0;
}

/* Beside rows from before. */
START_TEST(what_was_added_is_kept_from_then_on)
{
	const struct store_options options = {.directory = bed.directory};
	union store_record r, seen;
	struct error e;

	oldbed_make(&bed);
	bed_open(&bed, 0);
	bed_full(STORE_GROUP, ADDED, &r);
	r.group.interface = BYTES_LIT("eth7");
	r.group.hops = 3;
	ck_assert_int_eq(bed_promise(&bed, STORE_GROUP, &r), 0);
	bed_close(&bed, true);
	ck_assert_int_eq(store_open(&options, &bed.store, &bed.opened, &e), 0);
	ck_assert_int_eq(bed.opened.origin, STORE_RESUMED);
	memset(&seen, 0, sizeof(seen));
	ck_assert_int_eq(store_load(bed.store, STORE_GROUP, see_added, &seen, &e), 0);
	ck_assert_uint_eq(seen.group.id, ADDED);
	ck_assert_uint_eq(seen.group.hops, 3);
	bed_close(&bed, true);
	bed_open(&bed, 0);
	ck_assert_int_eq(store_remove(bed.store, STORE_GROUP, &r, STORE_NOW, NULL), 0);
	bed_close(&bed, true);
	oldbed_expect_everything(&bed);
}
END_TEST

/* A row that has lost them is not one from before. */
START_TEST(their_loss_is_found)
{
	static const char *const losses[] = {"UPDATE group_observation SET interface = NULL",
		"UPDATE group_observation SET hops = NULL",
		"UPDATE group_observation SET interface = NULL, hops = NULL"};
	union store_record r;

	bed_open(&bed, 0);
	bed_full(STORE_GROUP, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_GROUP, &r), 0);
	bed_close(&bed, true);
	oldbed_run(bed_path(&bed, "state/coapcast.db"), losses[_i]);
	bed_open(&bed, 0);
	ck_assert_int_eq(bed.opened.origin, STORE_SET_ASIDE);
	bed_close(&bed, true);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("storesteps");
	TCase *tc = tcase_create("storesteps");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_of_version_1_is_lost);
	tcase_add_test(tc, what_was_added_is_kept_from_then_on);
	tcase_add_loop_test(tc, their_loss_is_found, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
