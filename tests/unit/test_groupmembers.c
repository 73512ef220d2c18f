/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is moved where, and who is told what of keys (product.md, "Who is moved"); OSCORE groups
 * that a Group Manager made; requests of their members (oscore-groupcomm 7 and 8).
 */
#include "group_bed.h"
#include "mutate.h"

#include "base/mem.h"
#include "oscore/cred.h"
#include "oscore/crypto.h"
#include "oscore/crypto_key.h"
#include "wire/option.h"

#define SECRET "c0ffee00112233445566778899aabbcc"
#define IDENTITY(n)                                                                       \
	"  - { name: p" n ", oscore: { sender-id: hex:a" n ", recipient-id: hex:0" n ", " \
	"master-secret: hex:00112233445566778899aabbccddeef" n " } }\n"

enum mode { MODE_NONE, MODE_PLAIN, MODE_SELF, MODE_EXTERNAL, N_MODES };
enum party { PARTY_BROKER, PARTY_MANAGER, PARTY_LAMP, PARTY_STRANGER, N_PARTIES };

static struct {
	uint8_t key[CRYPTO_SECRET];
	uint8_t bytes[128];
	struct bytes cred;
} parties[N_PARTIES];

static char text[8192];
static const char *more; /* in the OSCORE group */
static struct gb_member member;
static struct context *lamp;
static struct oscore_binding bound;

static void
put_hex(struct buf *out, const char *before, struct bytes b, const char *after)
{
	buf_put_str(out, before);
	buf_put_hex(out, b);
	buf_put_str(out, after);
}

static void
put_external(struct buf *out)
{
	buf_put_str(out, "  - { name: keys, managed: external, gid: hex:57ab2e, sender-id: hex:05, "
			 "master-secret: hex:" SECRET ", aead-algorithm: AES-CCM-16-64-128, "
			 "pairwise-key-agreement-algorithm: ECDH-SS+HKDF-256, group-name: hall, "
			 "join-uri: \"coap://gm.example/hall\", as-uri: \"coap://as.example/t\"");
	buf_put_str(out, more);
	put_hex(out, ", private-key: \"hex:", BYTES_OF(parties[PARTY_BROKER].key), "\"");
	put_hex(out, ", gm-credential: \"hex:", parties[PARTY_MANAGER].cred, "\"");
	put_hex(out, ", members: [ { name: lamp, sender-id: hex:25, credential: \"hex:",
		parties[PARTY_LAMP].cred, "\" } ] }\n");
}

static void
begin(enum mode mode)
{
	struct buf out = buf_of(text, sizeof(text));

	buf_put_str(&out, "identities:\n" IDENTITY("1") IDENTITY("2"));
	if (mode != MODE_NONE)
		buf_printf(&out,
			"groups: [ { name: hall, address: 239.255.17.4, port: 61616, interface: "
			"lo, "
			"topics: [ \"*\" ], threshold: 1, max-age: 3600s%s } ]\n",
			mode == MODE_PLAIN ? "" : ", oscore: keys");
	if (mode >= MODE_SELF)
		buf_put_str(&out, "oscore-groups:\n");
	if (mode == MODE_SELF)
		put_hex(&out, "  - { name: keys, private-key: \"hex:",
			BYTES_OF(parties[PARTY_BROKER].key), "\" }\n");
	if (mode == MODE_EXTERNAL)
		put_external(&out);
	gb_start(buf_str(&out));
}

static void
setup(void)
{
	struct error e;

	gb_init();
	more = "";
	for (unsigned i = 0; i < N_PARTIES; i++) {
		struct buf out = BUF_OF(parties[i].bytes);
		struct crypto_key *key;

		memset(parties[i].key, (int)i + 1, CRYPTO_SECRET);
		ck_assert_int_eq(
			crypto_key_private(SUITE_ED25519, BYTES_OF(parties[i].key), &e, &key), 0);
		ck_assert_int_eq(cred_make(BYTES_NONE, key, &out), 0);
		crypto_key_free(key);
		parties[i].cred = buf_bytes(&out);
	}
}

