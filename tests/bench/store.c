/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store without a network: store DIRECTORY. TSV on stdout: what, figure, unit.
 * DIRECTORY is to be on the disk that is meant, and is not removed.
 */
#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define N_TOPICS 100000
#define VALUE_LEN 100
#define SECONDS 2

static int events;

static void
die(const char *what, const struct error *e)
{
	fprintf(stderr, "store: %s: %s\n", what, e->text);
	exit(1);
}

static double
now_s(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
on_event(void *ctx)
{
	uint64_t one = 1;

	(void)ctx;
	(void)!write(events, &one, sizeof(one));
}

static struct store *
open_store(const char *directory)
{
	const struct store_options o = {
		.directory = directory, .commit_ms = 1000, .on_event = on_event};
	struct store_opened opened;
	struct store *s;
	struct error e;

	if (store_open(&o, &s, &opened, &e) < 0)
		die("open", &e);
	return s;
}

static void
start(struct store *s)
{
	struct error e;

	if (store_start(s, &e) < 0)
		die("start", &e);
}

static void
stop(struct store *s)
{
	struct error e;

	if (store_close(s, true, &e) < 0)
		die("close", &e);
}

static void
wait_for(struct store *s, uint64_t ticket)
{
	struct store_event event;
	uint64_t n;

	for (;;) {
		while (store_next_event(s, &event)) {
			if (event.kind == STORE_EVENT_DONE && event.ticket >= ticket)
				return;
		}
		(void)!read(events, &n, sizeof(n));
	}
}

static union store_record
value(uint64_t topic, uint32_t nth)
{
	static uint8_t data[VALUE_LEN];

	memcpy(data, &nth, sizeof(nth));
	return (union store_record){.value = {.topic = topic,
					    .nth = nth,
					    .etag = bytes_of(data, 8),
					    .data = bytes_of(data, sizeof(data))}};
}

static void
fill(struct store *s)
{
	char name[32];
	uint64_t ticket = 0;

	for (uint64_t id = 1; id <= N_TOPICS; id++) {
		union store_record topic, v = value(id, 1), seq = {.seq = {id, 4096}};
		const struct store_change changes[] = {{STORE_TOPIC, false, &topic},
			{STORE_VALUE, false, &v}, {STORE_SEQ, false, &seq}};

		(void)snprintf(name, sizeof(name), "/sensors/%llu", (unsigned long long)id);
		topic = (union store_record){.topic = {.id = id,
						     .content_format = UINT32_MAX,
						     .name = bytes_str(name + 1),
						     .path = bytes_str(name)}};
		while (store_put_all(s, changes, 3, STORE_PROMISE, &ticket) < 0)
			wait_for(s, ticket);
	}
	wait_for(s, ticket);
}

/* Commits of so many values each, one after the other. */
static void
commits(struct store *s, unsigned n, const char *what)
{
	double began = now_s(CLOCK_MONOTONIC), took;
	struct store_change changes[128];
	union store_record values[128];
	uint64_t ticket;
	uint32_t done = 0;

	for (; now_s(CLOCK_MONOTONIC) - began < SECONDS; done++) {
		for (unsigned i = 0; i < n; i++) {
			values[i] = value((uint64_t)done * n % N_TOPICS + i + 1, done);
			changes[i] = (struct store_change){STORE_VALUE, false, &values[i]};
		}
		if (store_put_all(s, changes, n, STORE_PROMISE, &ticket) < 0)
			exit(1);
		wait_for(s, ticket);
	}
	took = now_s(CLOCK_MONOTONIC) - began;
	printf("%s\t%.0f\tcommits/s\n%s\t%.0f\trecords/s\n", what, done / took, what,
		done * n / took);
}

/* As many publishers, each of which waits for its own. */
static void
publishers(struct store *s, unsigned n)
{
	double began = now_s(CLOCK_MONOTONIC), took;
	struct store_event event;
	uint64_t tickets[256], done = 0, n_read;
	uint32_t nth = 0;
	bool waits[256] = {false};

	while ((took = now_s(CLOCK_MONOTONIC) - began) < SECONDS) {
		for (unsigned i = 0; i < n; i++) {
			union store_record v = value(i + 1, ++nth);

			if (waits[i])
				continue;
			if (store_put(s, STORE_VALUE, &v, STORE_PROMISE, &tickets[i]) < 0)
				exit(1);
			waits[i] = true;
		}
		(void)!read(events, &n_read, sizeof(n_read));
		while (store_next_event(s, &event)) {
			for (unsigned i = 0; i < n; i++) {
				if (waits[i] && tickets[i] == event.ticket) {
					waits[i] = false;
					done++;
				}
			}
		}
	}
	printf("durable publishes, %u publishers\t%.0f\tper s\n", n, (double)done / took);
	for (unsigned i = 0; i < n; i++) {
		if (waits[i]) {
			wait_for(s, tickets[i]);
			break;
		}
	}
}

static void
puts_later(struct store *s)
{
	double began = now_s(CLOCK_PROCESS_CPUTIME_ID);

	for (uint32_t nth = 1; nth <= N_TOPICS; nth++) {
		union store_record v = value(nth % 1000 + 1, nth);

		if (store_put(s, STORE_VALUE, &v, STORE_LATER, NULL) < 0)
			exit(1);
	}
	printf("a publish, commit-interval 1s\t%.0f\tns of CPU\n",
		(now_s(CLOCK_PROCESS_CPUTIME_ID) - began) / N_TOPICS * 1e9);
}

static int
visit(void *ctx, const union store_record *r)
{
	uint64_t *n = ctx;

	(void)r;
	++*n;
	return 0;
}

static void
load(const char *directory)
{
	double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID), opened;
	struct store *s = open_store(directory);
	uint64_t n = 0;
	struct error e;

	opened = now_s(CLOCK_PROCESS_CPUTIME_ID);
	for (int kind = 0; kind < STORE_N_KINDS; kind++) {
		if (store_load(s, (enum store_kind)kind, visit, &n, &e) < 0)
			die("load", &e);
	}
	printf("open and check %d topics\t%.0f\tms of CPU\n", N_TOPICS, (opened - cpu) * 1e3);
	printf("load %llu records\t%.0f\tms of CPU\n", (unsigned long long)n,
		(now_s(CLOCK_PROCESS_CPUTIME_ID) - opened) * 1e3);
	stop(s);
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	struct store *s;

	if (argc != 2) {
		fprintf(stderr, "usage: store DIRECTORY\n");
		return 64;
	}
	events = eventfd(0, EFD_CLOEXEC);
	s = open_store(argv[1]);
	start(s);
	fill(s);
	commits(s, 1, "one at a time");
	commits(s, 100, "a hundred at a time");
	publishers(s, 64);
	puts_later(s);
	stop(s);
	load(argv[1]);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("memory at most\t%ld\tKiB\n", usage.ru_maxrss);
	return 0;
}
