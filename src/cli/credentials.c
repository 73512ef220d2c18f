/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/credentials.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/confsec_keys.h"
#include "conf/lookup.h"
#include "conf/schema.h"

#define MAX_FILE (1024 * 1024)
#define GROUP_KEYS_MAX 32

struct credentials {
	struct schema_doc doc;
	struct credentials_identity *identities;
	size_t n_identities;
	struct conf_oscore_group *groups;
	size_t n_groups;
	const struct credentials_identity *chosen;
};

#define AT(field) .at = offsetof(STRUCT, field), .size = sizeof(((STRUCT *)0)->field)
#define SUB(field) .at = offsetof(STRUCT, field), .size = sizeof(*((STRUCT *)0)->field)

#define STRUCT struct credentials_certificate
static const struct schema_key certificate_keys[] = {
	{"file", SCHEMA_PATH, AT(file), .flags = SCHEMA_FILE, .help = "PEM file of ours."},
	{"key", SCHEMA_PATH, AT(key), .flags = SCHEMA_FILE | SCHEMA_SECRET,
		.help = "PEM file of its private key."},
	{"ca", SCHEMA_PATH, AT(ca), .flags = SCHEMA_REQUIRED | SCHEMA_FILE,
		.help = "PEM file of the authorities whose servers are believed."},
	{"server", SCHEMA_STRING, AT(server), .help = "Name in the server's certificate."},
	{.name = NULL},
};
#undef STRUCT

#define STRUCT struct credentials_identity
static const struct schema_key identity_keys[] = {
	{"name", SCHEMA_STRING, AT(name), .flags = SCHEMA_REQUIRED, .help = "Its name here."},
	{"psk", SCHEMA_MAP, SUB(psk), .keys = confsec_keys_psk, .flags = SCHEMA_OPTIONAL,
		.help = "A pre-shared key."},
	{"certificate", SCHEMA_MAP, SUB(certificate), .keys = certificate_keys,
		.flags = SCHEMA_OPTIONAL, .help = "Certificates."},
	{"oscore", SCHEMA_MAP, SUB(oscore), .keys = confsec_keys_oscore, .flags = SCHEMA_OPTIONAL,
		.help = "Keys of OSCORE."},
	{.name = NULL},
};
#undef STRUCT

/* The daemon's, but who only listens has no keys of its own. */
static struct schema_key group_keys[GROUP_KEYS_MAX];

static void
make_group_keys(void)
{
	const struct schema_key *from = confsec_keys_oscore_group;

	for (size_t i = 0; from[i].name; i++) {
		assert(i + 1 < GROUP_KEYS_MAX);
		group_keys[i] = from[i];
		if (strcmp(from[i].name, "private-key") == 0)
			group_keys[i].flags &= ~(unsigned)SCHEMA_REQUIRED;
	}
}

static const struct schema_key keys[] = {
	{"identities", SCHEMA_MAP, .list = true, .at = offsetof(struct credentials, identities),
		.at_n = offsetof(struct credentials, n_identities),
		.size = sizeof(struct credentials_identity), .keys = identity_keys, .list_min = 1,
		.help = "Who we can be."},
	{"oscore-groups", SCHEMA_MAP, .list = true, .at = offsetof(struct credentials, groups),
		.at_n = offsetof(struct credentials, n_groups),
		.size = sizeof(struct conf_oscore_group), .keys = group_keys, .list_min = 1,
		.help = "Groups whose keys we have."},
	{.name = NULL},
};

static int
read_file(struct credentials *c, const char *path, struct error *e)
{
	struct schema_source src = {.name = path, .folder = "."};
	const char *slash = strrchr(path, '/');
	struct bytes text;
	struct error why;
	struct stat st;
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = -errno;
		error_set(e, "%s: cannot be read: %s", path, strerror(errno));
		goto out;
	}
	if (slash)
		src.folder = arena_str(&c->doc.arena,
			slash == path ? bytes_str("/") : bytes_of(path, (size_t)(slash - path)));
	src.shared = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	rc = S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (rc != 0)
		error_set(e, "%s: is not a regular file", path);
	else if ((rc = lookup_slurp(fd, MAX_FILE, &c->doc.arena, &text, &why)) != 0)
		error_set(e, "%s: %s", path, why.text);
	else
		rc = schema_parse(&c->doc, keys, c, text, &src, e);
out:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* At the place of that key, or of the identity; -EINVAL. */
static int
refuse(const struct credentials *c, size_t i, const char *key, const char *why, struct error *e)
{
	struct schema_place at;
	char path[80];

	(void)snprintf(
		path, sizeof(path), "identities[%zu]%s%s", i, key ? "." : "", key ? key : "");
	at = schema_near(&c->doc, path);
	schema_error(e, &at, path, why);
	return -EINVAL;
}

static int
check(const struct credentials *c, size_t i, struct error *e)
{
	const struct credentials_identity *id = &c->identities[i];

	if (!id->psk && !id->certificate && !id->oscore)
		return refuse(c, i, NULL, "needs one of psk, certificate and oscore", e);
	if (id->psk && id->certificate)
		return refuse(c, i, "certificate", "psk and certificate exclude each other", e);
	if (id->certificate && !id->certificate->file != !id->certificate->key)
		return refuse(c, i, "certificate", "file and key come together", e);
	/* RFC 8613 3.3: the two directions would share keys and nonces. */
	if (id->oscore && bytes_equal(id->oscore->sender_id, id->oscore->recipient_id))
		return refuse(c, i, "oscore.recipient-id", "must not be the same as sender-id", e);
	return 0;
}

static bool
is_group(const struct credentials *c, const char *name)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (strcmp(c->groups[i].name, name) == 0)
			return true;
	return false;
}

static int
choose(struct credentials *c, const char *path, const char *identity, struct error *e)
{
	if (!identity && c->n_identities == 1)
		c->chosen = &c->identities[0];
	for (size_t i = 0; identity && i < c->n_identities; i++) {
		if (strcmp(c->identities[i].name, identity) == 0)
			c->chosen = &c->identities[i];
	}
	if (c->chosen)
		return check(c, (size_t)(c->chosen - c->identities), e);
	if (identity && !is_group(c, identity)) {
		error_set(e, "%s: has no identity %s", path, identity);
		return -ENOENT;
	}
	if (c->n_identities == 0 && c->n_groups == 0) {
		error_set(e, "%s: has neither identities nor oscore-groups", path);
		return -EINVAL;
	}
	return 0;
}

int
credentials_load(const char *path, const char *identity, struct credentials **ret, struct error *e)
{
	struct credentials *c = mem_alloc(sizeof(*c));
	int rc;

	make_group_keys();
	schema_defaults(&c->doc, keys, c);
	rc = read_file(c, path, e);
	if (rc == 0) {
		schema_finish(&c->doc, keys, c);
		rc = choose(c, path, identity, e);
	}
	if (rc != 0) {
		credentials_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

const struct credentials_identity *
credentials_identity(const struct credentials *c)
{
	return c->chosen;
}

const struct credentials_identity *
credentials_identities(const struct credentials *c, size_t *ret_n)
{
	*ret_n = c->n_identities;
	return c->identities;
}

const struct conf_oscore_group *
credentials_groups(const struct credentials *c, size_t *ret_n)
{
	*ret_n = c->n_groups;
	return c->groups;
}

void
credentials_free(struct credentials *c)
{
	if (!c)
		return;
	schema_fini(&c->doc);
	free(c);
}
