/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager's side: sd_notify(3)'s datagrams to $NOTIFY_SOCKET, and
 * the watchdog interval. Does nothing when there is no service manager.
 */
#ifndef COAPCAST_NET_NOTIFY_H
#define COAPCAST_NET_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1", "STOPPING=1", "WATCHDOG=1", ... */
void notify_send(const char *state);

/* How often WATCHDOG=1 is to be sent, half of what is allowed; 0: never. */
uint64_t notify_watchdog_ms(void);

#endif
