/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request asks for: the path and query of a URI, kept as text, and the
 * options they become (RFC 7252 6.4). Which server that is, is the session's.
 * Uri-Host and Uri-Port are left out: their defaults are the address and port
 * the request goes to, and a request with them would differ from a phantom
 * request without.
 */
#ifndef COAPCAST_CLIENT_TARGET_H
#define COAPCAST_CLIENT_TARGET_H

#include "wire/msg.h"

#define TARGET_MAX 1024 /* bytes of path, and of query */
#define TARGET_NO_FORMAT (-1)

struct target {
	struct bytes path; /* "/ps/data/t", percent-encoded as in a URI */
	struct bytes query; /* "a=1&b=2", the same; empty: none */
	int accept; /* Accept, or TARGET_NO_FORMAT */
};

/*
 * Adds Uri-Path, Uri-Query and Accept. Values borrow from `scratch`, which must
 * live as long as the message; TARGET_MAX * 2 is enough room. -EINVAL for a broken
 * escape, a path without '/' in front or a part over 255 bytes, -ENOSPC for too many.
 */
int target_put(const struct target *t, struct msg *m, struct buf *scratch);

/* Appends text with %XX replaced by the octet it stands for; -EINVAL for a broken escape. */
int target_unescape(struct bytes text, struct buf *out);

#endif
