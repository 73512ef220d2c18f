/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store on disks that fail, and with databases that are damaged: what was
 * promised is kept, what cannot be kept is not promised, and all else goes on.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../tools/disk.h"
#include "../unit/unit.h"
#include "storebed.h"

static struct bed bed;

static void
set_up(void)
{
	bed_init(&bed);
	(void)setenv("DISK_DIR", bed.directory, 1);
	(void)setenv("DISK_FAULT", bed_path(&bed, "fault"), 1);
	(void)setenv("DISK_GATE", bed_path(&bed, "gate"), 1);
	disk_reset();
}

static void
tear_down(void)
{
	bed_fini(&bed);
	(void)unsetenv("DISK_DIR");
	disk_reset();
}

/* NULL: nothing is wrong any more. */
static void
fault(const char *word)
{
	const char *path = bed_path(&bed, "fault"), *fresh = bed_path(&bed, "fault.new");
	FILE *f;

	if (!word) {
		ck_assert_int_eq(unlink(path), 0);
		return;
	}
	f = fopen(fresh, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(word, f);
	(void)fclose(f);
	ck_assert_int_eq(rename(fresh, path), 0);
}

static void
put_topics(unsigned n)
{
	union store_record r;

	for (unsigned id = 1; id <= n; id++) {
		bed_topic(id, 1, &r);
		ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &r), 0);
		bed_value(id, 1, &r);
		ck_assert_int_eq(bed_promise(&bed, STORE_VALUE, &r), 0);
	}
}

/* --- disks that fail --------------------------------------------------------------- */

static const struct {
	const char *fault;
	int error;
	const char *says; /* a part of what is told */
} faults[] = {
	{"enospc", -ENOSPC, "No space left on device"},
	{"eio", -EIO, "Input/output error"},
	{"erofs", -EROFS, "Read-only file system"},
	{"fsync", -EIO, "Input/output error"},
};
#define N_FAULTS ((int)(sizeof(faults) / sizeof(faults[0])))

START_TEST(a_failure_breaks_promises_and_keeps_facts)
{
	union store_record promise, fact, later;
	struct store_event event;
	struct store_stats stats;

	bed_open(&bed, 60000);
	put_topics(3);
	fault(faults[_i].fault);
	bed_value(1, 2, &promise);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &promise, STORE_PROMISE, NULL), 0);
	event = bed_expect(&bed, STORE_EVENT_DONE);
	ck_assert_int_eq(event.error, faults[_i].error);
	event = bed_expect(&bed, STORE_EVENT_FAILING);
	ck_assert_msg(strstr(event.why.text, faults[_i].says) != NULL, "%s", event.why.text);

	/* Nothing is promised any more; facts are taken. */
	ck_assert(!store_is_well(bed.store));
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &promise, STORE_PROMISE, NULL), -EIO);
	bed_value(2, 2, &later);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &later, STORE_LATER, NULL), 0);
	bed_value(3, 2, &fact);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &fact, STORE_NOW, NULL), 0);

	fault(NULL);
	(void)bed_expect(&bed, STORE_EVENT_RECOVERED);
	ck_assert(store_is_well(bed.store));
	store_stats(bed.store, &stats);
	ck_assert_uint_eq(stats.broken, 1);
	ck_assert_uint_eq(stats.refused, 1);
	ck_assert_uint_ge(stats.failures, 1);
	bed_close(&bed, true);
	/* What was refused is not there, however far it got. */
	ck_assert_uint_eq(bed_version(&bed, 1), 1);
	ck_assert_uint_eq(bed_version(&bed, 2), 2);
	ck_assert_uint_eq(bed_version(&bed, 3), 2);
}
END_TEST

/* A promise that stood in for a fact is broken: the fact is kept after all. */
START_TEST(a_broken_promise_takes_no_fact_with_it)
{
	union store_record r;

	bed_open(&bed, 60000);
	put_topics(2);
	bed_value(1, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_LATER, NULL), 0);
	fault(faults[_i].fault);
	bed_value(1, 3, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_PROMISE, NULL), 0);
	ck_assert_int_lt(bed_expect(&bed, STORE_EVENT_DONE).error, 0);
	(void)bed_expect(&bed, STORE_EVENT_FAILING);
	fault(NULL);
	(void)bed_expect(&bed, STORE_EVENT_RECOVERED);
	bed_close(&bed, true);
	ck_assert_uint_eq(bed_version(&bed, 1), 2);
}
END_TEST

