/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/pub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/locate.h"

#define READ_STEP 65536

/* Whether the server takes the same later on; not past -W. */
static bool
is_to_wait(const struct connection *c, const struct transfer_result *r)
{
	uint32_t most_ms = c->args->timeout_ms;

	return r->end == TRANSFER_ANSWERED && r->code == CODE_TOO_MANY_REQUESTS &&
	       (most_ms == 0 || (uint64_t)r->max_age_s * 1000 <= most_ms);
}

static enum cli_exit
publish(struct connection *c, const struct place *place, struct bytes value)
{
	struct transfer_request q = {
		.code = CODE_PUT,
		.target = {.path = bytes_str(place->path),
			.query = bytes_str(c->uri.query),
			.accept = TARGET_NO_FORMAT},
		.content_format = c->args->content_format,
		.payload = value,
	};
	struct transfer_result r;
	enum cli_exit rc;
	char name[16];

	/* coap-pubsub, "Rate Limiting": not again before Max-Age is over; then it is sent. */
	connection_ask(c, &q, &r);
	while (c->args->lines && is_to_wait(c, &r)) {
		connection_note(c, "too fast: waiting for %u s", (unsigned)r.max_age_s);
		connection_pause(c, r.max_age_s);
		connection_ask(c, &q, &r);
	}
	if (place->absent && r.end == TRANSFER_ANSWERED && r.code == CODE_NOT_FOUND) {
		connection_complain("there is no topic %s", place->name);
		return CLI_REFUSED;
	}
	if ((rc = connection_judge(&r, c->text)) == CLI_OK)
		connection_note(c, "published %zu bytes: %s", value.n, msg_code_name(r.code, name));
	return rc;
}

/* A value per line, without its newline; a NUL is a byte like any other. */
static enum cli_exit
publish_lines(struct connection *c, const struct place *place)
{
	enum cli_exit rc = CLI_OK;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (rc == CLI_OK && (n = getline(&line, &cap, stdin)) >= 0) {
		if (n > 0 && line[n - 1] == '\n')
			n--;
		rc = publish(c, place, bytes_of(line, (size_t)n));
	}
	free(line);
	if (rc == CLI_OK && ferror(stdin)) {
		connection_complain("cannot read stdin: %s", strerror(errno));
		return CLI_OTHER;
	}
	return rc;
}

/* All of a stream, up to what a client would read back. */
static int
read_all(FILE *f, uint8_t **ret, size_t *ret_n)
{
	uint8_t *p = NULL;
	size_t n = 0, got;

	do {
		p = mem_realloc(p, n + READ_STEP);
		got = fread(p + n, 1, READ_STEP, f);
		n += got;
	} while (got == READ_STEP && n <= TRANSFER_MAX);
	if (ferror(f) || n > TRANSFER_MAX) {
		free(p);
		return ferror(f) ? -EIO : -EFBIG;
	}
	*ret = p;
	*ret_n = n;
	return 0;
}

static enum cli_exit
publish_stream(struct connection *c, const struct place *place, FILE *f, const char *name)
{
	uint8_t *p;
	size_t n;
	enum cli_exit rc;
	int err;

	errno = 0;
	if ((err = read_all(f, &p, &n)) < 0) {
		connection_complain("cannot read %s: %s", name, strerror(errno ? errno : -err));
		return CLI_OTHER;
	}
	rc = publish(c, place, bytes_of(p, n));
	free(p);
	return rc;
}

static enum cli_exit
publish_file(struct connection *c, const struct place *place)
{
	const char *name = c->args->file;
	enum cli_exit rc;
	FILE *f;

	if (strcmp(name, "-") == 0)
		return publish_stream(c, place, stdin, "stdin");
	if ((f = fopen(name, "rbe")) == NULL) {
		connection_complain("cannot open %s: %s", name, strerror(errno));
		return CLI_OTHER;
	}
	rc = publish_stream(c, place, f, name);
	(void)fclose(f);
	return rc;
}

static enum cli_exit
publish_all(struct connection *c)
{
	const struct args *a = c->args;
	struct place place;
	enum cli_exit rc = locate_topic(c, true, &place);

	if (rc != CLI_OK)
		return rc;
	if (a->lines)
		return publish_lines(c, &place);
	if (a->file)
		return publish_file(c, &place);
	if (a->whole_stdin)
		return publish_stream(c, &place, stdin, "stdin");
	return publish(c, &place, bytes_str(a->message));
}

enum cli_exit
pub_run(const struct args *a)
{
	struct connection c;
	enum cli_exit rc = connection_open(&c, a);

	if (rc != CLI_OK)
		return rc;
	rc = publish_all(&c);
	connection_close(&c);
	return rc;
}
