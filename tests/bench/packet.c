/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

#define OPTION_OBSERVE 6
#define OPTION_OSCORE 9
#define OPTION_URI_PATH 11
#define OPTION_CONTENT_FORMAT 12
#define OPTION_ECHO 252
#define PAYLOAD_MARKER 0xff

static uint32_t
read_uint(struct bytes b)
{
	uint32_t v = 0;

	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

/* An option's delta or length nibble with its extension (RFC 7252 3.1). */
static bool
read_nibble(struct bytes *in, unsigned nibble, uint32_t *ret)
{
	size_t more = nibble == 13 ? 1 : nibble == 14 ? 2 : 0;

	if (nibble == 15 || in->n < more)
		return false;
	*ret = nibble;
	if (more == 1)
		*ret = 13 + read_uint(bytes_head(*in, 1));
	else if (more == 2)
		*ret = 269 + read_uint(bytes_head(*in, 2));
	*in = bytes_from(*in, more);
	return true;
}

static bool
read_options(struct bytes in, struct packet *p)
{
	uint32_t number = 0, delta, len;

	while (in.n > 0) {
		uint8_t head = in.p[0];

		in = bytes_from(in, 1);
		if (head == PAYLOAD_MARKER) {
			p->payload = in;
			return in.n > 0;
		}
		if (!read_nibble(&in, head >> 4, &delta) || !read_nibble(&in, head & 15, &len) ||
			len > in.n)
			return false;
		number += delta;
		if (number == OPTION_OBSERVE && len <= 3) {
			p->has_observe = true;
			p->observe = read_uint(bytes_head(in, len));
		} else if (number == OPTION_OSCORE) {
			p->oscore = bytes_head(in, len);
		} else if (number == OPTION_ECHO) {
			p->echo = bytes_head(in, len);
		}
		in = bytes_from(in, len);
	}
	return true;
}

bool
packet_decode(struct bytes in, struct packet *ret)
{
	struct packet p = {0};
	size_t tkl;

	if (in.n < 4 || in.p[0] >> 6 != 1)
		return false;
	tkl = in.p[0] & 15;
	if (tkl > 8 || in.n < 4 + tkl)
		return false;
	p.type = in.p[0] >> 4 & 3;
	p.code = in.p[1];
	p.mid = (uint16_t)(in.p[2] << 8 | in.p[3]);
	p.has_token = tkl == 4;
	p.token = p.has_token ? read_uint(bytes_head(bytes_from(in, 4), 4)) : 0;
	if (!read_options(bytes_from(in, 4 + tkl), &p))
		return false;
	*ret = p;
	return true;
}

void
packet_put_head(
	struct buf *out, enum packet_type type, uint8_t code, uint16_t mid, struct bytes token)
{
	buf_put_u8(out, (uint8_t)(0x40 | type << 4 | token.n));
	buf_put_u8(out, code);
	buf_put_u16(out, mid);
	buf_put(out, token);
}

void
packet_put_empty(struct buf *out, enum packet_type type, uint16_t mid)
{
	packet_put_head(out, type, PACKET_EMPTY, mid, BYTES_NONE);
}

void
packet_put_option(struct buf *out, uint16_t *last, uint16_t number, struct bytes value)
{
	unsigned delta = (unsigned)(number - *last);
	unsigned len = (unsigned)value.n;

	/* Benches need neither large numbers nor long values. */
	if (delta > 268 || len > 268) {
		out->full = true;
		return;
	}
	buf_put_u8(out, (uint8_t)((delta < 13 ? delta : 13) << 4 | (len < 13 ? len : 13)));
	if (delta >= 13)
		buf_put_u8(out, (uint8_t)(delta - 13));
	if (len >= 13)
		buf_put_u8(out, (uint8_t)(len - 13));
	buf_put(out, value);
	*last = number;
}

void
packet_put_request(struct buf *out, const struct packet_request *r)
{
	uint8_t token[4] = {(uint8_t)(r->token >> 24), (uint8_t)(r->token >> 16),
		(uint8_t)(r->token >> 8), (uint8_t)r->token};
	uint8_t format[2] = {(uint8_t)(r->format >> 8), (uint8_t)r->format};
	const char *at = r->path;
	uint16_t last = 0;

	packet_put_head(out, PACKET_CON, r->code, r->mid, BYTES_OF(token));
	if (r->observe)
		packet_put_option(out, &last, OPTION_OBSERVE, BYTES_NONE);
	while (*at != '\0') {
		size_t n = strcspn(at, "/");

		packet_put_option(out, &last, OPTION_URI_PATH, bytes_of(at, n));
		at += n + (at[n] == '/');
	}
	if (r->code != PACKET_GET)
		packet_put_option(out, &last, OPTION_CONTENT_FORMAT,
			bytes_from(BYTES_OF(format), r->format == 0 ? 2 : r->format < 256));
	if (r->echo.n > 0)
		packet_put_option(out, &last, OPTION_ECHO, r->echo);
	if (r->code != PACKET_GET && r->payload.n > 0) {
		buf_put_u8(out, PAYLOAD_MARKER);
		buf_put(out, r->payload);
	}
}

void
packet_fill_payload(uint8_t *to, size_t size, uint32_t number)
{
	static const char digits[] = "0123456789abcdef";

	memset(to, '.', size);
	for (unsigned i = 0; i < 8 && i < size; i++)
		to[i] = (uint8_t)digits[number >> (28 - 4 * i) & 15];
}

bool
packet_read_payload(struct bytes payload, uint32_t *ret)
{
	uint32_t v = 0;

	if (payload.n < 8)
		return false;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t c = payload.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}
