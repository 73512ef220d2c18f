/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/keyring.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "cli/groupkey.h"
#include "oscore/context_impl.h"
#include "wire/cborget.h"

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

static bool
same_plain(const struct context *a, const struct context *b)
{
	return bytes_equal(context_sender_id(a), context_sender_id(b)) &&
	       memcmp(a->self.key, b->self.key, sizeof(a->self.key)) == 0 &&
	       memcmp(a->peer->key, b->peer->key, sizeof(a->peer->key)) == 0 &&
	       memcmp(a->common_iv, b->common_iv, sizeof(a->common_iv)) == 0;
}

/* All that keys and AAD are made of. */
static bool
same_group(const struct context *a, const struct context *b)
{
	return a->hkdf == b->hkdf && a->aead == b->aead && a->pairwise == b->pairwise &&
	       a->group_encryption == b->group_encryption && a->signature == b->signature &&
	       a->cred_format == b->cred_format &&
	       bytes_equal(bytes_of(a->master_secret, a->n_master_secret),
		       bytes_of(b->master_secret, b->n_master_secret)) &&
	       bytes_equal(bytes_of(a->master_salt, a->n_master_salt),
		       bytes_of(b->master_salt, b->n_master_salt)) &&
	       bytes_equal(bytes_of(a->gm_cred, a->n_gm_cred), bytes_of(b->gm_cred, b->n_gm_cred));
}

/* One group seen from two ends: the members of both. */
struct union_of {
	struct context *into;
	int rc;
};

static void
unite_end(struct union_of *u, const struct recipient *r, uint32_t who)
{
	struct bytes id = context_recipient_id(r);
	const struct recipient *known = context_find_recipient(u->into, id);
	struct error e;

	if (!known && !context_is_silent(u->into) && bytes_equal(id, context_sender_id(u->into)))
		known = &u->into->self;
	if (!known)
		u->rc = context_add_recipient(
			u->into, id, context_recipient_cred(r), true, who, &e, NULL);
	else if (!bytes_equal(context_recipient_cred(known), context_recipient_cred(r)))
		u->rc = -EEXIST;
}

static void
unite_member(void *ctx, struct recipient *r)
{
	struct union_of *u = ctx;

	if (u->rc == 0)
		unite_end(u, r, context_recipient_who(r));
}

/* The context of these ids that is there already is to do for `c` as well; -EEXIST: cannot. */
static int
unite(struct keyring *k, struct context *c, const char *end)
{
	struct union_of u = {.rc = 0};

	if (!c->group) {
		u.into = context_table_find(
			&k->table, context_gid(c), context_recipient_id(c->peer));
		return u.into && !u.into->group && same_plain(u.into, c) ? 0 : -EEXIST;
	}
	u.into = context_table_find_group(&k->table, context_gid(c));
	if (!u.into || !same_group(u.into, c))
		return -EEXIST;
	if (!context_is_silent(c) && end)
		unite_end(&u, &c->self, add_label(k, NULL, end, NULL));
	context_each_recipient(c, unite_member, &u);
	return u.rc;
}

/* The table holds it from now on, unless one that is as good is there. */
static int
add_context(
	struct keyring *k, struct context *c, const char *name, const char *end, struct error *e)
{
	int rc = context_table_add(&k->table, c);

	if (rc == 0)
		(void)add_label(k, c, name, end);
	else if ((rc = unite(k, c, end)) < 0)
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

static int
add_members(
	struct keyring *k, const struct conf_oscore_group *g, struct context *c, struct error *why)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < g->n_members; i++)
		rc = context_add_recipient(c, g->members[i].sender_id, g->members[i].credential,
			true, add_label(k, NULL, g->members[i].name, NULL), why, NULL);
	return rc;
}

