/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damage that SQLite takes for something harmless: a header that makes a database
 * look empty, foreign or read-only, and a write-ahead log with a broken frame in its
 * middle, which is taken for its end. (https://www.sqlite.org/fileformat2.html,
 * sections 1.3 and 4.) Only reads; before the database is opened.
 */
#ifndef COAPCAST_STORE_SOUND_H
#define COAPCAST_STORE_SOUND_H

#include "base/error.h"

/* 0, also for an empty file; -EBADMSG; or what reading it said. */
int sound_header(const char *path, struct error *e);

/*
 * A log is written in order, and each commit is on the disk before the next one
 * begins: a broken frame before the last commit is no power cut. A log without any
 * broken frame but in its last commit is sound, as is none.
 */
int sound_wal(const char *path, struct error *e);

#endif