static void
teardown(void)
{
	binding_fini(&bound);
	context_release(lamp);
	lamp = NULL;
	gb_leave(&member);
	gb_stop(false);
	crypto_stop();
}

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

/* The external group as somebody with this Sender ID and Gid sees it. */
static struct context *
member_of(enum party party, struct bytes id, struct bytes gid)
{
	static const uint8_t secret[] = {0xc0, 0xff, 0xee, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
		0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc};
	static const uint8_t fingerprint[SSN_FINGERPRINT] = {2};
	struct context_group group = {.master_secret = BYTES_OF(secret),
		.gid = gid,
		.sender_id = id,
		.hkdf = SUITE_HKDF_SHA256,
		.aead = SUITE_CCM_16_64_128,
		.group_encryption = SUITE_CCM_16_64_128,
		.signature = SUITE_EDDSA,
		.pairwise = SUITE_ECDH_SS_HKDF256,
		.cred_format = CRED_KCCS,
		.gm_cred = parties[PARTY_MANAGER].cred,
		.cred = parties[party].cred,
		.private_key = BYTES_OF(parties[party].key)};
	static const struct ssn_ops none = {.reserve = on_reserve};
	struct context *c;
	struct error e;

	group.ssn = ssn_new(fingerprint, &none, NULL);
	ck_assert_int_eq(ssn_start_stored(group.ssn, 7, &e), 0);
	ssn_reserved(group.ssn, 2000);
	ck_assert_msg(context_new_group(&group, &e, &c) == 0, "%s", e.text);
	ssn_release(group.ssn);
	if (!bytes_equal(id, BYTES_LIT("\x05")))
		ck_assert_int_eq(context_add_recipient(c, BYTES_LIT("\x05"),
					 parties[PARTY_BROKER].cred, true, 0, &e, NULL),
			0);
	return c;
}

/* --- who is moved, and who is told ----------------------------------------------------- */

/* Of {NoSec, OSCORE, DTLS-PSK, DTLS-PKI}: who is moved. */
static const bool moved[N_MODES][GB_KINDS] = {
	[MODE_NONE] = {false, false, false, false},
	[MODE_PLAIN] = {true, false, false, false},
	[MODE_SELF] = {false, true, true, true},
	[MODE_EXTERNAL] = {false, true, true, true},
};

static void
expect_told(enum mode mode, unsigned peer)
{
	struct inform in = gb_inform(peer);
	struct msg phantom;

	ck_assert_int_eq(msg_decode_inner(in.ph_req, &phantom), 0);
	ck_assert_int_eq(msg_has(&phantom, OPT_OSCORE), mode != MODE_PLAIN);
	ck_assert_int_eq(in.keys.gp_material.p != NULL, mode == MODE_SELF);
	ck_assert_int_eq(in.keys.srv_cred.p != NULL, mode == MODE_SELF);
	ck_assert_int_eq(in.join.join_uri.p != NULL, mode == MODE_EXTERNAL);
	ck_assert_int_eq(in.server.port, 5683);
}

START_TEST(matrix_of_transports_and_groups)
{
	enum mode mode = (enum mode)(_i / GB_KINDS);
	enum gb_kind kind = (enum gb_kind)(_i % GB_KINDS);
	struct broker_stats stats;
	struct msg m;
	unsigned answers;

	begin(mode);
	gb_sub(1, kind);
	if (moved[mode][kind]) {
		expect_told(mode, 1);
		gb_ack(1, kind);
	} else {
		m = gb_got(1);
		ck_assert_int_eq(m.code, CODE_CONTENT);
		ck_assert(msg_has(&m, OPT_OBSERVE));
	}
	/* Everybody hears of it, one way only. */
	answers = gb.n_answers;
	gb_pub("a");
	broker_stats(gb.broker, &stats);
	ck_assert_uint_eq(stats.group_observations, moved[mode][kind]);
	ck_assert_uint_eq(gb.n_sent, moved[mode][kind]);
	if (moved[mode][kind]) {
		/* But for the answer to the publish. */
		ck_assert_uint_eq(gb.n_answers - answers, 1);
	} else {
		m = gb_got(1);
		ck_assert(bytes_equal(m.payload, BYTES_LIT("a")));
	}
}
END_TEST

