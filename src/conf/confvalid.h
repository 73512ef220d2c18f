/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules for single values of our configuration beyond what their type says:
 * names, paths, patterns, listen URIs, byte strings of a kind.
 */
#ifndef COAPCAST_CONF_CONFVALID_H
#define COAPCAST_CONF_CONFVALID_H

#include "conf/schema.h"

bool confvalid_collection(const char *text, struct error *why);
bool confvalid_interface(const char *text, struct error *why);
bool confvalid_identity(const char *text, struct error *why);

extern const struct schema_custom confvalid_listen; /* a struct conf_listen */

#endif
