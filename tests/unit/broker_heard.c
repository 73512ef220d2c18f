/* SPDX-License-Identifier: BSD-2-Clause */
/* What was heard of a broker's world: broker_world.h. */
#include "broker_shield.h"
#include "broker_world.h"

const struct bw_sent *
bw_datagram(unsigned peer)
{
	const struct bw_sent *s;

	ck_assert_uint_lt(bw.peers[peer].last, BW_SENT);
	s = &bw.sent[bw.peers[peer].last];
	ck_assert_int_eq(s->group, -1);
	ck_assert_uint_eq(bw_number(&s->way.remote), peer);
	return s;
}

const struct bw_sent *
bw_datagram_to_group(int group)
{
	for (unsigned i = bw.n_sent; i > 0 && i + BW_SENT > bw.n_sent; i--) {
		if (bw.sent[(i - 1) % BW_SENT].group == group)
			return &bw.sent[(i - 1) % BW_SENT];
	}
	ck_abort_msg("nothing went to group %d", group);
	return NULL;
}

static struct msg
decoded(const struct bw_sent *s)
{
	struct msg m;

	ck_assert_int_eq(msg_decode(bytes_of(s->bytes, s->n), &m), MSG_OK);
	(void)bw_unshield(&m);
	return m;
}

struct msg
bw_last(unsigned peer)
{
	return decoded(bw_datagram(peer));
}

struct msg
bw_last_to_group(int group)
{
	return decoded(bw_datagram_to_group(group));
}

struct inform
bw_inform(unsigned peer)
{
	struct msg m = bw_last(peer);
	struct inform in;

	/* "Informative Response": what it MUST be. */
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	ck_assert(!msg_has(&m, OPT_OBSERVE));
	ck_assert_int_eq(bw_option(&m, OPT_MAX_AGE), 0);
	ck_assert_int_eq(inform_decode(m.payload, &in), 0);
	return in;
}

int64_t
bw_option(const struct msg *m, uint16_t number)
{
	uint32_t v;

	return msg_uint(m, number, &v) ? (int64_t)v : -1;
}

struct bytes
bw_etag(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);

	ck_assert_ptr_nonnull(o);
	return o->value;
}

const char *
bw_payload(const struct msg *m)
{
	static char text[64];
	struct buf b = buf_of(text, sizeof(text));

	bw_put_payload(&b, m->payload);
	return buf_str(&b);
}

static void
keep_count(void *ctx, const struct group_observation *g)
{
	*(double *)ctx = group_count(g);
}

double
bw_count(void)
{
	double n = -1;

	broker_each_group(bw.broker, keep_count, &n);
	return n;
}

struct broker_stats
bw_stats(void)
{
	struct broker_stats s;

	broker_stats(bw.broker, &s);
	return s;
}
