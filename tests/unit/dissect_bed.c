/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect_bed.h"

#include "wire/option.h"

#include <errno.h>
#include <stdio.h>

#include "hex.h"
#include "oscore/crypto.h"
#include "oscore/protect.h"
#include "oscore_bed.h"
#include "unit.h"
#include "wire/cborbuf.h"

#define SECRET "0102030405060708090a0b0c0d0e0f10" /* of everything, so that it is found */
#define SALT "9e7ca92223786340"
#define KEY "857eb61d3f6d70a278a36740d132c099f62880ed497e27bdfd4685fa1a304f26"

static struct context *
make_plain(const char *own, const char *peer)
{
	uint8_t secret[HEX_MAX], salt[HEX_MAX];
	struct context_plain p = {.master_secret = hex_bytes(SECRET, secret),
		.master_salt = hex_bytes(SALT, salt),
		.sender_id = bytes_of(own, 1),
		.recipient_id = bytes_of(peer, 1),
		.window_valid = true,
		.ssn = bed_ssn(0)};
	struct context *c;
	struct error e;

	ck_assert_int_eq(context_new_plain(&p, &e, &c), 0);
	ssn_release(p.ssn);
	return c;
}

/* What the reader has: a configuration of the daemon's form. */
static void
give_keys(struct bed *b, enum bed_keys keys)
{
	char text[2048], cred[256];
	struct buf hex = buf_of(cred, sizeof(cred));
	struct conf *c = NULL;
	struct error e;
	int n;

	buf_put_hex(&hex, bytes_of(b->cred, b->n_cred));
	n = snprintf(text, sizeof(text),
		"identities: [ { name: panel-1, oscore: { sender-id: hex:0%d, recipient-id: "
		"hex:0%d, master-secret: hex:" SECRET ", master-salt: hex:" SALT " } } ]\n",
		keys == BED_BROKER_KEYS ? 2 : 1, keys == BED_BROKER_KEYS ? 1 : 2);
	if (keys == BED_BROKER_KEYS)
		snprintf(text + n, sizeof(text) - (size_t)n,
			"oscore-groups: [ { name: hall-keys, managed: external, gid: hex:57ab2e, "
			"sender-id: hex:05, master-secret: hex:" SECRET ", master-salt: hex:" SALT
			", private-key: hex:" KEY ", credential: hex:%s, gm-credential: hex:%s } "
			"]\n",
			buf_str(&hex), buf_str(&hex));
	ck_assert_msg(conf_parse(bytes_str(text), "t", &c, &e) == 0, "%s", e.text);
	ck_assert_msg(keyring_add_conf(
			      &b->keys, c, keys == BED_BROKER_KEYS ? "broker" : "client", &e) == 0,
		"%s", e.text);
	conf_free(c);
}

void
bed_start(struct bed *b, enum bed_keys keys)
{
	uint8_t raw[HEX_MAX];
	struct buf cred;
	struct error e;

	*b = (struct bed){.n_last = 0};
	b->out = buf_of(b->text, DISSECT_TEXT);
	ck_assert_int_eq(addr_parse("10.0.0.2:40000", 0, &b->client), 0);
	ck_assert_int_eq(addr_parse("10.0.0.1:5683", 0, &b->broker), 0);
	ck_assert_int_eq(addr_parse("239.255.17.4:5683", 0, &b->group), 0);
	b->panel = make_plain("\x01", "\x02");
	b->peer = make_plain("\x02", "\x01");
	ck_assert_int_eq(crypto_key_private(SUITE_ED25519, hex_bytes(KEY, raw), &e, &b->key), 0);
	cred = BUF_OF(b->cred);
	ck_assert_int_eq(cred_make(bytes_str("broker"), b->key, &cred), 0);
	b->n_cred = cred.n;
	keyring_init(&b->keys);
	give_keys(b, keys);
	dissect_init(&b->d, &b->keys, 65001);
}

