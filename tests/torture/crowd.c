/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A crowd over a lossy network: observers that come and go, and publishers, for a long
 * time, while the daemon is reloaded and restarted.
 *
 *	crowd ADDR:PORT GROUP:PORT OBSERVERS TOPICS SECONDS PUBLISHES-PER-SECOND
 *
 * Observer i has an address of its own and observes topic i modulo TOPICS: ps/data/g/N,
 * which has a group, when that is even, and ps/data/t/N when it is odd. As clients do, who is
 * not answered asks again, and who has heard nothing for Max-Age registers anew (RFC
 * 7641 3.3.1). Prints `key<TAB>value` lines; the observers that do not have the newest value
 * in the end are `stale`.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#include "../bench/endpoints.h"
#include "../bench/meter.h"
#include "../bench/packet.h"

#define MS_NS 1000000ull
#define RETRY_NS (2000 * MS_NS)
#define MAX_AGE_NS (60000 * MS_NS)
#define HURRY_NS (20000 * MS_NS) /* instead of Max-Age once nothing is published any more */
#define SETTLE_NS (240000 * MS_NS)
#define NUMBER_MASK 0xffffu /* of a value; the rest is the topic */
#define TOKEN_PUBLISH 0x80000000u

enum state { AWAY, ASKING, TRADITIONAL, MOVED };

struct observer {
	uint8_t state; /* enum state */
	uint16_t number; /* of the newest value it has */
	uint64_t asked_ns, heard_ns;
};

struct topic {
	uint16_t sent, acked; /* numbers */
	uint16_t heard; /* by the group */
	bool open;
	uint16_t mid;
	uint64_t sent_ns;
};

struct crowd {
	struct endpoints *net;
	int group;
	uint32_t n_observers, n_topics;
	struct observer *observers;
	struct topic *topics;
	uint16_t mid;
	uint64_t random;
	bool settling;
	uint32_t n_wanted; /* publishes that are due */
	uint64_t n_publishes, n_acked, n_refused, n_came, n_went, n_moved, n_unicast, n_multicast;
};

static uint32_t
draw(struct crowd *c, uint32_t below)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return (uint32_t)(c->random >> 20) % below;
}

static void
send_request(struct crowd *c, uint32_t peer, struct packet_request *r, uint32_t topic)
{
	struct buf out = endpoints_claim(c->net);
	char path[32];

	snprintf(path, sizeof(path), "ps/data/%c/%lu", topic % 2 ? 't' : 'g', (unsigned long)topic);
	r->path = path;
	packet_put_request(&out, r);
	endpoints_push(c->net, peer, &out);
}

static void
ask(struct crowd *c, uint32_t i, uint64_t now)
{
	struct packet_request r = {
		.code = PACKET_GET, .observe = true, .mid = c->mid++, .token = i};

	c->observers[i].asked_ns = now;
	send_request(c, i, &r, i % c->n_topics);
}

static void
publish(struct crowd *c, uint32_t topic, uint64_t now)
{
	struct topic *t = &c->topics[topic];
	uint8_t value[48];
	struct packet_request r = {.code = PACKET_PUT,
		.token = TOKEN_PUBLISH | topic << 16 | (uint16_t)(t->sent + !t->open),
		.payload = BYTES_OF(value)};

	if (!t->open) {
		t->open = true;
		t->sent++;
		t->mid = c->mid++;
		c->n_publishes++;
	}
	r.mid = t->mid;
	t->sent_ns = now;
	packet_fill_payload(value, sizeof(value), topic << 16 | t->sent);
	send_request(c, c->n_observers + topic, &r, topic);
}

static bool
is_newer(uint16_t a, uint16_t b)
{
	return (int16_t)(a - b) > 0;
}

/* --- what comes -------------------------------------------------------------------- */

static void
reply_empty(struct crowd *c, uint32_t peer, enum packet_type type, uint16_t mid)
{
	struct buf out = endpoints_claim(c->net);

	packet_put_empty(&out, type, mid);
	endpoints_push(c->net, peer, &out);
}

static void
take_answer(struct crowd *c, const struct packet *p)
{
	uint32_t topic = p->token >> 16 & 0x7fff;
	struct topic *t;

	if (topic >= c->n_topics)
		return;
	t = &c->topics[topic];
	if (!t->open || (p->token & NUMBER_MASK) != t->sent)
		return;
	if (p->code != PACKET_CHANGED && p->code != PACKET_CREATED) {
		c->n_refused++;
		return;
	}
	t->open = false;
	t->acked = t->sent;
	c->n_acked++;
}

