/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/coapd.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "transport/coapd_impl.h"
#include "transport/pemfiles.h"

#define SWEEP_MS 5000u /* or a quarter of the shortest of those it is for */
#define SESSIONS_MAX 60000u /* fewer than there are numbers for */

static const coap_proto_t protocols[] = {
	[PATH_UDP] = COAP_PROTO_NONE,
	[PATH_DTLS] = COAP_PROTO_DTLS,
	[PATH_TCP] = COAP_PROTO_TCP,
	[PATH_TLS] = COAP_PROTO_TLS,
};

void
coapd_work(struct coapd *c, struct epoll_event *one)
{
	if (c->within || c->closing || c->held)
		return;
	c->within = true;
	coapd_ssl_forget();
	if (one)
		coap_io_do_epoll(c->coap, one, 1);
	else
		(void)coap_io_process(c->coap, COAP_IO_NO_WAIT);
	c->within = false;
	coapd_ssl_judge(c);
	if (c->n_batch > 0 && c->ops->on_batch && !c->closing)
		c->ops->on_batch(c->ctx);
	c->n_batch = 0;
	coapd_session_bury(c);
}

static void
on_readable(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	coapd_work(p->data, NULL);
}

static void
on_soon(uv_timer_t *t)
{
	struct coapd *c = t->data;

	coapd_session_bury(c);
	/* libcoap frees what is over in its next turn. */
	coapd_work(c, NULL);
}

static void
on_leave(uv_timer_t *t)
{
	coapd_session_part(t->data);
}

void
coapd_await_leave(struct coapd *c)
{
	if (!c->closing)
		(void)uv_timer_start(&c->leave, on_leave, COAPD_LEAVE_MS, 0);
}

static void
on_proof(uv_timer_t *t)
{
	coapd_session_give_up(t->data);
}

void
coapd_await_proof(struct coapd *c)
{
	if (!c->closing)
		(void)uv_timer_start(&c->proof, on_proof, COAPD_PROOF_MS, 0);
}

void
coapd_rouse(struct coapd *c)
{
	if (!c->closing)
		(void)uv_timer_start(&c->soon, on_soon, 0, 0);
}

static void
on_sweep(uv_timer_t *t)
{
	struct coapd *c = t->data;

	coapd_session_sweep(c);
	coapd_work(c, NULL);
}

/* Whatever libcoap has to say, it says to whoever it cares for by a callback. */
static void
on_log(coap_log_t level, const char *text)
{
	(void)level;
	(void)text;
}

static unsigned n_users; /* of libcoap, in this process */

static void
start_library(void)
{
	if (n_users++ > 0)
		return;
	coap_startup();
	coap_set_log_handler(on_log);
	coap_set_log_level(LOG_EMERG);
	coap_dtls_set_log_level(LOG_EMERG);
	coap_set_show_pdu_output(0);
}

static void
stop_library(void)
{
	if (--n_users == 0)
		coap_cleanup();
}

void
coapd_set_limits(struct coapd *c, const struct coapd_limits *limits)
{
	c->limits.sessions = limits->sessions < SESSIONS_MAX ? limits->sessions : SESSIONS_MAX;
	c->streams.max = limits->opening > 0 && limits->opening < COAPD_OPENING_MAX
				 ? limits->opening
				 : COAPD_OPENING_MAX;
	c->datagrams.max = limits->handshakes ? limits->handshakes : COAPD_HANDSHAKES_MAX;
	c->limits.unread = limits->unread ? limits->unread : COAPD_UNREAD_MAX;
	/*
	 * Of those whose address is proven, see coapd_door.c. Without that, any ClientHello takes
	 * one for half a minute: with libcoap's default of 100, four datagrams a second would do.
	 */
	coap_context_set_max_handshake_sessions(c->coap, (unsigned)c->datagrams.max);
}

static void
set_times(struct coapd *c, const struct coapd_limits *limits)
{
	c->limits.idle_ms = limits->idle_ms ? limits->idle_ms : COAPD_IDLE_MS;
	c->limits.pong_ms = limits->pong_ms ? limits->pong_ms : COAPD_PONG_MS;
	c->limits.opening_ms = limits->opening_ms ? limits->opening_ms : COAPD_OPENING_MS;
	c->limits.unread_ms = limits->unread_ms ? limits->unread_ms : COAPD_UNREAD_MS;
	c->limits.check_ms = limits->check_ms;
}

