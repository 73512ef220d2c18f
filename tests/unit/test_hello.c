/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "hex.h"
#include "transport/hello.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

#define RECORD "16 feff 0000 0000000a0b0c "
#define MESSAGE "01 00002a 0007 000000 00002a "
#define RANDOM "fefd 0102030405060708010203040506070801020304050607080102030405060708 "
#define SUITES "0002 c0a8 01 00"

static const char first[] = RECORD "0036 " MESSAGE RANDOM "00 00 " SUITES;
static const char again[] =
	RECORD "003c 01 000030 0001 000000 000030 " RANDOM "00 06 a1a2a3a4a5a6 " SUITES;

static enum hello_kind
read_hex(const char *hex, struct hello *ret)
{
	static uint8_t out[HEX_MAX];
	struct bytes b = hex_bytes(hex, out);

	return hello_read(b, b.n, ret);
}

START_TEST(rfc6347_4_2_1_hello_without_a_cookie)
{
	struct hello h;

	ck_assert_int_eq(read_hex(first, &h), HELLO_BEGIN);
	ck_assert_uint_eq(h.cookie.n, 0);
	ck_assert_uint_eq(h.sequence.n, 6);
	ck_assert_mem_eq(h.sequence.p, "\0\0\0\x0a\x0b\x0c", 6);
}
END_TEST

START_TEST(rfc6347_4_2_1_hello_with_a_cookie)
{
	struct hello h;

	ck_assert_int_eq(read_hex(again, &h), HELLO_BEGIN);
	ck_assert(bytes_is(h.cookie, "\xa1\xa2\xa3\xa4\xa5\xa6"));
}
END_TEST

static const struct {
	const char *hex;
	enum hello_kind kind;
} others[] = {
	{"", HELLO_OTHER},
	{"17 fefd 0001 000000000001 0003 010203", HELLO_OTHER}, /* application data */
	{"15 fefd 0000 000000000001 0002 0228", HELLO_OTHER}, /* an alert */
	{"16 feff 0000 000000000001 0036 10 00002a 0000 000000 00002a", HELLO_OTHER},
	/* Encrypted, or not the first fragment. */
	{"16 fefd 0001 000000000001 0020 01 02030405060708", HELLO_PART},
	{RECORD "0036 01 00002a 0007 000010 00001a " RANDOM "00 00 " SUITES, HELLO_PART},
	/* The record ends after the datagram, the fragment after the record or the message. */
	{RECORD "0037 " MESSAGE RANDOM "00 00 " SUITES, HELLO_BROKEN},
	{RECORD "0036 01 00002b 0007 000000 00002b " RANDOM "00 00 " SUITES, HELLO_BROKEN},
	{RECORD "0036 01 000029 0007 000000 00002a " RANDOM "00 00 " SUITES, HELLO_BROKEN},
	{RECORD "000b " MESSAGE RANDOM "00 00 " SUITES, HELLO_BROKEN},
	/* Neither the session id nor the cookie may end after the fragment. */
	{RECORD "0036 " MESSAGE RANDOM "09 00 " SUITES, HELLO_BROKEN},
	{RECORD "0036 " MESSAGE RANDOM "00 07 " SUITES, HELLO_BROKEN},
	{RECORD "0036 " MESSAGE RANDOM "ff ff " SUITES, HELLO_BROKEN},
	{RECORD "002e 01 00002a 0007 000000 000022 " RANDOM "00 00 " SUITES, HELLO_BROKEN},
};

START_TEST(what_is_none)
{
	struct hello h;

	ck_assert_int_eq(read_hex(others[_i].hex, &h), others[_i].kind);
}
END_TEST

/* It reads what it is given: neither more, nor what is not there. */
START_TEST(a_hello_that_is_cut_off)
{
	uint8_t out[HEX_MAX];
	struct bytes whole = hex_bytes(again, out);
	struct hello h;

	for (size_t n = 0; n < whole.n; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, whole.p, n);
		ck_assert_msg(hello_read(bytes_of(exact, n), n, &h) != HELLO_BEGIN, "%zu bytes", n);
		/* Only looked at, its end is not needed. */
		ck_assert_msg((hello_read(bytes_of(exact, n), whole.n, &h) == HELLO_BEGIN) ==
				      (n >= whole.n - 6),
			"%zu bytes of %zu", n, whole.n);
		free(exact);
	}
}
END_TEST

START_TEST(rfc6347_4_2_1_verify_request)
{
	uint8_t out[HELLO_REQUEST_MAX];
	struct buf b = BUF_OF(out);
	struct hello h;
	size_t n;

	ck_assert_int_eq(read_hex(first, &h), HELLO_BEGIN);
	hello_put_request(&b, &h, BYTES_LIT("\xc1\xc2\xc3\xc4"));
	hex_expect(buf_bytes(&b), RECORD "0013 03 000007 0000 000000 000007 feff 04 c1c2c3c4");
	n = b.n;
	for (size_t cap = 0; cap < n; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);

		b = buf_of(exact, cap);
		hello_put_request(&b, &h, BYTES_LIT("\xc1\xc2\xc3\xc4"));
		ck_assert_msg(b.full, "cap %zu", cap);
		free(exact);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("hello");
	TCase *t = tcase_create("hello");

	tcase_add_test(t, rfc6347_4_2_1_hello_without_a_cookie);
	tcase_add_test(t, rfc6347_4_2_1_hello_with_a_cookie);
	tcase_add_loop_test(t, what_is_none, 0, N_OF(others));
	tcase_add_test(t, a_hello_that_is_cut_off);
	tcase_add_test(t, rfc6347_4_2_1_verify_request);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
