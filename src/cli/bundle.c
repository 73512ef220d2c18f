/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

void
bundle_init(struct bundle *b, const char *folder)
{
	*b = (struct bundle){.folder = folder};
}

void
bundle_fini(struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++) {
		mem_wipe(b->files[i].content, b->files[i].n);
		free(b->files[i].content);
	}
	free(b->files);
	free(b->folders);
	*b = (struct bundle){.folder = NULL};
}

static void __attribute__((format(printf, 4, 0)))
add(struct bundle *b, struct bytes content, bool open, const char *fmt, va_list ap)
{
	struct bundle_file *f;
	int head, rest;

	b->files = mem_realloc(b->files, (b->n + 1) * sizeof(*b->files));
	f = &b->files[b->n++];
	*f = (struct bundle_file){.content = mem_dup(content), .n = content.n, .open = open};
	head = snprintf(f->path, sizeof(f->path), "%s/", b->folder);
	if (head < 0 || (size_t)head >= sizeof(f->path)) {
		b->too_long = true;
		return;
	}
	rest = vsnprintf(f->path + head, sizeof(f->path) - (size_t)head, fmt, ap);
	if (rest < 0 || (size_t)(head + rest) >= sizeof(f->path))
		b->too_long = true;
}

void
bundle_add(struct bundle *b, struct bytes content, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(b, content, false, fmt, ap);
	va_end(ap);
}

void
bundle_add_open(struct bundle *b, struct bytes content, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(b, content, true, fmt, ap);
	va_end(ap);
}

/* Whether others get to something in this folder, the first n bytes of a path. */
static bool
is_open(const struct bundle *b, const char *folder, size_t n)
{
	/* The bundle as a whole is the owner's, and nobody asked for those above. */
	if (n <= strlen(b->folder))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		const struct bundle_file *f = &b->files[i];

		if (f->open && strncmp(f->path, folder, n) == 0 && f->path[n] == '/')
			return true;
	}
	return false;
}

/* One that is there keeps its mode; the umask has no say in that of others. */
static int
make_folder(const struct bundle *b, const char *path, size_t n)
{
	mode_t mode = S_IRWXU;

	if (mkdir(path, mode) != 0)
		return -errno;
	if (is_open(b, path, n))
		mode |= S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
	if (chmod(path, mode) != 0) {
		int rc = -errno;

		(void)rmdir(path);
		return rc;
	}
	return 0;
}

/* The folders of a path below the root, as far as they are missing. */
static int
make_folders(struct bundle *b, const char *path, struct error *e)
{
	char part[BUNDLE_PATH];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t n = (size_t)(slash - path);
		int rc;

		memcpy(part, path, n);
		part[n] = '\0';
		rc = make_folder(b, part, n);
		if (rc == 0) {
			b->folders =
				mem_realloc(b->folders, (b->n_folders + 1) * sizeof(*b->folders));
			memcpy(b->folders[b->n_folders++], part, n + 1);
		} else if (rc != -EEXIST) {
			error_set(e, "%s: cannot be made: %s", part, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static int
write_all(int fd, const struct bundle_file *f)
{
	size_t done = 0;

	/* Whatever the umask took or a default ACL gave. */
	if (fchmod(fd, S_IRUSR | S_IWUSR | (f->open ? S_IRGRP | S_IROTH : 0)) < 0)
		return -errno;
	while (done < f->n) {
		ssize_t n = write(fd, f->content + done, f->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int
write_file(struct bundle_file *f, struct error *e)
{
	int fd = open(
		f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	int rc;

	if (fd < 0) {
		rc = -errno;
		error_set(e, "%s: cannot be made: %s", f->path, strerror(-rc));
		return rc;
	}
	f->made = true;
	rc = write_all(fd, f);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		error_set(e, "%s: cannot be written: %s", f->path, strerror(-rc));
	return rc;
}

/* Before anything is made: what is there already, a dangling link included. */
static int
look_first(const struct bundle *b, struct error *e)
{
	struct stat st;

	if (b->too_long) {
		error_set(e, "%s: paths below it would be too long", b->folder);
		return -ENAMETOOLONG;
	}
	for (size_t i = 0; i < b->n; i++) {
		if (lstat(b->files[i].path, &st) == 0) {
			error_set(e, "%s: is there already: nothing was written", b->files[i].path);
			return -EEXIST;
		}
	}
	return 0;
}

static void
take_away(struct bundle *b)
{
	for (size_t i = b->n; i-- > 0;) {
		if (b->files[i].made)
			(void)unlink(b->files[i].path);
		b->files[i].made = false;
	}
	for (size_t i = b->n_folders; i-- > 0;)
		(void)rmdir(b->folders[i]);
	b->n_folders = 0;
}

int
bundle_write(struct bundle *b, struct error *e)
{
	int rc = look_first(b, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < b->n && rc == 0; i++) {
		rc = make_folders(b, b->files[i].path, e);
		if (rc == 0)
			rc = write_file(&b->files[i], e);
	}
	if (rc < 0)
		take_away(b);
	return rc;
}
