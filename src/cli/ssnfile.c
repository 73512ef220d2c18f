/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/ssnfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define HEAD "coapcast sequence numbers 2\nwritten "
#define HEAD_MAX (sizeof(HEAD) + 20 + 1 + 9 + 1) /* with the moment behind it */
#define HEX (2 * SSN_FINGERPRINT)
#define LINE_MAX_LEN (HEX + 1 + 20 + 1)
#define RECORDS_MAX 1024 /* keys that one file knows */
#define FILE_MAX (HEAD_MAX + RECORDS_MAX * LINE_MAX_LEN)
#define LOCK_TRIES 100 /* times the file may be replaced while we wait for it */
#define RENAME_MAX_S 2 /* a file that got its name later than that after it was written is a copy */
#define AHEAD_MAX 1024 /* numbers ahead of the clock that are waited for */
#define WAITS_MAX 1500 /* a millisecond each */

/* One key, as the file says. */
struct record {
	char hex[HEX + 1];
	uint64_t bound;
};

/* One key of ours. */
struct user {
	struct ssn *ssn; /* held */
	char hex[HEX + 1];
	uint64_t bound; /* that we put down last */
	unsigned step; /* how many next: more, the longer nobody else wants any */
};

struct ssnfile {
	char *path, *next_path, *folder; /* owned; a new file is made beside, then renamed */
	struct record *records; /* as last read; owned */
	size_t n_records;
	struct user users[SSNFILE_KEYS_MAX];
	size_t n_users;
	struct stat seen; /* the file that we know */
	struct timespec written; /* as it says of itself */
	struct error failure;
	bool failed;
};

static int
fail(struct ssnfile *f, const char *what)
{
	int rc = errno ? -errno : -EIO;

	error_set(&f->failure, "%.180s: %s: %.40s", f->path, what, strerror(-rc));
	f->failed = true;
	return rc;
}

static int
refuse(struct ssnfile *f, const char *what)
{
	error_set(&f->failure, "%.180s: %s", f->path, what);
	f->failed = true;
	return -EINVAL;
}

static char *
join(const char *a, const char *b)
{
	size_t n = strlen(a) + strlen(b) + 1;
	char *text = mem_alloc(n);

	(void)snprintf(text, n, "%s%s", a, b);
	return text;
}

/* --- the file ----------------------------------------------------------------------- */

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Locked, and still the one that has the name. */
static int
lock(struct ssnfile *f, int *ret)
{
	struct stat st, named;
	int fd;

	for (int i = 0; i < LOCK_TRIES; i++) {
		fd = open(f->path,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
			S_IRUSR | S_IWUSR);
		if (fd < 0)
			return fail(f, "cannot be opened");
		if (flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0) {
			(void)fail(f, "cannot be locked");
			(void)close(fd);
			return -EIO;
		}
		if (stat(f->path, &named) == 0 && named.st_dev == st.st_dev &&
			named.st_ino == st.st_ino) {
			*ret = fd;
			return 0;
		}
		(void)close(fd);
	}
	errno = EBUSY;
	return fail(f, "cannot be locked");
}

static bool
take_line(const char *line, struct record *ret)
{
	char *end;

	for (size_t i = 0; i < HEX; i++)
		if (!strchr("0123456789abcdef", line[i]) || line[i] == '\0')
			return false;
	if (line[HEX] != ' ' || line[HEX + 1] < '0' || line[HEX + 1] > '9')
		return false;
	memcpy(ret->hex, line, HEX);
	ret->hex[HEX] = '\0';
	errno = 0;
	ret->bound = strtoull(line + HEX + 1, &end, 10);
	return errno == 0 && *end == '\0' && ret->bound <= SSN_LIMIT;
}

