/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bare limits: what the kernel takes for the datagrams of a CoAP broker
 * when nothing else is done. Each mode reads with recvmmsg, answers in the
 * size of the real thing and sends with sendmmsg, 64 at a time; no parsing, no
 * de-duplication, no timers, no limits, no security: not a server.
 *
 *   echo    GET: 2.05 with 64 bytes (with Observe when asked), PUT: 2.04
 *   inform  registration: empty ACK, then a CON 5.03 with 160 bytes
 *   fanout  registrations are kept; a PUT is acknowledged and sent to each
 *   mcast   as inform; a PUT is acknowledged and sent once to the group
 *   move    as fanout, up to the registration number COUNT: then everybody gets a
 *           CON 5.03, 64 of them unacknowledged at a time, and it goes on as mcast
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "endpoints.h"
#include "packet.h"

#define BATCH 64
#define MAX_OBSERVERS 65536
#define VALUE_SIZE 64
#define INFORM_SIZE 160 /* an informative response of both generations */

struct observer {
	struct sockaddr_in who;
	uint8_t token[4];
};

struct box {
	struct mmsghdr head[BATCH];
	struct iovec vec[BATCH];
	struct sockaddr_in name[BATCH];
	uint8_t data[BATCH][ENDPOINTS_IN];
};

struct limits {
	int fd;
	struct sockaddr_in group;
	struct box in, out;
	unsigned n_out;
	uint16_t mid;
	uint32_t sequence; /* Observe */
	uint32_t n_observers;
	struct observer *observers; /* MAX_OBSERVERS */
	uint32_t threshold; /* move: so many observers are too many */
	bool moved;
	uint32_t n_told; /* observers who got the 5.03 */
	uint32_t n_open; /* of these the ones who have not acknowledged it */
};

/* A request as far as the limits look into it. */
struct request {
	struct bytes all;
	struct bytes token;
	bool registers; /* Observe is the first option */
	const struct sockaddr_in *from;
};

static void
prepare_box(struct box *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->vec[i] = (struct iovec){b->data[i], ENDPOINTS_IN};
		b->head[i].msg_hdr.msg_iov = &b->vec[i];
		b->head[i].msg_hdr.msg_iovlen = 1;
		b->head[i].msg_hdr.msg_name = &b->name[i];
		b->head[i].msg_hdr.msg_namelen = sizeof(b->name[i]);
	}
}

static void
flush(struct limits *l)
{
	unsigned done = 0;

	while (done < l->n_out) {
		int n = sendmmsg(l->fd, l->out.head + done, l->n_out - done, 0);

		done += n > 0 ? (unsigned)n : 1;
	}
	l->n_out = 0;
}

static struct buf
claim(struct limits *l)
{
	if (l->n_out == BATCH)
		flush(l);
	return BUF_OF(l->out.data[l->n_out]);
}

static void
push(struct limits *l, const struct sockaddr_in *to, const struct buf *what)
{
	l->out.name[l->n_out] = *to;
	l->out.vec[l->n_out++].iov_len = what->n;
}

static uint16_t
mid_of(const struct request *r)
{
	return (uint16_t)(r->all.p[2] << 8 | r->all.p[3]);
}

/* The last VALUE_SIZE bytes of a PUT are its payload: nothing is parsed. */
static struct bytes
value_of(const struct request *r)
{
	static const uint8_t nothing[VALUE_SIZE];

	return r->all.n < VALUE_SIZE ? BYTES_OF(nothing)
				     : bytes_from(r->all, r->all.n - VALUE_SIZE);
}

static void
put_value(struct limits *l, struct buf *out, struct bytes value, bool observe)
{
	uint8_t sequence[3] = {
		(uint8_t)(l->sequence >> 16), (uint8_t)(l->sequence >> 8), (uint8_t)l->sequence};
	uint16_t last = 0;

	if (observe)
		packet_put_option(out, &last, 6, BYTES_OF(sequence));
	packet_put_option(out, &last, 12, BYTES_NONE);
	buf_put_u8(out, 0xff);
	buf_put(out, value);
}

static void
answer_put(struct limits *l, const struct request *r)
{
	struct buf out = claim(l);

	packet_put_head(&out, PACKET_ACK, PACKET_CHANGED, mid_of(r), r->token);
	push(l, r->from, &out);
}

static void
on_echo(struct limits *l, const struct request *r)
{
	static const uint8_t value[VALUE_SIZE] = "00000000";
	struct buf out;

	if (r->all.p[1] == PACKET_PUT) {
		answer_put(l, r);
		return;
	}
	out = claim(l);
	packet_put_head(&out, PACKET_ACK, PACKET_CONTENT, mid_of(r), r->token);
	put_value(l, &out, BYTES_OF(value), r->registers);
	push(l, r->from, &out);
}

static void
on_inform(struct limits *l, const struct request *r)
{
	static const uint8_t response[INFORM_SIZE];
	struct buf out;

	if (!r->registers) {
		on_echo(l, r);
		return;
	}
	out = claim(l);
	packet_put_empty(&out, PACKET_ACK, mid_of(r));
	push(l, r->from, &out);
	out = claim(l);
	packet_put_head(&out, PACKET_CON, PACKET_UNAVAILABLE, l->mid++, r->token);
	buf_put_u8(&out, 0xff);
	buf_put(&out, BYTES_OF(response));
	push(l, r->from, &out);
}

