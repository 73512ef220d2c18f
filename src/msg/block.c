/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/block.h"

#include <stdlib.h>

#include "wire/option.h"

#define FIRST_ROOM 2048 /* bytes a body starts with; then it doubles */
#define RETRY_AFTER_S 10 /* Max-Age of a 5.03 for want of bodies */
#define KEY_MAX 2048 /* of a path with its queries and tags: less than a datagram */
#define NO_FORMAT UINT32_MAX

/* A body in the making. */
struct body {
	struct map_node node;
	struct timer timer; /* when it is given up */
	struct bodies *owner;
	struct addr remote, local;
	uint8_t *key; /* see put_key; owned */
	uint8_t *data; /* owned */
	size_t n_key;
	size_t n, room; /* bytes of data there are, and there is memory for */
	uint32_t format; /* Content-Format of the first block, or NO_FORMAT */
};

struct bodies {
	struct map map;
	struct wheel *wheel;
	struct bodies_limits limits;
	struct bodies_stats stats; /* `bodies` is the map's */
	uint8_t *handed_out; /* the data of the last BODY_WHOLE, until bodies_done */
	uint32_t seed;
};

struct bodies *
bodies_new(struct wheel *wheel, const struct bodies_limits *limits, uint32_t seed)
{
	struct bodies *b = mem_alloc(sizeof(*b));

	map_init(&b->map);
	b->wheel = wheel;
	b->limits = *limits;
	b->seed = seed;
	return b;
}

static void
body_free(struct body *body)
{
	struct bodies *b = body->owner;

	wheel_stop(b->wheel, &body->timer);
	map_remove(&b->map, &body->node);
	b->stats.bytes -= body->n;
	free(body->key);
	free(body->data);
	free(body);
}

static void
forget(void *ctx, struct map_node *node)
{
	(void)ctx;
	body_free(MAP_OBJECT(node, struct body, node));
}

void
bodies_free(struct bodies *b)
{
	if (!b)
		return;
	bodies_done(b);
	map_each(&b->map, forget, NULL);
	map_fini(&b->map);
	free(b);
}

void
bodies_set_limits(struct bodies *b, const struct bodies_limits *limits)
{
	b->limits = *limits;
}

void
bodies_stats(const struct bodies *b, struct bodies_stats *ret)
{
	*ret = b->stats;
	ret->bodies = b->map.n;
}

size_t
bodies_count(const struct bodies *b)
{
	return b->map.n;
}

void
bodies_done(struct bodies *b)
{
	free(b->handed_out);
	b->handed_out = NULL;
}

/* RFC 7252 1.2: who sends is told by the security association, too: nobody goes on for another. */
static void
put_sender(const struct request *r, struct buf *out)
{
	bool is_session = r->way->transport != PATH_UDP;

	buf_put_u8(out, r->way->transport);
	buf_put_u16(out, is_session ? r->way->socket : 0);
	buf_put_u8(out, r->shield != NULL);
	buf_put_u16(out, (uint16_t)(r->who >> 16));
	buf_put_u16(out, (uint16_t)r->who);
}

/*
 * What tells two bodies of one address apart: who sends them, the method, the path, and
 * the options that RFC 7959 2.5 and RFC 9175 3.3 make part of it.
 */
static void
put_key(const struct request *r, struct bytes path, struct buf *out)
{
	const struct msg *m = r->msg;

	put_sender(r, out);
	buf_put_u8(out, m->code);
	buf_put_u16(out, (uint16_t)path.n);
	buf_put(out, path);
	for (uint8_t i = 0; i < m->n_opts; i++) {
		const struct opt *o = &m->opts[i];

		if (o->number != OPT_URI_QUERY && o->number != OPT_REQUEST_TAG)
			continue;
		buf_put_u16(out, o->number);
		buf_put_u16(out, (uint16_t)o->value.n);
		buf_put(out, o->value);
	}
}

static uint32_t
hash_of(const struct bodies *b, const struct path *way, struct bytes key)
{
	return map_hash(key, addr_hash(&way->remote, addr_hash(&way->local, b->seed)));
}

static struct body *
lookup(const struct bodies *b, const struct path *way, struct bytes key)
{
	uint32_t hash = hash_of(b, way, key);

	for (struct map_node *n = map_first(&b->map, hash); n; n = map_next(n)) {
		struct body *body = MAP_OBJECT(n, struct body, node);

		if (bytes_equal(bytes_of(body->key, body->n_key), key) &&
			addr_equal(&body->remote, &way->remote) &&
			addr_equal(&body->local, &way->local))
			return body;
	}
	return NULL;
}

