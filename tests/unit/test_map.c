/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/map.h"

#define N 2000

struct item {
	struct map_node node;
	unsigned key;
	bool is_in;
	unsigned n_visits;
};

static struct map m;
static struct item items[N];

static void
setup(void)
{
	map_init(&m);
	memset(items, 0, sizeof(items));
	for (unsigned i = 0; i < N; i++)
		items[i].key = i;
}

static void
teardown(void)
{
	map_fini(&m);
}

static struct item *
find(unsigned key, uint32_t hash)
{
	for (struct map_node *n = map_first(&m, hash); n; n = map_next(n)) {
		ck_assert_uint_eq(n->hash, hash);
		if (MAP_OBJECT(n, struct item, node)->key == key)
			return MAP_OBJECT(n, struct item, node);
	}
	return NULL;
}

/* Hashes that collide in whole (every 50 of them), in the bucket, or hardly ever. */
static uint32_t
hash_of(unsigned key, int kind)
{
	return kind == 0 ? key % 40 : kind == 1 ? key << 20 : key * 2654435761u;
}

START_TEST(like_a_list)
{
	uint32_t rng = 1;
	size_t n = 0;

	/* With room from the start, which is for empty ones only, or without. */
	if (_i >= 3)
		map_reserve(&m, 1500);
	for (unsigned step = 0; step < 20000; step++) {
		struct item *it;

		rng = rng * 1664525u + 1013904223u;
		it = &items[(rng >> 8) % N];
		if (it->is_in)
			map_remove(&m, &it->node);
		else
			map_put(&m, &it->node, hash_of(it->key, _i % 3));
		it->is_in = !it->is_in;
		n = it->is_in ? n + 1 : n - 1;
		ck_assert_uint_eq(m.n, n);
	}
	map_reserve(&m, 100000);
	for (unsigned i = 0; i < N; i++)
		ck_assert_ptr_eq(find(i, hash_of(i, _i % 3)), items[i].is_in ? &items[i] : NULL);
}

static void
visit(void *ctx, struct map_node *node)
{
	struct item *it = MAP_OBJECT(node, struct item, node);

	it->n_visits++;
	if (*(bool *)ctx)
		map_remove(&m, node);
}

START_TEST(each_visits_all_and_may_remove)
{
	bool removes = false;

	for (unsigned i = 0; i < N; i++)
		map_put(&m, &items[i].node, hash_of(i, _i));
	/* It grew: a chain is about one node long. */
	ck_assert_uint_ge(m.n_buckets, N / 2);
	map_each(&m, visit, &removes);
	ck_assert_uint_eq(m.n, N);
	removes = true;
	map_each(&m, visit, &removes);
	ck_assert_uint_eq(m.n, 0);
	for (unsigned i = 0; i < N; i++)
		ck_assert_uint_eq(items[i].n_visits, 2);
	map_each(&m, visit, &removes);
	ck_assert_ptr_null(find(1, hash_of(1, _i)));
}

START_TEST(removing_what_is_not_there)
{
	map_put(&m, &items[0].node, 1);
	items[1].node.hash = 1;
	map_remove(&m, &items[1].node);
	ck_assert_uint_eq(m.n, 1);
	ck_assert_ptr_eq(find(0, 1), &items[0]);
}

START_TEST(hash_sees_each_byte_length_and_seed)
{
	uint8_t a[40] = {0}, b[40];

	for (size_t n = 0; n <= sizeof(a); n++) {
		if (n > 0)
			ck_assert_uint_ne(
				map_hash(bytes_of(a, n), 1), map_hash(bytes_of(a, n - 1), 1));
		ck_assert_uint_ne(map_hash(bytes_of(a, n), 1), map_hash(bytes_of(a, n), 2));
		for (size_t i = 0; i < n; i++) {
			memcpy(b, a, sizeof(a));
			b[i] ^= 1;
			ck_assert_uint_ne(map_hash(bytes_of(a, n), 1), map_hash(bytes_of(b, n), 1));
		}
	}
}

START_TEST(hash_spreads)
{
	unsigned buckets[256] = {0}, most = 0;

	for (unsigned i = 0; i < 25600; i++)
		buckets[map_hash(bytes_of(&i, sizeof(i)), 99) & 255]++;
	for (unsigned i = 0; i < 256; i++)
		most = buckets[i] > most ? buckets[i] : most;
	/* 100 expected in each; chance alone gives some 135 in the fullest. */
	ck_assert_uint_lt(most, 160);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("map");
	TCase *t = tcase_create("map");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, like_a_list, 0, 6);
	tcase_add_loop_test(t, each_visits_all_and_may_remove, 0, 3);
	tcase_add_test(t, removing_what_is_not_there);
	tcase_add_test(t, hash_sees_each_byte_length_and_seed);
	tcase_add_test(t, hash_spreads);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
