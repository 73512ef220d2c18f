/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/confcheck.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define DTLS_PORT 5684

#define PATH_SIZE 128

static const char *
path_of(char out[PATH_SIZE], const char *list, size_t i, const char *key)
{
	if (!list)
		snprintf(out, PATH_SIZE, "%s", key);
	else
		snprintf(out, PATH_SIZE, "%s[%zu]%s%s", list, i, key ? "." : "", key ? key : "");
	return out;
}

int
confcheck_fail(const struct conf *c, struct error *e, const char *list, size_t i, const char *key,
	const char *why)
{
	char path[PATH_SIZE];
	struct schema_place at = schema_near(c->doc, path_of(path, list, i, key));

	schema_error(e, &at, path, why);
	return -EINVAL;
}

void
confcheck_note(struct conf *c, enum log_level level, const char *list, size_t i, const char *key,
	const char *why)
{
	struct arena *a = &c->doc->arena;
	struct error text;

	confcheck_fail(c, &text, list, i, key, why);
	c->notes = arena_grow(a, c->notes, c->n_notes, sizeof(*c->notes));
	c->notes[c->n_notes++] =
		(struct conf_note){.level = level, .text = arena_str(a, bytes_str(text.text))};
}

/* Absent ones first, then by content, then in the order of the file. */
static int
compare_unique(const void *a, const void *b)
{
	const struct confcheck_unique *x = a, *y = b;
	int by_key;

	if (!x->key.p || !y->key.p)
		return (x->key.p != NULL) - (y->key.p != NULL);
	by_key = bytes_compare(x->key, y->key);
	return by_key ? by_key : (x->i > y->i) - (x->i < y->i);
}

int
confcheck_twice(const struct conf *c, struct error *e, struct confcheck_unique *u, size_t n,
	const char *list, const char *name)
{
	struct error why;

	if (n)
		qsort(u, n, sizeof(*u), compare_unique);
	for (size_t i = 1; i < n; i++) {
		if (!u[i - 1].key.p || !bytes_equal(u[i - 1].key, u[i].key))
			continue;
		error_set(
			&why, "is the same as %s%s[%zu]", name ? "that of " : "", list, u[i - 1].i);
		return confcheck_fail(c, e, list, u[i].i, name, why.text);
	}
	return 0;
}

static int
check_limits(struct conf *c, struct error *e)
{
	if (c->broker.limits.payload_bytes > c->broker.limits.memory_bytes)
		return confcheck_fail(c, e, NULL, 0, "broker.limits.payload",
			"must not be more than broker.limits.memory");
	return 0;
}

static int
check_listen(struct conf *c, struct error *e)
{
	struct confcheck_unique *u = mem_alloc((c->n_listen + 1) * sizeof(*u));
	int rc;

	for (size_t i = 0; i < c->n_listen; i++)
		u[i] = (struct confcheck_unique){bytes_of(&c->listen[i], sizeof(c->listen[i])), i};
	rc = confcheck_twice(c, e, u, c->n_listen, "listen", NULL);
	free(u);
	return rc;
}

/* RFC 7252 12.8: 224.0.1.187 and ff0x::fd, in whatever scope. */
static bool
is_all_coap_nodes(const struct addr *a)
{
	static const uint8_t v4[4] = {224, 0, 1, 187};
	static const uint8_t zero[13] = {0};

	if (a->family == AF_INET)
		return memcmp(a->ip, v4, sizeof(v4)) == 0;
	return a->ip[0] == 0xff && (a->ip[1] & 0xf0) == 0 && a->ip[15] == 0xfd &&
	       memcmp(a->ip + 2, zero, sizeof(zero)) == 0;
}

/* Clients elsewhere could not use it, and informative responses must not have
 * it inside (draft-ietf-core-observe-multicast-notifications). 224.0.0.0/24, ff01::/16
 * and ff02::/16, the latter with every combination of flags. */
static bool
stays_on_link(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->ip[0] == 224 && a->ip[1] == 0 && a->ip[2] == 0;
	return (a->ip[1] & 0x0f) <= 2;
}

