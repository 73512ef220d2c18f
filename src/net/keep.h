/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The broker's state in the store: topics, their newest values and observe numbers;
 * put back at the start, kept from then on. Architecture: "Store".
 */
#ifndef COAPCAST_NET_KEEP_H
#define COAPCAST_NET_KEEP_H

#include <uv.h>

#include "broker/broker.h"
#include "conf/conf.h"

struct keep;
struct store;
struct store_event;

/* Opens the store of the configuration, after which keep_close has to come. */
int keep_open(const struct conf *conf, uv_loop_t *loop, struct keep **ret, struct error *e);

/* For others who keep something: the store, which is there until keep_close. */
struct store *keep_store(struct keep *k);
bool keep_was_clean(const struct keep *k); /* the last stop */
/* They hear of its events. */
void keep_listen(
	struct keep *k, void (*hear)(void *ctx, const struct store_event *event), void *ctx);

/* Puts what was kept into a new broker, and starts to keep what comes. */
int keep_restore(struct keep *k, struct broker *b, struct error *e);

/* broker_ops.keep and broker_ops.can_keep. */
void keep_put(struct keep *k, enum broker_keep what, const struct topic *t);
bool keep_is_possible(struct keep *k);

/*
 * Waits until everything is on the disk; false, having said so: it is not. The rest
 * of it is freed by keep_free, when the loop has ended. NULL is fine for both.
 */
bool keep_close(struct keep *k);
void keep_free(struct keep *k);

void keep_report(struct keep *k);

#endif
