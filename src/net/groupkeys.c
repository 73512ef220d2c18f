/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/groupkeys.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rnd.h"
#include "net/groupkeys_impl.h"
#include "net/shields.h"
#include "oscore/crypto.h"
#include "oscore/protect.h"

#define LEAD_MAX_MS 3600000 /* keys are replaced that long before they expire, */
#define LEAD_PART 4 /* or after three quarters of their life */
#define LOOK_MS 60000 /* how often it is looked whether numbers run out */
#define NUMBERS_LEFT (1ULL << 24) /* fewer than that, and keys are replaced */
#define RETRY_MS 250 /* new keys cannot protect yet */
#define TELL_MS 15000 /* new keys are told by then, and those before are needed no more */

#define GID_GIVEN_MAX 16 /* bytes of the configured Gid before those that are drawn */

struct groupkeys {
	struct groupkeys_options options;
	struct broker_security *groups; /* in the order of conf.oscore_groups */
	size_t n_groups;
	size_t n_shields; /* alive */
	struct groupkeys_stats stats;
	struct log_brake unprotected;
};

static bool
is_self(const struct broker_security *s)
{
	return s->conf->managed == CONF_MANAGED_SELF;
}

static uint64_t
now_ms(const struct groupkeys *k)
{
	return k->options.wheel->now_ms;
}

/* Seconds since 1970, UTC; 0 when the clock is not set. */
static int64_t
utc_s(const struct groupkeys *k)
{
	int64_t s = k->options.ops->wall_s(k->options.ctx);

	return s >= k->options.built_s ? s : 0;
}

static uint32_t
lead_ms(const struct broker_security *s)
{
	uint64_t part = s->conf->lifetime_ms / LEAD_PART;

	return (uint32_t)(part < LEAD_MAX_MS ? part : LEAD_MAX_MS);
}

/* --- a generation of keys ----------------------------------------------------------- */

static void
free_keys(struct keyset *k)
{
	if (!k)
		return;
	context_release(k->context);
	mem_wipe(k, sizeof(*k));
	free(k);
}

/* Has numbers made durable before the first one is needed. */
static void
prime(const struct keyset *keys)
{
	struct ssn *ssn = context_ssn(keys->context);
	uint64_t unused;

	if (ssn_is_started(ssn) && ssn_next(ssn) >= ssn_bound(ssn))
		(void)ssn_take(ssn, &unused);
}

static bool
can_protect(const struct keyset *keys)
{
	return ssn_is_ready(context_ssn(keys->context));
}

/* A context of the group, which the table holds; `secret` and `gid` are this generation's. */
static int
make_context(struct broker_security *s, struct keyset *keys, struct bytes secret, struct bytes gid,
	bool fresh, struct error *e)
{
	const struct groupkeys_options *o = &s->owner->options;
	const struct conf_oscore_group *conf = s->conf;
	bool self = is_self(s);
	struct context_group group = {.master_secret = secret,
		.master_salt = conf->master_salt,
		.gid = gid,
		.sender_id = conf->sender_id.p ? conf->sender_id : BYTES_LIT("\0"),
		.hkdf = conf->hkdf,
		/* "the parameter AEAD Algorithm and the parameter Pairwise Key Agreement
		 * Algorithm are not set" in a self-managed group. */
		.aead = self ? SUITE_NONE : conf->aead_algorithm,
		.pairwise = self ? SUITE_NONE : conf->pairwise_key_agreement_algorithm,
		.group_encryption = conf->group_encryption_algorithm,
		.signature = conf->signature_algorithm,
		.cred_format = (enum cred_format)conf->credential_format,
		.gm_cred = self ? s->cred : conf->gm_credential,
		.cred = s->cred,
		.private_key = conf->private_key};
	int rc =
		ssn_fingerprint(secret, conf->master_salt, gid, group.sender_id, keys->fingerprint);

	if (rc < 0) {
		error_set(e, "libcrypto fails");
		return rc;
	}
	group.ssn = o->ops->ssn(o->ctx, keys->fingerprint, fresh);
	rc = context_new_group(&group, e, &keys->context);
	ssn_release(group.ssn);
	if (rc < 0)
		return rc;
	if ((rc = context_table_add(o->contexts, keys->context)) < 0)
		error_set(e, "another group has this gid");
	return rc;
}

