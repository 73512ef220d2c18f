/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rough counting simulated: what broker/count.c estimates against how many clients there
 * are, when questions and answers get lost. One line per round as TSV:
 * clients, loss in %, round, truth, estimate, Q, answers, and whether the group
 * observation was cancelled. Half of the clients leave after a third of the rounds, without
 * a word, and come back after two thirds.
 *	count_sim [ROUNDS [SEED]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/count.h"

#define ROUNDS 60

/* The defaults of the configuration. */
static const struct count_conf conf = {
	.every = 1, .confirmations = 8, .wait_ms = 7000, .dampener = 1, .cancel_below = 1};

static uint64_t state;

/* xorshift64*: the same seed, the same picture. */
static uint32_t
draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32);
}

static bool
happens(unsigned percent)
{
	return draw() % 100 < percent;
}

/* "Processing on the Client Side", over a network that loses some of it. */
static void
ask_one(struct count *c, uint8_t q, unsigned loss)
{
	if (happens(loss) || (q > 0 && draw() >> (32 - q) != 0) || happens(loss))
		return;
	count_confirm(c);
}

static void
join(struct count *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		(void)count_join(c);
}

static void
simulate(uint32_t clients, unsigned loss, unsigned rounds)
{
	struct count c = {0};
	uint32_t truth = clients;

	join(&c, truth);
	for (unsigned round = 1; round <= rounds; round++) {
		bool cancelled;
		uint8_t q;

		/* Who leaves says nothing; who comes back is told by a 5.03, and counted. */
		if (round == rounds / 3)
			truth = clients / 2;
		if (round == rounds / 3 * 2) {
			join(&c, clients - truth);
			truth = clients;
		}
		q = count_ask(&c, &conf);
		for (uint32_t i = 0; i < truth; i++)
			ask_one(&c, q, loss);
		cancelled = count_close(&c, &conf);
		printf("%" PRIu32 "\t%u\t%u\t%" PRIu32 "\t%.1f\t%u\t%" PRIu32 "\t%d\n", clients,
			loss, round, truth, c.n, (unsigned)q, c.n_confirmed, cancelled);
		if (!cancelled)
			continue;
		/* Those who are there hear of it, register again and are counted. */
		c = (struct count){0};
		join(&c, truth);
	}
}

int
main(int argc, char **argv)
{
	static const uint32_t clients[] = {1, 10, 1000, 100000};
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (rounds < 3 || state == 0) {
		fprintf(stderr, "usage: %s [ROUNDS [SEED]]\n", argv[0]);
		return 2;
	}
	puts("clients\tloss\tround\ttruth\testimate\tq\tanswers\tcancelled");
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		for (unsigned loss = 0; loss <= 30; loss += 10)
			simulate(clients[i], loss, rounds);
	}
	return 0;
}
