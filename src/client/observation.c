/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/observation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/latest.h"
#include "client/offer.h"
#include "client/transfer.h"
#include "wire/option.h"

#define NO_ANSWER 26 /* No-Response: not interested in any (RFC 7967 2.1) */
#define REGISTER_EARLIEST_MS 5000 /* RFC 7641 3.3.1: 5 to 15 s after Max-Age reached zero */
#define REGISTER_SPREAD_MS 10000
#define RETRY_MS 5000 /* after a registration that nobody answered, and a random part of it */
#define DRAW_BITS 16 /* drawn at once for the answer to a count */
#define FIRST_MAX 2048 /* a notification with the first block of a value */

enum state {
	STATE_REGISTERING, /* the request is out */
	STATE_TRADITIONAL, /* notifications come by unicast, under the request's token */
	STATE_GROUP, /* they come to the group, under token T */
	STATE_WAITING, /* for the moment to register again */
	STATE_OVER,
};

/* What the timer `due` waits for. */
enum due {
	DUE_NOTHING,
	DUE_STALE, /* the newest value reaches its Max-Age */
	DUE_GET, /* the random part before asking for the value is over */
	DUE_REGISTER, /* the same before registering again */
};

/* What a value will be told to be, once it is complete. */
struct story {
	enum via via;
	bool initial;
	bool may_repeat; /* not news when it equals the last one */
	bool has_observe;
	bool verified;
	uint32_t observe;
	struct token token;
};

struct observation {
	struct session *session;
	const struct observation_ops *ops;
	void *ctx;
	enum state state;
	struct target target; /* its text is in `text` */
	uint8_t text[2 * TARGET_MAX];
	struct msg request; /* the registration; option values are in `space` */
	uint8_t space[2 * TARGET_MAX];
	struct call call; /* the registration, whose token stays alive when moved */
	bool registered; /* there was a good answer to a registration */
	struct latest latest;
	uint64_t n_missed; /* since the beginning */
	uint32_t n_unsaid; /* of these, not told yet */
	uint32_t max_age_s; /* of the newest value */
	struct timer due;
	enum due what_due;
	uint64_t again_ms; /* no renewal before this moment */

	/* In the group. */
	struct listener listener; /* its socket is the joined one */
	struct addr group;
	struct token token; /* T */
	uint32_t group_max_age_s; /* of the last notification there, or UINT32_MAX */
	unsigned n_silent; /* Max-Ages that ran out since a notification came */
	bool heard; /* a multicast notification came, ever */
	struct timer count_due; /* the moment to answer a count */

	/* A value that did not fit its notification. */
	struct transfer rest;
	struct story rest_story;
	struct timer rest_due; /* the moment to fetch it */
	uint8_t first[FIRST_MAX]; /* the notification: code, options, payload */
	size_t n_first;

	struct transfer refresh; /* the plain GET */
	bool refresh_initial;
};

