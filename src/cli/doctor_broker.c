/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of doctor.h that asks a broker, and listens to its groups. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/diagnosis.h"
#include "cli/doctor.h"
#include "cli/probe.h"
#include "cli/survey.h"
#include "transport/sock.h"

#define WATCHED_MAX 64 /* group observations that are looked at */
#define PATIENCE_MS 10000 /* for a notification, without -W */
#define LATE_MS 500 /* for one that the broker says it has sent */
#define DATAGRAM_MAX 4096

/* A group observation, and the socket that hears it. */
struct watched {
	char *path; /* of its topic; owned */
	struct survey_group group;
	struct sock sock; /* fd -1: it could not be joined, or another one has it */
};

struct visit {
	struct connection *c;
	const struct doctor_host *host;
	struct findings *all;
	struct watched watched[WATCHED_MAX];
	unsigned n;
	unsigned n_open; /* sockets */
};

/* True as long as asking on makes sense. */
static bool
look_at(struct visit *v, const struct survey_data *data, const char *path)
{
	struct watched *w = &v->watched[v->n];
	const struct survey_datum *d;
	enum survey_found found;
	struct props p;

	if ((found = survey_topic(v->c, path, &p)) != SURVEY_FOUND)
		return found != SURVEY_SILENT;
	d = survey_find_data(data, p.data);
	if (!d || !d->may_move)
		return true;
	if ((found = survey_group(v->c, path, &w->group)) != SURVEY_FOUND)
		return found != SURVEY_SILENT;
	w->path = mem_strdup(path);
	w->sock.fd = -1;
	v->n++;
	return v->n < WATCHED_MAX;
}

/* Its group observations, those of one topic or of all. */
static enum cli_exit
find_groups(struct visit *v)
{
	struct survey_paths paths = {.n = 0};
	struct survey_data data = {.n = 0};
	enum cli_exit rc = survey_meant(v->c, &paths);

	if (rc == CLI_OK)
		rc = survey_data(v->c, &data);
	for (size_t i = 0; rc == CLI_OK && i < paths.n; i++)
		if (!look_at(v, &data, paths.path[i]))
			break;
	survey_free_list(&paths);
	survey_free_data(&data);
	return rc;
}

static void
tell_challenges(struct visit *v)
{
	unsigned n = session_challenges(endpoint_session(v->c->ep));

	if (v->c->uri.scheme != URI_COAP)
		return;
	if (n > 0)
		finding_ok(v->all, "echo",
			"the broker wanted to see that we are where we say, "
			"and saw it");
	else
		finding_ok(v->all, "echo", "the broker did not ask whether we are where we say");
}

/* --- groups ------------------------------------------------------------------------- */

static bool
is_same_way(const struct survey_group *a, const struct survey_group *b)
{
	return addr_equal(&a->group, &b->group) && addr_equal(&a->server, &b->server);
}

/* The one that has the socket for this one too. */
static struct watched *
find_joined(struct visit *v, const struct watched *w)
{
	for (struct watched *o = v->watched; o < w; o++)
		if (is_same_way(&o->group, &w->group))
			return o;
	return NULL;
}

static void
join(struct visit *v, struct watched *w)
{
	const struct survey_group *g = &w->group;
	const struct hostfacts *f = &v->host->facts;
	char at[ADDR_STRLEN], from[ADDR_STRLEN];
	struct error e;

	if (find_joined(v, w))
		return;
	if (g->group.family == f->family)
		diagnosis_rp_filter(v->all, f, &g->server, hostfacts_way_to(&g->server));
	if (sock_join(&g->group, &g->server, f->ifindex, &e, &w->sock) < 0) {
		w->sock.fd = -1;
		finding_fail(v->all, CLI_NO_MULTICAST, "groups", "look at the limits above", "%s",
			e.text);
		return;
	}
	v->n_open++;
	finding_ok(v->all, "groups", "%s can be joined for what %s sends",
		addr_format(&g->group, at), addr_format(&g->server, from));
}

/* --- notifications ------------------------------------------------------------------ */

/* Whether it is one of a group observation on that socket, and of which. */
static const struct watched *
recognize(const struct visit *v, const struct watched *at, const struct addr *from,
	struct bytes datagram)
{
	struct msg m;

	if (!addr_equal(from, &at->group.server) || msg_decode(datagram, &m) != MSG_OK)
		return NULL;
	for (unsigned i = 0; i < v->n; i++) {
		const struct watched *w = &v->watched[i];

		if (is_same_way(&w->group, &at->group) && token_equal(&w->group.token, &m.token))
			return w;
	}
	return NULL;
}

static const struct watched *
receive(const struct visit *v, const struct watched *at)
{
	uint8_t room[DATAGRAM_MAX];
	struct sockaddr_storage ss;
	socklen_t n_ss = sizeof(ss);
	struct addr from;
	ssize_t n = recvfrom(
		at->sock.fd, room, sizeof(room), MSG_DONTWAIT, (struct sockaddr *)&ss, &n_ss);

	if (n < 0 || !addr_from_sockaddr((struct sockaddr *)&ss, &from))
		return NULL;
	return recognize(v, at, &from, bytes_of(room, (size_t)n));
}

