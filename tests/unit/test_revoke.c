/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of a self-managed group that somebody has who lost the right to them (SECURITY.md):
 * who that is after a change of access rules and identities, and what becomes of the keys.
 */
#include "group_bed.h"

#include "net/revoke.h"
#include "oscore/crypto.h"

#define KEY "hex:1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100"
#define SECURED                                                                                \
	"  - { name: hall, address: 239.255.17.4, interface: lo, topics: hall, threshold: 1, " \
	"max-age: 3600s, oscore: keys }\n"
#define CONF(access)                                                                         \
	"identities:\n"                                                                      \
	"  - { name: p1, oscore: { sender-id: hex:a1, recipient-id: hex:01, master-secret: " \
	"hex:00112233445566778899aabbccddeef1 } }\n"                                         \
	"  - { name: p2, psk: { identity: p2, key: hex:0102030405060708 } }\n"               \
	"groups:\n" SECURED                                                                  \
	"  - { name: open, address: 239.255.17.5, interface: lo, topics: attic, threshold: " \
	"1 }\n"                                                                              \
	"oscore-groups: [ { name: keys, private-key: \"" KEY "\" } ]\n" access

static struct gb_member member, newcomer;
static struct access *before, *after;
static const char *gone; /* of the identities */

static void
setup(void)
{
	gb_init();
	gone = "";
}

static void
teardown(void)
{
	gb_leave(&member);
	gb_leave(&newcomer);
	access_free(before);
	access_free(after);
	before = after = NULL;
	gb_stop(false);
	crypto_stop();
}

static struct access *
rules(const char *text)
{
	struct access *a;
	struct conf *c;
	struct error e;

	ck_assert_msg(conf_parse(bytes_str(text), "f", &c, &e) == 0, "%s", e.text);
	a = access_new(c, gb.subjects);
	conf_free(c);
	return a;
}

static bool
is_gone(void *ctx, uint32_t who)
{
	(void)ctx;
	return strcmp(subjects_name(gb.subjects, who), gone) == 0;
}

/* --- who lost the right ------------------------------------------------------------------ */

static const struct {
	const char *before, *after, *gone;
	unsigned revoked;
} changes[] = {
	/* Whoever is there may do everything. */
	{"", "", "", 0},
	{"", "", "p1", 1},
	{"", "", "p2", 1},
	{"", "access: [ { who: \"*\", topics: \"*\", may: subscribe } ]", "", 0},
	{"", "access: [ { who: p1, topics: \"*\", may: subscribe } ]", "", 1},
	{"", "access: []", "", 1},
	{"access: []", "", "", 0},
	{"access: []", "", "p1", 0},
	/* Of two who may, one. */
	{"access: [ { who: \"p*\", topics: hall, may: subscribe } ]",
		"access: [ { who: p2, topics: hall, may: subscribe } ]", "", 1},
	{"access: [ { who: p2, topics: hall, may: subscribe } ]",
		"access: [ { who: \"p*\", topics: hall, may: subscribe } ]", "", 0},
	{"access: [ { who: p2, topics: hall, may: subscribe } ]",
		"access: [ { who: p2, topics: hall, may: [ subscribe, read ] } ]", "p1", 0},
	/* Not of a topic of the group, nor of this right. */
	{"access: [ { who: p1, topics: attic, may: subscribe } ]", "access: []", "p1", 0},
	{"access: [ { who: p1, topics: hall, may: [ read, publish ] } ]", "access: []", "p1", 0},
	/* Nobody is given keys without protection. */
	{"access: [ { who: anonymous, topics: hall, may: subscribe } ]", "access: []", "", 0},
};

