/* SPDX-License-Identifier: BSD-2-Clause */
/* Access rules of a configuration, and the subjects they are about: product.md, `access`. */
#include "net/access.h"

#include "unit.h"

#define D CONF_MAY_DISCOVER
#define R CONF_MAY_READ
#define S CONF_MAY_SUBSCRIBE
#define P CONF_MAY_PUBLISH
#define C CONF_MAY_CREATE

static struct subjects *subjects;
static struct access *rules;

static struct access *
load(const char *text)
{
	struct conf *conf;
	struct access *a;
	struct error e = {.text = ""};

	ck_assert_msg(conf_parse(bytes_str(text), "f", &conf, &e) == 0, "%s", e.text);
	a = access_new(conf, subjects);
	/* Nothing is borrowed of it. */
	conf_free(conf);
	return a;
}

static void
setup(void)
{
	subjects = subjects_new();
	rules = load("access:\n"
		     "  - { who: sensor-*, topics: \"sensors/*\", may: [ publish, create ] }\n"
		     "  - { who: sensor-1, topics: [ hall, \"attic/*/light\" ], may: read }\n"
		     "  - { who: \"*\", topics: \"*\", may: [ discover ] }\n"
		     "  - { who: anonymous, topics: \"public/*\", may: [ read, subscribe ] }\n"
		     "  - { who: \"*\", topics: hall, may: subscribe }\n");
}

static void
teardown(void)
{
	access_free(rules);
	subjects_free(subjects);
}

static const struct {
	const char *who;
	const char *topic;
	unsigned may;
} grants[] = {
	{"sensor-1", "sensors/1", P | C | D},
	{"sensor-1", "sensors", D},
	{"sensor-1", "sensors/1/2", P | C | D},
	{"sensor-1", "hall", D | R | S},
	{"sensor-2", "hall", D | S},
	{"sensor-1", "attic/a/b/light", D | R},
	{"sensor-1", "attic/light", D},
	{"sensor-2", "sensors/1", P | C | D},
	{"sensor", "sensors/1", D},
	{"panel", "hall", D | S},
	{"panel", "Hall", D},
	{"anonymous", "public/a", R | S},
	/* "*" is any identified peer. */
	{"anonymous", "hall", 0},
	{"anonymous", "sensors/1", 0},
	{"panel", "", D},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(only_what_a_rule_allows)
{
	uint32_t who = subjects_id(subjects, grants[_i].who);
	struct bytes topic = bytes_str(grants[_i].topic);

	for (unsigned verbs = 1; verbs < 1u << 7; verbs++)
		ck_assert_msg(
			access_allows(rules, who, verbs, topic) == ((verbs & ~grants[_i].may) == 0),
			"%s %s %x", grants[_i].who, grants[_i].topic, verbs);
}

START_TEST(absent_rules_allow_everything_and_empty_ones_nothing)
{
	struct access *open = load(""), *closed = load("access: []\n");
	uint32_t who = subjects_id(subjects, "panel");

	ck_assert(access_allows(open, SUBJECTS_ANONYMOUS, 0x7f, BYTES_LIT("hall")));
	ck_assert(access_allows(open, who, 0x7f, BYTES_LIT("hall")));
	ck_assert(!access_allows(closed, SUBJECTS_ANONYMOUS, D, BYTES_LIT("hall")));
	ck_assert(!access_allows(closed, who, D, BYTES_LIT("hall")));
	ck_assert(!access_equal(open, closed));
	access_free(open);
	access_free(closed);
}

START_TEST(a_pattern_that_matches_the_word_is_not_for_anonymous)
{
	struct access *a = load("access: [ { who: \"anon*\", topics: \"*\", may: read } ]\n");

	ck_assert(!access_allows(a, SUBJECTS_ANONYMOUS, R, BYTES_LIT("hall")));
	ck_assert(access_allows(a, subjects_id(subjects, "anonyma"), R, BYTES_LIT("hall")));
	access_free(a);
}

static const struct {
	const char *text;
	bool equal;
	bool takes_away; /* the right to subscribe to "hall" */
} others[] = {
	{"access: [ { who: \"*\", topics: hall, may: subscribe } ]\n", true, false},
	{"access: [ { who: \"*\", topics: [ hall ], may: [ subscribe ] } ]\n", true, false},
	{"access: [ { who: \"*\", topics: \"h*\", may: subscribe } ]\n", false, false},
	{"access: [ { who: \"*\", topics: [ hall, a ], may: subscribe } ]\n", false, false},
	{"access: [ { who: \"*\", topics: hall, may: [ subscribe, read ] } ]\n", false, false},
	{"access: [ { who: \"*\", topics: hall, may: read } ]\n", false, true},
	{"access: [ { who: \"p*\", topics: hall, may: subscribe } ]\n", false, false},
	{"access: [ { who: \"s*\", topics: hall, may: subscribe } ]\n", false, true},
	{"access: []\n", false, true},
	{"", false, false},
};

START_TEST(what_a_change_takes_away)
{
	struct access *before = load("access: [ { who: \"*\", topics: hall, may: subscribe } ]\n");
	struct access *now = load(others[_i].text);

	(void)subjects_id(subjects, "panel");
	ck_assert_int_eq(access_equal(before, now), others[_i].equal);
	ck_assert_int_eq(
		access_takes_away(before, now, S, BYTES_LIT("hall")), others[_i].takes_away);
	ck_assert(!access_takes_away(before, now, S, BYTES_LIT("attic")));
	access_free(before);
	access_free(now);
}

START_TEST(names_have_one_number_each)
{
	char name[16];

	ck_assert_str_eq(subjects_name(subjects, SUBJECTS_ANONYMOUS), "anonymous");
	ck_assert_uint_eq(subjects_id(subjects, "anonymous"), SUBJECTS_ANONYMOUS);
	for (uint32_t i = 1; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		ck_assert_uint_eq(subjects_id(subjects, name), i);
	}
	for (uint32_t i = 1; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		ck_assert_uint_eq(subjects_id(subjects, name), i);
		ck_assert_str_eq(subjects_name(subjects, i), name);
		/* Known after the rules were made. */
		ck_assert(access_allows(rules, i, D, BYTES_LIT("hall")));
	}
	ck_assert_uint_eq(subjects_count(subjects), 1000);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("access");
	TCase *t = tcase_create("access");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, only_what_a_rule_allows, 0, N(grants));
	tcase_add_test(t, absent_rules_allow_everything_and_empty_ones_nothing);
	tcase_add_test(t, a_pattern_that_matches_the_word_is_not_for_anonymous);
	tcase_add_loop_test(t, what_a_change_takes_away, 0, N(others));
	tcase_add_test(t, names_have_one_number_each);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
