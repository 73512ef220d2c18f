/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients that acknowledge the informative response and do not follow it: they do
 * not understand it, or do not hear the group, and register again and again. Such a
 * client stays a traditional observer until the group observation ends (product.md,
 * "Who is moved into a group observation"). Both what is suspected and what is known is
 * bounded.
 */
#ifndef COAPCAST_BROKER_UNAWARE_H
#define COAPCAST_BROKER_UNAWARE_H

#include "base/map.h"
#include "base/mem.h"
#include "msg/peer.h"

struct broker;
struct group_observation;

#define UNAWARE_MAX 1024 /* clients known as such; past that they are moved again and again */
#define UNAWARE_SUSPECTS 4096 /* clients moved last, by hash */
#define UNAWARE_WITHIN_MS 60000 /* it registers again so soon after a 5.03 */
#define UNAWARE_TWICE 2 /* so often */

/* One that acknowledged a 5.03 lately. */
struct suspect {
	uint64_t until_ms;
	uint32_t tag; /* hash of its endpoints and the group observation's token */
	uint8_t n; /* registrations since */
	uint8_t round; /* of counting, then */
};

/* One that is known. */
struct unaware {
	struct map_node node;
	struct unaware *next; /* of the same group observation */
	struct group_observation *g;
	struct addr remote, local;
};

struct unawares {
	struct map known;
	struct pool pool;
	struct suspect suspects[UNAWARE_SUSPECTS];
};

void unaware_init(struct unawares *u);
void unaware_fini(struct unawares *u);

/* Its 5.03 was acknowledged. */
void unaware_suspect(struct broker *b, struct group_observation *g, const struct peer *p);
/* It registers as if there had been none: true when it is known as unaware from now on. */
bool unaware_again(struct broker *b, struct group_observation *g, const struct peer *p);
bool unaware_is(const struct broker *b, const struct group_observation *g, const struct peer *p);
/* It was reset or did not answer: it is not there any more. */
void unaware_forget(struct broker *b, struct group_observation *g, const struct peer *p);
/* The group observation ends. */
void unaware_end(struct broker *b, struct group_observation *g);

#endif
