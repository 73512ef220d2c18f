/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/material.h"

#include <errno.h>

#include "hex.h"
#include "unit.h"

/* omn, "OSCORE Group Self-Managed by the Server": all that there is, by number and by name. */
static const char all[] = "a8 02 43 736563 03 05 05 42 73a1 06 42 aa01 08 0e 09 0a 0a 27"
			  "0b 82 81 01 82 01 06";
static const char named[] = "a3 02 41 73 03 67 5348412d323536 0a 65 4564445341";

START_TEST(every_parameter)
{
	uint8_t raw[HEX_MAX], made[128];
	struct buf out = BUF_OF(made);
	struct bytes in = hex_bytes(all, raw);
	struct material m;

	ck_assert_int_eq(material_decode(in, &m), 0);
	ck_assert(bytes_is(m.ms, "sec"));
	ck_assert(m.hkdf.present && m.hkdf.number == 5 && !m.hkdf.text.p);
	ck_assert(bytes_equal(m.salt, BYTES_LIT("s\xa1")));
	ck_assert(bytes_equal(m.context_id, BYTES_LIT("\xaa\x01")));
	ck_assert(m.cred_fmt.present && m.cred_fmt.number == 14);
	ck_assert(m.gp_enc_alg.present && m.gp_enc_alg.number == 10);
	ck_assert(m.sign_alg.present && m.sign_alg.number == -8);
	ck_assert(bytes_equal(m.sign_params, BYTES_LIT("\x82\x81\x01\x82\x01\x06")));
	ck_assert_int_eq(material_encode(&m, &out), 0);
	ck_assert(bytes_equal(buf_bytes(&out), in));
	for (size_t cap = 0; cap < in.n; cap++) {
		out = buf_of(made, cap);
		ck_assert_int_eq(material_encode(&m, &out), -ENOBUFS);
	}
}

START_TEST(algorithms_by_name)
{
	uint8_t raw[HEX_MAX], made[128];
	struct buf out = BUF_OF(made);
	struct bytes in = hex_bytes(named, raw);
	struct material m;

	ck_assert_int_eq(material_decode(in, &m), 0);
	ck_assert(m.hkdf.present && bytes_is(m.hkdf.text, "SHA-256"));
	ck_assert(m.sign_alg.present && bytes_is(m.sign_alg.text, "EdDSA"));
	ck_assert(!m.gp_enc_alg.present && !m.salt.p && !m.context_id.p && !m.sign_params.p);
	ck_assert_int_eq(material_encode(&m, &out), 0);
	ck_assert(bytes_equal(buf_bytes(&out), in));
}

START_TEST(what_is_unknown_is_passed_over)
{
	uint8_t raw[HEX_MAX];
	struct material m;

	/* Of an unknown number, of a negative one, and of a name. */
	ck_assert_int_eq(
		material_decode(
			hex_bytes("a4 18 63 82 01 02 20 f6 61 78 a1 01 02 02 41 73", raw), &m),
		0);
	ck_assert(bytes_is(m.ms, "s"));
	ck_assert(!m.hkdf.present);
}

START_TEST(every_truncated_input)
{
	uint8_t raw[HEX_MAX];
	struct bytes in = hex_bytes(all, raw);
	struct material m;

	for (size_t n = 0; n < in.n; n++)
		ck_assert_int_eq(material_decode(bytes_head(in, n), &m), -EBADMSG);
}

START_TEST(what_is_none)
{
	static const char *const none[] = {
		"80", /* an array */
		"a1 02 61 73", /* a secret that is text */
		"a1 03 41 05", /* an algorithm that is bytes */
		"a1 06 01", /* a Gid that is a number */
		"a2 02 41 73 02 41 74", /* two secrets */
		"a2 09 0a 09 0a", /* one algorithm twice */
		"a2 0b 80 0b 80", "a1 02 41 73 00", /* something behind it */
		"a1 61 78", /* a key without a value */
	};
	uint8_t raw[HEX_MAX];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct material m = {.ms = BYTES_LIT("kept")};

		ck_assert_msg(
			material_decode(hex_bytes(none[i], raw), &m) == -EBADMSG, "%s", none[i]);
		ck_assert(bytes_is(m.ms, "kept"));
	}
}

static Suite *
suite(void)
{
	Suite *s = suite_create("material");
	TCase *tc = tcase_create("material");

	tcase_add_test(tc, every_parameter);
	tcase_add_test(tc, algorithms_by_name);
	tcase_add_test(tc, what_is_unknown_is_passed_over);
	tcase_add_test(tc, every_truncated_input);
	tcase_add_test(tc, what_is_none);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
