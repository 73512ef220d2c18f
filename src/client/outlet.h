/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How what is said leaves a client's state machine (session.h, gather.h), and where its
 * randomness comes from; and the part of a message layer's ops that passes it on. The
 * machine has its outlet as its first member, and is what its layer's ops are called with.
 */
#ifndef COAPCAST_CLIENT_OUTLET_H
#define COAPCAST_CLIENT_OUTLET_H

#include "msg/layer.h"

struct outlet_ops {
	/* As in struct layer_ops. */
	struct buf *(*open)(void *ctx, const struct path *way);
	void (*commit)(void *ctx);
	void (*random)(void *ctx, void *p, size_t n);
};

struct outlet {
	const struct outlet_ops *ops;
	void *ctx;
};

/* For struct layer_ops; the first argument is a struct outlet. */
struct buf *outlet_open(void *outlet, const struct path *way);
void outlet_commit(void *outlet);
void outlet_random(void *outlet, void *p, size_t n);

#endif
