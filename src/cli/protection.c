/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/protection.h"

#include <errno.h>

#include "base/buf.h"

#define NAMES_MAX 160

/* The names to choose from, as many as a line takes. */
static const char *
list_names(const struct credentials *c, char names[NAMES_MAX])
{
	static const char more[] = " ...";
	struct buf out = buf_of(names, NAMES_MAX - sizeof(more));
	const struct credentials_identity *list;
	size_t n;

	list = credentials_identities(c, &n);
	for (size_t i = 0; i < n && !out.full; i++)
		buf_printf(&out, "%s%s", i > 0 ? ", " : "", list[i].name);
	memcpy(names + out.n, out.full ? more : "", out.full ? sizeof(more) : 1);
	return names;
}

static int
refuse_nobody(const struct credentials *c, const char *path, const char *named, struct error *e)
{
	char names[NAMES_MAX];
	size_t n;

	(void)credentials_identities(c, &n);
	if (named)
		error_set(e,
			"%.80s: %.60s is a group, whose keys are not for one server: "
			"--identity wants an identity",
			path, named);
	else if (n > 0)
		error_set(e, "%.80s: has not just one identity: name one by --identity: %s", path,
			list_names(c, names));
	else
		error_set(e,
			"%.80s: has no identity, and the keys of groups are not for one "
			"server: nothing would be protected",
			path);
	return -EINVAL;
}

int
protection_choose(const struct credentials *c, const char *path, const char *named,
	enum uri_scheme scheme, struct error *e, unsigned *ret)
{
	const struct credentials_identity *id = credentials_identity(c);
	bool is_secure = scheme == URI_COAPS || scheme == URI_COAPS_TCP;
	unsigned how;

	if (!id)
		return refuse_nobody(c, path, named, e);
	if (is_secure && !id->psk && !id->certificate) {
		error_set(e, "%.80s: %.60s has neither psk nor certificate for this scheme", path,
			id->name);
		return -EINVAL;
	}
	how = (is_secure ? PROTECTION_TRANSPORT : 0) | (id->oscore ? PROTECTION_OBJECT : 0);
	if (how == 0) {
		error_set(e, "%.80s: %.60s has no OSCORE keys, and this scheme has nothing else",
			path, id->name);
		return -EINVAL;
	}
	*ret = how;
	return 0;
}
