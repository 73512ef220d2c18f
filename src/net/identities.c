/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/identities.h"

bool
identities_find_psk(const struct conf *conf, struct subjects *subjects, struct bytes identity,
	uint32_t *ret_who, struct bytes *ret_key)
{
	for (size_t i = 0; i < conf->n_identities; i++) {
		const struct conf_identity *id = &conf->identities[i];

		if (!id->psk || !bytes_is(identity, id->psk->identity))
			continue;
		*ret_who = subjects_id(subjects, id->name);
		*ret_key = id->psk->key;
		return true;
	}
	return false;
}

bool
identities_find_cn(
	const struct conf *conf, struct subjects *subjects, struct bytes cn, uint32_t *ret_who)
{
	for (size_t i = 0; i < conf->n_identities; i++) {
		const struct conf_identity *id = &conf->identities[i];

		if (!id->certificate || !bytes_is(cn, id->certificate->cn))
			continue;
		*ret_who = subjects_id(subjects, id->name);
		return true;
	}
	return false;
}

static bool
psk_equal(const struct conf_psk *a, const struct conf_psk *b)
{
	return !a || (b && strcmp(a->identity, b->identity) == 0 && bytes_equal(a->key, b->key));
}

static bool
certificate_equal(const struct conf_cert_identity *a, const struct conf_cert_identity *b)
{
	return !a || (b && strcmp(a->cn, b->cn) == 0);
}

static bool
oscore_equal(const struct conf_oscore *a, const struct conf_oscore *b)
{
	if (!a)
		return true;
	return b && bytes_equal(a->sender_id, b->sender_id) &&
	       bytes_equal(a->recipient_id, b->recipient_id) &&
	       bytes_equal(a->master_secret, b->master_secret) &&
	       bytes_equal(a->master_salt, b->master_salt) &&
	       bytes_equal(a->id_context, b->id_context);
}

bool
identities_is_kept(const struct conf_identity *id, const struct conf *fresh)
{
	for (size_t i = 0; i < fresh->n_identities; i++) {
		const struct conf_identity *now = &fresh->identities[i];

		if (strcmp(now->name, id->name) == 0)
			return psk_equal(id->psk, now->psk) &&
			       certificate_equal(id->certificate, now->certificate) &&
			       oscore_equal(id->oscore, now->oscore);
	}
	return false;
}
