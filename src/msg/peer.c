/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/peer.h"

#include <stdlib.h>

#define INTERVAL_MS 3000 /* between NONs when the round-trip time is not known */
#define RTT_MAX_MS 30000
#define UNICAST_MID_MASK 0x7fff /* the upper half is for multicast notifications */

void
peer_table_init(struct peer_table *t, uint32_t max, uint32_t seed)
{
	*t = (struct peer_table){.max = max, .seed = seed};
	map_init(&t->map);
	map_init(&t->locals);
	pool_init(&t->pool, sizeof(struct peer));
}

static void
forget(void *ctx, struct map_node *node)
{
	(void)ctx;
	free(MAP_OBJECT(node, struct peer, node)->recent);
}

static void
forget_local(void *ctx, struct map_node *node)
{
	(void)ctx;
	free(MAP_OBJECT(node, struct local, node));
}

void
peer_table_fini(struct peer_table *t)
{
	map_each(&t->map, forget, NULL);
	map_each(&t->locals, forget_local, NULL);
	map_fini(&t->map);
	map_fini(&t->locals);
	pool_fini(&t->pool);
}

static void
lru_remove(struct peer_table *t, struct peer *p)
{
	*(p->lru_prev ? &p->lru_prev->lru_next : &t->lru_first) = p->lru_next;
	*(p->lru_next ? &p->lru_next->lru_prev : &t->lru_last) = p->lru_prev;
	p->lru_prev = p->lru_next = NULL;
}

static void
lru_append(struct peer_table *t, struct peer *p)
{
	p->lru_prev = t->lru_last;
	p->lru_next = NULL;
	*(t->lru_last ? &t->lru_last->lru_next : &t->lru_first) = p;
	t->lru_last = p;
}

static uint32_t
hash_of(const struct peer_table *t, const struct path *way)
{
	return addr_hash(&way->remote, addr_hash(&way->local, t->seed));
}

static struct local *
local_find(const struct peer_table *t, const struct path *way, uint32_t hash)
{
	for (struct map_node *n = map_first(&t->locals, hash); n; n = map_next(n)) {
		struct local *l = MAP_OBJECT(n, struct local, node);

		if (l->socket == way->socket && l->transport == way->transport &&
			l->ifindex == way->ifindex && addr_equal(&l->addr, &way->local))
			return l;
	}
	return NULL;
}

static struct local *
local_get(struct peer_table *t, const struct path *way)
{
	uint32_t hash = addr_hash(&way->local, t->seed + way->socket);
	struct local *l = local_find(t, way, hash);

	if (!l) {
		l = mem_alloc(sizeof(*l));
		l->addr = way->local;
		l->ifindex = way->ifindex;
		l->socket = way->socket;
		l->transport = way->transport;
		map_put(&t->locals, &l->node, hash);
	}
	l->n_peers++;
	return l;
}

static void
local_put(struct peer_table *t, struct local *l)
{
	if (--l->n_peers > 0)
		return;
	map_remove(&t->locals, &l->node);
	free(l);
}

/* Over UDP the addresses tell peers apart; a session is a peer of its own. */
static bool
is_same_session(const struct local *l, const struct path *way)
{
	return l->transport == way->transport &&
	       (way->transport == PATH_UDP || l->socket == way->socket);
}

static struct peer *
lookup(struct peer_table *t, const struct path *way, uint32_t hash)
{
	for (struct map_node *n = map_first(&t->map, hash); n; n = map_next(n)) {
		struct peer *p = MAP_OBJECT(n, struct peer, node);

		if (addr_equal(&p->remote, &way->remote) &&
			addr_equal(&p->local->addr, &way->local) && is_same_session(p->local, way))
			return p;
	}
	return NULL;
}

/* Moves a peer that gave a sign of life to the end of the order of silence. */
static void
touch(struct peer_table *t, struct peer *p)
{
	if (p->n_pins > 0 || t->lru_last == p)
		return;
	lru_remove(t, p);
	lru_append(t, p);
}

struct peer *
peer_find(struct peer_table *t, const struct path *way)
{
	struct peer *p = lookup(t, way, hash_of(t, way));

	if (p)
		touch(t, p);
	return p;
}

static void
evict(struct peer_table *t, struct peer *p)
{
	lru_remove(t, p);
	map_remove(&t->map, &p->node);
	local_put(t, p->local);
	free(p->recent);
	pool_put(&t->pool, p);
	t->n_evicted++;
}

