/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/secure.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/bearers.h"
#include "net/shields.h"

struct secure {
	struct ssnstore *numbers;
	struct guard *guard;
	struct groupkeys *groups;
	struct bearers *bearers; /* of before the start, until secure_review */
	struct revoke *found; /* who may have been given keys since, as it is kept; or NULL */
	struct subjects *subjects;
	struct store *store;
	struct broker *broker;
	void (*on_request)(void *ctx, struct request *r);
	void *ctx;
};

static int64_t
wall_s(void *ctx)
{
	struct timespec now;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

static struct ssn *
on_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct secure *s = ctx;

	return ssnstore_get(s->numbers, fingerprint);
}

static void
on_retry(void *ctx)
{
	struct secure *s = ctx;

	ssnstore_retry(s->numbers);
}

static void
on_load_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w)
{
	struct secure *s = ctx;

	ssnstore_load_window(s->numbers, fingerprint, w);
}

static void
on_save_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w)
{
	struct secure *s = ctx;

	ssnstore_save_window(s->numbers, fingerprint, w);
}

static void
on_request(void *ctx, struct request *r)
{
	struct secure *s = ctx;

	if (groupkeys_admits(s->groups, r))
		s->on_request(s->ctx, r);
	else
		request_reply_code(r, CODE_FORBIDDEN);
}

static void
on_store(void *ctx, const struct store_event *event)
{
	struct secure *s = ctx;

	ssnstore_event(s->numbers, event);
	if (event->kind != STORE_EVENT_ANEW)
		return;
	groupkeys_save_all(s->groups);
	if (s->found)
		bearers_save(s->found, s->store);
}

int
secure_new(const struct conf *conf, struct keep *keep, struct subjects *subjects,
	void (*run)(void *ctx, struct request *r), void *ctx, struct secure **ret, struct error *e)
{
	static const struct guard_ops ops = {.ssn = on_ssn,
		.retry = on_retry,
		.load_window = on_load_window,
		.save_window = on_save_window,
		.on_request = on_request};
	const struct ssnstore_options options = {
		.store = keep_store(keep), .clean = keep_was_clean(keep), .wall_s = wall_s};
	struct secure *s = mem_alloc(sizeof(*s));
	int rc;

	s->store = keep_store(keep);
	s->on_request = run;
	s->ctx = ctx;
	if ((rc = ssnstore_new(&options, &s->numbers, e)) < 0)
		goto fail;
	rc = -EINVAL;
	if ((s->guard = guard_new(conf, subjects, &ops, s, e)) == NULL)
		goto fail;
	keep_listen(keep, on_store, s);
	*ret = s;
	return 0;
fail:
	secure_free(s);
	return rc;
}

/* --- the groups' ------------------------------------------------------------------- */

static struct ssn *
on_group_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], bool fresh)
{
	struct secure *s = ctx;

	return fresh ? ssnstore_get_fresh(s->numbers, fingerprint)
		     : ssnstore_get(s->numbers, fingerprint);
}

static void
on_forget(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct secure *s = ctx;

	ssnstore_forget(s->numbers, fingerprint);
}

struct wanted {
	struct bytes name;
	struct buf *out;
	bool found;
};

static int
look_at_secret(void *ctx, const union store_record *r)
{
	struct wanted *w = ctx;

	if (!bytes_equal(r->secret.name, w->name))
		return 0;
	buf_put(w->out, r->secret.secret);
	w->found = !w->out->full;
	return 0;
}

static bool
on_load_secret(void *ctx, struct bytes name, struct buf *out)
{
	struct wanted w = {.name = name, .out = out};
	struct secure *s = ctx;
	struct error e;

	return store_load(s->store, STORE_SECRET, look_at_secret, &w, &e) == 0 && w.found;
}

static void
on_save_secret(void *ctx, struct bytes name, struct bytes secret)
{
	const union store_record r = {.secret = {.name = name, .secret = secret}};
	struct secure *s = ctx;

	(void)store_put(s->store, STORE_SECRET, &r, STORE_NOW, NULL);
}

static void
on_rekey(void *ctx, const struct broker_security *security, uint32_t within_ms)
{
	struct secure *s = ctx;

	(void)broker_rekey(s->broker, security, within_ms);
}

static void
on_expired(void *ctx, const struct broker_security *security)
{
	struct secure *s = ctx;

	broker_unkey(s->broker, security);
}

static void
on_unfinished(void *ctx, const struct broker_security *security, uint32_t within_ms)
{
	struct secure *s = ctx;
	unsigned n = broker_rekey_again(s->broker, security, within_ms);

	if (n > 0)
		log_notice("oscore: keys that not everybody may have are told again "
			   "oscore-group=%s group-observations=%u",
			groupkeys_name(security), n);
}

int
secure_start_groups(struct secure *s, const struct secure_groups_with *with, struct error *e)
{
	static const struct groupkeys_ops ops = {.ssn = on_group_ssn,
		.retry = on_retry,
		.forget = on_forget,
		.load_window = on_load_window,
		.save_window = on_save_window,
		.load_secret = on_load_secret,
		.save_secret = on_save_secret,
		.wall_s = wall_s,
		.on_rekey = on_rekey,
		.on_expired = on_expired,
		.on_unfinished = on_unfinished};
	const struct groupkeys_options options = {.conf = with->conf,
		.subjects = with->subjects,
		.contexts = guard_contexts(s->guard),
		.wheel = layer_wheel(with->layer),
		.built_s = BUILT_S,
		.ops = &ops,
		.ctx = s};
	int rc;

	s->broker = with->broker;
	s->subjects = with->subjects;
	s->bearers = bearers_load(s->store);
	if ((rc = groupkeys_new(&options, &s->groups, e)) < 0)
		return rc;
	return groupkeys_secure(
		s->groups, with->conf->groups, with->groups, with->conf->n_groups, e);
}

