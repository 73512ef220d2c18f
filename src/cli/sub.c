/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sub.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/exec.h"
#include "cli/json.h"
#include "cli/locate.h"
#include "client/observation.h"

#define N_SIGNALS 2

struct sub {
	struct connection c;
	struct place place;
	struct observation *o;
	struct exec *exec; /* NULL: print */
	struct json json;
	uv_signal_t signals[N_SIGNALS];
	uv_timer_t deadline;
	uint64_t n_values;
	bool over; /* nothing more is wanted, and `exit` says how it went */
	enum cli_exit exit;
};

static void
finish(struct sub *s, enum cli_exit how)
{
	if (s->over)
		return;
	s->over = true;
	s->exit = how;
	if (s->o)
		observation_stop(s->o);
	uv_stop(&s->c.loop);
}

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
print_json(struct sub *s, const struct observation_value *v)
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
print_plain(struct sub *s, const struct observation_value *v)
{
	struct json *line = &s->json;

	json_put_line(line, v->payload);
	return connection_write(bytes_of(line->p, line->n));
}

static void
run_command(struct sub *s, const struct observation_value *v)
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
	struct sub *s = ctx;
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
	/* Whoever closed our output has seen enough. */
	if (written != CONNECTION_WRITTEN || (a->count && s->n_values >= a->count))
		finish(s, connection_wrote(written));
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	struct sub *s = ctx;

	if (loud)
		connection_complain("%s", text);
	else
		connection_note(&s->c, "%s", text);
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
		[OBSERVATION_RESET] = {"the server rejected the request", CLI_OTHER},
		[OBSERVATION_PROTECTED] = {"its keys are needed, which this build cannot use",
			CLI_SECURITY},
		[OBSERVATION_NO_MULTICAST] = {"multicast cannot be received here",
			CLI_NO_MULTICAST},
		[OBSERVATION_BROKEN] = {"its informative response cannot be followed", CLI_OTHER},
	};
	struct sub *s = ctx;

	if (end == OBSERVATION_REFUSED) {
		finish(s, connection_refused(code, 60, bytes_str(text), s->c.args->uri));
		return;
	}
	connection_complain("%s: %s%s%s", s->c.args->uri, ends[end].text, *text ? ": " : "", text);
	finish(s, ends[end].exit);
}

static int
on_join(void *ctx, const struct addr *group, const struct addr *server, struct error *e,
	uint16_t *ret_socket)
{
	struct sub *s = ctx;

	return endpoint_join(s->c.ep, group, server, e, ret_socket);
}

static void
on_leave(void *ctx, uint16_t socket)
{
	struct sub *s = ctx;

	endpoint_leave(s->c.ep, socket);
}

static int64_t
wall_s(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

static const struct observation_ops observation_ops = {
	.join = on_join,
	.leave = on_leave,
	.on_value = on_value,
	.on_note = on_note,
	.wall_s = wall_s,
	.on_end = on_end,
};

/* ^C is how one leaves. */
static void
on_signal(uv_signal_t *h, int number)
{
	(void)number;
	finish(h->data, CLI_OK);
}

/* -W: the time is up. Without -C, that was all that was asked for. */
static void
on_deadline(uv_timer_t *t)
{
	struct sub *s = t->data;

	if (s->c.args->count || s->n_values == 0) {
		connection_complain("%s: %llu values in that time", s->c.args->uri,
			(unsigned long long)s->n_values);
		finish(s, CLI_TIMEOUT);
		return;
	}
	finish(s, CLI_OK);
}

static void
on_exec_idle(void *ctx)
{
	struct sub *s = ctx;

	uv_stop(&s->c.loop);
}

static void
start_handles(struct sub *s)
{
	static const int numbers[N_SIGNALS] = {SIGINT, SIGTERM};
	uint32_t timeout_ms = s->c.args->timeout_ms;

	for (unsigned i = 0; i < N_SIGNALS; i++) {
		(void)uv_signal_init(&s->c.loop, &s->signals[i]);
		s->signals[i].data = s;
		(void)uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	(void)uv_timer_init(&s->c.loop, &s->deadline);
	s->deadline.data = s;
	if (timeout_ms > 0)
		(void)uv_timer_start(&s->deadline, on_deadline, timeout_ms, 0);
}

static void
close_handles(struct sub *s)
{
	for (unsigned i = 0; i < N_SIGNALS; i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	uv_close((uv_handle_t *)&s->deadline, NULL);
}

/* Until nothing more is wanted, and what was started for it has ended. */
static void
follow(struct sub *s)
{
	struct target what = {.path = bytes_str(s->place.path),
		.query = bytes_str(s->c.uri.query),
		.accept = TARGET_NO_FORMAT};
	struct error e;

	s->o = observation_new(endpoint_session(s->c.ep), &what, &observation_ops, s, &e);
	if (!s->o) {
		connection_complain("%s", e.text);
		finish(s, CLI_USAGE);
	}
	while (!s->over)
		(void)uv_run(&s->c.loop, UV_RUN_ONCE);
	while (s->exec && !exec_is_idle(s->exec))
		(void)uv_run(&s->c.loop, UV_RUN_ONCE);
	if (s->o)
		connection_note(&s->c, "%llu values, %llu notifications missed",
			(unsigned long long)s->n_values,
			(unsigned long long)observation_missed(s->o));
	observation_free(s->o);
}

enum cli_exit
sub_run(const struct args *a)
{
	struct sub s = {.exit = CLI_OK};

	if ((s.exit = connection_open(&s.c, a)) != CLI_OK)
		return s.exit;
	start_handles(&s);
	s.exit = locate_topic(&s.c, false, &s.place);
	if (s.exit == CLI_OK && !s.over) {
		if (a->exec)
			s.exec = exec_new(&s.c.loop, a->exec, on_exec_idle, &s);
		follow(&s);
		exec_free(s.exec);
	}
	close_handles(&s);
	connection_close(&s.c);
	json_fini(&s.json);
	return s.exit;
}
