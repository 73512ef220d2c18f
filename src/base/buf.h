/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sticky writer: the type of every output. It writes into memory it does
 * not own; the first write that does not fit sets `full`, and from then on
 * every write is a no-op, so that an encoder is one straight line with one
 * check at its end. Reading back (`buf_bytes`) borrows the same memory.
 */
#ifndef COAPCAST_BASE_BUF_H
#define COAPCAST_BASE_BUF_H

#include "base/bytes.h"

struct buf {
	uint8_t *p; /* where to write; borrowed */
	size_t n; /* bytes written so far */
	size_t cap; /* bytes p has room for */
	bool full; /* a write did not fit: the content is not to be used */
};

#define BUF_OF(array) ((struct buf){(array), 0, sizeof(array), false})

static inline struct buf
buf_of(void *p, size_t cap)
{
	return (struct buf){p, 0, cap, false};
}

static inline struct bytes
buf_bytes(const struct buf *b)
{
	return bytes_of(b->p, b->n);
}

static inline void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->full = false;
}

/* Reserves n bytes and returns where they start, or NULL when they do not fit. */
uint8_t *buf_claim(struct buf *b, size_t n);

void buf_put(struct buf *b, struct bytes what);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v); /* big-endian */
void buf_put_str(struct buf *b, const char *s); /* without its NUL */
void buf_put_hex(struct buf *b, struct bytes what);
/* Text with each %XX replaced by the octet it stands for; -EINVAL for a broken one. */
int buf_put_unescaped(struct buf *b, struct bytes text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * NUL-terminates what was written and returns it as a C string, without
 * counting the NUL. A buffer without room for it returns "".
 */
const char *buf_str(struct buf *b);

#endif
