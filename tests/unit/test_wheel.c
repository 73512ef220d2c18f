/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <inttypes.h>

#include "base/wheel.h"
#include "base/map.h"

#define N_TIMERS 300

/* A timer with what a sorted list would say about it. */
struct alarm {
	struct timer timer;
	uint64_t at_ms; /* when it must fire; WHEEL_NEVER: it is off */
	unsigned n_fired;
};

static struct wheel w;
static struct alarm alarms[N_TIMERS];
static uint64_t rng;
static void (*in_fire)(struct alarm *a);

static uint64_t
next_random(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return rng >> 20;
}

static void
fire(struct timer *t, void *ctx)
{
	struct alarm *a = MAP_OBJECT(t, struct alarm, timer);

	ck_assert_ptr_eq(ctx, &w);
	ck_assert(!timer_is_on(t));
	ck_assert_uint_eq(a->at_ms, w.now_ms);
	a->at_ms = WHEEL_NEVER;
	a->n_fired++;
	if (in_fire)
		in_fire(a);
}

static void
start(struct alarm *a, uint64_t at_ms)
{
	a->timer.fire = fire;
	/* What is due already fires with the next millisecond. */
	a->at_ms = at_ms > w.now_ms ? at_ms : w.now_ms + 1;
	wheel_start(&w, &a->timer, at_ms);
}

static void
stop(struct alarm *a)
{
	wheel_stop(&w, &a->timer);
	a->at_ms = WHEEL_NEVER;
}

/* The sorted list: the earliest of all. */
static uint64_t
earliest(void)
{
	uint64_t at = WHEEL_NEVER;

	for (unsigned i = 0; i < N_TIMERS; i++)
		if (alarms[i].at_ms < at)
			at = alarms[i].at_ms;
	return at;
}

static void
reset(uint64_t now_ms)
{
	wheel_init(&w, now_ms, &w);
	memset(alarms, 0, sizeof(alarms));
	for (unsigned i = 0; i < N_TIMERS; i++)
		alarms[i].at_ms = WHEEL_NEVER;
	in_fire = NULL;
	rng = 1;
}

/* Everything that should have fired by now has, and nothing else is promised. */
static void
check_state(void)
{
	uint64_t at = earliest(), next = wheel_next(&w);

	/* One check: they are slow, and this is called often. */
	if (at <= w.now_ms || next > at || next <= w.now_ms ||
		(at == WHEEL_NEVER) != (next == WHEEL_NEVER))
		ck_abort_msg(
			"now %" PRIu64 ", earliest %" PRIu64 ", next %" PRIu64, w.now_ms, at, next);
}

static void
setup(void)
{
	reset(0);
}

/* From where the clock starts: horizons of every level are crossed. */
static const uint64_t starts[] = {
	0,
	63,
	4095,
	(1u << 18) - 5,
	(1u << 24) - 300,
	(1u << 30) - 5000,
	(1ull << 36) - 100000,
	(1ull << 42) - 100000,
	12345678901234,
};

/* Up to how far timers and steps go, in bits. */
static const unsigned reaches[] = {3, 7, 13, 19, 22, 31, 37, 40};

static void
run_a_while(unsigned reach)
{
	for (unsigned step = 0; step < 3000; step++) {
		struct alarm *a = &alarms[next_random() % N_TIMERS];

		switch (next_random() % 4) {
		case 0:
			stop(a);
			break;
		case 1:
		case 2:
			/* All magnitudes up to the reach. */
			start(a, w.now_ms + (next_random() &
						    ((1ull << next_random() % (reach + 1)) - 1)));
			break;
		default:
			wheel_advance(&w,
				w.now_ms + (next_random() &
						   ((1ull << next_random() % (reach + 1)) - 1)));
			break;
		}
		check_state();
	}
}

START_TEST(like_a_sorted_list)
{
	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		unsigned n_fired = 0;

		reset(starts[i]);
		run_a_while(reaches[_i]);
		for (unsigned k = 0; k < N_TIMERS; k++)
			n_fired += alarms[k].n_fired;
		ck_assert_uint_gt(n_fired, 100);
	}
}

START_TEST(fires_on_the_millisecond_when_driven_by_next)
{
	uint64_t next;
	unsigned n_wakeups = 0;

	for (unsigned i = 0; i < N_TIMERS; i++)
		start(&alarms[i], 1 + i * 7919ull);
	while ((next = wheel_next(&w)) != WHEEL_NEVER) {
		wheel_advance(&w, next);
		check_state();
		n_wakeups++;
	}
	for (unsigned i = 0; i < N_TIMERS; i++)
		ck_assert_uint_eq(alarms[i].n_fired, 1);
	/* Beside the due ones, a timer wakes the loop once per level at most. */
	ck_assert_uint_le(n_wakeups, N_TIMERS * 4);
}

START_TEST(every_millisecond_of_five_million)
{
	for (unsigned i = 0; i < N_TIMERS; i++)
		start(&alarms[i], next_random() % 5000000);
	for (uint64_t now = 0; now < 5000000; now++)
		wheel_advance(&w, now);
	for (unsigned i = 0; i < N_TIMERS; i++)
		ck_assert_uint_eq(alarms[i].n_fired, 1);
	ck_assert(wheel_next(&w) == WHEEL_NEVER);
}

