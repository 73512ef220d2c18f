/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/place.h"

#define LATE_MS 5000
#define RECORDS_MAX 1000000
#define BYTES_MAX ((size_t)256 << 20)
#define LATER_AT_ONCE 4096 /* in one commit, so that who waits for one does not wait long */
#define MARGIN_MS 250 /* a commit begins so long before it has to be done, at most */
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 5000

#define CLEAN "store.clean" /* the last stop was */
#define PROBE "store.probe" /* something to be written when nothing else is there */

struct event {
	struct event *next;
	struct store_event what;
};

struct store {
	struct place place;
	struct db *db; /* the thread's while there is one; NULL: it got lost */
	bool put_aside; /* the same thread's: what has the name of the database is to lose it */
	void (*on_event)(void *ctx);
	void *ctx;
	size_t max_records, max_bytes;
	uint64_t late_us;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t work;
	bool stopping;
	uint64_t commit_us;
	struct batch now, later;
	uint64_t later_since_us; /* when the first of `later` came */
	uint64_t ticket; /* of the promises in `now` */
	bool promised; /* there are some */
	bool unheard; /* STORE_EVENT_ANEW is waiting */
	size_t n_busy, bytes_busy; /* what is being committed */
	uint64_t busy_since_us; /* a commit has been running since then; 0: none */
	bool failing; /* nothing can be written */
	uint64_t retry_us; /* when it is tried again */
	uint32_t retry_ms; /* and how long after that */
	struct event *events, **last_event;
	struct store_stats stats;
};

/* A commit under way: the thread's own. */
struct work {
	struct batch batch;
	uint64_t ticket;
	bool promised, more;
	uint64_t began_us;
	int rc;
	bool anew; /* another database was started */
	struct error why;
};

static uint64_t
clock_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- opening ------------------------------------------------------------------ */

struct is_clean {
	bool clean;
};

static int
find_clean(void *ctx, const union store_record *r)
{
	struct is_clean *found = ctx;

	if (bytes_is(r->meta.name, CLEAN))
		found->clean = true;
	return 0;
}

/*
 * Whether the last stop was clean, which holds for this start only: from here on
 * windows and exact bounds get out of date. oscore.md section 9.
 */
static int
use_clean(struct db *db, bool *ret_clean, struct error *e)
{
	const union store_record mark = {.meta = {.name = BYTES_LIT(CLEAN)}};
	struct is_clean found = {.clean = false};
	int rc;

	if ((rc = db_load(db, STORE_META, find_clean, &found, e)) < 0)
		return rc;
	if ((rc = db_begin(db, e)) < 0)
		return rc;
	if ((rc = db_remove(db, STORE_META, &mark, e)) < 0 ||
		(!found.clean && (rc = db_clear(db, STORE_WINDOW, e)) < 0) ||
		(rc = db_commit(db, e)) < 0)
		db_rollback(db);
	if (rc == 0)
		*ret_clean = found.clean;
	return rc;
}

static int
open_database(struct store *s, struct store_opened *how, struct error *e)
{
	bool was_empty = place_is_empty(&s->place), created;
	struct db *db;
	int rc;

	if ((rc = db_open(s->place.database, &db, &created, e)) < 0)
		return rc;
	if ((rc = use_clean(db, &how->clean, e)) < 0) {
		db_close(db);
		return rc;
	}
	if (created && how->origin == STORE_RESUMED) {
		how->origin = STORE_CREATED;
		if (was_empty)
			error_set(&how->why, "%s: has nothing in it", s->place.database);
	}
	s->db = db;
	return 0;
}

/* Opens it, and when it is damaged another one in its place. */
static int
open_any(struct store *s, struct store_opened *how, struct error *e)
{
	char aside[PLACE_PATH_LEN];
	int rc;

	*how = (struct store_opened){.origin = STORE_RESUMED};
	rc = open_database(s, how, e);
	if (rc != -EBADMSG)
		return rc;
	how->why = *e;
	if ((rc = place_set_aside(&s->place, aside, e)) < 0)
		return rc;
	(void)snprintf(how->aside, sizeof(how->aside), "%.*s", (int)sizeof(how->aside) - 1, aside);
	how->origin = STORE_SET_ASIDE;
	return open_database(s, how, e);
}

static void
free_store(struct store *s)
{
	struct event *next;

	db_close(s->db);
	place_fini(&s->place);
	batch_fini(&s->now);
	batch_fini(&s->later);
	for (struct event *ev = s->events; ev; ev = next) {
		next = ev->next;
		free(ev);
	}
	(void)pthread_cond_destroy(&s->work);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static void
init_store(struct store *s, const struct store_options *o)
{
	pthread_condattr_t attr;

	s->on_event = o->on_event;
	s->ctx = o->ctx;
	s->max_records = o->max_records ? o->max_records : RECORDS_MAX;
	s->max_bytes = o->max_bytes ? o->max_bytes : BYTES_MAX;
	s->late_us = (uint64_t)(o->late_ms ? o->late_ms : LATE_MS) * 1000;
	s->commit_us = (uint64_t)o->commit_ms * 1000;
	s->ticket = 1;
	s->last_event = &s->events;
	batch_init(&s->now);
	batch_init(&s->later);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->work, &attr);
	(void)pthread_condattr_destroy(&attr);
}

