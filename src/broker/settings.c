/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/settings.h"

#include <stdlib.h>

#include "broker/broker_impl.h"

/*
 * The date is looked at again at least so often: the wall clock may be set, the
 * timers' clock is not.
 */
#define EXPIRY_LOOK_S 60

/* In memory of its own: most topics with settings have no use for it. */
struct deadlines {
	struct timer expiry; /* on with expiration-date */
	struct timer check; /* on with observer-check */
	struct broker *broker;
	struct topic *topic;
};

const char *
settings_find_fault(const struct broker *b, const struct props *p)
{
	if (props_has(p, PROPS_INITIALIZE) && !props_has(p, PROPS_CONTENT_FORMAT))
		return "initialize needs topic-content-format";
	if (props_has(p, PROPS_TYPE) && p->type.n > SETTINGS_TYPE_MAX)
		return "topic-type is too long";
	if (props_has(p, PROPS_EXPIRATION) && p->expiration_s <= b->ops->wall_s(b->ctx))
		return "expiration-date has passed";
	return NULL;
}

/* Whether these bytes are the topic's own "initialize", or else its value. */
static struct value *
same_value(const struct topic *t, struct bytes data)
{
	struct value *kept = t->settings ? t->settings->initialize : NULL;

	if (kept && bytes_equal(value_bytes(kept), data))
		return kept;
	return t->value && bytes_equal(value_bytes(t->value), data) ? t->value : NULL;
}

bool
settings_have_room(struct broker *b, const struct topic *t, const struct props *p)
{
	size_t n = props_has(p, PROPS_TYPE) ? p->type.n : 0;

	if (props_has(p, PROPS_INITIALIZE) && !(t && same_value(t, p->initialize)))
		n += p->initialize.n;
	return n == 0 || broker_has_room(b, NULL, n);
}

static void
on_check(struct timer *timer, void *ctx)
{
	struct deadlines *d = MAP_OBJECT(timer, struct deadlines, check);
	uint32_t every = observe_check_every(d->topic->settings->observer_check_s);

	(void)ctx;
	observe_check(d->broker, d->topic);
	wheel_start(layer_wheel(d->broker->layer), timer,
		layer_now(d->broker->layer) + every * 1000ull);
}

static void
wait_for_date(struct deadlines *d, int64_t now_s)
{
	int64_t left_s = EXPIRY_LOOK_S, date_s = d->topic->settings->expiration_s;

	if (date_s < now_s + left_s)
		left_s = date_s > now_s ? date_s - now_s : 0;
	wheel_start(layer_wheel(d->broker->layer), &d->expiry,
		layer_now(d->broker->layer) + (uint64_t)left_s * 1000);
}

static void
on_expiry(struct timer *timer, void *ctx)
{
	struct deadlines *d = MAP_OBJECT(timer, struct deadlines, expiry);
	struct broker *b = d->broker;
	int64_t now_s = b->ops->wall_s(b->ctx);

	(void)ctx;
	if (now_s < d->topic->settings->expiration_s) {
		wait_for_date(d, now_s);
		return;
	}
	/* "Topic Properties": as if it were deleted; the timer is gone with it. */
	b->stats.expired++;
	broker_drop_topic(b, d->topic);
}

static void
start_deadlines(struct broker *b, struct topic *t)
{
	struct settings *s = t->settings;
	struct deadlines *d;

	if (!(s->has & (PROPS_BIT(PROPS_EXPIRATION) | PROPS_BIT(PROPS_OBSERVER_CHECK))))
		return;
	s->deadlines = d = mem_alloc(sizeof(*d));
	d->broker = b;
	d->topic = t;
	d->expiry.fire = on_expiry;
	d->check.fire = on_check;
	if (s->has & PROPS_BIT(PROPS_EXPIRATION))
		wait_for_date(d, b->ops->wall_s(b->ctx));
	if (s->has & PROPS_BIT(PROPS_OBSERVER_CHECK))
		wheel_start(layer_wheel(b->layer), &d->check,
			layer_now(b->layer) + observe_check_every(s->observer_check_s) * 1000ull);
}

struct settings *
settings_new(struct broker *b, const struct topic *t, const struct props *p)
{
	size_t n_type = props_has(p, PROPS_TYPE) ? p->type.n : 0;
	struct value *same;
	struct settings *s;

	if (!(p->has & SETTINGS_KEYS & ~PROPS_BIT(PROPS_CONTENT_FORMAT)))
		return NULL;
	s = mem_alloc(sizeof(*s) + n_type);
	s->has = p->has & SETTINGS_KEYS & ~PROPS_BIT(PROPS_CONTENT_FORMAT);
	s->max_subscribers = p->max_subscribers;
	s->observer_check_s = p->observer_check_s;
	s->expiration_s = p->expiration_s;
	s->n_type = (uint32_t)n_type;
	if (n_type)
		memcpy(s->type, p->type.p, n_type);
	b->topics.value_bytes += n_type;
	if (props_has(p, PROPS_INITIALIZE)) {
		same = same_value(t, p->initialize);
		s->initialize = same ? value_hold(same)
				     : value_new(&b->topics, p->content_format, p->initialize);
	}
	return s;
}

void
settings_free(struct broker *b, struct settings *s)
{
	if (!s)
		return;
	if (s->deadlines) {
		wheel_stop(layer_wheel(b->layer), &s->deadlines->expiry);
		wheel_stop(layer_wheel(b->layer), &s->deadlines->check);
		free(s->deadlines);
	}
	b->topics.value_bytes -= s->n_type;
	value_release(&b->topics, s->initialize);
	free(s);
}

uint32_t
settings_format(const struct props *p)
{
	return props_has(p, PROPS_CONTENT_FORMAT) ? p->content_format : BROKER_NO_FORMAT;
}

void
settings_take(struct broker *b, struct topic *t, uint32_t format, struct settings *new)
{
	struct settings *old = t->settings;

	t->content_format = format;
	t->settings = new;
	settings_free(b, old);
	if (new)
		start_deadlines(b, t);
	/* Lists of links are filtered by them. */
	b->topics.generation++;
	if (settings_has(t, PROPS_MAX_SUBSCRIBERS))
		observe_limit(b, t, new->max_subscribers);
}

void
settings_replace(struct broker *b, struct topic *t, const struct props *p)
{
	settings_take(b, t, settings_format(p), settings_new(b, t, p));
	broker_keep(b, BROKER_KEEP_TOPIC, t);
}

void
settings_drop(struct broker *b, struct topic *t)
{
	settings_free(b, t->settings);
	t->settings = NULL;
}

void
settings_describe(const struct topic *t, struct props *p)
{
	const struct settings *s = t->settings;

	if (t->content_format != BROKER_NO_FORMAT) {
		p->has |= PROPS_BIT(PROPS_CONTENT_FORMAT);
		p->content_format = (uint16_t)t->content_format;
	}
	if (!s)
		return;
	p->has |= s->has;
	p->max_subscribers = s->max_subscribers;
	p->observer_check_s = s->observer_check_s;
	p->expiration_s = s->expiration_s;
	p->type = bytes_of(s->type, s->n_type);
	if (s->initialize)
		p->initialize = value_bytes(s->initialize);
}