static uint64_t
sweep_ms(const struct coapd *c)
{
	uint64_t ms = c->limits.idle_ms;

	if (ms > c->limits.pong_ms)
		ms = c->limits.pong_ms;
	if (ms > c->limits.opening_ms)
		ms = c->limits.opening_ms;
	if (ms > c->limits.unread_ms)
		ms = c->limits.unread_ms;
	if (c->limits.check_ms > 0 && ms > c->limits.check_ms / 2)
		ms = c->limits.check_ms / 2;
	return ms / 4 < SWEEP_MS ? ms / 4 + 1 : SWEEP_MS;
}

static void
start_handles(struct coapd *c)
{
	(void)uv_timer_init(c->loop, &c->sweep);
	(void)uv_timer_init(c->loop, &c->soon);
	(void)uv_timer_init(c->loop, &c->leave);
	(void)uv_timer_init(c->loop, &c->proof);
	(void)uv_poll_init(c->loop, &c->poll, coap_context_get_coap_fd(c->coap));
	c->sweep.data = c->soon.data = c->leave.data = c->proof.data = c->poll.data = c;
	(void)uv_timer_start(&c->sweep, on_sweep, sweep_ms(c), sweep_ms(c));
	(void)uv_poll_start(&c->poll, UV_READABLE, on_readable);
	c->n_handles = 5;
}

void
coapd_hold(struct coapd *c, bool held)
{
	c->held = held;
	if (held)
		(void)uv_poll_stop(&c->poll);
	else
		(void)uv_poll_start(&c->poll, UV_READABLE, on_readable);
	coapd_door_hold_all(c);
}

struct coapd *
coapd_new(
	uv_loop_t *loop, const struct coapd_ops *ops, void *ctx, const struct coapd_limits *limits)
{
	void *ssl[COAPD_SSL_CONTEXTS] = {NULL};
	struct coapd *c;
	coap_context_t *coap;

	start_library();
	if ((coap = coapd_ssl_new_context(ssl)) == NULL) {
		stop_library();
		return NULL;
	}
	c = mem_alloc(sizeof(*c));
	c->loop = loop;
	c->ops = ops;
	c->ctx = ctx;
	c->coap = coap;
	coapd_set_limits(c, limits);
	set_times(c, limits);
	memcpy(c->ssl, ssl, sizeof(ssl));
	map_init(&c->sessions);
	rnd_fill(c->cookie_key, sizeof(c->cookie_key));
	coap_set_app_data(coap, c);
	coap_context_set_block_mode(coap, 0);
	/* Ours are referenced: this is for those that are not set up yet. */
	coap_context_set_session_timeout(coap, (c->limits.opening_ms + 999) / 1000);
	coap_context_set_csm_max_message_size(coap, COAPD_STREAM_MAX);
	coap_register_event_handler(coap, coapd_session_handle_event);
	coap_register_nack_handler(coap, coapd_session_handle_nack);
	coap_register_pong_handler(coap, coapd_session_handle_pong);
	coapd_pdu_register(c);
	coapd_alert_listen(c);
	coapd_tls_accept_psk(c);
	start_handles(c);
	return c;
}

void
coapd_handle_closed(struct coapd *c)
{
	if (--c->n_handles > 0)
		return;
	coapd_session_release_all(c);
	coap_free_context(c->coap);
	stop_library();
	pemfiles_free(c->shown);
	map_fini(&c->sessions);
	coapd_opening_fini(c);
	if (c->on_closed)
		c->on_closed(c->ctx);
	free(c);
}

static void
on_handle_closed(uv_handle_t *h)
{
	coapd_handle_closed(h->data);
}

void
coapd_close(struct coapd *c, void (*on_closed)(void *ctx))
{
	c->closing = true;
	c->on_closed = on_closed;
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	uv_close((uv_handle_t *)&c->sweep, on_handle_closed);
	uv_close((uv_handle_t *)&c->soon, on_handle_closed);
	uv_close((uv_handle_t *)&c->leave, on_handle_closed);
	uv_close((uv_handle_t *)&c->proof, on_handle_closed);
	coapd_door_close_all(c);
}

bool
coapd_certify(struct coapd *c, struct pemfiles *files)
{
	struct pemfiles *before = c->shown;

	c->shown = files;
	if (coapd_tls_certify(c) < 0) {
		c->shown = before;
		pemfiles_free(files);
		return false;
	}
	if (before)
		coapd_ssl_forget_authorities(c);
	pemfiles_free(before);
	return true;
}

