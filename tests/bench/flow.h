/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flow: `total` Confirmable requests from `n_peers` endpoints in turn, at
 * most `window` of them open at a time, retransmitted when nothing comes
 * back (RFC 7252 4.2, with a constant timeout), each finished by the verdict
 * of its owner. Request number, message ID and token follow from each other,
 * so that matching needs no table. Every CON that comes in is acknowledged.
 */
#ifndef COAPCAST_BENCH_FLOW_H
#define COAPCAST_BENCH_FLOW_H

#include <sys/types.h>

#include "endpoints.h"
#include "packet.h"

#define FLOW_TOTAL_MAX 0xffffffu /* the request's number is 24 bits of the token */

enum flow_verdict {
	FLOW_WAIT, /* not the end of this request: something more has to come */
	FLOW_FINISHED,
	FLOW_REFUSED, /* not what was asked for */
};

/* What the owner of a flow decides; on_other and on_extra may be NULL. */
struct flow_ops {
	/* Fills code, observe, path and payload of request i. */
	void (*prepare)(void *ctx, uint32_t i, struct packet_request *r);
	/* A response with the token of request i, its first or a later one. */
	enum flow_verdict (*on_reply)(void *ctx, uint32_t i, const struct packet *p);
	/* A message with another phase's token: a notification. */
	void (*on_other)(void *ctx, uint32_t peer, const struct packet *p);
	void (*on_extra)(void *ctx); /* `extra_fd` may be readable */
};

struct flow_cost {
	uint64_t wall_ns;
	uint64_t cpu_ns; /* of the server */
};

struct flow_request;

struct flow {
	struct endpoints *net; /* borrowed */
	const struct flow_ops *ops;
	void *ctx;
	uint32_t total; /* requests to make, at most FLOW_TOTAL_MAX */
	uint32_t window; /* open at a time */
	uint32_t first_peer;
	uint32_t n_peers;
	uint16_t first_mid; /* request i has first_mid + i / n_peers */
	uint8_t phase; /* upper byte of the tokens: tells flows apart */
	int extra_fd; /* also waited for; -1: none */
	pid_t pid; /* whose CPU is taken; 0: nobody's */
	/*
	 * Pause after the first and before the last tenth until the server is idle,
	 * because only then is another process's CPU clock exact.
	 */
	bool tenths;
	uint64_t deadline_ns; /* on meter_wall_ns(); what is open then is lost */

	struct flow_request *requests;
	uint32_t *latency_ns; /* first transmission to verdict, finished requests */
	uint32_t limit; /* requests from this one on have to wait; an owner may lower it */
	uint32_t next; /* first request never sent */
	uint32_t oldest; /* no request before it is open */
	uint32_t n_open;
	uint64_t now_ns;

	uint32_t n_finished;
	uint32_t n_lost;
	uint32_t n_refused;
	uint32_t n_retransmissions;
	uint32_t n_duplicates; /* responses to finished requests */
	uint32_t n_empty_acks;
	uint32_t n_separate; /* responses that came as CON or NON */
	uint32_t n_resets;
	struct flow_cost cost; /* of all requests, pauses left out */
	struct flow_cost first_tenth, last_tenth; /* with `tenths` */
};

/* Runs to its end; the flow's counters say how it went. */
void flow_run(struct flow *f);

/* The owner's own event ended request i (a notification, say). */
void flow_finish(struct flow *f, uint32_t i);

void flow_fini(struct flow *f);

#endif
