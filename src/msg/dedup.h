/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Responses kept for duplicates of requests that must not run twice (RFC 7252
 * 4.2, 4.5): POST, iPATCH and conditional PUT, for EXCHANGE_LIFETIME. A
 * bounded table; the oldest entry gives way. Requests that are idempotent are
 * remembered more cheaply, in msg/peer.h.
 */
#ifndef COAPCAST_MSG_DEDUP_H
#define COAPCAST_MSG_DEDUP_H

#include "base/map.h"
#include "msg/path.h"

struct dedup;

/* At most `max` entries; `seed` keys the hash. */
struct dedup *dedup_new(uint32_t max, uint32_t seed);
/* Those over it go as new ones come. */
void dedup_set_max(struct dedup *d, uint32_t max);
void dedup_free(struct dedup *d);

/* A message id, and DEDUP_AUTHENTIC for a request that object security proved. */
#define DEDUP_AUTHENTIC (1u << 16)

/* Notes a request; its response is empty so far. */
void dedup_add(struct dedup *d, const struct path *way, uint32_t id, uint64_t now_ms);

/* Adds the response (copied) to a request noted before; nothing when it is gone. */
void dedup_answer(struct dedup *d, const struct path *way, uint32_t id, struct bytes response);

/*
 * Whether the request was noted within the lifetime. *ret_response borrows
 * until the next call; empty: still in progress.
 */
bool dedup_find(struct dedup *d, const struct path *way, uint32_t id, uint64_t now_ms,
	struct bytes *ret_response);

size_t dedup_count(const struct dedup *d);
/* Entries that gave way before their time. */
uint64_t dedup_evicted(const struct dedup *d);

#endif
