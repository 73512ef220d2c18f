/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/mem.h"
#include "store/schema.h"
#include "store/sound.h"
#include "store/table.h"

#define SQL_MAX 1024
#define PATH_LEN 1024
#define LOG_PAGES 1000 /* from there on the write-ahead log is moved to the database proper */
#define LOG_PAGES_MAX 8192 /* where that fails: 32 MiB */

struct statements {
	sqlite3_stmt *put, *remove, *load, *clear;
};

struct db {
	sqlite3 *sqlite;
	char path[PATH_LEN], wal[PATH_LEN];
	struct stat opened; /* which file it was */
	bool in_use; /* opening it is done */
	bool stuck; /* the log has LOG_PAGES_MAX, and cannot be moved */
	struct statements of[STORE_N_KINDS];
};

/* SQLite's primary result codes as ours; what is not here is -EIO. */
static int
to_errno(int rc)
{
	static const struct {
		int rc, error;
	} known[] = {
		{SQLITE_CORRUPT, -EBADMSG},
		{SQLITE_NOTADB, -EBADMSG},
		{SQLITE_FULL, -ENOSPC},
		{SQLITE_READONLY, -EROFS},
		{SQLITE_CANTOPEN, -EACCES},
		{SQLITE_PERM, -EACCES},
		{SQLITE_AUTH, -EACCES},
		{SQLITE_BUSY, -EBUSY},
		{SQLITE_LOCKED, -EBUSY},
		{SQLITE_NOMEM, -ENOMEM},
		{SQLITE_NOLFS, -EFBIG},
		{SQLITE_MISMATCH, -EBADMSG},
		{SQLITE_CONSTRAINT, -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if ((rc & 0xff) == known[i].rc)
			return known[i].error;
	}
	return -EIO;
}

/*
 * SQLITE_OK, ROW and DONE are 0. What the system said is in errno, when that was 0
 * before: SQLite tells it of some failures only.
 */
static int
result(struct db *db, int rc, const char *doing, struct error *e)
{
	int system = errno, error = to_errno(rc), primary = rc & 0xff;

	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	if (primary != SQLITE_IOERR && primary != SQLITE_FULL && primary != SQLITE_CANTOPEN)
		system = 0;
	/* The statements are ours: one that cannot be prepared has met tables that are not. */
	if (rc == SQLITE_ERROR && !db->in_use)
		error = -EBADMSG;
	else if (primary == SQLITE_IOERR && (system == ENOSPC || system == EROFS))
		error = -system;
	error_set(e, "%s: %s: %s%s%s", db->path, doing, sqlite3_errmsg(db->sqlite),
		system ? ": " : "", system ? strerror(system) : "");
	return error;
}

static int
run(struct db *db, const char *sql, struct error *e)
{
	errno = 0;
	return result(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL), "writing", e);
}

/* The first column of the only row of a query, as a number or as text. */
static int
ask(struct db *db, const char *sql, int64_t *ret_number, char *ret_text, size_t n_text,
	struct error *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	errno = 0;
	rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	rc = result(db, rc, sql, e);
	if (rc == 0 && ret_number)
		*ret_number = sqlite3_column_int64(st, 0);
	if (rc == 0 && ret_text) {
		const unsigned char *text = sqlite3_column_text(st, 0);

		(void)snprintf(ret_text, n_text, "%s", text ? (const char *)text : "");
	}
	(void)sqlite3_finalize(st);
	return rc;
}

/* The log is moved as far as that is possible; what SQLite would do by itself it does in silence. */
static int
move_log(struct db *db, struct error *e)
{
	errno = 0;
	return result(db,
		sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
		"moving the write-ahead log", e);
}

/* After a commit. */
static int
on_log(void *ctx, sqlite3 *sqlite, const char *name, int n_pages)
{
	struct db *db = ctx;
	struct error e;

	(void)sqlite;
	(void)name;
	db->stuck = false;
	if (n_pages >= LOG_PAGES && move_log(db, &e) < 0)
		db->stuck = n_pages >= LOG_PAGES_MAX;
	return SQLITE_OK;
}

