/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protected requests, observations and groups, object security being a recorder: what is
 * protected by which shield, when a Partial IV is spent, and who is moved where
 * (RFC 8613 section 8, product.md "Who is moved").
 */
#include "broker_shield.h"
#include "broker_world.h"

#define NO_PIV (-1)

static void
setup(void)
{
	bw_init();
	bw_start();
	bw_topic("hall", "0");
}

/* The same with a group, secured or not, of a threshold. */
static struct broker_group *
anew(uint32_t threshold, bool secure)
{
	struct broker_group *g;

	bw_stop();
	bw_init();
	g = bw_group("239.255.17.4:61616", threshold);
	if (secure)
		bw_secure(g);
	bw_start();
	bw_topic("hall", "0");
	return g;
}

/* Registers for "hall" protected, as the subject of the same number. */
static void
sub(unsigned peer)
{
	bw_in(peer, "GET /ps/data/hall o=0 s=%u", peer);
}

static struct bw_mark
mark(unsigned peer)
{
	return bw_mark_of(bw_datagram(peer));
}

static struct bw_mark
mark_of_group(void)
{
	return bw_mark_of(bw_datagram_to_group(0));
}

/* What is in an informative response, by the shield of what it holds. */
static int
shield_of_inner(struct bytes inner)
{
	struct msg m;
	const struct opt *o;

	ck_assert_int_eq(msg_decode_inner(inner, &m), 0);
	o = msg_find(&m, OPT_OSCORE);
	return o ? o->value.p[0] : -1;
}

START_TEST(the_answer_to_a_protected_request_is_protected)
{
	bw_in(1, "GET /ps/data/hall s=7");
	bw_expect("s1=2.05:0 ");
	/* RFC 8613 5.2: the first answer may do with the nonce of the request. */
	ck_assert_int_eq(mark(1).piv, NO_PIV);
	bw_in(1, "NON GET /ps/data/none s=7");
	bw_expect("s1~4.04 ");
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=2.05:0 ");
	ck_assert_uint_eq(bw.n_shields, 0);
}

START_TEST(rfc8613_7_4_a_duplicate_gets_the_same_bytes)
{
	struct bw_sent first;

	bw_in(1, "GET /ps/data/hall s=7");
	first = *bw_datagram(1);
	bw_again();
	bw_expect("s1=2.05:0 s1=2.05:0 ");
	ck_assert_uint_eq(bw.n_protected, 1);
	ck_assert(bytes_equal(bytes_of(first.bytes, first.n),
		bytes_of(bw_datagram(1)->bytes, bw_datagram(1)->n)));
}

START_TEST(rfc7967_what_is_inside_decides_on_suppression)
{
	bw_in(1, "GET /ps/data/hall nr=2 s=7");
	bw_expect("a1 ");
	bw_in(1, "GET /ps/data/none nr=2 s=7");
	bw_expect("s1=4.04 ");
}

START_TEST(rfc7252_5_4_1_options_inside_are_checked)
{
	/* GET with OSCORE (9) of value 7, and the critical option 65001. */
	static const uint8_t request[] = {0x40, 1, 0x12, 0x34, 0x91, 7, 0xe0, 0xfc, 0xd3};
	/* The same with Proxy-Scheme (39) "coap". */
	static const uint8_t proxy[] = {0x40, 1, 0x12, 0x35, 0x91, 7, 0xd4, 17, 'c', 'o', 'a', 'p'};

	bw_in_bytes(1, BYTES_OF(request));
	bw_expect("s1=4.02 ");
	bw_in_bytes(1, BYTES_OF(proxy));
	bw_expect("1=5.05 ");
}

START_TEST(rfc8613_8_notifications_have_a_partial_iv_of_their_own)
{
	struct bw_mark first;

	sub(1);
	bw_expect("s1+0 ");
	first = mark(1);
	ck_assert_int_eq(first.piv, 0);
	ck_assert_uint_eq(bw.n_shields, 1);
	bw_pub("a");
	bw_expect("s1:a ");
	ck_assert_int_eq(mark(1).shield, first.shield);
	ck_assert_int_eq(mark(1).piv, 1);
	/* Registered again: bound to the new request. */
	sub(1);
	ck_assert_int_ne(mark(1).shield, first.shield);
	ck_assert_uint_eq(bw.n_shields, 1);
	bw_in(1, "GET /ps/data/hall o=1 s=1");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw.n_shields, 0);
}

