/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables behind confkeys.h for what is in confsec.h.
 */
#ifndef COAPCAST_CONF_CONFSEC_KEYS_H
#define COAPCAST_CONF_CONFSEC_KEYS_H

#include "conf/schema.h"

extern const struct schema_key confsec_keys_security[];
extern const struct schema_key confsec_keys_identity[];
/* Of an identity; the file of a client has the same of itself, seen from its end. */
extern const struct schema_key confsec_keys_psk[];
extern const struct schema_key confsec_keys_oscore[];
extern const struct schema_key confsec_keys_rule[];
extern const struct schema_key confsec_keys_oscore_group[];

#endif
