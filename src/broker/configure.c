/* SPDX-License-Identifier: BSD-2-Clause */
/* The topic resource: coap-pubsub, "Topic Interactions". */
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "broker/park.h"
#include "broker/settings.h"
#include "wire/link.h"
#include "wire/option.h"

#define FORMAT_CBOR 60
#define RT_DATA "core.ps.data"

/* "Updating the topic": what stays as it was when the topic was made. */
#define IMMUTABLE (PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_DATA) | PROPS_BIT(PROPS_RESOURCE_TYPE))

void
topic_describe(const struct broker *b, const struct topic *t, struct buf *data, struct props *ret)
{
	*ret = (struct props){.has = IMMUTABLE};
	/* A URI reference: its octets are escaped as those of links are. */
	link_put_path(data, bytes_str(b->conf.collection));
	buf_put_str(data, "/data");
	link_put_path(data, bytes_str(t->path));
	ret->name = bytes_str(t->name);
	ret->data = buf_bytes(data);
	ret->resource_type = BYTES_LIT(RT_DATA);
	settings_describe(t, ret);
}

uint8_t *
topic_represent(const struct call *c, unsigned keys, struct bytes *ret)
{
	uint8_t bytes[TOPIC_DATA_PATH_MAX], *room;
	struct buf data = BUF_OF(bytes), out;
	struct props props;
	size_t cap;

	topic_describe(c->b, c->topic, &data, &props);
	cap = TOPIC_PROPS_MAX + props.initialize.n;
	room = mem_alloc(cap);
	out = buf_of(room, cap);
	(void)props_encode(&props, keys, &out);
	*ret = buf_bytes(&out);
	return room;
}

/* The ETag of a representation of topic properties. */
static void
etag_of(const struct call *c, struct bytes representation, uint8_t ret[ETAG_LEN])
{
	topic_etag(&c->b->topics, c->b->conf.topic_format, representation, 0, ret);
}

static void
answer_request(void *ctx, struct msg *m)
{
	request_reply(ctx, m);
}

struct answer
topic_answer(struct call *c)
{
	return (struct answer){.asked = c->r->msg, .send = answer_request, .ctx = c->r};
}

static void
tell(const struct call *c, const struct answer *to, enum msg_code code, unsigned keys)
{
	uint8_t etag[ETAG_LEN], *room;
	struct bytes whole;
	struct msg m;

	room = topic_represent(c, keys, &whole);
	etag_of(c, whole, etag);
	msg_init(&m, TYPE_ACK, code);
	/* RFC 7959 2.4: the blocks of one representation have one ETag. */
	(void)msg_add(&m, OPT_ETAG, BYTES_OF(etag));
	block1_echo(to->asked, &m);
	if (code == CODE_CONTENT && data_has_etag(to->asked, OPT_ETAG, BYTES_OF(etag))) {
		m.code = CODE_VALID;
	} else {
		(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, c->b->conf.topic_format);
		if (!block2_slice(to->asked, whole, &m)) {
			msg_init(&m, TYPE_ACK, CODE_BAD_REQUEST);
			m.payload = BYTES_LIT("no such block");
		}
	}
	to->send(to->ctx, &m);
	free(room);
}

/* Answers with topic properties, in the block that the request asks for. */
static void
reply(struct call *c, enum msg_code code, unsigned keys)
{
	const struct answer to = topic_answer(c);

	if (!reply_not_acceptable(c->r, c->b->conf.topic_format))
		tell(c, &to, code, keys);
}

void
topic_tell_changed(struct call *c, const struct answer *to)
{
	tell(c, to, CODE_CHANGED, PROPS_ALL);
}

bool
topic_take_props(struct call *c, struct props *ret)
{
	uint32_t format;

	if (!msg_uint(c->r->msg, OPT_CONTENT_FORMAT, &format) ||
		format != c->b->conf.topic_format) {
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
		return false;
	}
	if (props_decode(c->body, ret) < 0) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a map of topic properties");
		return false;
	}
	if (props_has(ret, PROPS_INITIALIZE) && ret->initialize.n > c->b->conf.limits.payload) {
		reply_too_large(c->b, c->r);
		return false;
	}
	return true;
}

/* Whether there is a topic and the request's preconditions hold; answers when not. */
static bool
admit(struct call *c)
{
	uint8_t etag[ETAG_LEN], *room;
	struct bytes whole;

	if (!c->topic) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return false;
	}
	/* What it would be held against, or added to, may not come to be. */
	if (c->topic->reshaping) {
		reply_busy(c->r);
		return false;
	}
	room = topic_represent(c, PROPS_ALL, &whole);
	etag_of(c, whole, etag);
	free(room);
	if (data_meets_preconditions(c->r->msg, BYTES_OF(etag)))
		return true;
	request_reply_code(c->r, CODE_PRECONDITION_FAILED);
	return false;
}

void
topic_get(struct call *c)
{
	if (c->topic)
		reply(c, CODE_CONTENT, PROPS_ALL);
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
		reply(c, CODE_CONTENT, keys);
}

/* Those of `keys` that `from` has, in addition to what `p` has already. */
static void
add_missing(struct props *p, const struct props *from)
{
	struct props all = *from;

	if (props_has(p, PROPS_CONTENT_FORMAT))
		all.content_format = p->content_format;
	if (props_has(p, PROPS_TYPE))
		all.type = p->type;
	if (props_has(p, PROPS_EXPIRATION))
		all.expiration_s = p->expiration_s;
	if (props_has(p, PROPS_MAX_SUBSCRIBERS))
		all.max_subscribers = p->max_subscribers;
	if (props_has(p, PROPS_OBSERVER_CHECK))
		all.observer_check_s = p->observer_check_s;
	if (props_has(p, PROPS_INITIALIZE))
		all.initialize = p->initialize;
	all.has |= p->has;
	*p = all;
}

/* "Updating the topic": with the properties of the body and, when `partial`, those it leaves out. */
static void
update(struct call *c, bool partial)
{
	uint8_t bytes[TOPIC_DATA_PATH_MAX];
	struct buf data = BUF_OF(bytes);
	struct props now, asked, fixed;
	const char *fault;

	if (!admit(c) || !topic_take_props(c, &asked) ||
		reply_not_acceptable(c->r, c->b->conf.topic_format))
		return;
	topic_describe(c->b, c->topic, &data, &now);
	fixed = asked;
	fixed.has &= IMMUTABLE;
	if (!props_match(&now, &fixed)) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST,
			"topic-name, topic-data and resource-type cannot be changed");
		return;
	}
	if (partial)
		add_missing(&asked, &now);
	if ((fault = settings_find_fault(c->b, &asked)) != NULL) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, fault);
		return;
	}
	if (!settings_have_room(c->b, c->topic, &asked)) {
		reply_busy(c->r);
		return;
	}
	if (park_settings(c, &asked))
		return;
	settings_replace(c->b, c->topic, &asked);
	reply(c, CODE_CHANGED, PROPS_ALL);
}

void
topic_post(struct call *c)
{
	update(c, false);
}

void
topic_ipatch(struct call *c)
{
	update(c, true);
}

void
topic_delete(struct call *c)
{
	if (!admit(c) || park_removal(c))
		return;
	request_reply_code(c->r, CODE_DELETED);
	c->b->stats.deleted++;
	broker_drop_topic(c->b, c->topic);
}
