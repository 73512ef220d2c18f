/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/uri.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "client/target.h"
#include "wire/cborget.h"

#define OPTION_MAX 255 /* bytes of a Uri-Path or Uri-Query */

static const struct {
	const char *prefix;
	uint16_t port;
} schemes[] = {
	[URI_COAP] = {"coap://", 5683},
	[URI_COAPS] = {"coaps://", 5684},
	[URI_COAP_TCP] = {"coap+tcp://", 5683},
	[URI_COAPS_TCP] = {"coaps+tcp://", 5684},
};

#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

/* What follows the scheme, or NULL. */
static const char *
parse_scheme(const char *text, struct uri *ret, struct error *e)
{
	static const char *const others[] = {"coap+ws://", "coaps+ws://"};

	for (size_t i = 0; i < N_SCHEMES; i++) {
		size_t n = strlen(schemes[i].prefix);

		if (strncasecmp(text, schemes[i].prefix, n) != 0)
			continue;
		ret->scheme = (enum uri_scheme)i;
		ret->port = schemes[i].port;
		return text + n;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strncasecmp(text, others[i], strlen(others[i])) == 0) {
			error_set(e, "%s: WebSockets are not spoken here", others[i]);
			return NULL;
		}
	}
	error_set(e, "not a URI that starts with coap://: %.100s", text);
	return NULL;
}

static int
copy_part(char *to, size_t cap, struct bytes part, const char *what, struct error *e)
{
	if (part.n >= cap) {
		error_set(e, "the %s of the URI is too long", what);
		return -EINVAL;
	}
	memcpy(to, part.p, part.n);
	to[part.n] = '\0';
	return 0;
}

/* Of digits, or empty: then *ret stays. */
static int
parse_port(struct bytes text, uint16_t *ret, struct error *e)
{
	unsigned v = 0;

	for (size_t i = 0; i < text.n && v <= UINT16_MAX; i++) {
		if (text.p[i] < '0' || text.p[i] > '9') {
			v = UINT16_MAX + 1u;
			break;
		}
		v = v * 10 + (text.p[i] - '0');
	}
	if (text.n > 0 && (v == 0 || v > UINT16_MAX)) {
		error_set(e, "not a port: %.*s", (int)(text.n < 20 ? text.n : 20),
			(const char *)text.p);
		return -EINVAL;
	}
	if (text.n > 0)
		*ret = (uint16_t)v;
	return 0;
}

/* "[::1%eth0]", and RFC 6874's "%25eth0" for the same. */
static int
parse_literal(struct bytes in, struct uri *ret, struct error *e)
{
	char *zone;
	int rc = copy_part(ret->host, sizeof(ret->host), in, "host", e);

	if (rc < 0)
		return rc;
	zone = strchr(ret->host, '%');
	if (zone && strncmp(zone, "%25", 3) == 0 && zone[3])
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
	return 0;
}

static int
parse_authority(struct bytes in, struct uri *ret, struct error *e)
{
	const uint8_t *end;
	struct bytes port;
	size_t n;

	if (in.n > 0 && memchr(in.p, '@', in.n)) {
		error_set(e, "a coap URI has no user information");
		return -EINVAL;
	}
	if (in.n > 0 && in.p[0] == '[') {
		if ((end = memchr(in.p, ']', in.n)) == NULL) {
			error_set(e, "']' is missing after the address");
			return -EINVAL;
		}
		n = (size_t)(end - in.p) + 1;
		if (parse_literal(bytes_of(in.p + 1, n - 2), ret, e) < 0)
			return -EINVAL;
	} else {
		end = in.n > 0 ? memchr(in.p, ':', in.n) : NULL;
		n = end ? (size_t)(end - in.p) : in.n;
		if (copy_part(ret->host, sizeof(ret->host), bytes_head(in, n), "host", e) < 0)
			return -EINVAL;
	}
	if (ret->host[0] == '\0') {
		error_set(e, "the URI has no host");
		return -EINVAL;
	}
	port = bytes_from(in, n);
	if (port.n > 0 && port.p[0] != ':') {
		error_set(e, "a colon and the port follow an address, not \"%.*s\"",
			(int)(port.n < 20 ? port.n : 20), (const char *)port.p);
		return -EINVAL;
	}
	return parse_port(bytes_from(port, 1), &ret->port, e);
}

static int
parse_part(struct bytes in, char *ret, const char *what, struct error *e)
{
	uint8_t space[URI_PART_MAX + 1];
	struct buf plain = BUF_OF(space);
	int rc = copy_part(ret, URI_PART_MAX + 1, in, what, e);

	if (rc < 0)
		return rc;
	if (target_unescape(in, &plain) < 0) {
		error_set(e, "the %s of the URI has a '%%' without two hex digits", what);
		return -EINVAL;
	}
	/* RFC 7252 6.4: what becomes an option is text. */
	if (!cborget_is_utf8(buf_bytes(&plain)) || memchr(space, '\0', plain.n)) {
		error_set(e, "the %s of the URI is no UTF-8 text", what);
		return -EINVAL;
	}
	return 0;
}

/* RFC 7252 5.10.1: what becomes one Uri-Path or Uri-Query. The escapes are sound. */
static int
check_pieces(const char *part, char separator, const char *what, struct error *e)
{
	size_t n = 0;

	for (const char *p = part; *p; p++) {
		n = *p == separator ? 0 : n + 1;
		if (*p == '%')
			p += 2;
		if (n > OPTION_MAX) {
			error_set(e, "%s has more than %d bytes", what, OPTION_MAX);
			return -EINVAL;
		}
	}
	return 0;
}

int
uri_check_path(const char *path, struct error *e)
{
	return check_pieces(path, '/', "a segment", e);
}

int
uri_parse(const char *text, struct uri *ret, struct error *e)
{
	struct uri u = {.port = 0};
	const char *authority = parse_scheme(text, &u, e), *path, *query;

	if (!authority)
		return -EINVAL;
	if (strchr(text, '#')) {
		error_set(e, "a coap URI has no fragment ('#' is written %%23)");
		return -EINVAL;
	}
	path = authority + strcspn(authority, "/?");
	query = path + strcspn(path, "?");
	if (parse_authority(bytes_of(authority, (size_t)(path - authority)), &u, e) < 0 ||
		parse_part(bytes_of(path, (size_t)(query - path)), u.path, "path", e) < 0)
		return -EINVAL;
	if (strcmp(u.path, "/") == 0)
		u.path[0] = '\0';
	if (*query && (parse_part(bytes_str(query + 1), u.query, "query", e) < 0 ||
			      check_pieces(u.query, '&', "an argument of the query", e) < 0))
		return -EINVAL;
	*ret = u;
	return 0;
}
