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
#define CODE_UNAUTHORIZED 0x81 /* 4.01 */

/* Of a token: the kind, the topic, and the number that is published. */
enum token_kind { TOKEN_ASK = 1, TOKEN_PUBLISH = 2, TOKEN_OBSERVE = 3 };
#define TOKEN(kind, i) ((uint32_t)(kind) << 30 | (i) << 24)
#define TOKEN_TOPIC(token) ((token) >> 24 & 63)

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

static void
on_veil_fail(void *ctx, const char *what, uint64_t number)
{
	witness_fail(ctx, "%s: %llu", what, (unsigned long long)number);
}

static void
name_topics(struct witness *w)
{
	static const struct {
		char letter;
		unsigned n;
	} kinds[] = {{'t', 8}, {'g', 8}, {'s', 4}, {'o', 4}};
	unsigned i = 0;

	for (unsigned k = 0; k < 4; k++) {
		for (unsigned n = 0; n < kinds[k].n; n++, i++)
			snprintf(w->topics[i].path, sizeof(w->topics[i].path), "ps/data/%c/%u",
				kinds[k].letter, n);
	}
}

bool
witness_init(struct witness *w, struct bytes secret)
{
	struct error e = {.text = ""};

	name_topics(w);
	w->n_topics = secret.p ? WITNESS_TOPICS : WITNESS_PLAIN;
	w->asks = w->veil_hears = -1;
	w->observes = open_socket(&w->server);
	w->hears = endpoints_join(&w->group, &e);
	w->mid = (uint16_t)getpid();
	if (secret.p) {
		w->veil = veil_new(secret, on_veil_fail, w);
		w->veil_hears = endpoints_join(&w->veiled, &e);
	}
	if (e.text[0])
		fprintf(stderr, "%s\n", e.text);
	return w->observes >= 0 && w->hears >= 0 && (!secret.p || (w->veil && w->veil_hears >= 0));
}

void
witness_fini(struct witness *w)
{
	const int fds[] = {w->asks, w->observes, w->hears, w->veil_hears};

	for (unsigned i = 0; i < 4; i++) {
		if (fds[i] > 0)
			(void)close(fds[i]);
	}
	veil_free(w->veil);
}

void
witness_begin(struct witness *w, bool again)
{
	if (w->asks >= 0)
		(void)close(w->asks);
	w->asks = open_socket(&w->server);
	w->again = again;
	w->paused = false;
	w->n_echo = 0;
	w->is_trusted = false;
	if (w->veil)
		veil_begin(w->veil);
	for (unsigned i = 0; i < w->n_topics; i++) {
		struct witness_topic *t = &w->topics[i];

		if (t->n_raw > 0) {
			memcpy(t->old, t->raw, t->n_raw);
			t->n_old = t->n_raw;
			t->n_raw = 0;
		}
		t->n_history = 0;
		t->sent_ns = t->asked_ns = t->registered_ns = 0;
		t->known = t->open = false;
		t->registered = !again && t->lasting;
	}
}

/* --- sending --------------------------------------------------------------------- */

/* A publish is kept for the next life. */
static void
send_veiled(struct witness *w, int fd, struct witness_topic *t, struct bytes plain, bool keep)
{
	uint8_t room[WITNESS_REQUEST];
	struct buf out = BUF_OF(room);

	if (!veil_seal(w->veil, plain, &out)) {
		witness_fail(w, "%s: a request cannot be protected", t->path);
		return;
	}
	if (keep) {
		memcpy(t->raw, room, out.n);
		t->n_raw = out.n;
	}
	(void)send(fd, room, out.n, 0);
}

/* What the life before was told is neither answered nor run by this one. */
static void
send_old(struct witness *w)
{
	for (unsigned i = 0; i < w->n_topics; i++) {
		struct witness_topic *t = &w->topics[i];

		if (t->n_old == 0)
			continue;
		/* Another message (RFC 7252 4.5): it is not for the message layer to find out. */
		t->old[2] = (uint8_t)(w->mid >> 8);
		t->old[3] = (uint8_t)w->mid++;
		w->n_again++;
		(void)send(w->asks, t->old, t->n_old, 0);
	}
}

