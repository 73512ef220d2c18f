/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/hello.h"

#include <string.h>

#define TYPE_HANDSHAKE 22
#define CLIENT_HELLO 1
#define VERIFY_REQUEST 3
#define VERSION 0xfeff /* DTLS 1.0, whatever is negotiated later */
#define RANDOM 32

/* Offsets of the record's and the handshake message's header; the body follows. */
enum {
	AT_EPOCH = 3,
	AT_SEQUENCE = 5,
	AT_LENGTH = 11,
	AT_MESSAGE = 13, /* type, length */
	AT_FRAGMENT = 19, /* offset, length */
	AT_BODY = 25,
	AT_SESSION = AT_BODY + 2 + RANDOM, /* its id, with a byte of length before it */
};

static uint32_t
uint_at(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* A byte of length at `at` and so many bytes; false when it does not end before `end`. */
static bool
take(const uint8_t *p, size_t end, size_t *at, struct bytes *ret)
{
	size_t n;

	if (*at >= end || (n = p[*at]) > end - *at - 1)
		return false;
	*ret = bytes_of(p + *at + 1, n);
	*at += 1 + n;
	return true;
}

static bool
read_begin(struct bytes b, size_t n, struct hello *ret)
{
	size_t record = uint_at(b.p + AT_LENGTH, 2), fragment = uint_at(b.p + AT_FRAGMENT + 3, 3);
	size_t end, at = AT_SESSION;
	struct bytes session;

	/* The record ends in the datagram, the fragment in the record and in the message. */
	if (record > n - AT_MESSAGE || record < AT_BODY - AT_MESSAGE ||
		fragment > record - (AT_BODY - AT_MESSAGE) ||
		fragment > uint_at(b.p + AT_MESSAGE + 1, 3))
		return false;
	end = AT_BODY + fragment;
	if (end > b.n)
		end = b.n;
	if (!take(b.p, end, &at, &session) || !take(b.p, end, &at, &ret->cookie))
		return false;
	ret->sequence = bytes_of(b.p + AT_SEQUENCE, 6);
	return true;
}

enum hello_kind
hello_read(struct bytes b, size_t n, struct hello *ret)
{
	struct hello h;

	if (b.n <= AT_MESSAGE || b.p[0] != TYPE_HANDSHAKE || b.p[AT_MESSAGE] != CLIENT_HELLO)
		return HELLO_OTHER;
	/* Under keys, it only looks like one. */
	if (uint_at(b.p + AT_EPOCH, 2) != 0)
		return HELLO_PART;
	if (b.n < AT_BODY)
		return HELLO_BROKEN;
	if (uint_at(b.p + AT_FRAGMENT, 3) != 0)
		return HELLO_PART;
	if (!read_begin(b, n, &h))
		return HELLO_BROKEN;
	*ret = h;
	return HELLO_BEGIN;
}

static void
put_u24(struct buf *out, size_t v)
{
	buf_put_u8(out, (uint8_t)(v >> 16));
	buf_put_u16(out, (uint16_t)v);
}

void
hello_put_request(struct buf *out, const struct hello *to, struct bytes cookie)
{
	size_t n = 2 + 1 + cookie.n;

	buf_put_u8(out, TYPE_HANDSHAKE);
	buf_put_u16(out, VERSION);
	buf_put_u16(out, 0);
	/* RFC 6347 4.2.1: that of the ClientHello, of which nothing is kept. */
	buf_put(out, to->sequence);
	buf_put_u16(out, (uint16_t)(AT_BODY - AT_MESSAGE + n));
	buf_put_u8(out, VERIFY_REQUEST);
	put_u24(out, n);
	buf_put_u16(out, 0);
	put_u24(out, 0);
	put_u24(out, n);
	buf_put_u16(out, VERSION);
	buf_put_u8(out, (uint8_t)cookie.n);
	buf_put(out, cookie);
}
