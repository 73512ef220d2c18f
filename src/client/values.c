/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of an observation: their order, the rest of large ones, and asking for one. */
#include "client/observation_impl.h"

void
values_hold(struct observation *o, uint32_t max_age_s)
{
	o->max_age_s = max_age_s;
	transfer_stop(&o->refresh);
	observation_set_due(o, DUE_STALE, max_age_s * 1000ull);
}

void
values_tell(struct observation *o, const struct story *s, struct bytes etag, struct bytes body,
	int format)
{
	bool repeats = s->may_repeat && latest_equals(&o->latest, etag, body);
	bool grouped = s->via != VIA_UNICAST;
	struct observation_value v = {
		.payload = body,
		.content_format = format,
		.via = s->via,
		.initial = s->initial,
		.has_observe = s->has_observe,
		.verified = s->verified,
		.observe = s->observe,
		.missed = o->n_unsaid,
		.group = grouped ? &o->group : NULL,
		.token = s->token,
	};

	latest_keep(&o->latest, etag, body);
	if (repeats) {
		observation_note(o, false, "still the same value");
		return;
	}
	o->n_unsaid = 0;
	o->ops->on_value(o->ctx, &v);
}

struct transfer_request
values_request(const struct observation *o)
{
	return (struct transfer_request){.code = CODE_GET,
		.target = o->target,
		.content_format = TARGET_NO_FORMAT,
		.on_progress = o->ops->on_progress,
		.progress_ctx = o->ctx};
}

/* A refusal that will not go away by asking again. */
static bool
is_final(uint8_t code)
{
	return MSG_CLASS(code) == 4 && code != CODE_TOO_MANY_REQUESTS;
}

static void
on_refreshed(void *owner, const struct transfer_result *r)
{
	struct observation *o = owner;
	struct story s = {.via = VIA_UNICAST,
		.may_repeat = true,
		.verified = r->verified,
		.initial = o->refresh_initial,
		.token = o->call.token};
	char name[16];
	uint32_t in_ms;
	bool changed;

	o->refresh_initial = false;
	if (r->end == TRANSFER_ANSWERED)
		revival_heard(o);
	if (r->end == TRANSFER_ANSWERED && is_final(r->code)) {
		observation_end(o, OBSERVATION_REFUSED, r->code, "asked for the current value");
		return;
	}
	if (revival_is_refused(o, r->end == TRANSFER_INSECURE)) {
		observation_end(o, OBSERVATION_INSECURE, CODE_EMPTY, "");
		return;
	}
	if (revival_is_due(o, &in_ms)) {
		observation_set_due(o, DUE_GET, in_ms);
		return;
	}
	if (r->end != TRANSFER_ANSWERED || r->code != CODE_CONTENT) {
		observation_note(o, false, "no answer to a request for the current value: %s",
			r->end == TRANSFER_ANSWERED ? msg_code_name(r->code, name) : "failed");
		observation_set_due(o, DUE_STALE, (o->max_age_s ? o->max_age_s : 1) * 1000ull);
		return;
	}
	changed = !s.initial && !latest_equals(&o->latest, r->etag, r->body);
	/* The group is as good as its silence is short, whatever a GET says of the value. */
	values_hold(o, o->state == STATE_GROUP && o->group_max_age_s < r->max_age_s
			       ? o->group_max_age_s
			       : r->max_age_s);
	if (o->state == STATE_GROUP)
		membership_answered(o, changed);
	values_tell(o, &s, r->etag, r->body, r->content_format);
}

void
values_ask(struct observation *o)
{
	struct transfer_request r = values_request(o);

	if (transfer_is_on(&o->refresh))
		return;
	observation_note(o, false, "asking for the current value");
	transfer_start(&o->refresh, o->session, &r, on_refreshed, o);
	revival_await(o);
}

static void
on_rest(void *owner, const struct transfer_result *r)
{
	struct observation *o = owner;

	if (r->end == TRANSFER_ANSWERED && r->code == CODE_CONTENT) {
		values_tell(o, &o->rest_story, r->etag, r->body, r->content_format);
		return;
	}
	/* Changed meanwhile, lost, or gone: asked for once, unless a notification comes. */
	observation_note(o, false, "the rest of a large value is missing");
	o->refresh_initial = o->rest_story.initial;
	observation_set_due(o, DUE_GET, session_random(o->session, OBSERVATION_LEISURE_MS));
}

void
values_fetch_rest(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, rest_due);
	struct transfer_request r = values_request(o);
	struct msg first;

	(void)ctx;
	if (msg_decode_inner(bytes_of(o->first, o->n_first), &first) < 0)
		return;
	transfer_resume(&o->rest, o->session, &r, &first, on_rest, o);
}

/* Newest wins: what was fetched for an older notification is forgotten. */
static void
keep_first(struct observation *o, const struct msg *m, const struct story *s)
{
	struct buf out = BUF_OF(o->first);
	struct wheel *w = session_wheel(o->session);
	/* All members of the group would ask in the same moment. */
	uint32_t in_ms =
		s->via == VIA_MULTICAST ? session_random(o->session, OBSERVATION_REST_MS) : 0;

	transfer_stop(&o->rest);
	if (msg_encode_inner(m, &out) < 0) {
		wheel_stop(w, &o->rest_due);
		observation_set_due(o, DUE_GET, session_random(o->session, OBSERVATION_LEISURE_MS));
		return;
	}
	o->n_first = out.n;
	o->rest_story = *s;
	/* A running timer is left alone, or fast publishers would put it off for ever. */
	if (!timer_is_on(&o->rest_due))
		wheel_start(w, &o->rest_due, w->now_ms + in_ms);
}

void
values_take(struct observation *o, const struct msg *m, struct story *s)
{
	uint32_t gap = 0;
	bool anew = false;

	if (msg_uint(m, OPT_OBSERVE, &s->observe)) {
		s->has_observe = true;
		/* Of what is protected, Partial IVs have kept the order: nobody vouches for this. */
		if (!latest_take(&o->latest, s->observe, session_now(o->session), &gap, &anew) &&
			!s->verified)
			return;
	}
	/* Traditional notifications may leave out what was overtaken. */
	if (s->via != VIA_MULTICAST)
		gap = 0;
	else if (anew)
		observation_note(o, false,
			"the numbers go on elsewhere: the broker was started again, or nothing "
			"came for long");
	o->n_missed += gap;
	o->n_unsaid += gap;
	if (s->has_observe)
		observation_note(o, false,
			gap ? "notification %u%s, %u missed" : "notification %u%s",
			(unsigned)s->observe, s->verified ? " verified" : "", (unsigned)gap);
	values_hold(o, transfer_max_age_s(m));
	if (s->via != VIA_UNICAST)
		o->group_max_age_s = o->max_age_s;
	/* That of last_notif MUST be ignored. */
	if (s->via == VIA_MULTICAST)
		membership_be_counted(o, m);
	if (transfer_has_more(m)) {
		keep_first(o, m, s);
		return;
	}
	transfer_stop(&o->rest);
	wheel_stop(session_wheel(o->session), &o->rest_due);
	values_tell(o, s, transfer_etag(m), m->payload, transfer_format(m));
}
