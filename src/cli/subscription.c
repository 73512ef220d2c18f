/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/subscription.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/progress.h"

static const char *
via_name(enum via via)
{
	static const char *const names[] = {
		[VIA_UNICAST] = "unicast",
		[VIA_INFORMATIVE] = "informative",
		[VIA_MULTICAST] = "multicast",
	};

	return names[via];
}

static const char *
token_text(const struct token *t, char out[2 * sizeof(t->b) + 1])
{
	struct buf hex = buf_of(out, 2 * sizeof(t->b) + 1);

	buf_put_hex(&hex, bytes_of(t->b, t->n));
	return buf_str(&hex);
}

static enum connection_written
print_json(struct subscription *s, const struct observation_value *v)
{
	char group[ADDR_STRLEN], token[2 * sizeof(v->token.b) + 1];
	struct json *j = &s->json;

	json_open(j);
	json_put_str(j, "topic", s->place.name);
	json_put_payload(j, "payload", v->payload);
	if (v->content_format != TARGET_NO_FORMAT)
		json_put_uint(j, "content_format", (uint64_t)v->content_format);
	if (v->has_observe)
		json_put_uint(j, "observe", v->observe);
	json_put_str(j, "via", via_name(v->via));
	if (v->group)
		json_put_str(j, "group", addr_format(v->group, group));
	json_put_str(j, "token", token_text(&v->token, token));
	json_put_bool(j, "verified", v->verified);
	json_put_uint(j, "missed", v->missed);
	json_close(j);
	return connection_write(bytes_of(j->p, j->n));
}

static enum connection_written
print_plain(struct subscription *s, const struct observation_value *v)
{
	struct json *line = &s->json;

	json_put_line(line, v->payload);
	return connection_write(bytes_of(line->p, line->n));
}

static void
run_command(struct subscription *s, const struct observation_value *v)
{
	char group[ADDR_STRLEN], token[2 * sizeof(v->token.b) + 1], format[16] = "",
								    observe[16] = "";
	const struct exec_variable variables[] = {
		{"COAPCAST_TOPIC", s->place.name},
		{"COAPCAST_CONTENT_FORMAT", format},
		{"COAPCAST_OBSERVE", observe},
		{"COAPCAST_VIA", via_name(v->via)},
		{"COAPCAST_GROUP", v->group ? addr_format(v->group, group) : ""},
		{"COAPCAST_TOKEN", token_text(&v->token, token)},
	};

	if (v->content_format != TARGET_NO_FORMAT)
		(void)snprintf(format, sizeof(format), "%d", v->content_format);
	if (v->has_observe)
		(void)snprintf(observe, sizeof(observe), "%u", (unsigned)v->observe);
	if (!exec_add(s->exec, v->payload, variables, sizeof(variables) / sizeof(variables[0])))
		connection_complain("the command is too slow: a value was dropped");
}

static void
on_value(void *ctx, const struct observation_value *v)
{
	struct subscription *s = ctx;
	const struct args *a = s->c.args;
	enum connection_written written = CONNECTION_WRITTEN;

	if (v->initial && a->skip_current)
		return;
	if (s->exec)
		run_command(s, v);
	else if (a->json)
		written = print_json(s, v);
	else
		written = print_plain(s, v);
	s->n_values++;
	s->ops->on_value(s->ctx, written);
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	const struct subscription *s = ctx;
	const char *name = s->named ? s->place.name : "", *colon = s->named ? ": " : "";

	if (loud)
		connection_complain("%s%s%s", name, colon, text);
	else
		connection_note(&s->c, "%s%s%s", name, colon, text);
}

