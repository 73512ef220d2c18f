/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/observation_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NO_ANSWER 26 /* No-Response: not interested in any (RFC 7967 2.1) */
#define REGISTER_EARLIEST_MS 5000 /* RFC 7641 3.3.1: 5 to 15 s after Max-Age reached zero */
#define REGISTER_SPREAD_MS 10000
#define RETRY_MS 5000 /* after a registration that nobody answered, and a random part of it */

void
observation_note(struct observation *o, bool loud, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o->ops->on_note(o->ctx, loud, text);
}

void
observation_set_due(struct observation *o, enum due what, uint64_t in_ms)
{
	o->what_due = what;
	wheel_start(session_wheel(o->session), &o->due, session_now(o->session) + in_ms);
}

void
observation_pause(struct observation *o)
{
	struct wheel *w = session_wheel(o->session);

	membership_leave(o);
	revival_stop(o);
	wheel_stop(w, &o->due);
	wheel_stop(w, &o->rest_due);
	transfer_stop(&o->offer);
	transfer_stop(&o->rest);
	transfer_stop(&o->refresh);
	o->what_due = DUE_NOTHING;
}

void
observation_end(struct observation *o, enum observation_end how, uint8_t code, const char *text)
{
	observation_pause(o);
	call_stop(&o->call);
	o->state = STATE_OVER;
	o->ops->on_end(o->ctx, how, code, text);
}

void
observation_mention(struct observation *o, uint16_t option, uint32_t value)
{
	struct msg m = o->request;

	/* The copy still borrows the values of the original, which is what it needs. */
	msg_remove(&m, option);
	m.type = TYPE_NON;
	m.token = o->call.token;
	if (msg_add_uint(&m, option, value) == 0 &&
		msg_add_uint(&m, OPT_NO_RESPONSE, NO_ANSWER) == 0)
		session_tell(o->session, &m);
}

/* RFC 7641 3.6: GET with Observe 1 and our token. */
static void
withdraw(struct observation *o)
{
	observation_mention(o, OPT_OBSERVE, 1);
}

static const struct call_ops call_ops;

static void
send_registration(struct observation *o, bool same_token)
{
	struct token last = o->call.token;

	observation_pause(o);
	call_stop(&o->call);
	o->state = STATE_REGISTERING;
	if (o->registered)
		o->again_ms = session_now(o->session) + OBSERVATION_APART_MS;
	o->request.token = same_token ? last : session_token(o->session);
	if (call_start(&o->call, o->session, &o->request, true, &call_ops, o) < 0)
		observation_set_due(o, DUE_REGISTER, RETRY_MS);
	else
		revival_await(o);
}

static void take_refusal(struct observation *o, const struct arrival *a);

/* All of an informative response, or why there is none. */
static void
on_offer(void *owner, const struct transfer_result *r)
{
	struct observation *o = owner;
	struct arrival a = {.verified = r->verified};
	struct msg m;

	if (r->end == TRANSFER_CHANGED && o->n_torn++ < TRANSFER_RESTARTS) {
		call_stop(&o->call);
		o->state = STATE_WAITING;
		observation_set_due(
			o, DUE_REGISTER, session_random(o->session, OBSERVATION_AGAIN_MS));
		return;
	}
	if (r->end != TRANSFER_ANSWERED) {
		observation_end(o,
			r->end == TRANSFER_TIMEOUT ? OBSERVATION_TIMEOUT : OBSERVATION_BROKEN,
			CODE_UNAVAILABLE, "the rest of it is missing");
		return;
	}
	msg_init(&m, TYPE_ACK, r->code);
	if (r->content_format != TARGET_NO_FORMAT)
		(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, (uint32_t)r->content_format);
	m.payload = r->body;
	a.msg = &m;
	take_refusal(o, &a);
}

/* RFC 7959 2.2: an informative response may be more than a datagram holds. */
static void
fetch_offer(struct observation *o, const struct msg *first)
{
	struct transfer_request r = values_request(o);

	if (transfer_is_on(&o->offer))
		return; /* it was sent again */
	observation_note(o, false, "asking for the rest of the informative response");
	transfer_resume(&o->offer, o->session, &r, first, on_offer, o);
}

/* Not now: for an observation that was under way it is asked again when Max-Age is over. */
static bool
put_off(struct observation *o, const struct msg *m)
{
	char code[16];

	o->retry_s = transfer_max_age_s(m);
	if (!o->registered || (m->code != CODE_UNAVAILABLE && m->code != CODE_TOO_MANY_REQUESTS))
		return false;
	observation_note(o, true, "refused with %s: registering again in %u s",
		msg_code_name(m->code, code), (unsigned)o->retry_s);
	observation_pause(o);
	call_stop(&o->call);
	o->state = STATE_WAITING;
	observation_set_due(o, DUE_REGISTER,
		o->retry_s * 1000ull + session_random(o->session, OBSERVATION_AGAIN_MS));
	return true;
}

