/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

socklen_t
lock_name(const struct addr *at, struct sockaddr_un *ret)
{
	char text[ADDR_STRLEN];
	int n;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1, "coapcastd/%s",
		addr_format(at, text));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

int
lock_take(const struct addr *at, struct error *e, int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, rc;
	struct sockaddr_un un;
	socklen_t n = lock_name(at, &un);
	char text[ADDR_STRLEN];

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&un, n) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0) {
		*ret_fd = fd;
		return 0;
	}
	rc = -errno;
	(void)close(fd);
	error_set(e, "another coapcastd listens on %s", addr_format(at, text));
	return rc;
}
