/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits that flip and files that are cut short while nobody looks: the store comes up
 * with all that was there, or puts the damaged database aside and says so.
 */
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../tools/disk.h"
#include "../unit/unit.h"
#include "storebed.h"

#define N_EACH 30 /* records of each kind */
#define N_COMMITS 12 /* in the log */
#define FLIP_STRIDE 61 /* bytes from one flip to the next: no multiple of anything */
#define CUT_STRIDE 509

static struct bed bed;
static char good[256]; /* a directory with a sound database, copied for every case */

static void
set_up(void)
{
	bed_init(&bed);
	/* Nothing here is to outlive this computer. */
	(void)setenv("DISK_DIR", bed.base, 1);
	disk_reset();
	(void)snprintf(good, sizeof(good), "%s/good", bed.base);
}

static void
tear_down(void)
{
	bed_fini(&bed);
	(void)unsetenv("DISK_DIR");
	disk_reset();
}

static void
make_database(void)
{
	union store_record r;

	bed_open(&bed, 60000);
	for (unsigned n = 1; n <= N_EACH; n++) {
		for (int kind = 0; kind < STORE_N_KINDS; kind++) {
			bed_full((enum store_kind)kind, n, &r);
			ck_assert_int_eq(
				store_put(bed.store, (enum store_kind)kind, &r, STORE_NOW, NULL),
				0);
		}
	}
	bed_close(&bed, true);
	bed_copy(bed.directory, good);
}

/* The version of all topics' values, one commit each, all of them in the log. */
static void
make_log(void)
{
	union store_record r;

	bed_open(&bed, 60000);
	bed_topic(1, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &r), 0);
	for (unsigned version = 1; version <= N_COMMITS; version++) {
		bed_value(1, version, &r);
		ck_assert_int_eq(bed_promise(&bed, STORE_VALUE, &r), 0);
	}
	bed_copy(bed.directory, good);
	bed_close(&bed, false);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* A fresh copy, with one bit changed. */
