/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests whose answer takes a while: piggybacked when it comes soon, otherwise separate
 * after an empty ACK (RFC 7252 5.2.2). Part of the message layer.
 */
#ifndef COAPCAST_MSG_LATER_H
#define COAPCAST_MSG_LATER_H

#include "msg/layer.h"

#define LATER_ACK_MS 1000 /* before the peer sends its request again: PROCESSING_DELAY */

struct later;

/*
 * Takes a request over, to be answered with later_reply. NULL past limits.exchanges, and
 * the request is as it was.
 */
struct later *later_new(struct request *r);
/* Answers it, whose type, message id and token are set here, and frees it. */
void later_reply(struct later *w, struct msg *response);
/* Frees it unanswered. */
void later_drop(struct later *w);

/* The layer's: a duplicate of a request that waits got the empty ACK. */
void later_repeated(struct layer *l, const struct path *way, uint16_t mid);

#endif
