/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes that are durable before anybody sees them (product.md, commit-interval 0): what
 * was asked for waits until the store says that it is kept, or is not. Architecture,
 * "Subscribe", last paragraph.
 */
#ifndef COAPCAST_BROKER_PARK_H
#define COAPCAST_BROKER_PARK_H

#include "broker/topic.h"

struct call;
struct props;

/* Whether something that is to happen to the topic waits. */
bool park_is_busy(const struct topic *t);
/* Whether a topic that is made now is to be kept first. */
bool park_is_wanted(const struct broker *b);

/*
 * Has the topic's new value (NULL: none any more) kept first, if the store wants that: the
 * request is answered when it is known, and the reference to `v` is taken over. False: it
 * need not be, and nothing has happened.
 */
bool park_value(struct call *c, struct value *v);
/* The same of other properties that the topic gets, and of its end. */
bool park_settings(struct call *c, const struct props *p);
bool park_removal(struct call *c);
/* Has a topic that is not there yet, and its first value, kept before it is. */
void park_creation(struct call *c);

/* The topic goes: what waits for it comes to nothing. */
void park_forget(struct broker *b, const struct topic *t);
/* The broker goes. */
void park_drop_all(struct broker *b);

#endif
