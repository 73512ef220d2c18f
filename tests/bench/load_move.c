/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode `move`: n_peers traditional observers of one topic, the last of whom
 * reaches the threshold: how long it takes until all of them have their
 * informative response and have acknowledged it, over the receive buffer that a
 * socket has by default; what a publish costs before and after. With a window
 * of more than 1 somebody reads another topic meanwhile, one GET after the
 * other, and it is told how long those take.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

#define MAX_PROBES 20000
#define NONE 0x10000u /* no message ID */

struct move_run {
	struct load *l;
	struct flow f;
	int fd; /* joined */
	uint32_t *last_mid; /* per observer, of its last 5.03; NONE: it has none */
	uint32_t n_told; /* observers with a 5.03 */
	uint32_t n_duplicates; /* 5.03s to who had one, with another message ID */
	uint32_t n_retransmitted; /* the same with the same message ID */
	uint64_t *asked_ns; /* per probe */
	uint32_t *probe_ns; /* latencies of n_probes */
	uint32_t n_probes;
	uint32_t base; /* number of the first value of this leg */
	uint32_t current; /* the publish in hand */
	uint32_t expected; /* notifications of each publish */
	uint32_t n_have;
	bool acked;
	uint64_t n_notifications;
	uint32_t n_odd;
};

/* --- publishing, one at a time, each to its end ------------------------------- */

static void
prepare_publish(void *ctx, uint32_t i, struct packet_request *r)
{
	struct move_run *m = ctx;

	if (m->base + i != m->current) {
		m->current = m->base + i;
		m->n_have = 0;
		m->acked = false;
	}
	load_prepare_publish(m->l, 0, r);
	packet_fill_payload(m->l->payload, m->l->payload_size, m->current);
}

static enum flow_verdict
on_published(void *ctx, uint32_t i, const struct packet *p)
{
	struct move_run *m = ctx;

	(void)i;
	if (p->code != PACKET_CHANGED && p->code != PACKET_CREATED)
		return FLOW_REFUSED;
	m->acked = true;
	return m->n_have == m->expected ? FLOW_FINISHED : FLOW_WAIT;
}

static void
on_value(struct move_run *m, const struct packet *p)
{
	uint32_t number;

	if (p->code != PACKET_CONTENT || !p->has_observe ||
		!packet_read_payload(p->payload, &number) || number != m->current) {
		m->n_odd++;
		return;
	}
	m->n_notifications++;
	if (++m->n_have == m->expected && m->acked)
		flow_finish(&m->f, number - m->base);
}

static void
on_notification(void *ctx, uint32_t peer, const struct packet *p)
{
	(void)peer;
	on_value(ctx, p);
}

static void
on_group(void *ctx)
{
	struct move_run *m = ctx;
	uint8_t data[ENDPOINTS_IN];
	struct packet p;
	ssize_t n;

	while ((n = recv(m->fd, data, sizeof(data), MSG_DONTWAIT)) >= 0) {
		if (packet_decode(bytes_of(data, (size_t)n), &p))
			on_value(m, &p);
		else
			m->n_odd++;
	}
}

/* Server CPU of a publish in microseconds; whether each reached everybody once. */
static bool
publish(struct move_run *m, uint32_t base, uint32_t expected, double *ret_cpu_us)
{
	static const struct flow_ops ops = {.prepare = prepare_publish,
		.on_reply = on_published,
		.on_other = on_notification,
		.on_extra = on_group};
	struct flow *f = &m->f;
	bool ok;

	*f = load_flow(m->l, LOAD_MEASURE);
	f->ops = &ops;
	f->ctx = m;
	f->window = 1;
	f->first_peer = m->l->n_peers;
	f->first_mid = (uint16_t)(16 + base);
	f->total = m->l->n_requests;
	f->extra_fd = m->fd;
	m->base = base;
	m->current = UINT32_MAX;
	m->expected = expected;
	m->n_notifications = 0;
	flow_run(f);
	ok = f->n_finished == f->total && f->n_retransmissions == 0 &&
	     m->n_notifications == (uint64_t)f->total * expected;
	*ret_cpu_us = f->n_finished > 0 ? (double)f->cost.cpu_ns / 1e3 / f->n_finished : 0;
	flow_fini(f);
	return ok;
}

/* --- the move ------------------------------------------------------------------- */

static void
on_told(struct move_run *m, uint32_t peer, const struct packet *p)
{
	struct flow *f = &m->f;

	if (p->code != PACKET_UNAVAILABLE || p->type != PACKET_CON || peer >= m->l->n_peers) {
		m->n_odd++;
		return;
	}
	if (m->last_mid[peer] == p->mid) {
		m->n_retransmitted++;
		return;
	}
	if (m->last_mid[peer] != NONE)
		m->n_duplicates++;
	else
		m->n_told++;
	m->last_mid[peer] = p->mid;
	if (m->n_told < m->l->n_peers)
		return;
	/* No more probes: it is over. */
	f->total = f->limit = f->next;
	flow_finish(f, 0);
}