void
bed_add_member(struct bed *b, const char *id)
{
	uint8_t secret[HEX_MAX], salt[HEX_MAX], key[HEX_MAX];
	struct conf_oscore_member broker = {.name = "broker",
		.sender_id = BYTES_LIT("\x05"),
		.credential = bytes_of(b->cred, b->n_cred)};
	struct conf_oscore_group g = {.name = "hall-keys",
		.gid = bytes_str(BED_CONFIGURED_GID),
		.sender_id = bytes_str(id),
		.master_secret = hex_bytes(SECRET, secret),
		.master_salt = hex_bytes(SALT, salt),
		.group_encryption_algorithm = SUITE_CCM_16_64_128,
		.signature_algorithm = SUITE_EDDSA,
		.hkdf = SUITE_HKDF_SHA256,
		.credential_format = CRED_KCCS,
		.private_key = hex_bytes(KEY, key),
		.credential = bytes_of(b->cred, b->n_cred),
		.gm_credential = bytes_of(b->cred, b->n_cred),
		.members = &broker,
		.n_members = 1};
	struct error e;

	ck_assert_msg(keyring_add_groups(&b->keys, &g, 1, "client", &e) == 0, "%s", e.text);
	/* Twice is as good as once. */
	ck_assert_msg(keyring_add_groups(&b->keys, &g, 1, "client", &e) == 0, "%s", e.text);
	/* Who is in it must be the same for both. */
	broker.credential = bytes_head(broker.credential, broker.credential.n - 1);
	ck_assert_int_lt(keyring_add_groups(&b->keys, &g, 1, "client", &e), 0);
}

void
bed_listen(struct bed *b)
{
	uint8_t secret[HEX_MAX], salt[HEX_MAX];
	struct conf_oscore_member broker = {.name = "broker",
		.sender_id = BYTES_LIT("\x05"),
		.credential = bytes_of(b->cred, b->n_cred)};
	struct conf_oscore_group g[2] = {
		{.name = "passed-over", .managed = CONF_MANAGED_SELF},
		{.name = "hall-keys",
			.gid = bytes_str(BED_CONFIGURED_GID),
			.master_secret = hex_bytes(SECRET, secret),
			.master_salt = hex_bytes(SALT, salt),
			.group_encryption_algorithm = SUITE_CCM_16_64_128,
			.signature_algorithm = SUITE_EDDSA,
			.hkdf = SUITE_HKDF_SHA256,
			.credential_format = CRED_KCCS,
			.gm_credential = bytes_of(b->cred, b->n_cred),
			.members = &broker,
			.n_members = 1},
	};
	struct error e;

	ck_assert_msg(keyring_add_groups(&b->keys, g, 2, "client", &e) == 0, "%s", e.text);
	/* The same once more, as a member's credentials have it: one will do. */
	ck_assert_msg(keyring_add_groups(&b->keys, g, 2, "client", &e) == 0, "%s", e.text);
	/* With other keys it is another group, which cannot be told from the first. */
	salt[0] ^= 1;
	ck_assert_int_eq(keyring_add_groups(&b->keys, g, 2, "client", &e), -EEXIST);
}

void
bed_end(struct bed *b)
{
	binding_fini(&b->phantom);
	context_release(b->server);
	context_release(b->panel);
	context_release(b->peer);
	crypto_key_free(b->key);
	dissect_fini(&b->d);
	keyring_fini(&b->keys);
	json_fini(&b->json);
	json_fini(&b->object);
	crypto_stop();
}