/* Whoever is there already does not change it. */
START_TEST(matrix_next_to_a_group_observation)
{
	enum mode mode = (enum mode)(_i / GB_KINDS);
	enum gb_kind kind = (enum gb_kind)(_i % GB_KINDS);
	struct broker_stats stats;

	begin(mode);
	for (unsigned k = 0; k < GB_KINDS; k++) {
		gb_sub(3 + k, k == GB_OSCORE ? GB_PSK : (enum gb_kind)k);
		if (mode != MODE_NONE)
			gb_ack(3 + k, k == GB_OSCORE ? GB_PSK : (enum gb_kind)k);
	}
	gb_sub(1, kind);
	if (moved[mode][kind])
		expect_told(mode, 1);
	else
		ck_assert_int_eq(gb_got(1).code, CODE_CONTENT);
	broker_stats(gb.broker, &stats);
	ck_assert_uint_eq(stats.group_observations, mode != MODE_NONE);
}
END_TEST

/* --- external groups ------------------------------------------------------------------- */

START_TEST(omn_7_1_where_to_join_in_both_generations)
{
	struct inform in;

	begin(MODE_EXTERNAL);
	gb_sub(1, GB_OSCORE);
	in = gb_inform(1);
	ck_assert_uint_eq(in.generations, INFORM_BOTH);
	ck_assert(bytes_equal(in.join.join_uri, BYTES_LIT("coap://gm.example/hall")));
	ck_assert(bytes_equal(in.join.sec_gp, BYTES_LIT("hall")));
	ck_assert(bytes_equal(in.join.as_uri, BYTES_LIT("coap://as.example/t")));
	ck_assert_int_eq(in.join.hkdf.number, 5);
	ck_assert_int_eq(in.join.cred_fmt.number, 14);
	ck_assert_int_eq(in.join.gp_enc_alg.number, 10);
	ck_assert_int_eq(in.join.sign_alg.number, -8);
	ck_assert(bytes_equal(in.join.sign_params, BYTES_LIT("\x82\x81\x01\x82\x01\x06")));
	ck_assert_int_eq(in.join.cs_crv.number, 6);
	ck_assert_int_eq(in.join.cs_kty.number, 1);
	ck_assert_int_eq(in.join.cs_kenc.number, 1);
	ck_assert(!in.keys.has_exi);
	ck_assert(!in.keys.has_exp);
	gb_join(&member, member_of(PARTY_LAMP, BYTES_LIT("\x25"), BYTES_LIT("\x57\xab\x2e")), &in);
	gb_ack(1, GB_OSCORE);
	gb_pub("a");
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert(bytes_equal(member.m.payload, BYTES_LIT("a")));
}
END_TEST

/* The Partial IV of a phantom request. */
static uint64_t
number_of(const struct inform *in)
{
	struct bytes option;
	uint64_t n = 0;
	struct msg m;

	ck_assert_int_eq(msg_decode_inner(in->ph_req, &m), 0);
	option = msg_find(&m, OPT_OSCORE)->value;
	for (size_t i = 1; i <= (option.p[0] & 7u); i++)
		n = n << 8 | option.p[i];
	return n;
}

