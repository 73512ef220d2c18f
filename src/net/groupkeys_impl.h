/* SPDX-License-Identifier: BSD-2-Clause */
/* An OSCORE group of the configuration, for the files of net/groupkeys.h and nobody else. */
#ifndef COAPCAST_NET_GROUPKEYS_IMPL_H
#define COAPCAST_NET_GROUPKEYS_IMPL_H

#include "net/groupdrawn.h"
#include "net/groupkeys.h"

#define GROUPKEYS_MATERIAL_MAX 640 /* of gp_material: secret, salt and Gid at their longest */

/* One generation of keys. */
struct keyset {
	struct context *context; /* held */
	uint64_t expires_ms; /* on the wheel's clock; WHEEL_NEVER: an external group's */
	uint8_t fingerprint[SSN_FINGERPRINT];
	struct groupdrawn drawn; /* self-managed: what the store has of it */
	size_t n_material;
	uint8_t material[GROUPKEYS_MATERIAL_MAX]; /* self-managed: gp_material, encoded */
};

struct broker_security {
	struct groupkeys *owner;
	const struct conf_oscore_group *conf;
	struct bytes cred; /* the broker's credential: the configuration's, or made */
	uint8_t *made; /* the latter; owned */
	struct keyset *now; /* in use */
	struct keyset *next; /* drawn, until it can protect; NULL: none */
	/* Those that members may still have instead of `now`, while they are told; NULL: none. */
	struct keyset *before;
	uint64_t before_until_ms; /* they are told by then */
	bool before_ended; /* they protect the end of group observations, and nothing more */
	struct timer timer; /* to look whether keys are to be replaced */
	bool expired; /* `now` did, or was revoked, and nothing is there in its place */
};

/* The map of the draft's section on self-managed groups. */
int groupinform_material(const struct conf_oscore_group *conf, struct bytes secret,
	struct bytes gid, struct buf *out);
/* What an informative response says of the group. */
void groupinform_fill(const struct broker_security *s, uint64_t now_ms, struct inform *in);

#endif
