/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the configuration to what the broker runs with: names of interfaces
 * become indices, groups become broker_groups. The configurations stay
 * borrowed for the plan's life.
 */
#ifndef COAPCAST_NET_PLAN_H
#define COAPCAST_NET_PLAN_H

#include "broker/broker.h"
#include "conf/conf.h"

struct plan {
	struct broker_conf broker;
	struct layer_limits layer;
	struct broker_group *groups; /* what broker.groups points at; owned */
	const struct conf_group *from; /* what they were made of, in the same order */
};

/*
 * What only a start takes up comes from `boot`. An interface may be missing when a
 * group of `running` (NULL: none) has it: it may come back. 0, or -ENODEV with e filled.
 */
int plan_init(struct plan *p, const struct conf *boot, const struct conf *conf,
	const struct plan *running, struct error *e);
void plan_fini(struct plan *p);

/*
 * The group of `now` that goes on where `old`, one of `before`, was: of the same name,
 * address, source, interface and OSCORE group. NULL: none.
 */
const struct broker_group *plan_successor(
	const struct plan *before, const struct plan *now, const struct broker_group *old);

#endif