START_TEST(oscore_9_configured_keys_survive_that_the_state_is_lost)
{
	uint64_t first, second;
	struct inform in;
	struct msg m;

	begin(MODE_EXTERNAL);
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	first = number_of(&in);
	gb_ack(1, GB_PSK);
	for (int i = 0; i < 500; i++)
		gb_pub("a");
	gb_stop(false);
	gb_lose_state();
	gb.now_ms += 1000;
	begin(MODE_EXTERNAL);
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	second = number_of(&in);
	ck_assert_uint_gt(second, first + 501);
	/* What was stored is where it goes on. */
	gb_stop(false);
	begin(MODE_EXTERNAL);
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	ck_assert_uint_ge(number_of(&in), second + SSN_STEP);
	/* A clock that cannot be: nothing is protected, and nobody moved. */
	gb_stop(false);
	gb_lose_state();
	gb.wall_s = 0;
	begin(MODE_EXTERNAL);
	gb_sub(1, GB_PSK);
	m = gb_got(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	gb_pub("b");
	ck_assert_uint_eq(gb.n_sent, 500);
}
END_TEST

START_TEST(rfc8613_7_2_1_no_number_is_used_past_the_last)
{
	const struct conf_oscore_group *g;
	struct broker_stats stats;
	struct inform in;

	begin(MODE_EXTERNAL);
	g = gb.conf->oscore_groups;
	memset(gb.kept, 0, sizeof(gb.kept));
	ck_assert_int_eq(ssn_fingerprint(g->master_secret, g->master_salt, g->gid, g->sender_id,
				 gb.kept[0].fingerprint),
		0);
	gb.kept[0].bound = SSN_LIMIT - 3;
	gb.kept[0].has_bound = true;
	gb_stop(false);
	begin(MODE_EXTERNAL);
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	ck_assert_uint_eq(number_of(&in), SSN_LIMIT - 3);
	gb_ack(1, GB_PSK);
	gb_pub("a");
	ck_assert_uint_eq(gb.n_sent, 1);
	gb_pub("b");
	gb_go(10000);
	ck_assert_uint_eq(gb.n_sent, 1);
	broker_stats(gb.broker, &stats);
	ck_assert_uint_gt(stats.group_dropped, 0);
	gb_sub(2, GB_NOSEC);
	ck_assert(bytes_equal(gb_got(2).payload, BYTES_LIT("b")));
}
END_TEST

/* --- requests of members ----------------------------------------------------------------- */

static void
send_as(struct context *c, enum oscore_mode mode, const struct msg *m)
{
	struct token token = {.n = 1, .b = {9}};
	uint8_t bytes[2048], sealed[2048], code;
	struct buf out = BUF_OF(bytes), tail = BUF_OF(sealed);

	binding_fini(&bound);
	ck_assert_int_eq(
		protect_request(c, mode, mode == OSCORE_PAIRWISE ? BYTES_LIT("\x05") : BYTES_NONE,
			m, &tail, &code, &bound),
		0);
	msg_put_header(&out, (enum msg_type)m->type, code, ++gb.mid, &token);
	buf_put(&out, buf_bytes(&tail));
	gb.clients[9].got.n = 0;
	gb_raw(9, GB_NOSEC, buf_bytes(&out));
}

/* What came of it. */
static struct msg
answer(void)
{
	struct gb_client *c = &gb.clients[9];
	struct buf plain = BUF_OF(c->plain);
	struct unprotect_info info;
	struct msg outer, inner;

	ck_assert_int_eq(msg_decode(bytes_of(c->got.bytes, c->got.n), &outer), MSG_OK);
	if (!msg_has(&outer, OPT_OSCORE))
		return outer;
	ck_assert_int_eq(
		unprotect_response(&bound, NULL, &outer, &plain, &inner, &info), UNPROTECT_OK);
	return inner;
}

static struct msg
request(enum msg_code code)
{
	struct msg m;

	msg_init(&m, gb.multicast ? TYPE_NON : TYPE_CON, code);
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("ps"));
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("data"));
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("hall"));
	return m;
}

static void
begin_unknown_lamp(void)
{
	begin(MODE_EXTERNAL);
	lamp = member_of(PARTY_LAMP, BYTES_LIT("\x25"), BYTES_LIT("\x57\xab\x2e"));
}

