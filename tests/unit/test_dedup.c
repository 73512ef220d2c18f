/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "msg/dedup.h"
#include "msg/layer.h"

#define LIFETIME_MS (LAYER_EXCHANGE_LIFETIME_S * 1000ull)

static struct dedup *d;

static struct path
way(unsigned remote, unsigned local)
{
	struct path p = {
		.remote = {.family = AF_INET, .port = 1}, .local = {.family = AF_INET, .port = 2}};

	p.remote.ip[3] = (uint8_t)remote;
	p.local.ip[3] = (uint8_t)local;
	return p;
}

static void
setup(void)
{
	d = dedup_new(4, 1);
}

static void
teardown(void)
{
	dedup_free(d);
}

static bool
finds(unsigned remote, unsigned local, uint16_t mid, uint64_t now_ms, struct bytes *ret)
{
	struct path p = way(remote, local);

	return dedup_find(d, &p, mid, now_ms, ret);
}

static void
add(unsigned remote, unsigned local, uint16_t mid, uint64_t now_ms)
{
	struct path p = way(remote, local);

	dedup_add(d, &p, mid, now_ms);
}

START_TEST(progress_and_answer)
{
	struct path p = way(1, 1);
	struct bytes r = BYTES_LIT("untouched");
	uint8_t answer[3] = "abc";

	ck_assert(!finds(1, 1, 7, 0, &r));
	ck_assert(bytes_is(r, "untouched"));
	add(1, 1, 7, 0);
	ck_assert(finds(1, 1, 7, 0, &r));
	ck_assert_uint_eq(r.n, 0);
	dedup_answer(d, &p, 7, BYTES_OF(answer));
	answer[0] = 'x';
	ck_assert(finds(1, 1, 7, 1, &r));
	ck_assert(bytes_is(r, "abc"));
	/* Again: the newer one. */
	dedup_answer(d, &p, 7, BYTES_OF(answer));
	ck_assert(finds(1, 1, 7, 1, &r));
	ck_assert(bytes_is(r, "xbc"));
	dedup_answer(d, &p, 8, BYTES_OF(answer));
	ck_assert_uint_eq(dedup_count(d), 1);
}

START_TEST(the_key_is_both_endpoints_and_message_id)
{
	struct bytes r;

	add(1, 1, 7, 0);
	ck_assert(!finds(2, 1, 7, 0, &r));
	ck_assert(!finds(1, 2, 7, 0, &r));
	ck_assert(!finds(1, 1, 8, 0, &r));
	ck_assert(finds(1, 1, 7, 0, &r));
}

START_TEST(rfc7252_4_8_2_exchange_lifetime)
{
	struct bytes r;

	add(1, 1, 7, 1000);
	ck_assert(finds(1, 1, 7, 1000 + LIFETIME_MS - 1, &r));
	ck_assert(!finds(1, 1, 7, 1000 + LIFETIME_MS, &r));
	/* The message id is used anew. */
	add(1, 1, 7, 1000 + LIFETIME_MS);
	ck_assert(finds(1, 1, 7, 1000 + 2 * LIFETIME_MS - 1, &r));
	ck_assert_uint_eq(r.n, 0);
	ck_assert_uint_eq(dedup_count(d), 1);
}

START_TEST(the_oldest_gives_way)
{
	struct bytes r;

	for (uint16_t mid = 0; mid < 6; mid++)
		add(1, 1, mid, mid);
	ck_assert_uint_eq(dedup_count(d), 4);
	for (uint16_t mid = 0; mid < 6; mid++)
		ck_assert_int_eq(finds(1, 1, mid, 6, &r), mid >= 2);
}

START_TEST(a_table_without_room)
{
	struct bytes r;

	dedup_free(d);
	dedup_free(NULL);
	d = dedup_new(0, 1);
	add(1, 1, 1, 0);
	ck_assert(!finds(1, 1, 1, 0, &r));
}

static Suite *
suite(void)
{
	Suite *s = suite_create("dedup");
	TCase *t = tcase_create("dedup");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, progress_and_answer);
	tcase_add_test(t, the_key_is_both_endpoints_and_message_id);
	tcase_add_test(t, rfc7252_4_8_2_exchange_lifetime);
	tcase_add_test(t, the_oldest_gives_way);
	tcase_add_test(t, a_table_without_room);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
