/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/confvalid.h"

#include <errno.h>
#include <net/if.h>

#include "conf/conf.h"

#define PORT_COAP 5683 /* RFC 7252 12.6 */
#define PORT_COAPS 5684 /* RFC 7252 12.7 */

static const struct {
	const char *prefix;
	enum conf_scheme scheme;
	uint16_t port;
} schemes[] = {
	{"coap://", CONF_COAP, PORT_COAP}, {"coaps://", CONF_COAPS, PORT_COAPS},
	{"coap+tcp://", CONF_COAP_TCP, PORT_COAP}, /* RFC 8323 8.1 */
	{"coaps+tcp://", CONF_COAPS_TCP, PORT_COAPS}, /* RFC 8323 8.2 */
};

#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

static int
parse_listen(const char *text, void *field, struct error *why)
{
	struct conf_listen *ret = field;
	struct addr a;
	size_t i, n = 0;

	for (i = 0; i < N_SCHEMES; i++) {
		n = strlen(schemes[i].prefix);
		if (strncmp(text, schemes[i].prefix, n) == 0)
			break;
	}
	if (i == N_SCHEMES) {
		error_set(why, "must start with coap://, coaps://, coap+tcp:// or coaps+tcp://");
		return -EINVAL;
	}
	if (addr_parse(text + n, schemes[i].port, &a) != 0 || a.port == 0 ||
		(text[n] != '[' && a.family == AF_INET6)) {
		error_set(why, "must have an address and maybe a port after %s, IPv6 in brackets",
			schemes[i].prefix);
		return -EINVAL;
	}
	if (addr_is_multicast(&a)) {
		error_set(why, "must not be a multicast address");
		return -EINVAL;
	}
	*ret = (struct conf_listen){.scheme = schemes[i].scheme, .addr = a};
	return 0;
}

static void
format_listen(const void *field, FILE *out)
{
	const struct conf_listen *l = field;
	char text[ADDR_STRLEN];

	fprintf(out, "\"%s%s\"", schemes[l->scheme].prefix, addr_format(&l->addr, text));
}

const struct schema_custom confvalid_listen = {
	.type = "listen URI",
	.parse = parse_listen,
	.format = format_listen,
};

/* The path of a resource, as it stands in a link: RFC 6690 needs no escapes for it. */
bool
confvalid_collection(const char *text, struct error *why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~/";
	size_t n = strlen(text);

	if (text[0] != '/' || n < 2 || text[n - 1] == '/' || strstr(text, "//")) {
		error_set(why, "must be a path such as /ps, without a slash at its end");
		return false;
	}
	if (text[strspn(text, allowed)] != '\0') {
		error_set(why, "must have letters, digits and -._~ between the slashes");
		return false;
	}
	if (strncmp(text, "/.", 2) == 0 || strstr(text, "/./") || strstr(text, "/../") ||
		strcmp(text + n - 2, "/.") == 0 || (n > 3 && strcmp(text + n - 3, "/..") == 0)) {
		error_set(why, "must not start with a dot or have . and .. in it");
		return false;
	}
	return true;
}

bool
confvalid_interface(const char *text, struct error *why)
{
	if (strlen(text) < IF_NAMESIZE && !strpbrk(text, "/: %") && strcmp(text, ".") != 0 &&
		strcmp(text, "..") != 0)
		return true;
	error_set(why, "must be the name of a network interface");
	return false;
}

/* "*" is a pattern's, and whoever comes unprotected is `anonymous`. */
bool
confvalid_identity(const char *text, struct error *why)
{
	if (!strchr(text, '*') && strcmp(text, "anonymous") != 0)
		return true;
	error_set(why, "must be a name without *, and not anonymous");
	return false;
}
