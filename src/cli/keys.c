/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "cli/groupkey.h"
#include "cli/ssnfile.h"

#define AHEAD_S 60 /* seconds that one does not worry about: the clock catches up */

struct keys {
	struct ssnfile *numbers;
	struct context *own; /* of the identity; NULL: none */
	struct groups groups;
	struct armor armor;
	void (*note)(void *ctx, bool loud, const char *text);
	void *ctx;
};

/* Numbers to send with; one that is far ahead has to be told of. */
static int
take_numbers(struct keys *k, struct bytes secret, struct bytes salt, struct bytes id_context,
	struct bytes sender, struct error *e, struct ssn **ret)
{
	uint8_t fingerprint[SSN_FINGERPRINT];
	int rc = ssn_fingerprint(secret, salt, id_context, sender, fingerprint);

	if (rc < 0)
		error_set(e, "libcrypto fails");
	else
		rc = ssnfile_get(k->numbers, fingerprint, e, ret);
	if (rc == 0 && ssn_is_ahead(*ret, (int64_t)time(NULL) + AHEAD_S))
		k->note(k->ctx, true,
			"sequence numbers run ahead of the clock: their file must not be lost");
	return rc;
}

static int
add_own(struct keys *k, const struct credentials_identity *id, struct error *e)
{
	const struct conf_oscore *o = id->oscore;
	struct context_plain p = {.master_secret = o->master_secret,
		.master_salt = o->master_salt,
		.id_context = o->id_context,
		.sender_id = o->sender_id,
		.recipient_id = o->recipient_id,
		.window_valid = true};
	struct error why;
	int rc = take_numbers(
		k, o->master_secret, o->master_salt, o->id_context, o->sender_id, &why, &p.ssn);

	if (rc == 0)
		rc = context_new_plain(&p, &why, &k->own);
	ssn_release(p.ssn);
	if (rc < 0)
		error_set(e, "identity %.40s: %.200s", id->name, why.text);
	return rc;
}

static int
make_group(struct keys *k, const struct conf_oscore_group *g, struct error *e, struct context **ret)
{
	struct ssn *ssn = NULL;
	int rc = 0;

	if (!groupkey_is_silent(g))
		rc = take_numbers(
			k, g->master_secret, g->master_salt, g->gid, g->sender_id, e, &ssn);
	if (rc == 0)
		rc = groupkey_context(g, ssn, NULL, NULL, e, ret);
	ssn_release(ssn);
	return rc;
}

/* A self-managed group's keys come from its broker: there is nothing to be known of it. */
static int
add_group(struct keys *k, const struct conf_oscore_group *g, struct error *e)
{
	const char *name = g->group_name ? g->group_name : g->name;
	struct context *c;
	struct error why;
	int rc;

	if (!groupkey_is_there(g)) {
		if (g->managed == CONF_MANAGED_SELF)
			return 0;
		error_set(
			e, "group %.40s: gid, master-secret and gm-credential are wanted", g->name);
		return -EINVAL;
	}
	rc = make_group(k, g, &why, &c);
	if (rc == 0) {
		rc = groups_add(&k->groups, name, c);
		if (rc < 0)
			error_set(&why, "another group has its gid");
		context_release(c);
	}
	if (rc < 0)
		error_set(e, "group %.40s: %.200s", g->name, why.text);
	return rc;
}

static void
on_ready(void *ctx)
{
	const struct keys *k = ctx;

	ssnfile_catch_up(k->numbers);
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	const struct keys *k = ctx;
	const char *why = ssnfile_failure(k->numbers);

	if (loud && why)
		k->note(k->ctx, true, why);
	k->note(k->ctx, loud, text);
}

int
keys_open(const struct credentials *c, const char *path,
	void (*note)(void *ctx, bool loud, const char *text), void *ctx, struct error *e,
	struct keys **ret)
{
	const struct credentials_identity *id = credentials_identity(c);
	struct keys *k = mem_alloc(sizeof(*k));
	const struct conf_oscore_group *g;
	uint32_t seed;
	size_t n;
	int rc;

	k->note = note;
	k->ctx = ctx;
	rnd_fill(&seed, sizeof(seed));
	groups_init(&k->groups, seed);
	rc = ssnfile_open(path, e, &k->numbers);
	if (rc == 0 && id && id->oscore)
		rc = add_own(k, id, e);
	g = credentials_groups(c, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_group(k, &g[i], e);
	if (rc < 0) {
		keys_close(k);
		return rc;
	}
	k->armor = (struct armor){.context = k->own,
		.groups = &k->groups,
		.ready = on_ready,
		.note = on_note,
		.ctx = k};
	*ret = k;
	return 0;
}

void
keys_close(struct keys *k)
{
	if (!k)
		return;
	ssnfile_close(k->numbers);
	groups_fini(&k->groups);
	context_release(k->own);
	free(k);
}

const struct armor *
keys_armor(const struct keys *k)
{
	return &k->armor;
}

int
keys_group_armor(const struct keys *k, const char *name, struct error *e, struct armor *ret)
{
	const struct groups_entry *found = NULL;

	for (size_t i = 0; i < k->groups.n; i++) {
		const struct groups_entry *at = &k->groups.list[i];

		if (context_is_silent(at->context) || (name && strcmp(at->name, name) != 0))
			continue;
		if (found) {
			error_set(e, "there are several groups to send to");
			return -EEXIST;
		}
		found = at;
	}
	if (!found) {
		error_set(e, "there is no group to send to");
		return -ENOENT;
	}
	*ret = k->armor;
	ret->context = found->context;
	ret->mode = OSCORE_GROUP;
	return 0;
}
