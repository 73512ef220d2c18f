/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store in a directory of its own below $TMPDIR, for the tests of it: opened,
 * waited for, and compared by what is in it.
 */
#ifndef COAPCAST_STOREBED_H
#define COAPCAST_STOREBED_H

#include "store/store.h"

struct bed {
	char base[128]; /* removed with all that is in it */
	char directory[192]; /* of the state: below it */
	struct store *store;
	struct store_opened opened;
	int events; /* readable: there is one */
};

void bed_init(struct bed *b); /* makes the base */
void bed_fini(struct bed *b); /* closes what is open */
/* A path below the base; a few are good at a time. */
const char *bed_path(const struct bed *b, const char *name);
void bed_remove(const char *path); /* a directory, with all in it */

/* The state directory, opened and started; or what store_open said. */
int bed_try(struct bed *b, uint32_t commit_ms, struct error *e);
void bed_open(struct bed *b, uint32_t commit_ms);
void bed_close(struct bed *b, bool clean);
/* The same after a look at what is there, which tells it from all else. */
uint64_t bed_digest(struct bed *b, size_t *ret_n);

/* The next event, which has to be one of that kind; waits for it. */
struct store_event bed_expect(struct bed *b, enum store_event_kind kind);

/* Records by number; the same number is the same key, `version` all the rest. */
void bed_topic(uint64_t id, unsigned version, union store_record *ret);
void bed_value(uint64_t id, unsigned version, union store_record *ret);
/* One of any kind with everything in it that can be; or with as little as can be. */
void bed_full(enum store_kind kind, unsigned n, union store_record *ret);
void bed_bare(enum store_kind kind, unsigned n, union store_record *ret);

/* Puts and waits until it is kept; the error of the event, or of the put. */
int bed_promise(struct bed *b, enum store_kind kind, const union store_record *r);

/* The version of a topic's value; 0: there is none. */
unsigned bed_version(struct bed *b, uint64_t topic);

/* Copies all files of a directory into another one, which is made empty before. */
void bed_copy(const char *from, const char *to);

#endif
