/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/table.h"

#include <assert.h>
#include <endian.h>

#define U32(s, m)                                     \
	{                                             \
#m, COLUMN_U32, offsetof(struct s, m) \
	}
#define U64(s, m)                                     \
	{                                             \
#m, COLUMN_U64, offsetof(struct s, m) \
	}
#define I64(s, m)                                     \
	{                                             \
#m, COLUMN_I64, offsetof(struct s, m) \
	}
#define BYTES(s, m)                                     \
	{                                               \
#m, COLUMN_BYTES, offsetof(struct s, m) \
	}
#define ADDR(s, m)                                     \
	{                                              \
#m, COLUMN_ADDR, offsetof(struct s, m) \
	}

const struct table table_of[STORE_N_KINDS] = {
	[STORE_META] = {.name = "meta",
		.size = sizeof(struct store_meta),
		.n_key = 1,
		.n = 2,
		.columns = {BYTES(store_meta, name), BYTES(store_meta, value)}},
	[STORE_TOPIC] = {.name = "topic",
		.size = sizeof(struct store_topic),
		.n_key = 1,
		.n = 11,
		.columns = {U64(store_topic, id), U32(store_topic, has), U32(store_topic, flags),
			U32(store_topic, content_format), U32(store_topic, max_subscribers),
			U32(store_topic, observer_check_s), I64(store_topic, expiration_s),
			BYTES(store_topic, name), BYTES(store_topic, path),
			BYTES(store_topic, type), BYTES(store_topic, initialize)}},
	[STORE_VALUE] = {.name = "value",
		.size = sizeof(struct store_value),
		.n_key = 1,
		.n = 5,
		.owned = true,
		.owner = STORE_TOPIC,
		.columns = {U64(store_value, topic), U32(store_value, content_format),
			U32(store_value, nth), BYTES(store_value, etag), BYTES(store_value, data)}},
	[STORE_SEQ] = {.name = "seq",
		.size = sizeof(struct store_seq),
		.n_key = 1,
		.n = 2,
		.owned = true,
		.owner = STORE_TOPIC,
		.columns = {U64(store_seq, id), U32(store_seq, bound)}},
	[STORE_GROUP] = {.name = "group_observation",
		.size = sizeof(struct store_group),
		.n_key = 1,
		.n = 19,
		.n_added = 2,
		.columns = {U64(store_group, id), U64(store_group, topic),
			I64(store_group, ending_s), U64(store_group, count_milli),
			U32(store_group, count_state), U32(store_group, flags),
			ADDR(store_group, address), ADDR(store_group, source),
			BYTES(store_group, group), BYTES(store_group, token),
			BYTES(store_group, phantom), BYTES(store_group, keys),
			BYTES(store_group, gid), BYTES(store_group, kid), BYTES(store_group, piv),
			{"initial", COLUMN_BYTES, offsetof(struct store_group, before)},
			BYTES(store_group, latest), BYTES(store_group, interface),
			U32(store_group, hops)}},
	[STORE_GROUP_SEQ] = {.name = "group_seq",
		.size = sizeof(struct store_seq),
		.n_key = 1,
		.n = 2,
		.owned = true,
		.owner = STORE_GROUP,
		.columns = {U64(store_seq, id), U32(store_seq, bound)}},
	[STORE_OBSERVER] = {.name = "observer",
		.size = sizeof(struct store_observer),
		.n_key = 3,
		.n = 8,
		.columns = {ADDR(store_observer, remote), ADDR(store_observer, local),
			BYTES(store_observer, token), U64(store_observer, topic),
			U32(store_observer, szx), U32(store_observer, flags),
			BYTES(store_observer, who), BYTES(store_observer, binding)}},
	[STORE_BOUND] = {.name = "bound",
		.size = sizeof(struct store_bound),
		.n_key = 1,
		.n = 2,
		.columns = {BYTES(store_bound, fingerprint), U64(store_bound, bound)}},
	[STORE_WINDOW] = {.name = "replay_window",
		.size = sizeof(struct store_window),
		.n_key = 1,
		.n = 3,
		.columns = {BYTES(store_window, fingerprint), U64(store_window, newest),
			U64(store_window, seen)}},
	[STORE_SECRET] = {.name = "secret",
		.size = sizeof(struct store_secret),
		.n_key = 1,
		.n = 2,
		.columns = {BYTES(store_secret, name), BYTES(store_secret, secret)}},
};

static const void *
member(const union store_record *r, const struct column *c)
{
	return (const char *)r + c->at;
}

static void
put_u32(struct buf *out, uint32_t v)
{
	buf_put_u16(out, (uint16_t)(v >> 16));
	buf_put_u16(out, (uint16_t)v);
}

static void
put_u64(struct buf *out, uint64_t v)
{
	put_u32(out, (uint32_t)(v >> 32));
	put_u32(out, (uint32_t)v);
}

void
table_put_addr(struct buf *out, const struct addr *a)
{
	buf_put_u8(out, a->family);
	buf_put_u16(out, a->port);
	put_u32(out, a->scope);
	buf_put(out, bytes_of(a->ip, sizeof(a->ip)));
}

