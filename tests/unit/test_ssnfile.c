/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's sequence numbers: RFC 8613 B.1.1, and that several processes share a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/ssnfile.h"
#include "unit.h"

#define HEAD "coapcast sequence numbers 2\nwritten 1.000000000\n"

static char folder[64], credentials[96], file[128];
static struct {
	struct ssnfile *f;
	struct ssn *s;
} killed[8];
static int n_killed;
static const uint8_t key_a[SSN_FINGERPRINT] = {1}, key_b[SSN_FINGERPRINT] = {2};

static void
setup(void)
{
	FILE *f;

	(void)snprintf(folder, sizeof(folder), "/tmp/ssnfile.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(credentials, sizeof(credentials), "%s/c.yaml", folder);
	(void)snprintf(file, sizeof(file), "%s" SSNFILE_SUFFIX, credentials);
	f = fopen(credentials, "we");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
}

static void
teardown(void)
{
	while (n_killed > 0) {
		n_killed--;
		ssn_release(killed[n_killed].s);
		ssnfile_close(killed[n_killed].f);
	}
	(void)unlink(credentials);
	(void)unlink(file);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left */
}

static struct ssnfile *
open_file(void)
{
	struct ssnfile *f;
	struct error e;

	ck_assert_msg(ssnfile_open(credentials, &e, &f) == 0, "%s", e.text);
	return f;
}

static struct ssn *
get(struct ssnfile *f, const uint8_t *key)
{
	struct ssn *s;
	struct error e;

	ck_assert_msg(ssnfile_get(f, key, &e, &s) == 0, "%s", e.text);
	return s;
}

static uint64_t
take(struct ssnfile *f, struct ssn *s)
{
	uint64_t n;

	ssnfile_catch_up(f);
	ck_assert_int_eq(ssn_take(s, &n), 0);
	return n;
}

START_TEST(the_first_time_it_is_the_clock)
{
	struct ssnfile *f = open_file();
	struct ssn *s = get(f, key_a);
	uint64_t now = (uint64_t)time(NULL) - SSN_EPOCH_S, n = take(f, s);
	struct stat st;

	ck_assert_uint_ge(n, (now - 2) * 1024);
	ck_assert_uint_le(n, ((uint64_t)time(NULL) - SSN_EPOCH_S + 1) * 1024);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ssn_release(s);
	ssnfile_close(f);
}

START_TEST(a_clean_end_gives_back_what_was_not_used)
{
	struct ssnfile *f = open_file();
	struct ssn *s = get(f, key_a);
	uint64_t n = take(f, s);

	ssn_release(s);
	ssnfile_close(f);
	f = open_file();
	s = get(f, key_a);
	ck_assert_uint_eq(take(f, s), n + 1);
	ssn_release(s);
	ssnfile_close(f);
}

START_TEST(rfc8613_b_1_1_a_killed_process_repeats_nothing)
{
	struct ssnfile *f = open_file(), *next;
	struct ssn *s = get(f, key_a), *t;
	uint64_t n = take(f, s);

	/* The first one never says goodbye. */
	next = open_file();
	t = get(next, key_a);
	ck_assert_uint_gt(take(next, t), n);
	ssn_release(t);
	ssnfile_close(next);
	ssn_release(s);
	ssnfile_close(f);
}

/* The next run, of a process that is killed (no close) or ends. */
static uint64_t
run(bool is_killed)
{
	struct ssnfile *f = open_file();
	struct ssn *s = get(f, key_a);
	uint64_t n = 0;

	for (int i = 0; i < 3; i++)
		n = take(f, s);
	if (!is_killed) {
		ssn_release(s);
		ssnfile_close(f);
	} else {
		killed[n_killed].f = f;
		killed[n_killed++].s = s;
	}
	return n;
}

/* One after the other in less than a second, each time after the file was lost. */
START_TEST(oscore_9_a_lost_file_repeats_nothing)
{
	uint64_t last = 0;

	for (int i = 0; i < 6; i++) {
		uint64_t n = run(i % 2);

		ck_assert_uint_ge(n, last + 3);
		last = n;
		ck_assert_int_eq(unlink(file), 0);
	}
	/* Nobody runs ahead of the clock, which is what makes it right. */
	ck_assert_uint_lt(last, ssn_clock(((int64_t)time(NULL) + 1) * 1000));
}

START_TEST(oscore_9_a_file_lost_between_two_who_run)
{
	struct ssnfile *f[2] = {open_file(), open_file()};
	struct ssn *s[2] = {get(f[0], key_a), get(f[1], key_a)};
	uint64_t last = 0;

	for (int i = 0; i < 12; i++) {
		uint64_t n = take(f[i % 3 == 0], s[i % 3 == 0]);

		ck_assert_uint_gt(n, last);
		last = n;
		if (i % 2)
			ck_assert_int_eq(unlink(file), 0);
	}
	for (int i = 0; i < 2; i++) {
		ssn_release(s[i]);
		ssnfile_close(f[i]);
	}
}

static size_t
read_file(char *text, size_t cap)
{
	FILE *f = fopen(file, "re");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, cap - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return n;
}

static void write_file(const char *text, mode_t mode);

/* As cp does; in the second round also as cp -p, of a copy that is an hour old. */
START_TEST(oscore_9_an_older_copy_repeats_nothing)
{
	char old[1024], *dated;
	struct timespec dates[2] = {{.tv_nsec = 5}, {.tv_nsec = 5}};
	uint64_t last = run(false), other;
	struct ssnfile *f = open_file();
	struct ssn *s = get(f, key_b);

	other = take(f, s);
	ssn_release(s);
	ssnfile_close(f);
	(void)read_file(old, sizeof(old));
	if (_i) {
		dates[0].tv_sec = dates[1].tv_sec = time(NULL) - 3600;
		dated = strstr(old, "written ") + strlen("written ");
		(void)sprintf(dated, "%lld.000000005", (long long)dates[0].tv_sec);
		dated[strlen(dated)] = '\n';
	}
	for (int i = 0; i < 3; i++) {
		uint64_t n = run(i % 2);

		ck_assert_uint_gt(n, last);
		last = n;
		write_file(old, 0600);
		if (_i)
			ck_assert_int_eq(utimensat(AT_FDCWD, file, dates, 0), 0);
	}
	/* Nor with the other key, though the file was written since. */
	ck_assert_uint_gt(run(false), last);
	f = open_file();
	s = get(f, key_b);
	ck_assert_uint_gt(take(f, s), other + 1); /* what the copy says */
	ssn_release(s);
	ssnfile_close(f);
}

/* RFC 8613 7.4: whatever was put down ahead of need is well within a window of 32. */
START_TEST(rfc8613_7_4_who_was_alone_leaves_no_gap_that_matters)
{
	struct ssnfile *f = open_file(), *other = open_file();
	struct ssn *s = get(f, key_a), *t;
	uint64_t n = 0, m;

	for (int i = 0; i < 100; i++)
		n = take(f, s);
	t = get(other, key_a);
	m = take(other, t);
	ck_assert_uint_gt(m, n);
	ck_assert_uint_le(m, n + SSNFILE_STEP);
	/* Then by turns. */
	ck_assert_uint_eq(take(f, s), m + 1);
	ck_assert_uint_eq(take(other, t), m + 2);
	ck_assert_uint_eq(take(f, s), m + 3);
	ssn_release(s);
	ssn_release(t);
	ssnfile_close(other);
	ssnfile_close(f);
}

START_TEST(two_at_once_take_turns)
{
	struct ssnfile *f[2] = {open_file(), open_file()};
	struct ssn *s[2] = {get(f[0], key_a), get(f[1], key_a)};
	uint64_t last = 0;

	/* Each number is above all before, whoever takes it: a server would take it for a replay. */
	for (int i = 0; i < 20; i++) {
		uint64_t n = take(f[i % 3 == 0], s[i % 3 == 0]);

		ck_assert_uint_gt(n, last);
		last = n;
	}
	/* The clock is faster. */
	ck_assert_uint_lt(
		last, ((uint64_t)time(NULL) - SSN_EPOCH_S + 1) * 1024 + 30 * SSNFILE_STEP);
	for (int i = 0; i < 2; i++) {
		ssn_release(s[i]);
		ssnfile_close(f[i]);
	}
	f[0] = open_file();
	s[0] = get(f[0], key_a);
	ck_assert_uint_gt(take(f[0], s[0]), last);
	ssn_release(s[0]);
	ssnfile_close(f[0]);
}

/* As it was left a while ago. */
static void
write_bound(uint64_t bound)
{
	struct timespec dates[2];
	char text[256];
	struct buf out = buf_of(text, sizeof(text));

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &dates[0]), 0);
	dates[1] = dates[0];
	buf_printf(&out, "coapcast sequence numbers 2\nwritten %lld.%09ld\n",
		(long long)dates[0].tv_sec, dates[0].tv_nsec);
	buf_put_hex(&out, BYTES_OF(key_a));
	buf_printf(&out, " %llu\n", (unsigned long long)bound);
	write_file(buf_str(&out), 0600);
	ck_assert_int_eq(utimensat(AT_FDCWD, file, dates, 0), 0);
}

