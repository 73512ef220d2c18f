/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rough counting of the clients in a group observation
 * (draft-ietf-core-observe-multicast-notifications, "Rough Counting of Clients in the
 * Group Observation", server side): when a notification asks, how many answers mean how
 * many clients, and when so few are left that the group observation ends. Arithmetic
 * only; messages and timers are group.c's.
 */
#ifndef COAPCAST_BROKER_COUNT_H
#define COAPCAST_BROKER_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#define COUNT_MAX 1e9 /* whatever is claimed, there are not more */
/*
 * After a round that nobody answered M is lowered where need be, so that Q falls by no more
 * than this: all of very many would answer the next one if that was only bad luck.
 */
#define COUNT_STEP 3
#define COUNT_RATIO 4 /* an estimate that is off by more is checked at once: the draft's example */

struct count_conf {
	uint32_t every; /* notifications from one round to the next */
	uint32_t confirmations; /* M: how many answers are wanted, over 0 */
	uint32_t wait_ms; /* MAX_CONFIRMATION_WAIT */
	uint32_t dampener; /* D, over 0 */
	uint32_t cancel_below; /* estimated observers under which the group observation ends */
};

/* Zeroed: nobody there. Read it, do not write it. */
struct count {
	double n; /* COUNT: how many are thought to take part; no whole number */
	double asked; /* N, of the round under way */
	uint32_t n_confirmed; /* R: answers in it */
	uint32_t n_joined; /* newcomers in it */
	uint32_t since; /* notifications since the one that asked last */
	uint8_t round; /* rounds begun so far, modulo 256 */
	uint8_t q; /* Feedback-Divider of the round */
	uint8_t n_silent; /* rounds in a row that asked everybody, and nobody was there */
	bool is_open; /* answers are being collected */
	bool again; /* the next notification asks */
};

/* A notification is about to leave: whether it has to ask. */
bool count_is_due(struct count *c, const struct count_conf *conf);
/* Begins a round: the value of Feedback-Divider, Q. */
uint8_t count_ask(struct count *c, const struct count_conf *conf);
/* An answer came; one that nobody waits for is nothing. */
void count_confirm(struct count *c);
/* Ends the round after wait_ms: true when the group observation is to be cancelled. */
bool count_close(struct count *c, const struct count_conf *conf);

/* A client is told of the group observation; what it returns is for count_leave. */
uint8_t count_join(struct count *c);
/* That client turned out not to take part. */
void count_leave(struct count *c, uint8_t round);

#endif
