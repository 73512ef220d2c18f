/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of `coapcast keygen`, checked: names that are fit for files and for YAML,
 * algorithms by their COSE numbers. It makes nothing.
 */
#ifndef COAPCAST_CLI_KEYARGS_H
#define COAPCAST_CLI_KEYARGS_H

#include "base/bytes.h"
#include "base/error.h"

#define KEYARGS_MAX_MEMBERS 255 /* a Sender ID of one byte for each, and for the broker */
#define KEYARGS_MAX_NAME 64 /* bytes */
#define KEYARGS_MAX_ID 255

enum keyargs_what { KEYARGS_IDENTITY = 1, KEYARGS_GROUP = 2 };

struct keyargs_id { /* a byte string of the command line */
	bool given;
	uint8_t n;
	uint8_t b[KEYARGS_MAX_ID];
};

struct keyargs {
	enum keyargs_what what;
	const char *name;
	const char *folder; /* -o */
	bool help;
	/* identity */
	bool psk; /* else OSCORE */
	struct keyargs_id broker_id;
	struct keyargs_id client_id;
	struct keyargs_id id_context;
	/* group */
	bool self; /* managed by the broker itself */
	char members[KEYARGS_MAX_MEMBERS][KEYARGS_MAX_NAME + 1];
	size_t n_members;
	struct keyargs_id gid;
	int group_encryption; /* COSE numbers */
	int signature;
	int hkdf;
	int aead; /* SUITE_NONE: no pairwise mode; so is the next */
	int pairwise;
	const char *gm_credential; /* a file; NULL: to be made */
	const char *join_uri; /* NULL: not given */
	const char *as_uri;
	const char *group_name; /* NULL: `name` */
};

/* What follows the subcommand's name in argv[0]. 0, or -EINVAL with e filled. */
int keyargs_parse(
	int argc, char **argv, enum keyargs_what what, struct keyargs *ret, struct error *e);

#endif
