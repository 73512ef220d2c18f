/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors of this process (RLIMIT_NOFILE): as many as DTLS, TLS and TCP may use, so that
 * there are always some for everything else. Without any, connections that wait would keep the
 * loop busy, and interfaces could not be looked at.
 */
#ifndef COAPCAST_NET_DESCRIPTORS_H
#define COAPCAST_NET_DESCRIPTORS_H

#include <stdint.h>

#include "transport/coapd.h"

#define DESCRIPTORS_RESERVED \
	128 /* listening sockets, the store, metrics, what is open for a moment */

/* How `allowed` descriptors are shared out when so many sessions are wanted; one of each at least. */
void descriptors_share(uint64_t allowed, uint32_t sessions, struct coapd_limits *ret);

/* The same of this process, which is allowed more when that helps; the log says when it does not. */
void descriptors_claim(uint32_t sessions, struct coapd_limits *ret);

#endif
