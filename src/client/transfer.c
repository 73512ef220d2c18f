/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define MAX_AGE_DEFAULT_S 60 /* RFC 7252 5.10.5 */
#define BODY_FIRST 4096 /* bytes that a body starts with; it doubles */

bool
transfer_has_more(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_BLOCK2);
	struct block b;

	return o && block_decode(o, &b) == 0 && b.more;
}

int
transfer_format(const struct msg *m)
{
	uint32_t v;

	return msg_uint(m, OPT_CONTENT_FORMAT, &v) ? (int)(v & 0xffff) : TARGET_NO_FORMAT;
}

uint32_t
transfer_max_age_s(const struct msg *m)
{
	uint32_t v;

	return msg_uint(m, OPT_MAX_AGE, &v) ? v : MAX_AGE_DEFAULT_S;
}

struct bytes
transfer_etag(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);

	return o ? o->value : BYTES_NONE;
}

bool
transfer_is_on(const struct transfer *t)
{
	return t->session != NULL;
}

/* Back to idle, but for the body. */
static void
quiet(struct transfer *t)
{
	call_stop(&t->call);
	wheel_stop(session_wheel(t->session), &t->late);
	t->session = NULL;
}

static void
drop_body(struct transfer *t)
{
	free(t->body);
	t->body = NULL;
	t->n_body = t->cap_body = 0;
}

void
transfer_stop(struct transfer *t)
{
	if (t->session)
		quiet(t);
	drop_body(t);
}

/* The owner may start it again, or free it, from within on_done. */
static void
finish(struct transfer *t, struct transfer_result *r)
{
	uint8_t *body = t->body;
	uint8_t etag[sizeof(t->etag)];

	memcpy(etag, t->etag, sizeof(etag));
	if (t->n_etag > 0)
		r->etag = bytes_of(etag, t->n_etag);
	quiet(t);
	t->body = NULL;
	t->n_body = t->cap_body = 0;
	t->on_done(t->owner, r);
	free(body);
}

static void
give_up(struct transfer *t, enum transfer_end why)
{
	struct transfer_result r = {.end = why, .content_format = TARGET_NO_FORMAT};

	t->n_etag = 0;
	finish(t, &r);
}

static bool
append(struct transfer *t, struct bytes block)
{
	if (t->n_body + block.n > TRANSFER_MAX)
		return false;
	if (t->n_body + block.n > t->cap_body) {
		size_t cap = t->cap_body ? t->cap_body : BODY_FIRST;

		while (cap < t->n_body + block.n)
			cap *= 2;
		t->body = mem_realloc(t->body, cap);
		t->cap_body = cap;
	}
	if (block.n > 0)
		memcpy(t->body + t->n_body, block.p, block.n);
	t->n_body += block.n;
	return true;
}

/* The payload, or the block of it that is due (RFC 7959 2.5). */
static int
put_payload(struct transfer *t, struct msg *m)
{
	const struct transfer_request *r = &t->request;
	struct block b = {.szx = t->szx1};
	int rc = 0;

	if (r->payload.n > 0 && r->content_format != TARGET_NO_FORMAT)
		rc = msg_add_uint(m, OPT_CONTENT_FORMAT, (uint32_t)r->content_format);
	if (r->payload.n <= block_size(&b)) {
		m->payload = r->payload;
		t->n_flight = r->payload.n;
		return rc;
	}
	b.num = (uint32_t)(t->n_sent >> (b.szx + 4));
	m->payload = bytes_head(bytes_from(r->payload, t->n_sent), block_size(&b));
	t->n_flight = m->payload.n;
	b.more = t->n_sent + t->n_flight < r->payload.n;
	if (rc == 0)
		rc = msg_add_uint(m, OPT_BLOCK1, block_value(&b));
	if (rc == 0 && t->n_sent == 0)
		rc = msg_add_uint(m, OPT_SIZE1, (uint32_t)r->payload.n);
	return rc;
}

