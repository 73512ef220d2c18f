/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Security contexts of OSCORE (RFC 8613 3) and Group OSCORE (oscore-groupcomm 2): keys
 * derived once, and recipients with their replay windows. context_table finds the context of a
 * request. Reference counted, since bindings of running observations outlive a rekeying;
 * secrets are wiped when the last reference goes. Nothing a peer sends makes anything here
 * grow: contexts and recipients come from the configuration alone.
 */
#ifndef COAPCAST_OSCORE_CONTEXT_H
#define COAPCAST_OSCORE_CONTEXT_H

#include "base/map.h"
#include "oscore/cred.h"
#include "oscore/ssn.h"
#include "oscore/window.h"

struct context; /* opaque */
struct recipient; /* opaque; lives as long as its context */

struct context_plain { /* everything is copied */
	struct bytes master_secret;
	struct bytes master_salt;
	struct bytes id_context; /* p NULL: none */
	struct bytes sender_id; /* ours */
	struct bytes recipient_id; /* the peer's */
	int aead; /* SUITE_NONE: SUITE_CCM_16_64_128 */
	int hkdf; /* SUITE_NONE: SUITE_HKDF_SHA256 */
	uint32_t who; /* the peer as a subject; handed back by unprotect */
	bool window_valid; /* see window_init */
	struct ssn *ssn; /* held by the context */
};

struct context_group { /* everything is copied */
	struct bytes master_secret;
	struct bytes master_salt;
	struct bytes gid; /* 1..255 bytes */
	struct bytes sender_id; /* ours; p NULL: silent, receives only */
	int hkdf; /* SUITE_NONE: SUITE_HKDF_SHA256 */
	int aead; /* pairwise mode's; SUITE_NONE: not set, null in the AAD */
	int group_encryption; /* group mode's; SUITE_NONE: not set */
	int signature; /* group mode's; SUITE_NONE: not set */
	int pairwise; /* SUITE_NONE: not set */
	enum cred_format cred_format;
	struct bytes gm_cred; /* the Group Manager's; in a self-managed group the server's own */
	struct bytes cred; /* our own; p NULL when silent */
	struct bytes private_key; /* raw or PEM, belongs to cred; p NULL when silent */
	struct ssn *ssn; /* held by the context; NULL when silent */
};

/* 0, or -EINVAL (-EIO) with an error that says which field cannot be. *ret has one reference. */
int context_new_plain(const struct context_plain *p, struct error *e, struct context **ret);
int context_new_group(const struct context_group *p, struct error *e, struct context **ret);
struct context *context_hold(struct context *c);
void context_release(struct context *c); /* NULL is fine */

/*
 * Adds another member of a group, whose requests, responses and notifications can then be
 * verified. The id must be neither ours nor another member's: -EEXIST. -EINVAL: an id too
 * long, a credential without a key of the group's curve. window_valid: see window_init; a
 * fresh group has true. `who` is handed back by unprotect.
 */
int context_add_recipient(struct context *c, struct bytes id, struct bytes cred, bool window_valid,
	uint32_t who, struct error *e, struct recipient **ret /* may be NULL */);

/* The member with this id; NULL when there is none (a plain context has exactly one). */
struct recipient *context_find_recipient(const struct context *c, struct bytes id);

/*
 * Makes `into` do for `from` as well, which has the same ids: all members of a group seen from
 * another end are added, its own end as `who` unless that is 0. -EEXIST: their keys differ, or
 * those of a member.
 */
int context_unite(struct context *into, struct context *from, uint32_t who);

bool context_is_group(const struct context *c);
bool context_has_group_mode(const struct context *c);
bool context_has_pairwise_mode(const struct context *c);
bool context_is_silent(const struct context *c); /* cannot protect */
struct bytes context_gid(const struct context *c); /* or ID Context; p NULL: none; borrowed */
struct bytes context_sender_id(const struct context *c); /* p NULL: silent */
struct ssn *context_ssn(const struct context *c); /* borrowed */
/* The smallest nonce of the set algorithms less 6 (oscore-groupcomm 2.1). */
size_t context_max_id(const struct context *c);

struct bytes context_recipient_id(const struct recipient *r);
struct bytes context_recipient_cred(const struct recipient *r); /* p NULL in plain contexts */
uint32_t context_recipient_who(const struct recipient *r);
struct window *context_recipient_window(struct recipient *r); /* to save and restore */
struct context *context_recipient_context(const struct recipient *r); /* whose it is; borrowed */
bool context_recipient_is_own(const struct recipient *r); /* our own end, and no peer */

#endif
