/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/keep_impl.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "broker/restore.h"
#include "broker/settings.h"
#include "wire/option.h"

#define SERVER_ID "server-id"
#define COLLECTION "collection"
#define LIVES "lives"

/* So that a byte is enough for lives. */
_Static_assert(256u * TOPIC_SEQ_AHEAD == OBSERVE_MASK + 1, "observe numbers of 24 bits");

/* In the store's thread. */
static void
on_event(void *ctx)
{
	struct keep *k = ctx;

	(void)uv_async_send(&k->wake);
}

static int
put_lives(struct keep *k, enum store_when when, uint64_t *ret_ticket)
{
	const union store_record lives = {
		.meta = {.name = BYTES_LIT(LIVES), .value = bytes_of(&k->lives, 1)}};

	return store_put(k->store, STORE_META, &lives, when, ret_ticket);
}

static void
put_meta(struct keep *k)
{
	uint8_t id[2];
	const union store_record server = {
		.meta = {.name = BYTES_LIT(SERVER_ID), .value = BYTES_OF(id)}};
	const union store_record collection = {
		.meta = {.name = BYTES_LIT(COLLECTION),
			.value = bytes_str(k->view.plan->broker.collection)}};

	restore_get_server_id(k->view.broker, id);
	(void)store_put(k->store, STORE_META, &server, STORE_NOW, NULL);
	(void)store_put(k->store, STORE_META, &collection, STORE_NOW, NULL);
	(void)put_lives(k, STORE_NOW, NULL);
}

static void
on_wake(uv_async_t *wake)
{
	struct keep *k = wake->data;
	struct store_event event;

	if (k->view.layer)
		layer_advance(k->view.layer, uv_now(wake->loop));
	while (k->store && store_next_event(k->store, &event)) {
		switch (event.kind) {
		case STORE_EVENT_DONE:
			if (event.ticket >= k->awaited)
				k->awaited = 0;
			keep_watch_done(k, event.ticket, event.error);
			broker_promise_is_kept(k->view.broker, event.ticket, event.error == 0);
			break;
		case STORE_EVENT_FAILING:
			log_error("store: cannot write, publishes are refused: %s", event.why.text);
			break;
		case STORE_EVENT_RECOVERED:
			log_notice("store: can write again");
			break;
		case STORE_EVENT_ANEW:
			log_error("store: the database was lost, another one is made: %s",
				event.why.text);
			put_meta(k);
			broker_keep_all(k->view.broker);
			keep_announced_again(k);
			keep_watch_all(k, false);
			break;
		}
		if (k->hear)
			k->hear(k->ctx, &event);
	}
	if (k->store)
		k->view.settle(k->view.ctx);
}

static void
say_how(const struct store_opened *how, const char *directory)
{
	if (how->origin == STORE_SET_ASIDE)
		log_error("store: the state was damaged, nothing of it is left in use: %s aside=%s",
			how->why.text, how->aside);
	else if (how->why.text[0])
		log_warning("store: the state is lost, everything starts anew: %s", how->why.text);
	else
		log_info("store: %s directory=%s clean=%d",
			how->origin == STORE_CREATED ? "created" : "resumed", directory,
			how->clean);
}

/* What the service manager made for us is meant, unless another one is configured. */
static const char *
directory_of(const struct conf *conf)
{
	const char *given = getenv("STATE_DIRECTORY");

	if (given && given[0] && strcmp(conf->state.directory, CONF_STATE_DIRECTORY) == 0)
		return given;
	return conf->state.directory;
}

int
keep_open(const struct conf *conf, uv_loop_t *loop, struct keep **ret, struct error *e)
{
	struct keep *k = mem_alloc(sizeof(*k));
	const struct store_options options = {.directory = directory_of(conf),
		.commit_ms = (uint32_t)conf->state.commit_interval_ms,
		.on_event = on_event,
		.ctx = k};
	struct store_opened how;
	int rc;

	if ((rc = store_open(&options, &k->store, &how, e)) < 0) {
		free(k);
		return rc;
	}
	(void)uv_async_init(loop, &k->wake, on_wake);
	k->wake.data = k;
	keep_announced_init(k, loop);
	say_how(&how, options.directory);
	k->clean = how.clean;
	k->commit_ms = options.commit_ms;
	*ret = k;
	return 0;
}

struct store *
keep_store(struct keep *k)
{
	return k->store;
}

bool
keep_was_clean(const struct keep *k)
{
	return k->clean;
}

