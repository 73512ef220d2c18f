/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `coapcast keygen`: fresh keys as files, and the configuration that names them, for both
 * ends: a folder for the broker, with a snippet for its conf.d and one for its unit, and one for
 * each client, with the file that --credentials takes. Prints the paths of what it made, no key.
 */
#ifndef COAPCAST_CLI_KEYGEN_H
#define COAPCAST_CLI_KEYGEN_H

#include "cli/bundle.h"
#include "cli/cli.h"
#include "cli/keyargs.h"

/* Commands with options of their own: see `own` in cli.c. */
enum cli_exit keygen_identity(int argc, char **argv, bool *ret_help);
enum cli_exit keygen_group(int argc, char **argv, bool *ret_help);

/*
 * What gives the service the key files of these kinds, NAME.KIND in the broker's folder: a
 * drop-in for its unit, with the commands that install all of it. `kind2` may be NULL.
 */
void keygen_add_unit(
	const struct keyargs *a, const char *kind, const char *kind2, struct bundle *b);

/* Adds the files of a group to the bundle; 0, or negative errno with e filled. */
int keygen_fill_group(const struct keyargs *a, struct bundle *b, struct error *e);
/* The same of an identity. */
int keygen_fill_identity(const struct keyargs *a, struct bundle *b, struct error *e);

#endif