void
bed_say_bytes(struct bed *b, const struct addr *from, const struct addr *to, struct bytes datagram)
{
	struct datagram g = {.from = *from, .to = *to, .payload = datagram};
	struct telling *t;

	buf_clear(&b->out);
	b->json.n = 0;
	t = dissect_read(&b->d, DATAGRAM_UDP, &g, 1767225600123456);
	if (t) {
		telling_put_text(t, &b->out);
		telling_put_json(t, &b->json);
	}
	telling_free(t);
	ck_assert(!b->out.full);
	b->text[b->out.n] = '\0';
	ck_assert_ptr_null(strstr(b->text, "0102030405060708"));
	ck_assert_ptr_null(strstr(b->text, SALT));
	json_put_line(&b->object, bytes_of(b->json.p, b->json.n ? b->json.n - 1 : 0));
	b->object.p[b->object.n - 1] = '\0';
	ck_assert_ptr_null(strstr(b->object.p, "0102030405060708"));
	ck_assert_ptr_null(strstr(b->object.p, "AQIDBAUGBwgJCgsMDQ4P"));
	ck_assert_ptr_null(strstr(b->object.p, SALT));
	if (datagram.p != b->last) {
		memcpy(b->last, datagram.p, datagram.n);
		b->n_last = datagram.n;
	}
}

void
bed_say(struct bed *b, const struct addr *from, const struct addr *to, const char *hex)
{
	uint8_t raw[HEX_MAX];

	bed_say_bytes(b, from, to, hex_bytes(hex, raw));
}

void
bed_repeat(struct bed *b, const struct addr *from, const struct addr *to, bool forged)
{
	b->last[b->n_last - 1] ^= forged ? 1 : 0;
	bed_say_bytes(b, from, to, bytes_of(b->last, b->n_last));
}

void
bed_like(struct bed *b, const char *wanted)
{
	ck_assert_msg(strstr(b->text, wanted) != NULL, "no\n%s\nin\n%s", wanted, b->text);
}

void
bed_has(struct bed *b, const char *wanted)
{
	ck_assert_msg(
		strstr(b->object.p, wanted) != NULL, "got: %s\nwanted: %s", b->object.p, wanted);
}

/* A datagram of what protect_* wrote, or of what is not protected. */
static void
send_tail(struct bed *b, bool to_group, enum msg_type type, uint8_t code, struct bytes tail)
{
	struct token t = token_of(to_group ? BYTES_LIT("\x7b\x3c") : BYTES_LIT("\x4a"));
	uint8_t raw[4096];
	struct buf out = BUF_OF(raw);
	bool request = MSG_CLASS(code) == 0;

	msg_put_header(&out, type, code, 7, &t);
	buf_put(&out, tail);
	bed_say_bytes(b, request ? &b->client : &b->broker,
		request    ? &b->broker
		: to_group ? &b->group
			   : &b->client,
		buf_bytes(&out));
}

static void
no_random(void *p, size_t n)
{
	memset(p, 1, n);
}

void
bed_ask(struct bed *b, const char *path, struct oscore_binding *asked, struct oscore_binding *heard)
{
	uint8_t raw[512], plain[512];
	struct buf tail = buf_of(raw + 1, sizeof(raw) - 1), out = BUF_OF(plain);
	struct unprotect_info info;
	struct context_table t;
	struct msg m, outer;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, bytes_str(path)), 0);
	ck_assert_int_eq(
		protect_request(b->panel, OSCORE_PLAIN, BYTES_NONE, &m, &tail, raw, asked), 0);
	ck_assert_int_eq(msg_decode_inner(bytes_of(raw, tail.n + 1), &outer), 0);
	context_table_init(&t, 1);
	ck_assert_int_eq(context_table_add(&t, b->peer), 0);
	ck_assert_int_eq(
		unprotect_request(&t, &outer, no_random, &out, &m, &info, heard), UNPROTECT_OK);
	context_table_fini(&t);
	send_tail(b, false, TYPE_CON, raw[0], buf_bytes(&tail));
}

static void
respond(struct bed *b, struct oscore_binding *to, const struct msg *m, bool to_group)
{
	uint8_t raw[4096], code = m->code;
	struct buf tail = BUF_OF(raw);

	if (to)
		ck_assert_int_eq(protect_response(to, m, 0, &tail, &code), 0);
	else
		msg_put_tail(m, &tail);
	/* Protected, a 5.03 looks like all the others; what has no protection says it. */
	send_tail(b, to_group, to_group ? TYPE_NON : TYPE_ACK, code, buf_bytes(&tail));
}