/* Request 0 is the registration that is one too many; the others are probes. */
static void
prepare_move(void *ctx, uint32_t i, struct packet_request *r)
{
	struct move_run *m = ctx;

	r->code = PACKET_GET;
	r->observe = i == 0;
	r->path = load_path(m->l, i == 0 ? 0 : 1);
	if (m->asked_ns[i] == 0)
		m->asked_ns[i] = meter_wall_ns();
}

static enum flow_verdict
on_reply(void *ctx, uint32_t i, const struct packet *p)
{
	struct move_run *m = ctx;

	if (i > 0) {
		if (p->code != PACKET_CONTENT)
			return FLOW_REFUSED;
		m->probe_ns[m->n_probes++] = (uint32_t)(meter_wall_ns() - m->asked_ns[i]);
		return FLOW_FINISHED;
	}
	on_told(m, m->l->n_peers - 1, p);
	return FLOW_WAIT;
}

static void
on_other(void *ctx, uint32_t peer, const struct packet *p)
{
	on_told(ctx, peer, p);
}

static void
run_move(struct move_run *m)
{
	static const struct flow_ops ops = {
		.prepare = prepare_move, .on_reply = on_reply, .on_other = on_other};
	struct load *l = m->l;
	struct flow *f = &m->f;

	*f = load_flow(l, LOAD_MOVE);
	f->ops = &ops;
	f->ctx = m;
	f->first_peer = l->n_peers - 1;
	/* Probes come from the observer that is one too many and from the publisher, in turn. */
	f->n_peers = 2;
	f->first_mid = 0x4000;
	f->total = l->window > 1 ? MAX_PROBES : 1;
	endpoints_narrow(l->net);
	l->net->n_sent = l->net->n_received = 0;
	flow_run(f);
}

/* Prints the move and says whether it went as it should. */
static bool
report_move(struct move_run *m)
{
	struct flow *f = &m->f;
	uint32_t n = m->l->n_peers;
	bool ok = m->n_told == n && m->n_duplicates == 0 && m->n_retransmitted == 0 &&
		  f->n_retransmissions == 0 && f->n_refused == 0 && m->n_odd == 0;
	double cpu_us = (double)f->cost.cpu_ns / 1e3;

	load_print_count("told", m->n_told);
	load_print_real("move_ms", (double)f->cost.wall_ns / 1e6);
	load_print_count("duplicates", m->n_duplicates);
	load_print_count("retransmissions", f->n_retransmissions + m->n_retransmitted);
	load_print_count("packets", m->l->net->n_sent + m->l->net->n_received);
	load_print_real("packets_each",
		(double)(m->l->net->n_sent + m->l->net->n_received) / (n > 0 ? n : 1));
	load_print_real("move_cpu_ms", cpu_us / 1e3);
	load_print_real("move_cpu_us_each", cpu_us / (n > 0 ? n : 1));
	load_print_count("probes", m->n_probes);
	load_print_latency(m->probe_ns, m->n_probes);
	return ok;
}

static int
enrol(struct load *l)
{
	struct flow f;
	int rc;

	l->expect_group = false;
	if (l->n_peers == 1)
		return 0;
	rc = load_register(l, LOAD_REGISTER, 0, l->n_peers - 1, &f);
	flow_fini(&f);
	return rc;
}

static int
measure(struct move_run *m)
{
	struct meter_memory none, before, after;
	struct load *l = m->l;
	uint32_t window = l->window;
	double cpu_before, cpu_after;
	bool ok;
	int rc;

	l->window = 64;
	/* Endpoints are known before: what is weighed is what is kept for an observation. */
	if ((rc = load_greet(l, l->n_peers + 1)) != 0)
		return rc;
	none = meter_memory(l->pid);
	if ((rc = enrol(l)) != 0)
		return rc;
	before = meter_memory(l->pid);
	ok = publish(m, 0, l->n_peers - 1, &cpu_before);
	l->window = window;
	run_move(m);
	ok = report_move(m) && ok;
	flow_fini(&m->f);
	ok = publish(m, l->n_requests, 1, &cpu_after) && ok && m->n_odd == 0;
	after = meter_memory(l->pid);
	load_print_count("complete", ok);
	load_print_real("publish_before_us", cpu_before);
	load_print_real("publish_after_us", cpu_after);
	load_print_memory(&none, &before, l->n_peers);
	if (none.known && after.known)
		load_print_real(
			"rss_each_after", ((double)after.rss - (double)none.rss) / l->n_peers);
	return 0;
}

int
load_move(struct load *l)
{
	struct move_run m = {.l = l};
	struct error err;
	int rc;

	if (l->n_peers == 0 || l->group.sin_port == 0)
		return -EINVAL;
	m.fd = endpoints_join(&l->group, &err);
	if (m.fd < 0)
		return m.fd;
	m.last_mid = mem_alloc(sizeof(*m.last_mid) * l->n_peers);
	for (uint32_t i = 0; i < l->n_peers; i++)
		m.last_mid[i] = NONE;
	m.asked_ns = mem_alloc(sizeof(*m.asked_ns) * MAX_PROBES);
	m.probe_ns = mem_alloc(sizeof(*m.probe_ns) * MAX_PROBES);
	rc = measure(&m);
	free(m.last_mid);
	free(m.asked_ns);
	free(m.probe_ns);
	close(m.fd);
	return rc;
}
