/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/discovery.h"
#include "transport/netlink.h"

/* An interface that the configuration names. */
struct known {
	struct known *next;
	char *name;
	struct netif was; /* when it was looked at last */
};

struct network {
	struct netlink *netlink; /* NULL: changes cannot be watched */
	uv_timer_t grace; /* since an address was missed first */
	void (*on_change)(void *ctx);
	void *ctx;
	struct known *known;
	bool missing; /* an address was, when it was looked at last */
	bool overdue; /* for the whole grace */
};

static void
on_grace(uv_timer_t *t)
{
	struct network *n = t->data;

	n->overdue = true;
	n->on_change(n->ctx);
}

static void
on_netlink(void *ctx)
{
	struct network *n = ctx;

	n->on_change(n->ctx);
}

struct network *
network_new(uv_loop_t *loop, void (*on_change)(void *ctx), void *ctx)
{
	struct network *n = mem_alloc(sizeof(*n));
	struct error e;

	n->on_change = on_change;
	n->ctx = ctx;
	(void)uv_timer_init(loop, &n->grace);
	n->grace.data = n;
	if (netlink_open(loop, on_netlink, n, &e, &n->netlink) < 0)
		log_warning("network: %s", e.text);
	return n;
}

static void
on_closed(uv_handle_t *h)
{
	struct network *n = h->data;
	struct known *k, *next;

	for (k = n->known; k; k = next) {
		next = k->next;
		free(k->name);
		free(k);
	}
	free(n);
}

void
network_close(struct network *n)
{
	if (!n)
		return;
	netlink_close(n->netlink);
	uv_close((uv_handle_t *)&n->grace, on_closed);
}

static struct known *
find(struct network *n, const char *name)
{
	struct known *k = n->known;

	while (k && strcmp(k->name, name) != 0)
		k = k->next;
	return k;
}

static void
know(struct network *n, const char *name)
{
	struct known *k;

	if (find(n, name))
		return;
	k = mem_alloc(sizeof(*k));
	k->name = mem_alloc(strlen(name) + 1);
	memcpy(k->name, name, strlen(name));
	k->was = netlink_interface(name);
	k->next = n->known;
	n->known = k;
}

/* All that the configuration names, which a reload may have changed. */
static void
know_all(struct network *n, const struct network_view *v)
{
	for (size_t i = 0; i < v->conf->n_groups; i++)
		know(n, v->conf->groups[i].interface);
	for (size_t i = 0; i < v->boot->n_discovery_interfaces; i++)
		know(n, v->boot->discovery_interfaces[i]);
}

/* What the log says of it; whether it is good again, or another one of that name. */
static bool
is_back(const struct known *k, const struct netif *now)
{
	if (now->ifindex == 0) {
		if (k->was.ifindex != 0)
			log_notice("network: interface is gone name=%s", k->name);
		return false;
	}
	if (!now->up) {
		if (k->was.up)
			log_notice("network: interface is down name=%s", k->name);
		return false;
	}
	if (k->was.up && k->was.ifindex == now->ifindex)
		return false;
	log_notice("network: interface is up name=%s index=%u", k->name, (unsigned)now->ifindex);
	return true;
}

/* Groups by name: they send where their interface is now, and not at all while there is none. */
static void
reroute(const struct network_view *v, const struct known *k, const struct netif *now, bool again)
{
	for (size_t i = 0; i < v->conf->n_groups; i++) {
		struct broker_group *g = &v->plan->groups[i];

		if (strcmp(v->conf->groups[i].interface, k->name) != 0 ||
			(g->ifindex == now->ifindex && !again))
			continue;
		g->ifindex = now->ifindex;
		broker_reroute(v->broker, g, again);
	}
}

static void
look(struct network *n, const struct network_view *v)
{
	for (struct known *k = n->known; k; k = k->next) {
		struct netif now = netlink_interface(k->name);
		bool again;

		if (n->netlink && k->was.ifindex && netlink_has_lost(n->netlink, k->was.ifindex)) {
			discovery_forget(v->udp, k->was.ifindex);
			if (now.ifindex != 0)
				k->was.up = false;
		}
		again = is_back(k, &now);
		reroute(v, k, &now, again);
		k->was = now;
	}
}

/* A walk over group observations: most have the same few server addresses. */
struct search {
	const struct network *n;
	const struct network_view *v;
	struct addr last; /* that was looked up */
	bool last_is_ours;
	bool found;
};

static bool
is_up(const struct search *s, const struct broker_group *group)
{
	const struct known *k;
	size_t i = (size_t)(group - s->v->plan->groups);

	for (k = s->n->known; k; k = k->next) {
		if (strcmp(k->name, s->v->conf->groups[i].interface) == 0)
			return k->was.up;
	}
	return false;
}

/* Its server address is none of ours, and not because its interface is down. */
static bool
is_homeless(void *ctx, const struct group_observation *g)
{
	const struct addr *source = group_source(g);
	struct search *s = ctx;

	if (source->family == AF_UNSPEC || !is_up(s, group_conf(g)))
		return false;
	if (!addr_same_host(source, &s->last)) {
		s->last = *source;
		s->last_is_ours = netlink_is_ours(source);
	}
	return !s->last_is_ours;
}

static void
search(void *ctx, const struct group_observation *g)
{
	struct search *s = ctx;

	s->found = s->found || is_homeless(s, g);
}

/* What was published while the address was gone reached nobody: it is repeated. */
static void
repeat_all(const struct network_view *v)
{
	for (size_t i = 0; i < v->conf->n_groups; i++)
		broker_reroute(v->broker, &v->plan->groups[i], true);
}

static void
look_for_addresses(struct network *n, const struct network_view *v)
{
	struct search s = {.n = n, .v = v};
	unsigned n_cancelled;

	broker_each_group(v->broker, search, &s);
	if (s.found && n->overdue) {
		n_cancelled = broker_cancel_groups(v->broker, is_homeless, &s);
		log_notice("network: the address of group observations is gone, cancelled=%u",
			n_cancelled);
		s.found = false;
	} else if (s.found && !n->missing) {
		log_notice("network: the address of group observations is gone, waiting for it");
		(void)uv_timer_start(&n->grace, on_grace, NETWORK_GRACE_MS, 0);
	} else if (!s.found && n->missing) {
		log_notice("network: the address of group observations is back");
		repeat_all(v);
	}
	if (!s.found)
		(void)uv_timer_stop(&n->grace);
	n->missing = s.found;
	n->overdue = false;
}

void
network_follow(struct network *n, const struct network_view *v)
{
	know_all(n, v);
	look(n, v);
	discovery_follow(v->udp, v->boot->discovery_interfaces, v->boot->n_discovery_interfaces);
	look_for_addresses(n, v);
}
