/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode `idle`: what a server does while nobody talks to it: CPU, wakeups, memory. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "load.h"

#define IDLE_S 2

/* How often the process went to sleep of its own accord. */
static bool
count_sleeps(pid_t pid, unsigned long *ret)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, "voluntary_ctxt_switches: %lu", ret) == 1;
	fclose(f);
	return found;
}

int
load_idle(struct load *l)
{
	struct meter_memory memory;
	unsigned long before, after;
	uint64_t cpu_ns;

	if (l->pid <= 0)
		return -EINVAL;
	meter_settle(l->pid);
	cpu_ns = meter_cpu_ns(l->pid);
	if (!count_sleeps(l->pid, &before))
		return -ESRCH;
	nanosleep(&(struct timespec){.tv_sec = IDLE_S}, NULL);
	if (!count_sleeps(l->pid, &after))
		return -ESRCH;
	cpu_ns = meter_cpu_ns(l->pid) - cpu_ns;
	memory = meter_memory(l->pid);
	load_print_count("complete", memory.known);
	load_print_real("wakeups_s", (double)(after - before) / IDLE_S);
	load_print_real("cpu_us_s", (double)cpu_ns / 1e3 / IDLE_S);
	load_print_real("rss_mb", (double)memory.rss / (1 << 20));
	load_print_real("pss_mb", (double)memory.pss / (1 << 20));
	return 0;
}
