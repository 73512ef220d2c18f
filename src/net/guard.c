/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/guard.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rnd.h"
#include "net/shields.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

#define LATER_S 10 /* Max-Age of the 5.03 without sequence numbers */

/* A context of the configuration, and what its window is kept under. */
struct guarded {
	struct context *context; /* held */
	struct recipient *peer;
	uint8_t print[SSN_FINGERPRINT], peer_print[SSN_FINGERPRINT];
};

/* Those of one configuration. */
struct guard_set {
	struct guarded *guarded;
	size_t n;
};

struct guard {
	struct context_table contexts;
	struct guard_set *set;
	const struct guard_ops *ops;
	void *ctx;
	size_t n_shields; /* alive */
	struct guard_stats stats;
	struct log_brake refused;
	uint8_t plain[PROTECT_MAX_PLAIN]; /* of the request that runs */
};

static int
fingerprints(
	const struct conf_oscore *o, uint8_t ours[SSN_FINGERPRINT], uint8_t theirs[SSN_FINGERPRINT])
{
	int rc = ssn_fingerprint(
		o->master_secret, o->master_salt, o->id_context, o->sender_id, ours);

	return rc < 0 ? rc
		      : ssn_fingerprint(o->master_secret, o->master_salt, o->id_context,
				o->recipient_id, theirs);
}

static int
add_identity(const struct guard *g, struct guard_set *set, const struct conf_identity *id,
	uint32_t who, struct error *e)
{
	struct guarded *d = &set->guarded[set->n];
	const struct conf_oscore *o = id->oscore;
	struct context_plain plain = {.master_secret = o->master_secret,
		.master_salt = o->master_salt,
		.id_context = o->id_context,
		.sender_id = o->sender_id,
		.recipient_id = o->recipient_id,
		.who = who};
	int rc;

	if ((rc = fingerprints(o, d->print, d->peer_print)) < 0) {
		error_set(e, "identity %s: libcrypto fails", id->name);
		return rc;
	}
	plain.ssn = g->ops->ssn(g->ctx, d->print);
	rc = context_new_plain(&plain, e, &d->context);
	ssn_release(plain.ssn);
	if (rc < 0)
		return rc;
	d->peer = context_find_recipient(d->context, o->recipient_id);
	set->n++;
	return 0;
}

void
guard_abandon(struct guard_set *set)
{
	for (size_t i = 0; set && i < set->n; i++)
		context_release(set->guarded[i].context);
	if (set)
		free(set->guarded);
	free(set);
}

int
guard_prepare(struct guard *g, const struct conf *conf, struct subjects *subjects,
	struct guard_set **ret, struct error *e)
{
	struct guard_set *set = mem_alloc(sizeof(*set));
	int rc;

	set->guarded = mem_alloc((conf->n_identities + 1) * sizeof(*set->guarded));
	for (size_t i = 0; i < conf->n_identities; i++) {
		const struct conf_identity *id = &conf->identities[i];

		if (id->oscore &&
			(rc = add_identity(g, set, id, subjects_id(subjects, id->name), e)) < 0) {
			guard_abandon(set);
			return rc;
		}
	}
	*ret = set;
	return 0;
}

static const struct guarded *
find_same(const struct guard_set *set, const struct guarded *d)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct guarded *other = &set->guarded[i];

		if (memcmp(other->print, d->print, SSN_FINGERPRINT) == 0 &&
			memcmp(other->peer_print, d->peer_print, SSN_FINGERPRINT) == 0)
			return other;
	}
	return NULL;
}

void
guard_commit(struct guard *g, struct guard_set *set)
{
	struct guard_set *before = g->set;

	for (size_t i = 0; before && i < before->n; i++)
		context_table_remove(&g->contexts, before->guarded[i].context);
	for (size_t i = 0; i < set->n; i++) {
		struct guarded *d = &set->guarded[i];
		const struct guarded *same = before ? find_same(before, d) : NULL;
		struct window *w = context_recipient_window(d->peer);

		/* What was seen is seen under these keys, whatever their owner is called now. */
		if (same)
			*w = *context_recipient_window(same->peer);
		else
			g->ops->load_window(g->ctx, d->peer_print, w);
		/* Two alike were refused by conf. */
		(void)context_table_add(&g->contexts, d->context);
	}
	guard_abandon(before);
	g->set = set;
}

struct guard *
guard_new(const struct conf *conf, struct subjects *subjects, const struct guard_ops *ops,
	void *ctx, struct error *e)
{
	struct guard *g = mem_alloc(sizeof(*g));
	struct guard_set *set;
	uint32_t seed;

	g->ops = ops;
	g->ctx = ctx;
	rnd_fill(&seed, sizeof(seed));
	context_table_init(&g->contexts, seed);
	if (guard_prepare(g, conf, subjects, &set, e) < 0) {
		guard_free(g);
		return NULL;
	}
	guard_commit(g, set);
	return g;
}

void
guard_free(struct guard *g)
{
	if (!g)
		return;
	context_table_fini(&g->contexts);
	guard_abandon(g->set);
	mem_wipe(g->plain, sizeof(g->plain));
	free(g);
}

void
guard_stop(struct guard *g)
{
	for (size_t i = 0; g && i < g->set->n; i++) {
		const struct guarded *d = &g->set->guarded[i];

		g->ops->save_window(g->ctx, d->peer_print, context_recipient_window(d->peer));
	}
}

