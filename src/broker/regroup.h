/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another configuration for a running broker: what a reload changes of limits and
 * groups, and what becomes of group observations and observers then.
 */
#ifndef COAPCAST_BROKER_REGROUP_H
#define COAPCAST_BROKER_REGROUP_H

#include "broker/broker.h"

/*
 * Takes up another configuration; `conf` takes the place of that of broker_new. `successor`
 * says which of its groups goes on where one of until now was: it may differ in all but
 * address, source, interface and security. NULL: none, and its group observations
 * are cancelled. What is past a limit that is lower now stays, and nothing new is let in.
 */
void regroup_broker(struct broker *b, const struct broker_conf *conf,
	const struct broker_group *(*successor)(void *ctx, const struct broker_group *old),
	void *ctx);

struct bunch;
/* Moves those of a bunch who are enough for that now. */
void regroup_start(struct broker *b, struct bunch *bunch);

#endif
