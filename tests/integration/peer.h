/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plain socket on the other side of a test with real sockets, and what
 * tests say about addresses. Fails the case when something does not work.
 */
#ifndef COAPCAST_TESTS_PEER_H
#define COAPCAST_TESTS_PEER_H

#include "base/addr.h"

#define PEER_WAIT_S 10 /* receiving gives up after that */

/* A socket bound to an address. */
int peer_open(const char *at);
struct addr peer_address(int fd);
void peer_send(int fd, const struct addr *to, const void *what, size_t n);
ssize_t peer_receive(int fd, struct addr *ret_from, void *what, size_t n);
/* Nothing has come that was not received. */
bool peer_is_idle(int fd);

struct addr peer_addr(const char *text);
/* `ip` with the port of `of`. */
struct addr peer_addr_at(const char *ip, const struct addr *of);
void peer_check(const struct addr *got, const struct addr *wanted);

/* A port nobody has at the moment. */
uint16_t peer_free_port(void);
bool peer_has_ipv6(void);

#endif
