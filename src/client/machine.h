/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client's state machines (session.h, gather.h) have in common: a message layer on a clock
 * and datagrams that somebody else brings, and what is said and drawn at random through
 * their owner. A machine is the first member of what it is in, which its layer's ops are called
 * with.
 */
#ifndef COAPCAST_CLIENT_MACHINE_H
#define COAPCAST_CLIENT_MACHINE_H

#include "msg/layer.h"

struct machine_ops {
	/* As in struct layer_ops. */
	struct buf *(*open)(void *ctx, const struct path *way);
	void (*commit)(void *ctx);
	void (*random)(void *ctx, void *p, size_t n);
};

struct machine {
	const struct machine_ops *ops;
	void *ctx;
	struct layer *layer; /* owned by the machine it is in */
};

/* A datagram came; time went by; the next moment at which it has to, or WHEEL_NEVER. */
void machine_receive(
	struct machine *m, const struct path *from, struct bytes datagram, uint64_t now_ms);
void machine_advance(struct machine *m, uint64_t now_ms);
uint64_t machine_next(const struct machine *m);

/* For struct layer_ops; the first argument is a struct machine. */
struct buf *machine_open(void *machine, const struct path *way);
void machine_commit(void *machine);
void machine_random(void *machine, void *p, size_t n);

#endif
