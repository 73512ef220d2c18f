/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Constrained Resource Identifiers of tp_info
 * (draft-ietf-core-observe-multicast-notifications, "Transport-Specific Message
 * Information", after draft-ietf-core-href): scheme and authority only, "coap"
 * over UDP only, host-ip only. A host-name would need a resolver, and zones,
 * user information and other schemes have no meaning here: they are refused.
 */
#ifndef COAPCAST_WIRE_CRI_H
#define COAPCAST_WIRE_CRI_H

#include "base/addr.h"
#include "wire/cborget.h"

#define CRI_SCHEME_COAP (-1)
#define CRI_DEFAULT_PORT 5683 /* of "coap": left out */

/* [-1, [host-ip, ?port]]: the nested form of the CDDL. `a` must be IPv4 or IPv6. */
void cri_put(struct buf *out, const struct addr *a);

/*
 * Takes one CRI, nested or flat ([-1, host-ip, ?port], as in the draft's figure).
 * A missing port is CRI_DEFAULT_PORT. -EBADMSG for everything else, port 0
 * included; the cursor then stays where it was.
 */
int cri_get(struct cborget *c, struct addr *ret);

/* The address of 4 or 16 bytes, with that port and no scope; -EBADMSG for another length. */
int cri_host(struct bytes ip, uint16_t port, struct addr *ret);

#endif
