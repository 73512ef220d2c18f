/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"

#define N 1000

static bool
is_filled(const void *p, size_t n, uint8_t with)
{
	const uint8_t *at = p;

	for (size_t i = 0; i < n; i++)
		if (at[i] != with)
			return false;
	return true;
}

static bool
is_zero(const void *p, size_t n)
{
	return is_filled(p, n, 0);
}

START_TEST(allocations)
{
	char *s = mem_strdup("hello"), *t = mem_strndup(BYTES_LIT("wor\0ld"));
	uint8_t *d = mem_dup(BYTES_LIT("abc"));
	uint8_t *z = mem_alloc(100), *empty = mem_alloc(0), *grown;

	ck_assert_str_eq(s, "hello");
	ck_assert_mem_eq(t, "wor\0ld", 7);
	ck_assert_mem_eq(d, "abc", 3);
	ck_assert(is_zero(z, 100));
	ck_assert_ptr_nonnull(empty);
	ck_assert_ptr_null(mem_dup(bytes_of("x", 0)));
	memset(z, 7, 100);
	grown = mem_realloc(z, 1000);
	ck_assert(grown[0] == 7 && grown[99] == 7);
	mem_wipe(grown, 1000);
	ck_assert(is_zero(grown, 1000));
	mem_wipe(NULL, 0);
	free(s);
	free(t);
	free(d);
	free(grown);
	free(empty);
}

/* Sizes below and beside a multiple of a pointer. */
static const size_t sizes[] = {1, 8, 9, 24, 100, 1000};

START_TEST(pool_objects_are_apart_and_come_zeroed)
{
	size_t size = sizes[_i];
	static uint8_t *o[N];
	struct pool p;

	pool_init(&p, size);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < N; i++) {
			o[i] = pool_get(&p);
			ck_assert_uint_eq((uintptr_t)o[i] % sizeof(void *), 0);
			ck_assert(is_zero(o[i], size));
			memset(o[i], (int)(i | 1), size);
		}
		ck_assert_uint_eq(p.n_used, N);
		for (unsigned i = 0; i < N; i++)
			ck_assert(is_filled(o[i], size, (uint8_t)(i | 1)));
		ck_assert_uint_eq(p.n_slabs, (N + 127) / 128);
		ck_assert_uint_ge(pool_bytes(&p), N * size);
		ck_assert_uint_le(pool_bytes(&p), (N + 128) * (size + 8) + 8 * 8);
		for (unsigned i = 0; i < N; i++)
			pool_put(&p, o[(i * 7) % N]);
		ck_assert_uint_eq(p.n_used, 0);
		/* A burst leaves nothing behind but what the next one begins with. */
		ck_assert_uint_eq(p.n_slabs, 1);
	}
	/* What was handed back is used again. */
	for (unsigned i = 0; i < 2 * N; i++) {
		o[0] = pool_get(&p);
		o[1] = pool_get(&p);
		pool_put(&p, o[0]);
		pool_put(&p, o[1]);
	}
	ck_assert_uint_eq(p.n_slabs, 1);
	pool_put(&p, NULL);
	pool_fini(&p);
	ck_assert_uint_eq(pool_bytes(&p), 0);
}

START_TEST(pool_fini_frees_what_is_in_use)
{
	struct pool p;

	/* A leak checker is the judge. */
	pool_init(&p, 40);
	for (unsigned i = 0; i < 200; i++)
		ck_assert_ptr_nonnull(pool_get(&p));
	pool_fini(&p);
	ck_assert_uint_eq(p.n_used, 0);
	ck_assert_ptr_nonnull(pool_get(&p));
	pool_fini(&p);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("mem");
	TCase *t = tcase_create("mem");

	tcase_add_test(t, allocations);
	tcase_add_loop_test(
		t, pool_objects_are_apart_and_come_zeroed, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(t, pool_fini_frees_what_is_in_use);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
