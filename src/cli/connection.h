/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every subcommand starts with and ends with: the loop, and an endpoint towards
 * the host of the URI; and how it tells people what went wrong. Every failure is told
 * here, once, on stderr.
 */
#ifndef COAPCAST_CLI_CONNECTION_H
#define COAPCAST_CLI_CONNECTION_H

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/keys.h"
#include "cli/uri.h"
#include "client/endpoint.h"

struct connection {
	uv_loop_t own; /* what `loop` is, unless that is shared */
	uv_loop_t *loop;
	struct endpoint *ep;
	const struct args *args; /* borrowed, as the next */
	const char *text; /* the URI as it was given */
	struct uri uri;
	struct credentials *credentials; /* NULL: none are given */
	struct keys *keys; /* the same */
	struct link_how *how; /* to get there but by UDP; owned */
};

/* Only the loop, without any host. Ended by connection_close, as what follows. */
enum cli_exit connection_begin(struct connection *c, const struct args *a);
/* Resolves the host and opens the endpoint; on failure there is nothing to close. */
enum cli_exit connection_open(struct connection *c, const struct args *a);
/*
 * The credentials of the arguments, when there are any, and the keys in them: c->credentials
 * and c->keys. `c` has no endpoint then; what they are needed for is the caller's to say.
 */
enum cli_exit connection_load_keys(struct connection *c);
/* The same for another URI on the loop of another connection. */
enum cli_exit connection_open_on(
	struct connection *c, const struct args *a, const char *uri, uv_loop_t *loop);
/* Runs the loop until everything in it is closed, unless it is shared. */
void connection_close(struct connection *c);

/* Lets so many seconds pass. */
void connection_pause(struct connection *c, uint32_t seconds);
/* A request with the timeout of the arguments; the result is valid until the next. */
void connection_ask(struct connection *c, struct transfer_request *r, struct transfer_result *ret);
/* The same for a GET. */
void connection_get(
	struct connection *c, const char *path, const char *query, struct transfer_result *ret);

/* One line on stderr; the second only with -v. */
void connection_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void connection_note(const struct connection *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* CLI_OK for a 2.xx, else complains: `what` could not be done because of this. */
enum cli_exit connection_judge(const struct transfer_result *r, const char *what);
/* Complains about an error response. */
enum cli_exit connection_refused(
	uint8_t code, uint32_t max_age_s, struct bytes diagnostic, const char *what);

enum connection_written {
	CONNECTION_WRITTEN,
	CONNECTION_UNREAD, /* nobody reads it any more: nothing went wrong, but it is over */
	CONNECTION_UNWRITTEN, /* it failed, which was told */
};

/* Writes to stdout and flushes; and what that means for the exit status. */
enum connection_written connection_write(struct bytes data);
/* Ends an object, writes it as a line of its own, and frees it. */
enum connection_written connection_write_json(struct json *j);
enum cli_exit connection_wrote(enum connection_written w);

#endif
