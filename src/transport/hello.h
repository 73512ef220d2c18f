/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first two flights of a DTLS handshake (RFC 6347 4.2.1), as a server has to know them
 * that keeps nothing of a client whose address is not proven: the ClientHello with or
 * without a cookie, and the HelloVerifyRequest. No I/O, and no idea what a cookie is.
 */
#ifndef COAPCAST_TRANSPORT_HELLO_H
#define COAPCAST_TRANSPORT_HELLO_H

#include "base/buf.h"

#define HELLO_SEEN 384 /* bytes of a datagram that hello_read() needs, if it has so many */
#define HELLO_REQUEST_MAX 320 /* bytes of a HelloVerifyRequest */

enum hello_kind {
	HELLO_OTHER, /* something else, which begins nothing */
	HELLO_BEGIN, /* a ClientHello */
	HELLO_PART, /* a later part of one, or encrypted: fine from whoever has begun */
	HELLO_BROKEN,
};

struct hello {
	struct bytes sequence; /* the record's, 6 bytes; borrowed, as the next */
	struct bytes cookie; /* empty: none yet */
};

/* Reads the beginning of a datagram of `n` bytes; *ret only of HELLO_BEGIN. */
enum hello_kind hello_read(struct bytes beginning, size_t n, struct hello *ret);

/* The answer to one: come again with this cookie, of up to 255 bytes. */
void hello_put_request(struct buf *out, const struct hello *to, struct bytes cookie);

#endif
