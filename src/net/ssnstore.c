/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/ssnstore.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rnd.h"

#define GRACE_S 60 /* nobody loses a disk and starts on another one in less */

/* The numbers of one fingerprint. */
struct numbers {
	struct map_node node;
	struct ssn *ssn; /* held; NULL: nobody has asked for them */
	uint64_t stored; /* a record of the store's start; see has_stored */
	uint64_t asked; /* the bound on its way to the disk; 0: none */
	uint64_t ticket; /* of it */
	bool has_stored;
	bool refused; /* the log said why they cannot start */
	bool warned; /* the log said that they ran ahead of the clock */
	bool ends; /* the log said that these are the last ones */
	uint8_t fingerprint[SSN_FINGERPRINT];
};

/* A window that the store had at the start. */
struct kept_window {
	struct map_node node;
	struct window window;
	uint8_t fingerprint[SSN_FINGERPRINT];
};

struct ssnstore {
	struct ssnstore_options options;
	struct map numbers, windows;
	int64_t since_s; /* when it was made */
	uint32_t seed;
	size_t n_waiting; /* numbers with `asked` */
};

static struct bytes
print_bytes(const uint8_t fingerprint[SSN_FINGERPRINT])
{
	return bytes_of(fingerprint, SSN_FINGERPRINT);
}

static uint32_t
hash(const struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	return map_hash(print_bytes(fingerprint), s->seed);
}

static struct numbers *
find(const struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct map_node *n = map_first(&s->numbers, hash(s, fingerprint));

	for (; n; n = map_next(n)) {
		struct numbers *found = MAP_OBJECT(n, struct numbers, node);

		if (memcmp(found->fingerprint, fingerprint, SSN_FINGERPRINT) == 0)
			return found;
	}
	return NULL;
}

static struct numbers *
find_or_add(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct numbers *n = find(s, fingerprint);

	if (n)
		return n;
	n = mem_alloc(sizeof(*n));
	memcpy(n->fingerprint, fingerprint, SSN_FINGERPRINT);
	map_put(&s->numbers, &n->node, hash(s, fingerprint));
	return n;
}

/* --- the bounds ------------------------------------------------------------------ */

static void
is_answered(struct ssnstore *s, struct numbers *n)
{
	s->n_waiting -= n->asked != 0;
	n->asked = 0;
}

static void
put_bound(struct ssnstore *s, struct numbers *n, uint64_t upto)
{
	const union store_record r = {
		.bound = {.fingerprint = print_bytes(n->fingerprint), .bound = upto}};

	/* What is not kept is not promised: the next number that is wanted asks again. */
	if (store_put(s->options.store, STORE_BOUND, &r, STORE_PROMISE, &n->ticket) < 0)
		return;
	s->n_waiting += n->asked == 0;
	n->asked = upto;
}

/* Until the disk is replaced the clock goes on, too. One that is not set tells nothing. */
static void
warn_of_lead(struct ssnstore *s, struct numbers *n)
{
	int64_t now = s->options.wall_s(s->options.ctx);

	if (n->warned || now < BUILT_S || !ssn_is_ahead(n->ssn, now + GRACE_S))
		return;
	n->warned = true;
	log_warning("oscore: more messages than seconds allow for were protected with one key: if "
		    "the state directory is lost, its keys must be replaced fingerprint=%02x%02x",
		n->fingerprint[0], n->fingerprint[1]);
}

/* Keys of the configuration: nobody else replaces them. */
static void
warn_of_end(struct numbers *n, uint64_t upto)
{
	if (n->ends || upto < SSN_LIMIT)
		return;
	n->ends = true;
	log_error("oscore: the last sequence numbers of a key are in use: after them nothing is "
		  "protected with it, and it must be replaced fingerprint=%02x%02x",
		n->fingerprint[0], n->fingerprint[1]);
}

static void
on_reserve(void *ctx, struct ssn *ssn, uint64_t upto)
{
	struct ssnstore *s = ctx;
	struct numbers *n = find(s, ssn_fingerprint_of(ssn));

	if (!s->options.store || !n || n->asked >= upto)
		return;
	warn_of_lead(s, n);
	warn_of_end(n, upto);
	put_bound(s, n, upto);
}

static int64_t
on_wall(void *ctx)
{
	const struct ssnstore *s = ctx;

	return s->options.wall_s(s->options.ctx);
}

