/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which publishes everybody was told of, on the way to the store: not with each of them,
 * but when they are a little old, so that it costs next to nothing. After a stop that was
 * not clean, what came later is told again: resume.c. After a clean one that is what was on
 * its way to somebody then, which the record of it says: a third byte that everybody was told.
 */
#include "broker/restore.h"
#include "net/keep_impl.h"

#define ANNOUNCED "announced"
#define EVERY_MS 2000 /* a publish is so old at least, and twice that at most */
#define MANY 8192 /* of 16 bits: numbers are told apart as long as they are near each other */

static void
put(struct keep *k, bool all)
{
	const uint8_t bytes[] = {
		(uint8_t)(k->announced.kept >> 8), (uint8_t)k->announced.kept, true};
	const union store_record r = {
		.meta = {.name = BYTES_LIT(ANNOUNCED), .value = bytes_of(bytes, all ? 3 : 2)}};

	(void)store_put(k->store, STORE_META, &r, STORE_LATER, NULL);
}

/*
 * Somebody has not acknowledged what came after *ret. Nobody is waited for so long that
 * numbers could not be told apart, and where nothing is confirmable nobody is looked at.
 */
static bool
may_be_unheard(struct keep *k, uint16_t newest, uint16_t *ret)
{
	return layer_n_exchanges(k->view.layer) > 0 && !restore_is_told(k->view.broker, ret) &&
	       (uint16_t)(newest - *ret) < MANY;
}

/* What was the newest one then is old enough now, unless it is being sent again. */
static void
move_on(struct keep *k)
{
	struct announced *a = &k->announced;
	uint16_t newest, told, next = a->mark;
	bool moves;

	a->n = 0;
	if (!restore_is_announced(k->view.broker, &newest))
		return;
	moves = next != a->kept;
	if (may_be_unheard(k, newest, &told)) {
		if ((int16_t)(told - next) < 0)
			next = told;
		moves = (int16_t)(next - a->kept) > 0;
	}
	if (moves) {
		a->kept = next;
		put(k, false);
	}
	a->mark = newest;
}

unsigned
keep_announced_left(const struct keep *k)
{
	uint16_t newest;

	if (!restore_is_announced(k->view.broker, &newest))
		return 1;
	return (uint16_t)(newest - k->announced.kept);
}

static void
on_timer(uv_timer_t *timer)
{
	struct keep *k = timer->data;

	move_on(k);
	if (keep_announced_left(k) > 0)
		(void)uv_timer_start(timer, on_timer, EVERY_MS, 0);
}

void
keep_announced_init(struct keep *k, uv_loop_t *loop)
{
	(void)uv_timer_init(loop, &k->announced.timer);
	k->announced.timer.data = k;
}

void
keep_announced_note(struct keep *k)
{
	if (++k->announced.n >= MANY)
		move_on(k);
	if (!uv_is_active((const uv_handle_t *)&k->announced.timer))
		(void)uv_timer_start(&k->announced.timer, on_timer, EVERY_MS, 0);
}

void
keep_announced_take(struct keep *k, const struct store_meta *r)
{
	if (!bytes_is(r->name, ANNOUNCED) || r->value.n < 2)
		return;
	k->announced.all = k->clean && r->value.n > 2;
	k->announced.kept = (uint16_t)(r->value.p[0] << 8 | r->value.p[1]);
	k->announced.mark = k->announced.kept;
	k->announced.known = true;
}

bool
keep_announced_has(const struct keep *k, uint16_t nth)
{
	return k->announced.all || (k->announced.known && (int16_t)(nth - k->announced.kept) <= 0);
}

void
keep_announced_again(struct keep *k)
{
	if (!restore_is_announced(k->view.broker, &k->announced.kept))
		return;
	k->announced.mark = k->announced.kept;
	put(k, false);
}

void
keep_announced_stop(struct keep *k)
{
	bool all;

	/* What is still to be told again is among what the record does not have. */
	if (!restore_is_announced(k->view.broker, &k->announced.kept))
		return;
	all = restore_is_told(k->view.broker, &k->announced.kept);
	put(k, all);
}
