/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a request is allowed: the broker's side of access rules, which themselves are
 * broker_ops.may. A topic that is not there is asked about like one that is, so that
 * nobody learns the names of topics by trying.
 */
#ifndef COAPCAST_BROKER_PERMIT_H
#define COAPCAST_BROKER_PERMIT_H

#include "broker/broker_impl.h"

/* Whether who asks may do all of this, bits of enum broker_may, with a topic. */
bool permit_allows(const struct call *c, unsigned verbs, const struct topic *t);
bool permit_allows_name(const struct call *c, unsigned verbs, struct bytes name);

/* The same with the topic that the request's path names, be it there or not. */
bool permit_call(const struct call *c, unsigned verbs);
/* The same; when not, the request is answered: 4.03. */
bool permit_check(struct call *c, unsigned verbs);
void permit_refuse(struct call *c);

#endif
