/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "hex.h"
#include "wire/option.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

#define E OPTION_CLASS_E
#define U OPTION_CLASS_U
#define R OPTION_REPEATABLE
#define K OPTION_RECOGNIZED

/* RFC 7252 5.10, Table 4, and what was registered after it. */
static const struct option_info expected[] = {
	{"If-Match", 1, 0, 8, OPTION_OPAQUE, K | R | E},
	{"Uri-Host", 3, 1, 255, OPTION_STRING, K | U},
	{"ETag", 4, 1, 8, OPTION_OPAQUE, K | R | E},
	{"If-None-Match", 5, 0, 0, OPTION_EMPTY, K | E},
	{"Observe", 6, 0, 3, OPTION_UINT, K | E | U},
	{"Uri-Port", 7, 0, 2, OPTION_UINT, K | U},
	{"Location-Path", 8, 0, 255, OPTION_STRING, K | R | E},
	{"OSCORE", 9, 0, 255, OPTION_OPAQUE, U},
	{"Uri-Path", 11, 0, 255, OPTION_STRING, K | R | E},
	{"Content-Format", 12, 0, 2, OPTION_UINT, K | E},
	{"Max-Age", 14, 0, 4, OPTION_UINT, K | E | U},
	{"Uri-Query", 15, 0, 255, OPTION_STRING, K | R | E},
	{"Hop-Limit", 16, 1, 1, OPTION_UINT, K | E},
	{"Accept", 17, 0, 2, OPTION_UINT, K | E},
	{"Feedback-Divider", 18, 0, 1, OPTION_UINT, K | E},
	{"Q-Block1", 19, 0, 3, OPTION_UINT, E | U},
	{"Location-Query", 20, 0, 255, OPTION_STRING, K | R | E},
	{"Block2", 23, 0, 3, OPTION_UINT, K | E | U},
	{"Block1", 27, 0, 3, OPTION_UINT, K | E | U},
	{"Size2", 28, 0, 4, OPTION_UINT, K | E | U},
	{"Q-Block2", 31, 0, 3, OPTION_UINT, R | E | U},
	{"Proxy-Uri", 35, 1, 1034, OPTION_STRING, K | U},
	{"Proxy-Scheme", 39, 1, 255, OPTION_STRING, K | U},
	{"Size1", 60, 0, 4, OPTION_UINT, K | E | U},
	{"Echo", 252, 1, 40, OPTION_OPAQUE, K | E | U},
	{"No-Response", 258, 0, 1, OPTION_UINT, K | E},
	{"Request-Tag", 292, 0, 8, OPTION_OPAQUE, K | R | E},
};

static const struct option_info *
expected_of(unsigned number)
{
	for (int i = 0; i < N_OF(expected); i++)
		if (expected[i].number == number)
			return &expected[i];
	return NULL;
}

START_TEST(rfc7252_5_10_the_table)
{
	for (unsigned number = 0; number <= UINT16_MAX; number++) {
		const struct option_info *want = expected_of(number);
		const struct option_info *got = option_info((uint16_t)number);

		ck_assert_msg((want == NULL) == (got == NULL), "option %u", number);
		if (want == NULL)
			continue;
		ck_assert_str_eq(got->name, want->name);
		ck_assert_uint_eq(got->number, number);
		ck_assert_msg(got->min == want->min && got->max == want->max, "%s", got->name);
		ck_assert_int_eq(got->format, want->format);
		ck_assert_msg(got->flags == want->flags, "%s", got->name);
	}
}
END_TEST

START_TEST(rfc7252_5_4_6_critical_by_number)
{
	ck_assert(option_is_critical(OPT_URI_PATH));
	ck_assert(option_is_critical(OPT_OSCORE));
	ck_assert(option_is_critical(65001));
	ck_assert(!option_is_critical(OPT_OBSERVE));
	ck_assert(!option_is_critical(OPT_NO_RESPONSE));
	ck_assert(!option_is_critical(65000));
}
END_TEST

START_TEST(rfc8613_4_1_classes)
{
	ck_assert_uint_eq(option_class(OPT_URI_HOST), U);
	ck_assert_uint_eq(option_class(OPT_URI_PATH), E);
	ck_assert_uint_eq(option_class(OPT_OBSERVE), E | U);
	ck_assert_uint_eq(option_class(OPT_FEEDBACK_DIVIDER), E);
	ck_assert_uint_eq(option_class(2049), E); /* the default */
}
END_TEST

/* Messages in the notation "number:bytes", values all zero; what is left; the verdict. */
#define MAX_TEST_OPTS 8
struct number_length {
	uint16_t number;
	uint16_t n; /* bytes of value */
};

