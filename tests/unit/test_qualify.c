/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may be moved into a group observation, and so counts towards its threshold:
 * product.md "Who is moved", wire.md "Starting a group observation", step 5.
 */
#include "broker_world.h"

static void
setup(void)
{
	bw_init();
	bw_group("239.255.17.4:61616", 3);
	bw_start();
	bw_topic("hall", "0");
}

/* The same with another threshold. */
static struct broker_group *
anew(uint32_t threshold)
{
	bw_stop();
	bw_init();
	return bw_group("239.255.17.4:61616", threshold);
}

static void
begin(void)
{
	bw_start();
	bw_topic("hall", "0");
}

static const struct {
	const char *request;
	bool moved; /* at threshold 1 */
} requests[] = {
	{"GET /ps/data/hall o=0", true},
	{"GET /ps/data/hall o=0 h=broker.example", true},
	{"GET /ps/data/hall o=0 e=00", true},
	{"GET /ps/data/hall o=0 nr=2", true},
	{"GET /ps/data/hall o=0 b2=0/1024", true},
	{"GET /ps/data/hall o=0 b2=0/512", false},
	{"GET /ps/data/hall o=0 b2=0/16", false},
	{"GET /ps/data/hall o=0 ac=0", false},
	{"GET /ps/data/hall?x o=0", false},
	{"GET /ps/data/hall o=0 ct=0", false},
	{"GET /ps/data/hall o=0 'body'", false},
	/* It would not get the 5.03. */
	{"GET /ps/data/hall o=0 nr=16", false},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(omn_4_2_a_request_that_differs_from_the_phantom_stays_traditional)
{
	anew(1);
	begin();
	bw_in(1, "%s", requests[_i].request);
	ck_assert_uint_eq(bw_stats().group_observations, requests[_i].moved);
	bw_pub("x");
	ck_assert_uint_eq(bw.n_to_group[0], requests[_i].moved);
	ck_assert_uint_eq(bw.peers[1].n_values, requests[_i].moved ? 0 : 2);
}

START_TEST(those_who_do_not_qualify_do_not_count)
{
	bw_in(4, "GET /ps/data/hall o=0 ac=0");
	bw_in(5, "GET /ps/data/hall?x o=0");
	bw_subs(1, 2);
	(void)bw_said();
	bw_pub("a");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	(void)bw_said();
	bw_sub(3);
	bw_expect("a3 i1 i2 i3 ");
	bw_acks(1, 3);
	bw_pub("b");
	/* They are told as before. */
	bw_expect("*:b 4:b 5:b ");
	ck_assert_uint_eq(bw_stats().observers, 2);
}

START_TEST(the_other_family_does_not_count)
{
	bw_subs(1, 2);
	bw.family = AF_INET6;
	bw_subs(1, 5);
	bw.family = AF_INET;
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	bw_sub(3);
	ck_assert_uint_eq(bw_stats().group_observations, 1);
	ck_assert_uint_eq(bw_stats().informed, 3);
}

START_TEST(omn_4_2_link_local_clients_stay_traditional)
{
	anew(1);
	begin();
	bw_topic("attic", "0");
	/* Either side of the exchange. */
	bw.link_local_peer = true;
	bw_sub(1);
	bw_expect("1+0 ");
	bw.link_local_peer = false;
	bw.link_local_us = true;
	bw_sub(1);
	bw_expect("1+0 ");
	bw.link_local_peer = true;
	bw_sub(1);
	bw_expect("1+0 ");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
}

START_TEST(link_local_ipv6_clients_stay_traditional)
{
	bw_stop();
	bw_init();
	bw_group("[ff35:30:2001:db8::23]", 1);
	begin();
	bw.family = AF_INET6;
	bw.link_local_peer = true;
	bw_sub(1);
	bw.link_local_us = true;
	bw_sub(1);
	bw.link_local_peer = false;
	bw_sub(1);
	bw_expect("6.1+0 6.1+0 6.1+0 ");
	bw.link_local_us = false;
	bw_sub(1);
	bw_expect("a6.1 i6.1 ");
}

/* wire.md, "Group requests": it registers, and is answered by unicast. */
START_TEST(a_registration_by_multicast_is_moved)
{
	anew(1);
	begin();
	bw.multicast = true;
	bw_in(1, "NON GET /ps/data/hall o=0");
	bw_go(LAYER_LEISURE_MS / 100);
	for (int i = 0; i < 100 && !bw.peers[1].con_mid; i++)
		bw_go(LAYER_LEISURE_MS / 100);
	bw_expect("i1 ");
	ck_assert(!bw_datagram(1)->way.multicast);
}

/* RFC 7641 4.1: the same endpoint and token, another topic. */
START_TEST(a_move_replaces_what_had_its_token)
{
	static const char *const hall[] = {"hall"};
	struct broker_group *g = anew(1);

	g->patterns = hall;
	begin();
	bw_topic("attic", "a");
	bw_sub(2);
	bw_ack(2);
	bw_in(1, "GET /ps/data/attic o=0");
	bw_sub(1);
	bw_expect("a2 i2 1+a a1 i1 ");
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(only_members_are_moved)
{
	static struct prefix members[2];
	struct broker_group *g = anew(2);

	ck_assert_int_eq(prefix_parse("10.0.0.0/28", &members[0]), 0);
	ck_assert_int_eq(prefix_parse("10.0.1.0/24", &members[1]), 0);
	g->members = members;
	g->n_members = 2;
	begin();
	bw_sub(1);
	bw_subs(16, 20);
	(void)bw_said();
	bw_sub(257);
	bw_expect("a257 i1 i257 ");
	bw_acks(1, 1);
	bw_ack(257);
	bw_sub(21);
	bw_expect("21+0 ");
	ck_assert_uint_eq(bw_stats().observers, 6);
}

START_TEST(members_without_anybody_in_it)
{
	static const struct prefix none[1];
	struct broker_group *g = anew(1);

	g->members = none;
	g->n_members = 0;
	begin();
	bw_sub(1);
	bw_expect("1+0 ");
}

/* product.md: a client that registered at another local address than `source`. */
START_TEST(only_who_came_to_the_source_is_moved)
{
	struct broker_group *g = anew(1);

	ck_assert_int_eq(addr_parse("192.0.0.2:0", 0, &g->source), 0);
	begin();
	bw_sub(1);
	bw_expect("1+0 ");
	bw.address = 2;
	bw_sub(2);
	bw_expect("a2 i2 ");
	ck_assert_int_eq(bw_inform(2).server.ip[3], 2);
}

START_TEST(a_source_with_another_port_is_another)
{
	struct broker_group *g = anew(1);

	ck_assert_int_eq(addr_parse("192.0.0.1:5684", 0, &g->source), 0);
	begin();
	bw_sub(1);
	bw_expect("1+0 ");
}

/* Without `source` those count together who came to one address; its it is then. */
START_TEST(each_of_our_addresses_counts_for_itself)
{
	bw_subs(1, 2);
	bw.address = 2;
	bw_subs(3, 4);
	(void)bw_said();
	bw_sub(5);
	bw_expect("a5 i3 i4 i5 ");
	bw_acks(3, 5);
	bw.address = 1;
	/* One group observation of a topic in a group is enough. */
	bw_subs(6, 9);
	bw_expect("6+0 7+0 8+0 9+0 ");
	bw_pub("x");
	ck_assert_uint_eq(bw.n_to_group[0], 1);
	ck_assert_int_eq(bw_datagram_to_group(0)->group_way.source.ip[3], 2);
	ck_assert_uint_eq(bw_stats().observers, 6);
}

START_TEST(only_matching_topics)
{
	static const char *const patterns[] = {"attic/*", "hall"};
	struct broker_group *g = anew(1);

	g->patterns = patterns;
	g->n_patterns = 2;
	bw_start();
	bw_topic("hall", "0");
	bw_topic("hall/x", "0");
	bw_topic("attic/x", "0");
	bw_in(1, "GET /ps/data/hall o=0");
	bw_in(2, "GET /ps/data/hall/x o=0");
	bw_in(3, "GET /ps/data/attic/x o=0");
	bw_expect("a1 i1 2+0 a3 i3 ");
}

START_TEST(the_first_matching_group_of_the_family_is_the_one)
{
	static const struct prefix none[1];
	struct broker_group *g = anew(1);

	bw_group("239.255.17.5", 1);
	g->members = none;
	g->n_members = 0;
	begin();
	/* It is no member there, and the second group is not for this topic. */
	bw_sub(1);
	bw_expect("1+0 ");
}

static const struct {
	const char *pattern, *name;
	bool matches;
} patterns[] = {
	{"*", "", true},
	{"*", "a/b", true},
	{"", "", true},
	{"", "a", false},
	{"a", "a", true},
	{"a", "ab", false},
	{"ab", "a", false},
	{"a*", "a", true},
	{"a*", "abc", true},
	{"*c", "abc", true},
	{"*c", "abd", false},
	{"*b*", "abc", true},
	{"a*c*e", "abcde", true},
	{"a*c*e", "abcd", false},
	{"a**", "a", true},
	{"sensors/*", "sensors/1/2", true},
	{"sensors/*", "sensors", false},
	{"*aab", "aaaaaab", true},
	{"*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

START_TEST(a_pattern)
{
	ck_assert_int_eq(pattern_matches(patterns[_i].pattern, bytes_str(patterns[_i].name)),
		patterns[_i].matches);
}

/* Two families, two groups, two group observations of one topic. */
START_TEST(each_family_has_its_own)
{
	anew(2);
	bw_group("[ff35:30:2001:db8::23]", 1);
	begin();
	bw.family = AF_INET6;
	bw_sub(1);
	bw_expect("a6.1 i6.1 ");
	bw.family = AF_INET;
	bw_subs(1, 2);
	bw_expect("1+0 a2 i1 i2 ");
	bw_pub("x");
	ck_assert_uint_eq(bw.n_to_group[0], 1);
	ck_assert_uint_eq(bw.n_to_group[1], 1);
	ck_assert_uint_eq(bw_stats().group_observations, 2);
	(void)bw_said();
	bw_in(9, "DELETE /ps/hall");
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	ck_assert_uint_eq(bw.n_to_group[0], 2);
	ck_assert_uint_eq(bw.n_to_group[1], 2);
}

static void
add_all(TCase *t)
{
	tcase_add_loop_test(t, omn_4_2_a_request_that_differs_from_the_phantom_stays_traditional, 0,
		N(requests));
	tcase_add_test(t, those_who_do_not_qualify_do_not_count);
	tcase_add_test(t, the_other_family_does_not_count);
	tcase_add_test(t, omn_4_2_link_local_clients_stay_traditional);
	tcase_add_test(t, link_local_ipv6_clients_stay_traditional);
	tcase_add_test(t, a_registration_by_multicast_is_moved);
	tcase_add_test(t, a_move_replaces_what_had_its_token);
	tcase_add_test(t, only_members_are_moved);
	tcase_add_test(t, members_without_anybody_in_it);
	tcase_add_test(t, only_who_came_to_the_source_is_moved);
	tcase_add_test(t, a_source_with_another_port_is_another);
	tcase_add_test(t, each_of_our_addresses_counts_for_itself);
	tcase_add_test(t, only_matching_topics);
	tcase_add_test(t, the_first_matching_group_of_the_family_is_the_one);
	tcase_add_loop_test(t, a_pattern, 0, N(patterns));
	tcase_add_test(t, each_family_has_its_own);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("qualify");
	TCase *t = tcase_create("qualify");

	tcase_add_checked_fixture(t, setup, bw_stop);
	add_all(t);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
