/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New keys for a group observation that is protected (oscore.md sections 9 and 12;
 * observe-multicast-notifications, "OSCORE Group Self-Managed by the Server"): a new
 * phantom request under them, told to the group in a 5.03 under the old ones, so that who
 * takes part goes on where newcomers begin. Which keys, and when, is the owner's.
 */
#ifndef COAPCAST_BROKER_REKEY_H
#define COAPCAST_BROKER_REKEY_H

#include "broker/group.h"

#define REKEY_NOTICES 3 /* times it is told; it is not confirmed */

struct rekey; /* while it is told */

/* Stops telling, and releases the old keys. */
void rekey_end(struct group_observation *g);
/* What protects messages to those who may not have the new ones; NULL: they were told. */
struct shield *rekey_before(const struct group_observation *g);

#endif
