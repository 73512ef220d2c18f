/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/count.h"

#define SILENT_ROUNDS 2 /* one answer can get lost, and so can the question */

static double
at_least(double x, double least)
{
	return x > least ? x : least;
}

bool
count_is_due(struct count *c, const struct count_conf *conf)
{
	c->since++;
	return !c->is_open && (c->again || c->since >= conf->every);
}

/* Q = max(ceil(log2(N / M)), 0): section 8.3.1. */
static uint8_t
divider(double n, double m)
{
	uint8_t q = 0;

	for (; m < n; m *= 2)
		q++;
	return q;
}

uint8_t
count_ask(struct count *c, const struct count_conf *conf)
{
	/* A round without answers may be bad luck: what it says is followed in steps. */
	uint8_t least = c->n_confirmed == 0 && c->q > COUNT_STEP ? (uint8_t)(c->q - COUNT_STEP) : 0;

	/* N = max(COUNT, 1): COUNT is rounded up with it, or E = N would not leave it as it is. */
	c->n = at_least(c->n, 1);
	c->asked = c->n;
	c->q = divider(c->n, at_least(conf->confirmations, 1));
	if (c->q < least)
		c->q = least;
	c->since = 0;
	c->n_confirmed = 0;
	c->n_joined = 0;
	c->again = false;
	c->is_open = true;
	c->round++;
	return c->q;
}

void
count_confirm(struct count *c)
{
	if (c->is_open && c->n_confirmed < UINT32_MAX)
		c->n_confirmed++;
}

uint8_t
count_join(struct count *c)
{
	if (c->n < COUNT_MAX)
		c->n++;
	c->n_joined += c->is_open;
	return c->round;
}

void
count_leave(struct count *c, uint8_t round)
{
	c->n = at_least(c->n - 1, 0);
	if (!c->is_open) {
		/* Nobody is known to be left: that is not for a hundred notifications to show. */
		c->again = c->again || c->n < 1;
		return;
	}
	/* Who was counted when the round began cannot be among its answers. */
	if (round != c->round)
		c->asked = at_least(c->asked - 1, 0);
	else if (c->n_joined > 0)
		c->n_joined--;
}

bool
count_close(struct count *c, const struct count_conf *conf)
{
	/* Section 8.3.3: E = R * 2^Q; COUNT = COUNT' + (E - N) / D. */
	double e = (double)c->n_confirmed * (double)(1ull << c->q);
	bool is_silent = c->n_confirmed == 0 && c->n_joined == 0;

	c->is_open = false;
	c->n = at_least(c->n + (e - c->asked) / at_least(conf->dampener, 1), 0);
	if (c->n > COUNT_MAX)
		c->n = COUNT_MAX;
	c->again = c->n_confirmed == 0 || e > COUNT_RATIO * c->asked || c->asked > COUNT_RATIO * e;
	c->n_silent = is_silent && c->q == 0 ? (uint8_t)(c->n_silent + 1) : 0;
	if (c->n_silent >= SILENT_ROUNDS)
		return true;
	/* A round that nobody answered says little alone: what is small gets lost. */
	return c->n_confirmed > 0 && c->n < conf->cancel_below;
}
