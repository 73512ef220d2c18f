/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/keycheck.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "oscore/cred.h"

/* The OSCORE group being looked at. */
struct job {
	const struct conf *conf;
	const struct conf_oscore_group *group;
	const struct suite_signature *signature;
	struct error *e;
};

static int
refuse(const struct job *j, const char *key, const char *why)
{
	size_t i = (size_t)(j->group - j->conf->oscore_groups);

	return conf_refuse(j->conf, j->e, "oscore-groups", i, key, why);
}

/* A credential of the group's format, with a key in it; *ret is new. */
static int
read_credential(
	const struct job *j, const char *key, struct bytes credential, struct crypto_key **ret)
{
	struct error why;

	if (cred_key((enum cred_format)j->group->credential_format, credential, &why, ret) < 0)
		return refuse(j, key, why.text);
	return 0;
}

/* The same of somebody whose signatures are verified. */
static int
read_signer(const struct job *j, const char *key, struct bytes credential, struct crypto_key **ret)
{
	struct crypto_key *k;
	struct error why;
	int rc = read_credential(j, key, credential, &k);

	if (rc < 0)
		return rc;
	if (crypto_key_curve(k) != j->signature->curve) {
		crypto_key_free(k);
		error_set(&why, "its key is not of the curve that signature-algorithm %s takes",
			j->signature->name);
		return refuse(j, key, why.text);
	}
	*ret = k;
	return 0;
}

static int
check_own(const struct job *j)
{
	const struct conf_oscore_group *g = j->group;
	struct crypto_key *own, *public;
	struct error why;
	int rc;

	if (crypto_key_private(j->signature->curve, g->private_key, &why, &own) < 0)
		return refuse(j, "private-key", why.text);
	if (!g->credential.p) {
		crypto_key_free(own);
		return g->credential_format == CRED_KCCS
			       ? 0
			       : refuse(j, "credential",
					 "is required with this credential-format: only a CCS can "
					 "be made of the private key");
	}
	if ((rc = read_signer(j, "credential", g->credential, &public)) == 0) {
		if (!crypto_key_matches(own, public))
			rc = refuse(j, "private-key", "does not belong to the credential");
		crypto_key_free(public);
	}
	crypto_key_free(own);
	return rc;
}

/* Two with one key could each say to be the other (oscore-groupcomm 2.1). */
static int
check_is_alone(const struct job *j, const char *key, struct crypto_key *const *known, size_t n)
{
	struct error why;

	for (size_t i = 0; i < n; i++) {
		if (!bytes_equal(crypto_key_bytes(known[i]), crypto_key_bytes(known[n])))
			continue;
		if (i == 0)
			return refuse(j, key, "has the key that private-key is of");
		error_set(&why, "has the same key as that of members[%zu]", i - 1);
		return refuse(j, key, why.text);
	}
	return 0;
}

/* known[0] is ours, and the rest gets theirs. */
static int
check_members(const struct job *j, struct crypto_key **known)
{
	const struct conf_oscore_group *g = j->group;
	char key[48];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < g->n_members; i++) {
		snprintf(key, sizeof(key), "members[%zu].credential", i);
		rc = read_signer(j, key, g->members[i].credential, &known[i + 1]);
		if (rc == 0)
			rc = check_is_alone(j, key, known, i + 1);
	}
	return rc;
}

/* What only an external group makes use of. */
static int
check_others(const struct job *j)
{
	const struct conf_oscore_group *g = j->group;
	struct crypto_key *k, **known;
	struct error why;
	int rc = read_credential(j, "gm-credential", g->gm_credential, &k);

	if (rc < 0)
		return rc;
	crypto_key_free(k);
	known = mem_alloc((g->n_members + 1) * sizeof(*known));
	if (crypto_key_private(j->signature->curve, g->private_key, &why, &known[0]) < 0)
		rc = refuse(j, "private-key", why.text);
	else
		rc = check_members(j, known);
	for (size_t i = 0; i <= g->n_members; i++)
		crypto_key_free(known[i]);
	free(known);
	return rc;
}

int
keycheck_all(const struct conf *c, struct error *e)
{
	struct job j = {.conf = c, .e = e};
	struct error masked;
	int rc = 0;

	/* What --print-config wrote has no keys to look at, and is not started. */
	if (conf_masked(c, &masked))
		return 0;
	for (size_t i = 0; rc == 0 && i < c->n_oscore_groups; i++) {
		j.group = &c->oscore_groups[i];
		j.signature = suite_signature(j.group->signature_algorithm);
		rc = check_own(&j);
		if (rc == 0 && j.group->managed == CONF_MANAGED_EXTERNAL)
			rc = check_others(&j);
	}
	return rc;
}

int
keycheck_load(const char *path, struct conf **ret, struct error *e)
{
	struct conf *c;
	int rc = conf_load(path, &c, e);

	if (rc == 0 && (rc = keycheck_all(c, e)) < 0)
		conf_free(c);
	if (rc == 0)
		*ret = c;
	return rc;
}
