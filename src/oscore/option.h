/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The value of the OSCORE option, number 9 (RFC 8613 6.1; the Group Flag is
 * oscore-groupcomm's 4.1): from and to its fields. What is to be in which message is
 * protect's business.
 */
#ifndef COAPCAST_OSCORE_OPTION_H
#define COAPCAST_OSCORE_OPTION_H

#include "base/buf.h"

#define OSCORE_OPTION_MAX 255 /* bytes of the value */
#define OSCORE_MAX_PIV 5 /* bytes */

struct oscore_option {
	struct bytes piv; /* n = 0: none */
	struct bytes kid_context; /* p NULL: absent; may be empty */
	struct bytes kid; /* p NULL: absent; an empty kid is not the same as none */
	bool group; /* group mode: a countersignature follows the ciphertext */
};

/*
 * Decodes; the fields borrow from `value` (an empty kid or kid context has p != NULL).
 * -EBADMSG: reserved bits, a reserved PIV length, a PIV with leading zeros, truncated, over 255 bytes, bytes that
 * belong to nothing, or all flags zero with a flag byte.
 */
int oscore_option_decode(struct bytes value, struct oscore_option *ret);

/* Encodes; nothing to say is an empty value. -EINVAL for fields too long, -ENOBUFS. */
int oscore_option_encode(const struct oscore_option *o, struct buf *out);

/* A number as Partial IV: minimal and big-endian, 0 is h'00'. Returns the length, 1..5. */
size_t oscore_option_put_piv(uint64_t number, uint8_t ret[OSCORE_MAX_PIV]);
/* The number of a Partial IV. */
uint64_t oscore_option_number(struct bytes piv);

#endif
