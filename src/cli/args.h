/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of the subcommands, from one table: which command takes which, and
 * what it does to `struct args`. It reports what is wrong and exits nothing.
 */
#ifndef COAPCAST_CLI_ARGS_H
#define COAPCAST_CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/props.h"

enum args_command {
	ARGS_SUB = 1,
	ARGS_PUB = 2,
	ARGS_GET = 4,
	ARGS_LS = 8,
	ARGS_DISCOVER = 16,
	ARGS_STATUS = 32,
	ARGS_DOCTOR = 64,
	ARGS_CREATE = 0x100,
	ARGS_SHOW = 0x200,
	ARGS_SET = 0x400,
	ARGS_RM = 0x800,
};
#define ARGS_TOPIC (ARGS_CREATE | ARGS_SHOW | ARGS_SET | ARGS_RM)
#define ARGS_ALL                                                                                \
	(ARGS_SUB | ARGS_PUB | ARGS_GET | ARGS_LS | ARGS_DISCOVER | ARGS_STATUS | ARGS_DOCTOR | \
		ARGS_TOPIC)

struct args {
	enum args_command command;
	const char *uri; /* the first; NULL: discover has none, and doctor may */
	char **uris; /* all of them; sub: several */
	unsigned n_uris;
	uint32_t ifindex; /* -i; 0: none */
	uint32_t timeout_ms; /* -W; 0: none */
	const char *identity; /* --identity, or NULL */
	const char *credentials; /* --credentials, a file, or NULL */
	bool json;
	bool verbose;
	bool help;
	uint32_t count; /* sub: values, get and discover: servers; -C; 0: no end */
	/* sub */
	bool skip_current; /* -R */
	const char *exec; /* NULL: print */
	/* pub */
	const char *message; /* -m, or NULL; so is what follows */
	const char *file;
	bool lines; /* -l */
	bool whole_stdin; /* -s */
	int content_format; /* --ct, or -1 */
	/* topic create, topic set */
	struct props props; /* those that options gave, --ct too; initialize as it was written */
	bool replace; /* what is not given is reset */
};

/*
 * Parses what follows the subcommand's name in argv[0]. 0; -EINVAL for wrong usage,
 * with e filled. Texts borrow from argv.
 */
int args_parse(int argc, char **argv, enum args_command command, struct args *ret, struct error *e);

#endif
