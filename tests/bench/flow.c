/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include <poll.h>
#include <stdlib.h>

#include "base/mem.h"
#include "meter.h"

#define MS 1000000u /* nanoseconds */
#define ANSWER_TIMEOUT_NS (2000u * MS) /* ACK_TIMEOUT, RFC 7252 4.8 */
#define SEPARATE_TIMEOUT_NS (8000ull * MS)
#define SWEEP_NS (50u * MS) /* how often timeouts are looked for */
#define MAX_TRIES 4

enum request_state {
	REQUEST_OPEN, /* sent, or about to be */
	REQUEST_ACKED, /* empty ACK came: the response is still to come */
	REQUEST_CLOSED,
};

struct flow_request {
	uint64_t first_ns; /* first transmission */
	uint64_t sent_ns; /* latest transmission */
	uint8_t state;
	uint8_t n_tries;
};

static void
send_request(struct flow *f, uint32_t i)
{
	struct packet_request r = {
		.mid = (uint16_t)(f->first_mid + i / f->n_peers),
		.token = (uint32_t)f->phase << 24 | i,
	};
	struct flow_request *q = &f->requests[i];
	struct buf out = endpoints_claim(f->net);

	f->ops->prepare(f->ctx, i, &r);
	packet_put_request(&out, &r);
	endpoints_push(f->net, f->first_peer + i % f->n_peers, &out);
	q->sent_ns = f->now_ns;
	if (q->n_tries++ == 0)
		q->first_ns = f->now_ns;
}

static void
close_request(struct flow *f, uint32_t i)
{
	f->requests[i].state = REQUEST_CLOSED;
	f->n_open--;
	while (f->oldest < f->next && f->requests[f->oldest].state == REQUEST_CLOSED)
		f->oldest++;
}

void
flow_finish(struct flow *f, uint32_t i)
{
	struct flow_request *q = &f->requests[i];

	if (i >= f->next || q->state == REQUEST_CLOSED)
		return;
	f->latency_ns[f->n_finished++] = (uint32_t)(meter_wall_ns() - q->first_ns);
	close_request(f, i);
}

/* Retransmits what has waited too long, gives up on what has had its tries. */
static void
sweep(struct flow *f)
{
	for (uint32_t i = f->oldest; i < f->next; i++) {
		struct flow_request *q = &f->requests[i];
		uint64_t age = f->now_ns - q->sent_ns;

		if (q->state == REQUEST_OPEN && age > ANSWER_TIMEOUT_NS && q->n_tries < MAX_TRIES) {
			f->n_retransmissions++;
			send_request(f, i);
		} else if ((q->state == REQUEST_OPEN && age > ANSWER_TIMEOUT_NS) ||
			   (q->state == REQUEST_ACKED && age > SEPARATE_TIMEOUT_NS)) {
			f->n_lost++;
			close_request(f, i);
		}
	}
}

/* An empty ACK or a RST names its request by message ID. */
static void
on_empty(struct flow *f, uint32_t peer, const struct packet *p)
{
	uint32_t at = peer - f->first_peer;
	uint32_t round = (uint16_t)(p->mid - f->first_mid);
	uint64_t i = (uint64_t)round * f->n_peers + at;

	if (p->type == PACKET_RST)
		f->n_resets++;
	else
		f->n_empty_acks++;
	if (at >= f->n_peers || i >= f->next || f->requests[i].state != REQUEST_OPEN)
		return;
	if (p->type == PACKET_ACK) {
		f->requests[i].state = REQUEST_ACKED;
	} else {
		f->n_refused++;
		close_request(f, (uint32_t)i);
	}
}

static void
on_response(struct flow *f, uint32_t peer, const struct packet *p)
{
	uint32_t i = p->token & FLOW_TOTAL_MAX;

	if (i >= f->next || peer != f->first_peer + i % f->n_peers) {
		f->n_refused++;
		return;
	}
	if (p->type != PACKET_ACK)
		f->n_separate++;
	if (f->requests[i].state == REQUEST_CLOSED) {
		f->n_duplicates++;
		return;
	}
	switch (f->ops->on_reply(f->ctx, i, p)) {
	case FLOW_FINISHED:
		flow_finish(f, i);
		break;
	case FLOW_REFUSED:
		f->n_refused++;
		close_request(f, i);
		break;
	case FLOW_WAIT:
		f->requests[i].state = REQUEST_ACKED;
		break;
	}
}