void
keep_listen(struct keep *k, void (*hear)(void *ctx, const struct store_event *event), void *ctx)
{
	k->hear = hear;
	k->ctx = ctx;
}

/* --- putting back ---------------------------------------------------------------- */

static int
take_meta(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;

	if (bytes_is(r->meta.name, SERVER_ID) && r->meta.value.n == 2)
		restore_server_id(k->view.broker, r->meta.value.p);
	keep_announced_take(k, &r->meta);
	if (bytes_is(r->meta.name, COLLECTION))
		k->same_collection = bytes_is(r->meta.value, k->view.plan->broker.collection);
	if (bytes_is(r->meta.name, LIVES) && r->meta.value.n == 1) {
		k->lives_before = r->meta.value.p[0];
		k->lives = (uint8_t)(k->lives_before + !k->clean);
	}
	return 0;
}

struct restored *
keep_find(const struct restored_list *l, uint64_t id)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->all[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->n && l->all[low].id == id ? &l->all[low] : NULL;
}

uint32_t
keep_bound(const struct keep *k, uint32_t bound)
{
	return (bound - k->lives * (uint32_t)TOPIC_SEQ_AHEAD) & OBSERVE_MASK;
}

/* Observe numbers come first: they are known before their topics are there. */
static void
note(const struct keep *k, struct restored_list *l, const struct store_seq *seq)
{
	uint32_t bound = seq->bound + k->lives_before * (uint32_t)TOPIC_SEQ_AHEAD;

	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->all = mem_realloc(l->all, l->cap * sizeof(*l->all));
	}
	l->all[l->n++] = (struct restored){.id = seq->id, .bound = bound & OBSERVE_MASK};
}

static int
take_seq(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;

	note(k, &k->topics, &r->seq);
	return 0;
}

static int
take_group_seq(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;

	note(k, &k->groups, &r->seq);
	return 0;
}

static int
take_topic(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;
	const struct store_topic *t = &r->topic;
	struct restored *place = keep_find(&k->topics, t->id);
	const struct props props = {.has = t->has | PROPS_BIT(PROPS_NAME),
		.name = t->name,
		.type = t->type,
		.initialize = t->initialize,
		.content_format = (uint16_t)t->content_format,
		.max_subscribers = t->max_subscribers,
		.observer_check_s = t->observer_check_s,
		.expiration_s = t->expiration_s};
	struct restore_topic kept = {
		.id = t->id, .props = &props, .path = t->path, .exact = k->clean};
	int rc;

	if (!place)
		return 0;
	restore_reserve(k->view.broker, k->topics.n);
	kept.bound = place->bound;
	rc = restore_topic(k->view.broker, &kept, &place->topic);
	if (rc < 0)
		log_warning("store: a topic that was kept is left out topic=%.*s error=%d",
			(int)t->name.n, (const char *)t->name.p, -rc);
	return 0;
}

static int
take_value(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;
	const struct store_value *v = &r->value;
	struct restored *place = keep_find(&k->topics, v->topic);

	if (!place || !place->topic || v->etag.n != ETAG_LEN)
		return 0;
	restore_value(k->view.broker, place->topic, v->content_format, v->data, v->etag.p,
		(uint16_t)v->nth);
	if (!keep_announced_has(k, (uint16_t)v->nth))
		restore_unannounced(k->view.broker, place->topic);
	return 0;
}

/* What was kept is past no limit: where they are lower now, nothing new is let in. */
static void
say_what_is_past(const struct keep *k)
{
	const struct broker_limits *limits = &k->view.plan->broker.limits;
	struct broker_stats now;

	broker_stats(k->view.broker, &now);
	const struct {
		const char *limit;
		uint64_t n, max;
	} rows[] = {{"topics", now.topics, limits->topics},
		{"memory", now.value_bytes, limits->memory},
		{"observers", now.observers, limits->observers},
		{"peers", layer_n_peers(k->view.layer), k->view.plan->layer.peers}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].n > rows[i].max)
			log_notice("broker: more was kept than there may be, which stays "
				   "limits.%s=%llu "
				   "kept=%llu",
				rows[i].limit, (unsigned long long)rows[i].max,
				(unsigned long long)rows[i].n);
	}
}

static void
set_peers(const struct keep *k, uint32_t peers)
{
	struct layer_limits limits = k->view.plan->layer;

	limits.peers = peers;
	layer_set_limits(k->view.layer, &limits);
}

