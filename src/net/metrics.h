/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures for Prometheus: a responder for HTTP/1.1 that knows GET /metrics and
 * nothing else. What it needs is allocated when it starts: a handful of
 * connections, each with its buffers and so many seconds; who comes while all are
 * taken waits in the kernel's queue.
 */
#ifndef COAPCAST_NET_METRICS_H
#define COAPCAST_NET_METRICS_H

#include <uv.h>

#include "base/addr.h"
#include "net/figures.h"

#define METRICS_CONNECTIONS 8
#define METRICS_REQUEST_MAX 2048 /* bytes of a request's head */
#define METRICS_TIMEOUT_MS 5000 /* of a connection, from its first moment to its last */

struct metrics;

/* Listens; `take` reads the figures. 0, or negative errno with e filled. */
int metrics_open(uv_loop_t *loop, const struct addr *at,
	void (*take)(void *ctx, struct figures *ret), void *ctx, struct error *e,
	struct metrics **ret);
/* Closes all; the memory goes in a later turn of the loop. NULL is fine. */
void metrics_close(struct metrics *m);

#endif
