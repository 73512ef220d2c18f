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
