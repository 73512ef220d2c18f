/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/groupkey.h"

#define CCS_MAX 256

bool
groupkey_is_there(const struct conf_oscore_group *g)
{
	return g->master_secret.p && g->gid.p && g->gm_credential.p;
}

bool
groupkey_is_silent(const struct conf_oscore_group *g)
{
	return !g->sender_id.p || !g->private_key.p;
}

/* All but numbers; what is made to go with them is in `made`. */
static int
params(const struct conf_oscore_group *g, struct buf *made, struct error *e,
	struct context_group *ret)
{
	struct context_group p = {.master_secret = g->master_secret,
		.master_salt = g->master_salt,
		.gid = g->gid,
		.hkdf = g->hkdf,
		.aead = g->aead_algorithm,
		.group_encryption = g->group_encryption_algorithm,
		.signature = g->signature_algorithm,
		.pairwise = g->pairwise_key_agreement_algorithm,
		.cred_format = (enum cred_format)g->credential_format,
		.gm_cred = g->gm_credential};
	int rc;

	if (!groupkey_is_silent(g)) {
		p.sender_id = g->sender_id;
		p.private_key = g->private_key;
		p.cred = g->credential;
		if (!p.cred.p) {
			rc = cred_make_own(p.signature, p.cred_format, p.private_key, made, e);
			if (rc < 0)
				return rc;
			p.cred = buf_bytes(made);
		}
	}
	*ret = p;
	return 0;
}

int
groupkey_context(const struct conf_oscore_group *g, struct ssn *ssn,
	uint32_t (*who)(void *ctx, const char *member), void *ctx, struct error *e,
	struct context **ret)
{
	uint8_t ccs[CCS_MAX];
	struct buf made = BUF_OF(ccs);
	struct context_group p;
	struct context *c;
	int rc = params(g, &made, e, &p);

	if (rc < 0)
		return rc;
	p.ssn = ssn;
	if ((rc = context_new_group(&p, e, &c)) < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < g->n_members; i++)
		rc = context_add_recipient(c, g->members[i].sender_id, g->members[i].credential,
			true, who ? who(ctx, g->members[i].name) : 0, e, NULL);
	if (rc < 0)
		context_release(c);
	else
		*ret = c;
	return rc;
}
