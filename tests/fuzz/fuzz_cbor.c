/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds one input to everything in wire/ that reads a payload: the CBOR reader,
 * the informative response, topic properties and keys, and link format. What
 * can be read is written and read again: that must give the same.
 */
#include <stdlib.h>

#include "wire/cborget.h"
#include "wire/inform.h"
#include "wire/link.h"
#include "wire/props.h"

#define OUT_MAX (1U << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Item by item: each takes at least a byte, and skips to where raw ends. */
static void
fuzz_items(struct bytes in)
{
	struct cborget c = cborget_of(in);
	struct bytes raw;

	while (cborget_peek(&c) < ITEM_END) {
		struct cborget skip = c;
		size_t before = c.in.n;

		if (cborget_raw(&c, &raw) != 0) {
			require(cborget_skip(&skip) != 0 && c.in.n == before);
			return;
		}
		require(raw.n > 0 && raw.n + c.in.n == before);
		require(cborget_skip(&skip) == 0 && skip.in.n == c.in.n);
	}
}

/* Head by head, as a caller does that goes into what he finds. */
static void
fuzz_heads(struct bytes in)
{
	struct cborget c = cborget_of(in);
	struct bytes s;
	uint64_t u;
	int64_t i;
	bool b;

	while (cborget_uint(&c, &u) == 0 || cborget_int(&c, &i) == 0 || cborget_bstr(&c, &s) == 0 ||
		cborget_tstr(&c, &s) == 0 || cborget_array(&c, &u) == 0 ||
		cborget_map(&c, &u) == 0 || cborget_tag(&c, &u) == 0 || cborget_bool(&c, &b) == 0 ||
		cborget_null(&c) == 0 || cborget_number(&c, &i) == 0)
		;
}

static void
fuzz_inform(struct bytes in)
{
	static uint8_t first[OUT_MAX];
	static uint8_t second[OUT_MAX];
	struct buf a = BUF_OF(first);
	struct buf b = BUF_OF(second);
	struct inform decoded;
	struct inform again;

	if (inform_decode(in, &decoded) != 0)
		return;
	/* Not everything that is understood may be sent: -EINVAL. */
	if (inform_encode(&decoded, &a) != 0)
		return;
	require(inform_decode(buf_bytes(&a), &again) == 0);
	require(inform_encode(&again, &b) == 0);
	require(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
}

static void
fuzz_props(struct bytes in)
{
	static uint8_t out[OUT_MAX];
	struct buf b = BUF_OF(out);
	struct props decoded;
	struct props again;
	unsigned keys = 0;

	require(props_decode_keys(in, &keys) == 0 ? (keys & ~PROPS_ALL) == 0 : keys == 0);
	if (props_decode(in, &decoded) != 0)
		return;
	require(props_encode(&decoded, PROPS_ALL, &b) == 0 || b.full);
	if (b.full)
		return;
	require(props_decode(buf_bytes(&b), &again) == 0);
	require(again.has == decoded.has && props_match(&again, &decoded));
}

static void
fuzz_link_reader(struct bytes in)
{
	struct link_reader r = {in};
	struct link_value l;
	struct link_param p;

	while (link_next(&r, &l)) {
		struct link_reader params = {l.params};

		while (link_next_param(&params, &p))
			require(p.name.n > 0);
		if (link_find_param(&l, "rt", &p))
			link_param_lists(&p, "core.ps.conf");
	}
}

/* Any path and any resource type can be written, and are then one link. */
static void
fuzz_link_writer(struct bytes in)
{
	static uint8_t out[OUT_MAX];
	static uint8_t was[OUT_MAX];
	static uint8_t is[OUT_MAX];
	struct buf b = BUF_OF(out);
	struct buf was_path = BUF_OF(was);
	struct buf is_path = BUF_OF(is);
	struct link l = {.path = bytes_head(in, in.n / 2), .rt = bytes_from(in, in.n / 2)};
	struct link_reader r;
	struct link_value v;
	struct link_param p;

	if (l.rt.p == NULL)
		l.rt = BYTES_LIT("");
	link_put(&b, &l);
	if (b.full)
		return;
	r.in = buf_bytes(&b);
	require(link_next(&r, &v));
	require(link_find_param(&v, "rt", &p) && p.value.n >= l.rt.n);
	require(link_find_param(&v, "ct", &p) && bytes_is(p.value, "0"));
	require(!link_next(&r, &v));
	link_put_decoded(&was_path, l.path);
	r.in = buf_bytes(&b);
	link_next(&r, &v);
	link_put_decoded(&is_path, v.target);
	require(bytes_equal(buf_bytes(&was_path), buf_bytes(&is_path)));
	link_matches(&l, in);
	require(link_matches(&l, BYTES_LIT("href=*")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	fuzz_items(in);
	fuzz_heads(in);
	fuzz_inform(in);
	fuzz_props(in);
	fuzz_link_reader(in);
	fuzz_link_writer(in);
	return 0;
}
