/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CoAP message (RFC 7252 section 3), decoded: header, token, options and
 * payload, independent of the transport it came by. It is the seam between the
 * core and the network: broker and client see nothing else. Not here: what a
 * message means to an exchange (msg/), nor what an option may hold
 * (wire/option.h).
 */
#ifndef COAPCAST_WIRE_MSG_H
#define COAPCAST_WIRE_MSG_H

#include "base/buf.h"

enum msg_type { TYPE_CON, TYPE_NON, TYPE_ACK, TYPE_RST };

#define MSG_CODE(class, detail) (((class) << 5) | (detail))
#define MSG_CLASS(code) ((code) >> 5)
#define MSG_DETAIL(code) ((code)&31)

enum msg_code {
	CODE_EMPTY = 0,
	CODE_GET = MSG_CODE(0, 1),
	CODE_POST = MSG_CODE(0, 2),
	CODE_PUT = MSG_CODE(0, 3),
	CODE_DELETE = MSG_CODE(0, 4),
	CODE_FETCH = MSG_CODE(0, 5),
	CODE_PATCH = MSG_CODE(0, 6),
	CODE_IPATCH = MSG_CODE(0, 7),
	CODE_CREATED = MSG_CODE(2, 1),
	CODE_DELETED = MSG_CODE(2, 2),
	CODE_VALID = MSG_CODE(2, 3),
	CODE_CHANGED = MSG_CODE(2, 4),
	CODE_CONTENT = MSG_CODE(2, 5),
	CODE_CONTINUE = MSG_CODE(2, 31),
	CODE_BAD_REQUEST = MSG_CODE(4, 0),
	CODE_UNAUTHORIZED = MSG_CODE(4, 1),
	CODE_BAD_OPTION = MSG_CODE(4, 2),
	CODE_FORBIDDEN = MSG_CODE(4, 3),
	CODE_NOT_FOUND = MSG_CODE(4, 4),
	CODE_METHOD_NOT_ALLOWED = MSG_CODE(4, 5),
	CODE_NOT_ACCEPTABLE = MSG_CODE(4, 6),
	CODE_INCOMPLETE = MSG_CODE(4, 8),
	CODE_PRECONDITION_FAILED = MSG_CODE(4, 12),
	CODE_TOO_LARGE = MSG_CODE(4, 13),
	CODE_UNSUPPORTED_FORMAT = MSG_CODE(4, 15),
	CODE_TOO_MANY_REQUESTS = MSG_CODE(4, 29),
	CODE_INTERNAL = MSG_CODE(5, 0),
	CODE_NOT_IMPLEMENTED = MSG_CODE(5, 1),
	CODE_UNAVAILABLE = MSG_CODE(5, 3),
	CODE_PROXYING_NOT_SUPPORTED = MSG_CODE(5, 5),
};

enum opt_number {
	OPT_IF_MATCH = 1,
	OPT_URI_HOST = 3,
	OPT_ETAG = 4,
	OPT_IF_NONE_MATCH = 5,
	OPT_OBSERVE = 6,
	OPT_URI_PORT = 7,
	OPT_LOCATION_PATH = 8,
	OPT_OSCORE = 9,
	OPT_URI_PATH = 11,
	OPT_CONTENT_FORMAT = 12,
	OPT_MAX_AGE = 14,
	OPT_URI_QUERY = 15,
	OPT_HOP_LIMIT = 16,
	OPT_ACCEPT = 17,
	OPT_Q_BLOCK1 = 19,
	OPT_LOCATION_QUERY = 20,
	OPT_BLOCK2 = 23,
	OPT_BLOCK1 = 27,
	OPT_SIZE2 = 28,
	OPT_Q_BLOCK2 = 31,
	OPT_PROXY_URI = 35,
	OPT_PROXY_SCHEME = 39,
	OPT_SIZE1 = 60,
	OPT_ECHO = 252,
	OPT_NO_RESPONSE = 258,
	OPT_REQUEST_TAG = 292,
};

struct token {
	uint8_t n; /* 0..8 bytes in use */
	uint8_t b[8]; /* the rest zero */
};

struct opt {
	struct bytes value;
	uint16_t number;
};

