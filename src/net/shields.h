/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shields, as the daemon makes them: the binding of one protected request, or of a phantom
 * request, and how often it is held. What they are to message layer and broker is
 * msg/shield.h; what they protect with is oscore/.
 */
#ifndef COAPCAST_NET_SHIELDS_H
#define COAPCAST_NET_SHIELDS_H

#include "msg/shield.h"
#include "oscore/binding.h"

struct shield {
	struct oscore_binding binding;
	unsigned n_refs;
	bool answered; /* something was protected with it */
	size_t *n_alive; /* of those that were made by the same maker */
};

/* With one reference and an empty binding, to be filled by the caller; *n_alive counts it. */
struct shield *shields_new(size_t *n_alive);
void shields_release(struct shield *s); /* NULL is fine */

/* For layer_ops.shields; their ctx is not used. */
extern const struct shield_ops shields_ops;

#endif
