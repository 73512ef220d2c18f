/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coapcast's load generator. Loopback only; bounded in requests and in time.
 * Prints one `key<TAB>value` line per figure. Exit: 0 (also with losses:
 * `complete 0`), 1 when the server did not take part, 2 usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

struct mode {
	const char *name;
	int (*run)(struct load *l);
};

static const struct mode modes[] = {
	{"get", load_get},
	{"put", load_put},
	{"register", load_observe},
	{"publish-group", load_group},
	{"fanout", load_fanout},
	{"move", load_move},
	{"create", load_create},
	{"idle", load_idle},
	{"mqtt", load_mqtt},
	{"start", load_start},
	{.name = NULL},
};

static const char usage[] =
	"usage: load MODE -s 127.0.0.1:PORT [OPTIONS] [-- SERVER...]\n"
	"modes: get put register publish-group fanout move create idle mqtt start\n"
	"  -s ADDR:PORT  the server, on loopback\n"
	"  -p PID        the server's process: CPU and memory are read from it\n"
	"  -t PATH       topic data (ps/data/t); % becomes the topic's number\n"
	"  -m N          topics that publish-group publishes to in turn (1)\n"
	"  -n N          endpoints that ask or observe (1)\n"
	"  -r N          requests or publishes (10000)\n"
	"  -w N          requests open at a time (64)\n"
	"  -k N          registrations before the measured ones (0)\n"
	"  -c N          topics created by POST to ps before the rest (0)\n"
	"  -o N          traditional observers of another topic before the rest (0)\n"
	"  -O PATH       that topic's data\n"
	"  -b N          bytes of a published value, 8 to 1024 (64)\n"
	"  -g ADDR:PORT  group of the multicast notifications\n"
	"  -G            registrations must be answered with 5.03: a group observation\n"
	"  -e            every endpoint makes a GET first\n"
	"  -T SECONDS    at most that long (30)\n";

static bool
parse_count(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || v < min || v > max)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool
parse_endpoint(const char *text, struct sockaddr_in *ret)
{
	char host[INET_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	uint32_t port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host) ||
		!parse_count(colon + 1, 1, 65535, &port))
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1;
}

/* Options that are a number of something. */
static const struct count_option {
	int letter;
	uint32_t min, max;
	size_t offset; /* in struct load */
} count_options[] = {
	{'n', 0, ENDPOINTS_MAX / 2, offsetof(struct load, n_peers)},
	{'m', 1, 1024, offsetof(struct load, n_topics)},
	{'r', 1, FLOW_TOTAL_MAX, offsetof(struct load, n_requests)},
	{'w', 1, 65536, offsetof(struct load, window)},
	{'k', 0, ENDPOINTS_MAX / 2, offsetof(struct load, n_warm)},
	{'c', 0, 1000000, offsetof(struct load, n_created)},
	{'o', 0, ENDPOINTS_MAX / 4, offsetof(struct load, n_others)},
	{'b', 8, sizeof(((struct load *)0)->payload), offsetof(struct load, payload_size)},
};

static bool
take_count(struct load *l, int c, const char *arg)
{
	for (size_t i = 0; i < sizeof(count_options) / sizeof(count_options[0]); i++) {
		const struct count_option *o = &count_options[i];

		if (o->letter == c)
			return parse_count(
				arg, o->min, o->max, (uint32_t *)(void *)((char *)l + o->offset));
	}
	return false;
}

static bool
take_option(struct load *l, int c, const char *arg)
{
	uint32_t n;

	switch (c) {
	case 's':
		return parse_endpoint(arg, &l->server) &&
		       ntohl(l->server.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case 'g':
		return parse_endpoint(arg, &l->group) &&
		       IN_MULTICAST(ntohl(l->group.sin_addr.s_addr));
	case 'p':
		if (!parse_count(arg, 1, INT32_MAX, &n))
			return false;
		l->pid = (pid_t)n;
		return true;
	case 't':
		l->path = arg;
		return true;
	case 'O':
		l->other_path = arg;
		return true;
	default:
		return take_count(l, c, arg);
	}
}

static bool
take_options(struct load *l, int argc, char **argv)
{
	uint32_t seconds = 30;
	int c;

	while ((c = getopt(argc, argv, "s:g:p:t:m:n:r:w:k:c:o:O:b:T:Ge")) != -1) {
		bool ok = true;

		if (c == 'G')
			l->expect_group = true;
		else if (c == 'e')
			l->greet = true;
		else if (c == 'T')
			ok = parse_count(optarg, 1, 600, &seconds);
		else
			ok = take_option(l, c, optarg);
		if (!ok)
			return false;
	}
	l->deadline_ns = meter_wall_ns() + (uint64_t)seconds * 1000000000u;
	l->command = argv + optind;
	return l->server.sin_port != 0;
}

int
main(int argc, char **argv)
{
	struct load l = {.path = "ps/data/t",
		.other_path = "ps/data/t",
		.n_topics = 1,
		.n_peers = 1,
		.n_requests = 10000,
		.window = 64,
		.payload_size = 64};
	const struct mode *m = modes;
	struct error err;
	int rc;

	while (argc > 1 && m->name != NULL && strcmp(m->name, argv[1]) != 0)
		m++;
	if (argc < 2 || m->name == NULL || !take_options(&l, argc - 1, argv + 1)) {
		fputs(usage, stderr);
		return 2;
	}
	if (endpoints_new(&l.server, &err, &l.net) != 0) {
		fprintf(stderr, "load: %s\n", err.text);
		return 1;
	}
	printf("mode\t%s\n", m->name);
	load_print_count("peers", l.n_peers);
	rc = m->run(&l);
	if (rc != 0)
		fprintf(stderr, "load: %s: %s\n", m->name, strerror(-rc));
	endpoints_free(l.net);
	return rc == 0 ? 0 : 1;
}
