/* SPDX-License-Identifier: BSD-2-Clause */
/* The server and its sessions: DTLS, TLS and TCP. */
#include "msg/carrier.h"
#include "net/certificates.h"
#include "net/descriptors.h"
#include "net/identities.h"
#include "net/server_impl.h"
#include "transport/pemfiles.h"

static void
on_nack(void *ctx, const struct path *way, uint16_t mid)
{
	struct server *s = ctx;

	carrier_nack(s->layer, way, mid);
}

static void
on_lost(void *ctx, const struct path *way, enum coapd_end why)
{
	struct server *s = ctx;

	(void)why;
	carrier_lost(s->layer, way);
}

/* Whoever comes in vain may come often. */
static void
on_refused(void *ctx, const struct addr *peer, const char *why)
{
	struct server *s = ctx;
	char from[ADDR_STRLEN];
	uint32_t held;

	if (log_brake_pass(&s->handshakes, uv_now(&s->loop), &held))
		log_notice("session: refused: %s peer=%s suppressed=%u", why,
			addr_format(peer, from), held);
}

static bool
is_needed(void *ctx, const struct path *way)
{
	struct server *s = ctx;

	return carrier_is_needed(s->layer, way);
}

static bool
subject_psk(void *ctx, struct bytes identity, uint32_t *ret_who, struct bytes *ret_key)
{
	struct server *s = ctx;

	return identities_find_psk(s->conf, s->subjects, identity, ret_who, ret_key);
}

static bool
subject_cn(void *ctx, struct bytes cn, uint32_t *ret_who)
{
	struct server *s = ctx;

	return identities_find_cn(s->conf, s->subjects, cn, ret_who);
}

/* What DTLS, TLS and TCP need, where one of them is listened on. */
int
server_start_sessions(struct server *s, struct error *e)
{
	static const struct coapd_ops ops = {.on_datagram = server_on_datagram,
		.on_batch = server_on_batch,
		.on_nack = on_nack,
		.on_lost = on_lost,
		.on_refused = on_refused,
		.is_needed = is_needed,
		.subject_psk = subject_psk,
		.subject_cn = subject_cn};
	struct coapd_limits limits = {.sessions = 0};
	struct coapd_certificate certificate;
	struct pemfiles *files;
	int rc;

	if (!listen_needs_sessions(s->conf))
		return 0;
	descriptors_claim(&s->conf->broker.limits, &limits);
	if ((s->coapd = coapd_new(&s->loop, &ops, s, &limits)) == NULL) {
		error_set(e, "cannot start libcoap");
		return -ENOMEM;
	}
	coapd_hold(s->coapd, true);
	if (!certificates_of(s->conf, &certificate))
		return 0;
	if ((rc = pemfiles_read(&certificate, e, &files)) < 0 || coapd_certify(s->coapd, files))
		return rc;
	error_set(e, "libcoap does not take the certificate %s", certificate.file);
	return -EINVAL;
}
