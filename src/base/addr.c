/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>

size_t
addr_ip_len(const struct addr *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

struct bytes
addr_ip(const struct addr *a)
{
	return bytes_of(a->ip, addr_ip_len(a));
}

bool
addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_host(a, b);
}

/* The finalizer of a 64-bit multiplicative hash: cheap, and keyed by a seed. */
static uint64_t
stir(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

uint32_t
addr_hash(const struct addr *a, uint32_t seed)
{
	uint64_t lo, hi, h;

	memcpy(&lo, a->ip, 8);
	memcpy(&hi, a->ip + 8, 8);
	h = stir(seed, lo);
	h = stir(h, hi);
	h = stir(h, ((uint64_t)a->scope << 32) | ((uint32_t)a->port << 8) | a->family);
	return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

bool
addr_is_multicast(const struct addr *a)
{
	if (a->family == AF_INET)
		return (a->ip[0] & 0xf0) == 0xe0;
	return a->family == AF_INET6 && a->ip[0] == 0xff;
}

bool
addr_is_link_local(const struct addr *a)
{
	const uint8_t *p = a->ip;

	if (a->family == AF_INET)
		return (p[0] == 169 && p[1] == 254) || (p[0] == 224 && p[1] == 0 && p[2] == 0);
	if (a->family != AF_INET6)
		return false;
	if (p[0] == 0xff)
		return (p[1] & 15) <= 2;
	return p[0] == 0xfe && (p[1] & 0xc0) == 0x80;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == AF_INET)
		return a->ip[0] == 127;
	return a->family == AF_INET6 && memcmp(a->ip, one, 16) == 0;
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, 16) == 0;
}

static int
parse_port(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	v = strtoul(text, &end, 10);
	if (*end || v > 65535)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

/* Splits text into host and optional port text; false when brackets do not match. */
static bool
split_port(const char *text, char *host, size_t cap, const char **ret_port)
{
	const char *start = text, *end, *colon = strchr(text, ':');

	*ret_port = NULL;
	if (*text == '[') {
		start++;
		end = strchr(start, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*ret_port = end[1] ? end + 2 : NULL;
	} else if (colon && !strchr(colon + 1, ':')) {
		end = colon;
		*ret_port = colon + 1;
	} else {
		end = text + strlen(text);
	}
	if ((size_t)(end - start) >= cap)
		return false;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	return true;
}

static int
parse_scope(const char *name, uint32_t *ret)
{
	uint32_t index = if_nametoindex(name);
	char *end;

	if (index == 0) {
		index = (uint32_t)strtoul(name, &end, 10);
		if (*name < '0' || *name > '9' || *end || index == 0)
			return -EINVAL;
	}
	*ret = index;
	return 0;
}

/* IPv4 is IPv4 here, also when it is written as IPv6 sees it. */
static void
unmap(struct addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->family != AF_INET6 || memcmp(a->ip, mapped, sizeof(mapped)) != 0)
		return;
	a->family = AF_INET;
	memcpy(a->ip, a->ip + 12, 4);
	memset(a->ip + 4, 0, 12);
}

int
addr_parse(const char *text, uint16_t port, struct addr *ret)
{
	struct addr a = {.port = port};
	char host[ADDR_STRLEN], *zone;
	const char *port_text;

	if (!split_port(text, host, sizeof(host), &port_text))
		return -EINVAL;
	if (port_text && parse_port(port_text, &a.port) < 0)
		return -EINVAL;
	if ((zone = strchr(host, '%')) != NULL) {
		*zone++ = '\0';
		if (parse_scope(zone, &a.scope) < 0)
			return -EINVAL;
	}
	if (inet_pton(AF_INET, host, a.ip) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, host, a.ip) == 1)
		a.family = AF_INET6;
	else
		return -EINVAL;
	if ((a.family == AF_INET && (zone || *text == '[')) || (zone && !addr_is_link_local(&a)))
		return -EINVAL;
	unmap(&a);
	*ret = a;
	return 0;
}