static int
set_up(struct db *db, struct error *e)
{
	char mode[16];
	int rc;

	(void)sqlite3_extended_result_codes(db->sqlite, 1);
	(void)sqlite3_wal_hook(db->sqlite, on_log, db);
	/* Exclusive: no shared memory file beside it, and no readers that hold up checkpoints. */
	rc = run(db,
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA "
		"trusted_schema=OFF;"
		"PRAGMA cell_size_check=ON; PRAGMA page_size=4096; PRAGMA secure_delete=FAST;"
		"PRAGMA journal_size_limit=8388608; PRAGMA synchronous=FULL",
		e);
	if (rc < 0)
		return rc;
	if ((rc = ask(db, "PRAGMA journal_mode=WAL", NULL, mode, sizeof(mode), e)) < 0)
		return rc;
	if (strcmp(mode, "wal") != 0) {
		error_set(e, "%s: no write-ahead log is possible here", db->path);
		return -EIO;
	}
	return 0;
}

static int
newest_version(void)
{
	int version = 0;

	while (schema_steps[version])
		version++;
	return version;
}

/* All steps or none: after a failure it is what it was, and the version that made it can use it. */
static int
take_steps(struct db *db, int version, struct error *e)
{
	char sql[128];
	int rc = db_begin(db, e);

	if (rc < 0)
		return rc;
	while (rc == 0 && schema_steps[version])
		rc = run(db, schema_steps[version++], e);
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d; PRAGMA application_id=%d",
		version, SCHEMA_APPLICATION_ID(version));
	if (rc < 0 || (rc = run(db, sql, e)) < 0 || (rc = db_commit(db, e)) < 0)
		db_rollback(db);
	return rc;
}

static int
migrate(struct db *db, bool *ret_created, struct error *e)
{
	int64_t version, id, n_tables;
	int rc;

	if ((rc = ask(db, "PRAGMA user_version", &version, NULL, 0, e)) < 0 ||
		(rc = ask(db, "PRAGMA application_id", &id, NULL, 0, e)) < 0 ||
		(rc = ask(db, "SELECT count(*) FROM sqlite_schema", &n_tables, NULL, 0, e)) < 0)
		return rc;
	*ret_created = version == 0 && id == 0 && n_tables == 0;
	if (!*ret_created && (version < 1 || id != SCHEMA_APPLICATION_ID(version))) {
		error_set(e, "%s: the header is damaged, or not ours", db->path);
		return -EBADMSG;
	}
	if (version > newest_version()) {
		error_set(e, "%s: made by a newer coapcastd (version %d, this one knows %d)",
			db->path, (int)version, newest_version());
		return -EPROTO;
	}
	return schema_steps[version] ? take_steps(db, (int)version, e) : 0;
}

static int
prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct error *e)
{
	return result(db,
		sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL),
		"preparing", e);
}

static void
put_columns(
	struct buf *out, const struct table *t, size_t n, const char *between, const char *after)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\"%s\"%s", i ? between : "", t->columns[i].name, after);
}

/* INSERT ... VALUES, or SELECT ... WHERE its owner is there. */
static void
put_sql(const struct table *t, struct buf *out)
{
	buf_printf(out, "INSERT OR REPLACE INTO \"%s\" (", t->name);
	put_columns(out, t, t->n, ",", "");
	buf_put_str(out, ",sum) SELECT ");
	for (size_t i = 0; i <= t->n; i++)
		buf_printf(out, "%s?%zu", i ? "," : "", i + 1);
	if (t->owned)
		buf_printf(out, " WHERE EXISTS (SELECT 1 FROM \"%s\" WHERE id=?1)",
			table_of[t->owner].name);
}