static void
on_end(void *ctx, enum observation_end end, uint8_t code, const char *text)
{
	static const struct {
		const char *text;
		enum cli_exit exit;
	} ends[] = {
		[OBSERVATION_NOT_OBSERVABLE] = {"the server gives the value but does not observe",
			CLI_OTHER},
		[OBSERVATION_TIMEOUT] = {"no answer in time", CLI_TIMEOUT},
		[OBSERVATION_LOST] = {"the connection failed", CLI_OTHER},
		[OBSERVATION_CLOSED] = {"connection refused: nobody is at that port", CLI_OTHER},
		[OBSERVATION_INSECURE] = {"no secure connection", CLI_SECURITY},
		[OBSERVATION_UNSAFE] = {"object security failed", CLI_SECURITY},
		[OBSERVATION_RESET] = {"the server rejected the request", CLI_OTHER},
		[OBSERVATION_PROTECTED] = {"its group cannot be followed safely", CLI_SECURITY},
		[OBSERVATION_NO_MULTICAST] = {"multicast cannot be received here",
			CLI_NO_MULTICAST},
		[OBSERVATION_BROKEN] = {"its informative response cannot be followed", CLI_OTHER},
	};
	struct subscription *s = ctx;

	if (end == OBSERVATION_REFUSED) {
		s->ops->on_end(s->ctx, connection_refused(code, observation_retry_s(s->o),
					       bytes_str(text), s->c.text));
		return;
	}
	if (end == OBSERVATION_INSECURE)
		text = endpoint_why(s->c.ep);
	connection_complain("%s: %s%s%s", s->c.text, ends[end].text, *text ? ": " : "", text);
	s->ops->on_end(s->ctx, ends[end].exit);
}

static int
on_join(void *ctx, const struct addr *group, const struct addr *server, struct error *e,
	uint16_t *ret_socket)
{
	struct subscription *s = ctx;

	return endpoint_join(s->c.ep, group, server, e, ret_socket);
}

static void
on_leave(void *ctx, uint16_t socket)
{
	struct subscription *s = ctx;

	endpoint_leave(s->c.ep, socket);
}

static bool
on_renew(void *ctx)
{
	struct subscription *s = ctx;

	return endpoint_renew(s->c.ep);
}

static void
on_progress(void *ctx, size_t n, size_t total)
{
	const struct subscription *s = ctx;

	progress_tell(s->c.args->verbose, n, total);
}

/* One that is before the date of this build is not set. */
static int64_t
wall_s(void *ctx)
{
	int64_t now_s = (int64_t)time(NULL);

	(void)ctx;
	return now_s >= BUILT_S ? now_s : -1;
}

static const struct observation_ops observation_ops = {
	.join = on_join,
	.leave = on_leave,
	.on_value = on_value,
	.on_note = on_note,
	.wall_s = wall_s,
	.on_progress = on_progress,
	.renew = on_renew,
	.on_end = on_end,
};

enum cli_exit
subscription_open(struct subscription *s, const struct args *a, const char *uri, uv_loop_t *loop)
{
	enum cli_exit rc = connection_open_on(&s->c, a, uri, loop);

	s->named = a->n_uris > 1;
	return rc == CLI_OK ? locate_topic(&s->c, false, &s->place) : rc;
}

enum cli_exit
subscription_start(
	struct subscription *s, struct exec *exec, const struct subscription_ops *ops, void *ctx)
{
	struct target what = {.path = bytes_str(s->place.path),
		.query = bytes_str(s->c.uri.query),
		.accept = TARGET_NO_FORMAT};
	struct error e;

	s->exec = exec;
	s->ops = ops;
	s->ctx = ctx;
	s->o = observation_new(endpoint_session(s->c.ep), &what, &observation_ops, s, &e);
	if (s->o)
		return CLI_OK;
	connection_complain("%s", e.text);
	return CLI_USAGE;
}

void
subscription_stop(struct subscription *s)
{
	if (s->o)
		observation_stop(s->o);
}

void
subscription_close(struct subscription *s)
{
	char text[80];

	if (s->o) {
		(void)snprintf(text, sizeof(text), "%llu values, %llu notifications missed",
			(unsigned long long)s->n_values,
			(unsigned long long)observation_missed(s->o));
		on_note(s, false, text);
	}
	observation_free(s->o);
	if (s->c.loop)
		connection_close(&s->c);
	json_fini(&s->json);
}