START_TEST(nobody_else_ends_a_protected_observation)
{
	sub(1);
	bw_unsub(1);
	bw_in(1, "GET /ps/data/hall o=1 s=2");
	ck_assert_uint_eq(bw_stats().observers, 1);
	/* Nor takes it over. */
	bw_sub(1);
	ck_assert_uint_eq(bw_stats().observers, 2);
	(void)bw_said();
	bw_pub("a");
	bw_expect("s1:a 1:a ");
}

/* A publish that is confirmable, and its bytes. */
static struct bw_sent
publish_con(const char *value)
{
	bw_go(BW_CHECK_DUE_MS);
	(void)bw_said();
	bw_pub(value);
	bw_expect("s1!a ");
	return *bw_datagram(1);
}

START_TEST(a_retransmission_is_the_same_bytes)
{
	struct bw_sent first;
	unsigned n;

	sub(1);
	first = publish_con("a");
	n = bw.n_protected;
	bw_go(13000);
	bw_expect("s1!a s1!a ");
	ck_assert(bytes_equal(bytes_of(first.bytes, first.n),
		bytes_of(bw_datagram(1)->bytes, bw_datagram(1)->n)));
	ck_assert_uint_eq(bw.n_protected, n);
	bw_ack(1);
	bw_pub("b");
	bw_expect("s1:b ");
	ck_assert_int_eq(mark(1).piv, bw_mark_of(&first).piv + 1);
}

START_TEST(rfc7641_4_5_2_a_retransmission_with_newer_content_is_protected_anew)
{
	struct bw_sent first;

	sub(1);
	first = publish_con("a");
	bw_pub("b");
	bw_go(3000);
	bw_expect("s1!b ");
	ck_assert_int_eq(mark(1).piv, bw_mark_of(&first).piv + 1);
	ck_assert(memcmp(first.bytes + 2, bw_datagram(1)->bytes + 2, 2) != 0);
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 1);
}

/* A CON under way in this much memory, of which the value takes a byte. */
static struct bw_sent
in_memory(uint64_t bytes)
{
	bw_stop();
	bw_init();
	bw.conf.limits.memory = bytes;
	bw_start();
	bw_topic("hall", "0");
	sub(1);
	return publish_con("a");
}

START_TEST(what_is_kept_to_be_repeated_is_charged_to_limits_memory)
{
	struct bw_sent first;
	uint64_t n;

	first = in_memory(100000);
	n = bw_stats().cover_bytes;
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, first.n);
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().cover_bytes, 0);

	/* It just fits, and then nothing else does until it is acknowledged. */
	first = in_memory(1 + n);
	ck_assert_uint_eq(bw_stats().cover_bytes, n);
	bw_in(2, "PUT /ps/data/hall 'ab'");
	bw_in(3, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_expect("2=5.03 3=5.03 ");
	bw_go(3000);
	bw_expect("s1!a ");
	ck_assert(bytes_equal(bytes_of(first.bytes, first.n),
		bytes_of(bw_datagram(1)->bytes, bw_datagram(1)->n)));
	ck_assert_uint_eq(bw_stats().unkept, 0);
	bw_ack(1);
	bw_in(2, "PUT /ps/data/hall 'ab'");
	bw_expect("2=2.04 s1:ab ");

	/* A byte less: what is sent again is another message, and nobody is dropped. */
	first = in_memory(n);
	ck_assert_uint_eq(bw_stats().cover_bytes, 0);
	ck_assert_uint_eq(bw_stats().unkept, 1);
	bw_go(3000);
	bw_expect("s1!a ");
	ck_assert_int_eq(mark(1).piv, bw_mark_of(&first).piv + 1);
	ck_assert(memcmp(first.bytes + 2, bw_datagram(1)->bytes + 2, 2) != 0);
	ck_assert_uint_eq(bw_stats().unkept, 2);
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 1);
	/* The end of an observation gives back what it kept. */
	(void)in_memory(1 + n);
	bw_in(1, "GET /ps/data/hall o=1 s=1");
	ck_assert_uint_eq(bw_stats().cover_bytes, 0);
}

