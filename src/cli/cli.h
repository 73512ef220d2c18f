/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of coapcast: its subcommands and their exit status. What each
 * does is in the file of its name.
 */
#ifndef COAPCAST_CLI_CLI_H
#define COAPCAST_CLI_CLI_H

/* What coapcast(1) promises. */
enum cli_exit {
	CLI_OK = 0,
	CLI_OTHER = 1,
	CLI_USAGE = 2,
	CLI_TIMEOUT = 3,
	CLI_REFUSED = 4, /* a 4.xx */
	CLI_FAILED = 5, /* a 5.xx */
	CLI_SECURITY = 6,
	CLI_NO_MULTICAST = 7,
};

/* Runs the command line to its exit status. */
int cli_run(int argc, char **argv);

#endif