/* --- self-managed -------------------------------------------------------------------- */

/* `before`: what members may still have; NULL: nothing else. */
static void
save_drawn(const struct broker_security *s, const struct keyset *keys, const struct keyset *before,
	bool ended)
{
	const struct groupkeys_options *o = &s->owner->options;
	struct groupdrawn_kept kept = {
		.now = keys->drawn, .has_before = before != NULL, .ended = ended};
	uint8_t bytes[GROUPKEYS_SECRET_MAX];
	struct buf out = BUF_OF(bytes);

	if (before)
		kept.before = before->drawn;
	groupdrawn_put(&kept, &out);
	o->ops->save_secret(o->ctx, bytes_str(s->conf->name), buf_bytes(&out));
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(&kept, sizeof(kept));
}

/* What a start has to know now. */
static void
save_group(const struct broker_security *s)
{
	if (s->next)
		save_drawn(s, s->next, s->now, s->expired);
	else
		save_drawn(s, s->now, s->before, s->before_ended);
}

/*
 * The keys that follow from what was drawn, which is what makes them secret and new: the
 * configured secret and Gid are only mixed in. NULL: libcrypto fails.
 */
static struct keyset *
make_keys(struct broker_security *s, const struct groupdrawn *d, uint64_t left_ms, bool fresh,
	struct error *e)
{
	struct keyset *keys = mem_alloc(sizeof(*keys));
	uint8_t secret[GROUPDRAWN_RANDOM], id[GID_GIVEN_MAX + GROUPDRAWN_GID];
	struct buf gid = BUF_OF(id), material = BUF_OF(keys->material);

	keys->drawn = *d;
	/* Before any number of these keys. */
	if (fresh && s->now)
		save_drawn(s, keys, s->now, s->expired);
	else if (fresh)
		save_drawn(s, keys, s->before, s->before_ended);
	buf_put(&gid, bytes_head(s->conf->gid, GID_GIVEN_MAX));
	buf_put(&gid, BYTES_OF(d->gid));
	keys->expires_ms = now_ms(s->owner) + left_ms;
	if (crypto_hkdf(SUITE_HKDF_SHA256, s->conf->master_secret, BYTES_OF(d->random),
		    BYTES_LIT("self-managed group"), secret, sizeof(secret)) < 0 ||
		groupinform_material(s->conf, BYTES_OF(secret), buf_bytes(&gid), &material) < 0 ||
		make_context(s, keys, BYTES_OF(secret), buf_bytes(&gid), fresh, e) < 0) {
		free_keys(keys);
		keys = NULL;
	} else {
		keys->n_material = material.n;
		prime(keys);
	}
	mem_wipe(secret, sizeof(secret));
	return keys;
}

/* oscore.md 9: a fresh secret and Gid. */
static struct keyset *
draw_keys(struct broker_security *s, struct error *e)
{
	int64_t utc = utc_s(s->owner);
	struct groupdrawn d = {.exp_s = utc ? utc + (int64_t)(s->conf->lifetime_ms / 1000) : 0};
	struct keyset *keys;

	rnd_fill(d.random, sizeof(d.random));
	rnd_fill(d.gid, sizeof(d.gid));
	keys = make_keys(s, &d, s->conf->lifetime_ms, true, e);
	mem_wipe(&d, sizeof(d));
	return keys;
}

/* How long keys live yet; 0: their life is over, or nobody knows how long it lasts. */
static uint64_t
left_ms(const struct broker_security *s, const struct groupdrawn *d)
{
	int64_t utc = utc_s(s->owner);

	return utc != 0 && d->exp_s > utc ? (uint64_t)(d->exp_s - utc) * 1000 : 0;
}

