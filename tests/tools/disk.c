/* SPDX-License-Identifier: BSD-2-Clause */
#include "disk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_FDS 1024
#define PATH_LEN 512
#define N_RANGES 65536
#define CHUNK 65536

enum fault {
	FAULT_NONE,
	FAULT_ENOSPC,
	FAULT_EIO,
	FAULT_EROFS,
	FAULT_FSYNC,
	FAULT_READ,
	FAULT_PROPER,
	FAULT_HANG,
	FAULT_SYNCED
};

/* A part of a file that was written and not synced. */
struct range {
	ino_t ino;
	off_t at;
	size_t n;
};

struct tracked {
	bool used, is_directory, is_proper;
	ino_t ino;
};

static struct {
	bool ready;
	char dir[PATH_LEN], shadow[PATH_LEN], fault[PATH_LEN], gate[PATH_LEN];
	unsigned die, lucky, n_operations, seed;
	struct tracked fds[N_FDS];
	struct range ranges[N_RANGES];
	size_t n_ranges;
} disk;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	int (*open)(const char *, int, ...);
	int (*close)(int);
	ssize_t (*pwrite)(int, const void *, size_t, off_t);
	ssize_t (*pread)(int, void *, size_t, off_t);
	int (*fsync)(int);
	int (*fdatasync)(int);
	int (*ftruncate)(int, off_t);
	int (*unlink)(const char *);
	int (*rename)(const char *, const char *);
} real;

static void
resolve(const char *name, void *ret_function, size_t n)
{
	void *p = dlsym(RTLD_NEXT, name);

	memcpy(ret_function, &p, n);
}

#define RESOLVE(name) resolve(#name, &real.name, sizeof(real.name))

static void
take(const char *name, char ret[PATH_LEN])
{
	const char *text = getenv(name);

	(void)snprintf(ret, PATH_LEN, "%s", text ? text : "");
}

static unsigned
take_number(const char *name)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static void
shadow_path(char *ret, size_t n, const char *what, const char *name)
{
	(void)snprintf(ret, n, "%.*s/%s/%.200s", PATH_LEN / 2, disk.shadow, what, name);
}

static void
ino_path(char *ret, size_t n, ino_t ino)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)ino);
	shadow_path(ret, n, "inodes", name);
}

static void
init(void)
{
	char path[PATH_LEN];

	if (disk.ready)
		return;
	RESOLVE(open);
	RESOLVE(close);
	RESOLVE(pwrite);
	RESOLVE(pread);
	RESOLVE(fsync);
	RESOLVE(fdatasync);
	RESOLVE(ftruncate);
	RESOLVE(unlink);
	RESOLVE(rename);
	take("DISK_DIR", disk.dir);
	take("DISK_SHADOW", disk.shadow);
	take("DISK_FAULT", disk.fault);
	take("DISK_GATE", disk.gate);
	disk.die = take_number("DISK_DIE");
	disk.lucky = take_number("DISK_LUCKY");
	disk.seed = disk.die + 1;
	disk.n_operations = 0;
	disk.n_ranges = 0;
	if (disk.shadow[0]) {
		(void)mkdir(disk.shadow, 0700);
		shadow_path(path, sizeof(path), "inodes", "");
		(void)mkdir(path, 0700);
		shadow_path(path, sizeof(path), "cut", "");
		(void)mkdir(path, 0700);
	}
	disk.ready = true;
}

void
disk_reset(void)
{
	(void)pthread_mutex_lock(&lock);
	disk.ready = false;
	init();
	(void)pthread_mutex_unlock(&lock);
}

unsigned
disk_n_operations(void)
{
	unsigned n;

	(void)pthread_mutex_lock(&lock);
	n = disk.n_operations;
	(void)pthread_mutex_unlock(&lock);
	return n;
}

/* --- what is wrong now -------------------------------------------------------------- */

static enum fault
fault_now(void)
{
	static const struct {
		const char *word;
		enum fault fault;
	} words[] = {{"enospc", FAULT_ENOSPC}, {"eio", FAULT_EIO}, {"erofs", FAULT_EROFS},
		{"fsync", FAULT_FSYNC}, {"read", FAULT_READ}, {"proper", FAULT_PROPER},
		{"hang", FAULT_HANG}, {"synced", FAULT_SYNCED}};
	char text[16] = "";
	int fd;

	if (!disk.fault[0] || (fd = real.open(disk.fault, O_RDONLY | O_CLOEXEC)) < 0)
		return FAULT_NONE;
	if (real.pread(fd, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	(void)real.close(fd);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0)
			return words[i].fault;
	}
	return FAULT_NONE;
}

/* An errno for an operation that writes, or 0; with the lock held. */
static int
before_write(void)
{
	if (disk.die && disk.n_operations + 1 == disk.die)
		(void)kill(getpid(), SIGKILL);
	disk.n_operations++;
	switch (fault_now()) {
	case FAULT_ENOSPC:
		return ENOSPC;
	case FAULT_EIO:
		return EIO;
	case FAULT_EROFS:
		return EROFS;
	default:
		return 0;
	}
}

