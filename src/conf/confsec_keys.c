/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/confsec_keys.h"

#include <stddef.h>

#include "conf/confsec.h"
#include "conf/confvalid.h"

#define AT(field) .at = offsetof(STRUCT, field), .size = sizeof(((STRUCT *)0)->field)
#define SUB(field) .at = offsetof(STRUCT, field), .size = sizeof(*((STRUCT *)0)->field)
#define LIST(field)                                                                       \
	.list = true, .at = offsetof(STRUCT, field), .at_n = offsetof(STRUCT, n_##field), \
	.size = sizeof(*((STRUCT *)0)->field)

/* RFC 8613 3.3: a Sender ID is at most the nonce length minus 6; 13 - 6 here, and
 * confcheck.c looks at the algorithms with shorter ones. */
#define MAX_SENDER_ID 7
#define MAX_SECRET 64
#define MAX_ID_CONTEXT 255 /* length byte s of the OSCORE option, RFC 8613 6.1 */
#define MAX_CREDENTIAL 8192
#define DAY_MS (24 * 3600 * 1000ULL)

static const struct schema_name nosec_names[] = {
	{"deny", CONF_NOSEC_DENY},
	{"loopback", CONF_NOSEC_LOOPBACK},
	{"allow", CONF_NOSEC_ALLOW},
	{.name = NULL},
};

static const struct schema_name echo_names[] = {
	{"off", CONF_ECHO_OFF},
	{"auto", CONF_ECHO_AUTO},
	{"always", CONF_ECHO_ALWAYS},
	{.name = NULL},
};

#define STRUCT struct conf_certificate
static const struct schema_key certificate_keys[] = {
	{"file", SCHEMA_PATH, AT(file), .flags = SCHEMA_REQUIRED | SCHEMA_FILE,
		.help = "PEM file of the broker's certificate."},
	{"key", SCHEMA_PATH, AT(key), .flags = SCHEMA_REQUIRED | SCHEMA_FILE | SCHEMA_SECRET,
		.help = "PEM file of its private key."},
	{"ca", SCHEMA_PATH, AT(ca), .flags = SCHEMA_FILE,
		.help = "PEM file of the authorities whose clients are known."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_security
const struct schema_key confsec_keys_security[] = {
	{"nosec", SCHEMA_ENUM, AT(nosec), .names = nosec_names, .dflt = "loopback",
		.help = "Who may use the broker without DTLS or OSCORE."},
	{"echo", SCHEMA_ENUM, AT(echo), .names = echo_names, .dflt = "auto",
		.help = "When addresses are verified (RFC 9175)."},
	{"certificate", SCHEMA_MAP, SUB(certificate), .keys = certificate_keys,
		.flags = SCHEMA_OPTIONAL, .help = "The broker's certificate."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_psk
const struct schema_key confsec_keys_psk[] = {
	{"identity", SCHEMA_STRING, AT(identity), .max = 128, .flags = SCHEMA_REQUIRED,
		.help = "What the peer says it is in the handshake."},
	{"key", SCHEMA_BYTES, AT(key), .min = 1, .max = MAX_SECRET,
		.flags = SCHEMA_REQUIRED | SCHEMA_SECRET, .help = "The key."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_oscore
const struct schema_key confsec_keys_oscore[] = {
	{"sender-id", SCHEMA_BYTES, AT(sender_id), .min = 0, .max = MAX_SENDER_ID,
		.flags = SCHEMA_REQUIRED, .help = "Sender ID of the broker."},
	{"recipient-id", SCHEMA_BYTES, AT(recipient_id), .min = 0, .max = MAX_SENDER_ID,
		.flags = SCHEMA_REQUIRED, .help = "Sender ID of the peer."},
	{"master-secret", SCHEMA_BYTES, AT(master_secret), .min = 1, .max = MAX_SECRET,
		.flags = SCHEMA_REQUIRED | SCHEMA_SECRET, .help = "OSCORE Master Secret."},
	{"master-salt", SCHEMA_BYTES, AT(master_salt), .min = 0, .max = MAX_SECRET,
		.dflt = "hex:", .help = "OSCORE Master Salt."},
	{"id-context", SCHEMA_BYTES, AT(id_context), .min = 0, .max = MAX_ID_CONTEXT,
		.help = "OSCORE ID Context."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_cert_identity
static const struct schema_key cert_identity_keys[] = {
	{"cn", SCHEMA_STRING, AT(cn), .flags = SCHEMA_REQUIRED,
		.help = "Common name in the peer's certificate."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_identity
const struct schema_key confsec_keys_identity[] = {
	{"name", SCHEMA_STRING, AT(name), .flags = SCHEMA_REQUIRED, .is_valid = confvalid_identity,
		.help = "What access rules and the log call the peer."},
	{"psk", SCHEMA_MAP, SUB(psk), .keys = confsec_keys_psk, .flags = SCHEMA_OPTIONAL,
		.help = "It comes by DTLS or TLS with a pre-shared key."},
	{"oscore", SCHEMA_MAP, SUB(oscore), .keys = confsec_keys_oscore, .flags = SCHEMA_OPTIONAL,
		.help = "It comes by OSCORE."},
	{"certificate", SCHEMA_MAP, SUB(certificate), .keys = cert_identity_keys,
		.flags = SCHEMA_OPTIONAL, .help = "It comes by DTLS or TLS with a certificate."},
	{.name = NULL},
};
#undef STRUCT

static const struct schema_name may_names[] = {
	{"discover", CONF_MAY_DISCOVER},
	{"read", CONF_MAY_READ},
	{"subscribe", CONF_MAY_SUBSCRIBE},
	{"publish", CONF_MAY_PUBLISH},
	{"create", CONF_MAY_CREATE},
	{"configure", CONF_MAY_CONFIGURE},
	{"delete", CONF_MAY_DELETE},
	{.name = NULL},
};

#define STRUCT struct conf_rule
const struct schema_key confsec_keys_rule[] = {
	{"who", SCHEMA_STRING, AT(who), .flags = SCHEMA_REQUIRED,
		.help = "Pattern of the identities it is for."},
	{"topics", SCHEMA_STRING, LIST(topics), .max = 1024, .list_min = 1,
		.flags = SCHEMA_REQUIRED | SCHEMA_OR_ONE,
		.help = "Patterns of the topics it is about."},
	{"may", SCHEMA_FLAGS, AT(may), .names = may_names, .list_min = 1,
		.flags = SCHEMA_REQUIRED | SCHEMA_OR_ONE, .help = "What it allows."},
	{.name = NULL},
};
#undef STRUCT

static const struct schema_name managed_names[] = {
	{"self", CONF_MANAGED_SELF},
	{"external", CONF_MANAGED_EXTERNAL},
	{.name = NULL},
};

/* Numbers: the COSE Algorithms registry (RFC 9053). */
#define AEAD_NAMES                                                                                 \
	{"AES-CCM-16-64-128", 10}, {"AES-CCM-16-64-256", 11}, {"AES-CCM-64-64-128", 12},           \
		{"AES-CCM-64-64-256", 13}, {"AES-CCM-16-128-128", 30}, {"AES-CCM-16-128-256", 31}, \
		{"AES-CCM-64-128-128", 32}, {"AES-CCM-64-128-256", 33}, {"A128GCM", 1},            \
		{"A192GCM", 2}, {"A256GCM", 3},                                                    \
	{                                                                                          \
		"ChaCha20/Poly1305", 24                                                            \
	}

static const struct schema_name group_encryption_names[] = {
	AEAD_NAMES,
	{"A128CTR", -65534}, /* RFC 9459 */
	{"A192CTR", -65533},
	{"A256CTR", -65532},
	{.name = NULL},
};

static const struct schema_name aead_names[] = {{"none", 0}, AEAD_NAMES, {.name = NULL}};

static const struct schema_name signature_names[] = {
	{"EdDSA", -8},
	{"ES256", -7},
	{.name = NULL},
};

static const struct schema_name hkdf_names[] = {
	{"SHA-256", 5},
	{"SHA-512", 7},
	{.name = NULL},
};

static const struct schema_name agreement_names[] = {
	{"none", 0},
	{"ECDH-SS+HKDF-256", -27},
	{"ECDH-SS+HKDF-512", -28},
	{.name = NULL},
};

static const struct schema_name credential_names[] = {
	{"CCS", 14},
	{"CWT", 13},
	{"x5chain", 33},
	{.name = NULL},
};

#define STRUCT struct conf_oscore_member
static const struct schema_key member_keys[] = {
	{"name", SCHEMA_STRING, AT(name), .flags = SCHEMA_REQUIRED, .is_valid = confvalid_identity,
		.help = "What access rules and the log call the member."},
	{"sender-id", SCHEMA_BYTES, AT(sender_id), .min = 0, .max = MAX_SENDER_ID,
		.flags = SCHEMA_REQUIRED, .help = "Its Sender ID in the group."},
	{"credential", SCHEMA_BYTES, AT(credential), .min = 1, .max = MAX_CREDENTIAL,
		.flags = SCHEMA_REQUIRED, .help = "Its authentication credential."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_oscore_group
const struct schema_key confsec_keys_oscore_group[] = {
	{"name", SCHEMA_STRING, AT(name), .max = 64, .flags = SCHEMA_REQUIRED,
		.help = "What groups call it."},
	{"managed", SCHEMA_ENUM, AT(managed), .names = managed_names, .dflt = "self",
		.help = "Who makes the keys: the broker, or a Group Manager."},
	{"gid", SCHEMA_BYTES, AT(gid), .min = 1, .max = MAX_ID_CONTEXT,
		.help = "Group identifier."},
	{"sender-id", SCHEMA_BYTES, AT(sender_id), .min = 0, .max = MAX_SENDER_ID,
		.help = "Sender ID of the broker in the group."},
	{"master-secret", SCHEMA_BYTES, AT(master_secret), .min = 1, .max = MAX_SECRET,
		.flags = SCHEMA_SECRET, .help = "Group OSCORE Master Secret."},
	{"master-salt", SCHEMA_BYTES, AT(master_salt), .min = 0, .max = MAX_SECRET,
		.dflt = "hex:", .help = "Group OSCORE Master Salt."},
	{"group-encryption-algorithm", SCHEMA_ENUM, AT(group_encryption_algorithm),
		.names = group_encryption_names, .dflt = "AES-CCM-16-64-128",
		.help = "Group Encryption Algorithm."},
	{"signature-algorithm", SCHEMA_ENUM, AT(signature_algorithm), .names = signature_names,
		.dflt = "EdDSA", .help = "Signature Algorithm."},
	{"hkdf", SCHEMA_ENUM, AT(hkdf), .names = hkdf_names, .dflt = "SHA-256",
		.help = "Hash of the HKDF."},
	{"aead-algorithm", SCHEMA_ENUM, AT(aead_algorithm), .names = aead_names, .dflt = "none",
		.help = "AEAD Algorithm, for pairwise mode."},
	{"pairwise-key-agreement-algorithm", SCHEMA_ENUM, AT(pairwise_key_agreement_algorithm),
		.names = agreement_names, .dflt = "none",
		.help = "Pairwise Key Agreement Algorithm."},
	{"credential-format", SCHEMA_ENUM, AT(credential_format), .names = credential_names,
		.dflt = "CCS", .help = "Format of all credentials."},
	{"private-key", SCHEMA_BYTES, AT(private_key), .min = 32, .max = MAX_CREDENTIAL,
		.flags = SCHEMA_REQUIRED | SCHEMA_SECRET,
		.help = "The broker's private key, 32 raw bytes or PEM."},
	{"credential", SCHEMA_BYTES, AT(credential), .min = 1, .max = MAX_CREDENTIAL,
		.help = "The broker's credential."},
	{"gm-credential", SCHEMA_BYTES, AT(gm_credential), .min = 1, .max = MAX_CREDENTIAL,
		.help = "The Group Manager's credential."},
	{"members", SCHEMA_MAP, LIST(members), .keys = member_keys,
		.help = "Members that send to the group."},
	{"join-uri", SCHEMA_URI, AT(join_uri), .help = "Where clients join the group."},
	{"group-name", SCHEMA_STRING, AT(group_name), .help = "What the Group Manager calls it."},
	{"as-uri", SCHEMA_URI, AT(as_uri), .help = "Authorization Server of the Group Manager."},
	{"lifetime", SCHEMA_DURATION, AT(lifetime_ms), .min = 1000, .max = 3650 * DAY_MS,
		.dflt = "30d", .help = "How long keys of a self-managed group live."},
	{"group-mode-writes", SCHEMA_BOOL, AT(group_mode_writes), .dflt = "false",
		.help = "Unicast requests in group mode may change something."},
	{.name = NULL},
};
#undef STRUCT
