/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group observations (draft-ietf-core-observe-multicast-notifications sections
 * 4.1 to 4.5; draft-tiloca-...-01 section 2): the phantom request, the latest
 * notification, and the datagrams to the group. Not here: the informative response
 * (announce.h).
 */
#ifndef COAPCAST_BROKER_GROUP_H
#define COAPCAST_BROKER_GROUP_H

#include "broker/observe.h"

#define GROUP_TOKEN_LEN 4
#define GROUP_DATAGRAM_MAX 2048 /* as much as the transport takes, whatever is configured */
#define GROUP_UNHEARD_MS 1000 /* a publish that somebody being moved missed is sent again so soon */
#define GROUP_OFFERED_S 86400 /* how long one goes on at least whose data were offered */
#define GROUP_BUDGET 30000 /* notifications per second: 2^23 numbers outlast 256 s (RFC 7641 4.4) */

struct group_observation {
	uint64_t id; /* in the store; never used again */
	struct group_observation *next_starting; /* in broker.starting */
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
	uint64_t inform_ms; /* when `inform` was made */
	uint64_t sent_ms; /* when a notification left last; 0: never */
	uint32_t inform_wait_s; /* next_not_before of `inform` */
	struct rekey *rekey; /* while new keys are told; owned */
	struct shield *before; /* resumed: of the keys that members may still have; held */
	uint8_t renewal; /* the same: enum group_renewal */
	bool orphan; /* it did not get the new keys */
	bool pending; /* the topic has a value that waits for its moment to be sent */
	uint32_t seq; /* its observe number, 24 bits; a sequence of this observation's own */
	uint32_t seq_bound; /* the store knows that those below this one may be used */
	uint16_t nth; /* number of the publish that `latest` tells of */
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
/* What is to become of one whose keys were replaced before the restart, or are by it. */
enum group_renewal {
	GROUP_KEYS_STAY, /* its keys are the group's; who may have those before is told again */
	GROUP_KEYS_CHANGE, /* they are those before; new ones are told under them */
	GROUP_KEYS_END, /* they may protect its end only */
};
/* How an observation that was kept goes on, without a word to anybody: broker_rekey_again. */
struct group_kept {
	uint64_t id;
	const struct broker_group *group;
	struct addr source;
	uint16_t socket;
	struct token token;
	struct bytes phantom; /* copied */
	struct shield *shield; /* a reference, taken over if it goes on; NULL: unprotected */
	struct shield *before; /* the same; NULL: nobody has other keys */
	enum group_renewal renewal;
	uint32_t seq; /* the last observe number that may have been used */
	bool told; /* it was, at most, for the value there is: nobody misses one */
	uint32_t bound; /* what of them the store knows */
	uint32_t refresh_ms; /* when the next notification is due, if nothing is published */
	int64_t ending_s; /* since 1970, UTC; 0: none is planned */
	double n; /* COUNT */
};

/*
 * Brings it back, where it can still be what it was: its group serves the topic, whose
 * value fits, from the same address. Otherwise -ESTALE, and it is to be cancelled.
 */
int group_resume(struct broker *b, struct topic *t, const struct group_kept *kept);
/* The phantom request arrived where registrations do; false: at another topic than its own. */
bool group_register(struct group_observation *g, const struct topic *t);
/* A publish: one datagram, now. */
void group_notify(struct broker *b, struct group_observation *g);
#define GROUP_NO_DIVIDER (-1)
/* Makes the latest notification anew, with this Feedback-Divider; nothing is sent. */
int group_compose(struct group_observation *g, int divider);
/* The same under the number that it has: of the same value, or of none that ever left. */
int group_compose_again(struct group_observation *g);
/* A message to the group. */
void group_send(struct broker *b, struct group_observation *g, uint8_t code, struct bytes tail);
/*
 * Its keys are others now: a phantom request with the same token, and a latest
 * notification, protected by them. *ret_old is what those before were protected by, a
 * reference. On failure all is as it was.
 */
int group_renew(struct group_observation *g, struct shield **ret_old);
/* The latest notification once more, after so long or as soon as its pace allows. */
void group_repeat(struct broker *b, struct group_observation *g, uint32_t in_ms);
/* Section 8.3.2: a client of the group answered a notification that asked. */
void group_confirm(struct broker *b, struct group_observation *g);

/* Ends it with the 5.03 to the group; the bunch is gone with it when nobody else is in it. */
void group_cancel(struct broker *b, struct group_observation *g);

/* One that is not kept yet does not begin after all. */
void group_forget_start(struct broker *b, struct group_observation *g);

/* Ends it without a word; the store is not told. */
void group_drop(struct broker *b, struct group_observation *g);

/* Its informative response is to be made anew. Keys may be in it: wiped. */
void group_forget_inform(struct group_observation *g);

/* How large a datagram of the group may be. */
size_t group_datagram(const struct broker_group *g);

/* How long it is until min-interval lets the next notification leave. */
uint64_t group_pace_ms(const struct broker *b, const struct group_observation *g);

#endif
