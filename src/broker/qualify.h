/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may be moved into a group observation, and where: product.md "Who is moved",
 * draft-ietf-core-observe-multicast-notifications section 4.2. How many of them start
 * one, and what is sent, is broker/group.h's.
 */
#ifndef COAPCAST_BROKER_QUALIFY_H
#define COAPCAST_BROKER_QUALIFY_H

#include "broker/topic.h"

/* The group that who registers for this topic may be moved to; NULL: none. */
const struct broker_group *qualify_group(
	const struct broker *b, const struct topic *t, const struct request *r);

/*
 * The endpoint of ours that the group observations of who sent this come from: the one it
 * talks to, or over DTLS the one at that address which serves UDP. False: none does.
 */
bool qualify_local(const struct broker *b, const struct request *r, struct local *ret);
/* The group that serves it for an address family, or NULL. */
const struct broker_group *qualify_topic(const struct broker *b, const struct topic *t, int family);
/* Whether it may be told of with this server address. */
bool qualify_source(const struct broker_group *g, const struct addr *local);

/* Whether a registration, minus what does not count, equals the phantom: wire.md, step 5. */
bool qualify_request(const struct msg *request);
/* Whether it is such a registration, and takes a 5.03 from where it asked. */
bool qualify_observer(const struct request *r);

#endif
