/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/data/group-oscore.json: every message is protected (byte for byte, but for ECDSA's
 * random signatures) and unprotected, every intermediate value is compared, what is to fail
 * fails. RFC 8613 Appendix C is part of it.
 */
#include <stdio.h>

#include "oscore/crypto.h"
#include "oscore/derive.h"
#include "oscore/frame.h"
#include "oscore_bed.h"
#include "unit.h"
#include "wire/inform.h"
#include "wire/option.h"

#define OUT 8192

static struct vectors v;

static void
setup(void)
{
	v = vectors_open("group-oscore.json");
}

static void
teardown(void)
{
	vectors_close(&v);
	crypto_stop();
}

/* One message of a vector and where it stands. */
struct item {
	size_t group; /* or plain context */
	size_t at;
	struct bytes sender; /* name of the member; of plain contexts "sender" or "recipient" */
	struct bytes request_kid; /* p NULL: it is a request */
	struct bytes request_piv;
	struct bytes request_kid_context;
	struct bytes piv; /* p NULL: none of its own */
	struct bytes option;
	struct bytes payload;
	struct msg coap; /* the whole, when there is one */
	enum oscore_mode mode;
	enum oscore_mode request_mode;
	bool phantom; /* bound to one, or one itself */
	bool has_coap;
};

static struct item
item_of(size_t group, size_t at, bool plain)
{
	struct item i = {.group = group, .at = at};
	size_t request = vectors_find(&v, at, "request");

	i.sender = vectors_text(&v, at, "sender");
	i.piv = vectors_hex(&v, at, "piv");
	i.option = vectors_hex(&v, at, "option");
	i.payload = vectors_hex(&v, at, "payload");
	i.mode = plain                                             ? OSCORE_PLAIN
		 : bytes_is(vectors_text(&v, at, "mode"), "group") ? OSCORE_GROUP
								   : OSCORE_PAIRWISE;
	i.request_mode = i.mode;
	if (i.mode == OSCORE_PAIRWISE && vectors_has(&v, at, "option_kid"))
		i.request_mode = OSCORE_GROUP;
	if (request != 0) {
		i.request_kid = vectors_hex(&v, request, "kid");
		i.request_piv = vectors_hex(&v, request, "piv");
		i.request_kid_context = vectors_hex(&v, request, "kid_context");
	}
	i.has_coap = vectors_has(&v, at, "coap");
	if (i.has_coap)
		ck_assert_int_eq(msg_decode(vectors_hex(&v, at, "coap"), &i.coap), MSG_OK);
	return i;
}

static const char *
name_of(struct bytes b, char out[32])
{
	snprintf(out, 32, "%.*s", (int)b.n, (const char *)b.p);
	return out;
}

static size_t
member(size_t group, struct bytes name)
{
	char text[32];

	return vectors_find(&v, vectors_find(&v, group, "members"), name_of(name, text));
}

/* The member with an id; NULL when it is none. */
static const char *
member_with_id(size_t group, struct bytes id, char out[32])
{
	size_t members = vectors_find(&v, group, "members");

	for (size_t m = vectors_first(&v, members); m != 0; m = vectors_next(&v, members, m))
		if (bytes_equal(vectors_hex(&v, m, "sender_id"), id))
			return name_of(v.nodes[m].key, out);
	return NULL;
}

/* Some member that did not send it; NULL (silent) when there is none. */
static const char *
receiver_of(const struct item *i, char out[32])
{
	size_t members = vectors_find(&v, i->group, "members");
	size_t said = vectors_find(&v, i->at, "receiver");

	if (said != 0)
		return name_of(v.nodes[said].text, out);
	if (i->request_kid.p != NULL && !i->phantom)
		return member_with_id(i->group, i->request_kid, out);
	for (size_t m = vectors_first(&v, members); m != 0; m = vectors_next(&v, members, m))
		if (!bytes_equal(v.nodes[m].key, i->sender))
			return name_of(v.nodes[m].key, out);
	return NULL;
}

