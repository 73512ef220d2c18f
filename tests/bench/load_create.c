/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is there before the rest begins: topics created by POST, and observers of
 * another topic. Mode `create` measures the former, and publishes a value to each.
 */
#include <errno.h>
#include <stdio.h>

#include "load.h"

#define CREATORS 256 /* endpoints; one would use up its message IDs */
#define FIRST_CREATOR 900000u
#define FIRST_OTHER 600000u
#define TOPIC_FORMAT 606

/* {0: "created/N", 2: "core.ps.data", 3: 0} */
static void
prepare_topic(void *ctx, uint32_t i, struct packet_request *r)
{
	static const uint8_t rest[] = "\x02\x6c"
				      "core.ps.data\x03";
	struct load *l = ctx;
	struct buf out = BUF_OF(l->payload);
	char name[24];
	int n = snprintf(name, sizeof(name), "created/%lu", (unsigned long)i);

	buf_put_u8(&out, 0xa3);
	buf_put_u8(&out, 0x00);
	buf_put_u8(&out, (uint8_t)(0x60 + n));
	buf_put_str(&out, name);
	/* The NUL at its end is the 0 of the content format. */
	buf_put(&out, BYTES_OF(rest));
	r->code = PACKET_POST;
	r->path = "ps";
	r->format = TOPIC_FORMAT;
	r->payload = buf_bytes(&out);
}

static enum flow_verdict
on_created(void *ctx, uint32_t i, const struct packet *p)
{
	(void)ctx;
	(void)i;
	return p->code == PACKET_CREATED ? FLOW_FINISHED : FLOW_REFUSED;
}

static void
prepare_value(void *ctx, uint32_t i, struct packet_request *r)
{
	struct load *l = ctx;

	snprintf(l->path_text, sizeof(l->path_text), "ps/data/created/%lu", (unsigned long)i);
	packet_fill_payload(l->payload, l->payload_size, i);
	r->code = PACKET_PUT;
	r->path = l->path_text;
	r->payload = bytes_of(l->payload, l->payload_size);
}

/* A value for each of n topics. */
static bool
fill(struct load *l, uint32_t n)
{
	static const struct flow_ops ops = {.prepare = prepare_value, .on_reply = on_created};
	struct flow f = load_flow(l, LOAD_MEASURE);
	bool ok;

	f.ops = &ops;
	f.first_peer = FIRST_CREATOR;
	f.first_mid = 0x8000;
	f.n_peers = CREATORS;
	f.total = n;
	flow_run(&f);
	ok = f.n_finished == n;
	flow_fini(&f);
	return ok;
}

static bool
create(struct load *l, uint32_t n, struct flow *f)
{
	static const struct flow_ops ops = {.prepare = prepare_topic, .on_reply = on_created};

	*f = load_flow(l, LOAD_CREATE);
	f->ops = &ops;
	f->window = 64;
	f->first_peer = FIRST_CREATOR;
	f->n_peers = CREATORS;
	f->total = n;
	f->tenths = true;
	flow_run(f);
	return f->n_finished == n;
}

static void
prepare_other(void *ctx, uint32_t i, struct packet_request *r)
{
	struct load *l = ctx;

	(void)i;
	r->code = PACKET_GET;
	r->observe = true;
	r->path = l->other_path;
}

static enum flow_verdict
on_observed(void *ctx, uint32_t i, const struct packet *p)
{
	(void)ctx;
	(void)i;
	return p->code == PACKET_CONTENT && p->has_observe ? FLOW_FINISHED : FLOW_REFUSED;
}

static bool
observe_other(struct load *l, uint32_t n)
{
	static const struct flow_ops ops = {.prepare = prepare_other, .on_reply = on_observed};
	struct flow f = load_flow(l, LOAD_OTHERS);
	bool ok;

	f.ops = &ops;
	f.window = 64;
	f.first_peer = FIRST_OTHER;
	f.total = f.n_peers = n;
	flow_run(&f);
	ok = f.n_finished == n;
	flow_fini(&f);
	return ok;
}

int
load_prelude(struct load *l)
{
	struct flow f;

	if (l->n_created > 0) {
		bool ok = create(l, l->n_created, &f);

		flow_fini(&f);
		if (!ok)
			return -ETIMEDOUT;
	}
	return l->n_others == 0 || observe_other(l, l->n_others) ? 0 : -ETIMEDOUT;
}

int
load_create(struct load *l)
{
	struct meter_memory before, after;
	struct flow f;
	bool ok;

	before = meter_memory(l->pid);
	ok = create(l, l->n_peers, &f) && fill(l, l->n_peers);
	after = meter_memory(l->pid);
	load_print_count("complete", ok && f.n_retransmissions == 0);
	load_print_flow(&f);
	load_print_memory(&before, &after, l->n_peers);
	flow_fini(&f);
	return 0;
}
