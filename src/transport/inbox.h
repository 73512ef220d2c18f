/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Room for one batch of datagrams that come, prepared once, and the reading of
 * where each came from and went to.
 */
#ifndef COAPCAST_TRANSPORT_INBOX_H
#define COAPCAST_TRANSPORT_INBOX_H

#include "msg/path.h"
#include "transport/sock.h"

struct inbox;

enum inbox_verdict {
	INBOX_GOOD,
	INBOX_TRUNCATED, /* longer than UDP_RECEIVE_MAX */
	INBOX_FOREIGN, /* at a joined socket, and not from whom it listens to */
};

struct inbox *inbox_new(void);
void inbox_free(struct inbox *in);

/* Receives up to UDP_BATCH datagrams: how many (0: none is there), or negative errno. */
int inbox_receive(struct inbox *in, const struct sock *s);

/*
 * The i-th of the last batch, received on s. The path's `socket` is the
 * caller's to fill. What is returned is borrowed until the next batch.
 */
enum inbox_verdict inbox_read(struct inbox *in, unsigned i, const struct sock *s,
	struct path *ret_path, struct bytes *ret_datagram);

#endif
