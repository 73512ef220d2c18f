/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport/coapd with real sockets on loopback: what sessions may cost, each limit at its
 * edge. On the other side are plain TCP sockets that speak as much of RFC 8323 as is
 * needed, or another coapd for DTLS.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "transport/coapd.h"
#include "wire/codec.h"
#include "wire/msg.h"
#include "../unit/unit.h"

#define TICK_MS 5
#define WAIT_MS 10000u
#define CODE_CSM 0xe1
#define CODE_PING 0xe2
#define CODE_PONG 0xe3

/* --- the server ----------------------------------------------------------------------- */

static struct {
	uv_loop_t loop;
	uv_timer_t tick;
	struct coapd *server, *client;
	struct addr at, secure, tls;
	struct path heard; /* the last session that said something */
	unsigned n_heard;
	unsigned n_lost;
	unsigned n_client_lost;
	enum coapd_end client_end;
	bool needed; /* every session */
	bool server_closed, client_closed;
} bed;

static void
on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	(void)ctx;
	(void)datagram;
	bed.heard = *from;
	bed.n_heard++;
}

static void
on_nack(void *ctx, const struct path *way, uint16_t mid)
{
	(void)ctx;
	(void)way;
	(void)mid;
}

static void
on_lost(void *ctx, const struct path *way, enum coapd_end why)
{
	(void)ctx;
	(void)way;
	(void)why;
	bed.n_lost++;
}

static bool
is_needed(void *ctx, const struct path *way)
{
	(void)ctx;
	(void)way;
	return bed.needed;
}

static bool
subject_psk(void *ctx, struct bytes identity, uint32_t *ret_who, struct bytes *ret_key)
{
	(void)ctx;
	*ret_who = 1;
	*ret_key = bytes_str("the key");
	return bytes_is(identity, "somebody");
}

static const struct coapd_ops server_ops = {.on_datagram = on_datagram,
	.on_nack = on_nack,
	.on_lost = on_lost,
	.is_needed = is_needed,
	.subject_psk = subject_psk};

static void
on_client_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	(void)ctx;
	(void)from;
	(void)datagram;
}

static void
on_client_lost(void *ctx, const struct path *way, enum coapd_end why)
{
	(void)ctx;
	(void)way;
	bed.n_client_lost++;
	bed.client_end = why;
}

static const struct coapd_ops client_ops = {
	.on_datagram = on_client_datagram, .on_nack = on_nack, .on_lost = on_client_lost};

static void
on_tick(uv_timer_t *t)
{
	(void)t;
}

static void
on_server_closed(void *ctx)
{
	(void)ctx;
	bed.server_closed = true;
}

static void
on_client_closed(void *ctx)
{
	(void)ctx;
	bed.client_closed = true;
}

/* A port that is free for both. */
static struct addr
free_address(int type)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, type, 0);
	struct addr a;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, n), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	ck_assert(addr_from_sockaddr((struct sockaddr *)&in, &a));
	(void)close(fd);
	return a;
}

static void
serve(struct coapd_limits limits)
{
	struct error e;

	memset(&bed, 0, sizeof(bed));
	uv_loop_init(&bed.loop);
	uv_timer_init(&bed.loop, &bed.tick);
	uv_timer_start(&bed.tick, on_tick, TICK_MS, TICK_MS);
	bed.server = coapd_new(&bed.loop, &server_ops, NULL, &limits);
	ck_assert_ptr_nonnull(bed.server);
	bed.at = free_address(SOCK_STREAM);
	bed.secure = free_address(SOCK_DGRAM);
	ck_assert_int_eq(coapd_listen(bed.server, PATH_TCP, &bed.at, &e), 0);
	bed.tls = free_address(SOCK_STREAM);
	ck_assert_int_eq(coapd_listen(bed.server, PATH_DTLS, &bed.secure, &e), 0);
	ck_assert_int_eq(coapd_listen(bed.server, PATH_TLS, &bed.tls, &e), 0);
	bed.client = coapd_new(&bed.loop, &client_ops, NULL, &limits);
}