/* What was protected: from the vector's plaintext and the outer options. */
static void
plain_of(const struct item *i, struct msg *ret)
{
	ck_assert_int_eq(msg_decode_inner(vectors_hex(&v, i->at, "plaintext"), ret), 0);
	if (!i->has_coap)
		return;
	if (msg_has(ret, OPT_OBSERVE))
		msg_remove(ret, OPT_OBSERVE);
	for (size_t o = 0; o < i->coap.n_opts; o++)
		if (option_class(i->coap.opts[o].number) != OPTION_CLASS_E &&
			i->coap.opts[o].number != OPT_OSCORE &&
			i->coap.opts[o].number != OPT_MAX_AGE)
			ck_assert_int_eq(
				msg_add(ret, i->coap.opts[o].number, i->coap.opts[o].value), 0);
}

/* The tail of the vector's message, its end replaced by the vector's when it is random. */
static void
check_tail(const struct item *i, struct bytes tail, uint8_t code, bool random_signature)
{
	uint8_t raw[OUT];
	struct buf want = BUF_OF(raw);
	size_t cut = random_signature ? SUITE_SIGNATURE : 0;
	struct msg got;

	ck_assert_int_eq(code, vectors_number(&v, i->at, "outer_code", code));
	memcpy(raw + 1, tail.p, tail.n);
	raw[0] = code;
	ck_assert_int_eq(msg_decode_inner(bytes_of(raw, tail.n + 1), &got), 0);
	BED_EQUAL(msg_find(&got, OPT_OSCORE)->value, i->option, "the option");
	ck_assert_uint_eq(got.payload.n, i->payload.n);
	BED_EQUAL(bytes_head(got.payload, got.payload.n - cut),
		bytes_head(i->payload, i->payload.n - cut), "the payload");
	/* The one response to a deterministic request has an outer Max-Age of its own. */
	if (!i->has_coap || msg_has(&i->coap, OPT_MAX_AGE))
		return;
	msg_put_tail(&i->coap, &want);
	BED_EQUAL(bytes_head(tail, tail.n - cut), bytes_head(buf_bytes(&want), want.n - cut),
		"the message");
}

static struct oscore_binding
bound(const struct item *i, struct context *c)
{
	struct oscore_binding b = bed_binding(
		c, i->request_mode, i->request_kid, i->request_piv, i->request_kid_context);

	b.observe = vectors_number(&v, i->at, "outer_code", CODE_CHANGED) == CODE_CONTENT;
	b.phantom = i->phantom;
	b.rekeyed = vectors_has(&v, i->at, "option_kid_context");
	b.class_i = vectors_hex(&v, i->at, "class_i_options");
	return b;
}

static unsigned
flags_of(const struct item *i)
{
	return PROTECT_NO_MAX_AGE | (i->piv.p != NULL ? PROTECT_OWN_PIV : PROTECT_REUSE_NONCE);
}

/* Sender's side: the message comes out as the vector has it. */
static void
check_protect(const struct item *i, struct context *c, struct bytes peer)
{
	bool random = c->signature != NULL && c->signature->curve == SUITE_P256 &&
		      i->mode == OSCORE_GROUP;
	uint8_t raw[OUT];
	struct buf tail = BUF_OF(raw);
	struct oscore_binding b;
	struct msg plain;
	uint8_t code;
	int rc;

	plain_of(i, &plain);
	if (i->request_kid.p != NULL) {
		b = bound(i, c);
		rc = protect_response_in(&b, i->mode, &plain, flags_of(i), &tail, &code);
	} else if (i->phantom) {
		rc = protect_phantom(c, &plain, &tail, &code, &b);
	} else {
		rc = protect_request(c, i->mode, peer, &plain, &tail, &code, &b);
	}
	ck_assert_int_eq(rc, 0);
	if (i->request_kid.p == NULL)
		BED_EQUAL(binding_piv(&b), i->piv, "request_piv");
	check_tail(i, buf_bytes(&tail), code, random);
	binding_fini(&b);
}

/* Receiver's side of one message, whatever it is. */
static enum unprotect_verdict
receive(const struct item *i, struct context *c, const struct msg *coap, struct buf *plain,
	struct msg *ret, struct unprotect_info *info)
{
	struct oscore_binding b = {.context = NULL};
	struct context_table t;
	enum unprotect_verdict verdict;

