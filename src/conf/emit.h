/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the schema tables say, for people: a filled struct back as YAML, and
 * the one-line description of a key that manual pages are compared with.
 */
#ifndef COAPCAST_CONF_EMIT_H
#define COAPCAST_CONF_EMIT_H

#include "conf/schema.h"

/* The struct as YAML that reads back as the same, secrets as "masked:". */
void emit_yaml(const struct schema_key *keys, const void *base, FILE *out);

/* "number, 1 to 65535, default 10" */
void emit_description(const struct schema_key *key, FILE *out);

#endif