int
store_open(const struct store_options *options, struct store **ret, struct store_opened *ret_opened,
	struct error *e)
{
	struct store *s = mem_alloc(sizeof(*s));
	struct store_opened how;
	int rc;

	init_store(s, options);
	if ((rc = place_init(&s->place, options->directory, e)) < 0 ||
		(rc = open_any(s, &how, e)) < 0) {
		free_store(s);
		return rc;
	}
	*ret_opened = how;
	*ret = s;
	return 0;
}

int
store_load(struct store *s, enum store_kind kind,
	int (*visit)(void *ctx, const union store_record *r), void *ctx, struct error *e)
{
	assert(!s->started);
	return db_load(s->db, kind, visit, ctx, e);
}

/* --- events ------------------------------------------------------------------- */

/* With the lock held. */
static void
say(struct store *s, enum store_event_kind kind, uint64_t ticket, int error,
	const struct error *why)
{
	struct event *ev = mem_alloc(sizeof(*ev));

	ev->what = (struct store_event){.kind = kind, .ticket = ticket, .error = error};
	if (why)
		ev->what.why = *why;
	*s->last_event = ev;
	s->last_event = &ev->next;
}

bool
store_next_event(struct store *s, struct store_event *ret)
{
	struct event *ev;

	(void)pthread_mutex_lock(&s->lock);
	ev = s->events;
	if (ev) {
		if (ev->what.kind == STORE_EVENT_ANEW)
			s->unheard = false;
		s->events = ev->next;
		if (!s->events)
			s->last_event = &s->events;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (!ev)
		return false;
	*ret = ev->what;
	free(ev);
	return true;
}

/* --- a commit, without the lock ------------------------------------------------- */

static int
apply(struct store *s, const struct batch *b, struct error *e)
{
	static const union store_record probe = {.meta = {.name = BYTES_LIT(PROBE)}};
	int rc = b->n == 0 ? db_put(s->db, STORE_META, &probe, e) : 0;

	for (const struct change *c = b->first; c && rc == 0; c = c->next) {
		rc = c->remove ? db_remove(s->db, c->kind, &c->record, e)
			       : db_put(s->db, c->kind, &c->record, e);
	}
	return rc;
}

static int
commit(struct store *s, const struct batch *b, struct error *e)
{
	int rc;

	if (!s->db) {
		error_set(e, "%s: it got lost, and there is no other yet", s->place.database);
		return -ESTALE;
	}
	if ((rc = db_begin(s->db, e)) < 0)
		return rc;
	if ((rc = apply(s, b, e)) < 0 || (rc = db_commit(s->db, e)) < 0) {
		db_rollback(s->db);
		return rc;
	}
	/* What was written to a file without a name is lost. */
	if (!db_is_there(s->db)) {
		error_set(e, "%s: somebody removed it", s->place.database);
		return -ESTALE;
	}
	return 0;
}

/*
 * The database is damaged or gone: another one is started. After any other failure it
 * stays open: what it wrote in vain it writes again to the same place, whereas opening
 * it anew would take for kept what the kernel may have given up to write.
 */
static void
renew(struct store *s, struct work *w)
{
	char aside[PLACE_PATH_LEN];
	struct store_opened how = {.origin = STORE_RESUMED};
	struct error e = {0};
	int rc;

	s->put_aside |= s->db != NULL;
	db_close(s->db);
	s->db = NULL;
	rc = place_renew(&s->place, &e);
	/* Once: what is there after that is what we tried to make. */
	if (rc == 0 && s->put_aside)
		rc = place_set_aside(&s->place, aside, &e);
	if (rc == 0) {
		s->put_aside = false;
		rc = open_any(s, &how, &e);
	}
	if (rc == 0)
		w->anew = true;
	else
		w->why = e;
}

static void
carry_out(struct store *s, struct work *w)
{
	w->began_us = clock_us();
	w->rc = commit(s, &w->batch, &w->why);
	if (w->rc == -EBADMSG || w->rc == -ESTALE)
		renew(s, w);
}

/* --- what comes before and after it, with the lock -------------------------------- */

static uint64_t
later_due_us(const struct store *s)
{
	uint64_t margin = s->commit_us / 4;

	if (margin > MARGIN_MS * 1000)
		margin = MARGIN_MS * 1000;
	return s->later_since_us + s->commit_us - margin;
}

/* When there is something to do next; UINT64_MAX: never. */
static uint64_t
due_us(const struct store *s)
{
	if (s->failing)
		return s->retry_us;
	if (s->now.n > 0)
		return 0;
	return s->later.n > 0 ? later_due_us(s) : UINT64_MAX;
}

static void
take_later(struct store *s, struct batch *into)
{
	for (size_t n = 0; n < LATER_AT_ONCE && s->later.first; n++)
		batch_put(into, batch_take(&s->later, s->later.first));
}

static void
take_work(struct store *s, struct work *w, bool all)
{
	*w = (struct work){.batch = s->now, .ticket = s->ticket, .promised = s->promised};
	batch_init(&s->now);
	s->promised = false;
	s->ticket++;
	if (s->later.n > 0 && (all || later_due_us(s) <= clock_us()))
		take_later(s, &w->batch);
	s->busy_since_us = clock_us();
	s->n_busy = w->batch.n;
	s->bytes_busy = w->batch.bytes;
}

/*
 * The caller has not heard of another database yet: what it holds promises to be part of
 * is not there.
 */
static void
break_promises(struct store *s, int error)
{
	batch_break(&s->now);
	s->unheard = true;
	if (!s->promised)
		return;
	s->stats.broken++;
	say(s, STORE_EVENT_DONE, s->ticket++, error, NULL);
	s->promised = false;
}

/* Facts of a commit that failed go back to the front, unless something newer is there. */
static void
put_back(struct store *s, struct batch *b)
{
	batch_break(b);
	for (struct change *c = b->first, *next; c; c = next) {
		next = c->next;
		if (batch_find(&s->later, c))
			change_free(batch_take(b, c));
	}
	while (s->now.first)
		batch_put(b, batch_take(&s->now, s->now.first));
	batch_fini(&s->now);
	s->now = *b;
}

static void
count(struct store *s, const struct work *w)
{
	uint64_t us = clock_us() - w->began_us;

	s->stats.anew += w->anew;
	if (w->rc < 0) {
		s->stats.failures++;
		s->stats.broken += w->promised;
		return;
	}
	s->stats.commits++;
	s->stats.records += w->batch.n;
	s->stats.last_us = us;
	if (us > s->stats.longest_us)
		s->stats.longest_us = us;
}

static void
settle(struct store *s, struct work *w)
{
	bool works = w->rc == 0 || w->anew;

	s->busy_since_us = s->n_busy = s->bytes_busy = 0;
	count(s, w);
	if (w->anew)
		say(s, STORE_EVENT_ANEW, 0, w->rc, &w->why);
	if (w->promised)
		say(s, STORE_EVENT_DONE, w->ticket, w->rc, NULL);
	if (w->anew)
		break_promises(s, w->rc);
	if (w->rc < 0)
		put_back(s, &w->batch);
	if (works && s->failing)
		say(s, STORE_EVENT_RECOVERED, 0, 0, NULL);
	if (works) {
		s->failing = false;
		return;
	}
	if (!s->failing) {
		say(s, STORE_EVENT_FAILING, 0, w->rc, &w->why);
		s->failing = true;
		s->retry_ms = RETRY_FIRST_MS;
	}
	s->retry_us = clock_us() + (uint64_t)s->retry_ms * 1000;
	s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

/* Until there is something to do; false: the end. */
static bool
wait_for_work(struct store *s)
{
	while (!s->stopping) {
		uint64_t due = due_us(s);
		struct timespec until = {
			.tv_sec = (time_t)(due / 1000000), .tv_nsec = (long)(due % 1000000 * 1000)};

		if (due <= clock_us())
			return true;
		if (due == UINT64_MAX)
			(void)pthread_cond_wait(&s->work, &s->lock);
		else
			(void)pthread_cond_timedwait(&s->work, &s->lock, &until);
	}
	return false;
}

static void *
work(void *arg)
{
	struct store *s = arg;
	struct work w;
	bool tell;

	(void)pthread_mutex_lock(&s->lock);
	while (wait_for_work(s)) {
		take_work(s, &w, s->failing);
		(void)pthread_mutex_unlock(&s->lock);
		carry_out(s, &w);
		(void)pthread_mutex_lock(&s->lock);
		settle(s, &w);
		tell = s->events != NULL && s->on_event;
		(void)pthread_mutex_unlock(&s->lock);
		if (w.rc == 0)
			batch_fini(&w.batch);
		if (tell)
			s->on_event(s->ctx);
		(void)pthread_mutex_lock(&s->lock);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
store_start(struct store *s, struct error *e)
{
	sigset_t all, before;
	int rc;

	/* Signals are the caller's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, work, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		error_set(e, "no thread for the store: %s", strerror(rc));
		return -rc;
	}
	s->started = true;
	return 0;
}

static int
flush(struct store *s, struct error *e)
{
	struct work w;
	int rc = 0;

	while (rc == 0 && (s->now.n > 0 || s->later.n > 0)) {
		take_work(s, &w, true);
		rc = w.rc = commit(s, &w.batch, &w.why);
		if (rc < 0)
			*e = w.why;
		batch_fini(&w.batch);
	}
	return rc;
}

int
store_close(struct store *s, bool clean, struct error *e)
{
	const union store_record mark = {.meta = {.name = BYTES_LIT(CLEAN)}};
	int rc;

	(void)pthread_mutex_lock(&s->lock);
	s->stopping = true;
	(void)pthread_cond_signal(&s->work);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->started)
		(void)pthread_join(s->thread, NULL);
	rc = flush(s, e);
	/* Only when all the rest is there. */
	if (rc == 0 && clean) {
		(void)store_put(s, STORE_META, &mark, STORE_NOW, NULL);
		rc = flush(s, e);
	}
	if (rc == 0 && s->db)
		rc = db_checkpoint(s->db, e);
	free_store(s);
	return rc;
}

/* --- putting ------------------------------------------------------------------ */

static void
put_one(struct store *s, const struct store_change *what, bool later, bool fact)
{
	struct change *c = change_new(what->kind, what->remove, fact, what->record), *old;

	/* What is under way at once stays so. */
	if (later && !batch_find(&s->now, c)) {
		if (s->later.n == 0)
			s->later_since_us = clock_us();
		batch_put(&s->later, c);
		return;
	}
	old = batch_find(&s->later, c);
	if (old) {
		change_replace(c, batch_take(&s->later, old));
	}
	batch_put(&s->now, c);
}

static int
admit(const struct store *s, const struct store_change *changes, size_t n_changes,
	enum store_when when)
{
	size_t n = 0;

	if (when == STORE_PROMISE && (s->failing || s->unheard))
		return -EIO;
	/* Of values there is one per topic, and topics have a limit. */
	for (size_t i = 0; i < n_changes; i++)
		n += changes[i].kind != STORE_VALUE;
	if (n == 0)
		return 0;
	if (s->now.n_bounded + s->later.n_bounded + n > s->max_records ||
		s->now.bytes_bounded + s->later.bytes_bounded > s->max_bytes)
		return -EAGAIN;
	return 0;
}

int
store_put_all(struct store *s, const struct store_change *changes, size_t n, enum store_when when,
	uint64_t *ret_ticket)
{
	bool later, idle;
	int rc;

	(void)pthread_mutex_lock(&s->lock);
	later = when == STORE_LATER && s->commit_us > 0;
	idle = !s->busy_since_us && (!later || s->later.n == 0);
	if ((rc = admit(s, changes, n, when)) < 0) {
		s->stats.refused++;
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		put_one(s, &changes[i], later, when != STORE_PROMISE);
	if (when == STORE_PROMISE)
		s->promised = true;
	if (ret_ticket)
		*ret_ticket = s->ticket;
	if (idle)
		(void)pthread_cond_signal(&s->work);
out:
	(void)pthread_mutex_unlock(&s->lock);
	return rc;
}

int
store_put(struct store *s, enum store_kind kind, const union store_record *record,
	enum store_when when, uint64_t *ret_ticket)
{
	const struct store_change change = {.kind = kind, .record = record};

	return store_put_all(s, &change, 1, when, ret_ticket);
}

int
store_remove(struct store *s, enum store_kind kind, const union store_record *key,
	enum store_when when, uint64_t *ret_ticket)
{
	const struct store_change change = {.kind = kind, .remove = true, .record = key};

	return store_put_all(s, &change, 1, when, ret_ticket);
}

/* --- the rest ------------------------------------------------------------------ */

/* With the lock held. */
static bool
is_well(const struct store *s)
{
	return !s->failing &&
	       (!s->busy_since_us || clock_us() - s->busy_since_us <= s->late_us + s->commit_us);
}

bool
store_is_well(struct store *s)
{
	bool well;

	(void)pthread_mutex_lock(&s->lock);
	well = is_well(s);
	(void)pthread_mutex_unlock(&s->lock);
	return well;
}

void
store_set_commit_ms(struct store *s, uint32_t commit_ms)
{
	(void)pthread_mutex_lock(&s->lock);
	s->commit_us = (uint64_t)commit_ms * 1000;
	(void)pthread_cond_signal(&s->work);
	(void)pthread_mutex_unlock(&s->lock);
}

void
store_stats(struct store *s, struct store_stats *ret)
{
	(void)pthread_mutex_lock(&s->lock);
	*ret = s->stats;
	ret->waiting = s->now.n + s->later.n + s->n_busy;
	ret->waiting_bytes = s->now.bytes + s->later.bytes + s->bytes_busy;
	ret->well = is_well(s);
	(void)pthread_mutex_unlock(&s->lock);
}
