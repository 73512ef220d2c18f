/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sender Sequence Numbers and replay windows on a real store: RFC 8613 7.2.1, 7.5, B.1, and
 * oscore.md's rules for state that is lost. net/ssnstore.c.
 */
#include "net/ssnstore.h"

#include <errno.h>

#include "storebed.h"
#include "../unit/unit.h"

#define NOW_S (SSN_EPOCH_S + 100000000)

static struct bed bed;
static struct ssnstore *numbers;
static int64_t wall;
static const uint8_t first[SSN_FINGERPRINT] = {1}, second[SSN_FINGERPRINT] = {2};

static int64_t
wall_s(void *ctx)
{
	(void)ctx;
	return wall;
}

/* Opens what is there, not yet started. */
static void
open_numbers(void)
{
	const struct store_options options = {.directory = bed.directory};
	struct ssnstore_options mine = {.wall_s = wall_s};
	struct error e = {.text = ""};

	ck_assert_msg(store_open(&options, &bed.store, &bed.opened, &e) == 0, "%s", e.text);
	mine.store = bed.store;
	mine.clean = bed.opened.clean;
	ck_assert_msg(ssnstore_new(&mine, &numbers, &e) == 0, "%s", e.text);
}

/* Waits until nothing is under way, of the disk and of the clock. */
static void
settle(void)
{
	struct store_event event;

	wall += ssnstore_is_early(numbers);

	while (ssnstore_is_waiting(numbers)) {
		if (store_next_event(bed.store, &event))
			ssnstore_event(numbers, &event);
	}
}

static void
run(void)
{
	struct error e = {.text = ""};

	ck_assert_msg(store_start(bed.store, &e) == 0, "%s", e.text);
	settle();
}

/* A crash is a stop that nothing is told of. */
static void
end(bool clean)
{
	struct error e = {.text = ""};

	if (clean)
		ssnstore_stop(numbers);
	ck_assert_msg(store_close(bed.store, clean, &e) == 0, "%s", e.text);
	bed.store = NULL;
	ssnstore_free(numbers);
}

static uint64_t
take(struct ssn *s)
{
	uint64_t ret;

	ck_assert_int_eq(ssn_take(s, &ret), 0);
	return ret;
}

static void
setup(void)
{
	bed_init(&bed);
	wall = NOW_S;
}

static void
teardown(void)
{
	bed_fini(&bed);
}

START_TEST(rfc8613_b_1_1_no_number_twice_after_any_stop)
{
	uint64_t last = 0;

	for (int i = 0; i < 6; i++) {
		struct ssn *s;
		uint64_t n;

		open_numbers();
		s = ssnstore_get(numbers, first);
		run();
		n = take(s);
		if (i > 0 && bed.opened.clean)
			ck_assert_uint_eq(n, last + 1);
		else
			ck_assert_uint_gt(n, last);
		ck_assert_uint_le(n, last == 0 ? UINT64_MAX : last + 2 * SSN_STEP);
		for (int k = 0; k < 5000; k++) {
			n = take(s);
			settle();
		}
		last = n;
		ssn_release(s);
		end(i % 2 == 0);
	}
}
END_TEST

START_TEST(rfc8613_b_1_1_nothing_before_it_is_durable)
{
	struct ssn *s;
	uint64_t n;

	open_numbers();
	s = ssnstore_get(numbers, first);
	ck_assert(ssnstore_is_waiting(numbers));
	ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
	run();
	ck_assert_uint_eq(take(s), (uint64_t)(NOW_S + 1 - SSN_EPOCH_S) * 1024);
	ssn_release(s);
	end(true);
}
END_TEST

/* One object for all contexts of a fingerprint, across a reload too. */
START_TEST(who_asks_again_gets_the_same)
{
	struct ssn *a, *b, *c;

	open_numbers();
	a = ssnstore_get(numbers, first);
	b = ssnstore_get(numbers, first);
	c = ssnstore_get_fresh(numbers, second);
	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_ne(a, c);
	run();
	ck_assert_uint_eq(take(c), 0);
	ssn_release(a);
	ssn_release(b);
	a = ssnstore_get(numbers, first);
	ck_assert_ptr_eq(a, b);
	ssn_release(a);
	ssn_release(c);
	end(false);

	open_numbers();
	c = ssnstore_get(numbers, second);
	run();
	ck_assert_uint_eq(take(c), SSN_STEP);
	ssn_release(c);
	ssnstore_forget(numbers, second);
	end(true);

	/* Random keys that were given up: nothing of them is left. */
	open_numbers();
	c = ssnstore_get_fresh(numbers, second);
	run();
	ck_assert_uint_eq(take(c), 0);
	ssn_release(c);
	end(true);
}
END_TEST

/* oscore.md section 9: a clock that was not set protects nothing, until it is. */
START_TEST(without_record_and_clock_nothing_is_protected)
{
	struct ssn *s;
	uint64_t n;

	wall = SSN_EPOCH_S - 1;
	open_numbers();
	s = ssnstore_get(numbers, first);
	ck_assert(!ssn_is_started(s));
	run();
	ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
	ssnstore_retry(numbers);
	ck_assert(!ssn_is_started(s));
	/* BUILT_S is now. */
	wall = BUILT_S + 1000;
	ssnstore_retry(numbers);
	settle();
	ck_assert_uint_ge(take(s), (uint64_t)(BUILT_S - SSN_EPOCH_S) * 1024);
	ssn_release(s);
	end(true);

	/* With a record the clock does not matter. */
	wall = 0;
	open_numbers();
	s = ssnstore_get(numbers, first);
	run();
	(void)take(s);
	ssn_release(s);
	end(true);
}
END_TEST

