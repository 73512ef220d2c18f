/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The security contexts of an endpoint, and which of them a message belongs to: by kid
 * context and kid (RFC 8613 8.2, oscore-groupcomm 7.2). It grows by configuration only.
 */
#ifndef COAPCAST_OSCORE_CONTEXT_TABLE_H
#define COAPCAST_OSCORE_CONTEXT_TABLE_H

#include "oscore/context.h"

/*
 * The contexts one endpoint can be addressed by: plain ones by (ID Context, recipient id),
 * groups by Gid. Holds a reference to each. A group that was rekeyed is removed, its successor
 * added; bindings keep what they need. A context is in one table at most.
 */
struct context_table {
	struct map map;
	uint32_t seed; /* of the hash; random */
};

void context_table_init(struct context_table *t, uint32_t seed);
void context_table_fini(struct context_table *t); /* releases the contexts */
int context_table_add(struct context_table *t, struct context *c); /* -EEXIST */
void context_table_remove(struct context_table *t, struct context *c); /* it must be in it */
/* The one that is in the way of adding `c`, as it is found by the same ids; NULL: none. */
struct context *context_table_namesake(const struct context_table *t, const struct context *c);
/*
 * The context of a request. `kid_context.p` NULL: only plain contexts; one without ID
 * Context, else the only one with that recipient id. NULL: none, or it cannot be told.
 */
struct context *context_table_find(
	const struct context_table *t, struct bytes kid_context, struct bytes kid);
/* The group with this Gid. */
struct context *context_table_find_group(const struct context_table *t, struct bytes gid);
/* For decoding captures: the context in which kid is our own Sender ID. Looks at all of them. */
struct context *context_table_find_own(
	const struct context_table *t, struct bytes kid_context, struct bytes kid);

#endif