	context_table_init(&t, 1);
	ck_assert_int_eq(context_table_add(&t, c), 0);
	if (i->request_kid.p != NULL) {
		b = bound(i, c);
		b.own = true;
		b.for_peer = i->request_mode == OSCORE_PAIRWISE || i->phantom;
		if (b.for_peer) {
			size_t from = member(i->group, i->sender);
			struct bytes id = vectors_hex(&v, from, "sender_id");

			b.n_peer = (uint8_t)id.n;
			memcpy(b.peer, id.p, id.n);
		}
		verdict = unprotect_response(&b, NULL, coap, plain, ret, info);
	} else if (i->phantom) {
		verdict = unprotect_phantom(c, coap, plain, ret, info, &b);
	} else {
		verdict = unprotect_request(&t, coap, bed_random, plain, ret, info, &b);
	}
	binding_fini(&b);
	context_table_fini(&t);
	return verdict;
}

/* What came out is the vector's plaintext: Observe as it was on the way in. */
static void
check_plain(const struct item *i, struct msg *got, const struct unprotect_info *info)
{
	uint8_t raw[OUT];
	struct buf b = BUF_OF(raw);

	if (i->has_coap) {
		ck_assert_uint_eq(got->mid, i->coap.mid);
		ck_assert(token_equal(&got->token, &i->coap.token));
	}
	ck_assert_int_eq(info->has_piv, i->piv.p != NULL);
	if (i->request_kid.p != NULL && msg_has(got, OPT_OBSERVE)) {
		uint32_t number = 0;

		ck_assert(msg_uint(got, OPT_OBSERVE, &number));
		ck_assert_uint_eq(number, info->piv & 0xffffff);
		msg_remove(got, OPT_OBSERVE);
		msg_add(got, OPT_OBSERVE, BYTES_LIT(""));
	}
	msg_remove(got, OPT_URI_HOST);
	ck_assert_int_eq(msg_encode_inner(got, &b), 0);
	BED_EQUAL(buf_bytes(&b), vectors_hex(&v, i->at, "plaintext"), "what was protected");
}

