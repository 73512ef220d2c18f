/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group observations (draft-ietf-core-observe-multicast-notifications sections
 * 4.1 to 4.5; draft-tiloca-...-01 section 2): the phantom request, the latest
 * notification, the informative response, and the datagrams to the group.
 */
#ifndef COAPCAST_BROKER_GROUP_H
#define COAPCAST_BROKER_GROUP_H

#include "broker/observe.h"

#define GROUP_TOKEN_LEN 4
#define GROUP_UNHEARD_MS 1000 /* a publish that somebody being moved missed is sent again so soon */
#define GROUP_OFFERED_S 86400 /* how long one goes on at least whose data were offered */
#define GROUP_BUDGET 30000 /* notifications per second: 2^23 numbers outlast 256 s (RFC 7641 4.4) */

struct group_observation {
	struct timer refresh; /* the next notification is due: see group.c, schedule */
	struct broker *broker;
	struct bunch *bunch;
	struct shield *shield; /* of the phantom request; held; NULL: unprotected */
	struct map_node by_token; /* the token space of the group's endpoint towards ours */
	struct group_path way;
	struct token token; /* T */
	uint8_t *phantom; /* the phantom request, complete UDP serialization; owned */
	uint32_t n_phantom;
	uint32_t n_latest, n_inform;
	uint32_t n_informs; /* how many `inform` there were: they differ */
	uint8_t *latest; /* latest notification: code | options | ff payload; owned */
	uint8_t *inform; /* the 5.03's options and payload, which may hold keys; owned, NULL: to
	                  * be made anew */
	uint64_t sent_ms; /* when a notification left last; 0: never */
	uint32_t inform_wait_s; /* next_not_before of `inform` */
	bool pending; /* the topic has a value that waits for its moment to be sent */
	uint32_t seq; /* its observe number, 24 bits; a sequence of this observation's own */
	uint64_t budget_ms; /* when the running second of the budget below began */
	uint32_t n_spent; /* notifications in it, at most GROUP_BUDGET */
	struct timer end; /* `ending` comes; idle: none is planned */
	int64_t ending_s; /* the same since 1970, UTC */
	struct unaware *unaware; /* who stays traditional all the same */
	struct timer window; /* the end of a round of counting */
	struct count count;
};

/* Whether a value fits the group's datagrams, if need be as its first block. */
bool group_fits(const struct broker_group *g, const struct value *v);

/*
 * Starts the bunch's group observation; its observers are moved, as many as there
 * is room for, the rest by broker_flush. 0, or a negative errno when it cannot be:
 * they stay traditional.
 */
int group_start(struct broker *b, struct bunch *bunch);
/* The phantom request arrived where registrations do; false: at another topic than its own. */
bool group_register(struct group_observation *g, const struct topic *t);
/* A publish: one datagram, now. */
void group_notify(struct broker *b, struct group_observation *g);
/* Section 8.3.2: a client of the group answered a notification that asked. */
void group_confirm(struct broker *b, struct group_observation *g);

/* Ends it with the 5.03 to the group; the bunch is gone with it when nobody else is in it. */
void group_cancel(struct broker *b, struct group_observation *g);

/* Ends it without a word. */
void group_drop(struct broker *b, struct group_observation *g);

/*
 * Its data for who is not to register, appendix A of the current draft: the payload of
 * an informative response with integer keys and `ending`, without keys. From now on it
 * is planned to end then, and does not before for want of clients.
 */
int group_offer(struct broker *b, struct group_observation *g, struct buf *out);

/* What the informative response carries after its token; borrowed until the next publish. */
struct bytes group_inform_tail(struct broker *b, struct group_observation *g);

#endif