static void
on_timeout(struct timer *t, void *ctx)
{
	(void)ctx;
	body_free(MAP_OBJECT(t, struct body, timer));
}

static uint32_t
format_of(const struct msg *m)
{
	uint32_t format = NO_FORMAT;

	(void)msg_uint(m, OPT_CONTENT_FORMAT, &format);
	return format;
}

static struct body *
body_new(struct bodies *b, const struct request *r, struct bytes key)
{
	struct body *body = mem_alloc(sizeof(*body));

	body->owner = b;
	body->remote = r->way->remote;
	body->local = r->way->local;
	body->key = mem_dup(key);
	body->n_key = key.n;
	body->format = format_of(r->msg);
	body->timer.fire = on_timeout;
	map_put(&b->map, &body->node, hash_of(b, r->way, key));
	return body;
}

/* Room follows what has arrived, never what was announced. */
static void
append(struct body *body, struct bytes what)
{
	size_t need = body->n + what.n;

	if (need > body->room) {
		size_t room = body->room ? body->room : FIRST_ROOM;

		while (room < need)
			room *= 2;
		body->data = mem_realloc(body->data, room);
		body->room = room;
	}
	if (what.n)
		memcpy(body->data + body->n, what.p, what.n);
	body->n = need;
	body->owner->stats.bytes += what.n;
}

static bool
has_room(const struct bodies *b, size_t n)
{
	size_t others = 0;

	for (size_t i = 0; i < sizeof(b->limits.others) / sizeof(b->limits.others[0]); i++)
		others += b->limits.others[i] ? *b->limits.others[i] : 0;
	return b->limits.memory == 0 || others + b->stats.bytes + n <= b->limits.memory;
}

static enum body_verdict
answer(struct request *r, enum msg_code code)
{
	request_reply_code(r, code);
	return BODY_ANSWERED;
}

/* RFC 7959 2.9.3: too large, and how large it may be. */
static enum body_verdict
answer_too_large(struct bodies *b, struct request *r, struct body *body, uint32_t max)
{
	struct msg m;

	b->stats.refused_payload++;
	if (body)
		body_free(body);
	msg_init(&m, TYPE_ACK, CODE_TOO_LARGE);
	(void)msg_add_uint(&m, OPT_SIZE1, max);
	request_reply(r, &m);
	return BODY_REFUSED;
}

static enum body_verdict
answer_no_room(struct request *r)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_UNAVAILABLE);
	(void)msg_add_uint(&m, OPT_MAX_AGE, RETRY_AFTER_S);
	request_reply(r, &m);
	return BODY_REFUSED;
}

/* RFC 7959 2.3: a block that is not the last one was taken. */
static enum body_verdict
answer_continue(struct request *r)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_CONTINUE);
	block1_echo(r->msg, &m);
	request_reply(r, &m);
	return BODY_ANSWERED;
}

/*
 * Whether a body so far and a block fit together (RFC 7959 2.5). Blocks are
 * counted in the size of each, so that a client may go on with smaller ones.
 */
static bool
is_next(const struct body *body, const struct block *block)
{
	return body->n == block_offset(block);
}

/* The block that was taken last, again: its 2.31 was lost. */
static bool
is_repeated(const struct body *body, const struct block *block)
{
	return block->more && body->n == block_offset(block) + block_size(block);
}

/* The body of a block's request, begun with the first block; NULL: there is none. */
static struct body *
find_body(struct bodies *b, struct request *r, const struct block *block, struct bytes path,
	bool *ret_refused)
{
	uint8_t room[KEY_MAX];
	struct buf key = BUF_OF(room);
	struct body *body;

	*ret_refused = false;
	put_key(r, path, &key);
	if (key.full)
		return NULL;
	body = lookup(b, r->way, buf_bytes(&key));
	if (block->num > 0)
		return body;
	/* RFC 7959 2.5: the first block starts anew. */
	if (body)
		body_free(body);
	if (!block->more)
		return NULL;
	if (b->map.n >= b->limits.bodies) {
		*ret_refused = true;
		return NULL;
	}
	return body_new(b, r, buf_bytes(&key));
}

static enum body_verdict
hand_out(struct bodies *b, struct body *body, struct bytes *ret_body)
{
	bodies_done(b);
	b->handed_out = body->data;
	*ret_body = bytes_of(body->data, body->n);
	body->data = NULL;
	body_free(body);
	return BODY_WHOLE;
}

