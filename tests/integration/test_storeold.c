/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A database of an older version, tests/data/store-1.sql, opened by a program that knows newer
 * ones: the steps of this test, which take the place of those of store/schema.c.
 */
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/table.h"
#include "storebed.h"
#include "../unit/unit.h"

#define N_EACH 3 /* records of each kind */

/* A table is made anew with what is in it, another one of it, and one has a column more. */
static const char second[] =
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

/* Runs SQL on a database that nobody else has open. */
static void
with_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void
make_old(void)
{
	static char sql[65536];
	const char *top = getenv("top_srcdir");
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/tests/data/store-1.sql", top ? top : ".");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(sql, 1, sizeof(sql) - 1, f);
	(void)fclose(f);
	sql[n] = '\0';
	ck_assert_int_eq(mkdir(bed.directory, 0700), 0);
	with_sql(bed_path(&bed, "state/coapcast.db"), sql);
}

/* The version in the header, and by the number beside it. */
static void
expect_version(const char *name, uint8_t version)
{
	uint8_t header[72];
	int fd = open(bed_path(&bed, name), O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, header, sizeof(header), 0), sizeof(header));
	(void)close(fd);
	ck_assert_uint_eq(header[63], version);
	ck_assert_uint_eq(header[71], (SCHEMA_APPLICATION_ID(0) & 0xff) + version);
}

struct seen {
	enum store_kind kind;
	unsigned n, n_known;
};

static int
see(void *ctx, const union store_record *r)
{
	struct seen *s = ctx;
	union store_record known;

	if (s->kind == STORE_META && bytes_is(bytes_head(r->meta.name, 6), "store."))
		return 0;
	s->n++;
	for (unsigned i = 1; i <= N_EACH; i++) {
		if (i < N_EACH)
			bed_full(s->kind, i, &known);
		else
			bed_bare(s->kind, i, &known);
		s->n_known += table_sum(s->kind, r) == table_sum(s->kind, &known);
	}
	return 0;
}

/* Opens it and looks at all of it. */
static void
expect_everything(void)
{
	const struct store_options options = {.directory = bed.directory};
	struct error e = {.text = ""};

	ck_assert_msg(store_open(&options, &bed.store, &bed.opened, &e) == 0, "%s", e.text);
	ck_assert_msg(bed.opened.origin == STORE_RESUMED, "%d: %s", bed.opened.origin,
		bed.opened.why.text);
	ck_assert(bed.opened.clean);
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		struct seen s = {.kind = (enum store_kind)kind};

		ck_assert_int_eq(store_load(bed.store, s.kind, see, &s, &e), 0);
		ck_assert_msg(s.n == N_EACH && s.n_known == N_EACH, "%s: %u, %u of them known",
			table_of[kind].name, s.n, s.n_known);
	}
	bed_close(&bed, true);
}

START_TEST(nothing_of_an_older_one_is_lost)
{
	make_old();
	expect_everything();
	expect_version("state/coapcast.db", 3);
	with_sql(bed_path(&bed, "state/coapcast.db"),
		"CREATE TEMP TABLE t (n CHECK (n = 3));"
		"INSERT INTO t SELECT count(*) FROM long_name;"
		"CREATE TEMP TABLE u (n CHECK (n = 9));"
		"INSERT INTO u SELECT n FROM long_name WHERE n IS NOT NULL");
	/* The steps would fail if they were taken once more. */
	expect_everything();
}
END_TEST

START_TEST(what_is_put_after_that_is_kept)
{
	union store_record r;

	make_old();
	bed_open(&bed, 0);
	bed_full(STORE_SEQ, 9, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_SEQ, &r), 0);
	ck_assert_int_eq(store_remove(bed.store, STORE_SEQ, &r, STORE_NOW, NULL), 0);
	bed_full(STORE_VALUE, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_VALUE, &r), 0);
	bed_close(&bed, true);
	expect_everything();
}
END_TEST

/* All steps or none: what is set aside is what the older version knows. */
START_TEST(a_step_that_fails_leaves_it_as_it_was)
{
	struct error e = {.text = ""};

	make_old();
	(void)snprintf(third, sizeof(third), "INSERT INTO nowhere VALUES (1)");
	ck_assert_int_lt(bed_try(&bed, 0, &e), 0);
	expect_version("state/coapcast.db.bad", 1);
	/* Mended, and put back. */
	(void)snprintf(third, sizeof(third), "ALTER TABLE long_name ADD COLUMN why TEXT");
	(void)unlink(bed_path(&bed, "state/coapcast.db"));
	ck_assert_int_eq(rename(bed_path(&bed, "state/coapcast.db.bad"),
				 bed_path(&bed, "state/coapcast.db")),
		0);
	expect_everything();
	expect_version("state/coapcast.db", 3);
}
END_TEST

START_TEST(a_newer_one_is_refused_and_left_alone)
{
	struct stat before, after;
	struct error e = {.text = ""};

	make_old();
	with_sql(bed_path(&bed, "state/coapcast.db"),
		"CREATE TABLE of_the_future (x); PRAGMA user_version=4; PRAGMA "
		"application_id=1667453784");
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db"), &before), 0);
	ck_assert_int_eq(bed_try(&bed, 0, &e), -EPROTO);
	ck_assert_ptr_nonnull(
		strstr(e.text, "made by a newer coapcastd (version 4, this one knows 3)"));
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db"), &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	with_sql(bed_path(&bed, "state/coapcast.db"),
		"DROP TABLE of_the_future; PRAGMA user_version=1; PRAGMA "
		"application_id=1667453781");
	expect_everything();
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
