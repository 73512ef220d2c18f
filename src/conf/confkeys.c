/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/confkeys.h"

#include <stddef.h>

#include "conf/conf.h"
#include "conf/confsec_keys.h"
#include "conf/confvalid.h"

#define AT(field) .at = offsetof(STRUCT, field), .size = sizeof(((STRUCT *)0)->field)
#define LIST(field)                                                                       \
	.list = true, .at = offsetof(STRUCT, field), .at_n = offsetof(STRUCT, n_##field), \
	.size = sizeof(*((STRUCT *)0)->field)

#define SECOND_MS 1000ULL
#define HOUR_MS (3600 * SECOND_MS)
#define DAY_MS (24 * HOUR_MS)

#define STRUCT struct conf_limits
static const struct schema_key limit_keys[] = {
	{"topics", SCHEMA_UINT, AT(topics), .min = 1, .max = 10000000, .dflt = "100000",
		.help = "Topics at once."},
	{"payload", SCHEMA_SIZE, AT(payload_bytes), .min = 1, .max = 16 << 20, .dflt = "64K",
		.help = "Largest value of a topic."},
	{"memory", SCHEMA_SIZE, AT(memory_bytes), .min = 1 << 20, .max = 1ULL << 40, .dflt = "256M",
		.help = "All values, half received bodies and unacknowledged protected messages "
			"together."},
	{"peers", SCHEMA_UINT, AT(peers), .min = 1, .max = 10000000, .dflt = "100000",
		.help = "Endpoints remembered at once."},
	{"observers", SCHEMA_UINT, AT(observers), .min = 1, .max = 10000000, .dflt = "100000",
		.help = "Traditional observations of all topics together."},
	{"observers-per-peer", SCHEMA_UINT, AT(observers_per_peer), .min = 1, .max = 1000000,
		.dflt = "64", .help = "Traditional observations of one endpoint."},
	{"exchanges", SCHEMA_UINT, AT(exchanges), .min = 16, .max = 16777216, .dflt = "65536",
		.help = "Exchanges remembered to tell duplicates."},
	{"bodies", SCHEMA_UINT, AT(bodies), .min = 1, .max = 65535, .dflt = "64",
		.help = "Block-wise uploads under way at once."},
	{"sessions", SCHEMA_UINT, AT(sessions), .min = 1, .max = 65535, .dflt = "500",
		.help = "DTLS, TLS and TCP sessions at once."},
	{"handshakes", SCHEMA_UINT, AT(handshakes), .min = 4, .max = 60000, .dflt = "2000",
		.help = "DTLS handshakes under way, and TCP connections up to 256."},
	{"unread", SCHEMA_SIZE, AT(unread_bytes), .min = 16 << 10, .max = 16 << 20, .dflt = "256K",
		.help = "What a TCP or TLS client may leave unread for long."},
	{"publish-rate", SCHEMA_UINT, AT(publish_rate), .min = 0, .max = 1000000, .dflt = "0",
		.help = "Publishes per second and endpoint; 0 is no limit."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_broker
static const struct schema_key broker_keys[] = {
	{"collection", SCHEMA_STRING, AT(collection), .max = 64, .dflt = "/ps",
		.is_valid = confvalid_collection, .help = "Path of the topic collection."},
	{"create-on-publish", SCHEMA_BOOL, AT(create_on_publish), .dflt = "false",
		.help = "A PUT to the data of an unknown topic creates it."},
	{"limits", SCHEMA_MAP, AT(limits), .keys = limit_keys,
		.help = "What peers can make the broker keep."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_state
static const struct schema_key state_keys[] = {
	{"directory", SCHEMA_PATH, AT(directory), .dflt = CONF_STATE_DIRECTORY,
		.help = "Where the database is."},
	{"commit-interval", SCHEMA_DURATION, AT(commit_interval_ms), .min = 0, .max = HOUR_MS,
		.dflt = "1s",
		.help = "Longest time a publish is not durable; 0 is before its answer."},
	{.name = NULL},
};
#undef STRUCT

static const struct schema_name inform_names[] = {
	{"both", CONF_INFORM_BOTH},
	{"current", CONF_INFORM_CURRENT},
	{"seed", CONF_INFORM_SEED},
	{.name = NULL},
};

static const struct schema_name large_names[] = {
	{"first-block", CONF_LARGE_FIRST_BLOCK},
	{"traditional", CONF_LARGE_TRADITIONAL},
	{.name = NULL},
};

#define STRUCT struct conf_feedback
static const struct schema_key feedback_keys[] = {
	{"every", SCHEMA_UINT, AT(every), .min = 1, .max = 1000000, .dflt = "100",
		.help = "Notifications from one count to the next."},
	{"confirmations", SCHEMA_UINT, AT(confirmations), .min = 1, .max = 65535, .dflt = "8",
		.help = "How many clients should answer a count."},
	{"wait", SCHEMA_DURATION, AT(wait_ms), .min = SECOND_MS, .max = HOUR_MS, .dflt = "7s",
		.help = "How long answers are collected; more than leisure and round trip."},
	{"dampener", SCHEMA_UINT, AT(dampener), .min = 1, .max = 1000, .dflt = "1",
		.help = "What the change of the estimate is divided by."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_group
static const struct schema_key group_keys[] = {
	{"name", SCHEMA_STRING, AT(name), .max = 64, .flags = SCHEMA_REQUIRED,
		.help = "What the log and the metrics call the group."},
	{"address", SCHEMA_ADDRESS, AT(address), .flags = SCHEMA_REQUIRED,
		.help = "Multicast address the notifications go to."},
	{"port", SCHEMA_UINT, AT(port), .min = 1, .max = 65535, .dflt = "5683",
		.help = "UDP port the notifications go to."},
	{"interface", SCHEMA_STRING, AT(interface), .flags = SCHEMA_REQUIRED,
		.is_valid = confvalid_interface, .help = "Interface they leave by."},
	{"hops", SCHEMA_UINT, AT(hops), .min = 1, .max = 255, .dflt = "1",
		.help = "Routers they may pass, plus one."},
	{"topics", SCHEMA_STRING, LIST(topics), .max = 1024, .list_min = 1, .dflt = "*",
		.flags = SCHEMA_OR_ONE, .help = "Patterns of the topics that use the group."},
	{"threshold", SCHEMA_UINT, AT(threshold), .min = 1, .max = 65535, .dflt = "10",
		.help = "Observers of a topic that start its group observation."},
	{"cancel-below", SCHEMA_UINT, AT(cancel_below), .min = 0, .max = 65535, .dflt = "1",
		.help = "Estimated observers under which it ends."},
	{"members", SCHEMA_PREFIX, LIST(members), .flags = SCHEMA_OR_ONE,
		.help = "Addresses of clients that may be moved to the group."},
	{"source", SCHEMA_ADDRESS, AT(source), .help = "Address they come from."},
	{"informative-response", SCHEMA_ENUM, AT(informative_response), .names = inform_names,
		.dflt = "both", .help = "Generations of clients that are understood to."},
	{"min-interval", SCHEMA_DURATION, AT(min_interval_ms), .min = 0, .max = HOUR_MS,
		.dflt = "0s", .help = "Least time between two notifications of a topic."},
	{"max-age", SCHEMA_DURATION, AT(max_age_ms), .min = SECOND_MS, .max = 30 * DAY_MS,
		.dflt = "60s", .help = "After which the latest notification is repeated."},
	{"datagram", SCHEMA_UINT, AT(datagram), .min = 256, .max = 2048, .dflt = "1152",
		.help = "Bytes of the largest multicast message."},
	{"large-values", SCHEMA_ENUM, AT(large_values), .names = large_names, .dflt = "first-block",
		.help = "What happens to values that do not fit."},
	{"feedback", SCHEMA_MAP, AT(feedback), .keys = feedback_keys,
		.help = "Rough counting of the observers."},
	{"oscore", SCHEMA_STRING, AT(oscore), .help = "Name of the OSCORE group that protects it."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_topic
static const struct schema_key topic_keys[] = {
	{"name", SCHEMA_STRING, AT(name), .max = 1024, .flags = SCHEMA_REQUIRED,
		.help = "Name of the topic."},
	{"content-format", SCHEMA_UINT, AT(content_format), .min = 0, .max = 65535,
		.help = "Content-Format of its values."},
	{"initialize", SCHEMA_TEXT, AT(initialize), .max = 65536, .help = "Its first value."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct conf_protocol
static const struct schema_key protocol_keys[] = {
	{"informative-response-format", SCHEMA_UINT, AT(informative_response_format), .min = 0,
		.max = 65535, .dflt = "65001", .help = "Content-Format of informative responses."},
	{"topic-format", SCHEMA_UINT, AT(topic_format), .min = 0, .max = 65535, .dflt = "606",
		.help = "Content-Format of topic properties."},
	{"feedback-divider-option", SCHEMA_UINT, AT(feedback_divider_option), .min = 1,
		.max = 65534, .dflt = "18", .help = "Number of the Feedback-Divider option."},
	{.name = NULL},
};
#undef STRUCT

static const struct schema_name level_names[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
	{.name = NULL},
};

#define STRUCT struct conf
/* Maps with one key need no struct of their own. */
static const struct schema_key discovery_keys[] = {
	{"interfaces", SCHEMA_STRING, LIST(discovery_interfaces), .is_valid = confvalid_interface,
		.flags = SCHEMA_OR_ONE, .help = "Where the All-CoAP-Nodes groups are joined."},
	{.name = NULL},
};

static const struct schema_key metrics_keys[] = {
	{"listen", SCHEMA_ENDPOINT, AT(metrics_listen), .help = "Where Prometheus may ask."},
	{.name = NULL},
};

static const struct schema_key log_keys[] = {
	{"level", SCHEMA_ENUM, AT(log_level), .names = level_names, .dflt = "notice",
		.help = "The least important lines that are written."},
	{.name = NULL},
};

const struct schema_key confkeys[] = {
	{"broker", SCHEMA_MAP, AT(broker), .keys = broker_keys, .help = "The broker itself."},
	{"state", SCHEMA_MAP, AT(state), .keys = state_keys, .help = "What outlives a restart."},
	{"listen", SCHEMA_CUSTOM, LIST(listen), .custom = &confvalid_listen, .list_min = 1,
		.dflt = "coap://[::]:5683", .flags = SCHEMA_OR_ONE,
		.help = "Where clients are served."},
	{"discovery", SCHEMA_MAP, .at = 0, .keys = discovery_keys,
		.help = "Being found by multicast."},
	{"security", SCHEMA_MAP, AT(security), .keys = confsec_keys_security,
		.help = "Who is let in."},
	{"identities", SCHEMA_MAP, LIST(identities), .keys = confsec_keys_identity,
		.help = "Who is who."},
	{"access", SCHEMA_MAP, LIST(access), .keys = confsec_keys_rule, .help = "Who may do what."},
	{"groups", SCHEMA_MAP, LIST(groups), .keys = group_keys,
		.help = "Where multicast notifications go."},
	{"oscore-groups", SCHEMA_MAP, LIST(oscore_groups), .keys = confsec_keys_oscore_group,
		.help = "Keys of groups."},
	{"topics", SCHEMA_MAP, LIST(topics), .keys = topic_keys,
		.help = "Topics there are from the start."},
	{"metrics", SCHEMA_MAP, .at = 0, .keys = metrics_keys, .help = "Figures for monitoring."},
	{"protocol", SCHEMA_MAP, AT(protocol), .keys = protocol_keys,
		.help = "Numbers that are not assigned yet."},
	{"log", SCHEMA_MAP, .at = 0, .keys = log_keys, .help = "The log."},
	{.name = NULL},
};
