/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/link.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

#define CHECK_MS 20000u /* of silence, before a server is asked whether it is there */
#define AGAIN_MS 500u /* from one session to the next at least */

struct link {
	uv_loop_t *loop;
	const struct link_how *how;
	const struct link_ops *ops;
	void *ctx;
	struct addr server;
	struct coapd *coapd;
	struct path way; /* as those above know it */
	struct path session; /* as coapd does */
	uint64_t since_ms; /* of the session */
	bool is_up; /* there is a session, open or opening */
	void (*on_closed)(void *ctx);
};

static void
on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	struct link *l = ctx;

	(void)from;
	l->ops->receive(l->ctx, &l->way, datagram);
}

static void
on_nack(void *ctx, const struct path *way, uint16_t mid)
{
	struct link *l = ctx;

	(void)way;
	l->ops->nack(l->ctx, mid);
}

static void
on_lost(void *ctx, const struct path *way, enum coapd_end why)
{
	struct link *l = ctx;

	(void)way;
	l->is_up = false;
	l->ops->lost(l->ctx, why);
}

static bool
is_needed(void *ctx, const struct path *way)
{
	struct link *l = ctx;

	(void)way;
	return l->ops->expects(l->ctx);
}

static const struct coapd_ops coapd_ops = {
	.on_datagram = on_datagram, .on_nack = on_nack, .on_lost = on_lost, .is_needed = is_needed};

static int
connect_anew(struct link *l, struct error *e)
{
	static const struct addr any = {.family = AF_UNSPEC};
	int rc;

	rc = coapd_connect(l->coapd, l->how->transport, &l->server, &any, &l->how->credentials, e,
		&l->session);
	l->is_up = rc == 0;
	l->since_ms = uv_now(l->loop);
	return rc;
}

static void
on_coapd_closed(void *ctx)
{
	struct link *l = ctx;

	if (l->on_closed)
		l->on_closed(l->ctx);
	free(l);
}

int
link_open(uv_loop_t *loop, const struct link_how *how, const struct addr *server,
	const struct link_ops *ops, void *ctx, struct error *e, struct link **ret,
	struct path *ret_way)
{
	static const struct coapd_limits limits = {.sessions = 1, .check_ms = CHECK_MS};
	struct link *l = mem_alloc(sizeof(*l));
	int rc;

	l->loop = loop;
	l->how = how;
	l->ops = ops;
	l->ctx = ctx;
	l->server = *server;
	if ((l->coapd = coapd_new(loop, &coapd_ops, l, &limits)) == NULL) {
		error_set(e, "libcoap does not start");
		free(l);
		return -ENOMEM;
	}
	if ((rc = connect_anew(l, e)) < 0) {
		link_close(l, NULL);
		return rc;
	}
	l->way = l->session;
	l->way.remote = *server;
	*ret_way = l->way;
	*ret = l;
	return 0;
}

void
link_close(struct link *l, void (*on_closed)(void *ctx))
{
	l->on_closed = on_closed;
	coapd_close(l->coapd, on_coapd_closed);
}

bool
link_is_unproven(const struct link *l)
{
	return l->is_up && coapd_is_unproven(l->coapd, &l->session);
}

bool
link_renew(struct link *l)
{
	return l->is_up && l->how->transport == PATH_DTLS && coapd_end(l->coapd, &l->session);
}

const char *
link_why(const struct link *l)
{
	return coapd_why(l->coapd);
}

struct buf *
link_write(struct link *l)
{
	struct error e;

	if (!l->is_up && (uv_now(l->loop) - l->since_ms < AGAIN_MS || connect_anew(l, &e) < 0))
		return NULL;
	return coapd_open(l->coapd, &l->session);
}

void
link_commit(struct link *l)
{
	coapd_commit(l->coapd);
}

void
link_cancel(struct link *l)
{
	coapd_cancel(l->coapd);
}
