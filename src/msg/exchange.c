/* SPDX-License-Identifier: BSD-2-Clause */
/* Confirmable messages of a layer: RFC 7252 4.2, 4.7 and 4.8. */
#include "msg/layer_impl.h"

static void
line_append(struct line *line, struct exchange *x)
{
	x->prev_in_line = line->last;
	x->next_in_line = NULL;
	*(line->last ? &line->last->next_in_line : &line->first) = x;
	line->last = x;
	line->n++;
}

static void
line_remove(struct line *line, struct exchange *x)
{
	*(x->prev_in_line ? &x->prev_in_line->next_in_line : &line->first) = x->next_in_line;
	*(x->next_in_line ? &x->next_in_line->prev_in_line : &line->last) = x->prev_in_line;
	line->n--;
}

/* The line a peer's exchange waits in for room in the window, or is to wait in. */
static struct line *
line_of(struct layer *l, const struct exchange *x)
{
	return x->doubted ? &l->doubtful : &l->ready;
}

static void
make_ready(struct layer *l, struct exchange *x)
{
	x->ready = true;
	x->doubted = x->peer->rtt_ms == 0;
	line_append(line_of(l, x), x);
}

static void
unfresh(struct layer *l, struct exchange *x)
{
	if (x->fresh)
		line_remove(&l->fresh, x);
	x->fresh = false;
}

/* A peer may have as many waiting as the layer allows: no walk along the queue. */
static void
queue_append(struct peer *p, struct exchange *x)
{
	struct exchange *first = p->queue ? p->queue : x;

	if (p->queue)
		first->prev_in_line->next_in_line = x;
	else
		p->queue = x;
	x->prev_in_line = p->queue == x ? x : first->prev_in_line;
	x->next_in_line = NULL;
	first->prev_in_line = x;
}

static void
queue_remove(struct peer *p, struct exchange *x)
{
	struct exchange *next = x->next_in_line;

	*(p->queue == x ? &p->queue : &x->prev_in_line->next_in_line) = next;
	if (next)
		next->prev_in_line = x->prev_in_line;
	else if (p->queue)
		p->queue->prev_in_line = x->prev_in_line;
}

/* Takes an exchange out of wherever it waits; its peer's next becomes ready. */
static void
detach(struct layer *l, struct exchange *x)
{
	struct peer *p = x->peer;

	wheel_stop(&l->wheel, &x->timer);
	unfresh(l, x);
	if (x->late) {
		line_remove(&l->late, x);
		return;
	}
	if (p->active != x) {
		queue_remove(p, x);
		return;
	}
	if (x->ready)
		line_remove(line_of(l, x), x);
	p->active = p->queue;
	if (p->active) {
		queue_remove(p, p->active);
		make_ready(l, p->active);
	}
}

static void
finish(struct layer *l, struct exchange *x, enum exchange_end end)
{
	struct peer *p = x->peer;

	detach(l, x);
	x->ops->on_end(x->owner, x, end);
	pool_put(&l->exchanges, x);
	peer_unpin(&l->peers, p);
}

/*
 * A session's transport delivers it, again and again where it must, and tells only
 * when that failed, carrier_nack: until then it is as good as acknowledged.
 */
static void
hand_over(struct layer *l, struct exchange *x)
{
	l->stats.acked++;
	finish(l, x, EXCHANGE_ACKED);
}

static void
transmit(struct layer *l, struct exchange *x)
{
	struct outmsg m = {0};
	struct path way;
	struct buf *out;

	if (!x->ops->compose(x->owner, x, &m)) {
		finish(l, x, EXCHANGE_CANCELLED);
		return;
	}
	if (x->n_sent > 0 && m.renewed)
		x->mid = peer_next_mid(x->peer);
	if (x->n_sent++ > 0)
		l->stats.retransmitted++;
	else
		l->stats.con_sent++;
	wheel_start(&l->wheel, &x->timer, l->wheel.now_ms + x->timeout_ms);
	x->timeout_ms *= 2;
	peer_path(x->peer, &way);
	/* A datagram dropped here is as one lost on the way: retransmission follows. */
	if ((out = l->ops->open(l->ctx, &way)) == NULL)
		return;
	msg_put_header(out, TYPE_CON, m.code, x->mid, &m.token);
	buf_put(out, m.tail);
	if (layer_commit(l, out) && way.transport != PATH_UDP)
		hand_over(l, x);
}

/* The endpoint does not answer: nothing that waits for it will fare better. */
void
exchange_give_up(struct layer *l, struct peer *p)
{
	l->stats.timeouts++;
	peer_pin(&l->peers, p);
	/* Owners may cancel others and queue new ones meanwhile: only those of now end. */
	p->active->doomed = true;
	for (struct exchange *x = p->queue; x; x = x->next_in_line)
		x->doomed = true;
	while (p->queue && p->queue->doomed)
		finish(l, p->queue, EXCHANGE_TIMEOUT);
	if (p->active && p->active->doomed)
		finish(l, p->active, EXCHANGE_TIMEOUT);
	peer_unpin(&l->peers, p);
}

