/* SPDX-License-Identifier: BSD-2-Clause */
/* The topic collection: coap-pubsub, "Topic Collection Interactions". */
#include <errno.h>
#include <stdlib.h>

#include "broker/park.h"
#include "broker/permit.h"
#include "broker/settings.h"
#include "wire/option.h"

#define RT_DATA "core.ps.data"
#define CREATED_MAX 1024 /* Location-Path and payload of a 2.01, as far as the path leaves room */

/* Why the properties do not make a topic here; NULL when they do. */
static const char *
find_fault(const struct broker *b, const struct props *p)
{
	if (!props_has(p, PROPS_NAME) || !props_has(p, PROPS_RESOURCE_TYPE))
		return "topic-name and resource-type are required";
	if (!bytes_is(p->resource_type, RT_DATA))
		return "resource-type must be " RT_DATA;
	return settings_find_fault(b, p);
}

/* Whether the topic's data are where the properties want them, if they do. */
static bool
is_where_wanted(const struct broker *b, const struct topic *t, const struct props *p)
{
	uint8_t bytes[TOPIC_DATA_PATH_MAX];
	struct buf data = BUF_OF(bytes);
	struct props props;

	topic_describe(b, t, &data, &props);
	return !props_has(p, PROPS_DATA) || bytes_equal(p->data, props.data);
}

static int
make(struct broker *b, const struct props *p, struct bytes first)
{
	uint32_t format = settings_format(p);
	struct topic *t = topic_by_name(&b->topics, p->name);

	/* Another request may be making it, in vain. */
	if (t && t->coming != TOPIC_HERE)
		return -EAGAIN;
	return park_is_wanted(b) ? broker_make_topic(b, p->name, format, first, TOPIC_CREATED, &t)
				 : broker_create_topic(b, p->name, format, first);
}

/* Creates what the properties say, which have no fault; answers the request when it cannot. */
static bool
create(struct call *c, const struct props *p)
{
	struct bytes first = BYTES_NONE;
	int rc = -ENOSPC;

	if (props_has(p, PROPS_INITIALIZE))
		first = p->initialize.n ? p->initialize : BYTES_LIT("");
	if (settings_have_room(c->b, NULL, p))
		rc = make(c->b, p, first);
	if (rc == -ENOSPC || rc == -EAGAIN)
		reply_busy(c->r);
	else if (rc < 0)
		reply_diagnostic(c->r, CODE_BAD_REQUEST,
			rc == -EEXIST ? "topic-name is in use" : "not a topic name");
	if (rc < 0)
		return false;
	c->topic = topic_by_name(&c->b->topics, p->name);
	if (!is_where_wanted(c->b, c->topic, p)) {
		c->b->stats.created -= c->topic->coming == TOPIC_HERE;
		broker_drop_topic(c->b, c->topic);
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "topic-data is for the broker to choose");
		return false;
	}
	settings_replace(c->b, c->topic, p);
	return true;
}

/* 2.01 with where it is and what it is; the first block of it when both do not fit a datagram. */
void
collection_tell_created(struct call *c, const struct answer *to)
{
	uint8_t bytes[TOPIC_DATA_PATH_MAX], unescaped[TOPIC_DATA_PATH_MAX], *room;
	struct buf path = BUF_OF(bytes), scratch = BUF_OF(unescaped);
	uint8_t szx = block2_szx(to->asked);
	struct bytes whole;
	struct msg m;

	room = topic_represent(c, PROPS_ALL, &whole);
	msg_init(&m, TYPE_ACK, CODE_CREATED);
	buf_put_str(&path, c->b->conf.collection);
	buf_put_str(&path, c->topic->path);
	(void)msg_add_path(&m, OPT_LOCATION_PATH, buf_bytes(&path), &scratch);
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, c->b->conf.topic_format);
	block1_echo(to->asked, &m);
	while (szx > 0 && path.n + BLOCK_SIZE(szx) > CREATED_MAX)
		szx--;
	block2_first(whole, szx, &m);
	to->send(to->ctx, &m);
	free(room);
}

static void
reply_created(struct call *c)
{
	const struct answer to = topic_answer(c);

	if (c->topic->coming == TOPIC_HERE)
		collection_tell_created(c, &to);
	else
		park_creation(c);
}

void
collection_post(struct call *c)
{
	const char *fault;
	struct props props;

	if (!topic_take_props(c, &props) || reply_not_acceptable(c->r, c->b->conf.topic_format))
		return;
	if ((fault = find_fault(c->b, &props)) != NULL)
		reply_diagnostic(c->r, CODE_BAD_REQUEST, fault);
	else if (!permit_allows_name(c, BROKER_MAY_CREATE, props.name))
		permit_refuse(c);
	else if (create(c, &props))
		reply_created(c);
}

/* What a list of links is being made of. */
struct listing {
	const struct call *c;
	struct buf *out;
	const struct props *filter; /* of a FETCH; NULL: every topic */
	bool data; /* links to topic data are to be chosen from, too */
	bool bare; /* the type of all links follows from the request */
};

static bool
matches_filter(const struct listing *l, const struct topic *t)
{
	uint8_t bytes[TOPIC_DATA_PATH_MAX];
	struct buf data = BUF_OF(bytes);
	struct props props;

	if (!l->filter)
		return true;
	topic_describe(l->c->b, t, &data, &props);
	return props_match(&props, l->filter);
}

static void
offer(struct listing *l, const struct topic *t, bool data)
{
	uint8_t bytes[TOPIC_DATA_PATH_MAX];
	struct buf path = BUF_OF(bytes);
	struct link link;

	discover_link(l->c->b, t, data, &path, &link);
	if (!discover_matches(l->c->r->msg, &link))
		return;
	/* What is implied is left out, as in the draft's examples: topics, or what was asked for. */
	if (!data || l->bare)
		link = (struct link){.path = link.path, .ct = LINK_NO_CT};
	links_put(l->out, &link);
}

static void
offer_both(void *ctx, struct map_node *node)
{
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	struct listing *l = ctx;

	if (t->coming != TOPIC_HERE || !permit_allows(l->c, BROKER_MAY_DISCOVER, t) ||
		!matches_filter(l, t))
		return;
	offer(l, t, false);
	if (l->data && t->value)
		offer(l, t, true);
}

/* Whether the request has a query, of this text when it is not NULL. */
static bool
has_query(const struct msg *m, const char *text)
{
	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == OPT_URI_QUERY &&
			(!text || bytes_is(m->opts[i].value, text)))
			return true;
	}
	return false;
}

/*
 * "Topic-Data Discovery": links to topics, and once there is a filter, of RFC 6690
 * 4.1, those to their data that it selects.
 */
static void
write_collection(struct call *c, struct buf *out)
{
	const struct msg *m = c->r->msg;
	struct listing l = {.c = c,
		.out = out,
		.filter = c->filter,
		.data = !c->filter && has_query(m, NULL),
		.bare = has_query(m, "rt=" RT_DATA)};

	map_each(&c->b->topics.by_path, offer_both, &l);
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

	if (!topic_take_props(c, &filter))
		return;
	c->filter = &filter;
	links_reply(c, write_collection);
}
