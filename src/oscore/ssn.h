/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Sender Sequence Numbers of one Sender Context (RFC 8613 3.2.2, 7.2.1, B.1.1): no
 * number is handed out twice, whatever happens to the process, the machine or the disk.
 * A bound is made durable before the first number under it is used; durability is the
 * caller's, behind a callback. One object per fingerprint, shared by reference between the
 * contexts that have the same Sender Context (a reload makes new ones).
 */
#ifndef COAPCAST_OSCORE_SSN_H
#define COAPCAST_OSCORE_SSN_H

#include "base/bytes.h"
#include "base/error.h"

#define SSN_FINGERPRINT 32 /* bytes */
#define SSN_LIMIT (1ULL << 40) /* numbers are below (RFC 8613 7.2.1) */
#define SSN_STEP 4096 /* how many are reserved at once */
#define SSN_EPOCH_S 1767225600 /* 2026-01-01T00:00:00Z */

struct ssn; /* opaque, reference counted */

struct ssn_ops {
	/*
	 * Make durable that numbers below `upto` may have been used under this
	 * fingerprint, then call ssn_reserved(s, upto): at once, within this call, or any
	 * time later. A failure is simply never answered: protection stops at the old
	 * bound with -EAGAIN, and the next number wanted asks again.
	 */
	void (*reserve)(void *ctx, struct ssn *s, uint64_t upto);
	/*
	 * Seconds since 1970, UTC: what waits for a start by the clock. NULL: the owner
	 * makes sure by himself that no number is ahead of the clock when it is used.
	 */
	int64_t (*wall_s)(void *ctx);
	/* Nothing is asked for before it is needed: reserve answers at once, and shares. */
	bool just_in_time;
};

/* What the fingerprint is of: the keys' origin. id_context.p NULL: none. 0 or -EIO. */
int ssn_fingerprint(struct bytes master_secret, struct bytes master_salt, struct bytes id_context,
	struct bytes sender_id, uint8_t ret[SSN_FINGERPRINT]);

/* With one reference; not started: ssn_take says -EAGAIN. */
struct ssn *ssn_new(
	const uint8_t fingerprint[SSN_FINGERPRINT], const struct ssn_ops *ops, void *ctx);
struct ssn *ssn_hold(struct ssn *s);
void ssn_release(struct ssn *s); /* NULL is fine */

/* Goes on from a record: `stored` is the bound, or the exact value of a clean stop. */
int ssn_start_stored(struct ssn *s, uint64_t stored, struct error *e);
/*
 * First start, or the state was lost, under keys from the configuration: begins at
 * ssn_clock(utc_ms), and no number is had before that moment. An owner who names the next second
 * begins above all that was used before, even in this one, as long as that were fewer than 1024
 * a second. -ERANGE with an error when the clock is before `built_s`, the date of
 * the build: it cannot be trusted to be past every earlier start.
 */
int ssn_start_clock(struct ssn *s, int64_t utc_ms, int64_t built_s, struct error *e);
/* 1024 for each second since 2026-01-01, of which milliseconds are parts; 0 before. */
uint64_t ssn_clock(int64_t utc_ms);
/* Keys that were drawn at random just now: begins at 0. */
int ssn_start_fresh(struct ssn *s, struct error *e);

/* Tells that what was asked for is durable. Less than is known already is no news. */
void ssn_reserved(struct ssn *s, uint64_t upto);

/*
 * The next number. -EAGAIN: not started, stopped, too early, or past what is durable (it has been
 * asked for); -EOVERFLOW: the numbers are used up, the context must be replaced.
 */
int ssn_take(struct ssn *s, uint64_t *ret);

/*
 * Numbers below `at` are left out: others of the same keys have used them, or higher ones
 * (a client's processes share a record). What is below the bound already is no news.
 */
void ssn_skip(struct ssn *s, uint64_t at);

/* Ends it: no more numbers. Returns the exact value to store at a clean stop. */
uint64_t ssn_stop(struct ssn *s);

/* The number that would be taken next; how far the durable bound is. */
uint64_t ssn_next(const struct ssn *s);
uint64_t ssn_bound(const struct ssn *s);
bool ssn_is_started(const struct ssn *s);
/* Whether it was started by the clock, which is not there yet. */
bool ssn_is_early(struct ssn *s);
/* Whether the next number can be had at once. */
bool ssn_is_ready(struct ssn *s);
/*
 * Whether it has run ahead of what ssn_start_clock would begin at: then losing the state
 * would repeat numbers, of which the owner is to warn (once).
 */
bool ssn_is_ahead(const struct ssn *s, int64_t utc_s);
struct bytes ssn_print(const struct ssn *s); /* the same as bytes */
const uint8_t *ssn_fingerprint_of(const struct ssn *s); /* SSN_FINGERPRINT bytes */

#endif