static bool
is_tracked(int fd)
{
	return fd >= 0 && fd < N_FDS && disk.fds[fd].used;
}

static bool
is_inside(const char *path)
{
	size_t n = strlen(disk.dir);

	return n > 0 && strncmp(path, disk.dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* --- what a power cut leaves -------------------------------------------------------- */

static int
open_shadow(ino_t ino)
{
	char path[PATH_LEN];

	ino_path(path, sizeof(path), ino);
	return real.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void
copy_range(int from, int to, off_t at, size_t n)
{
	static char chunk[CHUNK];

	while (n > 0) {
		ssize_t got = real.pread(from, chunk, n < CHUNK ? n : CHUNK, at);

		if (got <= 0 || real.pwrite(to, chunk, (size_t)got, at) != got)
			return;
		at += got;
		n -= (size_t)got;
	}
}

/* Everything written to the file since it was synced last is on the disk now, or lost. */
static void
settle(int fd, ino_t ino, bool kept)
{
	size_t left = 0;
	int to = kept ? open_shadow(ino) : -1;
	struct stat st;

	for (size_t i = 0; i < disk.n_ranges; i++) {
		if (disk.ranges[i].ino != ino)
			disk.ranges[left++] = disk.ranges[i];
		else if (kept)
			copy_range(fd, to, disk.ranges[i].at, disk.ranges[i].n);
	}
	disk.n_ranges = left;
	if (kept && fstat(fd, &st) == 0)
		(void)real.ftruncate(to, st.st_size);
	if (to >= 0)
		(void)real.close(to);
}

static void
note_write(int fd, off_t at, size_t n)
{
	ino_t ino = disk.fds[fd].ino;
	int to;

	if (!disk.shadow[0])
		return;
	if ((unsigned)rand_r(&disk.seed) % 100 < disk.lucky) {
		to = open_shadow(ino);
		copy_range(fd, to, at, n);
		(void)real.close(to);
	}
	if (disk.n_ranges == N_RANGES)
		abort();
	disk.ranges[disk.n_ranges++] = (struct range){.ino = ino, .at = at, .n = n};
}

/* A name leads to what it leads to in the directory now. */
static void
keep_name(const char *name, ino_t ino)
{
	char cut[PATH_LEN], fresh[PATH_LEN], content[PATH_LEN];

	ino_path(content, sizeof(content), ino);
	shadow_path(cut, sizeof(cut), "cut", name);
	shadow_path(fresh, sizeof(fresh), "inodes", "fresh");
	(void)real.unlink(fresh);
	if (link(content, fresh) == 0)
		(void)real.rename(fresh, cut);
}

static void
sync_directory(void)
{
	char path[PATH_LEN];
	struct dirent *d;
	struct stat st;
	DIR *dir = opendir(disk.dir);

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] != '.')
			keep_name(d->d_name, d->d_ino);
	}
	if (dir)
		(void)closedir(dir);
	shadow_path(path, sizeof(path), "cut", "");
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		(void)snprintf(
			path, sizeof(path), "%.*s/%.200s", PATH_LEN / 2, disk.dir, d->d_name);
		if (d->d_name[0] == '.' || stat(path, &st) == 0)
			continue;
		shadow_path(path, sizeof(path), "cut", d->d_name);
		(void)real.unlink(path);
	}
	if (dir)
		(void)closedir(dir);
}

/* --- the functions that are stood in for ---------------------------------------------- */

/* What was there before anything was opened is on the disk. */
static void
take_over(int fd, const char *path, const struct stat *st)
{
	const char *name = strrchr(path, '/');
	int to = open_shadow(st->st_ino);

	copy_range(fd, to, 0, (size_t)st->st_size);
	(void)real.close(to);
	keep_name(name ? name + 1 : path, st->st_ino);
}

static void
track(int fd, const char *name, bool is_new)
{
	char path[PATH_LEN];
	struct stat st;

	if (fd >= N_FDS || fstat(fd, &st) < 0)
		return;
	disk.fds[fd] = (struct tracked){.used = true,
		.is_proper = strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".db") == 0,
		.is_directory = S_ISDIR(st.st_mode),
		.ino = st.st_ino};
	if (!disk.shadow[0] || disk.fds[fd].is_directory)
		return;
	/* The number may have been that of a file which is gone. */
	ino_path(path, sizeof(path), st.st_ino);
	if (is_new)
		(void)real.unlink(path);
	else if (access(path, F_OK) < 0)
		take_over(fd, name, &st);
	(void)real.close(open_shadow(st.st_ino));
}

