/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that a configuration names: found in $CREDENTIALS_DIRECTORY or beside
 * the configuration, and read only when nobody else could have. Reads nothing
 * but regular files.
 */
#ifndef COAPCAST_CONF_LOOKUP_H
#define COAPCAST_CONF_LOOKUP_H

#include "base/error.h"
#include "conf/arena.h"

struct lookup {
	const char *name; /* as written */
	const char *folder; /* where relative names start; NULL: no file may be read */
	bool secret; /* refused when group or others may read or write it */
	size_t max; /* refused when larger */
	struct arena *arena; /* where results go */
};

/* The name, or folder/name when it is relative. */
const char *lookup_join(struct arena *a, const char *folder, const char *name);

/* The path of a readable file; 0, or -EINVAL with why not in *why. */
int lookup_path(const struct lookup *l, const char **ret, struct error *why);

/* Its content; 0, or -EINVAL with why not in *why. */
int lookup_read(const struct lookup *l, struct bytes *ret, struct error *why);

/*
 * The whole of an open regular file of at most max bytes into one allocation of the
 * arena, with a NUL after it. 0, or -EINVAL with why not in *why.
 */
int lookup_slurp(int fd, size_t max, struct arena *a, struct bytes *ret, struct error *why);

#endif
