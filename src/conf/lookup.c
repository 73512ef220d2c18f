/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody but the owner: what a file with a secret in it may be. */
#define MODE_SHARED (S_IRWXG | S_IRWXO)

const char *
lookup_join(struct arena *a, const char *folder, const char *name)
{
	size_t n = folder ? strlen(folder) : 0;

	if (!folder || name[0] == '/')
		return arena_str(a, bytes_str(name));
	return arena_printf(a, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static int
open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/*
 * What the service manager hands over is readable for us alone whatever the
 * mode says: access there is given by an ACL, which shows up as group bits.
 */
static int
open_named(const struct lookup *l, const char **ret_path, bool *ret_trusted, struct error *why)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	const char *path;
	int fd;

	if (l->name[0] != '/' && credentials && credentials[0] == '/') {
		path = lookup_join(l->arena, credentials, l->name);
		fd = open_file(path);
		if (fd >= 0 || errno != ENOENT) {
			*ret_trusted = true;
			goto opened;
		}
	}
	path = lookup_join(l->arena, l->folder, l->name);
	fd = open_file(path);
	*ret_trusted = false;
opened:
	if (fd < 0) {
		error_set(why, "cannot read %s: %s", path, strerror(errno));
		return -EINVAL;
	}
	*ret_path = path;
	return fd;
}

static int
open_checked(const struct lookup *l, const char **ret_path, struct error *why)
{
	const char *path = NULL;
	bool trusted = false;
	struct stat st;
	int fd;

	if (!l->folder) {
		error_set(why, "files cannot be named here");
		return -EINVAL;
	}
	fd = open_named(l, &path, &trusted, why);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		error_set(why, "%s is not a regular file", path);
		goto fail;
	}
	if (l->secret && !trusted && (st.st_mode & MODE_SHARED) != 0) {
		error_set(why, "%s holds a secret but has mode %04o: chmod 600", path,
			(unsigned int)st.st_mode & 07777);
		goto fail;
	}
	*ret_path = path;
	return fd;
fail:
	close(fd);
	return -EINVAL;
}

int
lookup_path(const struct lookup *l, const char **ret, struct error *why)
{
	int fd = open_checked(l, ret, why);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int
lookup_read(const struct lookup *l, struct bytes *ret, struct error *why)
{
	const char *path;
	struct error inner;
	int fd, rc;

	fd = open_checked(l, &path, why);
	if (fd < 0)
		return fd;
	rc = lookup_slurp(fd, l->max, l->arena, ret, &inner);
	close(fd);
	if (rc != 0)
		error_set(why, "%s %s", path, inner.text);
	return rc;
}

int
lookup_slurp(int fd, size_t max, struct arena *a, struct bytes *ret, struct error *why)
{
	uint8_t *p = arena_alloc(a, max + 2);
	size_t n = 0;
	ssize_t got;

	/* One byte more than allowed tells "too large"; one more is the NUL. */
	while (n < max + 1) {
		got = read(fd, p + n, max + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			error_set(why, "cannot be read: %s", strerror(errno));
			return -EINVAL;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > max) {
		error_set(why, "is larger than %zu bytes", max);
		return -EINVAL;
	}
	*ret = bytes_of(p, n);
	return 0;
}
