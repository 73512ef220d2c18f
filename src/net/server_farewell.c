/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server does when it is told to end for good. */
#include "net/server_impl.h"

static bool
begin_farewell(void *ctx)
{
	struct server *s = ctx;
	struct broker_stats stats;

	broker_stats(s->broker, &stats);
	log_notice("server: farewell group-observations=%llu observers=%llu",
		(unsigned long long)stats.group_observations, (unsigned long long)stats.observers);
	layer_advance(s->layer, uv_now(&s->loop));
	broker_farewell(s->broker);
	server_settle(s);
	return stats.group_observations > 0;
}

static bool
is_quiet(void *ctx)
{
	const struct server *s = ctx;

	return layer_n_exchanges(s->layer) == 0;
}

static void
end_farewell(void *ctx)
{
	log_notice("server: stopping after the farewell");
	server_stop(ctx);
}

void
server_start_farewell(struct server *s)
{
	static const struct farewell_ops ops = {
		.begin = begin_farewell, .is_quiet = is_quiet, .end = end_farewell};

	s->farewell = farewell_new(&s->loop, s->listen.locks, s->listen.n_locks, &ops, s);
}
