/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coapcastd killed again and again, at random moments, while topics are published to and
 * observed; see witness.h for what has to hold.
 *
 *	kill9 [-n ROUNDS] [-i INTERVAL-MS] [-m MS] [-x SEED] [-R] [-k SECRET -o ADDR:PORT]
 *	      -s ADDR:PORT -g ADDR:PORT -d STATE-DIRECTORY -l LOG -- COAPCASTD ARGUMENT...
 *
 * -k, -o: the master secret of OSCORE, in hexadecimal, and where the protected group is.
 * -m: a round lasts at most so long. -R: group observations outlive a restart, and
 * nobody registers again. Prints `key<TAB>value` lines, and a line `fail` with a reason
 * for everything that did not hold. Exit: 0, 1 when something did not hold, 2 usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "../bench/meter.h"
#include "witness.h"

#define START_WAIT_MS 20000

struct killer {
	struct witness w;
	char **command;
	const char *state, *log;
	unsigned n_rounds, longest_ms;
	bool resumes;
	uint64_t random;
	uint8_t secret[32];
	size_t n_secret;
	pid_t pid;
	unsigned n_early; /* killed before it had answered for every topic */
};

static uint32_t
draw(struct killer *k, uint32_t below)
{
	k->random ^= k->random << 13;
	k->random ^= k->random >> 7;
	k->random ^= k->random << 17;
	return (uint32_t)(k->random >> 20) % below;
}

/* --- the daemon ------------------------------------------------------------------ */