static int
do_open(const char *path, int flags, mode_t mode)
{
	bool is_new;
	int fd, error = 0;

	(void)pthread_mutex_lock(&lock);
	init();
	if (!is_inside(path)) {
		(void)pthread_mutex_unlock(&lock);
		return real.open(path, flags, mode);
	}
	is_new = (flags & O_CREAT) && access(path, F_OK) < 0;
	if (is_new)
		error = before_write();
	fd = error ? -1 : real.open(path, flags, mode);
	if (fd >= 0)
		track(fd, path, is_new);
	(void)pthread_mutex_unlock(&lock);
	if (error)
		errno = error;
	return fd;
}

#define OPEN(name)                                           \
	int name(const char *path, int flags, ...);          \
	int name(const char *path, int flags, ...)           \
	{                                                    \
		mode_t mode = 0;                             \
		va_list ap;                                  \
                                                             \
		va_start(ap, flags);                         \
		if (flags & O_CREAT)                         \
			mode = (mode_t)va_arg(ap, unsigned); \
		va_end(ap);                                  \
		return do_open(path, flags, mode);           \
	}

OPEN(open)
OPEN(open64)

int
close(int fd)
{
	(void)pthread_mutex_lock(&lock);
	init();
	if (is_tracked(fd))
		disk.fds[fd].used = false;
	(void)pthread_mutex_unlock(&lock);
	return real.close(fd);
}

static ssize_t
do_pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t written = -1;
	int error;

	(void)pthread_mutex_lock(&lock);
	init();
	if (!is_tracked(fd)) {
		(void)pthread_mutex_unlock(&lock);
		return real.pwrite(fd, p, n, at);
	}
	error = before_write();
	if (!error && disk.fds[fd].is_proper && fault_now() == FAULT_PROPER)
		error = EIO;
	if (!error)
		written = real.pwrite(fd, p, n, at);
	if (written > 0)
		note_write(fd, at, (size_t)written);
	(void)pthread_mutex_unlock(&lock);
	if (error)
		errno = error;
	return written;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return do_pwrite(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return do_pwrite(fd, p, n, at);
}

static ssize_t
do_pread(int fd, void *p, size_t n, off_t at)
{
	bool fails;

	(void)pthread_mutex_lock(&lock);
	init();
	fails = is_tracked(fd) && fault_now() == FAULT_READ;
	(void)pthread_mutex_unlock(&lock);
	if (!fails)
		return real.pread(fd, p, n, at);
	errno = EIO;
	return -1;
}

ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
	return do_pread(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at);
ssize_t
pread64(int fd, void *p, size_t n, off64_t at)
{
	return do_pread(fd, p, n, at);
}

static int
do_sync(int fd, bool data)
{
	enum fault fault;
	int error;

	(void)pthread_mutex_lock(&lock);
	init();
	if (!is_tracked(fd)) {
		(void)pthread_mutex_unlock(&lock);
		return data ? real.fdatasync(fd) : real.fsync(fd);
	}
	error = before_write();
	fault = fault_now();
	if (fault == FAULT_HANG) {
		(void)pthread_mutex_unlock(&lock);
		(void)real.close(real.open(disk.gate, O_RDONLY | O_CLOEXEC));
		(void)pthread_mutex_lock(&lock);
	}
	if (fault == FAULT_FSYNC)
		error = EIO;
	if (disk.shadow[0] && disk.fds[fd].is_directory && !error)
		sync_directory();
	else if (disk.shadow[0])
		/* After a failure the kernel takes the pages for clean: they are never written. */
		settle(fd, disk.fds[fd].ino, !error);
	if (fault == FAULT_SYNCED)
		(void)kill(getpid(), SIGKILL);
	(void)pthread_mutex_unlock(&lock);
	if (!error)
		return 0;
	errno = error;
	return -1;
}

int
fsync(int fd)
{
	return do_sync(fd, false);
}

int
fdatasync(int fd)
{
	return do_sync(fd, true);
}

static int
do_ftruncate(int fd, off_t n)
{
	int error = 0;

	(void)pthread_mutex_lock(&lock);
	init();
	if (is_tracked(fd))
		error = before_write();
	(void)pthread_mutex_unlock(&lock);
	if (!error)
		return real.ftruncate(fd, n);
	errno = error;
	return -1;
}

int
ftruncate(int fd, off_t n)
{
	return do_ftruncate(fd, n);
}

int ftruncate64(int fd, off64_t n);
int
ftruncate64(int fd, off64_t n)
{
	return do_ftruncate(fd, n);
}

int
unlink(const char *path)
{
	int error = 0;

	(void)pthread_mutex_lock(&lock);
	init();
	if (is_inside(path))
		error = before_write();
	(void)pthread_mutex_unlock(&lock);
	if (!error)
		return real.unlink(path);
	errno = error;
	return -1;
}

int
rename(const char *from, const char *to)
{
	int error = 0;

	(void)pthread_mutex_lock(&lock);
	init();
	if (is_inside(from))
		error = before_write();
	(void)pthread_mutex_unlock(&lock);
	if (!error)
		return real.rename(from, to);
	errno = error;
	return -1;
}
