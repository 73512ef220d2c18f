/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts object security is made of: names of algorithms, the OSCORE option, sequence
 * numbers, replay windows, keys and credentials, contexts and how they are found.
 */
#include <errno.h>

#include "hex.h"
#include "oscore/crypto.h"
#include "oscore/mac.h"
#include "oscore_bed.h"
#include "unit.h"
#include "wire/cborbuf.h"

static struct error e;

static const struct {
	const char *text;
	int (*find)(struct bytes name, int *ret);
	int number;
} names[] = {
	{"AES-CCM-16-64-128", suite_cipher_number, 10},
	{"aes-ccm-64-128-256", suite_cipher_number, 33},
	{"A128GCM", suite_cipher_number, 1},
	{"ChaCha20/Poly1305", suite_cipher_number, 24},
	{"CHACHA20-POLY1305", suite_cipher_number, 24},
	{"A256CTR", suite_cipher_number, -65532},
	{"none", suite_cipher_number, 0},
	{"EdDSA", suite_signature_number, -8},
	{"ES256", suite_signature_number, -7},
	{"none", suite_signature_number, 0},
	{"SHA-256", suite_hkdf_number, 5},
	{"SHA-512", suite_hkdf_number, 7},
	{"ECDH-SS+HKDF-256", suite_pairwise_number, -27},
	{"ECDH-SS + HKDF-512", suite_pairwise_number, -28},
	{"none", suite_pairwise_number, 0},
};

START_TEST(names_of_algorithms)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int number = 99;

		ck_assert_int_eq(names[i].find(bytes_str(names[i].text), &number), 0);
		ck_assert_int_eq(number, names[i].number);
		ck_assert_int_eq(names[i].find(BYTES_LIT("EdDSA!"), &number), -ENOENT);
		ck_assert_int_eq(names[i].find(BYTES_LIT(""), &number), -ENOENT);
		ck_assert_int_eq(
			names[i].find(bytes_head(bytes_str(names[i].text), 3), &number), -ENOENT);
	}
	ck_assert_str_eq(suite_cipher_name(-65534), "A128CTR");
	ck_assert_str_eq(suite_cipher_name(0), "none");
	ck_assert_str_eq(suite_cipher_name(4711), "?");
	ck_assert_ptr_null(suite_cipher(0));
	ck_assert_ptr_null(suite_signature(-35));
}
END_TEST

static const struct {
	const char *value, *piv, *kid_context, *kid; /* NULL: absent */
	bool group;
} options[] = {
	{"", NULL, NULL, NULL, false},
	{"0914", "14", NULL, "", false},
	{"19140837cbf3210017a2d3", "14", "37cbf3210017a2d3", "", false},
	{"0100", "00", NULL, NULL, false},
	{"39000357ab2e25", "00", "57ab2e", "25", true},
	{"3dfffffffffe0357ab2e25", "fffffffffe", "57ab2e", "25", true},
	{"2805", NULL, NULL, "05", true},
	{"28", NULL, NULL, "", true},
	{"1000", NULL, "", NULL, false},
	{"20", NULL, NULL, NULL, true},
};

/* RFC 8613 6.1 */
START_TEST(rfc8613_6_1_option)
{
	uint8_t raw[4][HEX_MAX], out[HEX_MAX];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct bytes value = hex_bytes(options[i].value, raw[0]);
		struct oscore_option o;

		ck_assert_int_eq(oscore_option_decode(value, &o), 0);
		ck_assert_int_eq(o.group, options[i].group);
		ck_assert_int_eq(o.kid.p != NULL, options[i].kid != NULL);
		ck_assert_int_eq(o.kid_context.p != NULL, options[i].kid_context != NULL);
		if (options[i].kid != NULL)
			hex_expect(o.kid, options[i].kid);
		if (options[i].kid_context != NULL)
			hex_expect(o.kid_context, options[i].kid_context);
		hex_expect(o.piv, options[i].piv != NULL ? options[i].piv : "");
		for (size_t n = 0; n <= value.n; n++) {
			struct buf b = buf_of(out, n);

			ck_assert_int_eq(oscore_option_encode(&o, &b), n < value.n ? -ENOBUFS : 0);
			if (n == value.n)
				hex_expect(buf_bytes(&b), options[i].value);
		}
	}
}
END_TEST