static void
finish(void)
{
	coapd_close(bed.client, on_client_closed);
	coapd_close(bed.server, on_server_closed);
	uv_close((uv_handle_t *)&bed.tick, NULL);
	uv_run(&bed.loop, UV_RUN_DEFAULT);
	ck_assert(bed.server_closed && bed.client_closed);
	ck_assert_int_eq(uv_loop_close(&bed.loop), 0);
}

static struct coapd_stats
stats(void)
{
	struct coapd_stats s;

	coapd_stats(bed.server, &s);
	return s;
}

/* Until it is so many milliseconds later. */
static void
pass(uint64_t ms)
{
	uint64_t until;

	uv_update_time(&bed.loop);
	until = uv_now(&bed.loop) + ms;
	while (uv_now(&bed.loop) < until)
		uv_run(&bed.loop, UV_RUN_ONCE);
}

#define WAIT_FOR(condition)                                                              \
	do {                                                                             \
		uint64_t until_;                                                         \
		uv_update_time(&bed.loop);                                               \
		until_ = uv_now(&bed.loop) + WAIT_MS;                                    \
		while (!(condition)) {                                                   \
			ck_assert_msg(uv_now(&bed.loop) < until_, "never: " #condition); \
			uv_run(&bed.loop, UV_RUN_ONCE);                                  \
		}                                                                        \
	} while (0)

/* --- clients ---------------------------------------------------------------------------- */

static int
reach_at(const struct addr *at)
{
	struct sockaddr_storage to;
	socklen_t n = addr_to_sockaddr(at, &to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, n), 0);
	return fd;
}

static int
reach(void)
{
	return reach_at(&bed.at);
}

/* An empty message, or a request with a token. */
static void
say(int fd, uint8_t code)
{
	const uint8_t frame[] = {code < 0x20 ? 1 : 0, code, 0xaa};

	(void)send(fd, frame, code < 0x20 ? 3 : 2, MSG_NOSIGNAL);
}

/* A session: CSM, and a request that tells which one it is. */
static int
join(struct path *ret)
{
	unsigned before = bed.n_heard;
	int fd = reach();

	say(fd, CODE_CSM);
	say(fd, CODE_GET);
	WAIT_FOR(bed.n_heard > before);
	*ret = bed.heard;
	return fd;
}

/* Reads all there is. Whether the connection is still there, and how many Pings came. */
static bool
drain(int fd, unsigned *n_pings)
{
	static const uint8_t ping[] = {0, CODE_PING};
	uint8_t b[4096];
	ssize_t n;

	*n_pings = 0;
	while ((n = recv(fd, b, sizeof(b), MSG_DONTWAIT)) > 0) {
		for (uint8_t *p = b; p + sizeof(ping) <= b + n; p++)
			*n_pings += memcmp(p, ping, sizeof(ping)) == 0;
	}
	return n < 0 && errno == EAGAIN;
}

static bool
is_there(int fd)
{
	unsigned n;

	return drain(fd, &n);
}

/* A message of n bytes as a datagram; its payload has nothing that looks like a Ping. */
static void
send_message(const struct path *way, size_t n)
{
	static const struct token none = {.n = 0};
	struct buf *out = coapd_open(bed.server, way);

	ck_assert_ptr_nonnull(out);
	msg_put_header(out, TYPE_NON, CODE_CONTENT, 1, &none);
	if (n > out->n)
		buf_put_u8(out, 0xff);
	while (out->n < n)
		buf_put_u8(out, 'x');
	coapd_commit(bed.server);
}

static const struct coapd_credentials credentials = {
	.psk_identity = {(const uint8_t *)"somebody", 8},
	.psk_key = {(const uint8_t *)"the key", 7}};

static void
join_by_dtls(void)
{
	static const struct addr any = {.family = AF_UNSPEC};
	uint64_t opened = stats().opened;
	struct path way;
	struct error e;

	ck_assert_int_eq(
		coapd_connect(bed.client, PATH_DTLS, &bed.secure, &any, &credentials, &e, &way), 0);
	WAIT_FOR(stats().opened > opened);
}

/* --- silence ------------------------------------------------------------------------------ */