static void
send_request(struct witness *w, unsigned i, enum token_kind kind)
{
	struct witness_topic *t = &w->topics[i];
	int fd = kind == TOKEN_OBSERVE ? w->observes : w->asks;
	uint8_t room[WITNESS_REQUEST], value[32];
	struct buf out = buf_of(room, sizeof(room));
	struct packet_request r = {.code = kind == TOKEN_PUBLISH ? PACKET_PUT : PACKET_GET,
		.observe = kind == TOKEN_OBSERVE,
		.mid = w->mid++,
		.token = TOKEN(kind, i),
		.path = t->path,
		.echo = bytes_of(w->echo, i < WITNESS_PLAIN ? 0 : w->n_echo),
		.payload = BYTES_OF(value)};

	if (kind == TOKEN_PUBLISH)
		r.token |= t->sent & NUMBER_MASK;
	packet_fill_payload(value, sizeof(value), i << 24 | t->sent);
	packet_put_request(&out, &r);
	if (i < WITNESS_PLAIN)
		(void)send(fd, room, out.n, 0);
	else
		send_veiled(w, fd, t, buf_bytes(&out), kind == TOKEN_PUBLISH);
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
	for (unsigned i = 0; i < w->n_topics; i++)
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
	for (unsigned i = 0; i < w->n_topics; i++) {
		struct witness_topic *t = &w->topics[i];
		uint32_t first =
			t->n_history > WITNESS_HISTORY ? t->n_history - WITNESS_HISTORY : 0;

		for (uint32_t n = first; n < t->n_history; n++) {
			const struct witness_ack *a = &t->history[n % WITNESS_HISTORY];

			if (now_ns - a->at_ns >= old_ns && a->number > t->promised)
				t->promised = a->number;
		}
		t->lasting |= t->registered && t->registered_ns > 0 &&
			      now_ns - t->registered_ns >= (uint64_t)WITNESS_SLACK_MS * MS_NS;
	}
}

void
witness_stopped(struct witness *w)
{
	for (unsigned i = 0; i < w->n_topics; i++) {
		w->topics[i].promised = w->topics[i].acked;
		w->topics[i].lasting = w->topics[i].observed;
	}
}

void
witness_pause(struct witness *w)
{
	w->paused = true;
}

bool
witness_is_content(const struct witness *w)
{
	for (unsigned i = 0; i < w->n_topics; i++) {
		if (!w->topics[i].known || !w->topics[i].registered)
			return false;
	}
	return true;
}

bool
witness_is_quiet(const struct witness *w)
{
	for (unsigned i = 0; i < w->n_topics; i++) {
		if (w->topics[i].open)
			return false;
	}
	return true;
}

