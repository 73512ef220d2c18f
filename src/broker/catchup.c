/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/catchup.h"

#include <stdlib.h>

#include "broker/broker_impl.h"

void
catchup_add(struct broker *b, struct topic *t)
{
	struct catchup *c = &b->catchup;

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->topics = mem_realloc(c->topics, c->cap * sizeof(struct topic *));
	}
	c->topics[c->n++] = t;
	t->late = true;
}

static void
tell(struct broker *b, struct topic *t)
{
	uint32_t n = 0;

	for (struct bunch *bunch = t->bunches; bunch; bunch = bunch->next) {
		n += bunch->traditional.n;
		if (bunch->observation)
			group_repeat(b, bunch->observation, 0);
	}
	if (n == 0)
		return;
	observe_renumber(b, t);
	observe_mark_dirty(b, t);
}

static void
end(struct catchup *c)
{
	free(c->topics);
	c->topics = NULL;
	c->n = c->cap = 0;
}

static void
on_timer(struct timer *timer, void *ctx)
{
	struct catchup *c = MAP_OBJECT(timer, struct catchup, timer);
	struct broker *b = c->broker;

	(void)ctx;
	while (c->n > 0) {
		struct topic *t = c->topics[--c->n];

		if (!t || !t->late)
			continue;
		t->late = false;
		if (!t->value || !t->bunches)
			continue;
		tell(b, t);
		wheel_start(
			layer_wheel(b->layer), &c->timer, layer_now(b->layer) + CATCHUP_APART_MS);
		return;
	}
	end(c);
}

/* Serial numbers, the newest last. */
static int
by_age(const void *a, const void *b, void *newest)
{
	const struct topic *const *x = a, *const *y = b;
	const uint16_t *n = newest;
	uint16_t age_x = (uint16_t)(*n - (*x)->value->nth);
	uint16_t age_y = (uint16_t)(*n - (*y)->value->nth);

	return (age_x < age_y) - (age_x > age_y);
}

unsigned
catchup_begin(struct broker *b)
{
	struct catchup *c = &b->catchup;
	unsigned n = 0;

	c->announced = b->topics.n_values;
	c->broker = b;
	c->timer.fire = on_timer;
	for (size_t i = 0; i < c->n; i++) {
		if (c->topics[i] && c->topics[i]->bunches && c->topics[i]->value)
			c->topics[n++] = c->topics[i];
	}
	c->n = n;
	if (n == 0) {
		end(c);
		return 0;
	}
	qsort_r(c->topics, n, sizeof(struct topic *), by_age, &b->topics.n_values);
	wheel_start(layer_wheel(b->layer), &c->timer, layer_now(b->layer));
	return n;
}

void
catchup_published(struct broker *b, struct topic *t)
{
	b->catchup.announced = t->value->nth;
	t->late = false;
}

void
catchup_forget(struct broker *b, struct topic *t)
{
	struct catchup *c = &b->catchup;

	/* Also one that is not late any more: it keeps its place in there until its turn. */
	for (size_t i = 0; i < c->n; i++) {
		if (c->topics[i] == t)
			c->topics[i] = NULL;
	}
}

void
catchup_fini(struct broker *b)
{
	wheel_stop(layer_wheel(b->layer), &b->catchup.timer);
	end(&b->catchup);
}
