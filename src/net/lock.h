/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One daemon per listen address: an abstract Unix socket (unix(7)) named after the
 * address, which goes with the process. It is also where the daemon is spoken to.
 */
#ifndef COAPCAST_NET_LOCK_H
#define COAPCAST_NET_LOCK_H

#include <sys/un.h>

#include "base/addr.h"

/*
 * Takes the lock: a datagram socket that tells who sent what comes (SO_PASSCRED).
 * -EADDRINUSE with e filled when another daemon has it; other errnos without such
 * sockets.
 */
int lock_take(const struct addr *at, struct error *e, int *ret_fd);

/* The name of it. */
socklen_t lock_name(const struct addr *at, struct sockaddr_un *ret);

#endif
