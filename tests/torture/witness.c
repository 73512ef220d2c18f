/* SPDX-License-Identifier: BSD-2-Clause */
#include "witness.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../bench/endpoints.h"
#include "../bench/meter.h"

#define RETRANSMIT_NS 150000000u
#define MS_NS 1000000u
#define SPAN_NS 10000000u
#define NUMBER_MASK 0xffffffu /* the upper byte of a payload is the topic */
#define SEQ_MASK 0xffffffu
#define MAX_SAID 20
#define PIVS (1u << 24)

enum token_kind { TOKEN_ASK = 0x01, TOKEN_PUBLISH = 0x02, TOKEN_OBSERVE = 0x03 };

void
witness_fail(struct witness *w, const char *format, ...)
{
	va_list args;

	w->n_failures++;
	if (w->n_said++ >= MAX_SAID)
		return;
	fputs("fail\t", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static int
open_socket(const struct sockaddr_in *server)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		endpoints_widen(fd);
	/* Connected when the daemon is not there, too. */
	if (fd >= 0 && connect(fd, (const struct sockaddr *)server, sizeof(*server)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

bool
witness_init(struct witness *w)
{
	struct error e;

	for (unsigned i = 0; i < WITNESS_TOPICS; i++)
		snprintf(w->topics[i].path, sizeof(w->topics[i].path), "ps/data/%c/%u",
			i < WITNESS_GROUPED ? 't' : 'g', i % WITNESS_GROUPED);
	w->pivs = calloc(PIVS / 8, 1);
	w->asks = -1;
	w->observes = open_socket(&w->server);
	w->hears = endpoints_join(&w->group, &e);
	w->mid = (uint16_t)getpid();
	if (w->hears < 0)
		fprintf(stderr, "%s\n", e.text);
	return w->pivs && w->observes >= 0 && w->hears >= 0;
}

void
witness_fini(struct witness *w)
{
	const int fds[] = {w->asks, w->observes, w->hears};

	for (unsigned i = 0; i < 3; i++) {
		if (fds[i] > 0)
			(void)close(fds[i]);
	}
	free(w->pivs);
}

void
witness_begin(struct witness *w, bool again)
{
	if (w->asks >= 0)
		(void)close(w->asks);
	w->asks = open_socket(&w->server);
	w->again = again;
	w->paused = false;
	for (unsigned i = 0; i < WITNESS_TOPICS; i++) {
		struct witness_topic *t = &w->topics[i];

		t->n_history = 0;
		t->sent_ns = t->asked_ns = t->registered_ns = 0;
		t->known = t->open = false;
		t->registered = !again && t->observed;
	}
}

/* --- sending --------------------------------------------------------------------- */

static void
send_request(struct witness *w, unsigned i, enum token_kind kind)
{
	struct witness_topic *t = &w->topics[i];
	uint8_t room[128], value[32];
	struct buf out = buf_of(room, sizeof(room));
	struct packet_request r = {.code = kind == TOKEN_PUBLISH ? PACKET_PUT : PACKET_GET,
		.observe = kind == TOKEN_OBSERVE,
		.mid = w->mid++,
		.token = (uint32_t)kind << 28 | i << 24,
		.path = t->path,
		.payload = BYTES_OF(value)};

	if (kind == TOKEN_PUBLISH)
		r.token |= t->sent & NUMBER_MASK;
	packet_fill_payload(value, sizeof(value), i << 24 | t->sent);
	packet_put_request(&out, &r);
	(void)send(kind == TOKEN_OBSERVE ? w->observes : w->asks, room, out.n, 0);
}

static bool
is_due(uint64_t sent_ns, uint64_t now_ns)
{
	return sent_ns == 0 || now_ns - sent_ns >= RETRANSMIT_NS;
}

static void
say_to(struct witness *w, unsigned i, uint64_t now_ns)
{
	struct witness_topic *t = &w->topics[i];

	/* First what it came to life with, before there is anything newer. */
	if (!t->known) {
		if (is_due(t->asked_ns, now_ns)) {
			t->asked_ns = now_ns;
			send_request(w, i, TOKEN_ASK);
		}
		return;
	}
	if (!t->registered && is_due(t->registered_ns, now_ns)) {
		t->registered_ns = now_ns;
		send_request(w, i, TOKEN_OBSERVE);
	}
	if (t->open ? is_due(t->sent_ns, now_ns) : !w->paused) {
		/* What is not answered is given up, and the next published: it may be late. */
		if (!t->open || !w->paused) {
			t->sent++;
			w->n_publishes++;
		}
		t->open = true;
		t->sent_ns = now_ns;
		send_request(w, i, TOKEN_PUBLISH);
	}
}

void
witness_say(struct witness *w, uint64_t now_ns)
{
	for (unsigned i = 0; i < WITNESS_TOPICS; i++)
		say_to(w, i, now_ns);
}

/* --- what is there ---------------------------------------------------------------- */

static void
take_value(struct witness *w, unsigned i, const struct packet *p)
{
	struct witness_topic *t = &w->topics[i];
	uint32_t number = 0;

	if (t->known)
		return;
	if (p->code != PACKET_CONTENT || !packet_read_payload(p->payload, &number)) {
		/* It comes to life with 0. */
		witness_fail(w, "%s: answered with %u.%02u", t->path, p->code >> 5, p->code & 31);
		return;
	}
	t->known = true;
	if (number != 0 && number >> 24 != i)
		witness_fail(w, "%s: the value of another topic", t->path);
	number &= NUMBER_MASK;
	if (number > t->sent)
		witness_fail(w, "%s: %lu was never published", t->path, (unsigned long)number);
	if (number < t->promised)
		witness_fail(w, "%s: %lu was promised, %lu is there", t->path,
			(unsigned long)t->promised, (unsigned long)number);
	w->n_lost += number < t->acked;
	/* It is in the store: it stays. */
	t->promised = number;
}

static void
remember(struct witness_topic *t, uint32_t number)
{
	uint64_t now_ns = meter_wall_ns();
	struct witness_ack *last =
		t->n_history > 0 ? &t->history[(t->n_history - 1) % WITNESS_HISTORY] : NULL;

	if (number > t->acked)
		t->acked = number;
	if (!last || now_ns - last->from_ns >= SPAN_NS) {
		last = &t->history[t->n_history++ % WITNESS_HISTORY];
		*last = (struct witness_ack){.from_ns = now_ns};
	}
	last->at_ns = now_ns;
	if (number > last->number)
		last->number = number;
}

static void
take_answer(struct witness *w, unsigned i, const struct packet *p)
{
	struct witness_topic *t = &w->topics[i];
	uint32_t number = p->token & NUMBER_MASK;

	if (p->code != PACKET_CHANGED) {
		w->n_refused++;
		witness_fail(w, "%s: a publish is answered with %u.%02u", t->path, p->code >> 5,
			p->code & 31);
	} else {
		w->n_acked++;
		remember(t, number);
	}
	if (number == t->sent)
		t->open = false;
}

void
witness_killed(struct witness *w, uint64_t now_ns)
{
	uint64_t old_ns = (uint64_t)w->interval_ms * MS_NS;

	if (w->interval_ms > 0)
		old_ns += (uint64_t)WITNESS_SLACK_MS * MS_NS;
	for (unsigned i = 0; i < WITNESS_TOPICS; i++) {
		struct witness_topic *t = &w->topics[i];
		uint32_t first =
			t->n_history > WITNESS_HISTORY ? t->n_history - WITNESS_HISTORY : 0;

		for (uint32_t n = first; n < t->n_history; n++) {
			const struct witness_ack *a = &t->history[n % WITNESS_HISTORY];

			if (now_ns - a->at_ns >= old_ns && a->number > t->promised)
				t->promised = a->number;
		}
	}
}

void
witness_stopped(struct witness *w)
{
	for (unsigned i = 0; i < WITNESS_TOPICS; i++)
		w->topics[i].promised = w->topics[i].acked;
}

void
witness_pause(struct witness *w)
{
	w->paused = true;
}

bool
witness_is_content(const struct witness *w)
{
	for (unsigned i = 0; i < WITNESS_TOPICS; i++) {
		if (!w->topics[i].known || !w->topics[i].registered)
			return false;
	}
	return true;
}

bool
witness_is_quiet(const struct witness *w)
{
	for (unsigned i = 0; i < WITNESS_TOPICS; i++) {
		if (w->topics[i].open)
			return false;
	}
	return true;
}

/* --- what is observed ------------------------------------------------------------- */

/* RFC 7641 3.4, without its clock: how far b is ahead of a. */
static int32_t
ahead(uint32_t a, uint32_t b)
{
	uint32_t d = (b - a) & SEQ_MASK;

	return d < 1u << 23 ? (int32_t)d : (int32_t)d - (1 << 24);
}

static void
take_unicast(struct witness *w, unsigned i, const struct packet *p)
{
	struct witness_topic *t = &w->topics[i];
	uint32_t number;
	int32_t d;

	if (p->code == PACKET_UNAVAILABLE) {
		t->registered = t->observed = t->moved = true;
		return;
	}
	if (p->code != PACKET_CONTENT || !p->has_observe ||
		!packet_read_payload(p->payload, &number)) {
		witness_fail(
			w, "%s: an observer is told %u.%02u", t->path, p->code >> 5, p->code & 31);
		return;
	}
	t->registered = t->observed = true;
	w->n_unicast++;
	d = t->has_observe ? ahead(t->observe, p->observe) : 1;
	if (d < 0 || (d == 0 && number != t->observe_number))
		witness_fail(w, "%s: Observe %lu with %lx after %lu with %lx", t->path,
			(unsigned long)p->observe, (unsigned long)number, (unsigned long)t->observe,
			(unsigned long)t->observe_number);
	t->has_observe = true;
	t->observe = p->observe;
	t->observe_number = number;
}

static struct witness_token *
find_token(struct witness *w, uint32_t token)
{
	for (unsigned i = 0; i < w->n_tokens; i++) {
		if (w->tokens[i].token == token)
			return &w->tokens[i];
	}
	return NULL;
}

static void
take_group(struct witness *w, const struct packet *p)
{
	struct witness_token *t = find_token(w, p->token);
	uint32_t number;

	w->n_multicast++;
	if (p->code != PACKET_CONTENT || !p->has_observe ||
		!packet_read_payload(p->payload, &number)) {
		witness_fail(w, "the group is told %u.%02u", p->code >> 5, p->code & 31);
		return;
	}
	if (!t && w->n_tokens < WITNESS_TOKENS) {
		t = &w->tokens[w->n_tokens++];
		*t = (struct witness_token){.token = p->token, .topic = number >> 24};
	} else if (t && (ahead(t->observe, p->observe) <= 0 || t->topic != number >> 24)) {
		witness_fail(w, "token %lx: Observe %lu with %lx after %lu with %lx",
			(unsigned long)p->token, (unsigned long)p->observe, (unsigned long)number,
			(unsigned long)t->observe, (unsigned long)t->number);
	}
	if (t) {
		t->observe = p->observe;
		t->number = number;
	}
}

/* RFC 8613 6.1: flags, Partial IV. All that goes to the group is the broker's. */
static void
take_piv(struct witness *w, struct bytes option)
{
	unsigned n = option.n > 0 ? option.p[0] & 7u : 0;
	uint32_t piv = 0;

	w->n_protected++;
	if (n == 0 || n > 3 || option.n < 1 + n) {
		witness_fail(w, "a protected message to the group without a Partial IV");
		return;
	}
	for (unsigned i = 1; i <= n; i++)
		piv = piv << 8 | option.p[i];
	if (w->pivs[piv / 8] & 1u << piv % 8)
		witness_fail(w, "Partial IV %lu is used twice", (unsigned long)piv);
	w->pivs[piv / 8] |= (uint8_t)(1u << piv % 8);
}

/* --- receiving -------------------------------------------------------------------- */

static void
acknowledge(int fd, uint16_t mid)
{
	uint8_t room[4];
	struct buf out = buf_of(room, sizeof(room));

	packet_put_empty(&out, PACKET_ACK, mid);
	(void)send(fd, room, out.n, 0);
}

static void
take(struct witness *w, int fd, const struct packet *p)
{
	unsigned i = p->token >> 24 & 15;

	if (fd == w->hears) {
		if (p->oscore.p)
			take_piv(w, p->oscore);
		else
			take_group(w, p);
		return;
	}
	if (p->type == PACKET_CON)
		acknowledge(fd, p->mid);
	if (!p->has_token || p->code == PACKET_EMPTY)
		return;
	switch ((enum token_kind)(p->token >> 28)) {
	case TOKEN_ASK:
		take_value(w, i, p);
		break;
	case TOKEN_PUBLISH:
		take_answer(w, i, p);
		break;
	case TOKEN_OBSERVE:
		take_unicast(w, i, p);
		break;
	}
}

static void
drain(struct witness *w, int fd)
{
	uint8_t data[2048];
	struct packet p;
	ssize_t n;

	/* ECONNREFUSED, while nobody listens, is one datagram less and no more. */
	while ((n = recv(fd, data, sizeof(data), MSG_DONTWAIT)) >= 0 || errno == ECONNREFUSED) {
		if (n > 0 && packet_decode(bytes_of(data, (size_t)n), &p))
			take(w, fd, &p);
	}
}

void
witness_wait(struct witness *w, int ms)
{
	struct pollfd ready[] = {{.fd = w->hears, .events = POLLIN},
		{.fd = w->observes, .events = POLLIN}, {.fd = w->asks, .events = POLLIN}};

	if (poll(ready, 3, ms) < 0)
		return;
	for (unsigned i = 0; i < 3; i++)
		drain(w, ready[i].fd);
}

void
witness_report(const struct witness *w)
{
	unsigned n_moved = 0;

	for (unsigned i = 0; i < WITNESS_TOPICS; i++)
		n_moved += w->topics[i].moved;
	printf("publishes\t%llu\nacknowledged\t%llu\nrefused\t%llu\n",
		(unsigned long long)w->n_publishes, (unsigned long long)w->n_acked,
		(unsigned long long)w->n_refused);
	printf("unicast\t%llu\nmulticast\t%llu\nprotected\t%llu\n",
		(unsigned long long)w->n_unicast, (unsigned long long)w->n_multicast,
		(unsigned long long)w->n_protected);
	printf("lost_in_time\t%llu\ngroup_tokens\t%u\nmoved\t%u\nfailures\t%u\n",
		(unsigned long long)w->n_lost, w->n_tokens, n_moved, w->n_failures);
}
