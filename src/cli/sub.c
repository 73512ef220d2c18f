/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sub.h"

#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/subscription.h"

#define N_SIGNALS 2

struct sub {
	struct connection c; /* the loop that all share */
	struct subscription *all; /* args->n_uris; owned */
	unsigned n_left; /* not ended */
	struct exec *exec; /* NULL: print */
	uv_signal_t signals[N_SIGNALS];
	uv_timer_t deadline;
	uint64_t n_values;
	bool over; /* nothing more is wanted, and `exit` says how it went */
	enum cli_exit exit;
	enum cli_exit failed; /* the first subscription that ended, did so like this */
};

static void
finish(struct sub *s, enum cli_exit how)
{
	if (s->over)
		return;
	s->over = true;
	s->exit = how;
	for (unsigned i = 0; i < s->c.args->n_uris; i++)
		subscription_stop(&s->all[i]);
	uv_stop(s->c.loop);
}

static void
on_value(void *ctx, enum connection_written written)
{
	struct sub *s = ctx;
	uint32_t count = s->c.args->count;

	s->n_values++;
	/* Whoever closed our output has seen enough. */
	if (written != CONNECTION_WRITTEN || (count && s->n_values >= count))
		finish(s, connection_wrote(written));
}

/* The others go on. */
static void
on_end(void *ctx, enum cli_exit how)
{
	struct sub *s = ctx;

	if (s->failed == CLI_OK)
		s->failed = how;
	if (--s->n_left == 0)
		finish(s, s->failed);
}

static const struct subscription_ops ops = {.on_value = on_value, .on_end = on_end};

/* ^C is how one leaves. */
static void
on_signal(uv_signal_t *h, int number)
{
	struct sub *s = h->data;

	(void)number;
	finish(s, s->failed);
}

/* Whether one of them is still waiting for its keys to be accepted. */
static bool
is_unproven(const struct sub *s)
{
	for (unsigned i = 0; i < s->c.args->n_uris; i++)
		if (s->all[i].c.ep && endpoint_is_unproven(s->all[i].c.ep))
			return true;
	return false;
}

/* -W: the time is up. Without -C, that was all that was asked for. */
static void
on_deadline(uv_timer_t *t)
{
	struct sub *s = t->data;
	const struct args *a = s->c.args;

	if (a->count || s->n_values == 0) {
		connection_complain("%s%s: %llu values in that time", a->uri,
			a->n_uris > 1 ? " and others" : "", (unsigned long long)s->n_values);
		finish(s, is_unproven(s) ? CLI_SECURITY : CLI_TIMEOUT);
		return;
	}
	finish(s, s->failed);
}

static void
on_exec_idle(void *ctx)
{
	struct sub *s = ctx;

	uv_stop(s->c.loop);
}

static void
start_handles(struct sub *s)
{
	static const int numbers[N_SIGNALS] = {SIGINT, SIGTERM};
	uint32_t timeout_ms = s->c.args->timeout_ms;

	for (unsigned i = 0; i < N_SIGNALS; i++) {
		(void)uv_signal_init(s->c.loop, &s->signals[i]);
		s->signals[i].data = s;
		(void)uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	(void)uv_timer_init(s->c.loop, &s->deadline);
	s->deadline.data = s;
	if (timeout_ms > 0)
		(void)uv_timer_start(&s->deadline, on_deadline, timeout_ms, 0);
}

/* What is left to do takes no time, and SIGTERM again is no reason to leave it; SIGINT is. */
static void
close_handles(struct sub *s)
{
	sigset_t again;

	(void)sigemptyset(&again);
	(void)sigaddset(&again, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &again, NULL);
	for (unsigned i = 0; i < N_SIGNALS; i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	uv_close((uv_handle_t *)&s->deadline, NULL);
}

/*
 * Every topic is found before any is subscribed to: a URI that is wrong ends it at once.
 * So does a signal, which nobody catches yet.
 */
static enum cli_exit
open_all(struct sub *s)
{
	const struct args *a = s->c.args;
	enum cli_exit rc = CLI_OK;

	for (unsigned i = 0; rc == CLI_OK && i < a->n_uris; i++)
		rc = subscription_open(&s->all[i], a, a->uris[i], s->c.loop);
	return rc;
}

/* Until nothing more is wanted, and what was started for it has ended. */
static void
follow(struct sub *s)
{
	enum cli_exit rc = CLI_OK;

	s->n_left = s->c.args->n_uris;
	for (unsigned i = 0; rc == CLI_OK && i < s->c.args->n_uris; i++)
		rc = subscription_start(&s->all[i], s->exec, &ops, s);
	if (rc != CLI_OK)
		finish(s, rc);
	while (!s->over)
		(void)uv_run(s->c.loop, UV_RUN_ONCE);
	while (s->exec && !exec_is_idle(s->exec))
		(void)uv_run(s->c.loop, UV_RUN_ONCE);
}

enum cli_exit
sub_run(const struct args *a)
{
	struct sub s = {.failed = CLI_OK};
	enum cli_exit rc = connection_begin(&s.c, a);

	if (rc != CLI_OK)
		return rc;
	s.all = mem_alloc(a->n_uris * sizeof(*s.all));
	if ((rc = open_all(&s)) == CLI_OK) {
		start_handles(&s);
		if (a->exec)
			s.exec = exec_new(s.c.loop, a->exec, on_exec_idle, &s);
		follow(&s);
		exec_free(s.exec);
		close_handles(&s);
		rc = s.exit;
	}
	for (unsigned i = 0; i < a->n_uris; i++)
		subscription_close(&s.all[i]);
	connection_close(&s.c);
	free(s.all);
	return rc;
}
