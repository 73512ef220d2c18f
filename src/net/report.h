/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon says and does about its state in words: the ready line, the
 * dump on SIGUSR1, and the topics that the configuration asks for.
 */
#ifndef COAPCAST_NET_REPORT_H
#define COAPCAST_NET_REPORT_H

#include "broker/broker.h"
#include "conf/conf.h"
#include "net/figures.h"

/* The line with the word `ready`. */
void report_ready(const struct conf *conf);

/* Everything that is counted, at level notice. */
void report_state(const struct figures *f, struct broker *broker);

/* Creates the configuration's topics that are not there yet; logs those that cannot be. */
void report_topics(struct broker *broker, const struct conf *conf);

/* Says that a group observation began or ended. */
void report_change(const struct group_observation *g, bool began);

#endif
