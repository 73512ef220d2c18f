/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the URI of a command to the resource it means: a topic's name is asked for in
 * the broker's topic collections (draft-ietf-core-coap-pubsub, "Getting Topics by
 * Topic Properties" and "Topic Collection Discovery"), a URI of topic data is used as
 * it is, and so is any URI of a server that is no broker.
 */
#ifndef COAPCAST_CLI_LOCATE_H
#define COAPCAST_CLI_LOCATE_H

#include "cli/connection.h"

#define LOCATE_COLLECTION "/ps" /* tried before any discovery */
#define LOCATE_COLLECTIONS_MAX 8

struct place {
	char name[URI_PART_MAX + 1]; /* of the topic, as people read it */
	char topic[URI_PART_MAX + 1]; /* path of its properties; "" when nobody asked for it */
	char path[2 * URI_PART_MAX + 16]; /* of its data: collection, "/data", name */
	bool absent; /* there is no such topic; a publish might create it */
};

/* The topic collections of a broker. */
struct collections {
	unsigned n;
	char path[LOCATE_COLLECTIONS_MAX][URI_PART_MAX + 1];
};

/*
 * Finds the topic data of c->uri. `create`: a topic that is not there is no failure,
 * and the place is where a publish might create it. Failures are told.
 */
enum cli_exit locate_topic(struct connection *c, bool create, struct place *ret);

/* The same for the properties of the topic: ret->topic. The path of its data may be "". */
enum cli_exit locate_properties(struct connection *c, struct place *ret);

/* Where the topic of c->uri is to be created: ret->name, and the collection in ret->topic. */
enum cli_exit locate_new(struct connection *c, struct place *ret);

/* What /.well-known/core lists as topic collections; none is no failure. */
enum cli_exit locate_collections(struct connection *c, struct collections *ret);

/* The path of a link or a topic-data property; false when it leads to another server. */
bool locate_path(const struct connection *c, struct bytes reference, char *ret, size_t cap);

#endif
