/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/pieces.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/option.h"

#define ETAG_MAX 8

struct piece_body {
	struct piece_body *next;
	struct addr from, to;
	uint8_t n_etag;
	uint8_t etag[ETAG_MAX];
	size_t n, cap;
	uint8_t *p; /* owned */
};

static void
free_body(struct piece_body *b)
{
	if (b->p)
		mem_wipe(b->p, b->cap);
	free(b->p);
	free(b);
}

void
pieces_fini(struct pieces *p)
{
	struct piece_body *b;

	while ((b = p->first) != NULL) {
		p->first = b->next;
		free_body(b);
	}
	p->n = 0;
}

static struct bytes
etag_of(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);

	return o ? bytes_head(o->value, ETAG_MAX) : BYTES_NONE;
}

/* Where it hangs, or where the list ends. */
static struct piece_body **
find(struct pieces *p, const struct addr *from, const struct addr *to, const struct msg *m)
{
	struct piece_body **at = &p->first;
	struct bytes etag = etag_of(m);

	for (; *at; at = &(*at)->next) {
		const struct piece_body *b = *at;

		if (addr_equal(&b->from, from) && addr_equal(&b->to, to) &&
			bytes_equal(bytes_of(b->etag, b->n_etag), etag))
			break;
	}
	return at;
}

bool
pieces_has(
	const struct pieces *p, const struct addr *from, const struct addr *to, const struct msg *m)
{
	struct pieces all = *p; /* nothing is changed */

	return *find(&all, from, to, m) != NULL;
}

static void
drop(struct pieces *p, struct piece_body **at)
{
	struct piece_body *b = *at;

	*at = b->next;
	p->n--;
	free_body(b);
}

static struct piece_body *
start(struct pieces *p, const struct addr *from, const struct addr *to, const struct msg *m)
{
	struct piece_body *b = mem_alloc(sizeof(*b)), **at = &p->first;
	struct bytes etag = etag_of(m);

	if (p->n == PIECES_BODIES) {
		while ((*at)->next)
			at = &(*at)->next;
		drop(p, at);
	}
	b->from = *from;
	b->to = *to;
	b->n_etag = (uint8_t)etag.n;
	if (etag.n > 0)
		memcpy(b->etag, etag.p, etag.n);
	b->next = p->first;
	p->first = b;
	p->n++;
	return b;
}

static void
append(struct piece_body *b, struct bytes block)
{
	if (b->n + block.n > b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 4096;
		uint8_t *p = mem_alloc(cap);

		/* Not realloc, which leaves the old copy behind. */
		if (b->n > 0)
			memcpy(p, b->p, b->n);
		if (b->p)
			mem_wipe(b->p, b->cap);
		free(b->p);
		b->p = p;
		b->cap = cap;
	}
	if (block.n > 0)
		memcpy(b->p + b->n, block.p, block.n);
	b->n += block.n;
}

/* A block that there can be, of a body that there is room for. */
static bool
is_sound(const struct msg *m, struct block *ret)
{
	const struct opt *o = msg_find(m, OPT_BLOCK2);

	return o && block_decode(o, ret) == 0 && m->payload.n <= block_size(ret) &&
	       (!ret->more || m->payload.n == block_size(ret)) &&
	       block_offset(ret) + m->payload.n <= PIECES_BODY;
}

/* The body that a block belongs to; NULL: those before it are missing. */
static struct piece_body *
body_for(struct pieces *p, const struct addr *from, const struct addr *to, const struct msg *m,
	const struct block *block)
{
	struct piece_body **at = find(p, from, to, m);

	if (block->num > 0)
		return *at && block_offset(block) <= (*at)->n ? *at : NULL;
	/* What comes from the start again may be of another value. */
	if (*at)
		drop(p, at);
	return start(p, from, to, m);
}

enum pieces_verdict
pieces_take(struct pieces *p, const struct addr *from, const struct addr *to, const struct msg *m,
	uint8_t **ret_body, size_t *ret_n)
{
	struct piece_body *b;
	struct block block;

	*ret_n = 0;
	if (!is_sound(m, &block) || (b = body_for(p, from, to, m, &block)) == NULL)
		return PIECES_LOST;
	/* Else it is one that was sent again. */
	if (block_offset(&block) == b->n)
		append(b, m->payload);
	*ret_n = b->n;
	if (block.more || block_offset(&block) + m->payload.n != b->n)
		return PIECES_MORE;
	*ret_body = b->p;
	b->p = NULL;
	drop(p, find(p, from, to, m));
	return PIECES_WHOLE;
}
