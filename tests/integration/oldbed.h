/* SPDX-License-Identifier: BSD-2-Clause */
/* A database of version 1, tests/data/store-1.sql, and what is in it: storebed.h. */
#ifndef COAPCAST_TESTS_OLDBED_H
#define COAPCAST_TESTS_OLDBED_H

#include "storebed.h"

/* Runs SQL on a database that nobody else has open. */
void oldbed_run(const char *path, const char *sql);

/* In the directory of `bed`, which is not there yet. */
void oldbed_make(struct bed *bed);

/* The version in the header of that file, and by the number beside it. */
void oldbed_expect_version(const struct bed *bed, const char *name, uint8_t version);

/* Opens it, and looks at all of it: each record is what it was. */
void oldbed_expect_everything(struct bed *bed);

#endif
