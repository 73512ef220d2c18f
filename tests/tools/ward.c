/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An OSCORE client for clients that have none: plain CoAP comes in by UDP, goes on
 * protected (RFC 8613), and what comes back is opened again:
 *
 *	ward [-t | -x COMMAND] -s SENDER-ID -r RECIPIENT-ID -k SECRET [-l SALT] [-c ID-CONTEXT]
 *		LISTEN:PORT SERVER:PORT
 *
 * All keys are hexadecimal. -t: by TCP; -x: by the stdin and stdout of a command, one message
 * each, which is how `openssl s_client` can be the way to DTLS. Types and tokens stay as they
 * are. Message ids do not: all clients are one to the server, which would take two that chose
 * the same for one that repeats itself (RFC 7252 4.5). What a client does repeat is repeated
 * byte by byte. Its sequence numbers go by the clock, so that a second one
 * that is started later uses none twice. Shown is, after `ready`:
 *
 *	> piv=HEX raw=HEX			a request, as it left
 *	< piv=HEX|none outer=C.DD inner=C.DD	a response that was opened
 *	< plain MESSAGE				one that came unprotected
 *	! VERDICT				one that could not be opened, and goes no further
 */
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"
#include "show.h"
#include "stream.h"

#define BINDINGS_MAX 64
#define DATAGRAM_MAX 4096

/* A request that answers may come to, and whose it was. */
struct asked {
	struct oscore_binding binding;
	struct token token;
	struct addr client;
	uint16_t mid, up_mid; /* as the client has it, and the server */
	uint16_t down_mid; /* of what comes from transports without */
	uint8_t raw[DATAGRAM_MAX];
	size_t n_raw;
	bool used;
};

struct ward {
	struct context *context;
	struct ssn *ssn;
	struct addr server, last; /* who asked last */
	int fd; /* to the clients */
	int up; /* to the server */
	struct stream stream; /* TCP */
	enum { BY_UDP, BY_TCP, BY_COMMAND } by;
	struct asked asked[BINDINGS_MAX];
	size_t n_asked;
	uint16_t mid; /* the last one to the server */
};

static void
print_hex(const char *what, struct bytes b)
{
	printf(" %s=", what);
	for (size_t i = 0; i < b.n; i++)
		printf("%02x", b.p[i]);
}

static void
print_message(const char *mark, struct bytes datagram)
{
	static uint8_t line[8 * DATAGRAM_MAX];
	struct buf out = buf_of(line, sizeof(line) - 1);

	show_message(datagram, &out);
	printf("%s %s\n", mark, buf_str(&out));
}

/* By its token, anew. */
static struct asked *
remember(struct ward *w, const struct msg *m)
{
	struct asked *a = NULL;

	for (size_t i = 0; i < BINDINGS_MAX && !a; i++) {
		if (w->asked[i].used && token_equal(&w->asked[i].token, &m->token))
			a = &w->asked[i];
	}
	if (!a)
		a = &w->asked[w->n_asked++ % BINDINGS_MAX];
	if (a->used)
		binding_fini(&a->binding);
	*a = (struct asked){.token = m->token,
		.client = w->last,
		.mid = m->mid,
		.down_mid = m->mid,
		.used = true};
	a->up_mid = ++w->mid;
	return a;
}

/* The request that this one repeats. */
static struct asked *
find_repeated(struct ward *w, const struct msg *m)
{
	for (size_t i = 0; i < BINDINGS_MAX; i++) {
		struct asked *a = &w->asked[i];

		if (a->used && a->mid == m->mid && addr_equal(&a->client, &w->last))
			return a;
	}
	return NULL;
}

/* The request that an acknowledgement or a reset is for. */
static struct asked *
find_up(struct ward *w, uint16_t up_mid)
{
	for (size_t i = 0; i < BINDINGS_MAX; i++) {
		if (w->asked[i].used && w->asked[i].up_mid == up_mid)
			return &w->asked[i];
	}
	return NULL;
}

static struct asked *
find(struct ward *w, const struct token *token)
{
	for (size_t i = 0; i < BINDINGS_MAX; i++) {
		if (w->asked[i].used && token_equal(&w->asked[i].token, token))
			return &w->asked[i];
	}
	return NULL;
}

/* --- to the server ------------------------------------------------------------- */

static void
send_up(struct ward *w, struct bytes datagram)
{
	if (w->by == BY_TCP)
		stream_send(&w->stream, datagram);
	else if (write(w->up, datagram.p, datagram.n) < 0)
		warn("to the server");
}

