/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "hex.h"
#include "vectors_inform.h"
#include "wire/cri.h"
#include "wire/inform.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct addr
addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, INFORM_DEFAULT_PORT, &a), 0);
	return a;
}

/* Encodes and compares; then tries every shorter buffer. */
static void
expect_encoding(const struct inform *in, const char *hex)
{
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);
	size_t n;

	ck_assert_int_eq(inform_encode(in, &b), 0);
	hex_expect(buf_bytes(&b), hex);
	n = b.n;
	for (size_t cap = 0; cap < n; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);

		b = buf_of(exact, cap);
		ck_assert_msg(inform_encode(in, &b) == -ENOBUFS, "cap %zu", cap);
		free(exact);
	}
}

/* Decodes what stands in `raw`; before that, every truncation of it. */
static struct inform
expect_decoding(struct bytes payload)
{
	struct inform in;

	for (size_t n = 0; n < payload.n; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, payload.p, n);
		ck_assert_msg(inform_decode(bytes_of(exact, n), &in) == -EBADMSG, "%zu bytes", n);
		free(exact);
	}
	ck_assert_int_eq(inform_decode(payload, &in), 0);
	return in;
}

/* The two vectors, with the bytes their fields borrow. */
struct vector {
	struct inform in;
	uint8_t ph_req[HEX_MAX];
	uint8_t last_notif[HEX_MAX];
	uint8_t gp_material[HEX_MAX];
	uint8_t srv_cred[HEX_MAX];
};

static void
vector_of_a_group_to_join(struct vector *v)
{
	v->in = (struct inform){
		.generations = INFORM_CURRENT,
		.server = addr_of("2001:db8::ab"),
		.client = addr_of("[ff35:30:2001:db8::23]:61616"),
		.token = {1, {0x7b}},
		.ph_req = hex_bytes(join_ph_req, v->ph_req),
		.last_notif = hex_bytes(join_last_notif, v->last_notif),
		.has_next_not_before = true,
		.next_not_before_s = 5,
		.join.join_uri = BYTES_LIT("coap://gm.example/ace-group/feedca"),
		.join.sec_gp = BYTES_LIT("feedca"),
	};
}

static void
vector_of_a_self_managed_group(struct vector *v)
{
	v->in = (struct inform){
		.generations = INFORM_CURRENT,
		.server = addr_of("2001:db8::ab"),
		.client = addr_of("[ff35:30:2001:db8::23]:61616"),
		.token = {1, {0x01}},
		.ph_req = hex_bytes(keys_ph_req, v->ph_req),
		.last_notif = hex_bytes(keys_last_notif, v->last_notif),
		.keys.gp_material = hex_bytes(keys_gp_material, v->gp_material),
		.keys.srv_cred = hex_bytes(keys_srv_cred, v->srv_cred),
		.keys.srv_identifier = BYTES_LIT("\x05"),
		.keys.has_exi = true,
		.keys.exi_s = 86400,
	};
}

static void
expect_tp_info(const struct inform *got, const struct inform *want)
{
	ck_assert(addr_equal(&got->server, &want->server));
	ck_assert(addr_equal(&got->client, &want->client));
	ck_assert_uint_eq(got->token.n, want->token.n);
	ck_assert_mem_eq(got->token.b, want->token.b, sizeof(want->token.b));
	ck_assert(bytes_equal(got->ph_req, want->ph_req));
	ck_assert(bytes_equal(got->last_notif, want->last_notif));
}

START_TEST(vector_group_to_join_byte_for_byte)
{
	static struct vector v;
	uint8_t raw[HEX_MAX];
	struct inform got;

	vector_of_a_group_to_join(&v);
	expect_encoding(&v.in, join_payload);
	got = expect_decoding(hex_bytes(join_payload, raw));
	ck_assert_uint_eq(got.generations, INFORM_CURRENT);
	expect_tp_info(&got, &v.in);
	ck_assert(bytes_is(got.join.join_uri, "coap://gm.example/ace-group/feedca"));
	ck_assert(bytes_is(got.join.sec_gp, "feedca"));
	ck_assert_ptr_null(got.join.as_uri.p);
	ck_assert_ptr_null(got.keys.gp_material.p);
	ck_assert_ptr_null(got.res.p);
	ck_assert(got.has_next_not_before && !got.has_ending && !got.join_dropped);
	ck_assert_uint_eq(got.next_not_before_s, 5);
}
END_TEST

