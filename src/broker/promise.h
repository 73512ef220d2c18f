/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a topic is to outlive a restart, as the broker tells its store: as facts, or as
 * promises, which are kept before whoever asked for them is answered (product.md,
 * commit-interval 0).
 */
#ifndef COAPCAST_BROKER_PROMISE_H
#define COAPCAST_BROKER_PROMISE_H

struct props;
struct topic;
struct value;

enum broker_keep {
	BROKER_KEEP_TOPIC, /* its properties, its observe numbers, and the value it has by now */
	BROKER_KEEP_VALUE, /* its value, or that it has none */
	BROKER_KEEP_SEQ, /* its observe numbers */
	BROKER_KEEP_NOTHING, /* it goes */
};

/* One of them, all of which is there after a restart or nothing is; all borrowed. */
struct broker_promise {
	enum broker_keep what;
	const struct topic *topic;
	const struct value *value; /* that it will have; NULL: none, or with KEEP_TOPIC: no other */
	const struct props *props; /* with KEEP_TOPIC: that it will have */
};

#endif
