/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/guard.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "oscore/context_table.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

struct shield {
	struct oscore_binding binding;
	unsigned n_refs;
	struct guard *guard;
};

struct guard {
	struct context_table contexts;
	const struct guard_ops *ops;
	void *ctx;
	size_t n_shields; /* alive */
	struct guard_stats stats;
	uint8_t plain[PROTECT_MAX_PLAIN]; /* of the request that runs */
};

static int
add_identity(struct guard *g, const struct conf_identity *id, uint32_t who, struct error *e)
{
	const struct conf_oscore *o = id->oscore;
	struct context_plain plain = {.master_secret = o->master_secret,
		.master_salt = o->master_salt,
		.id_context = o->id_context,
		.sender_id = o->sender_id,
		.recipient_id = o->recipient_id,
		.who = who};
	uint8_t fingerprint[SSN_FINGERPRINT];
	struct context *context;
	int rc;

	if ((rc = ssn_fingerprint(o->master_secret, o->master_salt, o->id_context, o->sender_id,
		     fingerprint)) < 0) {
		error_set(e, "identity %s: libcrypto fails", id->name);
		return rc;
	}
	plain.ssn = ssn_new(fingerprint, &g->ops->ssn, g->ctx);
	if ((rc = g->ops->start(g->ctx, plain.ssn, e)) == 0 &&
		(rc = context_new_plain(&plain, e, &context)) == 0) {
		/* The table holds it. Two alike were refused by conf. */
		rc = context_table_add(&g->contexts, context);
		context_release(context);
	}
	ssn_release(plain.ssn);
	return rc;
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
	mem_wipe(g->plain, sizeof(g->plain));
	free(g);
}

static void
on_hold(void *ctx, struct shield *s)
{
	(void)ctx;
	s->n_refs++;
}

static void
on_release(void *ctx, struct shield *s)
{
	(void)ctx;
	if (--s->n_refs > 0)
		return;
	s->guard->n_shields--;
	binding_fini(&s->binding);
	free(s);
}

static int
on_protect(
	void *ctx, struct shield *s, const struct msg *plain, struct buf *tail, uint8_t *ret_code)
{
	(void)ctx;
	return protect_response(&s->binding, plain, 0, tail, ret_code);
}

const struct shield_ops guard_shields = {
	.protect = on_protect, .hold = on_hold, .release = on_release};

/* RFC 8613 8.2, unprotected; a request by multicast is dropped in silence. */
static void
refuse(struct guard *g, struct request *r, enum unprotect_verdict verdict)
{
	const struct unprotect_error *error = unprotect_error(verdict);
	struct msg m;

	g->stats.refused++;
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

void
guard_request(struct guard *g, struct request *r)
{
	struct buf plain = BUF_OF(g->plain);
	struct shield *s = mem_alloc(sizeof(*s));
	struct unprotect_info info;
	struct msg inner;
	enum unprotect_verdict verdict;

	s->n_refs = 1;
	s->guard = g;
	g->n_shields++;
	verdict = unprotect_request(
		&g->contexts, r->msg, random_bytes, &plain, &inner, &info, &s->binding);
	if (verdict != UNPROTECT_OK && verdict != UNPROTECT_UNCERTAIN) {
		refuse(g, r, verdict);
	} else if (request_unshield(r, &inner, s, context_recipient_who(info.from))) {
		if (verdict == UNPROTECT_UNCERTAIN) {
			challenge(g, r, info.echo);
		} else {
			g->stats.requests++;
			g->ops->on_request(g->ctx, r);
		}
	}
	on_release(NULL, s);
}

const struct guard_stats *
guard_stats(const struct guard *g)
{
	return &g->stats;
}
