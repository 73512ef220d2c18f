/* SPDX-License-Identifier: BSD-2-Clause */
/* `coapcast ls`: prints the topics of a broker, one per line. */
#ifndef COAPCAST_CLI_LS_H
#define COAPCAST_CLI_LS_H

#include "cli/args.h"
#include "cli/cli.h"

enum cli_exit ls_run(const struct args *a);

#endif
