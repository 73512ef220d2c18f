/* SPDX-License-Identifier: BSD-2-Clause */
/* /.well-known/core: RFC 6690 section 4, coap-pubsub "Discovery", gp-obs of the current draft's section 6. */
#include "broker/permit.h"
#include "broker/settings.h"

#define FORMAT_LINK 40

struct walk {
	const struct call *c;
	struct buf *out;
};

bool
discover_matches(const struct msg *request, const struct link *link)
{
	for (uint8_t i = 0; i < request->n_opts; i++) {
		if (request->opts[i].number == OPT_URI_QUERY &&
			!link_matches(link, request->opts[i].value))
			return false;
	}
	return true;
}

/* Only of data is the Content-Format told: that of the others follows from their type. */
static void
offer(const struct walk *w, const struct link *link)
{
	struct link shown = *link;

	if (!discover_matches(w->c->r->msg, link))
		return;
	if (!(link->flags & LINK_OBS))
		shown.ct = LINK_NO_CT;
	links_put(w->out, &shown);
}

/* Whether a topic's observers might be moved into some group observation. */
static bool
may_be_grouped(const struct broker *b, const struct topic *t)
{
	if (settings_has(t, PROPS_MAX_SUBSCRIBERS))
		return false;
	for (size_t i = 0; i < b->conf.n_groups; i++) {
		const struct broker_group *g = &b->conf.groups[i];

		for (size_t k = 0; k < g->n_patterns; k++) {
			if (pattern_matches(g->patterns[k], bytes_str(t->name)))
				return true;
		}
	}
	return false;
}

/* RFC 8613 section 9, oscore-groupcomm section 11: what a link to its data tells of security. */
static unsigned
protection_of(const struct broker *b, const struct topic *t)
{
	static const unsigned ways[] = {
		BROKER_MAY_READ, BROKER_MAY_SUBSCRIBE, BROKER_MAY_PUBLISH, BROKER_MAY_DELETE};

	if (b->conf.protection == 0 || b->conf.is_closed)
		return b->conf.protection;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!b->ops->may || b->ops->may(b->ctx, 0, ways[i], bytes_str(t->name)))
			return 0;
	}
	return b->conf.protection;
}

void
discover_link(const struct broker *b, const struct topic *t, bool data, struct buf *path,
	struct link *ret)
{
	buf_clear(path);
	buf_put_str(path, b->conf.collection);
	if (data)
		buf_put_str(path, "/data");
	buf_put_str(path, t->path);
	*ret = (struct link){.path = buf_bytes(path),
		.rt = BYTES_LIT("core.ps.conf"),
		.ct = b->conf.topic_format};
	if (!data)
		return;
	ret->rt = BYTES_LIT("core.ps.data");
	ret->flags = LINK_OBS | (may_be_grouped(b, t) ? LINK_GP_OBS : 0) | protection_of(b, t);
	ret->ct = LINK_NO_CT;
	if (t->value && t->value->content_format != BROKER_NO_FORMAT)
		ret->ct = (int)t->value->content_format;
}

static void
offer_topic(void *ctx, struct map_node *node)
{
	const struct topic *t = MAP_OBJECT(node, struct topic, by_path);
	const struct walk *w = ctx;
	uint8_t bytes[TOPIC_DATA_PATH_MAX];
	struct buf path = BUF_OF(bytes);
	struct link link;

	if (t->coming != TOPIC_HERE || !permit_allows(w->c, BROKER_MAY_DISCOVER, t))
		return;
	discover_link(w->c->b, t, false, &path, &link);
	offer(w, &link);
	if (!t->value)
		return;
	discover_link(w->c->b, t, true, &path, &link);
	offer(w, &link);
}

/* The broker, and where its topics are. */
static void
write_root(struct call *c, struct buf *out)
{
	struct walk w = {.c = c, .out = out};
	struct link broker = {.path = BYTES_LIT("/"), .rt = BYTES_LIT("core.ps"), .ct = LINK_NO_CT};
	struct link collection = {.path = bytes_str(c->b->conf.collection),
		.rt = BYTES_LIT("core.ps.coll"),
		.ct = FORMAT_LINK};

	offer(&w, &broker);
	offer(&w, &collection);
}

static void
write_core(struct call *c, struct buf *out)
{
	struct walk w = {.c = c, .out = out};

	write_root(c, out);
	map_each(&c->b->topics.by_path, offer_topic, &w);
}

/* What the link to the broker leads to. */
void
discover_root(struct call *c)
{
	links_reply(c, write_root);
}

void
discover_get(struct call *c)
{
	links_reply(c, write_core);
}