/* RFC 8613 6.1, 8.2: what is malformed. */
START_TEST(rfc8613_6_1_malformed_option)
{
	static const char *const bad[] = {"00", "40", "80", "4914", "06010203040506",
		"0701020304050607", "01", "0401", "10", "1002aa", "0114aa", "2000", "020014",
		"0200"};
	uint8_t raw[HEX_MAX], out[300], big[300] = {0x08};
	struct oscore_option o;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
			oscore_option_decode(hex_bytes(bad[i], raw), &o) == -EBADMSG, "%s", bad[i]);
	ck_assert_int_eq(oscore_option_decode(bytes_of(big, 255), &o), 0);
	ck_assert_int_eq(oscore_option_decode(bytes_of(big, 256), &o), -EBADMSG);
	o = (struct oscore_option){.kid = bytes_of(big, 255)};
	ck_assert_int_eq(oscore_option_encode(&o, &BUF_OF(out)), -EINVAL);
}
END_TEST

START_TEST(rfc8613_6_1_partial_iv)
{
	static const struct {
		uint64_t number;
		const char *text;
	} pivs[] = {{0, "00"}, {1, "01"}, {255, "ff"}, {256, "0100"}, {0x11170, "011170"},
		{(1ULL << 40) - 1, "ffffffffff"}};
	uint8_t raw[OSCORE_MAX_PIV];

	for (size_t i = 0; i < sizeof(pivs) / sizeof(pivs[0]); i++) {
		size_t n = oscore_option_put_piv(pivs[i].number, raw);

		hex_expect(bytes_of(raw, n), pivs[i].text);
		ck_assert_uint_eq(oscore_option_number(bytes_of(raw, n)), pivs[i].number);
	}
}
END_TEST

/* RFC 8613 7.4 */
START_TEST(rfc8613_7_4_window)
{
	struct window w;

	window_init(&w, true);
	ck_assert_int_eq(window_check(&w, 0), WINDOW_NEW);
	window_update(&w, 0);
	ck_assert_int_eq(window_check(&w, 0), WINDOW_REPLAY);
	window_update(&w, 40);
	ck_assert_int_eq(window_check(&w, 40), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 8), WINDOW_REPLAY); /* left of the window */
	ck_assert_int_eq(window_check(&w, 9), WINDOW_NEW);
	window_update(&w, 9);
	ck_assert_int_eq(window_check(&w, 9), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 39), WINDOW_NEW);
	window_update(&w, 41);
	ck_assert_int_eq(window_check(&w, 40), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 39), WINDOW_NEW);
	window_update(&w, (1ULL << 40) - 1);
	ck_assert_int_eq(window_check(&w, (1ULL << 40) - 1), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, (1ULL << 40) - 2), WINDOW_NEW);
	ck_assert_int_eq(window_check(&w, 41), WINDOW_REPLAY);
}
END_TEST

/* Every order of arrival within the window: each number once. */
START_TEST(rfc8613_7_4_each_number_once)
{
	struct window w;
	uint32_t state = 7;
	bool seen[256] = {false};

	window_init(&w, true);
	for (int i = 0; i < 20000; i++) {
		uint32_t n;

		state = state * 1664525 + 1013904223;
		n = (uint32_t)i / 100 + (state >> 16) % WINDOW_SIZE;
		if (window_check(&w, n) != WINDOW_NEW)
			continue;
		ck_assert(!seen[n]);
		seen[n] = true;
		window_update(&w, n);
	}
}
END_TEST

/* RFC 8613 B.1.2 */
START_TEST(rfc8613_b_1_2_invalid_window)
{
	struct window w;
	struct bytes echo;

	window_init(&w, false);
	ck_assert_int_eq(window_check(&w, 5), WINDOW_UNCERTAIN);
	ck_assert(!window_answer(&w, 5, BYTES_LIT("\0\0\0\0\0\0\0\0"))); /* nothing was asked */
	echo = window_challenge(&w, bed_random);
	ck_assert(bytes_equal(window_challenge(&w, bed_random), echo));
	ck_assert(!window_answer(&w, 5, BYTES_NONE));
	ck_assert(!window_answer(&w, 5, bytes_head(echo, 7)));
	ck_assert_int_eq(window_check(&w, 5), WINDOW_UNCERTAIN);
	ck_assert(window_answer(&w, 5, echo));
	ck_assert_int_eq(window_check(&w, 5), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 4), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 6), WINDOW_NEW);
	ck_assert(!window_answer(&w, 6, echo)); /* once */
	window_restore(&w, 10, 1);
	ck_assert_int_eq(window_check(&w, 9), WINDOW_REPLAY);
	ck_assert_int_eq(window_check(&w, 8), WINDOW_NEW);
}
END_TEST

