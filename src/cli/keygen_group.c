/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of keygen.h that makes OSCORE groups. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "cli/keygen.h"
#include "oscore/context.h"

#define SECRET_LEN 16 /* at least; that of the longest key when it is longer */
#define SALT_LEN 8
#define GID_LEN 4
#define LINE_MAX_LEN 512 /* more than a line of YAML about a member has */
#define CCS_MAX 256

/* A key pair and its credential. */
struct party {
	const char *name;
	uint8_t id; /* Sender ID */
	struct crypto_key *key; /* NULL: only the credential is there */
	uint8_t *cred; /* owned, and as long as a name and a key ask for */
	size_t n_cred;
};

struct group {
	const struct keyargs *a;
	struct party broker, gm;
	struct party *members;
	uint8_t secret[SUITE_MAX_KEY];
	size_t n_secret;
	uint8_t salt[SALT_LEN];
	struct keyargs_id gid;
};

static struct bytes
cred_of(const struct party *p)
{
	return bytes_of(p->cred, p->n_cred);
}

static int
make_party(const struct group *g, const char *name, uint8_t id, struct party *p, struct error *e)
{
	uint8_t ccs[CCS_MAX];
	struct buf out = BUF_OF(ccs);
	int rc = crypto_key_generate(suite_signature(g->a->signature)->curve, rnd_fill, &p->key);

	if (rc == 0)
		rc = cred_make(bytes_str(name), p->key, &out);
	if (rc < 0) {
		error_set(e, "the key of %s cannot be made", name);
		return rc;
	}
	p->name = name;
	p->id = id;
	p->cred = mem_dup(buf_bytes(&out));
	p->n_cred = out.n;
	return 0;
}

/* The credential of a Group Manager that is there already. */
static int
read_gm(struct group *g, struct error *e)
{
	const char *path = g->a->gm_credential;
	struct crypto_key *key;
	struct error why;
	FILE *f = fopen(path, "rbe");
	int rc;

	if (!f) {
		rc = -errno;
		error_set(e, "%s: %s", path, strerror(errno));
		return rc;
	}
	g->gm.name = "gm";
	g->gm.cred = mem_alloc(CRED_MAX + 1);
	g->gm.n_cred = fread(g->gm.cred, 1, CRED_MAX + 1, f);
	rc = ferror(f) ? -EIO : g->gm.n_cred > CRED_MAX ? -EBADMSG : 0;
	(void)fclose(f);
	if (rc < 0)
		error_set(&why, "cannot be read, or is too long");
	else if (cred_key(CRED_KCCS, cred_of(&g->gm), &why, &key) < 0)
		rc = -EBADMSG;
	if (rc < 0) {
		error_set(e, "%s: %.180s", path, why.text);
		return rc;
	}
	crypto_key_free(key);
	return 0;
}

static size_t
longest_key(const struct keyargs *a)
{
	const struct suite_cipher *c[] = {suite_cipher(a->group_encryption), suite_cipher(a->aead)};
	size_t n = SECRET_LEN;

	for (size_t i = 0; i < 2; i++) {
		if (c[i] && c[i]->key > n)
			n = c[i]->key;
	}
	return n;
}

/* All keys. A self-managed group's secret is drawn by the broker: not this one. */
static int
make_keys(struct group *g, struct error *e)
{
	const struct keyargs *a = g->a;
	int rc = make_party(g, "broker", 0, &g->broker, e);

	for (size_t i = 0; rc == 0 && i < a->n_members; i++)
		rc = make_party(g, a->members[i], (uint8_t)(i + 1), &g->members[i], e);
	if (rc == 0 && !a->self)
		rc = a->gm_credential ? read_gm(g, e) : make_party(g, "gm", 0, &g->gm, e);
	g->n_secret = longest_key(a);
	rnd_fill(g->secret, g->n_secret);
	rnd_fill(g->salt, sizeof(g->salt));
	g->gid = a->gid;
	if (!g->gid.given) {
		g->gid = (struct keyargs_id){.given = true, .n = GID_LEN};
		rnd_fill(g->gid.b, GID_LEN);
	}
	return rc;
}

/* That the broker's context can be made of it says that all of it fits together. */
static int
try_group(const struct group *g, struct error *e)
{
	const struct keyargs *a = g->a;
	struct context_group p = {
		.master_secret = bytes_of(g->secret, g->n_secret),
		.master_salt = BYTES_OF(g->salt),
		.gid = bytes_of(g->gid.b, g->gid.n),
		.sender_id = bytes_of(&g->broker.id, 1),
		.hkdf = a->hkdf,
		.aead = a->aead,
		.group_encryption = a->group_encryption,
		.signature = a->signature,
		.pairwise = a->pairwise,
		.cred_format = CRED_KCCS,
		.gm_cred = cred_of(a->self ? &g->broker : &g->gm),
		.cred = cred_of(&g->broker),
		.private_key = crypto_key_secret(g->broker.key),
	};
	struct context *c;
	int rc = context_new_group(&p, e, &c);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < a->n_members; i++)
		rc = context_add_recipient(c, bytes_of(&g->members[i].id, 1),
			cred_of(&g->members[i]), true, 0, e, NULL);
	context_release(c);
	return rc;
}

static void
put_hex(struct buf *out, const char *key, struct bytes what)
{
	buf_printf(out, "    %s: \"hex:", key);
	buf_put_hex(out, what);
	buf_put_str(out, "\"\n");
}

/* How coapcast.yaml(5) writes it. */
static const char *
pairwise_name(int number)
{
	if (number == SUITE_ECDH_SS_HKDF256)
		return "ECDH-SS+HKDF-256";
	return number == SUITE_ECDH_SS_HKDF512 ? "ECDH-SS+HKDF-512" : "none";
}