static enum body_verdict
take_block(struct bodies *b, struct request *r, const struct block *block, struct bytes path,
	uint32_t max, struct bytes *ret_body)
{
	struct bytes payload = r->msg->payload;
	bool refused;
	struct body *body = find_body(b, r, block, path, &refused);

	if (block->num == 0 && !block->more) {
		*ret_body = payload;
		return BODY_WHOLE;
	}
	if (refused) {
		b->stats.refused++;
		return answer_no_room(r);
	}
	/* RFC 7959 2.9.2, 2.3: what came before is not there, or was of another kind. */
	if (!body || body->format != format_of(r->msg))
		return answer(r, CODE_INCOMPLETE);
	if (!is_next(body, block))
		return is_repeated(body, block) ? answer_continue(r) : answer(r, CODE_INCOMPLETE);
	if (body->n + payload.n > max)
		return answer_too_large(b, r, body, max);
	if (!has_room(b, payload.n)) {
		b->stats.refused_memory++;
		body_free(body);
		return answer_no_room(r);
	}
	append(body, payload);
	wheel_start(b->wheel, &body->timer, b->wheel->now_ms + BODIES_TIMEOUT_MS);
	return block->more ? answer_continue(r) : hand_out(b, body, ret_body);
}

enum body_verdict
bodies_take(struct bodies *b, struct request *r, struct bytes path, uint32_t max,
	struct bytes *ret_body)
{
	const struct opt *o = msg_find(r->msg, OPT_BLOCK1);
	struct bytes payload = r->msg->payload;
	struct block block = {0};
	uint32_t size;

	if (o && block_decode(o, &block) < 0)
		return answer(r, CODE_BAD_REQUEST);
	/* RFC 7959 2.2, 2.3: every block but the last is full, and none is more than that. */
	if (o &&
		(payload.n > block_size(&block) || (block.more && payload.n != block_size(&block))))
		return answer(r, CODE_BAD_REQUEST);
	/* RFC 7959 4: Size1 tells early what will be too large. */
	if (payload.n > max || (o && msg_uint(r->msg, OPT_SIZE1, &size) && size > max))
		return answer_too_large(b, r, NULL, max);
	if (o)
		return take_block(b, r, &block, path, max, ret_body);
	*ret_body = payload;
	return BODY_WHOLE;
}

void
block1_echo(const struct msg *request, struct msg *response)
{
	const struct opt *o = msg_find(request, OPT_BLOCK1);
	struct block block;

	if (o && block_decode(o, &block) == 0)
		(void)msg_add_uint(response, OPT_BLOCK1, block_value(&block));
}

uint8_t
block2_szx(const struct msg *request)
{
	const struct opt *o = msg_find(request, OPT_BLOCK2);
	struct block block;

	return o && block_decode(o, &block) == 0 ? block.szx : BLOCK_SZX_MAX;
}

/* The part of `whole` that a block names, with Block2, and Size2 on the first. */
static void
put_block2(struct bytes whole, struct block block, struct msg *response)
{
	struct bytes rest = bytes_from(whole, block_offset(&block));

	block.more = rest.n > block_size(&block);
	response->payload = bytes_head(rest, block_size(&block));
	(void)msg_add_uint(response, OPT_BLOCK2, block_value(&block));
	if (block.num == 0)
		(void)msg_add_uint(response, OPT_SIZE2, (uint32_t)whole.n);
}

/* In blocks of at most that size: a larger one that is asked for becomes this one (RFC 7959 2.4). */
static bool
slice(const struct msg *request, uint8_t szx_max, struct bytes whole, struct msg *response)
{
	const struct opt *o = msg_find(request, OPT_BLOCK2);
	struct block block = {.szx = szx_max};

	if (o && block_decode(o, &block) < 0)
		return false;
	if (block.szx > szx_max) {
		block.num <<= block.szx - szx_max;
		block.szx = szx_max;
	}
	if (block.num > BLOCK_MAX_NUM || (block.num > 0 && block_offset(&block) >= whole.n))
		return false;
	if (!o && whole.n <= block_size(&block))
		response->payload = whole;
	else
		put_block2(whole, block, response);
	return true;
}

bool
block2_slice(const struct msg *request, struct bytes whole, struct msg *response)
{
	return slice(request, BLOCK_SZX_MAX, whole, response);
}

bool
block2_answer(const struct request *r, struct bytes whole, struct msg *response)
{
	return slice(r->msg, r->way->multicast ? BLOCK_SZX_GROUP : BLOCK_SZX_MAX, whole, response);
}

void
block2_first(struct bytes whole, uint8_t szx, struct msg *response)
{
	struct block block = {.szx = szx};

	if (whole.n <= block_size(&block))
		response->payload = whole;
	else
		put_block2(whole, block, response);
}