/* It leaves when its peer's others are acknowledged. */
static void
enqueue(struct layer *l, struct exchange *x)
{
	struct peer *p = x->peer;

	if (p->active) {
		queue_append(p, x);
		return;
	}
	p->active = x;
	make_ready(l, x);
}

static void
on_timer(struct timer *t, void *ctx)
{
	struct exchange *x = MAP_OBJECT(t, struct exchange, timer);
	struct layer *l = ctx;

	if (x->late) {
		line_remove(&l->late, x);
		x->late = false;
		enqueue(l, x);
		return;
	}
	unfresh(l, x);
	if (x->n_sent > LAYER_MAX_RETRANSMIT)
		exchange_give_up(l, x->peer);
	else
		transmit(l, x);
}

static void
start(struct layer *l, struct exchange *x)
{
	uint32_t random;

	/* RFC 7252 4.2: between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR. */
	l->ops->random(l->ctx, &random, sizeof(random));
	x->timeout_ms = LAYER_ACK_TIMEOUT_MS + random % (LAYER_ACK_TIMEOUT_MS / 2 + 1);
	x->mid = peer_next_mid(x->peer);
	x->sent_ms = l->wheel.now_ms;
	x->fresh = true;
	line_append(&l->fresh, x);
	transmit(l, x);
}

struct exchange *
layer_send_con_after(struct layer *l, struct peer *p, const struct exchange_ops *ops, void *owner,
	uint32_t delay_ms)
{
	struct exchange *x;

	if (l->exchanges.n_used >= l->limits.exchanges) {
		l->stats.refused_exchanges++;
		return NULL;
	}
	x = pool_get(&l->exchanges);
	x->ops = ops;
	x->owner = owner;
	x->peer = p;
	x->timer.fire = on_timer;
	peer_pin(&l->peers, p);
	if (delay_ms > 0) {
		x->late = true;
		line_append(&l->late, x);
		wheel_start(&l->wheel, &x->timer, l->wheel.now_ms + delay_ms);
	} else {
		enqueue(l, x);
	}
	return x;
}

struct exchange *
layer_send_con(struct layer *l, struct peer *p, const struct exchange_ops *ops, void *owner)
{
	return layer_send_con_after(l, p, ops, owner, 0);
}

void
layer_cancel(struct layer *l, struct exchange *x)
{
	finish(l, x, EXCHANGE_CANCELLED);
}

/* Those not acknowledged for a while no longer hold the others up. */
static void
expire_fresh(struct layer *l)
{
	while (l->fresh.first && l->wheel.now_ms - l->fresh.first->sent_ms >= LAYER_FRESH_MS)
		unfresh(l, l->fresh.first);
}

/*
 * Who is next: a flood of peers that do not answer, each of which fills the window for a
 * while, must not hold up those who do.
 */
static struct exchange *
next_ready(struct layer *l)
{
	l->doubted = l->doubtful.first && (!l->doubted || !l->ready.first);
	return l->doubted ? l->doubtful.first : l->ready.first;
}

void
layer_flush(struct layer *l)
{
	struct exchange *x;

	expire_fresh(l);
	while (l->fresh.n < LAYER_WINDOW && (x = next_ready(l)) != NULL) {
		line_remove(line_of(l, x), x);
		x->ready = false;
		start(l, x);
	}
}

bool
exchange_settle(struct layer *l, struct peer *p, uint16_t mid, enum exchange_end end)
{
	struct exchange *x = p->active;

	if (!x || x->n_sent == 0 || x->mid != mid)
		return false;
	if (end == EXCHANGE_ACKED)
		l->stats.acked++;
	/* Of one that was sent again nobody knows which of the two was acknowledged. */
	if (end == EXCHANGE_ACKED && x->n_sent == 1)
		peer_time(p, l->wheel.now_ms - x->sent_ms, l->wheel.now_ms);
	finish(l, x, end);
	return true;
}

static void
end_peer(void *ctx, struct map_node *node)
{
	struct peer *p = MAP_OBJECT(node, struct peer, node);

	while (p->active)
		finish(ctx, p->active, EXCHANGE_CANCELLED);
}

void
layer_cancel_all(struct layer *l)
{
	/* Whoever answers an end with a new exchange would keep this going. */
	l->limits.exchanges = 0;
	while (l->late.first)
		finish(l, l->late.first, EXCHANGE_CANCELLED);
	map_each(&l->peers.map, end_peer, l);
}
