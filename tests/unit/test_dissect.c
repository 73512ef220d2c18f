/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What decode says of datagrams: a broker and a client that protect what they say, and a
 * reader with the keys of one of them. oscore.md's rules are tested elsewhere; here it is
 * what is found, what is explained, and that no key is ever said.
 */
#include <stdio.h>

#include "cli/dissect.h"
#include "dissect_bed.h"
#include "unit.h"
#include "wire/option.h"

START_TEST(plain_messages)
{
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_say(&b, &b.client, &b.broker, "40 01 0001 b1 61 01 62");
	bed_like(&b, "10.0.0.2:40000 > 10.0.0.1:5683 CON GET mid=0001 /a/b\n");
	bed_say(&b, &b.broker, &b.client, "60 45 0001 c0 ff 68 69");
	bed_like(&b, "ACK 2.05 mid=0001 content-format=0 \"hi\" [to GET /a/b]\n");
	bed_say(&b, &b.broker, &b.client, "60 00 0001");
	bed_like(&b, "ACK EMPTY mid=0001\n");
	bed_say(&b, &b.client, &b.broker, "41 01 0002 07 39 78 d1 06 0e 2d 01 41 6d 00 61 ff 00");
	bed_like(&b, " token=07 ");
	bed_end(&b);
}
END_TEST

START_TEST(what_is_no_message)
{
	struct addr other;
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	ck_assert_int_eq(addr_parse("10.0.0.9:53", 0, &other), 0);
	bed_say(&b, &b.client, &b.broker, "00 01 02");
	bed_like(&b, "no CoAP message, 3 bytes\n");
	bed_say(&b, &other, &other, "00 01 02");
	ck_assert_uint_eq(b.out.n, 0);
	bed_say(&b, &b.client, &other, "16 fe fd 0000 000000000001 0001 00");
	bed_like(&b, "DTLS, 14 bytes\n");
	bed_end(&b);
}
END_TEST

static const struct {
	const char *hex, *said; /* NULL: it is no CBOR, and shown as bytes */
} cbor[] = {
	{"a1 00 64 64656d6f", "{0: \"demo\"}"},
	{"83 01 20 3b ffffffffffffffff", "[1, -1, -18446744073709551616]"},
	{"a2 01 f5 02 82 f6 f4", "{1: true, 2: [null, false]}"},
	{"c1 1a 12345678", "1(305419896)"},
	{"82 43 00ff01 f9 3e00", "[h'00ff01', 1.5]"},
	{"62 1b5b", "\"\\x1b[\""},
	{"80", "[]"},
	{"81 a0", "[{}]"},
	{"e0", "simple(0)"},
	{"01 02", NULL},
	{"9f 01 ff", NULL},
	{"5f ff", NULL},
	{"82 01", NULL},
	{"9b ffffffffffffffff", NULL},
	{"81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 00", NULL},
};

START_TEST(cbor_in_words)
{
	char wanted[128], hex[256];
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	snprintf(hex, sizeof(hex), "60 45 0001 c1 3c ff %s", cbor[_i].hex);
	bed_say(&b, &b.broker, &b.client, hex);
	snprintf(wanted, sizeof(wanted), "content-format=60 %s",
		cbor[_i].said ? cbor[_i].said : "h'");
	bed_like(&b, wanted);
	bed_end(&b);
}
END_TEST

START_TEST(long_cbor_is_cut)
{
	uint8_t raw[256] = {0x60, 0x45, 0, 1, 0xc1, 0x3c, 0xff, 0x98, 200};
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_say_bytes(&b, &b.broker, &b.client, bytes_of(raw, 9 + 200));
	bed_like(&b, "[0, 0, 0, 0, 0, 0, 0, 0, ");
	bed_like(&b, ", 0, ...\n");
	ck_assert_uint_lt(b.out.n, 400);
	bed_end(&b);
}
END_TEST

/* The keys of either end open both directions. */
START_TEST(oscore_of_both_directions)
{
	struct oscore_binding asked, heard;
	struct bed b;

	bed_start(&b, _i == 0 ? BED_BROKER_KEYS : BED_CLIENT_KEYS);
	bed_ask(&b, "secret", &asked, &heard);
	bed_like(&b, "CON POST mid=0007 token=4a oscore=[kid=01 piv=0] <");
	bed_like(&b, _i == 0 ? "{OSCORE panel-1, from panel-1: verified} GET /secret\n"
			     : "{OSCORE panel-1, from client: verified} GET /secret\n");
	bed_answer(&b, &heard, "yes");
	bed_like(&b, _i == 0 ? "{OSCORE panel-1, from broker: verified} 2.05 \"yes\" [to GET "
			       "/secret]\n"
			     : "{OSCORE panel-1, from panel-1: verified} 2.05 \"yes\" [to GET "
			       "/secret]\n");
	ck_assert_uint_eq(b.d.n_opened, 2);
	binding_fini(&asked);
	binding_fini(&heard);
	bed_end(&b);
}
END_TEST

