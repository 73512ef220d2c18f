/* SPDX-License-Identifier: BSD-2-Clause */
/* Very many group observations at once: a thousand topics, each with one per address family. */
#include "broker_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/option.h"

#define TOPICS 1000
#define OBSERVATIONS (2 * TOPICS)

static void
setup(void)
{
	char name[16];

	bw_init();
	bw.conf.limits.topics = TOPICS;
	bw_group("239.255.17.4:61616", 1)->count.every = 2;
	bw_group("[ff35::17]:61616", 1)->count.every = 2;
	bw.mute = true;
	bw_start();
	for (unsigned i = 0; i < TOPICS; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		bw_topic(name, "0");
	}
}

/* A client of the family that is set for each topic. */
static void
subscribe_all(void)
{
	for (unsigned i = 0; i < TOPICS; i++) {
		bw_in(i + 1, "GET /ps/data/t%u o=0", i);
		bw_ack(i + 1);
	}
}

static void
subscribe_both(void)
{
	subscribe_all();
	bw.family = AF_INET6;
	subscribe_all();
	bw.family = AF_INET;
	ck_assert_uint_eq(bw_stats().group_observations, OBSERVATIONS);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

struct tokens {
	uint64_t seen[OBSERVATIONS]; /* group, and T */
	size_t n;
	double clients;
};

static void
note_token(void *ctx, const struct group_observation *g)
{
	struct tokens *all = ctx;
	struct token t;
	uint64_t v = group_conf(g) == &bw.groups[1];

	group_token(g, &t);
	for (uint8_t i = 0; i < t.n; i++)
		v = v << 8 | t.b[i];
	ck_assert_uint_lt(all->n, OBSERVATIONS);
	all->seen[all->n++] = v;
	all->clients += group_count(g);
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Section 4.1, step 2: no two towards the same group share a token. */
START_TEST(omn_4_1_each_has_a_token_of_its_own)
{
	struct tokens all = {.n = 0};

	subscribe_both();
	broker_each_group(bw.broker, note_token, &all);
	ck_assert_uint_eq(all.n, OBSERVATIONS);
	ck_assert(all.clients == OBSERVATIONS);
	ck_assert_uint_eq(bw_stats().moved, OBSERVATIONS);
	qsort(all.seen, all.n, sizeof(all.seen[0]), compare);
	for (size_t i = 1; i < all.n; i++)
		ck_assert(all.seen[i] != all.seen[i - 1]);
}
END_TEST

/* One datagram per publish and group in use, to each with its own token. */
START_TEST(one_datagram_per_publish_and_group)
{
	struct msg v4, v6;

	subscribe_both();
	for (unsigned i = 0; i < TOPICS; i++) {
		bw_in(BW_PUBLISHER, "PUT /ps/data/t%u 'v%u'", i, i);
		v4 = bw_last_to_group(0);
		v6 = bw_last_to_group(1);
		ck_assert_str_eq(bw_payload(&v4), bw_payload(&v6));
		ck_assert_uint_eq(v4.payload.n, v6.payload.n);
	}
	ck_assert_uint_eq(bw.n_to_group[0], TOPICS);
	ck_assert_uint_eq(bw.n_to_group[1], TOPICS);
	/* Each is refreshed when its Max-Age passes, and asks; nobody answers. */
	bw_go(60000);
	ck_assert_uint_eq(bw.n_to_group[0], 2 * TOPICS);
	ck_assert_uint_eq(bw_stats().group_refreshes, OBSERVATIONS);
	bw_go(7000);
	ck_assert_uint_eq(bw_stats().group_counts, OBSERVATIONS);
	ck_assert_uint_eq(bw_stats().group_observations, OBSERVATIONS);
	/* Twice: all of them end. */
	bw_go(60000);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw_stats().group_cancelled, OBSERVATIONS);
	ck_assert_uint_eq(bw.n_to_group[1], 4 * TOPICS);
}
END_TEST

START_TEST(farewell_to_all)
{
	subscribe_both();
	broker_farewell(bw.broker);
	ck_assert_uint_eq(bw.n_to_group[0], TOPICS);
	ck_assert_uint_eq(bw.n_to_group[1], TOPICS);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	/* And once more from the beginning. */
	subscribe_both();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("many");
	TCase *t = tcase_create("many");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, omn_4_1_each_has_a_token_of_its_own);
	tcase_add_test(t, one_datagram_per_publish_and_group);
	tcase_add_test(t, farewell_to_all);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
