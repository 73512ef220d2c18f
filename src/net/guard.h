/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OSCORE in the daemon (RFC 8613): contexts from the configuration's identities, requests
 * unprotected before the router sees them, answers protected through shields. Errors of
 * object security itself are told unprotected. What outlives the process is the caller's,
 * behind struct guard_ops (net/ssnstore.h).
 */
#ifndef COAPCAST_NET_GUARD_H
#define COAPCAST_NET_GUARD_H

#include "conf/conf.h"
#include "msg/layer.h"
#include "net/subjects.h"
#include "oscore/context_table.h"

struct guard;

struct guard_ops {
	/* Sender Sequence Numbers under a fingerprint, with a reference. */
	struct ssn *(*ssn)(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT]);
	/* Numbers are wanted that could not be started. */
	void (*retry)(void *ctx);
	/* The window of a sender as of a clean stop; nothing to do when there is none. */
	void (*load_window)(
		void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w);
	void (*save_window)(
		void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w);
	/* What was in a protected request. */
	void (*on_request)(void *ctx, struct request *r);
};

/* `ops` stays borrowed. NULL, and why in *e, when a context cannot be made. */
struct guard *guard_new(const struct conf *conf, struct subjects *subjects,
	const struct guard_ops *ops, void *ctx, struct error *e);
void guard_free(struct guard *g); /* every shield must have been released; NULL is fine */
/* At a clean stop: nothing comes any more, and the replay windows are saved. NULL is fine. */
void guard_stop(struct guard *g);

/*
 * The identities of a new configuration, in two steps: what can fail, and what cannot. Who
 * keeps its keys keeps its window; whose keys are gone is not heard any more, though what it
 * observes goes on until it is ended.
 */
struct guard_set;
int guard_prepare(struct guard *g, const struct conf *conf, struct subjects *subjects,
	struct guard_set **ret, struct error *e);
void guard_commit(struct guard *g, struct guard_set *set); /* which it takes over */
void guard_abandon(struct guard_set *set); /* instead; NULL is fine */

/* A request with an OSCORE option: unprotected and run, or answered. */
void guard_request(struct guard *g, struct request *r);

/*
 * The shield of a registration of before a restart, with a reference, and whose it is; NULL
 * when no identity has those keys now. `print` is that of our Sender Sequence Numbers.
 */
struct shield *guard_restore(
	struct guard *g, struct bytes print, struct bytes kid, struct bytes piv, uint32_t *ret_who);

/* Where the contexts of requests are found: groups are added by their owner. */
struct context_table *guard_contexts(struct guard *g);

struct guard_stats {
	uint64_t requests, refused; /* unprotected and run; answered with an error of OSCORE */
	uint64_t challenged; /* authentic, while the replay window was not valid */
	uint64_t shields; /* held by observations now */
};
void guard_stats(const struct guard *g, struct guard_stats *ret);

#endif
