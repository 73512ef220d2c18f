/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the configuration to what the broker runs with: names of interfaces
 * become indices, groups become broker_groups. The configuration stays
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
};

/* 0, or -ENODEV with e filled when an interface is missing. */
int plan_init(struct plan *p, const struct conf *conf, struct error *e);
void plan_fini(struct plan *p);

#endif
