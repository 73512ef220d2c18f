/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes on their way to the database: a list in the order of their first coming,
 * with one change per key, the newest. No threads: store.c has the lock.
 */
#ifndef COAPCAST_STORE_BATCH_H
#define COAPCAST_STORE_BATCH_H

#include "base/map.h"
#include "store/record.h"

struct change {
	struct map_node node;
	struct change *prev, *next;
	enum store_kind kind;
	bool remove;
	bool fact; /* it stays until it is kept; otherwise only a promise wants it */
	struct change *instead_of; /* owned; a promise's: the fact it stands in for, or NULL */
	uint32_t n_key;
	size_t size; /* of all this */
	/* No more than the member of its kind; its bytes, and then its key, are behind that. */
	union store_record record;
};

struct batch {
	struct map map;
	struct change *first, *last;
	size_t n, bytes;
	size_t n_bounded, bytes_bounded; /* of them, what is not one of a limited number anyway */
};

void batch_init(struct batch *b);
void batch_fini(struct batch *b); /* with all that is in it */

struct change *change_new(
	enum store_kind kind, bool remove, bool fact, const union store_record *record);

/* The one of the same key, or NULL. */
struct change *batch_find(const struct batch *b, const struct change *like);
/*
 * Takes it over, in the place of the one of the same key if there is one, which is freed;
 * but a fact comes back if the promise in its place is broken.
 */
void batch_put(struct batch *b, struct change *c);
/* The newer one takes the place of the older one, which is in no batch. */
void change_replace(struct change *newer, struct change *older);
void change_free(struct change *c);
/* All promises are broken. */
void batch_break(struct batch *b);
/* Gives it back. */
struct change *batch_take(struct batch *b, struct change *c);

#endif
