/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is to be told of group observations by who runs a broker: for the log, and
 * where the network below them changes. Part of broker/broker.h, which includes it.
 */
#ifndef COAPCAST_BROKER_GROUPS_H
#define COAPCAST_BROKER_GROUPS_H

#include "base/addr.h"

struct broker;
struct broker_group;
struct broker_security;
struct group_observation;
struct token;

/* Of a group observation, for the log. */
const char *group_topic_name(const struct group_observation *g);
const struct broker_group *group_conf(const struct group_observation *g);
/* The server address and port of it. */
const struct addr *group_source(const struct group_observation *g);
void group_token(const struct group_observation *g, struct token *ret);
/* How many clients are thought to take part in it: "Rough Counting", COUNT. */
double group_count(const struct group_observation *g);
/* Visits every group observation; `visit` must not end one. */
void broker_each_group(
	struct broker *b, void (*visit)(void *ctx, const struct group_observation *g), void *ctx);

/* Visits every topic that a group with security serves, once for each address family. */
void broker_each_secured(struct broker *b,
	void (*visit)(void *ctx, const struct broker_security *security, struct bytes topic),
	void *ctx);

#endif
