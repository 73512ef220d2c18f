/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Option coding (RFC 7252 section 3.1) by libcoap, one option at a time:
 * libcoap's whole-message parser rejects messages for elective options of a
 * wrong length, which section 5.4.3 wants ignored. With transport/coapd the only
 * code that knows <coap3/coap.h>.
 */
#ifndef COAPCAST_WIRE_CODEC_H
#define COAPCAST_WIRE_CODEC_H

#include "base/buf.h"

/*
 * Takes one option off the front of *rest. *number is the previous option's
 * number and becomes this one's. The value borrows from *rest. 0, or -EBADMSG
 * for a format error, with nothing changed.
 */
int codec_get_option(struct bytes *rest, uint16_t *number, struct bytes *ret_value);

/* Writes an option whose number is `delta` above the previous one's. */
void codec_put_option(struct buf *out, uint16_t delta, struct bytes value);

#endif
