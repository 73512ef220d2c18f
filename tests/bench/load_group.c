/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode `publish-group`: n_peers endpoints are moved into the group observation
 * first, then one publisher PUTs n_requests numbered values, `window` at a
 * time, to n_topics in turn (a topic has 30,000 Observe numbers per second, RFC
 * 7641 4.4, fewer than one core can publish). One joined socket counts the multicast notifications: each publish is
 * to arrive once and in order. With a window of 1 a publish ends when its
 * acknowledgement and its notification are there, and the latency is that of
 * the later of the two.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

#define DRAIN_MS 300 /* silence on the group after which nothing more is expected */

struct group_topic {
	uint32_t last; /* newest publish number + 1 */
	uint32_t last_observe;
};

struct group_run {
	struct load *l;
	struct flow f;
	int fd; /* joined */
	uint8_t *seen; /* per publish: notifications that carried it */
	uint32_t n_seen; /* publishes that arrived */
	uint32_t n_duplicates;
	uint32_t n_unordered; /* behind a later one, by number or by Observe */
	uint32_t n_odd; /* neither NON 2.05 with Observe nor one of our values */
	struct group_topic *topics; /* n_topics */
	uint64_t n_bytes;
	bool serial; /* wait for each notification */
	bool acked; /* of the serial publish in hand */
};

static void
prepare(void *ctx, uint32_t i, struct packet_request *r)
{
	struct group_run *g = ctx;

	g->acked = false;
	load_prepare_publish(g->l, i, r);
}

static enum flow_verdict
on_reply(void *ctx, uint32_t i, const struct packet *p)
{
	struct group_run *g = ctx;

	if (p->code != PACKET_CHANGED && p->code != PACKET_CREATED)
		return FLOW_REFUSED;
	g->acked = true;
	return !g->serial || g->seen[i] > 0 ? FLOW_FINISHED : FLOW_WAIT;
}

static void
on_notification(struct group_run *g, const struct packet *p)
{
	struct group_topic *t;
	uint32_t i;

	if (p->type != PACKET_NON || p->code != PACKET_CONTENT || !p->has_observe ||
		!packet_read_payload(p->payload, &i) || i >= g->l->n_requests) {
		g->n_odd++;
		return;
	}
	if (g->seen[i] > 0)
		g->n_duplicates++;
	else
		g->n_seen++;
	g->seen[i] = 1;
	/* RFC 7641 4.4: 24-bit serial arithmetic. */
	t = &g->topics[i % g->l->n_topics];
	if (i < t->last || (t->last > 0 && ((p->observe - t->last_observe) & 0xffffff) >= 1u << 23))
		g->n_unordered++;
	t->last = i + 1;
	t->last_observe = p->observe;
	if (g->serial && g->acked)
		flow_finish(&g->f, i);
}

static void
on_extra(void *ctx)
{
	struct group_run *g = ctx;
	uint8_t data[ENDPOINTS_IN];
	struct packet p;
	ssize_t n;

	while ((n = recv(g->fd, data, sizeof(data), MSG_DONTWAIT)) >= 0) {
		g->n_bytes += (uint64_t)n;
		if (packet_decode(bytes_of(data, (size_t)n), &p))
			on_notification(g, &p);
		else
			g->n_odd++;
	}
}

/* What is still on its way when the last publish is acknowledged. */
static void
drain(struct group_run *g)
{
	struct pollfd fd = {.fd = g->fd, .events = POLLIN};

	while (g->n_seen < g->l->n_requests && poll(&fd, 1, DRAIN_MS) > 0)
		on_extra(g);
}

static void
report(struct group_run *g)
{
	const struct endpoints *net = g->l->net;
	struct flow *f = &g->f;

	load_print_count("complete", f->n_finished == f->total && f->n_retransmissions == 0 &&
					     g->n_seen == f->total && g->n_duplicates == 0 &&
					     g->n_unordered == 0 && g->n_odd == 0);
	load_print_count("notifications", g->n_seen);
	load_print_count("notification_duplicates", g->n_duplicates);
	load_print_count("notification_unordered", g->n_unordered);
	load_print_count("notification_odd", g->n_odd);
	load_print_real("notification_bytes", g->n_seen > 0 ? (double)g->n_bytes / g->n_seen : 0);
	load_print_real(
		"packets_each", (double)(net->n_sent + net->n_received + g->n_seen) / f->total);
	load_print_real("bytes_each",
		(double)(net->n_bytes + g->n_bytes + g->n_seen * ENDPOINTS_HEADERS) / f->total);
	load_print_flow(f);
}

static int
enrol(struct load *l)
{
	struct flow f;
	int rc;

	if ((rc = load_prelude(l)) != 0)
		return rc;
	if (l->n_peers == 0)
		return 0; /* without a group observation: what a PUT alone costs */
	l->expect_group = true;
	rc = load_register(l, LOAD_REGISTER, 0, l->n_peers + l->n_topics - 1, &f);
	flow_fini(&f);
	return rc;
}

int
load_group(struct load *l)
{
	static const struct flow_ops ops = {
		.prepare = prepare, .on_reply = on_reply, .on_extra = on_extra};
	struct group_run g = {.l = l, .serial = l->window == 1};
	uint32_t window = l->window;
	struct error err;
	int rc;

	/* Registrations have a window of their own: W is that of the publisher. */
	l->window = 64;
	if ((rc = enrol(l)) != 0)
		return rc;
	l->window = window;
	g.fd = endpoints_join(&l->group, &err);
	if (g.fd < 0)
		return g.fd;
	g.seen = mem_alloc(l->n_requests + 1);
	g.topics = mem_alloc(sizeof(*g.topics) * l->n_topics);
	g.f = load_flow(l, LOAD_MEASURE);
	g.f.ops = &ops;
	g.f.ctx = &g;
	g.f.first_peer = l->n_peers + l->n_topics - 1;
	g.f.total = l->n_requests;
	g.f.extra_fd = g.fd;
	l->net->n_sent = l->net->n_received = l->net->n_bytes = 0;
	flow_run(&g.f);
	drain(&g);
	report(&g);
	flow_fini(&g.f);
	free(g.seen);
	free(g.topics);
	close(g.fd);
	return 0;
}
