/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load generator: one mode per file, what they share here. A mode prints
 * one `key<TAB>value` line per figure through the load_print functions and returns 0, or
 * a negative errno when it could not run at all. Losses are figures (complete
 * 0), not failures.
 */
#ifndef COAPCAST_BENCH_LOAD_H
#define COAPCAST_BENCH_LOAD_H

#include "flow.h"
#include "meter.h"

struct load {
	struct sockaddr_in server;
	struct sockaddr_in group; /* where multicast notifications go; port 0: none */
	pid_t pid; /* the server's; 0: no CPU and memory figures */
	const char
		*path; /* of a topic's data, without the leading '/'; '%' is the topic's number */
	uint32_t n_topics; /* that publishes go to in turn; topic 0 has the observers */
	uint32_t n_peers; /* endpoints that ask or observe */
	uint32_t n_requests; /* requests, or publishes */
	uint32_t window; /* requests open at a time */
	uint32_t n_warm; /* registrations before the measured ones */
	uint32_t n_created; /* topics made by POST before all else */
	uint32_t n_others; /* traditional observers of another topic, before all else */
	const char *other_path; /* that topic's data */
	uint32_t payload_size; /* of a publish, at least 8 */
	bool greet; /* every endpoint makes a GET before all else */
	bool expect_group; /* registrations must end in a 5.03 */
	uint64_t deadline_ns;
	char **command; /* mode `start`: the server */

	struct endpoints *net;
	uint8_t payload[1024];
	char path_text[256];
};

/* Phases: what a token's upper byte says it belongs to. */
enum load_phase {
	LOAD_GREET = 1,
	LOAD_WARM = 2,
	LOAD_REGISTER = 3,
	LOAD_MEASURE = 4,
	LOAD_MOVE = 5,
	LOAD_CREATE = 6,
	LOAD_OTHERS = 7,
};

/* A flow of that phase over the load's endpoints; ops, ctx and counts are then set. */
struct flow load_flow(struct load *l, enum load_phase phase);

/* One GET from each of `n` endpoints, so that the server knows them; 0 or -ETIMEDOUT. */
int load_greet(struct load *l, uint32_t n);

/* A PUT from somebody first: a server may have nothing to GET before; 0 or -ETIMEDOUT. */
int load_seed(struct load *l);

/*
 * Registers n endpoints from `first` on, those past n_peers one each with the
 * topics after the first; *ret is the finished flow (flow_fini
 * it). 0, or -ETIMEDOUT when some did not make it.
 */
int load_register(
	struct load *l, enum load_phase phase, uint32_t first, uint32_t n, struct flow *ret);

/* Makes what -c and -o ask for; 0, or -ETIMEDOUT when some of it did not come to be. */
int load_prelude(struct load *l);

/* The path of topic number `topic`; borrowed until the next call. */
const char *load_path(struct load *l, uint32_t topic);

/* A GET of the first topic, answered by its value; a publish, by that it was taken. */
extern const struct flow_ops load_get_ops, load_put_ops;

/* Gives request r the publish number i as its numbered payload. */
void load_prepare_publish(struct load *l, uint32_t i, struct packet_request *r);

void load_print_count(const char *key, uint64_t value);
void load_print_real(const char *key, double value);
/* p50, p99 and largest of n latencies, which get sorted. */
void load_print_latency(uint32_t *latency_ns, uint32_t n);
/* Counters, CPU per request, rate and latency of a finished flow. */
void load_print_flow(struct flow *f);
/* The difference of two memory readings over n, and the later one. */
void load_print_memory(
	const struct meter_memory *before, const struct meter_memory *after, uint32_t n);

int load_get(struct load *l);
int load_put(struct load *l);
int load_observe(struct load *l); /* mode `register` */
int load_group(struct load *l); /* mode `publish-group` */
int load_fanout(struct load *l);
int load_move(struct load *l);
int load_create(struct load *l);
int load_idle(struct load *l);
int load_mqtt(struct load *l);
int load_start(struct load *l);

#endif
