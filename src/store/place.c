/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE_MAX 1000 /* damaged databases beside each other: somebody has to look after that */

static int
failed(struct error *e, const char *what, int error)
{
	error_set(e, "%s: %s", what, strerror(error));
	return -error;
}

static int
make_directory(const char *directory, struct error *e)
{
	char path[PLACE_PATH_LEN];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s", directory);
	for (char *at = path + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		/* Keys are in it, so that it is nobody else's. */
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return failed(e, path, errno);
		if (c == '\0')
			break;
		*at = '/';
	}
	if (stat(path, &st) < 0)
		return failed(e, path, errno);
	return S_ISDIR(st.st_mode) ? 0 : failed(e, path, ENOTDIR);
}

static int
take_lock(struct place *p, struct error *e)
{
	int fd = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), error;

	if (fd < 0)
		return failed(e, p->lock, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		p->lock_fd = fd;
		return 0;
	}
	error = errno;
	(void)close(fd);
	if (error != EWOULDBLOCK)
		return failed(e, p->lock, error);
	error_set(e, "%s: another coapcastd keeps its state here", p->directory);
	return -EBUSY;
}

int
place_init(struct place *p, const char *directory, struct error *e)
{
	int rc;

	*p = (struct place){.lock_fd = -1};
	if (directory[0] == '\0' ||
		strlen(directory) + sizeof("/coapcast.db.bad.1000-wal") >= PLACE_PATH_LEN)
		return failed(e, "state directory", ENAMETOOLONG);
	(void)snprintf(p->directory, sizeof(p->directory), "%s", directory);
	(void)snprintf(p->database, sizeof(p->database), "%.*s/coapcast.db", PLACE_PATH_LEN - 32,
		directory);
	(void)snprintf(p->lock, sizeof(p->lock), "%.*s/lock", PLACE_PATH_LEN - 32, directory);
	if ((rc = make_directory(directory, e)) < 0)
		return rc;
	return take_lock(p, e);
}

void
place_fini(struct place *p)
{
	if (p->lock_fd >= 0)
		(void)close(p->lock_fd);
	p->lock_fd = -1;
}

int
place_renew(struct place *p, struct error *e)
{
	struct stat ours, named;
	int rc = make_directory(p->directory, e);

	if (rc < 0)
		return rc;
	if (p->lock_fd >= 0 && fstat(p->lock_fd, &ours) == 0 && stat(p->lock, &named) == 0 &&
		ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
		return 0;
	place_fini(p);
	return take_lock(p, e);
}

bool
place_is_empty(const struct place *p)
{
	struct stat st;

	return stat(p->database, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

static int
move(const char *from, const char *to, const char *part, struct error *e)
{
	char old[PLACE_PATH_LEN], new[PLACE_PATH_LEN];

	(void)snprintf(old, sizeof(old), "%.*s%s", PLACE_PATH_LEN - 16, from, part);
	(void)snprintf(new, sizeof(new), "%.*s%s", PLACE_PATH_LEN - 16, to, part);
	if (rename(old, new) == 0 || errno == ENOENT)
		return 0;
	return failed(e, old, errno);
}

/* One that nothing has, log or database; the lock is ours, so that nobody takes it. */
static int
find_name(const struct place *p, char ret[PLACE_PATH_LEN])
{
	char wal[PLACE_PATH_LEN];
	struct stat st;

	for (int n = 1; n <= ASIDE_MAX; n++) {
		(void)snprintf(ret, PLACE_PATH_LEN, "%.*s.bad", PLACE_PATH_LEN - 32, p->database);
		if (n > 1)
			(void)snprintf(ret + strlen(ret), 8, ".%d", n);
		(void)snprintf(wal, sizeof(wal), "%.*s-wal", PLACE_PATH_LEN - 16, ret);
		if (lstat(ret, &st) < 0 && lstat(wal, &st) < 0)
			return 0;
	}
	return -EEXIST;
}

int
place_set_aside(const struct place *p, char *ret_name, struct error *e)
{
	/* The database last: it is never to meet the logs of another one. */
	static const char *const parts[] = {"-wal", "-journal", ""};
	char to[PLACE_PATH_LEN];
	int rc = 0, fd;

	if (find_name(p, to) < 0)
		return failed(e, p->database, EEXIST);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++)
		rc = move(p->database, to, parts[i], e);
	if (rc < 0)
		return rc;
	fd = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		rc = failed(e, p->directory, errno);
	if (fd >= 0)
		(void)close(fd);
	if (rc == 0)
		(void)snprintf(ret_name, PLACE_PATH_LEN, "%s", to);
	return rc;
}
