/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"

START_TEST(level_names)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
		{"error", LOG_LEVEL_ERROR},
		{"warning", LOG_LEVEL_WARNING},
		{"notice", LOG_LEVEL_NOTICE},
		{"info", LOG_LEVEL_INFO},
		{"debug", LOG_LEVEL_DEBUG},
	};
	enum log_level level = LOG_LEVEL_ERROR;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(log_level_parse(names[i].name, &level), 0);
		ck_assert_int_eq(level, names[i].level);
		log_set_level(level);
		for (unsigned l = LOG_LEVEL_ERROR; l <= LOG_LEVEL_DEBUG; l++)
			ck_assert_int_eq(log_would(l), l <= level);
	}
	ck_assert_int_eq(log_level_parse("loud", &level), -EINVAL);
	ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
	log_set_level(LOG_LEVEL_NOTICE);
}

START_TEST(a_brake_lets_five_through_in_ten_seconds)
{
	struct log_brake b = {0};
	uint32_t held = 99;

	for (unsigned i = 0; i < 5; i++) {
		ck_assert(log_brake_pass(&b, 50000 + i, &held));
		ck_assert_uint_eq(held, 0);
	}
	held = 99;
	for (unsigned i = 0; i < 7; i++)
		ck_assert(!log_brake_pass(&b, 50010, &held));
	ck_assert_uint_eq(held, 99);
	ck_assert(!log_brake_pass(&b, 59999, &held));
	/* The first one after that tells how many were held back. */
	ck_assert(log_brake_pass(&b, 60000, &held));
	ck_assert_uint_eq(held, 8);
	ck_assert(log_brake_pass(&b, 60000, &held));
	ck_assert_uint_eq(held, 0);
}

/* What log_put writes to stderr, into a static buffer. */
static const char *
captured(enum log_level level, const char *text)
{
	static char line[2048];
	int keep = dup(STDERR_FILENO), fd[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fd), 0);
	dup2(fd[1], STDERR_FILENO);
	log_put(level, "%s", text);
	dup2(keep, STDERR_FILENO);
	close(keep);
	close(fd[1]);
	n = read(fd[0], line, sizeof(line) - 1);
	close(fd[0]);
	ck_assert_int_ge(n, 0);
	line[n] = '\0';
	return line;
}

START_TEST(lines)
{
	char long_text[3000];

	unsetenv("JOURNAL_STREAM");
	ck_assert_str_eq(captured(LOG_LEVEL_ERROR, "net: no way"), "net: no way\n");
	ck_assert_str_eq(captured(LOG_LEVEL_DEBUG, "net: detail"), "");
	setenv("JOURNAL_STREAM", "8:1", 1);
	ck_assert_str_eq(captured(LOG_LEVEL_WARNING, "net: hm"), "<4>net: hm\n");
	/* Cut, and a line still. */
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	ck_assert_uint_eq(strlen(captured(LOG_LEVEL_ERROR, long_text)), 1023);
	ck_assert_int_eq(captured(LOG_LEVEL_ERROR, long_text)[1022], '\n');
	ck_assert_int_eq(captured(LOG_LEVEL_ERROR, long_text)[1021], 'x');
	unsetenv("JOURNAL_STREAM");
}

START_TEST(errors_are_cut)
{
	char long_text[600];
	struct error e;

	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	error_set(&e, "%s: %d", "bad", 5);
	ck_assert_str_eq(e.text, "bad: 5");
	error_set(&e, "%s", long_text);
	ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_test(t, level_names);
	tcase_add_test(t, a_brake_lets_five_through_in_ten_seconds);
	tcase_add_test(t, lines);
	tcase_add_test(t, errors_are_cut);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
