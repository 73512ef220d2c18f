/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker_shield.h"

#include <errno.h>
#include <stdlib.h>

#include "broker_world.h"

#define NO_PIV 0xff

struct shield {
	unsigned n_refs;
	uint8_t number;
	uint8_t n_pivs; /* spent so far */
	bool answered; /* the request's own nonce is used up */
};

static uint8_t next_number;

static struct shield *
make(void)
{
	struct shield *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->n_refs = 1;
	s->number = ++next_number;
	bw.n_shields++;
	return s;
}

static void
on_hold(void *ctx, struct shield *s)
{
	(void)ctx;
	s->n_refs++;
}

static void
on_release(void *ctx, struct shield *s)
{
	(void)ctx;
	ck_assert_uint_gt(s->n_refs, 0);
	if (--s->n_refs > 0)
		return;
	bw.n_shields--;
	free(s);
}

/* Outer options, marker and payload. */
static int
put(struct shield *s, uint8_t piv, const struct msg *plain, struct buf *tail)
{
	uint8_t bytes[2048], mark[2] = {s->number, piv};
	struct buf inner = BUF_OF(bytes);
	const struct opt *observe = msg_find(plain, OPT_OBSERVE);
	struct msg m;

	ck_assert(!msg_has(plain, OPT_OSCORE));
	if (msg_encode_inner(plain, &inner) < 0)
		return -ENOBUFS;
	msg_init(&m, TYPE_NON, CODE_CHANGED);
	if (observe)
		ck_assert_int_eq(msg_add(&m, OPT_OBSERVE, observe->value), 0);
	ck_assert_int_eq(
		msg_add(&m, OPT_OSCORE, bytes_head(BYTES_OF(mark), piv == NO_PIV ? 1 : 2)), 0);
	m.payload = buf_bytes(&inner);
	msg_put_tail(&m, tail);
	return tail->full ? -ENOBUFS : 0;
}

static int
on_protect(
	void *ctx, struct shield *s, const struct msg *plain, struct buf *tail, uint8_t *ret_code)
{
	bool own = s->answered || msg_has(plain, OPT_OBSERVE);

	(void)ctx;
	if (bw.unprotectable)
		return -EACCES;
	if (bw.numberless)
		return -EAGAIN;
	bw.n_protected++;
	s->answered = true;
	ck_assert_uint_lt(s->n_pivs, NO_PIV - 1);
	*ret_code = msg_has(plain, OPT_OBSERVE) ? CODE_CONTENT : CODE_CHANGED;
	return put(s, own ? s->n_pivs++ : NO_PIV, plain, tail);
}

const struct shield_ops bw_shields = {
	.protect = on_protect, .hold = on_hold, .release = on_release};

void
bw_shield_request(struct request *r)
{
	uint32_t who;
	struct shield *s;
	struct msg inner;

	if (!msg_uint(r->msg, OPT_OSCORE, &who)) {
		broker_request(bw.broker, r);
		return;
	}
	inner = *r->msg;
	msg_remove(&inner, OPT_OSCORE);
	s = make();
	if (request_unshield(r, &inner, s, who))
		broker_request(bw.broker, r);
	on_release(NULL, s);
}

bool
bw_unshield(struct msg *m)
{
	struct msg inner;

	if (!msg_has(m, OPT_OSCORE))
		return false;
	ck_assert_int_eq(msg_decode_inner(m->payload, &inner), 0);
	/* RFC 8613 4.1.3.5: outside as inside. */
	ck_assert_int_eq(bw_option(m, OPT_OBSERVE), bw_option(&inner, OPT_OBSERVE));
	inner.type = m->type;
	inner.mid = m->mid;
	inner.token = m->token;
	*m = inner;
	return true;
}

struct shield *
bw_group_phantom(void *ctx, const struct broker_group *g, const struct msg *plain, struct buf *out)
{
	struct shield *s;
	uint8_t bytes[2048];
	struct buf tail = BUF_OF(bytes);

	(void)ctx;
	ck_assert_ptr_nonnull(g->security);
	if (bw.unprotectable)
		return NULL;
	s = make();
	/* oscore.md 0.2: nothing that answers a phantom goes without a Partial IV of its own. */
	s->answered = true;
	ck_assert_int_eq(put(s, s->n_pivs++, plain, &tail), 0);
	buf_put_u8(out, CODE_FETCH);
	buf_put(out, buf_bytes(&tail));
	return s;
}

void
bw_group_inform(void *ctx, const struct broker_group *g, struct inform *in)
{
	(void)ctx;
	ck_assert_ptr_nonnull(g->security);
	in->keys.gp_material = BYTES_LIT("\xa0");
}

void
bw_secure(struct broker_group *g)
{
	g->security = (const struct broker_security *)(const void *)g;
	g->overhead = 100;
}

struct bw_mark
bw_mark_of(const struct bw_sent *s)
{
	const struct opt *o;
	struct msg m;

	ck_assert_int_eq(msg_decode(bytes_of(s->bytes, s->n), &m), MSG_OK);
	o = msg_find(&m, OPT_OSCORE);
	if (!o)
		return (struct bw_mark){-1, -1};
	return (struct bw_mark){o->value.p[0], o->value.n > 1 ? o->value.p[1] : -1};
}
