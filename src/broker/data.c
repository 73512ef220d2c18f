/* SPDX-License-Identifier: BSD-2-Clause */
/* Topic data: publish, read, subscribe, delete (coap-pubsub, "Topic-Data Interactions"). */
#include <errno.h>

#include "broker/park.h"
#include "broker/permit.h"
#include "wire/option.h"

#define RATE_RETRY_AFTER_S 1 /* Max-Age of a 4.29: rates are per second */

void
data_describe(const struct value *v, struct msg *m)
{
	(void)msg_add(m, OPT_ETAG, BYTES_OF(v->etag));
	if (v->content_format != BROKER_NO_FORMAT)
		(void)msg_add_uint(m, OPT_CONTENT_FORMAT, v->content_format);
}

bool
data_has_etag(const struct msg *m, uint16_t number, struct bytes etag)
{
	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number == number && bytes_equal(m->opts[i].value, etag))
			return true;
	}
	return false;
}

void
data_reply(struct call *c, struct observer *o)
{
	const struct value *v = c->topic->value;
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	if (o)
		(void)msg_add_uint(&m, OPT_OBSERVE, c->topic->seq);
	if (data_has_etag(c->r->msg, OPT_ETAG, BYTES_OF(v->etag))) {
		/* RFC 7252 5.9.1.3: a 2.03 has the ETag and no payload. */
		m.code = CODE_VALID;
		(void)msg_add(&m, OPT_ETAG, BYTES_OF(v->etag));
	} else {
		data_describe(v, &m);
		if (!block2_answer(c->r, value_bytes(v), &m)) {
			reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
			return;
		}
	}
	request_reply(c->r, &m);
	if (o && MSG_CLASS(m.code) != 2)
		/* It was told that it failed: its response could not be protected. */
		observer_remove(c->b, o);
	else if (o)
		observer_is_told(o, m.type == TYPE_NON ? m.mid : OBSERVER_NO_MID);
}

/*
 * Whether Observe counts in this request: RFC 7959 2.6, later blocks of a
 * notification are fetched without registering. Nor does a broken Block2 register.
 */
static bool
may_register(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_BLOCK2);
	struct block block;

	return !o || (block_decode(o, &block) == 0 && block.num == 0);
}

/* Whether the request may be answered with the value; answered when not. */
static bool
admit_get(struct call *c, bool registers)
{
	const struct opt *o;
	struct block block;
	bool is_rest;

	if (permit_call(c, BROKER_MAY_READ))
		return true;
	/* RFC 7959 2.6: the rest of a notification, which who subscribes may have. */
	o = msg_find(c->r->msg, OPT_BLOCK2);
	is_rest = o && block_decode(o, &block) == 0 && block.num > 0;
	if ((registers || is_rest) && permit_call(c, BROKER_MAY_SUBSCRIBE))
		return true;
	permit_refuse(c);
	return false;
}

void
data_get(struct call *c)
{
	bool counts, registers;
	uint32_t observe;

	counts = msg_uint(c->r->msg, OPT_OBSERVE, &observe) && may_register(c->r->msg);
	registers = counts && observe == 0;
	/* Who lost the right to read may leave. */
	if (counts && observe == 1 && c->topic)
		observe_deregister(c);
	if (!admit_get(c, registers))
		return;
	if (!c->topic || !c->topic->value) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return;
	}
	if (observe_announce(c))
		return;
	if (reply_not_acceptable(c->r, c->topic->value->content_format))
		return;
	if (registers && permit_call(c, BROKER_MAY_SUBSCRIBE) && observe_register(c))
		return;
	data_reply(c, NULL);
}

bool
data_meets_preconditions(const struct msg *m, struct bytes etag)
{
	if (etag.p && msg_has(m, OPT_IF_NONE_MATCH))
		return false;
	if (!msg_has(m, OPT_IF_MATCH))
		return true;
	/* The empty value is met by anything that exists. */
	return etag.p &&
	       (data_has_etag(m, OPT_IF_MATCH, etag) || data_has_etag(m, OPT_IF_MATCH, BYTES_NONE));
}

static struct bytes
etag_of(const struct value *v)
{
	return v ? BYTES_OF(v->etag) : BYTES_NONE;
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
						  : asked != now && is_observed(t))
		return false;
	*ret = asked;
	return true;
}

static int
make_topic(struct broker *b, struct bytes name)
{
	struct topic *t;

	return park_is_wanted(b) ? broker_make_topic(b, name, BROKER_NO_FORMAT, BYTES_NONE,
					   TOPIC_PUBLISHED, &t)
				 : broker_create_topic(b, name, BROKER_NO_FORMAT, BYTES_NONE);
}

