/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/keep.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "broker/restore.h"
#include "broker/settings.h"
#include "store/store.h"

#define SERVER_ID "server-id"

/* A topic that was put back, until its value is. */
struct restored {
	uint64_t id;
	struct topic *topic;
	uint32_t bound;
};

struct keep {
	uv_async_t wake;
	struct store *store;
	struct broker *broker;
	bool was_clean; /* the last stop */
	void (*hear)(void *ctx, const struct store_event *event); /* NULL: nobody listens */
	void *ctx;
	struct restored *restored; /* by id; while restoring */
	size_t n_restored, cap_restored;
};

/* In the store's thread. */
static void
on_event(void *ctx)
{
	struct keep *k = ctx;

	(void)uv_async_send(&k->wake);
}

static void
put_server_id(struct keep *k)
{
	uint8_t id[2];
	const union store_record r = {
		.meta = {.name = BYTES_LIT(SERVER_ID), .value = BYTES_OF(id)}};

	restore_get_server_id(k->broker, id);
	(void)store_put(k->store, STORE_META, &r, STORE_NOW, NULL);
}

static void
on_wake(uv_async_t *wake)
{
	struct keep *k = wake->data;
	struct store_event event;

	while (k->store && store_next_event(k->store, &event)) {
		switch (event.kind) {
		case STORE_EVENT_DONE:
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
			put_server_id(k);
			broker_keep_all(k->broker);
			break;
		}
		if (k->hear)
			k->hear(k->ctx, &event);
	}
}

static void
say_how(const struct store_opened *how, const char *directory)
{
	if (how->origin == STORE_SET_ASIDE)
		log_error("store: the state was damaged, nothing of it is left in use: %s aside=%s",
			how->why.text, how->aside);
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
	k->was_clean = how.clean;
	say_how(&how, options.directory);
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
	return k->was_clean;
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
		restore_server_id(k->broker, r->meta.value.p);
	return 0;
}

static struct restored *
find_restored(const struct keep *k, uint64_t id)
{
	size_t low = 0, high = k->n_restored;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->restored[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < k->n_restored && k->restored[low].id == id ? &k->restored[low] : NULL;
}

/* Observe numbers come first: they are known before the topics are there. */
static int
take_seq(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;

	if (k->n_restored == k->cap_restored) {
		k->cap_restored = k->cap_restored ? 2 * k->cap_restored : 256;
		k->restored = mem_realloc(k->restored, k->cap_restored * sizeof(struct restored));
	}
	k->restored[k->n_restored++] = (struct restored){.id = r->seq.id, .bound = r->seq.bound};
	return 0;
}

static int
take_topic(void *ctx, const union store_record *r)
{
	struct keep *k = ctx;
	const struct store_topic *t = &r->topic;
	struct restored *place = find_restored(k, t->id);
	const struct props props = {.has = t->has | PROPS_BIT(PROPS_NAME),
		.name = t->name,
		.type = t->type,
		.initialize = t->initialize,
		.content_format = (uint16_t)t->content_format,
		.max_subscribers = t->max_subscribers,
		.observer_check_s = t->observer_check_s,
		.expiration_s = t->expiration_s};
	int rc;

	if (!place)
		return 0;
	rc = restore_topic(k->broker, t->id, &props, place->bound, &place->topic);
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
	struct restored *place = find_restored(k, v->topic);

	if (place && place->topic && v->etag.n == ETAG_LEN)
		restore_value(k->broker, place->topic, v->content_format, v->data, v->etag.p,
			(uint16_t)v->nth);
	return 0;
}

int
keep_restore(struct keep *k, struct broker *b, struct error *e)
{
	static const struct {
		enum store_kind kind;
		int (*visit)(void *ctx, const union store_record *r);
	} steps[] = {{STORE_META, take_meta}, {STORE_SEQ, take_seq}, {STORE_TOPIC, take_topic},
		{STORE_VALUE, take_value}};
	int rc = 0;

	k->broker = b;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++)
		rc = store_load(k->store, steps[i].kind, steps[i].visit, k, e);
	free(k->restored);
	k->restored = NULL;
	if (rc < 0)
		return rc;
	put_server_id(k);
	return store_start(k->store, e);
}

/* --- keeping --------------------------------------------------------------------- */

static union store_record
record_of_value(const struct topic *t)
{
	const struct value *v = t->value;

	return (union store_record){.value = {.topic = t->id,
					    .content_format = v->content_format,
					    .etag = BYTES_OF(v->etag),
					    .nth = v->nth,
					    .data = value_bytes(v)}};
}

static void
put_value(struct keep *k, const struct topic *t)
{
	union store_record r = {.value = {.topic = t->id}};

	if (t->value) {
		r = record_of_value(t);
		(void)store_put(k->store, STORE_VALUE, &r, STORE_LATER, NULL);
	} else {
		(void)store_remove(k->store, STORE_VALUE, &r, STORE_LATER, NULL);
	}
}

static void
put_seq(struct keep *k, const struct topic *t)
{
	const union store_record r = {.seq = {.id = t->id, .bound = t->seq_bound}};

	(void)store_put(k->store, STORE_SEQ, &r, STORE_NOW, NULL);
}

static void
put_topic(struct keep *k, const struct topic *t)
{
	const union store_record seq = {.seq = {.id = t->id, .bound = t->seq_bound}};
	struct props p = {.has = 0};
	union store_record topic, value;
	/* With its first value: without it the topic would come back as half created. */
	const struct store_change changes[] = {{STORE_TOPIC, false, &topic},
		{STORE_SEQ, false, &seq}, {STORE_VALUE, false, &value}};

	settings_describe(t, &p);
	topic = (union store_record){.topic = {.id = t->id,
					     .has = p.has,
					     .content_format = p.content_format,
					     .max_subscribers = p.max_subscribers,
					     .observer_check_s = p.observer_check_s,
					     .expiration_s = p.expiration_s,
					     .name = bytes_str(t->name),
					     .path = bytes_str(t->path),
					     .type = p.type,
					     .initialize = p.initialize}};
	if (t->value)
		value = record_of_value(t);
	(void)store_put_all(k->store, changes, t->value ? 3 : 2, STORE_NOW, NULL);
}

static void
remove_topic(struct keep *k, const struct topic *t)
{
	const union store_record topic = {.topic = {.id = t->id}}, seq = {.seq = {.id = t->id}};
	const union store_record value = {.value = {.topic = t->id}};
	const struct store_change changes[] = {
		{STORE_VALUE, true, &value}, {STORE_SEQ, true, &seq}, {STORE_TOPIC, true, &topic}};

	(void)store_put_all(k->store, changes, 3, STORE_NOW, NULL);
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

bool
keep_close(struct keep *k)
{
	struct error e;
	int rc;

	if (!k || !k->store)
		return true;
	rc = store_close(k->store, true, &e);
	k->store = NULL;
	uv_close((uv_handle_t *)&k->wake, NULL);
	if (rc < 0)
		log_error("store: what came last is not kept: %s", e.text);
	return rc == 0;
}

void
keep_free(struct keep *k)
{
	free(k);
}

void
keep_report(struct keep *k)
{
	struct store_stats s;

	store_stats(k->store, &s);
	log_notice("state: store well=%d commits=%llu records=%llu failures=%llu refused=%llu "
		   "anew=%llu waiting=%zu longest-us=%llu",
		s.well, (unsigned long long)s.commits, (unsigned long long)s.records,
		(unsigned long long)s.failures, (unsigned long long)s.refused,
		(unsigned long long)s.anew, s.waiting, (unsigned long long)s.longest_us);
}