const char *
addr_format_host(const struct addr *a, char out[ADDR_STRLEN])
{
	char zone[IF_NAMESIZE + 1] = "%";
	struct buf b = buf_of(out, ADDR_STRLEN);
	char ip[INET6_ADDRSTRLEN];

	if (addr_ip_len(a) == 0 || !inet_ntop(a->family, a->ip, ip, sizeof(ip)))
		return strcpy(out, "-");
	buf_put_str(&b, ip);
	if (a->scope && if_indextoname(a->scope, zone + 1))
		buf_put_str(&b, zone);
	else if (a->scope)
		buf_printf(&b, "%%%u", a->scope);
	return buf_str(&b);
}

const char *
addr_format(const struct addr *a, char out[ADDR_STRLEN])
{
	char host[ADDR_STRLEN];
	struct buf b = buf_of(out, ADDR_STRLEN);

	addr_format_host(a, host);
	buf_printf(&b, a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, a->port);
	return buf_str(&b);
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ret)
{
	if (a->family == AF_INET) {
		struct sockaddr_in *s = (struct sockaddr_in *)ret;

		memset(s, 0, sizeof(*s));
		s->sin_family = AF_INET;
		s->sin_port = htons(a->port);
		memcpy(&s->sin_addr, a->ip, 4);
		return sizeof(*s);
	}
	if (a->family == AF_INET6) {
		struct sockaddr_in6 *s = (struct sockaddr_in6 *)ret;

		memset(s, 0, sizeof(*s));
		s->sin6_family = AF_INET6;
		s->sin6_port = htons(a->port);
		s->sin6_scope_id = a->scope;
		memcpy(&s->sin6_addr, a->ip, 16);
		return sizeof(*s);
	}
	return 0;
}

static void
from_in6(const struct sockaddr_in6 *s, struct addr *ret)
{
	*ret = (struct addr){.family = AF_INET6, .port = ntohs(s->sin6_port)};
	memcpy(ret->ip, &s->sin6_addr, 16);
	unmap(ret);
	/* The kernel fills the scope in for link-local addresses only. */
	if (addr_is_link_local(ret))
		ret->scope = s->sin6_scope_id;
}

bool
addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		*ret = (struct addr){.family = AF_INET, .port = ntohs(in.sin_port)};
		memcpy(ret->ip, &in.sin_addr, 4);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		from_in6(&in6, ret);
		return true;
	}
	return false;
}

/* Whether the first `bits` of two addresses of one family agree. */
static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

int
prefix_parse(const char *text, struct prefix *ret)
{
	char host[ADDR_STRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix p = {.bits = 0};
	uint16_t bits;

	if (n >= sizeof(host) || memchr(text, '[', n))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, 0, &p.base) < 0 || p.base.scope != 0)
		return -EINVAL;
	/* No port: it would read as one of the block's. An IPv4 block is written as IPv4. */
	if (p.base.family == AF_INET && strchr(host, ':'))
		return -EINVAL;
	bits = (uint16_t)(addr_ip_len(&p.base) * 8);
	if (slash) {
		uint16_t most = bits;

		if (parse_port(slash + 1, &bits) < 0 || bits > most)
			return -EINVAL;
	}
	p.bits = (uint8_t)bits;
	for (unsigned i = 0; i < 16; i++) {
		unsigned at = i * 8;

		if (at >= p.bits)
			p.base.ip[i] = 0;
		else if (p.bits - at < 8)
			p.base.ip[i] &= (uint8_t)(0xff << (8 - (p.bits - at)));
	}
	*ret = p;
	return 0;
}

bool
prefix_holds(const struct prefix *p, const struct addr *a)
{
	return p->base.family == a->family && same_bits(p->base.ip, a->ip, p->bits);
}

const char *
prefix_format(const struct prefix *p, char out[ADDR_STRLEN])
{
	char host[ADDR_STRLEN];
	struct buf b = buf_of(out, ADDR_STRLEN);

	addr_format_host(&p->base, host);
	buf_printf(&b, "%s/%u", host, p->bits);
	return buf_str(&b);
}
