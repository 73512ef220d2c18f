/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/plan.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "base/mem.h"

/* Answers to multicast requests at leisure; of a kilobyte or so each. */
#define HELD_MAX 1024

static const unsigned generations[] = {
	[CONF_INFORM_BOTH] = INFORM_BOTH,
	[CONF_INFORM_CURRENT] = INFORM_CURRENT,
	[CONF_INFORM_SEED] = INFORM_SEED,
};

static int
plan_group(struct broker_group *g, const struct conf_group *from, struct error *e)
{
	unsigned index = if_nametoindex(from->interface);

	if (index == 0) {
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

int
plan_init(struct plan *p, const struct conf *conf, struct error *e)
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
				.collection = conf->broker.collection,
				.create_on_publish = conf->broker.create_on_publish,
				.informative_format =
					(uint16_t)conf->protocol.informative_response_format,
				.topic_format = (uint16_t)conf->protocol.topic_format,
				.n_groups = conf->n_groups,
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
	for (size_t i = 0; i < conf->n_groups; i++) {
		if ((rc = plan_group(&p->groups[i], &conf->groups[i], e)) < 0) {
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
