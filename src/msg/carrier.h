/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a transport with sessions (RFC 8323; DTLS through a library) tells the message
 * layer. Such a transport retransmits by itself and has no acknowledgements to show: a
 * CON by it is sent once and ends as acknowledged. What becomes of it later is told
 * here: it was rejected, or the session ended with all that its peer had asked for.
 */
#ifndef COAPCAST_MSG_CARRIER_H
#define COAPCAST_MSG_CARRIER_H

#include "msg/layer.h"

/* The CON with that message id was rejected: layer_ops.on_reset. */
void carrier_nack(struct layer *l, const struct path *way, uint16_t mid);
/* The session is over: layer_ops.on_lost, after what waited for it. */
void carrier_lost(struct layer *l, const struct path *way);
/* Whether somebody holds on to the peer that way: it observes, or an answer is due. */
bool carrier_is_needed(struct layer *l, const struct path *way);

#endif
