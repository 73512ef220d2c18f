/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CoAP datagram as one line that a person and grep can read:
 *
 *	con 5.03 mid=1a2b token=4a format=65001 max-age=0 {"address": h'efff1104', ...}
 *
 * For the tools that test scripts use. On purpose not the broker's codec (RFC 7252
 * section 3 is short), so that a fault there cannot hide here. Not fast, not strict.
 */
#ifndef COAPCAST_TOOLS_SHOW_H
#define COAPCAST_TOOLS_SHOW_H

#include "base/buf.h"

enum show_option {
	SHOW_IF_MATCH = 1,
	SHOW_ETAG = 4,
	SHOW_IF_NONE_MATCH = 5,
	SHOW_OBSERVE = 6,
	SHOW_URI_PATH = 11,
	SHOW_FORMAT = 12,
	SHOW_URI_QUERY = 15,
	SHOW_ACCEPT = 17,
};

/* One line, without its end. What is no CoAP message is shown as `? HEX`. */
void show_message(struct bytes datagram, struct buf *out);

/* One CBOR item in diagnostic notation (RFC 8949 8); `?` from where it is not understood. */
void show_cbor(struct bytes item, struct buf *out);

/* Appends the bytes that `hex` writes; false when it is not hexadecimal. */
bool show_unhex(const char *hex, struct buf *out);

/* "get" to 0.01; false when there is no such method. */
bool show_method(const char *name, uint8_t *ret);

#endif
