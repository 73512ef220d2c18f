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

/*
 * A topic with the number it had and its properties, without a value; the observe
 * numbers below `bound` may have been used, and as many as are reserved at once from
 * there on. Its path may have to be another one. Same errors as broker_create_topic;
 * strings are copied.
 */
int restore_topic(struct broker *b, uint64_t id, const struct props *props, uint32_t bound,
	struct topic **ret);
/* Its value: number `nth` of all publishes, and with this ETag. */
void restore_value(struct broker *b, struct topic *t, uint32_t content_format, struct bytes data,
	const uint8_t etag[ETAG_LEN], uint16_t nth);

#endif
