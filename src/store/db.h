/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The database: records in SQLite tables, one writer, write-ahead log, every commit
 * on the disk before it returns. No threads, no retries: store.c has those. Errors
 * are negative errnos: -EBADMSG is damage, -ENOSPC, -EROFS and -EIO are what they say.
 */
#ifndef COAPCAST_STORE_DB_H
#define COAPCAST_STORE_DB_H

#include "base/error.h"
#include "store/record.h"

struct db;

/*
 * Opens the database at this path, makes or migrates its tables, checks all there is,
 * and empties the write-ahead log. -EPROTO: a newer version made it.
 */
int db_open(const char *path, struct db **ret, bool *ret_created, struct error *e);
/* Without what is in a transaction under way; NULL is fine. */
void db_close(struct db *db);

/*
 * Visits every record of a kind; bytes are borrowed until `visit` returns, a negative
 * errno of which ends it. NULL: only checks them.
 */
int db_load(struct db *db, enum store_kind kind,
	int (*visit)(void *ctx, const union store_record *r), void *ctx, struct error *e);

/*
 * One transaction: begin, any number of changes, then either of the others. It cannot begin
 * where the write-ahead log has grown too long, since the database proper cannot be written.
 */
int db_begin(struct db *db, struct error *e);
int db_put(struct db *db, enum store_kind kind, const union store_record *r, struct error *e);
int db_remove(struct db *db, enum store_kind kind, const union store_record *key, struct error *e);
/* Every record of a kind. */
int db_clear(struct db *db, enum store_kind kind, struct error *e);
int db_commit(struct db *db, struct error *e);
void db_rollback(struct db *db);

/* Whether the files that are written still have their names: nobody removed them. */
bool db_is_there(const struct db *db);

/* Moves what is in the write-ahead log to the database proper, for a stop. */
int db_checkpoint(struct db *db, struct error *e);

#endif
