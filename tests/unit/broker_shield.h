/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object security as a recorder: it hides nothing, but counts. A request with the word
 * s=WHO gets a shield of that subject. What is protected has an OSCORE option with the
 * number of its shield and, where one is due, its Partial IV; its payload is the plain
 * message. A shield must spend each number once, and be released by all who hold it.
 */
#ifndef COAPCAST_UNIT_BROKER_SHIELD_H
#define COAPCAST_UNIT_BROKER_SHIELD_H

#include "broker/broker.h"

extern const struct shield_ops bw_shields;

/* Undoes what s=WHO did, and runs the request. */
void bw_shield_request(struct request *r);

/* Puts the plain message in the place of a protected one, and says "s"; or leaves it. */
bool bw_unshield(struct msg *m);

struct shield *bw_group_phantom(
	void *ctx, const struct broker_group *g, const struct msg *plain, struct buf *out);
/* Adds keys: gp_material is h'a0'. */
void bw_group_inform(void *ctx, const struct broker_group *g, struct inform *in);

/* Makes a group one with security. */
void bw_secure(struct broker_group *g);

/* Shield and Partial IV of a datagram; -1: it has none. */
struct bw_mark {
	int shield, piv;
};
struct bw_sent;
struct bw_mark bw_mark_of(const struct bw_sent *s);

#endif
