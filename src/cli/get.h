/* SPDX-License-Identifier: BSD-2-Clause */
/* `coapcast get`: prints the current value of a topic. */
#ifndef COAPCAST_CLI_GET_H
#define COAPCAST_CLI_GET_H

#include "cli/args.h"
#include "cli/cli.h"

enum cli_exit get_run(const struct args *a);

#endif