/* A store that answers when the test says so. */
static uint64_t asked;
static int n_asked;

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx, (void)s;
	asked = upto;
	n_asked++;
}

static const struct ssn_ops slow = {.reserve = on_reserve};

/* RFC 8613 B.1.1: nothing is used that is not durable. */
START_TEST(rfc8613_b_1_1_bound_before_use)
{
	static const uint8_t f[SSN_FINGERPRINT] = {1};
	struct ssn *s = ssn_new(f, &slow, NULL);
	uint64_t n = 0;

	n_asked = 0;
	ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
	ck_assert_int_eq(n_asked, 0);
	ck_assert_int_eq(ssn_start_stored(s, 1000, &e), 0);
	ck_assert_uint_eq(asked, 1000 + SSN_STEP);
	ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
	ssn_reserved(s, asked);
	for (uint64_t i = 0; i < SSN_STEP; i++) {
		ck_assert_int_eq(ssn_take(s, &n), 0);
		ck_assert_uint_eq(n, 1000 + i);
		ck_assert_uint_lt(n, ssn_bound(s));
	}
	ck_assert_uint_eq(asked, 1000 + 2 * SSN_STEP); /* ahead of need */
	ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
	ssn_reserved(s, asked);
	ck_assert_int_eq(ssn_take(s, &n), 0);
	ck_assert_uint_eq(n, 1000 + SSN_STEP);
	ssn_reserved(s, 5); /* no news */
	ck_assert_uint_eq(ssn_bound(s), 1000 + 2 * SSN_STEP);
	ck_assert_uint_eq(ssn_stop(s), n + 1);
	ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
	ssn_release(s);
}
END_TEST

START_TEST(where_numbers_start)
{
	static const uint8_t f[SSN_FINGERPRINT] = {2};
	struct ssn *s = ssn_new(f, &bed_ssn_ops, NULL);
	int64_t built = SSN_EPOCH_S + 1000000;
	uint64_t n;

	ck_assert_int_eq(ssn_start_clock(s, built * 1000 - 1, built, &e), -ERANGE);
	ck_assert_int_eq(ssn_start_clock(s, 0, 0, &e), -ERANGE);
	ck_assert_int_eq(
		ssn_start_clock(s, (SSN_EPOCH_S + (1LL << 30)) * 1000, built, &e), -ERANGE);
	ck_assert(!ssn_is_started(s));
	ck_assert_int_eq(ssn_start_clock(s, (built + 5) * 1000, built, &e), 0);
	ck_assert_int_eq(ssn_start_clock(s, (built + 5) * 1000, built, &e), -EALREADY);
	ck_assert_uint_eq(ssn_clock((built + 5) * 1000 + 500), 1000005ULL * 1024 + 512);
	ck_assert_uint_eq(ssn_clock(SSN_EPOCH_S * 1000LL - 1), 0);
	ck_assert_int_eq(ssn_take(s, &n), 0);
	ck_assert_uint_eq(n, 1000005ULL * 1024);
	ck_assert(!ssn_is_ahead(s, built + 6));
	ck_assert(ssn_is_ahead(s, built + 5));
	ssn_release(s);
	s = ssn_new(f, &bed_ssn_ops, NULL);
	ck_assert_int_eq(ssn_start_stored(s, SSN_LIMIT, &e), -EOVERFLOW);
	ck_assert_int_eq(ssn_start_fresh(s, &e), 0);
	ck_assert_int_eq(ssn_take(s, &n), 0);
	ck_assert_uint_eq(n, 0);
	ssn_release(s);
}
END_TEST

static int64_t
wall_of(void *ctx)
{
	return *(const int64_t *)ctx;
}

