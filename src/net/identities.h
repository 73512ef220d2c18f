/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is behind a handshake: the configuration's identities, looked up by what a
 * peer shows. Each is the subject of its name, however it came.
 */
#ifndef COAPCAST_NET_IDENTITIES_H
#define COAPCAST_NET_IDENTITIES_H

#include "conf/conf.h"
#include "net/subjects.h"

/* Whose PSK identity it is, and the key, borrowed from conf; false: nobody's. */
bool identities_find_psk(const struct conf *conf, struct subjects *subjects, struct bytes identity,
	uint32_t *ret_who, struct bytes *ret_key);
/* Who has a certificate with that common name; false: nobody. */
bool identities_find_cn(
	const struct conf *conf, struct subjects *subjects, struct bytes cn, uint32_t *ret_who);

/*
 * Whether `fresh` lets in whoever this identity let in: a session that was set up as it, or
 * an observation under its keys, goes on.
 */
bool identities_is_kept(const struct conf_identity *id, const struct conf *fresh);

#endif