/* Those of before the restart; NULL: what was used of them is not known. */
static struct keyset *
make_again(struct broker_security *s, const struct groupdrawn *d, uint64_t left)
{
	const struct groupkeys_options *o = &s->owner->options;
	struct error e;
	struct keyset *keys = make_keys(s, d, left, false, &e);

	if (keys && !ssn_is_started(context_ssn(keys->context))) {
		context_table_remove(o->contexts, keys->context);
		free_keys(keys);
		keys = NULL;
	}
	return keys;
}

/* Nothing that comes is under them. */
static void
take_before(struct broker_security *s, const struct groupdrawn *d, bool ended)
{
	uint64_t left = left_ms(s, d);

	s->before = make_again(s, d, left);
	if (!s->before)
		return;
	context_table_remove(s->owner->options.contexts, s->before->context);
	s->before_ended = ended || left == 0;
	s->before_until_ms = now_ms(s->owner) + TELL_MS;
}

/* The keys of before the restart, unless they are to be replaced: then who has them is told. */
static void
load_keys(struct broker_security *s)
{
	const struct groupkeys_options *o = &s->owner->options;
	uint8_t bytes[GROUPKEYS_SECRET_MAX];
	struct buf in = BUF_OF(bytes);
	struct groupdrawn_kept kept = {.has_before = false};
	uint64_t left;

	if (o->ops->load_secret(o->ctx, bytes_str(s->conf->name), &in) &&
		groupdrawn_take(buf_bytes(&in), &kept)) {
		left = left_ms(s, &kept.now);
		if (left > lead_ms(s) && left <= s->conf->lifetime_ms)
			s->now = make_again(s, &kept.now, left);
		if (!s->now)
			take_before(s, &kept.now, false);
		else if (kept.has_before)
			take_before(s, &kept.before, kept.ended);
	}
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(&kept, sizeof(kept));
}

/* Everybody was told. */
static void
forget_before(struct broker_security *s)
{
	struct keyset *before = s->before;

	if (!before)
		return;
	s->before = NULL;
	save_group(s);
	s->owner->options.ops->forget(s->owner->options.ctx, before->fingerprint);
	free_keys(before);
}

/* The new keys take over: what was protected with the old ones is told so. */
static void
replace(struct broker_security *s)
{
	struct groupkeys *k = s->owner;

	forget_before(s);
	s->before = s->now;
	s->before_ended = s->expired;
	s->before_until_ms = now_ms(k) + TELL_MS;
	s->now = s->next;
	s->next = NULL;
	s->expired = false;
	k->stats.rekeyed++;
	log_notice("oscore: keys replaced oscore-group=%s", s->conf->name);
	context_table_remove(k->options.contexts, s->before->context);
	k->options.ops->on_rekey(k->options.ctx, s, lead_ms(s));
}

static void
expire(struct broker_security *s)
{
	struct groupkeys *k = s->owner;

	k->stats.expired++;
	log_error("oscore: keys expired, and new ones cannot be used yet oscore-group=%s",
		s->conf->name);
	/* While they can still say so. */
	k->options.ops->on_expired(k->options.ctx, s);
	s->expired = true;
	save_group(s);
}

static bool
is_due(const struct broker_security *s)
{
	return s->next || s->expired || now_ms(s->owner) + lead_ms(s) >= s->now->expires_ms ||
	       ssn_next(context_ssn(s->now->context)) >= SSN_LIMIT - NUMBERS_LEFT;
}

static void
look_again(struct broker_security *s)
{
	uint64_t now = now_ms(s->owner), at = now + LOOK_MS;
	uint64_t due = s->now->expires_ms - lead_ms(s);

	if (s->next || s->expired)
		at = now + RETRY_MS;
	else if (due < at)
		at = due;
	if (s->before && s->before_until_ms < at)
		at = s->before_until_ms;
	wheel_start(s->owner->options.wheel, &s->timer, at);
}

