/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who could have the keys of self-managed OSCORE groups, kept by the store as salted marks
 * of identities and their keys: so that the next start finds out that one of them, or its
 * right, was taken out of the configuration while nobody was there to notice (net/revoke.h).
 */
#ifndef COAPCAST_NET_BEARERS_H
#define COAPCAST_NET_BEARERS_H

#include "net/revoke.h"
#include "store/store.h"

struct bearers;

/* What is kept of them, before store_start. NULL is a store without records. */
struct bearers *bearers_load(struct store *store);
void bearers_free(struct bearers *b); /* NULL is fine */

/* Revokes the keys of the groups of which one is not among those that `r` found; how many. */
unsigned bearers_review(const struct bearers *b, const struct revoke *r);
/* Keeps those that `r` found, instead; of one group, which is self-managed, or of all. */
void bearers_save_of(const struct revoke *r, const struct broker_security *s, struct store *store);
void bearers_save(const struct revoke *r, struct store *store);

#endif