static const struct {
	const char *name;
	struct number_length in[MAX_TEST_OPTS]; /* ends with number 0 */
	struct number_length out[MAX_TEST_OPTS];
	enum option_verdict verdict;
	uint16_t critical;
} sifts[] = {
	{"nothing", {{0, 0}}, {{0, 0}}, OPTION_FINE, 0},
	{"a plain registration", {{3, 9}, {6, 0}, {11, 2}, {11, 4}, {11, 0}, {17, 1}, {0, 0}},
		{{3, 9}, {6, 0}, {11, 2}, {11, 4}, {11, 0}, {17, 1}, {0, 0}}, OPTION_FINE, 0},
	{"5.4.1: unrecognized elective is ignored", {{2, 3}, {11, 1}, {10, 0}, {2048, 300}, {0, 0}},
		{{11, 1}, {0, 0}}, OPTION_FINE, 0},
	{"5.4.1: unrecognized critical is reported, the first of two",
		{{11, 1}, {13, 1}, {65001, 0}, {0, 0}}, {{11, 1}, {13, 1}, {65001, 0}, {0, 0}},
		OPTION_UNRECOGNIZED, 13},
	{"5.4.1: and elective ones after it are ignored still",
		{{13, 1}, {14, 5}, {2050, 0}, {0, 0}}, {{13, 1}, {0, 0}}, OPTION_UNRECOGNIZED, 13},
	{"what is protected is opened before", {{9, 0}, {0, 0}}, {{9, 0}, {0, 0}},
		OPTION_UNRECOGNIZED, 9},
	{"Q-Block2 is not spoken", {{31, 1}, {0, 0}}, {{31, 1}, {0, 0}}, OPTION_UNRECOGNIZED, 31},
	{"nor is Q-Block1", {{19, 1}, {0, 0}}, {{19, 1}, {0, 0}}, OPTION_UNRECOGNIZED, 19},
	{"5.4.3: elective of a bad length is ignored",
		{{4, 0}, {4, 9}, {4, 8}, {12, 3}, {14, 5}, {258, 2}, {0, 0}}, {{4, 8}, {0, 0}},
		OPTION_FINE, 0},
	{"5.4.3: critical of a bad length is reported", {{3, 0}, {0, 0}}, {{3, 0}, {0, 0}},
		OPTION_BAD_LENGTH, 3},
	{"5.4.3: too long", {{5, 1}, {0, 0}}, {{5, 1}, {0, 0}}, OPTION_BAD_LENGTH, 5},
	{"5.4.3: Accept", {{17, 3}, {0, 0}}, {{17, 3}, {0, 0}}, OPTION_BAD_LENGTH, 17},
	{"5.4.3: Block2", {{23, 4}, {0, 0}}, {{23, 4}, {0, 0}}, OPTION_BAD_LENGTH, 23},
	{"5.4.3: Uri-Path of 255", {{11, 255}, {0, 0}}, {{11, 255}, {0, 0}}, OPTION_FINE, 0},
	{"5.4.3: Uri-Path of 256", {{11, 256}, {0, 0}}, {{11, 256}, {0, 0}}, OPTION_BAD_LENGTH, 11},
	{"5.4.5: supernumerary elective is ignored",
		{{6, 0}, {6, 1}, {12, 1}, {12, 2}, {12, 0}, {258, 1}, {258, 1}, {0, 0}},
		{{6, 0}, {12, 1}, {258, 1}, {0, 0}}, OPTION_FINE, 0},
	{"5.4.5: supernumerary critical is reported", {{17, 0}, {17, 1}, {0, 0}},
		{{17, 0}, {17, 1}, {0, 0}}, OPTION_SUPERNUMERARY, 17},
	{"5.4.5: repeatable ones are not supernumerary",
		{{1, 0}, {1, 8}, {15, 1}, {15, 2}, {292, 1}, {292, 8}, {0, 0}},
		{{1, 0}, {1, 8}, {15, 1}, {15, 2}, {292, 1}, {292, 8}, {0, 0}}, OPTION_FINE, 0},
	{"Proxy-Uri is for the one above to refuse", {{35, 1034}, {39, 4}, {0, 0}},
		{{35, 1034}, {39, 4}, {0, 0}}, OPTION_FINE, 0},
	{"a long Proxy-Uri", {{35, 1035}, {0, 0}}, {{35, 1035}, {0, 0}}, OPTION_BAD_LENGTH, 35},
	{"Echo", {{252, 40}, {0, 0}}, {{252, 40}, {0, 0}}, OPTION_FINE, 0},
	{"no Echo", {{252, 41}, {0, 0}}, {{0, 0}}, OPTION_FINE, 0},
};

static uint8_t
fill(struct msg *m, const struct number_length *from)
{
	static const uint8_t zeros[2048];
	uint8_t n = 0;

	memset(m, 0, sizeof(*m));
	for (; from[n].number != 0; n++) {
		m->opts[n].number = from[n].number;
		m->opts[n].value = bytes_of(zeros, from[n].n);
	}
	m->n_opts = n;
	return n;
}