/* One Sender Context of ours may serve several peers. */
static struct context *
find_context(const struct guard *g, struct bytes print, struct bytes kid)
{
	for (size_t i = 0; i < g->set->n; i++) {
		const struct guarded *d = &g->set->guarded[i];

		if (bytes_equal(BYTES_OF(d->print), print) &&
			bytes_equal(context_recipient_id(d->peer), kid))
			return d->context;
	}
	return NULL;
}

struct shield *
guard_restore(
	struct guard *g, struct bytes print, struct bytes kid, struct bytes piv, uint32_t *ret_who)
{
	struct context *context = find_context(g, print, kid);
	struct shield *s;

	if (!context)
		return NULL;
	s = shields_new(&g->n_shields);
	if (binding_restore_request(&s->binding, context, OSCORE_PLAIN, kid, piv) < 0) {
		shields_release(s);
		return NULL;
	}
	*ret_who = binding_who(&s->binding);
	return s;
}

struct context_table *
guard_contexts(struct guard *g)
{
	return &g->contexts;
}

static void
log_refusal(struct guard *g, const struct request *r, const char *why)
{
	char from[ADDR_STRLEN];
	uint32_t held;

	if (log_brake_pass(&g->refused, layer_now(r->layer), &held))
		log_notice("oscore: request refused: %s peer=%s suppressed=%u", why,
			addr_format(&r->way->remote, from), held);
}

/* RFC 8613 8.2, unprotected; a request by multicast is dropped in silence. */
static void
refuse(struct guard *g, struct request *r, enum unprotect_verdict verdict)
{
	const struct unprotect_error *error = unprotect_error(verdict);
	struct msg m;

	g->stats.refused++;
	log_refusal(g, r, error->name);
	if (error->code == 0 || r->way->multicast) {
		request_ignore(r);
		return;
	}
	msg_init(&m, TYPE_ACK, (enum msg_code)error->code);
	(void)msg_add_uint(&m, OPT_MAX_AGE, 0);
	if (error->diagnostic)
		m.payload = bytes_str(error->diagnostic);
	request_reply(r, &m);
}

/* The challenge, and whatever goes to an observer, takes a number of our own. */
static bool
takes_number(enum unprotect_verdict verdict, const struct msg *inner)
{
	uint32_t observe;

	return verdict == UNPROTECT_UNCERTAIN ||
	       (msg_uint(inner, OPT_OBSERVE, &observe) && observe == 0);
}

/* There are none until the clock is set, which the log said: not even that can be protected. */
static void
put_off(struct guard *g, struct request *r)
{
	struct msg m;

	g->stats.refused++;
	log_refusal(g, r, "no sequence numbers, is the clock set?");
	if (r->way->multicast) {
		request_ignore(r);
		return;
	}
	msg_init(&m, TYPE_ACK, CODE_UNAVAILABLE);
	(void)msg_add_uint(&m, OPT_MAX_AGE, LATER_S);
	m.payload = BYTES_LIT("No sequence numbers");
	request_reply(r, &m);
}

/*
 * RFC 8613 B.1.2: the replay window is valid once a request of now came, which Echo shows. A
 * member that asked the whole group has to hear of it as well (oscore-groupcomm 9).
 */
static void
challenge(struct guard *g, struct request *r, struct bytes echo)
{
	struct msg m;

	g->stats.challenged++;
	msg_init(&m, TYPE_ACK, CODE_UNAUTHORIZED);
	(void)msg_add(&m, OPT_ECHO, echo);
	r->challenged = true;
	request_reply(r, &m);
}

static void
random_bytes(void *p, size_t n)
{
	rnd_fill(p, n);
}

/* The numbers of a context, tried once more when they could not start so far. */
static bool
has_numbers(struct guard *g, const struct context *c)
{
	const struct ssn *ssn = context_ssn(c);

	if (ssn && !ssn_is_started(ssn))
		g->ops->retry(g->ctx);
	return ssn && ssn_is_started(ssn);
}

/* What an authentic request is to be met with: run, or the challenge. */
static void
admit(struct guard *g, struct request *r, const struct unprotect_info *info, bool certain)
{
	if (!certain) {
		challenge(g, r, info->echo);
		return;
	}
	g->stats.requests++;
	g->ops->on_request(g->ctx, r);
}

void
guard_request(struct guard *g, struct request *r)
{
	struct buf plain = BUF_OF(g->plain);
	struct shield *s = shields_new(&g->n_shields);
	struct unprotect_info info;
	struct msg inner;
	enum unprotect_verdict verdict;

	verdict = unprotect_request(
		&g->contexts, r->msg, random_bytes, &plain, &inner, &info, &s->binding);
	if (verdict != UNPROTECT_OK && verdict != UNPROTECT_UNCERTAIN) {
		refuse(g, r, verdict);
	} else if (!has_numbers(g, s->binding.context) && takes_number(verdict, &inner)) {
		put_off(g, r);
	} else if (request_unshield(r, &inner, s, context_recipient_who(info.from))) {
		admit(g, r, &info, verdict == UNPROTECT_OK);
	}
	shields_release(s);
	mem_wipe(g->plain, plain.n);
}

void
guard_stats(const struct guard *g, struct guard_stats *ret)
{
	*ret = g->stats;
	ret->shields = g->n_shields;
}
