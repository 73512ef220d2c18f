/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A known peer during a flood: it observes one topic and publishes to it, one
 * publish after the other, each with a number, and measures how long the answer
 * and the notification take.
 *
 *	probe ADDR:PORT PATH EVERY-MS
 *
 * Says `known` when it has acknowledged a notification, from when on the broker knows that
 * it is there. Goes on until SIGTERM. Then prints how many publishes there were, how many
 * were answered, how many were notified, the longest of either in microseconds,
 * and how many took longer than 100 ms or never came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../bench/meter.h"
#include "../bench/packet.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define TIMELY_NS 100000000u
#define TOKEN_OBSERVE 0x0b5e77edu
#define TOKEN_PUBLISH 0x9b000000u
#define REGISTRATION_WAIT_MS 2000

struct probe {
	int fd;
	const char *path;
	uint8_t echo[40]; /* what a challenge said, to be repeated (RFC 9175 2.3) */
	size_t n_echo;
	uint16_t mid;
	uint32_t number; /* of the publish in hand */
	uint64_t asked_ns;
	bool challenged, registered, known, answered, notified;
	uint32_t n_answered, n_notified, n_late;
	uint64_t longest_answer_ns, longest_notify_ns;
};

static volatile sig_atomic_t over;

static void
on_term(int number)
{
	(void)number;
	over = 1;
}

static void
send_request(struct probe *p, bool observe)
{
	uint8_t room[256], value[16];
	struct buf out = buf_of(room, sizeof(room));
	struct packet_request r = {.code = observe ? PACKET_GET : PACKET_PUT,
		.observe = observe,
		.mid = p->mid++,
		.token = observe ? TOKEN_OBSERVE : TOKEN_PUBLISH + p->number,
		.path = p->path,
		.echo = bytes_of(p->echo, p->n_echo),
		.payload = BYTES_OF(value)};

	packet_fill_payload(value, sizeof(value), p->number);
	packet_put_request(&out, &r);
	(void)send(p->fd, room, out.n, 0);
}

static void
acknowledge(struct probe *p, uint16_t mid)
{
	uint8_t room[4];
	struct buf out = buf_of(room, sizeof(room));

	packet_put_empty(&out, PACKET_ACK, mid);
	(void)send(p->fd, room, out.n, 0);
}

static void
take_challenge(struct probe *p, struct bytes echo)
{
	if (echo.n == 0 || echo.n > sizeof(p->echo))
		return;
	memcpy(p->echo, echo.p, echo.n);
	p->n_echo = echo.n;
	p->challenged = true;
}

static void
take_notification(struct probe *p, const struct packet *m, uint64_t took)
{
	uint32_t number;

	p->registered = true;
	if (p->notified || !packet_read_payload(m->payload, &number) || number != p->number)
		return;
	p->notified = true;
	p->n_notified++;
	if (took > p->longest_notify_ns)
		p->longest_notify_ns = took;
}

static void
take_answer(struct probe *p, uint64_t took)
{
	p->answered = true;
	p->n_answered++;
	if (took > p->longest_answer_ns)
		p->longest_answer_ns = took;
}

static void
take(struct probe *p, const struct packet *m)
{
	uint64_t took = meter_wall_ns() - p->asked_ns;

	if (m->type == PACKET_CON) {
		acknowledge(p, m->mid);
		if (!p->known)
			puts("known");
		p->known = true;
	}
	if (!m->has_token)
		return;
	take_challenge(p, m->echo);
	if (m->token == TOKEN_OBSERVE && m->code == PACKET_CONTENT && m->has_observe)
		take_notification(p, m, took);
	else if (m->token == TOKEN_PUBLISH + p->number && m->code == PACKET_CHANGED && !p->answered)
		take_answer(p, took);
}

/* Takes what comes until `until`; or sooner when `enough` gets true. */
static void
listen_until(struct probe *p, uint64_t until, const bool *enough)
{
	uint8_t data[1500];
	struct packet m;

	for (;;) {
		struct pollfd ready = {.fd = p->fd, .events = POLLIN};
		uint64_t now = meter_wall_ns();
		ssize_t n;

		if (now >= until || (enough && *enough))
			return;
		if (poll(&ready, 1, (int)((until - now) / 1000000) + 1) <= 0)
			continue;
		n = recv(p->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n > 0 && packet_decode(bytes_of(data, (size_t)n), &m))
			take(p, &m);
	}
}

static bool
enrol(struct probe *p)
{
	for (int i = 0; i < 5 && !p->registered; i++) {
		send_request(p, true);
		listen_until(
			p, meter_wall_ns() + REGISTRATION_WAIT_MS * 1000000ull, &p->registered);
	}
	return p->registered;
}

static void
run(struct probe *p, uint64_t every_ns)
{
	while (!over) {
		p->number++;
		p->answered = p->notified = false;
		p->asked_ns = meter_wall_ns();
		send_request(p, false);
		listen_until(p, p->asked_ns + TIMELY_NS, NULL);
		if (!p->answered || !p->notified)
			p->n_late++;
		listen_until(p, p->asked_ns + every_ns, NULL);
	}
	printf("publishes\t%lu\nanswered\t%lu\nnotified\t%lu\nlate\t%lu\n",
		(unsigned long)p->number, (unsigned long)p->n_answered,
		(unsigned long)p->n_notified, (unsigned long)p->n_late);
	printf("longest_answer_us\t%llu\nlongest_notify_us\t%llu\n",
		(unsigned long long)p->longest_answer_ns / 1000,
		(unsigned long long)p->longest_notify_ns / 1000);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct probe p = {.mid = (uint16_t)getpid()};
	char *colon = argc == 4 ? strrchr(argv[1], ':') : NULL;
	int rc = 1;

	if (!colon) {
		fputs("usage: probe ADDR:PORT PATH EVERY-MS\n", stderr);
		return 2;
	}
	*colon = '\0';
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	p.path = argv[2];
	p.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)signal(SIGTERM, on_term);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (p.fd < 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
		connect(p.fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("probe");
	} else if (!enrol(&p)) {
		fputs("probe: the registration is not answered\n", stderr);
	} else {
		puts("observes");
		run(&p, strtoull(argv[3], NULL, 10) * 1000000u);
		rc = 0;
	}
	close(p.fd);
	return rc;
}
