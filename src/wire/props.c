/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/props.h"

#include <errno.h>

#include "wire/cborget.h"

#define TAG_EPOCH 1 /* RFC 8949 3.4.2 */

struct field {
	int (*get)(struct cborget *c, void *ret); /* 0 or -EBADMSG */
	void (*put)(struct buf *out, const void *v);
	bool (*equal)(const void *a, const void *b);
	size_t at; /* offset in struct props of what the three are given */
};

static int
tstr_get(struct cborget *c, void *ret)
{
	return cborget_tstr(c, ret);
}

static void
tstr_put(struct buf *out, const void *v)
{
	cborbuf_put_tstr(out, *(const struct bytes *)v);
}

static int
bstr_get(struct cborget *c, void *ret)
{
	return cborget_bstr(c, ret);
}

static void
bstr_put(struct buf *out, const void *v)
{
	cborbuf_put_bstr(out, *(const struct bytes *)v);
}

static bool
string_equal(const void *a, const void *b)
{
	return bytes_equal(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int
format_get(struct cborget *c, void *ret)
{
	uint64_t v;

	if (cborget_uint(c, &v) != 0 || v > UINT16_MAX)
		return -EBADMSG;
	*(uint16_t *)ret = (uint16_t)v;
	return 0;
}

static void
format_put(struct buf *out, const void *v)
{
	cborbuf_put_uint(out, *(const uint16_t *)v);
}

static bool
format_equal(const void *a, const void *b)
{
	return *(const uint16_t *)a == *(const uint16_t *)b;
}

static int
count_get(struct cborget *c, void *ret)
{
	uint64_t v;

	if (cborget_uint(c, &v) != 0)
		return -EBADMSG;
	*(uint32_t *)ret = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
	return 0;
}

static int
positive_get(struct cborget *c, void *ret)
{
	return count_get(c, ret) == 0 && *(uint32_t *)ret > 0 ? 0 : -EBADMSG;
}

static void
count_put(struct buf *out, const void *v)
{
	cborbuf_put_uint(out, *(const uint32_t *)v);
}

static bool
count_equal(const void *a, const void *b)
{
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

static int
date_get(struct cborget *c, void *ret)
{
	uint64_t tag;

	if (cborget_tag(c, &tag) != 0 || tag != TAG_EPOCH)
		return -EBADMSG;
	return cborget_number(c, ret);
}

static void
date_put(struct buf *out, const void *v)
{
	cborbuf_put_tag(out, TAG_EPOCH);
	cborbuf_put_int(out, *(const int64_t *)v);
}

static bool
date_equal(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

#define TSTR tstr_get, tstr_put, string_equal
#define BSTR bstr_get, bstr_put, string_equal
#define AT(member) offsetof(struct props, member)

static const struct field fields[PROPS_N_KEYS] = {
	[PROPS_NAME] = {TSTR, AT(name)},
	[PROPS_DATA] = {TSTR, AT(data)},
	[PROPS_RESOURCE_TYPE] = {TSTR, AT(resource_type)},
	[PROPS_CONTENT_FORMAT] = {format_get, format_put, format_equal, AT(content_format)},
	[PROPS_TYPE] = {TSTR, AT(type)},
	[PROPS_EXPIRATION] = {date_get, date_put, date_equal, AT(expiration_s)},
	[PROPS_MAX_SUBSCRIBERS] = {count_get, count_put, count_equal, AT(max_subscribers)},
	[PROPS_OBSERVER_CHECK] = {positive_get, count_put, count_equal, AT(observer_check_s)},
	[PROPS_INITIALIZE] = {BSTR, AT(initialize)},
};

/* A key that is known and new to `have`, which it joins. */
static int
get_key(struct cborget *c, unsigned *have, enum props_key *ret)
{
	uint64_t key;

	if (cborget_uint(c, &key) != 0 || key >= PROPS_N_KEYS)
		return -EBADMSG;
	if (*have & PROPS_BIT(key))
		return -EBADMSG;
	*have |= PROPS_BIT(key);
	*ret = (enum props_key)key;
	return 0;
}

int
props_decode(struct bytes payload, struct props *ret)
{
	struct cborget c = cborget_of(payload);
	struct props p = {.has = 0};
	uint64_t n;

	if (cborget_map(&c, &n) != 0)
		return -EBADMSG;
	for (uint64_t i = 0; i < n; i++) {
		enum props_key key;

		if (get_key(&c, &p.has, &key) != 0)
			return -EBADMSG;
		if (fields[key].get(&c, (uint8_t *)&p + fields[key].at) != 0)
			return -EBADMSG;
	}
	if (!cborget_at_end(&c))
		return -EBADMSG;
	*ret = p;
	return 0;
}

int
props_encode(const struct props *p, unsigned keys, struct buf *out)
{
	unsigned n = 0;

	keys &= p->has & PROPS_ALL;
	for (unsigned key = 0; key < PROPS_N_KEYS; key++)
		n += (keys & PROPS_BIT(key)) != 0;
	cborbuf_put_map(out, n);
	for (unsigned key = 0; key < PROPS_N_KEYS; key++) {
		if (!(keys & PROPS_BIT(key)))
			continue;
		cborbuf_put_uint(out, key);
		fields[key].put(out, (const uint8_t *)p + fields[key].at);
	}
	return out->full ? -ENOBUFS : 0;
}

int
props_decode_keys(struct bytes payload, unsigned *ret_keys)
{
	struct cborget c = cborget_of(payload);
	unsigned keys = 0;
	uint64_t n;

	if (cborget_array(&c, &n) != 0)
		return -EBADMSG;
	for (uint64_t i = 0; i < n; i++) {
		enum props_key key;

		if (get_key(&c, &keys, &key) != 0)
			return -EBADMSG;
	}
	if (!cborget_at_end(&c))
		return -EBADMSG;
	*ret_keys = keys;
	return 0;
}

bool
props_match(const struct props *p, const struct props *filter)
{
	for (unsigned key = 0; key < PROPS_N_KEYS; key++) {
		size_t at = fields[key].at;

		if (!(filter->has & PROPS_BIT(key)))
			continue;
		if (!(p->has & PROPS_BIT(key)))
			return false;
		if (!fields[key].equal((const uint8_t *)p + at, (const uint8_t *)filter + at))
			return false;
	}
	return true;
}
