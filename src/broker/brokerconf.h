/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a broker is set up with: its limits, and the groups that multicast
 * notifications go to. Plain values; net/plan.c makes them of the configuration.
 */
#ifndef COAPCAST_BROKER_BROKERCONF_H
#define COAPCAST_BROKER_BROKERCONF_H

#include "base/addr.h"
#include "broker/count.h"

struct broker_limits {
	uint32_t topics;
	uint32_t observers; /* all topics together, those being moved included */
	uint32_t observers_per_peer;
	uint32_t bodies; /* block-wise bodies in the making */
	uint32_t payload; /* bytes of a value */
	uint64_t memory; /* bytes of all values, half received bodies and covers */
	uint32_t publish_rate; /* publishes per second and peer; 0: any number */
};

/* A group that multicast notifications go to; borrowed by the broker until regroup_broker. */
struct broker_group {
	const char *name;
	struct addr address; /* multicast, with port */
	struct addr source; /* server address of its observations; AF_UNSPEC: that of the
	                                 * registration which starts one. Port 0: any of ours */
	uint32_t ifindex; /* 0: the interface is not there now */
	const char *const *patterns; /* of topic names */
	size_t n_patterns;
	const struct prefix *members; /* NULL: every address of the group's family */
	size_t n_members;
	uint32_t threshold; /* observers of one topic that start its group observation */
	uint32_t max_age_s; /* of its notifications; when it passes, a fresh one is sent */
	uint32_t min_interval_ms; /* between two of its notifications, less than max_age_s */
	struct count_conf count; /* how those who take part are counted */
	uint32_t datagram; /* bytes of the largest multicast datagram, at most 2048 */
	bool whole_only; /* topics whose value does not fit it stay traditional */
	unsigned generations; /* enum inform_generation */
	uint8_t hops;
	/*
	 * Group OSCORE, opaque here: its observations are protected, and are for protected
	 * observers only. NULL: neither.
	 */
	const struct broker_security *security;
	uint32_t overhead; /* bytes that protection adds to a datagram of it at most */
};

struct broker_conf {
	const char *collection; /* "/ps": borrowed */
	bool create_on_publish;
	struct broker_limits limits;
	uint16_t informative_format; /* Content-Format of the informative response */
	uint16_t topic_format; /* of topic properties */
	const struct broker_group *groups;
	size_t n_groups;
	/*
	 * What links say of data that nobody gets at unprotected: LINK_OSC and LINK_GOSC; 0 where
	 * DTLS protects as well, which links cannot tell of. And whether all data is such.
	 */
	unsigned protection;
	bool is_closed;
};

#endif