static void
reserve_at_once(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

static const struct ssn_ops clocked = {.reserve = reserve_at_once, .wall_s = wall_of};

/*
 * RFC 8613 B.1.1, where the record is lost again and again: whatever the moments are, nothing
 * is used twice, and nobody waits for more than a second.
 */
START_TEST(rfc8613_b_1_1_starts_in_the_same_second_share_no_number)
{
	static const uint8_t f[SSN_FINGERPRINT] = {2};
	int64_t first = SSN_EPOCH_S + 1000000, wall = first;
	uint64_t last = 0, n;

	for (int i = 0; i < 20; i++) {
		struct ssn *s = ssn_new(f, &clocked, &wall);

		ck_assert_int_eq(ssn_start_clock(s, (wall + 1) * 1000, first, &e), 0);
		ck_assert(ssn_is_early(s) && !ssn_is_ready(s));
		ck_assert_int_eq(ssn_take(s, &n), -EAGAIN);
		/* Killed before it used any, or after as many as a second is good for. */
		if (i % 3 != 0) {
			wall++;
			ck_assert(!ssn_is_early(s) && ssn_is_ready(s));
			for (int k = 0; k < (i % 2 ? 1024 : 1); k++) {
				ck_assert_int_eq(ssn_take(s, &n), 0);
				ck_assert_uint_gt(n, last);
				last = n;
			}
		}
		ssn_release(s);
	}
}
END_TEST

/* A clock that was set back does not hold it up. */
START_TEST(a_start_does_not_wait_for_a_clock_that_went_back)
{
	static const uint8_t f[SSN_FINGERPRINT] = {2};
	int64_t built = SSN_EPOCH_S + 1000000, wall = built + 100;
	struct ssn *s = ssn_new(f, &clocked, &wall);
	uint64_t n;

	ck_assert_int_eq(ssn_start_clock(s, (wall + 1) * 1000, built, &e), 0);
	wall -= 50;
	ck_assert_int_eq(ssn_take(s, &n), 0);
	wall += 50;
	ck_assert_int_eq(ssn_take(s, &n), 0);
	ck_assert(ssn_is_ahead(s, wall));
	ssn_release(s);
}
END_TEST

START_TEST(fingerprints_differ_by_every_part)
{
	struct bytes part[5][4];
	uint8_t f[5][SSN_FINGERPRINT];

	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 4; k++)
			part[i][k] = BYTES_LIT("x");
		if (i < 4)
			part[i][i] = i == 2 ? BYTES_NONE : BYTES_LIT("y");
		ck_assert_int_eq(
			ssn_fingerprint(part[i][0], part[i][1], part[i][2], part[i][3], f[i]), 0);
		for (int k = 0; k < i; k++)
			ck_assert(memcmp(f[i], f[k], SSN_FINGERPRINT) != 0);
	}
}
END_TEST

