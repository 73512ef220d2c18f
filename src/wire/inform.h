/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The payload of an informative response, in both generations: the CBOR map
 * with integer keys of draft-ietf-core-observe-multicast-notifications
 * (sections 4.2 and "Informative Response Parameters") and the one with text
 * keys of draft-tiloca-core-observe-multicast-notifications-01 (sections 2 and
 * 5.1). What the fields mean to an observation is the broker's and the
 * client's business.
 */
#ifndef COAPCAST_WIRE_INFORM_H
#define COAPCAST_WIRE_INFORM_H

#include "base/addr.h"
#include "wire/msg.h"

enum inform_generation {
	INFORM_CURRENT = 1, /* integer keys */
	INFORM_SEED = 2, /* text keys */
	INFORM_BOTH = INFORM_CURRENT | INFORM_SEED,
};

/* An algorithm or the like from a COSE registry: a number, or a text. */
struct inform_value {
	bool present;
	int64_t number; /* when text.p == NULL */
	struct bytes text;
};

/* Which OSCORE group to join, and where: join_uri and sec_gp always together. */
struct inform_join {
	struct bytes join_uri; /* 5, "join-uri"; p NULL: absent, like all that follow */
	struct bytes sec_gp; /* 6, "sec-gp" */
	struct bytes as_uri; /* 7, "as-uri" */
	struct inform_value hkdf; /* 8, "hkdf": the HMAC's number */
	struct inform_value cred_fmt; /* 9: a number */
	struct inform_value gp_enc_alg; /* 10, "alg" */
	struct inform_value sign_alg; /* 11, "cs-alg" */
	struct bytes sign_params; /* 12: the array as encoded CBOR */
	struct inform_value cs_crv; /* "cs-crv", and the next two: the seed's only */
	struct inform_value cs_kty; /* "cs-kty" */
	struct inform_value cs_kenc; /* "cs-kenc": a number */
};

/* The key material of a group the server manages itself; never with inform_join. */
struct inform_keys {
	struct bytes gp_material; /* 13: the map as encoded CBOR; p NULL: absent, as below */
	struct bytes srv_cred; /* 14 */
	struct bytes srv_identifier; /* 15 */
	bool has_exi;
	bool has_exp;
	uint64_t exi_s; /* 16: seconds until the keys expire */
	int64_t exp_s; /* 17: NumericDate of that; a fraction is cut on decoding */
};

struct inform {
	unsigned generations; /* enum inform_generation: to encode / found on decoding */
	struct addr server; /* tpi_server; decoding the seed's map leaves it AF_UNSPEC */
	struct addr client; /* tpi_client / "address" and "port": the multicast group */
	struct token token; /* tpi_token; of "registr" in the seed's */
	struct bytes ph_req; /* code | options | [ff payload]; p NULL: absent */
	struct bytes last_notif; /* the same; p NULL: absent */
	struct bytes registr; /* the seed's: the phantom's whole UDP serialization */
	struct bytes res; /* the seed's: current representation; p NULL: absent */
	bool has_next_not_before;
	bool has_ending;
	uint64_t next_not_before_s; /* 3 */
	int64_t ending_s; /* 4: NumericDate; a fraction is cut on decoding */
	struct inform_join join;
	/* Decoded: fields of 5..12 came without both join_uri and sec_gp and were
	 * dropped; the client withdraws or registers anew ("Signaling the OSCORE
	 * Group in the Informative Response"). */
	bool join_dropped;
	struct inform_keys keys;
};

#define INFORM_DEFAULT_PORT 5683 /* left out of a CRI, and of the seed's "port" */

/*
 * Encodes: integer keys in ascending order, then text keys in the order of the
 * seed's text. -ENOBUFS when it does not fit. -EINVAL for no generation, a
 * missing address or a port 0 (the current generation may go without addresses
 * when it announces new keys), join_uri without sec_gp or the reverse, other
 * join fields without these, or join fields together with keys.
 */
int inform_encode(const struct inform *in, struct buf *out);

/*
 * Decodes either generation or both in one map; what is found decides
 * `generations` (0: nothing known was in it). Integer keys win over text keys
 * for what both say. Byte strings borrow from `payload`. The CRI authority is
 * accepted nested and flat; a missing port is INFORM_DEFAULT_PORT; tp_info
 * without details leaves `client` AF_UNSPEC, as its absence does. Unknown keys
 * are skipped; a known key twice, bytes after the map, a truncated or
 * indefinite map, or a field of the wrong type is -EBADMSG.
 */
int inform_decode(struct bytes payload, struct inform *ret);

#endif