static const char *
address_fault(const struct addr *a)
{
	if (!addr_is_multicast(a))
		return "must be a multicast address";
	if (is_all_coap_nodes(a))
		return "must not be an All-CoAP-Nodes address";
	if (stays_on_link(a))
		return "must not be of host or link-local scope";
	return NULL;
}

static const char *
source_fault(const struct conf_group *g)
{
	const struct addr *s = &g->source;

	if (s->family == AF_UNSPEC)
		return NULL;
	if (s->family != g->address.family)
		return "must be of the address family of the group";
	if (addr_is_multicast(s) || addr_is_any(s))
		return "must be an address of this host";
	return addr_is_link_local(s) ? "must not be link-local" : NULL;
}

static int
check_members(struct conf *c, struct error *e, size_t i)
{
	const struct conf_group *g = &c->groups[i];
	char key[40];

	for (size_t j = 0; j < g->n_members; j++) {
		if (g->members[j].base.family == g->address.family)
			continue;
		snprintf(key, sizeof(key), "members[%zu]", j);
		return confcheck_fail(
			c, e, "groups", i, key, "must be of the address family of the group");
	}
	return 0;
}

static int
check_group(struct conf *c, struct error *e, size_t i)
{
	struct conf_group *g = &c->groups[i];
	const char *fault = address_fault(&g->address);

	if (fault)
		return confcheck_fail(c, e, "groups", i, "address", fault);
	/* groupcomm-bis 3.4: "MUST NOT be used for any CoAP group communication". */
	if (g->port == DTLS_PORT)
		return confcheck_fail(
			c, e, "groups", i, "port", "must not be 5684, which is that of DTLS");
	g->address.port = (uint16_t)g->port;
	fault = source_fault(g);
	if (fault)
		return confcheck_fail(c, e, "groups", i, "source", fault);
	if (g->max_age_ms % 1000 != 0)
		return confcheck_fail(c, e, "groups", i, "max-age", "must be whole seconds");
	if (g->min_interval_ms >= g->max_age_ms)
		return confcheck_fail(
			c, e, "groups", i, "min-interval", "must be less than max-age");
	if (g->cancel_below > g->threshold)
		return confcheck_fail(
			c, e, "groups", i, "cancel-below", "must not be more than threshold");
	return check_members(c, e, i);
}

static int
check_groups(struct conf *c, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_groups && rc == 0; i++)
		rc = check_group(c, e, i);
	return rc;
}

/* One address and port twice on one interface: nobody could tell whose tokens
 * are whose. */
static struct bytes
group_endpoint(struct conf *c, const struct conf_group *g)
{
	char text[ADDR_STRLEN];

	return bytes_str(arena_printf(
		&c->doc->arena, "%s %s", addr_format(&g->address, text), g->interface));
}

static int
check_groups_differ(struct conf *c, struct error *e)
{
	struct confcheck_unique *u = mem_alloc((c->n_groups + 1) * sizeof(*u));
	int rc;

	for (size_t i = 0; i < c->n_groups; i++)
		u[i] = (struct confcheck_unique){bytes_str(c->groups[i].name), i};
	rc = confcheck_twice(c, e, u, c->n_groups, "groups", "name");
	for (size_t i = 0; i < c->n_groups; i++)
		u[i] = (struct confcheck_unique){group_endpoint(c, &c->groups[i]), i};
	if (rc == 0)
		rc = confcheck_twice(c, e, u, c->n_groups, "groups", "address");
	free(u);
	return rc;
}

static const struct conf_oscore_group *
oscore_group_named(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_oscore_groups; i++)
		if (strcmp(c->oscore_groups[i].name, name) == 0)
			return &c->oscore_groups[i];
	return NULL;
}

static int
resolve_groups(struct conf *c, struct error *e)
{
	for (size_t i = 0; i < c->n_groups; i++) {
		struct conf_group *g = &c->groups[i];

		if (!g->oscore)
			continue;
		g->oscore_group = oscore_group_named(c, g->oscore);
		if (!g->oscore_group)
			return confcheck_fail(c, e, "groups", i, "oscore",
				"must be the name of one of oscore-groups");
		if (g->oscore_group->managed == CONF_MANAGED_SELF &&
			g->informative_response == CONF_INFORM_SEED)
			return confcheck_fail(c, e, "groups", i, "informative-response",
				"the seed's cannot hold the keys of a self-managed group");
	}
	return 0;
}