/* A newer fact is not overwritten by an older one that failed before it. */
START_TEST(the_newest_fact_wins_over_what_failed)
{
	union store_record r;

	bed_open(&bed, 60000);
	put_topics(2);
	fault(faults[_i].fault);
	bed_value(1, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_NOW, NULL), 0);
	bed_value(2, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_NOW, NULL), 0);
	(void)bed_expect(&bed, STORE_EVENT_FAILING);
	bed_value(1, 3, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_NOW, NULL), 0);
	bed_topic(2, 1, &r);
	ck_assert_int_eq(store_remove(bed.store, STORE_TOPIC, &r, STORE_NOW, NULL), 0);
	fault(NULL);
	(void)bed_expect(&bed, STORE_EVENT_RECOVERED);
	bed_close(&bed, true);
	ck_assert_uint_eq(bed_version(&bed, 1), 3);
	ck_assert_uint_eq(bed_version(&bed, 2), 0);
}
END_TEST

START_TEST(a_failing_disk_at_the_start_is_said_and_nothing_is_set_aside)
{
	struct error e;
	struct stat st;

	bed_open(&bed, 0);
	put_topics(1);
	bed_close(&bed, false);
	fault(faults[_i].fault);
	ck_assert_int_eq(bed_try(&bed, 0, &e), faults[_i].error);
	ck_assert_msg(strstr(e.text, faults[_i].says) != NULL, "%s", e.text);
	fault(NULL);
	ck_assert_int_lt(stat(bed_path(&bed, "state/coapcast.db.bad"), &st), 0);
	ck_assert_uint_eq(bed_version(&bed, 1), 1);
}
END_TEST

START_TEST(a_failing_disk_at_the_stop_is_said)
{
	union store_record r;
	struct error e;

	bed_open(&bed, 60000);
	put_topics(1);
	bed_value(1, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_LATER, NULL), 0);
	fault(faults[_i].fault);
	ck_assert_int_eq(store_close(bed.store, true, &e), faults[_i].error);
	bed.store = NULL;
	fault(NULL);
	bed_open(&bed, 0);
	ck_assert(!bed.opened.clean);
	bed_close(&bed, false);
	/* It was never said to be kept; after an fsync that failed it may be all the same. */
	ck_assert_uint_le(bed_version(&bed, 1), strcmp(faults[_i].fault, "fsync") == 0 ? 2 : 1);
	ck_assert_uint_ge(bed_version(&bed, 1), 1);
}
END_TEST

START_TEST(a_database_that_cannot_be_read_is_not_taken_for_damaged)
{
	struct error e;
	struct stat st;

	bed_open(&bed, 0);
	put_topics(1);
	bed_close(&bed, true);
	fault("read");
	ck_assert_int_eq(bed_try(&bed, 0, &e), -EIO);
	fault(NULL);
	ck_assert_int_lt(stat(bed_path(&bed, "state/coapcast.db.bad"), &st), 0);
	ck_assert_uint_eq(bed_version(&bed, 1), 1);
}
END_TEST

/* A disk that does not answer: after a while nothing is promised; then all is well again. */
START_TEST(a_disk_that_hangs_is_late)
{
	union store_record r;
	int gate;

	bed_open(&bed, 0);
	put_topics(1);
	ck_assert_int_eq(mkfifo(bed_path(&bed, "gate"), 0600), 0);
	fault("hang");
	bed_value(1, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_PROMISE, NULL), 0);
	ck_assert(store_is_well(bed.store));
	while (store_is_well(bed.store))
		;
	fault(NULL);
	/* Both ends: it may not have come to the disk yet, and then it never waits there. */
	gate = open(bed_path(&bed, "gate"), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(gate, 0);
	ck_assert_int_eq(bed_expect(&bed, STORE_EVENT_DONE).error, 0);
	(void)close(gate);
	ck_assert(store_is_well(bed.store));
}
END_TEST

