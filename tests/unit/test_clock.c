/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wall clock is set forward and back by an hour while a broker works: whatever it
 * does and says is the same. Expiration dates, which mean that clock, are in
 * test_deadlines.c, `ending` is in test_introspect.c.
 */
#include "broker_world.h"

#define HOUR 3600
#define TRACE_MAX 65536

/* What a run came to. */
struct run {
	char said[TRACE_MAX];
	size_t n;
	struct broker_stats broker;
	struct layer_stats layer;
	uint64_t next_ms;
};

static struct run runs[4];

static void
begin(void)
{
	struct broker_group *g;

	bw_init();
	bw.conf.limits.publish_rate = 3;
	g = bw_group("239.255.17.4", 3);
	g->min_interval_ms = 500;
	g->max_age_s = 30;
	bw_start();
	bw_topic("hall", "0");
	bw_topic("attic", "a");
}

static void
keep(struct run *r)
{
	const char *said = bw_said();
	size_t n = strlen(said);

	ck_assert_uint_lt(r->n + n + 1, sizeof(r->said));
	memcpy(r->said + r->n, said, n + 1);
	r->n += n;
}

/* The steps of the script, between which the clock is set. */
static void
step(unsigned i)
{
	switch (i) {
	case 0: /* Observers, and those who never acknowledge: retransmissions, a timeout. */
		bw_subs(1, 2);
		bw_in(5, "GET /ps/data/attic o=0");
		bw_go(20000);
		break;
	case 1: /* A group observation, whose third is not there. */
		bw_sub(3);
		bw_acks(1, 2);
		bw_go(95000);
		break;
	case 2: /* Pace and coalescing, refreshes. */
		bw_pub("x");
		bw_pub("y");
		bw_go(70000);
		break;
	case 3: /* The rate of one peer, in the same second and in the next. */
		for (int n = 0; n < 5; n++)
			bw_in(7, "PUT /ps/data/attic 'n'");
		bw_go(1000);
		bw_in(7, "PUT /ps/data/attic 'm'");
		break;
	case 4: /* A duplicate within its lifetime, and after it. */
		bw_in(8, "POST /ps ct=606 x=a0");
		bw_go(200000);
		bw_again();
		bw_go(48000);
		bw_again();
		break;
	case 5: /* Half a body is given up; those who observed long are checked by a CON. */
		bw_in(6, "PUT /ps/data/attic b1=0+/16 '0123456789abcdef'");
		bw_go(86400ull * 1000);
		bw_in(6, "PUT /ps/data/attic b1=1/16 'x'");
		bw_in(7, "PUT /ps/data/attic 'z'");
		bw_go(10000);
		break;
	}
}

#define N_STEPS 6

/* The script, with the clock set after its first step, and back and forth if so. */
static void
play(struct run *r, int64_t seconds, bool back_again)
{
	memset(r, 0, sizeof(*r));
	begin();
	for (unsigned i = 0; i < N_STEPS; i++) {
		if (i > 0)
			bw.wall_s = back_again && i % 2 == 0 ? 0 : seconds;
		step(i);
		keep(r);
	}
	r->broker = bw_stats();
	r->layer = *layer_stats(bw.layer);
	r->next_ms = layer_next(bw.layer);
	bw_stop();
}

START_TEST(steps_of_the_wall_clock_change_nothing)
{
	static const struct {
		int64_t seconds;
		bool back_again;
	} ways[] = {{0, false}, {HOUR, false}, {-HOUR, false}, {HOUR, true}};

	for (unsigned i = 0; i < 4; i++)
		play(&runs[i], ways[i].seconds, ways[i].back_again);
	/* The script does what it says. */
	ck_assert_uint_gt(runs[0].layer.retransmitted, 0);
	ck_assert_uint_gt(runs[0].layer.timeouts, 0);
	ck_assert_uint_gt(runs[0].layer.duplicates, 0);
	ck_assert_uint_gt(runs[0].broker.group_refreshes, 0);
	ck_assert_uint_gt(runs[0].broker.group_coalesced + runs[0].broker.group_notifications, 1);
	ck_assert_uint_eq(runs[0].broker.refused_rate, 2);
	ck_assert_uint_eq(runs[0].broker.bodies, 0);
	ck_assert_uint_gt(runs[0].broker.notifications_con, 0);
	for (unsigned i = 1; i < 4; i++) {
		ck_assert_str_eq(runs[i].said, runs[0].said);
		ck_assert_mem_eq(&runs[i].broker, &runs[0].broker, sizeof(runs[0].broker));
		ck_assert_mem_eq(&runs[i].layer, &runs[0].layer, sizeof(runs[0].layer));
		ck_assert_uint_eq(runs[i].next_ms, runs[0].next_ms);
	}
}

static Suite *
suite(void)
{
	Suite *s = suite_create("clock");
	TCase *t = tcase_create("all");

	tcase_add_test(t, steps_of_the_wall_clock_change_nothing);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
