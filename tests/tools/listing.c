/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server on 127.0.0.1:PORT with a topic collection of which not every topic can be
 * read: one is forbidden, one fails, and one has nonsense for its properties. The name of
 * the last has control characters.
 *
 *	listing PORT
 */
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/msg.h"

struct resource {
	const char *path;
	enum msg_code code;
	struct bytes payload;
};

static const struct resource resources[] = {
	{"/ps", CODE_CONTENT, BYTES_LIT("</ps/1>,</ps/2>,</ps/gone>,</ps/3>,</ps/4>,</ps/5>")},
	{"/ps/1", CODE_CONTENT, BYTES_LIT("\xa1\x00\x65" /* {0: */ "first")},
	{"/ps/2", CODE_FORBIDDEN, BYTES_LIT("")},
	{"/ps/3", CODE_INTERNAL, BYTES_LIT("out of order")},
	{"/ps/4", CODE_CONTENT, BYTES_LIT("nonsense")},
	{"/ps/5", CODE_CONTENT, BYTES_LIT("\xa1\x00\x68" /* {0: */ "last\x1b[2J")},
};

static const struct resource *
find(const struct msg *m)
{
	char text[64];
	struct buf path = buf_of(text, sizeof(text));

	if (msg_path(m, &path) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (strcmp(buf_str(&path), resources[i].path) == 0)
			return &resources[i];
	return NULL;
}

static void
answer(const struct msg *q, struct buf *out)
{
	const struct resource *r = find(q);
	struct msg m;

	msg_init(&m, TYPE_ACK, r ? r->code : CODE_NOT_FOUND);
	m.mid = q->mid;
	m.token = q->token;
	m.payload = r ? r->payload : BYTES_NONE;
	if (msg_encode(&m, out) < 0)
		errx(1, "an answer that is too long");
}

static int
listen_on(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		err(1, "port %s", port);
	return fd;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in from;
	socklen_t n_from = sizeof(from);
	uint8_t in[2048], space[2048];
	ssize_t n;
	int fd;

	if (argc != 2)
		errx(2, "usage: listing PORT");
	fd = listen_on(argv[1]);
	puts("listening");
	fflush(stdout);
	while ((n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &n_from)) >= 0) {
		struct buf out = BUF_OF(space);
		struct msg q;

		if (msg_decode(bytes_of(in, (size_t)n), &q) != MSG_OK || q.code != CODE_GET)
			continue;
		answer(&q, &out);
		(void)sendto(fd, out.p, out.n, 0, (const struct sockaddr *)&from, n_from);
	}
	return 1;
}
