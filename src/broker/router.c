/* SPDX-License-Identifier: BSD-2-Clause */
/* From a request to its handler: path, method, body. */
#include "broker/broker_impl.h"

#define PATH_TEXT_MAX 4096 /* no Uri-Path of a datagram is longer, escapes included */

enum resource { RES_NONE, RES_CORE, RES_COLLECTION, RES_TOPIC, RES_DATA, RES_COUNT };

#define METHODS 8 /* 0.01 to 0.07 */

static const struct route {
	void (*handlers[METHODS])(struct call *c);
} routes[RES_COUNT] = {
	[RES_CORE] = {{[CODE_GET] = discover_get}},
	[RES_COLLECTION] = {{[CODE_GET] = collection_get,
		[CODE_POST] = collection_post,
		[CODE_FETCH] = collection_fetch}},
	[RES_TOPIC] = {{[CODE_GET] = topic_get, [CODE_DELETE] = topic_delete}},
	[RES_DATA] = {{[CODE_GET] = data_get, [CODE_PUT] = data_put, [CODE_DELETE] = data_delete}},
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
	if (bytes_is(path, "/.well-known/core"))
		return RES_CORE;
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

const struct topic *
broker_route(struct broker *b, const struct msg *m)
{
	uint8_t text[PATH_TEXT_MAX];
	struct buf path = BUF_OF(text);
	struct bytes id;

	if (msg_path(m, &path) < 0 || classify(b, buf_bytes(&path), &id) != RES_DATA)
		return NULL;
	return topic_by_path(&b->topics, id);
}

static bool
has_body(uint8_t method)
{
	return method != CODE_GET && method != CODE_DELETE;
}

static void
run(struct call *c, void (*handler)(struct call *c))
{
	bool body = has_body(c->r->msg->code);

	c->body = c->r->msg->payload;
	if (body && bodies_take(c->b->bodies, c->r, c->path, &c->body) == BODY_ANSWERED)
		return;
	handler(c);
	if (body)
		bodies_done(c->b->bodies);
}

void
broker_request(struct broker *b, struct request *r)
{
	uint8_t text[PATH_TEXT_MAX];
	struct buf path = BUF_OF(text);
	struct call c = {.b = b, .r = r};
	uint8_t method = r->msg->code;
	enum resource resource;

	if (msg_path(r->msg, &path) < 0) {
		request_reply_code(r, CODE_NOT_FOUND);
		return;
	}
	c.path = buf_bytes(&path);
	resource = classify(b, c.path, &c.id);
	if (resource == RES_NONE) {
		request_reply_code(r, CODE_NOT_FOUND);
		return;
	}
	if (method >= METHODS || !routes[resource].handlers[method]) {
		request_reply_code(r, CODE_METHOD_NOT_ALLOWED);
		return;
	}
	if (resource == RES_TOPIC || resource == RES_DATA)
		c.topic = topic_by_path(&b->topics, c.id);
	run(&c, routes[resource].handlers[method]);
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
reply_diagnostic(struct request *r, enum msg_code code, const char *text)
{
	struct msg m;

	/* RFC 7252 5.5.2: a diagnostic payload for a human. */
	msg_init(&m, TYPE_ACK, code);
	m.payload = bytes_str(text);
	request_reply(r, &m);
}
