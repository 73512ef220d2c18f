/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that says exactly what it is told, and shows every datagram:
 *
 *	talk [-a ADDRESS:PORT] [-j GROUP:PORT -i INTERFACE] [-n COUNT] [-w SECONDS] [-b] [-e] [-q]
 *		SERVER:PORT [MESSAGE...]
 *
 * MESSAGE is written as words: con or non; get, put, ... or empty; /a/path; ?query;
 * token=HEX mid=HEX observe=N format=N accept=N etag=HEX if-match=HEX if-none-match;
 * NUMBER=HEX for any other option; hex=HEX or text=..., which takes the rest, for the
 * payload. raw=HEX is the whole datagram.
 *
 * Each message waits for an answer to the one before (-b: does not). Confirmable
 * messages are acknowledged (-q: are not). With -e the last message is repeated when it is
 * answered 4.01 with an Echo option, which does not count. Ends after COUNT datagrams that are no empty
 * ACKs (one per message; 0: never), with 3 when they do not come within SECONDS (10).
 * Shows `> to`, `< from`, and `* from` for what came to the group it has joined with -j.
 */
#include <err.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "show.h"

#define OPTIONS_MAX 32
#define DATAGRAM_MAX 65536
#define LINE_SIZE (4 * DATAGRAM_MAX)
#define EXIT_LATE 3

struct talk {
	struct addr server;
	int fd;
	int group_fd; /* -1: not joined */
	long wanted; /* datagrams until the end; 0: no end */
	long seen;
	long wait_s;
	bool burst;
	bool quiet; /* acknowledges nothing */
	bool echoes; /* repeats the last message with the Echo that is asked for */
	const char *last;
};

/* A message while its words are read. Options are kept in the order of their numbers. */
struct draft {
	uint8_t type, code;
	uint16_t mid;
	uint8_t token_bytes[8], option_bytes[2048], payload_bytes[2048];
	struct buf token, values, payload;
	struct {
		uint32_t number;
		struct bytes value;
	} options[OPTIONS_MAX];
	size_t n_options;
};

static void
add_option(struct draft *d, uint32_t number, struct bytes value)
{
	size_t at = d->n_options++;

	if (d->n_options > OPTIONS_MAX)
		errx(2, "too many options");
	for (; at > 0 && d->options[at - 1].number > number; at--)
		d->options[at] = d->options[at - 1];
	d->options[at].number = number;
	d->options[at].value.n = value.n;
	d->options[at].value.p = d->values.p + d->values.n;
	buf_put(&d->values, value);
}

static void
add_number(struct draft *d, uint32_t number, const char *text)
{
	uint32_t v = (uint32_t)strtoul(text, NULL, 10);
	uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
	size_t skip = 0;

	while (skip < 4 && bytes[skip] == 0)
		skip++;
	add_option(d, number, bytes_from(BYTES_OF(bytes), skip));
}

static void
add_hex(struct draft *d, uint32_t number, const char *text)
{
	uint8_t bytes[256];
	struct buf b = BUF_OF(bytes);

	if (!show_unhex(text, &b) || b.full)
		errx(2, "not hexadecimal: %s", text);
	add_option(d, number, buf_bytes(&b));
}

static void
add_path(struct draft *d, const char *path)
{
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		add_option(d, SHOW_URI_PATH, bytes_of(path, n));
		path += n;
	}
}

static void
set_token(struct draft *d, const char *text)
{
	if (!show_unhex(text, &d->token) || d->token.full)
		errx(2, "not a token: %s", text);
}

static void
set_mid(struct draft *d, const char *text)
{
	d->mid = (uint16_t)strtoul(text, NULL, 16);
}

static void
set_hex(struct draft *d, const char *text)
{
	if (!show_unhex(text, &d->payload))
		errx(2, "not hexadecimal: %s", text);
}

static const struct keyword {
	const char *name;
	void (*set)(struct draft *d, const char *text); /* NULL: an option */
	uint32_t option;
	bool is_number;
} keywords[] = {
	{"token", set_token, 0, false},
	{"mid", set_mid, 0, false},
	{"hex", set_hex, 0, false},
	{"observe", NULL, SHOW_OBSERVE, true},
	{"format", NULL, SHOW_FORMAT, true},
	{"accept", NULL, SHOW_ACCEPT, true},
	{"etag", NULL, SHOW_ETAG, false},
	{"if-match", NULL, SHOW_IF_MATCH, false},
};

static void
read_assignment(struct draft *d, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const struct keyword *k = &keywords[i];

		if (strcmp(name, k->name) != 0)
			continue;
		if (k->set)
			k->set(d, value);
		else if (k->is_number)
			add_number(d, k->option, value);
		else
			add_hex(d, k->option, value);
		return;
	}
	if (*name < '0' || *name > '9')
		errx(2, "not a word: %s=%s", name, value);
	add_hex(d, (uint32_t)strtoul(name, NULL, 10), value);
}