START_TEST(vector_self_managed_group_byte_for_byte)
{
	static struct vector v;
	uint8_t raw[HEX_MAX];
	struct inform got;

	vector_of_a_self_managed_group(&v);
	expect_encoding(&v.in, keys_payload);
	got = expect_decoding(hex_bytes(keys_payload, raw));
	ck_assert_uint_eq(got.generations, INFORM_CURRENT);
	expect_tp_info(&got, &v.in);
	hex_expect(got.keys.gp_material, keys_gp_material);
	hex_expect(got.keys.srv_cred, keys_srv_cred);
	hex_expect(got.keys.srv_identifier, "05");
	ck_assert(got.keys.has_exi && !got.keys.has_exp);
	ck_assert_uint_eq(got.keys.exi_s, 86400);
	ck_assert_ptr_null(got.join.join_uri.p);
}
END_TEST

/*
 * The seed, section 4: C_1 asks for /r, the group observation has token 0xff,
 * the representation is "1234". Worked out by hand.
 */
/* clang-format off */
static const char seed_ipv4[] =
	"a3"                /* map of 3 */
	"67 61646472657373" /*   text of 7: "address" */
	"44 efff1104"       /*   bytes of 4: 239.255.17.4 */
	"67 72656769737472" /*   text of 7: "registr" */
	"48"                /*   bytes of 8: the phantom request */
	"51"                /*     version 1, NON, token of 1 byte */
	"01"                /*     0.01 GET */
	"1234"              /*     message id */
	"ff"                /*     token */
	"60"                /*     delta 6: Observe, empty: 0, register */
	"51 72"             /*     delta 5: Uri-Path of 1 byte: "r" */
	"63 726573"         /*   text of 3: "res" */
	"44 31323334";      /*   bytes of 4: "1234" */
/* clang-format on */

static struct inform
seed_example(void)
{
	return (struct inform){
		.generations = INFORM_SEED,
		.client = addr_of("239.255.17.4"),
		.token = {1, {0xff}},
		.registr = BYTES_LIT("\x51\x01\x12\x34\xff\x60\x51r"),
		.res = BYTES_LIT("1234"),
	};
}

START_TEST(seed_section_4_figure)
{
	struct inform in = seed_example();
	uint8_t raw[HEX_MAX];
	struct inform got;

	expect_encoding(&in, seed_ipv4);
	got = expect_decoding(hex_bytes(seed_ipv4, raw));
	ck_assert_uint_eq(got.generations, INFORM_SEED);
	ck_assert(addr_equal(&got.client, &in.client));
	ck_assert_uint_eq(got.client.port, 5683);
	ck_assert_uint_eq(got.server.family, AF_UNSPEC);
	ck_assert(got.token.n == 1 && got.token.b[0] == 0xff);
	ck_assert(bytes_equal(got.registr, in.registr));
	ck_assert(bytes_is(got.res, "1234"));
	ck_assert_ptr_null(got.ph_req.p);
	ck_assert_ptr_null(got.last_notif.p);
}
END_TEST

/* An IPv6 group at another port, a token of 4 bytes, and a group to join. */
/* clang-format off */
static const char seed_ipv6[] =
	"ad"                                  /* map of 13 */
	"67 61646472657373"                   /*   "address" */
	"50 ff35003020010db80000000000000023" /*   bytes of 16 */
	"67 72656769737472"                   /*   "registr" */
	"58 19"                               /*   bytes of 25 */
	"54 01 0000 7b3c0102"                 /*     NON GET, id 0, token */
	"60"                                  /*     Observe 0 */
	"52 7073"                             /*     Uri-Path "ps" */
	"04 64617461"                         /*     Uri-Path "data" */
	"05 726f6f6d31"                       /*     Uri-Path "room1" */
	"61 3c"                               /*     Accept 60 */
	"63 726573"                           /*   "res" */
	"40"                                  /*   bytes of 0 */
	"64 706f7274"                         /*   "port" */
	"19 f0b0"                             /*   61616 */
	"68 6a6f696e2d757269"                 /*   "join-uri" */
	"69 636f61703a2f2f676d"               /*   "coap://gm" */
	"66 7365632d6770"                     /*   "sec-gp" */
	"62 6770"                             /*   "gp" */
	"66 61732d757269"                     /*   "as-uri" */
	"61 61"                               /*   "a" */
	"66 63732d616c67"                     /*   "cs-alg" */
	"27"                                  /*   -8 EdDSA */
	"66 63732d637276"                     /*   "cs-crv" */
	"06"                                  /*   6 Ed25519 */
	"66 63732d6b7479"                     /*   "cs-kty" */
	"01"                                  /*   1 OKP */
	"67 63732d6b656e63"                   /*   "cs-kenc" */
	"01"                                  /*   1 COSE_Key */
	"63 616c67"                           /*   "alg" */
	"0a"                                  /*   10 AES-CCM-16-64-128 */
	"64 686b6466"                         /*   "hkdf" */
	"67 5348412d323536";                  /*   "SHA-256": a text will do */