/* The lamp, which showed that it is of now. */
static void
begin_lamp(void)
{
	struct msg m = request(CODE_GET), got;

	begin_unknown_lamp();
	send_as(lamp, OSCORE_GROUP, &m);
	got = answer();
	ck_assert_int_eq(got.code, CODE_UNAUTHORIZED);
	ck_assert_ptr_nonnull(msg_find(&got, OPT_ECHO));
	ck_assert_int_eq(msg_add(&m, OPT_ECHO, msg_find(&got, OPT_ECHO)->value), 0);
	send_as(lamp, OSCORE_GROUP, &m);
	got = answer();
	ck_assert_int_eq(got.code, CODE_CONTENT);
	ck_assert(bytes_equal(got.payload, BYTES_LIT("0")));
}

START_TEST(groupcomm_7_and_8_requests_of_a_member)
{
	struct msg get, put, got;

	begin_lamp();
	get = request(CODE_GET);
	put = request(CODE_PUT);
	put.payload = BYTES_LIT("x");
	/* Whoever relays it can send it elsewhere: it may only read. */
	send_as(lamp, OSCORE_GROUP, &put);
	ck_assert_int_eq(answer().code, CODE_FORBIDDEN);
	send_as(lamp, OSCORE_PAIRWISE, &get);
	got = answer();
	ck_assert(bytes_equal(got.payload, BYTES_LIT("0")));
	send_as(lamp, OSCORE_PAIRWISE, &put);
	ck_assert_int_eq(answer().code, CODE_CHANGED);
	send_as(lamp, OSCORE_GROUP, &get);
	got = answer();
	ck_assert(bytes_equal(got.payload, BYTES_LIT("x")));
}
END_TEST

START_TEST(group_mode_writes_where_the_group_allows_it)
{
	struct msg put;

	more = ", group-mode-writes: true";
	begin_lamp();
	put = request(CODE_PUT);
	put.payload = BYTES_LIT("x");
	send_as(lamp, OSCORE_GROUP, &put);
	ck_assert_int_eq(answer().code, CODE_CHANGED);
}
END_TEST

static bool
lamps_only(uint32_t who, unsigned verbs)
{
	(void)verbs;
	return strcmp(subjects_name(gb.subjects, who), "lamp") == 0;
}

START_TEST(a_member_is_a_subject_and_is_moved)
{
	struct msg get;

	gb.may = lamps_only;
	begin_lamp();
	gb_sub(1, GB_OSCORE);
	ck_assert_int_eq(gb_got(1).code, CODE_FORBIDDEN);
	get = request(CODE_GET);
	ck_assert_int_eq(msg_add_uint(&get, OPT_OBSERVE, 0), 0);
	send_as(lamp, OSCORE_GROUP, &get);
	ck_assert_int_eq(answer().code, CODE_UNAVAILABLE);
}
END_TEST

/* Its keys of before a restart, by the numbers that the disk knows them by. */
static struct shield *
restore(enum oscore_mode mode, const char *kid, struct bytes piv)
{
	struct groupkeys_registration r = {.kid = bytes_str(kid), .piv = piv, .mode = mode};
	struct shield *s = NULL;
	uint32_t who = 0;

	for (size_t i = 0; i < GB_KEPT && !s; i++) {
		r.print = BYTES_OF(gb.kept[i].fingerprint);
		s = groupkeys_restore_member(gb.keys, &r, &who);
	}
	if (s)
		ck_assert_str_eq(subjects_name(gb.subjects, who), "lamp");
	return s;
}

