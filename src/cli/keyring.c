/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/keyring.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "cli/groupkey.h"
#include "client/groups.h"
#include "wire/material.h"

#define OFFERED "announced group"

/* `who` 0 names a context and its own end, others a peer or member. */
struct keyring_label {
	const struct context *context; /* held by the table */
	uint32_t who; /* place in the array, plus one; 0: the context itself */
	char *name;
	char *end; /* of a context: our own end; NULL: silent */
};

void
keyring_init(struct keyring *k)
{
	uint32_t seed;

	*k = (struct keyring){.labels = NULL};
	rnd_fill(&seed, sizeof(seed));
	context_table_init(&k->table, seed);
}

void
keyring_fini(struct keyring *k)
{
	for (size_t i = 0; i < k->n_labels; i++) {
		free(k->labels[i].name);
		free(k->labels[i].end);
	}
	free(k->labels);
	context_table_fini(&k->table);
}

/* Returns the number that stands for the label in a context's `who`. */
static uint32_t
add_label(struct keyring *k, const struct context *c, const char *name, const char *end)
{
	k->labels = mem_realloc(k->labels, (k->n_labels + 1) * sizeof(*k->labels));
	k->labels[k->n_labels++] = (struct keyring_label){
		.context = c, .name = mem_strdup(name), .end = end ? mem_strdup(end) : NULL};
	return (uint32_t)k->n_labels;
}

/* The table holds it from now on, unless one that is as good is there. */
static int
add_context(
	struct keyring *k, struct context *c, const char *name, const char *end, struct error *e)
{
	int rc = context_table_add(&k->table, c);
	uint32_t own;

	if (rc == 0) {
		(void)add_label(k, c, name, end);
	} else {
		own = end ? add_label(k, NULL, end, NULL) : 0;
		rc = context_unite(context_table_namesake(&k->table, c), c, own);
	}
	if (rc < 0)
		error_set(e, "%s: another one has the same ids, and other keys", name);
	context_release(c);
	return rc;
}

static int
add_identity(struct keyring *k, const char *name, const struct conf_oscore *o, const char *end,
	struct error *e)
{
	struct context_plain p = {.master_secret = o->master_secret,
		.master_salt = o->master_salt,
		.id_context = o->id_context,
		.sender_id = o->sender_id,
		.recipient_id = o->recipient_id,
		.who = add_label(k, NULL, name, NULL)};
	struct context *c;
	struct error why;
	int rc = context_new_plain(&p, &why, &c);

	if (rc == 0)
		return add_context(k, c, name, end, e);
	error_set(e, "identity %.60s: %.180s", name, why.text);
	return rc;
}

static uint32_t
label_member(void *ctx, const char *member)
{
	return add_label(ctx, NULL, member, NULL);
}

static int
add_group(struct keyring *k, const struct conf_oscore_group *g, const char *end, struct error *e)
{
	struct context *c;
	struct error why;
	int rc = groupkey_context(g, NULL, label_member, k, &why, &c);

	if (rc == 0)
		return add_context(k, c, g->name, end, e);
	error_set(e, "OSCORE group %.60s: %.180s", g->name, why.text);
	return rc;
}

int
keyring_add_groups(struct keyring *k, const struct conf_oscore_group *groups, size_t n,
	const char *end, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct conf_oscore_group *g = &groups[i];

		/* Keys of the others are drawn by the broker, and come in its responses. */
		if (groupkey_is_there(g))
			rc = add_group(k, g, end, e);
	}
	return rc;
}

int
keyring_add_conf(struct keyring *k, const struct conf *c, const char *end, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n_identities; i++) {
		const struct conf_identity *id = &c->identities[i];

		if (id->oscore)
			rc = add_identity(k, id->name, id->oscore, end, e);
	}
	return rc != 0 ? rc : keyring_add_groups(k, c->oscore_groups, c->n_oscore_groups, end, e);
}

int
keyring_add_offered(struct keyring *k, const struct inform_keys *offered)
{
	struct material m;
	struct context *c;
	struct error e;
	int rc = material_decode(offered->gp_material, &m);

	if (rc < 0)
		return rc;
	if (m.context_id.p && context_table_find_group(&k->table, m.context_id))
		return 0;
	if (k->n_offered == KEYRING_MAX_OFFERED)
		return -ENOSPC;
	if ((rc = groups_make_offered(offered, &e, &c)) < 0)
		return rc;
	k->n_offered++;
	return add_context(k, c, OFFERED, NULL, &e);
}

const char *
keyring_name(const struct keyring *k, const struct context *c)
{
	for (size_t i = 0; i < k->n_labels; i++) {
		if (k->labels[i].context == c)
			return k->labels[i].name;
	}
	return "?";
}

const char *
keyring_sender(const struct keyring *k, const struct recipient *from)
{
	bool own = context_recipient_is_own(from);
	const struct context *c = context_recipient_context(from);
	uint32_t who = own ? 0 : context_recipient_who(from);

	if (who > 0 && who <= k->n_labels)
		return k->labels[who - 1].name;
	for (size_t i = 0; own && i < k->n_labels; i++) {
		if (k->labels[i].context == c)
			return k->labels[i].end;
	}
	return NULL;
}