static void
on_timer(struct timer *t, void *ctx)
{
	struct broker_security *s = MAP_OBJECT(t, struct broker_security, timer);
	struct error e;

	(void)ctx;
	if (s->before && now_ms(s->owner) >= s->before_until_ms)
		forget_before(s);
	if (is_due(s) && !s->next && !(s->next = draw_keys(s, &e)))
		log_error("oscore: no new keys: %s oscore-group=%s", e.text, s->conf->name);
	if (s->next) {
		prime(s->next);
		if (can_protect(s->next))
			replace(s);
		else if (!s->expired && now_ms(s->owner) >= s->now->expires_ms)
			expire(s);
	}
	look_again(s);
}

void
groupkeys_revoke(struct groupkeys *k, const struct broker_security *security)
{
	struct broker_security *s = &k->groups[security - k->groups];

	k->stats.revoked++;
	log_notice("oscore: keys revoked oscore-group=%s", s->conf->name);
	k->options.ops->on_expired(k->options.ctx, s);
	s->expired = true;
	/* Whoever has these were told by the end of what they protect, and that was all. */
	forget_before(s);
	save_group(s);
	on_timer(&s->timer, NULL);
}

/* --- external ------------------------------------------------------------------------ */

static int
member_fingerprint(const struct conf_oscore_group *conf, const struct conf_oscore_member *m,
	uint8_t ret[SSN_FINGERPRINT])
{
	return ssn_fingerprint(
		conf->master_secret, conf->master_salt, conf->gid, m->sender_id, ret);
}

static int
add_members(struct broker_security *s, struct error *e)
{
	const struct groupkeys_options *o = &s->owner->options;
	uint8_t fingerprint[SSN_FINGERPRINT];
	struct error why;
	int rc;

	for (size_t i = 0; i < s->conf->n_members; i++) {
		const struct conf_oscore_member *m = &s->conf->members[i];
		struct recipient *r;

		if ((rc = context_add_recipient(s->now->context, m->sender_id, m->credential, false,
			     subjects_id(o->subjects, m->name), &why, &r)) < 0 ||
			(rc = member_fingerprint(s->conf, m, fingerprint)) < 0) {
			error_set(e, "member %s: %s", m->name, why.text);
			return rc;
		}
		o->ops->load_window(o->ctx, fingerprint, context_recipient_window(r));
	}
	return 0;
}

static void
save_windows(const struct broker_security *s)
{
	const struct groupkeys_options *o = &s->owner->options;
	uint8_t fingerprint[SSN_FINGERPRINT];

	for (size_t i = 0; i < s->conf->n_members; i++) {
		const struct conf_oscore_member *m = &s->conf->members[i];
		struct recipient *r = context_find_recipient(s->now->context, m->sender_id);

		if (r && member_fingerprint(s->conf, m, fingerprint) == 0)
			o->ops->save_window(o->ctx, fingerprint, context_recipient_window(r));
	}
}

/* --- all of them --------------------------------------------------------------------- */

/* The configured credential, or a CCS of the private key. */
static int
take_credential(struct broker_security *s, struct error *e)
{
	const struct conf_oscore_group *c = s->conf;
	uint8_t bytes[256];
	struct buf out = BUF_OF(bytes);
	int rc;

	s->cred = c->credential;
	if (s->cred.p)
		return 0;
	rc = cred_make_own(c->signature_algorithm, (enum cred_format)c->credential_format,
		c->private_key, &out, e);
	if (rc < 0)
		return rc;
	s->made = mem_dup(buf_bytes(&out));
	s->cred = bytes_of(s->made, out.n);
	return 0;
}

static int
start_self(struct broker_security *s, struct error *e)
{
	load_keys(s);
	if (!s->now && !(s->now = draw_keys(s, e)))
		return -EINVAL;
	look_again(s);
	return 0;
}

static int
start_external(struct broker_security *s, struct error *e)
{
	int rc;

	s->now = mem_alloc(sizeof(*s->now));
	s->now->expires_ms = WHEEL_NEVER;
	if ((rc = make_context(s, s->now, s->conf->master_secret, s->conf->gid, false, e)) < 0)
		return rc;
	prime(s->now);
	return add_members(s, e);
}