static void
run_daemon(struct killer *k)
{
	int fd = open(k->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	/* Nobody is left behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(126);
	(void)execvp(k->command[0], k->command);
	_exit(127);
}

static bool
start(struct killer *k)
{
	k->pid = fork();
	if (k->pid == 0)
		run_daemon(k);
	return k->pid > 0;
}

/* What it ended by itself with; -1 while it runs. */
static int
has_ended(struct killer *k)
{
	int status;

	if (waitpid(k->pid, &status, WNOHANG) != k->pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
end(struct killer *k, int signal)
{
	int status;

	(void)kill(k->pid, signal);
	if (waitpid(k->pid, &status, 0) != k->pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- the database ---------------------------------------------------------------- */

static void
copy_file(const struct killer *k, const char *name)
{
	char from[512], to[512], block[65536];
	ssize_t n;
	int in, out;

	snprintf(from, sizeof(from), "%s/%s", k->state, name);
	snprintf(to, sizeof(to), "%s.copy/%s", k->state, name);
	(void)unlink(to);
	in = open(from, O_RDONLY);
	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while (out >= 0 && (n = read(in, block, sizeof(block))) > 0) {
		if (write(out, block, (size_t)n) != n)
			break;
	}
	(void)close(in);
	(void)close(out);
}

static int
on_row(void *ctx, int n, char **values, char **names)
{
	(void)names;
	snprintf(ctx, 64, "%s", n > 0 && values[0] ? values[0] : "");
	return 0;
}

/* Of a copy: looking at it recovers it, which is the daemon's. */
static void
check_database(struct killer *k)
{
	char path[512], said[64] = "";
	sqlite3 *db = NULL;

	copy_file(k, "coapcast.db");
	copy_file(k, "coapcast.db-wal");
	snprintf(path, sizeof(path), "%s/coapcast.db.bad", k->state);
	if (access(path, F_OK) == 0)
		witness_fail(&k->w, "the database was set aside");
	snprintf(path, sizeof(path), "%s.copy/coapcast.db", k->state);
	if (access(path, F_OK) != 0)
		return;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
		sqlite3_exec(db, "PRAGMA integrity_check", on_row, said, NULL) != SQLITE_OK ||
		strcmp(said, "ok") != 0)
		witness_fail(&k->w, "the database is corrupt: %s %s", said, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

/* --- rounds ---------------------------------------------------------------------- */

/* Runs the witness until `until`, or `enough` says so; false: the daemon ended. */
static bool
watch(struct killer *k, uint64_t until, bool (*enough)(const struct witness *w))
{
	uint64_t now;

	while ((now = meter_wall_ns()) < until && !(enough && enough(&k->w))) {
		uint64_t left_ms = (until - now) / 1000000;

		witness_say(&k->w, now);
		witness_wait(&k->w, left_ms < 10 ? (int)left_ms + 1 : 10);
		if (has_ended(k) >= 0) {
			k->pid = 0;
			return false;
		}
	}
	return true;
}

static uint64_t
in_ms(uint32_t ms)
{
	return meter_wall_ns() + ms * 1000000ull;
}

static bool
run_round(struct killer *k, unsigned round)
{
	uint64_t until;

	if (!start(k)) {
		witness_fail(&k->w, "cannot start the daemon");
		return false;
	}
	witness_begin(&k->w, round == 0 || !k->resumes);
	/* At any moment, but not too often before it is up: then there is little to see. */
	until = in_ms(draw(k, draw(k, 4) == 0 ? k->longest_ms / 8 : k->longest_ms));
	if (!watch(k, until, NULL)) {
		witness_fail(&k->w, "round %u: the daemon ended by itself", round);
		return false;
	}
	witness_killed(&k->w, meter_wall_ns());
	(void)end(k, SIGKILL);
	/* What it sent before is still to be read. */
	witness_wait(&k->w, 0);
	k->n_early += !witness_is_content(&k->w);
	check_database(k);
	return true;
}

/* A life without a kill: everything is as it should be, and it stops as it should. */
static void
run_last(struct killer *k, bool again)
{
	uint64_t until;
	int rc;

	if (!start(k))
		return;
	witness_begin(&k->w, again);
	if (!watch(k, in_ms(START_WAIT_MS), witness_is_content)) {
		witness_fail(&k->w, "the daemon ended by itself");
		return;
	}
	if (!witness_is_content(&k->w))
		witness_fail(&k->w, "the daemon does not answer");
	until = in_ms(500);
	(void)watch(k, until, NULL);
	witness_pause(&k->w);
	(void)watch(k, in_ms(START_WAIT_MS), witness_is_quiet);
	(void)watch(k, in_ms(START_WAIT_MS), witness_is_told);
	for (unsigned i = 0; i < k->w.n_topics; i++) {
		const struct witness_topic *t = &k->w.topics[i];

		if (t->heard < t->acked)
			witness_fail(&k->w, "%s: %lu is there, and who observes was told %lu",
				t->path, (unsigned long)t->acked, (unsigned long)t->heard);
	}
	/* A clean stop keeps everything. */
	witness_stopped(&k->w);
	rc = end(k, SIGTERM);
	if (rc != 0)
		witness_fail(&k->w, "the daemon stops with status %d", rc);
}

static int
run(struct killer *k)
{
	char copies[512];
	unsigned n = 0;

	snprintf(copies, sizeof(copies), "mkdir -p '%s.copy'", k->state);
	if (system(copies) != 0)
		return 1;
	while (n < k->n_rounds && run_round(k, n))
		n++;
	if (n == k->n_rounds) {
		run_last(k, !k->resumes);
		run_last(k, !k->resumes);
	}
	printf("rounds\t%u\nearly\t%u\n", n, k->n_early);
	witness_report(&k->w);
	return k->w.n_failures > 0;
}

static bool
parse_endpoint(char *text, struct sockaddr_in *ret)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return false;
	*colon = '\0';
	*ret = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	return inet_pton(AF_INET, text, &ret->sin_addr) == 1;
}

static bool
parse_secret(struct killer *k, const char *hex)
{
	for (; hex[0] && hex[1] && k->n_secret < sizeof(k->secret); hex += 2) {
		int high = bytes_hex_digit((uint8_t)hex[0]), low = bytes_hex_digit((uint8_t)hex[1]);

		if (high < 0 || low < 0)
			return false;
		k->secret[k->n_secret++] = (uint8_t)(high << 4 | low);
	}
	return !hex[0] && k->n_secret > 0;
}

static bool
take_option(struct killer *k, int c, char *arg)
{
	switch (c) {
	case 'n':
		k->n_rounds = (unsigned)atoi(arg);
		return true;
	case 'i':
		k->w.interval_ms = (unsigned)atoi(arg);
		return true;
	case 'm':
		k->longest_ms = (unsigned)atoi(arg);
		return k->longest_ms >= 8;
	case 'x':
		k->random ^= strtoull(arg, NULL, 10) << 32;
		return true;
	case 'R':
		k->resumes = true;
		return true;
	case 's':
		return parse_endpoint(arg, &k->w.server);
	case 'g':
		return parse_endpoint(arg, &k->w.group);
	case 'k':
		return parse_secret(k, arg);
	case 'o':
		return parse_endpoint(arg, &k->w.veiled);
	case 'd':
		k->state = arg;
		return true;
	case 'l':
		k->log = arg;
		return true;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	struct killer *k = calloc(1, sizeof(*k));
	struct bytes secret = BYTES_NONE;
	bool ok = k != NULL;
	int c, rc = 2;

	if (!k)
		return 2;
	k->n_rounds = 10;
	k->longest_ms = 2000;
	k->random = 88172645463325252u;
	while (ok && (c = getopt(argc, argv, "n:i:m:x:Rk:o:s:g:d:l:")) != -1)
		ok = take_option(k, c, optarg);
	k->command = argv + optind;
	if (k->n_secret > 0)
		secret = bytes_of(k->secret, k->n_secret);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!ok || !k->state || !k->log || !k->command[0] || k->w.server.sin_port == 0)
		fputs("usage: kill9 [-n ROUNDS] [-i INTERVAL-MS] [-m MS] [-x SEED] [-R]\n"
		      "             [-k SECRET -o ADDR:PORT] -s ADDR:PORT -g ADDR:PORT -d STATE -l "
		      "LOG -- COAPCASTD...\n",
			stderr);
	else if (witness_init(&k->w, secret))
		rc = run(k);
	witness_fini(&k->w);
	free(k);
	return rc;
}