START_TEST(the_last_response_is_protected)
{
	sub(1);
	bw_sub(2);
	(void)bw_said();
	bw_in(3, "DELETE /ps/hall");
	bw_expect("3=2.02 sx1 x2 ");
	ck_assert_uint_eq(bw.n_shields, 1);
	bw_ack(1);
	ck_assert_uint_eq(bw.n_shields, 0);
}

START_TEST(oscore_0_2_who_is_moved_after_its_first_answer_gets_a_partial_iv)
{
	struct bw_mark first;
	struct inform in;
	int phantom;

	anew(2, true);
	sub(1);
	first = mark(1);
	sub(2);
	bw_expect("s1+0 a2 si1 si2 ");
	ck_assert_int_eq(mark(1).shield, first.shield);
	ck_assert_int_eq(mark(1).piv, first.piv + 1);
	in = bw_inform(1);
	ck_assert(bytes_equal(in.keys.gp_material, BYTES_LIT("\xa0")));
	/* Phantom and notification are protected by another shield. */
	phantom = shield_of_inner(in.ph_req);
	ck_assert_int_gt(phantom, 0);
	ck_assert_int_ne(phantom, first.shield);
	ck_assert_int_eq(shield_of_inner(in.last_notif), phantom);
	bw_acks(1, 2);
	/* Theirs are released: the phantom's is left. */
	ck_assert_uint_eq(bw.n_shields, 1);
	bw_pub("a");
	bw_expect("s*:a ");
	ck_assert_int_eq(mark_of_group().shield, phantom);
	ck_assert_int_eq(mark_of_group().piv, 2);
}

START_TEST(an_informative_response_is_protected_once)
{
	struct bw_sent first;

	anew(1, true);
	sub(1);
	bw_expect("a1 si1 ");
	first = *bw_datagram(1);
	bw_go(3000);
	bw_expect("si1 ");
	ck_assert(bytes_equal(bytes_of(first.bytes, first.n),
		bytes_of(bw_datagram(1)->bytes, bw_datagram(1)->n)));
	/* Until the latest notification in it is another one. */
	bw_pub("a");
	bw_expect("s*:a ");
	bw_go(6000);
	ck_assert_int_eq(mark(1).shield, bw_mark_of(&first).shield);
	ck_assert_int_gt(mark(1).piv, bw_mark_of(&first).piv);
	ck_assert(memcmp(first.bytes + 2, bw_datagram(1)->bytes + 2, 2) != 0);
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().moved, 1);
}

START_TEST(omn_4_5_all_to_a_group_has_a_partial_iv_of_its_own)
{
	struct bw_mark last, m;

	anew(1, true);
	sub(1);
	bw_ack(1);
	bw_pub("a");
	last = mark_of_group();
	/* Refreshed when its Max-Age is over. */
	bw_go(61000);
	m = mark_of_group();
	ck_assert_int_eq(m.shield, last.shield);
	ck_assert_int_gt(m.piv, last.piv);
	last = m;
	(void)bw_said();
	bw_in(3, "DELETE /ps/hall");
	bw_expect("3=2.02 s*x ");
	m = mark_of_group();
	ck_assert_int_eq(m.shield, last.shield);
	ck_assert_int_gt(m.piv, last.piv);
	ck_assert_uint_eq(bw.n_shields, 0);
}

START_TEST(a_secured_group_is_for_the_protected_only)
{
	anew(2, true);
	bw_subs(1, 4);
	sub(5);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	(void)bw_said();
	sub(6);
	bw_expect("a6 si5 si6 ");
	bw_acks(5, 6);
	bw_sub(7);
	bw_expect("7+0 ");
	bw_pub("a");
	bw_expect("s*:a 1:a 2:a 3:a 4:a 7:a ");
}