static void note(struct observation *o, bool loud, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void
note(struct observation *o, bool loud, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o->ops->on_note(o->ctx, loud, text);
}

static void
set_due(struct observation *o, enum due what, uint64_t in_ms)
{
	o->what_due = what;
	wheel_start(session_wheel(o->session), &o->due, session_now(o->session) + in_ms);
}

static void
leave(struct observation *o)
{
	if (o->state != STATE_GROUP)
		return;
	session_unlisten(o->session, &o->listener);
	o->ops->leave(o->ctx, o->listener.socket);
}

/* Everything stops but the call; the state is the caller's to set. */
static void
pause_all(struct observation *o)
{
	struct wheel *w = session_wheel(o->session);

	leave(o);
	wheel_stop(w, &o->due);
	wheel_stop(w, &o->rest_due);
	wheel_stop(w, &o->count_due);
	transfer_stop(&o->rest);
	transfer_stop(&o->refresh);
	o->what_due = DUE_NOTHING;
}

static void
end(struct observation *o, enum observation_end how, uint8_t code, const char *text)
{
	pause_all(o);
	call_stop(&o->call);
	o->state = STATE_OVER;
	o->ops->on_end(o->ctx, how, code, text);
}

/* GET with Observe 1 and our token: RFC 7641 3.6. Nobody waits for the answer. */
static void
withdraw(struct observation *o)
{
	struct msg m = o->request;

	/* The copy still borrows the values of the original, which is what it needs. */
	msg_remove(&m, OPT_OBSERVE);
	m.type = TYPE_NON;
	m.token = o->call.token;
	if (msg_add_uint(&m, OPT_OBSERVE, 1) == 0 &&
		msg_add_uint(&m, OPT_NO_RESPONSE, NO_ANSWER) == 0)
		session_tell(o->session, &m);
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
static void
be_counted(struct observation *o, const struct msg *m)
{
	struct wheel *w = session_wheel(o->session);
	uint32_t q;

	if (!msg_uint(m, option_feedback_divider(), &q) || timer_is_on(&o->count_due))
		return;
	if (!is_drawn(o, q)) {
		note(o, false, "counted by others: one in 2^%u answers", (unsigned)q);
		return;
	}
	note(o, false, "counted: answers, as one in 2^%u does", (unsigned)q);
	wheel_start(
		w, &o->count_due, w->now_ms + session_random(o->session, OBSERVATION_LEISURE_MS));
}

/* The same registration as a NON, with a Feedback-Divider of 0, and no answer is wanted. */
static void
answer_count(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, count_due);
	struct msg m = o->request;

	(void)ctx;
	m.type = TYPE_NON;
	m.token = o->call.token;
	if (msg_add_uint(&m, option_feedback_divider(), 0) == 0 &&
		msg_add_uint(&m, OPT_NO_RESPONSE, NO_ANSWER) == 0)
		session_tell(o->session, &m);
}

static const struct call_ops call_ops;

static void
send_registration(struct observation *o, bool same_token)
{
	struct token last = o->call.token;

	pause_all(o);
	call_stop(&o->call);
	o->state = STATE_REGISTERING;
	if (o->registered)
		o->again_ms = session_now(o->session) + OBSERVATION_APART_MS;
	o->request.token = same_token ? last : session_token(o->session);
	if (call_start(&o->call, o->session, &o->request, true, &call_ops, o) < 0)
		set_due(o, DUE_REGISTER, RETRY_MS);
}

/* The newest value holds from now on for its Max-Age. */
static void
set_fresh(struct observation *o, uint32_t max_age_s)
{
	o->max_age_s = max_age_s;
	transfer_stop(&o->refresh);
	set_due(o, DUE_STALE, max_age_s * 1000ull);
}

/* A complete value: told, unless it repeats the last one. */
static void
tell(struct observation *o, const struct story *s, struct bytes etag, struct bytes body, int format)
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
		note(o, false, "still the same value");
		return;
	}
	o->n_unsaid = 0;
	o->ops->on_value(o->ctx, &v);
}

static struct bytes
etag_of(const struct msg *m)
{
	const struct opt *e = msg_find(m, OPT_ETAG);

	return e ? e->value : BYTES_NONE;
}

