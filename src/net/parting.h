/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is told at the start that it is over: one datagram each, from the address that they know,
 * which need not be one of ours any more. What is protected waits until it can be.
 */
#ifndef COAPCAST_NET_PARTING_H
#define COAPCAST_NET_PARTING_H

#include "msg/layer.h"
#include "transport/udp.h"

struct parting;

/* Those that wait. */
struct partings {
	struct parting *first;
};

struct parting_to {
	struct udp_group way; /* a group, or one peer: then its address is that of the group */
	struct bytes token; /* no longer than one is */
	enum msg_code code;
	struct shield *shield; /* a reference, taken over; NULL: it is not protected */
};

/* Tells it now, or when partings_send comes; a negative errno: it cannot be told. */
int parting_tell(struct partings *p, struct layer *l, const struct parting_to *to);
/* Messages can be protected now. How many could not all the same. */
unsigned partings_send(struct partings *p, struct layer *l);
void partings_free(struct partings *p, struct layer *l);

#endif
