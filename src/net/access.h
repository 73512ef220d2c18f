/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access rules: what a subject may do with a topic (product.md, `access`). Absent rules
 * allow everything; present ones only what one of them says. Who somebody is was decided
 * before (net/subjects.h), and whether unprotected peers are let in at all is
 * security.nosec's.
 */
#ifndef COAPCAST_NET_ACCESS_H
#define COAPCAST_NET_ACCESS_H

#include "conf/conf.h"
#include "net/subjects.h"

struct access;

/* Copies the configuration's rules; `subjects` stays borrowed. */
struct access *access_new(const struct conf *conf, struct subjects *subjects);
void access_free(struct access *a); /* NULL is fine */

/* Whether it may do all of this (bits of enum conf_may) with the topic of that name. */
bool access_allows(struct access *a, uint32_t who, unsigned verbs, struct bytes topic);

/* Whether the two say the same. */
bool access_equal(const struct access *a, const struct access *b);

/* Whether some subject that `before` allowed it may no longer do it with this topic. */
bool access_takes_away(
	struct access *before, struct access *now, unsigned verbs, struct bytes topic);

/*
 * Nobody of whom `is_gone` says so may do anything, whatever the rules are; NULL: that is
 * over. For the review after a reload that took identities, or their keys, away.
 */
void access_ban(struct access *a, bool (*is_gone)(void *ctx, uint32_t who), void *ctx);

#endif
