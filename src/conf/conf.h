/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one file and its conf.d folder, read through the schema
 * table (confkeys.c) into a plain struct that is complete, within its bounds
 * and consistent (confcheck.c). It opens nothing but the files it reads and
 * decides nothing at run time: matching patterns, binding addresses and making
 * keys are the business of others. coapcast.yaml(5) says what each key means.
 *
 * Everything below a struct conf belongs to it and lives until conf_free().
 * Strings are UTF-8 without control characters; an absent one is NULL, an
 * absent byte string BYTES_NONE, an absent address AF_UNSPEC, an absent map
 * NULL and an absent list NULL with a count of 0.
 */
#ifndef COAPCAST_CONF_CONF_H
#define COAPCAST_CONF_CONF_H

#include <stdio.h>

#include "base/addr.h"
#include "base/log.h"
#include "conf/confsec.h"

#define CONF_NO_FORMAT UINT32_MAX /* a Content-Format that is not set */

struct schema_doc; /* schema.h: the memory, and where each key was written */
struct schema_key;

enum conf_scheme { CONF_COAP, CONF_COAPS, CONF_COAP_TCP, CONF_COAPS_TCP };
enum conf_inform { CONF_INFORM_BOTH, CONF_INFORM_CURRENT, CONF_INFORM_SEED };
enum conf_large { CONF_LARGE_FIRST_BLOCK, CONF_LARGE_TRADITIONAL };
struct conf_limits {
	uint32_t topics;
	uint64_t payload_bytes; /* of one topic's value */
	uint64_t memory_bytes; /* of all values and bodies together */
	uint32_t peers; /* endpoints remembered at once */
	uint32_t observers; /* traditional observations, all topics together */
	uint32_t observers_per_peer;
	uint32_t exchanges; /* entries of the de-duplication table */
	uint32_t bodies; /* block-wise uploads under way */
	uint32_t sessions; /* DTLS, TLS and TCP sessions */
	uint32_t handshakes; /* of those that are not set up yet, TCP connections included */
	uint64_t unread_bytes; /* what one of them may leave unread for long */
	uint32_t publish_rate; /* per second and peer; 0: as fast as they come */
};

struct conf_broker {
	const char *collection; /* "/ps": starts with a slash, does not end with one */
	bool create_on_publish;
	struct conf_limits limits;
};

#define CONF_STATE_DIRECTORY "/var/lib/coapcast"

struct conf_state {
	const char *directory; /* as written, or below the file's folder when relative */
	uint64_t commit_interval_ms; /* 0: durable before the 2.04 */
};

struct conf_listen {
	enum conf_scheme scheme;
	struct addr addr; /* with port */
};

struct conf_feedback { /* rough counting */
	uint32_t every; /* notifications between two counts */
	uint32_t confirmations; /* M: how many are wanted */
	uint64_t wait_ms; /* MAX_CONFIRMATION_WAIT */
	uint32_t dampener; /* D */
};

struct conf_group {
	const char *name;
	struct addr address; /* multicast, with port */
	uint32_t port; /* the same once more */
	const char *interface;
	uint32_t hops; /* TTL, hop limit */
	const char **topics; /* patterns over topic names, at least one */
	size_t n_topics;
	uint32_t threshold;
	uint32_t cancel_below;
	struct prefix *members; /* NULL: every address of the group's family */
	size_t n_members;
	struct addr source; /* port 0; AF_UNSPEC: that of the registration */
	enum conf_inform informative_response;
	uint64_t min_interval_ms;
	uint64_t max_age_ms; /* whole seconds */
	uint32_t datagram; /* bytes of the largest one, UDP payload */
	enum conf_large large_values;
	struct conf_feedback feedback;
	const char *oscore; /* name of an OSCORE group, NULL: unprotected */
	const struct conf_oscore_group *oscore_group; /* what that name stands for */
};

struct conf_topic {
	const char *name;
	uint32_t content_format; /* or CONF_NO_FORMAT */
	struct bytes initialize; /* first value; BYTES_NONE: none */
};

struct conf_protocol { /* numbers that are not assigned yet */
	uint32_t informative_response_format;
	uint32_t topic_format;
	uint32_t feedback_divider_option;
};

struct conf_note {
	enum log_level level; /* LOG_LEVEL_WARNING or LOG_LEVEL_NOTICE */
	const char *text; /* "file:line:column: key.path: what to know" */
};

struct conf {
	struct conf_broker broker;
	struct conf_state state;
	struct conf_listen *listen; /* at least one */
	size_t n_listen;
	const char **discovery_interfaces;
	size_t n_discovery_interfaces;
	struct conf_security security;
	struct conf_identity *identities;
	size_t n_identities;
	struct conf_rule *access; /* NULL: no rules; not NULL with n_access 0: nobody may */
	size_t n_access;
	struct conf_group *groups;
	size_t n_groups;
	struct conf_oscore_group *oscore_groups;
	size_t n_oscore_groups;
	struct conf_topic *topics;
	size_t n_topics;
	struct addr metrics_listen; /* AF_UNSPEC: off */
	struct conf_protocol protocol;
	enum log_level log_level;
	struct conf_note *notes; /* for the caller to print */
	size_t n_notes;
	bool is_empty; /* the file sets nothing, whatever conf.d does */
	struct schema_doc *doc; /* private to this room */
};

/*
 * Reads the file, then conf.d (*.yaml) beside it in the order of their names. 0, or a
 * negative errno with "file:line:column: key.path: what is wrong" in *e
 * (without the place when a file cannot be read at all).
 */
int conf_load(const char *path, struct conf **ret, struct error *e);

/* The same from memory: no conf.d, and byte strings from files are refused. */
int conf_parse(struct bytes text, const char *name, struct conf **ret, struct error *e);

/* Overwrites all of it, secrets or not, and frees it; takes NULL. */
void conf_free(struct conf *c);

/*
 * Whether secrets are masked, as conf_print does: true with the first one in *e. No
 * daemon runs with such a configuration.
 */
bool conf_masked(const struct conf *c, struct error *e);

/*
 * For who has taken it over: from here on errors do not name a place. In a large file that is
 * most of its memory.
 */
void conf_forget_places(struct conf *c);

/*
 * For who understands more of a value than conf does: -EINVAL, with the place of `list[i].key`
 * and why it is refused in *e.
 */
int conf_refuse(const struct conf *c, struct error *e, const char *list, size_t i, const char *key,
	const char *why);

/* The effective configuration as YAML, defaults filled in, secrets as "masked:". */
void conf_print(const struct conf *c, FILE *out);

/* The tables, for what compares them with the documents. */
const struct schema_key *conf_schema(void);

#endif
