/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/endpoint.h"

#include <stdlib.h>

#include "base/mem.h"
#include "client/driver.h"

struct endpoint {
	uv_loop_t *loop;
	struct driver *driver;
	struct session *session;
	uint32_t ifindex; /* 0: as the routing table says */

	/* endpoint_request() */
	struct transfer transfer;
	bool over;
	struct transfer_result result;
	uint8_t *body; /* owned */
	uint8_t etag[8];
};

static void
nack(void *ctx, uint16_t mid)
{
	const struct endpoint *ep = ctx;

	session_nack(ep->session, mid);
}

static void
lost(void *ctx, enum coapd_end why)
{
	const struct endpoint *ep = ctx;

	session_lost(ep->session, why == COAPD_INSECURE ? CALL_INSECURE : CALL_LOST);
}

static void
refused(void *ctx, const struct addr *to, uint16_t mid)
{
	const struct endpoint *ep = ctx;

	if (addr_equal(to, session_server(ep->session)))
		session_refused(ep->session, mid);
}

static bool
expects(void *ctx)
{
	const struct endpoint *ep = ctx;

	return session_expects(ep->session);
}

static const struct driver_ops driver_ops = {
	.nack = nack, .lost = lost, .refused = refused, .expects = expects};

static struct endpoint *
make(uv_loop_t *loop)
{
	struct endpoint *ep = mem_alloc(sizeof(*ep));

	ep->loop = loop;
	return ep;
}

static void
start(struct endpoint *ep, const struct path *way)
{
	ep->session = session_new(&driver_machine_ops, ep->driver, way, driver_now_ms());
	driver_start(ep->driver, session_machine(ep->session));
}

int
endpoint_open(uv_loop_t *loop, const struct addr *server, uint32_t ifindex, struct error *e,
	struct endpoint **ret)
{
	struct endpoint *ep = make(loop);
	struct path way;
	int rc;

	ep->ifindex = ifindex;
	rc = driver_open(loop, server, ifindex, &driver_ops, ep, e, &ep->driver, &way);
	if (rc < 0) {
		free(ep);
		return rc;
	}
	start(ep, &way);
	*ret = ep;
	return 0;
}

int
endpoint_connect(uv_loop_t *loop, const struct addr *server, const struct link_how *how,
	struct error *e, struct endpoint **ret)
{
	struct endpoint *ep = make(loop);
	struct path way;
	int rc = driver_connect(loop, server, how, &driver_ops, ep, e, &ep->driver, &way);

	if (rc < 0) {
		free(ep);
		return rc;
	}
	start(ep, &way);
	*ret = ep;
	return 0;
}

static void
on_closed(void *ctx)
{
	struct endpoint *ep = ctx;

	session_free(ep->session);
	free(ep->body);
	free(ep);
}

void
endpoint_close(struct endpoint *ep)
{
	if (!ep)
		return;
	transfer_stop(&ep->transfer);
	/* What was said last still leaves. */
	machine_advance(session_machine(ep->session), driver_now_ms());
	driver_close(ep->driver, on_closed);
}

struct session *
endpoint_session(struct endpoint *ep)
{
	return ep->session;
}

bool
endpoint_is_unproven(const struct endpoint *ep)
{
	return driver_is_unproven(ep->driver);
}

bool
endpoint_renew(struct endpoint *ep)
{
	return driver_renew(ep->driver);
}

const char *
endpoint_why(const struct endpoint *ep)
{
	const char *why = driver_why(ep->driver);

	return why ? why : "the keys do not fit";
}

int
endpoint_join(struct endpoint *ep, const struct addr *group, const struct addr *server,
	struct error *e, uint16_t *ret_socket)
{
	return udp_join(driver_udp(ep->driver), group, server, ep->ifindex, e, ret_socket);
}

void
endpoint_leave(struct endpoint *ep, uint16_t socket)
{
	udp_leave(driver_udp(ep->driver), socket);
}

static void
on_done(void *owner, const struct transfer_result *r)
{
	struct endpoint *ep = owner;

	ep->result = *r;
	free(ep->body);
	ep->body = mem_dup(r->body);
	ep->result.body.p = ep->body;
	if (r->etag.n > 0)
		memcpy(ep->etag, r->etag.p, r->etag.n);
	ep->result.etag.p = r->etag.n > 0 ? ep->etag : NULL;
	if (r->end == TRANSFER_TIMEOUT && endpoint_is_unproven(ep))
		ep->result.end = TRANSFER_INSECURE;
	if (ep->result.end == TRANSFER_INSECURE)
		ep->result.why = endpoint_why(ep);
	ep->over = true;
	/* It may come from before_wait, after which the loop would wait in vain. */
	uv_stop(ep->loop);
}

/*
 * The owner may have been busy, or waited for something else than the loop: the time of a
 * request starts when it is made.
 */
static void
begin(struct endpoint *ep)
{
	ep->over = false;
	uv_update_time(ep->loop);
	machine_advance(session_machine(ep->session), driver_now_ms());
}

static void
wait_for_result(struct endpoint *ep, struct transfer_result *ret)
{
	while (!ep->over)
		uv_run(ep->loop, UV_RUN_ONCE);
	*ret = ep->result;
}

void
endpoint_request(struct endpoint *ep, const struct transfer_request *r, struct transfer_result *ret)
{
	begin(ep);
	transfer_start(&ep->transfer, ep->session, r, on_done, ep);
	wait_for_result(ep, ret);
}

void
endpoint_resume(struct endpoint *ep, const struct transfer_request *r, const struct msg *first,
	struct transfer_result *ret)
{
	begin(ep);
	transfer_resume(&ep->transfer, ep->session, r, first, on_done, ep);
	wait_for_result(ep, ret);
}