bool
table_get_addr(struct bytes b, struct addr *ret)
{
	struct addr a = {.family = AF_UNSPEC};

	if (b.n != TABLE_ADDR_LEN)
		return false;
	a.family = b.p[0];
	a.port = (uint16_t)(b.p[1] << 8 | b.p[2]);
	a.scope = (uint32_t)b.p[3] << 24 | (uint32_t)b.p[4] << 16 | (uint32_t)b.p[5] << 8 | b.p[6];
	memcpy(a.ip, b.p + 7, sizeof(a.ip));
	*ret = a;
	return true;
}

/* A column as bytes: `b` has room for all but COLUMN_BYTES, which stay where they are. */
static struct bytes
column_bytes(const union store_record *r, const struct column *c, struct buf *b)
{
	const void *at = member(r, c);
	uint32_t u32;
	uint64_t u64;

	buf_clear(b);
	switch (c->type) {
	case COLUMN_U32:
		memcpy(&u32, at, sizeof(u32));
		put_u32(b, u32);
		break;
	case COLUMN_U64:
	case COLUMN_I64:
		memcpy(&u64, at, sizeof(u64));
		put_u64(b, u64);
		break;
	case COLUMN_ADDR:
		table_put_addr(b, at);
		break;
	case COLUMN_BYTES:
		return *(const struct bytes *)at;
	}
	return buf_bytes(b);
}

void
table_key(enum store_kind kind, const union store_record *r, struct buf *out)
{
	const struct table *t = &table_of[kind];
	uint8_t text[TABLE_ADDR_LEN];
	struct buf scratch = BUF_OF(text);

	for (size_t i = 0; i < t->n_key; i++)
		buf_put(out, column_bytes(r, &t->columns[i], &scratch));
	assert(!out->full);
}

#define SUM_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint64_t
sum_word(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * SUM_FACTOR;
	return sum ^ sum >> 32;
}

/*
 * The length, and little-endian words, the last one padded with zeros. No bytes and none at
 * all are different things.
 */
static uint64_t
sum_bytes(uint64_t sum, struct bytes b)
{
	uint64_t word;

	sum = sum_word(sum, b.p ? (uint64_t)b.n + 1 : 0);
	for (; b.n >= sizeof(word); b = bytes_from(b, sizeof(word))) {
		memcpy(&word, b.p, sizeof(word));
		sum = sum_word(sum, le64toh(word));
	}
	if (b.n == 0)
		return sum;
	word = 0;
	memcpy(&word, b.p, b.n);
	return sum_word(sum, le64toh(word));
}

/* A number is summed as the bytes that column_bytes makes of it: big-endian. */
static uint64_t
sum_column(uint64_t sum, const union store_record *r, const struct column *c)
{
	uint8_t text[TABLE_ADDR_LEN];
	struct buf scratch = BUF_OF(text);
	uint32_t u32;
	uint64_t u64;

	switch (c->type) {
	case COLUMN_U32:
		memcpy(&u32, member(r, c), sizeof(u32));
		return sum_word(sum_word(sum, sizeof(u32) + 1), le32toh(htobe32(u32)));
	case COLUMN_U64:
	case COLUMN_I64:
		memcpy(&u64, member(r, c), sizeof(u64));
		return sum_word(sum_word(sum, sizeof(u64) + 1), le64toh(htobe64(u64)));
	case COLUMN_ADDR:
	case COLUMN_BYTES:
		break;
	}
	return sum_bytes(sum, column_bytes(r, c, &scratch));
}

/* Only of the types that added columns have. */
static bool
has_nothing(const union store_record *r, const struct column *c)
{
	uint32_t u32;

	if (c->type == COLUMN_BYTES)
		return !((const struct bytes *)member(r, c))->p;
	assert(c->type == COLUMN_U32);
	memcpy(&u32, member(r, c), sizeof(u32));
	return u32 == 0;
}

uint32_t
table_sum(enum store_kind kind, const union store_record *r)
{
	const struct table *t = &table_of[kind];
	uint64_t sum = SUM_FACTOR;
	size_t n = t->n;

	while (n > t->n - t->n_added && has_nothing(r, &t->columns[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		sum = sum_column(sum, r, &t->columns[i]);
	return (uint32_t)(sum_word(sum, n) >> 32);
}

size_t
table_extra(enum store_kind kind, const union store_record *r)
{
	const struct table *t = &table_of[kind];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->columns[i].type == COLUMN_BYTES)
			n += ((const struct bytes *)member(r, &t->columns[i]))->n;
	}
	return n;
}

void
table_copy(enum store_kind kind, const union store_record *from, union store_record *to,
	uint8_t *extra)
{
	const struct table *t = &table_of[kind];

	memcpy(to, from, t->size);
	for (size_t i = 0; i < t->n; i++) {
		struct bytes *b = (struct bytes *)(void *)((char *)to + t->columns[i].at);

		if (t->columns[i].type != COLUMN_BYTES || !b->p)
			continue;
		if (b->n)
			memcpy(extra, b->p, b->n);
		b->p = extra;
		extra += b->n;
	}
}