START_TEST(what_cannot_be_verified)
{
	struct oscore_binding asked, heard;
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_ask(&b, "secret", &asked, &heard);
	/* The same again with another byte: what the token stands for stays. */
	bed_repeat(&b, &b.client, &b.broker, true);
	bed_like(&b, "{NOT VERIFIED: signature or decryption failed}\n");
	bed_answer(&b, &heard, "yes");
	bed_like(&b, "verified} 2.05 \"yes\"");
	bed_repeat(&b, &b.broker, &b.client, true);
	bed_like(&b, "{NOT VERIFIED: signature or decryption failed} [to GET /secret]\n");
	bed_repeat(&b, &b.broker, &b.broker, false);
	bed_like(&b, "{its request is not in the capture, or could not be read}\n");
	bed_say(&b, &b.client, &b.broker, "41 02 0009 09 93 09 00 77 ff 000102030405060708");
	bed_like(&b, "oscore=[kid=77 piv=0] <9 bytes protected> {no key for it}\n");
	bed_say(&b, &b.client, &b.broker, "41 02 0009 09 91 ff ff 0001");
	bed_like(&b, "oscore=malformed:h'ff' <2 bytes protected> {malformed}\n");
	ck_assert_uint_eq(b.d.n_closed, 5);
	binding_fini(&asked);
	binding_fini(&heard);
	bed_end(&b);
}
END_TEST

/* An external group: the configuration has its keys, that of a listener too. */
START_TEST(group_observation_of_a_configured_group)
{
	struct oscore_binding asked, heard;
	struct bed b;

	bed_start(&b, _i == 0 ? BED_BROKER_KEYS : BED_CLIENT_KEYS);
	if (_i == 1)
		bed_listen(&b);
	bed_ask(&b, "hall", &asked, &heard);
	bed_make_group(&b, BED_CONFIGURED_GID);
	bed_inform(&b, &heard, false);
	bed_like(&b, ": verified} 5.03 content-format=65001 "
		     "<informative response, ");
	bed_like(&b, "\n    informative response: integer keys\n");
	bed_like(&b, "\n    tp_info: server=10.0.0.1:5683 group=239.255.17.4:5683 token=7b3c\n");
	bed_like(&b, "\n    ph_req: FETCH observe=0 oscore=[group kid=05 piv=0 kid-context=57ab2e] "
		     "<");
	bed_like(&b, "{Group OSCORE hall-keys, from broker: signature verified} GET observe=0 "
		     "/hall\n");
	bed_like(&b, "\n    last_notif: 2.05 ");
	bed_like(&b, "from broker: signature verified} 2.05 observe=1 \"first\"\n");
	bed_notify(&b, "second");
	bed_like(&b, "10.0.0.1:5683 > 239.255.17.4:5683 NON 2.05 ");
	bed_like(&b, "{Group OSCORE hall-keys, from broker: signature verified} 2.05 observe=2 "
		     "\"second\" [group observation of GET /hall]\n");
	bed_repeat(&b, &b.broker, &b.group, true);
	bed_like(&b, "{NOT VERIFIED: signature or decryption failed} [group observation of");
	binding_fini(&asked);
	binding_fini(&heard);
	bed_end(&b);
}
END_TEST