static void
keep(struct limits *l, const struct request *r)
{
	struct observer *o = &l->observers[l->n_observers];

	if (r->token.n != 4 || l->n_observers == MAX_OBSERVERS)
		return;
	l->n_observers++;
	o->who = *r->from;
	memcpy(o->token, r->token.p, 4);
}

static void
on_fanout(struct limits *l, const struct request *r)
{
	if (r->all.p[1] != PACKET_PUT) {
		if (r->registers)
			keep(l, r);
		on_echo(l, r);
		return;
	}
	answer_put(l, r);
	l->sequence++;
	for (uint32_t i = 0; i < l->n_observers; i++) {
		struct observer *o = &l->observers[i];
		struct buf out = claim(l);

		packet_put_head(&out, PACKET_NON, PACKET_CONTENT, l->mid++, BYTES_OF(o->token));
		put_value(l, &out, value_of(r), true);
		push(l, &o->who, &out);
	}
}

static void
on_mcast(struct limits *l, const struct request *r)
{
	static const uint8_t token[4] = {1, 2, 3, 4};
	struct buf out;

	if (r->all.p[1] != PACKET_PUT) {
		on_inform(l, r);
		return;
	}
	answer_put(l, r);
	l->sequence++;
	out = claim(l);
	packet_put_head(&out, PACKET_NON, PACKET_CONTENT, l->mid++, BYTES_OF(token));
	put_value(l, &out, value_of(r), true);
	push(l, &l->group, &out);
}

/* As many 5.03s as the window has room for. */
static void
tell_more(struct limits *l)
{
	static const uint8_t response[INFORM_SIZE];

	while (l->moved && l->n_told < l->n_observers && l->n_open < BATCH) {
		const struct observer *o = &l->observers[l->n_told++];
		struct buf out = claim(l);

		packet_put_head(&out, PACKET_CON, PACKET_UNAVAILABLE, l->mid++, BYTES_OF(o->token));
		buf_put_u8(&out, 0xff);
		buf_put(&out, BYTES_OF(response));
		push(l, &o->who, &out);
		l->n_open++;
	}
}

static void
on_move(struct limits *l, const struct request *r)
{
	struct buf out;

	if (l->moved) {
		on_mcast(l, r);
	} else if (!r->registers || l->n_observers + 1 < l->threshold) {
		on_fanout(l, r);
	} else {
		keep(l, r);
		l->moved = true;
		out = claim(l);
		packet_put_empty(&out, PACKET_ACK, mid_of(r));
		push(l, r->from, &out);
	}
}

static void
turn(struct limits *l, void (*handle)(struct limits *l, const struct request *r))
{
	int n;

	for (unsigned i = 0; i < BATCH; i++)
		l->in.head[i].msg_hdr.msg_namelen = sizeof(l->in.name[i]);
	n = recvmmsg(l->fd, l->in.head, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < n; i++) {
		struct request r = {.all = bytes_of(l->in.data[i], l->in.head[i].msg_len)};
		size_t tkl;

		if (r.all.n == 4 && r.all.p[0] == 0x60 && l->n_open > 0)
			l->n_open--;
		/* Only requests, and only Confirmable ones: ACKs end here. */
		if (r.all.n < 4 || r.all.p[0] >> 4 != 4 || r.all.p[1] == PACKET_EMPTY)
			continue;
		tkl = r.all.p[0] & 15;
		r.token = bytes_head(bytes_from(r.all, 4), tkl);
		r.registers = r.all.n > 4 + tkl && r.all.p[4 + tkl] >> 4 == 6;
		r.from = &l->in.name[i];
		handle(l, &r);
	}
	tell_more(l);
	flush(l);
}

static int
open_socket(struct limits *l, uint16_t port)
{
	struct sockaddr_in self = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct in_addr lo = {htonl(INADDR_LOOPBACK)};

	l->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&self, sizeof(self)) != 0 ||
		setsockopt(l->fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)) != 0)
		return -errno;
	endpoints_widen(l->fd);
	return 0;
}

struct mode {
	const char *name;
	void (*handle)(struct limits *l, const struct request *r);
};

static const struct mode modes[] = {
	{"echo", on_echo},
	{"inform", on_inform},
	{"fanout", on_fanout},
	{"mcast", on_mcast},
	{"move", on_move},
	{.name = NULL},
};

int
main(int argc, char **argv)
{
	struct limits *l = mem_alloc(sizeof(*l));
	const struct mode *m = modes;
	int rc;

	while (argc > 1 && m->name != NULL && strcmp(m->name, argv[1]) != 0)
		m++;
	if (argc < 5 || argc > 6 || m->name == NULL ||
		inet_pton(AF_INET, argv[3], &l->group.sin_addr) != 1) {
		fputs("usage: limits echo|inform|fanout|mcast|move PORT GROUP GROUPPORT [COUNT]\n",
			stderr);
		return 2;
	}
	l->group.sin_family = AF_INET;
	l->group.sin_port = htons((uint16_t)atoi(argv[4]));
	if ((rc = open_socket(l, (uint16_t)atoi(argv[2]))) != 0) {
		fprintf(stderr, "limits: cannot open port %s: %s\n", argv[2], strerror(-rc));
		return 1;
	}
	l->threshold = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : MAX_OBSERVERS;
	prepare_box(&l->in);
	prepare_box(&l->out);
	l->observers = mem_alloc(sizeof(*l->observers) * MAX_OBSERVERS);
	fprintf(stderr, "limits: ready mode=%s\n", m->name);
	/* Until a signal ends it: run stops what it started. */
	for (;;)
		turn(l, m->handle);
}