START_TEST(a_silent_stream_nobody_needs_is_closed)
{
	struct path way;
	uint64_t from;
	int fd;

	serve((struct coapd_limits){.sessions = 10, .idle_ms = 400});
	from = uv_now(&bed.loop);
	fd = join(&way);
	WAIT_FOR(stats().idle == 1);
	ck_assert_uint_ge(uv_now(&bed.loop) - from, 400 - TICK_MS);
	ck_assert_uint_eq(bed.n_lost, 1);
	WAIT_FOR(!is_there(fd));
	ck_assert_ptr_null(coapd_open(bed.server, &way));
	(void)close(fd);
	finish();
}
END_TEST

START_TEST(who_says_something_stays)
{
	struct path way;
	int fd;

	serve((struct coapd_limits){.sessions = 10, .idle_ms = 1500});
	fd = join(&way);
	for (int i = 0; i < 20; i++) {
		pass(100);
		say(fd, CODE_GET);
	}
	ck_assert_uint_eq(stats().idle, 0);
	ck_assert(is_there(fd));
	(void)close(fd);
	finish();
}
END_TEST

/* RFC 8323 5.4: whether anybody is there is asked by a Ping. */
START_TEST(rfc8323_5_4_a_silent_stream_that_is_needed_is_asked)
{
	unsigned n_pings, n_answered = 0;
	struct path way;
	uint64_t last;
	int fd;

	serve((struct coapd_limits){.sessions = 10, .idle_ms = 300, .pong_ms = 1500});
	bed.needed = true;
	fd = join(&way);
	/* It is asked again and again, and still there. */
	for (last = uv_now(&bed.loop); n_answered < 4;) {
		ck_assert(drain(fd, &n_pings));
		for (; n_pings > 0; n_pings--, n_answered++)
			say(fd, CODE_PONG);
		ck_assert_uint_lt(uv_now(&bed.loop) - last, WAIT_MS);
		pass(20);
	}
	ck_assert_uint_eq(stats().idle, 0);
	/* It is cut. */
	last = uv_now(&bed.loop);
	WAIT_FOR(stats().idle == 1);
	ck_assert_uint_ge(uv_now(&bed.loop) - last, 1500);
	ck_assert_uint_eq(bed.n_lost, 1);
	(void)close(fd);
	finish();
}
END_TEST

START_TEST(a_silent_dtls_session_nobody_needs_is_closed)
{
	serve((struct coapd_limits){.sessions = 10, .idle_ms = 400});
	join_by_dtls();
	WAIT_FOR(stats().idle == 1);
	WAIT_FOR(bed.n_client_lost == 1);
	ck_assert_int_eq(bed.client_end, COAPD_CLOSED);
	ck_assert_uint_eq(stats().sessions, 0);
	finish();
}
END_TEST

/* CONs tell of a DTLS peer's end: a Ping would only keep a sleepy one awake. */
START_TEST(a_silent_dtls_session_that_is_needed_stays)
{
	serve((struct coapd_limits){.sessions = 10, .idle_ms = 100, .pong_ms = 100});
	bed.needed = true;
	join_by_dtls();
	pass(1000);
	ck_assert_uint_eq(stats().idle, 0);
	ck_assert_uint_eq(stats().sessions, 1);
	finish();
}
END_TEST

/* Who is not to be let in yet does not lose what was sent: it waits in the kernel. */
START_TEST(while_it_is_held_what_comes_waits)
{
	static const struct addr any = {.family = AF_UNSPEC};
	struct path way;
	struct error e;

	serve((struct coapd_limits){.sessions = 10});
	coapd_hold(bed.server, true);
	ck_assert_int_eq(
		coapd_connect(bed.client, PATH_DTLS, &bed.secure, &any, &credentials, &e, &way), 0);
	pass(300);
	ck_assert_uint_eq(stats().challenged, 0);
	ck_assert_uint_eq(stats().opened, 0);
	coapd_hold(bed.server, false);
	WAIT_FOR(stats().challenged == 1);
	WAIT_FOR(stats().opened == 1);
	finish();
}
END_TEST

/* --- unread ------------------------------------------------------------------------------- */

#define PIECE 1024u /* what is sent is a multiple of it */

static void
send_much(const struct path *way, unsigned n)
{
	for (; n > 0; n -= PIECE)
		send_message(way, PIECE);
}