/* A self-managed one: its keys come in the protected response, and are not said. */
START_TEST(group_observation_with_keys_in_the_response)
{
	struct oscore_binding asked, heard;
	struct bed b;

	bed_start(&b, _i == 0 ? BED_BROKER_KEYS : BED_CLIENT_KEYS);
	bed_ask(&b, "hall", &asked, &heard);
	bed_make_group(&b, "\xaa\x01");
	bed_inform(&b, &heard, true);
	bed_like(&b, "\n    gp_material: ms=(secret, 16 bytes) hkdf=5 (SHA-256) salt=(secret, 8 "
		     "bytes) contextId=h'aa01' cred_fmt=14 (CCS) gp_enc_alg=10 "
		     "(AES-CCM-16-64-128) sign_alg=-8 (EdDSA) sign_params=h'8281018201");
	bed_like(&b, "\n    srv_cred: h'");
	bed_like(&b, "\n    srv_identifier: h'05'\n    exi: 600 s\n");
	bed_like(&b, "{Group OSCORE announced group, from 05: signature verified} GET observe=0 "
		     "/hall\n");
	bed_like(&b, "2.05 observe=1 \"first\"\n");
	bed_notify(&b, "second");
	bed_like(&b, "from 05: signature verified} 2.05 observe=2 \"second\" [group observation");
	/* New keys, told to the group under the old ones and without addresses. */
	bed_rekey(&b, "\xaa\x02");
	bed_like(&b, "from 05: signature verified} 5.03 observe=4 content-format=65001 <inf");
	bed_like(&b, "contextId=h'aa02'");
	bed_like(&b, "\n    ph_req: FETCH ");
	bed_notify(&b, "third");
	bed_like(&b, "from 05: signature verified} 2.05 observe=2 \"third\" [group observation");
	binding_fini(&asked);
	binding_fini(&heard);
	bed_end(&b);
}
END_TEST

/* The broker's configuration and a member's credentials for one group: everybody is known. */
START_TEST(keys_of_two_ends_of_a_group)
{
	struct recipient *member;
	struct context *c;
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_add_member(&b, "\x25");
	c = context_table_find_group(&b.keys.table, bytes_str(BED_CONFIGURED_GID));
	ck_assert_ptr_nonnull(c);
	member = context_find_recipient(c, bytes_str("\x25"));
	ck_assert_ptr_nonnull(member);
	ck_assert_str_eq(keyring_sender(&b.keys, member), "client");
	ck_assert_ptr_null(context_find_recipient(c, bytes_str("\x05")));
	bed_make_group(&b, BED_CONFIGURED_GID);
	bed_end(&b);
}
END_TEST

/* Keys that somebody sent without protection are no more said than others. */
START_TEST(keys_without_protection_are_not_said)
{
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_make_group(&b, "\xaa\x01");
	bed_inform(&b, NULL, true);
	bed_like(&b, "ACK 5.03 mid=0007 token=4a content-format=65001 <informative response, ");
	bed_like(&b, "\n    gp_material: ms=(secret, 16 bytes)");
	/* The same in blocks, and a block without its Content-Format. */
	bed_say(&b, &b.broker, &b.client,
		"60 a3 0007 c2 fde9 b1 08 ff a10da102503132333435363738393031");
	bed_like(&b, " block2=0/1/16 <informative response, 16 bytes>\n    informative response: a "
		     "block of it, 16 bytes so far\n");
	ck_assert_ptr_null(strstr(b.text, "3132"));
	bed_say(&b, &b.broker, &b.client, "60 a3 0007 d1 0a 18 ff 31323334353637383930");
	bed_like(&b, " block2=1/1/16 <10 bytes>\n    informative response: a block of it, which "
		     "does not follow those before\n");
	/* Not understood: not shown either. */
	bed_say(&b, &b.broker, &b.client, "60 a3 0007 c2 fde9 ff 5031323334");
	bed_like(&b, "<informative response, 5 bytes>\n    informative response: malformed\n");
	bed_say(&b, &b.broker, &b.client, "60 a3 0007 ff 80313233");
	bed_like(&b, "5.03 mid=0007 <4 bytes>\n");
	bed_end(&b);
}
END_TEST

START_TEST(unprotected_group_observation_of_both_generations)
{
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_inform_plain(&b, (enum inform_generation)(_i + 1));
	bed_like(&b, _i + 1 == INFORM_CURRENT ? "informative response: integer keys\n"
		     : _i + 1 == INFORM_SEED  ? "informative response: text keys\n"
					      : "informative response: integer and text keys\n");
	bed_like(&b, _i + 1 == INFORM_SEED ? " content-format=60 <informative response, "
					   : " content-format=65001 <informative response, ");
	bed_like(&b, "group=239.255.17.4:5683 token=7b3c\n");
	if (((_i + 1) & INFORM_CURRENT) != 0)
		bed_like(&b, "\n    ph_req: GET observe=0 /hall\n    last_notif: 2.05 observe=5 "
			     "\"21\"\n");
	else
		bed_like(&b, "\n    registr: GET observe=0 /hall\n");
	bed_say(&b, &b.broker, &b.group, "52 45 0009 7b3c 61 06 ff 3232");
	bed_like(&b, "NON 2.05 mid=0009 token=7b3c observe=6 \"22\" [group observation of GET "
		     "/hall]\n");
	bed_end(&b);
}
END_TEST

