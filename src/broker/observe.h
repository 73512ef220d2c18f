/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who observes a topic (RFC 7641), in bunches: observers of one topic that may
 * be moved into the same group observation, or into none. A bunch with a live
 * group observation has no list of those who were moved: they cost nothing but
 * a count.
 */
#ifndef COAPCAST_BROKER_OBSERVE_H
#define COAPCAST_BROKER_OBSERVE_H

#include "broker/cover.h"
#include "broker/topic.h"

enum observer_state {
	OBSERVER_TRADITIONAL, /* gets unicast notifications */
	OBSERVER_MOVING, /* its informative response is not acknowledged yet */
	OBSERVER_ENDING, /* its final error response is not acknowledged yet; no bunch */
};

#define OBSERVER_NO_MID UINT16_MAX /* no unicast message of ours has this id */

/* One per observation of one peer: there may be very many, so it is small. */
struct observer {
	struct bunch *bunch; /* NULL while ending */
	struct peer *peer; /* pinned */
	struct observer *prev, *next; /* in the bunch's list */
	struct observer *next_of_peer;
	struct cover *cover; /* owned; NULL: its peer is anonymous and unprotected */
	struct exchange *exchange; /* a CON in flight or waiting: notification, 5.03 or the last */
	struct token token;
	uint8_t state : 6; /* enum observer_state */
	uint8_t movable : 1; /* its registration, but for the group, was one that may be moved */
	uint8_t leisurely : 1; /* it registered by multicast: notified at leisure */
	uint8_t szx; /* block size it asked for, BLOCK_SZX_MAX when none */
	uint8_t since_con; /* NON notifications since the last CON one */
	uint32_t seq; /* observe number of what it was sent last */
	uint32_t con_s; /* when a CON was acknowledged last, seconds of the layer's clock */
	uint16_t mid; /* of the last NON, so that a RST finds it; or OBSERVER_NO_MID */
	uint8_t end_code; /* of its last response, while ending */
	uint8_t round; /* of counting, when it was told to move: count_join */
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
	struct group_observation *starting; /* one that is to be kept before anybody hears of it */
	struct observers traditional, moving;
	struct bunch *prev_dirty, *next_dirty; /* among those with observers to be told */
	struct observer *cursor; /* who is next; NULL: from the start */
	uint32_t left; /* observers to look at before all are up to date */
	bool dirty;
	bool at_leisure; /* the time of the leisurely ones has come */
	struct timer leisure; /* until then */
	struct broker *broker;
};

/*
 * The bunch of a topic for this group and local address, made when missing; with
 * a group of NULL the one that is never moved. bunch_settle frees it when nothing
 * is in it.
 */
struct bunch *bunch_get(struct broker *b, struct topic *t, const struct broker_group *group,
	const struct local *local);
void bunch_settle(struct broker *b, struct bunch *bunch);
/* Has the next n of its observers looked at by broker_flush: notified, or moved. */
void bunch_mark_dirty(struct broker *b, struct bunch *bunch, uint32_t n);

/*
 * The observation that a request with the same token registered, in whatever state, by
 * the same subject and as secure as this one; or NULL: nobody ends what others protected.
 */
struct observer *observer_find(const struct request *r);

/*
 * Adds who asks for it as an observer, who counts as told nothing so far; NULL past
 * limits.observers or limits.observers-per-peer.
 */
struct observer *observer_add(
	struct broker *b, struct bunch *bunch, const struct request *r, uint8_t szx);
/*
 * The same of one that was kept, and has the current value, also past those limits, which may
 * be lower now; the store is not told. False: there is one with that token.
 */
bool observer_resume(struct broker *b, struct bunch *bunch, const struct request *r, uint8_t szx,
	bool movable, bool leisurely);
/* Takes it off every list and frees it, and its bunch with it when it was the last. */
void observer_remove(struct broker *b, struct observer *o);
/* It registered again, and thereby showed that it is there: RFC 7641 4.1. */
void observer_renew(struct broker *b, struct observer *o, const struct request *r, uint8_t szx);
/* Puts a traditional one among others of its topic; that it left nobody may have settled. */
void observer_transfer(struct broker *b, struct observer *o, struct bunch *to);
/* It was sent the current value; `mid` of the NON that did, or OBSERVER_NO_MID. */
void observer_is_told(struct observer *o, uint16_t mid);

/*
 * Moves an observer of a bunch with a live group observation: paced CON 5.03, after
 * delay_ms; one whose 5.03 has not left yet has it delayed. False, and nothing has
 * changed, when there is no room for the exchange.
 */
bool observer_move(struct broker *b, struct observer *o, uint32_t delay_ms);

/* Ends it with an error response (RFC 7641 4.2), confirmable, after which it is gone. */
void observer_end(struct broker *b, struct observer *o, enum msg_code code);

/*
 * Gives the value of a topic another number, for it is to be sent again as it is: RFC 7641
 * 4.4. Who has it knows it by its ETag.
 */
void observe_renumber(struct broker *b, struct topic *t);
/* Marks a topic's traditional observers for broker_flush. */
void observe_mark_dirty(struct broker *b, struct topic *t);

/* Ends all observations of a topic, traditional ones with that code and those of groups. */
void observe_end_all(struct broker *b, struct topic *t, enum msg_code code);

/* Observers of a topic, those who were moved into a group observation not counted. */
uint32_t observe_count(const struct topic *t);
/*
 * Makes all observers of a topic traditional ones for good, and ends the newest
 * that are more than `max`: 4.04.
 */
void observe_limit(struct broker *b, struct topic *t, uint32_t max);

/* How many seconds apart observe_check is to be called for an observer-check of so many. */
uint32_t observe_check_every(uint32_t check_s);
/*
 * coap-pubsub "Unsubscribe": those observers of a topic whom no CON reached for so
 * long get one, of the value they have when there is no newer one.
 */
void observe_check(struct broker *b, struct topic *t);
/* Starts doing so, every now and then, for all topics without an observer-check of their own. */
void observe_start_checks(struct broker *b);

#endif
