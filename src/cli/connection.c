/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/connection.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/progress.h"
#include "cli/protection.h"
#include "cli/text.h"
#include "transport/certificate.h"

#define DIAGNOSTIC_MAX 200

static void tell(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Names, paths and diagnostics in it are others': none of them may steer a terminal. */
static void
tell(const char *fmt, va_list ap)
{
	char text[1024], line[TEXT_ESCAPED(sizeof(text))];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)text_escape(bytes_str(text), line);
	progress_clear();
	(void)fprintf(stderr, "coapcast: %s\n", line);
}

void
connection_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(fmt, ap);
	va_end(ap);
}

void
connection_note(const struct connection *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->args->verbose)
		return;
	va_start(ap, fmt);
	tell(fmt, ap);
	va_end(ap);
}

/* The first address of the host, with the URI's port. */
static int
resolve(const struct connection *c, struct addr *ret)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	int rc;

	if (addr_parse(c->uri.host, c->uri.port, ret) == 0) {
		ret->port = c->uri.port;
		return 0;
	}
	if ((rc = getaddrinfo(c->uri.host, NULL, &hints, &found)) != 0) {
		connection_complain("cannot find %s: %s", c->uri.host, gai_strerror(rc));
		return -ENOENT;
	}
	if (!addr_from_sockaddr(found->ai_addr, ret)) {
		connection_complain("%s has no IP address", c->uri.host);
		rc = -ENOENT;
	}
	freeaddrinfo(found);
	ret->port = c->uri.port;
	return rc;
}

enum cli_exit
connection_begin(struct connection *c, const struct args *a)
{
	int rc;

	*c = (struct connection){.args = a};
	if ((rc = uv_loop_init(&c->own)) < 0) {
		connection_complain("cannot make an event loop: %s", uv_strerror(rc));
		return CLI_OTHER;
	}
	c->loop = &c->own;
	return CLI_OK;
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	const struct args *a = ctx;

	if (loud || a->verbose)
		connection_complain("%s", text);
}

