/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of the configuration as a schema table, with their defaults and
 * bounds. What a key means is in coapcast.yaml(5).
 */
#ifndef COAPCAST_CONF_CONFKEYS_H
#define COAPCAST_CONF_CONFKEYS_H

#include "conf/schema.h"

extern const struct schema_key confkeys[]; /* of a struct conf */

#endif
