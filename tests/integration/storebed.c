/* SPDX-License-Identifier: BSD-2-Clause */
#include "storebed.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/table.h"

#define N_PATHS 8

void
bed_init(struct bed *b)
{
	const char *tmp = getenv("TMPDIR");

	*b = (struct bed){.events = eventfd(0, EFD_CLOEXEC)};
	(void)snprintf(b->base, sizeof(b->base), "%.100s/store.XXXXXX", tmp ? tmp : "/tmp");
	assert(mkdtemp(b->base) != NULL);
	(void)snprintf(b->directory, sizeof(b->directory), "%s/state", b->base);
}

const char *
bed_path(const struct bed *b, const char *name)
{
	static char paths[N_PATHS][256];
	static unsigned next;
	char *path = paths[next++ % N_PATHS];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", b->base, name);
	return path;
}

void
bed_remove(const char *path)
{
	char inner[512];
	struct dirent *d;
	DIR *dir = opendir(path);

	while (dir && (d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, d->d_name);
		if (unlink(inner) < 0)
			bed_remove(inner);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(path);
}

static void
on_event(void *ctx)
{
	const struct bed *b = ctx;
	uint64_t one = 1;

	(void)!write(b->events, &one, sizeof(one));
}

static int
open_only(struct bed *b, uint32_t commit_ms, struct error *e)
{
	const struct store_options options = {.directory = b->directory,
		.commit_ms = commit_ms,
		.late_ms = 1000,
		.max_records = 100000,
		.max_bytes = 16 << 20,
		.on_event = on_event,
		.ctx = b};

	return store_open(&options, &b->store, &b->opened, e);
}

int
bed_try(struct bed *b, uint32_t commit_ms, struct error *e)
{
	int rc = open_only(b, commit_ms, e);

	if (rc == 0)
		assert(store_start(b->store, e) == 0);
	return rc;
}

void
bed_open(struct bed *b, uint32_t commit_ms)
{
	struct error e = {.text = ""};
	int rc = bed_try(b, commit_ms, &e);

	if (rc < 0)
		printf("# %s\n", e.text);
	assert(rc == 0);
}

void
bed_close(struct bed *b, bool clean)
{
	struct error e;

	assert(store_close(b->store, clean, &e) == 0);
	b->store = NULL;
}

void
bed_fini(struct bed *b)
{
	struct error e;

	if (b->store)
		(void)store_close(b->store, false, &e);
	(void)close(b->events);
	bed_remove(b->base);
}

struct digest {
	enum store_kind kind;
	size_t n;
	uint64_t sum;
};

static int
add(void *ctx, const union store_record *r)
{
	struct digest *d = ctx;

	/* No two are alike in all columns, so that the order does not matter. */
	if (d->kind == STORE_META && bytes_is(bytes_head(r->meta.name, 6), "store."))
		return 0;
	d->n++;
	d->sum += (uint64_t)table_sum(d->kind, r) * (2 * d->kind + 1) * 0x9e3779b97f4a7c15;
	return 0;
}

uint64_t
bed_digest(struct bed *b, size_t *ret_n)
{
	struct digest d = {.n = 0};
	struct error e = {.text = ""};
	int rc = open_only(b, 0, &e);

	if (rc < 0)
		printf("# %s\n", e.text);
	assert(rc == 0);
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		d.kind = (enum store_kind)kind;
		assert(store_load(b->store, d.kind, add, &d, &e) == 0);
	}
	assert(store_close(b->store, b->opened.clean, &e) == 0);
	b->store = NULL;
	if (ret_n)
		*ret_n = d.n;
	return d.sum;
}

struct store_event
bed_expect(struct bed *b, enum store_event_kind kind)
{
	struct store_event event;
	uint64_t n;

	while (!store_next_event(b->store, &event))
		assert(read(b->events, &n, sizeof(n)) == sizeof(n));
	if (event.kind != kind)
		printf("# event %d in place of %d: %s\n", event.kind, kind, event.why.text);
	assert(event.kind == kind);
	return event;
}

int
bed_promise(struct bed *b, enum store_kind kind, const union store_record *r)
{
	struct store_event event;
	uint64_t ticket;
	int rc = store_put(b->store, kind, r, STORE_PROMISE, &ticket);

	if (rc < 0)
		return rc;
	event = bed_expect(b, STORE_EVENT_DONE);
	assert(event.ticket == ticket);
	return event.error;
}

struct version {
	uint64_t topic;
	unsigned version;
};

static int
find_version(void *ctx, const union store_record *r)
{
	struct version *v = ctx;

	if (r->value.topic == v->topic)
		v->version = r->value.nth;
	return 0;
}

unsigned
bed_version(struct bed *b, uint64_t topic)
{
	struct version v = {.topic = topic};
	struct error e;

	assert(open_only(b, 0, &e) == 0);
	assert(store_load(b->store, STORE_VALUE, find_version, &v, &e) == 0);
	bed_close(b, b->opened.clean);
	return v.version;
}