static int
check_topic(struct conf *c, struct error *e, size_t i)
{
	const struct conf_topic *t = &c->topics[i];

	if (!t->initialize.p)
		return 0;
	/* draft-ietf-core-coap-pubsub: initialize needs topic-content-format. */
	if (t->content_format == CONF_NO_FORMAT)
		return confcheck_fail(c, e, "topics", i, "initialize", "needs content-format too");
	if (t->initialize.n > c->broker.limits.payload_bytes)
		return confcheck_fail(c, e, "topics", i, "initialize",
			"must not be longer than broker.limits.payload");
	return 0;
}

static int
check_topics(struct conf *c, struct error *e)
{
	struct confcheck_unique *u = mem_alloc((c->n_topics + 1) * sizeof(*u));
	int rc = 0;

	for (size_t i = 0; i < c->n_topics && rc == 0; i++) {
		rc = check_topic(c, e, i);
		u[i] = (struct confcheck_unique){bytes_str(c->topics[i].name), i};
	}
	if (rc == 0)
		rc = confcheck_twice(c, e, u, c->n_topics, "topics", "name");
	free(u);
	if (rc == 0 && c->n_topics > c->broker.limits.topics)
		rc = confcheck_fail(
			c, e, NULL, 0, "topics", "must not be more than broker.limits.topics");
	return rc;
}

/* The option must be elective, not critical (RFC 7252 5.4.1), and nobody
 * else's: the even numbers of the CoAP Option Numbers registry. */
static bool
is_free_elective(uint32_t number)
{
	static const uint16_t taken[] = {4, 6, 8, 12, 14, 16, 20, 28, 60, 252, 258, 292};

	if (number % 2 != 0)
		return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (number == taken[i])
			return false;
	return true;
}

static int
check_protocol(struct conf *c, struct error *e)
{
	const struct conf_protocol *p = &c->protocol;

	if (!is_free_elective(p->feedback_divider_option))
		return confcheck_fail(c, e, NULL, 0, "protocol.feedback-divider-option",
			"must be an even number that no other option has");
	if (p->informative_response_format == p->topic_format)
		return confcheck_fail(c, e, NULL, 0, "protocol.informative-response-format",
			"must not be the same as topic-format");
	return 0;
}

/* A dual-stack [::] serves both families. */
static bool
is_served(const struct conf *c, uint8_t family)
{
	for (size_t i = 0; i < c->n_listen; i++) {
		const struct conf_listen *l = &c->listen[i];

		if (l->scheme == CONF_COAP &&
			(l->addr.family == family ||
				(l->addr.family == AF_INET6 && addr_is_any(&l->addr))))
			return true;
	}
	return false;
}

static void
note_group(struct conf *c, size_t i)
{
	const struct conf_group *g = &c->groups[i];
	bool v4 = g->address.family == AF_INET;

	if (!g->members)
		confcheck_note(c, LOG_LEVEL_NOTICE, "groups", i, "members",
			v4 ? "absent, every IPv4 client may be moved"
			   : "absent, every IPv6 client may be moved");
	if (g->informative_response == CONF_INFORM_SEED && g->port != 5683)
		confcheck_note(c, LOG_LEVEL_WARNING, "groups", i, "port",
			"clients that understand seed alone expect 5683");
	if (!is_served(c, g->address.family))
		confcheck_note(c, LOG_LEVEL_WARNING, "groups", i, "address",
			"no coap:// address of listen is of its family");
	if (!v4 && strcmp(g->interface, "lo") == 0)
		confcheck_note(c, LOG_LEVEL_WARNING, "groups", i, "interface",
			"IPv6 multicast is not delivered on lo");
}

int
confcheck_all(struct conf *c, struct error *e)
{
	static int (*const checks[])(struct conf * c, struct error * e) = {
		check_limits,
		check_listen,
		confcheck_security,
		check_groups,
		check_groups_differ,
		resolve_groups,
		check_topics,
		check_protocol,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && rc == 0; i++)
		rc = checks[i](c, e);
	for (size_t i = 0; i < c->n_groups && rc == 0; i++)
		note_group(c, i);
	return rc;
}
