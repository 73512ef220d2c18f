/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors of this process (RLIMIT_NOFILE): as many as DTLS, TLS and TCP may use, so that
 * there are always some for everything else. Without any, connections that wait would keep the
 * loop busy, and interfaces could not be looked at.
 */
#ifndef COAPCAST_NET_DESCRIPTORS_H
#define COAPCAST_NET_DESCRIPTORS_H

#include <stdint.h>

#include "conf/conf.h"
#include "transport/coapd.h"

#define DESCRIPTORS_RESERVED \
	128 /* listening sockets, the store, metrics, what is open for a moment */

/* How `allowed` descriptors are shared out among what is wanted: less of it, one of each at least. */
void descriptors_share(uint64_t allowed, struct coapd_limits *l);

/*
 * What is configured, as far as this process may: it is allowed more when that helps; the log
 * says when it does not.
 */
void descriptors_claim(const struct conf_limits *from, struct coapd_limits *ret);

#endif
