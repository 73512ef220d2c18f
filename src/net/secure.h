/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's object security as one: who unprotects (net/guard.h), the OSCORE groups
 * (net/groupkeys.h), and what of it outlives the process (net/ssnstore.h, in the store of
 * net/keep.h).
 */
#ifndef COAPCAST_NET_SECURE_H
#define COAPCAST_NET_SECURE_H

#include "net/access.h"
#include "net/groupkeys.h"
#include "net/guard.h"
#include "net/keep.h"
#include "net/ssnstore.h"

struct secure;

/*
 * After keep_open and before keep_restore. What was in a protected request is run by
 * on_request. 0, or negative errno with e filled.
 */
int secure_new(const struct conf *conf, struct keep *keep, struct subjects *subjects,
	void (*on_request)(void *ctx, struct request *r), void *ctx, struct secure **ret,
	struct error *e);
/* The OSCORE groups, after secure_new and before keep_restore. */
struct secure_groups_with {
	const struct conf *conf;
	struct subjects *subjects;
	struct broker_group *groups; /* of the plan: they get their security */
	struct layer *layer;
	struct broker *broker;
};
int secure_start_groups(struct secure *s, const struct secure_groups_with *with, struct error *e);

/* keep_view.pack, unpack_ended and unpack. */
bool secure_pack(struct secure *s, const struct broker_group *group, struct shield *shield,
	struct keep_binding *ret);
struct shield *secure_unpack_ended(struct secure *s, const struct keep_binding *binding);
struct shield *secure_unpack(struct secure *s, const struct broker_group *group,
	const struct keep_binding *binding, uint32_t *ret_who);

/* keep_view.renewal. */
enum group_renewal secure_renewal(const struct broker_group *group, struct bytes gid);

/* Before keep_close, when nothing comes any more. NULL is fine, here and below. */
void secure_stop(struct secure *s);
void secure_free(struct secure *s); /* after the layer */

/*
 * After keep_restore: turns the loop until the first numbers are on the disk, so that what
 * comes first can be answered; less when *stopping becomes true.
 */
void secure_wait(struct secure *s, uv_loop_t *loop, const bool *stopping);

/*
 * Who may have the keys of self-managed groups, by what is in force, which stays borrowed until
 * the next of these: after secure_wait, when those are replaced that somebody lost the right to
 * since the last start; after a reload and before keep_close, when it is kept for the next one.
 */
void secure_review(struct secure *s, const struct conf *conf, struct access *access);
/*
 * A group observation of that topic is about to begin, when it is kept: who may be given its
 * keys is kept first.
 */
void secure_note(struct secure *s, const struct broker_security *security, struct bytes topic);
/* After that, and before anything is said: members who may not know the groups' keys are told. */
void secure_announce(struct secure *s);
void secure_remember(struct secure *s, const struct conf *conf, struct access *access);

struct guard *secure_guard(struct secure *s);
struct groupkeys *secure_groups(struct secure *s);

#endif
