/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/cover.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

struct cover *
cover_new(struct layer *l, const struct request *r)
{
	struct cover *c;

	if (r->who == 0 && !request_is_protected(r))
		return NULL;
	c = mem_alloc(sizeof(*c));
	c->shield = r->shield;
	c->who = r->who;
	c->secure = request_is_protected(r);
	layer_shield_hold(l, c->shield);
	return c;
}

void
cover_free(struct layer *l, struct covers *all, struct cover *c)
{
	if (!c)
		return;
	cover_forget(all, c);
	layer_shield_release(l, c->shield);
	free(c);
}

bool
cover_matches(const struct cover *c, const struct request *r)
{
	bool secure = request_is_protected(r);

	return c ? c->secure == secure && c->who == r->who : !secure && r->who == 0;
}

int
cover_seal(struct layer *l, struct cover *c, struct outmsg *m, struct buf *room)
{
	uint8_t bytes[COVER_MAX];
	struct buf inner = BUF_OF(bytes);
	struct msg plain;
	int rc;

	buf_put_u8(&inner, m->code);
	buf_put(&inner, m->tail);
	if (inner.full || msg_decode_inner(buf_bytes(&inner), &plain) < 0)
		return -ENOBUFS;
	if ((rc = layer_protect(l, c->shield, &plain, room, &m->code)) < 0)
		return rc;
	m->tail = buf_bytes(room);
	return 0;
}

/* Instead of the one before, where there is room for it. */
static void
keep(struct cover *c, struct covers *all, uint64_t left, const struct outmsg *m, uint64_t version)
{
	left += c->n_tail;
	cover_forget(all, c);
	if (m->tail.n > left) {
		all->n_unkept++;
		return;
	}
	c->tail = mem_dup(m->tail);
	c->n_tail = (uint32_t)m->tail.n;
	c->code = m->code;
	c->version = version;
	all->bytes += c->n_tail;
}

bool
cover_seal_con(struct layer *l, struct cover *c, uint64_t version, struct covers *all,
	uint64_t left, struct outmsg *m)
{
	struct buf room = BUF_OF(all->room);

	m->renewed = !c->tail || c->version != version;
	if (m->renewed) {
		/* RFC 8613 4.1.3.5.2: other content has a Partial IV of its own, and a message id. */
		c->failed = cover_seal(l, c, m, &room);
		if (c->failed == 0)
			keep(c, all, left, m, version);
		return c->failed == 0;
	}
	m->code = c->code;
	m->tail = bytes_of(c->tail, c->n_tail);
	return true;
}

void
cover_forget(struct covers *all, struct cover *c)
{
	all->bytes -= c->n_tail;
	free(c->tail);
	c->tail = NULL;
	c->n_tail = 0;
	c->failed = 0;
}
