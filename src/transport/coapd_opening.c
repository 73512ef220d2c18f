/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions that somebody began with us, and that are not set up: each costs memory, and of a
 * stream a descriptor. There are so many places for them, and no address has more than a part
 * of these, so that nobody keeps all others out. This host is trusted with all of them.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "transport/coapd_impl.h"

#define DATAGRAM_LATE_MS 60000u /* libcoap has given it up by then, whatever it told of it */
#define PREFIX 8 /* bytes of an IPv6 address that a site has: all others are its own to choose */

static bool
is_stream(const coap_session_t *session)
{
	coap_proto_t proto = coap_session_get_proto(session);

	return proto == COAP_PROTO_TCP || proto == COAP_PROTO_TLS;
}

/* How near two addresses are: 0 not at all, 1 of one IPv6 site, 2 the same, but for the port. */
static unsigned
nearness(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family || a->scope != b->scope)
		return 0;
	if (memcmp(a->ip, b->ip, a->family == AF_INET ? 4 : 16) == 0)
		return 2;
	/* Everybody on a link has the same prefix there. */
	return a->family == AF_INET6 && !addr_is_link_local(a) && memcmp(a->ip, b->ip, PREFIX) == 0;
}

/* The oldest of those that `from` has too many of; NULL: it has not. */
static struct coapd_opening *
find_excess(struct coapd_openings *o, const struct addr *from)
{
	size_t n_same = 0, n_site = 0;
	struct coapd_opening *same = NULL, *site = NULL;

	if (addr_is_loopback(from))
		return NULL;
	for (size_t i = o->n; i-- > 0;) {
		unsigned near = nearness(&o->all[i].from, from);

		if (near > 0) {
			site = &o->all[i];
			n_site++;
		}
		if (near == 2) {
			same = &o->all[i];
			n_same++;
		}
	}
	if (n_same >= o->max / COAPD_OPENING_SHARE)
		return same;
	return n_site >= 2 * (o->max / COAPD_OPENING_SHARE) ? site : NULL;
}

static void
take_out(struct coapd_openings *o, const coap_session_t *session)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		if (o->all[i].coap != session)
			o->all[n++] = o->all[i];
	}
	o->n = n;
}

/* Whoever comes in vain may come often: the owner holds it back. */
static void
tell(struct coapd *c, const struct addr *from)
{
	c->stats.crowded++;
	if (c->ops->on_refused && !c->closing)
		c->ops->on_refused(c->ctx, from, "too many from its address have begun");
}

static void
drop(struct coapd *c, coap_session_t *session)
{
	take_out(&c->streams, session);
	coap_session_disconnected(session, COAP_NACK_NOT_DELIVERABLE);
}

static void
add(struct coapd *c, struct coapd_openings *o, coap_session_t *session, const struct addr *from)
{
	if (o->n == o->cap) {
		o->cap = o->cap ? 2 * o->cap : 64;
		o->all = mem_realloc(o->all, o->cap * sizeof(*o->all));
	}
	o->all[o->n++] =
		(struct coapd_opening){.coap = session, .from = *from, .since_ms = uv_now(c->loop)};
}

/* Who means it needs a moment only, so the oldest one makes room: of its own, if it has many. */
static void
begin_stream(struct coapd *c, coap_session_t *session, const struct addr *from)
{
	struct coapd_opening *excess = find_excess(&c->streams, from);

	if (excess) {
		tell(c, from);
		drop(c, excess->coap);
	}
	while (c->streams.n >= c->streams.max) {
		c->stats.refused++;
		drop(c, c->streams.all[0].coap);
	}
	add(c, &c->streams, session, from);
}

void
coapd_opening_begin(struct coapd *c, coap_session_t *session)
{
	struct addr from;

	if (!addr_from_sockaddr(&coap_session_get_addr_remote(session)->addr.sa, &from))
		return;
	if (is_stream(session))
		begin_stream(c, session, &from);
	else
		add(c, &c->datagrams, session, &from);
}

void
coapd_opening_end(struct coapd *c, const coap_session_t *session)
{
	take_out(is_stream(session) ? &c->streams : &c->datagrams, session);
}

bool
coapd_opening_admits(struct coapd *c, const struct addr *from)
{
	if (find_excess(&c->datagrams, from)) {
		tell(c, from);
		return false;
	}
	/* libcoap would drop it without a word. */
	if (c->datagrams.n < c->datagrams.max)
		return true;
	c->stats.refused++;
	return false;
}

/* libcoap does it for those that are silent; a few bytes now and then do not help. */
void
coapd_opening_sweep(struct coapd *c)
{
	uint64_t now = uv_now(c->loop);

	while (c->streams.n > 0 && now - c->streams.all[0].since_ms >= c->limits.opening_ms)
		drop(c, c->streams.all[0].coap);
	while (c->datagrams.n > 0 && now - c->datagrams.all[0].since_ms >= DATAGRAM_LATE_MS)
		take_out(&c->datagrams, c->datagrams.all[0].coap);
}

void
coapd_opening_fini(struct coapd *c)
{
	free(c->streams.all);
	free(c->datagrams.all);
}
