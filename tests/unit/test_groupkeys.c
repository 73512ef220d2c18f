/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group observations that Group OSCORE protects, as clients see them: what a 5.03 says is all
 * they need (observe-multicast-notifications 7 and appendix C); new keys, lost state, used up
 * numbers, and requests of members.
 */
#include "group_bed.h"

#include "base/rnd.h"
#include "msg/block.h"
#include "oscore/cred.h"
#include "oscore/crypto.h"
#include "wire/option.h"

#define KEY "hex:1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100"
#define IDENTITY(n)                                                                       \
	"  - { name: p" n ", oscore: { sender-id: hex:a" n ", recipient-id: hex:0" n ", " \
	"master-secret: hex:00112233445566778899aabbccddeef" n " } }\n"
#define BASE                                                                                   \
	"identities:\n" IDENTITY("1") IDENTITY("2") IDENTITY(                                  \
		"3") "groups: [ { name: hall, address: 239.255.17.4, port: 61616, interface: " \
		     "lo, topics: [ \"*\" ], threshold: 1, max-age: 3600s, oscore: keys } ]\n"
#define SELF(more)                                                                 \
	BASE "oscore-groups: [ { name: keys, gid: hex:57ab2e, sender-id: hex:05, " \
	     "lifetime: 1000s, private-key: \"" KEY "\"" more " } ]\n"

static struct gb_member member, newcomer;

static void
setup(void)
{
	gb_init();
}

static void
teardown(void)
{
	gb_leave(&member);
	gb_leave(&newcomer);
	gb_stop(false);
	crypto_stop();
}

static void
expect_heard(struct gb_member *m, const char *value)
{
	ck_assert_int_eq(gb_hear(m, 0), UNPROTECT_OK);
	ck_assert_int_eq(m->m.code, CODE_CONTENT);
	ck_assert(bytes_equal(m->m.payload, bytes_str(value)));
}

static const char *const suites[] = {"", ", group-encryption-algorithm: A128GCM, hkdf: SHA-512",
	", group-encryption-algorithm: ChaCha20/Poly1305, signature-algorithm: ES256",
	", group-encryption-algorithm: A128CTR", ", signature-algorithm: ES256, hkdf: SHA-512",
	/* Neither of pairwise mode is set in a self-managed group. */
	", aead-algorithm: AES-CCM-16-64-128, pairwise-key-agreement-algorithm: ECDH-SS+HKDF-256, "
	"master-salt: hex:0102, master-secret: hex:09"};

/* omn 7.2, C: what came in the 5.03 verifies all there is until the cancellation. */
START_TEST(omn_c_what_a_5_03_says_is_all_that_is_needed)
{
	char text[2048];
	struct msg m;

	(void)snprintf(text, sizeof(text), SELF("%s"), suites[_i]);
	gb_start(text);
	gb_take_part(&member, 1, _i % 2 ? GB_PSK : GB_OSCORE);
	ck_assert(bytes_equal(member.m.payload, BYTES_LIT("0")));
	gb_pub("a");
	expect_heard(&member, "a");
	gb_pub("b");
	expect_heard(&member, "b");
	/* A copy of one that was heard, and one that was changed on the way. */
	ck_assert_int_eq(gb_hear(&member, 1), UNPROTECT_REPLAY);
	gb_pub("c");
	gb.sent[2].bytes[gb.sent[2].n - 1] ^= 1;
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_FAILED);
	gb.sent[2].bytes[gb.sent[2].n - 1] ^= 1;
	expect_heard(&member, "c");
	msg_init(&m, TYPE_NON, CODE_DELETE);
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("ps"));
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("hall"));
	gb_send(2, GB_PSK, &m);
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(member.m.code, CODE_UNAVAILABLE);
	ck_assert_uint_eq(member.m.n_opts, 0);
	ck_assert_uint_eq(member.m.payload.n, 0);
}
END_TEST

START_TEST(omn_c_fields_of_a_self_managed_group)
{
	struct inform in;

	gb_start(SELF(""));
	gb_sub(1, GB_PKI);
	in = gb_inform(1);
	ck_assert(bytes_equal(in.keys.srv_identifier, BYTES_LIT("\x05")));
	ck_assert(in.keys.has_exi);
	ck_assert_uint_eq(in.keys.exi_s, 990); /* in steps of 15 s */
	ck_assert(in.keys.has_exp);
	ck_assert_int_eq(in.keys.exp_s, gb.wall_s + (int64_t)gb.now_ms / 1000 + 1000);
	ck_assert_ptr_null(in.join.join_uri.p);
	ck_assert(!in.join_dropped);
	ck_assert_uint_eq(in.generations, INFORM_BOTH);
	gb_stop(false);
	/* "If the server has a reliable way to synchronize its internal clock with UTC". */
	gb_init();
	gb.wall_s = 0;
	gb_start(SELF(""));
	gb_sub(1, GB_PKI);
	in = gb_inform(1);
	ck_assert(in.keys.has_exi);
	ck_assert(!in.keys.has_exp);
}
END_TEST

