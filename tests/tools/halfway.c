/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * halfway udp|tcp ADDRESS PORT N: begins up to N sessions, each from a port of its own, and goes
 * no further: DTLS as far as the ServerHello, TCP as far as the connection. Prints how many were
 * answered, up to the first that was not, and keeps them until it is ended.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hello.h"

#define TRIES 5
#define TRY_MS 500
#define COOKIE_AT 59 /* in the ClientHello: the length of the cookie */

/* Says it until an answer comes; its size, or 0: none does. */
static size_t
ask(int fd, const uint8_t *p, size_t n, uint8_t *answer, size_t max)
{
	for (int i = 0; i < TRIES; i++) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (send(fd, p, n, 0) < 0)
			return 0;
		if (poll(&wait, 1, TRY_MS) > 0 && (got = recv(fd, answer, max, 0)) > 0)
			return (size_t)got;
	}
	return 0;
}

/* The same ClientHello once more, with the cookie of a HelloVerifyRequest, as message 1. */
static size_t
add_cookie(const uint8_t *request, size_t n_request, uint8_t *out)
{
	size_t n_cookie = n_request > 27 ? request[27] : 0;
	uint8_t *size[] = {out + 12, out + 16, out + 24};

	if (n_cookie == 0 || request[13] != 3 || 28 + n_cookie > n_request || n_cookie > 64)
		return 0;
	memcpy(out, hello, COOKIE_AT + 2);
	out[COOKIE_AT + 1] = (uint8_t)n_cookie;
	memcpy(out + COOKIE_AT + 2, request + 28, n_cookie);
	memcpy(out + COOKIE_AT + 2 + n_cookie, hello + COOKIE_AT + 2,
		sizeof(hello) - COOKIE_AT - 2);
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		*size[i] = (uint8_t)(*size[i] + n_cookie);
	out[10] = 1;
	out[18] = 1;
	return sizeof(hello) + n_cookie;
}

/* Whether a ServerHello comes. */
static int
begin_dtls(int fd)
{
	uint8_t answer[2048], again[256];
	size_t n = ask(fd, hello, sizeof(hello), answer, sizeof(answer));

	n = add_cookie(answer, n, again);
	if (n == 0 || (n = ask(fd, again, n, answer, sizeof(answer))) < 14)
		return 0;
	return answer[0] == 22 && answer[13] == 2;
}

int
main(int argc, char **argv)
{
	struct addrinfo how = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *to;
	struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
	int n_begun = 0, is_tcp;

	if (argc != 5)
		errx(2, "usage: halfway udp|tcp ADDRESS PORT N");
	is_tcp = strcmp(argv[1], "tcp") == 0;
	how.ai_socktype = is_tcp ? SOCK_STREAM : SOCK_DGRAM;
	if (getaddrinfo(argv[2], argv[3], &how, &to) != 0)
		errx(2, "%s port %s is no address", argv[2], argv[3]);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	for (int max = atoi(argv[4]); n_begun < max; n_begun++) {
		int fd = socket(to->ai_family, to->ai_socktype, 0);

		if (fd < 0)
			err(1, "socket");
		if (connect(fd, to->ai_addr, to->ai_addrlen) < 0 || (!is_tcp && !begin_dtls(fd)))
			break;
	}
	printf("%d\n", n_begun);
	(void)fflush(stdout);
	(void)pause();
	return 0;
}
