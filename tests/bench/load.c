/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct flow
load_flow(struct load *l, enum load_phase phase)
{
	return (struct flow){
		.net = l->net,
		.ctx = l,
		.window = l->window,
		.n_peers = 1,
		/* Phases of one endpoint must not share message IDs. */
		.first_mid = (uint16_t)(phase == LOAD_MEASURE ? 16 : phase),
		.phase = (uint8_t)phase,
		.extra_fd = -1,
		.pid = l->pid,
		.deadline_ns = l->deadline_ns,
	};
}

const char *
load_path(struct load *l, uint32_t topic)
{
	const char *percent = strchr(l->path, '%');

	if (percent == NULL)
		return l->path;
	snprintf(l->path_text, sizeof(l->path_text), "%.*s%lu%s", (int)(percent - l->path), l->path,
		(unsigned long)topic, percent + 1);
	return l->path_text;
}

static void
prepare_get(void *ctx, uint32_t i, struct packet_request *r)
{
	struct load *l = ctx;

	(void)i;
	r->code = PACKET_GET;
	r->path = load_path(l, 0);
}

static enum flow_verdict
on_content(void *ctx, uint32_t i, const struct packet *p)
{
	(void)ctx;
	(void)i;
	return p->code == PACKET_CONTENT ? FLOW_FINISHED : FLOW_REFUSED;
}

const struct flow_ops load_get_ops = {.prepare = prepare_get, .on_reply = on_content};

static void
prepare_put(void *ctx, uint32_t i, struct packet_request *r)
{
	load_prepare_publish(ctx, i, r);
}

static enum flow_verdict
on_put(void *ctx, uint32_t i, const struct packet *p)
{
	(void)ctx;
	(void)i;
	return p->code == PACKET_CHANGED || p->code == PACKET_CREATED ? FLOW_FINISHED
								      : FLOW_REFUSED;
}

const struct flow_ops load_put_ops = {.prepare = prepare_put, .on_reply = on_put};

int
load_greet(struct load *l, uint32_t n)
{
	struct flow f = load_flow(l, LOAD_GREET);
	uint32_t n_finished;

	f.ops = &load_get_ops;
	f.total = f.n_peers = n;
	flow_run(&f);
	n_finished = f.n_finished;
	flow_fini(&f);
	return n_finished == n ? 0 : -ETIMEDOUT;
}

static void
prepare_registration(void *ctx, uint32_t i, struct packet_request *r)
{
	struct load *l = ctx;

	r->code = PACKET_GET;
	r->observe = true;
	r->path = load_path(l, i < l->n_peers ? 0 : i - l->n_peers + 1);
}

/* A 2.05 with Observe registers; a 5.03 that needs an ACK is the group's answer. */
static enum flow_verdict
on_registered(void *ctx, uint32_t i, const struct packet *p)
{
	struct load *l = ctx;

	(void)i;
	if (l->expect_group)
		return p->code == PACKET_UNAVAILABLE && p->type == PACKET_CON && p->payload.n > 0
			       ? FLOW_FINISHED
			       : FLOW_REFUSED;
	return p->code == PACKET_CONTENT && p->has_observe ? FLOW_FINISHED : FLOW_REFUSED;
}

int
load_register(struct load *l, enum load_phase phase, uint32_t first, uint32_t n, struct flow *ret)
{
	static const struct flow_ops ops = {
		.prepare = prepare_registration, .on_reply = on_registered};
	struct flow f = load_flow(l, phase);

	f.ops = &ops;
	f.first_peer = first;
	f.total = f.n_peers = n;
	f.tenths = phase == LOAD_REGISTER;
	flow_run(&f);
	*ret = f;
	return f.n_finished == n ? 0 : -ETIMEDOUT;
}

int
load_seed(struct load *l)
{
	struct flow f = load_flow(l, LOAD_WARM);
	bool ok;

	f.ops = &load_put_ops;
	f.first_peer = l->n_peers;
	f.total = 1;
	flow_run(&f);
	ok = f.n_finished == 1;
	flow_fini(&f);
	return ok ? 0 : -ETIMEDOUT;
}

void
load_prepare_publish(struct load *l, uint32_t i, struct packet_request *r)
{
	r->code = PACKET_PUT;
	r->path = load_path(l, i % l->n_topics);
	packet_fill_payload(l->payload, l->payload_size, i);
	r->payload = bytes_of(l->payload, l->payload_size);
}

void
load_print_count(const char *key, uint64_t value)
{
	printf("%s\t%llu\n", key, (unsigned long long)value);
}

void
load_print_real(const char *key, double value)
{
	printf("%s\t%.3f\n", key, value);
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void
load_print_latency(uint32_t *latency_ns, uint32_t n)
{
	if (n == 0)
		return;
	qsort(latency_ns, n, sizeof(*latency_ns), compare_u32);
	load_print_real("p50_us", latency_ns[n / 2] / 1e3);
	load_print_real("p99_us", latency_ns[(uint64_t)n * 99 / 100] / 1e3);
	load_print_real("max_us", latency_ns[n - 1] / 1e3);
}

void
load_print_flow(struct flow *f)
{
	double wall_s = (double)f->cost.wall_ns / 1e9;
	double cpu_us = (double)f->cost.cpu_ns / 1e3;
	uint32_t tenth = f->total / 10;

	load_print_count("requests", f->total);
	load_print_count("done", f->n_finished);
	load_print_count("lost", f->n_lost);
	load_print_count("refused", f->n_refused);
	load_print_count("duplicates", f->n_duplicates);
	load_print_count("retransmissions", f->n_retransmissions);
	load_print_count("empty_acks", f->n_empty_acks);
	load_print_count("separate", f->n_separate);
	load_print_count("resets", f->n_resets);
	load_print_count("foreign", f->net->n_foreign);
	load_print_count("send_errors", f->net->n_send_errors);
	load_print_real("wall_ms", wall_s * 1e3);
	load_print_real("rate", wall_s > 0 ? f->n_finished / wall_s : 0);
	if (f->pid > 0 && f->n_finished > 0) {
		load_print_real("cpu_ms", cpu_us / 1e3);
		load_print_real("cpu_us", cpu_us / f->n_finished);
		/* Unlike the rate, this does not depend on who else uses the machine. */
		load_print_real("per_cpu_s", f->n_finished * 1e6 / (cpu_us + 1));
	}
	if (f->pid > 0 && f->tenths && tenth > 0) {
		load_print_real("first_cpu_us", (double)f->first_tenth.cpu_ns / 1e3 / tenth);
		load_print_real("last_cpu_us", (double)f->last_tenth.cpu_ns / 1e3 / tenth);
		load_print_real("last_to_first",
			(double)f->last_tenth.cpu_ns / (double)(f->first_tenth.cpu_ns + 1));
	}
	load_print_latency(f->latency_ns, f->n_finished);
}

void
load_print_memory(const struct meter_memory *before, const struct meter_memory *after, uint32_t n)
{
	if (!before->known || !after->known || n == 0)
		return;
	load_print_count("rss_kb", after->rss / 1024);
	load_print_count("pss_kb", after->pss / 1024);
	load_print_real("rss_each", ((double)after->rss - (double)before->rss) / n);
	load_print_real("pss_each", ((double)after->pss - (double)before->pss) / n);
	load_print_real(
		"anonymous_each", ((double)after->anonymous - (double)before->anonymous) / n);
}