static int
prepare_kind(struct db *db, enum store_kind kind, struct error *e)
{
	const struct table *t = &table_of[kind];
	struct statements *st = &db->of[kind];
	char text[SQL_MAX];
	struct buf sql = buf_of(text, sizeof(text));
	int rc;

	put_sql(t, &sql);
	if ((rc = prepare(db, buf_str(&sql), &st->put, e)) < 0)
		return rc;
	buf_clear(&sql);
	buf_printf(&sql, "DELETE FROM \"%s\" WHERE ", t->name);
	put_columns(&sql, t, t->n_key, " AND ", "=?");
	if ((rc = prepare(db, buf_str(&sql), &st->remove, e)) < 0)
		return rc;
	buf_clear(&sql);
	buf_put_str(&sql, "SELECT ");
	put_columns(&sql, t, t->n, ",", "");
	buf_printf(&sql, ",sum FROM \"%s\"", t->name);
	if ((rc = prepare(db, buf_str(&sql), &st->load, e)) < 0)
		return rc;
	buf_clear(&sql);
	buf_printf(&sql, "DELETE FROM \"%s\"", t->name);
	return prepare(db, buf_str(&sql), &st->clear, e);
}

/* Everything that can be wrong with what is there, including what the owners of records left. */
static int
check(struct db *db, struct error *e)
{
	char said[256], sql[SQL_MAX];
	int rc;

	if ((rc = ask(db, "PRAGMA quick_check(1)", NULL, said, sizeof(said), e)) < 0)
		return rc;
	if (strcmp(said, "ok") != 0) {
		error_set(e, "%s: %s", db->path, said);
		return -EBADMSG;
	}
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		const struct table *t = &table_of[kind];

		if ((rc = db_load(db, (enum store_kind)kind, NULL, NULL, e)) < 0)
			return rc;
		if (!t->owned)
			continue;
		(void)snprintf(sql, sizeof(sql),
			"DELETE FROM \"%s\" WHERE \"%s\" NOT IN (SELECT id FROM \"%s\")", t->name,
			t->columns[0].name, table_of[t->owner].name);
		if ((rc = run(db, sql, e)) < 0)
			return rc;
	}
	return 0;
}

/*
 * SQLite would make it for everybody to read. The name is to be as durable as the content,
 * which SQLite sees to for files that it makes itself.
 */
static int
make_file(const char *path, struct error *e)
{
	char dir[PATH_LEN];
	char *slash;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc = 0;
	struct stat st;

	/* Anything but a file would be waited for, a pipe for ever. */
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash && rc == 0) {
		*slash = '\0';
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsync(fd) < 0)
			rc = -errno;
		if (fd >= 0)
			(void)close(fd);
	}
	if (rc == -EINVAL)
		error_set(e, "%s: not a file", path);
	else if (rc < 0)
		error_set(e, "%s: %s", path, strerror(-rc));
	return rc;
}

/* SQLite keeps its log beside the file that a symbolic link leads to. */
static int
name_files(struct db *db, const char *path, struct error *e)
{
	char *real = realpath(path, NULL);
	int rc = 0;

	if (!real)
		rc = -errno;
	else if (snprintf(db->path, sizeof(db->path), "%s", real) >= PATH_LEN - 8)
		rc = -ENAMETOOLONG;
	if (rc < 0)
		error_set(e, "%s: %s", path, strerror(-rc));
	else
		(void)snprintf(db->wal, sizeof(db->wal), "%.*s-wal", PATH_LEN - 8, db->path);
	free(real);
	return rc;
}

