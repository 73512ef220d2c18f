/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A group of `oscore-groups` as a security context, for who sends requests to it (keys.h) and
 * for who reads captures of it (keyring.h).
 */
#ifndef COAPCAST_CLI_GROUPKEY_H
#define COAPCAST_CLI_GROUPKEY_H

#include "conf/conf.h"
#include "oscore/context.h"

/* Whether its keys are there; those of self-managed groups come from their broker. */
bool groupkey_is_there(const struct conf_oscore_group *g);

/* Who has no sender id or no private key only listens: silent. */
bool groupkey_is_silent(const struct conf_oscore_group *g);

/*
 * With all its members; `ssn` is NULL for one that only reads. A credential that is not there is
 * a CCS made from the private key, as the daemon's is. `who` is asked for the number that stands
 * for a member; NULL: 0. 0, or negative errno with e.
 */
int groupkey_context(const struct conf_oscore_group *g, struct ssn *ssn,
	uint32_t (*who)(void *ctx, const char *member), void *ctx, struct error *e,
	struct context **ret);

#endif