START_TEST(what_a_stream_leaves_unread_is_limited)
{
	struct path slow, other;
	int fd, quick;
	uint64_t from;

	serve((struct coapd_limits){.sessions = 10, .unread_ms = 400});
	fd = join(&slow);
	quick = join(&other);
	send_much(&slow, COAPD_UNREAD_MAX);
	pass(1000);
	ck_assert_uint_eq(stats().unread, 0);
	ck_assert_uint_eq(bed.n_lost, 0);
	send_message(&slow, 4);
	from = uv_now(&bed.loop);
	WAIT_FOR(bed.n_lost == 1);
	ck_assert_uint_ge(uv_now(&bed.loop) - from, 400);
	ck_assert_uint_eq(stats().unread, 1);
	ck_assert_ptr_null(coapd_open(bed.server, &slow));
	/* Nobody else notices. */
	send_message(&other, PIECE);
	pass(50);
	ck_assert(is_there(quick));
	ck_assert_uint_eq(stats().sessions, 1);
	(void)close(fd);
	(void)close(quick);
	finish();
}
END_TEST

START_TEST(so_is_it_in_a_burst) /* by default, and as it is configured */
{
	struct path way;
	int fd;

	serve((struct coapd_limits){.sessions = 10, .unread = _i ? 32 * PIECE : 0});
	fd = join(&way);
	send_much(&way, _i ? 16 * 32 * PIECE : COAPD_UNREAD_BURST);
	pass(100);
	ck_assert_uint_eq(stats().unread, 0);
	send_message(&way, 4);
	WAIT_FOR(bed.n_lost == 1);
	ck_assert_uint_eq(stats().unread, 1);
	(void)close(fd);
	finish();
}
END_TEST

/* Of many that are behind, those that are told something are. */
START_TEST(and_with_all_of_them)
{
	struct path way[COAPD_UNREAD_ALL / COAPD_UNREAD_BURST], more;
	int fd[COAPD_UNREAD_ALL / COAPD_UNREAD_BURST], last;

	serve((struct coapd_limits){.sessions = 20});
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		fd[i] = join(&way[i]);
		send_much(&way[i], COAPD_UNREAD_BURST);
	}
	pass(100);
	ck_assert_uint_eq(stats().unread, 0);
	/* Who is not behind may be sent something. */
	last = join(&more);
	send_message(&more, PIECE);
	pass(100);
	ck_assert_uint_eq(stats().unread, 0);
	send_much(&more, COAPD_UNREAD_MAX);
	WAIT_FOR(bed.n_lost == 1);
	ck_assert_uint_eq(stats().unread, 1);
	ck_assert_ptr_null(coapd_open(bed.server, &more));
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		(void)close(fd[i]);
	(void)close(last);
	finish();
}
END_TEST

START_TEST(who_catches_up_in_time_stays)
{
	unsigned n_pings;
	struct path way;
	int fd;

	serve((struct coapd_limits){.sessions = 10, .unread_ms = 3000});
	fd = join(&way);
	/* In all it is behind for longer than that. */
	for (int i = 0; i < 4; i++) {
		uint64_t from = uv_now(&bed.loop);

		send_much(&way, 4 * COAPD_UNREAD_MAX);
		pass(300);
		while (uv_now(&bed.loop) - from < 1200) {
			ck_assert(drain(fd, &n_pings));
			for (; n_pings > 0; n_pings--)
				say(fd, CODE_PONG);
			pass(10);
		}
	}
	ck_assert_uint_eq(stats().unread, 0);
	ck_assert_uint_eq(bed.n_lost, 0);
	(void)close(fd);
	finish();
}
END_TEST

START_TEST(rfc8323_5_4_who_reads_is_sent_any_amount)
{
	unsigned n_pings, n_sent = 0;
	struct path way;
	int fd;

	serve((struct coapd_limits){.sessions = 10});
	fd = join(&way);
	while (n_sent < 8 * COAPD_UNREAD_MAX) {
		for (unsigned n = 0; n < COAPD_UNREAD_MAX / 8; n += PIECE, n_sent += PIECE)
			send_message(&way, PIECE);
		pass(1);
		ck_assert(drain(fd, &n_pings));
		for (; n_pings > 0; n_pings--)
			say(fd, CODE_PONG);
	}
	ck_assert_uint_eq(stats().unread, 0);
	ck_assert_uint_eq(bed.n_lost, 0);
	(void)close(fd);
	finish();
}
END_TEST

