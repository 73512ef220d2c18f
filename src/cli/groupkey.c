/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/groupkey.h"

#include <errno.h>

#include "oscore/cred.h"
#include "oscore/crypto_key.h"
#include "oscore/suite.h"

static int
make_credential(const struct conf_oscore_group *g, struct buf *out, struct error *e)
{
	const struct suite_signature *s = suite_signature(g->signature_algorithm);
	struct crypto_key *key;
	int rc;

	if (!s) {
		error_set(e, "the signature algorithm is not known");
		return -EINVAL;
	}
	if ((rc = crypto_key_private(s->curve, g->private_key, e, &key)) < 0)
		return rc;
	if ((rc = cred_make(BYTES_NONE, key, out)) < 0)
		error_set(e, "its credential cannot be made");
	crypto_key_free(key);
	return rc;
}

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
			if ((rc = make_credential(g, made, e)) < 0)
				return rc;
			p.cred = buf_bytes(made);
		}
	}
	*ret = p;
	return 0;
}
