/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another process has used so far: CPU in nanoseconds from its CPU clock
 * (clock_getcpuclockid(3), all threads, user and system; the ticks of
 * /proc/PID/stat are too coarse) and memory from /proc/PID/smaps_rollup, which
 * counts pages exactly where the VmRSS of /proc/PID/status may lag.
 */
#ifndef COAPCAST_BENCH_METER_H
#define COAPCAST_BENCH_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct meter_memory {
	bool known;
	uint64_t rss; /* bytes */
	uint64_t pss; /* bytes; shared pages divided by their users */
	uint64_t anonymous; /* bytes; heap and stack, no code */
};

uint64_t meter_wall_ns(void);

/* CPU used by `pid`; 0 when pid is 0 or gone. */
uint64_t meter_cpu_ns(pid_t pid);

struct meter_memory meter_memory(pid_t pid);

/* Lets `pid` finish what it has in hand: until its CPU clock stands still. */
void meter_settle(pid_t pid);

#endif
