/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/announce.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/broker_impl.h"
#include "wire/option.h"

#define FORMAT_CBOR 60
#define REPLY_OVERHEAD (4 + 8) /* header and the longest token before the tail of a 5.03 */
/* ETag, Content-Format, Max-Age, Block2, Size2 and marker of one in blocks, at their longest. */
#define BLOCK_OVERHEAD (9 + 3 + 2 + 4 + 5 + 1)
#define KEYS_STALE_MS 60000 /* an informative response with keys is older: made anew */
#define KEYS_OVERHEAD 4608 /* credentials and the like of Group OSCORE */
#define MAP_OVERHEAD 256 /* of the map, beside phantom request, notification, value and keys */

/* What may be left out of an informative response. */
struct shape {
	bool seed; /* with the seed's keys, next to the current ones */
	bool latest; /* with last_notif, res */
	bool times; /* with next_not_before, ending */
};

/* The map, without what it says of values but with the phantom request, `ph_req` holding that. */
static int
describe(const struct group_observation *g, unsigned generations, struct buf *ph_req,
	struct inform *ret)
{
	struct msg m;

	*ret = (struct inform){.generations = generations,
		.server = g->way.source,
		.client = g->way.group,
		.token = g->token,
		.registr = bytes_of(g->phantom, g->n_phantom),
		.has_ending = timer_is_on(&g->end),
		.ending_s = g->ending_s};
	if (msg_decode(ret->registr, &m) != MSG_OK || msg_encode_inner(&m, ph_req) < 0)
		return -ENOBUFS;
	ret->ph_req = buf_bytes(ph_req);
	if (g->bunch->group->security)
		g->broker->ops->group_inform(g->broker->ctx, g->bunch->group, ret);
	return 0;
}

int
announce_offer(struct broker *b, struct group_observation *g, struct buf *out)
{
	uint8_t inner[GROUP_DATAGRAM_MAX];
	struct buf ph_req = BUF_OF(inner);
	struct inform in;
	int rc;

	if (!timer_is_on(&g->end)) {
		wheel_start(layer_wheel(b->layer), &g->end,
			layer_now(b->layer) + GROUP_OFFERED_S * 1000ull);
		g->ending_s = b->ops->wall_s(b->ctx) + GROUP_OFFERED_S;
		/* Informative responses say it, too. */
		group_forget_inform(g);
	}
	if ((rc = describe(g, INFORM_CURRENT, &ph_req, &in)) < 0)
		return rc;
	in.last_notif = bytes_of(g->latest, g->n_latest);
	return inform_encode(&in, out);
}

int
announce_keys(const struct group_observation *g, bool latest, struct buf *out)
{
	uint8_t inner[GROUP_DATAGRAM_MAX];
	struct buf ph_req = BUF_OF(inner);
	struct inform in;
	int rc;

	if ((rc = describe(g, INFORM_CURRENT, &ph_req, &in)) < 0)
		return rc;
	/* "MAY omit": where the notifications go is as it was. */
	in.server = in.client = (struct addr){.family = AF_UNSPEC};
	in.has_ending = false;
	if (latest)
		in.last_notif = bytes_of(g->latest, g->n_latest);
	return inform_encode(&in, out);
}

/* Keys may have been in it. */
static void
wipe(const struct group_observation *g, void *p, size_t n)
{
	if (g->bunch->group->security)
		mem_wipe(p, n);
}

static unsigned
generations_of(const struct group_observation *g, const struct shape *shape)
{
	unsigned all = g->bunch->group->generations;

	return !shape->seed && all & INFORM_CURRENT ? INFORM_CURRENT : all;
}

static int
encode_map(const struct group_observation *g, const struct shape *shape, struct buf *out)
{
	uint8_t inner[GROUP_DATAGRAM_MAX];
	struct buf ph_req = BUF_OF(inner);
	struct inform in;
	int rc;

	if ((rc = describe(g, generations_of(g, shape), &ph_req, &in)) < 0)
		return rc;
	in.has_ending = in.has_ending && shape->times;
	in.has_next_not_before = g->inform_wait_s > 0 && shape->times;
	in.next_not_before_s = g->inform_wait_s;
	if (shape->latest) {
		in.last_notif = bytes_of(g->latest, g->n_latest);
		in.res = value_bytes(g->bunch->topic->value);
	}
	return inform_encode(&in, out);
}

static uint16_t
format_of(const struct broker *b, const struct group_observation *g, const struct shape *shape)
{
	return generations_of(g, shape) == INFORM_SEED ? FORMAT_CBOR : b->conf.informative_format;
}

/* One try at the whole of it: what is asked for, if it fits. */
static bool
encode_whole(const struct broker *b, const struct group_observation *g, const struct shape *shape,
	struct buf *out)
{
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf payload = BUF_OF(bytes);
	struct msg m;

	if (encode_map(g, shape, &payload) < 0)
		return false;
	msg_init(&m, TYPE_CON, CODE_UNAVAILABLE);
	(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, format_of(b, g, shape));
	(void)msg_add_uint(&m, OPT_MAX_AGE, 0);
	m.payload = buf_bytes(&payload);
	buf_clear(out);
	msg_put_tail(&m, out);
	wipe(g, bytes, sizeof(bytes));
	return !out->full && out->n + REPLY_OVERHEAD + g->bunch->group->overhead <=
				     group_datagram(g->bunch->group);
}

/*
 * What is sent in blocks, which the documents say nothing of. In the current form only
 * what stays the same while the group observation lives, so that every block ever sent
 * fits the others. The seed's MUST have `res`: there a publish makes another one of it.
 */
static const struct shape *
block_shape(const struct group_observation *g)
{
	static const struct shape current = {false, false, false}, seed = {true, true, false};

	return g->bunch->group->generations & INFORM_CURRENT ? &current : &seed;
}

