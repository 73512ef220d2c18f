/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LD_PRELOAD: the wall clock of a process is ahead by as many seconds as the file
 * $CLOCKSTEP_FILE says, as soon as it says so; without it the clock is right. Other
 * clocks are left alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long
step_s(void)
{
	const char *path = getenv("CLOCKSTEP_FILE");
	char text[32];
	ssize_t n;
	int fd;

	if (!path || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strtol(text, NULL, 10);
}

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ret);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret->tv_sec += step_s();
	return rc;
}

int
gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	ret->tv_sec = now.tv_sec;
	ret->tv_usec = (suseconds_t)(now.tv_nsec / 1000);
	return 0;
}

time_t
time(time_t *ret)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return (time_t)-1;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}
