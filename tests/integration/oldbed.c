/* SPDX-License-Identifier: BSD-2-Clause */
#include "oldbed.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/schema.h"
#include "store/table.h"

#define N_EACH 3 /* records of each kind */

void
oldbed_run(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

void
oldbed_make(struct bed *bed)
{
	static char sql[65536];
	const char *top = getenv("top_srcdir");
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/tests/data/store-1.sql", top ? top : ".");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(sql, 1, sizeof(sql) - 1, f);
	(void)fclose(f);
	sql[n] = '\0';
	ck_assert_int_eq(mkdir(bed->directory, 0700), 0);
	oldbed_run(bed_path(bed, "state/coapcast.db"), sql);
}

void
oldbed_expect_version(const struct bed *bed, const char *name, uint8_t version)
{
	uint8_t header[72];
	int fd = open(bed_path(bed, name), O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, header, sizeof(header), 0), sizeof(header));
	(void)close(fd);
	ck_assert_uint_eq(header[63], version);
	ck_assert_uint_eq(header[71], (SCHEMA_APPLICATION_ID(0) & 0xff) + version);
}

struct seen {
	enum store_kind kind;
	unsigned n, n_known;
};

static int
see(void *ctx, const union store_record *r)
{
	struct seen *s = ctx;
	union store_record known;

	if (s->kind == STORE_META && bytes_is(bytes_head(r->meta.name, 6), "store."))
		return 0;
	s->n++;
	for (unsigned i = 1; i <= N_EACH; i++) {
		if (i < N_EACH)
			bed_full(s->kind, i, &known);
		else
			bed_bare(s->kind, i, &known);
		/* That version does not know them. */
		if (s->kind == STORE_GROUP) {
			known.group.interface = BYTES_NONE;
			known.group.hops = 0;
		}
		s->n_known += table_sum(s->kind, r) == table_sum(s->kind, &known);
	}
	return 0;
}

void
oldbed_expect_everything(struct bed *bed)
{
	const struct store_options options = {.directory = bed->directory};
	struct error e = {.text = ""};

	ck_assert_msg(store_open(&options, &bed->store, &bed->opened, &e) == 0, "%s", e.text);
	ck_assert_msg(bed->opened.origin == STORE_RESUMED, "%d: %s", bed->opened.origin,
		bed->opened.why.text);
	ck_assert(bed->opened.clean);
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		struct seen s = {.kind = (enum store_kind)kind};

		ck_assert_int_eq(store_load(bed->store, s.kind, see, &s, &e), 0);
		ck_assert_msg(s.n == N_EACH && s.n_known == N_EACH, "%s: %u, %u of them known",
			table_of[kind].name, s.n, s.n_known);
	}
	bed_close(bed, true);
}
