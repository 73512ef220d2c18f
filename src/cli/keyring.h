/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Security contexts for reading along: all that a configuration has keys for, those of the
 * daemon and of a client alike, and those that informative responses announce. Nothing can
 * be protected with them: they have no sequence numbers.
 */
#ifndef COAPCAST_CLI_KEYRING_H
#define COAPCAST_CLI_KEYRING_H

#include "conf/conf.h"
#include "oscore/unprotect.h"
#include "wire/inform.h"

#define KEYRING_MAX_OFFERED 256 /* groups learnt from a capture */

struct keyring_label;

struct keyring {
	struct context_table table;
	struct keyring_label *labels; /* of contexts and of members; owned */
	size_t n_labels;
	unsigned n_offered;
};

void keyring_init(struct keyring *k);
void keyring_fini(struct keyring *k); /* wipes the keys with the last reference */

/*
 * Adds keys that are configured. `end`: what to call this end. Groups whose keys are not all
 * there are passed over. 0, or negative errno with e filled.
 */
int keyring_add_groups(struct keyring *k, const struct conf_oscore_group *groups, size_t n,
	const char *end, struct error *e);
/* The same of all identities and groups of the daemon's. */
int keyring_add_conf(struct keyring *k, const struct conf *c, const char *end, struct error *e);

/*
 * Adds the group of an informative response. 0, also when it is there already; -EBADMSG
 * when the key material is not understood, -ENOSPC past KEYRING_MAX_OFFERED, -EINVAL.
 */
int keyring_add_offered(struct keyring *k, const struct inform_keys *offered);

/* What a context is called: an identity or a group; "announced group" of an offered one. */
const char *keyring_name(const struct keyring *k, const struct context *c);
/* Who protected a message; NULL: the kid is all there is. */
const char *keyring_sender(const struct keyring *k, const struct recipient *from);

#endif
