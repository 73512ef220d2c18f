/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HMAC-SHA-256 (RFC 2104) and SHA-256 for those who may not include libcrypto: the
 * stateless Echo values of RFC 9175, fingerprints. A keyed object keeps its state
 * between messages.
 */
#ifndef COAPCAST_OSCORE_MAC_H
#define COAPCAST_OSCORE_MAC_H

#include "base/bytes.h"

#define MAC_LEN 32

/* 0 or -EIO. */
int mac_compute(struct bytes key, struct bytes data, uint8_t ret[MAC_LEN]);
int mac_digest(struct bytes data, uint8_t ret[MAC_LEN]); /* SHA-256, no key */

/* Whether two values are equal, in a time that depends on their lengths alone. */
bool mac_equal(struct bytes a, struct bytes b);

#endif