static void
protect(struct ward *w, const struct msg *m)
{
	uint8_t bytes[DATAGRAM_MAX], code;
	struct asked *a = find_repeated(w, m);
	struct buf tail = BUF_OF(bytes), out;
	int rc;

	if (a) {
		send_up(w, bytes_of(a->raw, a->n_raw));
		return;
	}
	a = remember(w, m);
	out = BUF_OF(a->raw);
	rc = protect_request(w->context, OSCORE_PLAIN, BYTES_NONE, m, &tail, &code, &a->binding);
	if (rc < 0)
		errx(1, "cannot protect: %s", strerror(-rc));
	msg_put_header(&out, (enum msg_type)m->type, code, a->up_mid, &m->token);
	buf_put(&out, buf_bytes(&tail));
	a->n_raw = out.n;
	printf(">");
	print_hex("piv", binding_piv(&a->binding));
	print_hex("raw", buf_bytes(&out));
	printf("\n");
	send_up(w, buf_bytes(&out));
}

static void
from_client(struct ward *w)
{
	uint8_t bytes[DATAGRAM_MAX];
	struct sockaddr_storage sa;
	socklen_t n_sa = sizeof(sa);
	ssize_t n = recvfrom(w->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&sa, &n_sa);
	struct msg m;

	if (n < 0 || !addr_from_sockaddr((const struct sockaddr *)&sa, &w->last) ||
		msg_decode(bytes_of(bytes, (size_t)n), &m) != MSG_OK)
		return;
	if (m.code != CODE_EMPTY)
		protect(w, &m);
	else if (w->by != BY_TCP)
		send_up(w, bytes_of(bytes, (size_t)n));
}

/* --- to the client --------------------------------------------------------------- */

static void
send_down(struct ward *w, const struct addr *client, struct bytes datagram)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(client, &sa);

	if (sendto(w->fd, datagram.p, datagram.n, 0, (const struct sockaddr *)&sa, n) < 0)
		warn("to the client");
}

static void
print_opened(const struct msg *outer, const struct msg *inner)
{
	struct oscore_option o;
	char was[16], is[16];

	printf("<");
	(void)oscore_option_decode(msg_find(outer, OPT_OSCORE)->value, &o);
	if (o.piv.n > 0)
		print_hex("piv", o.piv);
	else
		printf(" piv=none");
	printf(" outer=%s inner=%s\n", msg_code_name(outer->code, was),
		msg_code_name(inner->code, is));
}

static void
open_response(struct ward *w, struct asked *a, struct msg *outer)
{
	uint8_t plain_bytes[PROTECT_MAX_PLAIN], bytes[DATAGRAM_MAX];
	struct buf plain = BUF_OF(plain_bytes), out = BUF_OF(bytes);
	struct unprotect_info info;
	struct msg inner;
	enum unprotect_verdict v =
		unprotect_response(&a->binding, NULL, outer, &plain, &inner, &info);

	if (v != UNPROTECT_OK) {
		printf("! %s\n", unprotect_error(v)->name);
		return;
	}
	print_opened(outer, &inner);
	if (msg_encode(&inner, &out) == 0)
		send_down(w, &a->client, buf_bytes(&out));
}

/* The message as it goes to a client. */
static void
pass_down(struct ward *w, const struct addr *client, const struct msg *m)
{
	uint8_t bytes[DATAGRAM_MAX];
	struct buf out = BUF_OF(bytes);

	if (msg_encode(m, &out) == 0)
		send_down(w, client, buf_bytes(&out));
}

/* A message of the server; over transports without, it gets the type and id of an answer. */
static void
from_server(struct ward *w, struct bytes datagram)
{
	struct asked *a;
	struct msg m;

	if (msg_decode(datagram, &m) != MSG_OK)
		return;
	a = m.code == CODE_EMPTY ? find_up(w, m.mid) : find(w, &m.token);
	if (w->by == BY_TCP) {
		m.type = TYPE_NON;
		m.mid = a ? a->down_mid++ : 0;
	} else if (a && (m.type == TYPE_ACK || m.type == TYPE_RST)) {
		m.mid = a->mid;
	}
	if (m.code == CODE_EMPTY) {
		pass_down(w, a ? &a->client : &w->last, &m);
	} else if (!msg_has(&m, OPT_OSCORE)) {
		print_message("< plain", datagram);
		pass_down(w, a ? &a->client : &w->last, &m);
	} else if (!a) {
		printf("! nobody asked\n");
	} else {
		open_response(w, a, &m);
	}
}

