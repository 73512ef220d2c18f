/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store keeps: one struct per kind of record, as plain values and
 * borrowed bytes. What they mean is their owner's business; the store only knows
 * which part is the key. A record is put as a whole, the newest one of a key wins.
 * Architecture: "Store"; what of object security is kept: oscore.md section 9.
 */
#ifndef COAPCAST_STORE_RECORD_H
#define COAPCAST_STORE_RECORD_H

#include "base/addr.h"
#include "base/bytes.h"

enum store_kind {
	STORE_META, /* struct store_meta */
	STORE_TOPIC, /* struct store_topic; its VALUE and SEQ are removed with it */
	STORE_VALUE, /* struct store_value; nothing without its topic */
	STORE_SEQ, /* struct store_seq; nothing without its topic */
	STORE_GROUP, /* struct store_group */
	STORE_GROUP_SEQ, /* struct store_seq; nothing without its group observation */
	STORE_OBSERVER, /* struct store_observer */
	STORE_BOUND, /* struct store_bound */
	STORE_WINDOW, /* struct store_window; there after a clean stop only */
	STORE_SECRET, /* struct store_secret */
	STORE_N_KINDS,
};

/* Something that there is one of. Names that begin with "store." are the store's own. */
struct store_meta {
	struct bytes name; /* key */
	struct bytes value;
};

struct store_topic {
	uint64_t id; /* key, never used again: the owner counts */
	uint32_t has; /* which of the optional properties are set, as the owner likes */
	uint32_t flags; /* the same */
	uint32_t content_format;
	uint32_t max_subscribers;
	uint32_t observer_check_s;
	int64_t expiration_s; /* since 1970, UTC */
	struct bytes name;
	struct bytes path;
	struct bytes type;
	struct bytes initialize; /* p NULL: none */
};

struct store_value {
	uint64_t topic; /* key */
	uint32_t content_format;
	uint32_t nth; /* number of the publish */
	struct bytes etag;
	struct bytes data; /* a topic without a value has no record */
};

/* Observe numbers of a topic or a group observation below this one may have been used. */
struct store_seq {
	uint64_t id; /* key: of the topic, or of the group observation */
	uint32_t bound;
};

struct store_group {
	uint64_t id; /* key, never used again: the owner counts */
	uint64_t topic;
	int64_t ending_s; /* since 1970, UTC */
	uint64_t count_milli; /* estimated clients, in thousandths */
	uint32_t count_state; /* what else counting needs, as the owner likes */
	uint32_t flags; /* as the owner likes */
	struct addr address; /* of the group, with port */
	struct addr source; /* of the server, with port */
	struct bytes group; /* name in the configuration */
	struct bytes token;
	struct bytes phantom; /* as it is sent in the informative response */
	/* Object security; p NULL without. */
	struct bytes keys; /* name of the OSCORE group in the configuration */
	struct bytes gid, kid, piv; /* that the phantom is bound to */
	struct bytes before; /* the same under the keys before those, while members are told */
	struct bytes latest; /* the latest one that was protected */
	/* Not known of what version 1 has kept. */
	struct bytes interface; /* its name; p NULL: not known */
	uint32_t hops; /* 0: not known */
};

/* A traditional observer. */
struct store_observer {
	struct addr remote, local; /* key, with the token */
	struct bytes token;
	uint64_t topic;
	uint32_t szx;
	uint32_t flags; /* as the owner likes */
	struct bytes who; /* identity; p NULL: none */
	struct bytes binding; /* what responses are protected with; p NULL: nothing */
};

/* No sequence number from this one on was used with the keys that have this fingerprint. */
struct store_bound {
	struct bytes fingerprint; /* key */
	uint64_t bound;
};

struct store_window {
	struct bytes fingerprint; /* key: of the keys and the sender */
	uint64_t newest; /* largest sequence number that was seen */
	uint64_t seen; /* bit n: newest - n was seen */
};

/* Key material that was drawn here. Its lengths are no secret. */
struct store_secret {
	struct bytes name; /* key */
	struct bytes secret;
};

/* The member that goes with the kind. */
union store_record {
	struct store_meta meta;
	struct store_topic topic;
	struct store_value value;
	struct store_seq seq;
	struct store_group group;
	struct store_observer observer;
	struct store_bound bound;
	struct store_window window;
	struct store_secret secret;
};

#endif
