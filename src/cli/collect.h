/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks groups and shows what their servers answer: what `discover` and `get` of a
 * multicast address have in common. One meeting per group and interface, all at once,
 * for the time of -W or until -C servers answered; what came in a first block is
 * completed by unicast afterwards. Each server is shown once.
 */
#ifndef COAPCAST_CLI_COLLECT_H
#define COAPCAST_CLI_COLLECT_H

#include "cli/connection.h"
#include "client/meeting.h"

#define COLLECT_MEETINGS_MAX 64
#define COLLECT_WAIT_MS (2 * GATHER_ROUND_MS) /* without -W: asked twice, and heard out */

/* One server's whole answer, a 2.05; borrowed for the call. */
struct answer {
	const struct addr *server;
	int content_format; /* or TARGET_NO_FORMAT */
	bool verified; /* by object security */
	struct bytes body;
};

struct rest;

struct collect {
	struct connection c; /* its loop and arguments; no endpoint but for the rests */
	struct target target;
	struct armor armor; /* of the requests; its context NULL: they are not protected */
	enum connection_written (*show)(struct collect *all, const struct answer *a);
	struct meeting *meetings[COLLECT_MEETINGS_MAX];
	unsigned n_meetings;
	struct rest *rests; /* answers whose first block is all there is so far */
	uv_timer_t end;
	uint32_t n_rests; /* servers of whom there are */
	uint32_t n_shown; /* those whose answers were worth showing: `show` counts */
	uint64_t n_dropped; /* answers that could not be verified */
	uint8_t refused; /* the code of some error response, or 0 */
	enum connection_written written; /* but for WRITTEN, stdout takes no more */
};

/* `target` is borrowed until collect_run returns. CLI_OTHER when it failed, which is told. */
enum cli_exit collect_open(struct collect *all, const struct args *a, const struct target *target,
	enum connection_written (*show)(struct collect *all, const struct answer *a));

/* From now on requests are protected by a group's keys of --credentials. Failures are told. */
enum cli_exit collect_protect(struct collect *all);

/* Asks one more group; 0, or negative errno with e filled. */
int collect_add(struct collect *all, const struct addr *group, uint32_t ifindex, struct error *e);

/* Runs until it is over and closes everything. */
enum cli_exit collect_run(struct collect *all);

/* "coap://host:port" of a server, the port only when it is not the usual; the result is `out`. */
#define COLLECT_URI_MAX (ADDR_STRLEN + 16)
const char *collect_uri(const struct addr *server, char out[COLLECT_URI_MAX]);

#endif