/* --- how many ------------------------------------------------------------------------------ */

START_TEST(sessions_are_limited)
{
	struct path way;
	int fd[3], late;

	serve((struct coapd_limits){.sessions = 3});
	for (int i = 0; i < 3; i++)
		fd[i] = join(&way);
	late = reach();
	say(late, CODE_CSM);
	WAIT_FOR(stats().refused == 1);
	WAIT_FOR(!is_there(late));
	join_by_dtls();
	WAIT_FOR(stats().refused == 2);
	WAIT_FOR(bed.n_client_lost == 1);
	ck_assert_uint_eq(stats().sessions, 3);
	/* Room for one. */
	(void)close(fd[0]);
	WAIT_FOR(stats().sessions == 2);
	join_by_dtls();
	WAIT_FOR(stats().sessions == 3);
	for (int i = 1; i < 3; i++)
		ck_assert(is_there(fd[i]));
	ck_assert_uint_eq(stats().refused, 2);
	(void)close(fd[1]);
	(void)close(fd[2]);
	(void)close(late);
	finish();
}
END_TEST

START_TEST(a_connection_that_says_nothing_makes_room)
{
	int fd[COAPD_OPENING_MAX], honest;
	struct path way;

	serve((struct coapd_limits){.sessions = 3});
	for (int i = 0; i < COAPD_OPENING_MAX; i++)
		fd[i] = reach();
	pass(200);
	ck_assert_uint_eq(stats().refused, 0);
	for (int i = 0; i < COAPD_OPENING_MAX; i++)
		ck_assert(is_there(fd[i]));
	honest = join(&way);
	ck_assert_uint_eq(stats().refused, 1);
	ck_assert(!is_there(fd[0]));
	for (int i = 1; i < COAPD_OPENING_MAX; i++)
		ck_assert(is_there(fd[i]));
	for (int i = 0; i < COAPD_OPENING_MAX; i++)
		(void)close(fd[i]);
	ck_assert(is_there(honest));
	(void)close(honest);
	finish();
}
END_TEST

/* A byte now and then is as good as none. */
START_TEST(a_connection_has_so_long_to_become_a_session)
{
	static const uint8_t length = 0xf0; /* of a message of some size, which follows */
	struct path way;
	uint64_t from;
	int fd, honest;

	serve((struct coapd_limits){.sessions = 3, .opening_ms = 800});
	honest = join(&way);
	fd = reach();
	from = uv_now(&bed.loop);
	while (is_there(fd)) {
		ck_assert_uint_lt(uv_now(&bed.loop) - from, WAIT_MS);
		(void)send(fd, &length, 1, MSG_NOSIGNAL);
		pass(100);
	}
	ck_assert_uint_ge(uv_now(&bed.loop) - from, 800 - TICK_MS);
	ck_assert(is_there(honest));
	(void)close(fd);
	(void)close(honest);
	finish();
}
END_TEST

/* --- TLS, byte by byte ------------------------------------------------------------------- */

/* A client whose records are sent when the test says so. */
struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	int fd;
};

static unsigned
show_key(SSL *ssl, const char *hint, char *identity, unsigned n_identity, unsigned char *key,
	unsigned n_key)
{
	(void)ssl;
	(void)hint;
	(void)n_key;
	(void)snprintf(identity, n_identity, "somebody");
	memcpy(key, "the key", 7);
	return 7;
}

/* What it has to say goes into `ret`, and what came is heard. */
static size_t
exchange(struct tls *t, uint8_t *ret, size_t max)
{
	uint8_t b[4096];
	ssize_t n;
	int got;

	while ((n = recv(t->fd, b, sizeof(b), MSG_DONTWAIT)) > 0)
		ck_assert_int_eq(BIO_write(t->in, b, (int)n), n);
	if (SSL_in_init(t->ssl))
		(void)SSL_do_handshake(t->ssl);
	got = BIO_read(t->out, ret, (int)max);
	return got > 0 ? (size_t)got : 0;
}

