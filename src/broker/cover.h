/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an observation keeps of the security of its registration: whose it is, and what
 * its notifications are protected with (msg/shield.h). Those of anonymous peers without
 * any have none of it.
 */
#ifndef COAPCAST_BROKER_COVER_H
#define COAPCAST_BROKER_COVER_H

#include "msg/layer.h"

struct cover {
	struct shield *shield; /* held; NULL: it is the transport that protects, or nothing */
	uint32_t who; /* the subject that registered */
	bool secure; /* object security or the transport protects it */
	int failed; /* why the message that was to leave could not be protected; 0: it could */
	/* The CON under way as it was protected: a retransmission is the same bytes. */
	uint8_t code;
	uint32_t n_tail;
	uint8_t *tail; /* owned; NULL: none was protected yet */
	uint64_t version; /* of its content */
};

#define COVER_MAX 2048 /* of what is protected */

/* What all of them keep, and room for what none does. */
struct covers {
	size_t bytes; /* of protected messages that may be repeated */
	uint64_t n_unkept; /* those that limits.memory had no room for */
	uint8_t room[COVER_MAX];
};

/* For a registration; NULL when it is that of an anonymous and unprotected peer. */
struct cover *cover_new(struct layer *l, const struct request *r);
void cover_free(struct layer *l, struct covers *all, struct cover *c); /* NULL is fine */

/* Whether this request is from the same subject and as secure as that registration. */
bool cover_matches(const struct cover *c, const struct request *r);

/*
 * Protects a message, whose code and tail are replaced; `room` is for the new one. 0, or as
 * layer_protect: -EAGAIN passes.
 */
int cover_seal(struct layer *l, struct cover *c, struct outmsg *m, struct buf *room);

/*
 * The same of a transmission of a confirmable one: that of a version which was protected
 * before is repeated, another one is a new message; so is one that was not kept, since it is
 * longer than `left` bytes. What it borrows is good until the next one or cover_forget.
 * False, and `failed` is set, when it cannot be.
 */
bool cover_seal_con(struct layer *l, struct cover *c, uint64_t version, struct covers *all,
	uint64_t left, struct outmsg *m);
/* The CON is over. */
void cover_forget(struct covers *all, struct cover *c);

#endif