static void
on_arrival(struct flow *f, const struct endpoints_arrival *a)
{
	struct packet p;

	if (!packet_decode(a->data, &p)) {
		f->n_refused++;
		return;
	}
	if (p.type == PACKET_CON) {
		struct buf out = endpoints_claim(f->net);

		packet_put_empty(&out, PACKET_ACK, p.mid);
		endpoints_push(f->net, a->peer, &out);
	}
	if (p.code == PACKET_EMPTY) {
		on_empty(f, a->peer, &p);
	} else if (p.has_token && p.token >> 24 == f->phase) {
		on_response(f, a->peer, &p);
	} else if (f->ops->on_other != NULL) {
		f->ops->on_other(f->ctx, a->peer, &p);
	}
}

static void
wait_for_more(struct flow *f)
{
	struct pollfd fds[2] = {
		{.fd = f->net->fd, .events = POLLIN},
		{.fd = f->extra_fd, .events = POLLIN}, /* a negative one is skipped */
	};

	(void)poll(fds, 2, (int)(SWEEP_NS / MS));
}

static void
turn(struct flow *f)
{
	struct endpoints_arrival in[ENDPOINTS_BATCH];
	unsigned n;

	while (f->n_open < f->window && f->next < f->limit) {
		f->n_open++;
		send_request(f, f->next++);
	}
	endpoints_flush(f->net);
	n = endpoints_pull(f->net, in);
	if (n == 0) {
		wait_for_more(f);
		n = endpoints_pull(f->net, in);
	}
	f->now_ns = meter_wall_ns();
	for (unsigned i = 0; i < n; i++)
		on_arrival(f, &in[i]);
	if (f->extra_fd >= 0 && f->ops->on_extra != NULL)
		f->ops->on_extra(f->ctx);
}

/* Requests up to `limit`, from an idle server to an idle server. */
static struct flow_cost
run_leg(struct flow *f, uint32_t limit)
{
	uint64_t cpu_ns = meter_cpu_ns(f->pid);
	uint64_t start_ns = meter_wall_ns(), swept_ns = start_ns;
	struct flow_cost cost;

	f->limit = limit;
	f->now_ns = start_ns;
	while ((f->next < f->limit || f->n_open > 0) && f->now_ns < f->deadline_ns) {
		turn(f);
		if (f->now_ns - swept_ns > SWEEP_NS) {
			sweep(f);
			swept_ns = f->now_ns;
		}
	}
	endpoints_flush(f->net);
	cost.wall_ns = meter_wall_ns() - start_ns;
	/* The server may still be busy with our last ACKs: they are part of its bill. */
	meter_settle(f->pid);
	cost.cpu_ns = meter_cpu_ns(f->pid) - cpu_ns;
	f->cost.wall_ns += cost.wall_ns;
	f->cost.cpu_ns += cost.cpu_ns;
	return cost;
}

void
flow_run(struct flow *f)
{
	uint32_t tenth = f->tenths ? f->total / 10 : 0;

	f->requests = mem_alloc(sizeof(*f->requests) * (f->total + 1));
	f->latency_ns = mem_alloc(sizeof(*f->latency_ns) * (f->total + 1));
	if (tenth > 0) {
		f->first_tenth = run_leg(f, tenth);
		(void)run_leg(f, f->total - tenth);
		f->last_tenth = run_leg(f, f->total);
	} else {
		(void)run_leg(f, f->total);
	}
	f->n_lost += f->n_open + (f->total - f->next);
}

void
flow_fini(struct flow *f)
{
	free(f->requests);
	free(f->latency_ns);
	f->requests = NULL;
	f->latency_ns = NULL;
}
