/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/connection.h"
#include "cli/decode.h"
#include "cli/discover.h"
#include "cli/doctor.h"
#include "cli/get.h"
#include "cli/keygen.h"
#include "cli/ls.h"
#include "cli/pub.h"
#include "cli/status.h"
#include "cli/sub.h"
#include "cli/topics.h"

struct command {
	const char *name;
	enum args_command args;
	enum cli_exit (*run)(const struct args *a);
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
	{"status", ARGS_STATUS, status_run, "[-v] [-i IFACE] [-W SECONDS] [--json] URI"},
	{"doctor", ARGS_DOCTOR, doctor_run, "[-v] [-i IFACE] [-W SECONDS] [--json] [URI]"},
};

/* Commands without a broker, which read their own options. */
struct tool {
	const char *name;
	enum cli_exit (*run)(int argc, char **argv, bool *ret_help);
	const char *usage;
};

static const struct tool tools[] = {
	{"decode", decode_run, "[-v] [--json] [-c|--config FILE] [--credentials FILE] CAPTURE"},
	{"keygen identity", keygen_identity,
		"[-o FOLDER] [--psk] [--broker-id HEX] [--client-id HEX] [--id-context HEX] NAME"},
	{"keygen group", keygen_group,
		"[-o FOLDER] [--managed self|external] [--members NAME,...] [--gid HEX] "
		"[ALGORITHM ...] [--gm-credential FILE] [--join-uri URI [--group-name NAME] "
		"[--as-uri URI]] NAME"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))
#define N_TOOLS (sizeof(tools) / sizeof(tools[0]))

/* Of one command, or of all there are. */
static void
print_usage(FILE *to, const char *only)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!only || only == commands[i].name)
			(void)fprintf(
				to, "usage: coapcast %s %s\n", commands[i].name, commands[i].usage);
	for (size_t i = 0; i < N_TOOLS; i++)
		if (!only || only == tools[i].name)
			(void)fprintf(to, "usage: coapcast %s %s\n", tools[i].name, tools[i].usage);
}

static int
run_tool(const struct tool *t, int argc, char **argv)
{
	bool help = false;
	enum cli_exit rc = t->run(argc, argv, &help);

	if (help) {
		print_usage(stdout, t->name);
		return (int)connection_wrote(connection_write(BYTES_NONE));
	}
	if (rc == CLI_USAGE)
		print_usage(stderr, t->name);
	return (int)rc;
}

static int
run_command(const struct command *c, int argc, char **argv)
{
	struct args a;
	struct error e;
	int rc;

	if ((rc = args_parse(argc, argv, c->args, &a, &e)) < 0) {
		connection_complain("%s", e.text);
		if (rc == -EINVAL)
			print_usage(stderr, c->name);
		return CLI_USAGE;
	}
	if (a.help) {
		print_usage(stdout, c->name);
		return (int)connection_wrote(connection_write(BYTES_NONE));
	}
	return (int)c->run(&a);
}

/*
 * Whether the words say this command. *ret_words is how many its name has, also when only
 * the first of them is there.
 */
static bool
says(int argc, char **argv, const char *name, int *ret_words)
{
	const char *blank = strchr(name, ' ');
	size_t n = blank ? (size_t)(blank - name) : strlen(name);

	if (argc < 2 || strlen(argv[1]) != n || strncmp(argv[1], name, n) != 0)
		return false;
	*ret_words = blank ? 2 : 1;
	return !blank || (argc > 2 && strcmp(argv[2], blank + 1) == 0);
}

int
cli_run(int argc, char **argv)
{
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
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (says(argc, argv, commands[i].name, &words))
			return run_command(&commands[i], argc - words, argv + words);
	for (size_t i = 0; i < N_TOOLS; i++)
		if (says(argc, argv, tools[i].name, &words))
			return run_tool(&tools[i], argc - words, argv + words);
	if (argc > words)
		connection_complain("there is no command %s%s%s", argv[1], words > 1 ? " " : "",
			words > 1 ? argv[2] : "");
	print_usage(stderr, NULL);
	return CLI_USAGE;
}
