/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One datagram to a group from an address that nothing is served at any more: at the
 * start of a daemon, the end of what an earlier one began there. (All others leave by
 * transport/udp.h.)
 */
#ifndef COAPCAST_TRANSPORT_ONCE_H
#define COAPCAST_TRANSPORT_ONCE_H

#include "transport/udp.h"

/* Sends it from g->source, whatever socket that was; 0 or a negative errno. */
int once_send(const struct udp_group *g, struct bytes datagram);

#endif