const struct pemfiles *
coapd_certificate(const struct coapd *c)
{
	return c->shown;
}

static void
to_coap(const struct addr *a, coap_address_t *ret)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(a, &ss);

	coap_address_init(ret);
	memcpy(&ret->addr, &ss, n < sizeof(ret->addr) ? n : sizeof(ret->addr));
	ret->size = n;
}

/* Whether this libcoap was built with what it takes. */
static int
check_support(enum path_transport transport, struct error *e)
{
	if (transport == PATH_TCP       ? coap_tcp_is_supported()
		: transport == PATH_TLS ? coap_tls_is_supported()
					: coap_dtls_is_supported())
		return 0;
	error_set(e, "this build of libcoap has no %s",
		transport == PATH_TCP   ? "TCP"
		: transport == PATH_TLS ? "TLS"
					: "DTLS");
	return -ENOTSUP;
}

int
coapd_listen(struct coapd *c, enum path_transport transport, const struct addr *at, struct error *e)
{
	char text[ADDR_STRLEN];
	struct addr a = *at;
	coap_address_t to;
	coap_endpoint_t *made;
	int rc = check_support(transport, e);

	if (rc < 0)
		return rc;
	to_coap(&a, &to);
	errno = 0;
	made = coap_new_endpoint(c->coap, &to, protocols[transport]);
	/* A kernel without IPv6, as udp_listen() takes it. */
	if (!made && errno == EAFNOSUPPORT && addr_is_any(&a) && a.family == AF_INET6) {
		a.family = AF_INET;
		to_coap(&a, &to);
		made = coap_new_endpoint(c->coap, &to, protocols[transport]);
	}
	if (made) {
		if (transport == PATH_DTLS)
			coapd_door_open(c);
		else
			coapd_door_widen(c);
		return 0;
	}
	error_set(e, "cannot listen on %s%s: %s", addr_format(at, text),
		transport == PATH_DTLS ? "" : " (TCP)",
		errno ? strerror(errno) : "libcoap does not say why");
	return errno ? -errno : -EIO;
}

int
coapd_connect(struct coapd *c, enum path_transport transport, const struct addr *server,
	const struct addr *local, const struct coapd_credentials *how, struct error *e,
	struct path *ret)
{
	char text[ADDR_STRLEN];
	coap_address_t to, from;
	coap_session_t *session;
	struct coapd_session *s;
	int rc = check_support(transport, e);

	if (rc < 0)
		return rc;
	to_coap(server, &to);
	to_coap(local, &from);
	errno = 0;
	session = coapd_tls_connect(
		c, protocols[transport], local->family == AF_UNSPEC ? NULL : &from, &to, how);
	if (!session) {
		error_set(e, "cannot connect to %s%s%s", addr_format(server, text),
			errno ? ": " : "", errno ? strerror(errno) : "");
		return errno ? -errno : -EIO;
	}
	if (transport != PATH_DTLS)
		coapd_door_hasten(c);
	s = coapd_session_adopt(session);
	/* The reference of its making is now the adoption's. */
	coap_session_release(session);
	s->is_open = false;
	*ret = s->way;
	return 0;
}

struct buf *
coapd_open(struct coapd *c, const struct path *way)
{
	if (c->closing || (c->to = coapd_session_find(c, way)) == NULL) {
		c->stats.dropped++;
		return NULL;
	}
	c->out = (struct buf)BUF_OF(c->out_bytes);
	return &c->out;
}

void
coapd_commit(struct coapd *c)
{
	if (c->out.full)
		c->stats.dropped++;
	else
		coapd_pdu_send(c);
}

void
coapd_cancel(struct coapd *c)
{
	c->to = NULL;
}

bool
coapd_is_unproven(const struct coapd *c, const struct path *way)
{
	const struct coapd_session *s = coapd_session_find(c, way);

	return s && s->is_client && s->answered && !s->is_open;
}

uint32_t
coapd_subject(const struct coapd *c, const struct path *way)
{
	const struct coapd_session *s = coapd_session_find(c, way);

	return s ? s->who : 0;
}

void
coapd_stats(const struct coapd *c, struct coapd_stats *ret)
{
	*ret = c->stats;
	ret->sessions = c->sessions.n;
}