static void
copy_file(const char *from, const char *to)
{
	static char chunk[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	off_t at = 0;
	ssize_t n;

	assert(in >= 0 && out >= 0);
	for (; (n = pread(in, chunk, sizeof(chunk), at)) > 0; at += n)
		assert(pwrite(out, chunk, (size_t)n, at) == n);
	(void)close(in);
	(void)close(out);
}

void
bed_copy(const char *from, const char *to)
{
	char a[512], b[512];
	struct dirent *d;
	DIR *dir;

	bed_remove(to);
	assert(mkdir(to, 0700) == 0);
	dir = opendir(from);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(a, sizeof(a), "%s/%s", from, d->d_name);
		(void)snprintf(b, sizeof(b), "%s/%s", to, d->d_name);
		copy_file(a, b);
	}
	if (dir)
		(void)closedir(dir);
}

/* --- records -------------------------------------------------------------------- */

/* Bytes that tell n and version; good for a while. */
static struct bytes
text(const char *what, uint64_t n, unsigned version)
{
	static char texts[256][64];
	static unsigned next;
	char *t = texts[next++ % 256];

	(void)snprintf(t, sizeof(texts[0]), "%s %llu %u", what, (unsigned long long)n, version);
	return bytes_str(t);
}

static struct addr
address(unsigned n)
{
	struct addr a = {.family = n % 2 ? AF_INET : AF_INET6, .port = (uint16_t)(5683 + n)};

	a.ip[0] = 10;
	a.ip[3] = (uint8_t)n;
	if (a.family == AF_INET6)
		a.scope = n;
	return a;
}

void
bed_topic(uint64_t id, unsigned version, union store_record *ret)
{
	*ret = (union store_record){.topic = {.id = id,
					    .has = version,
					    .content_format = UINT32_MAX,
					    .name = text("topic", id, 0),
					    .path = text("/topic", id, 0)}};
}

void
bed_value(uint64_t id, unsigned version, union store_record *ret)
{
	*ret = (union store_record){.value = {.topic = id,
					    .content_format = 0,
					    .nth = version,
					    .etag = text("etag", id, version),
					    .data = text("value", id, version)}};
}

static void
some_observer(unsigned n, unsigned version, union store_record *ret)
{
	*ret = (union store_record){.observer = {.remote = address(n),
					    .local = address(n % 2),
					    .token = text("t", n, 0),
					    .topic = 1,
					    .szx = version}};
}

static void
full_group(unsigned n, struct store_group *ret)
{
	*ret = (struct store_group){.id = n,
		.topic = UINT64_C(1) << 63 | n,
		.ending_s = -1,
		.count_milli = 1500,
		.count_state = UINT32_MAX,
		.flags = n,
		.address = address(n),
		.source = address(n + 1),
		.group = text("group", n, 0),
		.token = bytes_of("\0\xff\0", 3),
		.phantom = text("phantom", n, 0),
		.keys = text("keys", n, 0),
		.gid = text("gid", n, 0),
		.kid = bytes_of("", 0),
		.piv = bytes_of("\0", 1),
		.before = text("initial", n, 0),
		.latest = text("latest", n, 0),
		.interface = text("interface", n, 0),
		.hops = 255};
}

void
bed_full(enum store_kind kind, unsigned n, union store_record *ret)
{
	memset(ret, 0, sizeof(*ret));
	switch (kind) {
	case STORE_META:
		ret->meta = (struct store_meta){text("meta", n, 0), text("x", n, 1)};
		break;
	case STORE_TOPIC:
		bed_topic(n, UINT32_MAX, ret);
		ret->topic.flags = 7;
		ret->topic.expiration_s = INT64_MIN;
		ret->topic.type = bytes_of("", 0);
		ret->topic.initialize = text("first", n, 0);
		break;
	case STORE_VALUE:
		bed_value(n, n, ret);
		break;
	case STORE_SEQ:
	case STORE_GROUP_SEQ:
		ret->seq = (struct store_seq){n, 0xffffff};
		break;
	case STORE_GROUP:
		full_group(n, &ret->group);
		break;
	case STORE_OBSERVER:
		some_observer(n, 6, ret);
		ret->observer.who = text("who", n, 0);
		ret->observer.binding = text("binding", n, 0);
		break;
	case STORE_BOUND:
		ret->bound = (struct store_bound){text("keys", n, 0), (UINT64_C(1) << 40) - n};
		break;
	case STORE_WINDOW:
		ret->window = (struct store_window){text("keys", n, 0), n, UINT64_MAX};
		break;
	case STORE_SECRET:
		ret->secret = (struct store_secret){text("secret", n, 0), text("s", n, 0)};
		break;
	default:
		break;
	}
}

/* The key as in bed_full, and nothing else. */
void
bed_bare(enum store_kind kind, unsigned n, union store_record *ret)
{
	const struct table *t = &table_of[kind];
	size_t key_end = t->n_key < t->n ? t->columns[t->n_key].at : sizeof(*ret);

	bed_full(kind, n, ret);
	memset((char *)ret + key_end, 0, sizeof(*ret) - key_end);
}