/* clang-format on */

START_TEST(seed_every_field)
{
	static const uint8_t registr[] = {0x54, 1, 0, 0, 0x7b, 0x3c, 1, 2, 0x60, 0x52, 'p', 's', 4,
		'd', 'a', 't', 'a', 5, 'r', 'o', 'o', 'm', '1', 0x61, 60};
	struct inform in = {
		.generations = INFORM_SEED,
		.client = addr_of("[ff35:30:2001:db8::23]:61616"),
		.token = {4, {0x7b, 0x3c, 1, 2}},
		.registr = BYTES_OF(registr),
		.res = BYTES_LIT(""),
		.join.join_uri = BYTES_LIT("coap://gm"),
		.join.sec_gp = BYTES_LIT("gp"),
		.join.as_uri = BYTES_LIT("a"),
		.join.sign_alg = {true, -8, BYTES_NONE},
		.join.cs_crv = {true, 6, BYTES_NONE},
		.join.cs_kty = {true, 1, BYTES_NONE},
		.join.cs_kenc = {true, 1, BYTES_NONE},
		.join.gp_enc_alg = {true, 10, BYTES_NONE},
		.join.hkdf = {true, 0, BYTES_LIT("SHA-256")},
	};
	uint8_t raw[HEX_MAX];
	struct inform got;

	expect_encoding(&in, seed_ipv6);
	got = expect_decoding(hex_bytes(seed_ipv6, raw));
	ck_assert(addr_equal(&got.client, &in.client));
	ck_assert_uint_eq(got.token.n, 4);
	ck_assert_mem_eq(got.token.b, in.token.b, 8);
	ck_assert(bytes_equal(got.registr, in.registr));
	ck_assert(got.res.p != NULL && got.res.n == 0);
	ck_assert(bytes_is(got.join.as_uri, "a"));
	ck_assert_int_eq(got.join.sign_alg.number, -8);
	ck_assert_int_eq(got.join.cs_crv.number, 6);
	ck_assert_int_eq(got.join.cs_kty.number, 1);
	ck_assert_int_eq(got.join.cs_kenc.number, 1);
	ck_assert_int_eq(got.join.gp_enc_alg.number, 10);
	ck_assert(got.join.hkdf.present && bytes_is(got.join.hkdf.text, "SHA-256"));
}
END_TEST

/* Both in one map: integer keys ascending, then the seed's in its order. By hand. */
/* clang-format off */
static const char both_hex[] =
	"a8"                                    /* map of 8 */
	"00"                                    /*   0 tp_info */
	"83"                                    /*     array of 3 */
	"82 20 81 44 0a000001"                  /*       [-1, [h'0a000001']]: 10.0.0.1, 5683 left out */
	"82 20 82 44 efff1104 19 162e"          /*       [-1, [h'efff1104', 5678]] */
	"41 ff"                                 /*       token */
	"01 44 01605172"                        /*   1 ph_req: GET, Observe 0, Uri-Path "r" */
	"02 47 45 61 0b ff 353637"              /*   2 last_notif: 2.05, Observe 11, payload "567" */
	"03 05"                                 /*   3 next_not_before */
	"67 61646472657373 44 efff1104"         /*   "address" */
	"67 72656769737472 48 51011234ff605172" /* "registr" */
	"63 726573 43 353637"                   /*   "res" */
	"64 706f7274 19 162e";                  /*   "port" */
/* clang-format on */

static struct inform
both_example(void)
{
	struct inform in = seed_example();

	in.generations = INFORM_BOTH;
	in.server = addr_of("10.0.0.1");
	in.client = addr_of("239.255.17.4:5678");
	in.ph_req = BYTES_LIT("\x01\x60\x51r");
	in.last_notif = BYTES_LIT("\x45\x61\x0b\xff"
				  "567");
	in.has_next_not_before = true;
	in.next_not_before_s = 5;
	in.res = BYTES_LIT("567");
	return in;
}

