/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OSCORE in the daemon (RFC 8613): contexts from the configuration's identities, requests
 * unprotected before the router sees them, answers protected through shields. Errors of
 * object security itself are told unprotected. Where Sender Sequence Numbers are made
 * durable is the caller's, behind struct ssn_ops.
 */
#ifndef COAPCAST_NET_GUARD_H
#define COAPCAST_NET_GUARD_H

#include "conf/conf.h"
#include "msg/layer.h"
#include "net/subjects.h"
#include "oscore/ssn.h"

struct guard;

struct guard_ops {
	/* Starts the numbers of a context from what is stored of its fingerprint, if anything. */
	int (*start)(void *ctx, struct ssn *s, struct error *e);
	struct ssn_ops ssn;
	/* What was in a protected request. */
	void (*on_request)(void *ctx, struct request *r);
};

/* `ops` stays borrowed. NULL, and why in *e, when a context cannot be made. */
struct guard *guard_new(const struct conf *conf, struct subjects *subjects,
	const struct guard_ops *ops, void *ctx, struct error *e);
void guard_free(struct guard *g); /* every shield must have been released; NULL is fine */

/* A request with an OSCORE option: unprotected and run, or answered. */
void guard_request(struct guard *g, struct request *r);

/* For layer_ops.shields; their ctx is not used. */
extern const struct shield_ops guard_shields;

struct guard_stats {
	uint64_t requests, refused; /* unprotected and run; answered with an error of OSCORE */
	uint64_t challenged; /* authentic, while the replay window was not valid */
};
const struct guard_stats *guard_stats(const struct guard *g);

#endif