static void
tls_open(struct tls *t)
{
	uint8_t b[4096];
	size_t n;

	t->ctx = SSL_CTX_new(TLS_client_method());
	(void)SSL_CTX_set_max_proto_version(t->ctx, TLS1_2_VERSION);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(t->ctx, "PSK"), 1);
	SSL_CTX_set_psk_client_callback(t->ctx, show_key);
	t->ssl = SSL_new(t->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	t->fd = reach_at(&bed.tls);
	for (int i = 0; i < 200 && SSL_in_init(t->ssl); i++) {
		if ((n = exchange(t, b, sizeof(b))) > 0)
			(void)send(t->fd, b, n, MSG_NOSIGNAL);
		pass(TICK_MS);
	}
	ck_assert(!SSL_in_init(t->ssl));
}

/* The records of those bytes. */
static size_t
seal(struct tls *t, const uint8_t *p, size_t n, uint8_t *ret, size_t max)
{
	ck_assert_int_eq(SSL_write(t->ssl, p, (int)n), n);
	return exchange(t, ret, max);
}

static void
tls_close(struct tls *t)
{
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	(void)close(t->fd);
}

/*
 * OpenSSL keeps its errors by thread, not by connection: those of one must not be taken for
 * those of another, of which half a record has come.
 */
START_TEST(what_fails_elsewhere_ends_no_session)
{
	static const uint8_t csm[] = {0, CODE_CSM}, get[] = {1, CODE_GET, 0xaa};
	uint8_t b[512];
	struct path way;
	struct tls t;
	size_t n;
	int odd, plain;

	serve((struct coapd_limits){.sessions = 3});
	plain = join(&way);
	tls_open(&t);
	n = seal(&t, csm, sizeof(csm), b, sizeof(b));
	(void)send(t.fd, b, n, MSG_NOSIGNAL);
	WAIT_FOR(stats().sessions == 2);
	for (unsigned i = 1; i <= 6; i++) {
		uint64_t failed = stats().failed;

		/* A turn for somebody else: what comes next comes in that order. */
		say(plain, CODE_GET);
		WAIT_FOR(bed.n_heard == 2 * i);
		/* Noticed later, or as soon as it is accepted, of which nothing tells. */
		odd = reach_at(&bed.tls);
		if (i % 2)
			pass(50);
		(void)send(odd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
		if (i % 2)
			WAIT_FOR(stats().failed > failed);
		n = seal(&t, get, sizeof(get), b, sizeof(b));
		(void)send(t.fd, b, n / 2, MSG_NOSIGNAL);
		pass(50);
		(void)send(t.fd, b + n / 2, n - n / 2, MSG_NOSIGNAL);
		WAIT_FOR(bed.n_heard == 2 * i + 1);
		(void)close(odd);
	}
	ck_assert_uint_eq(bed.n_lost, 0);
	tls_close(&t);
	(void)close(plain);
	finish();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("coapd");
	TCase *t = tcase_create("coapd");

	tcase_add_test(t, a_silent_stream_nobody_needs_is_closed);
	tcase_add_test(t, who_says_something_stays);
	tcase_add_test(t, rfc8323_5_4_a_silent_stream_that_is_needed_is_asked);
	tcase_add_test(t, a_silent_dtls_session_nobody_needs_is_closed);
	tcase_add_test(t, a_silent_dtls_session_that_is_needed_stays);
	tcase_add_test(t, while_it_is_held_what_comes_waits);
	tcase_add_test(t, what_a_stream_leaves_unread_is_limited);
	tcase_add_loop_test(t, so_is_it_in_a_burst, 0, 2);
	tcase_add_test(t, and_with_all_of_them);
	tcase_add_test(t, who_catches_up_in_time_stays);
	tcase_add_test(t, rfc8323_5_4_who_reads_is_sent_any_amount);
	tcase_add_test(t, sessions_are_limited);
	tcase_add_test(t, a_connection_that_says_nothing_makes_room);
	tcase_add_test(t, a_connection_has_so_long_to_become_a_session);
	tcase_add_test(t, what_fails_elsewhere_ends_no_session);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
