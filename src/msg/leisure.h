/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to multicast requests, which wait a random part of the leisure before
 * they leave, so that the servers of a group do not all answer at once (RFC 7252
 * 8.2, draft-ietf-core-groupcomm-bis "Default Leisure Updates"). What waits is the
 * datagram as it was when the request ran. Bounded: past the limit an answer is
 * lost, as on the way. The layer's own; others see request_reply and
 * request_leisure.
 */
#ifndef COAPCAST_MSG_LEISURE_H
#define COAPCAST_MSG_LEISURE_H

#include "msg/layer.h"

/* Sends a copy of the datagram that way when a random part of the leisure is over. */
void leisure_hold(struct layer *l, const struct path *way, struct bytes datagram);

/* Forgets all that waits. */
void leisure_drop_all(struct layer *l);

#endif