int
keep_restore(struct keep *k, const struct keep_view *view, struct error *e)
{
	static const struct {
		enum store_kind kind;
		int (*visit)(void *ctx, const union store_record *r);
	} steps[] = {{STORE_META, take_meta}, {STORE_SEQ, take_seq}, {STORE_TOPIC, take_topic},
		{STORE_VALUE, take_value}, {STORE_GROUP_SEQ, take_group_seq},
		{STORE_GROUP, resume_group}, {STORE_OBSERVER, resume_observer}};
	int rc = 0;

	k->view = *view;
	k->lives = !k->clean;
	set_peers(k, UINT32_MAX);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++)
		rc = store_load(k->store, steps[i].kind, steps[i].visit, k, e);
	set_peers(k, view->plan->layer.peers);
	free(k->topics.all);
	free(k->groups.all);
	k->topics = k->groups = (struct restored_list){.all = NULL};
	if (rc < 0)
		return rc;
	if (k->n_observers > 0)
		log_info("broker: observers resumed n=%u", k->n_observers);
	if (k->n_left > 0)
		log_notice("broker: observers cannot go on as they were, told n=%u", k->n_left);
	if (k->n_untold > 0)
		log_notice("broker: observers whose keys are gone hear nothing more n=%u",
			k->n_untold);
	say_what_is_past(k);
	put_meta(k);
	rc = store_start(k->store, e);
	k->whole = rc == 0;
	if (k->whole && k->differs)
		keep_watch_groups(k, false);
	return rc;
}

void
keep_announce(struct keep *k)
{
	unsigned n;

	n = partings_send(&k->partings, k->view.layer);
	if (n > 0)
		log_warning("broker: ends of observations could not be protected n=%u", n);
	restore_start_groups(k->view.broker);
	n = restore_announce(k->view.broker);
	if (n > 0)
		log_info("broker: values that may be news are told again topics=%u", n);
	keep_announced_note(k);
	k->view.settle(k->view.ctx);
}

/* --- keeping --------------------------------------------------------------------- */

static union store_record
record_of_value(struct keep *k, const struct topic *t, const struct value *v)
{
	keep_announced_note(k);
	return (union store_record){.value = {.topic = t->id,
					    .content_format = v->content_format,
					    .etag = BYTES_OF(v->etag),
					    .nth = v->nth,
					    .data = value_bytes(v)}};
}

static int
put_one_value(struct keep *k, const struct topic *t, const struct value *v, enum store_when when,
	uint64_t *ret_ticket)
{
	union store_record r = {.value = {.topic = t->id}};

	if (!v)
		return store_remove(k->store, STORE_VALUE, &r, when, ret_ticket);
	r = record_of_value(k, t, v);
	return store_put(k->store, STORE_VALUE, &r, when, ret_ticket);
}

static void
put_value(struct keep *k, const struct topic *t)
{
	(void)put_one_value(k, t, t->value, STORE_LATER, NULL);
}

bool
keep_must_promise(const struct keep *k)
{
	return k->commit_ms == 0;
}

static void
put_seq(struct keep *k, const struct topic *t)
{
	const union store_record r = {.seq = {.id = t->id, .bound = keep_bound(k, t->seq_bound)}};

	(void)store_put(k->store, STORE_SEQ, &r, STORE_NOW, NULL);
}

/* `v`: with that value; NULL: whatever value it has there. */
static int
put_whole(struct keep *k, const struct topic *t, const struct props *p, const struct value *v,
	enum store_when when, uint64_t *ret_ticket)
{
	const union store_record seq = {.seq = {.id = t->id, .bound = keep_bound(k, t->seq_bound)}};
	const union store_record topic = {.topic = {.id = t->id,
						  .has = p->has & SETTINGS_KEYS,
						  .content_format = p->content_format,
						  .max_subscribers = p->max_subscribers,
						  .observer_check_s = p->observer_check_s,
						  .expiration_s = p->expiration_s,
						  .name = bytes_str(t->name),
						  .path = bytes_str(t->path),
						  .type = p->type,
						  .initialize = p->initialize}};
	union store_record value;
	/* With its first value: without it the topic would come back as half created. */
	const struct store_change changes[] = {{STORE_TOPIC, false, &topic},
		{STORE_SEQ, false, &seq}, {STORE_VALUE, false, &value}};

	if (v)
		value = record_of_value(k, t, v);
	return store_put_all(k->store, changes, v ? 3 : 2, when, ret_ticket);
}

static void
put_topic(struct keep *k, const struct topic *t)
{
	struct props p = {.has = 0};

	settings_describe(t, &p);
	/* A newer value that is on its way stays the newest. */
	(void)put_whole(k, t, &p, t->n_parked == 0 ? t->value : NULL, STORE_NOW, NULL);
}

