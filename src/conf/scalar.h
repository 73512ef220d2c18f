/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The single values of a configuration: from text into a field of the type the
 * schema names, within its bounds, and back. Lists and maps are schema.c's.
 */
#ifndef COAPCAST_CONF_SCALAR_H
#define COAPCAST_CONF_SCALAR_H

#include "conf/schema.h"

struct scalar {
	const struct schema_key *key;
	struct bytes text; /* followed by a NUL */
	const struct schema_source *src;
	struct arena *arena; /* for what the field points at */
	bool masked; /* set for a secret that is not there */
};

/* 0, or -EINVAL with what is wrong in *why; never quotes a secret. */
int scalar_parse(struct scalar *s, void *field, struct error *why);

/* Whether the field holds a value at all. */
bool scalar_is_set(const struct schema_key *key, const void *field);

/* As it is written in YAML. */
void scalar_format(const struct schema_key *key, const void *field, FILE *out);

/* What documents call the type, and its bounds as ", 1 to 5" or nothing. */
const char *scalar_type(const struct schema_key *key);
void scalar_bounds(const struct schema_key *key, FILE *out);

/* Text as part of an error line: cut, and without control characters. */
#define SCALAR_QUOTED 48
const char *scalar_quote(struct bytes text, char out[SCALAR_QUOTED]);

#endif
