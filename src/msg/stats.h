/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message layer has counted since it began. How the figures are called outside
 * is in net/figures.c.
 */
#ifndef COAPCAST_MSG_STATS_H
#define COAPCAST_MSG_STATS_H

#include <stdint.h>

struct layer_stats {
	uint64_t received, ignored, malformed, pings, resets;
	uint64_t requests, duplicates, bad_options, responses, stray_responses, stray_acks;
	uint64_t con_sent, retransmitted, acked, timeouts, refused_peers, refused_exchanges;
	uint64_t evicted_peers, evicted_duplicates; /* forgotten for others, before their time */
	uint64_t crowded_out; /* peers given up before the first CON to them could leave */
	uint64_t challenged,
		verified; /* requests answered with an Echo, and peers that returned it */
	uint64_t held,
		refused_held; /* answers to multicast requests: late, and for want of room none */
};

#endif