START_TEST(rfc8613_8_3_notifications_to_a_member_after_a_restart)
{
	static const enum oscore_mode modes[] = {OSCORE_GROUP, OSCORE_PAIRWISE};
	struct gb_sent *got = &gb.clients[9].got;
	struct token token = {.n = 1, .b = {9}};
	uint8_t bytes[512], code;
	struct buf tail = BUF_OF(bytes), out = BUF_OF(got->bytes);
	struct shield *s;
	struct msg m;

	begin_lamp();
	m = request(CODE_GET);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 0), 0);
	send_as(lamp, modes[_i], &m);
	gb_stop(false);
	begin(MODE_EXTERNAL);
	ck_assert_ptr_null(restore(OSCORE_PLAIN, "\x25", binding_piv(&bound)));
	ck_assert_ptr_null(restore(OSCORE_PAIRWISE + 1, "\x25", binding_piv(&bound)));
	ck_assert_ptr_null(restore(modes[_i], "\x26", binding_piv(&bound)));
	/* Nor as one of ours. */
	ck_assert_ptr_null(restore(modes[_i], "\x05", binding_piv(&bound)));
	s = restore(modes[_i], "\x25", binding_piv(&bound));
	ck_assert_ptr_nonnull(s);
	msg_init(&m, TYPE_NON, CODE_CONTENT);
	(void)msg_add_uint(&m, OPT_OBSERVE, 7);
	m.payload = BYTES_LIT("news");
	ck_assert_int_eq(layer_protect(gb.layer, s, &m, &tail, &code), 0);
	msg_put_header(&out, TYPE_NON, code, 1, &token);
	buf_put(&out, buf_bytes(&tail));
	got->n = out.n;
	ck_assert(bytes_is(answer().payload, "news"));
	layer_shield_release(gb.layer, s);
}
END_TEST

START_TEST(groupcomm_requests_by_multicast)
{
	struct msg get, got;

	begin_lamp();
	gb.multicast = true;
	get = request(CODE_GET);
	send_as(lamp, OSCORE_GROUP, &get);
	gb_go(LAYER_LEISURE_MS + 1);
	got = answer();
	ck_assert(bytes_equal(got.payload, BYTES_LIT("0")));
	/* What fails, fails in silence. */
	(void)msg_add(&get, OPT_URI_PATH, BYTES_LIT("nowhere"));
	send_as(lamp, OSCORE_GROUP, &get);
	gb_go(LAYER_LEISURE_MS + 1);
	ck_assert_uint_eq(gb.clients[9].got.n, 0);
}
END_TEST

/* "a subsequent client request sent to that server [...] MUST be a message sent unicast". */
START_TEST(groupcomm_9_a_request_by_multicast_is_challenged)
{
	enum oscore_mode mode = _i ? OSCORE_PAIRWISE : OSCORE_GROUP;
	struct oscore_option option;
	struct msg get, outer, got;

	begin_unknown_lamp();
	gb.multicast = true;
	get = request(CODE_GET);
	send_as(lamp, OSCORE_GROUP, &get);
	/* At leisure, like any other answer to a group. */
	ck_assert_uint_eq(gb.clients[9].got.n, 0);
	gb_go(LAYER_LEISURE_MS + 1);
	ck_assert_int_eq(
		msg_decode(bytes_of(gb.clients[9].got.bytes, gb.clients[9].got.n), &outer), MSG_OK);
	/* "The server MUST use its Partial IV", "including only the Echo Option". */
	ck_assert_int_eq(oscore_option_decode(msg_find(&outer, OPT_OSCORE)->value, &option), 0);
	ck_assert_uint_gt(option.piv.n, 0);
	got = answer();
	ck_assert_int_eq(got.code, CODE_UNAUTHORIZED);
	ck_assert_ptr_nonnull(msg_find(&got, OPT_ECHO));
	ck_assert_uint_eq(got.payload.n, 0);
	gb.multicast = false;
	get = request(CODE_GET);
	ck_assert_int_eq(msg_add(&get, OPT_ECHO, msg_find(&got, OPT_ECHO)->value), 0);
	send_as(lamp, mode, &get);
	got = answer();
	ck_assert_int_eq(got.code, CODE_CONTENT);
	ck_assert(bytes_equal(got.payload, BYTES_LIT("0")));
	gb.multicast = true;
	get = request(CODE_GET);
	send_as(lamp, OSCORE_GROUP, &get);
	gb_go(LAYER_LEISURE_MS + 1);
	ck_assert_int_eq(answer().code, CODE_CONTENT);
}
END_TEST

