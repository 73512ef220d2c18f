/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode `fanout`: n_peers traditional observers, one publish at a time; the
 * next one leaves when every observer has the value and the PUT is
 * acknowledged. Confirmable notifications are acknowledged. A publish that
 * some observer never hears of ends by the flow's timeout and makes the run
 * incomplete.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "load.h"

struct fanout_run {
	struct load *l;
	struct flow f;
	uint32_t *newest; /* per observer: newest publish number + 1 */
	uint32_t *last_mid; /* per observer, of its last Confirmable notification, + 1 */
	uint32_t current; /* the publish in hand */
	uint32_t n_have; /* observers that have it */
	bool acked; /* its PUT */
	uint64_t n_notifications; /* first of its number at its observer */
	uint64_t n_confirmable;
	uint64_t n_retransmitted; /* Confirmable ones seen again */
	uint64_t n_duplicates;
	uint64_t n_odd;
};

static void
prepare(void *ctx, uint32_t i, struct packet_request *r)
{
	struct fanout_run *o = ctx;

	if (i != o->current || i == 0) {
		o->current = i;
		o->n_have = 0;
		o->acked = false;
	}
	load_prepare_publish(o->l, i, r);
}

static enum flow_verdict
on_reply(void *ctx, uint32_t i, const struct packet *p)
{
	struct fanout_run *o = ctx;

	(void)i;
	if (p->code != PACKET_CHANGED && p->code != PACKET_CREATED)
		return FLOW_REFUSED;
	o->acked = true;
	return o->n_have == o->l->n_peers ? FLOW_FINISHED : FLOW_WAIT;
}

/* A Confirmable message with the same message ID is a retransmission. */
static bool
seen_before(struct fanout_run *o, uint32_t observer, const struct packet *p)
{
	if (p->type != PACKET_CON)
		return false;
	o->n_confirmable++;
	if (o->last_mid[observer] == p->mid + 1u) {
		o->n_retransmitted++;
		return true;
	}
	o->last_mid[observer] = p->mid + 1u;
	return false;
}

static void
on_notification(void *ctx, uint32_t peer, const struct packet *p)
{
	struct fanout_run *o = ctx;
	uint32_t i, observer = p->token & FLOW_TOTAL_MAX;

	if (!p->has_token || p->token >> 24 != LOAD_REGISTER || observer != peer ||
		observer >= o->l->n_peers || !p->has_observe ||
		!packet_read_payload(p->payload, &i)) {
		o->n_odd++;
		return;
	}
	if (seen_before(o, observer, p))
		return;
	if (i < o->newest[observer]) {
		o->n_duplicates++;
		return;
	}
	o->newest[observer] = i + 1;
	o->n_notifications++;
	if (i == o->current && ++o->n_have == o->l->n_peers && o->acked)
		flow_finish(&o->f, i);
}

static void
report(struct fanout_run *o)
{
	struct flow *f = &o->f;
	uint64_t expected = (uint64_t)f->total * o->l->n_peers;
	double cpu_us = (double)f->cost.cpu_ns / 1e3;

	load_print_count("complete", f->n_finished == f->total && f->n_retransmissions == 0 &&
					     o->n_notifications == expected &&
					     o->n_duplicates == 0 && o->n_odd == 0);
	load_print_count("notifications", o->n_notifications);
	load_print_count("notifications_expected", expected);
	load_print_count("notification_duplicates", o->n_duplicates);
	load_print_count("notification_confirmable", o->n_confirmable);
	load_print_count("notification_retransmitted", o->n_retransmitted);
	load_print_count("notification_odd", o->n_odd);
	if (f->pid > 0 && o->n_notifications > 0)
		load_print_real("cpu_us_notification", cpu_us / (double)o->n_notifications);
	load_print_flow(f);
}

int
load_fanout(struct load *l)
{
	static const struct flow_ops ops = {
		.prepare = prepare, .on_reply = on_reply, .on_other = on_notification};
	struct fanout_run o = {.l = l};
	struct flow f;
	int rc;

	if (l->n_peers == 0)
		return -EINVAL;
	l->expect_group = false;
	if ((rc = load_seed(l)) != 0)
		return rc;
	rc = load_register(l, LOAD_REGISTER, 0, l->n_peers, &f);
	flow_fini(&f);
	if (rc != 0)
		return rc;
	o.newest = mem_alloc(sizeof(*o.newest) * l->n_peers);
	o.last_mid = mem_alloc(sizeof(*o.last_mid) * l->n_peers);
	o.f = load_flow(l, LOAD_MEASURE);
	o.f.ops = &ops;
	o.f.ctx = &o;
	o.f.window = 1;
	o.f.first_peer = l->n_peers;
	o.f.total = l->n_requests;
	flow_run(&o.f);
	report(&o);
	flow_fini(&o.f);
	free(o.newest);
	free(o.last_mid);
	return 0;
}
