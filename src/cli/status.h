/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `coapcast status`: what a running broker tells of itself over CoAP: how far away it is,
 * its collections and topics, and where the group observations of these are.
 */
#ifndef COAPCAST_CLI_STATUS_H
#define COAPCAST_CLI_STATUS_H

#include "cli/args.h"
#include "cli/cli.h"

enum cli_exit status_run(const struct args *a);

#endif
