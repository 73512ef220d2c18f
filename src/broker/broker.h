/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The broker: topics as observable resources (draft-ietf-core-coap-pubsub),
 * traditional observations (RFC 7641) and group observations
 * (draft-ietf-core-observe-multicast-notifications). A pure core: requests come
 * in as struct request, unicast leaves through the message layer, multicast
 * through broker_ops; no sockets, files or clock. Who may do what is decided
 * before a request gets here.
 */
#ifndef COAPCAST_BROKER_BROKER_H
#define COAPCAST_BROKER_BROKER_H

#include "broker/brokerconf.h"
#include "broker/groups.h"
#include "broker/promise.h"
#include "msg/block.h"
#include "msg/layer.h"
#include "wire/inform.h"

struct broker;
struct group_observation;
struct observer;

#define BROKER_NO_FORMAT UINT32_MAX /* a Content-Format that is not set */

/* What of a group observation is to outlive a restart. */
enum broker_keep_group {
	BROKER_GROUP_BEGINS, /* all of it; nobody hears of it before broker_group_is_kept */
	BROKER_GROUP_COUNTS, /* its count, when it ends, its hops, or more observe numbers */
	BROKER_GROUP_GOES,
};

/* What somebody may do with a topic: bits. */
enum broker_may {
	BROKER_MAY_DISCOVER = 1 << 0, /* see it in lists of links, and its properties */
	BROKER_MAY_READ = 1 << 1,
	BROKER_MAY_SUBSCRIBE = 1 << 2,
	BROKER_MAY_PUBLISH = 1 << 3,
	BROKER_MAY_CREATE = 1 << 4,
	BROKER_MAY_CONFIGURE = 1 << 5, /* change its properties */
	BROKER_MAY_DELETE = 1 << 6, /* it or its data */
};

struct broker_ops {
	/*
	 * Room for one datagram to a group (NULL: drop it), and sending what was
	 * written: one commit for each open, which drops a buffer that is full.
	 */
	struct buf *(*open_group)(void *ctx, const struct group_path *way);
	void (*commit)(void *ctx);
	void (*random)(void *ctx, void *p, size_t n);
	/* Seconds since 1970, UTC, for expiration dates; it may be set forward and back. */
	int64_t (*wall_s)(void *ctx);
	/* For the store: that much of a topic changed. Both may be NULL. */
	void (*keep)(void *ctx, enum broker_keep what, const struct topic *t);
	/* The same of a group observation; false: it cannot be, and does not begin. */
	bool (*keep_group)(
		void *ctx, enum broker_keep_group what, const struct group_observation *g);
	/* That there is this observer, or no longer. May be NULL. */
	void (*keep_observer)(void *ctx, const struct observer *o, bool stays);
	/*
	 * Whether a change is to be kept before it is answered, and has it kept: 0, and
	 * broker_promise_is_kept is called with *ret_ticket, which rises; or a negative
	 * errno. Both may be NULL.
	 */
	bool (*must_promise)(void *ctx);
	int (*promise)(void *ctx, const struct broker_promise *p, uint64_t *ret_ticket);
	/* Whether anything can be kept now: otherwise changes get a 5.03. */
	bool (*can_keep)(void *ctx);
	/*
	 * Whether a subject may do all of `verbs` with a topic, which need not exist; what it
	 * says changes with broker_review only. NULL: everybody may do everything.
	 */
	bool (*may)(void *ctx, uint32_t who, unsigned verbs, struct bytes topic);
	/*
	 * Protects a phantom request of a group with `security`: `out` gets code, options,
	 * marker and payload. What it returns, a reference for the broker to release,
	 * protects all that answers the phantom. NULL: it cannot be.
	 */
	struct shield *(*group_phantom)(
		void *ctx, const struct broker_group *g, const struct msg *plain, struct buf *out);
	/* Adds to an informative response of such a group its keys, or where to get them. */
	void (*group_inform)(void *ctx, const struct broker_group *g, struct inform *in);
	/*
	 * The endpoint of ours that serves UDP at the address of a session, from which its
	 * peer may get multicast notifications; false, or NULL: there is none.
	 */
	bool (*udp_local)(
		void *ctx, const struct path *way, struct addr *ret_local, uint16_t *ret_socket);
	/* For the log: a group observation began or ended. May be NULL. */
	void (*on_group)(void *ctx, const struct group_observation *g, bool began);
	/* For the log: a client does not follow informative responses. May be NULL. */
	void (*on_unaware)(void *ctx, const struct group_observation *g, const struct addr *client);
};

