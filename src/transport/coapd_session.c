/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of the libcoap adapter, and what they may cost. */
#include <stdlib.h>

#include "base/mem.h"
#include "transport/coapd_impl.h"

/*
 * libcoap keeps one pointer with its session. Until that is adopted, there is no
 * object of ours to point at, and who was found in the handshake stands in it, as an
 * odd number, which no object's address is.
 */
#define WHO_TAG 1u

static bool
is_object(const void *app)
{
	return app && ((uintptr_t)app & WHO_TAG) == 0;
}

void
coapd_session_note_who(coap_session_t *session, uint32_t who)
{
	if (!is_object(coap_session_get_app_data(session)))
		coap_session_set_app_data(session, (void *)((uintptr_t)who << 1 | WHO_TAG));
}

static struct coapd_session *
object_of(const coap_session_t *session)
{
	void *app = coap_session_get_app_data(session);

	return is_object(app) ? app : NULL;
}

struct coapd_session *
coapd_session_of(const coap_session_t *session)
{
	struct coapd_session *s = object_of(session);

	return s && !s->doomed && !s->dismissed ? s : NULL;
}

static struct coapd_session *
find_number(const struct coapd *c, uint16_t number)
{
	struct map_node *n = map_first(&c->sessions, number);

	return n ? MAP_OBJECT(n, struct coapd_session, node) : NULL;
}

struct coapd_session *
coapd_session_find(const struct coapd *c, const struct path *way)
{
	struct coapd_session *s = find_number(c, way->socket);

	return s && !s->doomed && s->way.transport == way->transport ? s : NULL;
}

static bool
is_stream(const coap_session_t *session)
{
	coap_proto_t proto = coap_session_get_proto(session);

	return proto == COAP_PROTO_TCP || proto == COAP_PROTO_TLS;
}

static uint8_t
transport_of(const coap_session_t *session)
{
	switch (coap_session_get_proto(session)) {
	case COAP_PROTO_TLS:
		return PATH_TLS;
	case COAP_PROTO_TCP:
		return PATH_TCP;
	default:
		return PATH_DTLS;
	}
}

static void
read_way(const coap_session_t *session, struct path *ret)
{
	const coap_address_t *remote = coap_session_get_addr_remote(session);
	const coap_address_t *local = coap_session_get_addr_local(session);

	*ret = (struct path){.transport = transport_of(session)};
	(void)addr_from_sockaddr(&remote->addr.sa, &ret->remote);
	(void)addr_from_sockaddr(&local->addr.sa, &ret->local);
}

/* As far as possible from the numbers used last. */
static uint16_t
next_number(struct coapd *c)
{
	do {
		c->last_number++;
		if (c->last_number < PATH_FIRST_SESSION)
			c->last_number = PATH_FIRST_SESSION;
	} while (find_number(c, c->last_number));
	return c->last_number;
}

struct coapd_session *
coapd_session_adopt(coap_session_t *session)
{
	struct coapd *c = coapd_of(session);
	uintptr_t noted = (uintptr_t)coap_session_get_app_data(session);
	struct coapd_session *s = mem_alloc(sizeof(*s));

	s->c = c;
	s->coap = coap_session_reference(session);
	s->who = (uint32_t)(noted >> 1);
	s->is_client = coap_session_get_type(session) == COAP_SESSION_TYPE_CLIENT;
	read_way(session, &s->way);
	s->way.socket = next_number(c);
	s->since_ms = s->heard_ms = uv_now(c->loop);
	coap_session_set_app_data(session, s);
	map_put(&c->sessions, &s->node, s->way.socket);
	c->stats.opened++;
	return s;
}

/* What libcoap still has of it means nothing to us. */
static void
forget(struct coapd_session *s)
{
	coap_session_set_app_data(s->coap, NULL);
	s->c->n_unread -= s->n_unread;
	map_remove(&s->c->sessions, &s->node);
}

/* Not while libcoap works with it: a client's is freed with its last reference. */
static void
destroy(struct coapd_session *s)
{
	coap_session_release(s->coap);
	free(s);
}

static void
undoom(struct coapd_session *s)
{
	struct coapd_session **at = &s->c->doomed;

	if (!s->doomed)
		return;
	while (*at != s)
		at = &(*at)->next_doomed;
	*at = s->next_doomed;
}

/* The other side closed it, or libcoap gave it up. */
static void
lose(struct coapd_session *s, enum coapd_end why)
{
	struct coapd *c = s->c;
	struct path way = s->way;

	undoom(s);
	if (c->asked.session == s)
		c->asked.session = NULL;
	forget(s);
	s->next_doomed = c->graves;
	c->graves = s;
	coapd_rouse(c);
	c->stats.closed++;
	if (!c->closing)
		c->ops->on_lost(c->ctx, &way, why);
}

void
coapd_session_doom(struct coapd_session *s, enum coapd_end end)
{
	if (s->doomed)
		return;
	s->doomed = true;
	s->end = end;
	s->next_doomed = s->c->doomed;
	s->c->doomed = s;
	coapd_rouse(s->c);
}