/* oscore.md section 9: state that is lost within the second it was made in. */
START_TEST(rfc8613_b_1_1_nothing_twice_when_the_state_is_lost)
{
	uint64_t last = 0, n;
	struct ssn *s;

	for (int i = 0; i < 4; i++) {
		int64_t before = wall;

		open_numbers();
		s = ssnstore_get(numbers, first);
		ck_assert(ssnstore_is_early(numbers));
		run();
		ck_assert_int_le(wall - before, 1);
		for (int k = 0; k < 100; k++) {
			n = take(s);
			ck_assert_uint_gt(n, last);
			last = n;
		}
		ssn_release(s);
		end(i % 2 == 0);
		bed_remove(bed.directory);
	}
}
END_TEST

/* What comes with a reload was used by nobody since the start, and needs not wait. */
START_TEST(keys_of_a_reload_do_not_wait)
{
	struct ssn *s;

	open_numbers();
	run();
	s = ssnstore_get(numbers, first);
	ck_assert(ssnstore_is_early(numbers)); /* not in the second of the start */
	settle();
	ck_assert(!ssnstore_is_early(numbers));
	ssn_release(s);
	s = ssnstore_get(numbers, second);
	ck_assert(!ssnstore_is_early(numbers));
	settle();
	ck_assert_uint_eq(take(s), (uint64_t)(wall - SSN_EPOCH_S) * 1024);
	ssn_release(s);
	end(true);
}
END_TEST

/* With a record there is nothing to wait for; nor with keys that were drawn just now. */
START_TEST(only_the_first_start_waits)
{
	open_numbers();
	ssn_release(ssnstore_get(numbers, first));
	run();
	end(true);
	open_numbers();
	ssn_release(ssnstore_get(numbers, first));
	ssn_release(ssnstore_get_fresh(numbers, second));
	ck_assert(!ssnstore_is_early(numbers));
	run();
	end(true);
}
END_TEST

static struct window
load(const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct window w;

	window_init(&w, false);
	ssnstore_load_window(numbers, fingerprint, &w);
	return w;
}

/* RFC 8613 7.5: what is not known to be complete is not used. */
START_TEST(rfc8613_7_5_windows_after_clean_stops_only)
{
	struct window w, empty;

	open_numbers();
	run();
	ck_assert(!load(first).valid);
	window_restore(&w, 1000, 0x80000005);
	window_init(&empty, true);
	ssnstore_save_window(numbers, first, &w);
	ssnstore_save_window(numbers, second, &empty);
	end(true);

	open_numbers();
	run();
	w = load(first);
	ck_assert(w.valid);
	ck_assert_uint_eq(w.next, 1000);
	ck_assert_uint_eq(w.seen, 0x80000005);
	ck_assert_int_eq(window_check(&w, 999), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 998), WINDOW_NEW);
	/* It is handed out once: it would be out of date the second time. */
	ck_assert(!load(first).valid);
	empty = load(second);
	ck_assert(empty.valid);
	ck_assert_int_eq(window_check(&empty, 0), WINDOW_NEW);
	ssnstore_save_window(numbers, second, &empty);
	end(true);

	/* Who was not asked for in between has it still; who was and was not saved has not. */
	open_numbers();
	run();
	ck_assert(!load(first).valid);
	end(true);
	open_numbers();
	run();
	ck_assert(load(second).valid);
	ssnstore_save_window(numbers, first, &w);
	end(false);
	open_numbers();
	run();
	ck_assert(!load(first).valid);
	ck_assert(!load(second).valid);
	end(true);
}
END_TEST

/* The database is removed under the daemon: bounds are put first of all. */
START_TEST(a_database_that_is_lost_gets_the_bounds_again)
{
	struct store_event event;
	struct ssn *s;
	uint64_t last;

	open_numbers();
	s = ssnstore_get(numbers, first);
	run();
	for (int i = 0; i < 3000; i++) {
		last = take(s);
		settle();
	}
	bed_remove(bed.directory);
	/* Something is put, so that it is found. */
	(void)ssn_release(ssnstore_get_fresh(numbers, second));
	do {
		while (!store_next_event(bed.store, &event))
			;
		ssnstore_event(numbers, &event);
	} while (event.kind != STORE_EVENT_ANEW);
	settle();
	last = take(s);
	ssn_release(s);
	end(false);

	/* Not by the clock, which went back. */
	wall = NOW_S - 1000000;
	open_numbers();
	s = ssnstore_get(numbers, first);
	run();
	ck_assert_uint_gt(take(s), last);
	ssn_release(s);
	end(true);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("ssnstore");
	TCase *t = tcase_create("ssnstore");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc8613_b_1_1_no_number_twice_after_any_stop);
	tcase_add_test(t, rfc8613_b_1_1_nothing_before_it_is_durable);
	tcase_add_test(t, who_asks_again_gets_the_same);
	tcase_add_test(t, without_record_and_clock_nothing_is_protected);
	tcase_add_test(t, rfc8613_b_1_1_nothing_twice_when_the_state_is_lost);
	tcase_add_test(t, keys_of_a_reload_do_not_wait);
	tcase_add_test(t, only_the_first_start_waits);
	tcase_add_test(t, rfc8613_7_5_windows_after_clean_stops_only);
	tcase_add_test(t, a_database_that_is_lost_gets_the_bounds_again);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
