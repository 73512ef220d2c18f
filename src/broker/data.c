/* SPDX-License-Identifier: BSD-2-Clause */
/* Topic data: publish, read, subscribe, delete (coap-pubsub, "Topic-Data Interactions"). */
#include <errno.h>

#include "broker/broker_impl.h"
#include "wire/option.h"

#define RATE_RETRY_AFTER_S 1 /* Max-Age of a 4.29: rates are per second */

void
data_describe(const struct value *v, struct msg *m)
{
	(void)msg_add(m, OPT_ETAG, BYTES_OF(v->etag));
	if (v->content_format != BROKER_NO_FORMAT)
		(void)msg_add_uint(m, OPT_CONTENT_FORMAT, v->content_format);
}

/* Whether one of the request's options of that number holds this ETag. */
static bool
lists_etag(const struct msg *m, uint16_t number, const struct value *v)
{
	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == number && bytes_equal(m->opts[i].value, BYTES_OF(v->etag)))
			return true;
	}
	return false;
}

void
data_reply(struct call *c, bool observing)
{
	const struct value *v = c->topic->value;
	bool valid = lists_etag(c->r->msg, OPT_ETAG, v);
	struct msg m;

	msg_init(&m, TYPE_ACK, valid ? CODE_VALID : CODE_CONTENT);
	if (observing)
		(void)msg_add_uint(&m, OPT_OBSERVE, c->topic->seq);
	/* RFC 7252 5.9.1.3: a 2.03 has the ETag and no payload. */
	if (valid) {
		(void)msg_add(&m, OPT_ETAG, BYTES_OF(v->etag));
	} else {
		data_describe(v, &m);
		if (!block2_slice(c->r->msg, value_bytes(v), &m)) {
			reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
			return;
		}
	}
	request_reply(c->r, &m);
}

/* RFC 7252 5.10.4: what was asked for cannot be returned in another format. */
static bool
is_acceptable(const struct call *c)
{
	uint32_t accept, format = c->topic->value->content_format;

	return !msg_uint(c->r->msg, OPT_ACCEPT, &accept) || format == BROKER_NO_FORMAT ||
	       accept == format;
}

/* RFC 7959 2.6: later blocks of a notification are fetched without registering. */
static bool
is_later_block(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_BLOCK2);
	struct block block;

	return o && block_decode(o, &block) == 0 && block.num > 0;
}

void
data_get(struct call *c)
{
	uint32_t observe;

	if (!c->topic || !c->topic->value) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return;
	}
	if (!is_acceptable(c)) {
		request_reply_code(c->r, CODE_NOT_ACCEPTABLE);
		return;
	}
	if (msg_uint(c->r->msg, OPT_OBSERVE, &observe) && !is_later_block(c->r->msg)) {
		if (observe == 0 && observe_register(c))
			return;
		if (observe == 1)
			observe_deregister(c);
	}
	data_reply(c, false);
}

/* RFC 7252 5.10.8: If-Match and If-None-Match against what is there now. */
static bool
meets_preconditions(const struct msg *m, const struct value *v)
{
	const struct opt *any = msg_find(m, OPT_IF_MATCH);

	if (v && msg_has(m, OPT_IF_NONE_MATCH))
		return false;
	if (!any)
		return true;
	/* An empty If-Match, which is the first in any order of repetition that makes sense. */
	return v && (any->value.n == 0 || lists_etag(m, OPT_IF_MATCH, v));
}

static bool
is_observed(const struct topic *t)
{
	return t->bunches != NULL;
}

/* The format the value will have; false: 4.15. product.md, wire.md "Topics". */
static bool
settle_format(const struct call *c, uint32_t *ret)
{
	const struct topic *t = c->topic;
	uint32_t now = t->value ? t->value->content_format : BROKER_NO_FORMAT, asked;

	if (!msg_uint(c->r->msg, OPT_CONTENT_FORMAT, &asked)) {
		*ret = t->content_format != BROKER_NO_FORMAT ? t->content_format : now;
		return true;
	}
	if (t->content_format != BROKER_NO_FORMAT ? asked != t->content_format
						  : asked != now && t->value && is_observed(t))
		return false;
	*ret = asked;
	return true;
}