START_TEST(both_generations_in_one_map)
{
	struct inform in = both_example();
	uint8_t raw[HEX_MAX];
	struct inform got;

	expect_encoding(&in, both_hex);
	got = expect_decoding(hex_bytes(both_hex, raw));
	ck_assert_uint_eq(got.generations, INFORM_BOTH);
	expect_tp_info(&got, &in);
	ck_assert(bytes_equal(got.registr, in.registr));
	ck_assert(bytes_is(got.res, "567"));
	ck_assert(got.has_next_not_before);
	ck_assert_uint_eq(got.next_not_before_s, 5);
}
END_TEST

START_TEST(generations_are_chosen_when_encoding)
{
	struct inform in = both_example();
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);
	struct inform got;

	in.generations = INFORM_CURRENT;
	ck_assert_int_eq(inform_encode(&in, &b), 0);
	ck_assert_uint_eq(out[0], 0xa4);
	ck_assert_int_eq(inform_decode(buf_bytes(&b), &got), 0);
	ck_assert_uint_eq(got.generations, INFORM_CURRENT);
	ck_assert_ptr_null(got.registr.p);
	buf_clear(&b);
	in.generations = INFORM_SEED;
	ck_assert_int_eq(inform_encode(&in, &b), 0);
	ck_assert_uint_eq(out[0], 0xa4);
	ck_assert_int_eq(inform_decode(buf_bytes(&b), &got), 0);
	ck_assert_uint_eq(got.generations, INFORM_SEED);
	ck_assert_ptr_null(got.ph_req.p);
}
END_TEST

/* Integer keys win where the two generations disagree, in whatever order they come. */
START_TEST(integer_keys_win)
{
	uint8_t raw[HEX_MAX];
	struct inform in;

	ck_assert_int_eq(
		inform_decode(hex_bytes("a3 67 72656769737472 48 51011234aa605172"
					"67 61646472657373 44 efff1105"
					"00 83 82 20 81 44 0a000001 82 20 81 44 efff1104 41 ff",
				      raw),
			&in),
		0);
	ck_assert_uint_eq(in.generations, INFORM_BOTH);
	ck_assert(in.token.n == 1 && in.token.b[0] == 0xff);
	ck_assert_uint_eq(in.client.ip[3], 4);
}
END_TEST

/* Every integer key there is, with floats for the dates and texts for algorithms. */
START_TEST(rfc7519_2_dates_and_other_fields)
{
	uint8_t raw[HEX_MAX];
	struct inform in;

	in = expect_decoding(hex_bytes("ad"
				       "04 fb41d452d9ec200000" /* ending 1363896240.5 */
				       "03 1b0000000100000000"
				       "05 61 75"
				       "06 61 67"
				       "07 61 61"
				       "08 05"
				       "09 0e"
				       "0a 61 78" /* gp_enc_alg: a text */
				       "0b 27"
				       "0c 82 8101 820106"
				       "11 20" /* exp: -1, before 1970 */
				       "10 00"
				       "0f 40",
		raw));
	ck_assert_uint_eq(in.generations, INFORM_CURRENT);
	ck_assert(in.has_ending);
	ck_assert_int_eq(in.ending_s, 1363896240);
	ck_assert_uint_eq(in.next_not_before_s, UINT64_C(1) << 32);
	ck_assert_int_eq(in.join.hkdf.number, 5);
	ck_assert_int_eq(in.join.cred_fmt.number, 14);
	ck_assert(bytes_is(in.join.gp_enc_alg.text, "x"));
	ck_assert_int_eq(in.join.sign_alg.number, -8);
	hex_expect(in.join.sign_params, "82 8101 820106");
	ck_assert(in.keys.has_exp && in.keys.has_exi);
	ck_assert_int_eq(in.keys.exp_s, -1);
	ck_assert(in.keys.srv_identifier.p != NULL && in.keys.srv_identifier.n == 0);
	ck_assert_uint_eq(in.client.family, AF_UNSPEC);
}
END_TEST

