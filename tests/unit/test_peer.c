/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "msg/peer.h"

#define MAX 8

static struct peer_table t;

static struct path
way(unsigned remote, unsigned local)
{
	struct path p = {.remote = {.family = AF_INET, .port = 1},
		.local = {.family = AF_INET, .port = 2},
		.socket = 3,
		.ifindex = 4};

	p.remote.ip[2] = (uint8_t)(remote >> 8);
	p.remote.ip[3] = (uint8_t)remote;
	p.local.ip[3] = (uint8_t)local;
	return p;
}

static struct peer *
get(unsigned remote, unsigned local)
{
	struct path p = way(remote, local);

	return peer_get(&t, &p, 100);
}

static struct peer *
find(unsigned remote, unsigned local)
{
	struct path p = way(remote, local);

	return peer_find(&t, &p);
}

static void
setup(void)
{
	peer_table_init(&t, MAX, 1);
}

static void
teardown(void)
{
	peer_table_fini(&t);
}

START_TEST(found_by_both_endpoints)
{
	struct peer *a = get(1, 1), *b = get(1, 2), *c = get(2, 1);

	ck_assert(a != b && b != c && a != c);
	ck_assert_ptr_eq(get(1, 1), a);
	ck_assert_ptr_eq(find(1, 2), b);
	ck_assert_ptr_eq(find(2, 1), c);
	ck_assert_ptr_null(find(2, 2));
	ck_assert_uint_eq(t.map.n, 3);
	/* One local address, however many peers it has. */
	ck_assert_ptr_eq(a->local, c->local);
	ck_assert_uint_eq(t.locals.n, 2);
}

START_TEST(the_way_back)
{
	struct path in = way(1, 2), out;

	in.multicast = true;
	peer_path(peer_get(&t, &in, 1), &out);
	ck_assert(addr_equal(&in.remote, &out.remote) && addr_equal(&in.local, &out.local));
	ck_assert_uint_eq(out.ifindex, 4);
	ck_assert_uint_eq(out.socket, 3);
	ck_assert(!out.multicast);
}

START_TEST(silent_longest_leaves_first)
{
	for (unsigned i = 1; i <= MAX; i++)
		ck_assert_ptr_nonnull(get(i, 1));
	ck_assert_ptr_nonnull(find(1, 1));
	ck_assert_ptr_nonnull(get(3, 1));
	ck_assert_ptr_nonnull(get(MAX + 1, 1));
	ck_assert_ptr_null(find(2, 1));
	ck_assert_ptr_nonnull(get(MAX + 2, 1));
	ck_assert_ptr_null(find(4, 1));
	ck_assert_ptr_nonnull(find(1, 1));
	ck_assert_ptr_nonnull(find(3, 1));
	ck_assert_uint_eq(t.n_evicted, 2);
	ck_assert_uint_eq(t.map.n, MAX);
}

START_TEST(who_is_held_stays)
{
	struct peer *p[MAX];

	for (unsigned i = 0; i < MAX; i++) {
		p[i] = get(i, 1);
		peer_pin(&t, p[i]);
		peer_pin(&t, p[i]);
	}
	ck_assert_ptr_null(get(100, 1));
	ck_assert_ptr_eq(get(3, 1), p[3]);
	peer_unpin(&t, p[3]);
	ck_assert_ptr_null(get(100, 1));
	peer_unpin(&t, p[3]);
	ck_assert_ptr_nonnull(get(100, 1));
	ck_assert_ptr_null(find(3, 1));
	for (unsigned i = 0; i < MAX; i++)
		if (i != 3)
			ck_assert_ptr_eq(find(i, 1), p[i]);
}

