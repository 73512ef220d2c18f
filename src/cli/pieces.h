/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies that came in blocks (RFC 7959 2.4), put together of what a capture has of them: by
 * who sent it to whom, and by ETag. A few at a time; who comes last pushes out who was
 * there first. They may have keys in them, and are wiped.
 */
#ifndef COAPCAST_CLI_PIECES_H
#define COAPCAST_CLI_PIECES_H

#include "base/addr.h"
#include "wire/msg.h"

#define PIECES_BODIES 32
#define PIECES_BODY 65536 /* bytes of one at most */

struct piece_body;

/* Zeroed: none. */
struct pieces {
	struct piece_body *first; /* the newest */
	unsigned n;
};

enum pieces_verdict {
	PIECES_MORE, /* more is to come */
	PIECES_WHOLE, /* that was the last one */
	PIECES_LOST, /* it does not follow what there is */
};

void pieces_fini(struct pieces *p);

/* Whether blocks of the same body were there before this message with Block2. */
bool pieces_has(const struct pieces *p, const struct addr *from, const struct addr *to,
	const struct msg *m);

/*
 * Takes such a message. With PIECES_WHOLE *ret_body is the caller's, of *ret_n bytes; with
 * PIECES_MORE *ret_n is how many bytes there are so far.
 */
enum pieces_verdict pieces_take(struct pieces *p, const struct addr *from, const struct addr *to,
	const struct msg *m, uint8_t **ret_body, size_t *ret_n);

#endif
