/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/confcheck.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

/* A key of identities[] that two of them must not share. */
struct shared_key {
	const char *path;
	struct bytes (*get)(struct conf *c, const struct conf_identity *id);
};

static struct bytes
identity_name(struct conf *c, const struct conf_identity *id)
{
	(void)c;
	return bytes_str(id->name);
}

static struct bytes
identity_psk(struct conf *c, const struct conf_identity *id)
{
	(void)c;
	return id->psk ? bytes_str(id->psk->identity) : BYTES_NONE;
}

static struct bytes
identity_cn(struct conf *c, const struct conf_identity *id)
{
	(void)c;
	return id->certificate ? bytes_str(id->certificate->cn) : BYTES_NONE;
}

/* A context is found by kid and kid context (RFC 8613 8.2). An absent and an
 * empty ID Context are too near to each other to tell peers apart by. */
static struct bytes
identity_oscore(struct conf *c, const struct conf_identity *id)
{
	const struct conf_oscore *o = id->oscore;
	struct buf out;
	size_t cap;

	if (!o)
		return BYTES_NONE;
	cap = 1 + o->recipient_id.n + o->id_context.n;
	out = buf_of(arena_alloc(&c->doc->arena, cap), cap);
	buf_put_u8(&out, (uint8_t)o->recipient_id.n);
	buf_put(&out, o->recipient_id);
	buf_put(&out, o->id_context);
	return buf_bytes(&out);
}

static const struct shared_key shared_keys[] = {
	{"name", identity_name},
	{"psk.identity", identity_psk},
	{"oscore.recipient-id", identity_oscore},
	{"certificate.cn", identity_cn},
};

static int
check_identities(struct conf *c, struct error *e)
{
	for (size_t i = 0; i < c->n_identities; i++) {
		const struct conf_identity *id = &c->identities[i];

		if (!id->psk && !id->oscore && !id->certificate)
			return confcheck_fail(c, e, "identities", i, NULL,
				"needs one of psk, oscore and certificate");
		/* RFC 8613 3.3: the two directions would share keys and nonces. */
		if (id->oscore && bytes_equal(id->oscore->sender_id, id->oscore->recipient_id))
			return confcheck_fail(c, e, "identities", i, "oscore.recipient-id",
				"must not be the same as sender-id");
	}
	return 0;
}

static int
check_identities_differ(struct conf *c, struct error *e)
{
	struct confcheck_unique *u = mem_alloc((c->n_identities + 1) * sizeof(*u));
	int rc = 0;

	for (size_t k = 0; k < sizeof(shared_keys) / sizeof(shared_keys[0]) && rc == 0; k++) {
		for (size_t i = 0; i < c->n_identities; i++)
			u[i] = (struct confcheck_unique){
				shared_keys[k].get(c, &c->identities[i]), i};
		rc = confcheck_twice(c, e, u, c->n_identities, "identities", shared_keys[k].path);
	}
	free(u);
	return rc;
}

#define AT(field) offsetof(struct conf_oscore_group, field)

/* What only one kind of group has: the fields are byte strings, or C strings. */
static const struct {
	const char *name;
	size_t at;
	bool is_bytes;
	bool self; /* a self-managed group makes use of it */
	bool required; /* an external one must have it */
} managed_keys[] = {
	{"gid", AT(gid), true, true, true},
	{"sender-id", AT(sender_id), true, true, true},
	{"master-secret", AT(master_secret), true, true, true},
	{"gm-credential", AT(gm_credential), true, false, true},
	{"join-uri", AT(join_uri), false, false, false},
	{"group-name", AT(group_name), false, false, false},
	{"as-uri", AT(as_uri), false, false, false},
};

static bool
has_key(const struct conf_oscore_group *g, size_t k)
{
	const void *field = (const char *)g + managed_keys[k].at;
	const struct bytes *b = field;
	const char *const *s = field;

	return managed_keys[k].is_bytes ? b->p != NULL : *s != NULL;
}

static int
check_managed(struct conf *c, struct error *e, size_t i)
{
	const struct conf_oscore_group *g = &c->oscore_groups[i];
	bool self = g->managed == CONF_MANAGED_SELF;

	for (size_t k = 0; k < sizeof(managed_keys) / sizeof(managed_keys[0]); k++) {
		bool has = has_key(g, k);

		if (self && has && !managed_keys[k].self)
			confcheck_note(c, LOG_LEVEL_WARNING, "oscore-groups", i,
				managed_keys[k].name, "is ignored without managed: external");
		if (!self && !has && managed_keys[k].required)
			return confcheck_fail(c, e, "oscore-groups", i, managed_keys[k].name,
				"is required with managed: external");
	}
	if (self && g->n_members > 0)
		confcheck_note(c, LOG_LEVEL_WARNING, "oscore-groups", i, "members",
			"is ignored without managed: external");
	if (!g->join_uri != !g->group_name)
		return confcheck_fail(c, e, "oscore-groups", i,
			g->join_uri ? "join-uri" : "group-name",
			"join-uri and group-name come together");
	return 0;
}

