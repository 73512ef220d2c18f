/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a long block-wise transfer has got, on stderr: a line that is written over on
 * a terminal, else a few lines for who wants to know. There is one stderr, and so there is
 * one such line; whatever else is told or printed clears it first.
 */
#ifndef COAPCAST_CLI_PROGRESS_H
#define COAPCAST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRESS_LONG 16384 /* bytes; of less nothing is told */

/* So many bytes of `total` went over, which is 0 when nobody knows. `lines`: -v. */
void progress_tell(bool lines, size_t n, size_t total);
void progress_clear(void);

/* Whether n bytes are the first of another step of `total` since the last time, in *at. */
bool progress_step(size_t n, size_t total, unsigned per_total, size_t *at);

#endif