/* RFC 4231 test case 2. */
START_TEST(rfc4231_hmac)
{
	uint8_t mac[MAC_LEN];

	ck_assert_int_eq(
		mac_compute(BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"), mac), 0);
	hex_expect(
		BYTES_OF(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	ck_assert(mac_equal(BYTES_OF(mac), BYTES_OF(mac)));
	ck_assert(!mac_equal(BYTES_OF(mac), bytes_of(mac, 31)));
	ck_assert_int_eq(mac_compute(BYTES_NONE, BYTES_NONE, mac), 0);
	hex_expect(
		BYTES_OF(mac), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
END_TEST

static const char *const pems[] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n",
};

/* Of who was given none, as daemon and client make it of the same configuration. */
START_TEST(a_credential_of_ones_own)
{
	static const struct {
		int signature;
		enum suite_curve curve;
	} kinds[] = {{SUITE_EDDSA, SUITE_ED25519}, {SUITE_ES256, SUITE_P256}};

	for (int i = 0; i < 2; i++) {
		uint8_t raw[2][200];
		struct buf want = BUF_OF(raw[0]), made = BUF_OF(raw[1]), small = buf_of(raw[1], 20);
		struct crypto_key *k;
		struct bytes secret;

		ck_assert_int_eq(crypto_key_generate(kinds[i].curve, bed_random, &k), 0);
		secret = crypto_key_secret(k);
		ck_assert_int_eq(cred_make(BYTES_NONE, k, &want), 0);
		ck_assert_int_eq(
			cred_make_own(kinds[i].signature, CRED_KCCS, secret, &small, &e), -ENOBUFS);
		ck_assert_int_eq(
			cred_make_own(kinds[i].signature, CRED_KCCS, secret, &made, &e), 0);
		BED_EQUAL(buf_bytes(&made), buf_bytes(&want), "the credential");
		/* A certificate cannot be made of a key. */
		ck_assert_int_eq(cred_make_own(kinds[i].signature, CRED_X5CHAIN, secret, &made, &e),
			-EINVAL);
		ck_assert_int_eq(cred_make_own(0, CRED_KCCS, secret, &made, &e), -EINVAL);
		ck_assert_int_lt(cred_make_own(kinds[i].signature, CRED_KCCS, bytes_head(secret, 5),
					 &made, &e),
			0);
		crypto_key_free(k);
	}
}
END_TEST

/* Signatures and agreements of each curve; a credential is made and read again. */
START_TEST(keys_sign_agree_and_go_into_credentials)
{
	static const enum suite_curve curves[] = {SUITE_ED25519, SUITE_P256};

	for (int i = 0; i < 2; i++) {
		struct crypto_key *k[2], *pub[2];
		uint8_t sig[SUITE_SIGNATURE], shared[2][CRYPTO_SECRET], raw[200];

		for (int n = 0; n < 2; n++) {
			struct buf b = BUF_OF(raw);

			ck_assert_int_eq(crypto_key_generate(curves[i], bed_random, &k[n]), 0);
			ck_assert_int_eq(cred_make(BYTES_LIT("me"), k[n], &b), 0);
			ck_assert_int_eq(cred_key(CRED_KCCS, buf_bytes(&b), &e, &pub[n]), 0);
			ck_assert(crypto_key_matches(k[n], pub[n]));
			ck_assert(!crypto_key_matches(pub[n], k[n]));
			for (size_t cut = 0; cut < b.n; cut++) {
				struct crypto_key *none = NULL;
				struct buf small = buf_of(raw + 100, cut);

				ck_assert_int_eq(cred_key(CRED_KCCS, bytes_of(raw, cut), &e, &none),
					-EINVAL);
				if (cut < 90)
					ck_assert_int_eq(
						cred_make(BYTES_LIT("me"), k[n], &small) == 0,
						cut >= b.n);
			}
		}
		ck_assert_int_eq(crypto_sign(k[0], BYTES_LIT("text"), sig), 0);
		ck_assert_int_eq(crypto_verify(pub[0], BYTES_LIT("text"), sig), 0);
		ck_assert_int_eq(crypto_verify(pub[0], BYTES_LIT("Text"), sig), -EBADMSG);
		ck_assert_int_eq(crypto_verify(pub[1], BYTES_LIT("text"), sig), -EBADMSG);
		ck_assert_int_eq(crypto_sign(pub[0], BYTES_LIT("text"), sig), -EINVAL);
		ck_assert_int_eq(crypto_agree(k[0], pub[1], shared[0]), 0);
		ck_assert_int_eq(crypto_agree(k[1], pub[0], shared[1]), 0);
		ck_assert(crypto_equal(BYTES_OF(shared[0]), BYTES_OF(shared[1])));
		ck_assert_int_eq(crypto_agree(pub[0], k[1], shared[0]), -EINVAL);
		for (int n = 0; n < 2; n++) {
			crypto_key_free(k[n]);
			crypto_key_free(pub[n]);
		}
	}
}
END_TEST

START_TEST(keys_that_are_none)
{
	uint8_t raw[64];
	struct crypto_key *k = NULL, *one;
	uint8_t shared[CRYPTO_SECRET];

	memset(raw, 0, sizeof(raw));
	ck_assert_int_eq(crypto_key_private(SUITE_P256, bytes_of(raw, 32), &e, &k), -EINVAL);
	ck_assert_int_eq(crypto_key_public(SUITE_P256, bytes_of(raw, 64), &k), -EINVAL);
	ck_assert_int_eq(crypto_key_private(SUITE_ED25519, bytes_of(raw, 31), &e, &k), -EINVAL);
	ck_assert_int_eq(crypto_key_public(SUITE_ED25519, bytes_of(raw, 33), &k), -EINVAL);
	memset(raw, 0xff, sizeof(raw));
	ck_assert_int_eq(crypto_key_private(SUITE_P256, bytes_of(raw, 32), &e, &k), -EINVAL);
	ck_assert_int_eq(crypto_key_private(SUITE_ED25519,
				 BYTES_LIT("-----BEGIN PRIVATE KEY-----\nAAAA\n"), &e, &k),
		-EINVAL);
	ck_assert_ptr_null(k);
	/* RFC 8032 7.1, test 1, as PEM. */
	ck_assert_int_eq(crypto_key_private(SUITE_ED25519, bytes_str(pems[0]), &e, &k), 0);
	ck_assert_int_eq(crypto_key_curve(k), SUITE_ED25519);
	hex_expect(crypto_key_bytes(k),
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	ck_assert_int_eq(crypto_key_private(SUITE_P256, bytes_str(pems[0]), &e, &one), -EINVAL);
	/* oscore-groupcomm 2.3.1: y of 1 and of -1 agree on nothing. */
	for (int i = 0; i < 2; i++) {
		memset(raw, i == 0 ? 0 : 0xff, 32);
		raw[0] = i == 0 ? 1 : 0xec;
		raw[31] = i == 0 ? 0 : 0x7f;
		if (crypto_key_public(SUITE_ED25519, bytes_of(raw, 32), &one) < 0)
			continue;
		ck_assert_int_eq(crypto_agree(k, one, shared), -EINVAL);
		crypto_key_free(one);
	}
	crypto_key_free(k);
}
END_TEST

/* Certificates of a throw-away key of each curve, in DER. */
static const char *const certificates[] = {
	"3082012e3081e1a003020102021457f76a2d670da5924c28ab5e0aa0c2e77f1f841a300506032b65"
	"70300c310a300806035504030c01613020170d3236313132323035353235385a180f323035343034"
	"30383035353235385a300c310a300806035504030c0161302a300506032b6570032100458fcf226d"
	"8d1f884b7cf6af59d0da45c12e89c408daec2d6189c719d688bf9ea3533051301d0603551d0e0416"
	"0414dcd867ad7db4ccbd84dbc41134f2937e500d5d5a301f0603551d23041830168014dcd867ad7d"
	"b4ccbd84dbc41134f2937e500d5d5a300f0603551d130101ff040530030101ff300506032b657003"
	"4100ca1f8f6d3c97c8a0fbd339722a64f45aa5f6e68ba91613ce027e331543bc9194e3cc9ad97d63"
	"06c08e704ae749f0ec6cd17c856843c437d3c6c4e1b51bfd1b0a",
	"3082016f30820115a00302010202140f94eb5c6c8e784486e2313c63d2d716b01531da300a06082a"
	"8648ce3d040302300c310a300806035504030c01623020170d3236313132323035353235385a180f"
	"32303534303430383035353235385a300c310a300806035504030c01623059301306072a8648ce3d"
	"020106082a8648ce3d03010703420004d59e6f4ebe0b40f995409784dcc1c347098d896f682818ac"
	"08163a4dc850c5ee9b4513490ac41cba98b1c2e1a92252febb6d9994e8394767ba59e4e2d9298464"
	"a3533051301d0603551d0e04160414c2d0bd8958383de058c9e1de5b1948f0cbbca542301f060355"
	"1d23041830168014c2d0bd8958383de058c9e1de5b1948f0cbbca542300f0603551d130101ff0405"
	"30030101ff300a06082a8648ce3d0403020348003045022031499d34e9ec5351771e7fb020aab750"
	"6d2c1c10eb9bce93048661828ac1d4e10221008eaf5cf171afc10d4bbac5959c0472cf1bab6e6782"
	"53e46f8543dd8b87a07f46",
};

/* oscore-groupcomm 2.4: X.509, as it is and in a CBOR array. */
START_TEST(groupcomm_2_4_x509)
{
	for (int i = 0; i < 2; i++) {
		uint8_t raw[HEX_MAX], chain[HEX_MAX];
		struct bytes der = hex_bytes(certificates[i], raw);
		struct buf b = BUF_OF(chain);
		struct crypto_key *k[2], *none;

		cborbuf_put_array(&b, 2);
		cborbuf_put_bstr(&b, der);
		cborbuf_put_bstr(&b, BYTES_LIT("an issuer"));
		ck_assert_int_eq(cred_key(CRED_X5CHAIN, der, &e, &k[0]), 0);
		ck_assert_int_eq(cred_key(CRED_X5CHAIN, buf_bytes(&b), &e, &k[1]), 0);
		ck_assert_int_eq(crypto_key_curve(k[0]), i == 0 ? SUITE_ED25519 : SUITE_P256);
		ck_assert(bytes_equal(crypto_key_bytes(k[0]), crypto_key_bytes(k[1])));
		for (size_t n = 0; n < der.n; n++)
			ck_assert_int_eq(
				cred_key(CRED_X5CHAIN, bytes_head(der, n), &e, &none), -EINVAL);
		crypto_key_free(k[0]);
		crypto_key_free(k[1]);
	}
}
END_TEST

/* Every cipher in the table: there and back, and not with a flipped bit. */
START_TEST(every_cipher)
{
	static const int numbers[] = {
		1, 2, 3, 10, 11, 12, 13, 24, 30, 31, 32, 33, -65534, -65533, -65532};
	uint8_t key[SUITE_MAX_KEY] = {1}, nonce[SUITE_MAX_NONCE] = {2}, raw[64], back[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct suite_cipher *c = suite_cipher(numbers[i]);
		struct buf b = BUF_OF(raw), p = BUF_OF(back), small = buf_of(raw, 3 + c->tag);
		struct bytes text = BYTES_LIT("text"), aad = BYTES_LIT("aad");

		ck_assert_int_eq(crypto_seal(c, key, nonce, aad, text, &small), -ENOBUFS);
		ck_assert_int_eq(crypto_seal(c, key, nonce, aad, text, &b), 0);
		ck_assert_uint_eq(b.n, text.n + c->tag);
		ck_assert_int_eq(crypto_open(c, key, nonce, aad, buf_bytes(&b), &p), 0);
		ck_assert(bytes_equal(buf_bytes(&p), text));
		raw[0] ^= 1;
		buf_clear(&p);
		ck_assert_int_eq(crypto_open(c, key, nonce, aad, buf_bytes(&b), &p),
			c->tag > 0 ? -EBADMSG : 0);
	}
}
END_TEST

static struct context *
plain(const char *peer, struct bytes id_context)
{
	struct context_plain p = {.master_secret = BYTES_LIT("0123456789abcdef"),
		.id_context = id_context,
		.sender_id = BYTES_LIT("S"),
		.recipient_id = bytes_str(peer),
		.window_valid = true};
	struct context *c;

	ck_assert_msg(context_new_plain(&p, &e, &c) == 0, "%s", e.text);
	return c;
}

/* RFC 8613 8.2: by kid context and kid. */
START_TEST(rfc8613_8_2_finding_contexts)
{
	struct context *c[] = {plain("a", BYTES_NONE), plain("a", BYTES_LIT("x")),
		plain("b", BYTES_LIT("x")), plain("c", BYTES_LIT("x")), plain("c", BYTES_LIT("y"))};
	struct context *twin = plain("a", BYTES_LIT("x"));
	struct context_table t;

	context_table_init(&t, 3);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(context_table_add(&t, c[i]), 0);
	ck_assert_int_eq(context_table_add(&t, twin), -EEXIST);
	ck_assert_ptr_eq(context_table_find(&t, BYTES_NONE, BYTES_LIT("a")), c[0]);
	ck_assert_ptr_eq(context_table_find(&t, BYTES_LIT("x"), BYTES_LIT("a")), c[1]);
	ck_assert_ptr_eq(context_table_find(&t, BYTES_NONE, BYTES_LIT("b")), c[2]);
	ck_assert_ptr_null(context_table_find(&t, BYTES_LIT("y"), BYTES_LIT("b")));
	ck_assert_ptr_null(context_table_find(&t, BYTES_LIT(""), BYTES_LIT("a")));
	ck_assert_ptr_null(context_table_find(&t, BYTES_NONE, BYTES_LIT("c"))); /* which? */
	ck_assert_ptr_eq(context_table_find(&t, BYTES_LIT("y"), BYTES_LIT("c")), c[4]);
	context_table_remove(&t, c[4]);
	ck_assert_ptr_eq(context_table_find(&t, BYTES_NONE, BYTES_LIT("c")), c[3]);
	ck_assert_ptr_eq(context_table_find_own(&t, BYTES_NONE, BYTES_LIT("S")), c[0]);
	context_table_fini(&t);
	for (int i = 0; i < 5; i++)
		context_release(c[i]);
	context_release(twin);
}
END_TEST

/* What a group cannot be; each is one change to one that can. */
START_TEST(groups_that_cannot_be)
{
	struct crypto_key *k;
	uint8_t raw[100];
	struct buf cred = BUF_OF(raw);
	struct context_group good, p;
	struct context *c;

	ck_assert_int_eq(crypto_key_generate(SUITE_ED25519, bed_random, &k), 0);
	ck_assert_int_eq(cred_make(BYTES_NONE, k, &cred), 0);
	good = (struct context_group){.master_secret = BYTES_LIT("secret"),
		.gid = BYTES_LIT("g"),
		.sender_id = BYTES_LIT("1"),
		.group_encryption = 10,
		.signature = -8,
		.cred_format = CRED_KCCS,
		.cred = buf_bytes(&cred),
		.private_key = crypto_key_secret(k)};
	ck_assert_int_eq(context_new_group(&good, &e, &c), 0);
	ck_assert(context_has_group_mode(c) && !context_has_pairwise_mode(c));
	ck_assert_uint_eq(context_max_id(c), 7);
	ck_assert_int_eq(
		context_add_recipient(c, BYTES_LIT("1"), buf_bytes(&cred), true, 0, &e, NULL),
		-EEXIST);
	ck_assert_int_eq(context_add_recipient(
				 c, BYTES_LIT("12345678"), buf_bytes(&cred), true, 0, &e, NULL),
		-EINVAL);
	ck_assert_int_eq(
		context_add_recipient(c, BYTES_LIT("2"), BYTES_LIT("x"), true, 0, &e, NULL),
		-EINVAL);
	context_release(c);
#define REFUSED(change)                                                   \
	do {                                                              \
		p = good;                                                 \
		change;                                                   \
		ck_assert_int_eq(context_new_group(&p, &e, &c), -EINVAL); \
	} while (0)
	REFUSED(p.master_secret = BYTES_NONE);
	REFUSED(p.gid = BYTES_LIT(""));
	REFUSED(p.signature = SUITE_NONE);
	REFUSED(p.signature = SUITE_ES256);
	REFUSED(p.group_encryption = 4711);
	REFUSED(p.aead = 10);
	REFUSED(p.aead = -65534; p.pairwise = -27);
	REFUSED(p.pairwise = -29);
	REFUSED(p.sender_id = BYTES_LIT("12345678"));
	REFUSED(p.private_key = BYTES_LIT("01234567890123456789012345678901"));
	REFUSED(p.cred = BYTES_NONE);
	REFUSED(p.cred_format = (enum cred_format)15);
	crypto_key_free(k);
}
END_TEST

static void
teardown(void)
{
	crypto_stop();
}

static Suite *
suite(void)
{
	Suite *s = suite_create("oscore");
	TCase *tc = tcase_create("parts");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, names_of_algorithms);
	tcase_add_test(tc, rfc8613_6_1_option);
	tcase_add_test(tc, rfc8613_6_1_malformed_option);
	tcase_add_test(tc, rfc8613_6_1_partial_iv);
	tcase_add_test(tc, rfc8613_7_4_window);
	tcase_add_test(tc, rfc8613_7_4_each_number_once);
	tcase_add_test(tc, rfc8613_b_1_2_invalid_window);
	tcase_add_test(tc, rfc8613_b_1_1_bound_before_use);
	tcase_add_test(tc, where_numbers_start);
	tcase_add_test(tc, rfc8613_b_1_1_starts_in_the_same_second_share_no_number);
	tcase_add_test(tc, a_start_does_not_wait_for_a_clock_that_went_back);
	tcase_add_test(tc, fingerprints_differ_by_every_part);
	tcase_add_test(tc, rfc4231_hmac);
	tcase_add_test(tc, a_credential_of_ones_own);
	tcase_add_test(tc, keys_sign_agree_and_go_into_credentials);
	tcase_add_test(tc, keys_that_are_none);
	tcase_add_test(tc, groupcomm_2_4_x509);
	tcase_add_test(tc, every_cipher);
	tcase_add_test(tc, rfc8613_8_2_finding_contexts);
	tcase_add_test(tc, groups_that_cannot_be);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
