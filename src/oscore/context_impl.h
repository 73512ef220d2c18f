/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a security context is made of, for the files of this room that compute with it.
 */
#ifndef COAPCAST_OSCORE_CONTEXT_IMPL_H
#define COAPCAST_OSCORE_CONTEXT_IMPL_H

#include "oscore/context.h"
#include "oscore/crypto.h"

/* A Gid or ID Context: shared with the bindings, which outlive a rekeying. */
struct context_id {
	unsigned refs;
	uint8_t n;
	uint8_t b[];
};

/* One end: a peer, or ourselves. */
struct recipient {
	struct map_node node; /* of context.recipients; not of ourselves */
	struct context *context; /* whose it is */
	struct crypto_key *pub; /* group: the key of cred */
	uint8_t *cred; /* group: exactly as distributed; owned */
	size_t n_cred;
	struct window window; /* not of ourselves */
	uint32_t who; /* not of ourselves */
	uint8_t n_id;
	bool has_pairwise; /* the next two are derived */
	uint8_t id[SUITE_MAX_ID];
	uint8_t key[SUITE_MAX_KEY]; /* Sender Key of that end */
	uint8_t pairwise_in[SUITE_MAX_KEY]; /* from that end to us */
	uint8_t pairwise_out[SUITE_MAX_KEY]; /* from us to that end */
};

struct context {
	struct map_node node; /* of a context_table */
	unsigned refs;
	bool group;
	bool silent; /* no Sender Context */
	int hkdf;
	const struct suite_cipher *aead; /* of plain and pairwise mode; NULL: not set */
	const struct suite_cipher *group_encryption; /* NULL: not set */
	const struct suite_signature *signature; /* NULL: not set */
	int pairwise; /* SUITE_NONE: not set */
	enum suite_curve curve; /* of everybody's keys in a group */
	enum cred_format cred_format;
	struct context_id *id; /* Gid or ID Context; NULL: none */
	uint8_t *gm_cred; /* group; owned */
	size_t n_gm_cred;
	struct crypto_key *secret; /* group, not silent: our private key */
	struct ssn *ssn; /* held; NULL: no numbers to be had */
	struct recipient self; /* id, key and credential; not when silent */
	struct map recipients; /* by hash of the id; a plain context has one: */
	struct recipient *peer; /* plain */
	uint8_t *master_secret; /* group: recipients are derived when they are added; owned */
	size_t n_master_secret;
	uint8_t *master_salt; /* the same */
	size_t n_master_salt;
	uint8_t common_iv[SUITE_MAX_NONCE];
	uint8_t sek[SUITE_MAX_KEY]; /* Signature Encryption Key */
};

struct context_id *context_id_hold(struct context_id *id); /* NULL is fine */
void context_id_release(struct context_id *id);

/* 0 when r->pairwise_* can be used, else -EPERM (-EINVAL, -EIO). */
int context_need_pairwise(struct context *c, struct recipient *r);

/* Whether it is our own end. */
static inline bool
context_is_self(const struct recipient *r)
{
	return r == &r->context->self;
}

static inline struct bytes
context_id_bytes(const struct context_id *id)
{
	return id != NULL ? bytes_of(id->b, id->n) : BYTES_NONE;
}

#endif
