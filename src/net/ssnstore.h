/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What object security may not forget: the Sender Sequence Numbers of every Sender Context,
 * whose bounds are on the disk before a number under them is used, and the replay windows,
 * which hold after a clean stop only (RFC 8613 7.5, B.1). What they mean is oscore/ssn.h's
 * and oscore/window.h's; how they get onto the disk is store/'s.
 */
#ifndef COAPCAST_NET_SSNSTORE_H
#define COAPCAST_NET_SSNSTORE_H

#include "oscore/ssn.h"
#include "oscore/window.h"
#include "store/store.h"

struct ssnstore;

struct ssnstore_options {
	struct store *store; /* before store_start; borrowed until ssnstore_stop */
	bool clean; /* struct store_opened: windows hold */
	int64_t (*wall_s)(void *ctx); /* since 1970, UTC */
	void *ctx;
};

int ssnstore_new(const struct ssnstore_options *options, struct ssnstore **ret, struct error *e);
void ssnstore_free(struct ssnstore *s); /* NULL is fine */

/*
 * The numbers under that fingerprint, with a reference: the same for all who ask. They go
 * on from what is stored, or begin by the clock. Where neither can be, the log says
 * why, and nothing can be taken: ssnstore_retry.
 */
struct ssn *ssnstore_get(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT]);
/* The same of keys that were drawn at random just now, which begin at 0. */
struct ssn *ssnstore_get_fresh(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT]);
/* Keys that were drawn here are gone for good: nothing is kept of them. */
void ssnstore_forget(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT]);
/* Tries to start what could not be: the clock may be set by now. */
void ssnstore_retry(struct ssnstore *s);

/* The window of a sender, under the fingerprint with its id, as of a clean stop; else no change. */
void ssnstore_load_window(
	struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w);
/* At a clean stop, when nothing is accepted any more. */
void ssnstore_save_window(
	struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w);

/* Something happened to the store. */
void ssnstore_event(struct ssnstore *s, const struct store_event *event);
/* Whether a bound is on its way to the disk. */
bool ssnstore_is_waiting(const struct ssnstore *s);
/* Whether some begin by the clock, in a second that is not over yet. */
bool ssnstore_is_early(struct ssnstore *s);

/* Before a clean store_close: no more numbers, and the exact ones are put. */
void ssnstore_stop(struct ssnstore *s);

#endif