/* Makes the topic that a PUT to an unknown path asks for. */
static bool
create_on_publish(struct call *c)
{
	uint8_t bytes[TOPIC_PATH_MAX];
	struct buf name = BUF_OF(bytes);
	struct topic *t;
	int rc;

	if (!c->b->conf.create_on_publish) {
		request_reply_code(c->r, CODE_NOT_FOUND);
		return false;
	}
	if (!permit_check(c, BROKER_MAY_CREATE))
		return false;
	/* Another publish may be making it. */
	t = topic_by_path(&c->b->topics, c->id);
	rc = t ? (t->coming == TOPIC_PUBLISHED ? 0 : -EAGAIN) : -EINVAL;
	if (!t && topic_name_of_path(c->id, &name))
		rc = make_topic(c->b, buf_bytes(&name));
	if (rc == 0)
		c->topic = topic_by_path(&c->b->topics, c->id);
	else if (rc == -ENOSPC || rc == -EAGAIN)
		reply_busy(c->r);
	else
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "not a topic name");
	c->b->stats.publishes_refused += rc == -ENOSPC || rc == -EAGAIN;
	return rc == 0;
}

static bool
is_conditional(const struct msg *m)
{
	return msg_has(m, OPT_IF_MATCH) || msg_has(m, OPT_IF_NONE_MATCH);
}

/* Whether the publish may run; answers it when not. */
static bool
admit_publish(struct call *c, uint32_t *ret_format)
{
	const struct broker_limits *limits = &c->b->conf.limits;
	struct msg m;

	/* What it would be held against may not come to be. */
	if (is_conditional(c->r->msg) && park_is_busy(c->topic)) {
		reply_busy(c->r);
		return false;
	}
	if (!settle_format(c, ret_format)) {
		request_reply_code(c->r, CODE_UNSUPPORTED_FORMAT);
		return false;
	}
	if (!data_meets_preconditions(c->r->msg, etag_of(c->topic->value))) {
		request_reply_code(c->r, CODE_PRECONDITION_FAILED);
		return false;
	}
	if (limits->publish_rate > 0 &&
		!peer_spend(c->r->peer, (uint32_t)(layer_now(c->b->layer) / 1000),
			limits->publish_rate)) {
		/* coap-pubsub "Rate Limiting", RFC 8516 */
		c->b->stats.refused_rate++;
		msg_init(&m, TYPE_ACK, CODE_TOO_MANY_REQUESTS);
		(void)msg_add_uint(&m, OPT_MAX_AGE, RATE_RETRY_AFTER_S);
		request_reply(c->r, &m);
		return false;
	}
	if (!broker_has_room(c->b, c->topic->value, c->body.n)) {
		reply_busy(c->r);
		return false;
	}
	return true;
}

void
data_put(struct call *c)
{
	bool is_new_topic = !c->topic, created;
	struct value *v;
	uint32_t format;
	struct msg m;

	if (is_new_topic && !create_on_publish(c))
		return;
	if (!admit_publish(c, &format)) {
		c->b->stats.publishes_refused++;
		/* Created by this very publish, which came to nothing. */
		if (is_new_topic && !park_is_busy(c->topic))
			broker_drop_topic(c->b, c->topic);
		return;
	}
	if (!c->body.p)
		c->body = BYTES_LIT("");
	v = value_new(&c->b->topics, format, c->body);
	if (park_value(c, v))
		return;
	created = !c->topic->value;
	/*
	 * RFC 7641 4.2: notifications keep their Content-Format. Another one comes only
	 * after topic-content-format was changed: who has the old one registers anew.
	 */
	if (!created && c->topic->value->content_format != format)
		observe_end_all(c->b, c->topic, CODE_NOT_ACCEPTABLE);
	topic_take_value(&c->b->topics, c->topic, v);
	broker_keep(c->b, BROKER_KEEP_VALUE, c->topic);
	broker_keep_seq(c->b, c->topic);
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
	if (is_conditional(c->r->msg) && park_is_busy(c->topic)) {
		reply_busy(c->r);
		return;
	}
	if (!data_meets_preconditions(c->r->msg, etag_of(c->topic->value))) {
		request_reply_code(c->r, CODE_PRECONDITION_FAILED);
		return;
	}
	if (park_value(c, NULL))
		return;
	request_reply_code(c->r, CODE_DELETED);
	observe_end_all(c->b, c->topic, CODE_NOT_FOUND);
	topic_set_value(&c->b->topics, c->topic, BROKER_NO_FORMAT, BYTES_NONE);
	broker_keep(c->b, BROKER_KEEP_VALUE, c->topic);
}
