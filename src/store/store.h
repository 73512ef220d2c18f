/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent state: records on their way to a database that a thread of the store's
 * own writes, so that nobody else ever waits for a disk. Nothing is read back but at
 * the start. Architecture: "Store".
 *
 * There are two ways in. What is put STORE_LATER or STORE_NOW is a fact: it is kept
 * in memory, the newest of each key only, and tried again until it is on the disk.
 * What is put STORE_PROMISE is waited for: it gets a ticket, and an event says
 * whether it is kept; when it could not be, it is forgotten, and the caller says no
 * to whoever asked. Everything that comes while one commit runs goes into the next:
 * one ticket stands for all of them. A fact that a promise stood in for comes back when
 * that is broken.
 *
 * All functions are to be called in one thread; struct store_options.on_event is
 * called in another.
 */
#ifndef COAPCAST_STORE_STORE_H
#define COAPCAST_STORE_STORE_H

#include "base/error.h"
#include "store/record.h"

struct store;

struct store_options {
	const char *directory; /* made when missing; copied */
	uint32_t commit_ms; /* how long STORE_LATER may take; 0: the same as STORE_NOW */
	uint32_t late_ms; /* over that, a disk that does not answer; 0: 5 s */
	size_t max_records; /* that wait, of all kinds but STORE_VALUE; 0: 1,000,000 */
	size_t max_bytes; /* of the same; 0: 256 MiB */
	void (*on_event)(void *ctx); /* wakes the caller's thread; store_next_event */
	void *ctx;
};

enum store_origin {
	STORE_RESUMED, /* what was there is there */
	STORE_CREATED, /* nothing was there */
	STORE_SET_ASIDE, /* what was there is damaged and has another name now; nothing is there */
};

struct store_opened {
	enum store_origin origin;
	bool clean; /* the last stop was: exact bounds, and windows that hold */
	char aside[256]; /* STORE_SET_ASIDE: what it is called now */
	struct error why; /* the same: what was wrong; or with STORE_CREATED, "": nothing was */
};

/*
 * Locks the directory against other processes and opens the database, all of which
 * is read and checked. -EBUSY: somebody else has it; -EPROTO: a newer version made
 * it; others: the file system said no.
 */
int store_open(const struct store_options *options, struct store **ret,
	struct store_opened *ret_opened, struct error *e);

/*
 * Visits every record of a kind, in no order but topics by id; before store_start.
 * Bytes are borrowed until `visit` returns, a negative errno of which ends it.
 */
int store_load(struct store *s, enum store_kind kind,
	int (*visit)(void *ctx, const union store_record *r), void *ctx, struct error *e);

/* Starts the thread. Records may be put before. */
int store_start(struct store *s, struct error *e);

/*
 * Keeps what was put, when `clean` with a mark that everything the next start has to
 * know was put, and frees. Waits for the disk. 0, or why something was lost.
 */
int store_close(struct store *s, bool clean, struct error *e);

enum store_when {
	STORE_LATER, /* a fact, within commit_ms */
	STORE_NOW, /* a fact, at once */
	STORE_PROMISE, /* at once, with a ticket */
};

struct store_change {
	enum store_kind kind;
	bool remove; /* only the key of `record` matters */
	const union store_record *record; /* borrowed: it is copied */
};

/*
 * Keeps all of them or none, in this order. *ret_ticket (may be NULL) is what the
 * STORE_EVENT_DONE for STORE_PROMISE will carry; it rises. -EAGAIN: too much waits;
 * -EIO: STORE_PROMISE while nothing can be written, or before STORE_EVENT_ANEW was heard. In both cases nothing is kept.
 */
int store_put_all(struct store *s, const struct store_change *changes, size_t n,
	enum store_when when, uint64_t *ret_ticket);
int store_put(struct store *s, enum store_kind kind, const union store_record *record,
	enum store_when when, uint64_t *ret_ticket);
int store_remove(struct store *s, enum store_kind kind, const union store_record *key,
	enum store_when when, uint64_t *ret_ticket);

enum store_event_kind {
	STORE_EVENT_DONE, /* all promises with this ticket, and with no earlier one */
	STORE_EVENT_FAILING, /* nothing can be written; tried again and again */
	STORE_EVENT_RECOVERED, /* until now */
	/*
	 * The database was damaged, or removed, and another one was started with nothing in
	 * it: everything has to be put again, bounds first. Promises that were made before it
	 * was told are broken.
	 */
	STORE_EVENT_ANEW,
};

struct store_event {
	enum store_event_kind kind;
	uint64_t ticket;
	int error; /* of DONE: 0, or the negative errno that it was not kept for */
	struct error why; /* of FAILING and ANEW */
};

/* The next thing that happened; false: nothing did. */
bool store_next_event(struct store *s, struct store_event *ret);

/* Whether promises can be made: false while nothing can be written, or nothing moves. */
bool store_is_well(struct store *s);

/* What commit_ms is from now on. */
void store_set_commit_ms(struct store *s, uint32_t commit_ms);

struct store_stats {
	uint64_t commits, records, failures; /* of commits that did not work out: `failures` */
	uint64_t broken; /* promises that were */
	uint64_t refused; /* -EAGAIN and -EIO of store_put_all */
	uint64_t longest_us, last_us; /* a commit took */
	uint64_t anew; /* databases set aside, or found removed, while running */
	size_t waiting, waiting_bytes; /* not kept yet, now */
	bool well; /* now */
};

void store_stats(struct store *s, struct store_stats *ret);

#endif
