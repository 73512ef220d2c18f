/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode `start`: starts the server itself and asks until it answers: the time to
 * the first 2.05, and what it takes by then.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define ASK_EVERY_MS 1

static void
ask(struct load *l, uint16_t mid)
{
	struct packet_request r = {
		.code = PACKET_GET, .mid = mid, .token = mid, .path = load_path(l, 0)};
	struct buf out = endpoints_claim(l->net);

	packet_put_request(&out, &r);
	endpoints_push(l->net, 0, &out);
	endpoints_flush(l->net);
}

/* Whether it answered; asks again after a while without. */
static bool
is_answered(struct load *l)
{
	struct pollfd fd = {.fd = l->net->fd, .events = POLLIN};
	struct endpoints_arrival in[ENDPOINTS_BATCH];
	struct packet p;
	unsigned n;

	(void)poll(&fd, 1, ASK_EVERY_MS);
	n = endpoints_pull(l->net, in);
	for (unsigned i = 0; i < n; i++) {
		if (packet_decode(in[i].data, &p) && p.code == PACKET_CONTENT)
			return true;
	}
	return false;
}

int
load_start(struct load *l)
{
	uint64_t began_ns = meter_wall_ns(), took_ns;
	struct meter_memory memory;
	bool ok = false;
	pid_t pid;

	if (l->command[0] == NULL)
		return -EINVAL;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)execvp(l->command[0], l->command);
		_exit(127);
	}
	for (uint16_t mid = 1; !ok && meter_wall_ns() < l->deadline_ns; mid++) {
		ask(l, mid);
		ok = is_answered(l);
	}
	took_ns = meter_wall_ns() - began_ns;
	memory = meter_memory(pid);
	load_print_count("complete", ok && memory.known);
	load_print_real("start_ms", (double)took_ns / 1e6);
	load_print_real("start_cpu_ms", (double)meter_cpu_ns(pid) / 1e6);
	load_print_real("rss_mb", (double)memory.rss / (1 << 20));
	kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
