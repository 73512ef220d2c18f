/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/groupkey.h"

#include "oscore/cred.h"

int
groupkey_params(const struct conf_oscore_group *g, struct buf *made, struct error *e,
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

	if (g->sender_id.p && g->private_key.p) {
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