/* Without numbers of its own nothing can be said of it that nobody else could have said. */
START_TEST(groupcomm_9_no_challenge_without_a_number)
{
	struct msg get;

	gb.wall_s = 0;
	begin_unknown_lamp();
	gb.multicast = true;
	get = request(CODE_GET);
	send_as(lamp, OSCORE_GROUP, &get);
	gb_go(LAYER_LEISURE_MS + 1);
	ck_assert_uint_eq(gb.clients[9].got.n, 0);
}
END_TEST

/* Who cannot send, by party, Sender ID and Gid; and what a unicast one gets. */
static const struct {
	enum party party;
	const char *id, *gid;
	int code; /* 0: nothing */
} strangers[] = {
	{PARTY_LAMP, "\x25", "\x57\xab\x2f", CODE_UNAUTHORIZED}, /* wrong Gid */
	{PARTY_STRANGER, "\x26", "\x57\xab\x2e", CODE_UNAVAILABLE}, /* unknown kid */
	{PARTY_STRANGER, "\x25", "\x57\xab\x2e", CODE_BAD_REQUEST}, /* another's signature */
	{PARTY_BROKER, "\x05", "\x57\xab\x2e", 0}, /* our own */
};

START_TEST(groupcomm_7_2_what_is_refused)
{
	for (int i = 0; i < 2; i++) {
		struct msg m;

		if (i == 0)
			begin(MODE_EXTERNAL);
		gb.multicast = i;
		context_release(lamp);
		lamp = member_of(strangers[_i].party, bytes_str(strangers[_i].id),
			bytes_str(strangers[_i].gid));
		m = request(CODE_GET);
		send_as(lamp, OSCORE_GROUP, &m);
		gb_go(LAYER_LEISURE_MS + 1);
		if (gb.multicast || strangers[_i].code == 0)
			ck_assert(gb.clients[9].got.n == 0 || answer().code == CODE_EMPTY);
		else
			ck_assert_int_eq(answer().code, strangers[_i].code);
	}
}
END_TEST

/* --- mangled ------------------------------------------------------------------------------- */

#define N_VICTIMS 4
#define MUTATIONS (100000 / N_VICTIMS)

static const struct {
	enum oscore_mode mode;
	bool multicast;
	enum msg_code code;
} victims[N_VICTIMS] = {
	{OSCORE_PLAIN, false, CODE_PUT},
	{OSCORE_GROUP, false, CODE_GET},
	{OSCORE_PAIRWISE, false, CODE_PUT},
	{OSCORE_GROUP, true, CODE_GET},
};

/* A request that would be run, as a datagram. */
static size_t
make_victim(int which, uint8_t *bytes, size_t cap)
{
	bool plain = victims[which].mode == OSCORE_PLAIN;
	struct token token = {.n = 2, .b = {9, 9}};
	struct buf out = buf_of(bytes, cap);
	uint8_t sealed[1024], code;
	struct buf tail = BUF_OF(sealed);
	struct msg m;

	gb.multicast = victims[which].multicast;
	m = request(victims[which].code);
	if (victims[which].code == CODE_PUT)
		m.payload = BYTES_LIT("changed");
	binding_fini(&bound);
	ck_assert_int_eq(protect_request(plain ? gb.clients[1].context : lamp, victims[which].mode,
				 plain ? BYTES_NONE : BYTES_LIT("\x05"), &m, &tail, &code, &bound),
		0);
	msg_put_header(&out, (enum msg_type)m.type, code, ++gb.mid, &token);
	buf_put(&out, buf_bytes(&tail));
	return out.n;
}

