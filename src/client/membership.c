/* SPDX-License-Identifier: BSD-2-Clause */
/* An observation in the group it was moved into: joining, notifications, counting, the end of it. */
#include "client/observation_impl.h"
#include "wire/option.h"

#define DRAW_BITS 16 /* drawn at once for the answer to a count */

void
membership_leave(struct observation *o)
{
	if (o->state != STATE_GROUP)
		return;
	session_unlisten(o->session, &o->listener);
	o->ops->leave(o->ctx, o->listener.socket);
}

/* Section 8.2: a random number below 2^q is 0. */
static bool
is_drawn(const struct observation *o, uint32_t q)
{
	for (; q > DRAW_BITS; q -= DRAW_BITS) {
		if (session_random(o->session, 1u << DRAW_BITS) != 0)
			return false;
	}
	return session_random(o->session, 1u << q) == 0;
}

/*
 * Rough counting: a notification that asks is answered by one client in 2^q, after a
 * random part of the leisure. One answer is under way at a time.
 */
void
membership_be_counted(struct observation *o, const struct msg *m)
{
	struct wheel *w = session_wheel(o->session);
	uint32_t q;

	if (!msg_uint(m, option_feedback_divider(), &q) || timer_is_on(&o->count_due))
		return;
	if (!is_drawn(o, q)) {
		observation_note(o, false, "counted by others: one in 2^%u answers", (unsigned)q);
		return;
	}
	observation_note(o, false, "counted: answers, as one in 2^%u does", (unsigned)q);
	wheel_start(
		w, &o->count_due, w->now_ms + session_random(o->session, OBSERVATION_LEISURE_MS));
}

/* The same registration again, with a Feedback-Divider of 0. */
static void
answer_count(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, count_due);

	(void)ctx;
	observation_mention(o, option_feedback_divider(), 0);
}

/* "Cancellation": the group observation is over, the resource may not be. */
static void
take_cancellation(struct observation *o, const struct msg *m)
{
	char name[16];

	observation_note(
		o, false, "the group observation was cancelled (%s)", msg_code_name(m->code, name));
	observation_pause(o);
	call_stop(&o->call);
	o->state = STATE_WAITING;
	observation_set_due(o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
}

/* Object security goes between the two: what passes here is judged, then handled. */
static bool
is_ours(const struct observation *o, const struct arrival *a)
{
	/* "accept ... multicast notifications ... from the server ... with Token value T" */
	return o->state == STATE_GROUP && addr_equal(&a->way->remote, session_server(o->session)) &&
	       token_equal(&a->msg->token, &o->token);
}

static void
on_multicast(void *owner, const struct arrival *a)
{
	struct observation *o = owner;
	struct story s = {.via = VIA_MULTICAST,
		.may_repeat = true,
		.verified = a->verified,
		.token = a->msg->token};

	if (!is_ours(o, a))
		return;
	if (MSG_CLASS(a->msg->code) > 2) {
		take_cancellation(o, a->msg);
		return;
	}
	/* "Notifications": 2.05 with Observe; anything else is nothing. */
	if (a->msg->code != CODE_CONTENT || !msg_has(a->msg, OPT_OBSERVE))
		return;
	o->heard = true;
	o->n_silent = 0;
	values_take(o, a->msg, &s);
}

/* The current value that came with the offer, in either generation's way. */
static void
take_current(struct observation *o, const struct offer *f, struct story *s)
{
	if (f->has_notification && f->notification.code == CODE_CONTENT) {
		values_take(o, &f->notification, s);
		return;
	}
	if (f->res.p != NULL) {
		values_hold(o, 60);
		values_tell(o, s, BYTES_NONE, f->res, TARGET_NO_FORMAT);
		return;
	}
	o->refresh_initial = s->initial;
	values_ask(o);
}

void
membership_take_up(struct observation *o, const struct offer *f, const struct arrival *a)
{
	struct story s = {.via = VIA_INFORMATIVE,
		.may_repeat = true,
		.verified = a->verified,
		.initial = !o->registered,
		.token = f->token};
	char token[2 * sizeof(f->token.b) + 1], text[ADDR_STRLEN];
	struct buf hex = buf_of(token, sizeof(token));
	struct error e;
	uint16_t socket;

	/* An answer that was sent again: its newer notification counts, no more. */
	if (o->state == STATE_GROUP && addr_equal(&o->group, &f->group) &&
		token_equal(&o->token, &f->token)) {
		take_current(o, f, &s);
		return;
	}
	observation_pause(o);
	o->state = STATE_WAITING;
	if (o->ops->join(o->ctx, &f->group, session_server(o->session), &e, &socket) < 0) {
		observation_mention(o, OPT_OBSERVE, 1);
		observation_end(o, OBSERVATION_NO_MULTICAST, a->msg->code, e.text);
		return;
	}
	o->listener.socket = socket;
	session_listen(o->session, &o->listener);
	o->state = STATE_GROUP;
	o->group = f->group;
	o->token = f->token;
	o->n_silent = 0;
	o->registered = true;
	/* A group observation counts for itself. */
	latest_reset(&o->latest);
	buf_put_hex(&hex, bytes_of(f->token.b, f->token.n));
	observation_note(
		o, false, "moved to %s token %s", addr_format(&f->group, text), buf_str(&hex));
	take_current(o, f, &s);
}

void
membership_init(struct observation *o)
{
	o->count_due.fire = answer_count;
	o->listener.on_multicast = on_multicast;
	o->listener.owner = o;
	o->group_max_age_s = UINT32_MAX;
}