static int
start_group(struct broker_security *s, struct error *e)
{
	struct error why = {0};
	int rc = take_credential(s, &why);

	s->timer.fire = on_timer;
	if (rc == 0)
		rc = is_self(s) ? start_self(s, &why) : start_external(s, &why);
	if (rc < 0)
		error_set(e, "oscore-group %s: %s", s->conf->name, why.text);
	return rc;
}

int
groupkeys_new(const struct groupkeys_options *options, struct groupkeys **ret, struct error *e)
{
	const struct conf *conf = options->conf;
	struct groupkeys *k = mem_alloc(sizeof(*k));
	int rc;

	k->options = *options;
	k->groups = mem_alloc((conf->n_oscore_groups + 1) * sizeof(*k->groups));
	for (size_t i = 0; i < conf->n_oscore_groups; i++) {
		struct broker_security *s = &k->groups[k->n_groups++];

		s->owner = k;
		s->conf = &conf->oscore_groups[i];
		if ((rc = start_group(s, e)) < 0) {
			groupkeys_free(k);
			return rc;
		}
	}
	*ret = k;
	return 0;
}

void
groupkeys_free(struct groupkeys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n_groups; i++) {
		/* groupkeys_stop: the wheel may be gone by now. */
		if (timer_is_on(&k->groups[i].timer))
			wheel_stop(k->options.wheel, &k->groups[i].timer);
		free_keys(k->groups[i].next);
		free_keys(k->groups[i].now);
		free_keys(k->groups[i].before);
		free(k->groups[i].made);
	}
	free(k->groups);
	free(k);
}

void
groupkeys_stop(struct groupkeys *k)
{
	for (size_t i = 0; k && i < k->n_groups; i++) {
		wheel_stop(k->options.wheel, &k->groups[i].timer);
		if (!is_self(&k->groups[i]))
			save_windows(&k->groups[i]);
	}
}

void
groupkeys_save_all(struct groupkeys *k)
{
	for (size_t i = 0; i < k->n_groups; i++) {
		const struct broker_security *s = &k->groups[i];

		if (is_self(s))
			save_group(s);
	}
}

const struct broker_security *
groupkeys_at(const struct groupkeys *k, size_t i)
{
	return i < k->n_groups ? &k->groups[i] : NULL;
}

bool
groupkeys_is_self(const struct broker_security *s)
{
	return is_self(s);
}

static const struct broker_security *
find_group(const struct groupkeys *k, const char *name)
{
	for (size_t i = 0; i < k->n_groups; i++) {
		if (strcmp(k->groups[i].conf->name, name) == 0)
			return &k->groups[i];
	}
	return NULL;
}

int
groupkeys_secure(const struct groupkeys *k, const struct conf_group *from,
	struct broker_group *groups, size_t n, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct suite_cipher *cipher;

		if (!from[i].oscore)
			continue;
		groups[i].security = find_group(k, from[i].oscore);
		if (!groups[i].security) {
			error_set(e, "group %s: oscore-group %s needs a restart", from[i].name,
				from[i].oscore);
			return -ENOENT;
		}
		cipher = suite_cipher(groups[i].security->conf->group_encryption_algorithm);
		/* Option with flags, number and kid; outer Observe and Max-Age; inner code. */
		groups[i].overhead =
			2 + 1 + 5 + SUITE_MAX_ID + 4 + 2 + 1 + 1 + cipher->tag + SUITE_SIGNATURE;
	}
	return 0;
}

static struct shield *
refuse(struct groupkeys *k, const struct broker_security *s, const char *why)
{
	uint32_t held;

	k->stats.unprotected++;
	if (log_brake_pass(&k->unprotected, now_ms(k), &held))
		log_warning("oscore: no group observation: %s oscore-group=%s suppressed=%u", why,
			s->conf->name, held);
	return NULL;
}

struct shield *
groupkeys_phantom(
	struct groupkeys *k, const struct broker_group *g, const struct msg *plain, struct buf *out)
{
	const struct broker_security *s = g->security;
	uint8_t bytes[1024], code;
	struct buf tail = BUF_OF(bytes);
	struct shield *shield;

