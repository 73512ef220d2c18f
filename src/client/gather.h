/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GET to a group, and the answers of its servers (RFC 7252 8.2, groupcomm-bis 3.1):
 * sent and repeated as a NON under one token, answers told apart by where they come
 * from, or under Group OSCORE by whom, and kept, one per server, by the freshness and
 * validation model of groupcomm-bis 3.2. A server that confirms what only another one said is
 * asked alone, and so is one that wants an Echo (RFC 9175). No I/O and no clock. Not
 * here: when to repeat, and the rest of an answer in blocks (transfer.h).
 */
#ifndef COAPCAST_CLIENT_GATHER_H
#define COAPCAST_CLIENT_GATHER_H

#include "client/armor.h"
#include "client/machine.h"
#include "client/target.h"

#define GATHER_SERVERS_MAX 256 /* answers of more are not kept */
#define GATHER_ETAGS_MAX 16 /* in one request */
#define GATHER_SEALED_MAX 4 /* protected requests whose answers are still taken */
#define GATHER_ECHO_MAX 40 /* RFC 9175 2.1 */
#define GATHER_ALONE_MAX 2 /* requests to one server alone, per request to the group */
#define GATHER_ROUND_MS (LAYER_LEISURE_MS + 1000u) /* leisure and a round trip: then repeat */

struct gather;

/* What came from one server in answer to one protected request. */
struct gather_answers {
	uint64_t next; /* above all of their Partial IVs */
	bool some;
};

/* What one server said last. Read it, do not write it. */
struct gather_server {
	struct gather_server *next;
	struct gather *gather;
	struct path way; /* to it, by its latest answer */
	struct exchange *exchange; /* it is asked alone; or NULL */
	uint64_t fresh_until_ms;
	uint8_t *datagram; /* its answer, encoded; owned, NULL: none yet */
	size_t n_datagram;
	uint8_t etag[8];
	uint8_t n_etag; /* 0: none */
	uint8_t code;
	uint8_t n_alone;
	uint8_t n_echo; /* 0: it wants none to be returned */
	uint8_t echo[GATHER_ECHO_MAX];
	uint8_t n_kid; /* who it is in an OSCORE group */
	uint8_t kid[SUITE_MAX_ID];
	struct armored armored; /* the request to it alone, when that is protected */
	struct gather_answers answers[GATHER_SEALED_MAX]; /* as struct gather has the requests */
	bool verified; /* its answer was protected, and by whom it says */
	bool heard; /* since the request under way began */
	bool shared; /* another server has the same ETag: it validates nothing */
};

struct gather_ops {
	/* Room for one datagram to the group, as in struct layer_ops; the machine commits it. */
	struct buf *(*open_group)(void *ctx);
	/* A server answered or confirmed; `first` since gather_ask(), else it says something else. */
	void (*on_answer)(void *ctx, const struct gather_server *s, bool first);
};

/* Both ops stay borrowed, the target is copied. NULL: it cannot be written. */
struct gather *gather_new(const struct machine_ops *out, void *out_ctx,
	const struct gather_ops *ops, void *ctx, const struct target *t, uint64_t now_ms);
void gather_free(struct gather *g); /* NULL is fine */
/*
 * Requests are protected in group mode from now on, and nothing that is not is accepted
 * (oscore-groupcomm 7). Before the first one; what it points at stays borrowed.
 */
void gather_protect(struct gather *g, const struct armor *a);

/*
 * Begins a request: sends it to the group, with the ETags of what is kept. `members` is how
 * many servers there are, 0 when nobody knows: when fresh answers of all of them are kept,
 * nothing is sent, and it returns false (groupcomm-bis 3.2.1). The result of a request is
 * every server that was heard or whose answer is fresh.
 */
bool gather_ask(struct gather *g, uint32_t members);
/* The same request again, for those who did not get it: new message id, same token. */
void gather_repeat(struct gather *g);

struct machine *gather_machine(struct gather *g); /* what drives it */

const struct gather_server *gather_first(const struct gather *g);
uint32_t gather_n_heard(const struct gather *g);
uint64_t gather_n_dropped(const struct gather *g); /* what could not be verified */
bool gather_is_fresh(const struct gather_server *s);
/* The answer, decoded; it borrows from the server. */
void gather_message(const struct gather_server *s, struct msg *ret);

#endif
