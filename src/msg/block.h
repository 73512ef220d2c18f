/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block-wise transfer on the server's side (RFC 7959): Block1 bodies put
 * together within limits, Block2 responses cut from a whole representation.
 * Block options themselves are decoded in wire/option.h.
 */
#ifndef COAPCAST_MSG_BLOCK_H
#define COAPCAST_MSG_BLOCK_H

#include "msg/layer.h"

struct bodies;

struct bodies_limits {
	uint32_t bodies; /* bodies in the making at once */
	uint64_t memory; /* bytes of all of them and *others together; 0: any number */
	const size_t *others[2]; /* NULL: nothing */
};

struct bodies_stats {
	uint64_t refused, refused_payload, refused_memory; /* by each of the limits; by `max` */
	size_t bodies, bytes; /* now */
};

#define BODIES_TIMEOUT_MS (LAYER_EXCHANGE_LIFETIME_S * 1000ull) /* after the last block of a body */

/* Timeouts run on the layer's wheel. */
struct bodies *bodies_new(struct wheel *wheel, const struct bodies_limits *limits, uint32_t seed);
void bodies_free(struct bodies *b);
void bodies_set_limits(struct bodies *b, const struct bodies_limits *limits);

enum body_verdict {
	BODY_WHOLE, /* *ret_body is the request's body: run it */
	BODY_ANSWERED, /* the request was answered here: 2.31, 4.08, 4.00 */
	BODY_REFUSED, /* the same, at a limit: 4.13 + Size1, 5.03 + Max-Age */
};

/*
 * Takes a request's payload (RFC 7959 2.5; keyed by peer, path and Request-Tag,
 * RFC 9175 3), of `max` bytes at most. `path` is msg_path's text. *ret_body borrows from the request or
 * from `b` until bodies_done. On BODY_WHOLE of a block-wise body the response
 * must carry the request's Block1 option: block1_echo adds it.
 */
enum body_verdict bodies_take(struct bodies *b, struct request *r, struct bytes path, uint32_t max,
	struct bytes *ret_body);
/* Frees the body that the last BODY_WHOLE handed out, if it was assembled. */
void bodies_done(struct bodies *b);
/* Adds the final block's Block1 to the response, when the request had one (RFC 7959 2.3). */
void block1_echo(const struct msg *request, struct msg *response);

size_t bodies_count(const struct bodies *b);
void bodies_stats(const struct bodies *b, struct bodies_stats *ret);

#define BLOCK_SZX_MAX 6 /* 1024 bytes */
#define BLOCK_SZX_GROUP 4 /* 256 bytes */
#define BLOCK_SIZE(szx) (1u << ((szx) + 4))

/*
 * Puts a representation into a 2.05 (RFC 7959 2.2, 2.4): whole, when it fits
 * 1024 bytes and the request asks for no smaller blocks; else the block asked
 * for, with Block2, and Size2 on the first. False when the block asked for lies
 * past the end: answer 4.00 (RFC 7959 2.2), or the option is broken.
 */
bool block2_slice(const struct msg *request, struct bytes whole, struct msg *response);

/*
 * The same for any request: what a group was asked is answered in blocks of
 * BLOCK_SZX_GROUP at most, to amplify little; the rest is asked for by unicast
 * (draft-ietf-core-groupcomm-bis "Block-Wise Transfer", "Congestion Control").
 */
bool block2_answer(const struct request *r, struct bytes whole, struct msg *response);

/* The block size exponent that a request asks responses in; BLOCK_SZX_MAX without Block2. */
uint8_t block2_szx(const struct msg *request);

/* The first block of a notification in blocks of that size: payload, Block2, Size2. */
void block2_first(struct bytes whole, uint8_t szx, struct msg *response);

#endif
