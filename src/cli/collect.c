/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct rest {
	struct rest *next;
	struct addr server;
	uint32_t ifindex;
	uint8_t n_kid;
	uint8_t kid[SUITE_MAX_ID]; /* who that is in an OSCORE group */
	size_t n;
	uint8_t first[]; /* the message with the first block */
};

const char *
collect_uri(const struct addr *server, char out[COLLECT_URI_MAX])
{
	char host[ADDR_STRLEN], port[8] = "";
	bool in6 = server->family == AF_INET6;

	addr_format_host(server, host);
	if (server->port != URI_PORT)
		(void)snprintf(port, sizeof(port), ":%u", server->port);
	(void)snprintf(out, COLLECT_URI_MAX, "coap://%s%s%s%s", in6 ? "[" : "", host,
		in6 ? "]" : "", port);
	return out;
}

/* Has enough been heard, or can nothing more be said? */
static void
check_end(struct collect *all)
{
	const struct args *a = all->c.args;

	if (all->written != CONNECTION_WRITTEN ||
		(a->count > 0 && all->n_shown + all->n_rests >= a->count))
		uv_stop(all->c.loop);
}

static void
show(struct collect *all, const struct addr *server, bool verified, int content_format,
	struct bytes body)
{
	struct answer a = {.server = server,
		.content_format = content_format,
		.verified = verified,
		.body = body};

	if (all->written == CONNECTION_WRITTEN)
		all->written = all->show(all, &a);
}

static void
keep_rest(struct collect *all, const struct meeting *m, const struct gather_server *s)
{
	struct rest *r = mem_alloc(sizeof(*r) + s->n_datagram);

	r->server = s->way.remote;
	r->ifindex = meeting_interface(m);
	r->n_kid = s->n_kid;
	memcpy(r->kid, s->kid, sizeof(r->kid));
	r->n = s->n_datagram;
	memcpy(r->first, s->datagram, s->n_datagram);
	r->next = all->rests;
	all->rests = r;
	all->n_rests++;
}

static void
on_answer(void *ctx, struct meeting *m, const struct gather_server *s)
{
	struct collect *all = ctx;
	char from[COLLECT_URI_MAX], code[16];
	struct msg answer;

	gather_message(s, &answer);
	collect_uri(&s->way.remote, from);
	connection_note(&all->c, "%s answered %s", from, msg_code_name(s->code, code));
	if (MSG_CLASS(s->code) != 2) {
		all->refused = s->code;
		(void)connection_refused(
			s->code, transfer_max_age_s(&answer), answer.payload, from);
		return;
	}
	if (transfer_has_more(&answer))
		keep_rest(all, m, s);
	else
		show(all, &s->way.remote, s->verified, transfer_format(&answer), answer.payload);
	check_end(all);
}

static const struct meeting_ops meeting_ops = {.on_answer = on_answer};

static void
on_end(uv_timer_t *t)
{
	struct collect *all = t->data;

	uv_stop(all->c.loop);
}

enum cli_exit
collect_open(struct collect *all, const struct args *a, const struct target *target,
	enum connection_written (*show_answer)(struct collect *all, const struct answer *a))
{
	enum cli_exit how;

	*all = (struct collect){.target = *target, .show = show_answer};
	if ((how = connection_begin(&all->c, a)) != CLI_OK)
		return how;
	uv_timer_init(all->c.loop, &all->end);
	all->end.data = all;
	return CLI_OK;
}

