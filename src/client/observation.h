/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One observation: registered as RFC 7641 says, and moved into a group observation
 * when an informative response offers one
 * (draft-ietf-core-observe-multicast-notifications, "Client-Side Requirements"). It
 * keeps the order of notifications, counts those that are missing, asks when the
 * newest value becomes too old, answers when it is counted ("Rough Counting"), and
 * registers again when the group observation ends or nothing is heard of it any more.
 * A state machine without I/O on the session's clock; joining is the owner's.
 */
#ifndef COAPCAST_CLIENT_OBSERVATION_H
#define COAPCAST_CLIENT_OBSERVATION_H

#include "base/error.h"
#include "client/session.h"
#include "client/target.h"

#define OBSERVATION_LEISURE_MS 5000 /* random part of it before asking for a value grown old */
#define OBSERVATION_AGAIN_MS 1000 /* the same before registering again after a cancellation */
#define OBSERVATION_REST_MS 250 /* the same before fetching what did not fit a multicast */
#define OBSERVATION_SILENT 2 /* Max-Ages without a notification until it registers again */
/*
 * Between two such registrations. Whoever registers twice within a minute of an
 * informative response counts as one that does not understand it, and so does who wants
 * to: when nothing of a group is heard that is there, as the same informative response
 * shows, notifications are to come by unicast.
 */
#define OBSERVATION_APART_MS 61000

#define OBSERVATION_INSIST 3 /* registrations to be left out of a group that is not heard */
#define OBSERVATION_POLLS 16 /* GETs until it is tried again, where that did not help */
#define OBSERVATION_GRACE_MS 2000 /* after the announced end: for the cancellation to come */

enum via { VIA_UNICAST, VIA_INFORMATIVE, VIA_MULTICAST };

/* A value, valid for the call. */
struct observation_value {
	struct bytes payload;
	int content_format; /* or TARGET_NO_FORMAT */
	enum via via;
	bool initial; /* it was current when we registered first */
	bool has_observe;
	bool verified; /* protected by an OSCORE group, and the signature was good */
	uint32_t observe;
	uint32_t missed; /* notifications missing between the last one and this */
	const struct addr *group; /* where it came to, or NULL */
	struct token token;
};

enum observation_end {
	OBSERVATION_REFUSED, /* an error response; the code says which */
	OBSERVATION_NOT_OBSERVABLE, /* a value, but the server does not observe for us */
	OBSERVATION_TIMEOUT,
	OBSERVATION_RESET,
	OBSERVATION_PROTECTED, /* the group's protection and ours do not fit */
	OBSERVATION_NO_MULTICAST, /* the group cannot be joined */
	OBSERVATION_BROKEN, /* an informative response that cannot be followed */
	OBSERVATION_LOST, /* the connection */
	OBSERVATION_INSECURE, /* no secure connection */
	OBSERVATION_UNSAFE, /* object security failed, which was told */
	OBSERVATION_CLOSED, /* nobody has that port there */
};

/* How it talks. Callbacks must not free the observation; on_value may stop it. */
struct observation_ops {
	/* Joins the group for datagrams of that server; 0, or negative errno with e filled. */
	int (*join)(void *ctx, const struct addr *group, const struct addr *server, struct error *e,
		uint16_t *ret_socket);
	void (*leave)(void *ctx, uint16_t socket);
	/* A new value: never one older than, or with the number of, one before. */
	void (*on_value)(void *ctx, const struct observation_value *v);
	/* What happens, a line without its end; `loud`: also for who did not ask (-v). */
	void (*on_note)(void *ctx, bool loud, const char *text);
	/* Seconds since 1970, UTC. Below 0, or NULL: nobody knows, and what is announced for a time
	 * of day is not minded. */
	int64_t (*wall_s)(void *ctx);
	/* A large value is on its way, as in struct transfer_request; or NULL. */
	void (*on_progress)(void *ctx, size_t n, size_t total);
	/*
	 * The server is silent: begins a new connection in place of the old one, which is lost then.
	 * False, or NULL: there is none, or it tells by itself when it is gone.
	 */
	bool (*renew)(void *ctx);
	/* It is over; `text` is for humans, `code` that of REFUSED. */
	void (*on_end)(void *ctx, enum observation_end end, uint8_t code, const char *text);
};

struct observation;

/*
 * Registers. `ops` and `s` stay borrowed, the target is copied. NULL with e filled
 * when the target cannot be written as options.
 */
struct observation *observation_new(struct session *s, const struct target *what,
	const struct observation_ops *ops, void *ctx, struct error *e);
/* Ends it from our side: deregisters where that is due, leaves the group. Idempotent. */
void observation_stop(struct observation *o);
/* Stops it and frees; NULL is fine. */
void observation_free(struct observation *o);

/* When the one who refused last may be asked again. */
uint32_t observation_retry_s(const struct observation *o);

/* Notifications missing so far. */
uint64_t observation_missed(const struct observation *o);

#endif
