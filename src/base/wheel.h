/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hierarchical timer wheel on a caller's monotonic milliseconds: starting
 * and stopping a timer is O(1) whatever the number of timers. It has no clock:
 * wheel_advance is told what time it is. A timer never fires early and at most
 * one slot late on its level before it is sorted down, so exactly on time.
 */
#ifndef COAPCAST_BASE_WHEEL_H
#define COAPCAST_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_BITS 6
#define WHEEL_SLOTS (1 << WHEEL_BITS)
#define WHEEL_LEVELS 6 /* 64^6 ms: two years; later timers wait in the last slot */

/* Embedded in what waits; zeroed means idle. */
struct timer {
	struct timer *next;
	struct timer **link; /* what points at this timer; NULL: idle */
	uint64_t at_ms; /* when it is due */
	void (*fire)(struct timer *t, void *ctx);
};

struct wheel {
	uint64_t now_ms; /* every timer due by then has fired */
	void *ctx; /* handed to every `fire` */
	uint64_t used[WHEEL_LEVELS]; /* a bit per slot that holds a timer */
	struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

#define WHEEL_NEVER UINT64_MAX

void wheel_init(struct wheel *w, uint64_t now_ms, void *ctx);

/* Starts or moves a timer; one that is due already fires at the next advance. */
void wheel_start(struct wheel *w, struct timer *t, uint64_t at_ms);
void wheel_stop(struct wheel *w, struct timer *t);
bool timer_is_on(const struct timer *t);

/* Fires everything due by now_ms, in order of time within a slot's resolution. */
void wheel_advance(struct wheel *w, uint64_t now_ms);

/* A time not after the next timer's, close enough to sleep until; WHEEL_NEVER without. */
uint64_t wheel_next(const struct wheel *w);

#endif
