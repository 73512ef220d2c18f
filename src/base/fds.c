/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fds.h"

#include <fcntl.h>
#include <unistd.h>

bool
fds_fill(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest that is free is this one. Commands we run inherit it. */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}
