/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A borrowed run of bytes: the type of every input. Never owns what it points
 * at; whoever hands one over says until when it is valid. An absent value is
 * BYTES_NONE (p == NULL); an empty one may have any p.
 */
#ifndef COAPCAST_BASE_BYTES_H
#define COAPCAST_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p;
	size_t n;
};

#define BYTES_NONE ((struct bytes){NULL, 0})
#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})
#define BYTES_OF(array) ((struct bytes){(array), sizeof(array)})

static inline struct bytes
bytes_of(const void *p, size_t n)
{
	return (struct bytes){p, n};
}

static inline struct bytes
bytes_str(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static inline bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
bytes_is(struct bytes a, const char *s)
{
	return bytes_equal(a, bytes_str(s));
}

/* Order by content, a prefix before what it is a prefix of: for sorted lists. */
static inline int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* The part from `at` on; empty when `at` is past the end. */
static inline struct bytes
bytes_from(struct bytes b, size_t at)
{
	return at >= b.n ? bytes_of(b.p, 0) : bytes_of(b.p + at, b.n - at);
}

/* At most the first n bytes. */
static inline struct bytes
bytes_head(struct bytes b, size_t n)
{
	return n < b.n ? bytes_of(b.p, n) : b;
}

/* What a hexadecimal digit stands for; -1 when it is none. */
static inline int
bytes_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