static void
on_message(void *ctx, struct bytes datagram)
{
	from_server(ctx, datagram);
}

static void
from_up(struct ward *w)
{
	uint8_t bytes[DATAGRAM_MAX];
	ssize_t n;

	if (w->by == BY_TCP) {
		if (!stream_receive(&w->stream, on_message, w))
			errx(1, "the server is gone");
		return;
	}
	n = read(w->up, bytes, sizeof(bytes));
	if (n > 0)
		from_server(w, bytes_of(bytes, (size_t)n));
	else if (n == 0)
		errx(1, "the server is gone");
}

/* --- beginning --------------------------------------------------------------------- */

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

static const struct ssn_ops ssn_ops = {.reserve = on_reserve};

static struct ssn *
numbers(void)
{
	static const uint8_t print[SSN_FINGERPRINT];
	struct ssn *s = ssn_new(print, &ssn_ops, NULL);
	struct timespec now;
	struct error e;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ssn_start_stored(s,
		    (uint64_t)(now.tv_sec - SSN_EPOCH_S) * 1000 + (uint64_t)now.tv_nsec / 1000000,
		    &e) < 0)
		errx(1, "%s", e.text);
	return s;
}

static struct bytes
unhex(const char *text)
{
	static uint8_t bytes[1024];
	static struct buf all = BUF_OF(bytes);
	size_t at = all.n;

	if (!show_unhex(text, &all) || all.full)
		errx(2, "not hexadecimal: %s", text);
	return bytes_of(bytes + at, all.n - at);
}

static struct addr
address(const char *text)
{
	struct addr a;

	if (addr_parse(text, 0, &a) < 0)
		errx(2, "not an address: %s", text);
	return a;
}

static int
open_socket(const struct addr *at, int type, bool connects)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(at, &sa);
	int fd = socket(at->family, type, 0);

	if (fd < 0 || (connects ? connect(fd, (const struct sockaddr *)&sa, n)
				: bind(fd, (const struct sockaddr *)&sa, n)) < 0)
		err(1, "socket");
	return fd;
}

/* A command whose stdin and stdout keep messages apart. */
static int
run(const char *command)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		if (dup2(pair[1], 0) < 0 || dup2(pair[1], 1) < 0)
			err(1, "dup2");
		(void)close(pair[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		err(1, "sh");
	default:
		(void)close(pair[1]);
		return pair[0];
	}
}

static void
read_options(int argc, char **argv, struct ward *w, struct context_plain *keys)
{
	const char *command = NULL;
	int c;

	while ((c = getopt(argc, argv, "tx:s:r:k:l:c:")) != -1) {
		if (c == 't')
			w->by = BY_TCP;
		else if (c == 'x')
			command = optarg;
		else if (c == 's')
			keys->sender_id = unhex(optarg);
		else if (c == 'r')
			keys->recipient_id = unhex(optarg);
		else if (c == 'k')
			keys->master_secret = unhex(optarg);
		else if (c == 'l')
			keys->master_salt = unhex(optarg);
		else if (c == 'c')
			keys->id_context = unhex(optarg);
		else
			errx(2, "usage: see the source");
	}
	if (optind != argc - 2)
		errx(2, "usage: see the source");
	w->server = address(argv[optind + 1]);
	if (command) {
		w->by = BY_COMMAND;
		w->up = run(command);
	} else {
		w->up = open_socket(&w->server, w->by == BY_TCP ? SOCK_STREAM : SOCK_DGRAM, true);
	}
	if (w->by == BY_TCP)
		stream_begin(&w->stream, w->up);
}

int
main(int argc, char **argv)
{
	static struct ward w;
	struct context_plain keys = {.window_valid = true};
	struct addr at;
	struct error e;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(argc, argv, &w, &keys);
	at = address(argv[optind]);
	w.fd = open_socket(&at, SOCK_DGRAM, false);
	keys.ssn = numbers();
	if (context_new_plain(&keys, &e, &w.context) < 0)
		errx(2, "%s", e.text);
	printf("ready\n");
	for (;;) {
		struct pollfd fds[2] = {
			{.fd = w.fd, .events = POLLIN}, {.fd = w.up, .events = POLLIN}};

		if (poll(fds, 2, -1) < 0)
			err(1, "poll");
		if (fds[0].revents)
			from_client(&w);
		if (fds[1].revents)
			from_up(&w);
	}
}
