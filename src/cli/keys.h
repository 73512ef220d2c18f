/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The security contexts that a credentials file makes: OSCORE of the identity that was
 * chosen, and the groups. They live as long as the connections that use them; sequence numbers
 * come from the file beside the credentials (ssnfile.h).
 */
#ifndef COAPCAST_CLI_KEYS_H
#define COAPCAST_CLI_KEYS_H

#include "cli/credentials.h"
#include "client/armor.h"
#include "client/groups.h"

struct keys;

/* What happens with them is told by `note` as in struct armor. 0, or negative errno. */
int keys_open(const struct credentials *c, const char *path,
	void (*note)(void *ctx, bool loud, const char *text), void *ctx, struct error *e,
	struct keys **ret);
/* What was made of them must be gone; puts down the sequence numbers. NULL is fine. */
void keys_close(struct keys *k);

/* How requests to the broker are protected; its context is NULL for one without OSCORE. */
const struct armor *keys_armor(const struct keys *k);
/* How requests are, in a group that we can send to: the one with that name, or the only one. */
int keys_group_armor(const struct keys *k, const char *name, struct error *e, struct armor *ret);

#endif
