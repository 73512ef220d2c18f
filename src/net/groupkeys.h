/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group OSCORE in the daemon: the OSCORE groups of the configuration, which protect group
 * observations (observe-multicast-notifications, "Protection of Multicast Notifications
 * with Group OSCORE") and whose members may send requests. A self-managed group has
 * keys that are drawn here, live for a while and are replaced before they expire; those of
 * an external one come from the configuration. What outlives the process is the
 * caller's, behind struct groupkeys_ops (net/groupstore.h).
 */
#ifndef COAPCAST_NET_GROUPKEYS_H
#define COAPCAST_NET_GROUPKEYS_H

#include "broker/broker.h"
#include "broker/group.h"
#include "conf/conf.h"
#include "net/subjects.h"
#include "oscore/binding.h"
#include "oscore/context_table.h"

struct groupkeys;
struct broker_security; /* an OSCORE group: what broker_group.security points at */

#define GROUPKEYS_SECRET_MAX 128 /* bytes of what load_secret and save_secret are given */

struct groupkeys_ops {
	/* Sender Sequence Numbers under a fingerprint, with a reference; fresh: of new keys. */
	struct ssn *(*ssn)(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], bool fresh);
	/* Tries to start those that could not be. */
	void (*retry)(void *ctx);
	/* Keys with that fingerprint are not used any more. */
	void (*forget)(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT]);
	/* The window of a sender as of a clean stop; nothing to do when there is none. */
	void (*load_window)(
		void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w);
	void (*save_window)(
		void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w);
	/* What was drawn for the group of that name; false: nothing was. */
	bool (*load_secret)(void *ctx, struct bytes name, struct buf *out);
	/* To be on the disk before any number of the group's is. */
	void (*save_secret)(void *ctx, struct bytes name, struct bytes secret);
	int64_t (*wall_s)(void *ctx); /* since 1970, UTC */
	/* The keys of that group are others now: broker_rekey. */
	void (*on_rekey)(void *ctx, const struct broker_security *s, uint32_t within_ms);
	/* They are not to be used any more, and there are no others yet: broker_unkey. */
	void (*on_expired)(void *ctx, const struct broker_security *s);
	/* After a restart not everybody may know that they are: broker_rekey_again. */
	void (*on_unfinished)(void *ctx, const struct broker_security *s, uint32_t within_ms);
};

struct groupkeys_options {
	const struct conf *conf; /* borrowed, as all of these */
	struct subjects *subjects;
	struct context_table *contexts; /* where requests find theirs; it outlives this */
	struct wheel *wheel;
	int64_t built_s; /* a clock before is not set */
	const struct groupkeys_ops *ops;
	void *ctx;
};

/* 0, or a negative errno with an error that names the group. */
int groupkeys_new(const struct groupkeys_options *options, struct groupkeys **ret, struct error *e);
void groupkeys_free(struct groupkeys *k); /* every shield must have been released; NULL is fine */
/* At a clean stop: nothing comes any more, and the replay windows are saved. NULL is fine. */
void groupkeys_stop(struct groupkeys *k);
/* The store lost what it had: everything is put again. */
void groupkeys_save_all(struct groupkeys *k);

/*
 * Gives the broker's groups, which were made of those of a configuration, their security. 0,
 * or -ENOENT with e filled: an OSCORE group is none of those that there were at the start.
 */
int groupkeys_secure(const struct groupkeys *k, const struct conf_group *from,
	struct broker_group *groups, size_t n, struct error *e);

/* The group of that number, from 0; NULL: there are no more. */
const struct broker_security *groupkeys_at(const struct groupkeys *k, size_t i);
/* Whether the broker makes its keys. */
bool groupkeys_is_self(const struct broker_security *s);
/*
 * Somebody has its keys who is to hear nothing more. They protect the end of its group
 * observations and nothing else; others take their place as soon as they can, told to
 * nobody but those who register again.
 */
void groupkeys_revoke(struct groupkeys *k, const struct broker_security *s);

/* broker_ops.group_phantom and group_inform. */
struct shield *groupkeys_phantom(struct groupkeys *k, const struct broker_group *g,
	const struct msg *plain, struct buf *out);
void groupkeys_inform(struct groupkeys *k, const struct broker_group *g, struct inform *in);

/* The group of the configuration with that name, or NULL. */
const struct broker_security *groupkeys_find(const struct groupkeys *k, struct bytes name);
/*
 * The shield of a phantom request of before a restart, with a reference; NULL when neither
 * the group's keys nor those before them are its.
 */
struct shield *groupkeys_restore(struct groupkeys *k, const struct broker_group *g,
	struct bytes gid, struct bytes kid, struct bytes piv);

/*
 * What is to become, when messages can be protected, of a group observation whose phantom
 * request is under the keys with that Gid.
 */
enum group_renewal groupkeys_renewal(const struct broker_security *s, struct bytes gid);
/*
 * Once that is so, and everything is put back: goes on where the end of the daemon interrupted
 * the replacement of keys.
 */
void groupkeys_go_on(struct groupkeys *k);

/* The same of what a member registered by itself: under which keys and how, and whose it is. */
struct groupkeys_registration {
	struct bytes print; /* of our Sender Sequence Numbers */
	struct bytes kid, piv;
	enum oscore_mode mode;
};
struct shield *groupkeys_restore_member(
	struct groupkeys *k, const struct groupkeys_registration *r, uint32_t *ret_who);

/* What the configuration calls it. */
const char *groupkeys_name(const struct broker_security *s);

/*
 * Whether a request that was unprotected may run: anybody can send one in group mode to
 * somewhere else, which is why it is to change nothing unless the group allows it.
 */
bool groupkeys_admits(const struct groupkeys *k, const struct request *r);

struct groupkeys_stats {
	uint64_t rekeyed, expired; /* keys replaced; keys that expired before */
	uint64_t revoked; /* keys that somebody had who lost the right to them */
	uint64_t unprotected; /* group observations that nothing could protect: not begun */
	uint64_t shields; /* of group observations now */
};
void groupkeys_stats(const struct groupkeys *k, struct groupkeys_stats *ret);

#endif
