/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether what goes to a URI can be protected by the credentials that were given for it:
 * whoever gives some wants them used, so anything else is a mistake to be told of, and
 * nothing is sent (RFC 8613 12: no fall-back to less). The keys themselves are keys.h's.
 */
#ifndef COAPCAST_CLI_PROTECTION_H
#define COAPCAST_CLI_PROTECTION_H

#include "cli/credentials.h"
#include "cli/uri.h"

enum {
	PROTECTION_OBJECT = 1, /* by OSCORE */
	PROTECTION_TRANSPORT = 2, /* by DTLS or TLS */
};

/*
 * How requests to one server are protected, a set that is not empty; `path` is the name of
 * the file, and `named` what --identity said, or NULL. -EINVAL with e filled: not at all, or
 * it is open as whom.
 */
int protection_choose(const struct credentials *c, const char *path, const char *named,
	enum uri_scheme scheme, struct error *e, unsigned *ret);

#endif
