/* SPDX-License-Identifier: BSD-2-Clause */
/* The topic collection and its topics (coap-pubsub, "Topic Collection Interactions" and on). */
#include <errno.h>

#include "broker/broker_impl.h"
#include "wire/link.h"
#include "wire/option.h"
#include "wire/props.h"

#define FORMAT_CBOR 60
#define RT_DATA "core.ps.data"
#define RT_CONF "core.ps.conf"
#define DATA_PATH_MAX (TOPIC_PATH_MAX + 256) /* with collection and "/data" before it */
#define REPRESENTATION_MAX (DATA_PATH_MAX + TOPIC_NAME_MAX + 256)
#define CREATED_MAX 1024 /* Location-Path and payload of a 2.01, as far as the path leaves room */

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

/* The representation of the topic, or of some of its properties. */
static struct bytes
represent(struct call *c, unsigned keys, struct buf *out)
{
	uint8_t bytes[DATA_PATH_MAX];
	struct buf data = BUF_OF(bytes);
	struct props props;

	describe(c->b, c->topic, &data, &props);
	(void)props_encode(&props, keys, out);
	return buf_bytes(out);
}

static void
reply_topic(struct call *c, unsigned keys)
{
	uint8_t bytes[REPRESENTATION_MAX];
	struct buf payload = BUF_OF(bytes);
	struct msg m;

	if (reply_not_acceptable(c->r, c->b->conf.topic_format))
		return;
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, c->b->conf.topic_format);
	block1_echo(c->r->msg, &m);
	if (block2_slice(c->r->msg, represent(c, keys, &payload), &m))
		request_reply(c->r, &m);
	else
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
}

void
topic_get(struct call *c)
{
	if (c->topic)
		reply_topic(c, PROPS_ALL);
	else
		request_reply_code(c->r, CODE_NOT_FOUND);
}

/* "Getting part of a topic". */
void
topic_fetch(struct call *c)
{
	uint32_t format;
	unsigned keys;

	if (!c->topic)
		request_reply_code(c->r, CODE_NOT_FOUND);
	else if (!msg_uint(c->r->msg, OPT_CONTENT_FORMAT, &format) || format != FORMAT_CBOR)
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
	else if (props_decode_keys(c->body, &keys) < 0)
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not an array of topic properties");
	else
		reply_topic(c, keys);
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
find_fault(const struct props *p)
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
	return NULL;
}

/* Creates what the properties say; answers the request when it cannot. */
static bool
create(struct call *c, const struct props *p)
{
	uint32_t format = props_has(p, PROPS_CONTENT_FORMAT) ? p->content_format : BROKER_NO_FORMAT;
	struct bytes first = BYTES_NONE;
	int rc;

	/* Within limits.payload, since the body is. */
	if (props_has(p, PROPS_INITIALIZE))
		first = p->initialize.n ? p->initialize : BYTES_LIT("");
	rc = broker_has_room(c->b, NULL, first.n)
		     ? broker_create_topic(c->b, p->name, format, first)
		     : -ENOSPC;
	if (rc == -ENOSPC)
		reply_busy(c->r);
	else if (rc < 0)
		reply_diagnostic(c->r, CODE_BAD_REQUEST,
			rc == -EEXIST ? "topic-name is in use" : "not a topic name");
	return rc == 0;
}

/* 2.01 with where it is and what it is; the first block of it when both do not fit a datagram. */
static void
reply_created(struct call *c)
{
	uint8_t bytes[DATA_PATH_MAX], unescaped[DATA_PATH_MAX], text[REPRESENTATION_MAX];
	struct buf path = BUF_OF(bytes), scratch = BUF_OF(unescaped), payload = BUF_OF(text);
	uint8_t szx = block2_szx(c->r->msg);
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_CREATED);
	buf_put_str(&path, c->b->conf.collection);
	buf_put_str(&path, c->topic->path);
	(void)msg_add_path(&m, OPT_LOCATION_PATH, buf_bytes(&path), &scratch);
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, c->b->conf.topic_format);
	block1_echo(c->r->msg, &m);
	while (szx > 0 && path.n + BLOCK_SIZE(szx) > CREATED_MAX)
		szx--;
	block2_first(represent(c, PROPS_ALL, &payload), szx, &m);
	request_reply(c->r, &m);
}

/* The properties in the body; false: answered. */
static bool
take_props(struct call *c, struct props *ret)
{
	uint32_t format;

	if (!msg_uint(c->r->msg, OPT_CONTENT_FORMAT, &format) ||
		format != c->b->conf.topic_format) {
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
		return false;
	}
	if (props_decode(c->body, ret) == 0)
		return true;
	reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a map of topic properties");
	return false;
}

void
collection_post(struct call *c)
{
	const char *fault;
	struct props props;

	if (!take_props(c, &props))
		return;
	if ((fault = find_fault(&props)) != NULL) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, fault);
		return;
	}
	if (!create(c, &props))
		return;
	c->topic = topic_by_name(&c->b->topics, props.name);
	reply_created(c);
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
	uint8_t bytes[DATA_PATH_MAX];
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
	uint8_t bytes[DATA_PATH_MAX];
	struct buf path = BUF_OF(bytes);
	struct link link = {
		.ct = LINK_NO_CT, .rt = l->data ? BYTES_LIT(RT_DATA) : BYTES_LIT(RT_CONF)};

	if ((l->data && !t->value) || !matches_filter(l, t))
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
	links_put(l->out, &link);
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
	struct listing l = {.c = c,
		.out = out,
		.filter = c->filter,
		.data = !c->filter && asks_for_data(c->r->msg)};

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

	if (!take_props(c, &filter))
		return;
	c->filter = &filter;
	links_reply(c, write_collection);
}
