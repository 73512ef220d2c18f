/* SPDX-License-Identifier: BSD-2-Clause */
/* `coapcast pub`: publishes values to a topic, each acknowledged before the next. */
#ifndef COAPCAST_CLI_PUB_H
#define COAPCAST_CLI_PUB_H

#include "cli/args.h"
#include "cli/cli.h"

enum cli_exit pub_run(const struct args *a);

#endif
