/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker/topic.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/cborget.h"
#include "wire/option.h"

#define SEQ_NEAR 32768 /* so many left: time to reserve more; a slow disk takes seconds */
#define SEGMENT_MAX 255 /* RFC 7252 5.10: a Uri-Path option */
/* A longer path would leave too little of a message for its other options and the payload. */
#define SEGMENTS_MAX 32
#define PATH_NAME_MAX 768

void
topic_table_init(struct topic_table *t, uint32_t max, uint32_t seed, const uint8_t id[2])
{
	*t = (struct topic_table){.max = max, .seed = seed, .server_id = {id[0], id[1]}};
	map_init(&t->by_path);
	map_init(&t->by_name);
	pool_init(&t->pool, sizeof(struct topic));
}

struct value *
value_hold(struct value *v)
{
	v->n_refs++;
	return v;
}

void
value_release(struct topic_table *t, struct value *v)
{
	if (!v || --v->n_refs > 0)
		return;
	t->value_bytes -= v->n;
	free(v);
}

static void
forget(void *ctx, struct map_node *node)
{
	topic_remove(ctx, MAP_OBJECT(node, struct topic, by_path));
}

void
topic_table_fini(struct topic_table *t)
{
	map_each(&t->by_path, forget, t);
	map_fini(&t->by_path);
	map_fini(&t->by_name);
	pool_fini(&t->pool);
}

struct topic *
topic_by_name(const struct topic_table *t, struct bytes name)
{
	uint32_t hash = map_hash(name, t->seed);

	for (struct map_node *n = map_first(&t->by_name, hash); n; n = map_next(n)) {
		struct topic *topic = MAP_OBJECT(n, struct topic, by_name);

		if (bytes_is(name, topic->name))
			return topic;
	}
	return NULL;
}

struct topic *
topic_by_path(const struct topic_table *t, struct bytes path)
{
	uint32_t hash = map_hash(path, t->seed);

	for (struct map_node *n = map_first(&t->by_path, hash); n; n = map_next(n)) {
		struct topic *topic = MAP_OBJECT(n, struct topic, by_path);

		if (bytes_is(path, topic->path))
			return topic;
	}
	return NULL;
}

static bool
segment_is_safe(struct bytes s)
{
	return s.n > 0 && s.n <= SEGMENT_MAX && !bytes_is(s, ".") && !bytes_is(s, "..");
}

/* Whether a name can be its own path: product.md, "Names". */
static bool
name_is_path(struct bytes name)
{
	struct bytes rest = name;
	unsigned n_segments = 1;

	if (name.n > PATH_NAME_MAX)
		return false;
	/* `data` leads to the topic data of others. */
	if (bytes_is(name, "data") || bytes_is(bytes_head(name, 5), "data/"))
		return false;
	for (;;) {
		const uint8_t *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
		size_t n = slash ? (size_t)(slash - rest.p) : rest.n;

		if (n_segments++ > SEGMENTS_MAX || !segment_is_safe(bytes_head(rest, n)))
			return false;
		if (!slash)
			return true;
		rest = bytes_from(rest, n + 1);
	}
}

bool
topic_name_of_path(struct bytes path, struct buf *name)
{
	uint8_t bytes[TOPIC_PATH_MAX];
	struct buf unescaped = BUF_OF(bytes);
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_PUT);
	if (msg_add_path(&m, OPT_URI_PATH, path, &unescaped) < 0)
		return false;
	for (uint8_t i = 0; i < m.n_opts; i++) {
		struct bytes segment = m.opts[i].value;

		/* A slash within a segment would make two of it. */
		if (segment.n && memchr(segment.p, '/', segment.n))
			return false;
		if (i > 0)
			buf_put_u8(name, '/');
		buf_put(name, segment);
	}
	return !name->full && name_is_path(buf_bytes(name));
}

/* The name as the text that msg_path makes of its segments; with a salt over 0, a made-up one. */
static void
make_path(const struct topic_table *t, struct bytes name, uint32_t salt, struct buf *out)
{
	buf_put_u8(out, '/');
	if (salt > 0) {
		buf_printf(out, "%08x%08x", map_hash(name, t->seed ^ salt),
			map_hash(name, t->seed + 0x9e3779b9u * salt));
		return;
	}
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '%')
			buf_put_str(out, "%25");
		else
			buf_put_u8(out, name.p[i]);
	}
}

/* What a CBOR text string and a line of output can hold: UTF-8, no control characters. */
static bool
is_text(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	}
	return cborget_is_utf8(name);
}

