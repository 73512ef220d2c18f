/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The properties of a topic as a CBOR map (application/core-pubsub+cbor) and the
 * array that asks for some of them: draft-ietf-core-coap-pubsub, "Topic
 * Properties" and "Encoding of PubSub Topic Properties". Which of them must,
 * may or may not be given in a request is the broker's business.
 */
#ifndef COAPCAST_WIRE_PROPS_H
#define COAPCAST_WIRE_PROPS_H

#include "base/buf.h"

enum props_key {
	PROPS_NAME, /* "topic-name": tstr */
	PROPS_DATA, /* "topic-data": tstr, a URI reference */
	PROPS_RESOURCE_TYPE, /* "resource-type": tstr */
	PROPS_CONTENT_FORMAT, /* "topic-content-format": uint */
	PROPS_TYPE, /* "topic-type": tstr */
	PROPS_EXPIRATION, /* "expiration-date": #6.1(number) */
	PROPS_MAX_SUBSCRIBERS, /* uint */
	PROPS_OBSERVER_CHECK, /* uint over 0 */
	PROPS_INITIALIZE, /* bstr */
	PROPS_N_KEYS,
};

#define PROPS_BIT(key) (1U << (key))
#define PROPS_ALL (PROPS_BIT(PROPS_N_KEYS) - 1)

struct props {
	unsigned has; /* PROPS_BIT of what is there; the rest is zero */
	struct bytes name; /* strings are borrowed */
	struct bytes data;
	struct bytes resource_type;
	struct bytes type;
	struct bytes initialize;
	uint16_t content_format;
	uint32_t max_subscribers; /* a larger one is kept as UINT32_MAX */
	uint32_t observer_check_s; /* the same */
	int64_t expiration_s; /* since 1970, UTC; a fraction is cut */
};

static inline bool
props_has(const struct props *p, enum props_key key)
{
	return (p->has & PROPS_BIT(key)) != 0;
}

/*
 * Decodes a whole map of properties, which may be partial or empty. -EBADMSG
 * when it is not one: another type, an unknown or repeated key, a value of the
 * wrong type or range, bytes after it.
 */
int props_decode(struct bytes payload, struct props *ret);

/* Encodes those of its properties whose PROPS_BIT is in `keys`; -ENOBUFS. */
int props_encode(const struct props *p, unsigned keys, struct buf *out);

/* "Getting part of a topic": an array of keys, as PROPS_BITs. -EBADMSG like above. */
int props_decode_keys(struct bytes payload, unsigned *ret_keys);

/* Whether each property of `filter` is in `p` with an equal value. */
bool props_match(const struct props *p, const struct props *filter);

#endif
