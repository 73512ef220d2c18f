/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/reload.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "broker/regroup.h"
#include "net/certificates.h"
#include "net/descriptors.h"
#include "net/identities.h"
#include "net/report.h"
#include "net/revoke.h"
#include "net/sections.h"

/* What the steps have made, until it is put in place. */
struct change {
	struct reload *r;
	const struct conf *fresh;
	struct plan plan; /* until it is in force, and then that of until then */
	struct access *access; /* the same */
	uint32_t *gone; /* subjects whose sessions are to end */
	size_t n_gone;
	struct guard_set *keys; /* of OSCORE; NULL: committed */
	struct revoke *revoke;
	struct pemfiles *files; /* NULL: those that are shown stay */
};

/*
 * prepare: makes what is needed, without a trace; 0, or negative errno with e filled.
 * commit: puts it in place, which cannot fail; *c->r->conf is the old one until all have.
 * abandon: frees what was made and not committed, and after a commit what was replaced.
 * Each may be NULL. In the order of the table, first what closes: topics that
 * are new are to be met by the rules that are.
 */
struct step {
	int (*prepare)(struct change *c, struct error *e);
	void (*commit)(struct change *c);
	void (*abandon)(struct change *c);
};

/* --- the file as a whole ------------------------------------------------------------- */

/*
 * An editor may have truncated it to write it anew, or be in the middle of that. To take
 * that for what is wanted would open what was closed.
 */
static int
check_whole(struct change *c, struct error *e)
{
	const struct conf *running = *c->r->conf;

	if (c->fresh->is_empty && !running->is_empty) {
		error_set(
			e, "the file sets nothing, is it being written? For the defaults, restart");
		return -EINVAL;
	}
	if (!c->fresh->access && running->access) {
		error_set(e, "access: is not there any more, which would let everybody do "
			     "everything; write who may do what, or restart");
		return -EINVAL;
	}
	return 0;
}

/* --- the log ------------------------------------------------------------------------ */

void
reload_set_level(const struct conf *conf, unsigned verbose)
{
	unsigned level = (unsigned)conf->log_level + verbose;

	log_set_level(level > LOG_LEVEL_DEBUG ? LOG_LEVEL_DEBUG : (enum log_level)level);
}

static void
commit_log(struct change *c)
{
	reload_set_level(c->fresh, c->r->verbose);
}

/* --- access ------------------------------------------------------------------------- */

static int
prepare_access(struct change *c, struct error *e)
{
	(void)e;
	c->access = access_new(c->fresh, c->r->subjects);
	return 0;
}

static bool
takes_away(void *ctx, const struct broker_group *group, struct bytes topic)
{
	const struct change *c = ctx;

	(void)group;
	return access_takes_away(c->access, *c->r->access, CONF_MAY_SUBSCRIBE, topic);
}

static void
commit_access(struct change *c)
{
	struct access *before = *c->r->access;

	*c->r->access = c->access;
	c->access = before;
	if (!access_equal(before, *c->r->access))
		broker_review(c->r->broker, takes_away, c);
}

static void
abandon_access(struct change *c)
{
	access_free(c->access);
}

/* --- identities ----------------------------------------------------------------------- */

static int
prepare_identities(struct change *c, struct error *e)
{
	const struct conf *running = *c->r->conf;
	int rc = guard_prepare(secure_guard(c->r->secure), c->fresh, c->r->subjects, &c->keys, e);

	if (rc < 0)
		return rc;
	c->gone = mem_alloc((running->n_identities + 1) * sizeof(*c->gone));
	for (size_t i = 0; i < running->n_identities; i++) {
		const struct conf_identity *id = &running->identities[i];

		if (!identities_is_kept(id, c->fresh))
			c->gone[c->n_gone++] = subjects_id(c->r->subjects, id->name);
	}
	return 0;
}

static bool
is_gone(void *ctx, uint32_t who)
{
	const struct change *c = ctx;

	for (size_t i = 0; i < c->n_gone; i++) {
		if (c->gone[i] == who)
			return true;
	}
	return false;
}

/* What those who are gone know of groups is net/revoke.h's. */
static bool
takes_no_group(void *ctx, const struct broker_group *group, struct bytes topic)
{
	(void)ctx;
	(void)group;
	(void)topic;
	return false;
}

/* What was begun under keys that are gone ends, also where the name has others now. */
static void
commit_identities(struct change *c)
{
	guard_commit(secure_guard(c->r->secure), c->keys);
	c->keys = NULL;
	if (c->n_gone == 0)
		return;
	access_ban(*c->r->access, is_gone, c);
	broker_review(c->r->broker, takes_no_group, c);
	access_ban(*c->r->access, NULL, NULL);
	/* Who observes is told by a 4.03 before its session ends. */
	if (c->r->coapd)
		coapd_expel(c->r->coapd, is_gone, c);
}

static void
abandon_identities(struct change *c)
{
	guard_abandon(c->keys);
	free(c->gone);
}

/* --- groups and limits ----------------------------------------------------------------- */