/* An answer that is no success: an offer, or the end. */
static void
take_refusal(struct observation *o, const struct arrival *a)
{
	static const enum observation_end ends[] = {
		[OFFER_NONE] = OBSERVATION_REFUSED,
		[OFFER_BAD] = OBSERVATION_BROKEN,
		[OFFER_OTHER] = OBSERVATION_BROKEN,
		[OFFER_DECLINED] = OBSERVATION_PROTECTED,
		[OFFER_UNSAFE] = OBSERVATION_PROTECTED,
	};
	struct offer_trust trust = membership_trust(o);
	enum offer_verdict v;
	struct offer f;
	struct error e = {""};
	struct bytes p = a->msg->payload;

	if (a->msg->code == CODE_UNAVAILABLE && transfer_has_more(a->msg)) {
		fetch_offer(o, a->msg);
		return;
	}
	v = offer_read(a->msg, &o->request, session_server(o->session), &trust, &e, &f);
	if (v == OFFER_GOOD) {
		membership_take_up(o, &f, a);
		offer_fini(&f);
		return;
	}
	if (v == OFFER_DECLINED && o->n_insisted < OBSERVATION_INSIST) {
		membership_decline(o, e.text);
		return;
	}
	if (v == OFFER_NONE && put_off(o, a->msg))
		return;
	if (v == OFFER_NONE)
		error_set(&e, "%.*s", (int)(p.n < 200 ? p.n : 200), p.n ? (const char *)p.p : "");
	else
		withdraw(o); /* "SHOULD explicitly withdraw from the group observation" */
	observation_end(o, ends[v], a->msg->code, e.text);
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
		s.may_repeat = transfer_etag(a->msg).n > 0;
	}
	if (!msg_has(a->msg, OPT_OBSERVE)) {
		/* RFC 7641 3.1: no Observe, no observation. */
		values_tell(o, &s, transfer_etag(a->msg), a->msg->payload, transfer_format(a->msg));
		if (o->state != STATE_OVER)
			observation_end(o, OBSERVATION_NOT_OBSERVABLE, a->msg->code, "");
		return;
	}
	o->state = STATE_TRADITIONAL;
	o->n_torn = o->n_insisted = 0;
	if (answers)
		observation_note(o, false, "registered%s", o->registered ? " again" : "");
	o->registered = true;
	values_take(o, a->msg, &s);
}

static bool
on_response(void *owner, const struct arrival *a)
{
	struct observation *o = owner;

	revival_heard(o);
	if (MSG_CLASS(a->msg->code) != 2)
		take_refusal(o, a);
	else if (a->msg->code != CODE_CONTENT)
		observation_end(o, OBSERVATION_REFUSED, a->msg->code, "that is no value");
	else if (o->state != STATE_GROUP) /* there, it was sent before we were moved */
		take_value(o, a);
	return true;
}

static void
on_failure(void *owner, enum call_failure why)
{
	static const enum observation_end ends[] = {
		[CALL_RESET] = OBSERVATION_RESET,
		[CALL_TIMEOUT] = OBSERVATION_TIMEOUT,
		[CALL_LOST] = OBSERVATION_LOST,
		[CALL_INSECURE] = OBSERVATION_INSECURE,
		[CALL_UNSAFE] = OBSERVATION_UNSAFE,
		[CALL_REFUSED] = OBSERVATION_CLOSED,
	};
	struct observation *o = owner;
	uint32_t in_ms;

	if (revival_is_refused(o, why == CALL_INSECURE) || !o->registered) {
		observation_end(o, ends[why], CODE_EMPTY, "");
		return;
	}
	/* Notifications come without it; when they do not, the value is asked for anew. */
	if (o->state == STATE_GROUP)
		return;
	if (!revival_is_due(o, &in_ms)) {
		observation_note(o, true, "the server does not answer; still trying");
		in_ms = RETRY_MS + session_random(o->session, RETRY_MS);
	}
	/* Registering asks for the value as well. */
	transfer_stop(&o->refresh);
	o->state = STATE_WAITING;
	observation_set_due(o, DUE_REGISTER, in_ms);
}

static const struct call_ops call_ops = {.on_response = on_response, .on_failure = on_failure};

void
observation_renew(struct observation *o, uint32_t in_ms)
{
	uint64_t now = session_now(o->session);

	observation_set_due(o, DUE_REGISTER, (o->again_ms > now ? o->again_ms - now : 0) + in_ms);
}

/* Max-Age ran out: a traditional observation is renewed. */
static void
grow_stale(struct observation *o)
{
	if (o->state == STATE_GROUP)
		membership_grow_stale(o);
	else
		observation_renew(
			o, REGISTER_EARLIEST_MS + session_random(o->session, REGISTER_SPREAD_MS));
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
		values_ask(o);
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
	o->rest_due.fire = values_fetch_rest;
	membership_init(o);
	revival_init(o);
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
	observation_pause(o);
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
	membership_fini(o);
	free(o);
}

uint32_t
observation_retry_s(const struct observation *o)
{
	return o->retry_s;
}

uint64_t
observation_missed(const struct observation *o)
{
	return o->n_missed;
}
