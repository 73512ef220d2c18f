/* SPDX-License-Identifier: BSD-2-Clause */
/* From a request to its handler: path, method, body. */
#include "broker/permit.h"
#include "broker/settings.h"

#define PATH_TEXT_MAX 4096 /* a longer path names nothing here: topic.h, TOPIC_PATH_MAX */

enum resource {
	RES_NONE,
	RES_ROOT,
	RES_CORE,
	RES_SENDER,
	RES_COLLECTION,
	RES_TOPIC,
	RES_DATA,
	RES_COUNT
};

#define METHODS 8 /* 0.01 to 0.07 */

/* A handler, and what has to be allowed before it runs; the rest it asks itself. */
static const struct route {
	struct {
		void (*run)(struct call *c);
		unsigned verbs;
	} handlers[METHODS];
} routes[RES_COUNT] = {
	[RES_ROOT] = {{[CODE_GET] = {discover_root, 0}}},
	[RES_CORE] = {{[CODE_GET] = {discover_get, 0}}},
	[RES_SENDER] = {{[CODE_GET] = {introspect_sender, 0}}},
	[RES_COLLECTION] = {{[CODE_GET] = {collection_get, 0},
		[CODE_POST] = {collection_post, 0},
		[CODE_FETCH] = {collection_fetch, 0}}},
	[RES_TOPIC] = {{[CODE_GET] = {introspect_topic, BROKER_MAY_DISCOVER},
		[CODE_POST] = {topic_post, BROKER_MAY_CONFIGURE},
		[CODE_FETCH] = {topic_fetch, BROKER_MAY_DISCOVER},
		[CODE_IPATCH] = {topic_ipatch, BROKER_MAY_CONFIGURE},
		[CODE_DELETE] = {topic_delete, BROKER_MAY_DELETE}}},
	[RES_DATA] = {{[CODE_GET] = {data_get, 0},
		[CODE_PUT] = {data_put, BROKER_MAY_PUBLISH},
		[CODE_DELETE] = {data_delete, BROKER_MAY_DELETE}}},
};

static bool
strip(struct bytes *path, const char *prefix)
{
	size_t n = strlen(prefix);

	if (path->n < n || memcmp(path->p, prefix, n) != 0)
		return false;
	if (path->n > n && path->p[n] != '/')
		return false;
	*path = bytes_from(*path, n);
	return true;
}

/* What a path names, and the rest of it that names the topic. */
static enum resource
classify(const struct broker *b, struct bytes path, struct bytes *ret_id)
{
	*ret_id = path;
	if (bytes_is(path, "/"))
		return RES_ROOT;
	if (bytes_is(path, "/.well-known/core"))
		return RES_CORE;
	if (bytes_is(path, "/.well-known/core/mc-sender"))
		return RES_SENDER;
	if (!strip(&path, b->conf.collection))
		return RES_NONE;
	if (path.n == 0)
		return RES_COLLECTION;
	*ret_id = path;
	if (!strip(&path, "/data"))
		return RES_TOPIC;
	*ret_id = path;
	return path.n > 1 ? RES_DATA : RES_NONE;
}

static bool
has_body(uint8_t method)
{
	return method != CODE_GET && method != CODE_DELETE;
}

/* Whether the method leaves something behind that the store is to keep. */
static bool
is_change(uint8_t method)
{
	return method != CODE_GET && method != CODE_FETCH;
}

/*
 * The request's body; false: answered. What is no value may be as long as properties are
 * whose "initialize" is as long as a value.
 */
static bool
take_body(struct call *c, bool is_publish)
{
	uint32_t max = c->b->conf.limits.payload + (is_publish ? 0 : TOPIC_PROPS_MAX);
	enum body_verdict verdict = bodies_take(c->b->bodies, c->r, c->path, max, &c->body);

	c->b->stats.publishes_refused += is_publish && verdict == BODY_REFUSED;
	return verdict == BODY_WHOLE;
}

static void
run(struct call *c, void (*handler)(struct call *c))
{
	const struct broker_ops *ops = c->b->ops;
	bool body = has_body(c->r->msg->code);

	/* What cannot be kept as promised is refused; the rest goes on. */
	if (is_change(c->r->msg->code) && ops->can_keep && !ops->can_keep(c->b->ctx)) {
		c->b->stats.publishes_refused += handler == data_put;
		reply_busy(c->r);
		return;
	}
	c->body = c->r->msg->payload;
	if (body && !take_body(c, handler == data_put))
		return;
	handler(c);
	if (body)
		bodies_done(c->b->bodies);
}

static void
route(struct call *c)
{
	uint8_t text[PATH_TEXT_MAX], method = c->r->msg->code;
	struct buf path = BUF_OF(text);
	enum resource resource = RES_NONE;
	unsigned verbs;

	if (msg_path(c->r->msg, &path) == 0) {
		c->path = buf_bytes(&path);
		resource = classify(c->b, c->path, &c->id);
	}
	if (resource == RES_NONE) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return;
	}
	/* RFC 7252 5.8: unrecognized methods too. */
	if (method >= METHODS || !routes[resource].handlers[method].run) {
		request_reply_code(c->r, CODE_METHOD_NOT_ALLOWED);
		return;
	}
	if (resource == RES_TOPIC || resource == RES_DATA)
		c->topic = topic_by_path(&c->b->topics, c->id);
	/* Nobody sees it before it is kept. */
	if (c->topic && c->topic->coming != TOPIC_HERE)
		c->topic = NULL;
	verbs = routes[resource].handlers[method].verbs;
	if (verbs == 0 || permit_check(c, verbs))
		run(c, routes[resource].handlers[method].run);
}

void
broker_request(struct broker *b, struct request *r)
{
	struct call c = {.b = b, .r = r};

	route(&c);
}

void
broker_request_phantom(
	struct broker *b, const struct path *way, struct msg *phantom, struct group_observation *g)
{
	/* Answered: whatever a handler makes of it, nothing leaves. */
	struct request r = {.layer = b->layer, .way = way, .msg = phantom, .answered = true};
	struct call c = {.b = b, .r = &r, .phantom = g};

	route(&c);
}

void
reply_busy(struct request *r)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_UNAVAILABLE);
	(void)msg_add_uint(&m, OPT_MAX_AGE, BROKER_RETRY_AFTER_S);
	request_reply(r, &m);
}

void
reply_too_large(struct broker *b, struct request *r)
{
	struct msg m;

	b->stats.refused_payload++;
	msg_init(&m, TYPE_ACK, CODE_TOO_LARGE);
	(void)msg_add_uint(&m, OPT_SIZE1, b->conf.limits.payload);
	request_reply(r, &m);
}

void
reply_diagnostic(struct request *r, enum msg_code code, const char *text)
{
	struct msg m;

	/* RFC 7252 5.5.2: a diagnostic payload for a human. */
	msg_init(&m, TYPE_ACK, code);
	m.payload = bytes_str(text);
	request_reply(r, &m);
}

bool
reply_not_acceptable(struct request *r, uint32_t format)
{
	uint32_t accept;

	/* A value whose format nobody told may be any. */
	if (!msg_uint(r->msg, OPT_ACCEPT, &accept) || format == BROKER_NO_FORMAT ||
		accept == format)
		return false;
	request_reply_code(r, CODE_NOT_ACCEPTABLE);
	return true;
}
