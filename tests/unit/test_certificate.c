/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "hex.h"
#include "transport/certificate.h"

/*
 * Subject O = "x/CN=forged.example", CN = member.example; alternative names one.example,
 * *.two.example, 192.0.2.1 and 2001:db8::1. Made by openssl req -x509.
 */
static const char member[] =
	"30820207308201aca003020102021448e9fd3ef48999e098ac08433d6093c2aa24fb58300a06082a"
	"8648ce3d0403023037311c301a060355040a0c13782f434e3d666f726765642e6578616d706c6531"
	"17301506035504030c0e6d656d6265722e6578616d706c653020170d323631313232303834343539"
	"5a180f32313236313032393038343435395a3037311c301a060355040a0c13782f434e3d666f7267"
	"65642e6578616d706c653117301506035504030c0e6d656d6265722e6578616d706c653059301306"
	"072a8648ce3d020106082a8648ce3d03010703420004676263eb0ec354567a4dd04b70fa7128fddd"
	"00dfe3ae41f6a024bb6c0662095fa36846aa4e7b8989061fbbb444e5b7988a4ab3d423e8cbb9fd75"
	"059e8fa20140a38193308190301d0603551d0e041604142b173701fe8eaf1c241049403678015f9f"
	"885ef1301f0603551d230418301680142b173701fe8eaf1c241049403678015f9f885ef1300f0603"
	"551d130101ff040530030101ff303d0603551d1104363034820b6f6e652e6578616d706c65820d2a"
	"2e74776f2e6578616d706c658704c0000201871020010db8000000000000000000000001300a0608"
	"2a8648ce3d04030203490030460221008a10815fca69398c7260b3935508d70db70fe8b16284e75a"
	"65a0c9bfe2d13774022100eb4c86d8c1e8f4cab222d3e727a9dfdcb45db559a2946e4b4f21c399b6"
	"25de74";

/* CN = a.example, CN = b.example */
static const char two[] =
	"308201a73082014da00302010202140149aa79a7ae259594ece9a2b08bb72518aebe2e300a06082a"
	"8648ce3d04030230283112301006035504030c09612e6578616d706c653112301006035504030c09"
	"622e6578616d706c653020170d3236313132323038343435395a180f323132363130323930383434"
	"35395a30283112301006035504030c09612e6578616d706c653112301006035504030c09622e6578"
	"616d706c653059301306072a8648ce3d020106082a8648ce3d03010703420004676263eb0ec35456"
	"7a4dd04b70fa7128fddd00dfe3ae41f6a024bb6c0662095fa36846aa4e7b8989061fbbb444e5b798"
	"8a4ab3d423e8cbb9fd75059e8fa20140a3533051301d0603551d0e041604142b173701fe8eaf1c24"
	"1049403678015f9f885ef1301f0603551d230418301680142b173701fe8eaf1c241049403678015f"
	"9f885ef1300f0603551d130101ff040530030101ff300a06082a8648ce3d04030203480030450221"
	"00db05ae37aaad4a07544faecdb1c0704637b0620c8e38617f87d7a7e53948113102201933372380"
	"8732baa967fe1c8df0d97732e376468f95ecef8da75ceb22129acd";

/* O = none */
static const char nameless[] =
	"308201763082011ba00302010202141523ead8f849e223a4aea17c8ca11bc9fb6d1bf0300a06082a"
	"8648ce3d040302300f310d300b060355040a0c046e6f6e653020170d323631313232303834343539"
	"5a180f32313236313032393038343435395a300f310d300b060355040a0c046e6f6e653059301306"
	"072a8648ce3d020106082a8648ce3d03010703420004676263eb0ec354567a4dd04b70fa7128fddd"
	"00dfe3ae41f6a024bb6c0662095fa36846aa4e7b8989061fbbb444e5b7988a4ab3d423e8cbb9fd75"
	"059e8fa20140a3533051301d0603551d0e041604142b173701fe8eaf1c241049403678015f9f885e"
	"f1301f0603551d230418301680142b173701fe8eaf1c241049403678015f9f885ef1300f0603551d"
	"130101ff040530030101ff300a06082a8648ce3d0403020349003046022100dbf2017c3b4477d50b"
	"a56acb8a6c9bb5d079af1c40a3363787ec0e5bc8faf9ba022100ca0c3390fe7ee8e4da95b770d85d"
	"e95a128a6798356f3e35e452a119ddb8f8a0";

static struct bytes
der_of(const char *hex)
{
	static uint8_t out[HEX_MAX];

	return hex_bytes(hex, out);
}

START_TEST(rfc5280_4_1_2_6_common_name)
{
	uint8_t text[64];
	struct buf name = BUF_OF(text);

	ck_assert(certificate_cn(der_of(member), &name));
	ck_assert(bytes_is(buf_bytes(&name), "member.example"));
}
END_TEST

START_TEST(nobody_has_no_name_or_two)
{
	uint8_t text[64];
	struct buf name = BUF_OF(text);

	ck_assert(!certificate_cn(der_of(two), &name));
	ck_assert(!certificate_cn(der_of(nameless), &name));
	ck_assert_uint_eq(name.n, 0);
}
END_TEST

START_TEST(a_name_has_to_fit)
{
	struct bytes der = der_of(member);

	for (size_t cap = 0; cap < strlen("member.example"); cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);
		struct buf name = buf_of(exact, cap);

		ck_assert_msg(!certificate_cn(der, &name), "cap %zu", cap);
		free(exact);
	}
}
END_TEST

START_TEST(half_a_certificate_is_none)
{
	struct bytes der = der_of(member);

	for (size_t n = 0; n < der.n; n++) {
		uint8_t *exact = malloc(n ? n : 1), text[64];
		struct buf name = BUF_OF(text);

		memcpy(exact, der.p, n);
		ck_assert_msg(!certificate_cn(bytes_of(exact, n), &name), "%zu bytes", n);
		ck_assert(!certificate_is_for(bytes_of(exact, n), "one.example"));
		free(exact);
	}
}
END_TEST

static const struct {
	const char *host;
	bool is_for;
} hosts[] = {
	{"one.example", true},
	{"ONE.example", true},
	{"a.two.example", true},
	{"two.example", false},
	{"a.b.two.example", false},
	{"192.0.2.1", true},
	{"192.0.2.2", false},
	{"2001:db8::1", true},
	{"2001:db8:0::1", true},
	{"2001:db8::2", false},
	/* RFC 6125 6.4.4: not its common name, when it has names for hosts. */
	{"member.example", false},
	{"forged.example", false},
	{"", false},
};

START_TEST(rfc6125_6_4_whose_host_it_is)
{
	ck_assert_msg(certificate_is_for(der_of(member), hosts[_i].host) == hosts[_i].is_for, "%s",
		hosts[_i].host);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("certificate");
	TCase *t = tcase_create("certificate");

	tcase_add_test(t, rfc5280_4_1_2_6_common_name);
	tcase_add_test(t, nobody_has_no_name_or_two);
	tcase_add_test(t, a_name_has_to_fit);
	tcase_add_test(t, half_a_certificate_is_none);
	tcase_add_loop_test(
		t, rfc6125_6_4_whose_host_it_is, 0, (int)(sizeof(hosts) / sizeof(hosts[0])));
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
