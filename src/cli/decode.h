/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `coapcast decode`: a captured file in words; what the words are is dissect's business.
 */
#ifndef COAPCAST_CLI_DECODE_H
#define COAPCAST_CLI_DECODE_H

#include <stdbool.h>

#include "cli/cli.h"

/* A command with options of its own: see `tools` in cli.c. */
enum cli_exit decode_run(int argc, char **argv, bool *ret_help);

#endif
