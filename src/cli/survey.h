/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is at a broker: the topics of its collections (draft-ietf-core-coap-pubsub,
 * "Topic Discovery"), which of them have a value, and their group observations as the
 * broker tells them to who does not register (observe-multicast-notifications, appendix
 * A.1). Failures are told; printing is the caller's.
 */
#ifndef COAPCAST_CLI_SURVEY_H
#define COAPCAST_CLI_SURVEY_H

#include "cli/locate.h"
#include "wire/inform.h"
#include "wire/props.h"

/* Paths of topics, by collection and then in their order. */
struct survey_paths {
	char **path; /* owned, and so is each */
	size_t n;
	struct collections collections;
	size_t n_of[LOCATE_COLLECTIONS_MAX]; /* how many of them each has */
};

/*
 * The topics of one collection, or with NULL of all there are; zeroed before. When this
 * is not CLI_OK, there may be some all the same.
 */
enum cli_exit survey_list(
	struct connection *c, const char *collection, const char *query, struct survey_paths *ret);
/* The same of the topic that the URI names alone, or of all there are. */
enum cli_exit survey_meant(struct connection *c, struct survey_paths *ret);
void survey_free_list(struct survey_paths *p);

enum survey_found {
	SURVEY_FOUND,
	SURVEY_GONE, /* deleted since it was listed */
	SURVEY_FAILED, /* which was told */
	SURVEY_SILENT, /* there was no answer, and asking on makes no sense */
};

/* The properties of a topic; *ret borrows from the connection until its next request. */
enum survey_found survey_topic(struct connection *c, const char *path, struct props *ret);

/* Links to topic data: those that have a value. */
struct survey_data {
	uint8_t *body; /* owned */
	struct survey_datum *list; /* owned; sorted */
	size_t n;
};

struct survey_datum {
	struct bytes target; /* as in topic-data; borrows from the body */
	bool may_move; /* its observers perhaps get multicast notifications */
};

enum cli_exit survey_data(struct connection *c, struct survey_data *ret);
void survey_free_data(struct survey_data *d);
const struct survey_datum *survey_find_data(const struct survey_data *d, struct bytes target);

/* A group observation, for who looks on. */
struct survey_group {
	struct addr group, server;
	struct token token;
	unsigned generations; /* of what was read */
	bool is_protected; /* by Group OSCORE */
	bool has_observe;
	uint32_t observe; /* number of the latest notification */
	bool has_ending;
	int64_t ending_s; /* since 1970: no earlier than that, if the broker can help it */
};

/* That of a topic; SURVEY_GONE: there is none, or the broker tells nobody like us. */
enum survey_found survey_group(struct connection *c, const char *path, struct survey_group *ret);

#endif
