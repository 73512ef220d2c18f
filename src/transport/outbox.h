/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The datagrams that wait to leave: a ring of slots whose addresses, control
 * messages and payload have their place from the start, so that sending one
 * costs no allocation. It writes to sockets it is given and waits for nothing.
 */
#ifndef COAPCAST_TRANSPORT_OUTBOX_H
#define COAPCAST_TRANSPORT_OUTBOX_H

#include "msg/path.h"
#include "transport/sock.h"
#include "transport/udp.h"

struct outbox;

struct outbox *outbox_new(void);
void outbox_free(struct outbox *o);

/* See udp_open(), udp_open_group(), udp_commit() and udp_cancel(). */
struct buf *outbox_open(struct outbox *o, const struct sock *s, const struct path *to);
struct buf *outbox_open_group(struct outbox *o, const struct sock *s, const struct udp_group *g);
/* Whether UDP_BATCH datagrams were committed since the last time it said so. */
bool outbox_commit(struct outbox *o);
void outbox_cancel(struct outbox *o);

/*
 * Sends in order, until nothing is left (-1) or a socket takes no more (its
 * file descriptor; the rest stays). A datagram that the kernel refuses is
 * dropped and counted, and stops nothing.
 */
int outbox_flush(struct outbox *o);

/* The socket is about to be closed: what still waits for it is dropped. */
void outbox_forget(struct outbox *o, int fd);

size_t outbox_room(const struct outbox *o);
/* Fills in sent, dropped and failed. */
void outbox_stats(const struct outbox *o, struct udp_stats *ret);

#endif
