/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is counted, in one table: what the dump on SIGUSR1 writes to
 * the log is what Prometheus is told. Who counts is asked once per reading.
 */
#ifndef COAPCAST_NET_FIGURES_H
#define COAPCAST_NET_FIGURES_H

#include "broker/broker.h"
#include "net/groupkeys.h"
#include "net/guard.h"
#include "net/keep.h"
#include "transport/coapd.h"
#include "transport/udp.h"

/* One reading of them all. */
struct figures {
	struct udp_stats udp;
	struct coapd_stats sessions; /* all 0 without */
	struct layer_stats layer;
	struct broker_stats broker;
	struct guard_stats oscore;
	struct groupkeys_stats keys;
	struct keep_figures store;
	uint64_t peers, exchanges; /* now */
	uint64_t unprotected_refused; /* requests that security.nosec forbade */
};

struct figure {
	const char *section; /* of the dump, and of the metric's name */
	const char *name; /* in words joined by '-' */
	const char *help; /* one line, for Prometheus */
	uint16_t at; /* of a uint64_t in struct figures */
	bool gauge; /* it goes down as well */
};

/* In the order of their sections; the last one has no name. */
const struct figure *figures_table(void);

uint64_t figures_value(const struct figures *f, const struct figure *what);

/* "coapcast_udp_received_total": what a figure is called for Prometheus. */
void figures_metric_name(const struct figure *what, struct buf *out);

/* The Prometheus text format, version 0.0.4. */
void figures_print(const struct figures *f, struct buf *out);

#endif
