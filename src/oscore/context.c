/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/context.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "oscore/context_impl.h"
#include "oscore/derive.h"

#define ID_SEED 0x6f736372u /* of recipients' ids; they are configured, nobody can choose them */

static int
refuse(struct error *e, const char *why)
{
	error_set(e, "%s", why);
	return -EINVAL;
}

static void
wipe_free(uint8_t *p, size_t n)
{
	if (p != NULL)
		mem_wipe(p, n);
	free(p);
}

struct context_id *
context_id_hold(struct context_id *id)
{
	if (id != NULL)
		id->refs++;
	return id;
}

void
context_id_release(struct context_id *id)
{
	if (id != NULL && --id->refs == 0)
		free(id);
}

static struct context_id *
make_id(struct bytes b)
{
	struct context_id *id;

	if (b.p == NULL)
		return NULL;
	id = mem_alloc(sizeof(*id) + b.n);
	id->refs = 1;
	id->n = (uint8_t)b.n;
	memcpy(id->b, b.p, b.n);
	return id;
}

static void
fini_recipient(struct recipient *r)
{
	crypto_key_free(r->pub);
	free(r->cred);
	mem_wipe(r, sizeof(*r));
}

static void
free_recipient(void *ctx, struct map_node *node)
{
	struct context *c = ctx;
	struct recipient *r = MAP_OBJECT(node, struct recipient, node);

	map_remove(&c->recipients, node);
	fini_recipient(r);
	free(r);
}

struct context *
context_hold(struct context *c)
{
	c->refs++;
	return c;
}

void
context_release(struct context *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	map_each(&c->recipients, free_recipient, c);
	map_fini(&c->recipients);
	fini_recipient(&c->self);
	crypto_key_free(c->secret);
	ssn_release(c->ssn);
	context_id_release(c->id);
	free(c->gm_cred);
	wipe_free(c->master_secret, c->n_master_secret);
	wipe_free(c->master_salt, c->n_master_salt);
	mem_wipe(c, sizeof(*c));
	free(c);
}

/* What both kinds have; everything is copied. */
static struct context *
make_context(struct bytes secret, struct bytes salt, struct bytes id, int hkdf, struct ssn *ssn)
{
	struct context *c = mem_alloc(sizeof(*c));

	c->refs = 1;
	c->hkdf = hkdf != SUITE_NONE ? hkdf : SUITE_HKDF_SHA256;
	c->id = make_id(id);
	c->ssn = ssn != NULL ? ssn_hold(ssn) : NULL;
	c->master_secret = mem_dup(secret);
	c->n_master_secret = secret.n;
	c->master_salt = mem_dup(salt);
	c->n_master_salt = salt.n;
	c->self.context = c;
	map_init(&c->recipients);
	return c;
}

size_t
context_max_id(const struct context *c)
{
	size_t n = SUITE_MAX_NONCE;

	if (c->aead != NULL && c->aead->nonce < n)
		n = c->aead->nonce;
	if (c->group_encryption != NULL && c->group_encryption->nonce < n)
		n = c->group_encryption->nonce;
	return n - 6;
}

/* The id and the key derived from it. */
static int
set_party(struct context *c, struct recipient *r, struct bytes id, struct error *e)
{
	if (id.n > context_max_id(c)) {
		error_set(e, "the id of %zu bytes is too long: these algorithms allow %zu", id.n,
			context_max_id(c));
		return -EINVAL;
	}
	r->context = c;
	r->n_id = (uint8_t)id.n;
	if (id.n > 0)
		memcpy(r->id, id.p, id.n);
	if (derive_sender_key(c, id, r->key) == 0)
		return 0;
	error_set(e, "libcrypto cannot derive keys");
	return -EIO;
}

/* The credential and the key in it. */
static int
set_cred(struct context *c, struct recipient *r, struct bytes cred, struct error *e)
{
	int rc = cred_key(c->cred_format, cred, e, &r->pub);

	if (rc < 0)
		return rc;
	if (c->signature == NULL && c->curve == 0)
		c->curve = crypto_key_curve(r->pub);
	if (crypto_key_curve(r->pub) != c->curve)
		return refuse(e, "the credential's key is not of the group's curve");
	r->cred = mem_dup(cred);
	r->n_cred = cred.n;
	return 0;
}

static void
put_recipient(struct context *c, struct recipient *r)
{
	map_put(&c->recipients, &r->node, map_hash(context_recipient_id(r), ID_SEED));
}