static void
read_word(struct draft *d, char *word)
{
	char *value = strchr(word, '=');

	if (word[0] == '/') {
		add_path(d, word);
	} else if (word[0] == '?') {
		add_option(d, SHOW_URI_QUERY, bytes_str(word + 1));
	} else if (value) {
		*value = '\0';
		read_assignment(d, word, value + 1);
	} else if (strcmp(word, "if-none-match") == 0) {
		add_option(d, SHOW_IF_NONE_MATCH, BYTES_NONE);
	} else if (strcmp(word, "con") == 0 || strcmp(word, "non") == 0) {
		d->type = word[0] == 'n';
	} else if (!show_method(word, &d->code)) {
		errx(2, "not a word: %s", word);
	}
}

static void
put_extended(struct buf *out, uint32_t n)
{
	if (n >= 269)
		buf_put_u16(out, (uint16_t)(n - 269));
	else if (n >= 13)
		buf_put_u8(out, (uint8_t)(n - 13));
}

static uint8_t
nibble(uint32_t n)
{
	return (uint8_t)(n >= 269 ? 14 : n >= 13 ? 13 : n);
}

static void
encode(const struct draft *d, struct buf *out)
{
	uint32_t before = 0;

	buf_put_u8(out, (uint8_t)(0x40 | d->type << 4 | d->token.n));
	buf_put_u8(out, d->code);
	buf_put_u16(out, d->mid);
	buf_put(out, buf_bytes(&d->token));
	for (size_t i = 0; i < d->n_options; i++) {
		uint32_t delta = d->options[i].number - before;
		struct bytes value = d->options[i].value;

		before = d->options[i].number;
		buf_put_u8(out, (uint8_t)(nibble(delta) << 4 | nibble((uint32_t)value.n)));
		put_extended(out, delta);
		put_extended(out, (uint32_t)value.n);
		buf_put(out, value);
	}
	if (d->payload.n > 0) {
		buf_put_u8(out, 0xff);
		buf_put(out, buf_bytes(&d->payload));
	}
	if (out->full || d->payload.full || d->values.full)
		errx(2, "the message is too long");
}

/* Makes a datagram of the words. */
static void
compose(const char *text, struct buf *out)
{
	static uint16_t mid;
	char words[8192];
	struct draft d = {.type = 0, .code = 0};
	char *word, *rest;

	if (strncmp(text, "raw=", 4) == 0) {
		if (!show_unhex(text + 4, out))
			errx(2, "not hexadecimal: %s", text);
		return;
	}
	d.token = BUF_OF(d.token_bytes);
	d.values = BUF_OF(d.option_bytes);
	d.payload = BUF_OF(d.payload_bytes);
	d.mid = mid ? ++mid : (mid = (uint16_t)getpid());
	snprintf(words, sizeof(words), "%s", text);
	if ((rest = strstr(words, "text=")) != NULL) {
		buf_put_str(&d.payload, rest + 5);
		*rest = '\0';
	}
	for (word = strtok(words, " "); word; word = strtok(NULL, " "))
		read_word(&d, word);
	encode(&d, out);
}

/* What is shown of it. */
static const char *
print_line(char mark, const struct addr *peer, struct bytes datagram)
{
	static uint8_t line[LINE_SIZE];
	struct buf out = buf_of(line, sizeof(line) - 1);
	char text[ADDR_STRLEN];

	show_message(datagram, &out);
	printf("%c %s %s\n", mark, addr_format(peer, text), buf_str(&out));
	fflush(stdout);
	return buf_str(&out);
}

static void
send_bytes(const struct talk *t, const struct addr *to, struct bytes datagram)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(to, &sa);

	(void)print_line('>', to, datagram);
	if (sendto(t->fd, datagram.p, datagram.n, 0, (const struct sockaddr *)&sa, n) < 0)
		warn("sendto");
}

static int
open_socket(const struct addr *at)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(at, &sa);
	int fd = socket(at->family, SOCK_DGRAM, 0), on = 1;

	if (fd < 0)
		err(1, "socket");
	/*
	 * Several members of one group on a host. Where the kernel chooses the port it would choose
	 * one of somebody else who shares, too, and one of them would hear what is for the other.
	 */
	if (at->port != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&sa, n) < 0)
		err(1, "bind");
	return fd;
}

static int
join(const struct addr *group, const char *ifname)
{
	struct group_req g = {.gr_interface = ifname ? if_nametoindex(ifname) : 0};
	int fd = open_socket(group);

	(void)addr_to_sockaddr(group, &g.gr_group);
	if (setsockopt(fd, group->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP,
		    &g, sizeof(g)) < 0)
		err(1, "join");
	return fd;
}