static int
add_group(struct keyring *k, const struct conf_oscore_group *g, const char *end, struct error *e)
{
	uint8_t ccs[GROUPKEY_CCS_MAX];
	struct buf made = BUF_OF(ccs);
	struct context_group p;
	struct context *c = NULL;
	struct error why;
	int rc = groupkey_params(g, &made, &why, &p);

	if (rc == 0)
		rc = context_new_group(&p, &why, &c);
	if (rc == 0)
		rc = add_members(k, g, c, &why);
	if (rc == 0)
		return add_context(k, c, g->name, end, e);
	context_release(c);
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
		if (g->master_secret.p && g->gid.p && g->gm_credential.p)
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

/* An integer or a text, as COSE identifiers are. */
static int
get_value(struct cborget *in, struct inform_value *ret)
{
	struct inform_value v = {.present = true};

	if (cborget_int(in, &v.number) < 0 && cborget_tstr(in, &v.text) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

/* The parameters of the key material, by their numbers in the registry of the map. */
static const struct {
	int64_t key;
	enum { MATERIAL_BYTES, MATERIAL_VALUE, MATERIAL_RAW } kind;
	size_t at;
} material[] = {
	{2, MATERIAL_BYTES, offsetof(struct keyring_material, ms)},
	{3, MATERIAL_VALUE, offsetof(struct keyring_material, hkdf)},
	{5, MATERIAL_BYTES, offsetof(struct keyring_material, salt)},
	{6, MATERIAL_BYTES, offsetof(struct keyring_material, context_id)},
	{8, MATERIAL_VALUE, offsetof(struct keyring_material, cred_fmt)},
	{9, MATERIAL_VALUE, offsetof(struct keyring_material, gp_enc_alg)},
	{10, MATERIAL_VALUE, offsetof(struct keyring_material, sign_alg)},
	{11, MATERIAL_RAW, offsetof(struct keyring_material, sign_params)},
};

static int
get_parameter(struct cborget *in, struct keyring_material *m)
{
	int64_t key;

	if (cborget_int(in, &key) < 0)
		return cborget_skip(in) < 0 || cborget_skip(in) < 0 ? -EBADMSG : 0;
	for (size_t i = 0; i < sizeof(material) / sizeof(material[0]); i++) {
		void *at = (char *)m + material[i].at;

		if (material[i].key != key)
			continue;
		if (material[i].kind == MATERIAL_BYTES)
			return cborget_bstr(in, at);
		return material[i].kind == MATERIAL_VALUE ? get_value(in, at) : cborget_raw(in, at);
	}
	return cborget_skip(in);
}

int
keyring_decode_material(struct bytes gp_material, struct keyring_material *ret)
{
	struct cborget in = cborget_of(gp_material);
	struct keyring_material m = {.ms = BYTES_NONE};
	uint64_t n;

	if (cborget_map(&in, &n) < 0)
		return -EBADMSG;
	for (uint64_t i = 0; i < n; i++) {
		if (get_parameter(&in, &m) < 0)
			return -EBADMSG;
	}
	if (!cborget_at_end(&in))
		return -EBADMSG;
	*ret = m;
	return 0;
}

/* A COSE number, whether it came as such or as the algorithm's name. */
static int
number_of(const struct inform_value *v, int absent, int (*named)(struct bytes name, int *ret),
	int *ret)
{
	if (!v->present) {
		*ret = absent;
		return 0;
	}
	if (v->text.p)
		return named(v->text, ret);
	if (v->number < INT32_MIN || v->number > INT32_MAX)
		return -EBADMSG;
	*ret = (int)v->number;
	return 0;
}

/* The group as a silent member sees it, whose Group Manager is the server itself. */
static int
make_offered(
	const struct keyring_material *m, const struct inform_keys *offered, struct context **ret)
{
	struct context_group p = {.master_secret = m->ms,
		.master_salt = m->salt,
		.gid = m->context_id,
		.gm_cred = offered->srv_cred};
	struct context *c;
	struct error e;
	int format = CRED_KCCS;

	if (number_of(&m->hkdf, SUITE_HKDF_SHA256, suite_hkdf_number, &p.hkdf) < 0 ||
		number_of(&m->gp_enc_alg, SUITE_CCM_16_64_128, suite_cipher_number,
			&p.group_encryption) < 0 ||
		number_of(&m->sign_alg, SUITE_EDDSA, suite_signature_number, &p.signature) < 0)
		return -EBADMSG;
	if (m->cred_fmt.present && !m->cred_fmt.text.p)
		format = (int)m->cred_fmt.number;
	p.cred_format = (enum cred_format)format;
	if (context_new_group(&p, &e, &c) < 0)
		return -EINVAL;
	if (context_add_recipient(
		    c, offered->srv_identifier, offered->srv_cred, true, 0, &e, NULL) < 0) {
		context_release(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

int
keyring_add_offered(struct keyring *k, const struct inform_keys *offered)
{
	struct keyring_material m;
	struct context *c;
	struct error e;
	int rc = keyring_decode_material(offered->gp_material, &m);

	if (rc < 0)
		return rc;
	if (!m.ms.p || !m.context_id.p || !offered->srv_cred.p || !offered->srv_identifier.p)
		return -EBADMSG;
	if (context_table_find_group(&k->table, m.context_id))
		return 0;
	if (k->n_offered == KEYRING_MAX_OFFERED)
		return -ENOSPC;
	if ((rc = make_offered(&m, offered, &c)) < 0)
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