int
context_new_plain(const struct context_plain *p, struct error *e, struct context **ret)
{
	int number = p->aead != SUITE_NONE ? p->aead : SUITE_CCM_16_64_128;
	const struct suite_cipher *aead = suite_cipher(number);
	struct recipient *r;
	struct context *c;
	int rc;

	if (p->master_secret.n == 0)
		return refuse(e, "the master secret is empty");
	if (aead == NULL || aead->tag == 0)
		return refuse(e, "the AEAD algorithm is not one");
	if (p->id_context.n > UINT8_MAX)
		return refuse(e, "the ID Context has more than 255 bytes");
	if (bytes_equal(p->sender_id, p->recipient_id))
		return refuse(e, "the sender id and the recipient id are the same");
	c = make_context(p->master_secret, p->master_salt, p->id_context, p->hkdf, p->ssn);
	c->aead = aead;
	r = mem_alloc(sizeof(*r));
	r->who = p->who;
	window_init(&r->window, p->window_valid);
	rc = set_party(c, r, p->recipient_id, e);
	put_recipient(c, r); /* from here on the context frees it */
	c->peer = r;
	if (rc < 0 || (rc = set_party(c, &c->self, p->sender_id, e)) < 0)
		goto fail;
	if ((rc = derive_common_iv(c)) < 0) {
		error_set(e, "libcrypto cannot derive keys");
		goto fail;
	}
	*ret = c;
	return 0;
fail:
	context_release(c);
	return rc;
}

/* Each mode has both of its algorithms or none (oscore-groupcomm 2.1). */
static int
check_modes(const struct context *c, struct error *e)
{
	if ((c->group_encryption == NULL) != (c->signature == NULL))
		return refuse(e, "group mode needs both an encryption and a signature algorithm");
	if ((c->aead == NULL) != (c->pairwise == SUITE_NONE))
		return refuse(e, "pairwise mode needs both an AEAD and a key agreement algorithm");
	if (c->group_encryption == NULL && c->aead == NULL)
		return refuse(e, "the group has algorithms for neither group nor pairwise mode");
	return 0;
}

/* The algorithms of a group. */
static int
set_algorithms(struct context *c, const struct context_group *p, struct error *e)
{
	c->aead = suite_cipher(p->aead);
	c->group_encryption = suite_cipher(p->group_encryption);
	c->signature = suite_signature(p->signature);
	c->pairwise = p->pairwise;
	c->curve = c->signature != NULL ? c->signature->curve : 0;
	if (p->aead != SUITE_NONE && (c->aead == NULL || c->aead->tag == 0))
		return refuse(e, "the AEAD algorithm is not one");
	if (p->group_encryption != SUITE_NONE && c->group_encryption == NULL)
		return refuse(e, "the group encryption algorithm is unknown");
	if (p->signature != SUITE_NONE && c->signature == NULL)
		return refuse(e, "the signature algorithm is unknown");
	if (p->pairwise != SUITE_NONE && p->pairwise != SUITE_ECDH_SS_HKDF256 &&
		p->pairwise != SUITE_ECDH_SS_HKDF512)
		return refuse(e, "the pairwise key agreement algorithm is unknown");
	return check_modes(c, e);
}

/* Our own Sender Context. */
static int
set_self(struct context *c, const struct context_group *p, struct error *e)
{
	int rc;

	c->silent = p->sender_id.p == NULL;
	if (c->silent)
		return 0;
	if ((rc = set_party(c, &c->self, p->sender_id, e)) < 0 ||
		(rc = set_cred(c, &c->self, p->cred, e)) < 0 ||
		(rc = crypto_key_private(c->curve, p->private_key, e, &c->secret)) < 0)
		return rc;
	if (!crypto_key_matches(c->secret, c->self.pub))
		return refuse(e, "the private key does not belong to the credential");
	return 0;
}

int
context_new_group(const struct context_group *p, struct error *e, struct context **ret)
{
	struct bytes gm_cred = p->gm_cred.p != NULL ? p->gm_cred : p->cred;
	struct context *c;
	int rc;

	if (p->master_secret.n == 0)
		return refuse(e, "the master secret is empty");
	if (p->gid.n == 0 || p->gid.n > UINT8_MAX)
		return refuse(e, "the Gid is to have 1 to 255 bytes");
	if (gm_cred.n == 0 || gm_cred.n > CRED_MAX)
		return refuse(e, "the Group Manager's credential is missing or too long");
	c = make_context(p->master_secret, p->master_salt, p->gid, p->hkdf, p->ssn);
	c->group = true;
	c->cred_format = p->cred_format;
	c->gm_cred = mem_dup(gm_cred);
	c->n_gm_cred = gm_cred.n;
	if ((rc = set_algorithms(c, p, e)) < 0 || (rc = set_self(c, p, e)) < 0)
		goto fail;
	if ((rc = derive_common_iv(c)) < 0 || (rc = derive_signature_key(c)) < 0) {
		error_set(e, "libcrypto cannot derive keys");
		goto fail;
	}
	*ret = c;
	return 0;
fail:
	context_release(c);
	return rc;
}

int
context_add_recipient(struct context *c, struct bytes id, struct bytes cred, bool window_valid,
	uint32_t who, struct error *e, struct recipient **ret)
{
	struct recipient *r;
	int rc;

	if (!c->group)
		return refuse(e, "not a group");
	if (context_find_recipient(c, id) != NULL ||
		(!c->silent && bytes_equal(id, context_sender_id(c)))) {
		error_set(e, "the id is another member's already");
		return -EEXIST;
	}
	r = mem_alloc(sizeof(*r));
	if ((rc = set_party(c, r, id, e)) < 0 || (rc = set_cred(c, r, cred, e)) < 0) {
		fini_recipient(r);
		free(r);
		return rc;
	}
	r->who = who;
	window_init(&r->window, window_valid);
	put_recipient(c, r);
	if (ret != NULL)
		*ret = r;
	return 0;
}