static const struct ssn_ops ops = {.reserve = on_reserve, .wall_s = on_wall};

/*
 * The next second. But whoever used these keys before did so before this process: what a
 * reload brings later than in the second of its start has nothing to wait for.
 */
static int64_t
moment_to_begin(const struct ssnstore *s)
{
	int64_t now = s->options.wall_s(s->options.ctx);

	return (now > s->since_s ? now : now + 1) * 1000;
}

static void
start(struct ssnstore *s, struct numbers *n)
{
	struct error e;
	int rc = n->has_stored ? ssn_start_stored(n->ssn, n->stored, &e)
			       : ssn_start_clock(n->ssn, moment_to_begin(s), BUILT_S, &e);

	if (rc == 0)
		n->refused = false;
	else if (!n->refused)
		log_error("oscore: nothing can be protected: %s fingerprint=%02x%02x", e.text,
			n->fingerprint[0], n->fingerprint[1]);
	n->refused = rc < 0;
}

struct ssn *
ssnstore_get(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct numbers *n = find_or_add(s, fingerprint);

	if (!n->ssn) {
		n->ssn = ssn_new(fingerprint, &ops, s);
		start(s, n);
	}
	return ssn_hold(n->ssn);
}

struct ssn *
ssnstore_get_fresh(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct numbers *n = find_or_add(s, fingerprint);
	struct error e;

	if (!n->ssn) {
		n->ssn = ssn_new(fingerprint, &ops, s);
		(void)ssn_start_fresh(n->ssn, &e);
	}
	return ssn_hold(n->ssn);
}

void
ssnstore_forget(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	const union store_record r = {.bound = {.fingerprint = print_bytes(fingerprint)}};
	struct numbers *n = find(s, fingerprint);

	if (!n)
		return;
	if (s->options.store)
		(void)store_remove(s->options.store, STORE_BOUND, &r, STORE_PROMISE, NULL);
	is_answered(s, n);
	if (n->ssn)
		(void)ssn_stop(n->ssn);
	ssn_release(n->ssn);
	map_remove(&s->numbers, &n->node);
	free(n);
}

static void
retry_one(void *ctx, struct map_node *node)
{
	struct numbers *n = MAP_OBJECT(node, struct numbers, node);

	if (n->refused)
		start(ctx, n);
}

void
ssnstore_retry(struct ssnstore *s)
{
	map_each(&s->numbers, retry_one, s);
}

/* --- what the store says ----------------------------------------------------------- */

struct answer {
	struct ssnstore *s;
	const struct store_event *event;
};

static void
answer_one(void *ctx, struct map_node *node)
{
	struct numbers *n = MAP_OBJECT(node, struct numbers, node);
	struct answer *a = ctx;
	uint64_t upto = n->asked;

	if (upto == 0 || n->ticket != a->event->ticket)
		return;
	is_answered(a->s, n);
	if (a->event->error == 0 && n->ssn)
		ssn_reserved(n->ssn, upto);
}

/* All that may have been used so far, into a database that has nothing. */
static void
put_again(void *ctx, struct map_node *node)
{
	struct numbers *n = MAP_OBJECT(node, struct numbers, node);
	struct ssnstore *s = ctx;
	uint64_t bound = n->ssn ? ssn_bound(n->ssn) : 0;

	if (bound < n->stored)
		bound = n->stored;
	if (bound < n->asked)
		bound = n->asked;
	if (bound > 0)
		put_bound(s, n, bound);
}

void
ssnstore_event(struct ssnstore *s, const struct store_event *event)
{
	struct answer a = {.s = s, .event = event};

	if (event->kind == STORE_EVENT_DONE && s->n_waiting > 0)
		map_each(&s->numbers, answer_one, &a);
	else if (event->kind == STORE_EVENT_ANEW)
		map_each(&s->numbers, put_again, s);
}

bool
ssnstore_is_waiting(const struct ssnstore *s)
{
	return s->n_waiting > 0;
}

struct early {
	bool found;
};

static void
look_whether_early(void *ctx, struct map_node *node)
{
	struct numbers *n = MAP_OBJECT(node, struct numbers, node);
	struct early *e = ctx;

	if (n->ssn && ssn_is_started(n->ssn) && ssn_is_early(n->ssn))
		e->found = true;
}

bool
ssnstore_is_early(struct ssnstore *s)
{
	struct early e = {.found = false};

	map_each(&s->numbers, look_whether_early, &e);
	return e.found;
}

