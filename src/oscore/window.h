/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replay window of one sender (RFC 8613 7.4): the last 32 Partial IVs. Asking and
 * recording are apart: a request is recorded only after it was decrypted. A window of which it is
 * not known that it is complete (anything but a clean stop) is invalid, and stays so until a
 * request comes back with the Echo value that the window holds (RFC 8613 B.1.2, RFC 9175).
 */
#ifndef COAPCAST_OSCORE_WINDOW_H
#define COAPCAST_OSCORE_WINDOW_H

#include "base/bytes.h"

#define WINDOW_SIZE 32
#define WINDOW_ECHO 8 /* bytes of the Echo value */

struct window {
	uint64_t next; /* one above the highest number recorded; 0: none yet */
	uint32_t seen; /* bit i: next - 1 - i was recorded */
	bool valid; /* false: nothing is known, Echo first */
	bool has_echo; /* a value was drawn */
	uint8_t echo[WINDOW_ECHO]; /* what proves that a request is from this process's time */
};

enum window_verdict {
	WINDOW_NEW,
	WINDOW_REPLAY, /* recorded already, or too old to tell */
	WINDOW_UNCERTAIN, /* invalid: only Echo helps */
};

/* Empty: `valid` for keys that nobody has used with us before, else invalid. */
void window_init(struct window *w, bool valid);
/* As saved at a clean stop; valid. */
void window_restore(struct window *w, uint64_t next, uint32_t seen);

enum window_verdict window_check(const struct window *w, uint64_t piv);
/* Records a number that window_check found new. */
void window_update(struct window *w, uint64_t piv);

/* The Echo value to challenge with, drawn at the first time; borrowed from the window. */
struct bytes window_challenge(struct window *w, void (*random)(void *p, size_t n));
/*
 * A request with this Partial IV was authentic and held this Echo value (BYTES_NONE: none).
 * When it is the one we challenged with, the window is valid from there on: everything up to
 * piv counts as seen. Returns whether it was.
 */
bool window_answer(struct window *w, uint64_t piv, struct bytes echo);

#endif
