/* SPDX-License-Identifier: BSD-2-Clause */
/* The topic collection and its topics (coap-pubsub, "Topic Collection Interactions" and on). */
#include <errno.h>
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "wire/link.h"
#include "wire/option.h"
#include "wire/props.h"

#define FORMAT_LINK 40
#define RT_DATA "core.ps.data"
#define LINKS_FIRST 4096 /* bytes tried first for a list of links; doubled until it fits */
#define LINKS_MAX (64u << 20) /* 100,000 topics of the longest names */

/* Properties of a topic. *data must hold the topic-data path, `data` room for it. */
static void
describe(const struct broker *b, const struct topic *t, struct buf *data, struct props *ret)
{
	*ret = (struct props){.has = PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_DATA) |
				     PROPS_BIT(PROPS_RESOURCE_TYPE)};
	buf_put_str(data, b->conf.collection);
	buf_put_str(data, "/data");
	buf_put_str(data, t->path);
	ret->name = bytes_str(t->name);
	ret->data = buf_bytes(data);
	ret->resource_type = BYTES_LIT(RT_DATA);
	if (t->content_format != BROKER_NO_FORMAT) {
		ret->has |= PROPS_BIT(PROPS_CONTENT_FORMAT);
		ret->content_format = (uint16_t)t->content_format;
	}
}

/* Adds the representation of a topic to a response; payload must outlive it. */
static bool
put_topic(struct call *c, struct msg *m, struct buf *payload)
{
	uint8_t bytes[TOPIC_PATH_MAX + 256];
	struct buf data = BUF_OF(bytes);
	struct props props;

	describe(c->b, c->topic, &data, &props);
	if (data.full || props_encode(&props, PROPS_ALL, payload) < 0)
		return false;
	(void)msg_add_uint(m, OPT_CONTENT_FORMAT, c->b->conf.topic_format);
	return block2_slice(c->r->msg, buf_bytes(payload), m);
}

static void
reply_topic(struct call *c, struct msg *m)
{
	uint8_t bytes[2 * TOPIC_PATH_MAX];
	struct buf payload = BUF_OF(bytes);

	if (put_topic(c, m, &payload))
		request_reply(c->r, m);
	else
		request_reply_code(c->r, CODE_BAD_REQUEST);
}

void
topic_get(struct call *c)
{
	struct msg m;

	if (!c->topic) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return;
	}
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	reply_topic(c, &m);
}

void
topic_delete(struct call *c)
{
	if (!c->topic) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return;
	}
	request_reply_code(c->r, CODE_DELETED);
	c->b->stats.deleted++;
	broker_drop_topic(c->b, c->topic);
}

/* Why the properties do not make a topic here; NULL when they do. */
static const char *
find_fault(const struct broker *b, const struct props *p)
{
	const unsigned known = PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_RESOURCE_TYPE) |
			       PROPS_BIT(PROPS_CONTENT_FORMAT) | PROPS_BIT(PROPS_INITIALIZE);

	if (!props_has(p, PROPS_NAME) || !props_has(p, PROPS_RESOURCE_TYPE))
		return "topic-name and resource-type are required";
	if (!bytes_is(p->resource_type, RT_DATA))
		return "resource-type must be " RT_DATA;
	if (props_has(p, PROPS_INITIALIZE) && !props_has(p, PROPS_CONTENT_FORMAT))
		return "initialize needs topic-content-format";
	if (p->has & ~known)
		return "this property is not supported";
	if (topic_by_name(&b->topics, p->name))
		return "topic-name is in use";
	return NULL;
}

/* Creates what the properties say; answers the request when it cannot. */
static bool
create(struct call *c, const struct props *p)
{
	const struct broker_limits *limits = &c->b->conf.limits;
	uint32_t format = props_has(p, PROPS_CONTENT_FORMAT) ? p->content_format : BROKER_NO_FORMAT;
	int rc;

	if (props_has(p, PROPS_INITIALIZE) && p->initialize.n > limits->payload) {
		request_reply_code(c->r, CODE_TOO_LARGE);
		return false;
	}
	rc = broker_create_topic(c->b, p->name, format,
		props_has(p, PROPS_INITIALIZE)
			? bytes_of(p->initialize.n ? p->initialize.p : p->name.p, p->initialize.n)
			: BYTES_NONE);
	if (rc == -ENOSPC)
		reply_busy(c->r);
	else if (rc < 0)
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a topic name");
	return rc == 0;
}

static bool
has_topic_format(const struct call *c)
{
	uint32_t format;

	return msg_uint(c->r->msg, OPT_CONTENT_FORMAT, &format) &&
	       format == c->b->conf.topic_format;
}

