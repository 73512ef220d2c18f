/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an observation remembers of the newest notification: its number, for order and
 * gaps (RFC 7641 3.4), and its value, for telling a repetition from news.
 */
#ifndef COAPCAST_CLIENT_LATEST_H
#define COAPCAST_CLIENT_LATEST_H

#include "wire/msg.h"

/*
 * RFC 7641 4.4 only wants numbers to rise. A broker that knows only how far it may have got, since
 * it was killed, goes on at least so far above: from there on it is another life of it, and the
 * numbers between were nobody's.
 */
#define LATEST_LIFE 65536

struct latest {
	bool has_seq;
	bool has_value;
	uint8_t n_etag; /* 0: the value came without one */
	uint8_t etag[8];
	uint32_t seq; /* Observe, 24 bits */
	uint64_t seq_ms; /* when it came */
	uint8_t *value; /* owned */
	size_t n;
};

void latest_fini(struct latest *l);

/*
 * Takes the number of a notification that came at now_ms. False when it is not newer
 * than the one before; else *ret_gap is how many are missing between the two, and *ret_anew
 * whether they go on elsewhere, of which nothing is known to be missing.
 */
bool latest_take(
	struct latest *l, uint32_t seq, uint64_t now_ms, uint32_t *ret_gap, bool *ret_anew);
/* The next number starts a new sequence. */
void latest_reset(struct latest *l);

/* Whether this value is the one kept: by ETag when both have one, else by its bytes. */
bool latest_equals(const struct latest *l, struct bytes etag, struct bytes value);
/* Keeps a copy. */
void latest_keep(struct latest *l, struct bytes etag, struct bytes value);

#endif