/* "Signaling the OSCORE Group": without both join_uri and sec_gp the fields are ignored. */
START_TEST(partial_join_is_dropped)
{
	static const char *const t[] = {
		"a1 05 61 75", "a1 06 61 67", "a1 07 61 61", "a2 05 61 75 0b 27", "a1 08 05",
		"a1 63 616c67 0a", /* {"alg": 10} */
		"a1 66 7365632d6770 61 67", /* {"sec-gp": "g"} */
	};
	uint8_t raw[HEX_MAX];
	struct inform in;

	for (int i = 0; i < N_OF(t); i++) {
		ck_assert_int_eq(inform_decode(hex_bytes(t[i], raw), &in), 0);
		ck_assert_msg(in.join_dropped, "%s", t[i]);
		ck_assert_ptr_null(in.join.join_uri.p);
		ck_assert_ptr_null(in.join.sec_gp.p);
		ck_assert(!in.join.sign_alg.present && !in.join.gp_enc_alg.present);
	}
	/* The seed's are complete: nothing is lost. */
	ck_assert_int_eq(inform_decode(hex_bytes("a3 05 61 75 68 6a6f696e2d757269 61 76"
						 "66 7365632d6770 61 67",
					       raw),
				 &in),
		0);
	ck_assert(!in.join_dropped && bytes_is(in.join.join_uri, "v"));
}
END_TEST

/* What a map may hold beside what we know, and what may be left out. */
static const struct {
	const char *hex;
	unsigned generations;
} accepted[] = {
	{"a0", 0}, {"a1 1863 f6", 0}, /* an integer key of the future */
	{"a1 20 01", 0}, /* a negative one */
	{"a1 61 78 9f 01 ff", 0}, /* a text key with something open */
	{"a1 41 00 01", 0}, /* a key that is neither */
	{"a2 1863 f6 1863 f6", 0}, /* which may even come twice */
	{"a1 1bffffffffffffffff e0", 0},
	{"a1 00 81 82 20 81 44 0a000001", INFORM_CURRENT}, /* no details */
	{"a1 01 40", INFORM_CURRENT}, {"a1 63 726573 40", INFORM_SEED},
	{"a1 1800 81 82 20 81 44 0a000001", INFORM_CURRENT}, /* 0 in a longer form */
	{"a1 64 706f7274 19 162e", INFORM_SEED}, /* "port" without "address" */
};

START_TEST(unknown_keys_are_skipped)
{
	uint8_t raw[HEX_MAX];
	struct inform in = expect_decoding(hex_bytes(accepted[_i].hex, raw));

	ck_assert_uint_eq(in.generations, accepted[_i].generations);
	ck_assert_uint_eq(in.client.family, AF_UNSPEC);
	ck_assert_uint_eq(in.client.port, 0);
}
END_TEST

static const char *const refused[] = {
	"",
	"80",
	"00",
	"f6",
	"bf ff",
	"bf 01 40 ff", /* not a definite map */
	"a1 01 40 00", /* bytes after it */
	"a2 01 40 01 40", /* a key twice */
	"a2 01 40 1801 40",
	"a2 63 726573 40 63 726573 40",
	"a2 00 81 82 20 81 44 0a000001 00 81 82 20 81 44 0a000001",
	"a1 00 40",
	"a1 00 80",
	"a1 00 82 82 20 81 44 0a000001 82 20 81 44 efff1104",
	"a1 00 84 82 20 81 44 0a000001 82 20 81 44 efff1104 41 ff 00",
	"a1 00 83 82 20 81 44 0a000001 82 20 81 44 efff1104 01",
	"a1 00 83 82 20 81 44 0a000001 82 20 81 44 efff1104 49 000000000000000000",
	"a1 01 60",
	"a1 01 5f 40 ff",
	"a1 02 f6",
	"a1 03 20",
	"a1 03 f93c00",
	"a1 03 61 30",
	"a1 04 61 30",
	"a1 04 f97e00",
	"a1 04 f97c00",
	"a1 04 c1 00",
	"a1 05 40",
	"a1 05 61 ff",
	"a1 06 01",
	"a1 07 40",
	"a1 08 40",
	"a1 09 60",
	"a1 0a f5",
	"a1 0b 80",
	"a1 0c a0",
	"a1 0c 9f ff",
	"a1 0d 80",
	"a1 0d bf ff",
	"a1 0e 60",
	"a1 0f 05",
	"a1 10 20",
	"a1 11 60",
	"a1 67 61646472657373 60", /* "address": a text */
	"a1 67 61646472657373 43 000000",
	"a1 67 61646472657373 40",
	"a1 67 61646472657373 45 0000000000",
	"a1 67 61646472657373 51 0000000000000000000000000000000000",
	"a1 67 72656769737472 60", /* "registr" */
	"a1 67 72656769737472 43 500112", /* shorter than a header */
	"a1 67 72656769737472 44 51011234", /* than its token */
	"a1 67 72656769737472 4d 59011234 000000000000000000", /* a token of 9 */
	"a1 67 72656769737472 44 90011234", /* version 2 */
	"a1 63 726573 64 31323334", /* "res" as a text */
	"a1 64 706f7274 00",
	"a1 64 706f7274 1a00010000",
	"a1 64 706f7274 20",
	"a1 67 63732d6b656e63 61 61", /* "cs-kenc" is a number */
	"a1 61 ff 01", /* a key that is not UTF-8 */
	"a1 7f 63 726573 ff 40", /* nor may it be in parts: unknown */
	"bb 1000000000000000",
	"bb 8000000000000000 01 40",
};

