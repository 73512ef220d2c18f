/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon put together: sockets, message layer and broker on one libuv
 * loop, signals, the service manager. A callback decodes, calls one core
 * function and returns; after each batch of datagrams the broker fans out.
 */
#ifndef COAPCAST_NET_SERVER_H
#define COAPCAST_NET_SERVER_H

#include "conf/conf.h"

struct server;

/* Exit statuses of the daemon: product.md, sysexits(3). */
enum server_exit {
	EXIT_OK = 0,
	EXIT_USAGE = 64,
	EXIT_UNAVAILABLE = 69, /* cannot bind or join */
	EXIT_INTERNAL = 70,
	EXIT_STORE = 74, /* the state cannot be opened, or not kept */
	EXIT_CONFIG = 78,
};

/*
 * Runs until SIGTERM or SIGINT. `path` is read again on SIGHUP; `conf` is freed
 * here. `verbose` levels are added to log.level.
 */
enum server_exit server_run(const char *path, struct conf *conf, unsigned verbose);

#endif
