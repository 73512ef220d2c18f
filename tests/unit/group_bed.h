/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A broker with Group OSCORE and OSCORE as the daemon has them, without network, clock and
 * disk, and clients that know nothing but what they were configured with and what came in a
 * 5.03. What outlives a restart is kept in gb.
 */
#ifndef COAPCAST_UNIT_GROUP_BED_H
#define COAPCAST_UNIT_GROUP_BED_H

#include "broker/broker.h"
#include "net/groupkeys.h"
#include "net/guard.h"
#include "net/plan.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"
#include "unit.h"

#define GB_PEERS 16
#define GB_SENT 16 /* multicast datagrams that are kept */
#define GB_KEPT 16
#define GB_BUILT_S 1780000000 /* the clock is set when it is past that */

enum gb_kind { GB_NOSEC, GB_OSCORE, GB_PSK, GB_PKI, GB_KINDS };

struct gb_sent {
	size_t n;
	uint8_t bytes[2048];
};

struct gb_client {
	struct context *context; /* OSCORE: that of the identity "pN" */
	struct oscore_binding binding; /* of its last request */
	struct gb_sent got; /* the last datagram it was sent */
	uint8_t plain[PROTECT_MAX_PLAIN];
};

/* What the disk has. */
struct gb_kept {
	uint8_t fingerprint[SSN_FINGERPRINT];
	uint64_t bound;
	struct window window;
	bool has_bound, has_window;
};

struct gb {
	struct conf *conf;
	struct plan plan;
	struct subjects *subjects;
	struct layer *layer;
	struct broker *broker;
	struct guard *guard;
	struct groupkeys *keys;
	uint64_t now_ms;
	int64_t wall_s; /* what the wall clock is ahead of now_ms */
	bool lazy; /* nothing becomes durable, until gb_catch_up */
	struct ssn *waits; /* held: for the disk */
	uint64_t waits_upto;
	struct gb_kept kept[GB_KEPT];
	uint8_t secret[GROUPKEYS_SECRET_MAX]; /* of the one self-managed group */
	size_t n_secret;
	uint64_t first_number; /* where fresh numbers begin */
	bool (*may)(uint32_t who, unsigned verbs);
	struct gb_client clients[GB_PEERS];
	struct gb_sent sent[GB_SENT]; /* to the group; the last ones */
	unsigned n_sent;
	uint16_t mid;
	bool multicast; /* how the next requests come */
	unsigned n_answers; /* unicast datagrams so far */
};

extern struct gb gb;

void gb_init(void);
/* With this configuration, which has a group for all topics, and a topic "hall" of "0". */
void gb_start(const char *text);
/* Stops for a restart; `clean`: windows are kept. */
void gb_stop(bool clean);
void gb_lose_state(void);
void gb_catch_up(void);
void gb_go(uint64_t ms);

/* A request as a peer's of that kind; OSCORE protects it, and echoes what it is to. */
void gb_send(unsigned peer, enum gb_kind kind, const struct msg *m);
void gb_sub(unsigned peer, enum gb_kind kind);
void gb_pub(const char *value);
/* A datagram as it is. */
void gb_raw(unsigned peer, enum gb_kind kind, struct bytes datagram);
void gb_ack(unsigned peer, enum gb_kind kind);
/* What a peer was sent last, verified and decrypted where it came protected. */
struct msg gb_got(unsigned peer);
struct inform gb_inform(unsigned peer);

/* A client's side of a group observation. */
struct gb_member {
	struct context *context;
	struct oscore_binding binding;
	uint8_t plain[PROTECT_MAX_PLAIN];
	struct msg m; /* what it heard last */
};

/* The context of keys that came in an informative response: it only listens. */
struct context *gb_listener(const struct inform *in);
/* Takes part with what it was told; `context` is taken over. */
void gb_join(struct gb_member *member, struct context *context, const struct inform *in);
/* Registers as a peer of that kind, and is moved with keys. */
void gb_take_part(struct gb_member *member, unsigned peer, enum gb_kind kind);
void gb_leave(struct gb_member *member);
/* The nth last multicast datagram (0: the last). */
enum unprotect_verdict gb_hear(struct gb_member *member, unsigned nth);

#endif