static void
flip(const char *name, off_t at)
{
	uint8_t b;
	int fd;

	bed_copy(good, bed.directory);
	fd = open(bed_path(&bed, name), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &b, 1, at), 1);
	b ^= (uint8_t)(1 << at % 8);
	ck_assert_int_eq(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static void
cut(const char *name, off_t to)
{
	bed_copy(good, bed.directory);
	ck_assert_int_eq(truncate(bed_path(&bed, name), to), 0);
}

/* Nothing there, and what was there has another name and all of its bytes. */
static void
expect_set_aside(const char *name, off_t at, off_t size, size_t n)
{
	char aside[64];

	ck_assert_msg(n == 0, "%s, %d: %zu records", name, (int)at, n);
	ck_assert_msg(bed.opened.why.text[0] != '\0', "%s, %d", name, (int)at);
	(void)snprintf(aside, sizeof(aside), "state/coapcast.db.bad%s",
		strstr(name, "-wal") ? "-wal" : "");
	ck_assert_int_eq(size_of(bed_path(&bed, aside)), size);
}

START_TEST(a_bit_flips_in_the_database)
{
	static const char name[] = "state/coapcast.db";
	unsigned n_aside = 0, n_same = 0;
	uint64_t digest;
	size_t n;
	off_t size;

	make_database();
	digest = bed_digest(&bed, &n);
	ck_assert_uint_eq(n, (size_t)N_EACH * STORE_N_KINDS);
	size = size_of(bed_path(&bed, "good/coapcast.db"));
	for (off_t at = 0; at < size; at += at < 200 ? 1 : FLIP_STRIDE) {
		uint64_t now;

		flip(name, at);
		now = bed_digest(&bed, &n);
		if (bed.opened.origin == STORE_SET_ASIDE) {
			n_aside++;
			expect_set_aside(name, at, size, n);
			continue;
		}
		n_same++;
		ck_assert_msg(now == digest, "offset %d: other records, not a word", (int)at);
	}
	printf("# %u set aside, %u harmless\n", n_aside, n_same);
	ck_assert_uint_gt(n_aside, 100);
}
END_TEST

START_TEST(the_database_is_cut_short)
{
	off_t size;
	size_t n;

	make_database();
	size = size_of(bed_path(&bed, "good/coapcast.db"));
	for (off_t to = 1; to < size; to += CUT_STRIDE) {
		cut("state/coapcast.db", to);
		(void)bed_digest(&bed, &n);
		ck_assert_msg(bed.opened.origin == STORE_SET_ASIDE, "cut to %d", (int)to);
		expect_set_aside("state/coapcast.db", to, to, n);
	}
	/* Of nothing at all there is nothing to set aside, but it is not a first start. */
	cut("state/coapcast.db", 0);
	(void)bed_digest(&bed, &n);
	ck_assert_int_eq(bed.opened.origin, STORE_CREATED);
	ck_assert_ptr_nonnull(strstr(bed.opened.why.text, "coapcast.db: has nothing in it"));
	ck_assert_uint_eq(n, 0);
	(void)bed_digest(&bed, &n);
	ck_assert_int_eq(bed.opened.origin, STORE_RESUMED);
	bed_remove(bed.directory);
	(void)bed_digest(&bed, &n);
	ck_assert_int_eq(bed.opened.origin, STORE_CREATED);
	ck_assert_str_eq(bed.opened.why.text, "");
}
END_TEST

static int
see_version(void *ctx, const union store_record *r)
{
	*(unsigned *)ctx = r->value.nth;
	return 0;
}

static unsigned
open_and_look(void)
{
	const struct store_options options = {.directory = bed.directory};
	unsigned version = 0;
	struct error e;

	ck_assert_int_eq(store_open(&options, &bed.store, &bed.opened, &e), 0);
	ck_assert_int_eq(store_load(bed.store, STORE_VALUE, see_version, &version, &e), 0);
	bed_close(&bed, false);
	return version;
}

/*
 * A log that is broken before its end is damaged; broken in its last commit it looks
 * like what a power cut leaves, and that commit never was.
 */
START_TEST(a_bit_flips_in_the_log)
{
	static const char name[] = "state/coapcast.db-wal";
	off_t size, last;
	unsigned n_aside = 0;

	make_log();
	size = size_of(bed_path(&bed, "good/coapcast.db-wal"));
	/* The last commit is one page, and the header of its frame. */
	last = size - 4096 - 24;
	for (off_t at = 0; at < size; at += at % 4120 < 100 ? 1 : FLIP_STRIDE) {
		unsigned version;

		flip(name, at);
		version = open_and_look();
		if (bed.opened.origin == STORE_SET_ASIDE) {
			n_aside++;
			ck_assert_int_lt(at, last);
			expect_set_aside(name, at, size, version);
			continue;
		}
		ck_assert_msg(version == N_COMMITS || (at >= last && version == N_COMMITS - 1),
			"offset %d of %d: version %u", (int)at, (int)size, version);
	}
	printf("# %u set aside\n", n_aside);
	ck_assert_uint_gt(n_aside, 500);
}
END_TEST

/* What is not there any more cannot tell; but it is never half of a commit, nor a crash. */
START_TEST(the_log_is_cut_short)
{
	unsigned before = N_COMMITS;
	off_t size;

	make_log();
	size = size_of(bed_path(&bed, "good/coapcast.db-wal"));
	for (off_t to = size; to >= 0; to -= CUT_STRIDE) {
		unsigned version;

		cut("state/coapcast.db-wal", to);
		version = open_and_look();
		ck_assert_int_eq(bed.opened.origin == STORE_SET_ASIDE, false);
		ck_assert_uint_le(version, before);
		before = version;
	}
	ck_assert_uint_eq(before, 0);
}
END_TEST

/* What file systems leave of a log that was made just before the power was cut. */
START_TEST(a_log_of_zeros_takes_nothing_away)
{
	static const off_t sizes[] = {1, 31, 32, 33, 56, 4152, 8272, 100000};

	make_log();
	bed_open(&bed, 60000);
	bed_close(&bed, true);
	bed_copy(bed.directory, good);
	ck_assert_int_le(size_of(bed_path(&bed, "good/coapcast.db-wal")), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd;

		bed_copy(good, bed.directory);
		fd = open(bed_path(&bed, "state/coapcast.db-wal"),
			O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(ftruncate(fd, sizes[i]), 0);
		(void)close(fd);
		ck_assert_uint_eq(open_and_look(), N_COMMITS);
		ck_assert_int_eq(bed.opened.origin, STORE_RESUMED);
	}
}
END_TEST

/* With commits behind it a header of zeros is damage. */
START_TEST(a_log_that_begins_with_zeros_is_damaged)
{
	static const uint8_t zeros[32];
	int fd;

	make_log();
	bed_copy(good, bed.directory);
	fd = open(bed_path(&bed, "state/coapcast.db-wal"), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros));
	(void)close(fd);
	(void)open_and_look();
	ck_assert_int_eq(bed.opened.origin, STORE_SET_ASIDE);
}
END_TEST

START_TEST(no_bad_database_is_overwritten)
{
	struct stat st;

	make_database();
	for (int i = 0; i < 3; i++) {
		(void)truncate(bed_path(&bed, "state/coapcast.db"), 5000 + i);
		(void)open_and_look();
		ck_assert_int_eq(bed.opened.origin, STORE_SET_ASIDE);
	}
	ck_assert_ptr_nonnull(strstr(bed.opened.aside, "coapcast.db.bad.3"));
	ck_assert_int_eq(size_of(bed_path(&bed, "state/coapcast.db.bad")), 5000);
	ck_assert_int_eq(size_of(bed_path(&bed, "state/coapcast.db.bad.2")), 5001);
	ck_assert_int_eq(size_of(bed_path(&bed, "state/coapcast.db.bad.3")), 5002);
	/* A log that is set aside is not replayed over the next database. */
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db"), &st), 0);
	(void)open_and_look();
	ck_assert_int_eq(bed.opened.origin, STORE_RESUMED);
}
END_TEST

START_TEST(another_program_s_database_is_set_aside)
{
	FILE *f;

	ck_assert_int_eq(mkdir(bed.directory, 0700), 0);
	f = fopen(bed_path(&bed, "state/coapcast.db"), "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 1000; i++)
		(void)fputs("this is no database at all\n", f);
	(void)fclose(f);
	(void)open_and_look();
	ck_assert_int_eq(bed.opened.origin, STORE_SET_ASIDE);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("storedamage");
	TCase *tc = tcase_create("storedamage");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_bit_flips_in_the_database);
	tcase_add_test(tc, the_database_is_cut_short);
	tcase_add_test(tc, a_bit_flips_in_the_log);
	tcase_add_test(tc, the_log_is_cut_short);
	tcase_add_test(tc, a_log_of_zeros_takes_nothing_away);
	tcase_add_test(tc, a_log_that_begins_with_zeros_is_damaged);
	tcase_add_test(tc, no_bad_database_is_overwritten);
	tcase_add_test(tc, another_program_s_database_is_set_aside);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