/* RFC 7959 2.4: by ETag; 0: protected, 1: plain. What it tells is used as that of one piece. */
START_TEST(rfc7959_2_4_informative_response_in_blocks)
{
	struct oscore_binding asked, heard, *with = _i == 0 ? &heard : NULL;
	unsigned num = 1;
	struct bed b;

	bed_start(&b, BED_CLIENT_KEYS);
	bed_ask(&b, "hall", &asked, &heard);
	bed_make_group(&b, "\xaa\x01");
	bed_make_blocks(&b, true);
	ck_assert(bed_inform_block(&b, with, 1, "e1", true));
	bed_like(&b,
		"    informative response: a block of it, which does not follow those before\n");
	bed_has(&b, "\"informative\":{\"state\":\"block without those before\"");
	ck_assert(bed_inform_block(&b, with, 0, "e1", true));
	bed_like(&b, "    informative response: a block of it, 64 bytes so far\n");
	bed_has(&b, "\"informative\":{\"state\":\"block\",\"bytes\":64}");
	/* Another body, and one from the start again. */
	ck_assert(bed_inform_block(&b, with, 1, "e2", true));
	bed_like(&b, "which does not follow those before\n");
	ck_assert(bed_inform_block(&b, with, 0, "e1", true));
	ck_assert(bed_inform_block(&b, with, 2, "e1", true));
	bed_like(&b, "which does not follow those before\n");
	/* Some come twice, and the later ones without their Content-Format. */
	while (bed_inform_block(&b, with, num, "e1", false)) {
		bed_like(&b, "    informative response: a block of it, ");
		ck_assert(bed_inform_block(&b, with, num, "e1", false));
		num++;
	}
	bed_like(&b, "    put together of its blocks, ");
	bed_like(&b, "\n    gp_material: ms=(secret, 16 bytes)");
	bed_like(&b, "from 05: signature verified} GET observe=0 /hall\n");
	bed_has(&b, "\"informative\":{\"state\":\"whole\",\"bytes\":");
	bed_has(&b, "\"keys_used\":true,\"gid\":\"aa01\"");
	bed_has(&b, "\"ph_req\":{\"code\":\"FETCH\",");
	ck_assert_ptr_null(b.d.pieces.first);
	bed_notify(&b, "second");
	bed_like(&b, "from 05: signature verified} 2.05 observe=2 \"second\" [group observation");
	bed_has(&b, "\"answers\":\"GET /hall\",\"group_observation\":true}");
	binding_fini(&asked);
	binding_fini(&heard);
	bed_end(&b);
}
END_TEST

START_TEST(pieces_are_bounded)
{
	static const uint8_t block[64] = {1};
	struct pieces p = {.n = 0};
	struct addr from, to;
	uint8_t *body = NULL, etag;
	struct msg m;
	size_t n;

	ck_assert_int_eq(addr_parse("10.0.0.1:5683", 0, &from), 0);
	ck_assert_int_eq(addr_parse("10.0.0.2:40000", 0, &to), 0);
	for (etag = 0; etag < PIECES_BODIES + 5; etag++) {
		struct block first = {.num = 0, .more = true, .szx = 2};

		msg_init(&m, TYPE_ACK, CODE_UNAVAILABLE);
		ck_assert_int_eq(msg_add(&m, OPT_ETAG, bytes_of(&etag, 1)), 0);
		ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, block_value(&first)), 0);
		m.payload = BYTES_OF(block);
		ck_assert_int_eq(pieces_take(&p, &from, &to, &m, &body, &n), PIECES_MORE);
	}
	ck_assert_uint_eq(p.n, PIECES_BODIES);
	etag--;
	ck_assert(pieces_has(&p, &from, &to, &m));
	ck_assert(!pieces_has(&p, &to, &from, &m));
	/* One that goes on and on. */
	for (unsigned num = 1; num <= PIECES_BODY / 64; num++) {
		struct block next = {.num = num, .more = true, .szx = 2};

		msg_remove(&m, OPT_BLOCK2);
		ck_assert_int_eq(msg_add_uint(&m, OPT_BLOCK2, block_value(&next)), 0);
		ck_assert_int_eq(pieces_take(&p, &from, &to, &m, &body, &n),
			num < PIECES_BODY / 64 ? PIECES_MORE : PIECES_LOST);
		/* The values made by msg_add_uint stay in the message. */
		m.n_scratch = 0;
	}
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_null(body);
	pieces_fini(&p);
}
END_TEST