static int
put_request(struct transfer *t, struct msg *m, struct buf *scratch)
{
	struct block b = {.num = (uint32_t)(t->n_body >> (t->szx2 + 4)), .szx = t->szx2};
	int rc = target_put(&t->request.target, m, scratch);

	/* RFC 7959 2.4: what asks for a further block has the options of the first; a
	 * FETCH is told apart by its payload too (RFC 8132 2). */
	if (rc == 0 && (t->n_body == 0 || t->request.code == CODE_FETCH))
		rc = put_payload(t, m);
	if (rc == 0 && t->n_body > 0)
		rc = msg_add_uint(m, OPT_BLOCK2, block_value(&b));
	if (rc == 0 && t->resumed && MSG_CLASS(t->code) != 2 && t->n_etag > 0)
		rc = msg_add(m, OPT_ETAG, bytes_of(t->etag, t->n_etag));
	return rc;
}

static void
tell_progress(const struct transfer *t, size_t n, size_t total)
{
	if (t->request.on_progress)
		t->request.on_progress(t->request.progress_ctx, n, total);
}

static const struct call_ops call_ops;

static void
send_next(struct transfer *t)
{
	uint8_t space[2 * TARGET_MAX];
	struct buf scratch = BUF_OF(space);
	struct msg m;

	msg_init(&m, TYPE_CON, t->request.code);
	if (put_request(t, &m, &scratch) < 0 ||
		call_start(&t->call, t->session, &m, false, &call_ops, t) < 0) {
		/* on_done comes from the loop, also for what fails at once. */
		t->request.timeout_ms = 0;
		t->n_restarts = UINT8_MAX;
		wheel_start(session_wheel(t->session), &t->late, session_now(t->session));
	}
}

static void
on_late(struct timer *timer, void *ctx)
{
	struct transfer *t = MAP_OBJECT(timer, struct transfer, late);

	(void)ctx;
	give_up(t, t->n_restarts == UINT8_MAX ? TRANSFER_BROKEN : TRANSFER_TIMEOUT);
}

/* From the first byte again: the value changed on the way. */
static void
restart(struct transfer *t)
{
	if (t->resumed || t->n_restarts++ == TRANSFER_RESTARTS) {
		give_up(t, TRANSFER_CHANGED);
		return;
	}
	drop_body(t);
	t->n_etag = 0;
	send_next(t);
}

static bool
same_etag(const struct transfer *t, const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);

	return bytes_equal(o ? o->value : BYTES_NONE, bytes_of(t->etag, t->n_etag));
}

static void
note_etag(struct transfer *t, const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ETAG);

	t->n_etag = o && o->value.n <= sizeof(t->etag) ? (uint8_t)o->value.n : 0;
	if (t->n_etag > 0)
		memcpy(t->etag, o->value.p, t->n_etag);
}

static void
note_size(struct transfer *t, const struct msg *m)
{
	/* A hint, which need not be true (RFC 7959 4). */
	if (!msg_uint(m, OPT_SIZE2, &t->n_expected))
		t->n_expected = 0;
}

static void
answer(struct transfer *t, const struct arrival *a, struct bytes body)
{
	struct transfer_result r = {
		.end = TRANSFER_ANSWERED,
		.code = a->msg->code,
		.content_format = transfer_format(a->msg),
		.max_age_s = transfer_max_age_s(a->msg),
		.verified = a->verified,
		.body = body,
	};

	finish(t, &r);
}

/* A block of the response's body (RFC 7959 2.4). */
static void
take_block2(struct transfer *t, const struct arrival *a, const struct block *b)
{
	const struct msg *m = a->msg;

	if (b->more && m->payload.n != block_size(b)) {
		give_up(t, TRANSFER_BROKEN);
		return;
	}
	/* RFC 7959 2.4: blocks of different representations do not make one. */
	if (t->n_body > 0 && (!same_etag(t, m) || block_offset(b) != t->n_body)) {
		restart(t);
		return;
	}
	if (block_offset(b) != t->n_body) {
		give_up(t, TRANSFER_BROKEN);
		return;
	}
	if (t->n_body == 0)
		note_etag(t, m);
	if (!append(t, m->payload)) {
		give_up(t, TRANSFER_TOO_LARGE);
		return;
	}
	t->szx2 = b->szx;
	if (b->num == 0)
		note_size(t, m);
	if (b->more) {
		tell_progress(t, t->n_body, t->n_expected);
		send_next(t);
	} else {
		answer(t, a, bytes_of(t->body, t->n_body));
	}
}

/*
 * The response to one of several blocks sent: whether another is to be sent. A smaller
 * block size of the server's holds from the next one on (RFC 7959 2.5).
 */
