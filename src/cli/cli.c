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
#include "cli/topics.h"

struct command {
	const char *name;
	enum args_command args;
	enum cli_exit (*run)(const struct args *a); /* NULL: not in this build */
	const char *usage;
};

static const struct command commands[] = {
	{"sub", ARGS_SUB, sub_run,
		"[-Rv] [-C COUNT] [-i IFACE] [-W SECONDS] [--exec CMD] [--json] URI..."},
	{"pub", ARGS_PUB, pub_run,
		"[-v] [-i IFACE] [-W SECONDS] [--ct FORMAT] -m TEXT|-f FILE|-l|-s URI"},
	{"get", ARGS_GET, get_run, "[-v] [-C COUNT] [-i IFACE] [-W SECONDS] [--json] URI"},
	{"ls", ARGS_LS, ls_run, "[-v] [-i IFACE] [-W SECONDS] [--json] URI"},
	{"topic create", ARGS_CREATE, topics_create,
		"[-v] [-i IFACE] [-W SECONDS] [--json] [PROPERTY ...] URI"},
	{"topic show", ARGS_SHOW, topics_show, "[-v] [-i IFACE] [-W SECONDS] [--json] URI"},
	{"topic set", ARGS_SET, topics_set,
		"[-v] [-i IFACE] [-W SECONDS] [--json] [--replace] [PROPERTY ...] URI"},
	{"topic rm", ARGS_RM, topics_remove, "[-v] [-i IFACE] [-W SECONDS] URI"},
	{"discover", ARGS_DISCOVER, discover_run,
		"[-v] [-C COUNT] [-i IFACE] [-W SECONDS] [--json]"},
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

/* Which command the words say, and how many words its name has; NULL: none. */
static const struct command *
find_command(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');
		size_t n = blank ? (size_t)(blank - name) : strlen(name);

		if (argc < 2 || strlen(argv[1]) != n || strncmp(argv[1], name, n) != 0)
			continue;
		*ret_words = blank ? 2 : 1;
		if (!blank || (argc > 2 && strcmp(argv[2], blank + 1) == 0))
			return &commands[i];
	}
	return NULL;
}

int
cli_run(int argc, char **argv)
{
	const struct command *c;
	int words = 1;

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
	if ((c = find_command(argc, argv, &words)) != NULL)
		return run_command(c, argc - words, argv + words);
	if (argc > words)
		connection_complain("there is no command %s%s%s", argv[1], words > 1 ? " " : "",
			words > 1 ? argv[2] : "");
	print_usage(stderr, NULL);
	return CLI_USAGE;
}
