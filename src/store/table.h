/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How records are laid out: in memory, as columns of a database table, and as the
 * bytes that a checksum is taken of. One description per kind serves all three.
 */
#ifndef COAPCAST_STORE_TABLE_H
#define COAPCAST_STORE_TABLE_H

#include "base/buf.h"
#include "store/record.h"

enum column_type {
	COLUMN_U32,
	COLUMN_U64,
	COLUMN_I64,
	COLUMN_BYTES, /* struct bytes; p NULL is SQL's NULL */
	COLUMN_ADDR, /* struct addr, kept as bytes: table_put_addr */
};

struct column {
	const char *name;
	enum column_type type;
	size_t at; /* offset in the member of union store_record */
};

#define TABLE_COLUMNS_MAX 20

struct table {
	const char *name;
	size_t size; /* of the member of union store_record */
	size_t n_key; /* how many of the first columns are the key */
	enum store_kind owner; /* a record lives only as long as this kind's with the same key; */
	bool owned; /* if there is one */
	struct column columns[TABLE_COLUMNS_MAX];
	size_t n;
	/*
	 * So many of the last ones came with a later step. Of these, what is at the end with
	 * nothing in it (NULL, 0) is not in the checksum: rows from before that step keep theirs.
	 */
	size_t n_added;
};

extern const struct table table_of[STORE_N_KINDS];

#define TABLE_ADDR_LEN 23
#define TABLE_KEY_MAX 1200 /* of the longest key: a name, or two addresses and a token */

void table_put_addr(struct buf *out, const struct addr *a);
/* False: no such address was put. */
bool table_get_addr(struct bytes b, struct addr *ret);

/* The key as bytes, for maps; a key that does not fit is an error of ours. */
void table_key(enum store_kind kind, const union store_record *r, struct buf *out);

/* A checksum of all columns: the database has none. It is part of the format. */
uint32_t table_sum(enum store_kind kind, const union store_record *r);

/* Bytes behind the record that a copy needs, and making one there. */
size_t table_extra(enum store_kind kind, const union store_record *r);
/* Only that member is copied, and needs to have room. */
void table_copy(enum store_kind kind, const union store_record *from, union store_record *to,
	uint8_t *extra);

#endif