void
bed_answer(struct bed *b, struct oscore_binding *heard, const char *payload)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	m.payload = bytes_str(payload);
	respond(b, heard, &m, false);
}

void
bed_make_group_of(struct bed *b, struct bytes gid)
{
	uint8_t secret[HEX_MAX], salt[HEX_MAX];
	struct context_group p = {.master_secret = hex_bytes(SECRET, secret),
		.master_salt = hex_bytes(SALT, salt),
		.gid = gid,
		.sender_id = BYTES_LIT("\x05"),
		.group_encryption = SUITE_CCM_16_64_128,
		.signature = SUITE_EDDSA,
		.cred_format = CRED_KCCS,
		.cred = bytes_of(b->cred, b->n_cred),
		.private_key = crypto_key_secret(b->key),
		.ssn = bed_ssn(0)};
	struct error e;

	context_release(b->server);
	ck_assert_msg(context_new_group(&p, &e, &b->server) == 0, "%s", e.text);
	ssn_release(p.ssn);
	memcpy(b->gid_copy, gid.p, gid.n);
	b->gid = bytes_of(b->gid_copy, gid.n);
}

void
bed_make_group(struct bed *b, const char *gid)
{
	bed_make_group_of(b, bytes_str(gid));
}

static void
init_phantom(struct msg *m)
{
	msg_init(m, TYPE_NON, CODE_GET);
	ck_assert_int_eq(msg_add_uint(m, OPT_OBSERVE, 0), 0);
	ck_assert_int_eq(msg_add(m, OPT_URI_PATH, bytes_str("hall")), 0);
}

static void
init_notification(struct msg *m, const char *payload, uint32_t observe)
{
	msg_init(m, TYPE_NON, CODE_CONTENT);
	ck_assert_int_eq(msg_add_uint(m, OPT_OBSERVE, observe), 0);
	m->payload = bytes_str(payload);
}

/* {ms 2, hkdf 3, salt 5, contextId 6, cred_fmt 8, gp_enc_alg 9, sign_alg 10, sign_params 11} */
static void
put_material(struct bed *b, struct buf *out)
{
	uint8_t raw[HEX_MAX];

	cborbuf_put_map(out, 8);
	cborbuf_put_uint(out, 2);
	cborbuf_put_bstr(out, hex_bytes(SECRET, raw));
	cborbuf_put_uint(out, 3);
	cborbuf_put_uint(out, 5);
	cborbuf_put_uint(out, 5);
	cborbuf_put_bstr(out, hex_bytes(SALT, raw));
	cborbuf_put_uint(out, 6);
	cborbuf_put_bstr(out, b->gid);
	cborbuf_put_uint(out, 8);
	cborbuf_put_uint(out, 14);
	cborbuf_put_uint(out, 9);
	cborbuf_put_uint(out, 10);
	cborbuf_put_uint(out, 10);
	cborbuf_put_int(out, -8);
	cborbuf_put_uint(out, 11);
	buf_put(out, hex_bytes("8281018201 06", raw));
}

/* The payload of an informative response about the group, whose phantom is made anew. */
static struct bytes
make_inform(struct bed *b, bool addresses, bool with_keys)
{
	static uint8_t payload[2048];
	uint8_t phantom[512], last[512], material[512];
	struct buf tail = buf_of(phantom + 1, sizeof(phantom) - 1), out = BUF_OF(payload);
	struct buf first = buf_of(last + 1, sizeof(last) - 1), keys = BUF_OF(material);
	struct inform in = {
		.generations = INFORM_CURRENT, .token = token_of(BYTES_LIT("\x7b\x3c"))};
	struct msg m;

	init_phantom(&m);
	ck_assert_int_eq(protect_phantom(b->server, &m, &tail, phantom, &b->phantom), 0);
	init_notification(&m, "first", 1);
	ck_assert_int_eq(protect_response(&b->phantom, &m, 0, &first, last), 0);
	in.ph_req = bytes_of(phantom, tail.n + 1);
	in.last_notif = bytes_of(last, first.n + 1);
	if (addresses) {
		in.server = b->broker;
		in.client = b->group;
	}
	if (with_keys) {
		put_material(b, &keys);
		in.keys = (struct inform_keys){.gp_material = buf_bytes(&keys),
			.srv_cred = bytes_of(b->cred, b->n_cred),
			.srv_identifier = BYTES_LIT("\x05"),
			.has_exi = true,
			.exi_s = 600};
	}
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	return buf_bytes(&out);
}

