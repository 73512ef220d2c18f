/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One of the subscriptions of `coapcast sub`: its connection, its topic, and its
 * observation, each value of which is printed or handed to a command. What ends the
 * whole of them is sub.c's.
 */
#ifndef COAPCAST_CLI_SUBSCRIPTION_H
#define COAPCAST_CLI_SUBSCRIPTION_H

#include "cli/exec.h"
#include "cli/json.h"
#include "cli/locate.h"
#include "client/observation.h"

struct subscription;

struct subscription_ops {
	/* A value was printed, or not: CONNECTION_WRITTEN too when a command has it. */
	void (*on_value)(void *ctx, enum connection_written written);
	/* It is over, which was told. */
	void (*on_end)(void *ctx, enum cli_exit how);
};

/* Zeroed before the first use; private. */
struct subscription {
	const struct subscription_ops *ops;
	void *ctx;
	struct connection c;
	struct place place;
	struct observation *o;
	struct exec *exec; /* borrowed; NULL: print */
	struct json json; /* or a plain line */
	uint64_t n_values;
	bool named; /* one of several: what is told names it */
};

/* Opens a connection on a shared loop and finds the topic. Failures are told. */
enum cli_exit subscription_open(
	struct subscription *s, const struct args *a, const char *uri, uv_loop_t *loop);
/* Registers. Neither op is called from within. */
enum cli_exit subscription_start(
	struct subscription *s, struct exec *exec, const struct subscription_ops *ops, void *ctx);
/* Ends it from our side; idempotent. */
void subscription_stop(struct subscription *s);
/* What came of it, with -v; then all of it goes. A zeroed one is fine. */
void subscription_close(struct subscription *s);

#endif
