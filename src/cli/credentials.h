/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What coapcast shows to a broker, and what it believes: the identity that --identity
 * names, of the file that --credentials names. The file has the form of the daemon's
 * `identities` and `oscore-groups`, seen from the client; coapcast(1), "CREDENTIALS".
 */
#ifndef COAPCAST_CLI_CREDENTIALS_H
#define COAPCAST_CLI_CREDENTIALS_H

#include "base/error.h"
#include "conf/confsec.h"

struct credentials_certificate { /* paths of PEM files; NULL: not given */
	const char *file;
	const char *key;
	const char *ca; /* whose servers are believed */
	const char *server; /* the name in the server's; NULL: the host of the URI */
};

struct credentials_identity {
	const char *name;
	struct conf_psk *psk; /* NULL: none; so is what follows */
	struct credentials_certificate *certificate;
	struct conf_oscore *oscore; /* as seen from here: sender is the client */
};

struct credentials;

/*
 * Reads the file and finds the identity; without a name, the only one there is, if there is
 * just one. 0, or negative errno with e filled.
 */
int credentials_load(
	const char *path, const char *identity, struct credentials **ret, struct error *e);
/* Overwrites all of it, and frees it; NULL is fine. */
void credentials_free(struct credentials *c);

/* NULL: the file has none, or several and none was named. */
const struct credentials_identity *credentials_identity(const struct credentials *c);
/* All of them. */
const struct credentials_identity *credentials_identities(
	const struct credentials *c, size_t *ret_n);
/*
 * The groups whose keys we have, as the daemon's configuration has them: sender-id and
 * private-key are ours, and who only listens has neither; members are those that are believed.
 */
const struct conf_oscore_group *credentials_groups(const struct credentials *c, size_t *ret_n);

#endif