static struct transfer_request
plain_get(const struct observation *o)
{
	return (struct transfer_request){
		.code = CODE_GET, .target = o->target, .content_format = TARGET_NO_FORMAT};
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

	o->refresh_initial = false;
	if (r->end == TRANSFER_ANSWERED && is_final(r->code)) {
		end(o, OBSERVATION_REFUSED, r->code, "asked for the current value");
		return;
	}
	if (r->end != TRANSFER_ANSWERED || r->code != CODE_CONTENT) {
		note(o, false, "no answer to a request for the current value: %s",
			r->end == TRANSFER_ANSWERED ? msg_code_name(r->code, name) : "failed");
		set_due(o, DUE_STALE, (o->max_age_s ? o->max_age_s : 1) * 1000ull);
		return;
	}
	/* The value changed and no notification said so: evidence, not proof. */
	if (o->state == STATE_GROUP && !o->heard && !s.initial && o->n_silent > 0 &&
		!latest_equals(&o->latest, r->etag, r->body))
		note(o, true,
			"the value changed, but no multicast notification came: "
			"is something between here and the group?");
	/* The group is as good as its silence is short, whatever a GET says of the value. */
	set_fresh(o, o->state == STATE_GROUP && o->group_max_age_s < r->max_age_s
			     ? o->group_max_age_s
			     : r->max_age_s);
	tell(o, &s, r->etag, r->body, r->content_format);
}

static void
ask_value(struct observation *o)
{
	struct transfer_request r = plain_get(o);

	if (transfer_is_on(&o->refresh))
		return;
	note(o, false, "asking for the current value");
	transfer_start(&o->refresh, o->session, &r, on_refreshed, o);
}

static void
on_rest(void *owner, const struct transfer_result *r)
{
	struct observation *o = owner;

	if (r->end == TRANSFER_ANSWERED && r->code == CODE_CONTENT) {
		tell(o, &o->rest_story, r->etag, r->body, r->content_format);
		return;
	}
	/* Changed meanwhile, lost, or gone: asked for once, unless a notification comes. */
	note(o, false, "the rest of a large value is missing");
	o->refresh_initial = o->rest_story.initial;
	set_due(o, DUE_GET, session_random(o->session, OBSERVATION_LEISURE_MS));
}

static void
fetch_rest(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, rest_due);
	struct transfer_request r = plain_get(o);
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
		set_due(o, DUE_GET, session_random(o->session, OBSERVATION_LEISURE_MS));
		return;
	}
	o->n_first = out.n;
	o->rest_story = *s;
	/* A running timer is left alone, or fast publishers would put it off for ever. */
	if (!timer_is_on(&o->rest_due))
		wheel_start(w, &o->rest_due, w->now_ms + in_ms);
}

/*
 * A 2.05 that says what the newest value is: RFC 7641 3.2 to 3.4. `s` says how it
 * came; without Observe there is no order to keep.
 */
static void
take_notification(struct observation *o, const struct msg *m, struct story *s)
{
	uint32_t gap = 0;

	if (msg_uint(m, OPT_OBSERVE, &s->observe)) {
		s->has_observe = true;
		if (!latest_take(&o->latest, s->observe, session_now(o->session), &gap))
			return;
	}
	/* Traditional notifications may leave out what was overtaken. */
	if (s->via != VIA_MULTICAST)
		gap = 0;
	o->n_missed += gap;
	o->n_unsaid += gap;
	if (s->has_observe)
		note(o, false, gap ? "notification %u%s, %u missed" : "notification %u%s",
			(unsigned)s->observe, s->verified ? " verified" : "", (unsigned)gap);
	set_fresh(o, transfer_max_age_s(m));
	if (s->via != VIA_UNICAST)
		o->group_max_age_s = o->max_age_s;
	/* That of last_notif MUST be ignored. */
	if (s->via == VIA_MULTICAST)
		be_counted(o, m);
	if (transfer_has_more(m)) {
		keep_first(o, m, s);
		return;
	}
	transfer_stop(&o->rest);
	wheel_stop(session_wheel(o->session), &o->rest_due);
	tell(o, s, etag_of(m), m->payload, transfer_format(m));
}

