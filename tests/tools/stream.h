/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CoAP over TCP (RFC 8323 3) for test tools: messages come and go as datagrams of UDP, with
 * type NON and message id 0. Signals are answered or dropped here.
 */
#ifndef COAPCAST_TOOLS_STREAM_H
#define COAPCAST_TOOLS_STREAM_H

#include "base/buf.h"

#define STREAM_MAX 65536

struct stream {
	int fd;
	size_t n;
	uint8_t in[STREAM_MAX]; /* what came and is no whole message yet */
};

/* On a socket that is connected: sends the Capabilities and Settings. */
void stream_begin(struct stream *s, int fd);
void stream_send(struct stream *s, struct bytes datagram);
/* Reads once and hands over what is whole; false at the end of the stream. */
bool stream_receive(
	struct stream *s, void (*on_message)(void *ctx, struct bytes datagram), void *ctx);

#endif