static struct bytes
gid_of(const struct inform *in)
{
	/* The option of the phantom request: flags, number, length of the Gid, Gid. */
	struct msg m;

	ck_assert_int_eq(msg_decode_inner(in->ph_req, &m), 0);
	return bytes_head(bytes_from(msg_find(&m, OPT_OSCORE)->value, 3), 11);
}

START_TEST(oscore_9_every_store_has_keys_of_its_own)
{
	uint8_t first[11], map[256];
	struct inform in;
	size_t n;

	gb_start(SELF(", master-secret: hex:0102"));
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	ck_assert(bytes_equal(bytes_head(gid_of(&in), 3), BYTES_LIT("\x57\xab\x2e")));
	memcpy(first, gid_of(&in).p, sizeof(first));
	n = in.keys.gp_material.n;
	memcpy(map, in.keys.gp_material.p, n);
	/* A restart: the same ones. */
	gb_stop(true);
	gb.now_ms += 5000;
	gb_start(SELF(", master-secret: hex:0102"));
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	ck_assert(bytes_equal(in.keys.gp_material, bytes_of(map, n)));
	ck_assert_uint_le(in.keys.exi_s, 995);
	/* The state is lost: others. */
	gb_stop(true);
	gb_lose_state();
	gb_start(SELF(", master-secret: hex:0102"));
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	ck_assert(!bytes_equal(gid_of(&in), BYTES_OF(first)));
	ck_assert(!bytes_equal(in.keys.gp_material, bytes_of(map, n)));
}
END_TEST

START_TEST(keys_of_before_a_restart_are_not_used_past_their_life)
{
	uint8_t map[256];
	struct inform in;
	size_t n;

	gb_start(SELF(""));
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	n = in.keys.gp_material.n;
	memcpy(map, in.keys.gp_material.p, n);
	for (int i = 0; i < 2; i++) {
		gb_stop(true);
		/* They are about to expire; then nobody knows what time it is. */
		gb.now_ms += i == 0 ? 800000 : 0;
		gb.wall_s = i == 0 ? gb.wall_s : 0;
		gb_start(SELF(""));
		gb_sub(1, GB_PSK);
		in = gb_inform(1);
		ck_assert(!bytes_equal(in.keys.gp_material, bytes_of(map, n)));
		ck_assert_uint_eq(in.keys.exi_s, 990);
		n = in.keys.gp_material.n;
		memcpy(map, in.keys.gp_material.p, n);
	}
}
END_TEST