static uint64_t
n_taken(void)
{
	struct guard_stats stats;

	guard_stats(gb.guard, &stats);
	return stats.requests + stats.challenged;
}

/* From header to signature; whatever else it is taken for, it is not what it was made of. */
START_TEST(nothing_mangled_is_run)
{
	uint8_t victim[1024], raw[sizeof(victim) + MUTATE_ROOM], *exact;
	uint32_t state = 0x6c078965u + (uint32_t)_i;
	uint64_t taken;
	struct msg was, is;
	size_t n_victim, n;

	begin_lamp();
	gb_sub(1, GB_OSCORE);
	n_victim = make_victim(_i, victim, sizeof(victim));
	ck_assert_int_eq(msg_decode(bytes_of(victim, n_victim), &was), MSG_OK);
	taken = n_taken();
	for (int i = 0; i < MUTATIONS;) {
		memcpy(raw, victim, n_victim);
		n = mutate(raw, n_victim, &state);
		if (msg_decode(bytes_of(raw, n), &is) == MSG_OK && mutate_is_same(&was, &is))
			continue;
		exact = mem_dup(bytes_of(raw, n));
		gb_raw(9, GB_NOSEC, bytes_of(exact, n));
		free(exact);
		ck_assert_msg(n_taken() == taken, "mutation %d was taken", i);
		i++;
	}
	/* What is not mangled, is. */
	gb_raw(9, GB_NOSEC, bytes_of(victim, n_victim));
	ck_assert_uint_eq(n_taken(), taken + 1);
	gb.multicast = false;
	is = request(CODE_GET);
	gb_send(2, GB_NOSEC, &is);
	ck_assert(bytes_equal(gb_got(2).payload,
		victims[_i].code == CODE_PUT ? BYTES_LIT("changed") : BYTES_LIT("0")));
}
END_TEST

START_TEST(windows_hold_after_a_clean_stop)
{
	struct msg m;

	begin_lamp();
	gb_stop(true);
	begin(MODE_EXTERNAL);
	m = request(CODE_GET);
	send_as(lamp, OSCORE_GROUP, &m);
	ck_assert_int_eq(answer().code, CODE_CONTENT);
	/* But not the next time without one. */
	gb_stop(false);
	begin(MODE_EXTERNAL);
	send_as(lamp, OSCORE_GROUP, &m);
	ck_assert_int_eq(answer().code, CODE_UNAUTHORIZED);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("groupmembers");
	TCase *t = tcase_create("members");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, matrix_of_transports_and_groups, 0, N_MODES * GB_KINDS);
	tcase_add_loop_test(t, matrix_next_to_a_group_observation, 0, N_MODES * GB_KINDS);
	tcase_add_test(t, omn_7_1_where_to_join_in_both_generations);
	tcase_add_test(t, oscore_9_configured_keys_survive_that_the_state_is_lost);
	tcase_add_test(t, rfc8613_7_2_1_no_number_is_used_past_the_last);
	tcase_add_test(t, groupcomm_7_and_8_requests_of_a_member);
	tcase_add_test(t, group_mode_writes_where_the_group_allows_it);
	tcase_add_test(t, a_member_is_a_subject_and_is_moved);
	tcase_add_loop_test(t, rfc8613_8_3_notifications_to_a_member_after_a_restart, 0, 2);
	tcase_add_test(t, groupcomm_requests_by_multicast);
	tcase_add_loop_test(t, groupcomm_9_a_request_by_multicast_is_challenged, 0, 2);
	tcase_add_test(t, groupcomm_9_no_challenge_without_a_number);
	tcase_add_loop_test(t, groupcomm_7_2_what_is_refused, 0,
		(int)(sizeof(strangers) / sizeof(strangers[0])));
	tcase_add_loop_test(t, nothing_mangled_is_run, 0, N_VICTIMS);
	tcase_add_test(t, windows_hold_after_a_clean_stop);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
