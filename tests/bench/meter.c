/* SPDX-License-Identifier: BSD-2-Clause */
#include "meter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
meter_wall_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
meter_cpu_ns(pid_t pid)
{
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0)
		return 0;
	return read_clock(clock);
}

struct meter_memory
meter_memory(pid_t pid)
{
	struct meter_memory m = {.known = false};
	char path[64], line[256];
	unsigned long kb;
	FILE *f;

	if (pid <= 0)
		return m;
	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return m;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "Rss: %lu kB", &kb) == 1) {
			m.rss = kb * 1024;
			m.known = true;
		} else if (sscanf(line, "Pss: %lu kB", &kb) == 1) {
			m.pss = kb * 1024;
		} else if (sscanf(line, "Anonymous: %lu kB", &kb) == 1) {
			m.anonymous = kb * 1024;
		}
	}
	fclose(f);
	return m;
}

void
meter_settle(pid_t pid)
{
	uint64_t last = meter_cpu_ns(pid), now;

	if (pid <= 0)
		return;
	/* At most half a second: a server that is never idle must not hold us. */
	for (int i = 0; i < 25; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		now = meter_cpu_ns(pid);
		if (now - last < 20000)
			return;
		last = now;
	}
}