static int
remove_whole(struct keep *k, const struct topic *t, enum store_when when, uint64_t *ret_ticket)
{
	const union store_record topic = {.topic = {.id = t->id}}, seq = {.seq = {.id = t->id}};
	const union store_record value = {.value = {.topic = t->id}};
	const struct store_change changes[] = {
		{STORE_VALUE, true, &value}, {STORE_SEQ, true, &seq}, {STORE_TOPIC, true, &topic}};

	return store_put_all(k->store, changes, 3, when, ret_ticket);
}

static void
remove_topic(struct keep *k, const struct topic *t)
{
	(void)remove_whole(k, t, STORE_NOW, NULL);
}

int
keep_promise(struct keep *k, const struct broker_promise *p, uint64_t *ret_ticket)
{
	if (!k->store)
		return -EIO;
	switch (p->what) {
	case BROKER_KEEP_TOPIC:
		return put_whole(k, p->topic, p->props, p->value, STORE_PROMISE, ret_ticket);
	case BROKER_KEEP_NOTHING:
		return remove_whole(k, p->topic, STORE_PROMISE, ret_ticket);
	default:
		return put_one_value(k, p->topic, p->value, STORE_PROMISE, ret_ticket);
	}
}

void
keep_put(struct keep *k, enum broker_keep what, const struct topic *t)
{
	static void (*const put[])(struct keep * k, const struct topic *t) = {
		[BROKER_KEEP_TOPIC] = put_topic,
		[BROKER_KEEP_VALUE] = put_value,
		[BROKER_KEEP_SEQ] = put_seq,
		[BROKER_KEEP_NOTHING] = remove_topic,
	};

	if (k->store)
		put[what](k, t);
}

bool
keep_is_possible(struct keep *k)
{
	return k->store && store_is_well(k->store);
}

static void
put_exact_seq(void *ctx, const struct topic *t)
{
	struct keep *k = ctx;
	uint32_t next = (t->seq + 1) & OBSERVE_MASK;
	const union store_record r = {.seq = {.id = t->id, .bound = keep_bound(k, next)}};

	if (t->seq_bound != next)
		(void)store_put(k->store, STORE_SEQ, &r, STORE_NOW, NULL);
}

/* After a clean stop observe numbers go on without a gap. */
static void
put_exact(struct keep *k)
{
	restore_each_topic(k->view.broker, put_exact_seq, k);
	keep_watch_all(k, true);
	keep_announced_stop(k);
}

bool
keep_close(struct keep *k)
{
	struct error e;
	int rc;

	if (!k || !k->store)
		return true;
	if (k->view.layer)
		partings_free(&k->partings, k->view.layer);
	if (k->whole)
		put_exact(k);
	/* A start that came to nothing has used nothing, and knows no more of the life before. */
	rc = store_close(k->store, k->whole || k->clean, &e);
	k->store = NULL;
	uv_close((uv_handle_t *)&k->wake, NULL);
	uv_close((uv_handle_t *)&k->announced.timer, NULL);
	if (rc < 0)
		log_error("store: what came last is not kept: %s", e.text);
	return rc == 0;
}

void
keep_free(struct keep *k)
{
	if (k)
		keep_watch_free(k);
	free(k);
}

void
keep_wait(struct keep *k, uv_loop_t *loop, const bool *stopping)
{
	/* What cannot be written now is not waited for: the store says so, and does when it can. */
	if (put_lives(k, STORE_PROMISE, &k->awaited) < 0)
		k->awaited = 0;
	while (!*stopping && k->awaited != 0)
		(void)uv_run(loop, UV_RUN_ONCE);
}

void
keep_set_commit_ms(struct keep *k, uint32_t ms)
{
	k->commit_ms = ms;
	if (k->store)
		store_set_commit_ms(k->store, ms);
}

void
keep_figures(struct keep *k, struct keep_figures *ret)
{
	struct store_stats s;

	store_stats(k->store, &s);
	*ret = (struct keep_figures){.well = s.well,
		.commits = s.commits,
		.records = s.records,
		.failures = s.failures,
		.broken = s.broken,
		.refused = s.refused,
		.anew = s.anew,
		.longest_us = s.longest_us,
		.waiting = s.waiting,
		.waiting_bytes = s.waiting_bytes,
		.untold = keep_announced_left(k),
		.groups_resumed = k->n_groups,
		.groups_ended = k->n_ended,
		.observers_resumed = k->n_observers};
}
