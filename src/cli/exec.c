/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/exec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connection.h"

extern char **environ;

/* One run, waiting or going on. */
struct job {
	struct job *next;
	uint8_t *value; /* owned */
	size_t n;
	size_t n_env;
	char *env[EXEC_VARIABLES_MAX]; /* "NAME=value", owned */
};

struct exec {
	uv_loop_t *loop;
	const char *command;
	void (*on_idle)(void *ctx);
	void *ctx;
	struct job *first, **last; /* those that wait, oldest first */
	unsigned n_waiting;
	struct job *running; /* NULL: none */
	uv_process_t process;
	uv_pipe_t in;
	uv_write_t write;
	unsigned n_open; /* handles of the running one */
};

static void
job_free(struct job *j)
{
	for (size_t i = 0; i < j->n_env; i++)
		free(j->env[i]);
	free(j->value);
	free(j);
}

struct exec *
exec_new(uv_loop_t *loop, const char *command, void (*on_idle)(void *ctx), void *ctx)
{
	struct exec *x = mem_alloc(sizeof(*x));

	x->loop = loop;
	x->command = command;
	x->on_idle = on_idle;
	x->ctx = ctx;
	x->last = &x->first;
	return x;
}

bool
exec_is_idle(const struct exec *x)
{
	return !x->running && !x->first;
}

void
exec_free(struct exec *x)
{
	assert(!x || exec_is_idle(x));
	free(x);
}

static struct job *
take_first(struct exec *x)
{
	struct job *j = x->first;

	if ((x->first = j->next) == NULL)
		x->last = &x->first;
	x->n_waiting--;
	return j;
}

static void start(struct exec *x);

/* Both the process and its pipe are gone: the next. */
static void
on_closed(uv_handle_t *h)
{
	struct exec *x = h->data;

	if (--x->n_open > 0)
		return;
	job_free(x->running);
	x->running = NULL;
	if (x->first)
		start(x);
	if (exec_is_idle(x))
		x->on_idle(x->ctx);
}

static void
close_pipe(struct exec *x)
{
	if (!uv_is_closing((uv_handle_t *)&x->in))
		uv_close((uv_handle_t *)&x->in, on_closed);
}

static void
on_ended(uv_process_t *p, int64_t status, int signal)
{
	struct exec *x = p->data;

	if (status != 0 || signal != 0)
		connection_complain("command %s %d", signal ? "was ended by signal" : "ended with",
			signal ? signal : (int)status);
	uv_close((uv_handle_t *)p, on_closed);
	/* It may have left without reading; then nobody ever will. */
	close_pipe(x);
}

static void
on_written(uv_write_t *w, int status)
{
	(void)status;
	close_pipe(w->data);
}

static void
write_value(struct exec *x)
{
	uv_buf_t b = uv_buf_init((char *)x->running->value, (unsigned)x->running->n);

	x->write.data = x;
	if (x->running->n == 0 || uv_write(&x->write, (uv_stream_t *)&x->in, &b, 1, on_written) < 0)
		close_pipe(x);
}

/* The environment of ours and the job's; what it points at is borrowed. */
static char **
make_environment(const struct job *j)
{
	size_t n = 0;
	char **env;

	while (environ[n])
		n++;
	env = mem_alloc((n + j->n_env + 1) * sizeof(*env));
	memcpy(env, environ, n * sizeof(*env));
	memcpy(env + n, j->env, j->n_env * sizeof(*env));
	return env;
}

static void
start(struct exec *x)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *command = mem_strdup(x->command);
	char *argv[] = {shell, option, command, NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&x->in},
		{.flags = UV_INHERIT_FD, .data.fd = 1},
		{.flags = UV_INHERIT_FD, .data.fd = 2},
	};
	uv_process_options_t o = {.file = shell, .args = argv, .exit_cb = on_ended, .stdio = stdio};
	int rc;

	o.stdio_count = 3;
	x->running = take_first(x);
	o.env = make_environment(x->running);
	(void)uv_pipe_init(x->loop, &x->in, 0);
	x->in.data = x->process.data = x;
	x->n_open = 2;
	rc = uv_spawn(x->loop, &x->process, &o);
	free(o.env);
	free(command);
	if (rc < 0) {
		connection_complain("cannot run /bin/sh: %s", uv_strerror(rc));
		uv_close((uv_handle_t *)&x->process, on_closed);
		close_pipe(x);
		return;
	}
	write_value(x);
}

static char *
make_variable(const struct exec_variable *v)
{
	size_t n = strlen(v->name) + strlen(v->value) + 2;
	char *text = mem_alloc(n);

	(void)snprintf(text, n, "%s=%s", v->name, v->value);
	return text;
}

bool
exec_add(struct exec *x, struct bytes value, const struct exec_variable *variables, size_t n)
{
	struct job *j = mem_alloc(sizeof(*j));
	bool full = x->n_waiting == EXEC_WAITING_MAX;

	assert(n <= EXEC_VARIABLES_MAX);
	j->value = mem_dup(value);
	j->n = value.n;
	for (size_t i = 0; i < n; i++)
		j->env[j->n_env++] = make_variable(&variables[i]);
	if (full)
		job_free(take_first(x));
	*x->last = j;
	x->last = &j->next;
	x->n_waiting++;
	if (!x->running)
		start(x);
	return !full;
}
