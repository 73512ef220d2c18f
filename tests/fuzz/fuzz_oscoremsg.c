/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds one input (code, options, payload) as a protected message to a server and to
 * a client that have a plain and a group context: as a request, a phantom request, a response
 * and a notification. Whatever is taken for authentic must be a whole message. The group
 * uses counter mode in one of its shapes, where nothing but the signature stands between a
 * mutation and the decoder of the plaintext.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct context_table table;
static struct context *groups[2]; /* AES-CCM and counter mode */
static struct context *plain;
static struct oscore_binding to_plain; /* a request of ours */
static struct oscore_binding to_group;
static bool ready;

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

static const struct ssn_ops ssn_ops = {.reserve = reserve};

static void
fixed(void *p, size_t n)
{
	static uint8_t next = 1;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = next++;
}

static struct ssn *
numbers(void)
{
	static const uint8_t fingerprint[SSN_FINGERPRINT];
	struct ssn *s = ssn_new(fingerprint, &ssn_ops, NULL);
	struct error e;

	require(ssn_start_fresh(s, &e) == 0);
	return s;
}

/* A group of us, id 01, and a member 02, under a Gid of one letter. */
static struct context *
make_group(const char *gid, int cipher)
{
	struct crypto_key *k[2];
	uint8_t raw[2][128];
	struct buf cred[2] = {BUF_OF(raw[0]), BUF_OF(raw[1])};
	struct context_group p = {.master_secret = BYTES_LIT("0123456789abcdef"),
		.gid = bytes_str(gid),
		.sender_id = BYTES_LIT("\x01"),
		.group_encryption = cipher,
		.signature = SUITE_EDDSA,
		.aead = SUITE_CCM_16_64_128,
		.pairwise = SUITE_ECDH_SS_HKDF256,
		.cred_format = CRED_KCCS,
		.ssn = numbers()};
	struct context *c;
	struct error e;

	for (int i = 0; i < 2; i++) {
		require(crypto_key_generate(SUITE_ED25519, fixed, &k[i]) == 0);
		require(cred_make(BYTES_NONE, k[i], &cred[i]) == 0);
	}
	p.cred = buf_bytes(&cred[0]);
	p.private_key = crypto_key_secret(k[0]);
	require(context_new_group(&p, &e, &c) == 0);
	require(context_add_recipient(
			c, BYTES_LIT("\x02"), buf_bytes(&cred[1]), true, 1, &e, NULL) == 0);
	require(context_table_add(&table, c) == 0);
	crypto_key_free(k[0]);
	crypto_key_free(k[1]);
	ssn_release(p.ssn);
	return c;
}

static void
make_plain(void)
{
	struct context_plain p = {.master_secret = BYTES_LIT("0123456789abcdef"),
		.sender_id = BYTES_LIT("\x01"),
		.recipient_id = BYTES_LIT("\x02"),
		.ssn = numbers()};
	struct error e;

	require(context_new_plain(&p, &e, &plain) == 0);
	require(context_table_add(&table, plain) == 0);
	ssn_release(p.ssn);
}

static struct oscore_binding
ask(struct context *c, enum oscore_mode mode)
{
	uint8_t raw[512];
	struct buf tail = BUF_OF(raw);
	struct oscore_binding b;
	struct msg m;
	uint8_t code;

	msg_init(&m, TYPE_CON, CODE_GET);
	require(msg_add_uint(&m, OPT_OBSERVE, 0) == 0);
	require(protect_request(c, mode, BYTES_NONE, &m, &tail, &code, &b) == 0);
	return b;
}

static void
start(void)
{
	if (ready)
		return;
	context_table_init(&table, 1);
	groups[0] = make_group("g", SUITE_CCM_16_64_128);
	groups[1] = make_group("h", SUITE_A128CTR);
	make_plain();
	to_plain = ask(plain, OSCORE_PLAIN);
	to_group = ask(groups[0], OSCORE_GROUP);
	ready = true;
}

static void
check(enum unprotect_verdict v, const struct msg *got, struct oscore_binding *b)
{
	uint8_t raw[PROTECT_MAX_PLAIN + PROTECT_OVERHEAD];
	struct buf out = BUF_OF(raw);

	if (v == UNPROTECT_OK || v == UNPROTECT_UNCERTAIN)
		require(msg_encode_inner(got, &out) == 0);
	require(unprotect_error(v)->name != NULL);
	if (b != NULL)
		binding_fini(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[PROTECT_MAX_PLAIN];
	struct oscore_binding b = {.context = NULL};
	struct unprotect_info info;
	struct buf out = BUF_OF(text);
	struct msg outer, got;

	start();
	if (msg_decode_inner(bytes_of(data, size), &outer) < 0)
		return 0;
	check(unprotect_request(&table, &outer, fixed, &out, &got, &info, &b), &got, &b);
	buf_clear(&out);
	check(unprotect_peek_request(&table, &outer, &out, &got, &info, &b), &got, &b);
	for (int i = 0; i < 2; i++) {
		buf_clear(&out);
		check(unprotect_phantom(groups[i], &outer, &out, &got, &info, &b), &got, &b);
	}
	for (int i = 0; i < 2; i++) {
		binding_copy(&b, i == 0 ? &to_plain : &to_group);
		buf_clear(&out);
		check(unprotect_response(&b, &table, &outer, &out, &got, &info), &got, NULL);
		buf_clear(&out);
		check(unprotect_peek_response(&b, &table, &outer, &out, &got, &info), &got, &b);
	}
	return 0;
}