/* "SECONDS.NANOSECONDS\n", all nine digits of these. */
static bool
take_moment(const char *text, struct timespec *ret, char **ret_end)
{
	char *point, *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	ret->tv_sec = strtoll(text, &point, 10);
	if (errno != 0 || *point != '.' || point[1] < '0' || point[1] > '9')
		return false;
	ret->tv_nsec = strtol(point + 1, &end, 10);
	*ret_end = end + 1;
	return end - point == 10 && *end == '\n';
}

/* A file that was just made is empty; anything else that is not ours to the letter is refused. */
static bool
parse(struct ssnfile *f, char *text)
{
	char *line, *end;

	f->n_records = 0;
	if (*text == '\0')
		return true;
	if (strncmp(text, HEAD, strlen(HEAD)) != 0 ||
		!take_moment(text + strlen(HEAD), &f->written, &line))
		return false;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (f->n_records == RECORDS_MAX || !take_line(line, &f->records[f->n_records]))
			return false;
		f->n_records++;
	}
	return *line == '\0';
}

/*
 * A file is dated by its own words, and has its name soon after. One that was put back from a
 * copy has got the date of that, or its name later.
 */
static bool
is_copy(const struct ssnfile *f, const struct stat *st)
{
	int64_t late_s = (int64_t)st->st_ctim.tv_sec - f->written.tv_sec;

	return st->st_size > 0 && (st->st_mtim.tv_sec != f->written.tv_sec ||
					  st->st_mtim.tv_nsec != f->written.tv_nsec ||
					  late_s < -1 || late_s > RENAME_MAX_S);
}

static int64_t
utc_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What a copy says is as good as lost, unless it is ahead of where that begins. */
static void
forget_past(struct ssnfile *f)
{
	uint64_t clock = ssn_clock(utc_ms());
	size_t n = 0;

	for (size_t i = 0; i < f->n_records; i++)
		if (f->records[i].bound > clock)
			f->records[n++] = f->records[i];
	f->n_records = n;
}

