/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

#include <err.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define SIGNALS 7 /* the class of codes */
#define CSM 0xe1
#define PING 0xe2
#define PONG 0xe3

/* RFC 8323 3.2: what follows the token has n bytes. */
static void
put_frame(struct buf *out, uint8_t code, struct bytes token, struct bytes rest)
{
	uint32_t n = (uint32_t)rest.n;
	uint8_t nibble = (uint8_t)(n < 13 ? n : n < 269 ? 13 : 14);

	buf_put_u8(out, (uint8_t)(nibble << 4 | token.n));
	if (nibble == 13)
		buf_put_u8(out, (uint8_t)(n - 13));
	else if (nibble == 14)
		buf_put_u16(out, (uint16_t)(n - 269));
	buf_put_u8(out, code);
	buf_put(out, token);
	buf_put(out, rest);
}

static void
send_frame(struct stream *s, uint8_t code, struct bytes token, struct bytes rest)
{
	uint8_t bytes[STREAM_MAX];
	struct buf out = BUF_OF(bytes);

	put_frame(&out, code, token, rest);
	if (write(s->fd, bytes, out.n) != (ssize_t)out.n)
		warn("stream");
}

void
stream_begin(struct stream *s, int fd)
{
	s->fd = fd;
	s->n = 0;
	send_frame(s, CSM, BYTES_NONE, BYTES_NONE);
}

void
stream_send(struct stream *s, struct bytes datagram)
{
	struct bytes token = bytes_of(datagram.p + 4, datagram.p[0] & 15);

	send_frame(s, datagram.p[1], token, bytes_from(datagram, 4 + token.n));
}

/* The length of the first message, whose header ends at *ret_head; 0: not all is there. */
static size_t
whole(const struct stream *s, size_t *ret_head)
{
	static const size_t extended[] = {[13] = 1, [14] = 2, [15] = 4};
	size_t nibble, n_ext, n = 0, all;

	if (s->n < 2)
		return 0;
	nibble = s->in[0] >> 4;
	n_ext = nibble < 13 ? 0 : extended[nibble];
	*ret_head = 1 + n_ext;
	if (s->n < *ret_head + 1)
		return 0;
	for (size_t i = 0; i < n_ext; i++)
		n = n << 8 | s->in[1 + i];
	n += nibble < 13 ? nibble : nibble == 13 ? 13 : nibble == 14 ? 269 : 65805;
	all = *ret_head + 1 + (s->in[0] & 15u) + n;
	if (all > STREAM_MAX)
		errx(1, "stream: a message of %zu bytes", all);
	return all <= s->n ? all : 0;
}

static void
take(struct stream *s, size_t head, size_t all,
	void (*on_message)(void *ctx, struct bytes datagram), void *ctx)
{
	uint8_t bytes[STREAM_MAX + 4], code = s->in[head];
	struct bytes token = bytes_of(s->in + head + 1, s->in[0] & 15);
	struct buf out = BUF_OF(bytes);

	if (code == PING)
		send_frame(s, PONG, token, BYTES_NONE);
	if (code >> 5 == SIGNALS)
		return;
	buf_put_u8(&out, (uint8_t)(0x50 | token.n));
	buf_put_u8(&out, code);
	buf_put_u16(&out, 0);
	buf_put(&out, bytes_of(s->in + head + 1, all - head - 1));
	on_message(ctx, buf_bytes(&out));
}

bool
stream_receive(struct stream *s, void (*on_message)(void *ctx, struct bytes datagram), void *ctx)
{
	ssize_t n = read(s->fd, s->in + s->n, sizeof(s->in) - s->n);
	size_t head, all;

	if (n <= 0)
		return false;
	s->n += (size_t)n;
	while ((all = whole(s, &head)) > 0) {
		take(s, head, all, on_message, ctx);
		s->n -= all;
		memmove(s->in, s->in + all, s->n);
	}
	return true;
}