START_TEST(long_runs_reserve_more)
{
	struct ssnfile *f, *other = open_file();
	struct ssn *s, *t;
	uint64_t first, n = 0;

	write_bound(4711);
	f = open_file();
	s = get(f, key_a);
	first = take(f, s);
	ck_assert_uint_eq(first, 4711);
	for (int i = 0; i < 3 * SSN_STEP; i++)
		ck_assert_int_eq(ssn_take(s, &n), 0);
	ck_assert_uint_eq(n, first + 3 * SSN_STEP);
	t = get(other, key_a);
	ck_assert_uint_gt(take(other, t), n);
	ssn_release(s);
	ssn_release(t);
	ssnfile_close(other);
	ssnfile_close(f);
}

START_TEST(keys_do_not_mix)
{
	struct ssnfile *f = open_file();
	struct ssn *a = get(f, key_a), *b = get(f, key_b), *again = get(f, key_a);
	uint64_t n = take(f, a);

	ck_assert_ptr_eq(a, again);
	(void)take(f, b);
	ck_assert_uint_eq(take(f, a), n + 1);
	ssn_release(a);
	ssn_release(b);
	ssn_release(again);
	ssnfile_close(f);
}

static void
write_file(const char *text, mode_t mode)
{
	FILE *f = fopen(file, "we");

	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
	ck_assert_int_eq(chmod(file, mode), 0);
}

