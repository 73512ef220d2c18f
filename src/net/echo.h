/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Echo values without state (RFC 9175 appendix A, "Integrity-Protected Timestamp"): the time
 * and a keyed hash of time and addresses, under a key that lives as long as the process.
 * When a peer is asked for one is the message layer's (msg/verify.h).
 */
#ifndef COAPCAST_NET_ECHO_H
#define COAPCAST_NET_ECHO_H

#include "base/buf.h"
#include "msg/path.h"

#define ECHO_LEN 12
/* It is taken for so long: as RFC 7252 4.8.2 gives a request until its last transmission. */
#define ECHO_WINDOW_S 60

struct echo {
	uint8_t key[32];
};

void echo_init(struct echo *e);
void echo_fini(struct echo *e);

/* Appends the value for the peer that way. -EIO when it cannot be computed. */
int echo_put(const struct echo *e, const struct path *way, uint64_t now_ms, struct buf *out);

/* Whether that is what this peer was sent within the window. */
bool echo_check(const struct echo *e, const struct path *way, uint64_t now_ms, struct bytes value);

#endif
