/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/plan.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/link.h"

/* Answers to multicast requests at leisure; of a kilobyte or so each. */
#define HELD_MAX 1024

static const unsigned generations[] = {
	[CONF_INFORM_BOTH] = INFORM_BOTH,
	[CONF_INFORM_CURRENT] = INFORM_CURRENT,
	[CONF_INFORM_SEED] = INFORM_SEED,
};

/* An interface that was there once: the network may change again. */
static bool
is_known(const struct plan *running, const char *interface)
{
	for (size_t i = 0; running && i < running->broker.n_groups; i++) {
		if (strcmp(running->from[i].interface, interface) == 0)
			return true;
	}
	return false;
}

static int
plan_group(struct broker_group *g, const struct conf_group *from, const struct plan *running,
	struct error *e)
{
	unsigned index = if_nametoindex(from->interface);

	if (index == 0 && !is_known(running, from->interface)) {
		error_set(e, "group %s: no interface %s", from->name, from->interface);
		return -ENODEV;
	}
	*g = (struct broker_group){
		.name = from->name,
		.address = from->address,
		.source = from->source,
		.ifindex = index,
		.patterns = from->topics,
		.n_patterns = from->n_topics,
		.members = from->members,
		.n_members = from->n_members,
		.threshold = from->threshold,
		.max_age_s = (uint32_t)(from->max_age_ms / 1000),
		.min_interval_ms = (uint32_t)from->min_interval_ms,
		.datagram = from->datagram,
		.count = {.every = from->feedback.every,
			.confirmations = from->feedback.confirmations,
			.wait_ms = (uint32_t)from->feedback.wait_ms,
			.dampener = from->feedback.dampener,
			.cancel_below = from->cancel_below},
		.whole_only = from->large_values == CONF_LARGE_TRADITIONAL,
		.generations = generations[from->informative_response],
		.hops = (uint8_t)from->hops,
	};
	return 0;
}

/* enum link_flag of what only OSCORE gets at; 0: DTLS or TLS does, too. */
static unsigned
links_tell(const struct conf *boot)
{
	for (size_t i = 0; i < boot->n_listen; i++) {
		if (boot->listen[i].scheme == CONF_COAPS ||
			boot->listen[i].scheme == CONF_COAPS_TCP)
			return 0;
	}
	return LINK_OSC | (boot->n_oscore_groups ? LINK_GOSC : 0);
}

int
plan_init(struct plan *p, const struct conf *boot, const struct conf *conf,
	const struct plan *running, struct error *e)
{
	const struct conf_limits *limits = &conf->broker.limits;
	int rc;

	*p = (struct plan){
		.layer = {.peers = limits->peers,
			.exchanges = limits->exchanges,
			.held = limits->exchanges < HELD_MAX ? limits->exchanges : HELD_MAX,
			.payload = (uint32_t)limits->payload_bytes},
		.broker =
			{
				.collection = boot->broker.collection,
				.create_on_publish = conf->broker.create_on_publish,
				.informative_format =
					(uint16_t)boot->protocol.informative_response_format,
				.topic_format = (uint16_t)boot->protocol.topic_format,
				.n_groups = conf->n_groups,
				.protection = links_tell(boot),
				.is_closed = boot->security.nosec == CONF_NOSEC_DENY,
				.limits =
					{
						.topics = limits->topics,
						.observers = limits->observers,
						.observers_per_peer = limits->observers_per_peer,
						.bodies = limits->bodies,
						.payload = (uint32_t)limits->payload_bytes,
						.memory = limits->memory_bytes,
						.publish_rate = limits->publish_rate,
					},
			},
	};
	p->groups = mem_alloc(conf->n_groups * sizeof(*p->groups));
	p->broker.groups = p->groups;
	p->from = conf->groups;
	for (size_t i = 0; i < conf->n_groups; i++) {
		if ((rc = plan_group(&p->groups[i], &conf->groups[i], running, e)) < 0) {
			plan_fini(p);
			return rc;
		}
	}
	return 0;
}

void
plan_fini(struct plan *p)
{
	free(p->groups);
	p->groups = NULL;
}

static bool
is_same_name(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What clients know of a group observation, or have to have for it. */
static bool
is_same(const struct conf_group *a, const struct conf_group *b)
{
	return strcmp(a->name, b->name) == 0 && addr_equal(&a->address, &b->address) &&
	       addr_equal(&a->source, &b->source) && strcmp(a->interface, b->interface) == 0 &&
	       is_same_name(a->oscore, b->oscore);
}

const struct broker_group *
plan_successor(const struct plan *before, const struct plan *now, const struct broker_group *old)
{
	const struct conf_group *from = &before->from[old - before->groups];

	for (size_t i = 0; i < now->broker.n_groups; i++) {
		if (is_same(from, &now->from[i]))
			return &now->groups[i];
	}
	return NULL;
}
