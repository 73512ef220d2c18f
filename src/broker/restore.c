/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/restore.h"

#include "broker/broker_impl.h"
#include "broker/settings.h"

void
restore_server_id(struct broker *b, const uint8_t id[2])
{
	memcpy(b->topics.server_id, id, sizeof(b->topics.server_id));
}

void
restore_get_server_id(const struct broker *b, uint8_t ret[2])
{
	memcpy(ret, b->topics.server_id, sizeof(b->topics.server_id));
}

int
restore_topic(struct broker *b, uint64_t id, const struct props *props, uint32_t bound,
	struct topic **ret)
{
	const struct broker_ops *ops = b->ops;
	struct broker_ops quiet = *ops;
	struct topic *t;
	int rc = topic_create(&b->topics, props->name, bound + TOPIC_SEQ_AHEAD, &t);

	if (rc < 0)
		return rc;
	if (id > b->topics.last_id)
		b->topics.last_id = id;
	t->id = id;
	/* Nothing is reserved yet: the first publish does that. */
	t->seq_bound = bound;
	/* Nothing that the store has to be told. */
	quiet.keep = NULL;
	b->ops = &quiet;
	settings_replace(b, t, props);
	b->ops = ops;
	*ret = t;
	return 0;
}

void
restore_value(struct broker *b, struct topic *t, uint32_t content_format, struct bytes data,
	const uint8_t etag[ETAG_LEN], uint16_t nth)
{
	uint32_t seq = t->seq;

	topic_set_value(&b->topics, t, content_format, data.p ? data : BYTES_LIT(""));
	memcpy(t->value->etag, etag, ETAG_LEN);
	t->value->nth = nth;
	/* Serial numbers: the newest of all is the last one that was given. */
	if ((int16_t)(nth - b->topics.n_values) > 0)
		b->topics.n_values = nth;
	t->seq = seq;
}
