/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sender Sequence Numbers of a client's keys in a file beside the credentials, so that every
 * process that has the keys goes on after the others, also those that run at the same time.
 * No number is used before the file says, on the disk, that it may have been (RFC 8613
 * B.1.1). What the numbers mean is oscore/ssn.h's.
 */
#ifndef COAPCAST_CLI_SSNFILE_H
#define COAPCAST_CLI_SSNFILE_H

#include "oscore/ssn.h"

#define SSNFILE_SUFFIX ".ssn" /* after the name of the credentials file */
#define SSNFILE_STEP 16 /* put down at once, at most: well within a server's replay window */
#define SSNFILE_KEYS_MAX 64 /* that one process uses */

struct ssnfile;

/* For that credentials file, wherever links lead to it. 0, or negative errno with e filled. */
int ssnfile_open(const char *credentials, struct error *e, struct ssnfile **ret);
/* Puts down the exact numbers, so that the next one goes on there. NULL is fine. */
void ssnfile_close(struct ssnfile *f);

/*
 * Numbers under that fingerprint, with a reference; they are started. 0, or negative errno
 * with e filled, when nothing can be put down or the clock cannot be trusted.
 */
int ssnfile_get(struct ssnfile *f, const uint8_t fingerprint[SSN_FINGERPRINT], struct error *e,
	struct ssn **ret);
/*
 * Makes sure that the next numbers are above those of other processes: a server takes lower
 * ones for replays. To be called before one is used.
 */
void ssnfile_catch_up(struct ssnfile *f);
/* What went wrong last, or NULL. */
const char *ssnfile_failure(const struct ssnfile *f);

#endif