int
db_open(const char *path, struct db **ret, bool *ret_created, struct error *e)
{
	struct db *db = mem_alloc(sizeof(*db));
	bool created = false;
	int rc;

	if ((rc = make_file(path, e)) < 0 || (rc = name_files(db, path, e)) < 0 ||
		(rc = sound_header(path, e)) < 0 || (rc = sound_wal(db->wal, e)) < 0)
		goto fail;
	errno = 0;
	rc = result(db,
		sqlite3_open_v2(
			db->path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL),
		"opening", e);
	if (rc < 0 || (rc = set_up(db, e)) < 0 || (rc = migrate(db, &created, e)) < 0)
		goto fail;
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		if ((rc = prepare_kind(db, (enum store_kind)kind, e)) < 0)
			goto fail;
	}
	if ((rc = check(db, e)) < 0 || (rc = db_checkpoint(db, e)) < 0)
		goto fail;
	if (stat(db->path, &db->opened) < 0) {
		rc = -errno;
		error_set(e, "%s: %s", path, strerror(errno));
		goto fail;
	}
	db->in_use = true;
	*ret_created = created;
	*ret = db;
	return 0;
fail:
	db_close(db);
	return rc;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		struct statements *st = &db->of[kind];

		(void)sqlite3_finalize(st->put);
		(void)sqlite3_finalize(st->remove);
		(void)sqlite3_finalize(st->load);
		(void)sqlite3_finalize(st->clear);
	}
	(void)sqlite3_close(db->sqlite);
	free(db);
}

static void *
member(union store_record *r, const struct column *c)
{
	return (char *)r + c->at;
}