START_TEST(wrong_maps_are_refused)
{
	uint8_t raw[HEX_MAX];
	struct inform in = {.generations = 77};
	/* A text key in parts is skipped as unknown, so that map is fine. */
	int want = strstr(refused[_i], "7f 63") != NULL ? 0 : -EBADMSG;

	ck_assert_msg(inform_decode(hex_bytes(refused[_i], raw), &in) == want, "%s", refused[_i]);
	ck_assert_uint_eq(in.generations, want == 0 ? 0 : 77);
}
END_TEST

/* The CDDL's nested authority, and the flat one of the draft's own figure. */
static const struct {
	const char *hex;
	const char *addr; /* NULL: refused */
} cris[] = {
	{"82 20 81 44 0a000001", "10.0.0.1:5683"},
	{"82 20 82 44 0a000001 19 f0b0", "10.0.0.1:61616"},
	{"82 20 81 50 20010db80000000000000000000000ab", "[2001:db8::ab]:5683"},
	{"82 20 82 50 ff35003020010db80000000000000023 19 f0b0", "[ff35:30:2001:db8::23]:61616"},
	{"82 20 50 20010db80000000000000000000000ab", "[2001:db8::ab]:5683"},
	{"83 20 50 ff35003020010db80000000000000023 19 f0b0", "[ff35:30:2001:db8::23]:61616"},
	{"83 20 44 0a000001 19 1633", "10.0.0.1:5683"}, /* the default port, given */
	{"82 20 82 44 0a000001 01", "10.0.0.1:1"},
	{"82 20 82 44 0a000001 19 ffff", "10.0.0.1:65535"},
	{"82 20 82 44 0a000001 00", NULL},
	{"82 20 82 44 0a000001 1a00010000", NULL},
	{"82 20 82 44 0a000001 20", NULL},
	{"82 21 81 44 0a000001", NULL}, /* coaps */
	{"82 64 636f6170 81 44 0a000001", NULL}, /* "coap" spelled out */
	{"82 00 81 44 0a000001", NULL},
	{"82 20 82 67 6578616d706c65 63 636f6d", NULL}, /* a host-name */
	{"82 20 67 6578616d706c65", NULL},
	{"82 20 83 f4 61 75 44 0a000001", NULL}, /* user information */
	{"82 20 82 50 fe800000000000000000000000000001 62 6430", NULL}, /* a zone */
	{"82 20 81 45 0a00000100", NULL},
	{"82 20 81 40", NULL},
	{"82 20 80", NULL},
	{"82 20 83 44 0a000001 19f0b0 00", NULL},
	{"83 20 81 44 0a000001 01", NULL}, /* nested and flat */
	{"84 20 44 0a000001 01 80", NULL},
	{"81 20", NULL},
	{"80", NULL},
	{"20", NULL},
	{"9f 20 81 44 0a000001 ff", NULL},
	{"82 20 9f 44 0a000001 ff", NULL},
};

START_TEST(cri_nested_and_flat)
{
	uint8_t raw[HEX_MAX];
	struct bytes all = hex_bytes(cris[_i].hex, raw);
	struct cborget c = cborget_of(all);
	struct addr a = {.port = 7};

	if (cris[_i].addr == NULL) {
		ck_assert_msg(cri_get(&c, &a) == -EBADMSG, "%s", cris[_i].hex);
		ck_assert(c.in.n == all.n && a.port == 7);
		return;
	}
	ck_assert_msg(cri_get(&c, &a) == 0, "%s", cris[_i].hex);
	ck_assert(cborget_at_end(&c));
	struct addr want = addr_of(cris[_i].addr);
	ck_assert(addr_equal(&a, &want));
	for (size_t n = 0; n < all.n; n++) {
		c = cborget_of(bytes_head(all, n));
		ck_assert_int_eq(cri_get(&c, &a), -EBADMSG);
	}
}
END_TEST