/* RFC 9053 4, RFC 9459: the bytes of an algorithm's nonce. */
static size_t
nonce_length(int algorithm)
{
	switch (algorithm) {
	case 0: /* none */
	case 10:
	case 11:
	case 30:
	case 31:
		return 13;
	case 12:
	case 13:
	case 32:
	case 33:
		return 7;
	default:
		return 12;
	}
}

static int
check_sender_ids(struct conf *c, struct error *e, size_t i)
{
	const struct conf_oscore_group *g = &c->oscore_groups[i];
	size_t a = nonce_length(g->group_encryption_algorithm);
	size_t b = nonce_length(g->aead_algorithm);
	size_t max = (a < b ? a : b) - 6;
	struct error why;
	char key[48];

	error_set(&why, "must be at most %zu bytes long with these algorithms", max);
	if (g->sender_id.n > max)
		return confcheck_fail(c, e, "oscore-groups", i, "sender-id", why.text);
	for (size_t j = 0; j < g->n_members; j++) {
		snprintf(key, sizeof(key), "members[%zu].sender-id", j);
		if (g->members[j].sender_id.n > max)
			return confcheck_fail(c, e, "oscore-groups", i, key, why.text);
		if (g->sender_id.p && bytes_equal(g->sender_id, g->members[j].sender_id))
			return confcheck_fail(c, e, "oscore-groups", i, key, "is the broker's own");
	}
	return 0;
}

static int
check_group_members(struct conf *c, struct error *e, size_t i)
{
	const struct conf_oscore_group *g = &c->oscore_groups[i];
	struct confcheck_unique *u = mem_alloc((g->n_members + 1) * sizeof(*u));
	char list[48];
	int rc;

	snprintf(list, sizeof(list), "oscore-groups[%zu].members", i);
	for (size_t j = 0; j < g->n_members; j++)
		u[j] = (struct confcheck_unique){g->members[j].sender_id, j};
	rc = confcheck_twice(c, e, u, g->n_members, list, "sender-id");
	free(u);
	return rc;
}

static int
check_oscore_group(struct conf *c, struct error *e, size_t i)
{
	const struct conf_oscore_group *g = &c->oscore_groups[i];
	int rc = check_managed(c, e, i);

	if (rc == 0 && !g->aead_algorithm != !g->pairwise_key_agreement_algorithm)
		rc = confcheck_fail(c, e, "oscore-groups", i, "aead-algorithm",
			"pairwise mode needs pairwise-key-agreement-algorithm as well");
	if (rc == 0)
		rc = check_sender_ids(c, e, i);
	return rc != 0 ? rc : check_group_members(c, e, i);
}

/* Requests and notifications are told apart by it; those of self-managed groups are drawn. */
static int
check_gids(struct conf *c, struct error *e)
{
	struct confcheck_unique *u = mem_alloc((c->n_oscore_groups + 1) * sizeof(*u));
	int rc;

	for (size_t i = 0; i < c->n_oscore_groups; i++) {
		const struct conf_oscore_group *g = &c->oscore_groups[i];

		u[i] = (struct confcheck_unique){
			g->managed == CONF_MANAGED_EXTERNAL ? g->gid : BYTES_NONE, i};
	}
	rc = confcheck_twice(c, e, u, c->n_oscore_groups, "oscore-groups", "gid");
	free(u);
	return rc;
}

static int
check_oscore_groups(struct conf *c, struct error *e)
{
	struct confcheck_unique *u = mem_alloc((c->n_oscore_groups + 1) * sizeof(*u));
	int rc = 0;

	for (size_t i = 0; i < c->n_oscore_groups && rc == 0; i++) {
		rc = check_oscore_group(c, e, i);
		u[i] = (struct confcheck_unique){bytes_str(c->oscore_groups[i].name), i};
	}
	if (rc == 0)
		rc = confcheck_twice(c, e, u, c->n_oscore_groups, "oscore-groups", "name");
	free(u);
	return rc != 0 ? rc : check_gids(c, e);
}

/* Without anything to show, no handshake could succeed. */
static int
check_secure_listen(struct conf *c, struct error *e)
{
	bool has_keys = c->security.certificate != NULL;

	for (size_t i = 0; i < c->n_identities; i++)
		has_keys = has_keys || c->identities[i].psk;
	for (size_t i = 0; i < c->n_listen && !has_keys; i++) {
		if (c->listen[i].scheme == CONF_COAPS || c->listen[i].scheme == CONF_COAPS_TCP)
			return confcheck_fail(c, e, "listen", i, NULL,
				"needs security.certificate or an identity with psk");
	}
	return 0;
}

int
confcheck_security(struct conf *c, struct error *e)
{
	int rc = check_identities(c, e);

	if (rc == 0)
		rc = check_identities_differ(c, e);
	if (rc == 0)
		rc = check_secure_listen(c, e);
	return rc != 0 ? rc : check_oscore_groups(c, e);
}
