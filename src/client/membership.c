/* SPDX-License-Identifier: BSD-2-Clause */
/* An observation in the group it was moved into: joining, notifications, counting, the end of it. */
#include "client/observation_impl.h"
#include "base/mem.h"
#include "wire/option.h"

#define DRAW_BITS 16 /* drawn at once for the answer to a count */
#define UNVERIFIED_MAX 3 /* notifications on end until it registers again */
#define AHEAD_MAX_S 100000000 /* times further in the future are as good as never */

void
membership_leave(struct observation *o)
{
	struct wheel *w = session_wheel(o->session);

	if (o->state != STATE_GROUP)
		return;
	wheel_stop(w, &o->count_due);
	wheel_stop(w, &o->end_due);
	wheel_stop(w, &o->keys_due);
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

static bool
is_ours(const struct observation *o, const struct arrival *a)
{
	/* "accept ... multicast notifications ... from the server ... with Token value T" */
	return o->state == STATE_GROUP && addr_equal(&a->way->remote, &o->from) &&
	       token_equal(&a->msg->token, &o->token);
}

/* What came to the group, and was verified when there are keys to do so. */
static void
take_multicast(struct observation *o, const struct arrival *a)
{
	struct story s = {.via = VIA_MULTICAST,
		.may_repeat = true,
		.verified = a->verified,
		.token = o->token};

	if (MSG_CLASS(a->msg->code) > 2) {
		take_cancellation(o, a->msg);
		return;
	}
	/* "Notifications": 2.05 with Observe; anything else is nothing. */
	if (a->msg->code != CODE_CONTENT || !msg_has(a->msg, OPT_OBSERVE))
		return;
	o->heard = true;
	o->deaf = false;
	o->n_silent = o->n_insisted = 0;
	values_take(o, a->msg, &s);
}

/* The current value that came with the offer, in either generation's way. */
static void
take_current(struct observation *o, const struct offer *f, struct story *s)
{
	if (f->binding.context)
		s->verified = true;
	if (f->is_known) {
		values_hold(o, o->max_age_s);
		return;
	}
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

/* Registered again without taking it up, the server is to see that we cannot. */
static void
insist(struct observation *o, const struct offer *f)
{
	char text[ADDR_STRLEN];

	o->n_insisted++;
	if (!o->complained)
		observation_note(o, true,
			"multicast to %s does not arrive here, though the broker answers: going "
			"on by unicast",
			addr_format(&f->group, text));
	o->complained = true;
	observation_pause(o);
	o->state = STATE_WAITING;
	observation_set_due(o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
}

void
membership_grow_stale(struct observation *o)
{
	uint32_t in_ms = session_random(o->session, OBSERVATION_LEISURE_MS);
	uint64_t now = session_now(o->session);

	/* Before the announced moment silence means nothing: there is no newer value to ask for. */
	if (now < o->not_before_ms) {
		observation_set_due(o, DUE_STALE, o->not_before_ms - now);
		return;
	}
	o->n_silent++;
	if (o->n_insisted > 0 ? o->n_silent % OBSERVATION_POLLS != 0
			      : o->n_silent < OBSERVATION_SILENT) {
		observation_set_due(o, DUE_GET, in_ms);
		return;
	}
	/*
	 * The server may have forgotten us, or its cancellation was lost; or it sends and we
	 * do not hear it. Nothing is asked until the next registration shows which.
	 */
	o->deaf = !o->heard && o->answered;
	observation_renew(o, in_ms);
}

void
membership_answered(struct observation *o, bool changed)
{
	o->answered = true;
	/* A publish and what is due at Max-Age, both unheard: that is not waited for twice. */
	if (changed && !o->heard && o->n_silent > 0 && o->n_insisted == 0) {
		o->deaf = true;
		observation_set_due(
			o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
	}
}

static void
on_end_due(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, end_due);

	(void)ctx;
	observation_note(o, false, "the group observation was to end by now");
	observation_set_due(o, DUE_REGISTER, 0);
}

/* Below 0: nobody knows. */
static int64_t
wall_s(const struct observation *o)
{
	return o->ops->wall_s ? o->ops->wall_s(o->ctx) : -1;
}

/* next_not_before and ending: when silence begins to mean something, and when it is over. */
static void
take_plan(struct observation *o, const struct offer *f)
{
	struct wheel *w = session_wheel(o->session);
	int64_t now_s = wall_s(o);

	o->not_before_ms = 0;
	if (f->has_next_not_before && f->next_not_before_s < AHEAD_MAX_S)
		o->not_before_ms = w->now_ms + f->next_not_before_s * 1000;
	wheel_stop(w, &o->end_due);
	/* An end in the past is that of a clock that is wrong. */
	if (!f->has_ending || now_s < 0 || f->ending_s < now_s ||
		f->ending_s - now_s >= AHEAD_MAX_S)
		return;
	wheel_start(w, &o->end_due,
		w->now_ms + (uint64_t)(f->ending_s - now_s) * 1000 + OBSERVATION_GRACE_MS +
			session_random(o->session, OBSERVATION_AGAIN_MS));
}

static bool
is_same(const struct observation *o, const struct offer *f)
{
	return addr_equal(&o->group, &f->group) && token_equal(&o->token, &f->token);
}

static int
join(struct observation *o, const struct offer *f, struct error *e)
{
	char token[2 * sizeof(f->token.b) + 1], text[ADDR_STRLEN];
	struct buf hex = buf_of(token, sizeof(token));
	uint16_t socket;
	int rc = o->ops->join(o->ctx, &f->group, &f->server, e, &socket);

	if (rc < 0)
		return rc;
	o->listener.socket = socket;
	session_listen(o->session, &o->listener);
	o->state = STATE_GROUP;
	call_rest(&o->call);
	o->group = f->group;
	o->from = f->server;
	o->token = f->token;
	o->group_max_age_s = UINT32_MAX;
	o->n_silent = o->n_torn = 0;
	o->heard = o->answered = false;
	o->registered = true;
	/* A group observation counts for itself. */
	latest_reset(&o->latest);
	buf_put_hex(&hex, bytes_of(f->token.b, f->token.n));
	observation_note(o, false, "moved to %s token %s%s", addr_format(&f->group, text),
		buf_str(&hex), f->binding.context ? ", protected" : "");
	return 0;
}

static void bind_to(struct observation *o, const struct offer *f);

void
membership_take_up(struct observation *o, const struct offer *f, const struct arrival *a)
{
	struct story s = {.via = VIA_INFORMATIVE,
		.may_repeat = true,
		.verified = a->verified,
		.initial = !o->registered,
		.token = f->token};
	bool same = is_same(o, f);
	struct error e;

	/* An answer that was sent again: its newer notification counts, no more. */
	if (o->state == STATE_GROUP && same) {
		bind_to(o, f);
		take_plan(o, f);
		take_current(o, f, &s);
		return;
	}
	if (o->deaf && same && o->n_insisted < OBSERVATION_INSIST) {
		insist(o, f);
		return;
	}
	if (!same) {
		o->deaf = o->complained = false;
		o->n_insisted = 0;
	}
	observation_pause(o);
	o->state = STATE_WAITING;
	if (join(o, f, &e) < 0) {
		observation_mention(o, OPT_OBSERVE, 1);
		observation_end(o, OBSERVATION_NO_MULTICAST, a->msg->code, e.text);
		return;
	}
	bind_to(o, f);
	take_plan(o, f);
	take_current(o, f, &s);
}

/* --- protected groups ---------------------------------------------------------------- */

struct offer_trust
membership_trust(const struct observation *o)
{
	return (struct offer_trust){.is_protected = session_is_protected(o->session),
		.any_port = !session_is_datagram(o->session),
		.groups = session_armor(o->session)->groups,
		.current = &o->bound,
		.now_s = wall_s(o)};
}

static void
bind_to(struct observation *o, const struct offer *f)
{
	struct wheel *w = session_wheel(o->session);

	binding_fini(&o->bound);
	if (f->binding.context)
		binding_copy(&o->bound, &f->binding);
	o->n_unverified = 0;
	wheel_stop(w, &o->keys_due);
	o->keys_until_s = f->keys_until_s;
	if (f->keys_expire && f->keys_left_s < AHEAD_MAX_S)
		wheel_start(w, &o->keys_due, w->now_ms + f->keys_left_s * 1000);
}

/* "On expiry: stop": a new registration brings new keys. */
static void
expire(struct observation *o)
{
	observation_note(o, false, "the keys of the group expired");
	observation_pause(o);
	membership_fini(o);
	o->state = STATE_WAITING;
	observation_set_due(o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
}

static void
on_keys_due(struct timer *t, void *ctx)
{
	(void)ctx;
	expire(MAP_OBJECT(t, struct observation, keys_due));
}

/* A machine that slept does not hear of it by a timer. */
static bool
is_expired(const struct observation *o)
{
	return o->keys_until_s != 0 && wall_s(o) >= o->keys_until_s;
}

/* New keys, a new phantom request, and a new initial notification, under the old keys. */
static bool
follow_rekeying(struct observation *o, const struct msg *m)
{
	struct offer_trust trust = membership_trust(o);
	struct story s = {.via = VIA_INFORMATIVE, .may_repeat = true, .token = o->token};
	enum offer_verdict v;
	struct offer f;
	struct error e;

	v = offer_read_rekeying(m, &o->request, &trust, &e, &f);
	if (v == OFFER_NONE)
		return false;
	if (v != OFFER_GOOD) {
		observation_note(o, true, "the new keys of the group are of no use: %s", e.text);
		observation_renew(o, session_random(o->session, OBSERVATION_LEISURE_MS));
		return true;
	}
	observation_note(o, false, "the group has new keys");
	binding_fini(&o->before);
	o->before = o->bound;
	o->bound = (struct oscore_binding){.context = NULL};
	bind_to(o, &f);
	o->heard = true;
	take_current(o, &f, &s);
	offer_fini(&f);
	return true;
}

/*
 * What cannot be verified is dropped. When that goes on the group may have new keys that we
 * did not hear of.
 */
static void
drop(struct observation *o)
{
	if (armor_count_drop(&o->drops, session_now(o->session)))
		observation_note(o, true,
			"%llu messages to the group could not be verified and were dropped",
			(unsigned long long)o->drops.n);
	if (++o->n_unverified >= UNVERIFIED_MAX && o->what_due != DUE_REGISTER)
		observation_renew(o, session_random(o->session, OBSERVATION_AGAIN_MS));
}

/*
 * Whether it is authentic, though it is not news: sent again, or overtaken; or from before the
 * keys were changed. A number alone proves nothing: new keys begin at low ones.
 */
static bool
is_old(const struct observation *o, const struct msg *outer)
{
	const struct oscore_binding *bound[] = {&o->bound, &o->before};
	uint8_t space[PROTECT_MAX_PLAIN];
	struct unprotect_info info;
	struct msg inner;

	for (size_t i = 0; i < 2; i++) {
		struct buf plain = BUF_OF(space);

		if (bound[i]->context && unprotect_peek_response(bound[i], NULL, outer, &plain,
						 &inner, &info) == UNPROTECT_OK)
			return true;
	}
	return false;
}

static void
open_multicast(struct observation *o, const struct arrival *outer)
{
	const struct groups *g = session_armor(o->session)->groups;
	uint8_t space[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(space);
	struct msg inner;
	struct arrival a = {.way = outer->way, .msg = &inner, .verified = true};
	enum unprotect_verdict v = UNPROTECT_MALFORMED;

	if (msg_has(outer->msg, OPT_OSCORE))
		v = armor_open_bound(&o->bound, g ? &g->table : NULL, outer->msg, &plain, &inner);
	if (v == UNPROTECT_OK) {
		o->n_unverified = 0;
		if (inner.code != CODE_UNAVAILABLE || !follow_rekeying(o, &inner))
			take_multicast(o, &a);
	} else if (!msg_has(outer->msg, OPT_OSCORE) || !is_old(o, outer->msg)) {
		drop(o);
	}
	mem_wipe(space, sizeof(space));
}

static void
on_multicast(void *owner, const struct arrival *a)
{
	struct observation *o = owner;

	if (!is_ours(o, a))
		return;
	if (is_expired(o))
		expire(o);
	else if (o->bound.context)
		open_multicast(o, a);
	else if (!msg_has(a->msg, OPT_OSCORE))
		take_multicast(o, a);
}

void
membership_decline(struct observation *o, const char *why)
{
	if (!o->declined)
		observation_note(o, true, "%s: going on by unicast", why);
	o->declined = true;
	o->n_insisted++;
	observation_pause(o);
	o->state = STATE_WAITING;
	observation_set_due(o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
}

void
membership_fini(struct observation *o)
{
	binding_fini(&o->bound);
	binding_fini(&o->before);
	o->keys_until_s = 0;
}

void
membership_init(struct observation *o)
{
	o->keys_due.fire = on_keys_due;
	o->count_due.fire = answer_count;
	o->end_due.fire = on_end_due;
	o->listener.on_multicast = on_multicast;
	o->listener.owner = o;
	o->group_max_age_s = UINT32_MAX;
}