struct recipient *
context_find_recipient(const struct context *c, struct bytes id)
{
	struct map_node *node = map_first(&c->recipients, map_hash(id, ID_SEED));

	for (; node != NULL; node = map_next(node)) {
		struct recipient *r = MAP_OBJECT(node, struct recipient, node);

		if (bytes_equal(context_recipient_id(r), id))
			return r;
	}
	return NULL;
}

/* --- a group that is known from two ends --------------------------------------------- */

static bool
same_plain(const struct context *a, const struct context *b)
{
	return bytes_equal(context_sender_id(a), context_sender_id(b)) &&
	       crypto_equal(BYTES_OF(a->self.key), BYTES_OF(b->self.key)) &&
	       crypto_equal(BYTES_OF(a->peer->key), BYTES_OF(b->peer->key)) &&
	       crypto_equal(BYTES_OF(a->common_iv), BYTES_OF(b->common_iv));
}

/* All that keys and AAD are made of. */
static bool
same_group(const struct context *a, const struct context *b)
{
	return a->hkdf == b->hkdf && a->aead == b->aead && a->pairwise == b->pairwise &&
	       a->group_encryption == b->group_encryption && a->signature == b->signature &&
	       a->cred_format == b->cred_format &&
	       crypto_equal(bytes_of(a->master_secret, a->n_master_secret),
		       bytes_of(b->master_secret, b->n_master_secret)) &&
	       bytes_equal(bytes_of(a->master_salt, a->n_master_salt),
		       bytes_of(b->master_salt, b->n_master_salt)) &&
	       bytes_equal(bytes_of(a->gm_cred, a->n_gm_cred), bytes_of(b->gm_cred, b->n_gm_cred));
}

struct unite {
	struct context *into;
	int rc;
};

static int
unite_end(struct context *into, const struct recipient *r, uint32_t who)
{
	struct bytes id = context_recipient_id(r), cred = context_recipient_cred(r);
	const struct recipient *known = context_find_recipient(into, id);
	struct error e;

	if (known == NULL && !into->silent && bytes_equal(id, context_sender_id(into)))
		known = &into->self;
	if (known == NULL)
		return context_add_recipient(into, id, cred, true, who, &e, NULL);
	return bytes_equal(context_recipient_cred(known), cred) ? 0 : -EEXIST;
}

static void
unite_member(void *ctx, struct map_node *node)
{
	struct unite *u = ctx;
	const struct recipient *r = MAP_OBJECT(node, struct recipient, node);

	if (u->rc == 0)
		u->rc = unite_end(u->into, r, r->who);
}

int
context_unite(struct context *into, struct context *from, uint32_t who)
{
	struct unite u = {.into = into};

	if (into->group != from->group)
		return -EEXIST;
	if (!into->group)
		return same_plain(into, from) ? 0 : -EEXIST;
	if (!same_group(into, from))
		return -EEXIST;
	if (!from->silent && who != 0)
		u.rc = unite_end(into, &from->self, who);
	map_each(&from->recipients, unite_member, &u);
	return u.rc;
}

int
context_need_pairwise(struct context *c, struct recipient *r)
{
	int rc;

	if (!context_has_pairwise_mode(c) || c->silent || context_is_self(r))
		return -EPERM;
	if (r->has_pairwise)
		return 0;
	rc = derive_pairwise_keys(c, r);
	if (rc == 0)
		r->has_pairwise = true;
	return rc;
}

bool
context_is_group(const struct context *c)
{
	return c->group;
}

bool
context_has_group_mode(const struct context *c)
{
	return c->group && c->group_encryption != NULL;
}

bool
context_has_pairwise_mode(const struct context *c)
{
	return c->group && c->aead != NULL;
}

bool
context_is_silent(const struct context *c)
{
	return c->silent;
}

struct bytes
context_gid(const struct context *c)
{
	return context_id_bytes(c->id);
}

struct bytes
context_sender_id(const struct context *c)
{
	return c->silent ? BYTES_NONE : bytes_of(c->self.id, c->self.n_id);
}

struct ssn *
context_ssn(const struct context *c)
{
	return c->ssn;
}

struct bytes
context_recipient_id(const struct recipient *r)
{
	return bytes_of(r->id, r->n_id);
}

struct bytes
context_recipient_cred(const struct recipient *r)
{
	return bytes_of(r->cred, r->n_cred);
}

uint32_t
context_recipient_who(const struct recipient *r)
{
	return r->who;
}

struct window *
context_recipient_window(struct recipient *r)
{
	return &r->window;
}

struct context *
context_recipient_context(const struct recipient *r)
{
	return r->context;
}

bool
context_recipient_is_own(const struct recipient *r)
{
	return context_is_self(r);
}