/* "Cancellation": the group observation is over, the resource may not be. */
static void
take_cancellation(struct observation *o, const struct msg *m)
{
	char name[16];

	note(o, false, "the group observation was cancelled (%s)", msg_code_name(m->code, name));
	pause_all(o);
	call_stop(&o->call);
	o->state = STATE_WAITING;
	set_due(o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
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
	take_notification(o, a->msg, &s);
}

/* The current value that came with the offer, in either generation's way. */
static void
take_current(struct observation *o, const struct offer *f, struct story *s)
{
	if (f->has_notification && f->notification.code == CODE_CONTENT) {
		take_notification(o, &f->notification, s);
		return;
	}
	if (f->res.p != NULL) {
		set_fresh(o, 60);
		tell(o, s, BYTES_NONE, f->res, TARGET_NO_FORMAT);
		return;
	}
	o->refresh_initial = s->initial;
	ask_value(o);
}

/* "Informative Response", steps 1 to 7: join, keep T, and take the latest notification. */
static void
take_up(struct observation *o, const struct offer *f, const struct arrival *a)
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
	pause_all(o);
	o->state = STATE_WAITING;
	if (o->ops->join(o->ctx, &f->group, session_server(o->session), &e, &socket) < 0) {
		withdraw(o);
		end(o, OBSERVATION_NO_MULTICAST, a->msg->code, e.text);
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
	note(o, false, "moved to %s token %s", addr_format(&f->group, text), buf_str(&hex));
	take_current(o, f, &s);
}

/* An answer that is no success: an offer, or the end. */
static void
take_refusal(struct observation *o, const struct arrival *a)
{
	static const enum observation_end ends[] = {
		[OFFER_NONE] = OBSERVATION_REFUSED,
		[OFFER_BAD] = OBSERVATION_BROKEN,
		[OFFER_OTHER] = OBSERVATION_BROKEN,
		[OFFER_PROTECTED] = OBSERVATION_PROTECTED,
	};
	enum offer_verdict v;
	struct offer f;
	struct error e = {""};
	struct bytes p = a->msg->payload;

	v = offer_read(a->msg, &o->request, session_server(o->session), &e, &f);
	if (v == OFFER_GOOD) {
		take_up(o, &f, a);
		return;
	}
	if (v == OFFER_NONE)
		error_set(&e, "%.*s", (int)(p.n < 200 ? p.n : 200), p.n ? (const char *)p.p : "");
	else
		withdraw(o); /* "SHOULD explicitly withdraw from the group observation" */
	end(o, ends[v], a->msg->code, e.text);
}

static void
take_value(struct observation *o, const struct arrival *a)
{
	struct story s = {.via = VIA_UNICAST,
		.verified = a->verified,
		.initial = !o->registered,
		.token = o->call.token};
	bool answers = o->state == STATE_REGISTERING;

	/* The answer to a request is newer than whatever came before it. */
	if (answers) {
		latest_reset(&o->latest);
		s.may_repeat = o->registered;
	} else {
		/* Sent to see whether we are there: the representation that we have. */
		s.may_repeat = etag_of(a->msg).n > 0;
	}
	if (!msg_has(a->msg, OPT_OBSERVE)) {
		/* RFC 7641 3.1: no Observe, no observation. */
		tell(o, &s, etag_of(a->msg), a->msg->payload, transfer_format(a->msg));
		if (o->state != STATE_OVER)
			end(o, OBSERVATION_NOT_OBSERVABLE, a->msg->code, "");
		return;
	}
	o->state = STATE_TRADITIONAL;
	if (answers)
		note(o, false, "registered%s", o->registered ? " again" : "");
	o->registered = true;
	take_notification(o, a->msg, &s);
}

static bool
on_response(void *owner, const struct arrival *a)
{
	struct observation *o = owner;

	if (MSG_CLASS(a->msg->code) != 2)
		take_refusal(o, a);
	else if (o->state != STATE_GROUP) /* there, it was sent before we were moved */
		take_value(o, a);
	return true;
}

static void
on_failure(void *owner, enum call_failure why)
{
	struct observation *o = owner;

	if (!o->registered) {
		end(o, why == CALL_RESET ? OBSERVATION_RESET : OBSERVATION_TIMEOUT, CODE_EMPTY, "");
		return;
	}
	note(o, true, "the server does not answer; still trying");
	o->state = STATE_WAITING;
	set_due(o, DUE_REGISTER, RETRY_MS + session_random(o->session, RETRY_MS));
}

static const struct call_ops call_ops = {.on_response = on_response, .on_failure = on_failure};

static void
renew(struct observation *o, uint32_t in_ms)
{
	uint64_t now = session_now(o->session);

	set_due(o, DUE_REGISTER, (o->again_ms > now ? o->again_ms - now : 0) + in_ms);
}

/*
 * Max-Age ran out: a traditional observation is renewed, in a group the value is asked
 * for. When that silence lasts, the server may have forgotten us, or its cancellation
 * was lost: then that is renewed too, and nothing is asked until it may be.
 */
static void
grow_stale(struct observation *o)
{
	if (o->state != STATE_GROUP)
		renew(o, REGISTER_EARLIEST_MS + session_random(o->session, REGISTER_SPREAD_MS));
	else if (++o->n_silent >= OBSERVATION_SILENT)
		renew(o, session_random(o->session, OBSERVATION_LEISURE_MS));
	else
		set_due(o, DUE_GET, session_random(o->session, OBSERVATION_LEISURE_MS));
}

static void
on_due(struct timer *t, void *ctx)
{
	struct observation *o = MAP_OBJECT(t, struct observation, due);
	enum due what = o->what_due;

	(void)ctx;
	o->what_due = DUE_NOTHING;
	if (what == DUE_STALE)
		grow_stale(o);
	else if (what == DUE_GET)
		ask_value(o);
	else if (what == DUE_REGISTER)
		/* RFC 7641 3.3.1: renewed under the same token. */
		send_registration(o, o->state == STATE_TRADITIONAL);
}

/* Copies the text of the target, and writes the request down once. */
static int
write_request(struct observation *o, const struct target *what)
{
	struct buf text = BUF_OF(o->text), space = BUF_OF(o->space);
	int rc;

	buf_put(&text, what->path);
	buf_put(&text, what->query);
	if (text.full)
		return -EINVAL;
	o->target.path = bytes_of(o->text, what->path.n);
	o->target.query = bytes_of(o->text + what->path.n, what->query.n);
	o->target.accept = what->accept;
	msg_init(&o->request, TYPE_CON, CODE_GET);
	if ((rc = target_put(&o->target, &o->request, &space)) < 0)
		return rc;
	return msg_add_uint(&o->request, OPT_OBSERVE, 0);
}

struct observation *
observation_new(struct session *s, const struct target *what, const struct observation_ops *ops,
	void *ctx, struct error *e)
{
	struct observation *o = mem_alloc(sizeof(*o));

	o->session = s;
	o->ops = ops;
	o->ctx = ctx;
	o->due.fire = on_due;
	o->rest_due.fire = fetch_rest;
	o->count_due.fire = answer_count;
	o->listener.on_multicast = on_multicast;
	o->listener.owner = o;
	o->group_max_age_s = UINT32_MAX;
	if (write_request(o, what) < 0) {
		error_set(e, "not a path a request can ask for: %.*s", (int)what->path.n,
			(const char *)what->path.p);
		free(o);
		return NULL;
	}
	send_registration(o, false);
	return o;
}

void
observation_stop(struct observation *o)
{
	if (o->state == STATE_OVER)
		return;
	/* The draft's "Cancellation", client's side: of a group one simply forgets. */
	if (o->state == STATE_TRADITIONAL || o->state == STATE_REGISTERING)
		withdraw(o);
	pause_all(o);
	call_stop(&o->call);
	o->state = STATE_OVER;
}

void
observation_free(struct observation *o)
{
	if (!o)
		return;
	observation_stop(o);
	latest_fini(&o->latest);
	free(o);
}

uint64_t
observation_missed(const struct observation *o)
{
	return o->n_missed;
}
