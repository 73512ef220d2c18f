/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

uint8_t *
buf_claim(struct buf *b, size_t n)
{
	uint8_t *at;

	if (b->full || n > b->cap - b->n) {
		b->full = true;
		return NULL;
	}
	at = b->p + b->n;
	b->n += n;
	return at;
}

void
buf_put(struct buf *b, struct bytes what)
{
	uint8_t *at;

	if (what.n == 0)
		return;
	if ((at = buf_claim(b, what.n)) != NULL)
		memcpy(at, what.p, what.n);
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	uint8_t *at = buf_claim(b, 1);

	if (at)
		*at = v;
}

void
buf_put_u16(struct buf *b, uint16_t v)
{
	uint8_t *at = buf_claim(b, 2);

	if (at) {
		at[0] = (uint8_t)(v >> 8);
		at[1] = (uint8_t)v;
	}
}

void
buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, bytes_str(s));
}

void
buf_put_hex(struct buf *b, struct bytes what)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < what.n; i++) {
		uint8_t *at = buf_claim(b, 2);

		if (!at)
			return;
		at[0] = (uint8_t)digit[what.p[i] >> 4];
		at[1] = (uint8_t)digit[what.p[i] & 15];
	}
}

int
buf_put_unescaped(struct buf *b, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		int hi, lo;

		if (text.p[i] != '%') {
			buf_put_u8(b, text.p[i]);
			continue;
		}
		if (i + 2 >= text.n || (hi = bytes_hex_digit(text.p[i + 1])) < 0 ||
			(lo = bytes_hex_digit(text.p[i + 2])) < 0)
			return -EINVAL;
		buf_put_u8(b, (uint8_t)(hi << 4 | lo));
		i += 2;
	}
	return 0;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->n;
	va_list ap;
	int n;

	if (b->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf((char *)b->p + b->n, room, fmt, ap);
	va_end(ap);
	/* vsnprintf needs a byte for its NUL: text that only just fits is full. */
	if (n < 0 || (size_t)n >= room)
		b->full = true;
	else
		b->n += (size_t)n;
}

const char *
buf_str(struct buf *b)
{
	if (b->n >= b->cap)
		return "";
	b->p[b->n] = '\0';
	return (const char *)b->p;
}