/* The whole figure of the draft, flat, in a map of its own. */
START_TEST(draft_figure_of_tp_info_is_understood)
{
	static struct vector v;
	uint8_t raw[HEX_MAX];
	struct inform in;

	vector_of_a_group_to_join(&v);
	in = expect_decoding(hex_bytes("a1 00 83"
				       "82 20 50 20010db80000000000000000000000ab"
				       "83 20 50 ff35003020010db80000000000000023 19 f0b0"
				       "41 7b",
		raw));
	ck_assert(addr_equal(&in.server, &v.in.server));
	ck_assert(addr_equal(&in.client, &v.in.client));
	ck_assert(in.token.n == 1 && in.token.b[0] == 0x7b);
	ck_assert_ptr_null(in.ph_req.p);
}
END_TEST

START_TEST(what_may_not_be_encoded)
{
	struct inform good = both_example();
	struct inform bad[9];
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);

	for (int i = 0; i < N_OF(bad); i++)
		bad[i] = good;
	bad[0].generations = 0;
	bad[1].generations = 4;
	memset(&bad[2].server, 0, sizeof(bad[2].server));
	memset(&bad[3].client, 0, sizeof(bad[3].client));
	bad[4].client.port = 0;
	bad[5].join.join_uri = BYTES_LIT("u"); /* and no sec_gp */
	bad[6].join.sec_gp = BYTES_LIT("g");
	bad[7].join.hkdf = (struct inform_value){true, 5, BYTES_NONE};
	bad[8].join.join_uri = bad[8].join.sec_gp = BYTES_LIT("x");
	bad[8].keys.has_exi = true; /* "MUST NOT be used together" */
	for (int i = 0; i < N_OF(bad); i++) {
		ck_assert_msg(inform_encode(&bad[i], &b) == -EINVAL, "case %d", i);
		ck_assert_uint_eq(b.n, 0);
	}
	ck_assert_int_eq(inform_encode(&good, &b), 0);
	/* The seed's map does not name the server. */
	bad[2].generations = INFORM_SEED;
	ck_assert_int_eq(inform_encode(&bad[2], &b), 0);
}
END_TEST

/* "Before the keying material has expired": new keys, tp_info and ph_req left out. */
START_TEST(new_keys_without_tp_info)
{
	static struct vector v;
	uint8_t out[HEX_MAX];
	struct buf b = BUF_OF(out);
	struct inform got;

	vector_of_a_self_managed_group(&v);
	memset(&v.in.server, 0, sizeof(v.in.server));
	memset(&v.in.client, 0, sizeof(v.in.client));
	v.in.ph_req = v.in.last_notif = BYTES_NONE;
	ck_assert_int_eq(inform_encode(&v.in, &b), 0);
	got = expect_decoding(buf_bytes(&b));
	ck_assert_uint_eq(out[0], 0xa4);
	ck_assert_uint_eq(got.client.family, AF_UNSPEC);
	hex_expect(got.keys.gp_material, keys_gp_material);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("inform");
	TCase *tc = tcase_create("inform");

	tcase_add_test(tc, vector_group_to_join_byte_for_byte);
	tcase_add_test(tc, vector_self_managed_group_byte_for_byte);
	tcase_add_test(tc, seed_section_4_figure);
	tcase_add_test(tc, seed_every_field);
	tcase_add_test(tc, both_generations_in_one_map);
	tcase_add_test(tc, generations_are_chosen_when_encoding);
	tcase_add_test(tc, integer_keys_win);
	tcase_add_test(tc, rfc7519_2_dates_and_other_fields);
	tcase_add_test(tc, partial_join_is_dropped);
	tcase_add_loop_test(tc, unknown_keys_are_skipped, 0, N_OF(accepted));
	tcase_add_loop_test(tc, wrong_maps_are_refused, 0, N_OF(refused));
	tcase_add_loop_test(tc, cri_nested_and_flat, 0, N_OF(cris));
	tcase_add_test(tc, draft_figure_of_tp_info_is_understood);
	tcase_add_test(tc, what_may_not_be_encoded);
	tcase_add_test(tc, new_keys_without_tp_info);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
