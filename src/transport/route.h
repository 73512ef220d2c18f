/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the routing table says, asked by way of a socket that never sends: our
 * address towards a remote one, and the interface that has an address.
 */
#ifndef COAPCAST_TRANSPORT_ROUTE_H
#define COAPCAST_TRANSPORT_ROUTE_H

#include "base/addr.h"

/* The address (port 0) the kernel would send from to `remote`; negative errno without a route. */
int route_local_for(const struct addr *remote, struct addr *ret_local);
/* The same by that interface; 0: by any. */
int route_local_on(const struct addr *remote, uint32_t ifindex, struct addr *ret_local);

/* Whether an IPv4 address is some network's broadcast address. */
bool route_is_broadcast(const struct addr *a);

/* The index of the interface that has the address `local`; -ENODEV when none has. */
int route_interface_of(const struct addr *local, uint32_t *ret_ifindex);

#endif
