/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When nobody answers any more. Over DTLS a server that was started again drops what it cannot
 * decrypt without a word (RFC 6347 4.1.2.7), and all retransmissions take more than a minute: a
 * server that was good until now and is silent for a few of them is met with a new session,
 * once until it is heard again. And who refuses our keys twice in a row means it; once may be
 * what is left of a handshake with a server that was just stopped.
 */
#include "client/observation_impl.h"

#define DEAD_MS 8000 /* two retransmissions, RFC 7252 4.8 */
#define SOON_MS 1000
#define REFUSALS_MAX 2

static void
on_dead(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, dead_due);

	(void)ctx;
	if (!o->ops->renew(o->ctx))
		return;
	o->revived = o->reviving = true;
	observation_note(o, false, "no answer: making a new connection");
}

void
revival_init(struct observation *o)
{
	o->dead_due.fire = on_dead;
}

void
revival_await(struct observation *o)
{
	struct wheel *w = session_wheel(o->session);

	o->reviving = false;
	if (o->registered && !o->revived && o->ops->renew)
		wheel_start(w, &o->dead_due, w->now_ms + DEAD_MS);
}

void
revival_stop(struct observation *o)
{
	wheel_stop(session_wheel(o->session), &o->dead_due);
}

void
revival_heard(struct observation *o)
{
	revival_stop(o);
	o->revived = o->reviving = false;
	o->n_refused = 0;
}

bool
revival_is_refused(struct observation *o, bool insecure)
{
	o->n_refused = insecure ? o->n_refused + 1 : 0;
	return o->n_refused >= REFUSALS_MAX;
}

bool
revival_is_due(struct observation *o, uint32_t *ret_in_ms)
{
	revival_stop(o);
	*ret_in_ms = session_random(o->session, SOON_MS);
	return o->reviving;
}