START_TEST(rfc7252_5_4_sift)
{
	const struct number_length *want = sifts[_i].out;
	static struct msg m;
	uint16_t critical = 0;
	int n = 0;

	fill(&m, sifts[_i].in);
	ck_assert_msg(option_sift(&m, &critical) == sifts[_i].verdict, "%s", sifts[_i].name);
	ck_assert_msg(critical == sifts[_i].critical, "%s: %u", sifts[_i].name, critical);
	for (; want[n].number != 0; n++) {
		ck_assert_msg(n < m.n_opts && m.opts[n].number == want[n].number &&
				      m.opts[n].value.n == want[n].n,
			"%s: option %d", sifts[_i].name, n);
	}
	ck_assert_msg(m.n_opts == n, "%s: %d options", sifts[_i].name, m.n_opts);
}
END_TEST

/* "Feedback-Divider Option": elective, unsafe to forward, 0 or 1 byte, class E, at any number. */
START_TEST(omn_8_1_feedback_divider_at_another_number)
{
	static const struct number_length in[] = {{18, 1}, {2050, 1}, {0, 0}};
	static struct msg m;
	uint16_t critical = 0;

	ck_assert_uint_eq(option_feedback_divider(), 18);
	fill(&m, in);
	ck_assert_int_eq(option_sift(&m, &critical), OPTION_FINE);
	ck_assert(m.n_opts == 1 && m.opts[0].number == 18);
	option_set_feedback_divider(2050);
	ck_assert_ptr_null(option_info(18));
	ck_assert_uint_eq(option_class(2050), OPTION_CLASS_E);
	fill(&m, in);
	ck_assert_int_eq(option_sift(&m, &critical), OPTION_FINE);
	ck_assert(m.n_opts == 1 && m.opts[0].number == 2050);
	m.opts[0].value.n = 2;
	ck_assert_int_eq(option_sift(&m, &critical), OPTION_FINE);
	ck_assert_uint_eq(m.n_opts, 0);
	option_set_feedback_divider(OPT_FEEDBACK_DIVIDER);
}
END_TEST

START_TEST(sift_of_a_full_message)
{
	static struct msg m;
	uint16_t critical = 7;

	memset(&m, 0, sizeof(m));
	m.n_opts = MSG_MAX_OPTIONS;
	for (int i = 0; i < MSG_MAX_OPTIONS; i++) {
		m.opts[i].number = OPT_OBSERVE;
		m.opts[i].value = BYTES_LIT("\1");
	}
	ck_assert_int_eq(option_sift(&m, &critical), OPTION_FINE);
	ck_assert_uint_eq(m.n_opts, 1);
	ck_assert_uint_eq(critical, 7); /* written only with a fault */
}
END_TEST

static const struct {
	const char *hex;
	int rc;
	struct block b;
	size_t offset;
} blocks[] = {
	{"", 0, {0, false, 0}, 0},
	{"06", 0, {0, false, 6}, 0},
	{"0e", 0, {0, true, 6}, 0},
	{"16", 0, {1, false, 6}, 1024},
	{"fd", 0, {15, true, 5}, 15 * 512},
	{"0106", 0, {16, false, 6}, 16384},
	{"fffffe", 0, {BLOCK_MAX_NUM, true, 6}, (size_t)0xfffff * 1024},
	{"fffff0", 0, {BLOCK_MAX_NUM, false, 0}, (size_t)0xfffff * 16},
	{"000006", 0, {0, false, 6}, 0}, /* RFC 7252 3.2: leading zeros are to be understood */
	{"07", -EBADMSG, {9, true, 3}, 0}, /* reserved */
	{"ffffff", -EBADMSG, {9, true, 3}, 0},
	{"00000006", -EBADMSG, {9, true, 3}, 0},
};

START_TEST(rfc7959_2_2_block)
{
	uint8_t raw[HEX_MAX];
	struct opt o = {hex_bytes(blocks[_i].hex, raw), OPT_BLOCK2};
	struct block b = {9, true, 3};

	ck_assert_int_eq(block_decode(&o, &b), blocks[_i].rc);
	ck_assert_uint_eq(b.num, blocks[_i].b.num);
	ck_assert_int_eq(b.more, blocks[_i].b.more);
	ck_assert_uint_eq(b.szx, blocks[_i].b.szx);
	if (blocks[_i].rc == 0) {
		uint32_t v = 0;

		for (size_t i = 0; i < o.value.n; i++)
			v = v << 8 | o.value.p[i];
		ck_assert_uint_eq(block_value(&b), v);
		ck_assert_uint_eq(block_offset(&b), blocks[_i].offset);
		ck_assert_uint_eq(block_size(&b), (size_t)1 << (b.szx + 4));
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("option");
	TCase *tc = tcase_create("option");

	tcase_add_test(tc, rfc7252_5_10_the_table);
	tcase_add_test(tc, rfc7252_5_4_6_critical_by_number);
	tcase_add_test(tc, rfc8613_4_1_classes);
	tcase_add_loop_test(tc, rfc7252_5_4_sift, 0, N_OF(sifts));
	tcase_add_test(tc, omn_8_1_feedback_divider_at_another_number);
	tcase_add_test(tc, sift_of_a_full_message);
	tcase_add_loop_test(tc, rfc7959_2_2_block, 0, N_OF(blocks));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