void
coapd_session_bury(struct coapd *c)
{
	struct coapd_session *s;

	while ((s = c->doomed) != NULL) {
		coap_session_t *session = coap_session_reference(s->coap);

		lose(s, s->end);
		/* With no object to it, its events go unheard; libcoap frees it in its next turn. */
		coap_session_disconnected(session, COAP_NACK_NOT_DELIVERABLE);
		coap_session_release(session);
	}
	while ((s = c->graves) != NULL) {
		c->graves = s->next_doomed;
		destroy(s);
	}
}

static void
count_unread(struct coapd_session *s, size_t n)
{
	s->c->n_unread += n - s->n_unread;
	s->n_unread = n;
	if (n <= s->c->limits.unread)
		s->behind_ms = 0;
	else if (s->behind_ms == 0)
		s->behind_ms = uv_now(s->c->loop);
}

/* Whoever reads may be behind for a moment, when much is said at once. */
static bool
is_too_slow(const struct coapd_session *s)
{
	size_t max = s->c->limits.unread, burst = COAPD_UNREAD_BURST / COAPD_UNREAD_MAX * max,
	       all = COAPD_UNREAD_ALL / COAPD_UNREAD_MAX * max;

	return s->n_unread > max &&
	       (s->n_unread > burst || s->c->n_unread > all ||
		       uv_now(s->c->loop) - s->behind_ms >= s->c->limits.unread_ms);
}

/* RFC 8323 5.4: the Pong tells that what went before the Ping was read. */
static void
ask(struct coapd_session *s)
{
	if (s->pinged)
		return;
	s->pinged = true;
	s->n_asked = s->n_unread;
	s->ping_mid = (uint16_t)coap_session_send_ping(s->coap);
}

static void
ask_if_behind(struct coapd_session *s)
{
	if (s->n_unread > s->c->limits.unread / 8)
		ask(s);
}

void
coapd_session_charge(struct coapd_session *s, size_t n)
{
	/* Over DTLS what is not read is lost, and costs us nothing. */
	if (!path_is_reliable(&s->way) || s->is_client)
		return;
	count_unread(s, s->n_unread + n);
	if (is_too_slow(s)) {
		s->c->stats.unread++;
		coapd_session_doom(s, COAPD_CLOSED);
		return;
	}
	ask_if_behind(s);
}

void
coapd_session_handle_pong(coap_session_t *session, const coap_pdu_t *received, coap_mid_t mid)
{
	struct coapd_session *s = coapd_session_of(session);

	(void)received;
	(void)mid;
	if (!s)
		return;
	s->heard_ms = uv_now(s->c->loop);
	count_unread(s, s->n_unread - s->n_asked);
	s->n_asked = 0;
	s->pinged = false;
	/* Or what was sent since would be unread for good, if nothing more is. */
	ask_if_behind(s);
}

void
coapd_session_note_answer(const coap_session_t *session)
{
	struct coapd_session *s = coapd_session_of(session);

	if (!s)
		return;
	/* A stream tells when it ends; a datagram that is not believed is just not answered. */
	if (!s->answered && !path_is_reliable(&s->way))
		coapd_await_proof(s->c);
	s->answered = true;
}

static void
give_up_one(void *ctx, struct map_node *node)
{
	struct coapd_session *s = MAP_OBJECT(node, struct coapd_session, node);

	(void)ctx;
	if (s->is_client && s->answered && !s->is_open)
		coapd_session_doom(s, COAPD_INSECURE);
}

void
coapd_session_give_up(struct coapd *c)
{
	map_each(&c->sessions, give_up_one, c);
}

/* What it is when nothing comes any more. */
static enum coapd_end
end_of(const struct coapd_session *s)
{
	if (s->is_open)
		return COAPD_CLOSED;
	return s->answered ? COAPD_INSECURE : COAPD_UNREACHED;
}

void
coapd_session_handle_nack(
	coap_session_t *session, const coap_pdu_t *sent, coap_nack_reason_t reason, coap_mid_t mid)
{
	struct coapd_session *s = coapd_session_of(session);

	(void)sent;
	if (!s)
		return;
	switch (reason) {
	case COAP_NACK_RST:
		/* RFC 7252 4.3: that is how an empty CON is answered. */
		if (s->asked_ms > 0 && s->ping_mid == (uint16_t)mid) {
			coapd_session_handle_pong(session, sent, mid);
			break;
		}
		s->c->ops->on_nack(s->c->ctx, &s->way, (uint16_t)mid);
		break;
	case COAP_NACK_TOO_MANY_RETRIES:
	case COAP_NACK_TLS_FAILED:
		coapd_session_doom(s, end_of(s));
		break;
	default:
		/* An event tells of the session's end; an ICMP error may pass. */
		break;
	}
}

/* A server's session is set up. */
static void
welcome(struct coapd *c, coap_session_t *session)
{
	struct coapd_session *s = object_of(session);

	coapd_opening_end(c, session);
	if (!s) {
		bool full = c->sessions.n >= c->limits.sessions;

		s = coapd_session_adopt(session);
		if (full) {
			c->stats.refused++;
			coapd_session_doom(s, COAPD_CLOSED);
		}
	}
	s->is_open = true;
}