/* --- the windows ------------------------------------------------------------------ */

static struct kept_window *
find_window(struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct map_node *n = map_first(&s->windows, hash(s, fingerprint));

	for (; n; n = map_next(n)) {
		struct kept_window *k = MAP_OBJECT(n, struct kept_window, node);

		if (memcmp(k->fingerprint, fingerprint, SSN_FINGERPRINT) == 0)
			return k;
	}
	return NULL;
}

void
ssnstore_load_window(
	struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w)
{
	const union store_record r = {.window = {.fingerprint = print_bytes(fingerprint)}};
	struct kept_window *k = find_window(s, fingerprint);

	if (!k)
		return;
	*w = k->window;
	/* From now on it gets out of date: it is nobody's who comes later. */
	map_remove(&s->windows, &k->node);
	free(k);
	if (s->options.store)
		(void)store_remove(s->options.store, STORE_WINDOW, &r, STORE_NOW, NULL);
}

void
ssnstore_save_window(
	struct ssnstore *s, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w)
{
	const union store_record r = {.window = {.fingerprint = print_bytes(fingerprint),
					      .newest = w->next > 0 ? w->next - 1 : 0,
					      .seen = w->next > 0 ? w->seen : 0}};

	if (!s->options.store)
		return;
	if (w->valid)
		(void)store_put(s->options.store, STORE_WINDOW, &r, STORE_NOW, NULL);
	else
		(void)store_remove(s->options.store, STORE_WINDOW, &r, STORE_NOW, NULL);
}

/* --- beginning and end --------------------------------------------------------------- */

static int
take_bound(void *ctx, const union store_record *r)
{
	struct ssnstore *s = ctx;
	struct numbers *n;

	if (r->bound.fingerprint.n != SSN_FINGERPRINT)
		return 0;
	n = find_or_add(s, r->bound.fingerprint.p);
	n->stored = r->bound.bound;
	n->has_stored = true;
	return 0;
}

static int
take_window(void *ctx, const union store_record *r)
{
	struct ssnstore *s = ctx;
	struct kept_window *k;

	if (r->window.fingerprint.n != SSN_FINGERPRINT || !s->options.clean)
		return 0;
	k = mem_alloc(sizeof(*k));
	memcpy(k->fingerprint, r->window.fingerprint.p, SSN_FINGERPRINT);
	/* The newest was seen by itself: without it the window is that of nobody so far. */
	if (r->window.seen & 1)
		window_restore(&k->window, r->window.newest + 1, (uint32_t)r->window.seen);
	else
		window_init(&k->window, true);
	map_put(&s->windows, &k->node, hash(s, k->fingerprint));
	return 0;
}

int
ssnstore_new(const struct ssnstore_options *options, struct ssnstore **ret, struct error *e)
{
	struct ssnstore *s = mem_alloc(sizeof(*s));
	int rc;

	s->options = *options;
	s->since_s = options->wall_s(options->ctx);
	rnd_fill(&s->seed, sizeof(s->seed));
	map_init(&s->numbers);
	map_init(&s->windows);
	if ((rc = store_load(options->store, STORE_BOUND, take_bound, s, e)) < 0 ||
		(rc = store_load(options->store, STORE_WINDOW, take_window, s, e)) < 0) {
		ssnstore_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

static void
stop_one(void *ctx, struct map_node *node)
{
	struct numbers *n = MAP_OBJECT(node, struct numbers, node);
	struct ssnstore *s = ctx;

	if (n->ssn && ssn_is_started(n->ssn))
		put_bound(s, n, ssn_stop(n->ssn));
}

void
ssnstore_stop(struct ssnstore *s)
{
	map_each(&s->numbers, stop_one, s);
	s->options.store = NULL;
}

static void
free_numbers(void *ctx, struct map_node *node)
{
	struct numbers *n = MAP_OBJECT(node, struct numbers, node);

	(void)ctx;
	ssn_release(n->ssn);
	free(n);
}

static void
free_window(void *ctx, struct map_node *node)
{
	(void)ctx;
	free(MAP_OBJECT(node, struct kept_window, node));
}

void
ssnstore_free(struct ssnstore *s)
{
	if (!s)
		return;
	map_each(&s->numbers, free_numbers, s);
	map_each(&s->windows, free_window, s);
	map_fini(&s->numbers);
	map_fini(&s->windows);
	free(s);
}