/* The first notification that comes within the time; NULL: none. */
static const struct watched *
listen_to_groups(struct visit *v, uint64_t patience_ms)
{
	struct pollfd fds[WATCHED_MAX];
	const struct watched *of[WATCHED_MAX], *heard = NULL;
	uint64_t end = uv_hrtime() / 1000000 + patience_ms, now;
	nfds_t n = 0;

	for (unsigned i = 0; i < v->n; i++) {
		if (v->watched[i].sock.fd < 0)
			continue;
		of[n] = &v->watched[i];
		fds[n++] = (struct pollfd){.fd = v->watched[i].sock.fd, .events = POLLIN};
	}
	while (!heard && (now = uv_hrtime() / 1000000) < end) {
		if (poll(fds, n, (int)(end - now)) <= 0)
			continue;
		for (nfds_t i = 0; !heard && i < n; i++)
			if (fds[i].revents)
				heard = receive(v, of[i]);
	}
	return heard;
}

/* What was sent before we were there is not missed. */
static void
start_from_now(struct visit *v)
{
	for (unsigned i = 0; i < v->n; i++) {
		struct watched *w = &v->watched[i];
		struct survey_group now;

		if (survey_group(v->c, w->path, &now) == SURVEY_FOUND &&
			is_same_way(&now, &w->group))
			w->group = now;
	}
}

/* The broker knows what it sent meanwhile: that of the first whose number went on. */
static const struct watched *
find_missed(struct visit *v)
{
	for (unsigned i = 0; i < v->n; i++) {
		const struct watched *w = &v->watched[i];
		const struct watched *joined = w->sock.fd >= 0 ? w : find_joined(v, w);
		struct survey_group now;

		if (!joined || joined->sock.fd < 0)
			continue;
		if (survey_group(v->c, w->path, &now) == SURVEY_FOUND && now.has_observe &&
			token_equal(&now.token, &w->group.token) && now.observe != w->group.observe)
			return w;
	}
	return NULL;
}

static bool
try_notification(struct visit *v)
{
	uint32_t wait = v->c->args->timeout_ms ? v->c->args->timeout_ms : PATIENCE_MS;
	const struct watched *w, *heard;
	char hint[FINDING_TEXT], rule[FINDING_TEXT];

	start_from_now(v);
	heard = listen_to_groups(v, wait);
	w = heard ? NULL : find_missed(v);
	/* One that was sent at the very end may be on its way. */
	if (w)
		heard = listen_to_groups(v, LATE_MS);
	if (heard) {
		finding_ok(v->all, "notification", "one of %s came by multicast", heard->path);
		return true;
	}
	if (!w) {
		finding_warn(v->all, "notification",
			"publish something meanwhile, or wait longer with -W",
			"the broker sent none within %u s, so nothing is known",
			(wait + 999) / 1000);
		return false;
	}
	(void)snprintf(hint, sizeof(hint),
		"%s%slook at switches with IGMP or MLD snooping but no "
		"querier, and at hops of the group in the broker",
		v->host->firewall.n > 0
			? diagnosis_mend_firewall(&v->host->facts, &v->host->firewall, rule)
			: "",
		v->host->firewall.n > 0 ? "; " : "");
	finding_fail(v->all, CLI_NO_MULTICAST, "notification", hint,
		"the broker sent one of %s meanwhile, which did not come", w->path);
	return false;
}

/* --- all of it ---------------------------------------------------------------------- */

static bool
visit_groups(struct visit *v)
{
	bool heard = false;

	if (v->n == 0) {
		finding_ok(v->all, "groups", "%s in no group observation now",
			v->c->uri.path[0] ? "the topic is" : "the topics of the broker are");
		return false;
	}
	for (unsigned i = 0; i < v->n; i++)
		join(v, &v->watched[i]);
	if (v->n_open > 0)
		heard = try_notification(v);
	for (unsigned i = 0; i < v->n; i++) {
		if (v->watched[i].sock.fd >= 0)
			sock_close(&v->watched[i].sock);
		free(v->watched[i].path);
	}
	return heard;
}

bool
doctor_ask_broker(struct connection *c, const struct doctor_host *host, struct findings *all)
{
	struct visit *v = mem_alloc(sizeof(*v));
	struct probe p;
	enum cli_exit rc;
	bool heard = false;

	*v = (struct visit){.c = c, .host = host, .all = all};
	rc = probe_run(c, &p);
	if (rc != CLI_OK) {
		finding_fail(all, rc, "broker", "look at the address and port, and for a firewall",
			"%s does not answer", c->text);
	} else {
		finding_ok(all, "broker", "%s answers in %u.%03u ms by %s, security %s", c->text,
			(unsigned)(p.rtt_us / 1000), (unsigned)(p.rtt_us % 1000), p.transport,
			p.security);
		rc = find_groups(v);
		if (rc == CLI_OK)
			tell_challenges(v);
		else
			finding_fail(
				all, rc, "broker", NULL, "%s does not tell of its topics", c->text);
		if (rc == CLI_OK)
			heard = visit_groups(v);
	}
	free(v);
	return heard;
}
