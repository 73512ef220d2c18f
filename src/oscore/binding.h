/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What binds responses and notifications to one protected request (RFC 8613 5.4, 8.3;
 * oscore-groupcomm 4.3): its kid, Partial IV and kid context, which never change as long
 * as the exchange or the observation lasts, and the context whose keys are in use now. Both
 * ends have one. Embedded by its owner, who calls binding_fini.
 */
#ifndef COAPCAST_OSCORE_BINDING_H
#define COAPCAST_OSCORE_BINDING_H

#include "oscore/context.h"
#include "oscore/option.h"

enum oscore_mode { OSCORE_PLAIN, OSCORE_GROUP, OSCORE_PAIRWISE };

struct oscore_binding {
	struct context *context; /* held; NULL: not initialised */
	struct context_id *origin; /* held: request_kid_context, whatever was rekeyed since */
	uint8_t kid[SUITE_MAX_ID]; /* request_kid */
	uint8_t piv[OSCORE_MAX_PIV]; /* request_piv */
	uint8_t peer[SUITE_MAX_ID]; /* client: who alone may answer */
	uint8_t n_kid;
	uint8_t n_piv;
	uint8_t n_peer;
	uint8_t mode; /* enum oscore_mode of the request */
	bool own; /* the request was ours (or, of a phantom, is bound to us): responses come in */
	bool phantom; /* made by protect_phantom or unprotect_phantom: nothing reuses its nonce */
	bool nonce_used; /* a response without Partial IV went out */
	bool observe; /* the request registered: outer code FETCH, responses 2.05 */
	bool rekeyed; /* the next response tells the new Gid as its kid context */
	bool for_peer; /* client: `peer` is set */
	bool answered; /* client: a response was accepted */
	uint64_t next; /* client: one above the highest Partial IV of a notification; 0: none */
	struct bytes class_i; /* Class I options for the AAD, encoded; borrowed, usually empty */
};

/* Drops the references and zeroes it; one that is all zero is fine. */
void binding_fini(struct oscore_binding *b);
/* A second binding of the same request: its own references. */
void binding_copy(struct oscore_binding *to, const struct oscore_binding *from);
/*
 * The group was rekeyed and the observation goes on: new keys, old request values
 * (oscore-groupcomm 3.2). The next response carries the new Gid. -EINVAL unless both are
 * groups.
 */
int binding_rekey(struct oscore_binding *b, struct context *c);

/*
 * Of a phantom request that was protected before a restart, in the same group, whose Sender
 * Context is the same: with the kid and Partial IV it had. -EINVAL when it cannot be.
 */
int binding_restore_phantom(
	struct oscore_binding *ret, struct context *c, struct bytes kid, struct bytes piv);

/*
 * Of a registration that was unprotected before a restart, under the same keys: what answers
 * it from now on has a Partial IV of its own. -EINVAL when it cannot be: the keys are not for
 * that mode, or the sender is not known.
 */
int binding_restore_request(struct oscore_binding *ret, struct context *c, enum oscore_mode mode,
	struct bytes kid, struct bytes piv);

struct bytes binding_kid(const struct oscore_binding *b);
struct bytes binding_piv(const struct oscore_binding *b);
struct bytes binding_kid_context(const struct oscore_binding *b); /* p NULL: none */
/* The subject who sent the request that was unprotected; 0 for one of our own. */
uint32_t binding_who(const struct oscore_binding *b);

#endif