/* SQLite copies nothing: the record outlives the step. */
static int
bind_column(sqlite3_stmt *st, int at, const union store_record *r, const struct column *c,
	uint8_t address[TABLE_ADDR_LEN])
{
	const char *from = (const char *)r + c->at;
	struct buf b = buf_of(address, TABLE_ADDR_LEN);
	uint32_t u32;
	int64_t i64;
	struct bytes bytes;

	switch (c->type) {
	case COLUMN_U32:
		memcpy(&u32, from, sizeof(u32));
		return sqlite3_bind_int64(st, at, u32);
	case COLUMN_U64:
	case COLUMN_I64:
		memcpy(&i64, from, sizeof(i64));
		return sqlite3_bind_int64(st, at, i64);
	case COLUMN_ADDR:
		table_put_addr(&b, (const void *)from);
		return sqlite3_bind_blob(st, at, address, TABLE_ADDR_LEN, SQLITE_STATIC);
	case COLUMN_BYTES:
		memcpy(&bytes, from, sizeof(bytes));
		if (!bytes.p)
			return sqlite3_bind_null(st, at);
		return sqlite3_bind_blob64(st, at, bytes.p, bytes.n, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

/* Binds the first n columns, and `sum` behind them when there is one, and runs it. */
static int
run_bound(struct db *db, sqlite3_stmt *st, enum store_kind kind, const union store_record *r,
	size_t n, const uint32_t *sum, struct error *e)
{
	uint8_t addresses[TABLE_COLUMNS_MAX][TABLE_ADDR_LEN];
	int rc = SQLITE_OK;

	errno = 0;
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = bind_column(st, (int)i + 1, r, &table_of[kind].columns[i], addresses[i]);
	if (sum && rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, (int)n + 1, *sum);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	rc = result(db, rc, "writing", e);
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	return rc;
}

int
db_put(struct db *db, enum store_kind kind, const union store_record *r, struct error *e)
{
	uint32_t sum = table_sum(kind, r);

	return run_bound(db, db->of[kind].put, kind, r, table_of[kind].n, &sum, e);
}

int
db_remove(struct db *db, enum store_kind kind, const union store_record *key, struct error *e)
{
	int rc = run_bound(db, db->of[kind].remove, kind, key, table_of[kind].n_key, NULL, e);

	/* What it owns has the same key, in the same place of its record. */
	for (int other = 0; other < STORE_N_KINDS && rc == 0; other++) {
		const struct table *t = &table_of[other];

		if (t->owned && t->owner == kind)
			rc = run_bound(db, db->of[other].remove, (enum store_kind)other, key,
				t->n_key, NULL, e);
	}
	return rc;
}

int
db_clear(struct db *db, enum store_kind kind, struct error *e)
{
	return run_bound(db, db->of[kind].clear, kind, NULL, 0, NULL, e);
}

/* Bytes, or none at all; false: neither. */
static bool
take_bytes(sqlite3_stmt *st, int at, struct bytes *ret)
{
	const void *p = sqlite3_column_blob(st, at);
	int type;

	*ret = BYTES_NONE;
	if (p) {
		*ret = bytes_of(p, (size_t)sqlite3_column_bytes(st, at));
		return true;
	}
	type = sqlite3_column_type(st, at);
	if (type == SQLITE_BLOB)
		*ret = BYTES_LIT("");
	return type == SQLITE_BLOB || type == SQLITE_NULL;
}

/*
 * False: not what was put there. What has another type and reads the same is the same:
 * the checksum tells all else.
 */
static bool
take(sqlite3_stmt *st, int at, union store_record *r, const struct column *c)
{
	int64_t i64;
	uint32_t u32;
	struct bytes b;
	struct addr a;

	switch (c->type) {
	case COLUMN_U32:
		i64 = sqlite3_column_int64(st, at);
		u32 = (uint32_t)i64;
		memcpy(member(r, c), &u32, sizeof(u32));
		return i64 == u32;
	case COLUMN_U64:
	case COLUMN_I64:
		i64 = sqlite3_column_int64(st, at);
		memcpy(member(r, c), &i64, sizeof(i64));
		return true;
	case COLUMN_ADDR:
		if (!take_bytes(st, at, &b) || !table_get_addr(b, &a))
			return false;
		memcpy(member(r, c), &a, sizeof(a));
		return true;
	case COLUMN_BYTES:
		if (!take_bytes(st, at, &b))
			return false;
		memcpy(member(r, c), &b, sizeof(b));
		return true;
	}
	return false;
}

static bool
take_row(sqlite3_stmt *st, enum store_kind kind, union store_record *ret)
{
	const struct table *t = &table_of[kind];
	union store_record r;

	memset(&r, 0, sizeof(r));
	for (size_t i = 0; i < t->n; i++) {
		if (!take(st, (int)i, &r, &t->columns[i]))
			return false;
	}
	*ret = r;
	return sqlite3_column_int64(st, (int)t->n) == table_sum(kind, &r);
}

int
db_load(struct db *db, enum store_kind kind, int (*visit)(void *ctx, const union store_record *r),
	void *ctx, struct error *e)
{
	sqlite3_stmt *st = db->of[kind].load;
	union store_record r;
	int rc, said = 0;

	errno = 0;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (!take_row(st, kind, &r)) {
			error_set(e, "%s: a record in table %s is damaged", db->path,
				table_of[kind].name);
			said = -EBADMSG;
		} else if (visit) {
			said = visit(ctx, &r);
		}
		if (said < 0)
			break;
	}
	if (said == 0)
		said = result(db, rc, "reading", e);
	(void)sqlite3_reset(st);
	return said;
}

int
db_begin(struct db *db, struct error *e)
{
	int rc = db->stuck ? move_log(db, e) : 0;

	if (rc < 0)
		return rc;
	db->stuck = false;
	return run(db, "BEGIN IMMEDIATE", e);
}

int
db_commit(struct db *db, struct error *e)
{
	return run(db, "COMMIT", e);
}

void
db_rollback(struct db *db)
{
	/* Some errors have done so already. */
	if (!sqlite3_get_autocommit(db->sqlite))
		(void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

bool
db_is_there(const struct db *db)
{
	struct stat now;

	return stat(db->path, &now) == 0 && now.st_ino == db->opened.st_ino &&
	       now.st_dev == db->opened.st_dev && stat(db->wal, &now) == 0;
}

int
db_checkpoint(struct db *db, struct error *e)
{
	int64_t busy = 0;

	return ask(db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, NULL, 0, e);
}
