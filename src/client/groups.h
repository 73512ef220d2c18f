/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The OSCORE groups whose keys a client has, by name and by Gid, and those that an
 * informative response brings (draft-ietf-core-observe-multicast-notifications, "Informative
 * Response" and the parameters of a self-managed group). Grows by the owner's hand alone.
 */
#ifndef COAPCAST_CLIENT_GROUPS_H
#define COAPCAST_CLIENT_GROUPS_H

#include "oscore/context_table.h"
#include "wire/inform.h"

struct groups_entry {
	char *name; /* owned */
	struct context *context; /* held */
};

/* Zeroed: none, but context_table_init is due: groups_init. */
struct groups {
	struct context_table table; /* by Gid */
	struct groups_entry *list; /* owned */
	size_t n;
};

void groups_init(struct groups *g, uint32_t seed);
void groups_fini(struct groups *g);

/* Adds one, and holds it. -EEXIST: another one has its Gid. */
int groups_add(struct groups *g, const char *name, struct context *c);
/* By name, which some Group Managers give by its bytes; NULL: none. */
struct context *groups_find(const struct groups *g, struct bytes name);

/*
 * A silent context made of the key material of an informative response: its only other member
 * is the server, who is the Group Manager as well. 0, or -EBADMSG, -EINVAL with e filled.
 */
int groups_make_offered(const struct inform_keys *offered, struct error *e, struct context **ret);

#endif
