/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/qualify.h"

#include "broker/broker_impl.h"
#include "wire/option.h"

bool
pattern_matches(const char *pattern, struct bytes name)
{
	const char *star = NULL;
	size_t at = 0, mark = 0;

	/* Iterative: on a mismatch the last star takes one character more. */
	while (at < name.n) {
		if (*pattern == '*') {
			star = ++pattern;
			mark = at;
		} else if ((uint8_t)*pattern == name.p[at] && *pattern) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star;
			at = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool
serves(const struct broker_group *g, const struct topic *t)
{
	for (size_t i = 0; i < g->n_patterns; i++) {
		if (pattern_matches(g->patterns[i], bytes_str(t->name)))
			return true;
	}
	return false;
}

bool
qualify_source(const struct broker_group *g, const struct addr *local)
{
	return g->source.family == AF_UNSPEC ||
	       (addr_same_host(&g->source, local) &&
		       (g->source.port == 0 || g->source.port == local->port));
}

static bool
admits(const struct broker_group *g, const struct path *way)
{
	if (!qualify_source(g, &way->local))
		return false;
	if (!g->members)
		return true;
	for (size_t i = 0; i < g->n_members; i++) {
		if (prefix_holds(&g->members[i], &way->remote))
			return true;
	}
	return false;
}

/* fec0::/10: deprecated, and still not to be told to others. */
static bool
is_site_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0xc0;
}

/* product.md "Who is moved": the protected to where it is protected, others elsewhere. */
static bool
is_as_secure(const struct broker_group *g, const struct request *r)
{
	return !g->security == !request_is_protected(r);
}

bool
qualify_local(const struct broker *b, const struct request *r, struct local *ret)
{
	if (r->way->transport == PATH_UDP) {
		*ret = *r->peer->local;
		return true;
	}
	*ret = (struct local){.socket = 0};
	return r->way->transport == PATH_DTLS && b->ops->udp_local &&
	       b->ops->udp_local(b->ctx, r->way, &ret->addr, &ret->socket);
}

const struct broker_group *
qualify_topic(const struct broker *b, const struct topic *t, int family)
{
	for (size_t i = 0; i < b->conf.n_groups; i++) {
		const struct broker_group *g = &b->conf.groups[i];

		if (g->address.family == family && serves(g, t))
			return g;
	}
	return NULL;
}

const struct broker_group *
qualify_group(const struct broker *b, const struct topic *t, const struct request *r)
{
	const struct path *way = r->way;
	const struct broker_group *g;

	/* Section 4.2: never with link-local source or destination addresses, nor site-local inside. */
	if (addr_is_link_local(&way->remote) || addr_is_link_local(&way->local) ||
		is_site_local(&way->local))
		return NULL;
	/* Who is on a stream is served there. */
	if (way->transport != PATH_UDP && way->transport != PATH_DTLS)
		return NULL;
	g = qualify_topic(b, t, way->remote.family);
	return g && g->ifindex != 0 && is_as_secure(g, r) && admits(g, way) ? g : NULL;
}

/* Options that do not make a registration differ from the phantom: wire.md, step 5. */
static bool
is_immaterial(const struct opt *o)
{
	static const uint16_t numbers[] = {OPT_URI_HOST, OPT_URI_PORT, OPT_URI_PATH, OPT_OBSERVE,
		OPT_ETAG, OPT_HOP_LIMIT, OPT_SIZE2, OPT_ECHO, OPT_NO_RESPONSE, OPT_REQUEST_TAG};
	struct block block;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (o->number == numbers[i])
			return true;
	}
	if (o->number == option_feedback_divider())
		return true;
	/* The largest block size is what it would get anyway. */
	return o->number == OPT_BLOCK2 && block_decode(o, &block) == 0 && block.num == 0 &&
	       block.szx == BLOCK_SZX_MAX;
}

bool
qualify_observer(const struct request *r)
{
	/* Asked by broadcast: the server address would be none. */
	return qualify_request(r->msg) && !addr_is_any(&r->way->local) &&
	       request_wants(r, CODE_UNAVAILABLE);
}

bool
qualify_request(const struct msg *request)
{
	for (uint8_t i = 0; i < request->n_opts; i++) {
		if (!is_immaterial(&request->opts[i]))
			return false;
	}
	return request->payload.n == 0;
}