static int
prepare_plan(struct change *c, struct error *e)
{
	int rc = plan_init(&c->plan, c->r->boot, c->fresh, c->r->plan, e);

	if (rc == 0 && (rc = groupkeys_secure(secure_groups(c->r->secure), c->fresh->groups,
				c->plan.groups, c->plan.broker.n_groups, e)) < 0)
		plan_fini(&c->plan);
	return rc;
}

static const struct broker_group *
successor(void *ctx, const struct broker_group *old)
{
	const struct change *c = ctx;

	return plan_successor(&c->plan, c->r->plan, old);
}

static void
commit_plan(struct change *c)
{
	struct plan before = *c->r->plan;
	struct coapd_limits limits = {.sessions = 0};

	*c->r->plan = c->plan;
	c->plan = before;
	layer_set_limits(c->r->layer, &c->r->plan->layer);
	if (c->r->coapd) {
		descriptors_claim(&c->fresh->broker.limits, &limits);
		coapd_set_limits(c->r->coapd, &limits);
	}
	regroup_broker(c->r->broker, &c->r->plan->broker, successor, c);
}

static void
abandon_plan(struct change *c)
{
	plan_fini(&c->plan);
}

/* --- keys of groups --------------------------------------------------------------------- */

static int
prepare_revoke(struct change *c, struct error *e)
{
	const struct revoke_view view = {.conf = *c->r->conf,
		.subjects = c->r->subjects,
		.access = *c->r->access,
		.broker = c->r->broker,
		.keys = secure_groups(c->r->secure)};

	(void)e;
	c->revoke = revoke_new(&view);
	return 0;
}

static void
commit_revoke(struct change *c)
{
	(void)revoke_apply(c->revoke, *c->r->access, is_gone, c);
	secure_remember(c->r->secure, c->fresh, *c->r->access);
}

static void
abandon_revoke(struct change *c)
{
	revoke_free(c->revoke);
}

/* --- the certificate ------------------------------------------------------------------- */

static int
prepare_certificate(struct change *c, struct error *e)
{
	return c->r->coapd ? certificates_renew(c->r->boot, c->fresh,
				     coapd_certificate(c->r->coapd), e, &c->files)
			   : 0;
}

static void
commit_certificate(struct change *c)
{
	struct pemfiles *files = c->files;

	c->files = NULL;
	if (files && coapd_certify(c->r->coapd, files))
		log_notice("server: the certificate's files are others, handshakes from now on "
			   "have these");
}

static void
abandon_certificate(struct change *c)
{
	pemfiles_free(c->files);
}

/* --- the rest -------------------------------------------------------------------------- */

static void
commit_state(struct change *c)
{
	keep_set_commit_ms(c->r->keep, (uint32_t)c->fresh->state.commit_interval_ms);
}

/* Those that are no longer in the file stay: they are state. */
static void
commit_topics(struct change *c)
{
	report_topics(c->r->broker, c->fresh);
}

static const struct step steps[] = {
	{.prepare = check_whole},
	{.commit = commit_log},
	{.prepare = prepare_access, .commit = commit_access, .abandon = abandon_access},
	{.prepare = prepare_identities, .commit = commit_identities, .abandon = abandon_identities},
	{.prepare = prepare_plan, .commit = commit_plan, .abandon = abandon_plan},
	{.prepare = prepare_certificate,
		.commit = commit_certificate,
		.abandon = abandon_certificate},
	{.commit = commit_state},
	{.commit = commit_topics},
	{.prepare = prepare_revoke, .commit = commit_revoke, .abandon = abandon_revoke},
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static void
abandon(struct change *c, size_t n)
{
	while (n-- > 0) {
		if (steps[n].abandon)
			steps[n].abandon(c);
	}
}

static int
prepare(struct change *c, struct error *e)
{
	for (size_t i = 0; i < N_STEPS; i++) {
		int rc = steps[i].prepare ? steps[i].prepare(c, e) : 0;

		if (rc < 0) {
			abandon(c, i);
			return rc;
		}
	}
	return 0;
}

static void
say_what_is_left(const struct change *c)
{
	char names[256];
	struct buf changed = buf_of(names, sizeof(names));

	sections_compare(c->r->boot, c->fresh, &changed);
	log_notice(
		"server: reloaded topics=%zu groups=%zu", c->fresh->n_topics, c->fresh->n_groups);
	if (changed.n > 0)
		log_warning("server: a restart is needed for changes in sections=%s",
			buf_str(&changed));
}

int
reload_apply(struct reload *r, struct conf *fresh, struct error *e)
{
	struct change c = {.r = r, .fresh = fresh};
	int rc = prepare(&c, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < N_STEPS; i++) {
		if (steps[i].commit)
			steps[i].commit(&c);
	}
	/* What was replaced was made of the old one. */
	abandon(&c, N_STEPS);
	if (*r->conf != r->boot)
		conf_free(*r->conf);
	*r->conf = fresh;
	conf_forget_places(fresh);
	say_what_is_left(&c);
	mem_trim();
	return 0;
}