/* More than SQLite keeps in memory. */
static void
put_much(unsigned version)
{
	static uint8_t data[4000];
	union store_record r;

	for (unsigned id = 1; id <= 2000; id++) {
		bed_topic(id, 1, &r);
		ck_assert_int_eq(store_put(bed.store, STORE_TOPIC, &r, STORE_NOW, NULL), 0);
		bed_value(id, version, &r);
		r.value.data = BYTES_OF(data);
		ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_NOW, NULL), 0);
	}
}

/*
 * The log can be written and the database cannot: it grows, but not for ever, and what it
 * has is kept.
 */
START_TEST(a_log_that_cannot_be_moved_stays_short)
{
	unsigned version = 0;
	union store_record r;
	struct stat st;
	int rc;

	bed_open(&bed, 60000);
	put_topics(1);
	fault("proper");
	do {
		put_much(++version);
		bed_value(1, version, &r);
		rc = bed_promise(&bed, STORE_VALUE, &r);
		ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db-wal"), &st), 0);
		ck_assert_int_lt(st.st_size, 64 << 20);
	} while (rc == 0);
	ck_assert_int_eq(rc, -EIO);
	(void)bed_expect(&bed, STORE_EVENT_FAILING);
	ck_assert_int_gt(st.st_size, 16 << 20);
	fault(NULL);
	(void)bed_expect(&bed, STORE_EVENT_RECOVERED);
	ck_assert_int_eq(bed_promise(&bed, STORE_VALUE, &r), 0);
	bed_close(&bed, true);
	ck_assert_uint_eq(bed_version(&bed, 2000), version);
}
END_TEST

/* --- databases that go away -------------------------------------------------------- */

static void
remove_database(void)
{
	ck_assert_int_eq(unlink(bed_path(&bed, "state/coapcast.db")), 0);
}

static void
remove_log(void)
{
	ck_assert_int_eq(unlink(bed_path(&bed, "state/coapcast.db-wal")), 0);
}

static void
remove_directory(void)
{
	bed_remove(bed.directory);
}

static void
replace_database(void)
{
	remove_database();
	ck_assert_int_eq(link(bed_path(&bed, "lock"), bed_path(&bed, "state/coapcast.db")), 0);
}

static void
overwrite_database(void)
{
	static const uint8_t junk[64 * 4096] = {1, 2, 3};
	int fd = open(bed_path(&bed, "state/coapcast.db"), O_WRONLY | O_CLOEXEC);

	for (off_t at = 1; at <= 16; at++)
		ck_assert_int_eq(
			pwrite(fd, junk, sizeof(junk), at * 64 * 4096), (ssize_t)sizeof(junk));
	(void)close(fd);
}

static const struct {
	void (*happens)(void);
	bool aside; /* something of it is left */
} losses[] = {
	{remove_database, false},
	{remove_log, true},
	{remove_directory, false},
};
#define N_LOSSES ((int)(sizeof(losses) / sizeof(losses[0])))

START_TEST(a_database_that_is_removed_is_started_anew)
{
	union store_record r;
	struct store_event event;
	struct stat st;

	bed_open(&bed, 60000);
	put_topics(2);
	losses[_i].happens();
	bed_value(1, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_PROMISE, NULL), 0);
	event = bed_expect(&bed, STORE_EVENT_ANEW);
	ck_assert_ptr_nonnull(strstr(event.why.text, "removed"));
	ck_assert_int_lt(bed_expect(&bed, STORE_EVENT_DONE).error, 0);
	/* Now everything is put again. */
	put_topics(2);
	bed_close(&bed, true);
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db.bad"), &st) == 0, losses[_i].aside);
	ck_assert_uint_eq(bed_version(&bed, 1), 1);
	ck_assert_uint_eq(bed_version(&bed, 2), 1);
	ck_assert_int_eq(bed.opened.origin, STORE_RESUMED);
}
END_TEST

