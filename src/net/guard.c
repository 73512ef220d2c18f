/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/guard.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rnd.h"
#include "net/shields.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

/* A context of the configuration, and what its window is kept under. */
struct guarded {
	struct context *context; /* the table's */
	struct recipient *peer;
	uint8_t peer_print[SSN_FINGERPRINT];
};

struct guard {
	struct context_table contexts;
	struct guarded *guarded;
	size_t n_guarded;
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
add_identity(struct guard *g, const struct conf_identity *id, uint32_t who, struct error *e)
{
	struct guarded *d = &g->guarded[g->n_guarded];
	const struct conf_oscore *o = id->oscore;
	struct context_plain plain = {.master_secret = o->master_secret,
		.master_salt = o->master_salt,
		.id_context = o->id_context,
		.sender_id = o->sender_id,
		.recipient_id = o->recipient_id,
		.who = who};
	uint8_t ours[SSN_FINGERPRINT];
	int rc;

	if ((rc = fingerprints(o, ours, d->peer_print)) < 0) {
		error_set(e, "identity %s: libcrypto fails", id->name);
		return rc;
	}
	plain.ssn = g->ops->ssn(g->ctx, ours);
	if ((rc = context_new_plain(&plain, e, &d->context)) == 0) {
		/* The table holds it. Two alike were refused by conf. */
		rc = context_table_add(&g->contexts, d->context);
		context_release(d->context);
	}
	ssn_release(plain.ssn);
	if (rc < 0)
		return rc;
	d->peer = context_find_recipient(d->context, o->recipient_id);
	g->ops->load_window(g->ctx, d->peer_print, context_recipient_window(d->peer));
	g->n_guarded++;
	return 0;
}

struct guard *
guard_new(const struct conf *conf, struct subjects *subjects, const struct guard_ops *ops,
	void *ctx, struct error *e)
{
	struct guard *g = mem_alloc(sizeof(*g));
	uint32_t seed;

	g->ops = ops;
	g->ctx = ctx;
	rnd_fill(&seed, sizeof(seed));
	context_table_init(&g->contexts, seed);
	g->guarded = mem_alloc((conf->n_identities + 1) * sizeof(*g->guarded));
	for (size_t i = 0; i < conf->n_identities; i++) {
		const struct conf_identity *id = &conf->identities[i];

		if (id->oscore && add_identity(g, id, subjects_id(subjects, id->name), e) < 0) {
			guard_free(g);
			return NULL;
		}
	}
	return g;
}

void
guard_free(struct guard *g)
{
	if (!g)
		return;
	context_table_fini(&g->contexts);
	free(g->guarded);
	mem_wipe(g->plain, sizeof(g->plain));
	free(g);
}

void
guard_stop(struct guard *g)
{
	for (size_t i = 0; g && i < g->n_guarded; i++)
		g->ops->save_window(g->ctx, g->guarded[i].peer_print,
			context_recipient_window(g->guarded[i].peer));
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

/* RFC 8613 B.1.2: the replay window is valid once a request of now came, which Echo shows. */
static void
challenge(struct guard *g, struct request *r, struct bytes echo)
{
	struct msg m;

	g->stats.challenged++;
	msg_init(&m, TYPE_ACK, CODE_UNAUTHORIZED);
	(void)msg_add(&m, OPT_ECHO, echo);
	request_reply(r, &m);
}

static void
random_bytes(void *p, size_t n)
{
	rnd_fill(p, n);
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
	} else {
		if (context_ssn(s->binding.context) &&
			!ssn_is_started(context_ssn(s->binding.context)))
			g->ops->retry(g->ctx);
		if (request_unshield(r, &inner, s, context_recipient_who(info.from)))
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
