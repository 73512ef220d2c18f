/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a shell command for each value, one after the other, in order, without holding
 * up the loop: `sub --exec`. The value is on its stdin and what is known of it in the
 * environment. When values come faster than commands end, the oldest that wait are
 * dropped.
 */
#ifndef COAPCAST_CLI_EXEC_H
#define COAPCAST_CLI_EXEC_H

#include <uv.h>

#include "base/bytes.h"

#define EXEC_WAITING_MAX 256 /* values */
#define EXEC_VARIABLES_MAX 8

struct exec;

struct exec_variable {
	const char *name;
	const char *value;
};

/* `command` stays borrowed. on_idle: a command ended and none waits. */
struct exec *exec_new(uv_loop_t *loop, const char *command, void (*on_idle)(void *ctx), void *ctx);
/* It must be idle; NULL is fine. */
void exec_free(struct exec *x);

/* Queues a run; everything is copied. False when an older one was dropped for it. */
bool exec_add(struct exec *x, struct bytes value, const struct exec_variable *variables, size_t n);

bool exec_is_idle(const struct exec *x);

#endif