START_TEST(an_unsecured_group_is_for_the_unprotected_only)
{
	anew(2, false);
	for (unsigned peer = 1; peer <= 4; peer++)
		sub(peer);
	bw_sub(5);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	(void)bw_said();
	bw_sub(6);
	bw_expect("a6 i5 i6 ");
	ck_assert_ptr_null(bw_inform(5).keys.gp_material.p);
	bw_acks(5, 6);
	sub(7);
	bw_expect("s7+0 ");
	bw_pub("a");
	bw_expect("*:a s1:a s2:a s3:a s4:a s7:a ");
}

START_TEST(what_the_transport_protects_goes_to_a_secured_group)
{
	anew(2, true);
	bw.transport = PATH_DTLS;
	bw.who = 3;
	bw_sub(1);
	bw.transport = PATH_TCP;
	bw_sub(2);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	(void)bw_said();
	bw.transport = PATH_UDP;
	sub(3);
	bw_expect("a3 i1 si3 ");
	ck_assert(bytes_equal(bw_inform(1).keys.gp_material, BYTES_LIT("\xa0")));
	/* The notifications come by UDP, and streams are served as streams. */
	bw.transport = PATH_DTLS;
	bw.no_udp = true;
	bw_sub(4);
	bw.no_udp = false;
	bw.transport = PATH_TLS;
	bw_sub(5);
	bw_expect("4+0 5+0 ");
}

START_TEST(nobody_unprotected_is_told_of_a_protected_group_observation)
{
	static const char *const ask = "GET /.well-known/core/mc-sender?token=%s%s";
	char hex[17];
	struct buf token = buf_of(hex, sizeof(hex));
	struct inform in;

	anew(1, true);
	sub(1);
	in = bw_inform(1);
	buf_put_hex(&token, bytes_of(in.token.b, in.token.n));
	(void)bw_said();
	bw_in(2, ask, buf_str(&token), "");
	bw_expect("2=4.04 ");
	bw_in(2, "GET /ps/hall ac=65001");
	bw_expect("2=4.06 ");
	bw_in(2, ask, buf_str(&token), " s=2");
	ck_assert_int_eq(bw_last(2).code, CODE_CONTENT);
	bw_in(2, "GET /ps/hall ac=65001 s=2");
	ck_assert_int_eq(bw_last(2).code, CODE_CONTENT);
}

START_TEST(what_cannot_be_protected_is_not_sent)
{
	sub(1);
	bw_sub(2);
	(void)bw_said();
	bw.unprotectable = true;
	bw_pub("a");
	bw_expect("2:a ");
	/* Only that it failed is said, and nobody observes who thinks he does not. */
	sub(3);
	bw_expect("3=5.03 ");
	ck_assert_uint_eq(bw_stats().observers, 2);
	bw.unprotectable = false;
	bw_pub("b");
	bw_expect("s1:b 2:b ");
}

START_TEST(a_confirmable_one_that_cannot_be_protected_ends_the_observation)
{
	sub(1);
	bw_go(BW_CHECK_DUE_MS);
	(void)bw_said();
	bw.unprotectable = true;
	bw_pub("a");
	bw_expect("");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw.n_shields, 0);
	/* The last response of all: it is gone without it. */
	bw.unprotectable = false;
	sub(2);
	bw.unprotectable = true;
	bw_in(3, "DELETE /ps/hall");
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw.n_shields, 0);
}

/* Sequence numbers that a slow disk has not kept yet: what is newest then is told. */
START_TEST(what_has_no_number_yet_is_sent_when_there_is_one)
{
	sub(1);
	(void)bw_said();
	bw.numberless = true;
	bw_pub("a");
	bw_pub("b");
	bw_go(1000);
	bw_expect("");
	bw_pub("c");
	bw.numberless = false;
	bw_go(300);
	bw_expect("s1!c ");
	bw_ack(1);
	bw_go(1000);
	bw_expect("");
	bw_pub("d");
	bw_expect("s1:d ");
	ck_assert_uint_eq(bw_stats().observers, 1);
}