static void
refused(const char *why)
{
	struct ssnfile *f = open_file();
	struct ssn *s;
	struct error e;

	ck_assert_int_lt(ssnfile_get(f, key_a, &e, &s), 0);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	ck_assert_ptr_nonnull(ssnfile_failure(f));
	ssnfile_close(f);
}

START_TEST(a_file_of_others_is_refused)
{
	write_file("", 0644);
	refused("nobody else");
}

START_TEST(a_damaged_file_is_refused)
{
	static const char *const texts[] = {
		"x",
		"coapcast sequence numbers 1\n",
		"coapcast sequence numbers 2\n",
		"coapcast sequence numbers 2\nwritten 1\n",
		"coapcast sequence numbers 2\nwritten -1.000000000\n",
		"coapcast sequence numbers 2\nwritten 1.00000000\n",
		"coapcast sequence numbers 2\nwritten 1.0000000000\n",
		"coapcast sequence numbers 2\nwritten 1.-00000000\n",
		"coapcast sequence numbers 2\nwritten 99999999999999999999.000000000\n",
		"coapcast sequence numbers 2\nwritten 1.000000000",
		HEAD "01 5\n",
		HEAD "0100000000000000000000000000000000000000000000000000000000000000 5",
		HEAD "0100000000000000000000000000000000000000000000000000000000000000 -5\n",
		HEAD
		"0100000000000000000000000000000000000000000000000000000000000000 99999999999999\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(texts[i], 0600);
		refused("damaged");
	}
}

START_TEST(rfc8613_7_2_1_numbers_that_are_used_up_are_told)
{
	write_file(HEAD
		"0100000000000000000000000000000000000000000000000000000000000000 1099511627776\n",
		0600);
	struct ssnfile *f = open_file();
	struct ssn *s;
	struct error e;

	ck_assert_int_eq(ssnfile_get(f, key_a, &e, &s), -EOVERFLOW);
	ssnfile_close(f);
}

START_TEST(a_link_is_not_followed)
{
	ck_assert_int_eq(symlink("/tmp/elsewhere", file), 0);
	refused("cannot be opened");
}

static Suite *
suite(void)
{
	Suite *s = suite_create("ssnfile");
	TCase *t = tcase_create("ssnfile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_first_time_it_is_the_clock);
	tcase_add_test(t, a_clean_end_gives_back_what_was_not_used);
	tcase_add_test(t, rfc8613_b_1_1_a_killed_process_repeats_nothing);
	tcase_add_test(t, oscore_9_a_lost_file_repeats_nothing);
	tcase_add_test(t, oscore_9_a_file_lost_between_two_who_run);
	tcase_add_loop_test(t, oscore_9_an_older_copy_repeats_nothing, 0, 2);
	tcase_add_test(t, two_at_once_take_turns);
	tcase_add_test(t, rfc8613_7_4_who_was_alone_leaves_no_gap_that_matters);
	tcase_add_test(t, long_runs_reserve_more);
	tcase_add_test(t, keys_do_not_mix);
	tcase_add_test(t, a_file_of_others_is_refused);
	tcase_add_test(t, a_damaged_file_is_refused);
	tcase_add_test(t, rfc8613_7_2_1_numbers_that_are_used_up_are_told);
	tcase_add_test(t, a_link_is_not_followed);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
