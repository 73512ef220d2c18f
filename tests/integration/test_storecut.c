/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end at any moment: a child that writes is killed before each of its operations
 * on the disk. What was acknowledged is there afterwards, all of it or nothing of what
 * was put at once, both with what the kernel had and with what a power cut leaves.
 */
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../tools/disk.h"
#include "../unit/unit.h"
#include "storebed.h"

#define N_TOPICS 3
#define CLOSED 1000 /* what is said after the last step, at the end of a clean stop */

static struct bed bed;

struct scenario {
	unsigned steps;
	unsigned value_size;
	unsigned lucky; /* percent of unsynced writes that are there all the same */
	unsigned stride; /* every so many operations */
};

static const struct scenario scenarios[] = {
	{6, 10, 0, 1},
	{6, 10, 50, 1},
	/* Enough for the log to be copied to the database in between. */
	{30, 60000, 0, 97},
	{30, 60000, 50, 89},
};
#define N_SCENARIOS ((int)(sizeof(scenarios) / sizeof(scenarios[0])))

static void
set_up(void)
{
	bed_init(&bed);
	/* Nothing here is to outlive this computer. */
	(void)setenv("DISK_DIR", bed.base, 1);
	disk_reset();
}

static void
tear_down(void)
{
	bed_fini(&bed);
	(void)unsetenv("DISK_DIR");
	(void)unsetenv("DISK_SHADOW");
	disk_reset();
}

/* Values of that version for all topics, at once. */
static int
put_version(unsigned version, unsigned size)
{
	static uint8_t data[N_TOPICS][65536];
	union store_record topics[N_TOPICS], values[N_TOPICS];
	struct store_change changes[2 * N_TOPICS];
	size_t n = 0;

	for (unsigned i = 0; i < N_TOPICS && version == 1; i++) {
		bed_topic(i + 1, 1, &topics[i]);
		changes[n++] = (struct store_change){.kind = STORE_TOPIC, .record = &topics[i]};
	}
	for (unsigned i = 0; i < N_TOPICS; i++) {
		bed_value(i + 1, version, &values[i]);
		(void)memset(data[i], (int)version, size);
		values[i].value.data = bytes_of(data[i], size);
		changes[n++] = (struct store_change){.kind = STORE_VALUE, .record = &values[i]};
	}
	if (store_put_all(bed.store, changes, n, STORE_PROMISE, NULL) < 0)
		return -1;
	return bed_expect(&bed, STORE_EVENT_DONE).error;
}

static void
say(int fd, unsigned step)
{
	(void)!write(fd, &step, sizeof(step));
}

/* In the child. */
static void
run(const struct scenario *sc, unsigned die, int acks)
{
	char number[16];

	(void)setenv("DISK_DIR", bed.directory, 1);
	(void)setenv("DISK_SHADOW", bed_path(&bed, "shadow"), 1);
	(void)snprintf(number, sizeof(number), "%u", die);
	(void)setenv("DISK_DIE", number, 1);
	(void)snprintf(number, sizeof(number), "%u", sc->lucky);
	(void)setenv("DISK_LUCKY", number, 1);
	disk_reset();
	bed_open(&bed, 0);
	for (unsigned step = 1; step <= sc->steps; step++) {
		if (put_version(step, sc->value_size) == 0)
			say(acks, step);
	}
	bed_close(&bed, true);
	say(acks, CLOSED);
	_exit(0);
}

/* The last step that was acknowledged; *ret_died: the child was killed. */
static unsigned
kill_before(const struct scenario *sc, unsigned die, bool *ret_died)
{
	int acks[2], status;
	unsigned last = 0, step;
	pid_t pid;

	bed_remove(bed.directory);
	bed_remove(bed_path(&bed, "shadow"));
	ck_assert_int_eq(pipe(acks), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run(sc, die, acks[1]);
	(void)close(acks[1]);
	while (read(acks[0], &step, sizeof(step)) == sizeof(step))
		last = step;
	(void)close(acks[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	*ret_died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	ck_assert(*ret_died || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	return last;
}

static int
see_version(void *ctx, const union store_record *r)
{
	unsigned *versions = ctx;

	ck_assert_uint_le(r->value.topic, N_TOPICS);
	versions[r->value.topic - 1] = r->value.nth;
	return 0;
}

static void
expect(const char *directory, const struct scenario *sc, unsigned die, unsigned acked)
{
	const struct store_options options = {.directory = directory};
	unsigned versions[N_TOPICS] = {0};
	struct store_opened opened;
	struct store *store;
	struct error e = {.text = ""};

	ck_assert_msg(store_open(&options, &store, &opened, &e) == 0, "before %u: %s", die, e.text);
	ck_assert_msg(opened.origin != STORE_SET_ASIDE, "before %u: %s", die, opened.why.text);
	ck_assert_int_eq(store_load(store, STORE_VALUE, see_version, versions, &e), 0);
	for (unsigned i = 0; i < N_TOPICS; i++) {
		unsigned least = acked == CLOSED ? sc->steps : acked;

		ck_assert_msg(versions[i] >= least && versions[i] <= least + 1,
			"before %u: topic %u has version %u, %u was acknowledged", die, i + 1,
			versions[i], acked);
		ck_assert_uint_eq(versions[i], versions[0]);
	}
	if (acked == CLOSED)
		ck_assert(opened.clean);
	ck_assert_int_eq(store_close(store, false, &e), 0);
}

START_TEST(what_was_acknowledged_is_there)
{
	const struct scenario *sc = &scenarios[_i];
	unsigned n_killed = 0, die = 1;
	bool died = true;

	for (; died; die += sc->stride) {
		unsigned acked = kill_before(sc, die, &died);

		/* After a power cut first: a look at it changes it. */
		if (access(bed_path(&bed, "shadow/cut"), F_OK) == 0)
			expect(bed_path(&bed, "shadow/cut"), sc, die, acked);
		expect(bed.directory, sc, die, acked);
		n_killed += died;
	}
	printf("# killed before %u of %u operations\n", n_killed, die - sc->stride);
	ck_assert_uint_gt(n_killed, 20);
}
END_TEST

/* The instrument itself: what is not synced is not there, and what is, is. */
START_TEST(a_power_cut_takes_what_was_not_synced)
{
	struct stat st;
	int fd, dir;

	ck_assert_int_eq(mkdir(bed.directory, 0700), 0);
	(void)setenv("DISK_DIR", bed.directory, 1);
	(void)setenv("DISK_SHADOW", bed_path(&bed, "shadow"), 1);
	disk_reset();
	fd = open(bed_path(&bed, "state/a"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	dir = open(bed.directory, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(pwrite(fd, "abc", 3, 0), 3);
	ck_assert_int_lt(stat(bed_path(&bed, "shadow/cut/a"), &st), 0);
	ck_assert_int_eq(fsync(dir), 0);
	ck_assert_int_eq(stat(bed_path(&bed, "shadow/cut/a"), &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(pwrite(fd, "def", 3, 3), 3);
	ck_assert_int_eq(stat(bed_path(&bed, "shadow/cut/a"), &st), 0);
	ck_assert_int_eq(st.st_size, 3);
	(void)close(fd);
	(void)close(dir);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("storecut");
	TCase *tc = tcase_create("storecut");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, what_was_acknowledged_is_there, 0, N_SCENARIOS);
	tcase_add_test(tc, a_power_cut_takes_what_was_not_synced);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
