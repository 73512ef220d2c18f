/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The little of RFC 7252 section 3 that a bench needs: requests with four-byte
 * tokens out, head, Observe and payload in. On purpose not the broker's codec,
 * so that a fault there cannot hide here.
 */
#ifndef COAPCAST_BENCH_PACKET_H
#define COAPCAST_BENCH_PACKET_H

#include "base/buf.h"

enum packet_type {
	PACKET_CON = 0,
	PACKET_NON = 1,
	PACKET_ACK = 2,
	PACKET_RST = 3,
};

enum packet_code {
	PACKET_EMPTY = 0x00,
	PACKET_GET = 0x01,
	PACKET_POST = 0x02,
	PACKET_PUT = 0x03,
	PACKET_CREATED = 0x41, /* 2.01 */
	PACKET_CHANGED = 0x44, /* 2.04 */
	PACKET_CONTENT = 0x45, /* 2.05 */
	PACKET_UNAVAILABLE = 0xa3, /* 5.03 */
};

struct packet {
	uint8_t type; /* enum packet_type */
	uint8_t code;
	uint16_t mid;
	bool has_token; /* it is four bytes long, as all of ours are */
	uint32_t token;
	bool has_observe;
	uint32_t observe;
	/* Borrowed from what was decoded, as is the payload: RFC 9175, RFC 8613 (p NULL: none). */
	struct bytes echo, oscore;
	struct bytes payload;
};

/* False when it is no CoAP message. */
bool packet_decode(struct bytes in, struct packet *ret);

void packet_put_empty(struct buf *out, enum packet_type type, uint16_t mid);
void packet_put_head(
	struct buf *out, enum packet_type type, uint8_t code, uint16_t mid, struct bytes token);

/* `last` is the number of the option before, 0 at first; options in order. */
void packet_put_option(struct buf *out, uint16_t *last, uint16_t number, struct bytes value);

struct packet_request {
	uint8_t code; /* PACKET_GET, PACKET_POST or PACKET_PUT */
	bool observe; /* with Observe 0: a registration */
	uint16_t mid;
	uint32_t token;
	const char *path; /* "ps/data/t": Uri-Path options, split at '/' */
	uint16_t format; /* Content-Format of a POST and of a PUT */
	struct bytes echo; /* repeated from a 4.01 */
	struct bytes payload;
};

/* A Confirmable request. */
void packet_put_request(struct buf *out, const struct packet_request *r);

/*
 * Numbered payloads: 8 hex digits and filler up to `size` (>= 8), so that a
 * notification tells which publish it belongs to.
 */
void packet_fill_payload(uint8_t *to, size_t size, uint32_t number);
bool packet_read_payload(struct bytes payload, uint32_t *ret);

#endif
