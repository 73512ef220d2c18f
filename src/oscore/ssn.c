/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/ssn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "oscore/mac.h"
#include "wire/cborbuf.h"

#define PER_SECOND 1024 /* numbers a start by the clock leaves to each second since 2026 */

struct ssn {
	const struct ssn_ops *ops; /* borrowed */
	void *ctx;
	uint64_t next; /* the number taken next */
	uint64_t bound; /* durable: numbers below may be used */
	uint64_t asked; /* what the owner was last asked to make durable */
	int64_t from_s; /* second of the clock that it waits for; 0: none */
	unsigned refs;
	bool started;
	uint8_t fingerprint[SSN_FINGERPRINT];
};

int
ssn_fingerprint(struct bytes master_secret, struct bytes master_salt, struct bytes id_context,
	struct bytes sender_id, uint8_t ret[SSN_FINGERPRINT])
{
	/* Lengths first (CBOR), so that no two origins give the same bytes. */
	uint8_t part[4][MAC_LEN];
	struct bytes parts[4] = {master_secret, master_salt, id_context, sender_id};
	uint8_t all[4 * (MAC_LEN + 3) + 24];
	struct buf b = BUF_OF(all);
	int rc = 0;

	cborbuf_put_array(&b, 5);
	cborbuf_put_str(&b, "coapcast SSN");
	for (size_t i = 0; i < 4 && rc == 0; i++) {
		rc = mac_digest(parts[i], part[i]);
		if (i == 2 && parts[i].p == NULL)
			cborbuf_put_null(&b);
		else
			cborbuf_put_bstr(&b, BYTES_OF(part[i]));
	}
	assert(!b.full);
	if (rc == 0)
		rc = mac_digest(buf_bytes(&b), ret);
	mem_wipe(part, sizeof(part));
	mem_wipe(all, sizeof(all));
	return rc;
}

struct ssn *
ssn_new(const uint8_t fingerprint[SSN_FINGERPRINT], const struct ssn_ops *ops, void *ctx)
{
	struct ssn *s = mem_alloc(sizeof(*s));

	s->ops = ops;
	s->ctx = ctx;
	s->refs = 1;
	memcpy(s->fingerprint, fingerprint, SSN_FINGERPRINT);
	return s;
}

struct ssn *
ssn_hold(struct ssn *s)
{
	s->refs++;
	return s;
}

void
ssn_release(struct ssn *s)
{
	if (s != NULL && --s->refs == 0)
		free(s);
}

/* Asks for numbers below `upto`, unless that is asked for or durable already. */
static void
ask(struct ssn *s, uint64_t upto)
{
	if (upto > SSN_LIMIT)
		upto = SSN_LIMIT;
	if (upto <= s->asked)
		return;
	s->asked = upto;
	s->ops->reserve(s->ctx, s, upto);
}

static int
start(struct ssn *s, uint64_t at, struct error *e)
{
	if (s->started) {
		error_set(e, "sequence numbers are in use already");
		return -EALREADY;
	}
	if (at >= SSN_LIMIT) {
		error_set(e, "the sequence numbers of this key are used up: new keys are needed");
		return -EOVERFLOW;
	}
	s->next = at;
	s->bound = at;
	s->asked = at;
	s->started = true;
	ask(s, at + SSN_STEP);
	return 0;
}

int
ssn_start_stored(struct ssn *s, uint64_t stored, struct error *e)
{
	return start(s, stored, e);
}

uint64_t
ssn_clock(int64_t utc_ms)
{
	int64_t ms = utc_ms - SSN_EPOCH_S * 1000LL;

	return ms > 0 ? (uint64_t)ms / 1000 * PER_SECOND + (uint64_t)ms % 1000 * PER_SECOND / 1000
		      : 0;
}

int
ssn_start_clock(struct ssn *s, int64_t utc_ms, int64_t built_s, struct error *e)
{
	int64_t utc_s = utc_ms / 1000;
	int rc;

	if (utc_s < built_s || utc_s < SSN_EPOCH_S) {
		error_set(e, "no sequence number is stored for this key, and the clock is before "
			     "the date of this build: set the clock, or use new keys");
		return -ERANGE;
	}
	if (utc_s - SSN_EPOCH_S >= (int64_t)(SSN_LIMIT / PER_SECOND)) {
		error_set(e,
			"no sequence number is stored for this key, and the clock is too far on");
		return -ERANGE;
	}
	rc = start(s, ssn_clock(utc_ms), e);
	if (rc == 0 && s->ops->wall_s)
		s->from_s = (utc_ms + 999) / 1000;
	return rc;
}

int
ssn_start_fresh(struct ssn *s, struct error *e)
{
	return start(s, 0, e);
}

void
ssn_reserved(struct ssn *s, uint64_t upto)
{
	if (s->started && upto > s->bound)
		s->bound = upto < SSN_LIMIT ? upto : SSN_LIMIT;
}

int
ssn_take(struct ssn *s, uint64_t *ret)
{
	if (!s->started)
		return -EAGAIN;
	if (s->next >= SSN_LIMIT)
		return -EOVERFLOW; /* RFC 8613 7.2.1 */
	if (ssn_is_early(s))
		return -EAGAIN;
	if (s->next >= s->bound) {
		s->asked = s->bound; /* whatever became of the last time: ask again */
		ask(s, s->next + SSN_STEP);
		if (s->next >= s->bound)
			return -EAGAIN;
	}
	*ret = s->next++;
	/* Ahead of need, so that nobody waits for a disk. */
	if (!s->ops->just_in_time && s->bound - s->next < SSN_STEP / 2)
		ask(s, s->bound + SSN_STEP);
	return 0;
}

void
ssn_skip(struct ssn *s, uint64_t at)
{
	if (!s->started || at <= s->bound)
		return;
	s->next = s->bound = s->asked = at < SSN_LIMIT ? at : SSN_LIMIT;
}

uint64_t
ssn_stop(struct ssn *s)
{
	s->started = false;
	return s->next;
}

uint64_t
ssn_next(const struct ssn *s)
{
	return s->next;
}

uint64_t
ssn_bound(const struct ssn *s)
{
	return s->bound;
}

bool
ssn_is_started(const struct ssn *s)
{
	return s->started;
}

bool
ssn_is_early(struct ssn *s)
{
	/* A clock that was set back says nothing; waiting for it might take years. */
	if (s->from_s != 0 && s->ops->wall_s(s->ctx) != s->from_s - 1)
		s->from_s = 0;
	return s->from_s != 0;
}

bool
ssn_is_ready(struct ssn *s)
{
	return s->started && s->next < s->bound && !ssn_is_early(s);
}

bool
ssn_is_ahead(const struct ssn *s, int64_t utc_s)
{
	return utc_s < SSN_EPOCH_S || s->next > ssn_clock(utc_s * 1000);
}

struct bytes
ssn_print(const struct ssn *s)
{
	return bytes_of(ssn_fingerprint_of(s), SSN_FINGERPRINT);
}

const uint8_t *
ssn_fingerprint_of(const struct ssn *s)
{
	return s->fingerprint;
}