static void
check_unprotect(const struct item *i, struct context *c)
{
	uint8_t raw[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(raw);
	struct msg made, got;
	struct unprotect_info info;

	made = i->coap;
	if (!i->has_coap) {
		msg_init(&made, TYPE_CON,
			(enum msg_code)(i->request_kid.p != NULL ? CODE_CHANGED : CODE_POST));
		msg_add(&made, OPT_OSCORE, i->option);
		made.payload = i->payload;
	}
	ck_assert_int_eq(receive(i, c, &made, &plain, &got, &info), UNPROTECT_OK);
	ck_assert_int_eq(info.mode, i->mode);
	check_plain(i, &got, &info);
}

/* Every value on the way from the keys to the message. */
static struct frame
frame_of(const struct item *i, struct context *c)
{
	bool request = i->request_kid.p == NULL;
	struct bytes own = vectors_hex(&v, i->at, "option_kid");
	struct frame f = {.context = c, .sender = &c->self, .mode = i->mode};

	f.is_request = request;
	f.request_kid = request ? own : i->request_kid;
	f.request_piv = request ? i->piv : i->request_piv;
	f.request_kid_context = request ? context_gid(c) : i->request_kid_context;
	f.class_i = vectors_hex(&v, i->at, "class_i_options");
	f.option = i->option;
	f.piv = vectors_hex(&v, i->at, "piv_used");
	f.piv_id = vectors_hex(&v, i->at, "piv_generator");
	return f;
}

static void
check_signature(const struct item *i, const struct frame *f, struct bytes array)
{
	struct bytes ciphertext = vectors_hex(&v, i->at, "ciphertext");
	struct bytes expected = vectors_hex(&v, i->at, "signature");
	uint8_t info_raw[300], stream[SUITE_SIGNATURE] = {0}, made[SUITE_SIGNATURE];
	struct buf info = BUF_OF(info_raw);
	struct bytes tbs;

	ck_assert_int_eq(frame_tbs(array, ciphertext, &tbs), 0);
	if (vectors_has(&v, i->at, "countersign_structure"))
		BED_EQUAL(tbs, vectors_hex(&v, i->at, "countersign_structure"), "what is signed");
	ck_assert_int_eq(crypto_verify(f->sender->pub, tbs, expected.p), 0);
	ck_assert_int_eq(crypto_sign(f->context->secret, tbs, made), 0);
	if (f->context->curve == SUITE_ED25519)
		BED_EQUAL(BYTES_OF(made), expected, "the signature");
	ck_assert_int_eq(crypto_verify(f->sender->pub, tbs, made), 0);
	frame_put_mask_info(f, &info);
	if (vectors_has(&v, i->at, "keystream_info"))
		BED_EQUAL(buf_bytes(&info), vectors_hex(&v, i->at, "keystream_info"),
			"info of the key stream");
	ck_assert_int_eq(frame_mask(f, stream), 0);
	BED_EQUAL(BYTES_OF(stream), vectors_hex(&v, i->at, "keystream"), "the key stream");
	memcpy(made, expected.p, sizeof(made));
	ck_assert_int_eq(frame_mask(f, made), 0);
	BED_EQUAL(
		BYTES_OF(made), vectors_hex(&v, i->at, "enc_signature"), "the encrypted signature");
}

/* Pairwise keys: `peer` is for whom the message is. */
static const uint8_t *
check_pairwise(const struct item *i, struct context *c, struct bytes peer)
{
	struct recipient *r = context_find_recipient(c, peer);
	uint8_t raw[OUT], shared[CRYPTO_SECRET];
	struct buf b = BUF_OF(raw);

	ck_assert_ptr_nonnull(r);
	derive_put_info(
		&b, context_sender_id(c), context_gid(c), c->aead->number, "Key", c->aead->key);
	BED_EQUAL(buf_bytes(&b), vectors_hex(&v, i->at, "pairwise_info"), "pairwise info");
	ck_assert_int_eq(crypto_agree(c->secret, r->pub, shared), 0);
	BED_EQUAL(BYTES_OF(shared), vectors_hex(&v, i->at, "shared_secret"), "shared secret");
	buf_clear(&b);
	buf_put(&b, bytes_of(c->self.cred, c->self.n_cred));
	buf_put(&b, context_recipient_cred(r));
	buf_put(&b, BYTES_OF(shared));
	BED_EQUAL(buf_bytes(&b), vectors_hex(&v, i->at, "pairwise_ikm"), "pairwise IKM");
	BED_EQUAL(bytes_of(c->self.key, c->group_encryption->key),
		vectors_hex(&v, i->at, "pairwise_salt"), "pairwise salt");
	ck_assert_int_eq(context_need_pairwise(c, r), 0);
	return r->pairwise_out;
}

static void
check_intermediate(const struct item *i, struct context *c, struct bytes peer)
{
	struct frame f = frame_of(i, c);
	const struct suite_cipher *cipher = frame_cipher(&f);
	const uint8_t *key = c->self.key;
	uint8_t nonce[SUITE_MAX_NONCE], raw[OUT];
	struct buf sealed = BUF_OF(raw);
	struct bytes array, aad;

	if (i->mode == OSCORE_PAIRWISE)
		key = check_pairwise(i, c, peer);
	BED_EQUAL(bytes_of(key, cipher->key), vectors_hex(&v, i->at, "key"), "the key");
	ck_assert_int_eq(frame_nonce(&f, nonce), 0);
	BED_EQUAL(bytes_of(nonce, cipher->nonce), vectors_hex(&v, i->at, "nonce"), "the nonce");
	ck_assert_int_eq(frame_aad(&f, &array, &aad), 0);
	if (vectors_has(&v, i->at, "external_aad"))
		BED_EQUAL(array, vectors_hex(&v, i->at, "external_aad"), "external_aad");
	if (vectors_has(&v, i->at, "aad"))
		BED_EQUAL(aad, vectors_hex(&v, i->at, "aad"), "the AAD");
	ck_assert_int_eq(
		crypto_seal(cipher, key, nonce, aad, vectors_hex(&v, i->at, "plaintext"), &sealed),
		0);
	BED_EQUAL(buf_bytes(&sealed), vectors_hex(&v, i->at, "ciphertext"), "the ciphertext");
	if (i->mode == OSCORE_GROUP)
		check_signature(i, &f, array);
}

static void
check_info(size_t at, const char *name, struct bytes id, const struct context *c, const char *type,
	size_t length)
{
	uint8_t raw[DERIVE_MAX_INFO];
	struct buf b = BUF_OF(raw);

	if (!vectors_has(&v, at, name))
		return;
	derive_put_info(&b, id, context_gid(c), c->group_encryption->number, type, length);
	BED_EQUAL(buf_bytes(&b), vectors_hex(&v, at, name), name);
}

/* The keys of a group, as each member derives them. */
static void
check_group_keys(size_t group)
{
	size_t derived = vectors_find(&v, group, "derived");
	size_t members = vectors_find(&v, group, "members");
	struct context *c = bed_group(&v, group, NULL, 0);
	struct bytes iv = vectors_hex(&v, derived, "common_iv");
	size_t n_key = c->group_encryption->key;

	if (iv.p != NULL)
		BED_EQUAL(bytes_of(c->common_iv, iv.n), iv, "Common IV");
	check_info(derived, "common_iv_info", BYTES_LIT(""), c, "IV", iv.n);
	BED_EQUAL(bytes_of(c->sek, n_key), vectors_hex(&v, derived, "signature_encryption_key"),
		"Signature Encryption Key");
	check_info(derived, "signature_encryption_key_info", BYTES_LIT(""), c, "SEKey", n_key);
	for (size_t m = vectors_first(&v, members); m != 0; m = vectors_next(&v, members, m)) {
		struct bytes id = vectors_hex(&v, m, "sender_id");
		const struct recipient *r = context_find_recipient(c, id);

		if (vectors_has(&v, m, "sender_key"))
			BED_EQUAL(bytes_of(r->key, n_key), vectors_hex(&v, m, "sender_key"),
				"Sender Key");
		check_info(m, "sender_key_info", id, c, "Key", n_key);
		BED_EQUAL(crypto_key_bytes(r->pub), vectors_hex(&v, m, "public_key"),
			"the credential's key");
	}
	context_release(c);
}

static bool
is_phantoms(const struct item *i, struct bytes name)
{
	static const char *const names[] = {"phantom", "notification-", "cancellation"};
	bool like = false;

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		like = like || (name.n >= strlen(names[n]) &&
				       memcmp(name.p, names[n], strlen(names[n])) == 0);
	/* After a rekeying unicast observations go on, which are no phantom's. */
	return like && (i->request_kid.p == NULL ||
			       bytes_equal(i->request_kid,
				       vectors_hex(&v, member(i->group, i->sender), "sender_id")));
}

/* Both ends of one positive message of a group. */
static void
check_group_message(struct item *i)
{
	char sender[32], receiver[32];
	const char *to = receiver_of(i, receiver);
	uint64_t number = i->piv.p != NULL ? oscore_option_number(i->piv) : 0;
	struct context *s = bed_group(&v, i->group, name_of(i->sender, sender), number);
	struct context *r = bed_group(&v, i->group, to, 0);
	struct bytes peer = i->mode == OSCORE_PAIRWISE ? context_sender_id(r) : BYTES_NONE;

	check_intermediate(i, s, peer);
	check_protect(i, s, peer);
	check_unprotect(i, r);
	context_release(s);
	context_release(r);
}

/* Those that do not even come to a decryption. */
static enum unprotect_verdict
expected_refusal(const struct item *i)
{
	return bytes_is(vectors_text(&v, i->at, "name"), "reserved-flag") ? UNPROTECT_MALFORMED
									  : UNPROTECT_FAILED;
}

/* A message that is to be refused. */
static void
check_group_refusal(struct item *i)
{
	char receiver[32];
	struct context *r;
	uint8_t raw[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(raw);
	struct msg got;
	struct unprotect_info info;

	i->phantom = i->request_kid.p != NULL;
	r = bed_group(&v, i->group, receiver_of(i, receiver), 0);
	ck_assert_int_eq(receive(i, r, &i->coap, &plain, &got, &info), expected_refusal(i));
	ck_assert_uint_eq(plain.n, 0);
	context_release(r);
}

/* oscore-groupcomm 7 and 8: all positive and negative messages of all groups. */
START_TEST(groupcomm_7_8_all_vectors)
{
	size_t groups = vectors_find(&v, 0, "groups");
	int n_good = 0, n_bad = 0;

	for (size_t g = vectors_first(&v, groups); g != 0; g = vectors_next(&v, groups, g)) {
		size_t messages = vectors_find(&v, g, "messages");

		check_group_keys(g);
		for (size_t m = vectors_first(&v, messages); m != 0;
			m = vectors_next(&v, messages, m)) {
			struct item i = item_of(g, m, false);

			i.phantom = is_phantoms(&i, vectors_text(&v, m, "name"));
			if (vectors_has(&v, m, "expect_failure")) {
				check_group_refusal(&i);
				n_bad++;
			} else {
				check_group_message(&i);
				n_good++;
			}
			vectors_forget();
		}
	}
	ck_assert_int_eq(n_good, 51);
	ck_assert_int_eq(n_bad, 10);
}
END_TEST

static void
check_plain_keys(size_t at, const struct context *c)
{
	if (!vectors_has(&v, at, "sender_key"))
		return;
	BED_EQUAL(bytes_of(c->self.key, c->aead->key), vectors_hex(&v, at, "sender_key"),
		"Sender Key");
	BED_EQUAL(bytes_of(c->peer->key, c->aead->key), vectors_hex(&v, at, "recipient_key"),
		"Recipient Key");
	BED_EQUAL(bytes_of(c->common_iv, c->aead->nonce), vectors_hex(&v, at, "common_iv"),
		"Common IV");
}

static void
check_plain_intermediate(const struct item *i, struct context *c)
{
	bool request = i->request_kid.p == NULL;
	struct frame f = {.context = c, .sender = &c->self, .mode = OSCORE_PLAIN};
	uint8_t nonce[SUITE_MAX_NONCE];
	struct bytes array, aad;

	f.request_kid = request ? context_sender_id(c) : i->request_kid;
	f.request_piv = request ? i->piv : i->request_piv;
	f.piv = i->piv.p != NULL ? i->piv : i->request_piv;
	f.piv_id = i->piv.p != NULL ? context_sender_id(c) : i->request_kid;
	ck_assert_int_eq(frame_nonce(&f, nonce), 0);
	if (vectors_has(&v, i->at, "nonce"))
		BED_EQUAL(bytes_of(nonce, c->aead->nonce), vectors_hex(&v, i->at, "nonce"),
			"the nonce");
	ck_assert_int_eq(frame_aad(&f, &array, &aad), 0);
	if (vectors_has(&v, i->at, "aad_array"))
		BED_EQUAL(array, vectors_hex(&v, i->at, "aad_array"), "external_aad");
	if (vectors_has(&v, i->at, "aad"))
		BED_EQUAL(aad, vectors_hex(&v, i->at, "aad"), "the AAD");
	if (vectors_has(&v, i->at, "key"))
		BED_EQUAL(bytes_of(c->self.key, c->aead->key), vectors_hex(&v, i->at, "key"),
			"the key");
}

/* RFC 8613 8: all plain messages, Appendix C.4, C.7 and C.8 among them. */
START_TEST(rfc8613_8_all_vectors)
{
	size_t contexts = vectors_find(&v, 0, "oscore");
	int n = 0;

	for (size_t g = vectors_first(&v, contexts); g != 0; g = vectors_next(&v, contexts, g)) {
		size_t messages = vectors_find(&v, g, "messages");

		for (size_t m = vectors_first(&v, messages); m != 0;
			m = vectors_next(&v, messages, m)) {
			struct item i = item_of(g, m, true);
			bool turned = bytes_is(i.sender, "recipient");
			uint64_t number = i.piv.p != NULL ? oscore_option_number(i.piv) : 0;
			struct context *s = bed_plain(&v, g, turned, number, true);
			struct context *r = bed_plain(&v, g, !turned, 0, true);

			check_plain_keys(g, turned ? r : s);
			check_plain_intermediate(&i, s);
			check_protect(&i, s, BYTES_NONE);
			check_unprotect(&i, r);
			context_release(s);
			context_release(r);
			vectors_forget();
			n++;
		}
	}
	ck_assert_int_eq(n, 27);
}
END_TEST

/* RFC 8613 C.1 to C.3: key derivation. */
static const struct derivation {
	const char *salt, *id_context, *client, *server; /* hex; NULL: none */
	const char *client_key, *server_key, *common_iv;
} derivations[] = {
	{"9e7ca92223786340", NULL, "", "01", "f0910ed7295e6ad4b54fc793154302ff",
		"ffb14e093c94c9cac9471648b4f98710", "4622d4dd6d944168eefb54987c"},
	{"", NULL, "00", "01", "321b26943253c7ffb6003b0b64d74041",
		"e57b5635815177cd679ab4bcec9d7dda", "be35ae297d2dace910c52e99f9"},
	{"9e7ca92223786340", "37cbf3210017a2d3", "", "01", "af2a1300a5e95788b356336eeecd2b92",
		"e39a0c7c77b43f03b4b39ab9a268699f", "2ca58fb85ff1b81c0b7181b85e"},
};

static struct bytes
hex(const char *text)
{
	return text != NULL ? vectors_unhex(bytes_str(text)) : BYTES_NONE;
}

static struct context *
derive(const struct derivation *d, bool server, uint64_t number)
{
	struct context_plain p = {.master_secret = hex("0102030405060708090a0b0c0d0e0f10"),
		.master_salt = hex(d->salt),
		.id_context = hex(d->id_context),
		.sender_id = hex(server ? d->server : d->client),
		.recipient_id = hex(server ? d->client : d->server),
		.window_valid = true,
		.ssn = bed_ssn(number)};
	struct context *c;
	struct error e;

	ck_assert_msg(context_new_plain(&p, &e, &c) == 0, "%s", e.text);
	ssn_release(p.ssn);
	return c;
}

START_TEST(rfc8613_c1_c2_c3_derivation)
{
	for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++) {
		const struct derivation *d = &derivations[i];

		for (int server = 0; server < 2; server++) {
			struct context *c = derive(d, server != 0, 0);

			BED_EQUAL(bytes_of(c->self.key, 16),
				hex(server ? d->server_key : d->client_key), "Sender Key");
			BED_EQUAL(bytes_of(c->peer->key, 16),
				hex(server ? d->client_key : d->server_key), "Recipient Key");
			BED_EQUAL(bytes_of(c->common_iv, 13), hex(d->common_iv), "Common IV");
			context_release(c);
		}
	}
}
END_TEST

/* RFC 8613 C.4 to C.6: the same request under each of these contexts. */
static const struct {
	const char *plain, *protected;
} requests[] = {
	{"44015d1f00003974396c6f63616c686f737483747631",
		"44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e"},
	{"440171c30000b932396c6f63616c686f737483747631",
		"440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0"},
	{"44012f8eef9bbf7a396c6f63616c686f737483747631",
		"44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff"
		"72cd7273fd331ac45cffbe55c3"},
};

START_TEST(rfc8613_c4_c5_c6_requests)
{
	for (size_t i = 0; i < 3; i++) {
		struct context *client = derive(&derivations[i], false, 20);
		struct context *server = derive(&derivations[i], true, 0);
		struct bytes was = hex(requests[i].plain);
		uint8_t raw[OUT], opened[OUT], again[OUT];
		struct buf out = BUF_OF(raw), plain = BUF_OF(opened), b = BUF_OF(again);
		struct oscore_binding mine, theirs;
		struct unprotect_info info;
		struct context_table t;
		struct msg m, got;
		uint8_t code;

		ck_assert_int_eq(msg_decode(was, &m), MSG_OK);
		msg_put_header(&out, TYPE_CON, CODE_POST, m.mid, &m.token);
		ck_assert_int_eq(
			protect_request(client, OSCORE_PLAIN, BYTES_NONE, &m, &out, &code, &mine),
			0);
		ck_assert_int_eq(code, CODE_POST);
		BED_EQUAL(buf_bytes(&out), hex(requests[i].protected), "the message");
		context_table_init(&t, 1);
		ck_assert_int_eq(context_table_add(&t, server), 0);
		ck_assert_int_eq(msg_decode(buf_bytes(&out), &m), MSG_OK);
		ck_assert_int_eq(
			unprotect_request(&t, &m, bed_random, &plain, &got, &info, &theirs),
			UNPROTECT_OK);
		ck_assert_int_eq(msg_encode(&got, &b), 0);
		BED_EQUAL(buf_bytes(&b), was, "what was protected");
		binding_fini(&mine);
		binding_fini(&theirs);
		context_table_fini(&t);
		context_release(client);
		context_release(server);
	}
}
END_TEST

static size_t
group_named(struct bytes name)
{
	size_t groups = vectors_find(&v, 0, "groups");

	for (size_t g = vectors_first(&v, groups); g != 0; g = vectors_next(&v, groups, g))
		if (bytes_equal(vectors_text(&v, g, "name"), name))
			return g;
	ck_abort_msg("no such group");
}

/* The phantom request and the last notification of an informative response. */
static void
check_informative(size_t at)
{
	struct context *c = bed_group(&v, group_named(vectors_text(&v, at, "group")), NULL, 0);
	uint8_t raw[PROTECT_MAX_PLAIN], raw2[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(raw), plain2 = BUF_OF(raw2);
	struct oscore_binding b;
	struct unprotect_info info;
	struct inform in;
	struct msg phantom, last, got;

	ck_assert_int_eq(inform_decode(vectors_hex(&v, at, "payload"), &in), 0);
	BED_EQUAL(in.ph_req, vectors_hex(&v, at, "ph_req"), "ph_req");
	BED_EQUAL(in.last_notif, vectors_hex(&v, at, "last_notif"), "last_notif");
	ck_assert_int_eq(msg_decode_inner(in.ph_req, &phantom), 0);
	ck_assert_int_eq(msg_decode_inner(in.last_notif, &last), 0);
	ck_assert_int_eq(unprotect_phantom(c, &phantom, &plain, &got, &info, &b), UNPROTECT_OK);
	ck_assert_int_eq(got.code, CODE_GET);
	ck_assert_int_eq(info.mode, OSCORE_GROUP);
	ck_assert(msg_has(&got, OPT_OBSERVE) && msg_has(&got, OPT_URI_PATH));
	ck_assert_int_eq(unprotect_response(&b, NULL, &last, &plain2, &got, &info), UNPROTECT_OK);
	ck_assert_int_eq(got.code, CODE_CONTENT);
	ck_assert(got.payload.n > 0);
	/* Once more is not newer. */
	ck_assert_int_eq(
		unprotect_response(&b, NULL, &last, &plain2, &got, &info), UNPROTECT_REPLAY);
	binding_fini(&b);
	context_release(c);
}

/* observe-multicast-notifications, "Client Side Processing". */
START_TEST(omn_informative_responses)
{
	size_t all = vectors_find(&v, 0, "informative_responses");
	int n = 0;

	for (size_t m = vectors_first(&v, all); m != 0; m = vectors_next(&v, all, m), n++)
		check_informative(m);
	ck_assert_int_eq(n, 2);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("oscore_vectors");
	TCase *tc = tcase_create("vectors");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, groupcomm_7_8_all_vectors);
	tcase_add_test(tc, rfc8613_8_all_vectors);
	tcase_add_test(tc, rfc8613_c1_c2_c3_derivation);
	tcase_add_test(tc, rfc8613_c4_c5_c6_requests);
	tcase_add_test(tc, omn_informative_responses);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