START_TEST(more_holds_than_16_bits_count)
{
	struct peer *p = get(1, 1);

	for (unsigned i = 0; i < 70000; i++)
		peer_pin(&t, p);
	for (unsigned i = 2; i < 20; i++)
		ck_assert_ptr_nonnull(get(i, 1));
	ck_assert_ptr_eq(find(1, 1), p);
	for (unsigned i = 0; i < 70000; i++)
		peer_unpin(&t, p);
	for (unsigned i = 20; i < 40; i++)
		ck_assert_ptr_nonnull(get(i, 1));
	ck_assert_ptr_null(find(1, 1));
}

START_TEST(many_come_and_go)
{
	for (unsigned i = 0; i < 5000; i++)
		peer_remember(get(i, i % 300), (uint16_t)i, 1, 1);
	ck_assert_uint_eq(t.map.n, MAX);
	/* What only the departed used is gone too. */
	ck_assert_uint_eq(t.locals.n, MAX);
}

START_TEST(message_ids)
{
	struct peer *p = get(1, 1);

	ck_assert_uint_eq(peer_next_mid(p), 101);
	p->mid = 0x7ffe;
	ck_assert_uint_eq(peer_next_mid(p), 0x7fff);
	/* The upper half is for multicast notifications. */
	ck_assert_uint_eq(peer_next_mid(p), 0);
	p->mid = 0xffff;
	ck_assert_uint_eq(peer_next_mid(p), 0);
}

START_TEST(recent_message_ids)
{
	struct peer *p = get(1, 1);
	uint8_t code = 99;

	ck_assert(!peer_recalls(p, 0, 0, 247, &code));
	for (uint16_t mid = 0; mid < PEER_RECENT; mid++)
		peer_remember(p, mid, (uint8_t)mid, 10);
	/* Known already: no entry of another is taken for it. */
	peer_remember(p, 3, 33, 10);
	for (uint16_t mid = 0; mid < PEER_RECENT; mid++) {
		ck_assert(peer_recalls(p, mid, 10, 247, &code));
		ck_assert_uint_eq(code, mid == 3 ? 33 : mid);
	}
	peer_remember(p, PEER_RECENT, 1, 10);
	ck_assert(!peer_recalls(p, 0, 10, 247, &code));
	ck_assert(peer_recalls(p, 1, 10, 247, &code));
}

START_TEST(rfc7252_4_8_2_recent_message_ids_expire)
{
	struct peer *p = get(1, 1);
	uint8_t code = 99;

	peer_remember(p, 1, 5, 10);
	ck_assert(peer_recalls(p, 1, 256, 247, &code));
	code = 99;
	ck_assert(!peer_recalls(p, 1, 257, 247, &code));
	ck_assert_uint_eq(code, 99);
	/* The same message id anew. */
	peer_remember(p, 1, 6, 257);
	ck_assert(peer_recalls(p, 1, 300, 247, &code));
	ck_assert_uint_eq(code, 6);
	/* Over the end of 32 bits of seconds. */
	peer_remember(p, 2, 7, UINT32_MAX);
	ck_assert(peer_recalls(p, 2, 200, 247, &code));
}

START_TEST(a_peer_that_comes_back_is_forgotten)
{
	uint8_t code;

	peer_remember(get(1, 1), 1, 5, 10);
	for (unsigned i = 2; i < 2 + MAX; i++)
		get(i, 1);
	ck_assert(!peer_recalls(get(1, 1), 1, 10, 247, &code));
}

static Suite *
suite(void)
{
	Suite *s = suite_create("peer");
	TCase *tc = tcase_create("peer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, found_by_both_endpoints);
	tcase_add_test(tc, the_way_back);
	tcase_add_test(tc, silent_longest_leaves_first);
	tcase_add_test(tc, who_is_held_stays);
	tcase_add_test(tc, more_holds_than_16_bits_count);
	tcase_add_test(tc, many_come_and_go);
	tcase_add_test(tc, message_ids);
	tcase_add_test(tc, recent_message_ids);
	tcase_add_test(tc, rfc7252_4_8_2_recent_message_ids_expire);
	tcase_add_test(tc, a_peer_that_comes_back_is_forgotten);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
