/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The optional properties of a topic (coap-pubsub, "Topic Properties") beyond its
 * Content-Format, kept only for topics that have any, and what they cause: the
 * end of the topic at expiration-date, the timer of observer-check, the end of
 * observations past max-subscribers.
 */
#ifndef COAPCAST_BROKER_SETTINGS_H
#define COAPCAST_BROKER_SETTINGS_H

#include "broker/topic.h"
#include "wire/props.h"

#define SETTINGS_TYPE_MAX 255 /* bytes of topic-type */

/* Properties that a client may set and set anew. */
#define SETTINGS_KEYS                                                                            \
	(PROPS_BIT(PROPS_CONTENT_FORMAT) | PROPS_BIT(PROPS_TYPE) | PROPS_BIT(PROPS_EXPIRATION) | \
		PROPS_BIT(PROPS_MAX_SUBSCRIBERS) | PROPS_BIT(PROPS_OBSERVER_CHECK) |             \
		PROPS_BIT(PROPS_INITIALIZE))

struct deadlines;

struct settings {
	unsigned has; /* PROPS_BIT of the properties that follow */
	uint32_t max_subscribers;
	uint32_t observer_check_s;
	uint32_t n_type;
	int64_t expiration_s; /* since 1970, UTC */
	struct value *initialize; /* a reference; most often the first value itself */
	struct deadlines *deadlines; /* owned; NULL: nothing is to happen by itself */
	uint8_t type[]; /* topic-type */
};

static inline bool
settings_has(const struct topic *t, enum props_key key)
{
	return t->settings && (t->settings->has & PROPS_BIT(key)) != 0;
}

/* Why these cannot be a topic's properties, for a diagnostic payload; NULL when they can. */
const char *settings_find_fault(const struct broker *b, const struct props *p);

/* Whether limits.memory has room for them in place of what the topic (NULL: none) has. */
bool settings_have_room(struct broker *b, const struct topic *t, const struct props *p);

/*
 * Makes those of SETTINGS_KEYS that `p` has the topic's, and no others; what `p`
 * borrows from the topic's own properties may stay there until the end. Its value
 * is left as it is.
 */
void settings_replace(struct broker *b, struct topic *t, const struct props *p);
/*
 * The same in two steps: what takes memory, and what is seen. NULL when there is
 * nothing in them but the Content-Format.
 */
struct settings *settings_new(struct broker *b, const struct topic *t, const struct props *p);
void settings_take(struct broker *b, struct topic *t, uint32_t format, struct settings *new);
void settings_free(struct broker *b, struct settings *s); /* NULL is fine */
/* The topic-content-format in them. */
uint32_t settings_format(const struct props *p);
/* Forgets them without any effect on the topic, which is about to go. */
void settings_drop(struct broker *b, struct topic *t);

/* Adds them to what is told of the topic; strings are borrowed. */
void settings_describe(const struct topic *t, struct props *p);

#endif
