/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An observation of coap://10.0.0.1/ps/data/t against a server played by the test, and
 * what it tells, as text: "join GROUP from SERVER; ", "leave SOCKET; ", a value as
 * "u5:text; " (u unicast, i informative, m multicast, + verified, then Observe), "! " for what is
 * said aloud, "end: WHY CODE; ". "The draft" is
 * draft-ietf-core-observe-multicast-notifications.
 */
#ifndef COAPCAST_WATCH_H
#define COAPCAST_WATCH_H

#include "client/observation.h"
#include "clientbed.h"
#include "wire/inform.h"

#define GROUP "239.1.2.3:5000"
#define SERVER "10.0.0.1:5683"
#define SOON_MS 300 /* longer than any random part here: clientbed.h counts */

extern struct bed watch_bed;
extern struct observation *watch_observation;
extern bool watch_join_fails;
extern const struct armor *watch_armor; /* of the session, from watch_setup on; or NULL */
extern bool watch_any_token; /* values need not come with watch_token */
extern uint32_t watch_missed; /* of the last value */
extern const struct token watch_token; /* T */
#define WATCH_WALL_S 1800000000 /* the wall clock when a test begins */
extern bool watch_can_renew; /* the connection: "renew; " is said */
extern int64_t watch_wall_s; /* where it was then by now; below 0: it is not set */
extern const struct observation_ops watch_ops;

/* Fixtures. */
void watch_setup(void);
void watch_teardown(void);

/* What was told since the last time. */
const char *watch_said(void);

/* The next datagram is a registration, which is returned with its token. */
struct token watch_registration(struct msg *ret);
/* The next datagram says that we withdraw: GET with Observe 1, NON, no answer wanted. */
void watch_withdrawal(void);
/* The next datagram asks for the value, and is answered. */
void watch_get(const char *value, const char *etag);
/* A notification by unicast. */
void watch_notify(const struct token *t, enum msg_type type, uint32_t observe, const char *value);
/* A registration answered with 2.05; its token. */
struct token watch_register(uint32_t observe, const char *value);

struct phantom {
	uint8_t space[128];
	struct buf inner; /* ph_req */
	uint8_t whole_space[128];
	struct buf whole; /* registr */
};

void watch_make_phantom(struct phantom *p, const char *path);
/* A latest notification: code, options, payload. */
void watch_make_latest(struct buf *out, uint32_t observe, const char *value);
/* Sends a 5.03 with this payload as a CON under a registration's token; expects its ACK. */
void watch_send_informative(const struct token *t, struct bytes payload);
/* An informative response for the group and this latest notification. */
void watch_inform(const struct token *t, unsigned generations, uint32_t observe, const char *value);
/* The same for what `in` says beside that; its token and group are kept when it has them. */
void watch_inform_of(const struct token *t, struct inform *in, uint32_t observe, const char *value);
/* Registered, acknowledged, moved: what was said is left for the test. */
struct token watch_move(unsigned generations, uint32_t observe, const char *value);

/* As a socket that joined the group hands a datagram over. */
struct path watch_group_way(void);
void watch_multicast_tagged(
	uint32_t observe, const char *value, const char *etag, uint32_t max_age);
void watch_multicast(uint32_t observe, const char *value);
/* One with a Feedback-Divider, of value 0. */
void watch_ask(uint32_t observe, uint32_t divider);
void watch_cancel(void);

#endif
