/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of the configuration that is about who is who, who may what, and
 * keys. Part of conf.h, whose words on ownership and absent values hold here
 * too; include that one.
 */
#ifndef COAPCAST_CONF_CONFSEC_H
#define COAPCAST_CONF_CONFSEC_H

#include "base/bytes.h"

enum conf_nosec { CONF_NOSEC_DENY, CONF_NOSEC_LOOPBACK, CONF_NOSEC_ALLOW };
enum conf_echo { CONF_ECHO_OFF, CONF_ECHO_AUTO, CONF_ECHO_ALWAYS };
enum conf_managed { CONF_MANAGED_SELF, CONF_MANAGED_EXTERNAL };

enum conf_may { /* bits */
	CONF_MAY_DISCOVER = 1 << 0,
	CONF_MAY_READ = 1 << 1,
	CONF_MAY_SUBSCRIBE = 1 << 2,
	CONF_MAY_PUBLISH = 1 << 3,
	CONF_MAY_CREATE = 1 << 4,
	CONF_MAY_CONFIGURE = 1 << 5,
	CONF_MAY_DELETE = 1 << 6,
};

struct conf_certificate { /* paths of PEM files */
	const char *file;
	const char *key;
	const char *ca; /* NULL: clients are not asked for certificates */
};

struct conf_security {
	enum conf_nosec nosec;
	enum conf_echo echo;
	struct conf_certificate *certificate; /* NULL: none */
};

struct conf_psk {
	const char *identity;
	struct bytes key;
};

struct conf_oscore {
	struct bytes sender_id; /* the broker's */
	struct bytes recipient_id; /* the peer's */
	struct bytes master_secret;
	struct bytes master_salt;
	struct bytes id_context; /* BYTES_NONE: none */
};

struct conf_cert_identity {
	const char *cn;
};

struct conf_identity {
	const char *name;
	struct conf_psk *psk; /* at least one of the three */
	struct conf_oscore *oscore;
	struct conf_cert_identity *certificate;
};

struct conf_rule {
	const char *who; /* pattern over identity names */
	const char **topics; /* patterns over topic names */
	size_t n_topics;
	unsigned int may; /* enum conf_may */
};

struct conf_oscore_member {
	const char *name;
	struct bytes sender_id;
	struct bytes credential;
};

struct conf_oscore_group { /* algorithms are COSE numbers, 0: none */
	const char *name;
	enum conf_managed managed;
	struct bytes gid;
	struct bytes sender_id;
	struct bytes master_secret;
	struct bytes master_salt;
	int group_encryption_algorithm;
	int signature_algorithm;
	int hkdf; /* 5: SHA-256, 7: SHA-512 */
	int aead_algorithm;
	int pairwise_key_agreement_algorithm;
	int credential_format; /* COSE header label: 14 CCS, 13 CWT, 33 x5chain */
	struct bytes private_key; /* raw or PEM */
	struct bytes credential; /* BYTES_NONE: made from the private key */
	struct bytes gm_credential;
	struct conf_oscore_member *members;
	size_t n_members;
	const char *join_uri;
	const char *group_name;
	const char *as_uri;
	uint64_t lifetime_ms;
	bool group_mode_writes; /* unicast writes in group mode are accepted */
};

#endif
