/* SPDX-License-Identifier: BSD-2-Clause */
/* `coapcast discover`: prints the brokers that answer at All-CoAP-Nodes, one per line. */
#ifndef COAPCAST_CLI_DISCOVER_H
#define COAPCAST_CLI_DISCOVER_H

#include "cli/args.h"
#include "cli/cli.h"

enum cli_exit discover_run(const struct args *a);

#endif
