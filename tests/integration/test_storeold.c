/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A database of an older version, tests/data/store-1.sql, opened by a program that knows newer
 * ones: the steps of this test, which take the place of those of store/schema.c.
 * test_storesteps.c takes those.
 */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oldbed.h"
#include "../unit/unit.h"

/*
 * The columns that this program's tables have; a table is made anew with what is in it, another
 * one of it, and one has a column more.
 */
static const char second[] =
	"ALTER TABLE group_observation ADD COLUMN hops INTEGER;"
	"ALTER TABLE group_observation ADD COLUMN interface BLOB;"
	"CREATE TABLE other (id INTEGER PRIMARY KEY, bound INTEGER, sum INTEGER);"
	"INSERT INTO other SELECT id, bound, sum FROM seq; DROP TABLE seq;"
	"ALTER TABLE other RENAME TO seq;"
	"CREATE TABLE long_name (topic INTEGER PRIMARY KEY, n INTEGER);"
	"INSERT INTO long_name SELECT id, length(name) FROM topic;";
static char third[128];

const char *const schema_steps[] = {"what nobody has to run", second, third, NULL};

static struct bed bed;

static void
set_up(void)
{
	bed_init(&bed);
	(void)snprintf(third, sizeof(third), "ALTER TABLE long_name ADD COLUMN why TEXT");
}

static void
tear_down(void)
{
	bed_fini(&bed);
}

START_TEST(nothing_of_an_older_one_is_lost)
{
	oldbed_make(&bed);
	oldbed_expect_everything(&bed);
	oldbed_expect_version(&bed, "state/coapcast.db", 3);
	oldbed_run(bed_path(&bed, "state/coapcast.db"),
		"CREATE TEMP TABLE t (n CHECK (n = 3));"
		"INSERT INTO t SELECT count(*) FROM long_name;"
		"CREATE TEMP TABLE u (n CHECK (n = 9));"
		"INSERT INTO u SELECT n FROM long_name WHERE n IS NOT NULL");
	/* The steps would fail if they were taken once more. */
	oldbed_expect_everything(&bed);
}
END_TEST

START_TEST(what_is_put_after_that_is_kept)
{
	union store_record r;

	oldbed_make(&bed);
	bed_open(&bed, 0);
	bed_full(STORE_SEQ, 9, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_SEQ, &r), 0);
	ck_assert_int_eq(store_remove(bed.store, STORE_SEQ, &r, STORE_NOW, NULL), 0);
	bed_full(STORE_VALUE, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_VALUE, &r), 0);
	bed_close(&bed, true);
	oldbed_expect_everything(&bed);
}
END_TEST

/* All steps or none: what is set aside is what the older version knows. */
START_TEST(a_step_that_fails_leaves_it_as_it_was)
{
	struct error e = {.text = ""};

	oldbed_make(&bed);
	(void)snprintf(third, sizeof(third), "INSERT INTO nowhere VALUES (1)");
	ck_assert_int_lt(bed_try(&bed, 0, &e), 0);
	oldbed_expect_version(&bed, "state/coapcast.db.bad", 1);
	/* Mended, and put back. */
	(void)snprintf(third, sizeof(third), "ALTER TABLE long_name ADD COLUMN why TEXT");
	(void)unlink(bed_path(&bed, "state/coapcast.db"));
	ck_assert_int_eq(rename(bed_path(&bed, "state/coapcast.db.bad"),
				 bed_path(&bed, "state/coapcast.db")),
		0);
	oldbed_expect_everything(&bed);
	oldbed_expect_version(&bed, "state/coapcast.db", 3);
}
END_TEST

START_TEST(a_newer_one_is_refused_and_left_alone)
{
	struct stat before, after;
	struct error e = {.text = ""};

	oldbed_make(&bed);
	oldbed_run(bed_path(&bed, "state/coapcast.db"),
		"CREATE TABLE of_the_future (x); PRAGMA user_version=4; PRAGMA "
		"application_id=1667453784");
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db"), &before), 0);
	ck_assert_int_eq(bed_try(&bed, 0, &e), -EPROTO);
	ck_assert_ptr_nonnull(
		strstr(e.text, "made by a newer coapcastd (version 4, this one knows 3)"));
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db"), &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	oldbed_run(bed_path(&bed, "state/coapcast.db"),
		"DROP TABLE of_the_future; PRAGMA user_version=1; PRAGMA "
		"application_id=1667453781");
	oldbed_expect_everything(&bed);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("storeold");
	TCase *tc = tcase_create("storeold");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_of_an_older_one_is_lost);
	tcase_add_test(tc, what_is_put_after_that_is_kept);
	tcase_add_test(tc, a_step_that_fails_leaves_it_as_it_was);
	tcase_add_test(tc, a_newer_one_is_refused_and_left_alone);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
