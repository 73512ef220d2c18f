/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `coapcastd --farewell`: the end of a broker for good. A running daemon is told so
 * through the socket that is its lock, by its own user or root. It ends every
 * observation, answers those who register again that there is nothing, and is gone when all
 * have acknowledged or the time for it is up. Both sides are here.
 */
#ifndef COAPCAST_NET_FAREWELL_H
#define COAPCAST_NET_FAREWELL_H

#include <uv.h>

#include "conf/conf.h"
#include "msg/layer.h"

#define FAREWELL_MAX_MS 30000 /* for the acknowledgements */
#define FAREWELL_LINGER_MS 3000 /* at least that long after group observations were cancelled */

struct farewell;

struct farewell_ops {
	/* Ends all observations; whether there were any of groups. */
	bool (*begin)(void *ctx);
	/* Whether everything that was sent is acknowledged or given up. */
	bool (*is_quiet)(void *ctx);
	/* It is over: stop. */
	void (*end)(void *ctx);
};

/* Listens at these locks, which stay the caller's. */
struct farewell *farewell_new(
	uv_loop_t *loop, const int *locks, size_t n, const struct farewell_ops *ops, void *ctx);
/* Tells who asked, and closes it; the memory goes in a later turn of the loop. NULL is fine. */
void farewell_close(struct farewell *f);

/* Whether it has begun. */
bool farewell_is_on(const struct farewell *f);
/* Answers a request meanwhile: 4.04 to who wants to observe, 5.03 to all others. */
void farewell_answer(struct request *r);

/*
 * Has the daemon that runs with this configuration do it, and waits for it. 0, or
 * negative errno with e filled: -ESRCH without such a daemon.
 */
int farewell_ask(const struct conf *conf, struct error *e);

#endif