/* Makes the topic that a PUT to an unknown path asks for. */
static bool
create_on_publish(struct call *c)
{
	uint8_t bytes[TOPIC_PATH_MAX], unescaped[TOPIC_PATH_MAX];
	struct buf name = BUF_OF(bytes), scratch = BUF_OF(unescaped);
	struct msg m;
	int rc;

	if (!c->b->conf.create_on_publish) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return false;
	}
	msg_init(&m, TYPE_NON, CODE_PUT);
	if (c->id.n < 2 || msg_add_path(&m, OPT_URI_PATH, c->id, &scratch) < 0) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return false;
	}
	for (uint8_t i = 0; i < m.n_opts; i++) {
		if (i > 0)
			buf_put_u8(&name, '/');
		buf_put(&name, m.opts[i].value);
	}
	/* The name must lead back to this very path. */
	if (!topic_name_is_path(buf_bytes(&name))) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a topic name");
		return false;
	}
	if ((rc = topic_create(&c->b->topics, buf_bytes(&name), 0, &c->topic)) < 0) {
		if (rc == -ENOSPC)
			reply_busy(c->r);
		else
			reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a topic name");
		return false;
	}
	c->b->stats.created++;
	return true;
}

/* Whether the publish may run; answers it when not. */
static bool
admit_publish(struct call *c, uint32_t *ret_format)
{
	const struct broker_limits *limits = &c->b->conf.limits;
	struct msg m;

	if (!settle_format(c, ret_format)) {
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
		return false;
	}
	if (!meets_preconditions(c->r->msg, c->topic->value)) {
		request_reply_code(c->r, CODE_PRECONDITION_FAILED);
		return false;
	}
	if (limits->publish_rate > 0 &&
		!peer_spend(c->r->peer, (uint32_t)(layer_now(c->b->layer) / 1000),
			limits->publish_rate)) {
		/* coap-pubsub "Rate Limiting", RFC 8516 */
		msg_init(&m, TYPE_ACK, CODE_TOO_MANY_REQUESTS);
		(void)msg_add_uint(&m, OPT_MAX_AGE, RATE_RETRY_AFTER_S);
		request_reply(c->r, &m);
		return false;
	}
	if (c->b->topics.value_bytes + c->body.n > limits->memory) {
		reply_busy(c->r);
		return false;
	}
	return true;
}

void
data_put(struct call *c)
{
	bool is_new_topic = !c->topic, created;
	uint32_t format;
	struct msg m;

	if ((is_new_topic && !create_on_publish(c)))
		return;
	if (!admit_publish(c, &format)) {
		c->b->stats.publishes_refused++;
		/* Created by this very publish, which came to nothing. */
		if (is_new_topic)
			broker_drop_topic(c->b, c->topic);
		return;
	}
	created = !c->topic->value;
	if (!c->body.p)
		c->body = BYTES_LIT("");
	topic_set_value(&c->b->topics, c->topic, format, c->body);
	c->b->stats.publishes++;
	msg_init(&m, TYPE_ACK, created ? CODE_CREATED : CODE_CHANGED);
	block1_echo(c->r->msg, &m);
	request_reply(c->r, &m);
	broker_published(c->b, c->topic);
}

void
data_delete(struct call *c)
{
	if (!c->topic || !c->topic->value) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return;
	}
	if (!meets_preconditions(c->r->msg, c->topic->value)) {
		request_reply_code(c->r, CODE_PRECONDITION_FAILED);
		return;
	}
	request_reply_code(c->r, CODE_DELETED);
	observe_end_all(c->b, c->topic);
	topic_set_value(&c->b->topics, c->topic, BROKER_NO_FORMAT, BYTES_NONE);
}
