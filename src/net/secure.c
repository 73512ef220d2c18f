/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/secure.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct secure {
	struct ssnstore *numbers;
	struct guard *guard;
	void (*on_request)(void *ctx, struct request *r);
	void *ctx;
};

static int64_t
wall_s(void *ctx)
{
	struct timespec now;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

static struct ssn *
on_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct secure *s = ctx;

	return ssnstore_get(s->numbers, fingerprint);
}

static void
on_retry(void *ctx)
{
	struct secure *s = ctx;

	ssnstore_retry(s->numbers);
}

static void
on_load_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w)
{
	struct secure *s = ctx;

	ssnstore_load_window(s->numbers, fingerprint, w);
}

static void
on_save_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w)
{
	struct secure *s = ctx;

	ssnstore_save_window(s->numbers, fingerprint, w);
}

static void
on_request(void *ctx, struct request *r)
{
	struct secure *s = ctx;

	s->on_request(s->ctx, r);
}

static void
on_store(void *ctx, const struct store_event *event)
{
	struct secure *s = ctx;

	ssnstore_event(s->numbers, event);
}

int
secure_new(const struct conf *conf, struct keep *keep, struct subjects *subjects,
	void (*run)(void *ctx, struct request *r), void *ctx, struct secure **ret, struct error *e)
{
	static const struct guard_ops ops = {.ssn = on_ssn,
		.retry = on_retry,
		.load_window = on_load_window,
		.save_window = on_save_window,
		.on_request = on_request};
	const struct ssnstore_options options = {
		.store = keep_store(keep), .clean = keep_was_clean(keep), .wall_s = wall_s};
	struct secure *s = mem_alloc(sizeof(*s));
	int rc;

	s->on_request = run;
	s->ctx = ctx;
	if ((rc = ssnstore_new(&options, &s->numbers, e)) < 0)
		goto fail;
	rc = -EINVAL;
	if ((s->guard = guard_new(conf, subjects, &ops, s, e)) == NULL)
		goto fail;
	keep_listen(keep, on_store, s);
	*ret = s;
	return 0;
fail:
	secure_free(s);
	return rc;
}

void
secure_stop(struct secure *s)
{
	if (!s)
		return;
	guard_stop(s->guard);
	ssnstore_stop(s->numbers);
}

void
secure_free(struct secure *s)
{
	if (!s)
		return;
	guard_free(s->guard);
	ssnstore_free(s->numbers);
	free(s);
}

void
secure_wait(struct secure *s, uv_loop_t *loop, const bool *stopping)
{
	while (!*stopping && ssnstore_is_waiting(s->numbers))
		(void)uv_run(loop, UV_RUN_ONCE);
}

struct guard *
secure_guard(struct secure *s)
{
	return s->guard;
}

struct ssnstore *
secure_numbers(struct secure *s)
{
	return s->numbers;
}