/* oscore.md 9: the old keys tell the new ones, and all go on with the same binding. */
START_TEST(omn_c_members_and_newcomers_after_a_rekey)
{
	uint8_t ph_req[512], notice[2048];
	struct inform in;
	size_t n, n_notice;

	gb_start(SELF(""));
	gb_take_part(&member, 1, GB_OSCORE);
	gb_go(749000);
	ck_assert_uint_eq(gb.n_sent, 0);
	gb_go(1000);
	ck_assert_uint_eq(gb.n_sent, 1);
	n_notice = gb.sent[0].n;
	memcpy(notice, gb.sent[0].bytes, n_notice);
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(member.m.code, CODE_UNAVAILABLE);
	ck_assert(!msg_has(&member.m, OPT_OBSERVE));
	ck_assert_int_eq(inform_decode(member.m.payload, &in), 0);
	ck_assert_int_eq(in.client.family, AF_UNSPEC);
	ck_assert(in.keys.exi_s >= 990 && in.keys.exi_s <= 1000);
	memcpy(ph_req, in.ph_req.p, in.ph_req.n);
	n = in.ph_req.n;
	/* A publish at once: under the new keys. */
	gb_pub("a");
	ck_assert_int_ne(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(gb_hear(&member, 1), UNPROTECT_REPLAY);
	gb_join(&newcomer, gb_listener(&in), &in);
	ck_assert(bytes_equal(newcomer.m.payload, BYTES_LIT("0")));
	expect_heard(&newcomer, "a");
	gb_leave(&newcomer);
	gb_take_part(&newcomer, 2, GB_PSK);
	gb_sub(3, GB_OSCORE);
	in = gb_inform(3);
	ck_assert(bytes_equal(in.ph_req, bytes_of(ph_req, n)));
	gb_ack(3, GB_OSCORE);
	/* It is not confirmable: twice more, the same but for the message id; then the value. */
	gb_go(1000);
	gb_go(2000);
	ck_assert_uint_eq(gb.n_sent, 4);
	for (int i = 2; i < 4; i++) {
		ck_assert_uint_eq(gb.sent[i].n, n_notice);
		ck_assert_int_eq(memcmp(gb.sent[i].bytes + 4, notice + 4, n_notice - 4), 0);
		ck_assert_int_ne(memcmp(gb.sent[i].bytes, notice, 4), 0);
	}
	gb_go(4000);
	gb_go(1);
	ck_assert_uint_eq(gb.n_sent, 5);
	expect_heard(&newcomer, "a");
	gb_pub("b");
	expect_heard(&newcomer, "b");
	ck_assert_uint_eq(gb.n_sent, 6);
}
END_TEST

START_TEST(new_keys_are_used_once_their_numbers_are_durable)
{
	struct groupkeys_stats stats;
	struct inform in;

	gb_start(SELF(""));
	gb_take_part(&member, 1, GB_PSK);
	gb.lazy = true;
	gb_go(750000);
	gb_go(100000);
	ck_assert_uint_eq(gb.n_sent, 0);
	gb_pub("a");
	expect_heard(&member, "a");
	gb_catch_up();
	gb_go(1000);
	ck_assert_uint_eq(gb.n_sent, 2);
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(inform_decode(member.m.payload, &in), 0);
	ck_assert_ptr_nonnull(in.keys.gp_material.p);
	groupkeys_stats(gb.keys, &stats);
	ck_assert_uint_eq(stats.rekeyed, 1);
	ck_assert_uint_eq(stats.expired, 0);
}
END_TEST

/* omn C: "MUST stop using the keying material and MUST cancel the group observations". */
START_TEST(omn_c_keys_that_expire_end_their_group_observations)
{
	struct msg m;

	gb_start(SELF(""));
	gb_take_part(&member, 1, GB_PSK);
	gb.lazy = true;
	gb_go(750000);
	gb_go(251000);
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(member.m.code, CODE_UNAVAILABLE);
	ck_assert_uint_eq(member.m.payload.n, 0);
	/* Nobody is moved while there are no others. */
	gb_sub(2, GB_PSK);
	m = gb_got(2);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	gb_catch_up();
	gb_go(1000);
	gb_take_part(&newcomer, 2, GB_PSK);
	gb_pub("a");
	expect_heard(&newcomer, "a");
}
END_TEST

START_TEST(rfc8613_7_2_1_used_up_numbers_replace_keys)
{
	struct inform in;

	gb.first_number = SSN_LIMIT - 1000;
	gb_start(SELF(""));
	gb_take_part(&member, 1, GB_PSK);
	gb.first_number = 0;
	gb_go(60000);
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(inform_decode(member.m.payload, &in), 0);
	gb_join(&newcomer, gb_listener(&in), &in);
	gb_pub("a");
	expect_heard(&newcomer, "a");
}
END_TEST

START_TEST(large_keys_come_in_blocks)
{
	uint8_t all[4096];
	struct buf map = BUF_OF(all);
	struct block block = {.more = true};
	struct inform in;
	struct msg m, next;
	char text[4096], salt[129];

	memset(salt, 'a', sizeof(salt));
	salt[128] = '\0';
	(void)snprintf(text, sizeof(text),
		SELF(", master-salt: hex:%s") "broker: { limits: { payload: 4096 } }\n", salt);
	/* Neither fits 400 bytes with all that protection adds. */
	memcpy(strstr(text, "max-age: 3600s"), "datagram:  400", 14);
	gb_start(text);
	gb_sub(10, GB_PSK);
	m = gb_got(10);
	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	for (unsigned num = 1; block.more; num++) {
		ck_assert_ptr_nonnull(msg_find(&m, OPT_BLOCK2));
		ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &block), 0);
		buf_put(&map, m.payload);
		if (!block.more)
			break;
		msg_init(&next, TYPE_CON, CODE_GET);
		(void)msg_add(&next, OPT_URI_PATH, BYTES_LIT("ps"));
		(void)msg_add(&next, OPT_URI_PATH, BYTES_LIT("data"));
		(void)msg_add(&next, OPT_URI_PATH, BYTES_LIT("hall"));
		(void)msg_add(&next, OPT_ETAG, msg_find(&m, OPT_ETAG)->value);
		(void)msg_add_uint(&next, OPT_BLOCK2, num << 4 | block.szx);
		/* Keys are for those who are protected only. */
		gb_send(11, GB_NOSEC, &next);
		ck_assert_int_ne(gb_got(11).code, CODE_UNAVAILABLE);
		gb_send(10, GB_PSK, &next);
		m = gb_got(10);
		ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	}
	ck_assert_int_eq(inform_decode(buf_bytes(&map), &in), 0);
	gb_join(&member, gb_listener(&in), &in);
	gb_pub("a");
	expect_heard(&member, "a");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("groupkeys");
	TCase *t = tcase_create("self");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, omn_c_what_a_5_03_says_is_all_that_is_needed, 0,
		(int)(sizeof(suites) / sizeof(suites[0])));
	tcase_add_test(t, omn_c_fields_of_a_self_managed_group);
	tcase_add_test(t, oscore_9_every_store_has_keys_of_its_own);
	tcase_add_test(t, keys_of_before_a_restart_are_not_used_past_their_life);
	tcase_add_test(t, omn_c_members_and_newcomers_after_a_rekey);
	tcase_add_test(t, new_keys_are_used_once_their_numbers_are_durable);
	tcase_add_test(t, omn_c_keys_that_expire_end_their_group_observations);
	tcase_add_test(t, rfc8613_7_2_1_used_up_numbers_replace_keys);
	tcase_add_test(t, large_keys_come_in_blocks);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