static bool
take_block1(struct transfer *t, const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_BLOCK1);
	struct block b;

	if (t->n_sent + t->n_flight >= t->request.payload.n || !o || block_decode(o, &b) < 0)
		return false;
	if (m->code == CODE_CONTINUE) {
		t->n_sent += t->n_flight;
		tell_progress(t, t->n_sent, t->request.payload.n);
	} else if (m->code != CODE_TOO_LARGE || t->n_sent > 0 || b.szx >= t->szx1) {
		return false;
	}
	if (b.szx < t->szx1)
		t->szx1 = b.szx;
	return true;
}

/* Whether a response may be a part of the body. */
static bool
is_part(const struct transfer *t, uint8_t code)
{
	bool is_read = t->request.code == CODE_GET || t->request.code == CODE_FETCH;

	return is_read && (t->resumed ? code == t->code : MSG_CLASS(code) == 2);
}

/* Whether it says that there is something else by now. */
static bool
is_other(const struct transfer *t, const struct msg *m)
{
	return t->resumed && (m->code == t->code || MSG_CLASS(m->code) == 2) &&
	       !(m->code == t->code && same_etag(t, m));
}

static bool
on_response(void *owner, const struct arrival *a)
{
	struct transfer *t = owner;
	const struct opt *o = msg_find(a->msg, OPT_BLOCK2);
	struct block b;

	if (take_block1(t, a->msg)) {
		send_next(t);
		return true;
	}
	/* Asking another method for the rest would run it again: its first block has to do. */
	if (o && is_part(t, a->msg->code)) {
		if (block_decode(o, &b) < 0)
			give_up(t, TRANSFER_BROKEN);
		else
			take_block2(t, a, &b);
		return true;
	}
	/* RFC 7959 2.4: a response without Block2 is the whole, whatever came before. */
	if (is_other(t, a->msg)) {
		give_up(t, TRANSFER_CHANGED);
		return true;
	}
	note_etag(t, a->msg);
	answer(t, a, a->msg->payload);
	return true;
}

static void
on_failure(void *owner, enum call_failure why)
{
	static const enum transfer_end ends[] = {
		[CALL_RESET] = TRANSFER_RESET,
		[CALL_TIMEOUT] = TRANSFER_TIMEOUT,
		[CALL_LOST] = TRANSFER_LOST,
		[CALL_INSECURE] = TRANSFER_INSECURE,
		[CALL_UNSAFE] = TRANSFER_UNSAFE,
		[CALL_REFUSED] = TRANSFER_REFUSED,
	};

	give_up(owner, ends[why]);
}

static const struct call_ops call_ops = {.on_response = on_response, .on_failure = on_failure};

static void
prepare(struct transfer *t, struct session *s, const struct transfer_request *r,
	void (*on_done)(void *owner, const struct transfer_result *r), void *owner)
{
	assert(!t->session);
	memset(t, 0, sizeof(*t));
	t->session = s;
	t->request = *r;
	t->on_done = on_done;
	t->owner = owner;
	t->szx1 = t->szx2 = BLOCK_MAX_SZX;
	t->late.fire = on_late;
	if (r->timeout_ms > 0)
		wheel_start(session_wheel(s), &t->late, session_now(s) + r->timeout_ms);
}

void
transfer_start(struct transfer *t, struct session *s, const struct transfer_request *r,
	void (*on_done)(void *owner, const struct transfer_result *r), void *owner)
{
	prepare(t, s, r, on_done, owner);
	send_next(t);
}

void
transfer_resume(struct transfer *t, struct session *s, const struct transfer_request *r,
	const struct msg *first, void (*on_done)(void *owner, const struct transfer_result *r),
	void *owner)
{
	const struct opt *o = msg_find(first, OPT_BLOCK2);
	struct block b = {.szx = BLOCK_MAX_SZX};

	prepare(t, s, r, on_done, owner);
	t->resumed = true;
	t->code = first->code;
	if (o && block_decode(o, &b) == 0 && b.num == 0 && first->payload.n == block_size(&b)) {
		t->szx2 = b.szx;
		note_etag(t, first);
		note_size(t, first);
		(void)append(t, first->payload);
	}
	send_next(t);
}
