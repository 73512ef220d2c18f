/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts that come to nothing, and what the next one finds. net/keep.c. */
#include "net/keep.h"

#include "storebed.h"
#include "../unit/unit.h"

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

/* Opens the state, and closes it before anything was put back. */
static void
start_in_vain(bool was_clean)
{
	const struct conf conf = {.state = {.directory = bed.directory}};
	struct error e = {.text = ""};
	struct keep *k;
	uv_loop_t loop;

	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_msg(keep_open(&conf, &loop, &k, &e) == 0, "%s", e.text);
	ck_assert_int_eq(keep_was_clean(k), was_clean);
	ck_assert(keep_close(k));
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	keep_free(k);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/*
 * RFC 7641 3.4, RFC 8613 7.5: after a stop that was not clean numbers go on past what may have
 * been used without being kept, and no window is believed.
 */
START_TEST(a_start_in_vain_does_not_make_the_stop_before_it_clean)
{
	bed_open(&bed, 0);
	bed_close(&bed, false);
	start_in_vain(false);
	start_in_vain(false);
	bed_open(&bed, 0);
	ck_assert(!bed.opened.clean);
}
END_TEST

START_TEST(a_start_in_vain_leaves_a_clean_stop_clean)
{
	bed_open(&bed, 0);
	bed_close(&bed, true);
	start_in_vain(true);
	start_in_vain(true);
	bed_open(&bed, 0);
	ck_assert(bed.opened.clean);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("keep");
	TCase *tc = tcase_create("keep");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_start_in_vain_does_not_make_the_stop_before_it_clean);
	tcase_add_test(tc, a_start_in_vain_leaves_a_clean_stop_clean);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
