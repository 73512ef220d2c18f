/* SPDX-License-Identifier: BSD-2-Clause */
/* `coapcast sub`: follows a topic and prints its values, or runs a command for each. */
#ifndef COAPCAST_CLI_SUB_H
#define COAPCAST_CLI_SUB_H

#include "cli/args.h"
#include "cli/cli.h"

enum cli_exit sub_run(const struct args *a);

#endif
