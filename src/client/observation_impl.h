/* SPDX-License-Identifier: BSD-2-Clause */
/* An observation's inside, shared by observation.c, values.c and membership.c, and nobody else. */
#ifndef COAPCAST_CLIENT_OBSERVATION_IMPL_H
#define COAPCAST_CLIENT_OBSERVATION_IMPL_H

#include "client/latest.h"
#include "client/observation.h"
#include "client/offer.h"
#include "client/transfer.h"

#define FIRST_MAX 2048 /* a notification with the first block of a value */

enum state {
	STATE_REGISTERING, /* the request is out */
	STATE_TRADITIONAL, /* notifications come by unicast, under the request's token */
	STATE_GROUP, /* they come to the group, under token T */
	STATE_WAITING, /* for the moment to register again */
	STATE_OVER,
};

/* What the timer `due` waits for. */
enum due {
	DUE_NOTHING,
	DUE_STALE, /* the newest value reaches its Max-Age */
	DUE_GET, /* the random part before asking for the value is over */
	DUE_REGISTER, /* the same before registering again */
};

/* What a value will be told to be, once it is complete. */
struct story {
	enum via via;
	bool initial;
	bool may_repeat; /* not news when it equals the last one */
	bool has_observe;
	bool verified;
	uint32_t observe;
	struct token token;
};

struct observation {
	struct session *session;
	const struct observation_ops *ops;
	void *ctx;
	enum state state;
	struct target target; /* its text is in `text` */
	uint8_t text[2 * TARGET_MAX];
	struct msg request; /* the registration; option values are in `space` */
	uint8_t space[2 * TARGET_MAX];
	struct call call; /* the registration, whose token stays alive when moved */
	bool registered; /* there was a good answer to a registration */
	struct latest latest;
	uint64_t n_missed; /* since the beginning */
	uint32_t n_unsaid; /* of these, not told yet */
	uint32_t max_age_s; /* of the newest value */
	struct timer due;
	enum due what_due;
	uint64_t again_ms; /* no renewal before this moment */
	uint32_t retry_s; /* Max-Age of the last refusal */

	/* In the group. */
	struct listener listener; /* its socket is the joined one */
	struct addr group;
	struct addr from; /* the server, as a sender to the group */
	struct token token; /* T */
	uint32_t group_max_age_s; /* of the last notification there, or UINT32_MAX */
	unsigned n_silent; /* Max-Ages that ran out since a notification came */
	bool heard; /* a multicast notification came since it was joined */
	bool answered; /* so did an answer to a GET */
	/*
	 * `group` and `token` are of one that nothing was heard of. Should they be offered
	 * again it is there, and it is multicast that does not get here.
	 */
	bool deaf;
	bool complained; /* that was told */
	unsigned n_insisted; /* registrations to be left out of it */
	uint64_t not_before_ms; /* the server said that nothing comes until then */
	struct timer end_due; /* the moment of the announced end */
	struct timer count_due; /* the moment to answer a count */

	/* Of a protected group. */
	struct oscore_binding bound; /* its notifications; context NULL: it is not */
	struct oscore_binding before; /* those before the last rekeying, the same */
	struct timer keys_due; /* the moment they expire */
	int64_t keys_until_s; /* the same by the clock, UTC; 0: it is not known */
	struct armor_drops drops; /* what could not be verified */
	unsigned n_unverified; /* of these, since the last good one */
	bool declined; /* an offer was, and that was told */

	/* An informative response that did not fit its datagram. */
	struct transfer offer;
	unsigned n_torn; /* that changed while it was read */

	/* A value that did not fit its notification. */
	struct transfer rest;
	struct story rest_story;
	struct timer rest_due; /* the moment to fetch it */
	uint8_t first[FIRST_MAX]; /* the notification: code, options, payload */
	size_t n_first;

	struct transfer refresh; /* the plain GET */
	bool refresh_initial;

	/* Of a server that does not answer. */
	struct timer dead_due; /* the moment it counts as gone */
	bool revived; /* there was a new connection for that since it was heard */
	bool reviving; /* the old one is about to end */
	unsigned n_refused; /* connections in a row that it did not want to have with us */
};

/* Tells on_note. */
void observation_note(struct observation *o, bool loud, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void observation_set_due(struct observation *o, enum due what, uint64_t in_ms);
/* Registers again after a while, but not too soon after the last time. */
void observation_renew(struct observation *o, uint32_t in_ms);
/* Everything stops but the call; the state is the caller's to set. */
void observation_pause(struct observation *o);
/* It is over, for that reason. */
void observation_end(
	struct observation *o, enum observation_end how, uint8_t code, const char *text);
/* The registration as a NON with that option; no answer is wanted. */
void observation_mention(struct observation *o, uint16_t option, uint32_t value);

/* values.c: what is said of the newest value, complete and in order. */

/*
 * A 2.05 that says what the newest value is: RFC 7641 3.2 to 3.4. `s` says how it
 * came; without Observe there is no order to keep.
 */
void values_take(struct observation *o, const struct msg *m, struct story *s);
/* A complete value: told, unless it repeats the last one. */
void values_tell(struct observation *o, const struct story *s, struct bytes etag, struct bytes body,
	int format);
/* The newest value holds from now on for its Max-Age. */
void values_hold(struct observation *o, uint32_t max_age_s);
/* The plain GET for it. */
void values_ask(struct observation *o);
struct transfer_request values_request(const struct observation *o);
/* For o->rest_due. */
void values_fetch_rest(struct timer *t, void *ctx);

/* revival.c: of a server that does not answer. */

void revival_init(struct observation *o);
/* A request is out that has to be answered. */
void revival_await(struct observation *o);
void revival_stop(struct observation *o);
/* It was. */
void revival_heard(struct observation *o);
/* A request failed. Whether it is not worth another: our keys are refused. */
bool revival_is_refused(struct observation *o, bool insecure);
/* The same; whether it was given up for a new connection, and when to ask there. */
bool revival_is_due(struct observation *o, uint32_t *ret_in_ms);

/* membership.c: in the group. */

/* "Informative Response", steps 1 to 7: join, keep T, and take the latest notification. */
void membership_take_up(struct observation *o, const struct offer *f, const struct arrival *a);
/* One that is not for us: registers again to be left out of it, `why` is told once. */
void membership_decline(struct observation *o, const char *why);
/* What offers are judged by. */
struct offer_trust membership_trust(const struct observation *o);
/* Forgets all keys. */
void membership_fini(struct observation *o);
/* Stops listening and all that goes with it; fine when not in a group. */
void membership_leave(struct observation *o);
/* A Max-Age ran out: what is due then. */
void membership_grow_stale(struct observation *o);
/* The plain GET was answered; `changed`: with a value that no notification told of. */
void membership_answered(struct observation *o, bool changed);
/* Counted by a notification, it answers or not. */
void membership_be_counted(struct observation *o, const struct msg *m);
void membership_init(struct observation *o);

#endif