/* What is the same at every end but for whose keys they are. */
static void
put_group(const struct group *g, const struct party *own, struct buf *out)
{
	const struct keyargs *a = g->a;

	buf_printf(out, "oscore-groups:\n  - name: \"%s\"\n    managed: %s\n", a->name,
		a->self ? "self" : "external");
	if (!a->self)
		put_hex(out, "gid", bytes_of(g->gid.b, g->gid.n));
	put_hex(out, "sender-id", bytes_of(&own->id, 1));
	if (!a->self) {
		buf_printf(out, "    master-secret: \"file:%s.secret\"\n", a->name);
		put_hex(out, "master-salt", BYTES_OF(g->salt));
	}
	buf_printf(out, "    group-encryption-algorithm: \"%s\"\n",
		suite_cipher_name(a->group_encryption));
	buf_printf(out, "    signature-algorithm: \"%s\"\n", suite_signature_name(a->signature));
	buf_printf(out, "    hkdf: \"%s\"\n", suite_hkdf_name(a->hkdf));
	buf_printf(out, "    aead-algorithm: \"%s\"\n", suite_cipher_name(a->aead));
	buf_printf(
		out, "    pairwise-key-agreement-algorithm: \"%s\"\n", pairwise_name(a->pairwise));
	buf_printf(
		out, "    credential-format: \"CCS\"\n    private-key: \"file:%s.key\"\n", a->name);
	buf_printf(out, "    credential: \"file:%s.ccs\"\n", a->name);
	if (!a->self)
		buf_printf(out, "    gm-credential: \"file:%s.gm.ccs\"\n", a->name);
}

static void
put_member(const struct group *g, const struct party *p, struct buf *out)
{
	buf_printf(out,
		"      - { name: \"%s\", sender-id: \"hex:%02x\", credential: "
		"\"file:%s.%s.ccs\" }\n",
		p->name, p->id, g->a->name, p->name);
}

/* The keys and credentials that a folder of either kind has, where `add` puts what is no secret. */
static void
add_files(const struct group *g, const char *folder, const struct party *own, struct bundle *b,
	void (*add)(struct bundle *b, struct bytes content, const char *fmt, ...))
{
	const char *name = g->a->name;

	if (!g->a->self) {
		bundle_add(b, bytes_of(g->secret, g->n_secret), "%s/%s.secret", folder, name);
		add(b, cred_of(&g->gm), "%s/%s.gm.ccs", folder, name);
	}
	bundle_add(b, crypto_key_secret(own->key), "%s/%s.key", folder, name);
	add(b, cred_of(own), "%s/%s.ccs", folder, name);
}

static void
put_uri(struct buf *out, const char *key, const char *text)
{
	if (text)
		buf_printf(out, "    %s: \"%s\"\n", key, text);
}

static void
add_broker(const struct group *g, struct buf *out, struct bundle *b)
{
	const struct keyargs *a = g->a;

	buf_clear(out);
	put_group(g, &g->broker, out);
	put_uri(out, "join-uri", a->join_uri);
	put_uri(out, "group-name", a->join_uri && !a->group_name ? a->name : a->group_name);
	put_uri(out, "as-uri", a->as_uri);
	if (a->n_members > 0)
		buf_put_str(out, "    members:\n");
	for (size_t i = 0; i < a->n_members; i++) {
		put_member(g, &g->members[i], out);
		bundle_add_open(
			b, cred_of(&g->members[i]), "broker/%s.%s.ccs", a->name, a->members[i]);
	}
	add_files(g, "broker", &g->broker, b, bundle_add_open);
	bundle_add_open(b, buf_bytes(out), "broker/conf.d/%s.yaml", a->name);
	keygen_add_unit(a, "key", a->self ? NULL : "secret", b);
}

static void
add_member(const struct group *g, const struct party *p, struct buf *out, struct bundle *b)
{
	const char *name = g->a->name;

	buf_clear(out);
	put_group(g, p, out);
	buf_put_str(out, "    members:\n");
	put_member(g, &g->broker, out);
	add_files(g, p->name, p, b, bundle_add);
	bundle_add(b, cred_of(&g->broker), "%s/%s.broker.ccs", p->name, name);
	bundle_add(b, buf_bytes(out), "%s/%s.yaml", p->name, name);
}

static void
free_party(struct party *p)
{
	crypto_key_free(p->key);
	free(p->cred);
}

int
keygen_fill_group(const struct keyargs *a, struct bundle *b, struct error *e)
{
	struct group g = {.a = a};
	size_t cap = (a->n_members + 32) * LINE_MAX_LEN + 3 * BUNDLE_PATH;
	struct buf out = buf_of(mem_alloc(cap), cap);
	int rc;

	g.members = mem_alloc((a->n_members + 1) * sizeof(*g.members));
	if ((rc = make_keys(&g, e)) < 0 || (rc = try_group(&g, e)) < 0)
		goto out;
	add_broker(&g, &out, b);
	for (size_t i = 0; i < a->n_members; i++)
		add_member(&g, &g.members[i], &out, b);
	if (g.gm.key) {
		bundle_add(b, crypto_key_secret(g.gm.key), "gm/%s.key", a->name);
		bundle_add(b, cred_of(&g.gm), "gm/%s.ccs", a->name);
	}
	if (out.full) {
		error_set(e, "the URIs are too long");
		rc = -EINVAL;
	}
out:
	for (size_t i = 0; i < a->n_members; i++)
		free_party(&g.members[i]);
	free_party(&g.broker);
	free_party(&g.gm);
	free(g.members);
	free(out.p);
	mem_wipe(&g, sizeof(g));
	return rc;
}