static size_t
cap_of(const struct group_observation *g)
{
	return 2 * (size_t)g->n_phantom + g->bunch->topic->value->n + MAP_OVERHEAD +
	       (g->bunch->group->security ? KEYS_OVERHEAD : 0);
}

static void
free_blocks(const struct group_observation *g, uint8_t *p)
{
	if (p)
		wipe(g, p, cap_of(g));
	free(p);
}

/* The map that is sent in blocks, in memory for free_blocks, and its ETag. */
static uint8_t *
make_blocks(const struct broker *b, const struct group_observation *g, struct bytes *ret_map,
	uint8_t ret_etag[ETAG_LEN])
{
	const struct shape *shape = block_shape(g);
	size_t cap = cap_of(g);
	uint8_t *p = mem_alloc(cap);
	struct buf out = buf_of(p, cap);

	if (encode_map(g, shape, &out) < 0) {
		free_blocks(g, p);
		return NULL;
	}
	*ret_map = buf_bytes(&out);
	topic_etag(&b->topics, format_of(b, g, shape), *ret_map, 0, ret_etag);
	return p;
}

static void
add_options(const struct broker *b, const struct group_observation *g, const uint8_t etag[ETAG_LEN],
	struct msg *m)
{
	(void)msg_add(m, OPT_ETAG, bytes_of(etag, ETAG_LEN));
	(void)msg_add_uint(m, OPT_CONTENT_FORMAT, format_of(b, g, block_shape(g)));
	(void)msg_add_uint(m, OPT_MAX_AGE, 0);
}

/* The first block; the rest is asked for, see announce_block. */
static bool
encode_first(const struct broker *b, const struct group_observation *g, struct buf *out)
{
	size_t spent = REPLY_OVERHEAD + BLOCK_OVERHEAD + g->bunch->group->overhead;
	size_t limit = group_datagram(g->bunch->group), room = limit > spent ? limit - spent : 0;
	uint8_t szx = BLOCK_SZX_MAX, etag[ETAG_LEN], *p;
	struct bytes map;
	struct msg m;

	while (szx > 0 && BLOCK_SIZE(szx) > room)
		szx--;
	if (BLOCK_SIZE(szx) > room || (p = make_blocks(b, g, &map, etag)) == NULL)
		return false;
	msg_init(&m, TYPE_CON, CODE_UNAVAILABLE);
	add_options(b, g, etag, &m);
	block2_first(map, szx, &m);
	buf_clear(out);
	msg_put_tail(&m, out);
	free_blocks(g, p);
	return !out->full;
}

/*
 * wire.md: what is too large for the datagram goes without the seed's keys, then without
 * last_notif. The seed's own MUST have the value (section 2): it goes in blocks at once.
 */
static bool
encode(const struct broker *b, const struct group_observation *g, struct buf *out)
{
	static const struct shape shapes[] = {{true, true, true}, {false, true, true},
		{false, false, true}, {false, false, false}};
	bool current = g->bunch->group->generations & INFORM_CURRENT;
	size_t n = current ? sizeof(shapes) / sizeof(shapes[0]) : 1;

	for (size_t i = 0; i < n; i++) {
		if (encode_whole(b, g, &shapes[i], out))
			return true;
	}
	return encode_first(b, g, out);
}

/* How long its keys live is told as it is. */
static bool
is_stale(const struct broker *b, const struct group_observation *g)
{
	return g->bunch->group->security && layer_now(b->layer) - g->inform_ms >= KEYS_STALE_MS;
}

struct bytes
announce_tail(struct broker *b, struct group_observation *g)
{
	uint8_t bytes[GROUP_DATAGRAM_MAX];
	struct buf out = BUF_OF(bytes);
	uint32_t wait_s = (uint32_t)(group_pace_ms(b, g) / 1000);

	if (!g->inform || g->inform_wait_s != wait_s || is_stale(b, g)) {
		/* "next_not_before": whole seconds that will pass at least. */
		g->inform_wait_s = wait_s;
		g->inform_ms = layer_now(b->layer);
		group_forget_inform(g);
		/* One that was resumed, before it could protect. */
		if (g->n_latest == 0)
			(void)group_compose_again(g);
		if (!encode(b, g, &out))
			return BYTES_NONE;
		g->inform = mem_dup(buf_bytes(&out));
		g->n_inform = (uint32_t)out.n;
		g->n_informs++;
		wipe(g, bytes, sizeof(bytes));
	}
	return bytes_of(g->inform, g->n_inform);
}

bool
announce_is_asked(const struct call *c)
{
	const struct msg *m = c->r->msg;
	const struct opt *o = msg_find(m, OPT_BLOCK2);
	struct block block;

	return o && block_decode(o, &block) == 0 && block.num > 0 && msg_has(m, OPT_ETAG) &&
	       !msg_has(m, OPT_OBSERVE) && !c->r->way->multicast && !c->phantom;
}

bool
announce_block(struct call *c, struct group_observation *g)
{
	uint8_t etag[ETAG_LEN];
	struct bytes map;
	struct msg m;
	uint8_t *p = make_blocks(c->b, g, &map, etag);
	bool ours = p && data_has_etag(c->r->msg, OPT_ETAG, BYTES_OF(etag));

	if (ours) {
		msg_init(&m, TYPE_ACK, CODE_UNAVAILABLE);
		add_options(c->b, g, etag, &m);
		if (block2_slice(c->r->msg, map, &m))
			request_reply(c->r, &m);
		else
			reply_diagnostic(c->r, CODE_BAD_REQUEST, "no such block");
	}
	free_blocks(g, p);
	return ours;
}