bool
witness_is_told(const struct witness *w)
{
	for (unsigned i = 0; i < w->n_topics; i++) {
		if (w->topics[i].heard < w->topics[i].acked)
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
note_heard(struct witness *w, unsigned i, uint32_t number)
{
	if (i < w->n_topics && (number & NUMBER_MASK) > w->topics[i].heard)
		w->topics[i].heard = number & NUMBER_MASK;
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
	note_heard(w, i, number);
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

/* Topics come to life with 0, which is told again if a kill took all that came after it. */
static bool
is_of(const struct witness_token *t, uint32_t number)
{
	return number == 0 || t->topic == WITNESS_TOPICS || t->topic == number >> 24;
}

static void
take_group(struct witness *w, const struct packet *p)
{
	struct witness_token *t = find_token(w, p->token);
	uint32_t number;

	w->n_multicast++;
	/* Also when keys expired before others were there. */
	if (p->code == PACKET_UNAVAILABLE && p->payload.n == 0) {
		w->n_cancelled++;
		if (t && t->topic < w->n_topics)
			w->topics[t->topic].registered = false;
		return;
	}
	if (p->code != PACKET_CONTENT || !p->has_observe ||
		!packet_read_payload(p->payload, &number)) {
		witness_fail(w, "the group is told %u.%02u", p->code >> 5, p->code & 31);
		return;
	}
	note_heard(w, number >> 24, number);
	if (!t && w->n_tokens < WITNESS_TOKENS) {
		t = &w->tokens[w->n_tokens++];
		*t = (struct witness_token){.token = p->token, .topic = WITNESS_TOPICS};
	} else if (t && (ahead(t->observe, p->observe) <= 0 || !is_of(t, number))) {
		witness_fail(w, "token %lx: Observe %lu with %lx after %lu with %lx",
			(unsigned long)p->token, (unsigned long)p->observe, (unsigned long)number,
			(unsigned long)t->observe, (unsigned long)t->number);
	}
	if (t) {
		t->observe = p->observe;
		t->number = number;
		if (number != 0)
			t->topic = number >> 24;
	}
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

/* Of security, or of one of its requests from the life before: who asked asks again. */
static void
take_denial(struct witness *w, unsigned i, const struct packet *p)
{
	struct witness_topic *t = &w->topics[i];

	w->n_denied++;
	if (p->echo.n == 0 || p->echo.n > sizeof(w->echo) || p->token >> 30 == 0)
		return;
	if (w->n_echo == 0)
		send_old(w);
	w->n_challenges++;
	memcpy(w->echo, p->echo.p, p->echo.n);
	w->n_echo = p->echo.n;
	if (p->token >> 30 == TOKEN_ASK)
		t->asked_ns = 0;
	else if (p->token >> 30 == TOKEN_OBSERVE)
		t->registered_ns = 0;
	else if ((p->token & NUMBER_MASK) == t->sent)
		t->sent_ns = 0;
}

static void
take(struct witness *w, int fd, const struct packet *p)
{
	unsigned i = TOKEN_TOPIC(p->token);

	if (fd == w->hears || fd == w->veil_hears) {
		take_group(w, p);
		return;
	}
	if (!p->has_token || p->code == PACKET_EMPTY || i >= w->n_topics)
		return;
	if (p->code == CODE_UNAUTHORIZED && i >= WITNESS_PLAIN) {
		take_denial(w, i, p);
		return;
	}
	switch ((enum token_kind)(p->token >> 30)) {
	case TOKEN_ASK:
		/* Now that it is known who asks. */
		if (i >= WITNESS_PLAIN && !w->is_trusted)
			send_old(w);
		w->is_trusted |= i >= WITNESS_PLAIN;
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

/* Protected or not, the message as it was before; false: it is none. */
static bool
unveil(struct witness *w, int fd, struct bytes in, struct buf *space, struct packet *ret)
{
	bool heard = fd == w->hears || fd == w->veil_hears;

	if (!packet_decode(in, ret))
		return false;
	if (!heard && ret->type == PACKET_CON)
		acknowledge(fd, ret->mid);
	if (!ret->oscore.p) {
		if (fd == w->veil_hears)
			witness_fail(w, "the protected group is told something that is not");
		return true;
	}
	if (!w->veil || fd == w->hears) {
		witness_fail(w, "something is protected for nobody");
		return false;
	}
	if (!(heard ? veil_hear : veil_open)(w->veil, in, space) ||
		!packet_decode(buf_bytes(space), ret))
		return false;
	if (!heard && ret->code == PACKET_UNAVAILABLE && ret->payload.n > 0)
		veil_offer(w->veil, ret->payload);
	return true;
}

static void
drain(struct witness *w, int fd)
{
	uint8_t data[2048], room[VEIL_OUT];
	struct packet p;
	ssize_t n;

	/* ECONNREFUSED, while nobody listens, is one datagram less and no more. */
	while ((n = recv(fd, data, sizeof(data), MSG_DONTWAIT)) >= 0 || errno == ECONNREFUSED) {
		struct buf space = BUF_OF(room);

		if (n > 0 && unveil(w, fd, bytes_of(data, (size_t)n), &space, &p))
			take(w, fd, &p);
	}
}

void
witness_wait(struct witness *w, int ms)
{
	/* Who is moved is told where to, before the group is told anything. */
	struct pollfd ready[] = {{.fd = w->observes, .events = POLLIN},
		{.fd = w->hears, .events = POLLIN}, {.fd = w->asks, .events = POLLIN},
		{.fd = w->veil_hears, .events = POLLIN}};

	if (poll(ready, 4, ms) < 0)
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (ready[i].fd >= 0)
			drain(w, ready[i].fd);
	}
}

void
witness_report(const struct witness *w)
{
	unsigned n_moved = 0;

	for (unsigned i = 0; i < w->n_topics; i++)
		n_moved += w->topics[i].moved;
	printf("publishes\t%llu\nacknowledged\t%llu\nrefused\t%llu\n",
		(unsigned long long)w->n_publishes, (unsigned long long)w->n_acked,
		(unsigned long long)w->n_refused);
	printf("unicast\t%llu\nmulticast\t%llu\n", (unsigned long long)w->n_unicast,
		(unsigned long long)w->n_multicast);
	if (w->veil) {
		printf("opened\t%llu\nunopened\t%llu\n", (unsigned long long)w->veil->n_opened,
			(unsigned long long)w->veil->n_unopened);
		printf("nonces\t%llu\nrepeated\t%llu\ngids\t%u\n",
			(unsigned long long)w->veil->n_nonces,
			(unsigned long long)w->veil->n_repeated, w->veil->n_groups);
		printf("challenges\t%llu\nagain\t%llu\ndenied\t%llu\n",
			(unsigned long long)w->n_challenges, (unsigned long long)w->n_again,
			(unsigned long long)w->n_denied);
	}
	printf("lost_in_time\t%llu\ncancelled\t%llu\n", (unsigned long long)w->n_lost,
		(unsigned long long)w->n_cancelled);
	printf("group_tokens\t%u\nmoved\t%u\nfailures\t%u\n", w->n_tokens, n_moved, w->n_failures);
}