/* Whether a 4.01 asked for an Echo, with which the last message is sent again. */
static bool
echo(const struct talk *t, const char *shown)
{
	const char *asked = strstr(shown, " 252=");
	uint8_t bytes[4096];
	struct buf out = BUF_OF(bytes);
	char text[8192];

	if (!t->echoes || !strstr(shown, " 4.01 ") || !asked)
		return false;
	/* Before a payload, which takes the rest. */
	snprintf(text, sizeof(text), "%.*s %s", (int)strcspn(asked + 1, " ") + 1, asked, t->last);
	compose(text, &out);
	send_bytes(t, &t->server, buf_bytes(&out));
	return true;
}

/* Takes one datagram and acknowledges it. True when it counts: not an empty ACK. */
static bool
take(const struct talk *t, int fd)
{
	static uint8_t bytes[DATAGRAM_MAX];
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&sa, &len);
	struct addr from;
	const char *shown;

	/* -1: a port unreachable, as when the broker is gone. */
	if (n < 0 || !addr_from_sockaddr((const struct sockaddr *)&sa, &from))
		return false;
	shown = print_line(fd == t->group_fd ? '*' : '<', &from, bytes_of(bytes, (size_t)n));
	if (n < 4)
		return true;
	if (echo(t, shown))
		return false;
	if (bytes[0] >> 4 == 4 && !t->quiet) {
		uint8_t ack[4] = {0x60, 0, bytes[2], bytes[3]};

		send_bytes(t, &from, BYTES_OF(ack));
	}
	return bytes[0] >> 4 != 6 || bytes[1] != 0;
}

static long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until `upto` datagrams were seen in all. */
static void
listen_until(struct talk *t, long upto, long end_ms)
{
	struct pollfd fds[2] = {
		{.fd = t->fd, .events = POLLIN}, {.fd = t->group_fd, .events = POLLIN}};

	while (upto == 0 || t->seen < upto) {
		long left = end_ms - now_ms();

		if (t->wanted != 0 && left <= 0)
			exit(EXIT_LATE);
		if (poll(fds, 2, t->wanted ? (int)left : -1) < 0)
			err(1, "poll");
		for (int i = 0; i < 2; i++) {
			if (fds[i].revents && take(t, fds[i].fd))
				t->seen++;
		}
	}
}

static struct addr
address(const char *text)
{
	struct addr a;

	if (addr_parse(text, 0, &a) < 0)
		errx(2, "not an address: %s", text);
	return a;
}

/* Where the sockets are, as the options say. */
struct place {
	struct addr local;
	struct addr group;
	const char *ifname;
};

static void
read_options(int argc, char **argv, struct talk *t, struct place *at)
{
	int c;

	while ((c = getopt(argc, argv, "a:j:i:n:w:beq")) != -1) {
		switch (c) {
		case 'a':
			at->local = address(optarg);
			break;
		case 'j':
			at->group = address(optarg);
			break;
		case 'i':
			at->ifname = optarg;
			break;
		case 'n':
			t->wanted = atol(optarg);
			break;
		case 'w':
			t->wait_s = atol(optarg);
			break;
		case 'b':
			t->burst = true;
			break;
		case 'e':
			t->echoes = true;
			break;
		case 'q':
			t->quiet = true;
			break;
		default:
			errx(2, "usage: see the source");
		}
	}
}

int
main(int argc, char **argv)
{
	struct talk t = {.group_fd = -1, .wanted = -1, .wait_s = 10};
	struct place at = {.ifname = NULL};
	long end_ms;

	read_options(argc, argv, &t, &at);
	if (optind >= argc)
		errx(2, "usage: see the source");
	t.server = address(argv[optind++]);
	if (t.wanted < 0)
		t.wanted = argc - optind;
	if (at.local.family == AF_UNSPEC)
		at.local.family = t.server.family;
	t.fd = open_socket(&at.local);
	if (at.group.family != AF_UNSPEC)
		t.group_fd = join(&at.group, at.ifname);
	end_ms = now_ms() + 1000 * t.wait_s;
	for (int i = optind; i < argc; i++) {
		uint8_t bytes[4096];
		struct buf out = BUF_OF(bytes);

		if (i > optind && !t.burst)
			listen_until(&t, t.seen + 1, end_ms);
		t.last = argv[i];
		compose(argv[i], &out);
		send_bytes(&t, &t.server, buf_bytes(&out));
	}
	if (t.wanted == 0 || t.seen < t.wanted)
		listen_until(&t, t.wanted, end_ms);
	return 0;
}