static void
on_end(struct coapd *c, coap_session_t *session, coap_event_t event)
{
	struct coapd_session *s = object_of(session);

	coapd_opening_end(c, session);
	if (event == COAP_EVENT_DTLS_ERROR) {
		coapd_alert_tell(c, session, NULL);
		coapd_ssl_forget();
		if (s)
			s->answered = true;
	}
	if (s)
		lose(s, end_of(s));
}

int
coapd_session_handle_event(coap_session_t *session, coap_event_t event)
{
	struct coapd *c = coapd_of(session);

	switch (event) {
	case COAP_EVENT_SERVER_SESSION_NEW:
		coapd_opening_begin(c, session);
		break;
	case COAP_EVENT_DTLS_CONNECTED:
		if (!is_stream(session))
			welcome(c, session);
		break;
	case COAP_EVENT_SESSION_CONNECTED:
		welcome(c, session);
		break;
	case COAP_EVENT_SERVER_SESSION_DEL:
	case COAP_EVENT_DTLS_CLOSED:
	case COAP_EVENT_DTLS_ERROR:
	case COAP_EVENT_TCP_CLOSED:
	case COAP_EVENT_TCP_FAILED:
	case COAP_EVENT_SESSION_CLOSED:
	case COAP_EVENT_SESSION_FAILED:
		on_end(c, session, event);
		break;
	default:
		break;
	}
	return 0;
}

/* A server of ours. */
static void
check(struct coapd_session *s, uint64_t silent_ms)
{
	struct coapd *c = s->c;

	if (c->limits.check_ms == 0 || !s->is_open || path_is_reliable(&s->way))
		return;
	if (silent_ms < c->limits.check_ms ||
		(c->ops->is_needed && !c->ops->is_needed(c->ctx, &s->way))) {
		s->pinged = false;
		return;
	}
	if (!s->pinged)
		s->asked_ms = uv_now(c->loop);
	ask(s);
	if (uv_now(c->loop) - s->asked_ms >= c->limits.check_ms / 2)
		coapd_session_doom(s, COAPD_CLOSED);
}

static void
sweep_one(void *ctx, struct map_node *node)
{
	struct coapd_session *s = MAP_OBJECT(node, struct coapd_session, node);
	struct coapd *c = ctx;
	uint64_t silent_ms = uv_now(c->loop) - s->heard_ms;

	if (s->doomed)
		return;
	if (s->is_client) {
		check(s, silent_ms);
		return;
	}
	if (is_too_slow(s)) {
		c->stats.unread++;
		coapd_session_doom(s, COAPD_CLOSED);
		return;
	}
	if (silent_ms < c->limits.idle_ms)
		return;
	if (!c->ops->is_needed || c->ops->is_needed(c->ctx, &s->way)) {
		/* CONs tell of a DTLS peer's end; a stream may be silent because it is cut. */
		if (!path_is_reliable(&s->way))
			return;
		ask(s);
		if (silent_ms < (uint64_t)c->limits.idle_ms + c->limits.pong_ms)
			return;
	}
	c->stats.idle++;
	coapd_session_doom(s, COAPD_CLOSED);
}

void
coapd_session_sweep(struct coapd *c)
{
	coapd_opening_sweep(c);
	map_each(&c->sessions, sweep_one, c);
	coapd_session_bury(c);
}

bool
coapd_end(struct coapd *c, const struct path *way)
{
	struct coapd_session *s = coapd_session_find(c, way);

	if (s)
		coapd_session_doom(s, COAPD_CLOSED);
	return s != NULL;
}

struct expulsion {
	bool (*is_gone)(void *ctx, uint32_t who);
	void *ctx;
};

static void
expel_one(void *ctx, struct map_node *node)
{
	struct coapd_session *s = MAP_OBJECT(node, struct coapd_session, node);
	const struct expulsion *e = ctx;

	if (s->who == 0 || s->doomed || !e->is_gone(e->ctx, s->who))
		return;
	s->dismissed = true;
	coapd_await_leave(s->c);
}

void
coapd_expel(struct coapd *c, bool (*is_gone)(void *ctx, uint32_t who), void *ctx)
{
	struct expulsion e = {.is_gone = is_gone, .ctx = ctx};

	map_each(&c->sessions, expel_one, &e);
}

static void
part_one(void *ctx, struct map_node *node)
{
	struct coapd_session *s = MAP_OBJECT(node, struct coapd_session, node);

	(void)ctx;
	if (s->dismissed)
		coapd_session_doom(s, COAPD_CLOSED);
}

void
coapd_session_part(struct coapd *c)
{
	map_each(&c->sessions, part_one, c);
}

static void
release(void *ctx, struct map_node *node)
{
	struct coapd_session *s = MAP_OBJECT(node, struct coapd_session, node);

	(void)ctx;
	forget(s);
	destroy(s);
}

void
coapd_session_release_all(struct coapd *c)
{
	c->doomed = NULL;
	coapd_session_bury(c);
	map_each(&c->sessions, release, c);
}
