/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a store kept, put back into a broker before it gets its first request. The
 * broker tells its store nothing of it: broker_ops.keep is not called.
 */
#ifndef COAPCAST_BROKER_RESTORE_H
#define COAPCAST_BROKER_RESTORE_H

#include "broker/topic.h"
#include "wire/props.h"

/* This broker's id in ETags, kept or drawn. */
void restore_server_id(struct broker *b, const uint8_t id[2]);
void restore_get_server_id(const struct broker *b, uint8_t ret[2]);

/* There will be so many topics. */
void restore_reserve(struct broker *b, size_t n_topics);

struct restore_topic {
	uint64_t id; /* the number it had */
	const struct props *props;
	struct bytes path; /* it may have to be another one */
	uint32_t bound; /* the observe numbers below may have been used, as the store knows */
	bool exact; /* none from there on; otherwise as many as are reserved at once may have been */
};

/*
 * A topic without a value, also past the limit of topics. The other errors of
 * broker_create_topic; strings are copied.
 */
int restore_topic(struct broker *b, const struct restore_topic *kept, struct topic **ret);
/* Its value: number `nth` of all publishes, and with this ETag. */
void restore_value(struct broker *b, struct topic *t, uint32_t content_format, struct bytes data,
	const uint8_t etag[ETAG_LEN], uint16_t nth);

/* Nobody knows whether those who observe it were told of that value. */
void restore_unannounced(struct broker *b, struct topic *t);
/*
 * All is put back: who is enough for a group observation now, by groups that are others than
 * they were, is moved, as if they registered now.
 */
void restore_start_groups(struct broker *b);
/* The same: they are told. How many topics that is. */
unsigned restore_announce(struct broker *b);
/* The number of the last publish that everybody was told of; false: some are to be told yet,
 * or that was not begun. */
bool restore_is_announced(const struct broker *b, uint16_t *ret);
/*
 * Whether no traditional observer has to be told of anything, or to acknowledge it; otherwise
 * *ret is the number of the last publish before all that they may not have heard of.
 */
bool restore_is_told(struct broker *b, uint16_t *ret);

struct restore_observer {
	struct path way;
	struct token token;
	struct shield *shield; /* its registration's, borrowed; NULL: it was not protected */
	uint32_t who;
	uint8_t szx;
	uint32_t flags; /* restore_observer_flags */
};

/* Who observed a topic goes on; false, and nothing is left of it: it cannot. */
bool restore_observer(struct broker *b, struct topic *t, const struct restore_observer *kept);
/* Of the store's: what there is to be kept. */
void restore_each_topic(
	struct broker *b, void (*topic)(void *ctx, const struct topic *t), void *ctx);
void restore_each_observer(
	struct broker *b, void (*observer)(void *ctx, const struct observer *o), void *ctx);
/* What else is to be kept of it: bits. */
uint32_t restore_observer_flags(const struct observer *o);

#endif