	if (s->expired)
		return refuse(k, s, "its keys are not to be used any more");
	if (!ssn_is_started(context_ssn(s->now->context)))
		k->options.ops->retry(k->options.ctx);
	shield = shields_new(&k->n_shields);
	if (protect_phantom(s->now->context, plain, &tail, &code, &shield->binding) < 0) {
		shields_release(shield);
		return refuse(k, s, "it cannot protect now");
	}
	buf_put_u8(out, code);
	buf_put(out, buf_bytes(&tail));
	return shield;
}

void
groupkeys_inform(struct groupkeys *k, const struct broker_group *g, struct inform *in)
{
	groupinform_fill(g->security, now_ms(k), in);
}

/* NULL: nobody's. */
static const struct keyset *
keys_of(const struct broker_security *s, struct bytes gid)
{
	if (bytes_equal(gid, context_gid(s->now->context)))
		return s->now;
	return s->before && bytes_equal(gid, context_gid(s->before->context)) ? s->before : NULL;
}

const struct broker_security *
groupkeys_find(const struct groupkeys *k, struct bytes name)
{
	for (size_t i = 0; i < k->n_groups; i++) {
		if (bytes_is(name, groupkeys_name(&k->groups[i])))
			return &k->groups[i];
	}
	return NULL;
}

struct shield *
groupkeys_restore(struct groupkeys *k, const struct broker_group *g, struct bytes gid,
	struct bytes kid, struct bytes piv)
{
	const struct keyset *keys = g->security ? keys_of(g->security, gid) : NULL;
	struct shield *shield;

	if (!keys)
		return NULL;
	shield = shields_new(&k->n_shields);
	if (binding_restore_phantom(&shield->binding, keys->context, kid, piv) == 0)
		return shield;
	shields_release(shield);
	return NULL;
}

enum group_renewal
groupkeys_renewal(const struct broker_security *s, struct bytes gid)
{
	const struct keyset *keys = keys_of(s, gid);

	if (!keys || keys == s->now)
		return GROUP_KEYS_STAY;
	return s->before_ended ? GROUP_KEYS_END : GROUP_KEYS_CHANGE;
}

void
groupkeys_go_on(struct groupkeys *k)
{
	for (size_t i = 0; i < k->n_groups; i++) {
		struct broker_security *s = &k->groups[i];

		if (s->before)
			k->options.ops->on_unfinished(k->options.ctx, s, lead_ms(s));
	}
}

struct shield *
groupkeys_restore_member(
	struct groupkeys *k, const struct groupkeys_registration *r, uint32_t *ret_who)
{
	struct context *c = NULL;
	struct shield *shield;

	for (size_t i = 0; i < k->n_groups && !c; i++) {
		struct context *now = k->groups[i].now->context;

		if (context_ssn(now) && bytes_equal(r->print, ssn_print(context_ssn(now))))
			c = now;
	}
	if (!c)
		return NULL;
	shield = shields_new(&k->n_shields);
	if (binding_restore_request(&shield->binding, c, r->mode, r->kid, r->piv) < 0) {
		shields_release(shield);
		return NULL;
	}
	*ret_who = binding_who(&shield->binding);
	return shield;
}

const char *
groupkeys_name(const struct broker_security *s)
{
	return s->conf->name;
}

static const struct broker_security *
find_by_context(const struct groupkeys *k, const struct context *c)
{
	for (size_t i = 0; i < k->n_groups; i++) {
		if (k->groups[i].now->context == c)
			return &k->groups[i];
	}
	return NULL;
}

bool
groupkeys_admits(const struct groupkeys *k, const struct request *r)
{
	const struct broker_security *s;

	if (!r->shield || r->shield->binding.mode != OSCORE_GROUP || r->msg->code == CODE_GET ||
		r->msg->code == CODE_FETCH)
		return true;
	s = find_by_context(k, r->shield->binding.context);
	return s && s->conf->group_mode_writes;
}

void
groupkeys_stats(const struct groupkeys *k, struct groupkeys_stats *ret)
{
	*ret = k->stats;
	ret->shields = k->n_shields;
}
