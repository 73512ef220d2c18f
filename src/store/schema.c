/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/schema.h"

#include <stddef.h>

/*
 * "sum" is the checksum of the row, store/table.h. No table has an index of its own:
 * each is one tree, so that a change is one page, and reading all of it is all checks.
 */
const char *const schema_steps[] = {
	"CREATE TABLE meta (name BLOB PRIMARY KEY, value BLOB, sum INTEGER) WITHOUT ROWID;"
	"CREATE TABLE topic (id INTEGER PRIMARY KEY, has INTEGER, flags INTEGER,"
	" content_format INTEGER, max_subscribers INTEGER, observer_check_s INTEGER,"
	" expiration_s INTEGER, name BLOB, path BLOB, type BLOB, initialize BLOB, sum INTEGER);"
	"CREATE TABLE value (topic INTEGER PRIMARY KEY, content_format INTEGER, nth INTEGER,"
	" etag BLOB, data BLOB, sum INTEGER);"
	"CREATE TABLE seq (id INTEGER PRIMARY KEY, bound INTEGER, sum INTEGER);"
	"CREATE TABLE group_observation (id INTEGER PRIMARY KEY, topic INTEGER, ending_s INTEGER,"
	" count_milli INTEGER, count_state INTEGER, flags INTEGER, address BLOB, source BLOB,"
	" \"group\" BLOB, token BLOB, phantom BLOB, keys BLOB, gid BLOB, kid BLOB, piv BLOB,"
	" initial BLOB, latest BLOB, sum INTEGER);"
	"CREATE TABLE group_seq (id INTEGER PRIMARY KEY, bound INTEGER, sum INTEGER);"
	"CREATE TABLE observer (remote BLOB, local BLOB, token BLOB, topic INTEGER, szx INTEGER,"
	" flags INTEGER, who BLOB, binding BLOB, sum INTEGER,"
	" PRIMARY KEY (remote, local, token)) WITHOUT ROWID;"
	"CREATE TABLE bound (fingerprint BLOB PRIMARY KEY, bound INTEGER, sum INTEGER)"
	" WITHOUT ROWID;"
	"CREATE TABLE replay_window (fingerprint BLOB PRIMARY KEY, newest INTEGER, seen INTEGER,"
	" sum INTEGER) WITHOUT ROWID;"
	"CREATE TABLE secret (name BLOB PRIMARY KEY, secret BLOB, sum INTEGER) WITHOUT ROWID;",
	/* As long as there is nothing in them, checksums stay what they are: n_added of table.h. */
	"ALTER TABLE group_observation ADD COLUMN interface BLOB;"
	"ALTER TABLE group_observation ADD COLUMN hops INTEGER;",
	NULL,
};