static void
init_unavailable(struct msg *m, struct bytes payload)
{
	msg_init(m, TYPE_ACK, CODE_UNAVAILABLE);
	ck_assert_int_eq(msg_add_uint(m, OPT_CONTENT_FORMAT, 65001), 0);
	m->payload = payload;
}

void
bed_inform(struct bed *b, struct oscore_binding *heard, bool with_keys)
{
	struct msg m;

	binding_fini(&b->phantom);
	init_unavailable(&m, make_inform(b, true, with_keys));
	respond(b, heard, &m, false);
}

void
bed_make_blocks(struct bed *b, bool with_keys)
{
	struct bytes body;

	binding_fini(&b->phantom);
	body = make_inform(b, true, with_keys);
	ck_assert_uint_le(body.n, sizeof(b->body));
	memcpy(b->body, body.p, body.n);
	b->n_body = body.n;
}

bool
bed_inform_block(struct bed *b, struct oscore_binding *heard, unsigned num, const char *etag,
	bool with_format)
{
	struct bytes body = bytes_of(b->body, b->n_body);
	struct block block = {.num = num, .szx = 2};
	struct msg m;

	init_unavailable(&m, bytes_head(bytes_from(body, block_offset(&block)), 64));
	block.more = block_offset(&block) + m.payload.n < body.n;
	if (!with_format)
		msg_remove(&m, OPT_CONTENT_FORMAT);
	ck_assert_int_eq(msg_add(&m, OPT_ETAG, bytes_str(etag)), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, block_value(&block)), 0);
	respond(b, heard, &m, false);
	return block.more;
}

void
bed_notify(struct bed *b, const char *payload)
{
	struct msg m;

	init_notification(&m, payload, 2);
	respond(b, &b->phantom, &m, true);
}

void
bed_rekey(struct bed *b, const char *gid)
{
	struct oscore_binding old;
	struct msg m;

	binding_copy(&old, &b->phantom);
	binding_fini(&b->phantom);
	bed_make_group(b, gid);
	init_unavailable(&m, make_inform(b, false, true));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 3), 0);
	/* Told more than once, as nobody confirms it. */
	respond(b, &old, &m, true);
	respond(b, &old, &m, true);
	binding_fini(&old);
}

void
bed_inform_plain(struct bed *b, enum inform_generation generations)
{
	uint8_t raw[4][512], payload[1024];
	struct buf phantom = BUF_OF(raw[0]), last = BUF_OF(raw[1]), registr = BUF_OF(raw[2]);
	struct buf out = BUF_OF(payload);
	struct inform in = {.generations = generations,
		.server = b->broker,
		.client = b->group,
		.token = token_of(BYTES_LIT("\x7b\x3c"))};
	struct msg m;

	init_phantom(&m);
	m.token = in.token;
	ck_assert_int_eq(msg_encode_inner(&m, &phantom), 0);
	ck_assert_int_eq(msg_encode(&m, &registr), 0);
	init_notification(&m, "21", 5);
	ck_assert_int_eq(msg_encode_inner(&m, &last), 0);
	in.ph_req = buf_bytes(&phantom);
	in.last_notif = buf_bytes(&last);
	in.registr = buf_bytes(&registr);
	in.res = BYTES_LIT("21");
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	init_unavailable(&m, buf_bytes(&out));
	if (generations == INFORM_SEED) /* which is any CBOR */
		m.opts[0].value = BYTES_LIT("\x3c");
	respond(b, NULL, &m, false);
}
