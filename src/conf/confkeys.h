/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of the configuration as a schema table, with their defaults and
 * bounds. What a key means is in coapcast.yaml(5). A feature that has come
 * into the build loses its SCHEMA_LATER flag (or `.later` of a name) here, and
 * nothing else has to change.
 */
#ifndef COAPCAST_CONF_CONFKEYS_H
#define COAPCAST_CONF_CONFKEYS_H

#include "conf/schema.h"

extern const struct schema_key confkeys[]; /* of a struct conf */

#endif
