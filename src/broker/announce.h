/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The informative response of a group observation
 * (draft-ietf-core-observe-multicast-notifications section 4.2; draft-tiloca-...-01
 * section 2), in as many blocks as the group's datagrams need; and the same data for who
 * does not register (appendix A). Not here: who gets it (register.c, observe.c).
 */
#ifndef COAPCAST_BROKER_ANNOUNCE_H
#define COAPCAST_BROKER_ANNOUNCE_H

#include "broker/group.h"

struct call;

/*
 * What the 5.03 carries after its token; empty when not even a block of it fits. Borrowed
 * until the next publish.
 */
struct bytes announce_tail(struct broker *b, struct group_observation *g);

/*
 * What members of a protected group observation are told in a multicast response when its
 * keys were renewed: those keys and the phantom request, if asked for with last_notif.
 */
int announce_keys(const struct group_observation *g, bool latest, struct buf *out);

/* Whether a request may be one for a further block of a 5.03: it names it by ETag. */
bool announce_is_asked(const struct call *c);
/* Answers it; false when the ETag is not that of this 5.03. */
bool announce_block(struct call *c, struct group_observation *g);

/*
 * Its data for who is not to register, appendix A of the current draft: the payload of
 * an informative response with integer keys and `ending`, without keys. From now on it
 * is planned to end then, and does not before for want of clients.
 */
int announce_offer(struct broker *b, struct group_observation *g, struct buf *out);

#endif
