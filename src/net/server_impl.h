/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's inside, shared by its files (server*.c) and nobody else. */
#ifndef COAPCAST_NET_SERVER_IMPL_H
#define COAPCAST_NET_SERVER_IMPL_H

#include <uv.h>

#include "net/server.h"

#include "base/log.h"
#include "net/access.h"
#include "net/echo.h"
#include "net/farewell.h"
#include "net/keep.h"
#include "net/listen.h"
#include "net/metrics.h"
#include "net/network.h"
#include "net/plan.h"
#include "net/secure.h"
#include "transport/coapd.h"
#include "transport/udp.h"

#define N_SIGNALS 4

struct server {
	uv_loop_t loop;
	uv_signal_t signals[N_SIGNALS];
	uv_timer_t timer; /* the layer's next deadline */
	uv_timer_t watchdog;
	uv_idle_t more; /* runs while the fan-out is not done */
	uint64_t armed_ms; /* what `timer` waits for; WHEEL_NEVER: nothing */
	const char *path;
	struct conf *conf, *boot; /* in force, and what only a start takes up; may be the same */
	struct plan plan;
	struct udp *udp;
	struct coapd *coapd; /* NULL: plain UDP only */
	struct subjects *subjects;
	struct listen listen;
	bool to_session; /* what was opened last */
	struct layer *layer;
	struct broker *broker;
	struct metrics *metrics; /* NULL: nobody may ask */
	struct network *network;
	struct farewell *farewell;
	struct keep *keep;
	bool kept; /* nothing that was to be kept got lost */
	struct secure *secure;
	struct echo echo;
	struct access *access;
	struct log_brake refused, unaware, handshakes;
	uint64_t crowd_told_ms; /* when the log last said that clients are silent; 0: never */
	uint64_t n_refused; /* requests that security.nosec forbade */
	unsigned verbose; /* levels of the log that -v added */
	bool stopping;
};

/* After a batch: notifies, sends, and sets the timer to the next deadline. ctx: the server. */
void server_settle(void *ctx);
/* Ends everything that lives in the loop. */
void server_stop(struct server *s);

/* udp_ops and coapd_ops: a datagram, and that a batch of them is over. */
void server_on_datagram(void *ctx, const struct path *from, struct bytes datagram);
void server_on_batch(void *ctx);

/* server_farewell.c: waits to be told to end for good. */
void server_start_farewell(struct server *s);

/* server_sessions.c: DTLS, TLS and TCP, where `listen` wants them. */
int server_start_sessions(struct server *s, struct error *e);

#endif
