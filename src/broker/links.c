/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of links as answers: built once, served in blocks (RFC 6690 4, RFC 7959 2.4). */
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "wire/link.h"
#include "wire/option.h"

#define FORMAT_LINK 40
#define FIRST_SIZE 4096 /* bytes a list starts with; then it doubles */
#define ESCAPED 3 /* bytes of one of a path at most */
#define ATTRIBUTES_MAX 64 /* bytes of a link besides path and resource type */
#define KEY_MAX 4096 /* a request whose key is longer has its list built for each block */
#define SMALL (256u * 1024) /* bytes of a list that is never old */
#define OLD_MS 1000 /* what a longer one is at most, while topics come and go */

/* Everything a list depends on but the topics there are, unambiguously. */
static void
put_key(const struct call *c, struct buf *out)
{
	const struct msg *m = c->r->msg;

	/* Not everybody sees the same. */
	buf_put_u16(out, (uint16_t)(c->r->who >> 16));
	buf_put_u16(out, (uint16_t)c->r->who);
	buf_put_u8(out, m->code);
	buf_put_u16(out, (uint16_t)c->path.n);
	buf_put(out, c->path);
	for (uint8_t i = 0; i < m->n_opts; i++) {
		if (m->opts[i].number != OPT_URI_QUERY)
			continue;
		buf_put_u16(out, (uint16_t)m->opts[i].value.n);
		buf_put(out, m->opts[i].value);
	}
	/* No query is as long: what follows is the body. */
	buf_put_u16(out, UINT16_MAX);
	buf_put(out, c->body);
}

/* The list grows with what is in it: one walk over the topics, whatever their number. */
void
links_put(struct buf *out, const struct link *link)
{
	size_t need = out->n + ESCAPED * link->path.n + link->rt.n + ATTRIBUTES_MAX;

	if (need > out->cap) {
		out->cap = need > 2 * out->cap ? need : 2 * out->cap;
		out->p = mem_realloc(out->p, out->cap);
	}
	link_put(out, link);
}

static void
build(struct call *c, void (*write)(struct call *c, struct buf *out))
{
	struct links *l = &c->b->links;
	struct buf out = buf_of(mem_alloc(FIRST_SIZE), FIRST_SIZE);

	write(c, &out);
	free(l->text);
	l->text = out.p;
	l->n = out.n;
	l->generation = c->b->topics.generation;
	l->built_ms = layer_now(c->b->layer);
	topic_etag(&c->b->topics, FORMAT_LINK, buf_bytes(&out), 0, l->etag);
}

/*
 * What costs milliseconds to build is not built for each topic that comes or goes, or who
 * creates and discovers in turn keeps the broker from everything else. RFC 7252 5.10.5: an
 * answer is fresh for 60 seconds, so a part of one is no loss; and blocks stay those of one list.
 */
static bool
is_fresh(const struct call *c)
{
	const struct links *l = &c->b->links;
	uint64_t may_be_ms = l->n / 2048 < OLD_MS ? l->n / 2048 : OLD_MS;

	return l->generation == c->b->topics.generation ||
	       (l->n > SMALL && layer_now(c->b->layer) - l->built_ms < may_be_ms);
}

/* The list for this request, from the last one when it is the same. */
static void
refresh(struct call *c, void (*write)(struct call *c, struct buf *out))
{
	struct links *l = &c->b->links;
	uint8_t bytes[KEY_MAX];
	struct buf key = BUF_OF(bytes);

	put_key(c, &key);
	if (!key.full && l->key && is_fresh(c) &&
		bytes_equal(bytes_of(l->key, l->n_key), buf_bytes(&key)))
		return;
	free(l->key);
	l->key = key.full ? NULL : mem_dup(buf_bytes(&key));
	l->n_key = key.n;
	build(c, write);
}

void
links_reply(struct call *c, void (*write)(struct call *c, struct buf *out))
{
	const struct links *l = &c->b->links;
	struct msg m;

	if (reply_not_acceptable(c->r, FORMAT_LINK))
		return;
	refresh(c, write);
	/* RFC 6690 4.1: to a group, no answer is the answer. */
	if (c->r->way->multicast && l->n == 0) {
		request_ignore(c->r);
		return;
	}
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	/* RFC 7959 2.4: by it a client sees that the blocks it has are of one list. */
	(void)msg_add(&m, OPT_ETAG, BYTES_OF(l->etag));
	if (data_has_etag(c->r->msg, OPT_ETAG, BYTES_OF(l->etag))) {
		m.code = CODE_VALID;
		request_reply(c->r, &m);
		return;
	}
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, FORMAT_LINK);
	block1_echo(c->r->msg, &m);
	if (block2_answer(c->r, bytes_of(l->text, l->n), &m))
		request_reply(c->r, &m);
	else
		reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
}

void
links_fini(struct links *l)
{
	free(l->text);
	free(l->key);
	*l = (struct links){.n = 0};
}
