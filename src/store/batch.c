/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/batch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/table.h"

void
batch_init(struct batch *b)
{
	*b = (struct batch){.n = 0};
	map_init(&b->map);
}

void
batch_fini(struct batch *b)
{
	for (struct change *c = b->first, *next; c; c = next) {
		next = c->next;
		change_free(c);
	}
	map_fini(&b->map);
	*b = (struct batch){.n = 0};
}

struct change *
change_new(enum store_kind kind, bool remove, bool fact, const union store_record *record)
{
	uint8_t text[TABLE_KEY_MAX];
	struct buf key = BUF_OF(text);
	size_t n_extra = table_extra(kind, record), size;
	struct change *c;
	uint8_t *extra;

	table_key(kind, record, &key);
	size = offsetof(struct change, record) + table_of[kind].size + n_extra + key.n;
	c = mem_alloc(size);
	c->kind = kind;
	c->remove = remove;
	c->fact = fact;
	c->n_key = (uint32_t)key.n;
	c->size = size;
	extra = (uint8_t *)&c->record + table_of[kind].size;
	table_copy(kind, record, &c->record, extra);
	memcpy(extra + n_extra, key.p, key.n);
	c->node.hash = map_hash(buf_bytes(&key), (uint32_t)kind);
	return c;
}

static struct bytes
key_of(const struct change *c)
{
	return bytes_of((const uint8_t *)c + c->size - c->n_key, c->n_key);
}

struct change *
batch_find(const struct batch *b, const struct change *like)
{
	for (struct map_node *n = map_first(&b->map, like->node.hash); n; n = map_next(n)) {
		struct change *c = MAP_OBJECT(n, struct change, node);

		if (c->kind == like->kind && bytes_equal(key_of(c), key_of(like)))
			return c;
	}
	return NULL;
}

/* There is one value per topic, and topics and their values have limits of their own. */
static bool
is_bounded(const struct change *c)
{
	return c->kind != STORE_VALUE;
}

struct change *
batch_take(struct batch *b, struct change *c)
{
	map_remove(&b->map, &c->node);
	*(c->prev ? &c->prev->next : &b->first) = c->next;
	*(c->next ? &c->next->prev : &b->last) = c->prev;
	c->prev = c->next = NULL;
	b->n--;
	b->bytes -= c->size;
	if (is_bounded(c)) {
		b->n_bounded--;
		b->bytes_bounded -= c->size;
	}
	return c;
}

void
change_free(struct change *c)
{
	if (c)
		free(c->instead_of);
	free(c);
}

void
change_replace(struct change *newer, struct change *older)
{
	if (!newer->fact && older->fact) {
		newer->instead_of = older;
		return;
	}
	if (!newer->fact) {
		newer->instead_of = older->instead_of;
		older->instead_of = NULL;
	}
	change_free(older);
}

void
batch_break(struct batch *b)
{
	for (struct change *c = b->first, *next; c; c = next) {
		struct change *fact = c->instead_of;

		next = c->next;
		if (c->fact)
			continue;
		c->instead_of = NULL;
		if (fact)
			batch_put(b, fact);
		else
			change_free(batch_take(b, c));
	}
}

void
batch_put(struct batch *b, struct change *c)
{
	struct change *old = batch_find(b, c), *after = b->last;

	if (old) {
		after = old->prev;
		change_replace(c, batch_take(b, old));
	}
	c->prev = after;
	c->next = after ? after->next : b->first;
	*(after ? &after->next : &b->first) = c;
	*(c->next ? &c->next->prev : &b->last) = c;
	map_put(&b->map, &c->node, c->node.hash);
	b->n++;
	b->bytes += c->size;
	if (is_bounded(c)) {
		b->n_bounded++;
		b->bytes_bounded += c->size;
	}
}
