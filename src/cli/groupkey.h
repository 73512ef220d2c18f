/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A group of `oscore-groups` as a security context wants it, for who sends requests to it
 * (keys.h) and for who reads captures of it (keyring.h).
 */
#ifndef COAPCAST_CLI_GROUPKEY_H
#define COAPCAST_CLI_GROUPKEY_H

#include "base/buf.h"
#include "conf/conf.h"
#include "oscore/context.h"

#define GROUPKEY_CCS_MAX 256

/*
 * All but ret->ssn. Who has no sender id or no private key only listens: silent. A credential
 * that is not there is a CCS made from the private key, as the daemon's is, in `made`, of
 * GROUPKEY_CCS_MAX. What *ret points at stays g's and made's. 0, or negative errno with e.
 */
int groupkey_params(const struct conf_oscore_group *g, struct buf *made, struct error *e,
	struct context_group *ret);

#endif
