/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are made together or not at all: key files and what names them. Nothing that
 * is there is ever written to, nobody but the owner can read them, whatever the umask is, unless
 * the caller says that there is no secret in them, and what was made is taken away again when
 * one of them fails. What is in them is the caller's business.
 */
#ifndef COAPCAST_CLI_BUNDLE_H
#define COAPCAST_CLI_BUNDLE_H

#include "base/bytes.h"
#include "base/error.h"

#define BUNDLE_PATH 1024 /* bytes of a path, with its NUL */

struct bundle_file {
	char path[BUNDLE_PATH];
	uint8_t *content; /* owned; wiped in the end */
	size_t n;
	bool open; /* everybody may read it, and look into its folder */
	bool made; /* by us: to be taken away when another fails */
};

struct bundle {
	const char *folder; /* borrowed; made when it is missing, with those below it */
	struct bundle_file *files; /* owned */
	size_t n;
	char (*folders)[BUNDLE_PATH]; /* owned: those that were made */
	size_t n_folders;
	bool too_long; /* a path did not fit */
};

void bundle_init(struct bundle *b, const char *folder);
void bundle_fini(struct bundle *b); /* wipes the contents; the files stay */

/* A file of this name below the folder, such as "broker/conf.d/hall.yaml"; copied. */
void bundle_add(struct bundle *b, struct bytes content, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of one that everybody may read. */
void bundle_add_open(struct bundle *b, struct bytes content, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Makes all of them, durably. 0, or negative errno with an error that names the file, and
 * then nothing was made: -EEXIST when one is there already.
 */
int bundle_write(struct bundle *b, struct error *e);

#endif