void
collection_post(struct call *c)
{
	uint8_t bytes[TOPIC_PATH_MAX + 256], unescaped[TOPIC_PATH_MAX + 256];
	struct buf path = BUF_OF(bytes), scratch = BUF_OF(unescaped);
	const char *fault;
	struct props props;
	struct msg m;

	if (!has_topic_format(c)) {
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
		return;
	}
	if (props_decode(c->body, &props) < 0) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a map of topic properties");
		return;
	}
	if ((fault = find_fault(c->b, &props)) != NULL) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, fault);
		return;
	}
	if (!create(c, &props))
		return;
	c->topic = topic_by_name(&c->b->topics, props.name);
	msg_init(&m, TYPE_ACK, CODE_CREATED);
	buf_put_str(&path, c->b->conf.collection);
	buf_put_str(&path, c->topic->path);
	(void)msg_add_path(&m, OPT_LOCATION_PATH, buf_bytes(&path), &scratch);
	block1_echo(c->r->msg, &m);
	reply_topic(c, &m);
}

/* What a list of links is being made of. */
struct listing {
	const struct call *c;
	struct buf *out;
	const struct props *filter; /* of a FETCH; NULL: every topic */
	bool data; /* links to topic data, not to topics */
};

static bool
matches_queries(const struct msg *request, const struct link *link)
{
	for (uint8_t i = 0; i < request->n_opts; i++) {
		if (request->opts[i].number == OPT_URI_QUERY &&
			!link_matches(link, request->opts[i].value))
			return false;
	}
	return true;
}

static bool
matches_filter(const struct listing *l, const struct topic *t)
{
	uint8_t bytes[TOPIC_PATH_MAX + 256];
	struct buf data = BUF_OF(bytes);
	struct props props;

	if (!l->filter)
		return true;
	describe(l->c->b, t, &data, &props);
	return props_match(&props, l->filter);
}

static void
put_link(void *ctx, struct map_node *node)
{
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	struct listing *l = ctx;
	uint8_t bytes[TOPIC_PATH_MAX + 256];
	struct buf path = BUF_OF(bytes);
	struct link link = {
		.ct = LINK_NO_CT, .rt = l->data ? BYTES_LIT(RT_DATA) : BYTES_LIT("core.ps.conf")};

	if (l->out->full || (l->data && !t->value) || !matches_filter(l, t))
		return;
	buf_put_str(&path, l->c->b->conf.collection);
	if (l->data)
		buf_put_str(&path, "/data");
	buf_put_str(&path, t->path);
	link.path = buf_bytes(&path);
	if (!matches_queries(l->c->r->msg, &link))
		return;
	/* The type of each link follows from the request: the drafts' examples leave it out. */
	link.rt = BYTES_NONE;
	link_put(l->out, &link);
}

/* Whether the request asks for topic data: rt=core.ps.data ("Topic-Data Discovery"). */
static bool
asks_for_data(const struct msg *m)
{
	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == OPT_URI_QUERY && bytes_is(m->opts[i].value, "rt=" RT_DATA))
			return true;
	}
	return false;
}

static void
write_collection(struct call *c, struct buf *out)
{
	struct listing l = {.c = c, .out = out, .data = asks_for_data(c->r->msg)};

	map_each(&c->b->topics.by_path, put_link, &l);
}

static void
write_filtered(struct call *c, struct buf *out)
{
	struct listing l = {.c = c, .out = out};
	struct props filter;

	if (props_decode(c->body, &filter) < 0)
		return;
	l.filter = &filter;
	map_each(&c->b->topics.by_path, put_link, &l);
}

void
collection_get(struct call *c)
{
	links_reply(c, write_collection);
}

void
collection_fetch(struct call *c)
{
	struct props filter;

	if (!has_topic_format(c)) {
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
		return;
	}
	if (props_decode(c->body, &filter) < 0) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a map of topic properties");
		return;
	}
	links_reply(c, write_filtered);
}

/* Everything a list of links depends on but the topics there are. */
static uint32_t
links_key(const struct call *c)
{
	const struct msg *m = c->r->msg;
	uint32_t key = map_hash(c->path, m->code);

	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == OPT_URI_QUERY)
			key = map_hash(m->opts[i].value, key);
	}
	return map_hash(c->body, key);
}

static void
build_links(struct call *c, void (*write)(struct call *c, struct buf *out))
{
	size_t cap = LINKS_FIRST;
	struct buf out;

	do {
		free(c->b->links.text);
		c->b->links.text = mem_alloc(cap);
		out = buf_of(c->b->links.text, cap);
		write(c, &out);
		cap *= 2;
	} while (out.full && cap <= LINKS_MAX);
	c->b->links.n = out.n;
	c->b->links.generation = c->b->topics.generation;
	c->b->links.key = links_key(c);
	c->b->links.valid = true;
}

void
links_reply(struct call *c, void (*write)(struct call *c, struct buf *out))
{
	struct broker *b = c->b;
	uint32_t accept;
	struct msg m;

	if (msg_uint(c->r->msg, OPT_ACCEPT, &accept) && accept != FORMAT_LINK) {
		request_reply_code(c->r, CODE_NOT_ACCEPTABLE);
		return;
	}
	if (!b->links.valid || b->links.generation != b->topics.generation ||
		b->links.key != links_key(c))
		build_links(c, write);
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, FORMAT_LINK);
	if (block2_slice(c->r->msg, bytes_of(b->links.text, b->links.n), &m))
		request_reply(c->r, &m);
	else
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
}
