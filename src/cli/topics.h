/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `coapcast topic create|show|set|rm`: the properties of topics
 * (draft-ietf-core-coap-pubsub, "Creating a Topic" and "Topic Interactions").
 */
#ifndef COAPCAST_CLI_TOPICS_H
#define COAPCAST_CLI_TOPICS_H

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/connection.h"

enum cli_exit topics_create(const struct args *a);
enum cli_exit topics_show(const struct args *a);
enum cli_exit topics_set(const struct args *a);
enum cli_exit topics_remove(const struct args *a);

/* The properties of `keys` as a JSON object in a line; `path` is that of the topic. */
enum connection_written topics_print_json(const char *path, const struct props *p, unsigned keys);

#endif
