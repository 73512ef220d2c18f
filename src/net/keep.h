/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The broker's state in the store: topics, their newest values and observe numbers, group
 * observations and traditional observers; put back at the start, kept from then on. Architecture: "Store".
 */
#ifndef COAPCAST_NET_KEEP_H
#define COAPCAST_NET_KEEP_H

#include <uv.h>

#include "broker/broker.h"
#include "broker/group.h"
#include "conf/conf.h"
#include "net/plan.h"
#include "transport/udp.h"

struct keep;
struct store;
struct store_event;

/* What object security is bound to: msg/shield.h. */
struct keep_binding {
	struct bytes keys; /* which keys they are: of the group, or of the identity */
	uint8_t mode; /* of an observer's: enum oscore_mode */
	struct bytes gid, kid, piv; /* the kid context, kid and Partial IV of the request */
};

/* What it is kept of, borrowed until keep_close. */
struct keep_view {
	struct broker *broker;
	struct layer *layer;
	const struct udp *udp;
	const struct plan *plan;
	/*
	 * What a protected group observation or observer goes on with: the bytes that say what
	 * its phantom or registration is bound to, and a reference to its shield made of them;
	 * `group` is NULL for an observer. NULL: they end with the daemon.
	 */
	bool (*pack)(void *ctx, const struct broker_group *group, struct shield *s,
		struct keep_binding *ret);
	struct shield *(*unpack)(void *ctx, const struct broker_group *group,
		const struct keep_binding *binding, uint32_t *ret_who);
	/* The same of a group observation that ends, by whatever group of today has its keys. */
	struct shield *(*unpack_ended)(void *ctx, const struct keep_binding *binding);
	/* What is to become of a group observation that goes on under the keys with that Gid. */
	enum group_renewal (*renewal)(
		void *ctx, const struct broker_group *group, struct bytes gid);
	/* Whether who is not protected may use the broker that way. */
	bool (*admits)(void *ctx, const struct path *way);
	/* Something may have to be sent, as after a batch of datagrams. */
	void (*settle)(void *ctx);
	void *ctx;
};

/* Opens the store of the configuration, after which keep_close has to come. */
int keep_open(const struct conf *conf, uv_loop_t *loop, struct keep **ret, struct error *e);

/* For others who keep something: the store, which is there until keep_close. */
struct store *keep_store(struct keep *k);
bool keep_was_clean(const struct keep *k); /* the last stop */
/* They hear of its events. */
void keep_listen(
	struct keep *k, void (*hear)(void *ctx, const struct store_event *event), void *ctx);

/*
 * Puts what was kept into a new broker, cancels the group observations that cannot go on,
 * and starts to keep what comes.
 */
int keep_restore(struct keep *k, const struct keep_view *view, struct error *e);
/*
 * After that and before anything is answered: turns the loop until what was put so far is on
 * the disk, or cannot be; less when *stopping becomes true.
 */
void keep_wait(struct keep *k, uv_loop_t *loop, const bool *stopping);

/*
 * When messages can be protected: observers who are enough for a group of today are moved, and
 * those who may not have heard of the newest values, after a stop that was not clean, are told.
 */
void keep_announce(struct keep *k);

/* broker_ops.keep, keep_group, keep_observer and can_keep. */
void keep_put(struct keep *k, enum broker_keep what, const struct topic *t);
bool keep_group(struct keep *k, enum broker_keep_group what, const struct group_observation *g);
void keep_observer(struct keep *k, const struct observer *o, bool stays);
bool keep_is_possible(struct keep *k);
/* broker_ops.must_promise and promise: with a commit-interval of 0. */
bool keep_must_promise(const struct keep *k);
int keep_promise(struct keep *k, const struct broker_promise *p, uint64_t *ret_ticket);

/*
 * Keeps exact bounds and waits until everything is on the disk; false, having said so: it is not. The rest
 * of it is freed by keep_free, when the loop has ended. NULL is fine for both.
 */
bool keep_close(struct keep *k);
void keep_free(struct keep *k);

/* What there is to be told of the store. */
struct keep_figures {
	uint64_t well; /* now: 1, or 0 while nothing can be kept */
	uint64_t commits, records, failures, broken, refused, anew, longest_us;
	uint64_t waiting, waiting_bytes; /* now */
	uint64_t untold; /* now: publishes that would be told again after a kill */
	uint64_t groups_resumed, groups_ended, observers_resumed; /* at the start */
};

void keep_figures(struct keep *k, struct keep_figures *ret);

/* state.commit-interval is that from now on. */
void keep_set_commit_ms(struct keep *k, uint32_t ms);

#endif
