/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Topics and their values: what is hosted, by name and by path. A topic is half
 * created until it has a value (coap-pubsub, "Topic Lifecycle"). Who observes it
 * is kept in bunches (broker/observe.h).
 */
#ifndef COAPCAST_BROKER_TOPIC_H
#define COAPCAST_BROKER_TOPIC_H

#include "broker/broker.h"

#define TOPIC_NAME_MAX 1024
#define TOPIC_PATH_MAX (3 * TOPIC_NAME_MAX + 2)
#define ETAG_LEN 8

/* One representation of topic data: immutable, replaced as a whole, reference counted. */
struct value {
	uint32_t n_refs; /* the topic's, and that of its "initialize" */
	uint32_t content_format; /* or BROKER_NO_FORMAT */
	uint16_t nth; /* number of the publish */
	uint8_t etag[ETAG_LEN]; /* server id, hash of format and content, number of the publish */
	uint32_t n;
	uint8_t data[];
};

/* Observe numbers that are reserved at once: architecture, "Observe numbers". */
#define TOPIC_SEQ_AHEAD 65536

struct bunch;
struct settings;

/* Whether it is there, or will be when what asked for it is kept: until then nobody sees it. */
enum topic_coming { TOPIC_HERE, TOPIC_CREATED, TOPIC_PUBLISHED };

struct topic {
	struct map_node by_path, by_name;
	struct value *value; /* NULL: half created */
	struct settings *settings; /* optional properties (broker/settings.h); NULL: none is set */
	struct bunch *bunches; /* its observers, by where they may be moved to */
	char *name; /* owned, with the path behind it: one allocation */
	char *path; /* "/hall/demo": below the collection, and below its data */
	uint64_t id; /* in the store; never used again */
	uint32_t content_format; /* "topic-content-format", or BROKER_NO_FORMAT */
	uint32_t seq_bound; /* the store knows that numbers below this one may be used: 24 bits */
	uint32_t seq; /* observe number of the value for traditional observers: 24 bits */
	uint16_t n_parked; /* changes that are to be kept first: broker/park.h */
	bool unsent; /* that number was not sent to anybody yet */
	uint8_t coming; /* enum topic_coming */
	bool late; /* its value may be news to all: broker/catchup.h */
	bool reshaping; /* other properties wait to be kept */
};

struct topic_table {
	struct map by_path, by_name;
	struct pool pool;
	uint32_t seed;
	uint32_t max;
	uint64_t generation; /* counts changes of what lists of topics tell */
	uint8_t server_id[2]; /* in every ETag, so that two brokers' do not meet */
	size_t value_bytes; /* of all values that topics hold */
	uint16_t n_values; /* publishes so far: in every ETag */
	uint64_t last_id; /* of a topic */
	uint32_t n_coming; /* how many are not there yet */
};

void topic_table_init(struct topic_table *t, uint32_t max, uint32_t seed, const uint8_t id[2]);
/* The topics must be without observers. */
void topic_table_fini(struct topic_table *t);

/* Those that are not there yet, too. */
struct topic *topic_by_name(const struct topic_table *t, struct bytes name);
/* `path` as topic.path. The same. */
struct topic *topic_by_path(const struct topic_table *t, struct bytes path);

/* The same of any such numbers. */
bool topic_reserve_numbers(uint32_t seq, uint32_t *bound);

/*
 * Makes a topic without a value. Its path is its name as path, or a generated
 * one when the name is no safe path or the path is taken. Same errors as
 * broker_create_topic.
 */
int topic_create(struct topic_table *t, struct bytes name, uint32_t first_seq, struct topic **ret);
/*
 * The same with the path that it had, unless another topic has that now, and past the limit,
 * which may be lower now.
 */
int topic_create_kept(struct topic_table *t, struct bytes name, struct bytes path,
	uint32_t first_seq, struct topic **ret);
/* It is not there yet; now it is. */
void topic_announce(struct topic_table *t, struct topic *topic, enum topic_coming how);
void topic_arrive(struct topic_table *t, struct topic *topic);
/* Frees a topic that nobody observes and that has no settings, and its value. */
void topic_remove(struct topic_table *t, struct topic *topic);

/* The name whose path is this one; false when no name has it. */
bool topic_name_of_path(struct bytes path, struct buf *name);

/*
 * Gives it a new value, a copy of `data`; BYTES_NONE takes it away. Who observes
 * it is not told: broker_published.
 */
void topic_set_value(
	struct topic_table *t, struct topic *topic, uint32_t content_format, struct bytes data);

/* The same with one that is made already, a reference to which is taken over; NULL: none. */
void topic_take_value(struct topic_table *t, struct topic *topic, struct value *new);

/* The value is to be sent under a number that was not. */
void topic_take_number(struct topic *topic);
/*
 * Whether the number of the value comes near the bound, which then is farther away:
 * it is to be in the store before numbers get there.
 */
bool topic_reserve(struct topic *topic);

/* A value that no topic has yet, with one reference; taking another; giving one back. */
struct value *value_new(struct topic_table *t, uint32_t content_format, struct bytes data);
struct value *value_hold(struct value *v);
void value_release(struct topic_table *t, struct value *v); /* NULL is fine */
struct bytes value_bytes(const struct value *v);

/*
 * The ETag of a representation: this server's id, and a hash of its format and
 * content. `nth` tells publishes of equal bytes apart: every publish is one, and
 * receivers of a multicast notification know a refresh by its ETag.
 */
void topic_etag(const struct topic_table *t, uint32_t content_format, struct bytes data,
	uint16_t nth, uint8_t ret[ETAG_LEN]);

#endif
