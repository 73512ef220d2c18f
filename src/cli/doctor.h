/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `coapcast doctor`: looks at what of this host, and of the way to a broker, decides whether
 * notifications by multicast are received, a line for each check. doctor.c has the host's,
 * doctor_broker.c those towards a broker.
 */
#ifndef COAPCAST_CLI_DOCTOR_H
#define COAPCAST_CLI_DOCTOR_H

#include "cli/connection.h"
#include "cli/finding.h"
#include "cli/firewall.h"
#include "cli/hostfacts.h"

enum cli_exit doctor_run(const struct args *a);

/* What doctor.c found out of the interface that leads to the broker. */
struct doctor_host {
	struct hostfacts facts;
	struct firewall firewall; /* n 0: none, or nobody may look */
};

/*
 * Is there a broker, are its groups to be joined, and do their notifications get here? As
 * little as a subscriber asks, and no registration. True when one came.
 */
bool doctor_ask_broker(struct connection *c, const struct doctor_host *host, struct findings *all);

#endif
