/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether there is a server at the other end of a connection, how long it takes to answer,
 * and what the way there is called: for `status` and `doctor`.
 */
#ifndef COAPCAST_CLI_PROBE_H
#define COAPCAST_CLI_PROBE_H

#include "cli/connection.h"

struct probe {
	uint64_t rtt_us; /* the shortest of a few */
	const char *transport; /* "UDP" */
	char security[128]; /* "none", "OSCORE as panel-1" */
};

/* Asks for a list that is empty, a few times. Failures are told. */
enum cli_exit probe_run(struct connection *c, struct probe *ret);

#endif
