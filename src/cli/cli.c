/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/connection.h"
#include "cli/discover.h"
#include "cli/get.h"
#include "cli/ls.h"
#include "cli/pub.h"
#include "cli/sub.h"

struct command {
	const char *name;
	enum args_command args;
	enum cli_exit (*run)(const struct args *a); /* NULL: not in this build */
	const char *usage;
};

static const struct command commands[] = {
	{"sub", ARGS_SUB, sub_run,
		"[-Rv] [-C COUNT] [-i IFACE] [-W SECONDS] [--exec CMD] [--json] URI"},
	{"pub", ARGS_PUB, pub_run,
		"[-v] [-i IFACE] [-W SECONDS] [--ct FORMAT] -m TEXT|-f FILE|-l|-s URI"},
	{"get", ARGS_GET, get_run, "[-v] [-C COUNT] [-i IFACE] [-W SECONDS] [--json] URI"},
	{"ls", ARGS_LS, ls_run, "[-v] [-i IFACE] [-W SECONDS] [--json] URI"},
	{"discover", ARGS_DISCOVER, discover_run,
		"[-v] [-C COUNT] [-i IFACE] [-W SECONDS] [--json]"},
	{.name = "topic"},
	{.name = "status"},
	{.name = "keygen"},
	{.name = "doctor"},
	{.name = "decode"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
print_usage(FILE *to, const struct command *only)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (commands[i].run && (!only || only == &commands[i]))
			(void)fprintf(
				to, "usage: coapcast %s %s\n", commands[i].name, commands[i].usage);
}

static int
run_command(const struct command *c, int argc, char **argv)
{
	struct args a;
	struct error e;
	int rc;

	if (!c->run) {
		connection_complain("%s is not in this build", c->name);
		return CLI_USAGE;
	}
	if ((rc = args_parse(argc, argv, c->args, &a, &e)) < 0) {
		connection_complain("%s", e.text);
		if (rc == -EINVAL)
			print_usage(stderr, c);
		return CLI_USAGE;
	}
	if (a.help) {
		print_usage(stdout, c);
		return (int)connection_wrote(connection_write(BYTES_NONE));
	}
	return (int)c->run(&a);
}

int
cli_run(int argc, char **argv)
{
	/* A reader of ours that goes away shows as an error of write. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_usage(stdout, NULL);
		return (int)connection_wrote(connection_write(BYTES_NONE));
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)puts(PACKAGE_STRING);
		return (int)connection_wrote(connection_write(BYTES_NONE));
	}
	for (size_t i = 0; argc > 1 && i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc - 1, argv + 1);
	if (argc > 1)
		connection_complain("there is no command %s", argv[1]);
	print_usage(stderr, NULL);
	return CLI_USAGE;
}
