/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/material.h"

void
groups_init(struct groups *g, uint32_t seed)
{
	*g = (struct groups){.n = 0};
	context_table_init(&g->table, seed);
}

void
groups_fini(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		context_release(g->list[i].context);
		free(g->list[i].name);
	}
	free(g->list);
	context_table_fini(&g->table);
}

int
groups_add(struct groups *g, const char *name, struct context *c)
{
	int rc = context_table_add(&g->table, c);

	if (rc < 0)
		return rc;
	g->list = mem_realloc(g->list, (g->n + 1) * sizeof(*g->list));
	g->list[g->n++] = (struct groups_entry){mem_strdup(name), context_hold(c)};
	return 0;
}

struct context *
groups_find(const struct groups *g, struct bytes name)
{
	for (size_t i = 0; i < g->n; i++)
		if (bytes_equal(bytes_str(g->list[i].name), name))
			return g->list[i].context;
	return NULL;
}

/* --- what comes in an informative response ------------------------------------------- */

/* What a registry calls it, by its number or by its name. */
static bool
take_number(const struct inform_value *v, int absent, int (*by_name)(struct bytes name, int *ret),
	int *ret)
{
	*ret = absent;
	if (!v->present)
		return true;
	if (v->text.p)
		return by_name(v->text, ret) == 0;
	*ret = (int)v->number;
	return v->number >= INT32_MIN && v->number <= INT32_MAX;
}

/* Credentials have no names here but the numbers of their labels. */
static int
no_name(struct bytes name, int *ret)
{
	(void)name;
	(void)ret;
	return -ENOENT;
}

/* The parameters of the signature are left alone: the credential says its curve itself. */
static bool
fill(const struct material *m, struct context_group *p)
{
	int format;

	if (!take_number(&m->hkdf, SUITE_HKDF_SHA256, suite_hkdf_number, &p->hkdf) ||
		!take_number(&m->gp_enc_alg, SUITE_CCM_16_64_128, suite_cipher_number,
			&p->group_encryption) ||
		!take_number(&m->sign_alg, SUITE_EDDSA, suite_signature_number, &p->signature) ||
		!take_number(&m->cred_fmt, CRED_KCCS, no_name, &format))
		return false;
	p->cred_format = (enum cred_format)format;
	p->master_secret = m->ms;
	p->master_salt = m->salt;
	p->gid = m->context_id;
	return true;
}

int
groups_make_offered(const struct inform_keys *offered, struct error *e, struct context **ret)
{
	struct material m;
	struct context_group p = {.gm_cred = offered->srv_cred};
	struct context *c;
	struct error why;
	int rc;

	if (material_decode(offered->gp_material, &m) < 0 || !fill(&m, &p)) {
		error_set(e, "the key material is malformed");
		return -EBADMSG;
	}
	if (!m.ms.p || !m.context_id.p || !offered->srv_cred.p || !offered->srv_identifier.p) {
		error_set(e, "the key material is not all there");
		return -EBADMSG;
	}
	if ((rc = context_new_group(&p, &why, &c)) == 0) {
		rc = context_add_recipient(
			c, offered->srv_identifier, offered->srv_cred, true, 0, &why, NULL);
		if (rc < 0)
			context_release(c);
	}
	if (rc < 0) {
		error_set(e, "the key material cannot be used: %.180s", why.text);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}
