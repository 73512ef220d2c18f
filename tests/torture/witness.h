/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sees what a broker promises, over all of its lives: it publishes to topics,
 * observes them, in the traditional way and in a group, and says what did not hold:
 *
 * - an acknowledged publish is there in the next life once it is as old as commit-interval,
 *   at commit-interval 0 and after a clean stop at once;
 * - a topic's value is never one that was not published;
 * - Observe numbers never fall (RFC 7641 3.4), nor are two values said under one, nor
 *   does a token of the group change its topic;
 * - no Partial IV is used twice in the group (RFC 8613 7.2.1).
 */
#ifndef COAPCAST_TORTURE_WITNESS_H
#define COAPCAST_TORTURE_WITNESS_H

#include <netinet/in.h>

#include "../bench/packet.h"

#define WITNESS_TOPICS 16 /* t/0 to t/7, and g/0 to g/7, which have a group */
#define WITNESS_GROUPED 8 /* the first of the latter */
#define WITNESS_TOKENS 8192
#define WITNESS_HISTORY 4096 /* spans of 10 ms and more */
/* How much longer than commit-interval a commit may take to be made. */
#define WITNESS_SLACK_MS 500

/* What was acknowledged within a short time: the largest number, and the last moment. */
struct witness_ack {
	uint64_t from_ns, at_ns;
	uint32_t number;
};

struct witness_topic {
	char path[32];
	uint32_t sent; /* the last number that was published */
	uint32_t acked; /* the largest that was acknowledged */
	uint32_t promised; /* what the next life has at least */
	struct witness_ack history[WITNESS_HISTORY]; /* of this life, a ring */
	uint32_t n_history;
	uint64_t sent_ns, asked_ns, registered_ns; /* this life's; 0: not yet */
	bool known, registered; /* it was said what the value is; in this life */
	bool observed; /* it was registered in any life */
	bool open; /* `sent` is not answered */
	bool moved; /* its observation is the group's, in any life */
	uint32_t observe, observe_number; /* of the traditional observer */
	bool has_observe;
};

struct witness_token {
	uint32_t token, topic, observe, number;
};

struct witness {
	struct sockaddr_in server, group;
	unsigned interval_ms;
	int asks, observes, hears; /* sockets; the first is a new one in each life */
	uint16_t mid;
	bool again, paused;
	struct witness_topic topics[WITNESS_TOPICS];
	struct witness_token tokens[WITNESS_TOKENS];
	unsigned n_tokens;
	uint8_t *pivs; /* bits: those that were used */
	uint64_t n_publishes, n_acked, n_refused, n_unicast, n_multicast, n_protected, n_lost;
	unsigned n_failures, n_said;
};

bool witness_init(struct witness *w);
void witness_fini(struct witness *w);

/* A life of the daemon begins; `again`: who observes registers again. */
void witness_begin(struct witness *w, bool again);
/* Sends what is due. */
void witness_say(struct witness *w, uint64_t now_ns);
/* Takes in what comes, for so long. */
void witness_wait(struct witness *w, int ms);
/* It is going to be killed, or told to stop when all is quiet. */
void witness_killed(struct witness *w, uint64_t now_ns);
void witness_stopped(struct witness *w);
/* No more publishes in this life. */
void witness_pause(struct witness *w);
/* Whether every topic was seen in this life, and its registration answered. */
bool witness_is_content(const struct witness *w);
/* Whether every publish is answered. */
bool witness_is_quiet(const struct witness *w);

void witness_fail(struct witness *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void witness_report(const struct witness *w);

#endif