/* Promises that were made as if the old database were there are broken. */
START_TEST(nothing_is_promised_before_the_loss_is_heard_of)
{
	struct store_stats stats;
	uint64_t first, second;
	struct store_event event;
	union store_record r;
	unsigned before;
	int gate;

	bed_open(&bed, 60000);
	put_topics(2);
	ck_assert_int_eq(mkfifo(bed_path(&bed, "gate"), 0600), 0);
	fault("hang");
	remove_database();
	before = disk_n_operations();
	bed_value(1, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_PROMISE, &first), 0);
	/* It is under way, and stays so: what comes now is for the next commit. */
	while (disk_n_operations() == before)
		(void)sched_yield();
	bed_value(2, 2, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_PROMISE, &second), 0);
	gate = open(bed_path(&bed, "gate"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(gate, 0);
	fault(NULL);
	(void)close(gate);
	do {
		(void)sched_yield();
		store_stats(bed.store, &stats);
	} while (stats.anew == 0);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_PROMISE, NULL), -EIO);
	(void)bed_expect(&bed, STORE_EVENT_ANEW);
	event = bed_expect(&bed, STORE_EVENT_DONE);
	ck_assert_uint_eq(event.ticket, first);
	ck_assert_int_lt(event.error, 0);
	event = bed_expect(&bed, STORE_EVENT_DONE);
	ck_assert_uint_eq(event.ticket, second);
	ck_assert_int_lt(event.error, 0);
	put_topics(2);
	bed_close(&bed, true);
	ck_assert_uint_eq(bed_version(&bed, 2), 1);
}
END_TEST

START_TEST(another_file_in_its_place_is_set_aside)
{
	struct stat before, after;
	FILE *f = fopen(bed_path(&bed, "lock"), "w");

	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
	bed_open(&bed, 0);
	put_topics(1);
	replace_database();
	ck_assert_int_eq(stat(bed_path(&bed, "lock"), &before), 0);
	(void)store_put(bed.store, STORE_META,
		&(union store_record){.meta = {.name = BYTES_LIT("x")}}, STORE_NOW, NULL);
	(void)bed_expect(&bed, STORE_EVENT_ANEW);
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db.bad"), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

/* Damaged while it runs: noticed when that part is needed, and started anew then. */
START_TEST(a_database_damaged_while_running_is_set_aside)
{
	struct store_event event;
	struct stat st;

	bed_open(&bed, 60000);
	put_much(1);
	bed_close(&bed, true);
	bed_open(&bed, 60000);
	overwrite_database();
	put_much(2);
	event = bed_expect(&bed, STORE_EVENT_ANEW);
	ck_assert_msg(strstr(event.why.text, "malformed") != NULL, "%s", event.why.text);
	put_topics(1);
	bed_close(&bed, true);
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db.bad"), &st), 0);
	ck_assert_uint_eq(bed_version(&bed, 1), 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("storefault");
	TCase *tc = tcase_create("storefault");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_failure_breaks_promises_and_keeps_facts, 0, N_FAULTS);
	tcase_add_loop_test(tc, a_broken_promise_takes_no_fact_with_it, 0, N_FAULTS);
	tcase_add_loop_test(tc, the_newest_fact_wins_over_what_failed, 0, N_FAULTS);
	tcase_add_loop_test(
		tc, a_failing_disk_at_the_start_is_said_and_nothing_is_set_aside, 0, N_FAULTS);
	tcase_add_loop_test(tc, a_failing_disk_at_the_stop_is_said, 0, N_FAULTS);
	tcase_add_test(tc, a_database_that_cannot_be_read_is_not_taken_for_damaged);
	tcase_add_test(tc, a_log_that_cannot_be_moved_stays_short);
	tcase_add_test(tc, a_disk_that_hangs_is_late);
	tcase_add_loop_test(tc, a_database_that_is_removed_is_started_anew, 0, N_LOSSES);
	tcase_add_test(tc, nothing_is_promised_before_the_loss_is_heard_of);
	tcase_add_test(tc, another_file_in_its_place_is_set_aside);
	tcase_add_test(tc, a_database_damaged_while_running_is_set_aside);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
