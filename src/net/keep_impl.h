/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of what is kept, shared by keep.c (topics, events, bounds), keep_watch.c
 * (group observations and observers on their way to the store) and resume.c (the same on
 * their way back), and nobody else.
 */
#ifndef COAPCAST_NET_KEEP_IMPL_H
#define COAPCAST_NET_KEEP_IMPL_H

#include "net/keep.h"
#include "net/parting.h"
#include "store/store.h"

/* A topic, or a group observation, that was kept, while restoring. */
struct restored {
	uint64_t id;
	struct topic *topic; /* NULL: it could not be put back, or it is none */
	uint32_t bound;
};

/* By id, as the store tells them. */
struct restored_list {
	struct restored *all;
	size_t n, cap;
};

/* A promise that somebody waits for. */
struct waiting {
	struct waiting *next;
	uint64_t ticket;
	uint64_t group; /* the group observation that begins with it */
};

/* Publishes that everybody was told of, by their serial numbers: keep_announced.c. */
struct announced {
	uv_timer_t timer;
	uint16_t kept; /* all up to this one, and the store knows */
	uint16_t mark; /* all up to this one, some time ago */
	bool known; /* the store had `kept` at the start */
	bool all; /* everybody had been told of everything, at a clean stop before it */
	unsigned n; /* values that were kept since the last look */
};

struct keep {
	uv_async_t wake;
	struct announced announced;
	struct store *store;
	uint32_t commit_ms;
	bool clean; /* the last stop was */
	bool whole; /* all of it was put back, and what comes is kept */
	/*
	 * Starts that were not clean, and what of them the store knew before this one: bounds of
	 * observe numbers are kept as if there had been none. So each such start moves all of
	 * them on by what may have been used without the store's knowledge, also where the life
	 * before has put nothing.
	 */
	uint8_t lives, lives_before;
	uint64_t awaited; /* the ticket that keep_wait waits for; 0: none */
	struct keep_view view;
	void (*hear)(void *ctx, const struct store_event *event); /* NULL: nobody listens */
	void *ctx;
	struct restored_list topics, groups; /* while restoring */
	struct waiting *waiting;
	struct partings partings; /* until messages can be protected */
	bool same_collection; /* paths are what they were */
	unsigned n_groups, n_observers; /* that were put back */
	bool differs; /* something of a group is other than its record says, which goes on */
	unsigned n_ended; /* group observations that could not be */
	unsigned n_left; /* observers that could not be, who are told */
	unsigned n_untold; /* and those who cannot be told, for want of their keys */
};

/* A bound of this life as it is kept. */
uint32_t keep_bound(const struct keep *k, uint32_t bound);

struct restored *keep_find(const struct restored_list *l, uint64_t id);

/* The binding of an observer; false: it is none. */
bool keep_take_binding(struct bytes from, struct keep_binding *ret);

/* A promise was kept, or was not (error < 0). */
void keep_watch_done(struct keep *k, uint64_t ticket, int error);
/* Everything of group observations and observers once more: another database, or a stop. */
void keep_watch_all(struct keep *k, bool exact);
void keep_watch_groups(struct keep *k, bool exact); /* of group observations only */
void keep_watch_free(struct keep *k);
/* By name: its index may be another one after the next boot. Nothing: no group of today's. */
struct bytes keep_interface_of(const struct keep *k, const struct broker_group *group);

void keep_announced_init(struct keep *k, uv_loop_t *loop);
void keep_announced_note(struct keep *k); /* a value is kept */
/* At the start: what the store had, and whether that number is among those. */
void keep_announced_take(struct keep *k, const struct store_meta *r);
bool keep_announced_has(const struct keep *k, uint16_t nth);
/* How many would be told again after a kill, as far as the store knows. */
unsigned keep_announced_left(const struct keep *k);
void keep_announced_again(struct keep *k); /* for another database */
void keep_announced_stop(struct keep *k); /* at a clean stop */

/* Visitors of STORE_GROUP and STORE_OBSERVER, after topics and values. */
int resume_group(void *ctx, const union store_record *r);
int resume_observer(void *ctx, const union store_record *r);

#endif