START_TEST(nor_does_that_end_an_observation_that_was_to_be_confirmed)
{
	sub(1);
	bw_go(BW_CHECK_DUE_MS);
	(void)bw_said();
	bw.numberless = true;
	bw_pub("a");
	bw_go(1000);
	bw_expect("");
	ck_assert_uint_eq(bw_stats().observers, 1);
	bw_pub("b");
	bw.numberless = false;
	bw_go(300);
	bw_expect("s1!b ");
	/* Nor in the midst of it: what is newer waits for its number. */
	bw.numberless = true;
	bw_pub("c");
	bw_go(3000);
	bw_expect("");
	bw.numberless = false;
	bw_go(300);
	bw_expect("s1!c ");
	bw_ack(1);
	ck_assert_uint_eq(bw_stats().observers, 1);
	/* The last response is not lost either. */
	bw.numberless = true;
	bw_in(3, "DELETE /ps/hall");
	bw_expect("3=2.02 ");
	bw.numberless = false;
	bw_go(300);
	bw_expect("sx1 ");
	bw_ack(1);
	ck_assert_uint_eq(bw.n_shields, 0);
}

START_TEST(a_group_that_cannot_be_protected_does_not_start)
{
	anew(2, true);
	sub(1);
	bw.unprotectable = true;
	sub(2);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
	bw.unprotectable = false;
	(void)bw_said();
	sub(3);
	bw_expect("a3 si1 si3 ");
	bw_acks(1, 1);
	bw_ack(3);
	/* What cannot be sent now is soon. */
	bw.unprotectable = true;
	bw_pub("a");
	bw_expect("");
	bw.unprotectable = false;
	bw_go(1000);
	bw_expect("s*:a ");
}

START_TEST(a_value_has_less_room_in_a_protected_datagram)
{
	struct broker_group *g = anew(1, true);
	char value[1200];

	memset(value, 'v', sizeof(value));
	value[g->datagram - 100] = '\0';
	sub(1);
	bw_ack(1);
	(void)bw_said();
	bw_pub(value);
	bw_expect("s*:(512) ");
}

START_TEST(it_ends_with_all_shields_released)
{
	anew(3, true);
	for (unsigned peer = 1; peer <= 5; peer++)
		sub(peer);
	bw_pub("a");
	ck_assert_uint_eq(bw.n_shields, 6);
	/* bw_stop counts. */
}

static Suite *
suite(void)
{
	Suite *s = suite_create("shield");
	TCase *t = tcase_create("shield");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, the_answer_to_a_protected_request_is_protected);
	tcase_add_test(t, rfc8613_7_4_a_duplicate_gets_the_same_bytes);
	tcase_add_test(t, rfc7967_what_is_inside_decides_on_suppression);
	tcase_add_test(t, rfc7252_5_4_1_options_inside_are_checked);
	tcase_add_test(t, rfc8613_8_notifications_have_a_partial_iv_of_their_own);
	tcase_add_test(t, nobody_else_ends_a_protected_observation);
	tcase_add_test(t, a_retransmission_is_the_same_bytes);
	tcase_add_test(t, rfc7641_4_5_2_a_retransmission_with_newer_content_is_protected_anew);
	tcase_add_test(t, what_is_kept_to_be_repeated_is_charged_to_limits_memory);
	tcase_add_test(t, the_last_response_is_protected);
	tcase_add_test(t, oscore_0_2_who_is_moved_after_its_first_answer_gets_a_partial_iv);
	tcase_add_test(t, an_informative_response_is_protected_once);
	tcase_add_test(t, omn_4_5_all_to_a_group_has_a_partial_iv_of_its_own);
	tcase_add_test(t, a_secured_group_is_for_the_protected_only);
	tcase_add_test(t, an_unsecured_group_is_for_the_unprotected_only);
	tcase_add_test(t, what_the_transport_protects_goes_to_a_secured_group);
	tcase_add_test(t, nobody_unprotected_is_told_of_a_protected_group_observation);
	tcase_add_test(t, what_cannot_be_protected_is_not_sent);
	tcase_add_test(t, a_confirmable_one_that_cannot_be_protected_ends_the_observation);
	tcase_add_test(t, what_has_no_number_yet_is_sent_when_there_is_one);
	tcase_add_test(t, nor_does_that_end_an_observation_that_was_to_be_confirmed);
	tcase_add_test(t, a_group_that_cannot_be_protected_does_not_start);
	tcase_add_test(t, a_value_has_less_room_in_a_protected_datagram);
	tcase_add_test(t, it_ends_with_all_shields_released);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
