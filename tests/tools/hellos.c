/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hellos PORT RATE SECONDS: so many DTLS ClientHellos a second to 127.0.0.1:PORT, each from
 * another address of 127/8 and without a cookie, as if they were spoofed: what comes back is
 * not read. Prints how many have left.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hello.h"

static void
send_from(uint32_t host, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		err(1, "cannot send from another address");
	(void)sendto(fd, hello, sizeof(hello), 0, (const struct sockaddr *)to, sizeof(*to));
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned rate, seconds, n;

	if (argc != 4)
		errx(2, "usage: hellos PORT RATE SECONDS");
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	rate = (unsigned)atoi(argv[2]);
	seconds = (unsigned)atoi(argv[3]);
	for (n = 0; n < rate * seconds; n++) {
		struct timespec pause = {.tv_nsec = 1000000000L / 100};

		if (n % (rate / 100 + 1) == 0)
			(void)nanosleep(&pause, NULL);
		send_from(0x7f010000u + n, &to);
	}
	printf("%u\n", n);
	return 0;
}
