/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the witness says and hears in OSCORE and Group OSCORE, over all lives of a broker, and
 * a book of the nonces it sees used: no Partial IV protects two messages under one key (RFC
 * 8613 7.2.1, oscore-groupcomm 3), neither do two answers share the nonce of a request (RFC
 * 8613 4.1.3.5, B.1.2), and what was sent in an earlier life is not run. Object security
 * itself is the broker's own room: that is right by its vectors, the numbers are what is
 * looked at here. On purpose without replay windows, which would hide what comes twice.
 */
#ifndef COAPCAST_TORTURE_VEIL_H
#define COAPCAST_TORTURE_VEIL_H

#include "base/buf.h"
#include "oscore/binding.h"

#define VEIL_ASKED 1024 /* ten bits of a hash */
#define VEIL_OBSERVES 128
#define VEIL_GROUPS 512
#define VEIL_MEMBERS 4096
#define VEIL_OUT 4096 /* bytes that are enough for every message here */

/* Of one key: what was protected with each Partial IV, as a hash; 0: it is unused. */
struct veil_book {
	uint64_t base; /* the first */
	uint32_t *said;
};

/* A request of ours, and what answers are checked with. */
struct veil_asked {
	struct oscore_binding binding;
	uint32_t token;
	uint32_t said; /* hash of what was answered under its own nonce; 0: nothing */
	uint64_t highest; /* Partial IV of its notifications */
	bool is_old; /* of another life of the broker */
	bool used;
};

struct veil_group { /* a Gid, and the keys that came with it */
	struct context *context;
	struct veil_book book;
};

struct veil_member { /* a group observation */
	uint32_t token;
	struct oscore_binding binding;
	struct veil_group *group;
};

struct veil {
	struct context *context;
	struct veil_book book; /* of the broker, to us */
	struct veil_asked asked[VEIL_ASKED]; /* by token */
	struct veil_asked observes[VEIL_OBSERVES]; /* a ring */
	unsigned n_observes;
	struct veil_group groups[VEIL_GROUPS];
	unsigned n_groups;
	struct veil_member members[VEIL_MEMBERS];
	unsigned n_members;
	uint64_t n_nonces, n_repeated, n_opened, n_unopened;
	void (*fail)(void *ctx, const char *what, uint64_t number);
	void *ctx;
};

/* Ours is Sender ID 01, the broker's 03, without salt and ID Context. NULL: it cannot be. */
struct veil *veil_new(
	struct bytes secret, void (*fail)(void *ctx, const char *what, uint64_t number), void *ctx);
void veil_free(struct veil *v);

/* The broker begins another life. */
void veil_begin(struct veil *v);

/* A plain request as a protected one. */
bool veil_seal(struct veil *v, struct bytes plain, struct buf *out);
/*
 * What came, by unicast or to the group, as it was before: but with the Observe option that
 * everybody can read. False: there is nothing more to be seen of it.
 */
bool veil_open(struct veil *v, struct bytes datagram, struct buf *out);
bool veil_hear(struct veil *v, struct bytes datagram, struct buf *out);
/* The payload of an informative response that was opened. */
void veil_offer(struct veil *v, struct bytes payload);

#endif
