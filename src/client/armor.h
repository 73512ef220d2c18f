/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object security of a client's requests (RFC 8613 8.1 and 8.4; oscore-groupcomm 7.1 and
 * 7.4): a plain request in, what is sent out; what arrived in, what was protected out. Where
 * keys and sequence numbers come from is the owner's; when to repeat a request is session.h's.
 */
#ifndef COAPCAST_CLIENT_ARMOR_H
#define COAPCAST_CLIENT_ARMOR_H

#include "client/groups.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

/* With what, and for whom. Zeroed: nothing is protected. All of it stays borrowed. */
struct armor {
	struct context *context;
	enum oscore_mode mode;
	struct bytes peer; /* of a group: who is asked, when it is not all of them */
	const struct groups *groups; /* those whose keys we have; NULL: none */
	/* Before each request: the next sequence number is to be fit for use. Or NULL. */
	void (*ready)(void *ctx);
	/* What went wrong, a line without its end, as in struct observation_ops. */
	void (*note)(void *ctx, bool loud, const char *text);
	void *ctx;
};

/*
 * The same for one member of the group alone: pairwise where the group has that mode, as a
 * request in group mode can be sent on to the others (oscore-groupcomm 9).
 */
struct armor armor_for(const struct armor *a, struct bytes kid);

/* A protected request, embedded in its owner; zeroed: none. */
struct armored {
	struct oscore_binding binding;
	uint8_t *tail; /* what follows the token; owned */
	uint16_t n_tail;
	uint8_t code; /* the outer one */
	bool opened; /* an answer was good */
};

/* Protects it, in place of what was there. As protect_request(). */
int armor_seal(const struct armor *a, const struct msg *plain, struct armored *ret);
/* Wipes and frees; a zeroed one is fine. */
void armor_drop(struct armored *s);

enum armor_verdict {
	ARMOR_OPENED, /* authentic, and *ret is what it says */
	ARMOR_STALE, /* one that came before, or was overtaken */
	ARMOR_REFUSED, /* an error response without protection: it may be true, or not */
	ARMOR_FAILED, /* anything else */
};

/*
 * Opens an answer; *ret borrows from `space`, of PROTECT_MAX_PLAIN bytes, and from `outer`.
 * Its Observe is the outer one: a number that nobody vouches for, while the order is kept
 * already, by the Partial IV (RFC 8613 4.1.3.5.2).
 */
enum armor_verdict armor_open(
	struct armored *s, const struct msg *outer, struct buf *space, struct msg *ret);
/* The same of what is bound otherwise, in a group whose contexts are in `t`, or NULL. */
enum unprotect_verdict armor_open_bound(struct oscore_binding *b, const struct context_table *t,
	const struct msg *outer, struct buf *space, struct msg *ret);

/* Says why the keys are of no use: an unprotected error, or an answer that failed. */
void armor_explain(const struct armor *a, enum armor_verdict v, const struct msg *outer);

/* What could not be verified and was dropped, and when that was told. Zeroed: nothing. */
struct armor_drops {
	uint64_t n;
	uint64_t told_ms;
};

#define ARMOR_TELL_MS 10000 /* between two lines about it */

/* Counts one more; whether it is to be told. */
bool armor_count_drop(struct armor_drops *d, uint64_t now_ms);

#endif