enum cli_exit
collect_protect(struct collect *all)
{
	enum cli_exit rc = connection_load_keys(&all->c);
	struct error e;

	if (rc != CLI_OK || !all->c.keys)
		return rc;
	if (keys_group_armor(all->c.keys, all->c.args->identity, &e, &all->armor) < 0) {
		connection_complain("%s: %s", all->c.args->credentials, e.text);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static uint32_t
wait_of(const struct collect *all)
{
	return all->c.args->timeout_ms ? all->c.args->timeout_ms : COLLECT_WAIT_MS;
}

int
collect_add(struct collect *all, const struct addr *group, uint32_t ifindex, struct error *e)
{
	char text[ADDR_STRLEN];
	int rc;

	if (all->n_meetings == COLLECT_MEETINGS_MAX)
		return 0;
	rc = meeting_open(all->c.loop, group, ifindex, &all->target,
		all->armor.context ? &all->armor : NULL, wait_of(all), &meeting_ops, all, e,
		&all->meetings[all->n_meetings]);
	if (rc < 0)
		return rc;
	connection_note(&all->c, "asking %s", addr_format(group, text));
	all->n_meetings++;
	return 0;
}

/* groupcomm-bis 3.8: further blocks by unicast, from each server. */
static void
complete(struct collect *all, const struct rest *r)
{
	struct transfer_request request = {.code = CODE_GET,
		.target = all->target,
		.content_format = TARGET_NO_FORMAT,
		.timeout_ms = all->c.args->timeout_ms};
	struct transfer_result result;
	char from[COLLECT_URI_MAX];
	struct endpoint *ep;
	struct msg first;
	struct error e;

	collect_uri(&r->server, from);
	if (msg_decode(bytes_of(r->first, r->n), &first) != MSG_OK)
		return;
	if (endpoint_open(all->c.loop, &r->server, r->server.scope ? r->ifindex : 0, &e, &ep) < 0) {
		connection_complain("%s", e.text);
		return;
	}
	if (all->armor.context) {
		struct armor alone = armor_for(&all->armor, bytes_of(r->kid, r->n_kid));

		session_protect(endpoint_session(ep), &alone);
	}
	connection_note(&all->c, "%s has more: asked for by unicast", from);
	endpoint_resume(ep, &request, &first, &result);
	/* The value changed meanwhile: that of now is as good. */
	if (result.end == TRANSFER_CHANGED)
		endpoint_request(ep, &request, &result);
	if (connection_judge(&result, from) == CLI_OK)
		show(all, &r->server, result.verified, result.content_format, result.body);
	endpoint_close(ep);
}

static void
complete_all(struct collect *all)
{
	struct rest *r;

	while ((r = all->rests) != NULL) {
		all->rests = r->next;
		if (all->written == CONNECTION_WRITTEN)
			complete(all, r);
		free(r);
	}
}

static enum cli_exit
judge(const struct collect *all)
{
	const struct args *a = all->c.args;

	if (all->written != CONNECTION_WRITTEN)
		return connection_wrote(all->written);
	if (all->n_shown > 0 && all->n_shown >= a->count)
		return CLI_OK;
	if (all->n_shown == 0 && all->refused)
		return MSG_CLASS(all->refused) == 4 ? CLI_REFUSED : CLI_FAILED;
	if (a->count > 0)
		connection_complain(
			"%u of %u servers answered", (unsigned)all->n_shown, (unsigned)a->count);
	else
		connection_complain(
			"no server answered%s", all->n_dropped > 0 ? " what can be verified" : "");
	/* Whether those who are missing were silent, or could not prove who they are. */
	return all->n_dropped > 0 ? CLI_SECURITY : CLI_TIMEOUT;
}

enum cli_exit
collect_run(struct collect *all)
{
	if (all->n_meetings > 0) {
		uv_timer_start(&all->end, on_end, wait_of(all), 0);
		(void)uv_run(all->c.loop, UV_RUN_DEFAULT);
	}
	for (unsigned i = 0; i < all->n_meetings; i++) {
		all->n_dropped += gather_n_dropped(meeting_gather(all->meetings[i]));
		meeting_close(all->meetings[i]);
	}
	uv_close((uv_handle_t *)&all->end, NULL);
	if (all->n_meetings > 0)
		complete_all(all);
	connection_close(&all->c);
	return all->n_meetings > 0 ? judge(all) : CLI_OTHER;
}
