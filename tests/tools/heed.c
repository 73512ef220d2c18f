/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager's side of sd_notify(3): prints what comes to the datagram socket
 * PATH, a state per line, until it is ended.
 *
 *	heed PATH
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char state[4096];
	ssize_t n;
	int fd;

	if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path))
		errx(2, "usage: heed PATH");
	memcpy(at.sun_path, argv[1], strlen(argv[1]));
	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) < 0 ||
		bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		err(1, "%s", argv[1]);
	puts("listening");
	fflush(stdout);
	while ((n = recv(fd, state, sizeof(state), 0)) >= 0) {
		printf("%.*s\n", (int)n, state);
		fflush(stdout);
	}
	return 1;
}