struct broker_stats {
	uint64_t publishes, publishes_refused, created, deleted, expired;
	uint64_t registrations, registrations_refused, deregistrations;
	uint64_t notifications, notifications_con, observers_dropped;
	uint64_t group_started, group_cancelled, group_notifications, group_refreshes,
		group_coalesced, group_dropped, group_notices;
	uint64_t group_counts, group_confirmations; /* rounds of rough counting, answers to them */
	uint64_t informed, moved;
	/* What found a limit reached: struct broker_limits. */
	uint64_t refused_topics, refused_observers, refused_observers_per_peer, refused_bodies,
		refused_payload, refused_memory, refused_rate, unkept;
	uint64_t forbidden; /* requests that `may` refused */
	uint64_t unaware; /* clients found not to follow informative responses */
	/* Now: */
	uint64_t topics, observers, group_observations, value_bytes, bodies, body_bytes,
		cover_bytes;
};

/*
 * `conf` and what it points at, `ops` and `layer` stay borrowed. The broker's
 * timers run on the layer's wheel.
 */
struct broker *broker_new(const struct broker_conf *conf, const struct broker_ops *ops, void *ctx,
	struct layer *layer);
void broker_free(struct broker *b);

/*
 * Creates a topic as the configuration asks. `initialize` with p NULL leaves it
 * half created. 0, -EEXIST, -ENOSPC past limits.topics, -EINVAL for an empty or
 * over-long name.
 */
int broker_create_topic(
	struct broker *b, struct bytes name, uint32_t content_format, struct bytes initialize);

/* Tells broker_ops.keep everything about all topics. */
void broker_keep_all(struct broker *b);

/* BROKER_GROUP_BEGINS of the group observation with this number was kept, or was not. */
void broker_group_is_kept(struct broker *b, uint64_t id, bool kept);

/* All promises with this ticket were kept, or were not. */
void broker_promise_is_kept(struct broker *b, uint64_t ticket, bool kept);

/* Runs a request: layer_ops.on_request. */
void broker_request(struct broker *b, struct request *r);
/* A RST for one of our NONs: layer_ops.on_reset. */
void broker_reset(struct broker *b, struct peer *p, uint16_t mid);
/* The session with it is over: layer_ops.on_lost. */
void broker_lost(struct broker *b, struct peer *p);

/*
 * Notifies traditional observers of what was published since, a bounded number
 * of them; true when there are more, to be called again after a look at the
 * network. To be called after each batch of datagrams.
 */
bool broker_flush(struct broker *b);

/*
 * `may` says something else now: ends the observations of those who may not subscribe any
 * longer (4.03), and the group observations of topics for which `takes_away` says that
 * somebody is among them.
 */
void broker_review(struct broker *b,
	bool (*takes_away)(void *ctx, const struct broker_group *group, struct bytes topic),
	void *ctx);

/*
 * Ends every observation, for a stop for good: the 5.03 to each group, a confirmable 4.04
 * to each observer.
 */
void broker_farewell(struct broker *b);

/*
 * A group's ifindex is another one now; 0: its interface is gone, and nothing is
 * sent. With `again` its latest notifications are repeated, which may have been lost.
 */
void broker_reroute(struct broker *b, const struct broker_group *group, bool again);
/*
 * The keys of all groups with this security are others now: their group observations go
 * on under these, and the old ones tell so, several times within that time. Those that cannot are
 * cancelled, under the old ones. How many go on.
 */
unsigned broker_rekey(struct broker *b, const struct broker_security *security, uint32_t within_ms);
/*
 * After a restart and before anything else is said: the same for those that are under other
 * keys yet, and the rest of it for those of whose keys not everybody may know.
 */
unsigned broker_rekey_again(
	struct broker *b, const struct broker_security *security, uint32_t within_ms);
/* Those keys are to protect nothing more: what is under them is cancelled, which is the last. */
void broker_unkey(struct broker *b, const struct broker_security *security);
/* Cancels those group observations; how many. */
unsigned broker_cancel_groups(
	struct broker *b, bool (*which)(void *ctx, const struct group_observation *g), void *ctx);

void broker_stats(const struct broker *b, struct broker_stats *ret);

/* Whether a pattern ('*': any run of characters, '/' included) matches all of a topic name. */
bool pattern_matches(const char *pattern, struct bytes name);

#endif
