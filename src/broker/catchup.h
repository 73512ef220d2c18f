/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After a stop that was none: what may have been published and kept without anybody having
 * been told (architecture, "Store": a publish is seen after its commit) is told to whoever
 * observes it, the newest first, one topic at a time.
 */
#ifndef COAPCAST_BROKER_CATCHUP_H
#define COAPCAST_BROKER_CATCHUP_H

#include "base/wheel.h"
#include "broker/topic.h"

#define CATCHUP_APART_MS 10

struct catchup {
	struct topic **topics; /* owned; the next one last; NULL: gone */
	size_t n, cap;
	struct timer timer;
	struct broker *broker;
	uint16_t announced; /* number of the newest publish that was told, and all before it */
};

/* A topic whose value may be news: to be told by catchup_begin, or by the next publish. */
void catchup_add(struct broker *b, struct topic *t);
/* Everybody is there who was. How many topics there are to be told of. */
unsigned catchup_begin(struct broker *b);
/* A topic has been published to; it goes; the broker goes. */
void catchup_published(struct broker *b, struct topic *t);
void catchup_forget(struct broker *b, struct topic *t);
void catchup_fini(struct broker *b);

#endif
