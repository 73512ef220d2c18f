/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data of a group observation by other ways than the informative response, appendix A
 * of the current draft: asked for by token at the sender (A.2), and offered with the topic
 * to who accepts it as such (A.1). Who gets them does not register; the group observation
 * is promised to go on until `ending`.
 */
#include "broker/announce.h"
#include "broker/permit.h"
#include "wire/option.h"

#define OFFER_MAX 8192 /* phantom request and latest notification are two datagrams at most */

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "token=7b3c0102" */
static bool
read_token(struct bytes query, struct token *ret)
{
	const struct bytes name = BYTES_LIT("token=");
	struct token t = {0};
	int high, low;

	if (query.n < name.n || memcmp(query.p, name.p, name.n) != 0)
		return false;
	query = bytes_from(query, name.n);
	if (query.n == 0 || query.n % 2 != 0 || query.n > 2 * sizeof(t.b))
		return false;
	for (size_t i = 0; i < query.n; i += 2) {
		high = hex_digit(query.p[i]);
		low = hex_digit(query.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		t.b[t.n++] = (uint8_t)(high << 4 | low);
	}
	*ret = t;
	return true;
}

/* What the one query of the request asks for. */
static bool
asked_token(const struct msg *m, struct token *ret)
{
	const struct opt *o = msg_find(m, OPT_URI_QUERY);

	if (!o || !read_token(o->value, ret))
		return false;
	for (; o < m->opts + m->n_opts; o++) {
		if (o != msg_find(m, OPT_URI_QUERY) && o->number == OPT_URI_QUERY)
			return false;
	}
	return true;
}

/*
 * No keys, and no protected group, to who is not protected; nor the other way round. And
 * only to who might register.
 */
static bool
may_offer(const struct call *c, const struct group_observation *g)
{
	return !g->bunch->group->security == !request_is_protected(c->r) &&
	       permit_allows(c, BROKER_MAY_DISCOVER | BROKER_MAY_SUBSCRIBE, g->bunch->topic);
}

/* Towards two groups the same token may be live: that of the asker's family is the one. */
static struct group_observation *
find_by_token(const struct call *c, const struct token *token)
{
	uint32_t hash = map_hash(bytes_of(token->b, token->n), c->b->topics.seed);
	struct group_observation *found = NULL;

	for (struct map_node *n = map_first(&c->b->group_tokens, hash); n; n = map_next(n)) {
		struct group_observation *g = MAP_OBJECT(n, struct group_observation, by_token);

		if (!token_equal(&g->token, token) || g->bunch->observation != g ||
			!may_offer(c, g))
			continue;
		if (g->way.group.family == c->r->way->remote.family)
			return g;
		found = g;
	}
	return found;
}

static struct group_observation *
find_by_topic(const struct call *c)
{
	struct group_observation *found = NULL;

	for (struct bunch *bunch = c->topic->bunches; bunch; bunch = bunch->next) {
		if (!bunch->observation || !may_offer(c, bunch->observation))
			continue;
		if (bunch->group->address.family == c->r->way->remote.family)
			return bunch->observation;
		found = bunch->observation;
	}
	return found;
}

static void
reply_offer(struct call *c, struct group_observation *g)
{
	uint8_t bytes[OFFER_MAX], etag[ETAG_LEN];
	struct buf payload = BUF_OF(bytes);
	struct msg m;

	if (announce_offer(c->b, g, &payload) < 0) {
		request_reply_code(c->r, CODE_INTERNAL);
		return;
	}
	topic_etag(&c->b->topics, c->b->conf.informative_format, buf_bytes(&payload), 0, etag);
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	(void)msg_add(&m, OPT_ETAG, BYTES_OF(etag));
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, c->b->conf.informative_format);
	/* The next notification makes another one of it. */
	(void)msg_add_uint(&m, OPT_MAX_AGE, 0);
	if (block2_slice(c->r->msg, buf_bytes(&payload), &m))
		request_reply(c->r, &m);
	else
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
}

void
introspect_sender(struct call *c)
{
	struct group_observation *g;
	struct token token;

	if (!asked_token(c->r->msg, &token)) {
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "asks for token=HEX");
		return;
	}
	if (reply_not_acceptable(c->r, c->b->conf.informative_format))
		return;
	g = find_by_token(c, &token);
	if (g)
		reply_offer(c, g);
	else
		request_reply_code(c->r, CODE_NOT_FOUND);
}

void
introspect_topic(struct call *c)
{
	struct group_observation *g;
	uint32_t accept;

	if (!c->topic || !msg_uint(c->r->msg, OPT_ACCEPT, &accept) ||
		accept != c->b->conf.informative_format) {
		topic_get(c);
		return;
	}
	g = find_by_topic(c);
	if (g)
		reply_offer(c, g);
	else
		/* It has no such representation, at least now. */
		request_reply_code(c->r, CODE_NOT_ACCEPTABLE);
}