START_TEST(no_stale_wakeups)
{
	ck_assert(wheel_next(&w) == WHEEL_NEVER);
	for (unsigned i = 0; i < N_TIMERS; i++)
		start(&alarms[i], 1 + (next_random() & ((1ull << (i % 40)) - 1)));
	ck_assert(wheel_next(&w) != WHEEL_NEVER);
	for (unsigned i = N_TIMERS; i-- > 0;)
		stop(&alarms[i]);
	ck_assert(wheel_next(&w) == WHEEL_NEVER);
	/* Stopping what is off is nothing. */
	stop(&alarms[0]);
	wheel_advance(&w, 1000000000);
	for (unsigned i = 0; i < N_TIMERS; i++)
		ck_assert_uint_eq(alarms[i].n_fired, 0);
}

START_TEST(the_clock_does_not_go_back)
{
	wheel_advance(&w, 1000);
	wheel_advance(&w, 10);
	ck_assert_uint_eq(w.now_ms, 1000);
	start(&alarms[0], 10);
	wheel_advance(&w, 1000);
	ck_assert_uint_eq(alarms[0].n_fired, 0);
	wheel_advance(&w, 1001);
	ck_assert_uint_eq(alarms[0].n_fired, 1);
}

START_TEST(moving_a_timer)
{
	start(&alarms[0], 100);
	start(&alarms[0], 5000);
	wheel_advance(&w, 4999);
	ck_assert_uint_eq(alarms[0].n_fired, 0);
	start(&alarms[0], 6000);
	wheel_advance(&w, 10000);
	ck_assert_uint_eq(alarms[0].n_fired, 1);
}

static void
stop_the_others(struct alarm *a)
{
	for (unsigned i = 0; i < N_TIMERS; i++)
		if (&alarms[i] != a)
			stop(&alarms[i]);
}

/* Of one slot, whichever is the first to fire: the rest is stopped while it is drained. */
START_TEST(stop_during_fire)
{
	static const uint64_t at[] = {5, 64, 100, 4096, 5000, 300000, 20000000};

	for (unsigned k = 0; k < sizeof(at) / sizeof(at[0]); k++) {
		unsigned n_fired = 0;

		reset(0);
		in_fire = stop_the_others;
		for (unsigned i = 0; i < N_TIMERS; i++)
			start(&alarms[i], at[k]);
		wheel_advance(&w, at[k] + 10);
		for (unsigned i = 0; i < N_TIMERS; i++)
			n_fired += alarms[i].n_fired;
		ck_assert_uint_eq(n_fired, 1);
		ck_assert(wheel_next(&w) == WHEEL_NEVER);
	}
}

static void
start_again(struct alarm *a)
{
	/* Itself, a neighbour, and one that is due already. */
	if (a->n_fired < 50) {
		start(a, w.now_ms + 100);
		start(&alarms[(a - alarms + 1) % N_TIMERS], w.now_ms + 64);
		start(&alarms[(a - alarms + 2) % N_TIMERS], w.now_ms);
	}
}

START_TEST(restart_during_fire)
{
	in_fire = start_again;
	for (unsigned i = 0; i < 5; i++)
		start(&alarms[i], 10);
	wheel_advance(&w, 1000);
	for (unsigned i = 0; i < N_TIMERS; i++)
		if (alarms[i].at_ms != WHEEL_NEVER)
			ck_assert_uint_gt(alarms[i].at_ms, w.now_ms);
	ck_assert_uint_gt(alarms[0].n_fired, 5);
	wheel_advance(&w, 10000000);
	ck_assert(earliest() == WHEEL_NEVER);
	ck_assert(wheel_next(&w) == WHEEL_NEVER);
}

START_TEST(beyond_the_horizon)
{
	static const uint64_t far[] = {(1ull << 36) - 1, 1ull << 36, (1ull << 36) + 1, 63ull << 30,
		64ull << 30, 65ull << 30, 1ull << 40, (1ull << 42) + 12345, 1ull << 44};
	unsigned n = sizeof(far) / sizeof(far[0]);

	for (unsigned k = 0; k < sizeof(starts) / sizeof(starts[0]); k++) {
		reset(starts[k]);
		for (unsigned i = 0; i < n; i++)
			start(&alarms[i], w.now_ms + far[i]);
		/* The one that lies just past a turn of the last level. */
		start(&alarms[n], ((w.now_ms >> 36) + 1) << 36);
		for (uint64_t next; (next = wheel_next(&w)) != WHEEL_NEVER;)
			wheel_advance(&w, next);
		for (unsigned i = 0; i <= n; i++)
			ck_assert_uint_eq(alarms[i].n_fired, 1);
	}
}

static Suite *
suite(void)
{
	Suite *s = suite_create("wheel");
	TCase *t = tcase_create("wheel");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, like_a_sorted_list, 0, sizeof(reaches) / sizeof(reaches[0]));
	tcase_add_test(t, fires_on_the_millisecond_when_driven_by_next);
	tcase_add_test(t, every_millisecond_of_five_million);
	tcase_add_test(t, no_stale_wakeups);
	tcase_add_test(t, the_clock_does_not_go_back);
	tcase_add_test(t, moving_a_timer);
	tcase_add_test(t, stop_during_fire);
	tcase_add_test(t, restart_during_fire);
	tcase_add_test(t, beyond_the_horizon);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
