/* SPDX-License-Identifier: BSD-2-Clause */
#include "msg/verify.h"

#include "msg/layer_impl.h"

#define ECHO_MAX 40 /* RFC 9175 2.1 */
#define UNICAST_MID 0x7fffu /* the lower half of the space */

void
layer_verify(struct layer *l, enum layer_verify when)
{
	l->verify = when;
}

void
verify_fill(struct layer *l, const struct path *way, struct msg *m, struct buf *echo)
{
	l->stats.challenged++;
	l->ops->challenge(l->ctx, way, echo);
	msg_init(m, TYPE_ACK, CODE_UNAUTHORIZED);
	(void)msg_add(m, OPT_ECHO, buf_bytes(echo));
}

static void
challenge(struct request *r)
{
	struct layer *l = r->layer;
	uint8_t bytes[ECHO_MAX];
	struct buf echo = BUF_OF(bytes), *out;
	struct msg m;

	/* RFC 7967: who does not want to hear of errors does not. */
	if (!request_wants(r, CODE_UNAUTHORIZED)) {
		request_accept(r);
		return;
	}
	verify_fill(l, r->way, &m, &echo);
	m.token = r->msg->token;
	m.type = r->msg->type == TYPE_CON ? TYPE_ACK : TYPE_NON;
	m.mid = r->msg->mid;
	if (m.type == TYPE_NON) {
		if (l->stray_mid == 0)
			l->ops->random(l->ctx, &l->stray_mid, sizeof(l->stray_mid));
		m.mid = l->stray_mid = (uint16_t)((l->stray_mid + 1) & UNICAST_MID);
	}
	if ((out = l->ops->open(l->ctx, r->way)) == NULL)
		return;
	(void)msg_encode(&m, out);
	(void)layer_commit(l, out);
}

/* Whether the question makes no sense: the answer is protected, or the transport has asked. */
static bool
is_exempt(const struct request *r)
{
	/* What came by multicast is answered at leisure, in small blocks, on the link. */
	return r->way->multicast || r->way->transport != PATH_UDP ||
	       (r->layer->ops->shields && msg_has(r->msg, OPT_OSCORE));
}

static bool
echoes(struct request *r)
{
	const struct opt *o = msg_find(r->msg, OPT_ECHO);
	struct layer *l = r->layer;

	if (!l->ops->is_verified(l->ctx, r->way, o ? o->value : BYTES_NONE))
		return false;
	l->stats.verified += o != NULL;
	return true;
}

static bool
registers(const struct msg *m)
{
	uint32_t observe;

	return msg_uint(m, OPT_OBSERVE, &observe) && observe == 0;
}

enum verify_verdict
verify_request(struct request *r, size_t n)
{
	const struct msg *m = r->msg;
	bool reads = m->code == CODE_GET || m->code == CODE_FETCH;

	if (is_exempt(r))
		return VERIFY_RUN;
	if (echoes(r))
		return VERIFY_TRUST;
	if (r->layer->verify == LAYER_VERIFY_ALWAYS ||
		(reads ? registers(m) || msg_has(m, OPT_BLOCK1)
		       : m->code != CODE_PUT && m->code != CODE_DELETE)) {
		challenge(r);
		return VERIFY_DONE;
	}
	r->limit = (uint32_t)(VERIFY_FACTOR * n);
	return reads && !r->peer ? VERIFY_BRIEFLY : VERIFY_RUN;
}
