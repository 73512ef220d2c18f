/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory the state is in: made, locked against other processes, and the place
 * where a damaged database is kept under another name.
 */
#ifndef COAPCAST_STORE_PLACE_H
#define COAPCAST_STORE_PLACE_H

#include <stdbool.h>

#include "base/error.h"

#define PLACE_PATH_LEN 1024

struct place {
	char directory[PLACE_PATH_LEN];
	char database[PLACE_PATH_LEN];
	char lock[PLACE_PATH_LEN];
	int lock_fd;
};

/* Makes the directory, with those above it, and locks it. -EBUSY: somebody else has. */
int place_init(struct place *p, const char *directory, struct error *e);
void place_fini(struct place *p);

/* The same once more after somebody removed it, if somebody did. */
int place_renew(struct place *p, struct error *e);

/*
 * Whether the database is there with nothing in it: what was in it is lost, or a first start
 * did not come far.
 */
bool place_is_empty(const struct place *p);

/* Renames the database and its log to a name that nothing has, *ret_name of PLACE_PATH_LEN. */
int place_set_aside(const struct place *p, char *ret_name, struct error *e);

#endif