static enum cli_exit
read_credentials(struct connection *c)
{
	const struct args *a = c->args;
	struct error e;

	if (credentials_load(a->credentials, a->identity, &c->credentials, &e) < 0) {
		connection_complain("%s", e.text);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static enum cli_exit
open_keys(struct connection *c)
{
	const struct args *a = c->args;
	struct error e;

	/* The arguments outlive it, and are not written to. */
	if (keys_open(c->credentials, a->credentials, on_note, (void *)(uintptr_t)a, &e, &c->keys) <
		0) {
		connection_complain("%s", e.text);
		return CLI_SECURITY;
	}
	return CLI_OK;
}

enum cli_exit
connection_load_keys(struct connection *c)
{
	enum cli_exit rc;

	if (!c->args->credentials)
		return CLI_OK;
	rc = read_credentials(c);
	return rc == CLI_OK ? open_keys(c) : rc;
}

/* What the other side of a secure connection is to be shown, and to show. */
static enum cli_exit
take_credentials(struct connection *c)
{
	const struct credentials_identity *id = credentials_identity(c->credentials);
	struct coapd_credentials *ret = &c->how->credentials;
	enum certificate_part part;
	struct error e;

	if (id->psk) {
		ret->psk_identity = bytes_str(id->psk->identity);
		ret->psk_key = id->psk->key;
		return CLI_OK;
	}
	ret->certificate = (struct coapd_certificate){.file = id->certificate->file,
		.key = id->certificate->key,
		.ca = id->certificate->ca};
	ret->server_name = id->certificate->server ? id->certificate->server : c->uri.host;
	if (certificate_check(&ret->certificate, &e, &part) == 0)
		return CLI_OK;
	connection_complain("%s", e.text);
	return CLI_SECURITY;
}

/* Before there is an endpoint: whoever gives credentials wants them used. */
static enum cli_exit
choose(struct connection *c, unsigned *ret)
{
	const struct args *a = c->args;
	bool is_secure = c->uri.scheme == URI_COAPS || c->uri.scheme == URI_COAPS_TCP;
	enum cli_exit rc;
	struct error e;

	*ret = 0;
	if (!a->credentials && is_secure) {
		connection_complain("%s: --credentials is wanted for this scheme", c->text);
		return CLI_USAGE;
	}
	if (!a->credentials)
		return CLI_OK;
	if ((rc = read_credentials(c)) != CLI_OK)
		return rc;
	if (protection_choose(c->credentials, a->credentials, a->identity, c->uri.scheme, &e, ret) <
		0) {
		connection_complain("%s", e.text);
		return CLI_USAGE;
	}
	return open_keys(c);
}

static enum cli_exit
open_endpoint(struct connection *c, const struct addr *server)
{
	static const enum path_transport transports[] = {
		[URI_COAP] = PATH_UDP,
		[URI_COAPS] = PATH_DTLS,
		[URI_COAP_TCP] = PATH_TCP,
		[URI_COAPS_TCP] = PATH_TLS,
	};
	enum path_transport transport = transports[c->uri.scheme];
	enum cli_exit rc;
	struct error e;
	unsigned by;
	int opened;

	if ((rc = choose(c, &by)) != CLI_OK)
		return rc;
	if (transport == PATH_UDP) {
		opened = endpoint_open(c->loop, server, c->args->ifindex, &e, &c->ep);
	} else {
		c->how = mem_alloc(sizeof(*c->how));
		c->how->transport = transport;
		if ((by & PROTECTION_TRANSPORT) && (rc = take_credentials(c)) != CLI_OK)
			return rc;
		opened = endpoint_connect(c->loop, server, c->how, &e, &c->ep);
	}
	if (opened < 0) {
		connection_complain("%s", e.text);
		return CLI_OTHER;
	}
	if (by & PROTECTION_OBJECT)
		connection_note(
			c, "protected by OSCORE as %s", credentials_identity(c->credentials)->name);
	if (c->keys)
		session_protect(endpoint_session(c->ep), keys_armor(c->keys));
	return CLI_OK;
}

/* What only an open endpoint needs. */
static void
drop_credentials(struct connection *c)
{
	keys_close(c->keys);
	c->keys = NULL;
	credentials_free(c->credentials);
	free(c->how);
	c->credentials = NULL;
	c->how = NULL;
}

enum cli_exit
connection_open_on(struct connection *c, const struct args *a, const char *uri, uv_loop_t *loop)
{
	enum cli_exit rc;
	struct addr server;
	struct error e;

	*c = (struct connection){.args = a, .loop = loop, .text = uri};
	if (uri_parse(uri, &c->uri, &e) < 0) {
		connection_complain("%s", e.text);
		return CLI_USAGE;
	}
	if (resolve(c, &server) < 0)
		return CLI_OTHER;
	if (addr_is_multicast(&server)) {
		connection_complain("%s is a group, not a server", c->uri.host);
		return CLI_USAGE;
	}
	rc = open_endpoint(c, &server);
	if (rc != CLI_OK) {
		endpoint_close(c->ep);
		c->ep = NULL;
		drop_credentials(c);
	}
	return rc;
}

enum cli_exit
connection_open(struct connection *c, const struct args *a)
{
	struct connection on;
	enum cli_exit rc;

	if ((rc = connection_begin(c, a)) != CLI_OK)
		return rc;
	if ((rc = connection_open_on(&on, a, a->uri, &c->own)) != CLI_OK) {
		connection_close(c);
		return rc;
	}
	c->ep = on.ep;
	c->text = on.text;
	c->uri = on.uri;
	c->credentials = on.credentials;
	c->keys = on.keys;
	c->how = on.how;
	/* It may be the host of the copy. */
	if (c->how && c->how->credentials.server_name == on.uri.host)
		c->how->credentials.server_name = c->uri.host;
	return CLI_OK;
}

void
connection_close(struct connection *c)
{
	int rc;

	endpoint_close(c->ep);
	c->ep = NULL;
	if (c->loop != &c->own) {
		drop_credentials(c);
		return;
	}
	(void)uv_run(c->loop, UV_RUN_DEFAULT);
	drop_credentials(c);
	rc = uv_loop_close(c->loop);
	assert(rc == 0); /* a handle leaked */
	(void)rc;
}

static void
on_pause_closed(uv_handle_t *h)
{
	*(bool *)h->data = true;
}

static void
on_progress(void *ctx, size_t n, size_t total)
{
	const struct connection *c = ctx;

	progress_tell(c->args->verbose, n, total);
}

void
connection_ask(struct connection *c, struct transfer_request *r, struct transfer_result *ret)
{
	r->timeout_ms = c->args->timeout_ms;
	r->on_progress = on_progress;
	r->progress_ctx = c;
	endpoint_request(c->ep, r, ret);
	progress_clear();
}

void
connection_get(
	struct connection *c, const char *path, const char *query, struct transfer_result *ret)
{
	struct transfer_request r = {
		.code = CODE_GET,
		.target = {.path = bytes_str(*path ? path : "/"),
			.query = bytes_str(query),
			.accept = TARGET_NO_FORMAT},
		.content_format = TARGET_NO_FORMAT,
	};

	connection_ask(c, &r, ret);
}

static void
on_pause_over(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

void
connection_pause(struct connection *c, uint32_t seconds)
{
	bool over = false;
	uv_timer_t t;

	(void)uv_timer_init(c->loop, &t);
	t.data = &over;
	uv_update_time(c->loop);
	(void)uv_timer_start(&t, on_pause_over, (uint64_t)seconds * 1000, 0);
	while (!over)
		(void)uv_run(c->loop, UV_RUN_ONCE);
	over = false;
	t.data = &over;
	uv_close((uv_handle_t *)&t, on_pause_closed);
	while (!over)
		(void)uv_run(c->loop, UV_RUN_ONCE);
}

static const char *
code_meaning(uint8_t code)
{
	static const struct {
		uint8_t code;
		const char *text;
	} meanings[] = {
		{CODE_BAD_REQUEST, " Bad Request"},
		{CODE_UNAUTHORIZED, " Unauthorized"},
		{CODE_BAD_OPTION, " Bad Option"},
		{CODE_FORBIDDEN, " Forbidden"},
		{CODE_NOT_FOUND, " Not Found"},
		{CODE_METHOD_NOT_ALLOWED, " Method Not Allowed"},
		{CODE_NOT_ACCEPTABLE, " Not Acceptable"},
		{CODE_INCOMPLETE, " Request Entity Incomplete"},
		{CODE_PRECONDITION_FAILED, " Precondition Failed"},
		{CODE_TOO_LARGE, " Request Entity Too Large"},
		{CODE_UNSUPPORTED_FORMAT, " Unsupported Content-Format"},
		{CODE_TOO_MANY_REQUESTS, " Too Many Requests"},
		{CODE_INTERNAL, " Internal Server Error"},
		{CODE_NOT_IMPLEMENTED, " Not Implemented"},
		{CODE_UNAVAILABLE, " Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code)
			return meanings[i].text;
	return "";
}

enum cli_exit
connection_refused(uint8_t code, uint32_t max_age_s, struct bytes diagnostic, const char *what)
{
	char name[16], text[DIAGNOSTIC_MAX + 1], again[48] = "";
	size_t n = 0;

	/* RFC 7252 5.5.2: a diagnostic payload is for humans, but not for their terminals. */
	for (; n < diagnostic.n && n < DIAGNOSTIC_MAX; n++) {
		uint8_t ch = diagnostic.p[n];

		text[n] = ch < 0x20 || ch == 0x7f ? '?' : (char)ch;
	}
	text[n] = '\0';
	if (code == CODE_TOO_MANY_REQUESTS || code == CODE_UNAVAILABLE)
		(void)snprintf(again, sizeof(again), ", try again in %u s", (unsigned)max_age_s);
	connection_complain("%s: %s%s%s%s%s", what, msg_code_name(code, name), code_meaning(code),
		again, n ? ": " : "", text);
	switch (MSG_CLASS(code)) {
	case 4:
		return CLI_REFUSED;
	case 5:
		return CLI_FAILED;
	default:
		return CLI_OTHER;
	}
}

enum cli_exit
connection_judge(const struct transfer_result *r, const char *what)
{
	static const struct {
		const char *text;
		enum cli_exit exit;
	} ends[] = {
		[TRANSFER_RESET] = {"the server rejected the request", CLI_OTHER},
		[TRANSFER_TIMEOUT] = {"no answer in time", CLI_TIMEOUT},
		[TRANSFER_LOST] = {"the connection failed", CLI_OTHER},
		[TRANSFER_REFUSED] = {"connection refused: nobody is at that port", CLI_OTHER},
		[TRANSFER_INSECURE] = {"no secure connection", CLI_SECURITY},
		[TRANSFER_UNSAFE] = {"object security failed", CLI_SECURITY},
		[TRANSFER_BROKEN] = {"the blocks of the body make no sense", CLI_OTHER},
		[TRANSFER_CHANGED] = {"the value changes faster than it can be read", CLI_OTHER},
		[TRANSFER_TOO_LARGE] = {"the value is too large", CLI_OTHER},
	};

	if (r->end != TRANSFER_ANSWERED) {
		connection_complain("%s: %s%s%s", what, ends[r->end].text, r->why ? ": " : "",
			r->why ? r->why : "");
		return ends[r->end].exit;
	}
	if (MSG_CLASS(r->code) == 2)
		return CLI_OK;
	return connection_refused(r->code, r->max_age_s, r->body, what);
}

enum connection_written
connection_write(struct bytes data)
{
	progress_clear();
	if ((data.n == 0 || fwrite(data.p, 1, data.n, stdout) == data.n) && fflush(stdout) == 0)
		return CONNECTION_WRITTEN;
	/* A reader that went away had enough. */
	if (errno == EPIPE)
		return CONNECTION_UNREAD;
	connection_complain("cannot write to stdout: %s", strerror(errno));
	return CONNECTION_UNWRITTEN;
}

enum connection_written
connection_write_json(struct json *j)
{
	enum connection_written w;

	json_close(j);
	w = connection_write(bytes_of(j->p, j->n));
	json_fini(j);
	return w;
}

enum cli_exit
connection_wrote(enum connection_written w)
{
	return w == CONNECTION_UNWRITTEN ? CLI_OTHER : CLI_OK;
}