bool
secure_pack(struct secure *s, const struct broker_group *group, struct shield *shield,
	struct keep_binding *ret)
{
	const struct oscore_binding *b = &shield->binding;

	(void)s;
	if (!group && !context_ssn(b->context))
		return false;
	*ret = (struct keep_binding){.mode = b->mode,
		.gid = binding_kid_context(b),
		.kid = binding_kid(b),
		.piv = binding_piv(b)};
	/* A registration's keys are told by the numbers that are used with them. */
	ret->keys = group ? bytes_str(groupkeys_name(group->security))
			  : ssn_print(context_ssn(b->context));
	return true;
}

static struct shield *
unpack_observer(struct secure *s, const struct keep_binding *binding, uint32_t *ret_who)
{
	const struct groupkeys_registration registration = {.print = binding->keys,
		.kid = binding->kid,
		.piv = binding->piv,
		.mode = (enum oscore_mode)binding->mode};

	if (binding->mode == OSCORE_PLAIN)
		return guard_restore(s->guard, binding->keys, binding->kid, binding->piv, ret_who);
	return groupkeys_restore_member(s->groups, &registration, ret_who);
}

struct shield *
secure_unpack(struct secure *s, const struct broker_group *group,
	const struct keep_binding *binding, uint32_t *ret_who)
{
	if (!group)
		return unpack_observer(s, binding, ret_who);
	if (!group->security ||
		!bytes_equal(binding->keys, bytes_str(groupkeys_name(group->security))))
		return NULL;
	return groupkeys_restore(s->groups, group, binding->gid, binding->kid, binding->piv);
}

struct shield *
secure_unpack_ended(struct secure *s, const struct keep_binding *binding)
{
	const struct broker_group group = {.security = groupkeys_find(s->groups, binding->keys)};

	return groupkeys_restore(s->groups, &group, binding->gid, binding->kid, binding->piv);
}

enum group_renewal
secure_renewal(const struct broker_group *group, struct bytes gid)
{
	return group->security ? groupkeys_renewal(group->security, gid) : GROUP_KEYS_STAY;
}

/* Anew, for good. */
static void
find_bearers(struct secure *s, const struct conf *conf, struct access *access)
{
	const struct revoke_view view = {.conf = conf,
		.subjects = s->subjects,
		.access = access,
		.broker = s->broker,
		.keys = s->groups};

	revoke_free(s->found);
	s->found = revoke_new(&view);
}

void
secure_review(struct secure *s, const struct conf *conf, struct access *access)
{
	find_bearers(s, conf, access);
	(void)bearers_review(s->bearers, s->found);
	bearers_free(s->bearers);
	s->bearers = NULL;
	bearers_save(s->found, s->store);
}

void
secure_note(struct secure *s, const struct broker_security *security, struct bytes topic)
{
	if (s->found && revoke_add(s->found, security, topic))
		bearers_save_of(s->found, security, s->store);
}

void
secure_announce(struct secure *s)
{
	groupkeys_go_on(s->groups);
}

void
secure_remember(struct secure *s, const struct conf *conf, struct access *access)
{
	/* Those of before the start are not looked at yet. */
	if (!s || !s->groups || s->bearers)
		return;
	find_bearers(s, conf, access);
	bearers_save(s->found, s->store);
}

void
secure_stop(struct secure *s)
{
	if (!s)
		return;
	revoke_free(s->found);
	s->found = NULL;
	guard_stop(s->guard);
	groupkeys_stop(s->groups);
	ssnstore_stop(s->numbers);
}

void
secure_free(struct secure *s)
{
	if (!s)
		return;
	bearers_free(s->bearers);
	revoke_free(s->found);
	groupkeys_free(s->groups);
	guard_free(s->guard);
	ssnstore_free(s->numbers);
	free(s);
}

static void
on_second_over(uv_timer_t *t)
{
	(void)t; /* it only wakes the loop */
}

static void
on_timer_closed(uv_handle_t *h)
{
	*(bool *)h->data = true;
}

/* One more than a clock that is not looked at in between may show. */
static uint64_t
ms_left_of_second(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)(999 - now.tv_nsec / 1000000) + 1;
}

void
secure_wait(struct secure *s, uv_loop_t *loop, const bool *stopping)
{
	bool closed = false;
	uv_timer_t t;

	(void)uv_timer_init(loop, &t);
	if (ssnstore_is_early(s->numbers))
		log_info("oscore: numbers of keys without a record begin with the next second");
	while (!*stopping && (ssnstore_is_waiting(s->numbers) || ssnstore_is_early(s->numbers))) {
		if (ssnstore_is_early(s->numbers))
			(void)uv_timer_start(&t, on_second_over, ms_left_of_second(), 0);
		(void)uv_run(loop, UV_RUN_ONCE);
	}
	t.data = &closed;
	uv_close((uv_handle_t *)&t, on_timer_closed);
	while (!closed)
		(void)uv_run(loop, UV_RUN_NOWAIT);
}

struct guard *
secure_guard(struct secure *s)
{
	return s->guard;
}

struct groupkeys *
secure_groups(struct secure *s)
{
	return s->groups;
}