static void
take_notification(struct crowd *c, uint32_t i, const struct packet *p, uint64_t now)
{
	struct observer *o = &c->observers[i];
	uint32_t number;

	if (p->code == PACKET_UNAVAILABLE) {
		c->n_moved += o->state != MOVED;
		o->state = MOVED;
		o->heard_ns = now;
	} else if (p->code == PACKET_CONTENT && packet_read_payload(p->payload, &number)) {
		c->n_unicast++;
		o->state = TRADITIONAL;
		o->heard_ns = now;
		if (is_newer((uint16_t)number, o->number))
			o->number = (uint16_t)number;
	}
}

static void
take(struct crowd *c, const struct endpoints_arrival *a, uint64_t now)
{
	struct packet p;

	if (!packet_decode(a->data, &p))
		return;
	/* Who is away knows nothing of it (RFC 7641 3.6). */
	if (p.has_token && !(p.token & TOKEN_PUBLISH) && a->peer < c->n_observers &&
		c->observers[a->peer].state == AWAY && p.type != PACKET_ACK) {
		reply_empty(c, a->peer, PACKET_RST, p.mid);
		return;
	}
	if (p.type == PACKET_CON)
		reply_empty(c, a->peer, PACKET_ACK, p.mid);
	if (!p.has_token || p.code == PACKET_EMPTY)
		return;
	if (p.token & TOKEN_PUBLISH)
		take_answer(c, &p);
	else if (a->peer < c->n_observers && c->observers[a->peer].state != AWAY)
		take_notification(c, a->peer, &p, now);
}

static void
hear(struct crowd *c)
{
	uint8_t data[ENDPOINTS_IN];
	struct packet p;
	uint32_t number;
	ssize_t n;

	while ((n = recv(c->group, data, sizeof(data), MSG_DONTWAIT)) >= 0) {
		if (!packet_decode(bytes_of(data, (size_t)n), &p) || p.code != PACKET_CONTENT ||
			!packet_read_payload(p.payload, &number) || number >> 16 >= c->n_topics)
			continue;
		c->n_multicast++;
		if (is_newer((uint16_t)number, c->topics[number >> 16].heard))
			c->topics[number >> 16].heard = (uint16_t)number;
	}
}

static void
listen_for(struct crowd *c, int ms)
{
	struct endpoints_arrival arrivals[ENDPOINTS_BATCH];
	struct pollfd ready[] = {
		{.fd = c->net->fd, .events = POLLIN}, {.fd = c->group, .events = POLLIN}};
	unsigned n;

	endpoints_flush(c->net);
	(void)poll(ready, 2, ms);
	hear(c);
	while ((n = endpoints_pull(c->net, arrivals)) > 0) {
		uint64_t now = meter_wall_ns();

		for (unsigned i = 0; i < n; i++)
			take(c, &arrivals[i], now);
		endpoints_flush(c->net);
	}
}

/* --- what goes --------------------------------------------------------------------- */

/* Of an observer that is moved, what the group heard is its. */
static uint16_t
newest_of(const struct crowd *c, uint32_t i)
{
	const struct observer *o = &c->observers[i];
	uint16_t heard = c->topics[i % c->n_topics].heard;

	return o->state == MOVED && is_newer(heard, o->number) ? heard : o->number;
}

static bool
is_stale(const struct crowd *c, uint32_t i)
{
	return c->observers[i].state != AWAY && newest_of(c, i) != c->topics[i % c->n_topics].sent;
}

static void
see_to(struct crowd *c, uint32_t i, uint64_t now)
{
	struct observer *o = &c->observers[i];
	uint64_t patience = c->settling ? HURRY_NS : MAX_AGE_NS;

	/* The group's notifications are repeated when they reach Max-Age. */
	if (o->state == MOVED && !(c->settling && is_stale(c, i)))
		return;
	if (o->state == ASKING ? now - o->asked_ns >= RETRY_NS
			       : o->state != AWAY && now - o->heard_ns >= patience &&
					 now - o->asked_ns >= patience)
		ask(c, i, now);
}

static void
come_or_go(struct crowd *c, uint64_t now)
{
	uint32_t i = draw(c, c->n_observers);
	struct observer *o = &c->observers[i];

	if (o->state == AWAY) {
		*o = (struct observer){.state = ASKING};
		ask(c, i, now);
		c->n_came++;
	} else if (draw(c, 3) == 0) {
		o->state = AWAY;
		c->n_went++;
	}
}

