/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sees what a broker promises, over all of its lives: it publishes to topics,
 * observes them, in the traditional way and in a group, and says what did not hold:
 *
 * - an acknowledged publish is there in the next life once it is as old as commit-interval,
 *   at commit-interval 0 and after a clean stop at once;
 * - a topic's value is never one that was not published;
 * - who observes outlives the kills and is told the newest value in the end;
 * - Observe numbers never fall (RFC 7641 3.4), nor are two values said under one, nor
 *   does a token of the group change its topic;
 * - the same under OSCORE and in a protected group, where no nonce is used twice, and no
 *   request is run in another life than that it was sent in (veil.h).
 */
#ifndef COAPCAST_TORTURE_WITNESS_H
#define COAPCAST_TORTURE_WITNESS_H

#include <netinet/in.h>

#include "../bench/packet.h"
#include "veil.h"

/* t/0 to t/7, and g/0 to g/7, which have a group; s/0 to s/3, and o/0 to o/3, under OSCORE. */
#define WITNESS_PLAIN 16
#define WITNESS_TOPICS 24
#define WITNESS_REQUEST 256 /* bytes of a request, at most */
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
	bool lasting; /* long enough before that ended for the next to know */
	uint32_t heard; /* the largest number that its observer or the group was told */
	bool open; /* `sent` is not answered */
	bool moved; /* its observation is the group's, in any life */
	uint32_t observe, observe_number; /* of the traditional observer */
	bool has_observe;
	/* A protected publish, and the last one of the life before, which is sent once more. */
	uint8_t raw[WITNESS_REQUEST], old[WITNESS_REQUEST];
	size_t n_raw, n_old;
};

struct witness_token {
	uint32_t token, topic, observe, number; /* topic: WITNESS_TOPICS while it is not known */
};

struct witness {
	struct sockaddr_in server, group, veiled; /* the last two: where groups are */
	struct veil *veil; /* NULL: nothing is protected */
	unsigned n_topics;
	unsigned interval_ms;
	/* Sockets; the first is a new one in each life, the last two are the groups'. */
	int asks, observes, hears, veil_hears;
	uint8_t echo[40]; /* what a challenge said, to be repeated (RFC 9175 2.3) */
	size_t n_echo;
	bool is_trusted; /* a protected request was answered in this life */
	uint16_t mid;
	bool again, paused;
	struct witness_topic topics[WITNESS_TOPICS];
	struct witness_token tokens[WITNESS_TOKENS];
	unsigned n_tokens;
	uint64_t n_publishes, n_acked, n_refused, n_unicast, n_multicast, n_lost;
	uint64_t n_challenges, n_again, n_denied; /* requests of the life before, and 4.01 */
	uint64_t n_cancelled; /* group observations whose end the group was told */
	unsigned n_failures, n_said;
};

/* `secret`: of OSCORE; without (p NULL) there is none. */
bool witness_init(struct witness *w, struct bytes secret);
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
/* Whether everybody was told what was published last. */
bool witness_is_told(const struct witness *w);

void witness_fail(struct witness *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void witness_report(const struct witness *w);

#endif