START_TEST(messages_as_json)
{
	struct oscore_binding asked, heard;
	struct bed b;

	bed_start(&b, BED_BROKER_KEYS);
	bed_say(&b, &b.client, &b.broker,
		"42 01 0001 7b3c 60 51 61 01 62 41 78 d1 fd 00 d2 05 0102");
	bed_has(&b, "{\"kind\":\"message\",\"time\":\"2026-01-01T00:00:00.123456Z\","
		    "\"from\":\"10.0.0.2:40000\",\"to\":\"10.0.0.1:5683\",");
	bed_has(&b, "\"type\":\"CON\",\"mid\":1,\"token\":\"7b3c\",\"code\":\"GET\","
		    "\"options\":[{\"number\":6,\"name\":\"Observe\",\"value\":0},"
		    "{\"number\":11,\"name\":\"Uri-Path\",\"value\":\"a\"},");
	bed_say(&b, &b.broker, &b.client, "62 45 0001 7b3c d1 0a 06 ff 80ff");
	bed_has(&b, "\"value\":{\"num\":0,\"more\":false,\"size\":1024}");
	bed_say(&b, &b.broker, &b.client, "62 45 0001 7b3c c0 ff 80ff");
	bed_has(&b, "\"payload_size\":2,\"payload\":\"gP8=\",\"encoding\":\"base64\",");
	bed_has(&b, "\"answers\":\"GET /a/b ?x\",\"group_observation\":false}");
	bed_say(&b, &b.client, &b.broker, "00 01 02");
	bed_has(&b, "\"kind\":\"other\"");
	bed_ask(&b, "secret", &asked, &heard);
	bed_has(&b, "\"name\":\"OSCORE\",\"value\":\"090001\",\"group\":false,\"kid\":\"01\","
		    "\"piv\":0}");
	bed_has(&b, "\"oscore\":{\"verified\":true,\"mode\":\"plain\",\"keys\":\"panel-1\","
		    "\"sender\":\"panel-1\",\"message\":{\"code\":\"GET\",");
	bed_repeat(&b, &b.client, &b.broker, true);
	bed_has(&b, "\"oscore\":{\"verified\":false,\"why\":\"NOT VERIFIED: signature or "
		    "decryption failed\"}");
	binding_fini(&asked);
	binding_fini(&heard);
	bed_end(&b);
}
END_TEST

START_TEST(what_is_kept_is_bounded)
{
	struct bed b;
	uint8_t raw[8] = {0x44, 1, 0, 1};

	bed_start(&b, BED_BROKER_KEYS);
	for (uint32_t i = 0; i < DISSECT_MAX_EXCHANGES + 100; i++) {
		memcpy(raw + 4, &i, 4);
		bed_say_bytes(&b, &b.client, &b.broker, BYTES_OF(raw));
	}
	ck_assert_uint_eq(b.d.exchanges.n, DISSECT_MAX_EXCHANGES);
	for (unsigned i = 0; i < KEYRING_MAX_OFFERED + 10; i++) {
		uint8_t gid[3] = {0xbb, (uint8_t)(i >> 8), (uint8_t)i};

		bed_make_group_of(&b, BYTES_OF(gid));
		bed_inform(&b, NULL, true);
	}
	bed_like(&b, "too many groups: these keys are not used\n");
	ck_assert_uint_eq(b.keys.n_offered, KEYRING_MAX_OFFERED);
	bed_end(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("dissect");
	TCase *t = tcase_create("dissect");

	tcase_add_test(t, plain_messages);
	tcase_add_test(t, what_is_no_message);
	tcase_add_loop_test(t, cbor_in_words, 0, sizeof(cbor) / sizeof(cbor[0]));
	tcase_add_test(t, long_cbor_is_cut);
	tcase_add_loop_test(t, oscore_of_both_directions, 0, 2);
	tcase_add_test(t, what_cannot_be_verified);
	tcase_add_loop_test(t, group_observation_of_a_configured_group, 0, 2);
	tcase_add_loop_test(t, group_observation_with_keys_in_the_response, 0, 2);
	tcase_add_test(t, keys_of_two_ends_of_a_group);
	tcase_add_test(t, keys_without_protection_are_not_said);
	tcase_add_loop_test(t, unprotected_group_observation_of_both_generations, 0, 3);
	tcase_add_loop_test(t, rfc7959_2_4_informative_response_in_blocks, 0, 2);
	tcase_add_test(t, pieces_are_bounded);
	tcase_add_test(t, messages_as_json);
	tcase_add_test(t, what_is_kept_is_bounded);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
