/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who observes a topic (RFC 7641), in bunches: observers of one topic that may
 * be moved into the same group observation, or into none. A bunch with a live
 * group observation has no list of those who were moved: they cost nothing but
 * a count.
 */
#ifndef COAPCAST_BROKER_OBSERVE_H
#define COAPCAST_BROKER_OBSERVE_H

#include "broker/topic.h"

enum observer_state {
	OBSERVER_TRADITIONAL, /* gets unicast notifications */
	OBSERVER_MOVING, /* its informative response is not acknowledged yet */
	OBSERVER_ENDING, /* its final error response is not acknowledged yet; no bunch */
};

struct observer {
	struct bunch *bunch; /* NULL while ending */
	struct peer *peer; /* pinned */
	struct observer *prev, *next; /* in the bunch's list */
	struct observer *next_of_peer;
	struct exchange *exchange; /* a CON in flight or waiting: notification, 5.03 or 4.04 */
	struct token token;
	uint8_t state; /* enum observer_state */
	uint8_t szx; /* block size it asked for, BLOCK_SZX_MAX when none */
	uint8_t since_con; /* NON notifications since the last CON one */
	uint32_t seq; /* observe number of what it was sent last */
	uint32_t con_s; /* when the last CON was sent, seconds of the layer's clock */
	uint16_t mid; /* of the last NON, so that a RST finds it */
};

struct observers {
	struct observer *first, *last;
	uint32_t n;
};

struct bunch {
	struct topic *topic;
	struct bunch *next; /* of the same topic */
	const struct broker_group *group; /* they may be moved there; NULL: nowhere */
	struct addr local; /* the address they registered at; none without group */
	uint16_t socket; /* and its socket */
	struct group_observation *observation; /* the live one, or NULL */
	struct observers traditional, moving;
	struct bunch *next_dirty; /* among those with observers to be notified */
	struct observer *cursor; /* who is next; NULL: from the start */
	uint32_t left; /* observers to look at before all are up to date */
	bool dirty;
};

/*
 * The bunch of a topic for this group and local address, made when missing; with
 * a group of NULL the one that is never moved. bunch_settle frees it when nothing
 * is in it.
 */
struct bunch *bunch_get(struct broker *b, struct topic *t, const struct broker_group *group,
	const struct local *local);
void bunch_settle(struct broker *b, struct bunch *bunch);

/* This peer's observation with that token, in whatever state; or NULL. */
struct observer *observer_find(const struct peer *p, const struct token *token);

/* Adds an observer; NULL past limits.observers or limits.observers-per-peer. */
struct observer *observer_add(struct broker *b, struct bunch *bunch, struct peer *p,
	const struct token *token, uint8_t szx);
/* Takes it off every list and frees it; a CON of its own is cancelled. */
void observer_remove(struct broker *b, struct observer *o);

/* Marks a topic's traditional observers for broker_flush. */
void observe_mark_dirty(struct broker *b, struct topic *t);

/* Moves an observer of a bunch with a live group observation: paced CON 5.03. */
void observer_move(struct broker *b, struct observer *o);

/* Ends it with an error response (RFC 7641 3.2), confirmable, after which it is gone. */
void observer_end(struct broker *b, struct observer *o);

/* Ends all observations of a topic, traditional and of groups. */
void observe_end_all(struct broker *b, struct topic *t);

#endif
