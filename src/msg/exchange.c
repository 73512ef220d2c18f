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

static void
unfresh(struct layer *l, struct exchange *x)
{
	if (x->fresh)
		line_remove(&l->lanes[x->lane].fresh, x);
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

/* It is the first of its peer: it leaves when its lane's window has room. */
static void
make_ready(struct layer *l, struct exchange *x)
{
	x->peer->active = x;
	x->ready = true;
	x->lane = x->peer->heard ? LANE_HEARD : LANE_UNHEARD;
	x->sent_ms = l->wheel.now_ms;
	line_append(&l->lanes[x->lane].ready, x);
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
		line_remove(&l->lanes[x->lane].ready, x);
	p->active = NULL;
	if (p->queue) {
		x = p->queue;
		queue_remove(p, x);
		make_ready(l, x);
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
	if (x->n_sent++ > 0) {
		l->stats.retransmitted++;
		x->peer->heard = false;
	} else {
		l->stats.con_sent++;
	}
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

/* Nothing that waits for that endpoint will fare better. */
static void
give_up(struct layer *l, struct peer *p)
{
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

void
exchange_give_up(struct layer *l, struct peer *p)
{
	l->stats.timeouts++;
	give_up(l, p);
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
	line_append(&l->lanes[x->lane].fresh, x);
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
expire_fresh(struct layer *l, struct lane *lane)
{
	while (lane->fresh.first && l->wheel.now_ms - lane->fresh.first->sent_ms >= LAYER_FRESH_MS)
		unfresh(l, lane->fresh.first);
}

static bool
is_crowded(const struct layer *l)
{
	const struct exchange *first = l->lanes[LANE_UNHEARD].ready.first;

	return first && l->wheel.now_ms - first->sent_ms > LAYER_PATIENCE_MS;
}

/*
 * Where many who never answer wait, most of them were never there: who came last goes
 * first then, since somebody may still be waiting for that.
 */
static struct exchange *
next_ready(const struct layer *l, enum lane_of which)
{
	const struct line *ready = &l->lanes[which].ready;

	return which == LANE_UNHEARD && is_crowded(l) ? ready->last : ready->first;
}

static void
flush_lane(struct layer *l, enum lane_of which)
{
	struct lane *lane = &l->lanes[which];

	expire_fresh(l, lane);
	while (lane->ready.first && lane->fresh.n < LAYER_WINDOW) {
		struct exchange *x = next_ready(l, which);

		line_remove(&lane->ready, x);
		x->ready = false;
		start(l, x);
	}
}

/* An eighth of all exchanges is not for those whom nobody ever heard of. */
static void
crowd_out(struct layer *l)
{
	size_t most = l->limits.exchanges - l->limits.exchanges / 8;
	struct line *ready = &l->lanes[LANE_UNHEARD].ready;

	if (is_crowded(l) && l->ops->on_crowd)
		l->ops->on_crowd(l->ctx, ready->n);
	while (l->exchanges.n_used > most && is_crowded(l)) {
		l->stats.crowded_out++;
		give_up(l, ready->first->peer);
	}
}

void
layer_flush(struct layer *l)
{
	flush_lane(l, LANE_HEARD);
	flush_lane(l, LANE_UNHEARD);
	crowd_out(l);
}

uint64_t
exchange_next(const struct layer *l)
{
	uint64_t next = WHEEL_NEVER;

	for (unsigned i = 0; i < N_LANES; i++) {
		const struct lane *lane = &l->lanes[i];

		if (!lane->ready.first)
			continue;
		if (lane->fresh.n < LAYER_WINDOW)
			return l->wheel.now_ms;
		/* What is ready waits for the window, whose oldest leaves it by time. */
		if (lane->fresh.first->sent_ms + LAYER_FRESH_MS < next)
			next = lane->fresh.first->sent_ms + LAYER_FRESH_MS;
	}
	return next;
}

bool
exchange_settle(struct layer *l, struct peer *p, uint16_t mid, enum exchange_end end)
{
	struct exchange *x = p->active;

	if (!x || x->n_sent == 0 || x->mid != mid)
		return false;
	if (end == EXCHANGE_ACKED)
		l->stats.acked++;
	p->heard = end == EXCHANGE_ACKED && x->n_sent == 1;
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
