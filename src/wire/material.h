/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key material of an OSCORE group, as an informative response has it in gp_material: the
 * map of OSCORE Security Context Parameters (draft-ietf-core-observe-multicast-notifications,
 * "OSCORE Group Self-Managed by the Server"). What keys follow from it is for others to say.
 */
#ifndef COAPCAST_WIRE_MATERIAL_H
#define COAPCAST_WIRE_MATERIAL_H

#include "base/buf.h"
#include "wire/inform.h"

struct material {
	struct bytes ms; /* 2: Master Secret; p NULL: absent, like all that follow */
	struct inform_value hkdf; /* 3 */
	struct bytes salt; /* 5: Master Salt */
	struct bytes context_id; /* 6: the Gid */
	struct inform_value cred_fmt; /* 8 */
	struct inform_value gp_enc_alg; /* 9 */
	struct inform_value sign_alg; /* 10 */
	struct bytes sign_params; /* 11: the item as encoded CBOR */
};

/* 0, or -ENOBUFS. */
int material_encode(const struct material *m, struct buf *out);

/*
 * 0, or -EBADMSG for what is not one map, or one with a parameter twice or of another type;
 * unknown parameters are passed over. Borrows from the input.
 */
int material_decode(struct bytes map, struct material *ret);

#endif