/* `max`: how many there may be with it. */
static int
create(struct topic_table *t, struct bytes name, struct bytes wanted, uint32_t first_seq,
	size_t max, struct topic **ret)
{
	uint8_t text[TOPIC_PATH_MAX];
	struct buf path = BUF_OF(text);
	uint32_t salt = name_is_path(name) ? 0 : 1;
	struct topic *topic;

	if (name.n == 0 || name.n > TOPIC_NAME_MAX || !is_text(name))
		return -EINVAL;
	if (topic_by_name(t, name))
		return -EEXIST;
	if (t->by_path.n >= max)
		return -ENOSPC;
	buf_put(&path, wanted);
	while (path.n == 0 || path.full || topic_by_path(t, buf_bytes(&path))) {
		buf_clear(&path);
		make_path(t, name, salt++, &path);
	}
	topic = pool_get(&t->pool);
	topic->name = mem_alloc(name.n + path.n + 2);
	memcpy(topic->name, name.p, name.n);
	topic->path = topic->name + name.n + 1;
	memcpy(topic->path, path.p, path.n);
	topic->content_format = BROKER_NO_FORMAT;
	topic->id = ++t->last_id;
	topic->seq = first_seq & OBSERVE_MASK;
	topic->seq_bound = (topic->seq + TOPIC_SEQ_AHEAD) & OBSERVE_MASK;
	map_put(&t->by_name, &topic->by_name, map_hash(name, t->seed));
	map_put(&t->by_path, &topic->by_path, map_hash(buf_bytes(&path), t->seed));
	t->generation++;
	*ret = topic;
	return 0;
}

int
topic_create(struct topic_table *t, struct bytes name, uint32_t first_seq, struct topic **ret)
{
	return create(t, name, BYTES_NONE, first_seq, t->max, ret);
}

int
topic_create_kept(struct topic_table *t, struct bytes name, struct bytes path, uint32_t first_seq,
	struct topic **ret)
{
	return create(t, name, path, first_seq, SIZE_MAX, ret);
}

void
topic_announce(struct topic_table *t, struct topic *topic, enum topic_coming how)
{
	topic->coming = how;
	t->n_coming++;
}

void
topic_arrive(struct topic_table *t, struct topic *topic)
{
	topic->coming = TOPIC_HERE;
	t->n_coming--;
	t->generation++;
}

void
topic_remove(struct topic_table *t, struct topic *topic)
{
	t->n_coming -= topic->coming != TOPIC_HERE;
	value_release(t, topic->value);
	map_remove(&t->by_name, &topic->by_name);
	map_remove(&t->by_path, &topic->by_path);
	free(topic->name);
	pool_put(&t->pool, topic);
	t->generation++;
}

void
topic_etag(const struct topic_table *t, uint32_t content_format, struct bytes data, uint16_t nth,
	uint8_t ret[ETAG_LEN])
{
	uint32_t hash[2];

	/* Not keyed: the ETag of a value outlives a restart. */
	hash[0] = map_hash(data, content_format ^ 0x632be59bu);
	hash[1] = map_hash(data, content_format + 0x85157af5u) ^ nth;
	memcpy(ret, t->server_id, sizeof(t->server_id));
	memcpy(ret + sizeof(t->server_id), hash, ETAG_LEN - sizeof(t->server_id));
}

bool
topic_reserve_numbers(uint32_t seq, uint32_t *bound)
{
	uint32_t left = (*bound - seq) & OBSERVE_MASK;

	if (left >= SEQ_NEAR && left <= TOPIC_SEQ_AHEAD)
		return false;
	*bound = (seq + TOPIC_SEQ_AHEAD) & OBSERVE_MASK;
	return true;
}

void
topic_take_number(struct topic *topic)
{
	/* One that nobody saw serves the newer value: RFC 7641 4.4 counts what is sent. */
	if (!topic->unsent)
		topic->seq = (topic->seq + 1) & OBSERVE_MASK;
	topic->unsent = true;
}

bool
topic_reserve(struct topic *topic)
{
	return topic_reserve_numbers(topic->seq, &topic->seq_bound);
}

struct value *
value_new(struct topic_table *t, uint32_t content_format, struct bytes data)
{
	struct value *v = mem_alloc(sizeof(*v) + data.n);

	v->n_refs = 1;
	v->content_format = content_format;
	v->n = (uint32_t)data.n;
	if (data.n)
		memcpy(v->data, data.p, data.n);
	v->nth = ++t->n_values;
	topic_etag(t, content_format, data, v->nth, v->etag);
	t->value_bytes += data.n;
	return v;
}

void
topic_set_value(
	struct topic_table *t, struct topic *topic, uint32_t content_format, struct bytes data)
{
	topic_take_value(t, topic, data.p ? value_new(t, content_format, data) : NULL);
}

void
topic_take_value(struct topic_table *t, struct topic *topic, struct value *new)
{
	struct value *old = topic->value;

	/* What lists of links tell of it: that it can be read, and as what. */
	if (!old != !new || (old && old->content_format != new->content_format))
		t->generation++;
	topic->value = new;
	value_release(t, old);
	topic_take_number(topic);
}

struct bytes
value_bytes(const struct value *v)
{
	return bytes_of(v->data, v->n);
}