static void
step(struct crowd *c, uint64_t now)
{
	for (uint32_t i = 0; i < c->n_observers; i++)
		see_to(c, i, now);
	for (uint32_t i = 0; i < c->n_topics; i++) {
		if (c->topics[i].open && now - c->topics[i].sent_ns >= RETRY_NS)
			publish(c, i, now);
	}
}

static void
run(struct crowd *c, uint64_t seconds, uint64_t per_second)
{
	uint64_t start = meter_wall_ns(), now = start, stepped = 0, done = 0;

	while (now - start < seconds * 1000 * MS_NS) {
		for (; done < (now - start) * per_second / (1000 * MS_NS); done++) {
			uint32_t topic = draw(c, c->n_topics);

			if (!c->topics[topic].open)
				publish(c, topic, now);
			if (done % 4 == 0)
				come_or_go(c, now);
		}
		if (now - stepped >= 200 * MS_NS) {
			step(c, now);
			stepped = now;
		}
		listen_for(c, 2);
		now = meter_wall_ns();
	}
}

static uint32_t
count_stale(const struct crowd *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_observers; i++)
		n += is_stale(c, i);
	for (uint32_t i = 0; i < c->n_topics; i++)
		n += c->topics[i].open;
	return n;
}

static void
settle(struct crowd *c)
{
	uint64_t start = meter_wall_ns(), now = start, stepped = 0;

	/* Of what was acknowledged, a kill may have taken the newest: once more, then. */
	for (uint32_t i = 0; i < c->n_topics; i++) {
		if (!c->topics[i].open)
			publish(c, i, now);
	}
	c->settling = true;
	while (now - start < SETTLE_NS && count_stale(c) > 0) {
		if (now - stepped >= 200 * MS_NS) {
			step(c, now);
			stepped = now;
		}
		listen_for(c, 5);
		now = meter_wall_ns();
	}
	printf("settle_ms\t%llu\n", (unsigned long long)((now - start) / MS_NS));
}

static void
report(const struct crowd *c)
{
	uint32_t n_present = 0;

	for (uint32_t i = 0; i < c->n_observers; i++)
		n_present += c->observers[i].state != AWAY;
	printf("publishes\t%llu\nacknowledged\t%llu\nrefused\t%llu\n",
		(unsigned long long)c->n_publishes, (unsigned long long)c->n_acked,
		(unsigned long long)c->n_refused);
	printf("came\t%llu\nwent\t%llu\nmoved\t%llu\nunicast\t%llu\nmulticast\t%llu\n",
		(unsigned long long)c->n_came, (unsigned long long)c->n_went,
		(unsigned long long)c->n_moved, (unsigned long long)c->n_unicast,
		(unsigned long long)c->n_multicast);
	printf("present\t%lu\nstale\t%lu\n", (unsigned long)n_present,
		(unsigned long)count_stale(c));
}

static bool
parse_endpoint(char *text, struct sockaddr_in *ret)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return false;
	*colon = '\0';
	*ret = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	return inet_pton(AF_INET, text, &ret->sin_addr) == 1;
}

int
main(int argc, char **argv)
{
	struct crowd c = {.random = 88172645463325252u};
	struct sockaddr_in server, group;
	struct error e;

	if (argc != 7 || !parse_endpoint(argv[1], &server) || !parse_endpoint(argv[2], &group)) {
		fputs("usage: crowd ADDR:PORT GROUP:PORT OBSERVERS TOPICS SECONDS PER-SECOND\n",
			stderr);
		return 2;
	}
	c.n_observers = (uint32_t)atoi(argv[3]);
	c.n_topics = (uint32_t)atoi(argv[4]);
	if (endpoints_new(&server, &e, &c.net) < 0 || (c.group = endpoints_join(&group, &e)) < 0) {
		fprintf(stderr, "crowd: %s\n", e.text);
		return 1;
	}
	c.observers = mem_alloc(c.n_observers * sizeof(*c.observers));
	c.topics = mem_alloc(c.n_topics * sizeof(*c.topics));
	/* Three in four are there from the start, as many as there are in the long run. */
	for (uint32_t i = 0; i < c.n_observers; i++)
		c.observers[i].state = i / c.n_topics % 4 ? ASKING : AWAY;
	run(&c, strtoull(argv[5], NULL, 10), strtoull(argv[6], NULL, 10));
	settle(&c);
	report(&c);
	endpoints_free(c.net);
	free(c.observers);
	free(c.topics);
	return 0;
}
