/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose rights to the keys of OSCORE groups a reload takes away. A self-managed group has
 * no secrets between its members (SECURITY.md): an identity that was to have its keys, and
 * is not any more, is kept out by other keys, at once. Not here: what becomes of its own
 * observations, which is broker_review's, and how keys are replaced (net/groupkeys.h).
 */
#ifndef COAPCAST_NET_REVOKE_H
#define COAPCAST_NET_REVOKE_H

#include "net/access.h"
#include "net/groupkeys.h"

struct revoke;

/* What decides on it; the identities are those of `conf`. */
struct revoke_view {
	const struct conf *conf;
	struct subjects *subjects;
	struct access *access;
	struct broker *broker;
	struct groupkeys *keys;
};

/* Which identity may be given which keys, by the topics that there are. */
struct revoke *revoke_new(const struct revoke_view *view);
void revoke_free(struct revoke *r); /* NULL is fine */

/* What it was made of; and whether it found that identity of `conf` for that group's keys. */
const struct conf *revoke_conf(const struct revoke *r);
struct groupkeys *revoke_keys(const struct revoke *r);
bool revoke_found(const struct revoke *r, const struct broker_security *s, size_t identity);

/* Another topic of that group; whether it made anybody more be found. */
bool revoke_add(struct revoke *r, const struct broker_security *s, struct bytes topic);

/*
 * Looks again, with the access rules and groups that are in force now, and revokes the keys of
 * every group that somebody lost the right to: by them, or as `is_gone` says. How many.
 */
unsigned revoke_apply(struct revoke *r, struct access *access,
	bool (*is_gone)(void *ctx, uint32_t who), void *ctx);

#endif
