/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/wheel.h"

#include <stddef.h>
#include <string.h>

#define SLOT_MASK (WHEEL_SLOTS - 1)
#define TOP_SHIFT (WHEEL_BITS * (WHEEL_LEVELS - 1))

void
wheel_init(struct wheel *w, uint64_t now_ms, void *ctx)
{
	memset(w, 0, sizeof(*w));
	w->now_ms = now_ms;
	w->ctx = ctx;
}

bool
timer_is_on(const struct timer *t)
{
	return t->link != NULL;
}

static void
insert(struct wheel *w, struct timer *t, unsigned level, unsigned slot)
{
	struct timer **head = &w->slots[level][slot];

	t->next = *head;
	t->link = head;
	if (t->next)
		t->next->link = &t->next;
	*head = t;
	w->used[level] |= 1ull << slot;
}

/*
 * The level is the lowest whose slots tell this time from now: the timer lies
 * within the current turn of the next level.
 */
static void
place(struct wheel *w, struct timer *t)
{
	uint64_t at = t->at_ms > w->now_ms ? t->at_ms : w->now_ms + 1;
	uint64_t differ = at ^ w->now_ms;
	unsigned level = (unsigned)(63 - __builtin_clzll(differ | 1)) / WHEEL_BITS;

	if (level >= WHEEL_LEVELS) {
		/*
		 * In the next turn of the last level, whose slots up to the current one are
		 * free for it; beyond that, wait in the farthest and be placed again.
		 */
		uint64_t farthest = (w->now_ms >> TOP_SHIFT) + SLOT_MASK;
		uint64_t tick = at >> TOP_SHIFT;

		insert(w, t, WHEEL_LEVELS - 1,
			(unsigned)(tick < farthest ? tick : farthest) & SLOT_MASK);
		return;
	}
	insert(w, t, level, (unsigned)(at >> (WHEEL_BITS * level)) & SLOT_MASK);
}

void
wheel_start(struct wheel *w, struct timer *t, uint64_t at_ms)
{
	wheel_stop(w, t);
	t->at_ms = at_ms;
	place(w, t);
}

/* Clears the bit of a slot that lost its last timer, so that nobody wakes for it. */
static void
settle(struct wheel *w, struct timer **link)
{
	uintptr_t first = (uintptr_t)&w->slots[0][0], at = (uintptr_t)link;
	size_t i = (at - first) / sizeof(w->slots[0][0]);

	/* The link of any but a slot's first timer is inside its neighbour. */
	if (*link || at < first || i >= WHEEL_LEVELS * WHEEL_SLOTS)
		return;
	w->used[i / WHEEL_SLOTS] &= ~(1ull << (i % WHEEL_SLOTS));
}

void
wheel_stop(struct wheel *w, struct timer *t)
{
	if (!t->link)
		return;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	settle(w, t->link);
	t->link = NULL;
	t->next = NULL;
}

/* Takes the whole list out of a slot, so that what fires may start timers anew. */
static struct timer *
take(struct wheel *w, unsigned level, unsigned slot)
{
	struct timer *list = w->slots[level][slot];

	w->slots[level][slot] = NULL;
	w->used[level] &= ~(1ull << slot);
	return list;
}

/* Empties one slot: due timers fire, the others are sorted down. */
static void
drain(struct wheel *w, unsigned level, unsigned slot)
{
	struct timer *list = take(w, level, slot);

	if (list)
		list->link = &list;
	while (list) {
		struct timer *t = list;

		wheel_stop(w, t);
		if (t->at_ms <= w->now_ms)
			t->fire(t, w->ctx);
		else
			place(w, t);
	}
}

/* The next time after now at which a slot of this level begins and holds something. */
static uint64_t
next_on_level(const struct wheel *w, unsigned level)
{
	unsigned shift = WHEEL_BITS * level;
	uint64_t tick = w->now_ms >> shift;
	unsigned slot = (unsigned)tick & SLOT_MASK;
	uint64_t used = w->used[level];

	if (used == 0)
		return WHEEL_NEVER;
	/* Rotate so that bit 0 is the slot after the current one. */
	slot = (slot + 1) & SLOT_MASK;
	used = slot ? used >> slot | used << (WHEEL_SLOTS - slot) : used;
	return (tick + 1 + (unsigned)__builtin_ctzll(used)) << shift;
}

uint64_t
wheel_next(const struct wheel *w)
{
	uint64_t next = WHEEL_NEVER;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		uint64_t at = next_on_level(w, level);

		if (at < next)
			next = at;
	}
	return next;
}

void
wheel_advance(struct wheel *w, uint64_t now_ms)
{
	uint64_t next;

	while ((next = wheel_next(w)) <= now_ms) {
		w->now_ms = next;
		/* Higher levels first: what they sort down may be due at once. */
		for (unsigned level = WHEEL_LEVELS; level-- > 0;) {
			unsigned shift = WHEEL_BITS * level;

			if ((next & ((1ull << shift) - 1)) == 0)
				drain(w, level, (unsigned)(next >> shift) & SLOT_MASK);
		}
	}
	if (now_ms > w->now_ms)
		w->now_ms = now_ms;
}