#define MSG_MAX_OPTIONS 64 /* a message with more is refused as malformed */
#define MSG_SCRATCH 64 /* bytes of option values made by msg_add_uint */

struct msg {
	uint8_t type; /* enum msg_type */
	uint8_t code; /* enum msg_code, or any other the peer made up */
	uint16_t mid;
	struct token token;
	uint8_t n_opts;
	uint8_t n_scratch;
	struct opt opts[MSG_MAX_OPTIONS]; /* by number; values borrowed */
	uint8_t scratch[MSG_SCRATCH]; /* where msg_add_uint keeps its values */
	struct bytes payload; /* borrowed */
};

enum msg_verdict {
	MSG_OK,
	MSG_IGNORE, /* too short or another version: RFC 7252 3, silently ignored */
	MSG_MALFORMED, /* format error; type and mid are set, so that it can be rejected */
};

/*
 * Decodes a UDP datagram (RFC 7252 section 3). Options and payload of *ret
 * borrow from `datagram`. Everything but scratch and unused options is
 * written; on MSG_MALFORMED only type, code and mid.
 */
enum msg_verdict msg_decode(struct bytes datagram, struct msg *ret);

/* The same of header and token alone: of a datagram whose end is missing. */
enum msg_verdict msg_decode_head(struct bytes datagram, struct msg *ret);

/*
 * Decodes `code | options | [ff payload]`: how the informative response
 * carries ph_req and last_notif. 0 or -EBADMSG.
 */
int msg_decode_inner(struct bytes data, struct msg *ret);

/* Empties a message and gives it a type and a code. */
void msg_init(struct msg *m, enum msg_type type, enum msg_code code);

/*
 * Adds an option in its place by number, after its equals. The value stays
 * borrowed (msg_add) or is kept in the message (msg_add_uint, in the shortest
 * form of RFC 7252 3.2). -ENOSPC when the message has no room for more.
 */
int msg_add(struct msg *m, uint16_t number, struct bytes value);
int msg_add_uint(struct msg *m, uint16_t number, uint32_t value);

/* Takes out every option with this number. */
void msg_remove(struct msg *m, uint16_t number);

/* The first option with this number, or NULL. */
const struct opt *msg_find(const struct msg *m, uint16_t number);
bool msg_has(const struct msg *m, uint16_t number);
/* Its value as an uint; false when the option is absent or longer than 4 bytes. */
bool msg_uint(const struct msg *m, uint16_t number, uint32_t *ret);
uint32_t opt_uint(const struct opt *o);

/* Header of a UDP message: type, token length, code, message id, token. */
void msg_put_header(
	struct buf *out, enum msg_type type, uint8_t code, uint16_t mid, const struct token *token);
/* Options and, when there is one, marker and payload: what follows the token. */
void msg_put_tail(const struct msg *m, struct buf *out);
/* The whole UDP datagram; -ENOBUFS when it does not fit. */
int msg_encode(const struct msg *m, struct buf *out);
/* `code | options | [ff payload]`; -ENOBUFS. */
int msg_encode_inner(const struct msg *m, struct buf *out);

bool token_equal(const struct token *a, const struct token *b);
/* A token of b.n bytes (at most 8, the rest is cut). */
struct token token_of(struct bytes b);

/*
 * The Uri-Path options as one text with a '/' before each segment ("/ps/data/t");
 * "/" without any. Bytes that would make it ambiguous ('/' and '%' within a
 * segment, and NUL) are percent-encoded, so that equal texts are equal paths.
 * -ENOBUFS when out is too small.
 */
int msg_path(const struct msg *m, struct buf *out);
/* Adds the segments of such a text as options of that number; -EINVAL, -ENOSPC. */
int msg_add_path(struct msg *m, uint16_t number, struct bytes path, struct buf *scratch);

/* "GET", "2.05": into out, which is returned. */
const char *msg_code_name(uint8_t code, char out[16]);

/*
 * The 24-bit observe sequence (RFC 7641 4.4): whether b is newer than a, when
 * a came at a_ms and b at b_ms (section 3.4's 128 seconds included).
 */
bool observe_newer(uint32_t a, uint64_t a_ms, uint32_t b, uint64_t b_ms);

#endif
