/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"

#define HEADER_LEN 100
#define WAL_HEADER_LEN 32
#define FRAME_HEADER_LEN 24
#define PAGE_MAX 65536

/* Reads until there is nothing more; the number of bytes, or a negative errno. */
static ssize_t
read_at(int fd, void *p, size_t n, off_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, (char *)p + have, n - have, at + (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int
damaged(struct error *e, const char *path, const char *what)
{
	error_set(e, "%s: %s", path, what);
	return -EBADMSG;
}

/* -ENOENT without a word. */
static int
open_to_read(const char *path, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		error_set(e, "%s: %s", path, strerror(errno));
	return -errno;
}

int
sound_header(const char *path, struct error *e)
{
	/* What this program's databases have in common; the two after the page size are the mode. */
	static const uint8_t start[] = "SQLite format 3\0\x10";
	static const uint8_t fractions[] = {0, 64, 32, 32};
	uint8_t h[HEADER_LEN];
	int fd = open_to_read(path, e);
	ssize_t n;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = read_at(fd, h, sizeof(h), 0);
	(void)close(fd);
	if (n < 0) {
		error_set(e, "%s: %s", path, strerror((int)-n));
		return (int)n;
	}
	if (n == 0)
		return 0;
	if (n < HEADER_LEN || memcmp(h, start, sizeof(start)) != 0 || h[18] != h[19] ||
		(h[18] != 1 && h[18] != 2) || memcmp(h + 20, fractions, sizeof(fractions)) != 0 ||
		get_u32(h + 56) > 1) /* the text encoding, UTF-8, or none yet */
		return damaged(e, path, "its header is damaged");
	return 0;
}

struct wal {
	bool big_endian; /* how checksums read words; all else is big-endian */
	uint32_t page_size;
	uint8_t salts[8];
	uint32_t sum[2]; /* as it is written in the last frame */
	uint32_t computed[2]; /* as it ought to be there */
	bool broken; /* a frame was that did not follow from the one before */
	uint32_t n_commits; /* since, in frames that follow from each other */
};

static void
add(const struct wal *w, uint32_t sum[2], const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i += 8) {
		uint32_t words[2];

		for (size_t j = 0; j < 2; j++) {
			words[j] = get_u32(p + i + 4 * j);
			if (!w->big_endian)
				words[j] = __builtin_bswap32(words[j]);
		}
		sum[0] += words[0] + sum[1];
		sum[1] += words[1] + sum[0];
	}
}

static bool
begin(struct wal *w, const uint8_t h[WAL_HEADER_LEN])
{
	uint32_t magic = get_u32(h), sum[2] = {0, 0};

	if ((magic & ~1U) != 0x377f0682)
		return false;
	w->big_endian = (magic & 1) != 0;
	w->page_size = get_u32(h + 8);
	memcpy(w->salts, h + 16, sizeof(w->salts));
	add(w, sum, h, 24);
	w->sum[0] = get_u32(h + 24);
	w->sum[1] = get_u32(h + 28);
	return sum[0] == w->sum[0] && sum[1] == w->sum[1] && w->page_size >= 512 &&
	       w->page_size <= PAGE_MAX;
}

/* Whether a frame follows from this sum of the one before; *ret is its own. */
static bool
fits(const struct wal *w, const uint8_t *frame, const uint32_t before[2], uint32_t ret[2])
{
	ret[0] = before[0];
	ret[1] = before[1];
	add(w, ret, frame, 8);
	add(w, ret, frame + FRAME_HEADER_LEN, w->page_size);
	return ret[0] == get_u32(frame + 16) && ret[1] == get_u32(frame + 20) &&
	       memcmp(frame + 8, w->salts, sizeof(w->salts)) == 0;
}

/* False: commits are behind a broken frame. */
static bool
follow(struct wal *w, const uint8_t *frame)
{
	uint32_t is_commit = get_u32(frame + 4) != 0, computed[2];
	/* What is wrong with the one before may be the sum that is written there. */
	bool follows = (w->broken && fits(w, frame, w->computed, computed)) ||
		       fits(w, frame, w->sum, computed);

	w->sum[0] = get_u32(frame + 16);
	w->sum[1] = get_u32(frame + 20);
	memcpy(w->computed, computed, sizeof(computed));
	if (!follows) {
		w->broken = true;
		w->n_commits = is_commit;
		return true;
	}
	/* What a commit that failed left behind ends with that commit. */
	if (w->broken)
		w->n_commits += is_commit;
	return w->n_commits < 2;
}

static int
follow_all(int fd, struct wal *w, const char *path, struct error *e)
{
	size_t n = FRAME_HEADER_LEN + w->page_size;
	uint8_t *frame = mem_alloc(n);
	off_t at = WAL_HEADER_LEN;
	ssize_t got;
	int rc = 0;

	while (rc == 0 && (got = read_at(fd, frame, n, at)) == (ssize_t)n) {
		if (!follow(w, frame))
			rc = damaged(e, path, "a commit in its middle is damaged");
		at += (off_t)n;
	}
	free(frame);
	return rc;
}

/*
 * Whether the place was made and nothing written to it, which a power cut may leave: SQLite
 * has the header on the disk before it writes anything else.
 */
static bool
is_blank(int fd)
{
	static const uint8_t blank[4096];
	uint8_t part[sizeof(blank)];
	off_t at = 0;
	ssize_t n;

	while ((n = read_at(fd, part, sizeof(part), at)) > 0) {
		if (memcmp(part, blank, (size_t)n) != 0)
			return false;
		at += n;
	}
	return n == 0;
}

int
sound_wal(const char *path, struct error *e)
{
	uint8_t h[WAL_HEADER_LEN];
	struct wal w = {.broken = false};
	int fd = open_to_read(path, e), rc = 0;
	ssize_t n;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = read_at(fd, h, sizeof(h), 0);
	if (n < 0) {
		error_set(e, "%s: %s", path, strerror((int)-n));
		rc = (int)n;
	} else if (n == WAL_HEADER_LEN && !is_blank(fd)) {
		rc = begin(&w, h) ? follow_all(fd, &w, path, e)
				  : damaged(e, path, "its header is damaged");
	}
	(void)close(fd);
	return rc;
}