struct peer *
peer_get(struct peer_table *t, const struct path *way, uint16_t first_mid)
{
	uint32_t hash = hash_of(t, way);
	struct peer *p = lookup(t, way, hash);

	if (p) {
		touch(t, p);
		return p;
	}
	/* More than one, once the limit was lowered. */
	while (t->map.n >= t->max) {
		if (!t->lru_first)
			return NULL;
		evict(t, t->lru_first);
	}
	p = pool_get(&t->pool);
	p->remote = way->remote;
	p->local = local_get(t, way);
	p->mid = first_mid;
	map_put(&t->map, &p->node, hash);
	lru_append(t, p);
	return p;
}

void
peer_pin(struct peer_table *t, struct peer *p)
{
	if (p->n_pins++ == 0)
		lru_remove(t, p);
}

void
peer_unpin(struct peer_table *t, struct peer *p)
{
	if (--p->n_pins == 0)
		lru_append(t, p);
}

void
peer_path(const struct peer *p, struct path *ret)
{
	ret->remote = p->remote;
	ret->local = p->local->addr;
	ret->ifindex = p->local->ifindex;
	ret->socket = p->local->socket;
	ret->transport = p->local->transport;
	ret->multicast = false;
}

uint16_t
peer_next_mid(struct peer *p)
{
	p->mid = (uint16_t)((p->mid + 1) & UNICAST_MID_MASK);
	return p->mid;
}

/* The entry of a message id, or how many there are. */
static uint8_t
recent_index(const struct recent *r, uint16_t mid)
{
	uint8_t i = 0;

	while (i < r->n && r->mid[i] != mid)
		i++;
	return i;
}

static struct recent *
recent_of(struct peer *p)
{
	if (!p->recent)
		p->recent = mem_alloc(sizeof(*p->recent));
	return p->recent;
}

bool
peer_spend(struct peer *p, uint32_t now_s, uint32_t rate)
{
	struct recent *r = recent_of(p);

	if (r->spent_s != now_s) {
		r->spent_s = now_s;
		r->n_spent = 0;
	}
	if (r->n_spent >= rate)
		return false;
	r->n_spent++;
	return true;
}

/* An average that follows what is quicker at once: a queue of ours is no round trip. */
void
peer_time(struct peer *p, uint64_t ms, uint64_t now_ms)
{
	uint32_t sample = ms < RTT_MAX_MS ? (uint32_t)ms + 1 : RTT_MAX_MS;

	if (p->rtt_ms == 0)
		p->paced_ms = (uint32_t)now_ms;
	if (p->rtt_ms == 0 || sample < p->rtt_ms)
		p->rtt_ms = (uint16_t)sample;
	else
		p->rtt_ms = (uint16_t)(p->rtt_ms + (sample - p->rtt_ms) / 8);
}

static uint32_t
interval_ms(const struct peer *p)
{
	return p->rtt_ms > 0 ? p->rtt_ms - 1u : INTERVAL_MS;
}

/* What is left of the time that NONs so far are worth; nothing when it is long over. */
static uint32_t
left_ms(const struct peer *p, uint64_t now_ms)
{
	uint32_t left = p->paced_ms - (uint32_t)now_ms;

	return left <= (PEER_BURST + 1) * (uint32_t)RTT_MAX_MS ? left : 0;
}

uint32_t
peer_pace(const struct peer *p, uint64_t now_ms, bool *ret_known)
{
	uint32_t left = left_ms(p, now_ms), interval = interval_ms(p);
	uint32_t allowed = (PEER_BURST - 1) * interval;

	*ret_known = p->rtt_ms > 0;
	if (left <= allowed)
		return 0;
	return left - allowed < interval ? left - allowed : interval;
}

void
peer_paced(struct peer *p, uint64_t now_ms)
{
	p->paced_ms = (uint32_t)now_ms + left_ms(p, now_ms) + interval_ms(p);
}

void
peer_remember(struct peer *p, uint16_t mid, uint8_t code, uint32_t now_s)
{
	struct recent *r = recent_of(p);
	uint8_t i;

	i = recent_index(r, mid);
	if (i == r->n) {
		i = r->at;
		r->at = (uint8_t)((r->at + 1) % PEER_RECENT);
		if (r->n < PEER_RECENT)
			r->n++;
	}
	r->mid[i] = mid;
	r->code[i] = code;
	r->seen_s[i] = now_s;
}

bool
peer_recalls(
	const struct peer *p, uint16_t mid, uint32_t now_s, uint32_t lifetime_s, uint8_t *ret_code)
{
	const struct recent *r = p->recent;
	uint8_t i;

	if (!r || (i = recent_index(r, mid)) == r->n || now_s - r->seen_s[i] >= lifetime_s)
		return false;
	*ret_code = r->code[i];
	return true;
}
