/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/metrics.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

#define BODY_MAX 32768
#define ANSWER_MAX (BODY_MAX + 512)
#define BACKLOG 16

struct connection {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_write_t write;
	uv_shutdown_t shutdown;
	struct metrics *m;
	unsigned n_handles; /* of tcp and timer, still in the loop; 0: free */
	bool answered; /* what comes now is thrown away */
	size_t n_in;
	char in[METRICS_REQUEST_MAX];
	uint8_t out[ANSWER_MAX];
};

struct metrics {
	uv_tcp_t listener;
	void (*take)(void *ctx, struct figures *ret);
	void *ctx;
	unsigned n_handles; /* in the loop, all connections' too */
	bool waiting; /* somebody was not accepted for want of a free connection */
	bool closing;
	uint8_t body[BODY_MAX];
	struct connection connections[METRICS_CONNECTIONS];
};

static void
forget_handle(struct metrics *m)
{
	if (--m->n_handles == 0)
		free(m);
}

static void accept_one(struct metrics *m);

static void
on_connection_closed(uv_handle_t *h)
{
	struct connection *c = h->data;
	struct metrics *m = c->m;

	if (--c->n_handles == 0 && m->waiting && !m->closing)
		accept_one(m);
	forget_handle(m);
}

static void
close_connection(struct connection *c)
{
	if (c->n_handles == 0 || uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	uv_close((uv_handle_t *)&c->tcp, on_connection_closed);
	uv_close((uv_handle_t *)&c->timer, on_connection_closed);
}

static void
on_timeout(uv_timer_t *t)
{
	close_connection(t->data);
}

static void
on_written(uv_write_t *w, int status)
{
	struct connection *c = w->data;

	/* Not closed at once: with something unread that would take the answer back. */
	if (status < 0 || uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, NULL) < 0)
		close_connection(c);
}

static void
answer(struct connection *c, const char *status, const char *more, struct bytes body)
{
	struct buf out = BUF_OF(c->out);
	uv_buf_t b;

	buf_printf(&out,
		"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n"
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n%s\r\n",
		status, body.n, more);
	buf_put(&out, body);
	c->answered = true;
	b = uv_buf_init((char *)out.p, (unsigned)out.n);
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0)
		close_connection(c);
}

static void
refuse(struct connection *c, const char *status, const char *more)
{
	answer(c, status, more, BYTES_NONE);
}

static void
answer_figures(struct connection *c)
{
	struct metrics *m = c->m;
	struct buf body = BUF_OF(m->body);
	struct figures f = {0};

	m->take(m->ctx, &f);
	figures_print(&f, &body);
	if (body.full)
		refuse(c, "500 Internal Server Error", "");
	else
		answer(c, "200 OK", "", buf_bytes(&body));
}

/* The next word of the request line; empty at its end. */
static struct bytes
next_word(struct bytes *line)
{
	const uint8_t *blank = line->n ? memchr(line->p, ' ', line->n) : NULL;
	size_t n = blank ? (size_t)(blank - line->p) : line->n;
	struct bytes word = bytes_head(*line, n);

	*line = bytes_from(*line, blank ? n + 1 : n);
	return word;
}

static struct bytes
without_query(struct bytes target)
{
	const uint8_t *mark = target.n ? memchr(target.p, '?', target.n) : NULL;

	return mark ? bytes_head(target, (size_t)(mark - target.p)) : target;
}

/* RFC 9112 3: method, target, version. */
static void
take_request(struct connection *c, struct bytes line)
{
	struct bytes method = next_word(&line), target = next_word(&line), version = line;

	if (version.n != 8 || memcmp(version.p, "HTTP/1.", 7) != 0)
		refuse(c, "400 Bad Request", "");
	else if (!bytes_is(without_query(target), "/metrics"))
		refuse(c, "404 Not Found", "");
	else if (!bytes_is(method, "GET"))
		refuse(c, "405 Method Not Allowed", "Allow: GET\r\n");
	else
		answer_figures(c);
}

/* The request line, once all of the head is there. */
static void
look(struct connection *c)
{
	const char *end = memmem(c->in, c->n_in, "\r\n\r\n", 4);

	if (end)
		take_request(
			c, bytes_of(c->in,
				   (size_t)((const char *)memchr(c->in, '\r', c->n_in) - c->in)));
	else if (c->n_in == sizeof(c->in))
		refuse(c, "431 Request Header Fields Too Large", "");
}

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct connection *c = h->data;

	(void)suggested;
	/* What comes after the head is read over and over into the same place. */
	if (c->answered)
		*ret = uv_buf_init(c->in, sizeof(c->in));
	else
		*ret = uv_buf_init(c->in + c->n_in, (unsigned)(sizeof(c->in) - c->n_in));
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct connection *c = s->data;

	(void)b;
	if (n < 0) {
		close_connection(c);
	} else if (!c->answered) {
		c->n_in += (size_t)n;
		look(c);
	}
}

static struct connection *
free_connection(struct metrics *m)
{
	for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
		if (m->connections[i].n_handles == 0)
			return &m->connections[i];
	}
	return NULL;
}

static void
accept_one(struct metrics *m)
{
	struct connection *c = free_connection(m);

	/* Until somebody goes, libuv asks the kernel for nobody else. */
	m->waiting = c == NULL;
	if (!c)
		return;
	c->m = m;
	c->answered = false;
	c->n_in = 0;
	/* Neither of these can fail. */
	(void)uv_tcp_init(m->listener.loop, &c->tcp);
	(void)uv_timer_init(m->listener.loop, &c->timer);
	c->tcp.data = c->timer.data = c;
	c->n_handles = 2;
	m->n_handles += 2;
	if (uv_accept((uv_stream_t *)&m->listener, (uv_stream_t *)&c->tcp) < 0 ||
		uv_timer_start(&c->timer, on_timeout, METRICS_TIMEOUT_MS, 0) < 0 ||
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		close_connection(c);
}

static void
on_connection(uv_stream_t *s, int status)
{
	if (status == 0)
		accept_one(s->data);
}

static void
on_listener_closed(uv_handle_t *h)
{
	forget_handle(h->data);
}

int
metrics_open(uv_loop_t *loop, const struct addr *at, void (*take)(void *ctx, struct figures *ret),
	void *ctx, struct error *e, struct metrics **ret)
{
	struct metrics *m = mem_alloc(sizeof(*m));
	struct sockaddr_storage ss;
	char text[ADDR_STRLEN];
	int rc;

	m->take = take;
	m->ctx = ctx;
	(void)uv_tcp_init(loop, &m->listener);
	m->listener.data = m;
	m->n_handles = 1;
	(void)addr_to_sockaddr(at, &ss);
	rc = uv_tcp_bind(&m->listener, (const struct sockaddr *)&ss, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&m->listener, BACKLOG, on_connection);
	if (rc < 0) {
		error_set(e, "metrics: cannot listen at %s: %s", addr_format(at, text),
			uv_strerror(rc));
		metrics_close(m);
		return rc;
	}
	*ret = m;
	return 0;
}

void
metrics_close(struct metrics *m)
{
	if (!m)
		return;
	m->closing = true;
	for (size_t i = 0; i < METRICS_CONNECTIONS; i++)
		close_connection(&m->connections[i]);
	uv_close((uv_handle_t *)&m->listener, on_listener_closed);
}