START_TEST(who_lost_the_right_to_keys)
{
	struct revoke_view view;
	struct groupkeys_stats stats;
	struct revoke *r;
	char text[2048];

	(void)snprintf(text, sizeof(text), CONF("%s"), changes[_i].before);
	gb_start(text);
	ck_assert_int_eq(broker_create_topic(
				 gb.broker, BYTES_LIT("attic"), BROKER_NO_FORMAT, BYTES_LIT("0")),
		0);
	before = rules(text);
	(void)snprintf(text, sizeof(text), CONF("%s"), changes[_i].after);
	after = rules(text);
	gone = changes[_i].gone;
	view = (struct revoke_view){.conf = gb.conf,
		.subjects = gb.subjects,
		.access = before,
		.broker = gb.broker,
		.keys = gb.keys};
	r = revoke_new(&view);
	ck_assert_uint_eq(revoke_apply(r, after, is_gone, NULL), changes[_i].revoked);
	groupkeys_stats(gb.keys, &stats);
	ck_assert_uint_eq(stats.revoked, changes[_i].revoked);
	revoke_free(r);
}
END_TEST

/* --- what becomes of the keys ------------------------------------------------------------- */

START_TEST(revoked_keys_protect_the_end_and_nothing_else)
{
	gb_start(CONF(""));
	gb_take_part(&member, 1, GB_OSCORE);
	gb_pub("a");
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	groupkeys_revoke(gb.keys, groupkeys_at(gb.keys, 0));
	/* No new keys in it, which the revoked could read. */
	ck_assert_uint_eq(gb.n_sent, 2);
	ck_assert_int_eq(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(member.m.code, CODE_UNAVAILABLE);
	ck_assert_uint_eq(member.m.payload.n, 0);
	gb_take_part(&newcomer, 2, GB_PSK);
	gb_pub("b");
	gb_go(10000);
	ck_assert_uint_eq(gb.n_sent, 3);
	ck_assert_int_ne(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(gb_hear(&newcomer, 0), UNPROTECT_OK);
	ck_assert(bytes_equal(newcomer.m.payload, BYTES_LIT("b")));
}
END_TEST

/* Until the numbers of the new keys are durable nobody is moved, and then who waits is. */
START_TEST(who_waits_for_new_keys_is_served_alone)
{
	struct inform in;
	struct msg m;

	gb_start(CONF(""));
	gb_take_part(&member, 1, GB_PSK);
	gb.lazy = true;
	groupkeys_revoke(gb.keys, groupkeys_at(gb.keys, 0));
	ck_assert_uint_eq(gb.n_sent, 1);
	gb_sub(2, GB_PSK);
	m = gb_got(2);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	gb_pub("a");
	m = gb_got(2);
	ck_assert(bytes_equal(m.payload, BYTES_LIT("a")));
	ck_assert_uint_eq(gb.n_sent, 1);
	gb_catch_up();
	gb_go(1000);
	in = gb_inform(2);
	gb_join(&newcomer, gb_listener(&in), &in);
	gb_ack(2, GB_PSK);
	gb_pub("b");
	ck_assert_int_ne(gb_hear(&member, 0), UNPROTECT_OK);
	ck_assert_int_eq(gb_hear(&newcomer, 0), UNPROTECT_OK);
	ck_assert(bytes_equal(newcomer.m.payload, BYTES_LIT("b")));
}
END_TEST

START_TEST(a_restart_after_it_has_the_new_keys)
{
	uint8_t map[256];
	struct inform in;
	size_t n;

	gb_start(CONF(""));
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	n = in.keys.gp_material.n;
	memcpy(map, in.keys.gp_material.p, n);
	groupkeys_revoke(gb.keys, groupkeys_at(gb.keys, 0));
	gb_stop(false);
	gb_start(CONF(""));
	gb_sub(1, GB_PSK);
	in = gb_inform(1);
	ck_assert(!bytes_equal(in.keys.gp_material, bytes_of(map, n)));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("revoke");
	TCase *t = tcase_create("revoke");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
		t, who_lost_the_right_to_keys, 0, (int)(sizeof(changes) / sizeof(changes[0])));
	tcase_add_test(t, revoked_keys_protect_the_end_and_nothing_else);
	tcase_add_test(t, who_waits_for_new_keys_is_served_alone);
	tcase_add_test(t, a_restart_after_it_has_the_new_keys);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
