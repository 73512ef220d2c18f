/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/later.h"

#include <stdlib.h>

#include "msg/layer_impl.h"
#include "wire/option.h"

#define TAIL_MAX 2048

struct later {
	struct map_node node; /* by way and message id */
	struct timer timer; /* until the empty ACK */
	struct layer *layer;
	struct peer *peer; /* pinned */
	struct path way;
	struct shield *shield; /* held */
	struct token token;
	uint32_t who;
	uint32_t no_response;
	uint16_t mid;
	uint8_t type, method;
	enum memory memory;
	bool restrained; /* No-Response was there */
	bool acked; /* what follows is separate */
	uint8_t code; /* of the separate answer */
	size_t n_tail;
	uint8_t *tail;
};

static uint32_t
hash_of(const struct layer *l, const struct path *way, uint16_t mid)
{
	return addr_hash(&way->remote, addr_hash(&way->local, l->peers.seed ^ mid));
}

static void
send_ack(struct later *w)
{
	static const struct token none = {0};
	struct layer *l = w->layer;
	struct buf *out;

	w->acked = true;
	wheel_stop(&l->wheel, &w->timer);
	if ((out = l->ops->open(l->ctx, &w->way)) == NULL)
		return;
	msg_put_header(out, TYPE_ACK, CODE_EMPTY, w->mid, &none);
	(void)layer_commit(l, out);
}

static void
on_timer(struct timer *t, void *ctx)
{
	(void)ctx;
	send_ack(MAP_OBJECT(t, struct later, timer));
}

struct later *
later_new(struct request *r)
{
	struct layer *l = r->layer;
	struct later *w;

	if (l->laters.n >= l->limits.exchanges) {
		l->stats.refused_exchanges++;
		return NULL;
	}
	w = mem_alloc(sizeof(*w));
	w->timer.fire = on_timer;
	w->layer = l;
	w->peer = r->peer;
	w->way = *r->way;
	w->shield = r->shield;
	w->token = r->msg->token;
	w->who = r->who;
	w->restrained = msg_uint(r->msg, OPT_NO_RESPONSE, &w->no_response);
	w->mid = r->msg->mid;
	w->type = r->msg->type;
	w->method = r->msg->code;
	w->memory = r->memory;
	peer_pin(&l->peers, w->peer);
	layer_shield_hold(l, w->shield);
	map_put(&l->laters, &w->node, hash_of(l, &w->way, w->mid));
	/* Its duplicates get the empty ACK from here on. */
	if (w->memory == MEMORY_RECENT)
		peer_remember(w->peer, w->mid, CODE_EMPTY, (uint32_t)(l->wheel.now_ms / 1000));
	r->answered = true;
	if (w->type == TYPE_CON && !path_is_reliable(&w->way))
		wheel_start(&l->wheel, &w->timer, l->wheel.now_ms + LATER_ACK_MS);
	return w;
}

void
later_repeated(struct layer *l, const struct path *way, uint16_t mid)
{
	struct map_node *n = l->laters.n > 0 ? map_first(&l->laters, hash_of(l, way, mid)) : NULL;

	for (; n; n = map_next(n)) {
		struct later *w = MAP_OBJECT(n, struct later, node);

		if (w->mid != mid || !addr_equal(&w->way.remote, &way->remote) ||
			!addr_equal(&w->way.local, &way->local))
			continue;
		/* An ACK was sent: no other one follows. */
		w->acked = true;
		wheel_stop(&l->wheel, &w->timer);
		return;
	}
}

/* No longer a request that waits. */
static void
settle(struct later *w)
{
	wheel_stop(&w->layer->wheel, &w->timer);
	map_remove(&w->layer->laters, &w->node);
}

static void
dispose(struct later *w)
{
	layer_shield_release(w->layer, w->shield);
	peer_unpin(&w->layer->peers, w->peer);
	free(w->tail);
	free(w);
}

void
later_drop(struct later *w)
{
	settle(w);
	dispose(w);
}

/* The request as it came, as far as an answer needs it; `m` becomes its message. */
static void
rebuild(const struct later *w, struct msg *m, struct request *ret)
{
	msg_init(m, (enum msg_type)w->type, (enum msg_code)w->method);
	m->mid = w->mid;
	m->token = w->token;
	if (w->restrained)
		(void)msg_add_uint(m, OPT_NO_RESPONSE, w->no_response);
	*ret = (struct request){.layer = w->layer,
		.peer = w->peer,
		.way = &w->way,
		.msg = m,
		.shield = w->shield,
		.who = w->who,
		.memory = w->memory};
}

static bool
compose(void *owner, struct exchange *x, struct outmsg *ret)
{
	const struct later *w = owner;

	(void)x;
	ret->code = w->code;
	ret->token = w->token;
	ret->tail = bytes_of(w->tail, w->n_tail);
	return true;
}

static void
on_end(void *owner, struct exchange *x, enum exchange_end end)
{
	(void)x;
	(void)end;
	dispose(owner);
}

static bool
encode(struct later *w, struct msg *response)
{
	uint8_t bytes[TAIL_MAX];
	struct buf tail = BUF_OF(bytes);

	w->code = response->code;
	if (!w->shield)
		msg_put_tail(response, &tail);
	else if (layer_protect(w->layer, w->shield, response, &tail, &w->code) < 0)
		return false;
	if (tail.full)
		return false;
	w->tail = mem_dup(buf_bytes(&tail));
	w->n_tail = tail.n;
	return true;
}

/* RFC 7252 5.2.2: a confirmable message of its own. */
static void
reply_separately(struct later *w, const struct request *r, struct msg *response)
{
	static const struct exchange_ops ops = {.compose = compose, .on_end = on_end};
	struct outmsg m;
	uint16_t mid;

	response->token = w->token;
	if (!request_wants(r, response->code) || !encode(w, response)) {
		dispose(w);
		return;
	}
	if (layer_send_con(w->layer, w->peer, &ops, w))
		return;
	/* There is no room to wait for its ACK. */
	m = (struct outmsg){
		.code = w->code, .token = w->token, .tail = bytes_of(w->tail, w->n_tail)};
	(void)layer_send_non(w->layer, w->peer, &m, &mid);
	dispose(w);
}

void
later_reply(struct later *w, struct msg *response)
{
	struct request r;
	struct msg m;

	rebuild(w, &m, &r);
	settle(w);
	if (w->acked) {
		reply_separately(w, &r, response);
		return;
	}
	request_reply(&r, response);
	dispose(w);
}
