/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's way to a server by DTLS, TLS or TCP: one session at a time, and a new one
 * when something is to be said after the end of the last. To those above it is one and
 * the same way all the time.
 */
#ifndef COAPCAST_CLIENT_LINK_H
#define COAPCAST_CLIENT_LINK_H

#include "transport/coapd.h"

struct link;

/* How to reach a server otherwise than by UDP. */
struct link_how {
	enum path_transport transport;
	struct coapd_credentials credentials; /* not for TCP */
};

struct link_ops {
	void (*receive)(void *ctx, const struct path *from, struct bytes datagram);
	/* The CON with that message id was rejected. */
	void (*nack)(void *ctx, uint16_t mid);
	/* Whatever was asked will not be answered. */
	void (*lost)(void *ctx, enum coapd_end why);
	/* Whether something may come at any time, so that silence is to be looked into. */
	bool (*expects)(void *ctx);
};

/* `how` stays borrowed. 0, or negative errno with e filled. */
int link_open(uv_loop_t *loop, const struct link_how *how, const struct addr *server,
	const struct link_ops *ops, void *ctx, struct error *e, struct link **ret,
	struct path *ret_way);
/* From a later turn of the loop calls on_closed(ctx). */
void link_close(struct link *l, void (*on_closed)(void *ctx));

/*
 * Gives the session up, for the next one to be made: ops.lost. False when there is none, or when
 * one that is gone is known to be.
 */
bool link_renew(struct link *l);
/* Why the last session was not secure, in words, or NULL. */
const char *link_why(const struct link *l);
/* Whether the server answers, but has not accepted our keys so far. */
bool link_is_unproven(const struct link *l);

/* Room for one message; NULL when there is no session, and none can be made right now. */
struct buf *link_write(struct link *l);
void link_commit(struct link *l);
void link_cancel(struct link *l);

#endif
