/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins a group on an interface as a subscriber does, from a source of ours, and sends to it
 * what leaves the host nowhere (TTL or hop limit 0, RFC 1112 6.1): whether it comes back.
 */
#ifndef COAPCAST_CLI_LOOPTEST_H
#define COAPCAST_CLI_LOOPTEST_H

#include "base/addr.h"

enum looptest_end {
	LOOPTEST_HEARD,
	LOOPTEST_NOT_JOINED, /* the kernel refuses it */
	LOOPTEST_NOT_SENT,
	LOOPTEST_NOT_HEARD, /* something on this host drops it */
};

/* `own`: an address of the interface. Of all but LOOPTEST_HEARD, *e says more. */
enum looptest_end looptest_run(const struct addr *own, uint32_t ifindex, struct error *e);

#endif