static int
read_locked(struct ssnfile *f, int fd)
{
	char *text = mem_alloc(FILE_MAX + 1);
	struct stat st;
	ssize_t n;
	int rc = 0;

	if (fstat(fd, &st) != 0 || (n = pread(fd, text, FILE_MAX, 0)) < 0)
		rc = fail(f, "cannot be read");
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		 (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		rc = refuse(f, "must be a file of ours that nobody else can read or write");
	else if (strlen(text) != (size_t)n || !parse(f, text))
		rc = refuse(f, "is damaged: remove it, and numbers go on by the clock");
	else if (is_copy(f, &st))
		forget_past(f);
	free(text);
	return rc;
}

static struct record *
find_record(struct ssnfile *f, const char *hex)
{
	for (size_t i = 0; i < f->n_records; i++)
		if (strcmp(f->records[i].hex, hex) == 0)
			return &f->records[i];
	return NULL;
}

static int
put(struct ssnfile *f, const char *hex, uint64_t bound)
{
	struct record *r = find_record(f, hex);

	if (!r && f->n_records == RECORDS_MAX)
		return refuse(f, "knows too many keys");
	if (!r) {
		r = &f->records[f->n_records++];
		memcpy(r->hex, hex, sizeof(r->hex));
	}
	r->bound = bound;
	return 0;
}

static int
sync_folder(const struct ssnfile *f)
{
	int fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	return rc;
}

/* The whole of it anew, on the disk before it has the name. */
static int
write_locked(struct ssnfile *f)
{
	int fd = open(f->next_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	struct timespec dates[2];
	bool good =
		fd >= 0 && clock_gettime(CLOCK_REALTIME, &dates[0]) == 0 &&
		dprintf(fd, HEAD "%lld.%09ld\n", (long long)dates[0].tv_sec, dates[0].tv_nsec) > 0;

	for (size_t i = 0; good && i < f->n_records; i++)
		good = dprintf(fd, "%s %" PRIu64 "\n", f->records[i].hex, f->records[i].bound) > 0;
	dates[1] = dates[0];
	good = good && futimens(fd, dates) == 0 && fsync(fd) == 0 && fstat(fd, &f->seen) == 0;
	good = good && rename(f->next_path, f->path) == 0 && sync_folder(f) == 0;
	if (good) {
		(void)close(fd);
		return 0;
	}
	(void)fail(f, "cannot be written");
	if (fd >= 0)
		(void)close(fd);
	return -EIO;
}

/* --- numbers ------------------------------------------------------------------------ */

static struct user *
find_user(struct ssnfile *f, const struct ssn *s)
{
	for (size_t i = 0; i < f->n_users; i++)
		if (f->users[i].ssn == s)
			return &f->users[i];
	return NULL;
}

/*
 * Whoever begins by the clock, the file being lost, begins above all that were used if the
 * clock was past these when they were. Keys that are used now and then are far behind it;
 * others have 1024 numbers a second. Where it was set back there is no use in waiting.
 */
static void
let_pass(uint64_t upto)
{
	const struct timespec t = {.tv_nsec = 1000000};
	uint64_t clock = ssn_clock(utc_ms());

	if (upto > clock + AHEAD_MAX)
		return;
	for (int i = 0; i < WAITS_MAX && ssn_clock(utc_ms()) < upto; i++)
		(void)nanosleep(&t, NULL);
}

/*
 * The next numbers that nobody may have used. When the file was lost, or says less than we put
 * down, others may have begun by the clock since, and used what it does not know.
 */
static uint64_t
find_free(struct ssnfile *f, const struct user *u)
{
	const struct record *r = find_record(f, u->hex);
	uint64_t clock;

	if (r && r->bound >= u->bound)
		return r->bound;
	clock = ssn_clock(utc_ms());
	return clock > u->bound ? clock : u->bound;
}

/*
 * Puts down a new bound, above all that others have; what others may have used is left out.
 * Whoever is alone has some ahead of need; with others it is one number at a time, as near to
 * its use as can be, so that they arrive in their order (RFC 8613 7.4: a replay window has
 * room for 32).
 */
static int
reserve_locked(struct ssnfile *f, struct user *u)
{
	uint64_t from = find_free(f, u), upto;

	if (from > u->bound)
		u->step = 1;
	upto = from + u->step;
	if (upto > SSN_LIMIT)
		upto = SSN_LIMIT;
	if (put(f, u->hex, upto) < 0 || write_locked(f) < 0)
		return -EIO;
	let_pass(upto);
	if (from > u->bound)
		ssn_skip(u->ssn, from);
	u->bound = upto;
	u->step = 2 * u->step < SSNFILE_STEP ? 2 * u->step : SSNFILE_STEP;
	ssn_reserved(u->ssn, upto);
	return 0;
}

static void
reserve(struct ssnfile *f, struct user *u)
{
	int fd;

	if (lock(f, &fd) < 0)
		return;
	if (read_locked(f, fd) == 0)
		(void)reserve_locked(f, u);
	(void)close(fd);
}

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	struct ssnfile *f = ctx;
	struct user *u = find_user(f, s);

	(void)upto;
	/* The first time it is the number to begin with that counts. */
	if (u->bound < ssn_bound(s))
		u->bound = ssn_bound(s);
	reserve(f, u);
}

/* Nothing ahead of need: the numbers are not to run ahead of the clock. */
static const struct ssn_ops ssn_ops = {.reserve = on_reserve, .just_in_time = true};

static int
start(struct ssnfile *f, struct user *u, struct error *e)
{
	const struct record *r;
	int fd, rc = lock(f, &fd);

	if (rc == 0) {
		rc = read_locked(f, fd);
		(void)close(fd);
	}
	if (rc < 0) {
		*e = f->failure;
		return rc;
	}
	r = find_record(f, u->hex);
	rc = r ? ssn_start_stored(u->ssn, r->bound, e)
	       : ssn_start_clock(u->ssn, utc_ms(), BUILT_S, e);
	if (rc == 0 && ssn_next(u->ssn) >= ssn_bound(u->ssn)) {
		*e = f->failure;
		rc = -EIO;
	}
	return rc;
}

int
ssnfile_get(struct ssnfile *f, const uint8_t fingerprint[SSN_FINGERPRINT], struct error *e,
	struct ssn **ret)
{
	struct user *u = &f->users[f->n_users];
	struct buf hex = buf_of(u->hex, sizeof(u->hex));
	int rc;

	for (size_t i = 0; i < f->n_users; i++) {
		if (memcmp(ssn_fingerprint_of(f->users[i].ssn), fingerprint, SSN_FINGERPRINT) ==
			0) {
			*ret = ssn_hold(f->users[i].ssn);
			return 0;
		}
	}
	if (f->n_users == SSNFILE_KEYS_MAX) {
		error_set(e, "too many keys");
		return -ENOSPC;
	}
	buf_put_hex(&hex, bytes_of(fingerprint, SSN_FINGERPRINT));
	(void)buf_str(&hex);
	u->ssn = ssn_new(fingerprint, &ssn_ops, f);
	u->bound = 0;
	u->step = 1;
	f->n_users++;
	if ((rc = start(f, u, e)) < 0) {
		f->n_users--;
		ssn_release(u->ssn);
		return rc;
	}
	*ret = ssn_hold(u->ssn);
	return 0;
}

/* Unless nobody went past its numbers, and its record is still there. */
static void
catch_up(struct ssnfile *f, struct user *u)
{
	const struct record *r;
	int fd;

	if (lock(f, &fd) < 0)
		return;
	if (read_locked(f, fd) == 0) {
		r = find_record(f, u->hex);
		if (!r || r->bound != u->bound)
			(void)reserve_locked(f, u);
		else
			(void)fstat(fd, &f->seen);
	}
	(void)close(fd);
}

void
ssnfile_catch_up(struct ssnfile *f)
{
	struct stat st;

	if (f->n_users == 0 || (stat(f->path, &st) == 0 && is_same(&st, &f->seen)))
		return;
	for (size_t i = 0; i < f->n_users; i++)
		catch_up(f, &f->users[i]);
}

const char *
ssnfile_failure(const struct ssnfile *f)
{
	return f->failed ? f->failure.text : NULL;
}

int
ssnfile_open(const char *credentials, struct error *e, struct ssnfile **ret)
{
	char *real = realpath(credentials, NULL), *slash;
	struct ssnfile *f;

	if (!real) {
		error_set(e, "%s: %s", credentials, strerror(errno));
		return -ENOENT;
	}
	f = mem_alloc(sizeof(*f));
	f->path = join(real, SSNFILE_SUFFIX);
	f->next_path = join(f->path, ".new");
	slash = strrchr(real, '/');
	slash[slash == real ? 1 : 0] = '\0';
	f->folder = real;
	f->records = mem_alloc(RECORDS_MAX * sizeof(*f->records));
	*ret = f;
	return 0;
}

/* What was put down for us alone and not used is given back. */
static void
put_down_exact(struct ssnfile *f)
{
	bool changed = false;
	int fd;

	if (lock(f, &fd) < 0)
		return;
	if (read_locked(f, fd) == 0) {
		for (size_t i = 0; i < f->n_users; i++) {
			struct user *u = &f->users[i];
			struct record *r = find_record(f, u->hex);
			uint64_t exact = ssn_stop(u->ssn);

			if (r && r->bound == u->bound && exact < u->bound) {
				r->bound = exact;
				changed = true;
			}
		}
		if (changed)
			(void)write_locked(f);
	}
	(void)close(fd);
}

void
ssnfile_close(struct ssnfile *f)
{
	if (!f)
		return;
	if (f->n_users > 0)
		put_down_exact(f);
	for (size_t i = 0; i < f->n_users; i++)
		ssn_release(f->users[i].ssn);
	free(f->records);
	free(f->folder);
	free(f->next_path);
	free(f->path);
	free(f);
}
