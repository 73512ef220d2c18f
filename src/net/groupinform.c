/* SPDX-License-Identifier: BSD-2-Clause */
/* What informative responses say of an OSCORE group: its keys, or where to get them. */
#include "net/groupkeys_impl.h"
#include "oscore/suite.h"
#include "wire/material.h"

#define COSE_KTY_OKP 1
#define COSE_KTY_EC2 2
#define COSE_KENC_KEY 1 /* the seed: public keys are COSE_Keys, which a CCS holds one of */
#define STEPS 64 /* what is told of a lifetime is that coarse, */
#define STEP_MAX_S 60 /* or this */

/* Capabilities of the algorithm and of its keys: [[kty], [kty, crv]]. */
static struct bytes
sign_params(int signature)
{
	static const uint8_t eddsa[] = {0x82, 0x81, 1, 0x82, 1, 6},
			     es256[] = {0x82, 0x81, 2, 0x82, 2, 1};

	return signature == SUITE_ES256 ? BYTES_OF(es256) : BYTES_OF(eddsa);
}

static struct inform_value
number(int64_t n)
{
	return (struct inform_value){.present = true, .number = n};
}

int
groupinform_material(const struct conf_oscore_group *conf, struct bytes secret, struct bytes gid,
	struct buf *out)
{
	struct material m = {.ms = secret,
		.hkdf = number(conf->hkdf),
		.salt = conf->master_salt.n > 0 ? conf->master_salt : BYTES_NONE,
		.context_id = gid,
		.cred_fmt = number(conf->credential_format),
		.gp_enc_alg = number(conf->group_encryption_algorithm),
		.sign_alg = number(conf->signature_algorithm),
		.sign_params = sign_params(conf->signature_algorithm)};

	return material_encode(&m, out);
}

static void
fill_join(const struct conf_oscore_group *conf, struct inform *in)
{
	bool ec2 = conf->signature_algorithm == SUITE_ES256;

	/* Without it members know the group by other means. */
	if (!conf->join_uri || !conf->group_name)
		return;
	in->join = (struct inform_join){.join_uri = bytes_str(conf->join_uri),
		.sec_gp = bytes_str(conf->group_name),
		.as_uri = conf->as_uri ? bytes_str(conf->as_uri) : BYTES_NONE,
		.hkdf = number(conf->hkdf),
		.cred_fmt = number(conf->credential_format),
		.gp_enc_alg = number(conf->group_encryption_algorithm),
		.sign_alg = number(conf->signature_algorithm),
		.sign_params = sign_params(conf->signature_algorithm),
		.cs_crv = number(ec2 ? SUITE_P256 : SUITE_ED25519),
		.cs_kty = number(ec2 ? COSE_KTY_EC2 : COSE_KTY_OKP),
		.cs_kenc = number(COSE_KENC_KEY)};
}

/* In steps, so that blocks of one informative response fit each other; never too long. */
static uint64_t
left_s(const struct broker_security *s, uint64_t now_ms)
{
	uint64_t expires_ms = s->now->expires_ms, step = s->conf->lifetime_ms / 1000 / STEPS;
	uint64_t left = expires_ms > now_ms ? (expires_ms - now_ms) / 1000 : 0;

	step = step > STEP_MAX_S ? STEP_MAX_S : step;
	return step > 1 ? left - left % step : left;
}

static void
fill_keys(const struct broker_security *s, uint64_t now_ms, struct inform *in)
{
	in->keys = (struct inform_keys){
		.gp_material = bytes_of(s->now->material, s->now->n_material),
		.srv_cred = s->cred,
		.srv_identifier = context_sender_id(s->now->context),
		.has_exi = true,
		.exi_s = left_s(s, now_ms),
		/* "If the server has a reliable way to synchronize its internal clock with UTC". */
		.has_exp = s->now->drawn.exp_s != 0,
		.exp_s = s->now->drawn.exp_s};
}

void
groupinform_fill(const struct broker_security *s, uint64_t now_ms, struct inform *in)
{
	if (s->conf->managed == CONF_MANAGED_SELF)
		fill_keys(s, now_ms, in);
	else
		fill_join(s->conf, in);
}
